"""Ending on SIGTERM as on any other request to stop: with status 0."""

from __future__ import annotations

import signal
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

from .._reactor import the_reactor

__all__ = ["EndWell"]


class EndWell(Service):
    """
    Take SIGTERM for a request to stop; a second one changes nothing.

    Twisted stops as well, but then ends its process by the same signal, as if it had been killed.
    """

    def __init__(self, reactor: Any = None) -> None:
        self._reactor = the_reactor(reactor)
        self._asked = False

    def startService(self) -> None:
        """Take over SIGTERM once the reactor has installed its own handlers."""
        super().startService()
        self._reactor.callWhenRunning(signal.signal, signal.SIGTERM, self._stop)

    def _stop(self, *_: Any) -> None:
        self._reactor.callFromThread(self._stop_now)

    def _stop_now(self) -> None:
        if not self._asked:
            self._asked = True
            _log.info("SIGTERM: stopping; calls in progress are told")
            self._reactor.stop()


_log = Logger()
