"""One AMI connection, over a wire in memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Coroutine
from hashlib import md5
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX, Network
from txasterisk._streams import HELD_AT_MOST, EventStream
from txasterisk.ami.conversation import MAX_MESSAGE
from txasterisk.ami.login import LOGIN_TIMEOUT
from txasterisk.ami.messages import Action, Event, Response
from txasterisk.ami.protocol import AMIFactory, AMIProtocol
from txasterisk.errors import (
    ActionFailed,
    AsteriskError,
    Disconnected,
    EventsLost,
    LocalProtocolError,
    LoginRefused,
    RemoteProtocolError,
    TimedOut,
)

SECRET = "hush-hush"


class ConnectionTestCase(SynchronousTestCase):
    """Tests with a connection that has been greeted."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock)


class ActionTests(ConnectionTestCase):
    """Asking, and being answered."""

    def test_wire(self) -> None:
        """An action goes to the wire in one write, with an ActionID of its own."""
        self.ami.action("Hangup", {"Channel": "PJSIP/a", "Cause": 16})
        [written] = self.pbx.wire.writes
        action_id = self.pbx.hear_one("Hangup")["ActionID"]
        self.assertEqual(
            written,
            b"Action: Hangup\r\nActionID: %s\r\nChannel: PJSIP/a\r\nCause: 16\r\n\r\n"
            % action_id.encode(),
        )

    def test_action_ids_differ(self) -> None:
        """No two actions have the same ActionID, nor have those of two connections."""
        other = AMIProtocol(clock=self.clock)
        other_pbx = PBX(other, self.clock)
        for connection in self.ami, self.ami, other, other:
            connection.action("Ping")
        ids = [action["ActionID"] for pbx in (self.pbx, other_pbx) for action in pbx.hear()]
        self.assertEqual(len(set(ids)), 4)

    def test_answer(self) -> None:
        """An action fires with its response."""
        asked = self.ami.action("Ping")
        self.assertNoResult(asked)
        self.pbx.answer(self.pbx.hear_one("Ping"), ("Ping", "Pong"))
        self.assertEqual(self.successResultOf(asked)["Ping"], "Pong")

    def test_list(self) -> None:
        """An action with an event list fires when that is complete."""
        asked = self.ami.action("QueueStatus")
        action = self.pbx.hear_one("QueueStatus")
        self.pbx.answer(action, ("EventList", "start"))
        self.pbx.tell("QueueParams", ("ActionID", action["ActionID"]))
        self.assertNoResult(asked)
        self.pbx.tell(
            "QueueStatusComplete", ("ActionID", action["ActionID"]), ("EventList", "Complete")
        )
        names = [event.name for event in self.successResultOf(asked).events]
        self.assertEqual(names, ["QueueParams", "QueueStatusComplete"])

    def test_error(self) -> None:
        """An action that Asterisk refuses fails with its words and the whole response."""
        asked = self.ami.action("Hangup", {"Channel": "nobody"})
        self.pbx.refuse(self.pbx.hear_one("Hangup"), "No such channel")
        error = self.failureResultOf(asked, ActionFailed).value
        self.assertEqual(str(error), "Hangup: No such channel")
        self.assertEqual((error.action, error.message), ("Hangup", "No such channel"))
        assert isinstance(error.response, Response)
        self.assertEqual(error.response.status, "Error")

    def test_unsendable(self) -> None:
        """What AMI cannot carry fails at once and writes nothing."""
        asked = self.ami.action("Setvar", {"Value": "a\r\nAction: Originate"})
        self.failureResultOf(asked, LocalProtocolError)
        self.failureResultOf(self.ami.action("Setvar", {"Value": "\ud800"}), LocalProtocolError)
        self.assertEqual(self.pbx.wire.writes, [])

    def test_nobody_listens(self) -> None:
        """An action whose answer nobody looks at is done all the same."""
        self.ami.action("Hangup", {"Channel": "PJSIP/a"})
        self.pbx.answer(self.pbx.hear_one("Hangup"))

    def test_timeout(self) -> None:
        """An action is given up after its time, and not before."""
        asked = self.ami.action("Ping", timeout=5.0)
        self.clock.advance(4.5)
        self.assertNoResult(asked)
        self.clock.advance(0.5)
        error = self.failureResultOf(asked, TimedOut).value
        self.assertEqual(str(error), "no answer to Ping in time")

    def test_late_answer(self) -> None:
        """The answer to an action that was given up is dropped, and the next one gets its own."""
        late = self.ami.action("Ping", timeout=5.0)
        action = self.pbx.hear_one("Ping")
        self.clock.advance(5)
        self.failureResultOf(late, TimedOut)
        asked = self.ami.action("Ping")
        self.pbx.answer(action, ("Ping", "late"))
        self.assertNoResult(asked)
        self.pbx.answer(self.pbx.hear_one("Ping"), ("Ping", "Pong"))
        self.assertEqual(self.successResultOf(asked)["Ping"], "Pong")

    def test_time_limits_end(self) -> None:
        """An answered action is never late, and leaves nothing with the reactor for long."""
        asked = self.ami.action("Ping", timeout=5.0)
        self.pbx.answer(self.pbx.hear_one("Ping"))
        self.successResultOf(asked)
        self.clock.advance(5)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_time_limit(self) -> None:
        """Without a time limit nothing is with the reactor."""
        self.ami.action("Ping")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """Cancelling drops the answer."""
        asked = self.ami.action("Ping", timeout=5.0)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.pbx.answer(self.pbx.hear_one("Ping"))
        self.clock.advance(5)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel_on_the_answer(self) -> None:
        """To cancel an action while its answer is handled does nothing."""
        asked = self.ami.action("Ping", timeout=5.0)
        asked.addCallback(lambda _: asked.cancel())
        self.pbx.answer(self.pbx.hear_one("Ping"))
        self.assertIsNone(self.successResultOf(asked))
        self.assertFalse(self.pbx.cut)

    def test_nothing_is_left_for_the_garbage_collector(self) -> None:
        """An answered action is gone as soon as its caller lets go of it."""
        gc.disable()
        self.addCleanup(gc.enable)
        asked = self.ami.action("Ping", timeout=5.0)
        self.pbx.answer(self.pbx.hear_one("Ping"))
        gone = weakref.ref(asked)
        del asked
        self.assertIsNone(gone())

    def test_command(self) -> None:
        """A command fires with the lines that it printed."""
        asked = self.ami.command("core show uptime")
        action = self.pbx.hear_one("Command")
        self.assertEqual(action["Command"], "core show uptime")
        self.pbx.answer(action, ("Output", "System uptime: 1 hour"), ("Output", ""))
        self.assertEqual(self.successResultOf(asked), ["System uptime: 1 hour", ""])

    def test_failed_command(self) -> None:
        """A command that failed says and keeps what it printed in the error."""
        asked = self.ami.command("no such")
        self.pbx.answer(
            self.pbx.hear_one("Command"),
            ("Message", "Command output follows"),
            ("Output", "No such command"),
            status="Error",
        )
        error = self.failureResultOf(asked, ActionFailed).value
        self.assertEqual(str(error), "Command: No such command")
        self.assertEqual(error.response.output, ["No such command"])

    def test_ping(self) -> None:
        """A ping asks for a sign of life."""
        asked = self.ami.ping(timeout=1)
        self.pbx.answer(self.pbx.hear_one("Ping"), ("Ping", "Pong"))
        self.successResultOf(asked)


