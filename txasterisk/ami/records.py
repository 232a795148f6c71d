"""
How actions go over TLS, so that Asterisk does not stall.

Asterisk polls its socket, and then reads at most 1024 bytes through OpenSSL. What a record holds
beyond that lies decrypted where the poll does not see it, and Asterisk does nothing until another
record comes (seen on 16.28 and 22.10). So the last record of a burst must be small: the line end
that closes the last action is kept back for a record of its own.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITransport

__all__ = ["TLSWriter"]

_LINE_END = b"\r\n"


class TLSWriter:
    """
    Write actions to a TLS transport.

    :param transport: gathers what is written in one turn of the reactor into one record.
    :param clock: tells the turns.
    """

    def __init__(self, transport: ITransport, clock: IReactorTime) -> None:
        self._transport = transport
        self._clock = clock
        self._kept = b""
        self._turn: IDelayedCall | None = None

    def write(self, action: bytes) -> None:
        """Write an action, and its last line end in the next turn."""
        self._transport.write(self._kept + action.removesuffix(_LINE_END))
        self._kept = _LINE_END
        if self._turn is None:
            self._turn = self._clock.callLater(0, self._release)

    def stop(self) -> None:
        """Write no more."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _release(self) -> None:
        self._turn = None
        kept, self._kept = self._kept, b""
        self._transport.write(kept)
