"""CPU time and memory of this process, between two moments."""

from __future__ import annotations

import gc
import json
import resource
import tracemalloc
from typing import Final

__all__ = ["CASES", "HEADERS", "LISTENERS", "Meter"]

CASES: Final = {
    "rare": "events; one listener, on a rare one",
    "many": "events; 1000 listeners, on others",
    "two": "events; a listener on all reads two headers",
    "every": "events; a listener on all reads every header",
    "single": "actions, one at a time",
    "outstanding": "actions, 1000 outstanding, with time limits",
    "list": "a list of 10,000, per item",
    "list-memory": "a list of 10,000, peak bytes per item",
    "idle": "idle logged-in links, bytes of Python memory each",
}
#: What a listener on every event reads.
HEADERS: Final = ("Channel", "Uniqueid")
#: How many listeners for other events there are in the case ``many``.
LISTENERS: Final = 1000


class Meter:
    """
    Measures one case.

    :param case: one of :data:`CASES`.
    :param count: how many operations it has.
    """

    def __init__(self, case: str, count: int) -> None:
        self.case = case
        self.count = count
        self._remembers = case in ("list-memory", "idle")
        self._before = 0.0
        self._taken = 0.0

    def start(self) -> None:
        """Measure from here."""
        if self._remembers:
            gc.collect()
            tracemalloc.start()
            self._before = tracemalloc.get_traced_memory()[0]
        else:
            self._before = _cpu()

    def stop(self) -> None:
        """Measure up to here."""
        if self.case == "idle":
            gc.collect()
            self._taken = tracemalloc.get_traced_memory()[0] - self._before
        elif self._remembers:
            self._taken = tracemalloc.get_traced_memory()[1] - self._before
        else:
            self._taken = (_cpu() - self._before) * 1e6

    def report(self) -> None:
        """Print microseconds, or bytes, per operation."""
        print(json.dumps(self._taken / self.count), flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
