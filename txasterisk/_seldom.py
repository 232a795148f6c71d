"""
What comes by the thousand: the first is logged at once, and then a count once a minute.

Whoever can reach a port can have something logged, as often as they like. What is alike is one
line, and then one a minute for as long as it goes on, which says how often it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final, TypeAlias

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ._reactor import the_reactor

__all__ = ["Seldom"]

#: Seconds between two lines about the same.
PERIOD: Final = 60.0
#: What is told apart at a time. What something is about may be a stranger's choice, such as a
#: path; past this, what reads the same is one kind, whatever it is about.
MAX_KINDS: Final = 100

_MORE: Final = " (and {more} more like this)"

#: A method of a ``Logger``, such as ``warn``.
Log: TypeAlias = Callable[..., None]


class Seldom:
    """
    Log what is alike once a minute.

    :param clock: measures the minute; the global reactor by default, which is asked for when the
        first line is logged.
    """

    def __init__(self, clock: IReactorTime | None = None) -> None:
        self._clock = clock
        self._kinds: dict[tuple[str, Hashable], _Kind] = {}

    def tell(self, log: Log, what: str, *, about: Hashable = None, **values: Any) -> None:
        """
        Log a line, or count it if its like was logged within the last minute.

        :param log: takes the line.
        :param what: its format; alike is what has the same.
        :param about: tells apart what has the same format.
        :param values: what the format names.
        """
        self._kind(what, about).tell(partial(log, **values))

    def flush(self) -> None:
        """Tell all that was only counted, and have no delayed call left behind."""
        for kind in self._kinds.values():
            kind.flush()
        self._kinds.clear()

    def _kind(self, what: str, about: Hashable) -> _Kind:
        if (what, about) not in self._kinds:
            if len(self._kinds) >= MAX_KINDS:
                self._forget_old_ones()
            if len(self._kinds) >= MAX_KINDS:
                about = None
        clock = self._clock = the_reactor(self._clock)
        return self._kinds.setdefault((what, about), _Kind(what, clock))

    def _forget_old_ones(self) -> None:
        self._kinds = {key: kind for key, kind in self._kinds.items() if not kind.is_over}


class _Kind:
    """
    What is alike.

    :param what: its format.
    :param clock: measures the minute.
    """

    def __init__(self, what: str, clock: IReactorTime) -> None:
        self._what = what
        self._clock = clock
        self._until = clock.seconds()
        self._more = 0
        self._last: Log
        self._due: IDelayedCall | None = None

    @property
    def is_over(self) -> bool:
        """Whether the next one is worth a line of its own."""
        return self._due is None and self._clock.seconds() >= self._until

    def tell(self, log: Log) -> None:
        """Log one, or count it."""
        if self.is_over:
            log(self._what)
            self._until = self._clock.seconds() + PERIOD
            return
        self._last = log
        self._more += 1
        if self._due is None:
            self._due = self._clock.callLater(self._until - self._clock.seconds(), self._count_up)

    def flush(self) -> None:
        """Log the count, if there is one, before its time."""
        if self._due is not None:
            self._due.cancel()
            self._count_up()

    def _count_up(self) -> None:
        self._last(self._what + _MORE, more=self._more)
        self._due = None
        self._more = 0
        self._until = self._clock.seconds() + PERIOD
