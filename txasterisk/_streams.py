"""
Events one after the other, for ``async for``; and what happens when they come too fast.

A stream keeps what its reader has not taken yet, up to a limit. At the limit the link is held back
for a moment, or until half of it is read. AMI and ARI can be held back no longer than that, nor
soon again: Asterisk gives up a peer that does not take a message within its write time-out. What
comes after that, and finds the stream still full, is lost; the reader is told so, and how much,
when it has read all before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any, Final, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime

from ._cancellable import Cancellable
from ._reactor import the_reactor
from .errors import EventsLost

__all__ = ["HELD_AT_MOST", "STREAM_LIMIT", "Brake", "Buffer", "EventStream"]

#: Seconds that a link is held back at most within each :data:`WINDOW`. Asterisk cuts a link whose
#: message is not taken within its write time-out, of which the least and the default is 0.1; two
#: windows may adjoin. Nor does it go on to write before a good part of what the kernel has kept is
#: read, so holding back briefly but again and again is no better (seen on 16.28 and 22.10).
HELD_AT_MOST: Final = 0.04
#: Seconds within which a link recovers.
WINDOW: Final = 1.0

#: How many events a stream keeps unless told otherwise: some 500 kB of AMI, and the events of
#: about twenty calls from beginning to end.
STREAM_LIMIT: Final = 1000

E = TypeVar("E")


class Brake:
    """
    Holds back the link that feeds some streams while one of them is full, for a moment at most.

    :param clock: measures the moment; the global reactor by default.
    :ivar source: the link's transport, or None while there is nothing to hold back.
    """

    def __init__(self, clock: IReactorTime | None = None) -> None:
        self._clock = clock
        self._source: IPushProducer | None = None
        self._full: dict[Buffer[Any], None] = {}
        self._moment: IDelayedCall | None = None
        self._window_began = -inf
        self._hold_began = 0.0
        self._held = 0.0

    @property
    def source(self) -> IPushProducer | None:
        """What is held back."""
        return self._source

    @source.setter
    def source(self, source: IPushProducer | None) -> None:
        self._let_go()
        self._source = source

    def hold(self, buffer: Buffer[Any]) -> None:
        """Hold the link back for a buffer that is full, or tell it that this cannot be done."""
        if self._moment is None:
            seconds = self._may_hold()
            if self._source is None or seconds <= 0:
                buffer.overflows = True
                return
            self._moment = self._reactor().callLater(seconds, self._moment_over)
            self._source.pauseProducing()
        self._full[buffer] = None

    def release(self, buffer: Buffer[Any]) -> None:
        """Take note that a buffer is not full any more."""
        self._full.pop(buffer, None)
        if not self._full and self._moment is not None:
            self._moment_over()

    def _may_hold(self) -> float:
        """Begin to hold the link back, and return for how many seconds that may last."""
        now = self._hold_began = self._reactor().seconds()
        if now - self._window_began >= WINDOW:
            self._window_began, self._held = now, 0.0
        return HELD_AT_MOST - self._held

    def _moment_over(self) -> None:
        source = self._source
        self._let_go()
        if source is not None:
            source.resumeProducing()

    def _let_go(self) -> None:
        """Hold nothing back any more; what is full by now overflows."""
        if self._moment is not None:
            self._held += self._reactor().seconds() - self._hold_began
            if self._moment.active():
                self._moment.cancel()
        self._moment = None
        full, self._full = self._full, {}
        for buffer in full:
            buffer.overflows = True

    def _reactor(self) -> IReactorTime:
        reactor: IReactorTime = the_reactor(self._clock)
        return reactor


class Buffer(Generic[E]):
    """
    What came and was not taken yet.

    :param limit: how much of it there may be.
    :param brake: holds back what comes while there is as much.
    :ivar overflows: whether what comes while it is full is lost, because the moment is over.
    """

    def __init__(self, limit: int, brake: Brake) -> None:
        if limit < 1:
            raise ValueError(f"a stream keeps at least one event, not {limit}")
        self._limit = limit
        self._brake = brake
        self._kept: deque[E] = deque()
        self._takers: deque[Deferred[E]] = deque()
        self._lost = 0
        self._end: BaseException | None = None
        self.overflows = False

    def put(self, event: E) -> None:
        """Give an event to who waits for it, or keep it, or count it as lost."""
        if self._takers:
            self._takers.popleft().callback(event)
        elif self._end is not None:
            return
        elif self._lost or (self.overflows and len(self._kept) >= self._limit):
            self._lost += 1
        else:
            # What came in the same segment as the last one that had room is kept as well.
            self._kept.append(event)
            if len(self._kept) >= self._limit:
                self._brake.hold(self)

    def take(self) -> Deferred[E]:
        """Return the next event, or the end of it all; cancelling leaves the event there."""
        taker: Deferred[E] = Deferred(self._takers.remove)
        if self._kept:
            taker.callback(self._kept.popleft())
            if len(self._kept) <= self._limit // 2:
                self._calm()
        elif self._lost:
            lost, self._lost = EventsLost(self._lost), 0
            self.end()
            taker.errback(lost)
        elif self._end is not None:
            end, self._end = self._end, StopAsyncIteration()
            taker.errback(end)
        else:
            self._takers.append(taker)
        return taker

    def end(self, error: BaseException | None = None) -> None:
        """Take nothing more; readers are told the error, or the end, after what is kept."""
        if self._end is None:
            self._end = error or StopAsyncIteration()
            while self._takers:
                taker = self._takers.popleft()
                taker.errback(self._end)
                self._end = StopAsyncIteration()

    def discard(self) -> None:
        """End it, and forget what is kept."""
        self._kept.clear()
        self._lost = 0
        self._calm()
        self.end()

    def _calm(self) -> None:
        self.overflows = False
        self._brake.release(self)


class EventStream(Cancellable, Generic[E]):
    """
    Events in the order in which they came, to be read with ``async for``.

    It ends when :meth:`cancel` is called, when its ``with`` block is left, or when nobody holds it
    any more, such as after ``break``. Each reading fails with :class:`txasterisk.errors.EventsLost`
    once if more came than was read in time, and with what else ended the stream.

    :param buffer: what came and was not read yet.
    :param unsubscribe: called when no more is wanted.
    """

    def __init__(self, buffer: Buffer[E], unsubscribe: Callable[[], object]) -> None:
        self._buffer = buffer
        self._unsubscribe = unsubscribe

    def cancel(self) -> None:
        """End the stream; harmless when repeated."""
        self._unsubscribe()
        self._buffer.discard()

    def __aiter__(self) -> EventStream[E]:
        return self

    async def __anext__(self) -> E:
        try:
            return await self._buffer.take()
        except EventsLost:
            self._unsubscribe()
            raise

    def __del__(self) -> None:
        self.cancel()