class ListTests(ConnectionTestCase):
    """Reading a list item by item."""

    def start(self, **options: Any) -> tuple[EventStream[Event], Action]:
        """Ask for a list, and let it begin."""
        listing = self.ami.list("CoreShowChannels", **options)
        action = self.pbx.hear_one("CoreShowChannels")
        self.pbx.answer(action, ("EventList", "start"))
        return listing, action

    def item(self, action: Action, channel: str) -> None:
        """Tell an item."""
        self.pbx.tell("CoreShowChannel", ("ActionID", action["ActionID"]), ("Channel", channel))

    def complete(self, action: Action, how: str = "Complete") -> None:
        """Tell the completion."""
        self.pbx.tell("X", ("ActionID", action["ActionID"]), ("EventList", how))

    def read_all(self, listing: EventStream[Event]) -> Deferred[list[str]]:
        """Begin to read everything."""

        async def read() -> list[str]:
            return [item["Channel"] async for item in listing]

        return Deferred.fromCoroutine(read())

    def test_items(self) -> None:
        """The items are read while they come, and the completion ends the list."""
        listing, action = self.start()
        reading = self.read_all(listing)
        self.item(action, "a")
        self.item(action, "b")
        self.assertNoResult(reading)
        self.complete(action)
        self.assertEqual(self.successResultOf(reading), ["a", "b"])

    def test_cancelled_list(self) -> None:
        """A list that Asterisk cancels ends."""
        listing, action = self.start()
        self.item(action, "a")
        self.complete(action, "cancelled")
        self.assertEqual(self.successResultOf(self.read_all(listing)), ["a"])

    def test_bounded(self) -> None:
        """Of a list of any length no more is kept than was not read yet."""
        listing, action = self.start(limit=10)
        reading = self.read_all(listing)
        for number in range(1000):
            self.item(action, str(number))
        self.complete(action)
        self.assertEqual(len(self.successResultOf(reading)), 1000)

    def test_too_slow(self) -> None:
        """A list that is not read holds the link back for a moment; then its items are lost."""
        listing, action = self.start(limit=2)
        for channel in "abc":
            self.item(action, channel)
        self.assertEqual(self.pbx.wire.producerState, "paused")
        self.clock.advance(HELD_AT_MOST)
        self.assertEqual(self.pbx.wire.producerState, "producing")
        self.item(action, "d")
        self.complete(action)
        error = self.failureResultOf(self.read_all(listing), EventsLost).value
        self.assertEqual(error.count, 1)

    def test_refused(self) -> None:
        """An error, as some actions give for an empty list, is told when it is read."""
        listing = self.ami.list("ConfbridgeListRooms")
        self.pbx.refuse(self.pbx.hear_one("ConfbridgeListRooms"), "No active conferences.")
        self.failureResultOf(self.read_all(listing), ActionFailed)

    def test_unsendable(self) -> None:
        """What AMI cannot carry is told when it is read."""
        self.failureResultOf(self.read_all(self.ami.list("a\nb")), LocalProtocolError)

    def test_too_late(self) -> None:
        """The time limit is for the whole list; what came in time is read first."""
        listing, action = self.start(timeout=5)
        self.item(action, "a")
        reading = self.read_all(listing)
        self.clock.advance(5)
        self.failureResultOf(reading, TimedOut)

    def test_left(self) -> None:
        """Of a list that is left early the rest is dropped, and the link goes on."""
        listing, action = self.start(timeout=5)

        async def read_one() -> str:
            async for item in listing:
                return item["Channel"]
            return ""

        reading = Deferred.fromCoroutine(read_one())
        self.item(action, "a")
        self.assertEqual(self.successResultOf(reading), "a")
        listing.cancel()
        self.item(action, "b")
        self.complete(action)
        self.clock.advance(5)
        asked = self.ami.ping()
        self.pbx.answer(self.pbx.hear_one("Ping"))
        self.successResultOf(asked)

    def test_disconnected(self) -> None:
        """When the link is lost in the middle, what came is read, and then it fails."""
        listing, action = self.start()
        self.item(action, "a")
        self.pbx.close()
        self.failureResultOf(self.read_all(listing), Disconnected)

    def test_no_list(self) -> None:
        """An answer that is no list is an empty list."""
        listing = self.ami.list("VoicemailUsersList")
        self.pbx.answer(self.pbx.hear_one("VoicemailUsersList"), ("Message", "There are none."))
        self.assertEqual(self.successResultOf(self.read_all(listing)), [])


