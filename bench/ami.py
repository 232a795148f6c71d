#!/usr/bin/env python
"""
Measure what AMI costs; see README.rst.

Each measurement is a process of its own that talks to a played Asterisk, which is another. In each
round every subject takes every case, in another order each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple, TypeAlias

_HERE: Final = Path(__file__).resolve().parent
_ROOT: Final = _HERE.parent
# It is run as a file, from anywhere; so the checkout has to be found before it can be imported.
sys.path.insert(0, str(_ROOT))

from bench.installing import install, ratio  # noqa: E402
from bench.meter import CASES  # noqa: E402
from bench.peers import CANNOT  # noqa: E402

_PEERS: Final = ("panoramisk", "pyst2", "py-asterisk", "starpy")
_SUBJECTS: Final = ("counting", "splitting", "eager", "txasterisk", *_PEERS)
_BUDGET: Final = 210.0
_QUICK_BUDGET: Final = 45.0
#: What takes longer than this does not run.
_PATIENCE: Final = 15.0
_MOST_ROUNDS: Final = 9

_EVENTS: Final = ("rare", "many", "two", "every")
#: Operations by case, for the fast and (by their names) for the slow.
_COUNTS: Final = {
    "rare": 200_000,
    "many": 200_000,
    "two": 60_000,
    "every": 60_000,
    "single": 2000,
    "outstanding": 20_000,
    "list": 30_000,
    "list-memory": 10_000,
    "idle": 200,
}
_SLOWLY: Final = {
    "panoramisk": dict.fromkeys(_EVENTS, 15_000)
    | {"many": 400, "single": 1000, "outstanding": 5000, "list": 10_000, "idle": 50},
    "pyst2": dict.fromkeys(_EVENTS, 600) | {"single": 300, "list": 10_000, "idle": 20},
    "py-asterisk": dict.fromkeys(_EVENTS, 600) | {"single": 20, "list": 10_000, "idle": 20},
}
#: An item of theirs costs a thousand microseconds, and a list is always of 10,000.
_SKIPPED_QUICKLY: Final = {("pyst2", "list"), ("py-asterisk", "list")}

Figures: TypeAlias = dict[tuple[str, str], dict[int, float]]


class Bench(NamedTuple):
    """What is measured, and where."""

    port: int
    quick: bool
    peers: Path | None
    silent: set[tuple[str, str]]

    def measure(self, subject: str, case: str) -> float | None:
        """Return the figure, or None, said once, when the subject cannot do it."""
        if (subject, case) in self.silent:
            return None
        try:
            done = subprocess.run(
                [*self._program(subject), subject, case, *self._amounts(subject, case)],
                capture_output=True,
                check=True,
                cwd=_ROOT,
                env=os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "ignore"},
                timeout=_PATIENCE,
                text=True,
            )
            return float(json.loads(done.stdout))
        except (subprocess.SubprocessError, ValueError) as error:
            words = getattr(error, "stderr", None) or str(error)
            text = words.decode() if isinstance(words, bytes) else words
            print(f"{subject} does not run {case}: {text.strip().splitlines()[-1]}")
            self.silent.add((subject, case))
            return None

    def _program(self, subject: str) -> list[str]:
        if subject in _PEERS:
            return [str(self.peers), "-m", "bench.peers"]
        return [sys.executable, "-m", "bench.ours" if subject == "txasterisk" else "bench.floors"]

    def _amounts(self, subject: str, case: str) -> tuple[str, str]:
        operations = _SLOWLY.get(subject, {}).get(case, _COUNTS[case])
        if self.quick and case in _EVENTS:
            operations //= 3
        return str(operations), str(self.port)


def _can(subject: str, case: str, quick: bool) -> bool:
    if case in CANNOT.get(subject, ()) or (quick and (subject, case) in _SKIPPED_QUICKLY):
        return False
    if subject == "counting":
        return case == "rare"
    if subject == "splitting":
        return case in _EVENTS
    # Memory does not vary, and pyst2 and py-asterisk take ten seconds for what is no goal.
    return case != "list-memory" or subject not in ("pyst2", "py-asterisk")


@contextmanager
def _played_asterisk() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.server"],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def _rounds(bench: Bench, subjects: list[str], cases: list[str], deadline: float) -> Figures:
    figures: Figures = defaultdict(dict)
    for turn in range(_MOST_ROUNDS):
        for case in random.sample(cases, len(cases)):
            if turn and case in ("list-memory", "idle"):
                continue
            for subject in random.sample(subjects, len(subjects)):
                if time.monotonic() > deadline:
                    return figures
                if _can(subject, case, bench.quick):
                    figure = bench.measure(subject, case)
                    if figure is not None:
                        figures[subject, case][turn] = figure
    return figures


def _print(figures: Figures, cases: list[str]) -> None:
    for case in cases:
        unit = "bytes" if case in ("list-memory", "idle") else "us CPU"
        print(f"\n{case}: {CASES[case]}")
        print(
            f"{'':14}{unit:>10}{'x splitting':>13}{'x eager':>10}{'x txasterisk':>14}{'rounds':>8}"
        )
        for subject in _SUBJECTS:
            mine = figures.get((subject, case))
            if mine:
                ratios = [
                    ratio(mine, figures.get((reference, case), {}))
                    for reference in ("splitting", "eager", "txasterisk")
                ]
                print(
                    f"{subject:14}{median(mine.values()):>10.2f}"
                    f"{ratios[0]:>13}{ratios[1]:>10}{ratios[2]:>14}{len(mine):>8}"
                )
    one, many = (figures.get(("txasterisk", case), {}) for case in ("rare", "many"))
    print(f"\n1000 listeners for other events against 1: {ratio(many, one) or '-'} (txasterisk)")


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under a minute: less of each")
    arguments.add_argument("--no-peers", action="store_true", help="only the floors and ours")
    arguments.add_argument("--peer", action="append", choices=_PEERS, help="only this peer")
    arguments.add_argument("--case", action="append", choices=list(CASES), help="only this one")
    chosen = arguments.parse_args()
    deadline = time.monotonic() + (_QUICK_BUDGET if chosen.quick else _BUDGET)
    python, peers = (None, []) if chosen.no_peers else install(chosen.peer or _PEERS)
    subjects = [name for name in _SUBJECTS if name not in _PEERS or name in peers]
    cases = chosen.case or list(CASES)
    with _played_asterisk() as port:
        bench = Bench(port, chosen.quick, python, set())
        _print(_rounds(bench, subjects, cases, deadline), cases)


if __name__ == "__main__":
    main()
