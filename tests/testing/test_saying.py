"""What the fake says; ``tests/live/test_saying.py`` compares it with a real Asterisk."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.testing import NotFaked, saying
from txasterisk.testing.sounds import SOUNDS

#: 25 November 2026, 16:05:09 UTC, a Wednesday.
MOMENT = 1_795_622_709


class SayingTests(SynchronousTestCase):
    """The sounds of what is said."""

    def assert_said(self, sounds: list[str], expected: str) -> None:
        """Fail unless these are the sounds, and all of them are there."""
        self.assertEqual(sounds, expected.split())
        self.assertEqual([sound for sound in sounds if sound not in SOUNDS], [])

    def test_numbers(self) -> None:
        """A number is said by its thousands, hundreds, tens and ones."""
        self.assert_said(saying.number(0), "digits/0")
        self.assert_said(saying.number(-21), "digits/minus digits/20 digits/1")
        self.assert_said(
            saying.number(2_000_113),
            "digits/2 digits/million digits/1 digits/hundred digits/13",
        )
        self.assert_said(saying.number(2**31 - 1), "")

    def test_digits(self) -> None:
        """What is no digit is left out."""
        self.assert_said(saying.digits("-1x*#"), "digits/minus digits/1 digits/star digits/pound")

    def test_letters(self) -> None:
        """A text is spelled, and with it whether its letters are great or small."""
        self.assert_said(
            saying.alphabet("aB ?é", "all"),
            "lowercase letters/a uppercase letters/b letters/space letters/ascii63 lowercase",
        )
        self.assert_said(saying.phonetic("b91?"), "phonetic/b_p phonetic/9_p digits/1")

    def test_dates(self) -> None:
        """A date is a day of the week, a month, a day and a year."""
        self.assert_said(
            saying.date(MOMENT),
            "digits/day-3 digits/mon-10 digits/20 digits/5 digits/2 digits/thousand digits/20"
            " digits/6",
        )

    def test_times(self) -> None:
        """A time is an hour of twelve, a minute, and a half of the day."""
        self.assert_said(saying.time(MOMENT), "digits/4 digits/oh digits/5 digits/p-m")

    def test_formats(self) -> None:
        """A date and time is said as the format says, in a time zone."""
        self.assert_said(
            saying.date_and_time(MOMENT, "dY'digits/at'T", "Asia/Tokyo"),
            "digits/20 digits/h-6 digits/2 digits/thousand digits/20 digits/6"
            " digits/at digits/oh digits/1 digits/oh digits/5 digits/oh digits/9",
        )

    def test_what_is_not_faked(self) -> None:
        """What depends on the day is not said."""
        self.assertRaises(NotFaked, saying.date_and_time, MOMENT, "Q")

    def test_old_years(self) -> None:
        """A year before 1901 is left out."""
        self.assert_said(saying.date_and_time(-2_300_000_000, "eY"), "digits/h-11")
