"""The verbs of every day: which commands they are made of, and what becomes of the replies."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from txasterisk.agi import (
    Command,
    Counted,
    Dialled,
    Digitwise,
    Moment,
    Phonetic,
    Recording,
    Spelled,
)
from txasterisk.errors import CommandFailed, HungUp, RemoteProtocolError

from .hand_answered import ALIVE, DEAD, SessionTestCase

#: A sound that was played to its end.
PLAYED = b"200 result=0 endpos=1600"
#: One that ended with the key 5, or with #.
PRESSED_5 = b"200 result=53 endpos=800"
PRESSED_POUND = b"200 result=35 endpos=800"
ALL_KEYS = b"0123456789*#ABCD"
NOTHING = b"200 result= (timeout)"


class VerbTestCase(SessionTestCase):
    """Answers commands one by one."""

    def answer(self, line: bytes, reply: bytes) -> None:
        """Fail unless this is all that was sent since the last answer; answer it."""
        self.assertEqual(self.carrier.sent, [line + b"\n"])
        self.carrier.sent.clear()
        self.carrier.answer(reply)

    def assert_done(self, outcome: Deferred[Any], value: object) -> None:
        """Fail unless it has fired with this, and nothing more was sent."""
        self.assertEqual(self.successResultOf(outcome), value)
        self.assertEqual(self.carrier.sent, [])

    def assert_hung_up(self, outcome: Deferred[Any]) -> None:
        """Fail unless it has failed because the caller is gone, and nothing more was sent."""
        self.failureResultOf(outcome, HungUp)
        self.assertEqual(self.carrier.sent, [])


class PlayTests(VerbTestCase):
    """``play``."""

    def test_all(self) -> None:
        """One sound is played after the other."""
        playing = self.session.play("a", "b")
        self.answer(b'STREAM FILE "a" ""', PLAYED)
        self.answer(b'STREAM FILE "b" ""', PLAYED)
        self.assert_done(playing, None)

    def test_none(self) -> None:
        """No sounds are over at once."""
        self.assert_done(self.session.play(), None)

    def test_key(self) -> None:
        """A key stops what is left."""
        playing = self.session.play("a", "b", "c", escape_digits="59")
        self.answer(b'STREAM FILE "a" "59"', PLAYED)
        self.answer(b'STREAM FILE "b" "59"', PRESSED_5)
        self.assert_done(playing, "5")

    def test_stopped_through_ami(self) -> None:
        """What stops a sound without a key stops only that."""
        playing = self.session.play("a", "b")
        self.answer(b'STREAM FILE "a" ""', b"200 result=1000 endpos=0")
        self.answer(b'STREAM FILE "b" ""', PLAYED)
        self.assert_done(playing, None)

    def test_missing(self) -> None:
        """A sound that is not there stops what is left."""
        playing = self.session.play("nosuch", "b")
        self.answer(b'STREAM FILE "nosuch" ""', b"200 result=-1 endpos=0")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.failureResultOf(playing, CommandFailed)
        self.assertEqual(self.carrier.sent, [])

    def test_hangup_during_a_sound(self) -> None:
        """The verb fails, and what is left is not played."""
        playing = self.session.play("a", "b")
        self.answer(b'STREAM FILE "a" ""', b"200 result=-1 endpos=0")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(playing)

    def test_hangup_between_two_sounds(self) -> None:
        """The verb fails as soon as it is known."""
        playing = self.session.play("a", "b")
        self.session.notice_hangup()
        self.answer(b'STREAM FILE "a" ""', PLAYED)
        self.assert_hung_up(playing)

    def test_cancelled(self) -> None:
        """Whoever cancels it stops what is left."""
        playing = self.session.play("a", "b")
        playing.cancel()
        self.failureResultOf(playing, CancelledError)
        self.assertEqual(self.carrier.sent, [b'STREAM FILE "a" ""\n'])


class SayTests(VerbTestCase):
    """``say``."""

    def test_all(self) -> None:
        """Each thing is said in its own way."""
        saying = self.session.say(
            "a",
            -12,
            Counted(1, "f"),
            Digitwise("-1*#"),
            Digitwise(42),
            Spelled("x y"),
            Spelled("aB", "upper"),
            Phonetic("AB"),
            escape_digits="#",
        )
        self.answer(b'STREAM FILE "a" "#"', PLAYED)
        self.answer(b'SAY NUMBER "-12" "#"', b"200 result=0")
        self.answer(b'SAY NUMBER "1" "#" "f"', b"200 result=0")
        self.answer(b'SAY DIGITS "-1*#" "#"', b"200 result=0")
        self.answer(b'SAY DIGITS "42" "#"', b"200 result=0")
        self.answer(b'SAY ALPHA "x y" "#"', b"200 result=0")
        self.answer(b'SAY ALPHA "aB" "#" "upper"', b"200 result=0")
        self.answer(b'SAY PHONETIC "AB" "#"', b"200 result=0")
        self.assert_done(saying, None)

    def test_dates_and_times(self) -> None:
        """They are said as they stand, whatever their zone and that of Asterisk."""
        tokyo = timezone(timedelta(hours=9))
        for item, line in (
            (date(1970, 1, 2), b'SAY DATETIME "129600" "" "ABdY" "UTC"'),
            (date(2050, 1, 1), b'SAY DATETIME "2524651200" "" "ABdY" "UTC"'),
            (date(1901, 1, 1), b'SAY DATETIME "-2177409600" "" "ABdY" "UTC"'),
            (
                Moment(date(1900, 1, 1), "d'Y'B"),
                b"""SAY DATETIME "-2208945600" "" "d'Y'B" "UTC\"""",
            ),
            (time(0, 30), b'SAY DATETIME "946686600" "" "IMp" "UTC"'),
            (time(0, 30, tzinfo=tokyo), b'SAY DATETIME "946686600" "" "IMp" "UTC"'),
            (
                datetime(1970, 1, 1, 1, 0, 5),
                b"""SAY DATETIME "3605" "" "ABdY 'digits/at' IMp" "UTC\"""",
            ),
            (
                datetime(1970, 1, 1, 1, 0, 5, tzinfo=tokyo),
                b"""SAY DATETIME "3605" "" "ABdY 'digits/at' IMp" "UTC\"""",
            ),
            (Moment(time(0, 30), "HM"), b'SAY DATETIME "946686600" "" "HM" "UTC"'),
        ):
            with self.subTest(item=item):
                saying = self.session.say(item)
                self.answer(line, b"200 result=0")
                self.assert_done(saying, None)

    def test_key(self) -> None:
        """A key stops what is left."""
        saying = self.session.say(1, 2, escape_digits="5")
        self.answer(b'SAY NUMBER "1" "5"', b"200 result=53")
        self.assert_done(saying, "5")

    def test_what_cannot_be_said(self) -> None:
        """It is refused before anything is heard."""
        say = self.session.say
        self.assert_refused(
            say("a", True),
            say("a", 1.5),  # type: ignore[arg-type]
            say("a", None),  # type: ignore[arg-type]
            say("a", ["b"]),  # type: ignore[arg-type]
            say("a", 2**31 - 1),
            say("a", -(2**31) + 1),
            say("a", Counted(2**31, "f")),
            say("a", Digitwise("x")),
            say("a", Spelled("x\n")),
            say("a", "b\n"),
            say("a", ""),
            say("a", date(1900, 12, 31)),
            say("a", datetime(1066, 10, 14, 9, 0)),
            say("a", Moment(date(1900, 12, 31), "dQ")),
            say("a", escape_digits="x"),
        )

    def test_what_this_carrier_cannot_send(self) -> None:
        """What is too long for what brings it to Asterisk is refused before anything is heard."""
        self.carrier.line_limit = 19
        self.assert_refused(
            self.session.say("a", "b" * 10),
            self.session.gather(max_digits=4, prompt="a", invalid="b" * 10),
            self.session.menu({"1": 1}, prompt="a", timed_out="b" * 10),
        )

    def test_the_least_and_the_most(self) -> None:
        """All numbers in between can be said."""
        for number in (2**31 - 2, -(2**31) + 2):
            saying = self.session.say(number)
            self.answer(b'SAY NUMBER "%d" ""' % number, b"200 result=0")
            self.assert_done(saying, None)


