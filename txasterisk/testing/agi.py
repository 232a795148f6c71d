"""
Asterisk as the caller of FastAGI: connects, describes the call, and does what it is told.

As in a real one, a command at a time: a second line that comes along with the first is looked at
only when more input, or its end, has come.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ..errors import HungUp
from .agi_commands import interruptible, run
from .applications import separate
from .async_agi import run_async_agi
from .dialplan import Goto
from .happenings import AGICommandBegan, AGICommandEnded
from .not_faked import NotFaked, complain

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["AGI"]

#: FastAGI's port, if the URL names none.
PORT: Final = 4573
#: How long Asterisk tries to connect, in seconds.
CONNECT_TIMEOUT: Final = 2.0


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
        place = channel.context, channel.exten, channel.priority
        if url.lower().startswith("agi:async"):
            described = environment(channel, self.version, "async", arguments)
            status = await run_async_agi(channel, described)
        elif url.lower().startswith("agi://"):
            status = await self._run(channel, url, arguments)
        else:
            raise NotFaked(f"AGI({url}): FastAGI and AsyncAGI only")
        channel.set("AGISTATUS", status)
        if status == "HANGUP":
            raise HungUp("the channel hung up during AGI")
        if (channel.context, channel.exten, channel.priority) != place:
            _go_on_elsewhere(channel)
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


def _go_on_elsewhere(channel: Channel) -> None:
    """Go where AGI has set the channel, if it is in the dialplan at all."""
    if not channel.in_dialplan:
        return
    if channel.priority != 0:
        raise NotFaked("going on at another priority than 1 after AGI")
    raise Goto(channel.context, channel.exten)


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
        script = self._url.partition("://")[2].partition("/")[2]
        network = [("network", "yes"), *([("network_script", script)] if script else [])]
        self.transport.write(
            environment(self._channel, self._agi.version, self._url, self._arguments, *network)
        )
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
        self._interruptible = interruptible(text)
        outcome = await run(channel, text)
        self._failed = self._failed or outcome.failed
        channel.switchboard.tell(
            AGICommandEnded(channel, number, text, outcome.code, outcome.result)
        )
        self._write(outcome.reply)


def environment(
    channel: Channel, version: str, request: str, arguments: list[str], *network: tuple[str, str]
) -> bytes:
    """Return how a call is described."""
    caller = channel.caller
    lines = [
        *network,
        ("request", request),
        ("channel", channel.name),
        ("language", channel.language),
        ("type", channel.technology),
        ("uniqueid", channel.uniqueid),
        ("version", version),
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
        *((f"arg_{number}", value) for number, value in enumerate(arguments, 1)),
    ]
    text = "".join(f"agi_{name}: {value}\n" for name, value in lines) + "\n"
    return text.encode("utf-8", "surrogateescape")
