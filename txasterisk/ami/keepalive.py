"""Is anybody there? AMI's server never says so by itself."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ..errors import AsteriskError, TimedOut

__all__ = ["PINGS", "KeepAlive", "Pings"]


class Pings(NamedTuple):
    """
    How a dead link is noticed.

    :ivar every: seconds of silence before a ping. A busy link is never pinged.
    :ivar within: seconds that the answer may take; together they say how long a dead link goes
        unnoticed.
    """

    every: float = 30.0
    within: float = 10.0


#: What holds unless something else is asked for.
PINGS: Final = Pings()


class KeepAlive:
    """
    Notice that a link is dead, by a ping after a silence.

    Asterisk does one action after the other, and some take their time, such as an Originate that
    waits for the answer; the ping behind them may be answered as much later.

    :param clock: measures the silence.
    :param pings: how often, and how long to wait.
    :param ping: sends a ping and waits for so many seconds, or with None for ever.
    :param silence: says how many seconds the pending actions may take.
    :param dead: called, once, with the reason.
    :ivar heard_at: when something was heard last, by the clock; to be set by who hears it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        pings: Pings,
        ping: Callable[[float | None], Deferred[Any]],
        silence: Callable[[], float],
        dead: Callable[[TimedOut], object],
    ) -> None:
        self._clock = clock
        self._pings = pings
        self._ping = ping
        self._silence = silence
        self._dead = dead
        self._timer: IDelayedCall | None = None
        self.heard_at = clock.seconds()

    def start(self) -> None:
        """Begin to watch."""
        self.stop()
        self._timer = self._clock.callLater(self._pings.every, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _look(self) -> None:
        self._timer = None
        silent_for = self._clock.seconds() - self.heard_at
        if silent_for < self._pings.every:
            self._timer = self._clock.callLater(self._pings.every - silent_for, self._look)
            return
        within = self._pings.within + self._silence()
        pong = self._ping(None if within == inf else within)
        pong.addCallbacks(self._alive, self._no_pong, errbackArgs=(within,))

    def _alive(self, _: object) -> None:
        self.start()

    def _no_pong(self, failure: Failure, within: float) -> None:
        failure.trap(AsteriskError)
        if failure.check(TimedOut):
            silence = f"no answer to a ping within {within:g} seconds"
            self._dead(TimedOut(f"the link is dead: {silence}"))
