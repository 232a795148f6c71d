"""
Asterisk as the caller of FastAGI: connects, describes the call, and does what it is told.

As in a real one, a command at a time: a second line that comes along with the first is looked at
only when more input, or its end, has come.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ..errors import HungUp
from ._names import AGI_COMMANDS
from .applications import NO_SUCH_APPLICATION, answer, execute, separate
from .channel import KEYS
from .happenings import AGICommandBegan, AGICommandEnded, SoftHangupRequested
from .not_faked import NotFaked, complain

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["AGI", "words"]

#: FastAGI's port, if the URL names none.
PORT: Final = 4573
#: How long Asterisk tries to connect, in seconds.
CONNECT_TIMEOUT: Final = 2.0
#: Sounds have this many samples a second in the position that a playback ended at.
SAMPLE_RATE: Final = 8000
#: The time limits of GET DATA if it is given none, in seconds: for the first digit, and the next.
FIRST_DIGIT: Final = 6.0
NEXT_DIGIT: Final = 2.0
#: Asterisk's number for: a program asked for the hangup.
BY_REQUEST: Final = 32

_DEAD: Final = "Command Not Permitted on a dead channel or intercept routine"
_UNKNOWN: Final = "Invalid or unknown command"


class AGI:
    """
    The dialplan application ``AGI``.

    :param connect: returns an endpoint to the server at a host and port.
    :param version: what every call is told of this Asterisk.
    """

    def __init__(self, connect: Callable[[str, int], IStreamClientEndpoint], version: str) -> None:
        self._connect = connect
        self.version = version
        self.sessions: set[Session] = set()

    async def application(self, channel: Channel, data: str) -> int:
        """Do what ``AGI(url,arguments)`` does in the dialplan."""
        url, *arguments = separate(data)
        if not url.lower().startswith("agi://"):
            raise NotFaked(f"AGI({url}): FastAGI only")
        status = await self._run(channel, url, arguments)
        channel.set("AGISTATUS", status)
        if status == "HANGUP":
            raise HungUp("the channel hung up during AGI")
        return 0

    def abort(self) -> None:
        """Cut all connections at once."""
        for session in tuple(self.sessions):
            session.abort()

    async def _run(self, channel: Channel, url: str, arguments: list[str]) -> str:
        session = Session(self, channel, url, arguments)
        try:
            where = urlsplit(url)
            endpoint = self._connect(where.hostname or "", where.port or PORT)
            factory = Factory.forProtocol(lambda: session)
            factory.noisy = False
            connecting = endpoint.connect(factory)
            await connecting.addTimeout(CONNECT_TIMEOUT, channel.switchboard.clock)
        except (CancelledError, NotFaked):
            raise
        except Exception:
            return "FAILURE"
        return await session.over


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


class Session(Protocol):
    """
    One call with a FastAGI server.

    :ivar over: fires with the ``AGISTATUS``.
    """

    transport: Any

    def __init__(self, agi: AGI, channel: Channel, url: str, arguments: list[str]) -> None:
        self._agi = agi
        self._channel = channel
        self._url = url
        self._arguments = arguments
        self._input = b""
        self._running: Deferred[None] | None = None
        self._interruptible = False
        self._failed = False
        self._hangup_told = False
        self._started_dead = channel.hung_up
        self._closed = False
        self.over: Deferred[str] = Deferred(lambda _: self.abort())

    # The connection

    def connectionMade(self) -> None:
        self._agi.sessions.add(self)
        self.transport.write(self._environment())
        if not self._started_dead:
            self._channel.when_hung_up().addCallback(lambda _: self._hung_up())

    def dataReceived(self, data: bytes) -> None:
        self._input += data
        if self._running is None:
            self._run_next()
        else:
            complain(NotFaked("an AGI command that comes while another one runs"))
            self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = True
        if self._running is None:
            self._read_rest()
        elif self._interruptible:
            self._channel.signal(None)

    def abort(self) -> None:
        """Cut the connection."""
        self._input = b""
        self.transport.abortConnection()

    def _read_rest(self) -> None:
        """Do what is left in the buffer when the input has ended; the replies go nowhere."""
        while self._running is None and b"\n" in self._input:
            self._run_next()
        if self._running is None:
            self._agi.sessions.discard(self)
            if not self.over.called:
                self.over.callback(self._status())

    def _status(self) -> str:
        if self._failed:
            return "FAILURE"
        return "HANGUP" if self._channel.hung_up and not self._started_dead else "SUCCESS"

    def _write(self, text: str) -> None:
        if not self._closed:
            self.transport.write(text.encode("utf-8", "surrogateescape"))

    def _hung_up(self) -> None:
        if self._running is None and not self._hangup_told and not self._closed:
            self._hangup_told = True
            self._write("HANGUP\n")

    # Commands

    def _run_next(self) -> None:
        line, end, rest = self._input.partition(b"\n")
        if not end:
            return
        self._input = rest
        text = line.decode("utf-8", "surrogateescape")
        if text.lower().startswith("failure"):
            self._failed = True
            self._input = b""
            self._write("HANGUP\n")
            self.transport.loseConnection()
            return
        running = self._running = Deferred.fromCoroutine(self._run(text))
        running.addErrback(self._could_not)
        running.addBoth(self._ran)

    def _ran(self, _: object) -> None:
        self._running = None
        if self._closed:
            self._read_rest()
        elif self._channel.hung_up and not self._started_dead:
            self._hung_up()

    def _could_not(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        error = failure.value if failure.check(NotFaked) else NotFaked(failure.getTraceback())
        assert isinstance(error, NotFaked)
        complain(error)
        self.abort()

    async def _run(self, text: str) -> None:
        channel, number = self._channel, random.randrange(2**31)
        channel.switchboard.tell(AGICommandBegan(channel, number, text))
        code, result, reply = await self._answer(text)
        channel.switchboard.tell(AGICommandEnded(channel, number, text, code, result))
        self._write(reply)

    async def _answer(self, text: str) -> tuple[int, str, str]:
        """Return the code and result for the event, and the reply."""
        arguments = words(text)
        name = _name_of(arguments)
        if name is None:
            return 510, _UNKNOWN, f"510 {_UNKNOWN}\n"
        command = _COMMANDS.get(name)
        if command is None:
            raise NotFaked(f"the AGI command {name}")
        if self._channel.hung_up and not command.when_dead:
            return 511, _DEAD, f"511 {_DEAD}\n"
        if len(arguments) < command.least:
            return 520, "Usage", _usage(name)
        self._interruptible = name in _INTERRUPTIBLE
        was_alive = not self._channel.hung_up
        result = await command.do(self._channel, arguments[len(name.split()) :])
        if name in _FAILING and result.split(" ")[0] == "-1":
            self._failed = self._failed or (was_alive and not self._channel.hung_up)
            return -1, "Failure", f"200 result={result}\n"
        unknown = result == str(NO_SUCH_APPLICATION)
        return 200, "Unknown Result" if unknown else "Success", f"200 result={result}\n"

    # The call

    def _environment(self) -> bytes:
        channel = self._channel
        caller = channel.caller
        script = self._url.partition("://")[2].partition("/")[2]
        lines = [
            ("network", "yes"),
            *([("network_script", script)] if script else []),
            ("request", self._url),
            ("channel", channel.name),
            ("language", channel.language),
            ("type", channel.technology),
            ("uniqueid", channel.uniqueid),
            ("version", self._agi.version),
            ("callerid", caller.number or "unknown"),
            ("calleridname", caller.name or "unknown"),
            ("callingpres", "0" if caller.number else "67"),
            ("callingani2", "0"),
            ("callington", "0"),
            ("callingtns", "0"),
            ("dnid", "unknown"),
            ("rdnis", "unknown"),
            ("context", channel.context),
            ("extension", channel.exten),
            ("priority", str(channel.priority)),
            ("enhanced", "0.0"),
            ("accountcode", channel.accountcode),
            ("threadid", "140000000000000"),
            *((f"arg_{number}", value) for number, value in enumerate(self._arguments, 1)),
        ]
        text = "".join(f"agi_{name}: {value}\n" for name, value in lines) + "\n"
        return text.encode("utf-8", "surrogateescape")


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


def _name_of(arguments: list[str]) -> str | None:
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
_FAILING: Final = frozenset({"ANSWER", "STREAM FILE", "WAIT FOR DIGIT"})

_COMMANDS: Final = {
    "ANSWER": _Command(_answer, 1),
    "CHANNEL STATUS": _Command(_channel_status, 2),
    "EXEC": _Command(_exec, 2, when_dead=True),
    "GET DATA": _Command(_get_data, 3),
    "GET FULL VARIABLE": _Command(_get_full_variable, 4, when_dead=True),
    "GET VARIABLE": _Command(_get_variable, 3, when_dead=True),
    "HANGUP": _Command(_hangup, 1),
    "NOOP": _Command(_nothing, 1, when_dead=True),
    "SET VARIABLE": _Command(_set_variable, 4, when_dead=True),
    "STREAM FILE": _Command(_stream_file, 4),
    "VERBOSE": _Command(_verbose, 2, when_dead=True),
    "WAIT FOR DIGIT": _Command(_wait_for_digit, 4),
}
