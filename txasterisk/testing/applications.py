"""The applications of the dialplan that the fake has, by Asterisk's names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from ..errors import HungUp
from ._names import APPLICATIONS
from .channel import KEY_PAUSE, KEY_PRESSED, KEYS, UP
from .happenings import UserEventSent
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["BASIC_APPLICATIONS", "Application", "answer", "execute", "separate"]

#: What an application does; what it returns is 0 if nothing else is meant.
Application = Callable[["Channel", str], Awaitable[int]]

#: What ``EXEC`` of AGI answers when there is no such application.
NO_SUCH_APPLICATION: Final = -2
#: How long Asterisk waits for the first sound of a channel that it has just answered, in seconds.
SETTLING_TIME: Final = 0.5


async def execute(channel: Channel, application: str, data: str) -> int:
    """
    Run an application on a channel.

    :raises HungUp: the channel is to end.
    :raises NotFaked: Asterisk has it, the fake has not.
    """
    found = channel.switchboard.applications.get(application.lower())
    if found is None:
        if application.lower() in APPLICATIONS:
            raise NotFaked(f"the dialplan application {application}")
        return NO_SUCH_APPLICATION
    before = channel.application, channel.data
    channel.application, channel.data = application, data
    try:
        return await found(channel, data)
    finally:
        channel.application, channel.data = before


def separate(text: str, separator: str = ",") -> list[str]:
    r"""Split arguments as Asterisk does: quotes, ``\`` and parentheses keep a comma where it is."""
    words, word, depth, quoted, escaped = [], "", 0, False, False
    for character in text:
        if escaped:
            word, escaped = word + character, False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted and depth == 0:
            words.append(word)
            word = ""
        else:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
            depth = max(depth, 0)
            word += character
    return [*words, word]


async def answer(channel: Channel) -> None:
    """Answer, and wait for sound; a local channel has none, so that takes its full time."""
    if channel.state != UP:
        channel.answer()
        await channel.wait(SETTLING_TIME)


async def _answer(channel: Channel, _: str) -> int:
    await answer(channel)
    return 0


async def _busy(channel: Channel, data: str) -> int:
    channel.refuse("BUSY", 17)
    await channel.wait(_seconds(data))
    raise HungUp("busy")


async def _congestion(channel: Channel, data: str) -> int:
    channel.refuse("CONGESTION", 34)
    await channel.wait(_seconds(data))
    raise HungUp("congestion")


async def _echo(channel: Channel, _: str) -> int:
    # Sound is not faked, so there is nothing to hear but keys; # ends it.
    while True:
        digit = await channel.wait(None, KEYS)
        if digit == "#":
            return 0
        await channel.send_digits(digit or "")


async def _exec(channel: Channel, data: str) -> int:
    application, _, arguments = data.partition("(")
    expanded = channel.expand(arguments.rpartition(")")[0])
    status = await execute(channel, application, expanded)
    return -1 if status == NO_SUCH_APPLICATION else status


async def _hangup(channel: Channel, data: str) -> int:
    channel.cause = int(data) if data.isdecimal() else 16
    raise HungUp("the dialplan hung up")


async def _noop(_: Channel, __: str) -> int:
    return 0


async def _playback(channel: Channel, data: str) -> int:
    sounds, *options = separate(data)
    if options:
        raise NotFaked(f"options of Playback: {data}")
    await answer(channel)
    status = "SUCCESS"
    try:
        for sound in sounds.split("&"):
            length = channel.switchboard.sounds.get(sound)
            if length is None:
                status = "FAILED"
            else:
                await channel.wait(length)
    finally:
        channel.set("PLAYBACKSTATUS", status)
    return 0


async def _ringing(channel: Channel, _: str) -> int:
    channel.ring()
    return 0


async def _send_dtmf(channel: Channel, data: str) -> int:
    digits, pause, pressed, *options = [*separate(data), "", ""]
    if any(options):
        raise NotFaked(f"options of SendDTMF: {data}")
    await channel.send_digits(
        digits,
        pause=int(pause) / 1000 if pause else KEY_PAUSE,
        pressed=int(pressed) / 1000 if pressed else KEY_PRESSED,
    )
    return 0


async def _set(channel: Channel, data: str) -> int:
    name, equals, value = data.partition("=")
    if equals:
        channel.set(name, value)
    return 0


async def _user_event(channel: Channel, data: str) -> int:
    name, *items = separate(data)
    headers = []
    for item in items:
        header, colon, value = item.partition(":")
        if colon:
            headers.append((header, value.lstrip()))
    channel.switchboard.tell(UserEventSent(channel, name, tuple(headers)))
    return 0


async def _wait(channel: Channel, data: str) -> int:
    if data:
        await channel.wait(float(data))
    return 0


def _seconds(data: str) -> float | None:
    """Read how long; nothing means for ever."""
    return float(data) if data else None


#: By their names in lower case; all but AGI and Stasis.
BASIC_APPLICATIONS: Final[dict[str, Application]] = {
    "answer": _answer,
    "busy": _busy,
    "congestion": _congestion,
    "echo": _echo,
    "exec": _exec,
    "hangup": _hangup,
    "noop": _noop,
    "playback": _playback,
    "ringing": _ringing,
    "senddtmf": _send_dtmf,
    "set": _set,
    "userevent": _user_event,
    "verbose": _noop,
    "wait": _wait,
}
