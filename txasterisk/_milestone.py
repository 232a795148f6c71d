"""Something that happens once, for everyone who asks when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

__all__ = ["Milestone"]

T = TypeVar("T")


class Milestone(Generic[T]):
    """
    What is reached, or missed, at most once.

    A Deferred can be handed out only once, because each callback changes its result; so everyone
    who asks gets a fresh one.
    """

    def __init__(self) -> None:
        self._waiting: dict[Deferred[T], None] = {}
        self._outcome: tuple[T] | BaseException | None = None

    @property
    def decided(self) -> bool:
        """Whether it has been reached or missed."""
        return self._outcome is not None

    def when(self) -> Deferred[T]:
        """Return a Deferred of its own for this caller; cancelling it disturbs nobody else."""
        if isinstance(self._outcome, tuple):
            return succeed(self._outcome[0])
        if self._outcome is not None:
            return fail(self._outcome)
        waiting: Deferred[T] = Deferred(lambda cancelled: self._waiting.pop(cancelled, None))
        self._waiting[waiting] = None
        return waiting

    def reach(self, value: T) -> None:
        """Fire every Deferred with ``value``, now and later; only the first decision counts."""
        if self._outcome is None:
            self._outcome = (value,)
            for waiting in self._take_waiting():
                waiting.callback(value)

    def miss(self, error: BaseException) -> None:
        """Fail every Deferred with ``error``, now and later; only the first decision counts."""
        if self._outcome is None:
            self._outcome = error
            for waiting in self._take_waiting():
                waiting.errback(error)

    def _take_waiting(self) -> Iterator[Deferred[T]]:
        """Take who waits one by one, because each that is told may cancel others."""
        while self._waiting:
            waiting = next(iter(self._waiting))
            del self._waiting[waiting]
            yield waiting