class StreamTests(ConnectionTestCase):
    """Reading events one after the other."""

    def next(self, stream: EventStream[Event]) -> Deferred[Event]:
        """Begin to read one."""
        return Deferred.fromCoroutine(stream.__anext__())

    def test_stream(self) -> None:
        """Events are read in their order, also those that came before they were read."""
        stream = self.ami.stream("Hangup", Channel=["a", "b"])
        for channel in "axb":
            self.pbx.tell("Hangup", ("Channel", channel))
        read = [self.successResultOf(self.next(stream))["Channel"] for _ in range(2)]
        self.assertEqual(read, ["a", "b"])

    def test_too_slow(self) -> None:
        """At its limit it holds the link back, for less than Asterisk's write time-out."""
        stream = self.ami.stream("Hangup", limit=1)
        self.pbx.tell("Hangup")
        self.assertEqual(self.pbx.wire.producerState, "paused")
        self.clock.advance(HELD_AT_MOST)
        self.assertEqual(self.pbx.wire.producerState, "producing")
        self.pbx.tell("Hangup")
        self.successResultOf(self.next(stream))
        self.failureResultOf(self.next(stream), EventsLost)

    def test_lost_link(self) -> None:
        """It fails when the link is lost, while it waits and afterwards."""
        stream, later = self.ami.stream("Hangup"), self.ami.stream("Hangup")
        reading = self.next(stream)
        self.pbx.close()
        self.failureResultOf(reading, Disconnected)
        self.failureResultOf(self.next(later), Disconnected)
        self.failureResultOf(self.next(self.ami.stream("Hangup")), Disconnected)

    def test_lost_while_held_back(self) -> None:
        """A link that is lost while it is held back leaves nothing behind."""
        self.ami.list("CoreShowChannels", limit=1)
        stream = self.ami.stream("Hangup", limit=1)
        self.pbx.tell("Hangup")
        self.pbx.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.successResultOf(self.next(stream))


