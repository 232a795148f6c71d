"""Verbs for what the caller hears, says, types and reads."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final, Literal, TypeAlias

from twisted.internet.defer import Deferred, fail

from ..errors import LocalProtocolError
from .arguments import (
    MAX_DIGITS,
    MAX_INTEGER,
    Argument,
    Keys,
    Milliseconds,
    Number,
    Position,
    Silence,
    SpokenDigits,
    UnixTime,
)
from .asking import Asking
from .results import Controlled, Digits, Played, Recorded, first_byte, key, message, nothing

__all__ = ["Sound"]

#: What GET DATA takes for its own time limits.
_DEFAULT: Final = 0
#: What is a key of no telephone; for an empty text Asterisk takes its own key.
_NO_KEY: Final = "-"
#: How Asterisk says a date and time, unless the language is German.
_DATETIME: Final = "ABdY 'digits/at' IMp"

#: Which letters are said to be upper or lower case.
Case: TypeAlias = Literal["all", "lower", "upper", "none"]


class Sound(Asking):
    """The commands for sound, keys and text."""

    # Playing

    def stream_file(
        self, filename: str, escape_digits: str = "", offset: int = 0
    ) -> Deferred[Played]:
        """
        Play a sound (``STREAM FILE``).

        :param filename: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys that stop it.
        :param offset: where to begin, in samples of the file.
        :return: fires when it is over; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        more = (Number(offset),) if offset else ()
        return self._try(Played.read, "STREAM FILE", filename, Keys(escape_digits), *more)

    def control_stream_file(
        self,
        filename: str,
        escape_digits: str = "",
        *,
        skip: float = 3.0,
        forward: str = "#",
        rewind: str = "*",
        pause: str = "",
        offset: float = 0.0,
    ) -> Deferred[Controlled]:
        """
        Play a sound in which the caller can move about (``CONTROL STREAM FILE``).

        :param filename: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys that stop it.
        :param skip: the seconds that one move goes.
        :param forward: the keys that move forward; empty for none. They stop nothing.
        :param rewind: the keys that move back; empty for none. They stop nothing.
        :param pause: the keys that pause it and let it go on; by default none.
        :param offset: where to begin, in seconds.
        :return: fires when it is over; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        return self._try(
            Controlled.read,
            "CONTROL STREAM FILE",
            filename,
            Keys(escape_digits),
            Position(skip),
            Keys(forward) if forward else _NO_KEY,
            Keys(rewind) if rewind else _NO_KEY,
            Keys(pause),
            Position(offset),
        )

    def get_data(
        self, filename: str = "", timeout: float | None = None, max_digits: int | None = None
    ) -> Deferred[Digits]:
        """
        Play a sound and collect what the caller enters, up to ``#`` (``GET DATA``).

        :param filename: the prompt, without extension; a key stops it. Empty for none.
        :param timeout: the most seconds to wait for the first digit, and then for each next one;
            ``math.inf`` for ever. By default 6 for the first and 2 for each next.
        :param max_digits: how many digits are enough, from 1 to 1023.
        :return: fires with the digits; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        limit = _DEFAULT if timeout is None else Milliseconds(timeout)
        more = () if max_digits is None else (Number(max_digits, least=1, most=MAX_DIGITS),)
        return self._try(Digits.read, "GET DATA", filename, limit, *more)

    def get_option(
        self, filename: str, escape_digits: str, timeout: float | None = None
    ) -> Deferred[Played]:
        """
        Play a sound and wait for one of some keys (``GET OPTION``).

        :param filename: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys; after the sound, another one ends the wait, too.
        :param timeout: the most seconds to wait after the sound; ``math.inf`` for ever. By default
            as long as the channel waits for digits, usually 5.
        :return: fires with the key, or None for another key or none in time; fails with
            :class:`CommandFailed` if there is no such sound.
        """
        limit = () if timeout is None else (Milliseconds(timeout),)
        asked = self._try(Played.read, "GET OPTION", filename, Keys(escape_digits), *limit)
        return asked.addCallback(self._chosen_or_hung_up)

    def _chosen_or_hung_up(self, played: Played) -> Played | Deferred[Played]:
        # A hangup after the sound looks like a key that never came.
        return played if played.digit else self._if_still_there(played)

    def wait_for_digit(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for one key (``WAIT FOR DIGIT``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the key, or None when the time is up, or if it was stopped through AMI.
        """
        return self._try(key, "WAIT FOR DIGIT", Milliseconds(timeout))

    # Recording

    def record_file(
        self,
        filename: str,
        file_format: str,
        escape_digits: str = "#",
        timeout: float = math.inf,
        *,
        offset: int = 0,
        beep: bool = False,
        silence: float | None = None,
    ) -> Deferred[Recorded]:
        """
        Record what the caller says (``RECORD FILE``).

        :param filename: where Asterisk shall put it, without extension.
        :param file_format: the extension, such as ``wav``.
        :param escape_digits: the keys that end it.
        :param timeout: the most seconds to record, more than 0; ``math.inf`` without a limit.
        :param offset: from where on a file that is there is recorded over, in samples; by default
            it begins anew.
        :param beep: whether to beep before. A key that ends the beep ends the recording.
        :param silence: after how many seconds without a sound to end; a fraction counts as one.
            Only sound that arrives is heard to be silent: a telephone that sends none is waited
            for.
        :return: fires when it is over; fails with :class:`CommandFailed` if the file cannot be
            written, and with :class:`HungUp` if the caller ends it so, but what was recorded until
            then is kept.
        """
        if timeout <= 0:
            return fail(LocalProtocolError("RECORD FILE: in no time nothing is recorded"))
        # Asterisk tells these apart by their look.
        more: list[Argument] = [Number(offset)] if offset else []
        if beep:
            more.append("BEEP")
        if silence is not None:
            more.append(Silence(silence))
        where = (filename, file_format, Keys(escape_digits), Milliseconds(timeout))
        return self._try(Recorded.read, "RECORD FILE", *where, *more)

    # Saying

    def say_alpha(
        self, text: str, escape_digits: str = "", case: Case | None = None
    ) -> Deferred[str | None]:
        """
        Spell a text (``SAY ALPHA``).

        :param text: the text.
        :param escape_digits: the keys that stop it.
        :param case: of which letters to say whether they are upper or lower case.
        :return: fires with the key that stopped it, or None at its end.
        """
        more = () if case is None else (case,)
        return self._try(key, "SAY ALPHA", text, Keys(escape_digits), *more)

    def say_date(self, when: datetime | float, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a date (``SAY DATE``).

        :param when: the moment, with its time zone, or the seconds since 1970; not after 2038,
            where Asterisk would say one of 1901. It is said in the time zone of Asterisk.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(key, "SAY DATE", UnixTime(when, MAX_INTEGER), Keys(escape_digits))

    def say_datetime(
        self,
        when: datetime | float,
        escape_digits: str = "",
        date_format: str | None = None,
        timezone: str | None = None,
    ) -> Deferred[str | None]:
        """
        Say a date and time (``SAY DATETIME``).

        :param when: the moment, with its time zone, or the seconds since 1970.
        :param escape_digits: the keys that stop it.
        :param date_format: as in the dialplan's ``SayUnixTime``.
        :param timezone: such as ``Europe/Berlin``; by default that of Asterisk.
        :return: fires with the key that stopped it, or None at its end.
        """
        more: tuple[str, ...] = () if date_format is None else (date_format,)
        if timezone is not None:
            more = (date_format or _DATETIME, timezone)
        return self._try(key, "SAY DATETIME", UnixTime(when), Keys(escape_digits), *more)

    def say_digits(self, digits: str | int, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a number digit by digit (``SAY DIGITS``).

        :param digits: the digits, perhaps behind a ``-``; after the first one also ``*`` and ``#``.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(key, "SAY DIGITS", SpokenDigits(digits), Keys(escape_digits))

    def say_number(
        self, number: int, escape_digits: str = "", gender: str | None = None
    ) -> Deferred[str | None]:
        """
        Say a number (``SAY NUMBER``).

        :param number: the number.
        :param escape_digits: the keys that stop it.
        :param gender: such as ``f``, for languages in which it matters.
        :return: fires with the key that stopped it, or None at its end.
        """
        more = () if gender is None else (gender,)
        # The greatest number that an int holds is too big for Asterisk, which says nothing then.
        what = Number(number, least=1 - MAX_INTEGER, most=MAX_INTEGER - 1)
        return self._try(key, "SAY NUMBER", what, Keys(escape_digits), *more)

    def say_phonetic(self, text: str, escape_digits: str = "") -> Deferred[str | None]:
        """
        Spell a text, with a word for each letter (``SAY PHONETIC``).

        :param text: the text.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(key, "SAY PHONETIC", text, Keys(escape_digits))

    def say_time(self, when: datetime | float, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a time of the day (``SAY TIME``).

        :param when: the moment, with its time zone, or the seconds since 1970; not after 2038,
            where Asterisk would say one of 1901. It is said in the time zone of Asterisk.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(key, "SAY TIME", UnixTime(when, MAX_INTEGER), Keys(escape_digits))

    # Text

    def receive_char(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for a text message, and take its first byte (``RECEIVE CHAR``).

        When the time is up, Asterisk takes the whole session for a failure (``AGISTATUS``), which
        it does not for :meth:`receive_text`.

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the character, empty for an empty message, or None when the time is up.
        """
        asked = self._ask(first_byte, "RECEIVE CHAR", Milliseconds(timeout))
        return asked.addCallback(self._received_or_hung_up)

    def receive_text(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for a text message (``RECEIVE TEXT``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the text, or None when the time is up.
        """
        asked = self._ask(message, "RECEIVE TEXT", Milliseconds(timeout))
        return asked.addCallback(self._received_or_hung_up)

    def _received_or_hung_up(self, text: str | None) -> str | Deferred[str | None] | None:
        # A hangup looks like a message that never came.
        return self._if_still_there(text) if text is None else text

    def send_image(self, name: str) -> Deferred[None]:
        """
        Show an image to the caller, if his channel can (``SEND IMAGE``).

        :param name: without extension, as Asterisk finds images.
        :return: fires with None, whether it could be shown or not.
        """
        return self._try(nothing, "SEND IMAGE", name)

    def send_text(self, text: str) -> Deferred[None]:
        """
        Send a text message to the caller, if his channel can (``SEND TEXT``).

        :param text: the message.
        :return: fires with None, whether it could be sent or not.
        """
        return self._try(nothing, "SEND TEXT", text)

    def tdd_mode(self, mode: Literal["on", "off", "mate"]) -> Deferred[None]:
        """
        Take the caller for a text telephone, or no longer (``TDD MODE``).

        :param mode: ``on``, ``off``, or ``mate``.
        :return: fires with None; fails with :class:`CommandFailed` if the channel cannot.
        """
        return self._confirm("TDD MODE", mode)
