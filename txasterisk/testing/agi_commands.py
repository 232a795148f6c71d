"""
What Asterisk does for each command of AGI, whatever carries it.

A command is split into words, looked up by the first of them, and done; what it gave is told in
one line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import HungUp
from ._names import AGI_COMMANDS
from .applications import NO_SUCH_APPLICATION, answer, execute
from .channel import KEYS
from .happenings import SoftHangupRequested
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Outcome", "interruptible", "name_of", "run", "words"]

#: Sounds have this many samples a second in the position that a playback ended at.
SAMPLE_RATE: Final = 8000
#: The time limits of GET DATA if it is given none, in seconds: for the first digit, and the next.
FIRST_DIGIT: Final = 6.0
NEXT_DIGIT: Final = 2.0
#: Asterisk's number for: a program asked for the hangup.
BY_REQUEST: Final = 32

_DEAD: Final = "Command Not Permitted on a dead channel or intercept routine"
_UNKNOWN: Final = "Invalid or unknown command"


class Outcome(NamedTuple):
    """
    What came of a command.

    :ivar code: such as 200, for the event.
    :ivar result: in a few words, for the event.
    :ivar reply: for the program, its line end included.
    :ivar failed: whether it makes the whole session fail.
    """

    code: int
    result: str
    reply: str
    failed: bool = False


async def run(channel: Channel, line: str) -> Outcome:
    """
    Do a command on a channel.

    :raises NotFaked: if it is one that the fake does not have.
    """
    arguments = words(line)
    name = name_of(arguments)
    if name is None:
        return Outcome(510, _UNKNOWN, f"510 {_UNKNOWN}\n")
    command = _COMMANDS.get(name)
    if command is None:
        raise NotFaked(f"the AGI command {name}")
    if channel.hung_up and not command.when_dead:
        return Outcome(511, _DEAD, f"511 {_DEAD}\n")
    if len(arguments) < command.least:
        return Outcome(520, "Usage", _usage(name))
    was_alive = not channel.hung_up
    result = await command.do(channel, arguments[len(name.split()) :])
    reply = f"200 result={result}\n"
    if name in _FAILING and result.split(" ")[0] == "-1":
        return Outcome(-1, "Failure", reply, failed=was_alive and not channel.hung_up)
    unknown = result == str(NO_SUCH_APPLICATION)
    return Outcome(200, "Unknown Result" if unknown else "Success", reply)


def interruptible(line: str) -> bool:
    """Tell whether more input, or its end, stops a command."""
    return name_of(words(line)) in _INTERRUPTIBLE


def words(line: str) -> list[str]:
    r"""Split a command as Asterisk does: quotes join, ``\`` protects, blanks separate."""
    found: list[str] = []
    word: str | None = None
    quoted = escaped = False
    for character in line:
        if escaped:
            word, escaped = (word or "") + character, False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted, word = not quoted, word or ""
        elif character in " \t" and not quoted:
            if word is not None:
                found.append(word)
            word = None
        else:
            word = (word or "") + character
    return found if word is None else [*found, word]


def name_of(arguments: list[str]) -> str | None:
    """Return the command that the first words name."""
    for count in (3, 2, 1):
        name = " ".join(arguments[:count]).upper()
        if len(arguments) >= count and name in AGI_COMMANDS:
            return name
    return None


def _usage(name: str) -> str:
    # The text in between is Asterisk's; what matters is that it has several lines.
    return (
        "520-Invalid command syntax.  Proper usage follows:\n"
        f"{name} wants other arguments.\n"
        "(FakeAsterisk has no more to say about it.)\n"
        "520 End of proper usage.\n"
    )


class _Command(NamedTuple):
    """
    What is known of a command.

    :ivar do: does it, and returns what comes after ``result=``.
    :ivar least: the fewest words that it may have, its name included.
    :ivar when_dead: whether it works after the hangup.
    """

    do: Callable[[Channel, list[str]], Awaitable[str]]
    least: int
    when_dead: bool = False


async def _answer(channel: Channel, _: list[str]) -> str:
    try:
        await answer(channel)
    except HungUp:
        return "-1"
    return "0"


async def _channel_status(channel: Channel, arguments: list[str]) -> str:
    found = channel.switchboard.find(arguments[0]) if arguments else channel
    return str(found.state) if found is not None else "-1"


async def _exec(channel: Channel, arguments: list[str]) -> str:
    try:
        return str(await execute(channel, arguments[0], " ".join(arguments[1:2])))
    except HungUp:
        channel.ask_hangup(channel.cause)
        return "-1"


async def _get_data(channel: Channel, arguments: list[str]) -> str:
    sound, timeout, most, *_ = [*arguments, *["0", "1024"][len(arguments) - 1 :]]
    first, following = _time_limits(_number(timeout))
    try:
        return await _gather(channel, sound, first, following, _number(most))
    except HungUp:
        return "-1"


async def _gather(
    channel: Channel, sound: str, first: float | None, following: float | None, most: int
) -> str:
    if most <= 0:
        return "-1"
    digit: str | None = None
    if sound:
        length = channel.switchboard.sounds.get(sound)
        if length is None:
            return "-1"
        digit = await channel.wait(length, KEYS)
    digits = ""
    while True:
        if digit is None:
            digit = await channel.wait(following if digits else first, KEYS)
        if digit is None:
            return f"{digits} (timeout)"
        if digit == "#":
            return digits
        digits, digit = digits + digit, None
        if len(digits) >= most:
            return digits


def _time_limits(milliseconds: int) -> tuple[float | None, float | None]:
    if milliseconds < 0:
        return None, None
    if milliseconds == 0:
        return FIRST_DIGIT, NEXT_DIGIT
    return milliseconds / 1000, milliseconds / 1000


async def _get_full_variable(channel: Channel, arguments: list[str]) -> str:
    found = channel.switchboard.find(arguments[1]) if len(arguments) > 1 else channel
    return "0" if found is None else f"1 ({found.expand(arguments[0])})"


async def _get_variable(channel: Channel, arguments: list[str]) -> str:
    value = channel.get(arguments[0])
    return "0" if value is None else f"1 ({_cut(value)})"


def _cut(value: str) -> str:
    """Cut a value where Asterisk does, after 1023 bytes."""
    return value.encode("utf-8", "surrogateescape")[:1023].decode("utf-8", "surrogateescape")


async def _hangup(channel: Channel, arguments: list[str]) -> str:
    found = channel.switchboard.find(arguments[0]) if arguments else channel
    if found is None:
        return "-1"
    channel.switchboard.tell(SoftHangupRequested(found, BY_REQUEST))
    if found is channel:
        # The answer comes first: the channel notices a moment later.
        channel.switchboard.clock.callLater(0, channel.ask_hangup)
    else:
        found.ask_hangup()
    return "1"


async def _nothing(_: Channel, __: list[str]) -> str:
    return "0"


async def _receive_char(channel: Channel, arguments: list[str]) -> str:
    # Nobody sends texts, so the time runs out, which Asterisk calls a hangup, too.
    milliseconds = _number(arguments[0])
    try:
        await channel.wait(None if milliseconds < 0 else milliseconds / 1000)
    except HungUp:
        pass
    return "-1 (hangup)"


async def _set_variable(channel: Channel, arguments: list[str]) -> str:
    channel.set(arguments[0], arguments[1])
    return "1"


async def _stream_file(channel: Channel, arguments: list[str]) -> str:
    sound, digits = arguments[:2]
    start = _number(arguments[2]) / SAMPLE_RATE if len(arguments) > 2 else 0.0
    length = channel.switchboard.sounds.get(sound)
    if length is None:
        return f"-1 endpos={round(start * SAMPLE_RATE)}"
    began = channel.switchboard.clock.seconds()
    try:
        digit = await channel.wait(max(0.0, length - start), digits)
    except HungUp:
        channel.set("PLAYBACKSTATUS", "FAILED")
        return f"-1 endpos={_position(channel, start, began, length)}"
    if digit is None:
        channel.set("PLAYBACKSTATUS", "SUCCESS")
        return f"0 endpos={round(length * SAMPLE_RATE)}"
    channel.set("PLAYBACKSTATUS", "FAILED")
    return f"{ord(digit)} endpos={_position(channel, start, began, length)}"


def _position(channel: Channel, start: float, began: float, length: float) -> int:
    played = start + channel.switchboard.clock.seconds() - began
    return round(min(played, length) * SAMPLE_RATE)


async def _verbose(_: Channel, __: list[str]) -> str:
    return "1"


async def _wait_for_digit(channel: Channel, arguments: list[str]) -> str:
    milliseconds = _number(arguments[0])
    try:
        digit = await channel.wait(None if milliseconds < 0 else milliseconds / 1000, KEYS)
    except HungUp:
        return "-1"
    return "0" if digit is None else str(ord(digit))


def _number(text: str) -> int:
    """Read a number as C does: what is none is 0."""
    try:
        return int(text)
    except ValueError:
        return 0


#: The commands that more input, or its end, stops.
_INTERRUPTIBLE: Final = frozenset({"GET DATA", "STREAM FILE", "WAIT FOR DIGIT"})
#: The commands of which a -1 makes the whole session fail, as long as the channel lives.
_FAILING: Final = frozenset({"ANSWER", "RECEIVE CHAR", "STREAM FILE", "WAIT FOR DIGIT"})

_COMMANDS: Final = {
    "ANSWER": _Command(_answer, 1),
    "ASYNCAGI BREAK": _Command(_nothing, 2, when_dead=True),
    "CHANNEL STATUS": _Command(_channel_status, 2),
    "EXEC": _Command(_exec, 2, when_dead=True),
    "GET DATA": _Command(_get_data, 3),
    "GET FULL VARIABLE": _Command(_get_full_variable, 4, when_dead=True),
    "GET VARIABLE": _Command(_get_variable, 3, when_dead=True),
    "HANGUP": _Command(_hangup, 1),
    "NOOP": _Command(_nothing, 1, when_dead=True),
    "RECEIVE CHAR": _Command(_receive_char, 3),
    "SET VARIABLE": _Command(_set_variable, 4, when_dead=True),
    "STREAM FILE": _Command(_stream_file, 4),
    "VERBOSE": _Command(_verbose, 2, when_dead=True),
    "WAIT FOR DIGIT": _Command(_wait_for_digit, 4),
}
