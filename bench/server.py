"""The played Asterisk: sends rendered bytes, as fast as they are taken. Ends with its stdin."""

from __future__ import annotations

import re
import socketserver
import sys
import threading
from typing import Final

from bench.wire import BLANK_LINE, GO, GREETING, answer, channels, stream

_NAME: Final = re.compile(rb"^action: *(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_ID: Final = re.compile(rb"^actionid: *(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_COUNT: Final = re.compile(rb"^count: *(\d+)", re.IGNORECASE | re.MULTILINE)
_LIST_LENGTH: Final = 10_000


class Link(socketserver.BaseRequestHandler):
    """One client's connection."""

    def handle(self) -> None:
        """Answer whatever is asked until the client is gone."""
        self.request.sendall(GREETING)
        rest = b""
        while data := self.request.recv(1 << 20):
            *actions, rest = (rest + data).split(BLANK_LINE)
            answers: list[bytes] = []
            for action in actions:
                self._perform(action, answers)
            self.request.sendall(b"".join(answers))

    def _perform(self, action: bytes, answers: list[bytes]) -> None:
        name, action_id = _found(_NAME, action), _found(_ID, action)
        if name == b"CoreShowChannels":
            answers.append(channels(action_id, _LIST_LENGTH))
            return
        answers.append(answer(name, action_id))
        if name == GO.encode():
            self.request.sendall(answers.pop())
            for chunk in stream(int(_found(_COUNT, action) or 0)):
                self.request.sendall(chunk)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each link."""

    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: object, client_address: object) -> None:
        """A subject that has seen enough just goes."""


def _found(what: re.Pattern[bytes], action: bytes) -> bytes:
    match = what.search(action)
    return match[1] if match else b""


def main() -> None:
    """Serve until stdin ends."""
    with Server(("127.0.0.1", 0), Link) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
