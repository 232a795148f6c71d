"""The verbs of a session, over a carrier that a test answers by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress as ignoring
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import asking
from txasterisk.agi.asking import ALLOWED_AFTER_HANGUP, PAUSE
from txasterisk.agi.messages import Command, Environment, Reply
from txasterisk.agi.results import Digits, Played
from txasterisk.agi.session import AGISession
from txasterisk.errors import (
    AsteriskError,
    CommandFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
)

from . import ENVIRONMENT


class HandAnswered:
    """A carrier that shows what is sent, and answers when the test says so."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.answers: list[Deferred[Reply]] = []

    def send(self, command: Command) -> Deferred[Reply]:
        """Take the command, if it can be sent."""
        answer: Deferred[Reply] = Deferred()
        try:
            self.sent.append(command.serialize())
        except LocalProtocolError as error:
            answer.errback(error)
        else:
            self.answers.append(answer)
        return answer

    def answer(self, reply: bytes) -> None:
        """Answer the oldest command."""
        self.answers.pop(0).callback(Reply.parse(reply))


class SessionTestCase(SynchronousTestCase):
    """Has a session."""

    def setUp(self) -> None:
        """Begin a session."""
        self.carrier = HandAnswered()
        self.session = AGISession(self.carrier, Environment(ENVIRONMENT.split(b"\n")[:-2]))

    def assert_verb(
        self, verb: Callable[[], Deferred[Any]], line: bytes, reply: bytes, value: object
    ) -> None:
        """Fail unless the verb sends the line, and makes the value of the reply."""
        outcome = verb()
        self.assertEqual(self.carrier.sent.pop(), line + b"\n")
        self.assertNoResult(outcome)
        self.carrier.answer(reply)
        self.assertEqual(self.successResultOf(outcome), value)

    def assert_fails(
        self, outcome: Deferred[Any], error: type[AsteriskError], *replies: bytes
    ) -> AsteriskError:
        """Fail unless the replies make the verb fail with the error, and return it."""
        for reply in replies:
            self.assertNoResult(outcome)
            self.carrier.answer(reply)
        failure: AsteriskError = self.failureResultOf(outcome, error).value
        return failure


class VerbTests(SessionTestCase):
    """What each verb sends, and what it makes of the reply."""

    def test_answer(self) -> None:
        """``answer`` fires when the call is up."""
        self.assert_verb(self.session.answer, b"ANSWER", b"200 result=0", None)

    def test_hangup(self) -> None:
        """``hangup`` ends this call, or another one."""
        self.assert_verb(self.session.hangup, b"HANGUP", b"200 result=1", None)
        self.assert_verb(
            lambda: self.session.hangup("SIP/a"), b'HANGUP "SIP/a"', b"200 result=1", None
        )

    def test_noop(self) -> None:
        """``noop`` does nothing."""
        self.assert_verb(self.session.noop, b"NOOP", b"200 result=0", None)

    def test_verbose(self) -> None:
        """``verbose`` writes a line to the console."""
        self.assert_verb(
            lambda: self.session.verbose("hello", 3), b'VERBOSE "hello" "3"', b"200 result=1", None
        )

    def test_get_variable(self) -> None:
        """``get_variable`` fires with the value, be it empty."""
        get = lambda: self.session.get_variable("CALLERID(num)")  # noqa: E731
        line = b'GET VARIABLE "CALLERID(num)"'
        self.assert_verb(get, line, b"200 result=1 (100)", "100")
        self.assert_verb(get, line, b"200 result=1 ()", "")

    def test_an_unset_variable(self) -> None:
        """A variable that is not set is None."""
        self.assert_verb(
            lambda: self.session.get_variable("X"), b'GET VARIABLE "X"', b"200 result=0", None
        )

    def test_get_full_variable(self) -> None:
        """``get_full_variable`` has the dialplan work out an expression."""
        self.assert_verb(
            lambda: self.session.get_full_variable("${X}!", "SIP/a"),
            b'GET FULL VARIABLE "${X}!" "SIP/a"',
            b"200 result=1 (1!)",
            "1!",
        )

    def test_get_full_variable_of_no_channel(self) -> None:
        """A channel that does not exist is a failure."""
        self.assert_fails(
            self.session.get_full_variable("x", "SIP/a"), CommandFailed, b"200 result=0"
        )

    def test_set_variable(self) -> None:
        """``set_variable`` stores text or a number as it is."""
        self.assert_verb(
            lambda: self.session.set_variable("X", 7),
            b'SET VARIABLE "X" "7"',
            b"200 result=1",
            None,
        )

    def test_exec(self) -> None:
        """``exec`` fires with the application's own number."""
        self.assert_verb(
            lambda: self.session.exec("Playback", "a,skip"),
            b'EXEC "Playback" "a,skip"',
            b"200 result=4",
            4,
        )

    def test_exec_of_no_application(self) -> None:
        """An application that does not exist is a failure."""
        error = self.assert_fails(self.session.exec("X"), CommandFailed, b"200 result=-2")
        self.assertEqual(str(error), "EXEC: no such application")

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

    def test_get_data_for_no_digits(self) -> None:
        """To collect no digits makes no sense, and Asterisk would call it a hangup."""
        self.assert_fails(self.session.get_data(max_digits=0), LocalProtocolError)
        self.assertEqual(self.carrier.sent, [])

    def test_wait_for_digit(self) -> None:
        """``wait_for_digit`` fires with the key, or None when the time is up."""
        line = b'WAIT FOR DIGIT "500"'
        wait = lambda: self.session.wait_for_digit(0.5)  # noqa: E731
        self.assert_verb(wait, line, b"200 result=42", "*")
        self.assert_verb(wait, line, b"200 result=0", None)

    def test_wait_for_ever(self) -> None:
        """Infinity waits until a key is pressed."""
        self.assert_verb(
            lambda: self.session.wait_for_digit(math.inf),
            b'WAIT FOR DIGIT "-1"',
            b"200 result=49",
            "1",
        )

    def test_any_command(self) -> None:
        """``command`` sends what has no verb, and fires with the reply as it is."""
        self.assert_verb(
            lambda: self.session.command("DATABASE GET", "a", "b"),
            b'DATABASE GET "a" "b"',
            b"200 result=1 (-1)",
            Reply(200, "1", "(-1)"),
        )


