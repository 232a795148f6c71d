"""Events one after the other, and what happens when they come too fast."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from txasterisk._streams import HELD_AT_MOST, WINDOW, EventStream
from txasterisk._subscriptions import Subscriptions
from txasterisk.errors import Disconnected, EventsLost

T = TypeVar("T")


@implementer(IPushProducer)
class Link:
    """What feeds the streams."""

    def __init__(self) -> None:
        self.held = False
        self.times_held = 0

    def pauseProducing(self) -> None:
        self.held = True
        self.times_held += 1

    def resumeProducing(self) -> None:
        self.held = False

    def stopProducing(self) -> None:
        """Never called."""


def reading(awaitable: Awaitable[T]) -> Deferred[T]:
    """Begin to await."""

    async def read() -> T:
        return await awaitable

    return Deferred.fromCoroutine(read())


class StreamTestCase(SynchronousTestCase):
    """Has a link that tells numbers, and a stream of them that keeps three."""

    def setUp(self) -> None:
        """Begin with nothing told."""
        self.clock = Clock()
        self.link = Link()
        self.subscriptions: Subscriptions[int] = Subscriptions(
            lambda number, _: number % 2, clock=self.clock
        )
        self.subscriptions.brake.source = self.link
        self.stream = self.subscriptions.stream("Number", limit=3)

    def tell(self, *numbers: int) -> None:
        """Have the link tell some numbers."""
        for number in numbers:
            self.subscriptions.deliver("Number", number)

    def next(self, stream: EventStream[int] | None = None) -> Deferred[int]:
        """Begin to read one number."""
        return reading((stream or self.stream).__anext__())

    def read(self, count: int) -> list[int]:
        """Read so many numbers that are there."""
        return [self.successResultOf(self.next()) for _ in range(count)]

    def assert_ended(self) -> None:
        """The stream has ended, and takes nothing more."""
        self.failureResultOf(self.next(), StopAsyncIteration)
        self.assertEqual(self.subscriptions.by_name["Number"], ())


class ReadingTests(StreamTestCase):
    """Reading a stream."""

    def test_in_order(self) -> None:
        """What came before it was read is read in the order in which it came."""
        self.tell(1, 2, 3)
        self.assertEqual(self.read(3), [1, 2, 3])

    def test_waiting(self) -> None:
        """Who reads before anything came gets it when it comes, each their own."""
        first, second = self.next(), self.next()
        self.assertNoResult(first)
        self.tell(1, 2)
        self.assertEqual([self.successResultOf(one) for one in (first, second)], [1, 2])

    def test_names_and_match(self) -> None:
        """A stream takes names and wishes as a listener does."""
        odd = self.subscriptions.stream(["Num*", "Other"], parity=1)
        self.tell(2, 3)
        self.assertEqual(self.successResultOf(self.next(odd)), 3)

    def test_async_for(self) -> None:
        """``async for`` reads until the stream is cancelled."""
        numbers = []

        async def read() -> None:
            async for number in self.stream:
                numbers.append(number)

        done = Deferred.fromCoroutine(read())
        self.tell(1, 2, 3, 4, 5)
        self.assertNoResult(done)
        self.stream.cancel()
        self.successResultOf(done)
        self.assertEqual(numbers, [1, 2, 3, 4, 5])

    def test_cancelled_reading(self) -> None:
        """A reading that is cancelled takes no event with it."""
        reading = self.next()
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.tell(1)
        self.assertEqual(self.read(1), [1])

    def test_no_room_at_all(self) -> None:
        """A stream that keeps nothing is refused."""
        with self.assertRaises(ValueError):
            self.subscriptions.stream("Number", limit=0)
        self.assertEqual(len(self.subscriptions.by_name["Number"]), 1)


class EndTests(StreamTestCase):
    """How a stream ends."""

    def test_cancel(self) -> None:
        """A stream that is cancelled ends, and what it kept is gone."""
        self.tell(1)
        self.stream.cancel()
        self.stream.cancel()
        self.assert_ended()

    def test_with(self) -> None:
        """Leaving its ``with`` block cancels it."""
        with self.stream as stream:
            self.assertIs(stream, self.stream)
        self.assert_ended()

    def test_forgotten(self) -> None:
        """A stream that nobody holds any more ends, as after ``break``."""

        async def read_one() -> int:
            async for number in self.subscriptions.stream("Other"):
                return number
            return 0

        one = Deferred.fromCoroutine(read_one())
        self.subscriptions.deliver("Other", 1)
        self.assertEqual(self.successResultOf(one), 1)
        self.assertEqual(self.subscriptions.by_name["Other"], ())

    def test_no_more_events(self) -> None:
        """When no more can come, all that came is read first; then it fails, and then it ends."""
        waiting = self.next(other := self.subscriptions.stream("Number"))
        self.subscriptions.deliver("Other", 0)
        self.subscriptions.fail(Disconnected("gone"))
        self.failureResultOf(waiting, Disconnected)
        self.failureResultOf(self.next(other), StopAsyncIteration)

    def test_what_came_before(self) -> None:
        """What came before the end is read first."""
        self.tell(1, 2)
        self.subscriptions.fail(Disconnected("gone"))
        self.tell(3)
        self.assertEqual(self.read(2), [1, 2])
        self.failureResultOf(self.next(), Disconnected)
        self.failureResultOf(self.next(), StopAsyncIteration)

    def test_several_readers(self) -> None:
        """Of several that wait one is told why it ended, the others that it did."""
        first, second = self.next(), self.next()
        self.subscriptions.fail(Disconnected("gone"))
        self.failureResultOf(first, Disconnected)
        self.failureResultOf(second, StopAsyncIteration)


class FullTests(StreamTestCase):
    """What happens when a stream is read too slowly."""

    def test_held_back(self) -> None:
        """At the limit the link is held back, and goes on when half of it is read."""
        self.tell(1, 2)
        self.assertFalse(self.link.held)
        self.tell(3)
        self.assertTrue(self.link.held)
        self.read(1)
        self.assertTrue(self.link.held)
        self.read(1)
        self.assertFalse(self.link.held)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_same_segment(self) -> None:
        """What comes although the link is held back is kept: it was on the way already."""
        self.tell(1, 2, 3, 4, 5)
        self.assertEqual(self.link.times_held, 1)
        self.read(3)
        self.assertTrue(self.link.held)
        self.assertEqual(self.read(2), [4, 5])
        self.assertFalse(self.link.held)

    def test_for_a_moment_only(self) -> None:
        """After a moment the link goes on all the same, before Asterisk gives it up."""
        self.tell(1, 2, 3)
        self.clock.advance(HELD_AT_MOST)
        self.assertFalse(self.link.held)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """What comes after that is lost; what was kept is read, and then how much was lost."""
        self.tell(1, 2, 3)
        self.clock.advance(HELD_AT_MOST)
        self.tell(4, 5)
        self.assertEqual(self.read(1), [1])
        self.tell(6)
        self.assertEqual(self.read(2), [2, 3])
        error = self.failureResultOf(self.next(), EventsLost).value
        self.assertEqual(error.count, 3)
        self.assert_ended()

    def test_lost_and_then_no_more(self) -> None:
        """What was lost is told also when no more events can come."""
        self.tell(1, 2, 3)
        self.clock.advance(HELD_AT_MOST)
        self.tell(4)
        self.subscriptions.fail(Disconnected("gone"))
        self.read(3)
        self.failureResultOf(self.next(), EventsLost)
        self.failureResultOf(self.next(), Disconnected)

    def test_nothing_lost_yet(self) -> None:
        """A stream that was full, but from which nothing was lost, goes on when it is read."""
        self.tell(1, 2, 3)
        self.clock.advance(HELD_AT_MOST)
        self.read(1)
        self.tell(4)
        self.assertEqual(self.read(3), [2, 3, 4])
        self.tell(5)
        self.assertEqual(self.read(1), [5])

    def test_again(self) -> None:
        """Soon after a moment is used up the link is not held back again; later it may be."""
        self.tell(1, 2, 3)
        self.clock.advance(HELD_AT_MOST)
        self.read(3)
        self.tell(4, 5, 6)
        self.assertFalse(self.link.held)
        self.read(3)
        self.clock.advance(WINDOW)
        self.tell(7, 8, 9)
        self.assertTrue(self.link.held)

    def test_again_and_again(self) -> None:
        """Several short moments together are no longer than one may be."""
        for _ in range(3):
            self.tell(1, 2, 3)
            self.clock.advance(HELD_AT_MOST / 4)
            self.assertTrue(self.link.held)
            self.read(3)
            self.assertFalse(self.link.held)
        self.tell(1, 2, 3)
        self.assertTrue(self.link.held)
        self.clock.advance(HELD_AT_MOST / 3)
        self.assertFalse(self.link.held)

    def test_two_streams(self) -> None:
        """The link is held back until every stream has room."""
        other = self.subscriptions.stream("Number", limit=3)
        self.tell(1, 2, 3)
        self.read(3)
        self.assertTrue(self.link.held)
        self.successResultOf(self.next(other))
        self.successResultOf(self.next(other))
        self.assertFalse(self.link.held)

    def test_cancelled_while_full(self) -> None:
        """A full stream that is cancelled holds nothing back."""
        self.tell(1, 2, 3)
        self.stream.cancel()
        self.assertFalse(self.link.held)

    def test_nothing_to_hold_back(self) -> None:
        """Without a link to hold back, what finds no room is lost."""
        self.subscriptions.brake.source = None
        self.tell(1, 2, 3, 4)
        self.assertEqual(self.read(3), [1, 2, 3])
        self.assertEqual(self.failureResultOf(self.next(), EventsLost).value.count, 1)

    def test_link_gone_meanwhile(self) -> None:
        """When the link goes while it is held back, nothing more is done to it."""
        self.tell(1, 2, 3)
        self.subscriptions.brake.source = None
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.link.held)
        self.assertEqual(self.read(3), [1, 2, 3])

    @given(st.lists(st.sampled_from(["tell", "read", "wait"]), max_size=60))
    def test_nothing_is_dropped_without_a_word(self, steps: list[str]) -> None:
        """Whatever happens in what order, what is read and what is told as lost make up all."""
        self.setUp()
        told = 0
        read: list[int] = []
        for step in steps:
            if step == "tell":
                told += 1
                self.tell(told)
            elif step == "wait":
                self.clock.advance(HELD_AT_MOST)
            elif len(read) < told:
                result = self.next()
                if result.called and isinstance(getattr(result, "result", None), int):
                    read.append(self.successResultOf(result))
                else:
                    lost = self.failureResultOf(result, EventsLost).value.count
                    self.assertEqual(len(read) + lost, told)
                    break
        self.assertEqual(read, list(range(1, len(read) + 1)))
