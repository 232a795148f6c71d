"""What is reached or missed once, for everyone who asks."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._milestone import Milestone


class MilestoneTests(SynchronousTestCase):
    """Waiting for a milestone."""

    def setUp(self) -> None:
        """Make one."""
        self.milestone: Milestone[str] = Milestone()

    def test_undecided(self) -> None:
        """At first nothing is decided."""
        self.assertFalse(self.milestone.decided)
        self.assertNoResult(self.milestone.when())

    def test_reached(self) -> None:
        """When it is reached everyone who waits hears of it, and so does who asks later."""
        early = [self.milestone.when(), self.milestone.when()]
        self.milestone.reach("there")
        late = self.milestone.when()
        self.assertEqual([self.successResultOf(d) for d in [*early, late]], ["there"] * 3)
        self.assertTrue(self.milestone.decided)

    def test_missed(self) -> None:
        """When it is missed everyone who waits hears why, and so does who asks later."""
        error = ValueError("not today")
        early = [self.milestone.when(), self.milestone.when()]
        self.milestone.miss(error)
        for waiting in [*early, self.milestone.when()]:
            self.assertIs(self.failureResultOf(waiting).value, error)
        self.assertTrue(self.milestone.decided)

    def test_missed_unnoticed(self) -> None:
        """A milestone may be missed while nobody waits, without a word in the log."""
        self.milestone.miss(ValueError("not today"))
        self.assertTrue(self.milestone.decided)

    def test_reached_with_nothing(self) -> None:
        """None is as good a value as any."""
        milestone: Milestone[None] = Milestone()
        milestone.reach(None)
        self.assertTrue(milestone.decided)
        self.assertIsNone(self.successResultOf(milestone.when()))

    def test_first_decision_counts(self) -> None:
        """What is decided stays so."""
        self.milestone.reach("there")
        self.milestone.reach("elsewhere")
        self.milestone.miss(ValueError("too late"))
        self.assertEqual(self.successResultOf(self.milestone.when()), "there")

    def test_fresh_each_time(self) -> None:
        """Who changes the result of its Deferred changes it for nobody else."""
        self.milestone.when().addCallback(lambda _: None)
        other = self.milestone.when()
        self.milestone.reach("there")
        self.assertEqual(self.successResultOf(other), "there")

    def test_cancel(self) -> None:
        """Who cancels waits no more; the others do."""
        first, second = self.milestone.when(), self.milestone.when()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        self.milestone.reach("there")
        self.assertEqual(self.successResultOf(second), "there")

    def test_cancel_another_when_reached(self) -> None:
        """Who hears of it may cancel another who waits, and the rest still hear."""
        waiting = [self.milestone.when() for _ in range(3)]
        waiting[0].addCallback(lambda _: waiting[1].cancel())
        self.milestone.reach("there")
        self.successResultOf(waiting[0])
        self.failureResultOf(waiting[1], CancelledError)
        self.assertEqual(self.successResultOf(waiting[2]), "there")

    def test_cancel_another_when_missed(self) -> None:
        """Who hears that it was missed may cancel another who waits, and the rest still hear."""
        waiting = [self.milestone.when() for _ in range(3)]
        waiting[0].addErrback(lambda _: waiting[1].cancel())
        self.milestone.miss(ValueError("not today"))
        self.successResultOf(waiting[0])
        self.failureResultOf(waiting[1], CancelledError)
        self.failureResultOf(waiting[2], ValueError)

    def test_ask_when_told(self) -> None:
        """Who hears of it may ask again at once."""
        again: list[Deferred[str]] = []
        self.milestone.when().addCallback(lambda _: again.append(self.milestone.when()))
        self.milestone.reach("there")
        self.assertEqual(self.successResultOf(again[0]), "there")