class EventTests(ConnectionTestCase):
    """Listening."""

    def test_listener(self) -> None:
        """A listener is called with each event of its name, until it is cancelled."""
        heard: list[str | None] = []
        subscription = self.ami.on("Hangup", lambda event: heard.append(event["Channel"]))
        self.pbx.tell("Hangup", ("Channel", "a"))
        self.pbx.tell("Newchannel", ("Channel", "b"))
        subscription.cancel()
        self.pbx.tell("Hangup", ("Channel", "c"))
        self.assertEqual(heard, ["a"])

    def test_match(self) -> None:
        """A listener may ask for certain values, and hears no other event."""
        heard: list[str] = []
        self.ami.on(
            "Hangup", lambda event: heard.append(event["N"]), channel="a", Cause=str.isdigit
        )
        self.pbx.tell("Hangup", ("Channel", "a"), ("Cause", "16"), ("N", "1"))
        self.pbx.tell("Hangup", ("Channel", "b"), ("Cause", "16"), ("N", "2"))
        self.pbx.tell("Hangup", ("Channel", "a"), ("Cause", "none"), ("N", "3"))
        self.assertEqual(heard, ["1"])

    def test_next(self) -> None:
        """The next event of a name can be waited for."""
        waiting = self.ami.next(["Hangup", "Queue*"], timeout=5)
        self.pbx.tell("Newchannel")
        self.assertNoResult(waiting)
        self.pbx.tell("QueueCallerJoin")
        self.assertEqual(self.successResultOf(waiting).name, "QueueCallerJoin")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_next_too_late(self) -> None:
        """Nobody waits longer for an event than was said."""
        waiting = self.ami.next("Hangup", timeout=5)
        self.clock.advance(5)
        self.failureResultOf(waiting, TimedOut)

    def test_failing_listener(self) -> None:
        """A listener that raises is logged, and harms neither others nor the connection."""
        heard: list[Event] = []
        self.ami.on("Hangup", lambda event: 1 / 0)
        self.ami.on("Hangup", heard.append)
        self.pbx.tell("Hangup")
        self.assertEqual(len(heard), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertFalse(self.pbx.cut)

    def test_async_listener(self) -> None:
        """A listener may be an ``async def`` that asks for more."""
        answers: list[str] = []

        async def look(event: Event) -> None:
            response = await self.ami.action("Status", {"Channel": event["Channel"]})
            answers.append(response.message)

        self.ami.on("Newchannel", look)
        self.pbx.tell("Newchannel", ("Channel", "a"))
        self.pbx.answer(self.pbx.hear_one("Status"), ("Message", "m"))
        self.assertEqual(answers, ["m"])

    def test_failing_async_listener(self) -> None:
        """An ``async def`` listener that raises is logged."""

        async def fail(event: Event) -> None:
            raise ValueError(event.name)

        self.ami.on("Hangup", fail)
        self.pbx.tell("Hangup")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_listen_on_the_answer(self) -> None:
        """Who listens as soon as the answer is there misses no event behind it."""
        heard: list[Event] = []
        asked = self.ami.action("Originate")
        asked.addCallback(lambda _: self.ami.on("OriginateResponse", heard.append))
        action_id = self.pbx.hear_one("Originate")["ActionID"].encode()
        self.pbx.say(
            b"Response: Success\r\nActionID: %s\r\n\r\n"
            b"Event: OriginateResponse\r\nResponse: Failure\r\n\r\n" % action_id
        )
        self.assertEqual(len(heard), 1)


class GreetingTests(SynchronousTestCase):
    """Before and at the greeting."""

    def setUp(self) -> None:
        """Connect, to a server that says nothing yet."""
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock, greeting=False)

    def test_greeted(self) -> None:
        """Everyone who waits for the greeting is told the version, early or late."""
        early = self.ami.when_greeted()
        self.assertEqual(self.ami.version, "")
        self.assertNoResult(early)
        self.pbx.say(b"Asterisk Call Manager/5.0.4\r\n")
        self.assertEqual(self.successResultOf(early), "5.0.4")
        self.assertEqual(self.successResultOf(self.ami.when_greeted()), "5.0.4")
        self.assertEqual(self.ami.version, "5.0.4")

    def test_no_ami(self) -> None:
        """When it is no AMI that answers, the connection is cut and everyone is told so."""
        waiting = self.ami.when_greeted()
        asked = self.ami.action("Ping")
        self.pbx.say(b"SSH-2.0-OpenSSH\r\n")
        self.clock.advance(0)
        self.failureResultOf(waiting, RemoteProtocolError)
        error = self.failureResultOf(asked, Disconnected).value
        self.assertIsInstance(error.reason, RemoteProtocolError)
        self.assertTrue(self.pbx.cut)

    def test_closed_before(self) -> None:
        """When the server closes without a word, the error says what that means in AMI."""
        waiting = self.ami.when_greeted()
        self.pbx.close()
        error = self.failureResultOf(waiting, Disconnected).value
        self.assertIn("too many connections have not logged in", str(error))
        self.assertIsInstance(error.reason, ConnectionDone)

    def test_repr(self) -> None:
        """A connection shows how it is."""
        self.assertEqual(repr(self.ami), "<AMIProtocol, new>")
        self.pbx.say(b"Asterisk Call Manager/5.0.4\r\n")
        self.assertEqual(repr(self.ami), "<AMIProtocol, AMI 5.0.4>")
        self.pbx.close()
        self.assertEqual(repr(self.ami), "<AMIProtocol, disconnected>")


