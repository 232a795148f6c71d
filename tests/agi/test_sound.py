"""The verbs for sound, keys and text: what each sends, and what it makes of the reply."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

from txasterisk.agi.results import Controlled, Digits, Played, Recorded
from txasterisk.errors import CommandFailed, HungUp, RemoteProtocolError

from .hand_answered import ALIVE, DEAD, SessionTestCase


class StreamFileTests(SessionTestCase):
    """Playing sounds."""

    def test_stream_file(self) -> None:
        """``stream_file`` fires with the end position when the sound is over."""
        self.assert_verb(
            lambda: self.session.stream_file("beep"),
            b'STREAM FILE "beep" ""',
            b"200 result=0 endpos=3520",
            Played(None, 3520),
        )

    def test_stream_file_stopped_by_a_key(self) -> None:
        """A key that stops the sound is told."""
        self.assert_verb(
            lambda: self.session.stream_file("beep", "12#", 800),
            b'STREAM FILE "beep" "12#" "800"',
            b"200 result=35 endpos=1600",
            Played("#", 1600),
        )

    def test_stream_file_without_a_position(self) -> None:
        """A reply that lacks what it must have is the server's fault."""
        self.assert_fails(self.session.stream_file("beep"), RemoteProtocolError, b"200 result=0")

    def test_control_stream_file(self) -> None:
        """``control_stream_file`` sends all its arguments, so that none takes another's place."""
        self.assert_verb(
            lambda: self.session.control_stream_file("talk"),
            b'CONTROL STREAM FILE "talk" "" "3000" "#" "*" "" "0"',
            b"200 result=0 endpos=-1",
            Controlled(None, None),
        )

    def test_control_stream_file_stopped_by_a_key(self) -> None:
        """The position is in seconds."""
        self.assert_verb(
            lambda: self.session.control_stream_file(
                "talk", "5", skip=1.5, forward="36", rewind="14", pause="2", offset=0.25
            ),
            b'CONTROL STREAM FILE "talk" "5" "1500" "36" "14" "2" "250"',
            b"200 result=53 endpos=4560",
            Controlled("5", 4.56),
        )

    def test_control_stream_file_stopped_through_ami(self) -> None:
        """Without a key it may have been stopped, too."""
        self.assert_fires(
            self.session.control_stream_file("talk"),
            Controlled(None, 0.6),
            b"200 result=0 endpos=600",
        )

    def test_control_stream_file_without_keys(self) -> None:
        """For no key one is sent that no telephone has: an empty one would mean ``#`` or ``*``."""
        self.assert_verb(
            lambda: self.session.control_stream_file("talk", forward="", rewind=""),
            b'CONTROL STREAM FILE "talk" "" "3000" "-" "-" "" "0"',
            b"200 result=0 endpos=-1",
            Controlled(None, None),
        )

    def test_no_such_sound(self) -> None:
        """A sound that does not exist is a failure."""
        self.assert_fails(
            self.session.control_stream_file("nosuch"),
            CommandFailed,
            b"200 result=-1 endpos=-1",
            ALIVE,
        )

    def test_what_would_be_misread(self) -> None:
        """What are no keys, or no positions, is not sent."""
        self.assert_refused(
            self.session.stream_file("beep", "12x"),
            self.session.stream_file("beep", "a"),
            self.session.stream_file("beep", "", -1),
            self.session.control_stream_file("beep", "?"),
            self.session.control_stream_file("beep", pause=" "),
            self.session.control_stream_file("beep", skip=-1),
            self.session.control_stream_file("beep", offset=math.inf),
        )


