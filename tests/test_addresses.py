"""Addresses in the log."""

from __future__ import annotations

from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._addresses import readable


class ReadableTests(SynchronousTestCase):
    """As people write them."""

    def test_tcp(self) -> None:
        """Host and port; one of IPv6 in brackets, or nobody could tell its port."""
        self.assertEqual(readable(IPv4Address("TCP", "192.0.2.1", 4573)), "192.0.2.1:4573")
        self.assertEqual(readable(IPv6Address("TCP", "::1", 4573)), "[::1]:4573")

    def test_unix(self) -> None:
        """The path of a Unix socket; the connecting end has none."""
        self.assertEqual(readable(UNIXAddress("/run/agi.sock")), "/run/agi.sock")
        self.assertEqual(readable(UNIXAddress(None)), "")

    def test_others(self) -> None:
        """What is known of others is what they say of themselves."""
        self.assertEqual(
            readable(HostnameAddress(b"example", 1)), str(HostnameAddress(b"example", 1))
        )
