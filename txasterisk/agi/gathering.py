"""How digits are asked for: with what words, how many, how fast, and which are valid."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from .arguments import MAX_DIGITS, Milliseconds, Number
from .results import Digits
from .say import Sayable, said

__all__ = ["Entry", "Prompt", "Question", "Validity", "is_valid"]

#: The time limits that GET DATA has if it is given none: for the first digit, and for each next.
_OWN_LIMITS: Final = (6.0, 2.0)

#: What is said before: one thing, or several in their order.
Prompt: TypeAlias = Sayable | Iterable[Sayable]
#: What tells valid digits: a regular expression for all of them, or a function.
Validity: TypeAlias = str | re.Pattern[str] | Callable[[str], bool | Awaitable[bool]]


class Question(NamedTuple):
    """
    The words that ask for digits.

    :ivar retries: how often the caller may try again.
    :ivar prompt: what is said at each try.
    :ivar invalid: what is said before it, after what was not valid.
    :ivar timed_out: what is said before it, after nothing.
    """

    retries: int
    prompt: tuple[Sayable, ...]
    invalid: tuple[Sayable, ...]
    timed_out: tuple[Sayable, ...]

    @classmethod
    def of(cls, line_limit: int, retries: int, *words: Prompt) -> Question:
        """
        Make one of which everything can be said.

        :param line_limit: the longest command that can be sent, in bytes.
        :param retries: how often the caller may try again.
        :param words: what is said at each try, after what was not valid, and after nothing.
        :raises LocalProtocolError: if not.
        """
        str(Number(retries))
        question = cls(retries, *map(_several, words))
        for item in (*question.prompt, *question.invalid, *question.timed_out):
            said(item, "", line_limit)
        return question

    def again(self, entered: Digits) -> tuple[Sayable, ...]:
        """Return what to say after digits that were not valid."""
        nothing = entered.timed_out and not entered.digits
        return (*(self.timed_out if nothing else self.invalid), *self.prompt)


class Entry(NamedTuple):
    """
    How much the caller enters, and how long he may take.

    :ivar max_digits: how many digits are enough.
    :ivar first: the most seconds to wait for the first.
    :ivar following: the most seconds to wait for each next.
    """

    max_digits: int
    first: float
    following: float

    @classmethod
    def of(cls, max_digits: int, first: float, following: float) -> Entry:
        """
        Make one that Asterisk can wait for.

        :raises LocalProtocolError: if not.
        """
        digits = Number(max_digits, least=1, most=MAX_DIGITS)
        for limit in (digits, Milliseconds(first), Milliseconds(following)):
            str(limit)
        return cls(max_digits, first, following)

    @property
    def at_once(self) -> bool:
        """Whether one GET DATA can have these limits."""
        return self.max_digits == 1 or self.first == self.following or self._own_limits

    @property
    def timeout(self) -> float | None:
        """The limit to give to that GET DATA."""
        return None if self._own_limits else self.first

    @property
    def _own_limits(self) -> bool:
        return (self.first, self.following) == _OWN_LIMITS


async def is_valid(digits: str, validity: Validity) -> bool:
    """Tell whether digits are what is asked for."""
    if not callable(validity):
        return re.fullmatch(validity, digits) is not None
    judgement = validity(digits)
    return await judgement if isinstance(judgement, Awaitable) else judgement


def _several(prompt: Prompt) -> tuple[Sayable, ...]:
    """Return what is to be said, one by one."""
    if isinstance(prompt, Iterable) and not isinstance(prompt, str):
        return tuple(prompt)
    return (prompt,)
