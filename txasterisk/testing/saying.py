"""What Asterisk says in English: the sounds that numbers, texts, dates and times are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from .not_faked import NotFaked

__all__ = ["DATETIME", "alphabet", "date", "date_and_time", "digits", "number", "phonetic", "time"]

#: How a date and time is said if nobody says.
DATETIME: Final = "ABdY 'digits/at' IMp"

_DIGITS: Final = {"#": "digits/pound", "*": "digits/star", "-": "digits/minus"} | {
    digit: f"digits/{digit}" for digit in "0123456789"
}
#: Characters that have a name of their own.
_NAMED: Final = {
    "!": "letters/exclaimation-point",
    "@": "letters/at",
    "#": "digits/pound",
    "$": "letters/dollar",
    "*": "digits/star",
    "+": "letters/plus",
    "-": "letters/dash",
    ".": "letters/dot",
    "/": "letters/slash",
    "=": "letters/equals",
    " ": "letters/space",
}
#: What is too big to say, a power of ten each, and its name.
_THOUSANDS: Final = (
    (1_000_000_000, "digits/billion"),
    (1_000_000, "digits/million"),
    (1000, "digits/thousand"),
)
#: Seen: the biggest number is not said.
_UNSAID: Final = 2**31 - 1


def number(value: int) -> list[str]:
    """Return the sounds of ``SAY NUMBER``."""
    if value < 0:
        return ["digits/minus", *number(-value)]
    if value >= _UNSAID:
        return []
    return _cardinal(value) or ["digits/0"]


def _cardinal(value: int) -> list[str]:
    """Return the sounds of a number, none of 0."""
    for size, name in _THOUSANDS:
        if value >= size:
            return [*_cardinal(value // size), name, *_cardinal(value % size)]
    if value >= 100:
        return [f"digits/{value // 100}", "digits/hundred", *_cardinal(value % 100)]
    if value > 20 and value % 10:
        return [f"digits/{value - value % 10}", f"digits/{value % 10}"]
    return [f"digits/{value}"] if value else []


def digits(text: str) -> list[str]:
    """Return the sounds of ``SAY DIGITS``."""
    return [_DIGITS[each] for each in text if each in _DIGITS]


def alphabet(text: str, case: str = "none") -> list[str]:
    """Return the sounds of ``SAY ALPHA``, with the case of all, lower, upper or none."""
    sounds = []
    for character in text:
        if character.islower() and case in ("all", "lower"):
            sounds.append("lowercase")
        if character.isupper() and case in ("all", "upper"):
            sounds.append("uppercase")
        sounds += _letter(character)
    return sounds


def _letter(character: str) -> list[str]:
    if character in _NAMED:
        return [_NAMED[character]]
    if not character.isascii():
        return []
    if character.isdecimal():
        return [f"digits/{character}"]
    if character.isalpha():
        return [f"letters/{character.lower()}"]
    return [f"letters/ascii{ord(character)}"]


def phonetic(text: str) -> list[str]:
    """Return the sounds of ``SAY PHONETIC``."""
    return [sound for character in text for sound in _phonetic(character)]


def _phonetic(character: str) -> list[str]:
    if character in _NAMED:
        return [_NAMED[character]]
    if character.isascii() and (character.isalpha() or character == "9"):
        return [f"phonetic/{character.lower()}_p"]
    return [f"digits/{character}"] if character in "012345678" else []


def date(seconds: int) -> list[str]:
    """Return the sounds of ``SAY DATE``, in a place that lives by UTC."""
    when = datetime.fromtimestamp(_wrapped(seconds), UTC)
    return [*_weekday(when), *_month(when), *number(when.day), *number(when.year)]


def time(seconds: int) -> list[str]:
    """Return the sounds of ``SAY TIME``, in a place that lives by UTC."""
    when = datetime.fromtimestamp(_wrapped(seconds), UTC)
    return [*_hour(when), *_minute(when), *_half(when)]


def _wrapped(seconds: int) -> int:
    """Return what is left of a number in 32 bits, with a sign."""
    return (seconds + 2**31) % 2**32 - 2**31


def date_and_time(seconds: int, form: str = DATETIME, timezone: str = "") -> list[str]:
    """
    Return the sounds of ``SAY DATETIME``.

    :param form: a letter for each part, and names of sounds in quotes.
    :param timezone: such as ``Europe/Berlin``; empty for UTC.
    """
    when = datetime.fromtimestamp(seconds, ZoneInfo(timezone) if timezone else UTC)
    sounds: list[str] = []
    # Every second piece stands in quotes.
    for at, piece in enumerate(form.split("'")):
        if at % 2:
            sounds.append(piece)
        else:
            sounds += [sound for letter in piece for sound in _part(when, letter)]
    return sounds


def _part(when: datetime, letter: str) -> list[str]:
    if letter in "Qq":
        raise NotFaked(f"saying {letter}, which depends on today, of a date")
    return _PARTS[letter](when) if letter in _PARTS else []


def _weekday(when: datetime) -> list[str]:
    return [f"digits/day-{when.isoweekday() % 7}"]


def _month(when: datetime) -> list[str]:
    return [f"digits/mon-{when.month - 1}"]


def _day(when: datetime) -> list[str]:
    tens = when.day // 10 * 10
    if when.day <= 20 or when.day == tens:
        return [f"digits/h-{when.day}"]
    return [f"digits/{tens}", f"digits/h-{when.day - tens}"]


def _year(when: datetime) -> list[str]:
    if when.year >= 2000:
        return number(when.year)
    if when.year <= 1900:
        # Seen: the year is left out.
        return []
    return ["digits/19", *_with_zero(when.year % 100)]


def _hour(when: datetime) -> list[str]:
    return [f"digits/{when.hour % 12 or 12}"]


def _hour_of_24(when: datetime) -> list[str]:
    return _with_zero(when.hour) if when.hour else ["digits/oh"]


def _bare_hour_of_24(when: datetime) -> list[str]:
    return number(when.hour) if when.hour else ["digits/oh"]


def _minute(when: datetime) -> list[str]:
    return _with_zero(when.minute) if when.minute else ["digits/oclock"]


def _second(when: datetime) -> list[str]:
    return _with_zero(when.second) if when.second else ["digits/0"]


def _half(when: datetime) -> list[str]:
    return ["digits/a-m" if when.hour < 12 else "digits/p-m"]


def _with_zero(value: int) -> list[str]:
    return ["digits/oh", *number(value)] if value < 10 else number(value)


_PARTS: Final = {
    "A": _weekday,
    "B": _month,
    "b": _month,
    "h": _month,
    "d": _day,
    "e": _day,
    "Y": _year,
    "I": _hour,
    "l": _hour,
    "H": _hour_of_24,
    "k": _bare_hour_of_24,
    "M": _minute,
    "S": _second,
    "P": _half,
    "p": _half,
    "R": lambda when: [*_hour_of_24(when), *_minute(when)],
    "T": lambda when: [*_hour_of_24(when), *_minute(when), *_second(when)],
}
