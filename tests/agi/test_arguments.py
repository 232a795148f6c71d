"""What AGI commands take, and what would be misread."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.arguments import (
    Checked,
    Keys,
    Milliseconds,
    Number,
    Position,
    Priority,
    Seconds,
    Short,
    Silence,
    SpokenDigits,
    UnixTime,
    WholeSeconds,
)
from txasterisk.agi.messages import Command
from txasterisk.errors import LocalProtocolError


class ArgumentTests(SynchronousTestCase):
    """Each kind of argument, as it is sent."""

    def assert_sent(self, *pairs: tuple[Checked, str]) -> None:
        """Fail unless each argument is sent like this."""
        for argument, sent in pairs:
            self.assertEqual(str(argument), sent)

    def assert_refused(self, *arguments: Checked) -> None:
        """Fail unless each argument is refused."""
        for argument in arguments:
            self.assertRaises(LocalProtocolError, str, argument)

    def test_the_error_names_the_command(self) -> None:
        """Who is told that something cannot be sent is told where."""
        error = self.assertRaises(LocalProtocolError, Command("SAY DATE", Keys("x")).serialize)
        self.assertEqual(str(error), "SAY DATE: not only keys of a telephone: 'x'")

    def test_milliseconds(self) -> None:
        """Seconds are sent as whole milliseconds; infinity is -1, which Asterisk takes for it."""
        self.assert_sent((Milliseconds(2.5), "2500"), (Milliseconds(math.inf), "-1"))

    def test_no_time_is_not_the_default(self) -> None:
        """Zero would mean the default, so the shortest time is one millisecond."""
        self.assert_sent((Milliseconds(0), "1"))

    def test_whole_seconds(self) -> None:
        """Where Asterisk counts seconds, one that has begun counts, so that none is lost."""
        self.assert_sent(
            (WholeSeconds(2), "2"),
            (WholeSeconds(2.1), "3"),
            (WholeSeconds(0), "1"),
            (WholeSeconds(math.inf), "-1"),
            (Silence(1.5), "s=2"),
        )

    def test_seconds(self) -> None:
        """Where Asterisk takes fractions, they are sent, never with an exponent."""
        self.assert_sent(
            (Seconds(2.5), "2.500"), (Seconds(0), "0.000"), (Seconds(1e6), "1000000.000")
        )

    def test_position(self) -> None:
        """A position is sent in milliseconds, and may be the beginning."""
        self.assert_sent((Position(0), "0"), (Position(1.2345), "1234"))

    def test_what_is_no_time(self) -> None:
        """Less than nothing, not a number, and more than an int can hold are refused."""
        for kind in (Milliseconds, WholeSeconds, Seconds, Position):
            self.assert_refused(*map(kind, (-1.0, math.nan, 2_147_484.0, -math.inf)))
        self.assert_refused(Seconds(math.inf), Position(math.inf))

    def test_unix_time(self) -> None:
        """A moment is sent in the seconds since 1970."""
        self.assert_sent(
            (UnixTime(datetime(2026, 11, 25, 7, tzinfo=UTC)), "1795590000"),
            (UnixTime(0.9), "0"),
            (UnixTime(-0.5), "-1"),
        )

    def test_what_is_no_moment(self) -> None:
        """A moment without a time zone, or beyond what can be said, is refused."""
        self.assert_refused(
            UnixTime(datetime(2026, 11, 25)),
            UnixTime(math.nan),
            UnixTime(math.inf),
            UnixTime(11, last=10),
            UnixTime(-11, last=10),
        )

    def test_number(self) -> None:
        """A number is whole, and within what makes sense and an int can hold."""
        self.assert_sent((Number(0), "0"), (Number(2**31 - 1), str(2**31 - 1)))
        self.assert_refused(Number(-1), Number(0, least=1), Number(2**31))

    def test_text_is_no_number(self) -> None:
        """Asterisk would take letters for 0, and a fraction for less."""
        for value in ("5", "five", 1.5):
            self.assert_refused(Number(value))  # type: ignore[arg-type]

    def test_keys(self) -> None:
        """Keys are what telephones have."""
        self.assert_sent((Keys(""), ""), (Keys("0123456789*#ABCD"), "0123456789*#ABCD"))
        self.assert_refused(Keys("1 2"), Keys("a"), Keys("1,2"), Keys("any"))

    def test_spoken_digits(self) -> None:
        """The first one is a digit, perhaps behind a minus."""
        self.assert_sent((SpokenDigits(7), "7"), (SpokenDigits("-0*#"), "-0*#"))
        self.assert_refused(*map(SpokenDigits, ("", "#1", "--1", "1a", "٣")))

    def test_refused_digits_are_not_told(self) -> None:
        """What somebody wanted to have said may be his secret."""
        error = self.assertRaises(LocalProtocolError, str, SpokenDigits("1234 5678"))
        self.assertNotIn("1234", str(error))

    def test_priority(self) -> None:
        """A priority is a number from 1 on, or a label."""
        self.assert_sent(
            (Priority(1), "1"), (Priority("2"), "2"), (Priority("n"), "n"), (Priority("a-b"), "a-b")
        )
        self.assert_refused(
            *(Priority(priority) for priority in (0, -1, "0", "", "1.5", "-1", "1st", "a b"))
        )

    def test_short(self) -> None:
        """A text is counted in bytes, and not cut."""
        self.assert_sent((Short("é" * 5, 10), "é" * 5))
        self.assert_refused(Short("é" * 5 + "x", 10))
