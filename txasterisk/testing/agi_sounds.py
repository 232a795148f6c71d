"""
What Asterisk does for the AGI commands of sound, keys and text.

Nothing is heard: a sound is the time that it takes, and a caller is silent but for his keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ..errors import HungUp
from . import saying
from .channel import KEYS
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .channel import Channel

__all__ = [
    "Usage",
    "control_stream_file",
    "get_data",
    "get_option",
    "integer",
    "receive_char",
    "receive_text",
    "record_file",
    "say_alpha",
    "say_date",
    "say_datetime",
    "say_digits",
    "say_number",
    "say_phonetic",
    "say_time",
    "stream_file",
    "wait_for_digit",
]

#: Sounds have this many samples a second in the position that a playback ended at.
SAMPLE_RATE: Final = 8000
#: The time limits of GET DATA if it is given none, in seconds: for the first digit, and the next.
FIRST_DIGIT: Final = 6.0
NEXT_DIGIT: Final = 2.0
#: That of GET OPTION.
OPTION_TIME: Final = 5.0

#: What a file can be recorded as.
_FORMATS: Final = frozenset(
    [
        "al",
        "alaw",
        "alw",
        "au",
        "g719",
        "g722",
        "g723",
        "g723sf",
        "g726-16",
        "g726-24",
        "g726-32",
        "g726-40",
        "g729",
        "gsm",
        "h263",
        "h264",
        "ilbc",
        "mu",
        "ogg",
        "opus",
        "pcm",
        "raw",
        "siren14",
        "siren7",
        "slin",
        "sln",
        "sln12",
        "sln16",
        "sln192",
        "sln24",
        "sln32",
        "sln44",
        "sln48",
        "sln96",
        "spx",
        "spx16",
        "spx32",
        "ul",
        "ulaw",
        "ulw",
        "vox",
        "vp8",
        "wav",
        "WAV",
        "wav16",
        "wav49",
    ]
)


class Usage(Exception):
    """The arguments are not what the command wants."""


def integer(text: str) -> int:
    """
    Read a number.

    :raises Usage: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise Usage from None


def _lenient(text: str) -> int:
    """Read a number as C does: what is none is 0."""
    try:
        return int(text)
    except ValueError:
        return 0


def _seconds(milliseconds: int) -> float | None:
    """Return a time limit; less than nothing is none."""
    return None if milliseconds < 0 else milliseconds / 1000


class _Missing(Exception):
    """There is no such sound."""


class _Sound:
    """A sound that is played, from some position on."""

    def __init__(self, channel: Channel, name: str, position: float = 0.0) -> None:
        length = channel.switchboard.sounds.get(name)
        if length is None:
            raise _Missing
        self._channel = channel
        self._length = length
        self._position = position
        self._began: float | None = None

    @property
    def position(self) -> float:
        """How far it is, in seconds; its length at most."""
        if self._began is None:
            return min(self._position, self._length)
        elapsed = self._channel.switchboard.clock.seconds() - self._began
        return min(self._position + elapsed, self._length)

    @property
    def samples(self) -> int:
        """The same in samples."""
        return round(self.position * SAMPLE_RATE)

    async def play(self, keys: str) -> str | None:
        """Go on until one of these keys is pressed, which is returned, or to the end."""
        self._began = self._channel.switchboard.clock.seconds()
        return await self._channel.wait(max(0.0, self._length - self._position), keys)

    def stop(self) -> None:
        """Stay where it is."""
        self._position, self._began = self.position, None

    def move(self, seconds: float) -> None:
        """Go on elsewhere: at the beginning, if that is outside of it."""
        self.stop()
        self._position += seconds
        if not 0 <= self._position < self._length:
            self._position = 0.0


def _code(key: str | None) -> str:
    return "0" if key is None else str(ord(key))


# Playing


