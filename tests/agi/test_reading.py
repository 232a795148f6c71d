"""The environment and the replies, read from a stream."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.messages import Command, Reply
from txasterisk.agi.reading import (
    MAX_ENVIRONMENT_BYTES,
    MAX_ENVIRONMENT_LINES,
    MAX_REPLY_BYTES,
    MAX_STRAY_LINES,
    ONE_PIECE,
    EnvironmentReader,
    Fence,
    Happening,
    Notice,
    ReplyReader,
    Stray,
)
from txasterisk.errors import RemoteProtocolError

from . import ENVIRONMENT


class EnvironmentReaderTests(SynchronousTestCase):
    """Collecting the block."""

    def test_whole_and_in_pieces(self) -> None:
        """The block may come at once, or byte by byte."""
        for size in (1, 7, len(ENVIRONMENT)):
            reader = EnvironmentReader()
            found = [reader.feed(piece) for piece in pieces(ENVIRONMENT, size)]
            self.assertEqual(found[:-1], [None] * (len(found) - 1))
            assert found[-1] is not None
            self.assertEqual(b"\n".join(found[-1].lines) + b"\n\n", ENVIRONMENT)

    def test_what_follows_is_kept(self) -> None:
        """The bytes after the block are not lost."""
        for rest in (b"", b"HANGUP\n", b"b\nagi_arg_2: c\n\nHAN"):
            reader = EnvironmentReader()
            self.assertIsNotNone(reader.feed(ENVIRONMENT + rest))
            self.assertEqual(reader.rest, rest)

    def test_another_protocol_is_refused(self) -> None:
        """A peer that does not begin with ``agi_`` is refused at its first line."""
        for data in (b"GET / HTTP/1.1\r\n", b"\n", b"\x16\x03\x01\n"):
            self.assertRaises(RemoteProtocolError, EnvironmentReader().feed, data)

    def test_too_many_lines_are_refused(self) -> None:
        """A block that does not end is refused."""
        reader = EnvironmentReader()
        self.assertIsNone(reader.feed(b"agi_x: 1\n" * (MAX_ENVIRONMENT_LINES - 1)))
        self.assertRaises(RemoteProtocolError, reader.feed, b"agi_x: 1\n")

    def test_too_long_a_line_is_refused(self) -> None:
        """A line that does not end is refused."""
        reader = EnvironmentReader()
        self.assertIsNone(reader.feed(b"agi_x: " + b"x" * (MAX_ENVIRONMENT_BYTES - 7)))
        self.assertRaises(RemoteProtocolError, reader.feed, b"x")

    def test_too_many_bytes_are_refused(self) -> None:
        """Many long lines are refused as well as one."""
        reader = EnvironmentReader()
        half = b"agi_x: " + b"x" * (MAX_ENVIRONMENT_BYTES // 2) + b"\n"
        self.assertIsNone(reader.feed(half))
        self.assertRaises(RemoteProtocolError, reader.feed, half)

    @given(st.binary(), st.integers(1, 9))
    def test_any_bytes_are_a_block_or_refused(self, data: bytes, size: int) -> None:
        """Any bytes at any cuts make an environment, or a RemoteProtocolError."""
        reader = EnvironmentReader()
        try:
            for piece in pieces(b"agi_" + data, size):
                if reader.feed(piece) is not None:
                    break
        except RemoteProtocolError:
            pass


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    """Cut the data into pieces of that size."""
    return (data[at : at + size] for at in range(0, len(data), size))


class ReplyReaderTests(SynchronousTestCase):
    """Which reply belongs to which command."""

    def setUp(self) -> None:
        """Begin after the environment."""
        self.reader = ReplyReader()

    def read(self, name: str, data: bytes) -> list[Happening]:
        """What is made of the data when it comes after the command."""
        self.reader.expected = Command(name)
        return self.reader.feed(data)

    def fenced(self, name: str, *data: bytes) -> list[Happening]:
        """What is made of the data when it comes after the command, and in front of a fence."""
        fence = self.put_up(self.read(name, data[0]))
        found = [one for piece in data[1:] for one in self.reader.feed(piece)]
        self.assertEqual(found, [])
        return self.reader.feed(fence.reply + b"\n")

    def put_up(self, happenings: list[Happening]) -> Fence:
        """Return the fence, the only one of these happenings."""
        (fence,) = happenings
        assert isinstance(fence, Fence)
        return fence

    def test_a_line(self) -> None:
        """Most replies are one line."""
        self.assertEqual(self.read("ANSWER", b"200 result=0\n"), [Reply(200, "0", "")])

    def test_a_line_in_pieces(self) -> None:
        """A reply is complete with its LF."""
        self.assertEqual(self.read("ANSWER", b"200 res"), [])
        self.assertEqual(self.reader.feed(b"ult=0\n"), [Reply(200, "0", "")])

    def test_trying(self) -> None:
        """The 100 of GOSUB is not its reply."""
        self.assertEqual(
            self.read("GOSUB", b"100 result=0 Trying...\n200 result=0 Gosub complete\n"),
            [Reply(200, "0", "Gosub complete")],
        )

    def test_usage(self) -> None:
        """A usage text is one reply, even where its lines look like replies."""
        block = b"520-Invalid command syntax.\nUsage: X\n200 result=1 (x)\nHANGUP\n\n520 End\n"
        for size in (1, len(block)):
            self.reader.expected = Command("GET VARIABLE")
            found = [one for piece in pieces(block, size) for one in self.reader.feed(piece)]
            self.assertEqual(
                found,
                [
                    Reply(
                        520,
                        "",
                        "Invalid command syntax.\nUsage: X\n200 result=1 (x)\nHANGUP\n\n520 End",
                    )
                ],
            )

    def test_usage_in_one_line(self) -> None:
        """A command without a documentation has a 520 of one line."""
        self.assertEqual(
            self.read("X", b"520 Invalid command syntax.\n"),
            [Reply(520, "", "Invalid command syntax.")],
        )

    def test_hangup_before_the_reply(self) -> None:
        """``HANGUP`` is not the reply to the command that waits for one."""
        self.assertEqual(
            self.read("NOOP", b"HANGUP\n200 result=0\n"), [Notice.HANGUP, Reply(200, "0", "")]
        )

    def test_hangup_after_the_reply(self) -> None:
        """``HANGUP`` may come twice, and with the reply."""
        self.assertEqual(
            self.read("STREAM FILE", b"200 result=-1 endpos=1\nHANGUP\nHANGUP\n"),
            [Reply(200, "-1", "endpos=1"), Notice.HANGUP, Notice.HANGUP],
        )

    def test_hangup_while_nothing_is_outstanding(self) -> None:
        """``HANGUP`` comes at any time."""
        self.assertEqual(self.reader.feed(b"HANGUP\n"), [Notice.HANGUP])

    def test_a_value_of_several_lines(self) -> None:
        """The value of a variable ends with a parenthesis and a LF."""
        self.assertEqual(self.read("get variable", b"200 result=1 (a\nHANGUP\n"), [])
        (reply,) = self.reader.feed(b"200 result=0\n\nb)\n")
        assert isinstance(reply, Reply)
        self.assertEqual(reply.text, "a\nHANGUP\n200 result=0\n\nb")

    def test_a_value_with_a_line_that_looks_like_its_end(self) -> None:
        """Of what comes together, the last line with a parenthesis ends the value."""
        happenings = self.read("GET VARIABLE", b"200 result=1 ((a)\nHANGUP\n(b)\nc)\nHANGUP\n")
        self.assertEqual(happenings, [Reply(200, "1", "((a)\nHANGUP\n(b)\nc)"), Notice.HANGUP])

    def test_an_unset_variable_is_one_line(self) -> None:
        """A reply without a value does not wait for the end of one."""
        self.assertEqual(self.read("GET VARIABLE", b"200 result=0\n"), [Reply(200, "0", "")])

    def test_a_late_reply_is_not_the_next_commands(self) -> None:
        """What comes together with a reply cannot answer a command that was not yet sent."""
        self.assertEqual(
            self.read("NOOP", b"200 result=0\n520-Invalid\nUsage\n520 End\n"),
            [Reply(200, "0", ""), Stray((b"520-Invalid", b"Usage", b"520 End"))],
        )

    def test_lines_that_answer_nothing(self) -> None:
        """While nothing is outstanding every other line is a stray."""
        self.assertEqual(
            self.reader.feed(b"b\n200 result=1\n\n"), [Stray((b"b", b"200 result=1", b""))]
        )

    def test_a_reply_without_a_command(self) -> None:
        """A line that looks like a reply answers nothing when nothing was asked."""
        self.assertEqual(self.reader.feed(b"200 result=1\n"), [Stray((b"200 result=1",))])
        self.read("NOOP", b"200 result=0\n")
        self.assertEqual(self.reader.feed(b"200 result=1\n"), [Stray((b"200 result=1",))])

    def test_lines_that_are_no_reply(self) -> None:
        """A line that is no reply is none, even when one is awaited."""
        self.assertEqual(
            self.read("NOOP", b"agi_arg_2: x\n\n200 result=0\n"),
            [Stray((b"agi_arg_2: x", b"")), Reply(200, "0", "")],
        )

    def test_too_many_strays_are_refused(self) -> None:
        """A peer that talks without being asked is refused."""
        self.reader.feed(b"x\n" * MAX_STRAY_LINES)
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"x\n")

    def test_strays_are_counted_between_replies(self) -> None:
        """A long session may have many in all."""
        for _ in range(3):
            self.reader.feed(b"x\n" * MAX_STRAY_LINES)
            self.read("NOOP", b"200 result=0\n")

    def test_too_many_hangups_are_refused(self) -> None:
        """Asterisk tells of a hangup a few times at most."""
        self.reader.feed(b"HANGUP\n" * MAX_STRAY_LINES)
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"HANGUP\n")

    def test_a_reply_that_is_announced_for_ever_is_refused(self) -> None:
        """``100`` comes once before a reply, not time and again."""
        self.read("GOSUB", b"100 result=0 Trying...\n" * MAX_STRAY_LINES)
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"100 result=0 Trying...\n")

    def test_too_long_a_reply_is_refused(self) -> None:
        """A reply may have a megabyte, not more, in one line or in many."""
        line = b"200 result=1 (" + b"x" * (MAX_REPLY_BYTES - 115) + b")"
        (reply,) = self.fenced("GET FULL VARIABLE", line + b"\n")
        self.assertEqual(len(str(reply)), len(line))
        self.reader.expected = Command("GET FULL VARIABLE")
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"x" * 116 + line)

    def test_the_limit_is_for_one_reply(self) -> None:
        """Several long replies one after the other are no matter."""
        half = b"200 result=1 (\n" + b"x" * (MAX_REPLY_BYTES // 2 + 100) + b")\n"
        for _ in range(3):
            self.assertEqual(len(self.fenced("GET VARIABLE", half)), 1)

    def test_a_reply_of_too_many_lines_is_refused(self) -> None:
        """A usage text that does not end is refused."""
        self.assertEqual(self.read("X", b"520-Invalid\n"), [])
        self.reader.feed(b"\n" * (MAX_REPLY_BYTES - 12))
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"\n" * 2)

    def test_a_fence(self) -> None:
        """A fence is a command that does nothing, with a reply that nobody can know before."""
        one, other = Fence(), Fence()
        token = one.line.removeprefix(b'GET FULL VARIABLE "').removesuffix(b'"\n')
        self.assertEqual(one.reply, b"200 result=1 (" + token + b")")
        self.assertNotEqual(one.reply, other.reply)

    def test_the_rest_of_a_long_value(self) -> None:
        """A value too long for one piece is no more than what stands before the fence."""
        start = b"200 result=1 (" + b"x" * ONE_PIECE + b")\n"
        rest = b"HANGUP\n200 result=1 (forged)\n", b"520 b)\nHANGUP\n"
        happenings = self.fenced("GET FULL VARIABLE", start, *rest)
        value = "x" * ONE_PIECE + ")\nHANGUP\n200 result=1 (forged)\n520 b"
        self.assertEqual(happenings, [Reply(200, "1", f"({value})"), Notice.HANGUP])
        self.assertEqual(self.read("NOOP", b"200 result=0\n"), [Reply(200, "0", "")])

    def test_a_long_value_of_short_lines(self) -> None:
        """It makes no difference how the value is cut into lines."""
        lines = [b"x" * 100 + b")"] * 20
        happenings = self.fenced("DATABASE GET", b"200 result=1 (\n" + b"\n".join(lines) + b"\n")
        (reply,) = happenings
        assert isinstance(reply, Reply)
        self.assertEqual(reply.text, "\n" + "\n".join(["x" * 100 + ")"] * 20)[:-1])

    def test_a_fence_together_with_what_follows(self) -> None:
        """What comes behind the fence's reply is read as ever."""
        long = b"200 result=1 (" + b"x" * ONE_PIECE + b")\n"
        fence = self.put_up(self.read("GET VARIABLE", long))
        happenings = self.reader.feed(fence.reply + b"\nHANGUP\n")
        self.assertEqual([type(one) for one in happenings], [Reply, Notice])

    def test_an_application_that_returns_one(self) -> None:
        """Asterisk adds the usage of ``EXEC`` to its result, which is no other reply."""
        happenings = self.fenced("exec", b"200 result=1\n", b"520-Invalid\nUsage\n", b"520 End\n")
        strays = (b"520-Invalid", b"Usage", b"520 End")
        self.assertEqual(happenings, [Reply(200, "1", ""), Stray(strays)])

    def test_one_is_no_news_of_other_commands(self) -> None:
        """Only ``EXEC`` is like that."""
        self.assertEqual(self.read("SET VARIABLE", b"200 result=1\n"), [Reply(200, "1", "")])
        self.assertEqual(self.read("EXEC", b"200 result=0\n"), [Reply(200, "0", "")])

    def test_a_long_line_that_is_no_value(self) -> None:
        """The reply of another command is one line, whatever its length."""
        line = b"200 result=1 (speech) endpos=0 text0=" + b"x" * ONE_PIECE
        self.assertEqual(len(self.read("SPEECH RECOGNIZE", line + b"\n")), 1)

    def test_a_fence_after_the_environment(self) -> None:
        """With nothing expected all before the fence is stray, even a hangup; its reply is told."""
        fence = self.reader.put_up_fence()
        self.assertEqual(self.reader.feed(b"200 result=1 (forged)\n"), [])
        happenings = self.reader.feed(b"HANGUP\nagi_arg_2: x\n\n" + fence.reply + b"\n")
        strays = Stray((b"200 result=1 (forged)", b"HANGUP", b"agi_arg_2: x", b""))
        self.assertEqual(happenings, [strays, Reply.parse(fence.reply)])

    def test_too_much_before_the_fence_is_refused(self) -> None:
        """What is kept for the fence is bounded."""
        self.reader.put_up_fence()
        self.reader.feed(b"\n" * MAX_REPLY_BYTES)
        self.assertRaises(RemoteProtocolError, self.reader.feed, b"\n" * 2)

    @given(st.lists(st.binary(max_size=20), max_size=8), st.integers(1, 9))
    def test_any_bytes_are_happenings_or_refused(self, lines: list[bytes], size: int) -> None:
        """Any bytes at any cuts make happenings, or a RemoteProtocolError."""
        reader = ReplyReader()
        try:
            for piece in pieces(b"\n".join(lines), size):
                reader.expected = Command("GET VARIABLE")
                reader.feed(piece)
        except RemoteProtocolError:
            pass
