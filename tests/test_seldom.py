"""What comes by the thousand, and is logged once a minute."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._seldom import MAX_KINDS, Seldom


class SeldomTests(SynchronousTestCase):
    """A flood of complaints."""

    def setUp(self) -> None:
        """Keep what is logged."""
        self.clock = Clock()
        self.seldom = Seldom(self.clock)
        self.logged: list[str] = []
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def log(self, what: str, **values: Any) -> None:
        """Be the method of a logger."""
        self.logged.append(what.format(**values))

    def tell(self, who: str, **about: object) -> None:
        """Complain about someone."""
        self.seldom.tell(self.log, "{who} is silent", who=who, **about)

    def test_the_first_is_told_at_once(self) -> None:
        """One complaint is a line, and leaves nothing to be done later."""
        self.tell("a")
        self.assertEqual(self.logged, ["a is silent"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_flood_is_a_count_once_a_minute(self) -> None:
        """What follows is counted, and told with the last one as the example."""
        for who in "abc":
            self.tell(who)
        self.clock.advance(59)
        self.assertEqual(self.logged, ["a is silent"])
        self.clock.advance(1)
        self.assertEqual(self.logged[1:], ["c is silent (and 2 more like this)"])

    def test_while_it_goes_on_each_minute_has_its_line(self) -> None:
        """A count is followed by the next a minute later."""
        for _ in range(180):
            self.tell("a")
            self.clock.advance(1)
        more = "a is silent (and {} more like this)"
        self.assertEqual(self.logged, ["a is silent", *(more.format(n) for n in (59, 60, 60))])

    def test_after_a_quiet_minute_it_is_news_again(self) -> None:
        """What has not come for a minute is told at once."""
        self.tell("a")
        self.clock.advance(60)
        self.tell("b")
        self.assertEqual(self.logged, ["a is silent", "b is silent"])

    def test_what_is_different_is_told(self) -> None:
        """Another format is another complaint, and so is the same about something else."""
        self.tell("a", about=1)
        self.tell("a", about=2)
        self.seldom.tell(self.log, "{who} is loud", who="a")
        self.assertEqual(self.logged, ["a is silent", "a is silent", "a is loud"])

    def test_what_is_told_apart_is_bounded(self) -> None:
        """When a stranger thinks of ever new things to complain about, they become one kind."""
        for about in range(2 * MAX_KINDS):
            self.tell("a", about=about)
        self.assertEqual(len(self.logged), MAX_KINDS + 1)
        self.clock.advance(60)
        self.assertEqual(self.logged[-1], f"a is silent (and {MAX_KINDS - 1} more like this)")
        self.clock.advance(60)
        self.tell("a", about="something else")
        self.assertEqual(self.logged[-1], "a is silent")

    def test_flush(self) -> None:
        """What was only counted can be told before its time, and is not told again."""
        self.tell("a")
        self.tell("b")
        self.seldom.flush()
        self.assertEqual(self.logged, ["a is silent", "b is silent (and 1 more like this)"])
        self.seldom.flush()
        self.clock.advance(60)
        self.assertEqual(len(self.logged), 2)
