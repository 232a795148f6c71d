"""txasterisk, by its public interface alone."""

from __future__ import annotations

import sys
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint

from bench.meter import HEADERS, LISTENERS, Meter
from bench.wire import GO, LAST_EVENT
from txasterisk.ami import AMIFactory, AMIProtocol, Event

_SECONDS = 30.0


async def _measure(reactor: Any, port: int, meter: Meter) -> None:
    factory = AMIFactory("bench", "bench")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    link = await factory.connect(endpoint)
    if meter.case == "single":
        meter.start()
        for _ in range(meter.count):
            await link.action("Ping", timeout=_SECONDS)
    elif meter.case == "outstanding":
        meter.start()
        for _ in range(meter.count // 1000):
            await _wave(link)
    elif meter.case.startswith("list"):
        meter.start()
        for _ in range(meter.count // 10_000):
            await link.action("CoreShowChannels", timeout=_SECONDS)
    elif meter.case == "idle":
        meter.start()
        links = [await factory.connect(endpoint) for _ in range(meter.count)]
        meter.stop()
        del links
        return
    else:
        ended = _listen(link, meter.case)
        meter.start()
        link.action(GO, {"Count": meter.count})
        await ended
    meter.stop()


def _wave(link: AMIProtocol) -> Deferred[None]:
    done: Deferred[None] = Deferred()
    left = count(999, -1)

    def answered(_: object) -> None:
        if not next(left):
            done.callback(None)

    for _ in range(1000):
        link.action("Ping", timeout=_SECONDS).addCallback(answered)
    return done


def _listen(link: AMIProtocol, case: str) -> Deferred[None]:
    ended: Deferred[None] = Deferred()
    link.on(LAST_EVENT, lambda _: ended.callback(None))
    if case == "many":
        for number in range(LISTENERS):
            link.on(f"Other{number}", id)
    elif case == "two":
        link.on("*", _read_two)
    elif case == "every":
        link.on("*", _read_every)
    return ended


def _read_two(event: Event) -> None:
    for name in HEADERS:
        event.get(name)


def _read_every(event: Event) -> None:
    for _name, _value in event.headers:
        pass


def main() -> None:
    """Measure one case."""
    from twisted.internet.task import react

    _, case, operations, port = sys.argv[1:]
    meter = Meter(case, int(operations))

    async def measure(reactor: Any) -> None:
        await _measure(reactor, int(port), meter)
        meter.report()

    react(lambda reactor: Deferred.fromCoroutine(measure(reactor)))


if __name__ == "__main__":
    main()
