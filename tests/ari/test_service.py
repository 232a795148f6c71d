"""Tests of the service that stays connected."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.logger import LogLevel, capturedLogs, formatEvent

from tests.ari.asterisk import Fixture, channel
from txasterisk.ari import Application, ARIService, Call
from txasterisk.errors import Disconnected, LoginRefused

REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-type: application/json\r\n\r\n"
    b'{"message":"Authentication required"}'
)

AGAIN = "; trying till it works"
UNREACHABLE = "pbx1: cannot connect: An error occurred while connecting" + AGAIN
LOST = (
    "pbx1: the connection was lost: Connection to the other side was lost in a non-clean fashion"
    + AGAIN
)
LISTENING = "pbx1: listening to http://pbx.test:8088/ari for ivr, other"


class ServiceTests(Fixture):
    """The service connects, and does so again."""

    def setUp(self) -> None:
        super().setUp()
        self.application = Application("ivr")
        self.log: list[Any] = []

        @self.application.call
        async def script(call: Call) -> None:
            try:
                await Deferred()
            except Exception as error:
                self.log.append(type(error))
                raise

        self.service = self.made()

    def made(self, **settings: Any) -> ARIService:
        return ARIService(
            self.client,
            [self.application, Application("other", script=self.application.script)],
            label="pbx1",
            back_off=lambda failures: 2.0**failures,
            grace=0.0,
            **settings,
        )

    def stop(self) -> None:
        stopping: Any = self.service.stopService()
        self.clock.advance(0)
        if self.client.listening:
            self.server.link.lose()
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def lines(self, captured: Any) -> list[str]:
        return [
            str(formatEvent(event))
            for event in captured
            if event["log_level"] >= LogLevel.info and "txasterisk" in event["log_namespace"]
        ]

    def test_connects(self) -> None:
        """It listens to all of its applications."""
        self.service.startService()
        self.assertIs(self.successResultOf(self.service.when_connected()), self.client)
        self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
        self.server.link.event("StasisStart", application="other", channel=channel("c2"))
        self.server.link.event("StasisStart", application="else", channel=channel("c3"))
        self.stop()
        self.assertEqual(self.log, [CancelledError, CancelledError])

    def test_connects_again(self) -> None:
        """When the link breaks it connects again after a while, and serves as before."""
        self.service.startService()
        self.server.link.lose()
        connected = self.service.when_connected()
        self.assertNoResult(connected)
        self.clock.advance(2)
        self.successResultOf(connected)
        self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
        self.stop()
        self.assertEqual(self.log, [CancelledError])

    def test_calls_are_told(self) -> None:
        """When the link breaks the scripts are told."""
        self.service.startService()
        self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
        self.server.link.lose()
        self.assertEqual(self.log, [Disconnected])
        self.stop()

    def test_backs_off(self) -> None:
        """Each failure makes it wait longer."""
        self.server.unreachable = ConnectError()
        self.service.startService()
        for seconds, attempts in (2, 2), (4, 3), (8, 4):
            self.clock.advance(seconds - 0.5)
            self.assertEqual(self.server.attempts, attempts - 1)
            self.clock.advance(0.5)
            self.assertEqual(self.server.attempts, attempts)
        self.server.unreachable = None
        self.clock.advance(16)
        self.successResultOf(self.service.when_connected())
        self.stop()

    def test_back_off_is_reset(self) -> None:
        """Only a finished handshake makes the next wait short again."""
        self.server.by_itself = False
        self.service.startService()
        self.server.link.lose()
        self.clock.advance(2)
        self.server.link.lose()
        self.clock.advance(3.5)
        self.assertEqual(len(self.server.links), 2)
        self.clock.advance(0.5)
        self.server.link.accept()
        self.server.link.lose()
        self.clock.advance(2)
        self.assertEqual(len(self.server.links), 4)
        self.stop()

    def test_refused(self) -> None:
        """Refused credentials end the tries, and one line says so."""
        self.server.by_itself = False
        with capturedLogs() as captured:
            self.service.startService()
            connected = self.service.when_connected()
            self.server.link.say(REFUSED)
        self.failureResultOf(connected, LoginRefused)
        self.assertEqual(
            self.lines(captured),
            [
                "pbx1: the login at http://pbx.test:8088/ari was refused: Authentication required;"
                " not trying again with these credentials"
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.stop()

    def test_refused_and_tried_again(self) -> None:
        """If so configured, refused credentials are tried again."""
        self.service = self.made(retry_refused=True)
        self.server.by_itself = False
        self.service.startService()
        self.server.link.say(REFUSED)
        self.clock.advance(2)
        self.server.link.accept()
        self.successResultOf(self.service.when_connected())
        self.stop()

    def test_one_line_per_change(self) -> None:
        """The same trouble is told once, and so is its end."""
        self.server.unreachable = ConnectError()
        with capturedLogs() as captured:
            self.service.startService()
            self.clock.pump([1.0] * 20)
            self.server.unreachable = None
            self.clock.pump([1.0] * 20)
            for _ in range(2):
                self.server.link.lose()
                self.clock.pump([1.0] * 2)
            self.stop()
        self.assertEqual(
            self.lines(captured),
            [UNREACHABLE, LISTENING, LOST, LISTENING, LOST, LISTENING],
        )
        self.assertEqual([e for e in captured if "log_failure" in e], [])

    def test_replaced(self) -> None:
        """An application that another connection has taken over is told, and not fought for."""
        with capturedLogs() as captured:
            self.service.startService()
            self.server.link.event("ApplicationReplaced", application="ivr")
        self.assertIn(
            "pbx1: another connection has taken over the application ivr; its calls do not come"
            " here any more",
            self.lines(captured),
        )
        self.assertEqual(len(self.server.links), 1)
        self.stop()

    def test_stop_while_connecting(self) -> None:
        """It stops while it connects."""
        self.server.by_itself = False
        self.service.startService()
        connected = self.service.when_connected()
        self.stop()
        self.failureResultOf(connected, Disconnected)
        self.assertTrue(self.server.link.aborted)

    def test_stop_while_waiting(self) -> None:
        """It stops while it waits for the next try."""
        self.server.unreachable = ConnectError()
        self.service.startService()
        self.stop()

    def test_stop_waits_for_the_scripts(self) -> None:
        """It stops when the scripts have cleaned up and the link is closed."""
        clean_up: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            try:
                await Deferred()
            finally:
                await clean_up

        self.application.script = script
        self.service.startService()
        self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
        stopping: Any = self.service.stopService()
        self.clock.advance(0)
        self.assertTrue(self.client.listening)
        clean_up.callback(None)
        self.assertEqual(self.server.requests[-1], "DELETE /channels/c1")
        self.server.link.lose()
        self.successResultOf(stopping)

    def test_start_again(self) -> None:
        """A service that was stopped can be started again, and answers each call once."""
        for _ in range(2):
            self.service.startService()
            self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
            self.stop()
        self.assertEqual(self.log, [CancelledError, CancelledError])

    def test_start_again_at_once(self) -> None:
        """Started again before its stop is done, it answers each call once all the same."""
        self.service.startService()
        stopping: Any = self.service.stopService()
        self.service.startService()
        self.clock.advance(0)
        self.server.link.lose()
        self.successResultOf(stopping)
        self.successResultOf(self.service.when_connected())
        self.server.link.event("StasisStart", application="ivr", channel=channel("c1"))
        self.stop()
        self.assertEqual(self.log, [CancelledError])

    def test_nothing_is_left(self) -> None:
        """A service that was stopped listens to nothing any more."""
        self.service.startService()
        self.stop()
        self.successResultOf(self.client.listen("ivr"))
        with capturedLogs() as captured:
            self.server.link.event("ApplicationReplaced", application="ivr")
        self.assertEqual(self.lines(captured), [])