class DisconnectionTests(ConnectionTestCase):
    """The end of the connection."""

    def everything(self) -> list[Deferred[Any]]:
        """Wait for all that can be waited for but the end itself."""
        return [
            self.ami.action("Ping"),
            self.ami.action("Ping", timeout=5),
            self.ami.command("core show uptime"),
            self.ami.next("Hangup"),
            self.ami.next("Hangup", timeout=5),
            self.ami.login("admin", SECRET),
            self.ami.logoff(),
        ]

    def test_pending(self) -> None:
        """Everything pending fails at once when the connection is lost."""
        pending = self.everything()
        lost = ConnectionDone("bye")
        self.pbx.close(lost)
        for waiting in pending:
            self.assertIs(self.failureResultOf(waiting, Disconnected).value.reason, lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pending_list(self) -> None:
        """An event list that is not complete fails as well."""
        asked = self.ami.action("Status")
        self.pbx.answer(self.pbx.hear_one("Status"), ("EventList", "start"))
        self.pbx.close()
        self.failureResultOf(asked, Disconnected)

    def test_later(self) -> None:
        """Whatever is asked for later fails too, and nothing is written."""
        self.pbx.close()
        written = len(self.pbx.wire.writes)
        for waiting in self.everything():
            self.failureResultOf(waiting, Disconnected)
        self.assertEqual(len(self.pbx.wire.writes), written)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.successResultOf(self.ami.when_greeted()), "11.0.0")

    def test_errors_are_not_shared(self) -> None:
        """Each is told with an error of its own."""
        pending = [self.ami.action("Ping") for _ in range(2)]
        self.pbx.close()
        one, two = (self.failureResultOf(waiting).value for waiting in pending)
        self.assertIsNot(one, two)

    def test_cancel_another(self) -> None:
        """Who hears of the loss may cancel others that wait, and the rest still hear of it."""
        pending = [self.ami.action("Ping") for _ in range(3)]
        pending[0].addErrback(lambda _: pending[1].cancel())
        ended = self.ami.when_disconnected()
        self.pbx.close()
        self.successResultOf(pending[0])
        self.failureResultOf(pending[1], CancelledError)
        self.failureResultOf(pending[2], Disconnected)
        self.successResultOf(ended)

    def test_cancel_another_event(self) -> None:
        """So may who hears that no event can come any more."""
        pending = [self.ami.next("Hangup") for _ in range(3)]
        pending[0].addErrback(lambda _: pending[1].cancel())
        self.pbx.close()
        self.successResultOf(pending[0])
        self.failureResultOf(pending[1], CancelledError)
        self.failureResultOf(pending[2], Disconnected)

    def test_ask_again(self) -> None:
        """Who hears of the loss and asks again is told so again."""
        again = self.ami.action("Ping").addErrback(lambda _: self.ami.action("Ping"))
        self.pbx.close()
        self.failureResultOf(again, Disconnected)

    def test_when_disconnected(self) -> None:
        """Everyone who waits for the end is told why, early or late."""
        early = self.ami.when_disconnected()
        self.assertNoResult(early)
        self.pbx.close(ConnectionDone("bye"))
        for waiting in early, self.ami.when_disconnected():
            gone = self.successResultOf(waiting)
            self.assertIsInstance(gone, Disconnected)
            self.assertIsInstance(gone.reason, ConnectionDone)

    def test_disconnect(self) -> None:
        """To disconnect cuts the link at once; harmless when repeated, and afterwards."""
        asked = self.ami.action("Ping")
        self.ami.disconnect()
        self.ami.disconnect()
        self.clock.advance(0)
        self.assertTrue(self.pbx.cut)
        reason = self.failureResultOf(asked, Disconnected).value.reason
        self.assertIsInstance(reason, ConnectionAborted)
        self.ami.disconnect()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_garbage(self) -> None:
        """Over a limit, the link is cut and everything pending fails with the reason."""
        pending = self.everything()
        ended = self.ami.when_disconnected()
        self.pbx.say(b"x" * (2 * MAX_MESSAGE))
        self.clock.advance(0)
        for waiting in pending:
            reason = self.failureResultOf(waiting, Disconnected).value.reason
            self.assertIsInstance(reason, RemoteProtocolError)
        self.successResultOf(ended)
        self.assertTrue(self.pbx.cut)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_after_garbage(self) -> None:
        """After a limit was broken nothing more is heard on that link."""
        heard: list[Event] = []
        self.ami.on("Hangup", heard.append)
        self.pbx.say(b"x" * (2 * MAX_MESSAGE))
        self.pbx.say(b"\r\n\r\nEvent: Hangup\r\n\r\n")
        self.assertEqual(heard, [])

    def test_disconnect_in_a_listener(self) -> None:
        """After a listener has disconnected, nothing more is delivered of the same segment."""
        heard: list[Event] = []

        def leave(event: Event) -> None:
            heard.append(event)
            self.ami.disconnect()

        self.ami.on("*", leave)
        self.pbx.say(b"Event: One\r\nA: 1\r\n\r\nEvent: Two\r\nA: 1\r\n\r\n")
        self.assertEqual([event.name for event in heard], ["One"])

    def test_answer_behind_a_disconnect(self) -> None:
        """An answer right behind the event at which a listener disconnects is lost, and told so."""
        self.ami.on("*", lambda _: self.ami.disconnect())
        asked, later = self.ami.ping(), self.ami.ping()
        first, second = (
            Response.of([("Response", "Success"), ("ActionID", ping["ActionID"])])
            for ping in self.pbx.hear()
        )
        self.pbx.say(b"Event: One\r\n\r\n" + first.serialize())
        self.pbx.say(second.serialize())
        self.clock.advance(0)
        for one in asked, later:
            self.failureResultOf(one, Disconnected)

    def test_logoff(self) -> None:
        """Logging off says goodbye and fires when the connection is closed."""
        leaving = self.ami.logoff()
        goodbye = self.pbx.hear_one("Logoff")
        self.pbx.answer(goodbye, ("Message", "Thanks"), status="Goodbye")
        self.pbx.close()
        self.assertIsNone(self.successResultOf(leaving))

    def test_logoff_without_an_end(self) -> None:
        """Logging off closes the connection, should the server not do so itself."""
        leaving = self.ami.logoff()
        self.pbx.answer(self.pbx.hear_one("Logoff"), status="Goodbye")
        self.clock.advance(0)
        self.assertTrue(self.pbx.cut)
        self.assertIsNone(self.successResultOf(leaving))

    def test_logoff_without_an_answer(self) -> None:
        """Nobody waits longer for a goodbye than was said."""
        leaving = self.ami.logoff(timeout=2)
        self.clock.advance(2)
        self.failureResultOf(leaving, TimedOut)