class KeyTests(SessionTestCase):
    """Collecting keys."""

    def test_get_data(self) -> None:
        """``get_data`` fires with the digits."""
        self.assert_verb(
            lambda: self.session.get_data("pin", 2.5, 4),
            b'GET DATA "pin" "2500" "4"',
            b"200 result=0123",
            Digits("0123", timed_out=False),
        )

    def test_get_data_without_limits(self) -> None:
        """Without a time Asterisk's own limits hold, also if the number of digits is given."""
        self.assert_verb(
            lambda: self.session.get_data("pin", max_digits=4),
            b'GET DATA "pin" "0" "4"',
            b"200 result=*",
            Digits("*", timed_out=False),
        )

    def test_get_data_timed_out(self) -> None:
        """What was entered before the time ran out is not lost."""
        for reply, digits in ((b"200 result=12 (timeout)", "12"), (b"200 result= (timeout)", "")):
            self.assert_verb(
                self.session.get_data, b'GET DATA "" "0"', reply, Digits(digits, timed_out=True)
            )

    def test_get_data_of_nothing(self) -> None:
        """A mere ``#`` ends it without a digit, and in time."""
        self.assert_fires(self.session.get_data(), Digits("", timed_out=False), b"200 result=")

    def test_get_data_for_no_digits(self) -> None:
        """To collect no digits makes no sense, and Asterisk would call it a hangup."""
        self.assert_refused(self.session.get_data(max_digits=0))

    def test_get_data_for_more_digits_than_asterisk_survives(self) -> None:
        """``get_data`` takes as many digits as Asterisk has room for, and refuses more."""
        self.assert_verb(
            lambda: self.session.get_data(max_digits=1023),
            b'GET DATA "" "0" "1023"',
            b"200 result=1",
            Digits("1", timed_out=False),
        )
        self.assert_refused(self.session.get_data(max_digits=1024))

    def test_get_option(self) -> None:
        """``get_option`` fires with the key."""
        self.assert_verb(
            lambda: self.session.get_option("menu", "12", 2.5),
            b'GET OPTION "menu" "12" "2500"',
            b"200 result=49 endpos=1234",
            Played("1", 1234),
        )

    def test_get_option_without_a_limit(self) -> None:
        """Without a time the channel's own limit holds."""
        self.assert_verb(
            lambda: self.session.get_option("menu", "12"),
            b'GET OPTION "menu" "12"',
            b"200 result=50 endpos=1234",
            Played("2", 1234),
        )

    def test_get_option_timed_out(self) -> None:
        """No key, or another one, is None if the caller is still there."""
        self.assert_fires(
            self.session.get_option("menu", "12"),
            Played(None, 3520),
            b"200 result=0 endpos=3520",
            ALIVE,
        )

    def test_hangup_during_get_option(self) -> None:
        """A hangup after the sound looks the same, but Asterisk knows better."""
        self.assert_fails(
            self.session.get_option("menu", "12"), HungUp, b"200 result=0 endpos=3520", DEAD
        )

    def test_get_option_without_a_sound(self) -> None:
        """A sound that does not exist is a failure."""
        self.assert_fails(
            self.session.get_option("nosuch", "12"),
            CommandFailed,
            b"200 result=-1 endpos=0",
            ALIVE,
        )

    def test_wait_for_digit(self) -> None:
        """``wait_for_digit`` fires with the key, or None when the time is up."""
        line = b'WAIT FOR DIGIT "500"'
        wait = lambda: self.session.wait_for_digit(0.5)  # noqa: E731
        self.assert_verb(wait, line, b"200 result=42", "*")
        self.assert_verb(wait, line, b"200 result=65", "A")
        self.assert_verb(wait, line, b"200 result=0", None)

    def test_wait_for_digit_stopped_through_ami(self) -> None:
        """What AMI's ``ControlPlayback`` says to it is no key."""
        self.assert_fires(self.session.wait_for_digit(1), None, b"200 result=1000")

    def test_wait_for_ever(self) -> None:
        """Infinity waits until a key is pressed."""
        self.assert_verb(
            lambda: self.session.wait_for_digit(math.inf),
            b'WAIT FOR DIGIT "-1"',
            b"200 result=49",
            "1",
        )


