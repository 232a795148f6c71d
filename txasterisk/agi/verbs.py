"""
Verbs of every day, each made of several commands.

What the caller presses while no command runs is lost, so that his keys are taken by as few commands
as possible: the last sound before them and all of them by one ``GET DATA``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from twisted.internet.defer import Deferred

from ..errors import CommandFailed, LocalProtocolError
from .commands import Commands
from .dialling import OUTCOME, Dialled, dial_arguments
from .gathering import Entry, Prompt, Validity, is_valid, several
from .messages import Command, Reply
from .recording import Recording
from .results import Digits, key
from .say import Sayable, said
from .sound import Sound

__all__ = ["Verbs"]

#: The keys of a telephone.
ALL_KEYS: Final = "0123456789*#ABCD"
#: The key that ends what is entered.
TERMINATOR: Final = "#"

T = TypeVar("T")


class Verbs(Commands, Sound):
    """What takes several commands. Whoever cancels one of these verbs stops the rest of it."""

    # What the caller hears

    def play(self, *sounds: str, escape_digits: str = "") -> Deferred[str | None]:
        """
        Play sounds, one after the other.

        :param sounds: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys that stop it, with all that is left.
        :return: fires with the key that stopped it, or None at its end; fails with
            :class:`CommandFailed` at a sound that is not there.
        """
        return self.say(*sounds, escape_digits=escape_digits)

    def say(self, *items: Sayable, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say one thing after the other.

        :param items: sounds (``str``), numbers (``int``), dates and times, which are said as they
            stand, and :class:`Digitwise`, :class:`Spelled`, :class:`Phonetic`, :class:`Counted` and
            :class:`Moment` for what is said in another way. What cannot be said is refused before
            anything is heard.
        :param escape_digits: the keys that stop it, with all that is left.
        :return: fires with the key that stopped it, or None at its end; fails with
            :class:`CommandFailed` at a sound that is not there.
        """
        return Deferred.fromCoroutine(self._say(items, escape_digits))

    async def _say(self, items: Iterable[Sayable], escape_digits: str) -> str | None:
        for command in [said(item, escape_digits) for item in items]:
            pressed = await self._try(key, command.name, *command.arguments)
            if pressed is not None:
                return pressed
        return None

    # What the caller enters

    def gather(
        self,
        *,
        max_digits: int,
        timeout: float = 5.0,
        first_timeout: float | None = None,
        prompt: Prompt = (),
        valid: Validity = ".+",
        retries: int = 0,
        invalid: Prompt = (),
        timed_out: Prompt = (),
    ) -> Deferred[str | None]:
        """
        Take what the caller enters, up to ``#``.

        A key interrupts what is said, and counts. From the last sound on none is lost, however fast
        they come. Before it, a key is lost that is pressed just between two sounds; and so is one
        right after the first digit, if that has been pressed before the last sound, or has a time
        limit of its own. (``timeout=2, first_timeout=6`` is not that: Asterisk knows these.)

        :param max_digits: how many digits are enough.
        :param timeout: the most seconds to wait for each next digit, and for the first one after
            all has been said; ``math.inf`` for ever.
        :param first_timeout: the seconds for the first digit, if they are not the same.
        :param prompt: what to say, as for :meth:`say`: one thing, or several.
        :param valid: a regular expression that the digits have to match from the first to the last,
            or a function that tells of them whether they are valid, if need be by a Deferred. By
            default one digit is enough.
        :param retries: how often the caller may try again.
        :param invalid: what to say then, before the prompt, if he has entered what is not valid.
        :param timed_out: what to say then, before the prompt, if he has entered nothing in time.
        :return: fires with the digits, without ``#``, or with None if no valid ones have come.
        """
        first = timeout if first_timeout is None else first_timeout
        entry = Entry(max_digits, first, timeout)
        tries = _prompts(prompt, invalid, timed_out)
        return Deferred.fromCoroutine(self._gather(entry, valid, retries, tries))
