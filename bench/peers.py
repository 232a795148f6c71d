"""Other libraries, each used as its own documentation says."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from itertools import count
from threading import Event as Flag
from typing import Any, Final

from bench.meter import HEADERS, LISTENERS, Meter
from bench.wire import GO, LAST_EVENT

__all__ = ["CANNOT"]

#: What a peer has no way to do.
CANNOT: Final = {
    "pyst2": {"outstanding"},
    "py-asterisk": {"outstanding", "two", "every"},
}

_HOST: Final = "127.0.0.1"
_SECONDS: Final = 30.0


async def _panoramisk(port: int, meter: Meter) -> None:
    manager = await _panoramisk_connect(port)
    if meter.case == "single":
        meter.start()
        for _ in range(meter.count):
            await manager.send_action({"Action": "Ping"})
    elif meter.case == "outstanding":
        meter.start()
        for _ in range(meter.count // 1000):
            await asyncio.wait_for(_panoramisk_wave(manager), _SECONDS)
    elif meter.case.startswith("list"):
        meter.start()
        for _ in range(meter.count // 10_000):
            await manager.send_action({"Action": "CoreShowChannels"}, as_list=True)
    elif meter.case == "idle":
        meter.start()
        managers = [await _panoramisk_connect(port) for _ in range(meter.count)]
        meter.stop()
        del managers
        return
    else:
        ended = asyncio.Event()
        _panoramisk_listen(manager, meter.case, ended)
        meter.start()
        manager.send_action({"Action": GO, "Count": meter.count})
        await ended.wait()
    meter.stop()


async def _panoramisk_connect(port: int) -> Any:
    ready = asyncio.Event()
    manager = import_module("panoramisk").Manager(
        loop=asyncio.get_running_loop(),
        host=_HOST,
        port=port,
        username="bench",
        secret="bench",
        on_login=lambda _: ready.set(),
    )
    await manager.connect()
    await ready.wait()
    return manager


def _panoramisk_wave(manager: Any) -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left = count(999, -1)

    def answered(_: object) -> None:
        if not next(left):
            done.set_result(None)

    for _ in range(1000):
        manager.send_action({"Action": "Ping"}).add_done_callback(answered)
    return done


def _panoramisk_listen(manager: Any, case: str, ended: asyncio.Event) -> None:
    manager.register_event(LAST_EVENT, lambda *_: ended.set())
    if case == "many":
        for number in range(LISTENERS):
            manager.register_event(f"Other{number}", id)
    elif case == "two":
        manager.register_event("*", lambda _, event: _read_two(event.get))
    elif case == "every":
        manager.register_event("*", lambda _, event: _read_every(event.items))


def _pyst2(port: int, meter: Meter) -> None:
    manager = _pyst2_connect(port)
    if meter.case == "single":
        meter.start()
        for _ in range(meter.count):
            manager.ping()
    elif meter.case.startswith("list"):
        _pyst2_list(manager, meter)
    elif meter.case == "idle":
        meter.start()
        managers = [_pyst2_connect(port) for _ in range(meter.count)]
        meter.stop()
        del managers
        return
    else:
        ended = Flag()
        _pyst2_listen(manager, meter.case, ended)
        meter.start()
        manager.send_action({"Action": GO, "Count": meter.count})
        ended.wait()
    meter.stop()


def _pyst2_connect(port: int) -> Any:
    manager = import_module("asterisk.manager").Manager()
    manager.connect(_HOST, port)
    manager.login("bench", "bench")
    return manager


def _pyst2_list(manager: Any, meter: Meter) -> None:
    items: list[object] = []
    ended = Flag()
    manager.register_event("CoreShowChannel", lambda event, _: items.append(event))
    manager.register_event("CoreShowChannelsComplete", lambda *_: ended.set())
    meter.start()
    manager.send_action({"Action": "CoreShowChannels"})
    ended.wait()


def _pyst2_listen(manager: Any, case: str, ended: Flag) -> None:
    manager.register_event(LAST_EVENT, lambda *_: ended.set())
    if case == "many":
        for number in range(LISTENERS):
            manager.register_event(f"Other{number}", id)
    elif case == "two":
        manager.register_event("*", lambda event, _: _read_two(event.get_header))
    elif case == "every":
        manager.register_event("*", lambda event, _: _read_every(event.headers.items))


def _py_asterisk(port: int, meter: Meter) -> None:
    library = import_module("Asterisk.Manager")

    def connect() -> Any:
        return library.Manager((_HOST, port), "bench", "bench")

    manager = connect()
    if meter.case == "single":
        meter.start()
        for _ in range(meter.count):
            manager.Ping()
    elif meter.case.startswith("list"):
        meter.start()
        manager.CoreShowChannels()
    elif meter.case == "idle":
        meter.start()
        managers = [connect() for _ in range(meter.count)]
        meter.stop()
        del managers
        return
    else:
        ended = Flag()
        manager.events.subscribe(LAST_EVENT, lambda *_: ended.set())
        if meter.case == "many":
            for number in range(LISTENERS):
                manager.events.subscribe(f"Other{number}", id)
        meter.start()
        manager._write_action(GO, {"Count": meter.count})
        while not ended.is_set():
            manager.read()
    meter.stop()


def _read_two(get: Callable[[str], object]) -> None:
    for name in HEADERS:
        get(name)


def _read_every(items: Callable[[], Any]) -> None:
    for _name, _value in items():
        pass


def _run(task: Callable[[int, Meter], Coroutine[Any, Any, None]]) -> Callable[[int, Meter], None]:
    return lambda port, meter: asyncio.run(task(port, meter))


_PEERS: Final[dict[str, Callable[[int, Meter], None]]] = {
    "panoramisk": _run(_panoramisk),
    "pyst2": _pyst2,
    "py-asterisk": _py_asterisk,
}


def main() -> None:
    """Measure one case of one peer."""
    peer, case, operations, port = sys.argv[1:]
    meter = Meter(case, int(operations))
    _PEERS[peer](int(port), meter)
    meter.report()
    sys.stdout.flush()
    # Some peers leave threads behind, or log when the connection goes.
    os._exit(0)


if __name__ == "__main__":
    main()