class RecordFileTests(SessionTestCase):
    """Recording."""

    def test_record_file(self) -> None:
        """``record_file`` fires with the key that ended it, and the length."""
        self.assert_verb(
            lambda: self.session.record_file("/tmp/a", "wav"),
            b'RECORD FILE "/tmp/a" "wav" "#" "-1"',
            b"200 result=35 (dtmf) endpos=8160",
            Recorded("#", 8160),
        )

    def test_optional_arguments(self) -> None:
        """What Asterisk tells apart by its look is in its order, and never alike."""
        cases: list[tuple[dict[str, Any], bytes]] = [
            ({"offset": 800}, b' "800"'),
            ({"beep": True}, b' "BEEP"'),
            ({"silence": 2}, b' "s=2"'),
            ({"silence": 1.5}, b' "s=2"'),
            ({"offset": 800, "beep": True, "silence": 3}, b' "800" "BEEP" "s=3"'),
        ]
        for options, words in cases:
            self.assert_verb(
                partial(self.session.record_file, "a", "gsm", "", 30, **options),
                b'RECORD FILE "a" "gsm" "" "30000"' + words,
                b"200 result=0 (timeout) endpos=2400",
                Recorded(None, 2400),
            )

    def test_time_that_was_left_is_no_key(self) -> None:
        """With a time-out, or silence, the number is no key, even if it looks like one."""
        for reply in (
            b"200 result=0 (timeout) endpos=8160",
            b"200 result=53 (timeout) endpos=8160",
            b"200 result=99981 (timeout) endpos=8160",
        ):
            self.assert_fires(self.session.record_file("a", "wav"), Recorded(None, 8160), reply)

    def test_key_during_the_beep(self) -> None:
        """A key during the beep ends the recording before it begins."""
        self.assert_fires(
            self.session.record_file("a", "wav", beep=True),
            Recorded("5", 0),
            b"200 result=53 (randomerror) endpos=0",
        )

    def test_file_that_cannot_be_written(self) -> None:
        """A place that cannot be written to, or an unknown format, is a failure."""
        error = self.assert_fails(
            self.session.record_file("/nosuch/a", "wav"),
            CommandFailed,
            b"200 result=-1 (writefile)",
            ALIVE,
        )
        self.assertEqual(str(error), "RECORD FILE: 200 result=-1 (writefile)")

    def test_hangup(self) -> None:
        """A hangup ends the recording."""
        self.assert_fails(
            self.session.record_file("a", "wav"),
            HungUp,
            b"200 result=-1 (hangup) endpos=242240",
            DEAD,
        )

    def test_what_would_be_misread(self) -> None:
        """A recording of no time, what are no keys, and no offset are not sent."""
        self.assert_refused(
            self.session.record_file("a", "wav", timeout=0),
            self.session.record_file("a", "wav", timeout=-1),
            self.session.record_file("a", "wav", "any"),
            self.session.record_file("a", "wav", offset=-1),
            self.session.record_file("a", "wav", silence=-1),
        )


class SayTests(SessionTestCase):
    """Saying numbers, letters and times."""

    def test_say_alpha(self) -> None:
        """``say_alpha`` spells, and may tell upper from lower case."""
        self.assert_verb(
            lambda: self.session.say_alpha("aB"), b'SAY ALPHA "aB" ""', b"200 result=0", None
        )
        self.assert_verb(
            lambda: self.session.say_alpha("aB", "#", "upper"),
            b'SAY ALPHA "aB" "#" "upper"',
            b"200 result=35",
            "#",
        )

    def test_say_digits(self) -> None:
        """``say_digits`` says a text or a number digit by digit."""
        for digits, line in (
            ("0123", b'SAY DIGITS "0123" ""'),
            (12, b'SAY DIGITS "12" ""'),
            ("-1*2#", b'SAY DIGITS "-1*2#" ""'),
        ):
            self.assert_verb(partial(self.session.say_digits, digits), line, b"200 result=0", None)

    def test_what_are_no_digits(self) -> None:
        """Asterisk wants a digit first, and would skip the rest without a word."""
        self.assert_refused(
            *(self.session.say_digits(digits) for digits in ("", "abc", "*1", "12ab", "1 2", "+1"))
        )

    def test_say_number(self) -> None:
        """``say_number`` says a number, in the gender that the language wants."""
        self.assert_verb(
            lambda: self.session.say_number(-42, "5", "f"),
            b'SAY NUMBER "-42" "5" "f"',
            b"200 result=53",
            "5",
        )
        self.assert_verb(
            lambda: self.session.say_number(1), b'SAY NUMBER "1" ""', b"200 result=0", None
        )

    def test_number_too_big_to_say(self) -> None:
        """Asterisk would say another number, or nothing."""
        most = 2**31 - 2
        self.assert_refused(self.session.say_number(most + 1), self.session.say_number(-most - 1))
        self.assertNoResult(self.session.say_number(most))
        self.assertNoResult(self.session.say_number(-most))

    def test_say_phonetic(self) -> None:
        """``say_phonetic`` spells with words."""
        self.assert_verb(
            lambda: self.session.say_phonetic("abc", "1"),
            b'SAY PHONETIC "abc" "1"',
            b"200 result=0",
            None,
        )

    def test_say_date(self) -> None:
        """``say_date`` takes a moment with its time zone, or the seconds since 1970."""
        berlin = timezone(timedelta(hours=1))
        for when in (datetime(1970, 1, 2, 1, tzinfo=berlin), 86_400, 86_400.9):
            self.assert_verb(
                partial(self.session.say_date, when),
                b'SAY DATE "86400" ""',
                b"200 result=0",
                None,
            )

    def test_say_time(self) -> None:
        """``say_time`` does, too."""
        self.assert_verb(
            lambda: self.session.say_time(datetime(1970, 1, 2, tzinfo=UTC), "1"),
            b'SAY TIME "86400" "1"',
            b"200 result=49",
            "1",
        )

    def test_say_datetime(self) -> None:
        """``say_datetime`` takes a format, and a time zone."""
        say = self.session.say_datetime
        for outcome, line in (
            (say(0), b'SAY DATETIME "0" ""\n'),
            (say(0, "1", "IMp"), b'SAY DATETIME "0" "1" "IMp"\n'),
            (
                say(0, "1", "IMp", "Europe/Berlin"),
                b'SAY DATETIME "0" "1" "IMp" "Europe/Berlin"\n',
            ),
        ):
            self.assertEqual(self.carrier.sent.pop(0), line)
            self.assert_fires(outcome, None, b"200 result=0")

    def test_say_datetime_in_a_time_zone(self) -> None:
        """A time zone alone does not take the place of the format, which has a default."""
        self.assert_verb(
            lambda: self.session.say_datetime(0, timezone="Europe/Berlin"),
            b"""SAY DATETIME "0" "" "ABdY 'digits/at' IMp" "Europe/Berlin\"""",
            b"200 result=0",
            None,
        )

    def test_moments_that_cannot_be_said(self) -> None:
        """Some dates Asterisk takes for others, and a moment without a time zone is none."""
        self.assert_refused(
            self.session.say_date(datetime(2026, 1, 1)),
            self.session.say_datetime(datetime(2026, 1, 1)),
            self.session.say_date(datetime(2038, 1, 20, tzinfo=UTC)),
            self.session.say_time(2**31),
            self.session.say_time(math.nan),
            self.session.say_datetime(math.inf),
        )
        self.assertNoResult(self.session.say_datetime(datetime(2038, 1, 20, tzinfo=UTC)))

    def test_failure(self) -> None:
        """What cannot be said is a failure, and a hangup is one."""
        self.assert_fails(self.session.say_number(1), HungUp, b"200 result=-1", DEAD)
        self.assert_fails(self.session.say_alpha("a"), HungUp)


