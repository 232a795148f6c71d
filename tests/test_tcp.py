"""TCP's own keep-alive, and bytes that do not wait for the reactor."""

from __future__ import annotations

import socket

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._tcp import free_descriptor, read_now, watch_by_tcp, writes_at_once


class Transport:
    """A transport that has a socket."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.socket = socket.socket(family)

    def getHandle(self) -> socket.socket:
        """Return the socket, as Twisted's transports do."""
        return self.socket


class TLS:
    """A transport that encrypts what another carries."""

    def __init__(self, transport: object) -> None:
        self.transport = transport

    def getHandle(self) -> object:
        """Return what encrypts, as Twisted does."""
        return object()


class WatchByTCPTests(SynchronousTestCase):
    """A silent link is probed."""

    def watched(self, family: socket.AddressFamily) -> socket.socket:
        """Have the socket of a transport watched."""
        transport = Transport(family)
        self.addCleanup(transport.socket.close)
        watch_by_tcp(transport)
        return transport.socket

    def test_tcp(self) -> None:
        """On TCP the kernel probes a silent link after half a minute."""
        tcp = self.watched(socket.AF_INET)
        self.assertEqual(tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
        self.assertEqual(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 30)

    def test_tls(self) -> None:
        """Beneath TLS there is TCP, too."""
        transport = Transport(socket.AF_INET)
        self.addCleanup(transport.socket.close)
        watch_by_tcp(TLS(transport))
        tcp = transport.socket
        self.assertEqual(tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)

    def test_gone(self) -> None:
        """It does no harm where the system refuses it."""
        transport = Transport(socket.AF_INET)
        transport.socket.close()
        watch_by_tcp(transport)

    def test_others(self) -> None:
        """What is no TCP is left alone."""
        unix = self.watched(socket.AF_UNIX)
        self.assertEqual(unix.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 0)
        watch_by_tcp(object())


class Socket(Connection):
    """A plain connection that takes so much at once, and notes what it is to take later."""

    def __init__(self, takes: int | ConnectionLost, *, tls: bool = False) -> None:
        self.TLS = tls
        self.takes = takes
        self.sent: list[bytes] = []
        self.later: list[bytes] = []

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        """Send as much as goes."""
        if isinstance(self.takes, int):
            self.sent.append(data[: self.takes])
            return len(self.sent[-1])
        return self.takes

    def write(self, data: bytes) -> None:
        """Keep it for later."""
        self.later.append(data)


class Noting(Connection):
    """A connection that notes what it is to do."""

    def __init__(self) -> None:
        self.reasons: list[object] = []
        self.reads = 0

    def doRead(self) -> None:
        """Count."""
        self.reads += 1

    def connectionLost(self, reason: Failure) -> None:
        """Note why."""
        self.reasons.append(reason.value)


class ReadNowTests(SynchronousTestCase):
    """Reading before the reactor does."""

    def test_connections(self) -> None:
        """A connection reads, or the one beneath TLS; what has no socket has nothing to read."""
        connection = Noting()
        read_now(connection)
        read_now(TLS(connection))
        read_now(StringTransport())
        self.assertEqual(connection.reads, 2)


class FreeDescriptorTests(SynchronousTestCase):
    """Closing a socket before the reactor does."""

    def test_a_connection(self) -> None:
        """It is closed at once, and what is above it is told."""
        connection = Noting()
        free_descriptor(connection)
        self.assertIsInstance(connection.reasons[0], ConnectionAborted)

    def test_tls(self) -> None:
        """It is the connection beneath that has the socket."""
        connection = Noting()
        free_descriptor(TLS(connection))
        self.assertIsInstance(connection.reasons[0], ConnectionAborted)

    def test_others(self) -> None:
        """What has no socket has no descriptor."""
        free_descriptor(StringTransport())


class WritingTests(SynchronousTestCase):
    """Writing to a transport with nothing left to write."""

    def test_at_once(self) -> None:
        """A plain socket gets it without delay."""
        transport = Socket(100)
        writes_at_once(transport)(b"NOOP\n")
        self.assertEqual((transport.sent, transport.later), ([b"NOOP\n"], []))

    def test_what_does_not_go_at_once(self) -> None:
        """What a full socket does not take is written when it can."""
        transport = Socket(3)
        writes_at_once(transport)(b"NOOP\n")
        self.assertEqual((transport.sent, transport.later), ([b"NOO"], [b"P\n"]))

    def test_a_lost_connection(self) -> None:
        """A connection that is lost is found to be so in the usual way."""
        transport = Socket(ConnectionLost())
        writes_at_once(transport)(b"NOOP\n")
        self.assertEqual((transport.sent, transport.later), ([], [b"NOOP\n"]))

    def test_tls(self) -> None:
        """Nothing goes past the encryption."""
        transport = Socket(100, tls=True)
        writes_at_once(transport)(b"NOOP\n")
        self.assertEqual((transport.sent, transport.later), ([], [b"NOOP\n"]))

    def test_another_transport(self) -> None:
        """Any other transport is written to as ever."""
        transport = StringTransport()
        writes_at_once(transport)(b"NOOP\n")
        self.assertEqual(transport.value(), b"NOOP\n")
