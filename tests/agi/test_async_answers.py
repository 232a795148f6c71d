"""What AsyncAGI says, put together again: answers as Asterisk 22 and 16 sent them."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.async_answers import (
    CUT,
    FETCHED,
    MAX_EXPRESSION,
    MAX_READINGS,
    MAX_READINGS_IN_BASE64,
    READING,
    Readings,
    from_base64,
    in_base64,
    reply_to,
)
from txasterisk.agi.messages import Command, Reply
from txasterisk.errors import RemoteProtocolError

GET = Command("GET FULL VARIABLE", "${V}")


def encoded(text: bytes) -> str:
    """Encode a reading as Asterisk does, and cut it where Asterisk does."""
    whole = quote(text, safe="-_.!~*'()")
    if len(whole) <= CUT + 2:
        return whole
    # No character is cut in two.
    cut = whole[: CUT + 2]
    return cut[: cut.rfind("%")] if "%" in cut[-2:] else cut


def joined(answer: bytes) -> bytes:
    """Take an answer as it is sent, and ask for more as long as there may be more."""
    readings = Readings()
    pipe = answer
    while readings.add(encoded(pipe[:READING])):
        pipe = pipe[READING:] + FETCHED
    return readings.joined()


class ReadingsTests(SynchronousTestCase):
    """Answers of every length."""

    def test_short_answer(self) -> None:
        """An answer that comes with one reading is whole, and nothing needs to be fetched."""
        readings = Readings()
        self.assertFalse(readings.add("200%20result%3D1%20(a%2Bb)%0A"))
        self.assertEqual(readings.joined(), b"200 result=1 (a+b)\n")

    def test_long_answer(self) -> None:
        """The rest of an answer comes in front of what the fetching command answers."""
        readings = Readings()
        self.assertTrue(readings.add("200%20result%3D1%20(" + "a" * 1010))
        self.assertFalse(readings.add("aaa)%0A200%20result%3D0%0A"))
        self.assertEqual(readings.joined(), b"200 result=1 (" + b"a" * 1013 + b")\n")

    def test_longer_answer(self) -> None:
        """Each fetching command leaves its own answer in the pipe, too."""
        value = b"200 result=1 (" + b"a" * 5000 + b")\n"
        self.assertEqual(joined(value), value)

    def test_as_long_as_a_reading(self) -> None:
        """An answer of just as many bytes as a reading may be whole: a fetch tells."""
        readings = Readings()
        self.assertTrue(readings.add("200%20result%3D1%20(" + "a" * 1008 + ")%0A"))
        self.assertFalse(readings.add("200%20result%3D0%0A"))
        self.assertEqual(readings.joined(), b"200 result=1 (" + b"a" * 1008 + b")\n")

    def test_line_end_at_the_end_of_a_reading(self) -> None:
        """A line end in a value does not end the answer."""
        value = b"200 result=1 (" + b"a" * 1009 + b"\n" + b"b" * 100 + b")\n"
        self.assertEqual(joined(value), value)

    def test_every_length(self) -> None:
        """Whatever its length, an answer is whole, or it is said that it is not."""
        for length in (*range(1000, 1040), *range(2040, 2060), 65_000):
            value = b"200 result=1 (" + b"a" * length + b")\n"
            self.assertEqual(joined(value), value)

    def test_characters_that_grow(self) -> None:
        """What needs more characters than Asterisk sends is said to be lost."""
        for letters, whole in ((674, True), (675, False), (1000, False)):
            value = b"200 result=1 (" + b"\xe9" * letters + b")\n"
            if whole:
                self.assertEqual(joined(value), value)
            else:
                error = self.assertRaises(RemoteProtocolError, joined, value)
                self.assertIn("more than 2047 characters", str(error))

    def test_what_was_cut_is_fetched_to_its_end(self) -> None:
        """After a reading that was cut, the rest is fetched, so that it cannot come later."""
        readings = Readings()
        pipe = b"200 result=1 (" + b"\xe9" * 3000 + b")\n"
        while readings.add(encoded(pipe[:READING])):
            pipe = pipe[READING:] + FETCHED
        self.assertLess(len(pipe), READING)
        self.assertRaises(RemoteProtocolError, readings.joined)

    def test_cut_at_a_line_end(self) -> None:
        """Several lines that are as long as what was cut may have been cut behind one of them."""
        readings = Readings()
        self.assertTrue(readings.add("200%20result%3D1%20(" + "%C3%A9" * 337 + "%0Aa%0A"))

    def test_something_else_than_the_rest(self) -> None:
        """Should the fetching command answer anything else, nothing is made up."""
        readings = Readings()
        readings.add("a" * READING)
        readings.add("511%20Command%20Not%20Permitted%0A")
        self.assertRaises(RemoteProtocolError, readings.joined)

    def test_no_end(self) -> None:
        """What a pipe cannot hold is not fetched for ever."""
        readings = Readings()
        for _ in range(MAX_READINGS):
            self.assertTrue(readings.add("a" * READING))
        self.assertRaises(RemoteProtocolError, readings.add, "a" * READING)

    @given(st.binary(max_size=4000).map(lambda value: value.replace(b"\0", b"")))
    def test_any_value(self, value: bytes) -> None:
        """Any value comes out as it is, or it is said to be lost."""
        answer = b"200 result=1 (" + value + b")\n"
        try:
            self.assertEqual(joined(answer), answer)
        except RemoteProtocolError:
            self.assertGreater(len(quote(answer)), CUT)

    @given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
    def test_garbage(self, garbage: list[str]) -> None:
        """Whatever comes gives bytes or the error of the peer."""
        readings = Readings()
        try:
            for text in garbage:
                readings.add(text.replace("\ud800", ""))
            reply_to(GET, readings.joined())
        except RemoteProtocolError:
            pass


class ReplyTests(SynchronousTestCase):
    """The reply in an answer."""

    def test_reply(self) -> None:
        """An answer is read as over any other carrier."""
        self.assertEqual(reply_to(GET, b"200 result=1 (a)\n"), Reply(200, "1", "(a)"))
        self.assertEqual(
            reply_to(Command("BOGUS"), b"510 Invalid or unknown command\n"),
            Reply(510, "", "Invalid or unknown command"),
        )

    def test_value_of_several_lines(self) -> None:
        """A value may hold lines that look like a reply."""
        answer = b"200 result=1 (a\n200 result=5\nb)\n"
        self.assertEqual(reply_to(GET, answer).text, "a\n200 result=5\nb")

    def test_usage(self) -> None:
        """A usage text has several lines."""
        answer = (
            b"520-Invalid command syntax.  Proper usage follows:\nx\n520 End of proper usage.\n"
        )
        self.assertEqual(reply_to(GET, answer).code, 520)

    def test_gosub(self) -> None:
        """What tells that it is being tried is no reply."""
        answer = b"100 result=0 Trying...\n200 result=0 Gosub complete\n"
        self.assertEqual(reply_to(Command("GOSUB"), answer), Reply(200, "0", "Gosub complete"))

    def test_what_others_have_left(self) -> None:
        """Something in front is left of what another client has asked for."""
        answer = b"aaa)\n200 result=0\n200 result=1 (b)\n"
        self.assertEqual(reply_to(GET, answer).text, "b")

    def test_none(self) -> None:
        """Where there is no reply it is said so."""
        self.assertRaises(RemoteProtocolError, reply_to, GET, b"aaa)\n")
        self.assertRaises(RemoteProtocolError, reply_to, Command("GOSUB"), b"100 Trying...\n")

    def test_two(self) -> None:
        """To an application that returns 1 Asterisk adds the usage of ``EXEC``."""
        answer = b"200 result=1\n520-Invalid command syntax.\n520 End of proper usage.\n"
        self.assertEqual(reply_to(Command("EXEC", "X"), answer), Reply(200, "1", ""))


class Base64Tests(SynchronousTestCase):
    """Values that are asked for again in base64."""

    def test_lost_but_short(self) -> None:
        """Only what was lost is asked for again, and only what a pipe holds in base64."""
        readings = Readings()
        self.assertFalse(readings.lost_but_short)
        readings.add("%C3%A9" * 341)
        self.assertTrue(readings.lost_but_short)
        for _ in range(MAX_READINGS_IN_BASE64):
            readings.add("a" * READING)
        self.assertFalse(readings.lost_but_short)

    def test_commands(self) -> None:
        """Variables and parts of them can be read again; functions might do something."""
        for command, expression in (
            (Command("GET VARIABLE", "A"), "${BASE64_ENCODE(${A}.~~)}"),
            (Command("get variable", "_A1"), "${BASE64_ENCODE(${_A1}.~~)}"),
            (Command("GET FULL VARIABLE", "${A}"), "${BASE64_ENCODE(${A}.~~)}"),
            (
                Command("GET FULL VARIABLE", "x, ${A:1}${B:-2:1}"),
                "${BASE64_ENCODE(x, ${A:1}${B:-2:1}.~~)}",
            ),
        ):
            again = in_base64(command)
            assert again is not None
            self.assertEqual((again.name, again.arguments), ("GET FULL VARIABLE", (expression,)))

    def test_of_another_channel(self) -> None:
        """The channel stays the same."""
        again = in_base64(Command("GET FULL VARIABLE", "${A}", "SIP/bob"))
        assert again is not None
        self.assertEqual(again.arguments, ("${BASE64_ENCODE(${A}.~~)}", "SIP/bob"))

    def test_other_commands(self) -> None:
        """What may do something, or would not be understood, is not asked for again."""
        for command in (
            Command("GET VARIABLE", "SHELL(date)"),
            Command("GET VARIABLE"),
            Command("GET FULL VARIABLE"),
            Command("GET FULL VARIABLE", ""),
            Command("GET FULL VARIABLE", "${SHELL(date)}"),
            Command("GET FULL VARIABLE", "${A${B}}"),
            Command("GET FULL VARIABLE", "${A"),
            Command("GET FULL VARIABLE", "A}"),
            Command("GET FULL VARIABLE", "$[1 + 1]"),
            Command("GET FULL VARIABLE", 'a"b'),
            Command("GET FULL VARIABLE", "x" * (MAX_EXPRESSION + 1)),
            Command("DATABASE GET", "a", "b"),
            Command("RECEIVE TEXT", 1000),
        ):
            self.assertIsNone(in_base64(command), command.arguments)

    def test_value(self) -> None:
        """The value is put into the reply, also where Asterisk 16 has lost what is behind it."""
        for sent in b"\xc3\xa9\n).~~", b"\xc3\xa9\n).~", b"\xc3\xa9\n).":
            reply = Reply(200, "1", f"({b64encode(sent).decode()})")
            self.assertEqual(from_base64(reply), Reply(200, "1", "(\xe9\n))"))

    def test_value_that_ends_alike(self) -> None:
        """What a value ends with is never taken for what was put behind it."""
        reply = Reply(200, "1", f"({b64encode(b'a.~~.~~').decode()})")
        self.assertEqual(from_base64(reply).text, "a.~~")

    def test_no_value(self) -> None:
        """Where there is none, as without the function, or not all of it, it is said so."""
        for tail in "()", "", "(?)", "(a)", f"({b64encode(b'abc').decode()})":
            self.assertRaises(RemoteProtocolError, from_base64, Reply(200, "1", tail))