class TextTests(SessionTestCase):
    """Text messages, images, and text telephones."""

    def test_receive_char(self) -> None:
        """``receive_char`` fires with the first character of a message."""
        self.assert_verb(
            lambda: self.session.receive_char(2.5),
            b'RECEIVE CHAR "2500"',
            b"200 result=104",
            "h",
        )

    def test_receive_char_of_others(self) -> None:
        """It is the first byte, which may be a part of a character; an empty message has none."""
        self.assert_fires(self.session.receive_char(1), "\udcc3", b"200 result=195")
        self.assert_fires(self.session.receive_char(1), "", b"200 result=0 (timeout)")

    def test_receive_char_in_no_time(self) -> None:
        """When the time is up, Asterisk speaks of a hangup, but there was none."""
        self.assert_fires(self.session.receive_char(1), None, b"200 result=-1 (hangup)", ALIVE)

    def test_receive_char_until_the_hangup(self) -> None:
        """If there was one, it is told."""
        self.assert_fails(self.session.receive_char(1), HungUp, b"200 result=-1 (hangup)", DEAD)

    def test_receive_char_that_is_none(self) -> None:
        """What is no byte is the server's fault."""
        self.assert_fails(self.session.receive_char(1), RemoteProtocolError, b"200 result=256")

    def test_receive_text(self) -> None:
        """``receive_text`` fires with a message."""
        self.assert_verb(
            lambda: self.session.receive_text(math.inf),
            b'RECEIVE TEXT "-1"',
            b"200 result=1 (hello (you))",
            "hello (you)",
        )

    def test_receive_text_in_no_time(self) -> None:
        """When the time is up, it is None if the caller is still there."""
        self.assert_fires(self.session.receive_text(1), None, b"200 result=-1", ALIVE)
        self.assert_fails(self.session.receive_text(1), HungUp, b"200 result=-1", DEAD)

    def test_send_text(self) -> None:
        """``send_text`` sends a message as one word."""
        self.assert_verb(
            lambda: self.session.send_text("hello you"),
            b'SEND TEXT "hello you"',
            b"200 result=0",
            None,
        )

    def test_send_image(self) -> None:
        """``send_image`` shows an image."""
        self.assert_verb(
            lambda: self.session.send_image("logo"), b'SEND IMAGE "logo"', b"200 result=0", None
        )

    def test_send_after_the_hangup(self) -> None:
        """A message that nobody is there to read is not sent."""
        self.assert_fails(self.session.send_text("x"), HungUp, b"200 result=-1", DEAD)

    def test_tdd_mode(self) -> None:
        """``tdd_mode`` succeeds on the channels that have it."""
        self.assert_verb(
            lambda: self.session.tdd_mode("on"), b'TDD MODE "on"', b"200 result=1", None
        )
        self.assert_fails(self.session.tdd_mode("off"), CommandFailed, b"200 result=0")