class GatherTests(VerbTestCase):
    """``gather``."""

    def test_one_command(self) -> None:
        """One sound and the digits are one command, in which no key is lost."""
        gathering = self.session.gather(max_digits=4, prompt="a")
        self.answer(b'GET DATA "a" "5000" "4"', b"200 result=12")
        self.assert_done(gathering, "12")

    def test_no_prompt(self) -> None:
        """Digits may be waited for in silence, for ever."""
        gathering = self.session.gather(max_digits=4, timeout=math.inf)
        self.answer(b'GET DATA "" "-1" "4"', b"200 result=12*4")
        self.assert_done(gathering, "12*4")

    def test_time_is_up(self) -> None:
        """What was entered until then counts, and nothing is None."""
        gathering = self.session.gather(max_digits=4)
        self.answer(b'GET DATA "" "5000" "4"', b"200 result=12 (timeout)")
        self.assert_done(gathering, "12")
        gathering = self.session.gather(max_digits=4)
        self.answer(b'GET DATA "" "5000" "4"', NOTHING)
        self.assert_done(gathering, None)

    def test_pound_alone(self) -> None:
        """Nothing but ``#`` is not valid, unless it is said to be."""
        gathering = self.session.gather(max_digits=4)
        self.answer(b'GET DATA "" "5000" "4"', b"200 result=")
        self.assert_done(gathering, None)
        gathering = self.session.gather(max_digits=4, valid="[0-9]*")
        self.answer(b'GET DATA "" "5000" "4"', b"200 result=")
        self.assert_done(gathering, "")

    def test_several_prompts(self) -> None:
        """Any key interrupts those before the last one."""
        gathering = self.session.gather(max_digits=4, prompt=["a", 7, "b"])
        self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'SAY NUMBER "7" "%s"' % ALL_KEYS, b"200 result=0")
        self.answer(b'GET DATA "b" "5000" "4"', b"200 result=1234")
        self.assert_done(gathering, "1234")

    def test_a_prompt_that_is_no_sound(self) -> None:
        """What GET DATA cannot say is said before it."""
        gathering = self.session.gather(max_digits=4, prompt=7)
        self.answer(b'SAY NUMBER "7" "%s"' % ALL_KEYS, b"200 result=0")
        self.answer(b'GET DATA "" "5000" "4"', b"200 result=1234")
        self.assert_done(gathering, "1234")

    def test_key_before_the_last_prompt(self) -> None:
        """It counts, and the others are waited for at once."""
        gathering = self.session.gather(max_digits=4, prompt=["a", "b"], first_timeout=9)
        self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, PRESSED_5)
        self.answer(b'GET DATA "" "5000" "3"', b"200 result=12 (timeout)")
        self.assert_done(gathering, "512")

    def test_all_keys_before_the_last_prompt(self) -> None:
        """One is enough if only one is wanted, and ``#`` ends it there, too."""
        gathering = self.session.gather(max_digits=1, prompt=["a", "b"])
        self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, PRESSED_5)
        self.assert_done(gathering, "5")
        gathering = self.session.gather(max_digits=4, prompt=["a", "b"], valid="")
        self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, PRESSED_POUND)
        self.assert_done(gathering, "")

    def test_a_time_limit_for_the_first_digit(self) -> None:
        """It is waited for alone, and then the others."""
        gathering = self.session.gather(max_digits=4, timeout=1, first_timeout=9, prompt="a")
        self.answer(b'GET DATA "a" "9000" "1"', b"200 result=1")
        self.answer(b'GET DATA "" "1000" "3"', b"200 result=23")
        self.assert_done(gathering, "123")

    def test_no_first_digit(self) -> None:
        """Without it the others are not waited for."""
        for nothing in (NOTHING, b"200 result="):
            gathering = self.session.gather(max_digits=4, timeout=1, first_timeout=9)
            self.answer(b'GET DATA "" "9000" "1"', nothing)
            self.assert_done(gathering, None)

    def test_one_digit_with_a_time_limit(self) -> None:
        """The only digit is the first one."""
        gathering = self.session.gather(max_digits=1, timeout=1, first_timeout=9)
        self.answer(b'GET DATA "" "9000" "1"', b"200 result=1")
        self.assert_done(gathering, "1")

    def test_time_limits_of_asterisk(self) -> None:
        """Those that GET DATA has itself need no second command."""
        gathering = self.session.gather(max_digits=4, timeout=2, first_timeout=6)
        self.answer(b'GET DATA "" "0" "4"', b"200 result=1234")
        self.assert_done(gathering, "1234")

    def test_invalid(self) -> None:
        """Who has entered what is not valid is told so, and may try again."""
        gathering = self.session.gather(
            max_digits=2, prompt="a", valid="[1-3]+", retries=2, invalid="i", timed_out="t"
        )
        self.answer(b'GET DATA "a" "5000" "2"', b"200 result=14")
        self.answer(b'STREAM FILE "i" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'GET DATA "a" "5000" "2"', b"200 result=9 (timeout)")
        self.answer(b'STREAM FILE "i" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'GET DATA "a" "5000" "2"', b"200 result=12")
        self.assert_done(gathering, "12")

    def test_timed_out(self) -> None:
        """Who has entered nothing is told so, and may try again until it is enough."""
        gathering = self.session.gather(
            max_digits=2, prompt="a", retries=1, invalid="i", timed_out=["t", "u"]
        )
        self.answer(b'GET DATA "a" "5000" "2"', NOTHING)
        self.answer(b'STREAM FILE "t" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'STREAM FILE "u" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'GET DATA "a" "5000" "2"', NOTHING)
        self.assert_done(gathering, None)

    def test_a_prompt_only_after_a_mistake(self) -> None:
        """Without a prompt the words about the mistake are the last ones."""
        gathering = self.session.gather(max_digits=2, retries=1, invalid="i")
        self.answer(b'GET DATA "" "5000" "2"', b"200 result=")
        self.answer(b'GET DATA "i" "5000" "2"', b"200 result=12")
        self.assert_done(gathering, "12")

    def test_valid_by_pattern(self) -> None:
        """A pattern has to match all digits."""
        gathering = self.session.gather(max_digits=2, valid=re.compile("1"))
        self.answer(b'GET DATA "" "5000" "2"', b"200 result=12")
        self.assert_done(gathering, None)

    def test_valid_by_function(self) -> None:
        """A function may tell at once."""
        for digits, expected in ((b"12", "12"), (b"13", None)):
            gathering = self.session.gather(max_digits=2, valid=lambda each: each == "12")
            self.answer(b'GET DATA "" "5000" "2"', b"200 result=%s" % digits)
            self.assert_done(gathering, expected)

    def test_valid_by_deferred(self) -> None:
        """A function may take its time."""
        judgement: Deferred[bool] = Deferred()
        gathering = self.session.gather(max_digits=2, valid=lambda _: judgement)
        self.answer(b'GET DATA "" "5000" "2"', b"200 result=12")
        self.assertNoResult(gathering)
        judgement.callback(False)
        self.assert_done(gathering, None)

    def test_hangup_while_digits_are_judged(self) -> None:
        """Nothing more is asked of someone who is gone."""
        judgement: Deferred[bool] = Deferred()
        gathering = self.session.gather(max_digits=2, valid=lambda _: judgement, retries=1)
        self.answer(b'GET DATA "" "5000" "2"', b"200 result=12")
        self.session.notice_hangup()
        judgement.callback(False)
        self.assert_hung_up(gathering)

    def test_hangup_between_two_prompts(self) -> None:
        """The verb fails as soon as it is known."""
        gathering = self.session.gather(max_digits=2, prompt=["a", "b"])
        self.session.notice_hangup()
        self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, PLAYED)
        self.assert_hung_up(gathering)

    def test_hangup_between_the_digits(self) -> None:
        """The verb fails as soon as it is known."""
        gathering = self.session.gather(max_digits=2, timeout=1, first_timeout=9)
        self.answer(b'GET DATA "" "9000" "1"', b"200 result=1")
        self.answer(b'GET DATA "" "1000" "1"', b"200 result=-1")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(gathering)

    def test_cancelled(self) -> None:
        """Whoever cancels it stops the rest."""
        gathering = self.session.gather(max_digits=2, prompt=["a", "b"])
        gathering.cancel()
        self.failureResultOf(gathering, CancelledError)
        self.assertEqual(len(self.carrier.sent), 1)

    def test_what_cannot_be_asked(self) -> None:
        """It is refused before anything is heard."""
        gather = self.session.gather
        self.assert_refused(
            gather(max_digits=0, prompt=["a", "b"]),
            gather(max_digits=1024, prompt=["a", "b"]),
            gather(max_digits=4, prompt=["a", "b"], timeout=-1),
            gather(max_digits=4, prompt=["a", "b"], first_timeout=-1),
            gather(max_digits=4, prompt=["a", "b\n"]),
            gather(max_digits=4, prompt=["a", ""]),
            gather(max_digits=4, prompt=["a", "b"], invalid=["c", ""]),
            gather(max_digits=4, prompt=["a", "b"], timed_out="c\n"),
            gather(max_digits=4, prompt=["a", "b"], retries=-1),
        )


class MenuTests(VerbTestCase):
    """``menu``."""

    def test_key(self) -> None:
        """A key chooses what it stands for."""
        for key, reply in (("1", b"1"), ("*", b"*"), ("#", b"")):
            choosing = self.session.menu({"1": "1", "*": "*", "#": "#"}, prompt="a")
            self.answer(b'GET DATA "a" "5000" "1"', b"200 result=" + reply)
            self.assert_done(choosing, key)

    def test_key_before_the_last_prompt(self) -> None:
        """It chooses, too, ``#`` included."""
        for key, reply in (("5", PRESSED_5), ("#", PRESSED_POUND)):
            choosing = self.session.menu({"5": "5", "#": "#"}, prompt=["a", "b"])
            self.answer(b'STREAM FILE "a" "%s"' % ALL_KEYS, reply)
            self.assert_done(choosing, key)

    def test_another_key(self) -> None:
        """It is told, and the caller may try again."""
        choosing = self.session.menu({"1": 1}, prompt="a", retries=1, invalid="i", timed_out="t")
        self.answer(b'GET DATA "a" "5000" "1"', b"200 result=")
        self.answer(b'STREAM FILE "i" "%s"' % ALL_KEYS, PLAYED)
        self.answer(b'GET DATA "a" "5000" "1"', b"200 result=2")
        self.assert_done(choosing, None)

    def test_no_key(self) -> None:
        """It is told, and the caller may try again."""
        choosing = self.session.menu(
            {"1": 1}, prompt="a", timeout=9, retries=1, invalid="i", timed_out="t"
        )
        self.answer(b'GET DATA "a" "9000" "1"', NOTHING)
        self.answer(b'STREAM FILE "t" "%s"' % ALL_KEYS, b"200 result=49 endpos=0")
        self.assert_done(choosing, 1)

    def test_no_key_is_not_pound(self) -> None:
        """Both come without digits, but only the one has chosen."""
        choosing = self.session.menu({"#": 1})
        self.answer(b'GET DATA "" "5000" "1"', NOTHING)
        self.assert_done(choosing, None)

    def test_what_is_no_key(self) -> None:
        """It is refused before anything is heard."""
        for options in ({"": 1}, {"12": 1}, {"x": 1}, {"1": 1, "a": 2}, {1: 1}, {}):
            self.assert_refused(self.session.menu(options, prompt="a"))  # type: ignore[arg-type]

    def test_hangup(self) -> None:
        """The verb fails."""
        choosing = self.session.menu({"1": 1}, prompt="a", retries=3)
        self.answer(b'GET DATA "a" "5000" "1"', b"200 result=-1")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(choosing)


class RecordTests(VerbTestCase):
    """``record``."""

    def test_key(self) -> None:
        """It beeps, records until a key, and tells how long."""
        recording = self.session.record("r")
        self.answer(b'RECORD FILE "r" "wav" "#" "-1" "BEEP"', b"200 result=35 (dtmf) endpos=12000")
        self.assert_done(recording, Recording("#", 1.5))

    def test_all_arguments(self) -> None:
        """The end may also come by silence or with the time."""
        recording = self.session.record(
            "r", file_format="sln16", max_seconds=60, silence=3, beep=False, escape_digits="12"
        )
        self.answer(
            b'RECORD FILE "r" "sln16" "12" "60000" "s=3"',
            b"200 result=4983 (timeout) endpos=24000",
        )
        self.assert_done(recording, Recording(None, 1.5))

    def test_length_that_is_not_known(self) -> None:
        """Not every format tells its length."""
        recording = self.session.record("r", file_format="siren7")
        self.answer(b'RECORD FILE "r" "siren7" "#" "-1" "BEEP"', b"200 result=0 (timeout) endpos=0")
        self.assert_done(recording, Recording(None, None))

    def test_hangup(self) -> None:
        """The verb fails."""
        recording = self.session.record("r")
        self.answer(b'RECORD FILE "r" "wav" "#" "-1" "BEEP"', b"200 result=-1 (hangup) endpos=80")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(recording)


OUTCOME = b'GET FULL VARIABLE "${DIALSTATUS},${HANGUPCAUSE},${ANSWEREDTIME_MS},${DIALEDPEERNUMBER}"'
#: What a caller's channel is at before anybody has answered.
RINGING = b"200 result=4"


class DialTests(VerbTestCase):
    """``dial``."""

    def dialled(self, outcome: bytes, caller: bytes = RINGING) -> Deferred[Dialled]:
        """Dial, and have Asterisk tell what came of it."""
        dialling = self.session.dial("PJSIP/alice")
        self.answer(b"CHANNEL STATUS", caller)
        self.answer(b'EXEC "Dial" "PJSIP/alice,,g"', b"200 result=0")
        self.answer(OUTCOME, b"200 result=1 (%s)" % outcome)
        return dialling

    def test_answered(self) -> None:
        """It tells who has answered and how long they talked, when the other end has hung up."""
        dialling = self.dialled(b"ANSWER,16,1012,alice")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.assert_done(dialling, Dialled("ANSWER", 16, 1.012, "alice"))

    def test_answered_while_the_caller_was(self) -> None:
        """It does not tell how long, as Asterisk counts from when the caller was answered."""
        dialling = self.dialled(b"ANSWER,16,61012,alice", caller=ALIVE)
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.assert_done(dialling, Dialled("ANSWER", 16, None, "alice"))

    def test_answered_and_gone_elsewhere(self) -> None:
        """It does not tell how long, if Asterisk has not."""
        dialling = self.dialled(b"ANSWER,16,,alice")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.assert_done(dialling, Dialled("ANSWER", 16, None, "alice"))

    def test_not_answered(self) -> None:
        """Nobody has talked; why not is not told of an earlier call, or if it is nothing."""
        for outcome, expected in (
            (b"BUSY,17,,", Dialled("BUSY", 17, 0.0, None)),
            (b"BUSY,0,,", Dialled("BUSY", None, 0.0, None)),
            (b"CHANUNAVAIL,,,", Dialled("CHANUNAVAIL", None, 0.0, None)),
            (b"NOANSWER,16,,", Dialled("NOANSWER", None, 0.0, None)),
            (b"INVALIDARGS,16,,", Dialled("INVALIDARGS", None, 0.0, None)),
        ):
            with self.subTest(outcome=outcome):
                dialling = self.dialled(outcome, caller=ALIVE)
                self.answer(b"CHANNEL STATUS", ALIVE)
                self.assert_done(dialling, expected)

    def test_all_arguments(self) -> None:
        """Destinations ring at once, for so long, and options follow the one that is ours."""
        self.session.dial("PJSIP/alice", "IAX2/x/100@y", timeout=19.5, options="tL(60000:3000)")
        self.answer(b"CHANNEL STATUS", ALIVE)
        line = b'EXEC "Dial" "PJSIP/alice&IAX2/x/100@y,20,gtL(60000:3000)"'
        self.answer(line, b"200 result=0")

    def test_a_failure_of_the_application(self) -> None:
        """It is none of the verb, as long as the caller is there."""
        dialling = self.session.dial("PJSIP/alice")
        self.answer(b"CHANNEL STATUS", RINGING)
        self.answer(b'EXEC "Dial" "PJSIP/alice,,g"', b"200 result=-1")
        self.answer(OUTCOME, b"200 result=1 (ANSWER,16,1000,alice)")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.assert_done(dialling, Dialled("ANSWER", 16, 1.0, "alice"))

    def test_hangup_before(self) -> None:
        """Nobody is called for a caller who is gone."""
        dialling = self.session.dial("PJSIP/alice")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(dialling)

    def test_hangup(self) -> None:
        """The verb fails if the caller is gone, whoever was there."""
        dialling = self.dialled(b"ANSWER,16,1012,alice")
        self.answer(b"CHANNEL STATUS", DEAD)
        self.assert_hung_up(dialling)

    def test_no_such_application(self) -> None:
        """An Asterisk without Dial cannot."""
        dialling = self.session.dial("PJSIP/alice")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.answer(b'EXEC "Dial" "PJSIP/alice,,g"', b"200 result=-2")
        self.failureResultOf(dialling, CommandFailed)

    def test_an_outcome_that_is_none(self) -> None:
        """What Asterisk does not say is not made up."""
        for outcome in (b",,,", b"SOMEHOW,16,,", b"ANSWER,16,1", b"ANSWER,x,1,a", b"ANSWER,1,x,a"):
            self.failureResultOf(self.dialled(outcome), RemoteProtocolError)

    def test_what_would_be_misread(self) -> None:
        """It is refused before anybody is called."""
        dial = self.session.dial
        self.assert_refused(
            dial(),
            dial(""),
            dial("PJSIP/a", ""),
            dial("PJSIP/a&PJSIP/b"),
            dial("PJSIP/a,20"),
            dial("PJSIP/a\n"),
            dial('PJSIP/"a"'),
            dial("PJSIP/a\\"),
            dial("PJSIP/(a"),
            dial("PJSIP/${X}"),
            dial("PJSIP/a", options="t,x"),
            dial("PJSIP/a", options="L(${X})"),
            dial("PJSIP/a", options="t\r"),
            dial("PJSIP/a", timeout=-1),
        )


class SequenceTests(VerbTestCase):
    """``in_sequence``."""

    def test_all(self) -> None:
        """It fires with the replies."""
        sequence = self.session.in_sequence(Command("ANSWER"), Command("GET VARIABLE", "A"))
        self.answer(b"ANSWER", b"200 result=0")
        self.answer(b'GET VARIABLE "A"', b"200 result=1 (b)")
        replies = self.successResultOf(sequence)
        self.assertEqual([str(reply) for reply in replies], ["200 result=0", "200 result=1 (b)"])

    def test_the_first_that_fails(self) -> None:
        """It ends there."""
        sequence = self.session.in_sequence(Command("BOGUS"), Command("ANSWER"))
        self.answer(b"BOGUS", b"510 Invalid or unknown command")
        self.failureResultOf(sequence, CommandFailed)
        self.assertEqual(self.carrier.sent, [])

    def test_a_result_that_is_a_failure(self) -> None:
        """It ends there, too."""
        sequence = self.session.in_sequence(Command("ANSWER"), Command("NOOP"))
        self.answer(b"ANSWER", b"200 result=-1")
        self.answer(b"CHANNEL STATUS", ALIVE)
        self.failureResultOf(sequence, CommandFailed)
        self.assertEqual(self.carrier.sent, [])

    def test_hangup(self) -> None:
        """What is not allowed any more fails."""
        sequence = self.session.in_sequence(Command("NOOP"), Command("ANSWER"))
        self.session.notice_hangup()
        self.answer(b"NOOP", b"200 result=0")
        self.assert_hung_up(sequence)

    def test_what_cannot_be_sent(self) -> None:
        """None is sent if one cannot be."""
        self.assert_refused(
            self.session.in_sequence(Command("NOOP"), Command("VERBOSE", "a\nb")),
            self.session.in_sequence(Command("NOOP"), Command("failure")),
        )

    def test_what_this_carrier_cannot_send(self) -> None:
        """None is sent if one is too long for what brings it to Asterisk."""
        self.carrier.line_limit = 19
        sequence = self.session.in_sequence(Command("NOOP"), Command("VERBOSE", "a" * 10))
        self.assert_refused(sequence)