class LoginTests(ConnectionTestCase):
    """Logging in on a connection."""

    def test_md5(self) -> None:
        """With MD5 the secret does not cross the wire, but a digest of it with the challenge."""
        logged_in = self.ami.login("admin", SECRET, events="call,system")
        challenge = self.pbx.hear_one("Challenge")
        self.assertEqual(challenge.headers[2:], (("AuthType", "MD5"),))
        self.pbx.answer(challenge, ("Challenge", "123456789"))
        login = self.pbx.hear_one("Login")
        self.assertEqual(
            login.headers[2:],
            (
                ("Username", "admin"),
                ("Events", "call,system"),
                ("AuthType", "MD5"),
                ("Key", "f80980547dbcfc01e52744ba080526f7"),
            ),
        )
        self.pbx.answer(login, ("Message", "Authentication accepted"))
        self.assertEqual(self.successResultOf(logged_in).message, "Authentication accepted")
        self.assertNotIn(SECRET.encode(), b"".join(self.pbx.wire.writes))

    def test_secret_that_is_no_text(self) -> None:
        """A secret may hold any bytes, as surrogate escapes."""
        self.ami.login("admin", "hush-h\udcfcsh")
        self.pbx.answer(self.pbx.hear_one("Challenge"), ("Challenge", "123456789"))
        key = md5(b"123456789hush-h\xfcsh", usedforsecurity=False).hexdigest()
        self.assertEqual(self.pbx.hear_one("Login")["Key"], key)

    def test_plain(self) -> None:
        """The plain way is for what cannot answer a challenge."""
        logged_in = self.ami.login("admin", SECRET, authentication="plain")
        login = self.pbx.hear_one("Login")
        self.assertEqual(login.headers[2:], (("Username", "admin"), ("Secret", SECRET)))
        self.pbx.answer(login)
        self.successResultOf(logged_in)

    def refused(self, logged_in: Deferred[Response]) -> LoginRefused:
        """Return the error of a login; the secret is nowhere in it, and Asterisk's words are."""
        failure = self.failureResultOf(logged_in, LoginRefused)
        error: LoginRefused = failure.value
        shown = repr(error) + str(error) + failure.getTraceback() + repr(error.__context__)
        self.assertNotIn(SECRET, shown)
        self.assertEqual(str(error), "Asterisk refused the login of 'admin': Authentication failed")
        return error

    def test_refused_md5(self) -> None:
        """A wrong secret is refused in Asterisk's words."""
        logged_in = self.ami.login("admin", SECRET)
        self.pbx.answer(self.pbx.hear_one("Challenge"), ("Challenge", "1"))
        self.pbx.refuse(self.pbx.hear_one("Login"), "Authentication failed")
        self.refused(logged_in)

    def test_refused_plain(self) -> None:
        """So it is in the plain way."""
        logged_in = self.ami.login("admin", SECRET, authentication="plain")
        self.pbx.refuse(self.pbx.hear_one("Login"), "Authentication failed")
        self.refused(logged_in)

    def test_refused_challenge(self) -> None:
        """Also a challenge can be refused."""
        logged_in = self.ami.login("admin", SECRET)
        self.pbx.refuse(self.pbx.hear_one("Challenge"), "Authentication failed")
        self.refused(logged_in)

    def test_no_challenge(self) -> None:
        """A challenge without one is no AMI."""
        logged_in = self.ami.login("admin", SECRET)
        self.pbx.answer(self.pbx.hear_one("Challenge"))
        self.failureResultOf(logged_in, RemoteProtocolError)

    def test_unsendable(self) -> None:
        """A name that AMI cannot carry is refused before it is sent."""
        logged_in = self.ami.login("admin\r\nA: b", SECRET, authentication="plain")
        self.failureResultOf(logged_in, LocalProtocolError)

    def test_unsendable_secret(self) -> None:
        """A secret that AMI cannot carry is refused without being shown."""
        failure = self.failureResultOf(
            self.ami.login("admin", SECRET + "\n", authentication="plain"), LocalProtocolError
        )
        self.assertNotIn(SECRET, str(failure.value) + failure.getTraceback())

    def test_too_late(self) -> None:
        """Each answer of a login has its time."""
        logged_in = self.ami.login("admin", SECRET, timeout=3)
        self.clock.advance(2)
        self.pbx.answer(self.pbx.hear_one("Challenge"), ("Challenge", "1"))
        self.clock.advance(2)
        self.assertNoResult(logged_in)
        self.clock.advance(1)
        self.failureResultOf(logged_in, TimedOut)

    def test_cancel(self) -> None:
        """Cancelling stops waiting for either answer."""
        logged_in = self.ami.login("admin", SECRET)
        logged_in.cancel()
        self.failureResultOf(logged_in, CancelledError)


