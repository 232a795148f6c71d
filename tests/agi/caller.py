"""As much of an Asterisk as is needed for one call over a real connection."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from . import ENVIRONMENT

__all__ = ["Caller"]


class Caller(Protocol):
    """
    Describe a call, and answer its one command.

    :ivar heard: what has come, as it came.
    :ivar over: fires with that when the connection is closed.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.over: Deferred[list[bytes]] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(ENVIRONMENT)

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.heard.append(data)
        if len(self.heard) == 1:
            self.transport.write(b"200 result=0\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over.callback(self.heard)
