"""A dead link is noticed."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX
from txasterisk.ami.irregular import SLOW
from txasterisk.ami.keepalive import PINGS, Pings
from txasterisk.ami.messages import Headers
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
            self.clock.advance(PINGS.every - 1)
            self.assertEqual(self.pbx.hear(), [])
            self.clock.advance(1)
            self.pbx.answer(self.pbx.hear_one("Ping"), ("Ping", "Pong"))
        self.assertFalse(self.pbx.cut)

    def test_no_pong(self) -> None:
        """A ping that is not answered in time ends the link, and everything is told why."""
        waiting = self.ami.next("Hangup")
        self.clock.advance(PINGS.every)
        self.clock.advance(PINGS.within)
        self.clock.advance(0)
        self.assertTrue(self.pbx.cut)
        error = self.failureResultOf(waiting, Disconnected).value
        self.assertIsInstance(error.reason, TimedOut)
        self.assertIn("no answer to a ping within 10 seconds", str(error))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_busy_link(self) -> None:
        """A link on which something is heard is not pinged."""
        for _ in range(3):
            self.clock.advance(PINGS.every - 2)
            self.pbx.tell("Newchannel", ("Channel", "Local/1"))
            self.clock.advance(1)
        self.assertEqual(self.pbx.hear(), [])

    def silence_behind(self, name: str, headers: Headers) -> float | None:
        """Ask for an action, and return how long the ping behind it may take; None is for ever."""
        asked = self.ami.action(name, headers)
        asked.addErrback(lambda _: None)
        self.pbx.hear()
        self.clock.advance(PINGS.every)
        self.pbx.hear_one("Ping")
        limits = self.pbx_limits()
        self.pbx.close()
        self.setUp()
        return limits

    def pbx_limits(self) -> float | None:
        """Return when the one time limit that runs is reached."""
        now = self.clock.seconds()
        calls = self.clock.getDelayedCalls()
        return calls[0].getTime() - now if calls else None

    def test_long_actions(self) -> None:
        """Behind an action that takes long the answer may take as much longer."""
        actions: tuple[tuple[str, dict[str, object], float], ...] = (
            ("QueueStatus", {}, 0),
            ("Originate", {}, 30),
            ("Originate", {"Timeout": 45_500}, 45.5),
            ("Originate", {"Timeout": "long"}, 30),
            ("Originate", {"Timeout": 45_500, "Async": True}, 0),
            ("originate", {"async": "yes"}, 0),
            ("Command", {"Command": "core waitfullybooted"}, SLOW),
            ("Reload", {}, SLOW),
            ("WaitEvent", {"Timeout": 5}, 5),
        )
        for name, headers, seconds in actions:
            allowed = self.silence_behind(name, headers)
            self.assertEqual(allowed, PINGS.within + seconds, (name, headers))
        self.assertIsNone(self.silence_behind("WaitEvent", {}))
        self.assertIsNone(self.silence_behind("WaitEvent", {"Timeout": -1}))

    def test_several_long_actions(self) -> None:
        """Asterisk does one after the other, so their times add up."""
        for _ in range(2):
            self.ami.action("Originate").addErrback(lambda _: None)
        self.clock.advance(PINGS.every)
        self.assertEqual(self.pbx_limits(), PINGS.within + 60)

    def test_given_up_action(self) -> None:
        """What was asked takes its time also when nobody waits for it any more."""
        asked = self.ami.action("Originate")
        asked.addErrback(lambda _: None)
        asked.cancel()
        self.clock.advance(PINGS.every)
        self.assertEqual(self.pbx_limits(), PINGS.within + 30)

    def test_the_silence_begins_with_the_last_sign_of_life(self) -> None:
        """The time of the ping is counted from what was heard last, not from the last look."""
        self.clock.advance(PINGS.every - 1)
        self.pbx.tell("Newchannel")
        self.assertEqual(self.ami.heard_at, self.clock.seconds())
        self.clock.advance(1)
        self.clock.advance(PINGS.every - 2)
        self.assertEqual(self.pbx.hear(), [])
        self.clock.advance(1)
        self.pbx.hear_one("Ping")

    def test_other_times(self) -> None:
        """How often, and how long to wait, can be chosen."""
        ami = AMIProtocol(clock=self.clock, pings=Pings(every=5, within=1))
        pbx = PBX(ami, self.clock)
        logging_in = ami.login("admin", "secret")
        pbx.accept_login()
        self.successResultOf(logging_in)
        self.clock.advance(5)
        pbx.hear_one("Ping")
        self.clock.advance(1)
        self.clock.advance(0)
        self.assertTrue(pbx.cut)

    def test_not_logged_in(self) -> None:
        """Before the login there is no ping."""
        ami = AMIProtocol(clock=self.clock)
        pbx = PBX(ami, self.clock)
        self.clock.advance(PINGS.every)
        self.assertEqual(pbx.hear(), [])

    def test_lost(self) -> None:
        """When the link is lost nothing is left of the watch."""
        self.pbx.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
