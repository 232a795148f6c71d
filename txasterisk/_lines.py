"""
Cutting a stream of bytes at a delimiter, with a bound.

AMI cuts messages at a blank line, AGI cuts lines at LF. Neither protocol announces a length, so
the only defence against a peer that never sends the delimiter is a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .errors import RemoteProtocolError

__all__ = ["Splitter"]


class Splitter:
    """
    Cut what arrives into the pieces between delimiters.

    :param delimiter: what ends a piece; it is not part of it.
    :param limit: the most bytes that a piece may have.
    :param what: the name of a piece, for the error.
    """

    __slots__ = ("_delimiter", "_limit", "_overlap", "_unfinished", "_what")

    def __init__(self, delimiter: bytes, limit: int, what: str) -> None:
        self._delimiter = delimiter
        self._overlap = len(delimiter) - 1
        self._limit = limit
        self._what = what
        self._unfinished = bytearray()

    def feed(self, data: bytes) -> Iterable[bytes]:
        """
        Take some bytes and return the pieces that they complete, in order.

        :raises RemoteProtocolError: on the way, when the next piece is over the limit; the pieces
            before it have been given out by then.
        """
        unfinished = self._unfinished
        if unfinished:
            # A delimiter may straddle the seam; what lies before it was searched already, so
            # that a stream in tiny segments does not cost its square.
            seam = max(0, len(unfinished) - self._overlap)
            unfinished += data
            if unfinished.find(self._delimiter, seam) < 0:
                self._refuse_unfinished_over_limit()
                return ()
            data = bytes(unfinished)
            unfinished.clear()
        pieces = data.split(self._delimiter)
        unfinished += pieces.pop()
        if len(data) > self._limit:
            return self._within_limit(pieces)
        return pieces

    def rest(self) -> bytes:
        """Return the bytes after the last delimiter, and forget them."""
        rest = bytes(self._unfinished)
        self._unfinished.clear()
        return rest

    def _within_limit(self, pieces: list[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._refuse_over_limit(piece)
            yield piece
        self._refuse_unfinished_over_limit()

    def _refuse_unfinished_over_limit(self) -> None:
        # Its last bytes may be the beginning of the delimiter.
        if len(self._unfinished) > self._limit + self._overlap:
            self._refuse_over_limit(bytes(self._unfinished))

    def _refuse_over_limit(self, piece: bytes) -> None:
        if len(piece) > self._limit:
            self._unfinished.clear()
            raise RemoteProtocolError(
                f"{self._what} of more than {self._limit} bytes, which begins {piece[:40]!r}"
            )
