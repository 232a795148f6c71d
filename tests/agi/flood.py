"""
Everything that connects to an open port and is no Asterisk, by the thousand.

    python -m tests.agi.flood PORT COUNT

says ``flooded`` when all is done, and keeps those that are silent open till it is killed.
"""

from __future__ import annotations

import errno
import signal
import socket
import struct
import sys
from collections.abc import Callable

from txasterisk._descriptors import raise_descriptor_limit

from . import ENVIRONMENT

LOOPBACK = "127.0.0.1"


def connect(port: int) -> socket.socket:
    """Connect, and try again as long as the queue of those who want to is full."""
    peer = socket.socket()
    peer.settimeout(60)
    peer.connect((LOOPBACK, port))
    return peer


def scan(port: int) -> None:
    """Come and go."""
    connect(port).close()


def browse(port: int) -> None:
    """Speak HTTP, and wait to be sent away."""
    _say(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def encrypt(port: int) -> None:
    """Begin TLS, and wait to be sent away."""
    _say(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


def talk_for_ever(port: int) -> None:
    """Describe a call without an end, and wait to be sent away."""
    _say(port, b"agi_x: y\n" * 1000)


def break_off(port: int) -> None:
    """Reset the connection in the middle of the description."""
    peer = connect(port)
    peer.sendall(ENVIRONMENT[:100])
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def half_close(port: int) -> None:
    """Say that nothing more will come, in the middle of the description."""
    peer = connect(port)
    peer.sendall(ENVIRONMENT[:100])
    peer.shutdown(socket.SHUT_WR)
    _wait_for_the_end(peer)


def _say(port: int, words: bytes) -> None:
    peer = connect(port)
    try:
        peer.sendall(words)
    except OSError as error:
        if error.errno not in (errno.ECONNRESET, errno.EPIPE):
            raise
    _wait_for_the_end(peer)


def _wait_for_the_end(peer: socket.socket) -> None:
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
    peer.close()


RUDE: tuple[Callable[[int], None], ...] = (
    scan,
    browse,
    encrypt,
    talk_for_ever,
    break_off,
    half_close,
)


def flood(port: int, count: int) -> None:
    """Open many silent connections, and between them some of each other kind."""
    raise_descriptor_limit()
    silent = []
    for number in range(count):
        silent.append(connect(port))
        if number % 10 == 0:
            for rude in RUDE:
                rude(port)
    print("flooded", flush=True)
    signal.pause()


if __name__ == "__main__":
    flood(*map(int, sys.argv[1:]))
