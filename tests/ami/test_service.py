"""A connection that stays, whatever happens to it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX, Network
from txasterisk.ami.conversation import MAX_MESSAGE
from txasterisk.ami.messages import Event
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.ami.service import AMIService
from txasterisk.errors import ActionFailed, Disconnected, LoginRefused, TimedOut

SECRET = "hush-hush"


class ServiceTestCase(SynchronousTestCase):
    """Tests with a service and a network in memory."""

    retry_refused = False

    def setUp(self) -> None:
        """Make a service that tries again after 10 seconds, 20 seconds, and so on."""
        self.network = Network()
        self.back_off: list[int] = []
        self.service = AMIService(
            self.network.endpoint,
            "admin",
            SECRET,
            label="pbx",
            back_off=self.after,
            retry_refused=self.retry_refused,
            clock=self.network.reactor,
        )

    def after(self, failures: int) -> float:
        """Note what was asked for."""
        self.back_off.append(failures)
        return failures * 10.0

    def connected(self) -> PBX:
        """Start the service, and let it log in."""
        self.service.startService()
        return self.log_in()

    def log_in(self) -> PBX:
        """Let the service log in."""
        pbx = self.network.accept()
        pbx.accept_login()
        return pbx

    def stop(self) -> Deferred[Any]:
        """Stop the service, and return when it has stopped."""
        stopping = self.service.stopService()
        assert stopping is not None
        return stopping

    def assert_stopped(self, stopping: Deferred[Any], pbx: PBX | None = None) -> None:
        """It has stopped, and nothing is left."""
        self.network.pass_by()
        self.assertIsNone(self.successResultOf(stopping))
        if pbx is not None:
            self.assertTrue(pbx.cut)
        self.assertEqual(self.network.pending(), [])
        self.assertIsNone(self.service.connection)
        attempts = self.network.attempts
        self.network.pass_by(3600)
        self.assertEqual(self.network.attempts, attempts)


class ConnectingTests(ServiceTestCase):
    """Getting the connection, and getting it again."""

    def test_not_started(self) -> None:
        """Before its start it does nothing."""
        self.assertEqual(self.network.attempts, 0)
        self.assertIsNone(self.service.connection)

    def test_connected(self) -> None:
        """It connects and logs in, and then its connection can be had."""
        self.service.startService()
        waiting = self.service.when_connected()
        pbx = self.network.accept()
        self.assertIsNone(self.service.connection)
        self.assertNoResult(waiting)
        pbx.accept_login()
        ami = self.successResultOf(waiting)
        self.assertIsInstance(ami, AMIProtocol)
        self.assertIs(self.service.connection, ami)
        self.assertIs(self.successResultOf(self.service.when_connected()), ami)

    def test_asked_before_the_start(self) -> None:
        """Who asks for the connection before the start gets it too."""
        waiting = self.service.when_connected()
        self.connected()
        self.assertIs(self.successResultOf(waiting), self.service.connection)

    def test_cancel(self) -> None:
        """Who cancels waits no more, and the service goes on."""
        self.service.startService()
        waiting = self.service.when_connected()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.log_in()
        self.assertIsNotNone(self.service.connection)

    def test_refused_connection(self) -> None:
        """When nobody answers it tries again, less and less often."""
        self.service.startService()
        for failures in 1, 2, 3:
            self.network.fail(ConnectError())
            self.assertEqual(self.network.attempts, failures)
            self.network.pass_by(failures * 10 - 0.5)
            self.assertEqual(self.network.attempts, failures)
            self.network.pass_by(0.5)
            self.assertEqual(self.network.attempts, failures + 1)
        self.assertEqual(self.back_off, [1, 2, 3])

    def test_closed_before_the_login(self) -> None:
        """A connection without a login does not make it try more often, as for ``authlimit``."""
        self.service.startService()
        for failures in 1, 2, 3:
            pbx = self.network.accept(greeting=failures == 2)
            pbx.close()
            self.network.pass_by(failures * 10)
        self.assertEqual(self.back_off, [1, 2, 3])

    def test_something_else_answers(self) -> None:
        """When it is no AMI that answers it tries again."""
        self.service.startService()
        self.network.accept(greeting=False).say(b"HTTP/1.1 400 Bad Request\r\n")
        self.network.pass_by()
        self.network.pass_by(10)
        self.log_in()
        self.assertIsNotNone(self.service.connection)

    def test_login_unanswered(self) -> None:
        """When the server does not answer it tries again, on a new connection."""
        self.service.startService()
        silent = self.network.accept()
        self.network.pass_by(10)
        self.network.pass_by(10)
        self.assertTrue(silent.cut)
        self.log_in()
        self.assertIsNotNone(self.service.connection)

    def test_senseless_login(self) -> None:
        """When the server answers nonsense it tries again."""
        self.service.startService()
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"))
        self.network.pass_by(10)
        self.log_in()
        self.assertIsNotNone(self.service.connection)

    def test_lost(self) -> None:
        """A lost connection is replaced."""
        first = self.connected()
        old = self.service.connection
        first.close()
        self.assertIsNone(self.service.connection)
        self.assertEqual(self.network.attempts, 1)
        waiting = self.service.when_connected()
        self.network.pass_by(10)
        self.assertNoResult(waiting)
        self.log_in()
        self.assertIs(self.successResultOf(waiting), self.service.connection)
        self.assertIsNot(self.service.connection, old)

    def test_back_off_begins_anew_after_a_login(self) -> None:
        """Only a login makes it try sooner again."""
        self.service.startService()
        self.network.fail(ConnectError())
        self.network.pass_by(10)
        self.network.fail(ConnectError())
        self.network.pass_by(20)
        self.log_in().close()
        self.network.pass_by(10)
        self.network.fail(ConnectError())
        self.assertEqual(self.back_off, [1, 2, 1, 2])

    def test_limit_broken(self) -> None:
        """A connection on which a limit was broken is replaced."""
        self.connected().say(b"x" * (2 * MAX_MESSAGE))
        self.network.pass_by()
        self.assertIsNone(self.service.connection)
        self.network.pass_by(10)
        self.log_in()
        self.assertIsNotNone(self.service.connection)

    def test_connected_for_who_hears_of_the_loss(self) -> None:
        """Who hears of the loss and asks for the connection waits for the next one."""
        pbx = self.connected()
        old = self.service.connection
        asked = self.service.action("Ping")
        again = asked.addErrback(lambda _: self.service.when_connected())
        pbx.close()
        self.assertNoResult(again)
        self.network.pass_by(10)
        self.log_in()
        self.assertIsNot(self.successResultOf(again), old)

    def test_default_back_off(self) -> None:
        """By default it waits some seconds, but never much more than a minute."""
        self.service = AMIService(
            self.network.endpoint, "admin", SECRET, clock=self.network.reactor
        )
        self.service.startService()
        waited = []
        for _ in range(30):
            self.network.fail(ConnectError())
            [seconds] = self.network.pending()
            waited.append(seconds)
            self.network.pass_by(seconds)
        self.assertLess(waited[0], 5)
        self.assertLess(max(waited), 90)
        self.assertGreater(waited[-1], 30)

    def test_log(self) -> None:
        """The log says what happens to which PBX, and no secret."""
        with capturedLogs() as logged:
            self.service.startService()
            self.network.fail(ConnectError())
            self.network.pass_by(10)
            self.log_in().close()
        lines = [str(formatEvent(event)) for event in logged]
        self.assertTrue(all(line.startswith("pbx: ") for line in lines), lines)
        self.assertIn("pbx: logged in to AMI 11.0.0", lines)
        self.assertNotIn(SECRET, "".join(lines))


class RefusedTests(ServiceTestCase):
    """When Asterisk refuses the credentials."""

    def setUp(self) -> None:
        """Have them refused."""
        super().setUp()
        self.service.startService()
        self.waiting = self.service.when_connected()
        self.network.accept().refuse_login()

    def test_no_more(self) -> None:
        """It does not try again, and says so to everyone who waits."""
        self.network.pass_by(3600)
        self.assertEqual(self.network.attempts, 1)
        self.failureResultOf(self.waiting, LoginRefused)
        self.failureResultOf(self.service.when_connected(), LoginRefused)
        self.assertEqual(self.network.pending(), [])

    def test_actions(self) -> None:
        """An action fails, as without any connection."""
        self.failureResultOf(self.service.action("Ping"), Disconnected)
        self.failureResultOf(self.waiting, LoginRefused)

    def test_stop(self) -> None:
        """It can be stopped, and started again."""
        self.failureResultOf(self.waiting, LoginRefused)
        self.assert_stopped(self.stop())
        self.connected()
        self.assertIsNotNone(self.service.connection)


class RetryRefusedTests(ServiceTestCase):
    """When Asterisk refuses the credentials, but will think better of it."""

    retry_refused = True

    def test_again(self) -> None:
        """It tries again like after any failure."""
        self.service.startService()
        waiting = self.service.when_connected()
        self.network.accept().refuse_login()
        self.assertNoResult(waiting)
        self.network.pass_by(10)
        self.log_in()
        self.successResultOf(waiting)


class UseTests(ServiceTestCase):
    """Actions and events through the service."""

    def test_action(self) -> None:
        """An action goes to the connection."""
        pbx = self.connected()
        asked = self.service.action("Hangup", {"Channel": "a"}, timeout=5)
        pbx.refuse(pbx.hear_one("Hangup"), "No such channel")
        self.failureResultOf(asked, ActionFailed)

    def test_time_limit(self) -> None:
        """An action has its time limit."""
        self.connected()
        asked = self.service.action("Ping", timeout=5)
        self.network.pass_by(5)
        self.failureResultOf(asked, TimedOut)

    def test_no_connection(self) -> None:
        """An action fails at once while there is no connection, and is not sent later."""
        asked = [self.service.action("A")]
        self.service.startService()
        asked.append(self.service.action("B"))
        pbx = self.network.accept()
        asked.append(self.service.action("C"))
        pbx.accept_login()
        self.assertEqual(pbx.hear(), [])
        pbx.close()
        asked.append(self.service.action("D"))
        for action in asked:
            self.failureResultOf(action, Disconnected)

    def test_never_sent_again(self) -> None:
        """An action that was not answered fails with the connection, and is not sent again."""
        pbx = self.connected()
        asked = self.service.action("Originate")
        pbx.close()
        self.failureResultOf(asked, Disconnected)
        self.network.pass_by(10)
        self.assertEqual(self.log_in().hear(), [])

    def test_verbs(self) -> None:
        """The verbs of a connection are verbs of the service."""
        pbx = self.connected()
        printed = self.service.command("core show uptime")
        pbx.answer(pbx.hear_one("Command"), ("Output", "1 hour"))
        self.assertEqual(self.successResultOf(printed), ["1 hour"])

    def test_listeners_stay(self) -> None:
        """A listener hears of every connection, also one that listened before the first."""
        heard: list[str] = []
        subscription = self.service.on("Hangup", lambda event: heard.append(event["Channel"]))
        first = self.connected()
        first.tell("Hangup", ("Channel", "a"))
        first.close()
        self.network.pass_by(10)
        second = self.log_in()
        second.tell("Hangup", ("Channel", "b"))
        subscription.cancel()
        second.tell("Hangup", ("Channel", "c"))
        self.assertEqual(heard, ["a", "b"])

    def test_listeners_of_the_connection(self) -> None:
        """Who listens on the connection listens to the service."""
        heard: list[Event] = []
        pbx = self.connected()
        ami = self.service.connection
        assert ami is not None
        ami.on("Hangup", heard.append)
        pbx.tell("Hangup")
        self.assertEqual(len(heard), 1)

    def test_next_waits_across_a_reconnect(self) -> None:
        """Who waits for an event goes on waiting when the connection is lost."""
        waiting = self.service.next("Hangup")
        self.connected().close()
        self.assertNoResult(waiting)
        self.network.pass_by(10)
        self.log_in().tell("Hangup")
        self.assertEqual(self.successResultOf(waiting).name, "Hangup")

    def test_next_time_limit(self) -> None:
        """Nobody waits longer for an event than was said, connection or not."""
        waiting = self.service.next("Hangup", timeout=5)
        self.network.pass_by(5)
        self.failureResultOf(waiting, TimedOut)


class StoppingTests(ServiceTestCase):
    """Stopping, whatever it is doing."""

    def test_never_started(self) -> None:
        """What was never started can be stopped."""
        self.service.running = 1
        self.assertIsNone(self.successResultOf(self.service.stopService()))

    def test_connecting(self) -> None:
        """While it connects the attempt is given up."""
        self.service.startService()
        stopping = self.stop()
        self.assertTrue(self.network.given_up())
        self.assert_stopped(stopping)

    def test_silent_server(self) -> None:
        """While it waits for the greeting the connection is cut."""
        self.service.startService()
        pbx = self.network.accept(greeting=False)
        self.assert_stopped(self.stop(), pbx)

    def test_logging_in(self) -> None:
        """While it logs in the connection is cut."""
        self.service.startService()
        pbx = self.network.accept()
        self.assert_stopped(self.stop(), pbx)

    def test_waiting(self) -> None:
        """While it waits for the next attempt there will be none."""
        self.service.startService()
        self.network.fail(ConnectError())
        self.assert_stopped(self.stop())

    def test_connected(self) -> None:
        """When it is connected it says goodbye first."""
        pbx = self.connected()
        stopping = self.stop()
        self.assertNoResult(stopping)
        pbx.answer(pbx.hear_one("Logoff"), status="Goodbye")
        pbx.close()
        self.assert_stopped(stopping, pbx)

    def test_closed_instead_of_goodbye(self) -> None:
        """The server may close without a goodbye."""
        pbx = self.connected()
        stopping = self.stop()
        pbx.close()
        self.assert_stopped(stopping, pbx)

    def test_no_goodbye(self) -> None:
        """A server that never says goodbye is not waited for."""
        pbx = self.connected()
        stopping = self.stop()
        self.network.pass_by(5)
        self.assert_stopped(stopping, pbx)

    def test_goodbye_and_no_end(self) -> None:
        """A server that says goodbye but never closes is not waited for."""
        pbx = self.connected()
        stopping = self.stop()
        pbx.answer(pbx.hear_one("Logoff"), status="Goodbye")
        self.network.pass_by(5)
        self.assert_stopped(stopping, pbx)

    def test_pending(self) -> None:
        """Everything that is waited for fails."""
        self.service.startService()
        pending: list[Deferred[Any]] = [
            self.service.when_connected(),
            self.service.next("Hangup"),
            self.service.next("Hangup", timeout=60),
        ]
        stopping = self.stop()
        for waiting in pending:
            self.failureResultOf(waiting, Disconnected)
        self.assert_stopped(stopping)

    def test_pending_actions(self) -> None:
        """An action that is not answered when the connection ends fails."""
        pbx = self.connected()
        asked = self.service.action("Originate")
        stopping = self.stop()
        pbx.close()
        self.failureResultOf(asked, Disconnected)
        self.assert_stopped(stopping, pbx)

    def test_asked_afterwards(self) -> None:
        """Once it was stopped there is no connection to be had."""
        pbx = self.connected()
        stopping = self.stop()
        pbx.close()
        self.assert_stopped(stopping, pbx)
        self.failureResultOf(self.service.when_connected(), Disconnected)
        self.failureResultOf(self.service.action("Ping"), Disconnected)

    def test_stop_from_a_callback(self) -> None:
        """Who gets the connection may stop the service at once."""
        self.service.startService()
        stopping: list[Deferred[Any]] = []
        self.service.when_connected().addCallback(lambda _: stopping.append(self.stop()))
        pbx = self.log_in()
        pbx.answer(pbx.hear_one("Logoff"), status="Goodbye")
        pbx.close()
        self.assert_stopped(stopping[0], pbx)

    def test_start_again(self) -> None:
        """After a stop it can be started again, and listeners are still there."""
        heard: list[Event] = []
        self.service.on("Hangup", heard.append)
        pbx = self.connected()
        stopping = self.stop()
        pbx.close()
        self.assert_stopped(stopping, pbx)
        self.service.startService()
        waiting = self.service.when_connected()
        self.assertNoResult(waiting)
        again = self.log_in()
        again.tell("Hangup")
        self.assertIs(self.successResultOf(waiting), self.service.connection)
        self.assertEqual(len(heard), 1)
        self.assertEqual(self.back_off, [])

    def test_start_again_at_once(self) -> None:
        """When it is started again before the stop is done, one connection follows the other."""
        pbx = self.connected()
        stopping = self.stop()
        self.service.startService()
        self.assertEqual(self.network.attempts, 1)
        pbx.close()
        self.network.pass_by()
        self.successResultOf(stopping)
        self.assertEqual(self.network.attempts, 2)
        self.log_in()
        self.assertIsNotNone(self.service.connection)
        self.network.pass_by(3600)
        self.assertEqual(self.network.attempts, 2)
