"""Many time limits, one delayed call."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._time_limits import TimeLimits


class TimeLimitsTests(SynchronousTestCase):
    """Who must not wait for ever."""

    def setUp(self) -> None:
        """Make some, and note when which is reached."""
        self.clock = Clock()
        self.reached: list[tuple[str, float]] = []
        self.limits: TimeLimits[str] = TimeLimits(self.clock, self.note)

    def note(self, key: str) -> None:
        """Note what is reached, and when."""
        self.reached.append((key, self.clock.seconds()))

    def pass_by(self, seconds: float) -> None:
        """Let time pass, a quarter of a second at once."""
        self.clock.pump([0.25] * int(seconds * 4))

    def test_reached(self) -> None:
        """A limit is reached when its time is up, not before and only once."""
        self.limits.start("a", 2)
        self.pass_by(1.75)
        self.assertEqual(self.reached, [])
        self.pass_by(10)
        self.assertEqual(self.reached, [("a", 2)])

    def test_several(self) -> None:
        """Each is reached at its own time, in whatever order they were started."""
        for key, seconds in ("c", 3), ("a", 1), ("d", 4), ("b", 2):
            self.limits.start(key, seconds)
        self.pass_by(10)
        self.assertEqual(self.reached, [("a", 1), ("b", 2), ("c", 3), ("d", 4)])

    def test_started_later(self) -> None:
        """A limit counts from its own start."""
        self.limits.start("a", 2)
        self.pass_by(1)
        self.limits.start("b", 2)
        self.pass_by(10)
        self.assertEqual(self.reached, [("a", 2), ("b", 3)])

    def test_at_once(self) -> None:
        """No seconds at all are over with the next turn of the clock."""
        self.limits.start("a", 0)
        self.assertEqual(self.reached, [])
        self.clock.advance(0)
        self.assertEqual(self.reached, [("a", 0)])

    def test_the_oldest(self) -> None:
        """It is known how many limits run, and which for the longest time."""
        for key, seconds in ("a", 3), ("b", 1), ("c", 2):
            self.limits.start(key, seconds)
        self.assertEqual((len(self.limits), self.limits.oldest), (3, "a"))
        self.limits.stop("a")
        self.assertEqual((len(self.limits), self.limits.oldest), (2, "b"))

    def test_stopped(self) -> None:
        """A limit that is stopped is never reached, and the others are in time."""
        self.limits.start("a", 1)
        self.limits.start("b", 2)
        self.limits.stop("a")
        self.pass_by(10)
        self.assertEqual(self.reached, [("b", 2)])

    def test_stop_what_has_none(self) -> None:
        """To stop what has no limit is no mistake."""
        self.limits.stop("a")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_started_again(self) -> None:
        """What is started again has its new limit only, longer or shorter."""
        self.limits.start("a", 1)
        self.limits.start("a", 3)
        self.limits.start("b", 3)
        self.limits.start("b", 2)
        self.pass_by(10)
        self.assertEqual(self.reached, [("b", 2), ("a", 3)])

    def test_shorter_after_one_was_reached(self) -> None:
        """A shorter limit than all that are left is in time, and so are they."""
        self.limits.start("a", 1)
        self.limits.start("b", 5)
        self.pass_by(2)
        self.limits.start("c", 1)
        self.pass_by(10)
        self.assertEqual(self.reached, [("a", 1), ("c", 3), ("b", 5)])

    def test_one_delayed_call(self) -> None:
        """However many limits there are, the reactor has one delayed call, and in the end none."""
        for number in range(100):
            self.limits.start(f"{number}", 1 + number % 7)
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.pass_by(5)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.pass_by(2)
        self.assertEqual(len(self.reached), 100)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_stopped(self) -> None:
        """When all are stopped the delayed call ends by itself."""
        self.limits.start("a", 1)
        self.limits.stop("a")
        self.pass_by(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clear(self) -> None:
        """To drop them all leaves nothing with the reactor; harmless when repeated."""
        self.limits.start("a", 1)
        self.limits.start("b", 2)
        self.limits.clear()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.limits.clear()
        self.pass_by(10)
        self.assertEqual(self.reached, [])

    def test_start_after_clear(self) -> None:
        """After all were dropped new ones can be started."""
        self.limits.start("a", 1)
        self.limits.clear()
        self.limits.start("b", 1)
        self.pass_by(1)
        self.assertEqual(self.reached, [("b", 1)])


class WhenReachedTests(SynchronousTestCase):
    """What may be done with the limits while one is reached."""

    def setUp(self) -> None:
        """Make some, of which "a" acts when it is reached."""
        self.clock = Clock()
        self.reached: list[tuple[str, float]] = []
        self.limits: TimeLimits[str] = TimeLimits(self.clock, self.act)
        self.when_a_is_reached: Callable[[], object]

    def act(self, key: str) -> None:
        """Note what is reached, and do what the test is about."""
        self.reached.append((key, self.clock.seconds()))
        if key == "a":
            self.when_a_is_reached()

    def test_stop_another(self) -> None:
        """One that is stopped is not reached, even if its time is up as well."""
        self.when_a_is_reached = lambda: self.limits.stop("b")
        self.limits.start("a", 1)
        self.limits.start("b", 1)
        self.clock.advance(1)
        self.assertEqual(self.reached, [("a", 1)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_restart_another(self) -> None:
        """One that gets more time has it, even if its time was up as well."""
        self.when_a_is_reached = lambda: self.limits.start("b", 5)
        self.limits.start("a", 1)
        self.limits.start("b", 1)
        self.clock.advance(1)
        self.assertEqual(self.reached, [("a", 1)])
        self.clock.advance(5)
        self.assertEqual(self.reached, [("a", 1), ("b", 6)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_restart_itself(self) -> None:
        """The one that is reached may be started again."""
        self.when_a_is_reached = lambda: self.limits.start("a", 2)
        self.limits.start("a", 1)
        self.clock.pump([1] * 5)
        self.assertEqual(self.reached, [("a", 1), ("a", 3), ("a", 5)])
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_clear(self) -> None:
        """All may be dropped."""
        self.when_a_is_reached = self.limits.clear
        self.limits.start("a", 1)
        self.limits.start("b", 1)
        self.limits.start("c", 2)
        self.clock.advance(1)
        self.assertEqual(self.reached, [("a", 1)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