async def stream_file(channel: Channel, arguments: list[str]) -> str:
    """Play a sound."""
    name, keys = arguments[:2]
    start = integer(arguments[2]) if len(arguments) > 2 else 0
    try:
        sound = _Sound(channel, name, start / SAMPLE_RATE)
    except _Missing:
        return f"-1 endpos={start}"
    try:
        key = await sound.play(keys)
    except HungUp:
        channel.set("PLAYBACKSTATUS", "FAILED")
        return f"-1 endpos={sound.samples}"
    channel.set("PLAYBACKSTATUS", "SUCCESS" if key is None else "FAILED")
    return f"{_code(key)} endpos={sound.samples}"


async def control_stream_file(channel: Channel, arguments: list[str]) -> str:
    """Play a sound in which the caller can move about."""
    name, stop, skip, forward, rewind, pause, offset = _with_defaults(
        arguments, ["", "", "3000", "#", "*", "", "0"]
    )
    by = integer(skip) / 1000
    start = integer(offset) / 1000
    try:
        sound = _Sound(channel, name, start)
    except _Missing:
        return _controlled(channel, "ERROR", "-1", -1)
    moves = dict.fromkeys(rewind or "*", -by) | dict.fromkeys(forward or "#", by)
    try:
        key = await _control(channel, sound, stop, moves, pause)
    except HungUp:
        return _controlled(channel, "ERROR", "-1", round(sound.position * 1000))
    if key is None:
        return _controlled(channel, "SUCCESS", "0", -1)
    return _controlled(channel, "USERSTOPPED", key, round(sound.position * 1000))


def _with_defaults(arguments: list[str], defaults: list[str]) -> list[str]:
    return [*arguments, *defaults[len(arguments) :]]


def _controlled(channel: Channel, status: str, outcome: str, position: int) -> str:
    channel.set("CPLAYBACKSTATUS", status)
    if status == "USERSTOPPED":
        channel.set("CPLAYBACKSTOPKEY", outcome)
        outcome = _code(outcome)
    channel.set("CPLAYBACKOFFSET", str(position))
    return f"{outcome} endpos={position}"


async def _control(
    channel: Channel, sound: _Sound, stop: str, moves: dict[str, float], pause: str
) -> str | None:
    """Play until a key stops it, which is returned, or to the end."""
    while True:
        key = await sound.play(stop + pause + "".join(moves))
        if key is not None and key in moves:
            sound.move(moves[key])
            continue
        sound.stop()
        if key is not None and key in pause:
            key = await channel.wait(None, pause + stop)
            if key is not None and key in pause:
                continue
        return key


# Keys


async def get_data(channel: Channel, arguments: list[str]) -> str:
    """Play a sound and collect keys."""
    name, timeout, most, *_ = _with_defaults(arguments, ["", "0", "1024"])
    milliseconds = _lenient(timeout)
    first = _seconds(milliseconds) if milliseconds else FIRST_DIGIT
    following = _seconds(milliseconds) if milliseconds else NEXT_DIGIT
    try:
        return await _gather(channel, name, first, following, _lenient(most))
    except (HungUp, _Missing):
        return "-1"


async def _gather(
    channel: Channel, name: str, first: float | None, following: float | None, most: int
) -> str:
    if most <= 0:
        return "-1"
    key = await _Sound(channel, name).play(KEYS) if name else None
    digits = ""
    while True:
        if key is None:
            key = await channel.wait(following if digits else first, KEYS)
        if key is None:
            return f"{digits} (timeout)"
        if key == "#":
            return digits
        digits, key = digits + key, None
        if len(digits) >= most:
            return digits


async def get_option(channel: Channel, arguments: list[str]) -> str:
    """Play a sound and wait for one of some keys; another one ends the wait, too."""
    name, keys, *limit = arguments
    timeout = _seconds(_lenient(limit[0])) if limit else OPTION_TIME
    try:
        sound = _Sound(channel, name)
    except _Missing:
        return "-1 endpos=0"
    try:
        key = await sound.play(keys)
    except HungUp:
        return f"-1 endpos={sound.samples}"
    if key is None:
        try:
            key = await channel.wait(timeout, KEYS)
        except HungUp:
            pass
    chosen = key if key is not None and key in keys else None
    return f"{_code(chosen)} endpos={sound.samples}"


