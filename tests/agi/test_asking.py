"""How commands fail, and what a hangup changes."""

from __future__ import annotations

from txasterisk.agi.asking import ALLOWED_AFTER_HANGUP
from txasterisk.agi.messages import Reply
from txasterisk.errors import CommandFailed, Disconnected, HungUp, LocalProtocolError

from .hand_answered import SessionTestCase


class CommandTests(SessionTestCase):
    """A command without a verb."""

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
