"""
What can be said to the caller, each as the command that says it.

A sound is a ``str``, a number an ``int``, and dates and times are those of Python. What can be said
in several ways has a small class of its own here, which names the way.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, time
from typing import Final, TypeAlias

from ..errors import LocalProtocolError
from .arguments import MAX_INTEGER, Keys, Number, SpokenDigits, UnixTime
from .messages import Command
from .sound import Case

__all__ = ["Counted", "Digitwise", "Moment", "Phonetic", "Sayable", "Spelled", "said"]

#: The formats of the dialplan's ``SayUnixTime``: weekday, month, day, year; hour, minute, am or pm.
_DATE: Final = "ABdY"
_TIME: Final = "IMp"
_DATE_AND_TIME: Final = f"{_DATE} 'digits/at' {_TIME}"

#: The day on which a time without a date is said.
_ANY_DAY: Final = date(2000, 1, 1)
#: Of a year before this one Asterisk says nothing.
_FIRST_YEAR: Final = 1901
#: What says the year in a format, once the sounds in it are gone: ``Q`` and ``q`` do of most days.
_YEAR: Final = re.compile("[YQq]")
_SOUND: Final = re.compile("'[^']*'")

#: A clock that shows what Python's dates and times show when they are taken for its own.
_AS_IT_STANDS: Final = "UTC"


class Said(ABC):
    """Something that is said in a way of its own."""

    __slots__ = ()

    @abstractmethod
    def command(self, escape_digits: Keys) -> Command:
        """Return the command that says it until one of these keys is pressed."""


class Counted(Said):
    """
    A number, in the gender of what is counted (``SAY NUMBER``).

    :param number: the number.
    :param gender: such as ``f``, for languages in which it matters.
    """

    __slots__ = ("_gender", "_number")

    def __init__(self, number: int, gender: str) -> None:
        self._number = number
        self._gender = gender

    def command(self, escape_digits: Keys) -> Command:
        return Command("SAY NUMBER", _number(self._number), escape_digits, self._gender)


class Digitwise(Said):
    """
    A number, digit by digit (``SAY DIGITS``).

    :param digits: the digits, perhaps behind a ``-``; after the first one also ``*`` and ``#``.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str | int) -> None:
        self._digits = digits

    def command(self, escape_digits: Keys) -> Command:
        return Command("SAY DIGITS", SpokenDigits(self._digits), escape_digits)


class Spelled(Said):
    """
    A text, letter by letter (``SAY ALPHA``).

    :param text: the text.
    :param case: of which letters to say whether they are upper or lower case.
    """

    __slots__ = ("_case", "_text")

    def __init__(self, text: str, case: Case | None = None) -> None:
        self._text = text
        self._case = case

    def command(self, escape_digits: Keys) -> Command:
        more = () if self._case is None else (self._case,)
        return Command("SAY ALPHA", self._text, escape_digits, *more)


class Phonetic(Said):
    """
    A text, with a word for each letter (``SAY PHONETIC``).

    :param text: the text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def command(self, escape_digits: Keys) -> Command:
        return Command("SAY PHONETIC", self._text, escape_digits)


class Moment(Said):
    """
    A date, a time or both, in a form of its own (``SAY DATETIME``).

    :param when: what a clock and a calendar show. It is said as it stands, whatever the time zones
        of it and of Asterisk.
    :param date_format: as in the dialplan's ``SayUnixTime``. No year before 1901 can be said.
    """

    __slots__ = ("_date_format", "_when")

    def __init__(self, when: datetime | date | time, date_format: str) -> None:
        self._when = when
        self._date_format = date_format

    def command(self, escape_digits: Keys) -> Command:
        when = _in_utc(self._when)
        if when.year < _FIRST_YEAR and _YEAR.search(_SOUND.sub("", self._date_format)):
            raise LocalProtocolError(f"no year before {_FIRST_YEAR} can be said: {self._when}")
        return Command(
            "SAY DATETIME", UnixTime(when), escape_digits, self._date_format, _AS_IT_STANDS
        )


Sayable: TypeAlias = str | int | datetime | date | time | Said


def said(item: Sayable, escape_digits: str, line_limit: int) -> Command:
    """
    Return the command that says something.

    :param item: what to say.
    :param escape_digits: the keys that stop it.
    :param line_limit: the longest command that can be sent, in bytes.
    :raises LocalProtocolError: for what cannot be said.
    """
    command = _command(item, Keys(escape_digits))
    command.serialize(line_limit)
    return command


def _command(item: object, keys: Keys) -> Command:
    match item:
        case Said():
            return item.command(keys)
        case str() if item:
            return Command("STREAM FILE", item, keys)
        case bool():
            pass
        case int():
            return Command("SAY NUMBER", _number(item), keys)
        case datetime():
            return Moment(item, _DATE_AND_TIME).command(keys)
        case date():
            return Moment(item, _DATE).command(keys)
        case time():
            return Moment(item, _TIME).command(keys)
    raise LocalProtocolError(f"this cannot be said: {item!r}")


def _number(number: int) -> Number:
    # Asterisk says nothing in place of the greatest number of all.
    return Number(number, least=1 - MAX_INTEGER, most=MAX_INTEGER - 1)


def _in_utc(when: datetime | date | time) -> datetime:
    """Return the moment at which a clock in Greenwich shows the same."""
    match when:
        case datetime():
            return when.replace(tzinfo=UTC)
        case date():
            return datetime.combine(when, time(12), UTC)
        case time():
            return datetime.combine(_ANY_DAY, when.replace(tzinfo=UTC))
