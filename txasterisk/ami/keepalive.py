"""Is anybody there? AMI's server never says so by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ..errors import AsteriskError, TimedOut

__all__ = ["PING_EVERY", "PONG_WITHIN", "KeepAlive"]

#: Seconds of silence before a ping, and seconds that its answer may take. Together they say how
#: long a dead link goes unnoticed. A busy link is never pinged.
PING_EVERY: Final = 30.0
PONG_WITHIN: Final = 10.0


class KeepAlive:
    """
    Notice that a link is dead, by a ping after a silence.

    While somebody waits for an action there is no ping: Asterisk does one after the other, and
    some take minutes, such as an Originate that waits for the answer. What the network does to the
    link meanwhile is noticed by TCP's own keep-alive; see :func:`txasterisk._tcp.watch_by_tcp`.

    :param clock: measures the silence.
    :param ping: sends a ping and waits for so many seconds.
    :param busy: says whether somebody waits for an action.
    :param dead: called, once, with the reason.
    """

    def __init__(
        self,
        clock: IReactorTime,
        ping: Callable[[float], Deferred[Any]],
        busy: Callable[[], bool],
        dead: Callable[[TimedOut], object],
    ) -> None:
        self._clock = clock
        self._ping = ping
        self._busy = busy
        self._dead = dead
        self._timer: IDelayedCall | None = None
        #: To be set whenever something was heard; nothing more, for it is done for each segment.
        self.heard = False

    def start(self) -> None:
        """Begin to watch."""
        self.stop()
        self.heard = False
        self._timer = self._clock.callLater(PING_EVERY, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self.heard or self._busy():
            self.start()
        else:
            self._ping(PONG_WITHIN).addCallbacks(self._alive, self._no_pong)

    def _alive(self, _: object) -> None:
        self.start()

    def _no_pong(self, failure: Failure) -> None:
        failure.trap(AsteriskError)
        if failure.check(TimedOut):
            silence = f"no answer to a ping within {PONG_WITHIN:g} seconds"
            self._dead(TimedOut(f"the link is dead: {silence}"))
