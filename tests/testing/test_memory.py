"""Connections without sockets."""

from __future__ import annotations

from twisted.internet import error
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.testing.memory import MemoryEndpoint


class Recorder(Protocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.lost: BaseException | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason.value


class MemoryEndpointTests(SynchronousTestCase):
    """A client and a server, and the clock in between."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.client, self.server = Recorder(), Recorder()
        listening = Factory.forProtocol(lambda: self.server)
        endpoint = MemoryEndpoint(self.clock, lambda: listening)
        self.successResultOf(endpoint.connect(Factory.forProtocol(lambda: self.client)))

    def test_write(self) -> None:
        """What is written arrives in the next turn of the clock, never before."""
        assert self.client.transport is not None
        self.client.transport.write(b"one")
        self.client.transport.write(b"two")
        self.assertEqual(self.server.received, [])
        self.clock.advance(0)
        self.assertEqual(self.server.received, [b"onetwo"])

    def test_close(self) -> None:
        """Closing lets arrive what was written before, and ends both sides."""
        assert self.client.transport is not None
        self.client.transport.write(b"bye")
        self.client.transport.loseConnection()
        self.client.transport.write(b"late")
        self.clock.advance(0)
        self.assertEqual(self.server.received, [b"bye"])
        self.assertIsInstance(self.server.lost, error.ConnectionDone)
        self.assertIsInstance(self.client.lost, error.ConnectionDone)

    def test_nobody_listens(self) -> None:
        """Where nobody listens the connection is refused."""
        endpoint = MemoryEndpoint(self.clock, lambda: None)
        connecting = endpoint.connect(Factory.forProtocol(Recorder))
        self.failureResultOf(connecting, error.ConnectionRefusedError)
