"""
What AGI commands take: numbers, times, keys and texts, in the form that Asterisk wants.

Asterisk reads what is not as it should be in its own way: it takes letters for 0, cuts a long name,
counts on from 1901 after a date in 2038. What would be misread is refused when the command is put
into words, before anything is sent.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Final, TypeAlias

from ..errors import LocalProtocolError

__all__ = [
    "MAX_DIGITS",
    "MAX_INTEGER",
    "Argument",
    "Checked",
    "Keys",
    "Milliseconds",
    "Number",
    "Position",
    "Priority",
    "Seconds",
    "Short",
    "Silence",
    "SpokenDigits",
    "UnixTime",
    "WholeSeconds",
]

#: What Asterisk reads of a number, except where it says otherwise.
MAX_INTEGER: Final = 2**31 - 1

#: Asterisk has room for so many digits of a caller, and does not survive many more.
MAX_DIGITS: Final = 1023

#: The last second of the year 9999, where Python's own dates end.
_END_OF_TIME: Final = 253_402_300_799

_KEYS: Final = "0123456789*#ABCD"
_SPOKEN_DIGITS: Final = re.compile(r"-?[0-9][-0-9*#]*")
_LABEL: Final = re.compile(r"[^\W\d][^\s()]*")


class Checked(ABC):
    """Something to be sent that is looked at first."""

    __slots__ = ()

    @abstractmethod
    def __str__(self) -> str:
        """
        Return it as it is sent.

        :raises LocalProtocolError: for what Asterisk would misread.
        """


Argument: TypeAlias = str | int | Checked


class _Time(Checked):
    """
    A time, in seconds.

    :param seconds: the time.
    """

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def _milliseconds(self) -> float:
        milliseconds = self._seconds * 1000
        if not 0 <= milliseconds <= MAX_INTEGER:
            raise LocalProtocolError(f"AGI cannot wait for {self._seconds} seconds")
        return milliseconds


class Milliseconds(_Time):
    """
    A time to wait, as most commands want it: -1 for ever, and at least 1.

    Zero means "the default" to some commands, so no time is sent as that.

    :param seconds: the time, ``math.inf`` for ever.
    """

    __slots__ = ()

    def __str__(self) -> str:
        if self._seconds == math.inf:
            return "-1"
        return str(max(1, round(self._milliseconds())))


class WholeSeconds(_Time):
    """
    A time to wait, for the commands that count whole seconds: -1 for ever, and at least 1.

    :param seconds: the time, ``math.inf`` for ever; a second that has begun counts.
    """

    __slots__ = ()

    def __str__(self) -> str:
        if self._seconds == math.inf:
            return "-1"
        return str(max(1, math.ceil(self._milliseconds() / 1000)))


class Silence(WholeSeconds):
    """How long nobody says anything, as ``RECORD FILE`` tells it from its other arguments."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"s={super().__str__()}"


class Seconds(_Time):
    """A time with its fraction; 0 for none."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self._milliseconds() / 1000:.3f}"


class Position(_Time):
    """A place in a sound, or a way to go there, in milliseconds."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(round(self._milliseconds()))


class UnixTime(Checked):
    """
    A moment, as the seconds since 1970.

    :param when: the moment with its time zone, or the seconds.
    :param last: the last one that the command can say.
    """

    __slots__ = ("_last", "_when")

    def __init__(self, when: datetime | float, last: int = _END_OF_TIME) -> None:
        self._when = when
        self._last = last

    def __str__(self) -> str:
        when = self._when
        if isinstance(when, datetime):
            if when.utcoffset() is None:
                raise LocalProtocolError(f"a moment needs a time zone: {when}")
            when = when.timestamp()
        if not -self._last <= when <= self._last:
            raise LocalProtocolError(f"not within what Asterisk can say: {self._when}")
        return str(math.floor(when))


class Number(Checked):
    """
    A whole number.

    :param value: the number.
    :param least: the least that makes sense.
    :param most: the most that does.
    """

    __slots__ = ("_least", "_most", "_value")

    def __init__(self, value: int, least: int = 0, most: int = MAX_INTEGER) -> None:
        self._value = value
        self._least = least
        self._most = most

    def __str__(self) -> str:
        value, least, most = self._value, self._least, self._most
        if not isinstance(value, int) or not least <= value <= most:
            raise LocalProtocolError(f"not a whole number from {least} to {most}: {value!r}")
        return f"{value:d}"


class Keys(Checked):
    """
    Keys of a telephone.

    :param keys: any of ``0123456789*#ABCD``.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: str) -> None:
        self._keys = keys

    def __str__(self) -> str:
        if self._keys.strip(_KEYS):
            raise LocalProtocolError(f"not only keys of a telephone: {self._keys!r}")
        return self._keys


class SpokenDigits(Checked):
    """
    What can be said digit by digit.

    :param digits: a digit, perhaps behind a minus; then also ``*``, ``#`` and more minuses.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str | int) -> None:
        self._digits = digits

    def __str__(self) -> str:
        digits = str(self._digits)
        if not _SPOKEN_DIGITS.fullmatch(digits):
            raise LocalProtocolError("only digits can be said, and one of 0 to 9 first")
        return digits


class Priority(Checked):
    """
    A place within an extension of the dialplan.

    :param priority: a number from 1 on, or a label.
    """

    __slots__ = ("_priority",)

    def __init__(self, priority: int | str) -> None:
        self._priority = priority

    def __str__(self) -> str:
        priority = self._priority
        if isinstance(priority, int) or priority.isdecimal():
            return str(Number(int(priority), least=1))
        if not _LABEL.fullmatch(priority):
            raise LocalProtocolError(f"neither a priority nor a label: {priority!r}")
        return priority


class Short(Checked):
    """
    A text that Asterisk would cut without a word if it was too long.

    :param text: the text.
    :param limit: the most bytes.
    """

    __slots__ = ("_limit", "_text")

    def __init__(self, text: str, limit: int) -> None:
        self._text = text
        self._limit = limit

    def __str__(self) -> str:
        if len(self._text.encode("utf-8", "surrogatepass")) > self._limit:
            raise LocalProtocolError(f"a text of more than {self._limit} bytes would be cut")
        return self._text
