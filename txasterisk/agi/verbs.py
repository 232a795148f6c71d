"""
Verbs of every day, each made of several commands.

What the caller presses while no command runs is lost, so that his keys are taken by as few commands
as possible: the last sound before them and all of them by one ``GET DATA``.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypeVar

from twisted.internet.defer import Deferred

from ..errors import CommandFailed, LocalProtocolError
from .commands import Commands
from .dialling import OUTCOME, Dialled, dial_arguments
from .gathering import Entry, Prompt, Question, Validity, is_valid
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

_NO_APPLICATION: Final = "-2"

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
        limit = self._carrier.line_limit
        for command in [said(item, escape_digits, limit) for item in items]:
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

        :param max_digits: how many digits are enough, from 1 to 1023.
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

        async def gather() -> str | None:
            question = Question.of(self._carrier.line_limit, retries, prompt, invalid, timed_out)
            entry = Entry.of(max_digits, first, timeout)
            accepts = partial(_has_valid_digits, valid)
            entered = await self._ask_for(entry, question, accepts)
            return None if entered is None else entered.digits

        return Deferred.fromCoroutine(gather())

    def menu(
        self,
        options: Mapping[str, T],
        *,
        prompt: Prompt = (),
        timeout: float = 5.0,
        retries: int = 0,
        invalid: Prompt = (),
        timed_out: Prompt = (),
    ) -> Deferred[T | None]:
        """
        Have the caller choose with one key.

        A key interrupts what is said.

        :param options: what each key stands for, ``*`` and ``#`` included.
        :param prompt: what to say, as for :meth:`say`: one thing, or several.
        :param timeout: the most seconds to wait after that; ``math.inf`` for ever.
        :param retries: how often the caller may try again.
        :param invalid: what to say then, before the prompt, if he has pressed another key.
        :param timed_out: what to say then, before the prompt, if he has pressed none in time.
        :return: fires with what the key stands for, or with None if no such key was pressed.
        """

        async def menu() -> T | None:
            _check_keys(options)
            question = Question.of(self._carrier.line_limit, retries, prompt, invalid, timed_out)
            entry = Entry.of(1, timeout, timeout)
            accepts = partial(_is_option, options)
            entered = await self._ask_for(entry, question, accepts)
            return None if entered is None else options[_pressed(entered)]

        return Deferred.fromCoroutine(menu())

    async def _ask_for(
        self, entry: Entry, question: Question, accepts: Callable[[Digits], Awaitable[bool]]
    ) -> Digits | None:
        """Ask until there is an answer that is accepted, or there have been enough."""
        words = question.prompt
        for _ in range(1 + question.retries):
            entered = await self._collect(words, entry)
            if await accepts(entered):
                return entered
            words = question.again(entered)
        return None

    async def _collect(self, words: tuple[Sayable, ...], entry: Entry) -> Digits:
        """Say something, and take the digits from its beginning on."""
        *before, last = words or ("",)
        if not isinstance(last, str):
            before, last = [*words], ""
        pressed = await self._say(before, ALL_KEYS)
        if pressed is not None:
            begun = Digits("" if pressed == TERMINATOR else pressed, timed_out=False)
        elif entry.at_once:
            return await self.get_data(last, entry.timeout, entry.max_digits)
        else:
            begun = await self.get_data(last, entry.first, 1)
        if not begun.digits or entry.max_digits == 1:
            return begun
        rest = await self.get_data("", entry.following, entry.max_digits - 1)
        return Digits(begun.digits + rest.digits, rest.timed_out)

    # What the caller says

    def record(
        self,
        name: str,
        *,
        file_format: str = "wav",
        max_seconds: float = math.inf,
        silence: float | None = None,
        beep: bool = True,
        escape_digits: str = "#",
    ) -> Deferred[Recording]:
        """
        Record what the caller says (``RECORD FILE``).

        :param name: where Asterisk shall put it, without extension.
        :param file_format: the extension, which tells Asterisk how.
        :param max_seconds: the most seconds to record; ``math.inf`` without a limit.
        :param silence: after how many seconds without a sound to end; a fraction counts as one.
            Only sound that arrives is heard to be silent.
        :param beep: whether to beep before. A key that ends the beep ends the recording.
        :param escape_digits: the keys that end it.
        :return: fires when it is over; fails with :class:`CommandFailed` if the file cannot be
            written, and with :class:`HungUp` if the caller ends it so, but what was recorded until
            then is kept.
        """
        recorded = self.record_file(
            name, file_format, escape_digits, max_seconds, beep=beep, silence=silence
        )
        return recorded.addCallback(Recording.read, file_format)

    # Others

    def dial(
        self, *destinations: str, timeout: float = math.inf, options: str = ""
    ) -> Deferred[Dialled]:
        """
        Call others, and connect the caller with the first who answers (``Dial``).

        The script goes on when they hang up.

        :param destinations: such as ``PJSIP/alice``; all of them ring at once.
        :param timeout: the most seconds that they ring, a fraction counts as one; ``math.inf``
            without a limit.
        :param options: as in the dialplan, without commas, such as ``tm``.
        :return: fires when the call to them is over, with how it went, also if nobody answered;
            fails with :class:`HungUp` if it was the caller who ended it. Cancelling it does not
            end the call.
        """
        return Deferred.fromCoroutine(self._dial(destinations, timeout, options))

    async def _dial(self, destinations: tuple[str, ...], timeout: float, options: str) -> Dialled:
        arguments = dial_arguments(destinations, timeout, options)
        caller = await self.channel_status()
        await self._ask(_was_run, "EXEC", "Dial", arguments)
        outcome = await self.get_full_variable(OUTCOME)
        return await self._if_still_there(Dialled.read(outcome, caller))

    # Anything

    def in_sequence(self, *commands: Command) -> Deferred[list[Reply]]:
        """
        Send commands, one after the other, up to the first that fails.

        :param commands: the commands. If one cannot be sent, none is.
        :return: fires with their replies; fails like all verbs, also for a result of -1.
        """
        return Deferred.fromCoroutine(self._in_sequence(commands))

    async def _in_sequence(self, commands: tuple[Command, ...]) -> list[Reply]:
        for command in commands:
            command.serialize(self._carrier.line_limit)
        return [await self._try(_itself, each.name, *each.arguments) for each in commands]


async def _has_valid_digits(validity: Validity, entered: Digits) -> bool:
    return await is_valid(entered.digits, validity)


def _check_keys(options: Mapping[str, object]) -> None:
    if not options:
        raise LocalProtocolError("a menu needs an option")
    for option in options:
        if option not in [*ALL_KEYS]:
            raise LocalProtocolError(f"no key of a telephone: {option!r}")


async def _is_option(options: Mapping[str, object], entered: Digits) -> bool:
    return _pressed(entered) in options


def _pressed(entered: Digits) -> str:
    """Return the one key, or nothing."""
    return entered.digits if entered.digits or entered.timed_out else TERMINATOR


def _was_run(reply: Reply) -> None:
    # Dial returns -1 also if a call that nobody has answered, or that has ended, is no failure.
    if reply.result == _NO_APPLICATION:
        raise CommandFailed("EXEC", reply, "no such application: Dial")


def _itself(reply: Reply) -> Reply:
    return reply
