"""A telephone that subscribes to the state of an extension, as endpoint ``watcher``."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol

from tests.live.fixture import LOOPBACK

__all__ = ["Watcher"]

#: What an answer repeats of the question.
REPEATED: Final = ("Via", "From", "To", "Call-ID", "CSeq")


class Watcher(DatagramProtocol):
    """
    Subscribes as soon as it listens.

    :param extension: whose state to watch.
    :param port: where Asterisk listens for SIP.
    """

    def __init__(self, extension: str, port: int) -> None:
        self._target = f"sip:{extension}@{LOOPBACK}:{port}"
        self._port = port
        self._call_id = uuid4().hex
        self._asked = 0
        self._to = f"<{self._target}>"
        self._told: Deferred[None] = Deferred()

    def startProtocol(self) -> None:
        """Subscribe."""
        self._subscribe(seconds=60)

    def when_told(self) -> Deferred[None]:
        """Wait for the first state, which means that Asterisk has the subscription."""
        return self._told

    def unsubscribe(self) -> Deferred[None]:
        """End the subscription; fires with the last state that Asterisk tells."""
        self._told = Deferred()
        self._subscribe(seconds=0)
        return self._told

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Take an answer to our question, or a state."""
        lines = datagram.decode().split("\r\n")
        if lines[0].startswith("SIP/2.0 200"):
            [self._to] = [line[4:] for line in lines if line.startswith("To: ")]
        elif lines[0].startswith("NOTIFY"):
            repeated = [line for line in lines if line.partition(":")[0] in REPEATED]
            self._send("SIP/2.0 200 OK", *repeated)
            if not self._told.called:
                self._told.callback(None)

    def _subscribe(self, seconds: int) -> None:
        self._asked += 1
        assert self.transport is not None
        here = f"{LOOPBACK}:{self.transport.getHost().port}"
        self._send(
            f"SUBSCRIBE {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{self._call_id}{self._asked}",
            "Max-Forwards: 70",
            f"From: <sip:watcher@{LOOPBACK}>;tag=watcher",
            f"To: {self._to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._asked} SUBSCRIBE",
            f"Contact: <sip:watcher@{here}>",
            "Event: presence",
            "Accept: application/pidf+xml",
            f"Expires: {seconds}",
        )

    def _send(self, *lines: str) -> None:
        assert self.transport is not None
        message = "\r\n".join([*lines, "Content-Length: 0", "", ""])
        self.transport.write(message.encode(), (LOOPBACK, self._port))
