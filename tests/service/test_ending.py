"""Ending on SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.service.ending import EndWell


class Reactor:
    """As much of a reactor as is touched; what comes from signals waits for the next turn."""

    def __init__(self) -> None:
        self.handlers: dict[int, Callable[..., None]] = {}
        self.turn: list[Callable[[], None]] = []
        self.stops = 0

    def callWhenRunning(self, _: Any, number: int, handler: Callable[..., None]) -> None:
        """Note the handler of a signal."""
        self.handlers[number] = handler

    def callFromThread(self, call: Callable[[], None]) -> None:
        """Keep it for the next turn."""
        self.turn.append(call)

    def stop(self) -> None:
        """Count; a real one raises an error the second time."""
        self.stops += 1


class EndWellTests(SynchronousTestCase):
    """SIGTERM is a request to stop."""

    def test_two_in_one_turn(self) -> None:
        """Of two SIGTERMs in one turn, as make passes them on, the second changes nothing."""
        reactor = Reactor()
        EndWell(reactor).startService()
        for _ in range(2):
            reactor.handlers[signal.SIGTERM](signal.SIGTERM, None)
        for call in reactor.turn:
            call()
        self.assertEqual(reactor.stops, 1)
