"""What TCP itself can do to notice that the other end is gone."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

__all__ = ["socket_of", "watch_by_tcp"]

#: Seconds of silence, seconds between probes, and probes without an answer; where the system has
#: them. By default Linux waits for two hours.
_TCP_OPTIONS: Final = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)
}


def socket_of(transport: Any) -> socket.socket | None:
    """Return the socket beneath a transport, TLS or not; None if there is none."""
    handle = getattr(getattr(transport, "transport", transport), "getHandle", lambda: None)()
    return handle if isinstance(handle, socket.socket) else None


def watch_by_tcp(transport: object) -> None:
    """
    Have the kernel notice within a minute that the other machine is gone, or the way to it.

    :param transport: any; nothing is done to one without TCP beneath it.
    """
    handle = socket_of(transport)
    if handle is not None:
        # A Unix socket has no such options, and some systems refuse them for a connection that the
        # peer has reset already.
        with suppress(OSError):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _TCP_OPTIONS.items():
                handle.setsockopt(socket.IPPROTO_TCP, option, value)