class FactoryTestCase(SynchronousTestCase):
    """Tests with a factory and a network in memory."""

    def setUp(self) -> None:
        """Make both."""
        self.network = Network()
        self.factory = AMIFactory("admin", SECRET, clock=self.network.reactor)

    def connect(self, timeout: float = 4.0) -> Deferred[AMIProtocol]:
        """Begin to connect."""
        return self.factory.connect(self.network.endpoint, timeout=timeout)

    def assert_nothing_left(self, pbx: PBX | None = None) -> None:
        """Neither a connection nor a delayed call is left."""
        self.network.pass_by()
        if pbx is not None:
            self.assertTrue(pbx.cut)
        self.assertEqual(self.network.pending(), [])


class ConnectTests(FactoryTestCase):
    """Connecting and logging in."""

    def test_connected(self) -> None:
        """Connecting fires with the connection, logged in."""
        connecting = self.connect()
        pbx = self.network.accept()
        self.assertNoResult(connecting)
        pbx.accept_login()
        ami = self.successResultOf(connecting)
        asked = ami.ping()
        pbx.answer(pbx.hear_one("Ping"))
        self.successResultOf(asked)
        ami.disconnect()
        self.assert_nothing_left(pbx)

    def test_credentials(self) -> None:
        """The way of the login and the events asked for are the factory's."""
        self.factory = AMIFactory(
            "admin",
            SECRET,
            authentication="plain",
            events="off",
            clock=self.network.reactor,
        )
        self.connect()
        login = self.network.accept().hear_one("Login")
        self.assertEqual(
            login.headers[2:], (("Username", "admin"), ("Events", "off"), ("Secret", SECRET))
        )

    def test_other_clocks(self) -> None:
        """The default time limit is the documented one."""
        connecting = self.factory.connect(self.network.endpoint)
        self.network.pass_by(LOGIN_TIMEOUT)
        self.failureResultOf(connecting, TimedOut)

    def test_repr(self) -> None:
        """A factory shows the user's name and no secret."""
        self.assertEqual(repr(self.factory), "<AMIFactory for admin>")


