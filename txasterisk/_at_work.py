"""What is at work, and the wait until nothing is: how calls end when a service stops."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.interfaces import IReactorTime

from ._milestone import Milestone

__all__ = ["GRACE", "AtWork"]

W = TypeVar("W", bound=Hashable)

#: Seconds that calls may go on undisturbed when the service is stopped.
GRACE: Final = 5.0
#: Seconds for the clean-up of scripts that were cancelled.
CLEAN_UP_TIME: Final = 2.0


class AtWork(Generic[W]):
    """
    Those that are at work.

    :param clock: measures how long somebody waits for their end.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._workers: set[W] = set()
        self._idle: Milestone[None] = Milestone()
        self._idle.reach(None)

    def __len__(self) -> int:
        return len(self._workers)

    def __iter__(self) -> Iterator[W]:
        """Go through those that are at work now, whoever comes or goes meanwhile."""
        return iter(tuple(self._workers))

    def begin(self, worker: W) -> None:
        """Take note that ``worker`` is at work."""
        if not self._workers:
            self._idle = Milestone()
        self._workers.add(worker)

    def end(self, worker: W) -> None:
        """Take note that it is not any more."""
        self._workers.discard(worker)
        if not self._workers:
            self._idle.reach(None)

    def when_idle(self) -> Deferred[None]:
        """Wait until nothing is at work; each caller has a Deferred of its own."""
        return self._idle.when()

    async def idle_within(self, seconds: float) -> bool:
        """Wait as long for that, and say whether it came."""
        try:
            await self.when_idle().addTimeout(seconds, self._clock)
        except TooLate:
            return False
        return True

    async def end_within(self, grace: float, interrupt: Callable[[W], object]) -> bool:
        """
        Let them go on for so many seconds, then interrupt each, and wait for the clean-up.

        :return: whether all have ended.
        """
        if await self.idle_within(grace):
            return True
        for worker in self:
            interrupt(worker)
        return await self.idle_within(CLEAN_UP_TIME)
