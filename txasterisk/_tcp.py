"""What TCP itself can do: notice that the other end is gone, and take bytes without delay."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet.error import ConnectionAborted
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

__all__ = ["free_descriptor", "read_now", "socket_of", "watch_by_tcp", "writes_at_once"]

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
            for option, value in _TCP_OPTIONS.items():
                handle.setsockopt(socket.IPPROTO_TCP, option, value)
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def read_now(transport: Any) -> None:
    """Deliver what has arrived at a connection, to which the reactor has not come yet."""
    beneath = getattr(transport, "transport", transport)
    if isinstance(beneath, Connection):
        # That it is lost the reactor will find, too.
        beneath.doRead()


def free_descriptor(transport: Any) -> None:
    """
    Close the socket of a connection that has been aborted in this very turn of the reactor.

    Twisted does so in the next one, and before that a hundred others may be accepted.
    """
    beneath = getattr(transport, "transport", transport)
    if isinstance(beneath, Connection):
        beneath.connectionLost(Failure(ConnectionAborted()))


def writes_at_once(transport: Any) -> Callable[[bytes], None]:
    """
    Return what writes to a transport, for those who write only when all before is sent.

    ``transport.write`` has the reactor watch the socket until it can be written to, which it nearly
    always can. Where there is a question and an answer at a time, that is a third of all the work.

    :param transport: any; to one that is no plain socket the usual way remains.
    """
    write: Callable[[bytes], None] = transport.write
    # Beneath TLS there is one, too, to which nothing must go in plain text.
    if not isinstance(transport, Connection) or transport.TLS:
        return write

    def write_at_once(data: bytes) -> None:
        sent = transport.writeSomeData(data)
        if sent != len(data):
            # All of it, when the connection is lost: that is told in the usual way then.
            write(data[sent:] if isinstance(sent, int) else data)

    return write_at_once
