"""
Connections without sockets: what one side writes, the other receives in the clock's next turn.

So a test needs no network and, with a ``Clock``, no time: ``clock.advance(0)`` lets everything be
said that has to be said now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet import error
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["MemoryEndpoint"]


@implementer(IAddress)
class MemoryAddress:
    """The address of an end of a connection without sockets."""

    type: Final = "MEMORY"
    host: Final = "memory"
    port: Final = 0

    def __repr__(self) -> str:
        return "<MemoryAddress>"


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """
    Leads to a server in the same process.

    :param clock: takes the bytes from one side to the other.
    :param server: returns the server's factory, or None while nobody listens.
    """

    def __init__(self, clock: IReactorTime, server: Callable[[], IProtocolFactory | None]) -> None:
        self._clock = clock
        self._server = server

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Join a new protocol of the factory to a new one of the server's."""
        server_factory = self._server()
        if server_factory is None:
            return fail(error.ConnectionRefusedError())
        client = protocolFactory.buildProtocol(MemoryAddress())
        server = server_factory.buildProtocol(MemoryAddress())
        if client is None or server is None:
            return fail(error.ConnectionRefusedError())
        here, there = MemoryTransport(self._clock), MemoryTransport(self._clock)
        here.join(client, there)
        there.join(server, here)
        server.makeConnection(there)
        client.makeConnection(here)
        return succeed(client)


@implementer(ITransport, IPushProducer, IConsumer)
class MemoryTransport:
    """One end of a connection."""

    disconnecting = False
    disconnected = False

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._arrived = bytearray()
        self._closing: Exception | None = None
        self._turn: Any = None
        self._paused = False
        self._producer: Any = None
        self._streaming = False
        self.protocol: Any = None
        self._other: MemoryTransport = self

    def join(self, protocol: Any, other: MemoryTransport) -> None:
        """Be the transport of a protocol, with ``other`` at the far end."""
        self.protocol = protocol
        self._other = other

    # What the protocol calls

    def write(self, data: bytes) -> None:
        """Have data arrive at the other end."""
        if not (self.disconnecting or self.disconnected):
            self._other._arrive(bytes(data))

    def writeSequence(self, iovec: Any) -> None:
        """Write several pieces."""
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        """Close when the producer, if there is one, has written everything."""
        if self.disconnecting or self.disconnected:
            return
        self.disconnecting = True
        if self._producer is None:
            self._close(ConnectionDone())

    def abortConnection(self) -> None:
        """Close at once."""
        if not self.disconnected:
            self._arrived.clear()
            self._close(ConnectionLost())

    def getPeer(self) -> MemoryAddress:
        return MemoryAddress()

    def getHost(self) -> MemoryAddress:
        return MemoryAddress()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing."""

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Do nothing."""

    def getTcpKeepAlive(self) -> bool:
        return True

    def loseWriteConnection(self) -> None:
        """Close: half a connection is not faked."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer write."""
        self._producer = producer
        if not streaming:
            self._clock.callLater(0, self._pull)

    def unregisterProducer(self) -> None:
        """Take note that the producer is done."""
        self._producer = None
        if self.disconnecting and not self.disconnected:
            self._close(ConnectionDone())

    def pauseProducing(self) -> None:
        """Keep back what arrives."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Deliver again."""
        self._paused = False
        self._schedule()

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    # What the other end calls

    def _arrive(self, data: bytes) -> None:
        if not self.disconnected:
            self._arrived += data
            self._schedule()

    def _end(self, reason: Exception) -> None:
        if self._closing is None:
            self._closing = reason
            self._schedule()

    def _close(self, reason: Exception) -> None:
        self.disconnecting = True
        other = ConnectionDone() if isinstance(reason, ConnectionDone) else ConnectionLost()
        self._other._end(other)
        self._end(reason)

    # Turns of the clock

    def _pull(self) -> None:
        if self._producer is not None:
            self._producer.resumeProducing()
            self._clock.callLater(0, self._pull)

    def _schedule(self) -> None:
        if self._turn is None or not self._turn.active():
            self._turn = self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        if self.disconnected or (self._paused and self._closing is None):
            return
        if self._arrived and not self._paused:
            data = bytes(self._arrived)
            self._arrived.clear()
            self.protocol.dataReceived(data)
        if self._closing is not None and not self.disconnected:
            self.disconnected = True
            self.protocol.connectionLost(Failure(self._closing))
