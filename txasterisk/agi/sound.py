"""Verbs for what the caller hears, says, types and reads."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

from twisted.internet.defer import Deferred, fail

from ..errors import LocalProtocolError, RemoteProtocolError
from .asking import Asking
from .messages import Argument, Milliseconds, Reply, UnixTime, WholeSeconds
from .results import Controlled, Digits, Played, Recorded

__all__ = ["Sound"]

#: What GET DATA takes for its own time limits.
_DEFAULT: Final = 0
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
        arguments = (filename, escape_digits, offset) if offset else (filename, escape_digits)
        return self._try(_played, "STREAM FILE", *arguments)

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
        :param forward: the keys that move forward.
        :param rewind: the keys that move back.
        :param pause: the keys that pause it and let it go on; by default none.
        :param offset: where to begin, in seconds.
        :return: fires when it is over; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        return self._try(
            _controlled,
            "CONTROL STREAM FILE",
            filename,
            escape_digits,
            Milliseconds(skip),
            forward,
            rewind,
            pause,
            round(offset * 1000),
        )

    def get_data(
        self, filename: str = "", timeout: float | None = None, max_digits: int | None = None
    ) -> Deferred[Digits]:
        """
        Play a sound and collect what the caller enters, up to ``#`` (``GET DATA``).

        :param filename: the prompt, without extension; a key stops it. Empty for none.
        :param timeout: the most seconds to wait for the first digit, and then for each next one;
            ``math.inf`` for ever. By default 6 for the first and 2 for each next.
        :param max_digits: how many digits are enough, at least 1.
        :return: fires with the digits; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        limit = _DEFAULT if timeout is None else Milliseconds(timeout)
        if max_digits is None:
            return self._try(_digits, "GET DATA", filename, limit)
        if max_digits < 1:
            return fail(LocalProtocolError("GET DATA cannot collect less than one digit"))
        return self._try(_digits, "GET DATA", filename, limit, max_digits)

    def get_option(
        self, filename: str, escape_digits: str, timeout: float | None = None
    ) -> Deferred[Played]:
        """
        Play a sound and wait for one of some keys (``GET OPTION``).

        :param filename: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys; another one ends the wait after the sound, too.
        :param timeout: the most seconds to wait after the sound; ``math.inf`` for ever. By default
            as long as the channel waits for digits, usually 5.
        :return: fires with the key, or None for another key or none in time; fails with
            :class:`CommandFailed` if there is no such sound.
        """
        limit = () if timeout is None else (Milliseconds(timeout),)
        asked = self._try(_played, "GET OPTION", filename, escape_digits, *limit)
        return asked.addCallback(self._option)

    def _option(self, played: Played) -> Played | Deferred[Played]:
        # A hangup after the sound looks like a key that never came.
        return self._still_there(played) if played.digit is None else played

    def wait_for_digit(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for one key (``WAIT FOR DIGIT``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the key, or None when the time is up.
        """
        return self._try(_digit, "WAIT FOR DIGIT", Milliseconds(timeout))

    # Recording

    def record_file(
        self,
        filename: str,
        file_format: str,
        escape_digits: str = "#",
        timeout: float = float("inf"),
        *,
        offset: int = 0,
        beep: bool = False,
        silence: float | None = None,
    ) -> Deferred[Recorded]:
        """
        Record what the caller says (``RECORD FILE``).

        :param filename: without extension.
        :param file_format: the extension, such as ``wav``.
        :param escape_digits: the keys that end it.
        :param timeout: the most seconds to record; ``math.inf`` without a limit.
        :param offset: where in the file to begin, in samples.
        :param beep: whether to beep before.
        :param silence: after how many seconds without a sound to end, whole ones.
        :return: fires when it is over; fails with :class:`CommandFailed` if the file cannot be
            written. When the caller hangs up, what was recorded is kept.
        """
        arguments: list[Argument] = [filename, file_format, escape_digits, Milliseconds(timeout)]
        if offset:
            arguments.append(offset)
        if beep:
            arguments.append("BEEP")
        if silence is not None:
            arguments.append(f"s={WholeSeconds(silence)}")
        return self._try(_recorded, "RECORD FILE", *arguments)

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
        return self._try(_digit, "SAY ALPHA", text, escape_digits, *more)

    def say_date(self, when: datetime | float, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a date (``SAY DATE``).

        :param when: the moment, with its time zone, or the seconds since 1970. It is said in the
            time zone of Asterisk.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(_digit, "SAY DATE", UnixTime(when), escape_digits)

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
        return self._try(_digit, "SAY DATETIME", UnixTime(when), escape_digits, *more)

    def say_digits(self, digits: str | int, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a number digit by digit (``SAY DIGITS``).

        :param digits: the digits; after the first one also ``*`` and ``#``.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(_digit, "SAY DIGITS", digits, escape_digits)

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
        return self._try(_digit, "SAY NUMBER", number, escape_digits, *more)

    def say_phonetic(self, text: str, escape_digits: str = "") -> Deferred[str | None]:
        """
        Spell a text, with a word for each letter (``SAY PHONETIC``).

        :param text: the text.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(_digit, "SAY PHONETIC", text, escape_digits)

    def say_time(self, when: datetime | float, escape_digits: str = "") -> Deferred[str | None]:
        """
        Say a time of the day (``SAY TIME``).

        :param when: the moment, with its time zone, or the seconds since 1970. It is said in the
            time zone of Asterisk.
        :param escape_digits: the keys that stop it.
        :return: fires with the key that stopped it, or None at its end.
        """
        return self._try(_digit, "SAY TIME", UnixTime(when), escape_digits)

    # Text

    def receive_char(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for a text message, and take its first byte (``RECEIVE CHAR``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the character, empty for an empty message, or None when the time is up.
        """
        asked = self._ask(_character, "RECEIVE CHAR", Milliseconds(timeout))
        return asked.addCallback(self._received)

    def receive_text(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for a text message (``RECEIVE TEXT``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the text, or None when the time is up.
        """
        asked = self._ask(_text, "RECEIVE TEXT", Milliseconds(timeout))
        return asked.addCallback(self._received)

    def _received(self, text: str | None) -> str | Deferred[str | None] | None:
        # A hangup looks like a message that never came.
        return self._still_there(text) if text is None else text

    def send_image(self, name: str) -> Deferred[None]:
        """
        Show an image to the caller, if his channel can (``SEND IMAGE``).

        :param name: without extension, as Asterisk finds images.
        :return: fires with None, whether it could be shown or not.
        """
        return self._try(_nothing, "SEND IMAGE", name)

    def send_text(self, text: str) -> Deferred[None]:
        """
        Send a text message to the caller, if his channel can (``SEND TEXT``).

        :param text: the message.
        :return: fires with None, whether it could be sent or not.
        """
        return self._try(_nothing, "SEND TEXT", text)

    def tdd_mode(self, mode: Literal["on", "off", "mate"]) -> Deferred[None]:
        """
        Take the caller for a text telephone, or no longer (``TDD MODE``).

        :param mode: ``on``, ``off``, or ``mate``.
        :return: fires with None; fails with :class:`CommandFailed` if the channel cannot.
        """
        return self._confirm("TDD MODE", mode)


def _nothing(_: Reply) -> None:
    return None


def _endpos(reply: Reply) -> int:
    if reply.endpos is None:
        raise RemoteProtocolError(f"no end position in the AGI reply: {reply}")
    return reply.endpos


def _played(reply: Reply) -> Played:
    return Played(reply.digit, _endpos(reply))


def _controlled(reply: Reply) -> Controlled:
    endpos = _endpos(reply)
    return Controlled(reply.digit, None if endpos < 0 else endpos / 1000)


def _recorded(reply: Reply) -> Recorded:
    # With "(timeout)" the number is the milliseconds that were left.
    timed_out = reply.tail.startswith("(timeout)")
    return Recorded(None if timed_out else reply.digit, _endpos(reply))


def _digits(reply: Reply) -> Digits:
    return Digits(reply.result, timed_out=reply.tail == "(timeout)")


def _digit(reply: Reply) -> str | None:
    return reply.digit


def _character(reply: Reply) -> str | None:
    number = reply.number
    if number < 0:
        return None
    return bytes([number]).decode("utf-8", "surrogateescape") if number else ""


def _text(reply: Reply) -> str | None:
    return None if reply.result == "-1" else reply.text
