"""Many time limits for the price of one delayed call."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import inf
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["TimeLimits"]

K = TypeVar("K", bound=Hashable)


class TimeLimits(Generic[K]):
    """
    What must not wait for ever, and until when.

    Nearly every limit is stopped long before it is reached, so only the nearest one is with the
    reactor; when that has passed, one sweep finds the next.

    :param clock: measures the time.
    :param reached: called with each key whose time is up.
    """

    def __init__(self, clock: IReactorTime, reached: Callable[[K], object]) -> None:
        self._clock = clock
        self._reached = reached
        self._ends: dict[K, float] = {}
        self._sweep: IDelayedCall | None = None
        self._sweep_at = inf

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def oldest(self) -> K:
        """The key that has had a limit for the longest time."""
        return next(iter(self._ends))

    def start(self, key: K, seconds: float) -> None:
        """Give ``key`` so many seconds."""
        end = self._ends[key] = self._clock.seconds() + seconds
        if self._sweep is None:
            self._sweep = self._clock.callLater(seconds, self._sweep_out)
            self._sweep_at = end
        elif end < self._sweep_at:
            self._sweep.reset(seconds)
            self._sweep_at = end

    def stop(self, key: K) -> None:
        """Drop the limit of ``key``, if it has one."""
        self._ends.pop(key, None)

    def clear(self) -> None:
        """Drop them all."""
        self._ends.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _sweep_out(self) -> None:
        self._sweep = None
        now = self._clock.seconds()
        for key in [key for key, end in self._ends.items() if end <= now]:
            # Those before it may have stopped it or given it more time.
            if self._ends.get(key, inf) <= now:
                del self._ends[key]
                self._reached(key)
        if self._ends and self._sweep is None:
            nearest = min(self._ends.values())
            self._sweep = self._clock.callLater(max(0.0, nearest - now), self._sweep_out)
            self._sweep_at = nearest