async def wait_for_digit(channel: Channel, arguments: list[str]) -> str:
    """Wait for a key."""
    try:
        return _code(await channel.wait(_seconds(integer(arguments[0])), KEYS))
    except HungUp:
        return "-1"


# Recording


async def record_file(channel: Channel, arguments: list[str]) -> str:
    """Record what the caller says, which is nothing; that he is silent is not heard either."""
    _, form, keys, timeout, *options = arguments
    limit = _seconds(integer(timeout))
    offset = int(options.pop(0)) if options and options[0].isdecimal() else 0
    if form not in _FORMATS:
        return "-1 (writefile)"
    beep = any(not option.startswith("s=") for option in options)
    try:
        key = await _Sound(channel, "beep").play(keys) if beep else None
        if key is not None:
            return f"{_code(key)} (randomerror) endpos={offset}"
    except (HungUp, _Missing):
        return f"-1 (randomerror) endpos={offset}"
    try:
        key = await channel.wait(limit, keys)
    except HungUp:
        return f"-1 (hangup) endpos={offset}"
    how = "(timeout)" if key is None else "(dtmf)"
    return f"{_code(key)} {how} endpos={offset}"


# Saying


async def say_alpha(channel: Channel, arguments: list[str]) -> str:
    """Spell a text."""
    text, keys, *more = arguments
    case = {"a": "all", "l": "lower", "u": "upper", "n": "none", "": "none"}.get(
        "".join(more)[:1].lower()
    )
    if case is None:
        raise Usage
    return await _say(channel, saying.alphabet(text, case), keys)


async def say_date(channel: Channel, arguments: list[str]) -> str:
    """Say a date."""
    return await _say(channel, saying.date(integer(arguments[0])), arguments[1])


async def say_datetime(channel: Channel, arguments: list[str]) -> str:
    """Say a date and time."""
    when, keys, *more = arguments
    sounds = saying.date_and_time(integer(when), *more[:2])
    return await _say(channel, sounds, keys)


async def say_digits(channel: Channel, arguments: list[str]) -> str:
    """Say a number digit by digit."""
    text, keys = arguments
    if not text.removeprefix("-").removeprefix("+")[:1].isdecimal():
        raise Usage
    return await _say(channel, saying.digits(text), keys)


async def say_number(channel: Channel, arguments: list[str]) -> str:
    """Say a number."""
    return await _say(channel, saying.number(integer(arguments[0])), arguments[1])


async def say_phonetic(channel: Channel, arguments: list[str]) -> str:
    """Spell a text with words."""
    return await _say(channel, saying.phonetic(arguments[0]), arguments[1])


async def say_time(channel: Channel, arguments: list[str]) -> str:
    """Say a time of the day."""
    return await _say(channel, saying.time(integer(arguments[0])), arguments[1])


async def _say(channel: Channel, names: Iterable[str], keys: str) -> str:
    if channel.language != "en":
        raise NotFaked(f"saying something in the language {channel.language}")
    try:
        for name in names:
            key = await _Sound(channel, name).play(keys)
            if key is not None:
                return _code(key)
    except (HungUp, _Missing):
        return "-1"
    return "0"


# Text


async def receive_char(channel: Channel, arguments: list[str]) -> str:
    """Wait for a text, and take its first byte."""
    text = await _receive(channel, arguments)
    if text is None:
        # Asterisk calls it a hangup also when the time is up.
        return "-1 (hangup)"
    return str(text.encode("utf-8", "surrogateescape")[0])


async def receive_text(channel: Channel, arguments: list[str]) -> str:
    """Wait for a text."""
    text = await _receive(channel, arguments)
    return "-1" if text is None else f"1 ({text})"


async def _receive(channel: Channel, arguments: list[str]) -> str | None:
    try:
        return await channel.wait_for_text(_seconds(_lenient(arguments[0])))
    except HungUp:
        return None
