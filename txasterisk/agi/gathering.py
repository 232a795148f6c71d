"""What is asked for when digits are gathered: how many, how fast, and which are valid."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from .arguments import Milliseconds, Number
from .say import Sayable

__all__ = ["Entry", "Prompt", "Validity", "is_valid", "several"]

#: The time limits that GET DATA has if it is given none: for the first digit, and for each next.
_OWN_LIMITS: Final = (6.0, 2.0)

#: What is said before: one thing, or several in their order.
Prompt: TypeAlias = Sayable | Iterable[Sayable]
#: What tells valid digits: a regular expression for all of them, or a function.
Validity: TypeAlias = str | re.Pattern[str] | Callable[[str], bool | Awaitable[bool]]


class Entry(NamedTuple):
    """
    How many digits the caller enters, and how long he may take.

    :ivar max_digits: how many are enough.
    :ivar first: the most seconds to wait for the first.
    :ivar following: the most seconds to wait for each next.
    """

    max_digits: int
    first: float
    following: float

    def check(self) -> None:
        """
        See whether Asterisk can wait for that.

        :raises LocalProtocolError: if not.
        """
        str(Number(self.max_digits, least=1))
        str(Milliseconds(self.first))
        str(Milliseconds(self.following))

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


def several(prompt: Prompt) -> tuple[Sayable, ...]:
    """Return what is to be said, one by one."""
    if isinstance(prompt, Iterable) and not isinstance(prompt, str):
        return tuple(prompt)
    return (prompt,)


async def is_valid(digits: str, validity: Validity) -> bool:
    """Tell whether digits are what is asked for."""
    if not callable(validity):
        return re.fullmatch(validity, digits) is not None
    judgement = validity(digits)
    return await judgement if isinstance(judgement, Awaitable) else judgement
