"""A dead link is noticed."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX
from txasterisk.ami.keepalive import PING_EVERY, PONG_WITHIN
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.errors import Disconnected, TimedOut


class KeepAliveTests(SynchronousTestCase):
    """Pings on a silent link."""

    def setUp(self) -> None:
        """Log in."""
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock)
        logging_in = self.ami.login("admin", "secret")
        self.pbx.accept_login()
        self.successResultOf(logging_in)

    def test_silence(self) -> None:
        """After a silence there is a ping; its answer begins the next silence."""
        for _ in range(3):
            self.clock.advance(PING_EVERY - 1)
            self.assertEqual(self.pbx.hear(), [])
            self.clock.advance(1)
            self.pbx.answer(self.pbx.hear_one("Ping"), ("Ping", "Pong"))
        self.assertFalse(self.pbx.cut)

    def test_no_pong(self) -> None:
        """A ping that is not answered in time ends the link, and everything is told why."""
        waiting = self.ami.next("Hangup")
        self.clock.advance(PING_EVERY)
        self.clock.advance(PONG_WITHIN)
        self.clock.advance(0)
        self.assertTrue(self.pbx.cut)
        error = self.failureResultOf(waiting, Disconnected).value
        self.assertIsInstance(error.reason, TimedOut)
        self.assertIn("no answer to a ping within 10 seconds", str(error))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_busy_link(self) -> None:
        """A link on which something is heard is not pinged."""
        for _ in range(3):
            self.clock.advance(PING_EVERY - 1)
            self.pbx.tell("Newchannel", ("Channel", "Local/1"))
            self.clock.advance(1)
        self.assertEqual(self.pbx.hear(), [])

    def test_long_action(self) -> None:
        """While somebody waits for an action Asterisk may be silent: it does one at a time."""
        asked = self.ami.action("Originate")
        originate = self.pbx.hear_one("Originate")
        self.clock.advance(PING_EVERY)
        self.clock.advance(PING_EVERY)
        self.assertEqual(self.pbx.hear(), [])
        self.pbx.answer(originate)
        self.successResultOf(asked)
        self.clock.advance(PING_EVERY)
        self.clock.advance(PING_EVERY)
        self.pbx.hear_one("Ping")

    def test_given_up_action(self) -> None:
        """An action that nobody waits for any more does not stop the pings."""
        asked = self.ami.action("IAXnetstats")
        asked.addErrback(lambda _: None)
        asked.cancel()
        self.pbx.hear_one("IAXnetstats")
        self.clock.advance(PING_EVERY)
        self.pbx.hear_one("Ping")

    def test_not_logged_in(self) -> None:
        """Before the login there is no ping."""
        ami = AMIProtocol(clock=self.clock)
        pbx = PBX(ami, self.clock)
        self.clock.advance(PING_EVERY)
        self.assertEqual(pbx.hear(), [])

    def test_lost(self) -> None:
        """When the link is lost nothing is left of the watch."""
        self.pbx.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
