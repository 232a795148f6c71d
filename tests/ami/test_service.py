"""A connection that stays, whatever happens to it."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX, Network
from txasterisk.ami.conversation import MAX_MESSAGE
from txasterisk.ami.messages import Event, Gap, Response
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.ami.service import AMIService
from txasterisk.ami.wishes import ANSWER_TIMEOUT
from txasterisk.errors import ActionFailed, Disconnected, LocalProtocolError, LoginRefused, TimedOut

SECRET = "hush-hush"


class ServiceTestCase(SynchronousTestCase):
    """Tests with a service and a network in memory."""

    retry_refused = False
    options: ClassVar[dict[str, Any]] = {}

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
            **self.options,
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

    def test_when_disconnected(self) -> None:
        """One can wait for the end of the connection that there is now, if there is one."""
        self.successResultOf(self.service.when_disconnected())
        pbx = self.connected()
        first, given_up = self.service.when_disconnected(), self.service.when_disconnected()
        self.assertNoResult(first)
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        pbx.close()
        self.assertIsInstance(self.successResultOf(first), Disconnected)
        self.successResultOf(self.service.when_disconnected())

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

    def test_one_connection_after_the_other(self) -> None:
        """Who waits by turns for a connection and for its end gets each once."""
        seen: list[AMIProtocol] = []

        async def watch() -> None:
            while len(seen) < 10:
                ami = await self.service.when_connected()
                seen.append(ami)
                await ami.when_disconnected()

        watching = Deferred.fromCoroutine(watch())
        self.connected().close()
        self.assertEqual(len(seen), 1)
        self.network.pass_by(10)
        self.log_in()
        self.assertEqual(len(set(seen)), 2)
        watching.addErrback(lambda _: None).cancel()

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


class GapTests(ServiceTestCase):
    """What is told of the time without a link."""

    def setUp(self) -> None:
        """Listen to everything."""
        super().setUp()
        self.heard: list[Event] = []
        self.service.on("*", self.heard.append)

    def test_after_a_reconnect(self) -> None:
        """Before the first new event everyone who listens is told of the gap and its length."""
        pbx = self.connected()
        self.network.pass_by(5)
        pbx.tell("Newchannel")
        self.network.pass_by(2)
        pbx.close()
        self.network.pass_by(10)
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "123456789"))
        login = Response.of([("Response", "Success"), ("ActionID", pbx.hear()[0]["ActionID"])])
        pbx.say(login.serialize() + b"Event: FullyBooted\r\n\r\n")
        self.assertEqual([event.name for event in self.heard], ["Newchannel", "Gap", "FullyBooted"])
        gap = self.heard[1]
        assert isinstance(gap, Gap)
        # From the last sign of life on, not only from when the loss was noticed.
        self.assertEqual((gap.since, gap.until), (5, 17))
        self.assertEqual((gap["Since"], gap["Until"]), ("5.000000", "17.000000"))

    def test_not_the_first_time(self) -> None:
        """With the first connection there is no gap: nobody has heard anything before."""
        self.connected()
        self.assertEqual(self.heard, [])

    def test_whatever_else_is_wished(self) -> None:
        """A gap concerns also who listens to the events of one channel only."""
        gaps: list[Event] = []
        self.service.on(["Hangup", "Gap"], gaps.append, Channel="a")
        self.connected().close()
        self.network.pass_by(10)
        self.log_in()
        self.assertEqual([event.name for event in gaps], ["Gap"])

    def test_only_who_asks_for_it(self) -> None:
        """A listener of other names is not told something that has none of their headers."""
        hangups: list[Event] = []
        self.service.on("Hangup", hangups.append)
        self.connected().close()
        self.network.pass_by(10)
        self.log_in()
        self.assertEqual(hangups, [])

    def test_in_a_stream(self) -> None:
        """In a stream it stands where the events are missing."""
        stream = self.service.stream(["Hangup", "Gap"])
        pbx = self.connected()
        pbx.tell("Hangup")
        pbx.close()
        self.network.pass_by(10)
        self.log_in().tell("Hangup")
        names = [
            self.successResultOf(Deferred.fromCoroutine(stream.__anext__())).name for _ in range(3)
        ]
        self.assertEqual(names, ["Hangup", "Gap", "Hangup"])

    def test_state_can_be_read(self) -> None:
        """Who is told of the gap can ask for the state at once."""
        asked: list[Deferred[Response]] = []
        self.service.on("Gap", lambda _: asked.append(self.service.core_show_channels()))
        self.connected().close()
        self.network.pass_by(10)
        pbx = self.log_in()
        pbx.answer(pbx.hear_one("CoreShowChannels"))
        self.successResultOf(asked[0])

    def test_a_failed_attempt_is_part_of_it(self) -> None:
        """It lasts until a login succeeds, whatever was tried in between."""
        self.connected().close()
        self.network.pass_by(10)
        self.network.fail(ConnectError())
        self.network.pass_by(20)
        self.log_in()
        [gap] = self.heard
        assert isinstance(gap, Gap)
        self.assertEqual((gap.since, gap.until), (0, 30))

    def test_stopped_and_started(self) -> None:
        """A service that was stopped for a while has missed events, too."""
        pbx = self.connected()
        self.stop()
        pbx.close()
        self.network.pass_by(100)
        self.service.startService()
        self.log_in()
        self.assertEqual([event.name for event in self.heard], ["Gap"])


class WishesTests(ServiceTestCase):
    """Which events a link tells, also after a reconnect."""

    def reconnected(self, pbx: PBX) -> PBX:
        """Lose the link, and let the service connect again."""
        pbx.close()
        self.network.pass_by(10)
        return self.network.accept()

    def log_in_with(self, pbx: PBX, events: str | None) -> None:
        """Let it log in, with that mask."""
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "123456789"))
        login = pbx.hear_one("Login")
        self.assertEqual(login.get("Events"), events)
        pbx.answer(login)

    def filter(self, pbx: PBX, text: str) -> None:
        """Have a filter added."""
        adding = self.service.filter(operation="Add", filter=text)
        pbx.answer(pbx.hear_one("Filter"))
        self.successResultOf(adding)

    def test_mask(self) -> None:
        """The mask that was set last is that of the next login."""
        pbx = self.connected()
        self.service.events(event_mask="call,user")
        pbx.answer(pbx.hear()[0])
        self.log_in_with(self.reconnected(pbx), "call,user")
        self.assertIsNotNone(self.service.connection)

    def test_wrong_mask(self) -> None:
        """A mask that Asterisk would take for another is refused before anything is begun."""
        with self.assertRaises(LocalProtocolError):
            AMIService(self.network.endpoint, "admin", SECRET, events="Call, user")

    def test_refused_mask(self) -> None:
        """A mask that was refused is not kept."""
        pbx = self.connected()
        self.service.action("Events").addErrback(lambda _: None)
        pbx.refuse(pbx.hear()[0], "Invalid event mask")
        self.log_in_with(self.reconnected(pbx), None)

    def test_filters(self) -> None:
        """Filters are there again before the first event may come."""
        heard: list[str] = []
        self.service.on("*", lambda event: heard.append(event.name))
        pbx = self.connected()
        self.filter(pbx, "!Event: RTCP")
        self.filter(pbx, "Event: User")
        self.filter(pbx, "!Event: RTCP")
        pbx = self.reconnected(pbx)
        self.log_in_with(pbx, "off")
        for text in "!Event: RTCP", "Event: User":
            action = pbx.hear_one("Filter")
            self.assertEqual((action["Operation"], action["Filter"]), ("Add", text))
            self.assertIsNone(self.service.connection)
            pbx.answer(action)
        events, ping = pbx.hear()
        self.assertEqual((events["EventMask"], ping.name), ("on", "Ping"))
        on = Response.of([("Response", "Success"), ("ActionID", events["ActionID"])])
        pbx.say(on.serialize() + b"Event: UserEvent\r\n\r\n")
        self.assertEqual(heard, ["Gap", "UserEvent"])
        self.assertIsNotNone(self.service.connection)

    def test_filters_from_the_beginning(self) -> None:
        """Filters can be given with the service."""
        self.service = AMIService(
            self.network.endpoint,
            "admin",
            SECRET,
            filters=["!Event: RTCP"],
            events="call",
            clock=self.network.reactor,
        )
        self.service.startService()
        pbx = self.network.accept()
        self.log_in_with(pbx, "off")
        action = pbx.hear_one("Filter")
        self.assertEqual((action["Operation"], action["Filter"]), ("Add", "!Event: RTCP"))
        pbx.answer(action)
        self.assertEqual(pbx.hear()[0]["EventMask"], "call")

    def test_refused_filter(self) -> None:
        """When a filter is not accepted any more, the link is not taken, and tried again later."""
        pbx = self.connected()
        self.filter(pbx, "!Event: RTCP")
        pbx = self.reconnected(pbx)
        self.log_in_with(pbx, "off")
        with capturedLogs() as logged:
            pbx.refuse(pbx.hear_one("Filter"), "Permission denied")
            self.network.pass_by()
        self.assertTrue(pbx.cut)
        self.assertIsNone(self.service.connection)
        self.assertIn("Filter: Permission denied", " ".join(map(str, map(formatEvent, logged))))
        self.network.pass_by(20)
        self.assertEqual(self.network.attempts, 3)

    def test_silence(self) -> None:
        """A filter that is not answered does not hold up the service for ever."""
        pbx = self.connected()
        self.filter(pbx, "!Event: RTCP")
        pbx = self.reconnected(pbx)
        self.log_in_with(pbx, "off")
        pbx.hear_one("Filter")
        self.network.pass_by(ANSWER_TIMEOUT)
        self.assertTrue(pbx.cut)


class BootTests(ServiceTestCase):
    """Waiting until Asterisk has booted."""

    options: ClassVar = {"boot_timeout": 60, "events": "call"}

    def logged_in(self) -> PBX:
        """Log in; of the events only those are asked for that tell of the boot."""
        self.service.startService()
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "123456789"))
        login = pbx.hear_one("Login")
        self.assertEqual(login["Events"], "system")
        pbx.answer(login)
        return pbx

    def test_booted(self) -> None:
        """The link is there when Asterisk says so, and then tells what it shall."""
        pbx = self.logged_in()
        waiting = self.service.when_connected()
        self.network.pass_by(20)
        self.assertNoResult(waiting)
        pbx.tell("FullyBooted")
        mask, _ = pbx.hear()
        self.assertEqual(mask["EventMask"], "call")
        self.assertNoResult(waiting)
        pbx.answer(mask)
        self.successResultOf(waiting)

    def test_never(self) -> None:
        """When it does not say so in time the log says what may be wrong, and it is tried again."""
        pbx = self.logged_in()
        with capturedLogs() as logged:
            self.network.pass_by(60)
        self.assertTrue(pbx.cut)
        said = " ".join(map(str, map(formatEvent, logged)))
        self.assertIn("only to users who may read the class system", said)
        self.network.pass_by(10)
        self.assertEqual(self.network.attempts, 2)


class TwoLinksTests(ServiceTestCase):
    """A link of its own for events."""

    options: ClassVar = {"links": 2}

    def both(self) -> tuple[PBX, PBX]:
        """Let both links log in; return the one for actions and the one for events."""
        acting = self.network.accept()
        acting.answer(acting.hear_one("Challenge"), ("Challenge", "123456789"))
        login = acting.hear_one("Login")
        self.assertEqual(login["Events"], "off")
        acting.answer(login)
        self.assertIsNone(self.service.connection)
        telling = self.network.accept()
        telling.accept_login()
        self.assertIsNotNone(self.service.connection)
        return acting, telling

    def test_actions_and_events(self) -> None:
        """Actions go over one, and events come over the other."""
        self.service.startService()
        acting, telling = self.both()
        heard: list[Event] = []
        self.service.on("Hangup", heard.append)
        telling.tell("Hangup")
        self.assertEqual(len(heard), 1)
        self.service.ping()
        acting.hear_one("Ping")
        self.service.list("CoreShowChannels")
        acting.hear_one("CoreShowChannels")
        self.assertEqual(telling.hear(), [])

    def test_mask_and_filters(self) -> None:
        """The mask and the filters are those of the link that tells events."""
        self.service.startService()
        acting, telling = self.both()
        self.service.filter(operation="Add", filter="x")
        self.service.events(event_mask="call")
        self.assertEqual([action.name for action in telling.hear()], ["Filter", "Events", "Ping"])
        self.assertEqual(acting.hear(), [])

    def test_one_is_lost(self) -> None:
        """When one is lost the other is closed, and both are made anew."""
        self.service.startService()
        for which in 0, 1:
            links = self.both()
            links[which].close()
            self.network.pass_by()
            self.assertTrue(links[1 - which].cut)
            self.assertIsNone(self.service.connection)
            self.network.pass_by(10)
        self.both()

    def test_only_one_can_be_made(self) -> None:
        """When the second cannot be made the first is closed."""
        self.service.startService()
        acting = self.network.accept()
        acting.accept_login()
        self.network.fail(ConnectError())
        self.network.pass_by()
        self.assertTrue(acting.cut)
        self.assertIsNone(self.service.connection)
        self.network.pass_by(10)
        self.both()

    def test_stop(self) -> None:
        """Stopping says goodbye on both."""
        self.service.startService()
        links = self.both()
        stopping = self.stop()
        for pbx in links:
            pbx.answer(pbx.hear_one("Logoff"), status="Goodbye")
            pbx.close()
        self.assert_stopped(stopping)


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
