"""A session over a carrier that a test answers by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.messages import SAFE_LINE, Command, Environment, Reply
from txasterisk.agi.session import AGISession
from txasterisk.errors import AsteriskError, LocalProtocolError

from . import ENVIRONMENT

__all__ = ["HandAnswered", "SessionTestCase"]

#: What tells, as the answer to CHANNEL STATUS, that the caller is there, or gone.
ALIVE = b"200 result=6"
DEAD = b"511 Command Not Permitted on a dead channel or intercept routine"


class HandAnswered:
    """A carrier that shows what is sent, and answers when the test says so."""

    line_limit = SAFE_LINE

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.answers: list[Deferred[Reply]] = []

    def send(self, command: Command) -> Deferred[Reply]:
        """Take the command, if it can be sent."""
        answer: Deferred[Reply] = Deferred()
        try:
            self.sent.append(command.serialize(self.line_limit))
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

    def assert_fires(self, outcome: Deferred[Any], value: object, *replies: bytes) -> None:
        """Fail unless the replies make the verb fire with the value."""
        for reply in replies:
            self.assertNoResult(outcome)
            self.carrier.answer(reply)
        self.assertEqual(self.successResultOf(outcome), value)

    def assert_refused(self, *outcomes: Deferred[Any]) -> None:
        """Fail unless all these have failed before anything was sent."""
        for outcome in outcomes:
            self.assert_fails(outcome, LocalProtocolError)
        self.assertEqual(self.carrier.sent, [])
