"""Bytes that do not wait for the reactor."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._tcp import writes_at_once


class Socket(Connection):
    """A plain connection that takes so much at once, and notes what it is to take later."""

    def __init__(self, takes: int | BaseException, *, tls: bool = False) -> None:
        self.TLS = tls
        self.takes = takes
        self.sent: list[bytes] = []
        self.later: list[bytes] = []

    def writeSomeData(self, data: bytes) -> int | BaseException:
        """Send as much as goes."""
        if isinstance(self.takes, int):
            self.sent.append(data[: self.takes])
            return len(self.sent[-1])
        return self.takes

    def write(self, data: bytes) -> None:
        """Keep it for later."""
        self.later.append(data)


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
