"""The floors: bare Twisted, and the smallest complete design that makes a dict of each message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import react

from bench.meter import HEADERS, LISTENERS, Meter
from bench.wire import BLANK_LINE, END, GO, LAST_EVENT

P = TypeVar("P", bound=Protocol)


class Counting(Protocol):
    """Counts bytes until the stream has ended."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.counted = 0

    def begin(self, events: int) -> None:
        """Have the stream started."""
        assert self.transport is not None
        self.transport.write(f"Action: {GO}\r\nActionID: 1\r\nCount: {events}\r\n\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        """Count."""
        self.counted += len(data)
        if data.endswith(END):
            self.ended.callback(None)


class Splitting(Counting):
    """Cuts at blank lines, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""

    def dataReceived(self, data: bytes) -> None:
        """Cut and count."""
        messages = (self._rest + data).split(BLANK_LINE)
        self._rest = messages.pop()
        for _ in messages:
            self.counted += 1
        if data.endswith(END):
            self.ended.callback(None)


class Eager(Protocol):
    """A dict per message, actions by ActionID, events by name, lists; no time limits."""

    def __init__(self) -> None:
        self._rest = b""
        self._numbers = count(1)
        self._waiting: dict[str, Deferred[list[dict[str, str]]]] = {}
        self._lists: dict[str, list[dict[str, str]]] = {}
        self.listeners: dict[str, list[Callable[[dict[str, str]], object]]] = {}
        self.all_events: list[Callable[[dict[str, str]], object]] = []

    def action(self, name: str, **headers: object) -> Deferred[list[dict[str, str]]]:
        """Ask, and wait for the answer and its list."""
        action_id = str(next(self._numbers))
        lines = [f"Action: {name}", f"ActionID: {action_id}"]
        lines += [f"{header}: {value}" for header, value in headers.items()]
        assert self.transport is not None
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        waiting = self._waiting[action_id] = Deferred()
        return waiting

    def dataReceived(self, data: bytes) -> None:
        """Make a dict of each message and pass it on."""
        messages = (self._rest + data).split(BLANK_LINE)
        self._rest = messages.pop()
        for raw in messages:
            message = {}
            for line in raw.decode("utf-8", "surrogateescape").split("\r\n"):
                name, _, value = line.partition(": ")
                message[name] = value
            self._received(message)

    def _received(self, message: dict[str, str]) -> None:
        action_id = message.get("ActionID", "")
        if action_id in self._lists:
            self._lists[action_id].append(message)
            if message.get("EventList") == "Complete":
                self._waiting.pop(action_id).callback(self._lists.pop(action_id))
        elif "Event" in message:
            for listener in self.listeners.get(message["Event"], ()):
                listener(message)
            for listener in self.all_events:
                listener(message)
        elif message.get("EventList") == "start":
            self._lists[action_id] = [message]
        elif action_id in self._waiting:
            self._waiting.pop(action_id).callback([message])


def _linked(protocol: P, reactor: Any, port: int) -> Deferred[P]:
    connect: Callable[..., Deferred[P]] = connectProtocol
    return connect(TCP4ClientEndpoint(reactor, "127.0.0.1", port), protocol)


async def _bare(kind: type[Counting], reactor: Any, port: int, meter: Meter) -> None:
    protocol = await _linked(kind(), reactor, port)
    meter.start()
    protocol.begin(meter.count)
    await protocol.ended
    meter.stop()


async def _connect(reactor: Any, port: int) -> Eager:
    link = await _linked(Eager(), reactor, port)
    await link.action("Login", Username="bench", Secret="bench")
    return link


async def _eager(reactor: Any, port: int, meter: Meter) -> None:
    link = await _connect(reactor, port)
    if meter.case == "single":
        meter.start()
        for _ in range(meter.count):
            await link.action("Ping")
    elif meter.case == "outstanding":
        meter.start()
        for _ in range(meter.count // 1000):
            await _wave(link)
    elif meter.case.startswith("list"):
        meter.start()
        for _ in range(meter.count // 10_000):
            await link.action("CoreShowChannels")
    elif meter.case == "idle":
        meter.start()
        links = [await _connect(reactor, port) for _ in range(meter.count)]
        meter.stop()
        del links
        return
    else:
        ended = _listen(link, meter.case)
        meter.start()
        link.action(GO, Count=meter.count)
        await ended
    meter.stop()


def _wave(link: Eager) -> Deferred[None]:
    done: Deferred[None] = Deferred()
    left = count(999, -1)

    def answered(_: object) -> None:
        if not next(left):
            done.callback(None)

    for _ in range(1000):
        link.action("Ping").addCallback(answered)
    return done


def _listen(link: Eager, case: str) -> Deferred[None]:
    ended: Deferred[None] = Deferred()
    link.listeners[LAST_EVENT] = [lambda _: ended.callback(None)]
    if case == "many":
        for number in range(LISTENERS):
            link.listeners[f"Other{number}"] = [id]
    elif case == "two":
        link.all_events.append(_read_two)
    elif case == "every":
        link.all_events.append(_read_every)
    return ended


def _read_two(event: dict[str, str]) -> None:
    for name in HEADERS:
        event.get(name)


def _read_every(event: dict[str, str]) -> None:
    for _name, _value in event.items():
        pass


def main() -> None:
    """Measure one case of one floor."""
    subject, case, operations, port = sys.argv[1:]
    meter = Meter(case, int(operations))

    async def measure(reactor: Any) -> None:
        if subject == "eager":
            await _eager(reactor, int(port), meter)
        else:
            kind = Counting if subject == "counting" else Splitting
            await _bare(kind, reactor, int(port), meter)
        meter.report()

    react(lambda reactor: Deferred.fromCoroutine(measure(reactor)))


if __name__ == "__main__":
    main()
