"""
What Asterisk does for each command of AGI, whatever carries it.

A command is split into words, looked up by the first of them, and done; what it gave is told in
one line.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import HungUp
from . import agi_sounds
from ._names import AGI_COMMANDS
from .agi_sounds import Usage
from .applications import NO_SUCH_APPLICATION, answer, execute
from .channel import CallerID
from .happenings import CallerIdentified, SoftHangupRequested
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Outcome", "interruptible", "name_of", "run", "words"]

#: What Asterisk keeps of the name of a context or an extension.
NAME_LENGTH: Final = 79
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
    given = arguments[len(name.split()) :]
    was_alive = not channel.hung_up
    try:
        if not command.least <= len(given) <= command.most:
            raise Usage
        result = await command.do(channel, given)
    except Usage:
        return Outcome(520, "Usage", _usage(name))
    reply = f"200 result={result}\n"
    if name not in _NEVER_FAILING and result.split(" ")[0] == "-1":
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
    :ivar least: the fewest arguments that it may have.
    :ivar most: the most; without that, Asterisk does not count them.
    :ivar when_dead: whether it works after the hangup.
    """

    do: Callable[[Channel, list[str]], Awaitable[str]]
    least: int = 0
    most: float = math.inf
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


async def _set_variable(channel: Channel, arguments: list[str]) -> str:
    channel.set(arguments[0], arguments[1])
    return "1"


async def _verbose(_: Channel, __: list[str]) -> str:
    return "1"


async def _database_del(channel: Channel, arguments: list[str]) -> str:
    channel.switchboard.database.delete(*arguments)
    return "1"


async def _database_deltree(channel: Channel, arguments: list[str]) -> str:
    # Unlike everywhere else in the database, 0 is the success here.
    return "0" if channel.switchboard.database.delete_tree(*arguments) else "1"


async def _database_get(channel: Channel, arguments: list[str]) -> str:
    value = channel.switchboard.database.get(*arguments)
    return "0" if value is None else f"1 ({value})"


async def _database_put(channel: Channel, arguments: list[str]) -> str:
    channel.switchboard.database.put(*arguments)
    return "1"


async def _set_autohangup(channel: Channel, arguments: list[str]) -> str:
    try:
        seconds = float(arguments[0])
    except ValueError:
        raise Usage from None
    channel.hang_up_after(max(0.0, seconds))
    return "0"


async def _set_callerid(channel: Channel, arguments: list[str]) -> str:
    if arguments:
        caller = CallerID.parse(arguments[0])
        if caller != channel.caller:
            channel.caller = caller
            channel.switchboard.tell(CallerIdentified(channel))
    return "1"


async def _set_context(channel: Channel, arguments: list[str]) -> str:
    channel.context = arguments[0][:NAME_LENGTH]
    return "0"


async def _set_extension(channel: Channel, arguments: list[str]) -> str:
    channel.exten = arguments[0][:NAME_LENGTH]
    return "0"


async def _set_priority(channel: Channel, arguments: list[str]) -> str:
    if not arguments[0].isdecimal():
        raise NotFaked(f"the label {arguments[0]}")
    # The dialplan adds one before it goes on.
    channel.priority = int(arguments[0]) - 1
    return "0"


#: The commands that more input, or its end, stops.
_INTERRUPTIBLE: Final = frozenset({"GET DATA", "GET OPTION", "STREAM FILE", "WAIT FOR DIGIT"})
#: The commands of which a -1 does not make the whole session fail.
_NEVER_FAILING: Final = frozenset({"CHANNEL STATUS", "EXEC", "GET DATA", "HANGUP", "RECEIVE TEXT"})

_COMMANDS: Final = {
    "ANSWER": _Command(_answer),
    "ASYNCAGI BREAK": _Command(_nothing, when_dead=True),
    "CHANNEL STATUS": _Command(_channel_status, 0, 1),
    "CONTROL STREAM FILE": _Command(agi_sounds.control_stream_file, 2, 7),
    "DATABASE DEL": _Command(_database_del, 2, 2, when_dead=True),
    "DATABASE DELTREE": _Command(_database_deltree, 1, 2, when_dead=True),
    "DATABASE GET": _Command(_database_get, 2, 2, when_dead=True),
    "DATABASE PUT": _Command(_database_put, 3, 3, when_dead=True),
    "EXEC": _Command(_exec, 1, when_dead=True),
    "GET DATA": _Command(agi_sounds.get_data, 1),
    "GET FULL VARIABLE": _Command(_get_full_variable, 1, 2, when_dead=True),
    "GET OPTION": _Command(agi_sounds.get_option, 2, 3),
    "GET VARIABLE": _Command(_get_variable, 1, 1, when_dead=True),
    "HANGUP": _Command(_hangup, 0, 1),
    "NOOP": _Command(_nothing, when_dead=True),
    "RECEIVE CHAR": _Command(agi_sounds.receive_char, 1, 1),
    "RECEIVE TEXT": _Command(agi_sounds.receive_text, 1, 1),
    "RECORD FILE": _Command(agi_sounds.record_file, 4),
    "SAY ALPHA": _Command(agi_sounds.say_alpha, 2, 3),
    "SAY DATE": _Command(agi_sounds.say_date, 2, 2),
    "SAY DATETIME": _Command(agi_sounds.say_datetime, 2),
    "SAY DIGITS": _Command(agi_sounds.say_digits, 2, 2),
    "SAY NUMBER": _Command(agi_sounds.say_number, 2, 3),
    "SAY PHONETIC": _Command(agi_sounds.say_phonetic, 2, 2),
    "SAY TIME": _Command(agi_sounds.say_time, 2, 2),
    # A local channel can do none of these, and there is no engine for speech.
    "SEND IMAGE": _Command(_nothing, 1, 1),
    "SEND TEXT": _Command(_nothing, 1, 1),
    "SET AUTOHANGUP": _Command(_set_autohangup, 1, 1),
    "SET CALLERID": _Command(_set_callerid),
    "SET CONTEXT": _Command(_set_context, 1, 1),
    "SET EXTENSION": _Command(_set_extension, 1, 1),
    "SET PRIORITY": _Command(_set_priority, 1, 1),
    "SET VARIABLE": _Command(_set_variable, 2, 2, when_dead=True),
    "SPEECH ACTIVATE GRAMMAR": _Command(_nothing, 1, 1),
    "SPEECH CREATE": _Command(_nothing),
    "SPEECH DEACTIVATE GRAMMAR": _Command(_nothing, 1, 1),
    "SPEECH DESTROY": _Command(_nothing, when_dead=True),
    "SPEECH LOAD GRAMMAR": _Command(_nothing, 2, 2),
    "SPEECH RECOGNIZE": _Command(_nothing, 2),
    "SPEECH SET": _Command(_nothing, 2, 2),
    "SPEECH UNLOAD GRAMMAR": _Command(_nothing, 1, 1, when_dead=True),
    "STREAM FILE": _Command(agi_sounds.stream_file, 2, 3),
    "TDD MODE": _Command(_nothing, 1, 1),
    "VERBOSE": _Command(_verbose, 1, when_dead=True),
    "WAIT FOR DIGIT": _Command(agi_sounds.wait_for_digit, 1, 1),
}
