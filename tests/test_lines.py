"""Cutting a stream at a delimiter, with a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._lines import Splitter
from txasterisk.errors import RemoteProtocolError


class SplitterTests(SynchronousTestCase):
    """Pieces, whatever the cuts."""

    def test_pieces(self) -> None:
        """Each delimiter ends a piece, which may be empty."""
        self.assertEqual(list(Splitter(b"\n", 9, "a line").feed(b"a\n\nb\nc")), [b"a", b"", b"b"])

    def test_the_unfinished_piece_waits(self) -> None:
        """What follows the last delimiter is the beginning of the next piece."""
        splitter = Splitter(b"\n", 9, "a line")
        self.assertEqual(list(splitter.feed(b"a\nb")), [b"a"])
        self.assertEqual(list(splitter.feed(b"c")), [])
        self.assertEqual(list(splitter.feed(b"\nd\n")), [b"bc", b"d"])

    def test_nothing(self) -> None:
        """No bytes complete nothing."""
        self.assertEqual(list(Splitter(b"\n", 9, "a line").feed(b"")), [])

    def test_a_delimiter_in_two_parts(self) -> None:
        """A delimiter counts wherever it is cut."""
        for cut in range(1, 4):
            splitter = Splitter(b"\r\n\r\n", 9, "a message")
            data = b"ab\r\n\r\n"
            self.assertEqual(list(splitter.feed(data[: 2 + cut])), [])
            self.assertEqual(list(splitter.feed(data[2 + cut :])), [b"ab"])

    def test_part_of_a_delimiter(self) -> None:
        """Half a delimiter is part of the piece."""
        splitter = Splitter(b"\r\n\r\n", 9, "a message")
        self.assertEqual(list(splitter.feed(b"a\r\n")), [])
        self.assertEqual(list(splitter.feed(b"b\r\n\r\n")), [b"a\r\nb"])

    def test_rest(self) -> None:
        """The rest can be taken out, once."""
        splitter = Splitter(b"\n", 9, "a line")
        list(splitter.feed(b"a\nb"))
        self.assertEqual((splitter.rest(), splitter.rest()), (b"b", b""))
        self.assertEqual(list(splitter.feed(b"c\n")), [b"c"])

    def test_the_limit_itself(self) -> None:
        """A piece may have as many bytes as the limit, wherever it is cut."""
        data = b"x" * 9 + b"\r\n\r\n"
        for cut in range(len(data)):
            splitter = Splitter(b"\r\n\r\n", 9, "a message")
            pieces = [*splitter.feed(data[:cut]), *splitter.feed(data[cut:])]
            self.assertEqual(pieces, [b"x" * 9])

    def test_over_the_limit(self) -> None:
        """One byte more is refused, wherever it is cut."""
        data = b"x" * 10 + b"\n"
        for cut in range(len(data)):
            splitter = Splitter(b"\n", 9, "a line")
            with self.assertRaises(RemoteProtocolError):
                list(splitter.feed(data[:cut]))
                list(splitter.feed(data[cut:]))

    def test_over_the_limit_without_an_end(self) -> None:
        """A piece need not end to be refused, so nothing grows without a bound."""
        splitter = Splitter(b"\r\n\r\n", 9, "a message")
        self.assertEqual(list(splitter.feed(b"x" * 9)), [])
        with self.assertRaises(RemoteProtocolError) as caught:
            for _ in range(4):
                list(splitter.feed(b"x"))
        self.assertEqual(
            str(caught.exception), "a message of more than 9 bytes, which begins b'xxxxxxxxxxxxx'"
        )

    def test_what_came_before_is_given_out(self) -> None:
        """The pieces before the one that is refused are not lost."""
        pieces = iter(Splitter(b"\n", 9, "a line").feed(b"a\nb\n" + b"x" * 10 + b"\nc\n"))
        self.assertEqual([next(pieces), next(pieces)], [b"a", b"b"])
        self.assertRaises(RemoteProtocolError, next, pieces)

    @given(st.lists(st.binary(max_size=12)), st.lists(st.integers(1, 7)))
    def test_any_cuts(self, parts: list[bytes], sizes: list[int]) -> None:
        """Any bytes at any cuts give the same pieces, or the same refusal."""
        data = b"\r\n".join(parts)
        self.assertEqual(outcome(data, sizes), outcome(data, [len(data)]))


def outcome(data: bytes, sizes: list[int]) -> tuple[list[bytes], bytes | None]:
    """Return the pieces and the rest, None if the data was refused."""
    splitter = Splitter(b"\r\n", 9, "a line")
    pieces: list[bytes] = []
    try:
        for size in [*sizes, len(data)]:
            for piece in splitter.feed(data[:size]):
                pieces.append(piece)
            data = data[size:]
    except RemoteProtocolError:
        return pieces, None
    return pieces, splitter.rest()
