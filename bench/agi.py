#!/usr/bin/env python
"""
Measure what FastAGI costs; see README.rst.

The played Asterisk of ``bench/calls.py`` places calls, and each server answers them with a script
of ten commands. In each round every server takes every case, in another order each time.
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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

_ROOT: Final = Path(__file__).resolve().parent.parent
# It is run as a file, from anywhere; so the checkout has to be found before it can be imported.
sys.path.insert(0, str(_ROOT))

from bench.installing import install, ratio  # noqa: E402

_SERVERS: Final = {
    "floor": "bench.agi_floor",
    "txasterisk": "bench.agi_ours",
    "panoramisk": "bench.agi_peers",
}
_PEERS: Final = ("panoramisk",)
#: Calls at once, and calls in all.
_LOADS: Final = {1: 300, 50: 1000, 500: 1500}
_FIGURES: Final = ("cpu", "rate", "command", "p50", "p99", "tail")
_HELD: Final = 400
_BUDGET: Final = 240.0
_QUICK_BUDGET: Final = 45.0
_MOST_ROUNDS: Final = 9

Figures: TypeAlias = dict[tuple[str, str], dict[int, float]]


class Server:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def used(self) -> dict[str, float]:
        """Return what it has used so far: seconds of CPU, and bytes."""
        used: dict[str, float] = _ask(self._process)
        return used


def _ask(process: subprocess.Popen[str]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@contextmanager
def _running(*arguments: str, traced: bool = False) -> Iterator[subprocess.Popen[str]]:
    # Who waits for a Deferred in a traced process would otherwise be counted with its traceback.
    tracing = ["-X", "tracemalloc=1"] if traced else []
    with subprocess.Popen(
        [arguments[0], *tracing, *arguments[1:]],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Bench:
    """
    Measures.

    :param python: the Python of the peers.
    """

    def __init__(self, python: Path | None) -> None:
        self._python = python

    def load(self, name: str, at_once: int, calls: int) -> dict[str, float]:
        """Have so many calls answered."""
        with ExitStack() as stack:
            server = Server(stack.enter_context(_running(*self._program(name))))
            caller = stack.enter_context(_caller(server.port, calls, at_once))
            before = server.used()
            told: dict[str, float] = _ask(caller)
            return told | {"cpu": (server.used()["cpu"] - before["cpu"]) / calls * 1e6}

    def idle(self, name: str) -> float:
        """Return the bytes of a session whose script waits."""
        with ExitStack() as stack:
            server = Server(stack.enter_context(_running(*self._program(name), traced=True)))
            with _caller(server.port, 1, 1):
                pass
            before = server.used()
            with _caller(server.port, _HELD, 0):
                return (server.used()["memory"] - before["memory"]) / _HELD

    def _program(self, name: str) -> tuple[str, str, str]:
        return str(self._python) if name in _PEERS else sys.executable, "-m", _SERVERS[name]


@contextmanager
def _caller(port: int, calls: int, at_once: int) -> Iterator[subprocess.Popen[str]]:
    arguments = (sys.executable, "-m", "bench.calls", str(port), str(calls), str(at_once))
    with _running(*arguments) as caller:
        assert caller.stdout is not None
        caller.stdout.readline()
        yield caller


def _rounds(bench: Bench, servers: list[str], loads: list[int], deadline: float) -> Figures:
    figures: Figures = defaultdict(dict)
    for turn in range(_MOST_ROUNDS):
        for at_once in random.sample(loads, len(loads)):
            for name in random.sample(servers, len(servers)):
                if time.monotonic() > deadline:
                    return figures
                told = bench.load(name, at_once, _LOADS[at_once])
                told["tail"] = told["p99"] / told["p50"]
                for figure, value in told.items():
                    figures[name, f"{at_once} {figure}"][turn] = value
    return figures


def _print(figures: Figures, servers: list[str], loads: list[int]) -> None:
    for at_once in loads:
        print(f"\n{at_once} calls at once, a script of ten commands; ms of a command, of a call")
        heads = ("us CPU", "x floor", "calls/s", "command", "call p50", "call p99", "p99/p50")
        print(f"{'':14}{''.join(f'{head:>10}' for head in heads)}{'rounds':>8}")
        for name in servers:
            mine = {figure: figures[name, f"{at_once} {figure}"] for figure in _FIGURES}
            if mine["cpu"]:
                found = {figure: median(values.values()) for figure, values in mine.items()}
                floor = ratio(mine["cpu"], figures["floor", f"{at_once} cpu"])
                print(
                    f"{name:14}{found['cpu']:>10.0f}{floor:>10}{found['rate']:>10.0f}"
                    f"{found['command']:>10.2f}{found['p50']:>10.2f}{found['p99']:>10.2f}"
                    f"{found['tail']:>10.2f}{len(mine['cpu']):>8}"
                )


def _print_idle(bench: Bench, servers: list[str]) -> None:
    print("\nidle sessions, bytes of Python memory each")
    for name in servers:
        print(f"{name:14}{bench.idle(name):>10.0f}")


def main() -> None:
    """Measure, and print the tables."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under a minute: fewer rounds")
    arguments.add_argument("--no-peers", action="store_true", help="only the floor and ours")
    arguments.add_argument("--load", action="append", type=int, choices=list(_LOADS))
    chosen = arguments.parse_args()
    deadline = time.monotonic() + (_QUICK_BUDGET if chosen.quick else _BUDGET)
    python, peers = (None, []) if chosen.no_peers else install(_PEERS)
    servers = [name for name in _SERVERS if name not in _PEERS or name in peers]
    loads = chosen.load or list(_LOADS)
    bench = Bench(python)
    _print(_rounds(bench, servers, loads, deadline), servers, loads)
    _print_idle(bench, servers)


if __name__ == "__main__":
    main()