class ConnectFailureTests(FactoryTestCase):
    """Each way in which connecting can fail."""

    def test_refused_connection(self) -> None:
        """Nobody listens there: ``Disconnected``, with the reason."""
        connecting = self.connect()
        self.network.fail(ConnectError())
        error = self.failureResultOf(connecting, Disconnected).value
        self.assertIsInstance(error.reason, ConnectError)
        self.assertIn("no AMI connection", str(error))
        self.assert_nothing_left()

    def test_no_connection(self) -> None:
        """Nobody answers there: ``TimedOut``, and the attempt is given up."""
        connecting = self.connect()
        self.network.pass_by(4)
        error = self.failureResultOf(connecting, TimedOut).value
        self.assertEqual(str(error), "no connection within 4 seconds")
        self.assertTrue(self.network.given_up())
        self.assert_nothing_left()

    def test_silence(self) -> None:
        """No greeting comes: ``TimedOut``."""
        connecting = self.connect()
        pbx = self.network.accept(greeting=False)
        self.network.pass_by(4)
        error = self.failureResultOf(connecting, TimedOut).value
        self.assertEqual(str(error), "no AMI greeting within 4 seconds")
        self.assert_nothing_left(pbx)

    def test_no_ami(self) -> None:
        """Something else answers: ``RemoteProtocolError``, which shows how it began."""
        for opening in b"\x00\x01\x02garbage", b"HTTP/1.1 400 Bad Request\r\n\r\n":
            with self.subTest(opening=opening):
                connecting = self.connect()
                pbx = self.network.accept(greeting=False)
                pbx.say(opening)
                self.network.pass_by()
                error = self.failureResultOf(connecting, RemoteProtocolError).value
                self.assertIn(repr(opening[:8])[2:-1], str(error))
                self.assert_nothing_left(pbx)

    def test_closed_at_once(self) -> None:
        """Asterisk closes without a greeting, as for ``authlimit``: ``Disconnected``."""
        connecting = self.connect()
        pbx = self.network.accept(greeting=False)
        pbx.close()
        error = self.failureResultOf(connecting, Disconnected).value
        self.assertIn("closed without a greeting", str(error))
        self.assert_nothing_left(pbx)

    def test_wrong_secret(self) -> None:
        """Asterisk refuses the login: ``LoginRefused``."""
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.refuse_login()
        self.failureResultOf(connecting, LoginRefused)
        self.assert_nothing_left(pbx)

    def test_wrong_secret_and_no_end(self) -> None:
        """A refused connection is closed, should the server not do so itself."""
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.refuse(pbx.hear_one("Challenge"), "Authentication failed")
        self.failureResultOf(connecting, LoginRefused)
        self.assert_nothing_left(pbx)

    def test_shutting_down(self) -> None:
        """An error that says nothing about the credentials is no ``LoginRefused``."""
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.refuse(pbx.hear_one("Challenge"), "Asterisk is shutting down")
        self.failureResultOf(connecting, ActionFailed)
        self.assert_nothing_left(pbx)

    def test_not_in_time(self) -> None:
        """That Asterisk closes who does not log in in time is said so."""
        ami = AMIProtocol(clock=self.network.reactor)
        pbx = PBX(ami, self.network.reactor)
        gone = ami.when_disconnected()
        pbx.close()
        self.assertEqual(
            str(self.successResultOf(gone)),
            "closed before the login, as Asterisk does when nobody has logged in in time",
        )

    def test_closed_during_login(self) -> None:
        """The connection is lost during the login: ``Disconnected``."""
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "1"))
        pbx.close()
        self.failureResultOf(connecting, Disconnected)
        self.assert_nothing_left(pbx)

    def test_login_unanswered(self) -> None:
        """An answer of the login does not come: ``TimedOut``."""
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "1"))
        self.network.pass_by(4)
        self.failureResultOf(connecting, TimedOut)
        self.assert_nothing_left(pbx)

    def test_unsendable(self) -> None:
        """Credentials that AMI cannot carry: ``LocalProtocolError``."""
        self.factory = AMIFactory("ad\0min", SECRET, clock=self.network.reactor)
        connecting = self.connect()
        pbx = self.network.accept()
        pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "1"))
        self.failureResultOf(connecting, LocalProtocolError)
        self.assert_nothing_left(pbx)

    def test_cancelled(self) -> None:
        """Cancelling ends the attempt and the connection, at whatever point."""

        def connecting() -> None:
            pass

        def silent() -> PBX:
            return self.network.accept(greeting=False)

        def challenge() -> PBX:
            return self.network.accept()

        def login() -> PBX:
            pbx = self.network.accept()
            pbx.answer(pbx.hear_one("Challenge"), ("Challenge", "1"))
            return pbx

        points: list[Callable[[], PBX | None]] = [connecting, silent, challenge, login]
        for reach in points:
            with self.subTest(at=reach.__name__):
                waiting = self.connect()
                pbx = reach()
                waiting.cancel()
                self.failureResultOf(waiting, CancelledError)
                self.assertEqual(self.network.given_up(), pbx is None)
                self.assert_nothing_left(pbx)

    def test_in_a_coroutine(self) -> None:
        """The errors can be caught where the connection is awaited."""

        async def attempt() -> str:
            try:
                await self.connect()
            except AsteriskError as error:
                return type(error).__name__
            return ""

        coroutine: Coroutine[Deferred[Any], Any, str] = attempt()
        attempting = Deferred.fromCoroutine(coroutine)
        self.network.fail(ConnectError())
        self.assertEqual(self.successResultOf(attempting), "Disconnected")

    def test_the_log_is_silent(self) -> None:
        """What fails is told to the caller and not logged, least of all a secret."""
        with capturedLogs() as logged:
            connecting = self.connect()
            pbx = self.network.accept()
            pbx.refuse_login()
            failure: Failure = self.failureResultOf(connecting)
            self.network.pass_by()
        self.assertEqual(logged, [])
        self.assertNotIn(SECRET, failure.getTraceback(detail="verbose"))
