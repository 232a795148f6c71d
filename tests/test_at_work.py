"""What is at work, and the wait until nothing is."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._at_work import AtWork


class AtWorkTests(SynchronousTestCase):
    """Calls come and go."""

    def setUp(self) -> None:
        """Begin with nobody at work."""
        self.clock = Clock()
        self.work: AtWork[str] = AtWork(self.clock)

    def test_nobody(self) -> None:
        """When nobody has begun there is nothing to wait for."""
        self.assertIsNone(self.successResultOf(self.work.when_idle()))

    def test_the_last_one(self) -> None:
        """The wait is over with the last one, and a later one is waited for anew."""
        self.work.begin("a")
        self.work.begin("b")
        idle = self.work.when_idle()
        self.work.end("a")
        self.assertNoResult(idle)
        self.work.end("b")
        self.successResultOf(idle)
        self.work.begin("c")
        self.assertNoResult(self.work.when_idle())

    def test_within_a_time(self) -> None:
        """Who waits for a time is told whether it was enough, and nothing is left behind."""
        self.work.begin("a")
        late = Deferred.fromCoroutine(self.work.idle_within(5))
        self.clock.advance(5)
        self.assertFalse(self.successResultOf(late))
        soon = Deferred.fromCoroutine(self.work.idle_within(5))
        self.work.end("a")
        self.assertTrue(self.successResultOf(soon))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_changes_meanwhile(self) -> None:
        """Who goes while one goes through them disturbs nothing."""
        for name in "ab":
            self.work.begin(name)
        for name in self.work:
            self.work.end(name)
        self.assertEqual(len(self.work), 0)