class FailureTests(SessionTestCase):
    """What the verbs fail with."""

    def test_unknown_command(self) -> None:
        """510 is a failure with Asterisk's words."""
        error = self.assert_fails(
            self.session.command("X"), CommandFailed, b"510 Invalid or unknown command"
        )
        self.assertEqual(str(error), "X: 510 Invalid or unknown command")

    def test_usage(self) -> None:
        """520 is a failure that keeps the usage text in its reply."""
        error = self.assert_fails(
            self.session.command("X"), CommandFailed, b"520-Invalid syntax.\nUsage: X\n520 End"
        )
        self.assertEqual(str(error), "X: 520 Invalid syntax.")
        assert isinstance(error, CommandFailed)
        self.assertEqual(error.reply, Reply(520, "", "Invalid syntax.\nUsage: X\n520 End"))

    def test_dead_channel(self) -> None:
        """511 says that the caller has hung up."""
        self.assert_fails(self.session.answer(), HungUp, b"511 Command Not Permitted")
        self.assertTrue(self.session.hung_up)

    def test_failure_or_hangup_is_asked(self) -> None:
        """A -1 is a failure if the channel is still alive."""
        error = self.assert_fails(
            self.session.stream_file("nosuch"),
            CommandFailed,
            b"200 result=-1 endpos=0",
            b"200 result=6",
        )
        self.assertEqual(self.carrier.sent[1:], [b"CHANNEL STATUS\n"])
        self.assertEqual(str(error), "STREAM FILE: 200 result=-1 endpos=0")
        self.assertFalse(self.session.hung_up)

    def test_failure_by_hangup(self) -> None:
        """A -1 is a hangup if Asterisk refuses to say how the channel is."""
        self.assert_fails(
            self.session.get_data("pin"), HungUp, b"200 result=-1", b"511 Command Not Permitted"
        )

    def test_failure_after_the_hangup_notice(self) -> None:
        """A -1 after the hangup needs no question."""
        outcome = self.session.wait_for_digit(1)
        self.session.notice_hangup()
        self.assert_fails(outcome, HungUp, b"200 result=-1")
        self.assertEqual(len(self.carrier.sent), 1)

    def test_what_cannot_be_sent(self) -> None:
        """What the wire cannot carry fails the Deferred, and nothing is sent."""
        for outcome in (
            self.session.verbose("a\nNOOP"),
            self.session.wait_for_digit(-1),
            self.session.set_variable("X", "x" * 3000),
        ):
            self.assert_fails(outcome, LocalProtocolError)
        self.assertEqual(self.carrier.sent, [])


class HangupTests(SessionTestCase):
    """After the caller has gone."""

    def test_before(self) -> None:
        """A session begins with a caller."""
        self.assertFalse(self.session.hung_up)
        self.assertNoResult(self.session.when_hung_up())

    def test_everyone_is_told(self) -> None:
        """Everyone who asks when the caller hangs up is told, also later."""
        early = [self.session.when_hung_up() for _ in range(2)]
        self.session.notice_hangup()
        for told in [*early, self.session.when_hung_up()]:
            self.assertIsNone(self.successResultOf(told))

    def test_the_end_before_a_hangup(self) -> None:
        """Who waits for a hangup that cannot come any more is told that too."""
        waiting = self.session.when_hung_up()
        self.session.notice_end(Disconnected("gone"))
        self.failureResultOf(waiting, Disconnected)

    def test_what_no_longer_works(self) -> None:
        """Verbs that need a caller fail without a question to Asterisk."""
        self.session.notice_hangup()
        self.assert_fails(self.session.stream_file("beep"), HungUp)
        self.assertEqual(self.carrier.sent, [])

    def test_what_still_works(self) -> None:
        """Clean-up still works."""
        self.session.notice_hangup()
        self.assert_verb(
            lambda: self.session.get_variable("X"), b'GET VARIABLE "X"', b"200 result=0", None
        )
        for name in ALLOWED_AFTER_HANGUP:
            self.assertNoResult(self.session.command(name.lower()))

    def test_a_script_that_does_not_give_up(self) -> None:
        """Who tries what cannot be done, time and again, is made to wait, or nobody else could."""
        clock = Clock()
        self.patch(asking, "the_reactor", lambda: clock)
        self.session.notice_hangup()

        async def script() -> None:
            while True:
                with ignoring(HungUp):
                    await self.session.answer()

        running = Deferred.fromCoroutine(script())
        clock.pump([PAUSE] * 3)
        self.assertEqual(len(clock.getDelayedCalls()), 1)
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_repr(self) -> None:
        """The ``repr`` names the call, and says when the caller is gone."""
        self.assertEqual(
            repr(self.session), "<AGISession with PJSIP/alice-00000012 (1795297911.242)>"
        )
        self.session.notice_hangup()
        self.assertTrue(repr(self.session).endswith(", hung up>"))
