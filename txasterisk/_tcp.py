"""What TCP itself can do to notice that the other end is gone."""

from __future__ import annotations

import socket
from typing import Final

__all__ = ["watch_by_tcp"]

#: Seconds of silence, seconds between probes, and probes without an answer; where the system has
#: them. By default Linux waits for two hours.
_TCP_OPTIONS: Final = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)
}


def watch_by_tcp(transport: object) -> None:
    """
    Have the kernel notice within a minute that the other machine is gone, or the way to it.

    :param transport: any; nothing is done to one that is no plain TCP.
    """
    handle = getattr(transport, "getHandle", lambda: None)()
    if isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _TCP_OPTIONS.items():
            handle.setsockopt(socket.IPPROTO_TCP, option, value)
