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
        over_limit = len(unfinished) + len(data) > self._limit
        if unfinished and self._delimiter in self._seam(data):
            data = b"".join((unfinished, data))
            unfinished.clear()
        # What is unfinished was searched already. It is not searched again, so that a stream in
        # tiny segments does not cost its square, and not joined to a whole segment, which would
        # copy that: a good part of what an unwanted event costs.
        pieces = data.split(self._delimiter)
        if unfinished and len(pieces) > 1:
            pieces[0] = b"".join((unfinished, pieces[0]))
            unfinished.clear()
        unfinished += pieces.pop()
        return self._within_limit(pieces) if over_limit else pieces

    @property
    def is_between(self) -> bool:
        """Whether all that was fed ended with a delimiter."""
        return not self._unfinished

    def rest(self) -> bytes:
        """Return the bytes after the last delimiter, and forget them."""
        rest = bytes(self._unfinished)
        self._unfinished.clear()
        return rest

    def _seam(self, data: bytes) -> bytearray:
        """Return where a delimiter may be cut in two by what is unfinished and what has come."""
        start = max(0, len(self._unfinished) - self._overlap)
        return self._unfinished[start:] + data[: self._overlap]

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
