"""TCP's own keep-alive."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from txasterisk._tcp import watch_by_tcp


class Transport:
    """A transport that has a socket."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.socket = socket.socket(family)

    def getHandle(self) -> socket.socket:
        """Return the socket, as Twisted's transports do."""
        return self.socket


class TLS:
    """A transport that encrypts what another carries."""

    def __init__(self, transport: Transport) -> None:
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
