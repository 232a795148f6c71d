"""
The played Asterisk of ``bench/agi.py``: places calls over FastAGI, and answers commands at once.

Plain sockets and rendered bytes, so that the server on the other end is what takes the time.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from statistics import median, quantiles
from typing import Final

__all__ = ["COMMANDS", "ENVIRONMENT", "place"]

#: What a call is described by: the variables that Asterisk 22 writes.
ENVIRONMENT: Final = b"""\
agi_network: yes
agi_network_script: bench
agi_request: agi://127.0.0.1/bench
agi_channel: PJSIP/alice-00000012
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1795297911.242
agi_version: 22.10.1
agi_callerid: 100
agi_calleridname: Alice
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 500
agi_rdnis: unknown
agi_context: from-alice
agi_extension: 500
agi_priority: 3
agi_enhanced: 0.0
agi_accountcode:\x20
agi_threadid: 139646783465152

"""
#: The commands of the script, and what Asterisk answers.
COMMANDS: Final = (
    (b"ANSWER", b"200 result=0\n"),
    (b"GET VARIABLE", b"200 result=1 (500)\n"),
    (b"GET VARIABLE", b'200 result=1 ("Alice" <100>)\n'),
    (b"SET VARIABLE", b"200 result=1\n"),
    (b"STREAM FILE", b"200 result=0 endpos=3520\n"),
    (b"GET DATA", b"200 result=4242 (timeout)\n"),
    (b"SET VARIABLE", b"200 result=1\n"),
    (b"EXEC", b"200 result=0\n"),
    (b"VERBOSE", b"200 result=1\n"),
    (b"NOOP", b"200 result=0\n"),
)


class Call:
    """
    One call.

    :ivar asked: how many commands have come.
    :ivar began: when it was described, in seconds.
    :ivar taken: how many seconds each command took to come.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = 0
        self.taken: list[float] = []
        self.began = self._since = time.perf_counter()
        self.socket.sendall(ENVIRONMENT)

    def read(self) -> bool:
        """Answer the command that has come; return whether there may be more."""
        line = self.socket.recv(65536)
        if not line:
            self.socket.close()
            if self.asked != len(COMMANDS):
                raise RuntimeError(f"a call of {self.asked} commands")
            return False
        # How it ended may be told by one more.
        if self.asked < len(COMMANDS):
            name, reply = COMMANDS[self.asked]
            if not line.startswith(name):
                raise RuntimeError(f"expected {name!r}, not {line!r}")
            self.asked += 1
            now = time.perf_counter()
            self.taken.append(now - self._since)
            self._since = now
            self.socket.sendall(reply)
        return True


def place(port: int, calls: int, at_once: int) -> tuple[list[float], list[float]]:
    """Place so many calls, some at once; return how long calls took, and commands to come."""
    waiting = selectors.DefaultSelector()
    left = calls
    whole: list[float] = []
    commands: list[float] = []

    def begin() -> None:
        call = Call(port)
        waiting.register(call.socket, selectors.EVENT_READ, call)

    for _ in range(min(at_once, calls)):
        left -= 1
        begin()
    while waiting.get_map():
        for key, _ in waiting.select():
            call = key.data
            if call.read():
                continue
            whole.append(time.perf_counter() - call.began)
            commands += call.taken
            waiting.unregister(key.fileobj)
            if left:
                left -= 1
                begin()
    return whole, commands


def _hold(port: int, calls: int) -> None:
    """Place so many calls whose first command is never answered, until stdin ends."""
    held = [Call(port) for _ in range(calls)]
    for call in held:
        call.socket.recv(65536)
    print("{}", flush=True)
    sys.stdin.read()


def main() -> None:
    """Place calls, and print how many a second, and the milliseconds of commands and calls."""
    port, calls, at_once = map(int, sys.argv[1:])
    if not at_once:
        _hold(port, calls)
        return
    place(port, max(at_once, calls // 4), at_once)
    print("{}", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    whole, commands = place(port, calls, at_once)
    taken = time.perf_counter() - began
    percent = quantiles(whole, n=100)
    found = {
        "rate": calls / taken,
        "command": median(commands) * 1e3,
        "p50": percent[49] * 1e3,
        "p99": percent[98] * 1e3,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
