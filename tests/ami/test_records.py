"""Actions over TLS."""

from __future__ import annotations

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from tests.ami.pbx import PBX
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.ami.records import TLSWriter


class TLSWriterTests(SynchronousTestCase):
    """The last record of a burst is small, or Asterisk stalls."""

    def setUp(self) -> None:
        """Write to a list, of which each element is a write."""
        self.clock = Clock()
        self.writes: list[bytes] = []
        self.writer = TLSWriter(self, self.clock)  # type: ignore[arg-type]  # it only writes

    def write(self, data: bytes) -> None:
        """Note what is written."""
        self.writes.append(data)

    def test_one_action(self) -> None:
        """The line end that closes an action is written in the next turn."""
        self.writer.write(b"Action: Ping\r\n\r\n")
        self.assertEqual(self.writes, [b"Action: Ping\r\n"])
        self.clock.advance(0)
        self.assertEqual(self.writes, [b"Action: Ping\r\n", b"\r\n"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_burst(self) -> None:
        """Of several actions in a turn, only the last one's line end is kept back."""
        self.writer.write(b"Action: A\r\n\r\n")
        self.writer.write(b"Action: B\r\n\r\n")
        self.clock.advance(0)
        self.assertEqual(self.writes, [b"Action: A\r\n", b"\r\nAction: B\r\n", b"\r\n"])

    def test_stop(self) -> None:
        """What is kept back when the link is gone is not written any more."""
        self.writer.write(b"Action: A\r\n\r\n")
        self.writer.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_only_over_tls(self) -> None:
        """A connection over TLS writes so; the answer finds its question as ever."""
        ami = AMIProtocol(clock=self.clock)
        pbx = PBX(ami, self.clock, greeting=False)
        directlyProvides(pbx.wire, ISSLTransport)
        ami.makeConnection(pbx.wire)
        asked = ami.action("Ping")
        self.assertEqual(pbx.hear(), [])
        self.clock.advance(0)
        pbx.say(b"Asterisk Call Manager/11.0.0\r\n")
        pbx.answer(pbx.hear_one("Ping"))
        self.successResultOf(asked)
