"""AMI over HTTP, with a web server in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import ParseError
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from tests.ami.web_pbx import URL, Asked, WebPBX
from txasterisk._streams import EventStream
from txasterisk.ami import AMIHTTP, AMIHTTPFactory, Event
from txasterisk.ami.http import BREATH, IN_DOUBT_AFTER, MAX_FORM, POLL
from txasterisk.ami.http_sessions import MAX_BODY, MAX_STALE
from txasterisk.ami.keepalive import PINGS, Pings
from txasterisk.ami.link import event_subscriptions
from txasterisk.ami.login import LOGIN_TIMEOUT
from txasterisk.errors import (
    ActionFailed,
    Disconnected,
    LocalProtocolError,
    LoginRefused,
    RemoteProtocolError,
    TimedOut,
)

SECRET = "hush-hush"
NEXT_TURN = 0.0


def give_up(connecting: Deferred[Any]) -> None:
    """End an attempt."""
    connecting.addErrback(lambda failure: failure.trap(CancelledError))
    connecting.cancel()


async def read_all(stream: EventStream[Event]) -> list[str]:
    """Return the names of what a stream holds."""
    return [event.name async for event in stream]


class WebTestCase(SynchronousTestCase):
    """Tests with a web server and a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.pbx = WebPBX()

    def factory(self, authentication: Any = "plain", **options: Any) -> AMIHTTPFactory:
        return AMIHTTPFactory(
            "full",
            SECRET,
            authentication=authentication,
            agent=self.pbx,
            clock=self.clock,
            **options,
        )

    def log_in(self, events: str = "on") -> AMIHTTP:
        """Log in with the plain secret."""
        connecting = self.factory(events=events).connect(URL)
        self.pbx.accept_login(events.title())
        return self.successResultOf(connecting)

    def fetch(self, seconds: float = NEXT_TURN) -> Asked:
        """Let the pause before a WaitEvent pass, and return that."""
        self.clock.advance(seconds)
        if self.pbx.asked[0]["Action"] == "Challenge":
            self.pbx.hear("Challenge").answer("Challenge: 100071077")
        return self.pbx.hear("WaitEvent")


class URLTests(WebTestCase):
    """Where the web server is."""

    def test_pages(self) -> None:
        """The page stands below the root or the prefix, whether that ends in a slash or not."""
        for url, uri in (
            ("http://pbx.test:8088", "http://pbx.test:8088/rawman"),
            ("http://pbx.test:8088/", "http://pbx.test:8088/rawman"),
            ("https://pbx.test/asterisk", "https://pbx.test/asterisk/rawman"),
            ("http://[::1]:8088/a/b/", "http://[::1]:8088/a/b/rawman"),
        ):
            connecting = self.factory().connect(url)
            self.assertEqual(self.pbx.hear("Login").uri, uri)
            give_up(connecting)

    def test_refused(self) -> None:
        """What is no URL of a web server is refused in so many words, and nothing is sent."""
        for url in (
            *("pbx.test:8088", "//pbx.test", "ftp://pbx.test", "http://", "", "http:///rawman"),
            *("http://pbx.test?action=ping", "http://pbx.test#x", "http://pbx.test/a b"),
            *("http://pbx\r\n.test", "http://full:x@pbx.test", "http://pbx.test:port"),
            *("http://pbx.test:99999", "http://pbx.test:0"),
        ):
            error = self.assertRaises(ValueError, self.factory().connect, url)
            self.assertNotIn("full:x", str(error))
        self.assertEqual(self.pbx.asked, [])


class LoginTests(WebTestCase):
    """Who one is."""

    def test_plain(self) -> None:
        """The secret is sent, and then the cookie; what the events are is said in any case."""
        connecting = self.factory().connect(URL)
        login = self.pbx.hear("Login")
        self.assertEqual((login.method, login.uri), ("POST", "http://pbx.test:8088/rawman"))
        self.assertEqual(login.header("Content-Type"), "application/x-www-form-urlencoded")
        self.assertIsNone(login.header("Cookie"))
        self.assertEqual(
            login.form,
            b"Action=Login&ActionID=%s&Username=full&Secret=hush-hush" % login["ActionID"].encode(),
        )
        login.answer("Message: Authentication accepted")
        events = self.pbx.hear("Events")
        self.assertEqual(events.header("Cookie"), 'mansession_id="18c07d62"')
        self.assertEqual(events["EventMask"], "on")
        events.answer("Events: On")
        self.assertNoResult(connecting)
        self.pbx.hear("CoreSettings").answer("AMIversion: 11.0.0")
        ami = self.successResultOf(connecting)
        self.assertEqual(ami.version, "11.0.0")

    def test_md5(self) -> None:
        """The secret is not sent, but the proof that one knows it."""
        connecting = self.factory("MD5").connect(URL)
        self.pbx.hear("Challenge").answer("Challenge: 100071077")
        login = self.pbx.hear("Login")
        self.assertEqual(login["Key"], "60da9f9f89eaab8ef25de7d4e78c4eec")
        login.answer("Message: Authentication accepted")
        self.pbx.finish_login()
        self.successResultOf(connecting)

    def test_digest(self) -> None:
        """What is asked first is asked again with the proof that the server wants."""
        connecting = self.factory("digest").connect(URL)
        asked = self.pbx.hear("Events")
        self.assertEqual(asked.uri, "http://pbx.test:8088/arawman")
        self.assertIsNone(asked.header("Authorization"))
        asked.challenge("4090e772")
        again = self.pbx.hear("Events")
        self.assertEqual(again.form, asked.form)
        proof = again.header("Authorization")
        assert proof is not None
        for part in ('username="full"', 'nonce="4090e772"', 'uri="/arawman"', "nc=00000001"):
            self.assertIn(part, proof)
        self.pbx.asked.append(again)
        self.pbx.finish_login()
        self.assertEqual(self.successResultOf(connecting).version, "11.0.0")

    def test_prefix_in_the_proof(self) -> None:
        """The proof is one for the whole path."""
        connecting = self.factory("digest").connect("http://pbx.test/asterisk/")
        self.pbx.hear("Events").challenge("4090e772")
        self.assertIn(
            'uri="/asterisk/arawman"', self.pbx.hear("Events").header("Authorization") or ""
        )
        give_up(connecting)

    def test_refused(self) -> None:
        """A refusal is told as one, whichever way it comes."""
        for authentication, refuse in (
            ("plain", lambda asked: asked.refuse("Authentication failed")),
            ("MD5", lambda asked: asked.refuse("Authentication failed")),
            ("digest", lambda asked: asked.challenge("41380ff7")),
            ("digest", lambda asked: asked.send(403, b"", "text/html")),
            ("plain", lambda asked: asked.send(403, b"", "text/html")),
        ):
            connecting = self.factory(authentication).connect(URL)
            if authentication == "MD5":
                self.pbx.hear("Challenge").answer("Challenge: 1")
            if authentication == "digest":
                self.pbx.hear("Events").challenge("4090e772")
            refuse(self.pbx.asked.pop())
            error = self.failureResultOf(connecting, LoginRefused).value
            self.assertNotIn(SECRET, str(error))
            self.assertEqual(self.pbx.asked, [])

    def test_nobody_can_log_in_now(self) -> None:
        """Any other error says nothing of the credentials."""
        connecting = self.factory().connect(URL)
        self.pbx.hear("Login").refuse("Asterisk is shutting down")
        self.failureResultOf(connecting, ActionFailed)

    def test_no_ami(self) -> None:
        """What is no AMI is not taken for one."""
        for status, body, content_type, words in (
            (404, b"<html>", "text/html", "404 text/html, as when webenabled of manager.conf"),
            (200, b"<html>", "text/html; charset=utf-8", "answered 200 text/html"),
            (302, b"", "text/plain", "answered 302 text/plain"),
            (401, b"", "text/html", "answered 401 text/html"),
            (500, b"", "", "answered 500"),
            (200, b"Response: Success\r\n\r\n", "text/plain", "names no session"),
            (200, b"x" * (MAX_BODY + 1), "text/plain", "more than"),
        ):
            connecting = self.factory().connect(URL)
            self.pbx.hear("Login").send(status, body, content_type)
            error = self.failureResultOf(connecting, RemoteProtocolError).value
            self.assertIn(words, str(error))

    def test_another_proof(self) -> None:
        """A server that wants another proof than a digest is none of Asterisk's."""
        connecting = self.factory("digest").connect(URL)
        asked = self.pbx.hear("Events")
        asked.send(401, b"", "text/html", WWW_Authenticate='Basic realm="x"')
        self.failureResultOf(connecting, RemoteProtocolError)

    def test_no_http(self) -> None:
        """A port that does not speak HTTP is told."""
        for authentication in ("plain", "digest"):
            connecting = self.factory(authentication).connect(URL)
            garbage = ParseError("wrong number of parts", b"Asterisk Call Manager/11.0.0")
            self.pbx.asked.pop().fail(ResponseFailed([Failure(garbage)]))
            self.failureResultOf(connecting, RemoteProtocolError)

    def test_unreachable(self) -> None:
        """A server that cannot be reached is told, with the reason."""
        for authentication in ("plain", "digest"):
            connecting = self.factory(authentication).connect(URL)
            reason = ConnectError()
            self.pbx.asked.pop().fail(reason)
            error = self.failureResultOf(connecting, Disconnected).value
            self.assertIs(error.reason, reason)
            self.assertTrue(str(error).startswith("no AMI session: "), error)

    def test_silence(self) -> None:
        """A server that does not answer is given up, in each step."""
        for authentication in ("plain", "digest"):
            connecting = self.factory(authentication).connect(URL)
            asked = self.pbx.asked.pop()
            self.clock.advance(LOGIN_TIMEOUT)
            self.failureResultOf(connecting, TimedOut)
            self.assertTrue(asked.given_up)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """An attempt that is cancelled is over."""
        connecting = self.factory().connect(URL)
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertTrue(self.pbx.hear("Login").given_up)

    def test_version_not_told(self) -> None:
        """Who may not ask for the version does without."""
        connecting = self.factory().connect(URL)
        self.pbx.hear("Login").answer()
        self.pbx.hear("Events").answer("Events: On")
        self.pbx.hear("CoreSettings").refuse("Permission denied")
        self.assertEqual(self.successResultOf(connecting).version, "")

    def test_events(self) -> None:
        """The classes of events are those that were wanted."""
        connecting = self.factory(events="call,user").connect(URL)
        login = self.pbx.hear("Login")
        self.assertEqual(login["Events"], "call,user")
        login.answer()
        self.assertEqual(self.pbx.hear("Events")["EventMask"], "call,user")
        give_up(connecting)

    def test_unsendable_name(self) -> None:
        """A name that a digest cannot carry is refused, and nothing is sent."""
        connecting = AMIHTTPFactory('"', SECRET, agent=self.pbx, clock=self.clock).connect(URL)
        self.failureResultOf(connecting, LocalProtocolError)
        self.assertEqual(self.pbx.asked, [])

    def test_the_secret_is_not_shown(self) -> None:
        """It stands in no text about the factory or the session."""
        self.assertEqual(repr(self.factory()), "<AMIHTTPFactory for full>")
        ami = self.log_in()
        self.assertEqual(repr(ami), "<AMIHTTP, logged in>")
        ami.disconnect()
        self.assertEqual(repr(ami), "<AMIHTTP, disconnected>")


class ActionTests(WebTestCase):
    """Asking, and being answered."""

    def setUp(self) -> None:
        super().setUp()
        self.ami = self.log_in()

    def test_form(self) -> None:
        """The action is a form that begins with it; what means something there is encoded."""
        self.ami.action(
            "UserEvent", {"UserEvent": "a&b=c+d%", "X": ["ü", "\udcff"], "Variable": {"A": "1,2"}}
        )
        asked = self.pbx.hear("UserEvent")
        self.assertEqual(
            asked.form,
            b"Action=UserEvent&ActionID=%s&UserEvent=a%%26b%%3Dc%%2Bd%%25&X=%%C3%%BC&X=%%FF"
            b"&Variable=A%%3D1%%5C%%2C2" % asked["ActionID"].encode(),
        )

    def test_answer(self) -> None:
        """An action fires with its response."""
        asked = self.ami.ping()
        self.pbx.hear("Ping").answer("Ping: Pong")
        self.assertEqual(self.successResultOf(asked)["Ping"], "Pong")

    def test_one_after_the_other(self) -> None:
        """Actions are done in the order in which they were asked for."""
        one, two = self.ami.action("One"), self.ami.action("Two")
        first = self.pbx.hear("One")
        self.assertEqual(self.pbx.asked, [])
        first.refuse("No such channel")
        self.failureResultOf(one, ActionFailed)
        self.pbx.hear("Two").answer()
        self.successResultOf(two)

    def test_action_ids_differ(self) -> None:
        """No two actions have the same ActionID."""
        ids = set()
        for _ in range(3):
            self.ami.ping()
            asked = self.pbx.hear("Ping")
            ids.add(asked["ActionID"])
            asked.answer()
        self.assertEqual(len(ids), 3)

    def test_list(self) -> None:
        """A list is one answer."""
        asked = self.ami.queue_status()
        action = self.pbx.hear("QueueStatus")
        end = f"ActionID: {action['ActionID']}"
        action.say(
            f"Response: Success; {end}; EventList: start",
            f"Event: QueueParams; {end}",
            f"Event: QueueStatusComplete; {end}; EventList: Complete",
        )
        names = [event.name for event in self.successResultOf(asked).events]
        self.assertEqual(names, ["QueueParams", "QueueStatusComplete"])

    def test_list_as_a_stream(self) -> None:
        """The items of a list can be read one after the other, without its completion."""
        stream = self.ami.list("QueueStatus")
        action = self.pbx.hear("QueueStatus")
        end = f"ActionID: {action['ActionID']}"
        action.say(
            f"Response: Success; {end}; EventList: start",
            f"Event: QueueParams; {end}",
            f"Event: QueueMember; {end}",
            f"Event: QueueStatusComplete; {end}; EventList: Complete",
        )
        self.assertEqual(self.read(stream), ["QueueParams", "QueueMember"])

    def test_refused_list(self) -> None:
        """A list that is refused fails where it is read."""
        stream = self.ami.list("QueueStatus")
        self.pbx.hear("QueueStatus").refuse("Permission denied")
        self.failureResultOf(Deferred.fromCoroutine(read_all(stream)), ActionFailed)

    def read(self, stream: EventStream[Event]) -> list[str]:
        """Return the names of what a stream holds."""
        return self.successResultOf(Deferred.fromCoroutine(read_all(stream)))

    def test_no_response(self) -> None:
        """What is answered by bare rows, or by nothing, is over with its body."""
        for said, output in ((b"a  b\r\n1  2\r\n\r\n", ["a  b", "1  2"]), (b"\r\n", [])):
            asked = self.ami.action("IAXnetstats")
            cookie = 'mansession_id="18c07d62"; Version=1; Max-Age=60'
            action = self.pbx.hear("IAXnetstats")
            self.assertEqual(len(action.parameters), 2)
            action.send(200, said, "text/plain", Set_Cookie=cookie)
            self.assertEqual(self.successResultOf(asked).output, output)

    def test_incomplete(self) -> None:
        """A list without its end, an answer to another and none at all fail only their action."""
        for messages in (
            ["Response: Success; ActionID: {}; EventList: start", "Event: A; ActionID: {}"],
            ["Response: Success; ActionID: other"],
            ["Event: FullyBooted"],
            [],
        ):
            asked = self.ami.queue_status()
            action = self.pbx.hear("QueueStatus")
            action.say(*(message.format(action["ActionID"]) for message in messages))
            error = self.failureResultOf(asked, RemoteProtocolError).value
            self.assertEqual(str(error), "QueueStatus: no complete answer")
        asked = self.ami.ping()
        self.pbx.hear("Ping").answer("Ping: Pong")
        self.successResultOf(asked)

    def test_refused_for_lack_of_rights(self) -> None:
        """What one may not do is refused, and the session stays."""
        asked = self.ami.action("Originate")
        self.pbx.hear("Originate").refuse("Permission denied")
        error = self.failureResultOf(asked, ActionFailed).value
        self.assertEqual(str(error), "Originate: Permission denied")
        self.assertNoResult(self.ami.when_disconnected())

    def test_unsendable(self) -> None:
        """What cannot be carried fails at once, and nothing is sent."""
        for name, headers, words in (
            ("Setvar", {"Value": "a\r\nAction: Originate"}, "holds a CR"),
            ("Setvar", {"Value": "x" * 1020}, "at most 1022"),
            ("Originate", {"Variable": {f"V{n}": "1" for n in range(127)}}, "at most 128"),
            ("waitevent", {}, "WaitEvent"),
        ):
            error = self.failureResultOf(self.ami.action(name, headers), LocalProtocolError).value
            self.assertIn(words, str(error))
        self.assertEqual(self.pbx.asked, [])

    def test_largest_form(self) -> None:
        """A form of the size that Asterisk takes is sent, and a larger one is not."""
        self.ami.action("UserEvent", {"UserEvent": "X", "A": ["x" * 1000] * 40})
        asked = self.pbx.hear("UserEvent")
        size = len(asked.form)
        asked.answer()
        room = MAX_FORM - size - len("&B=")
        self.ami.action("UserEvent", {"UserEvent": "X", "A": ["x" * 1000] * 40, "B": "x" * room})
        asked = self.pbx.hear("UserEvent")
        self.assertEqual(len(asked.form), MAX_FORM)
        asked.answer()
        too_large = {"UserEvent": "X", "A": ["x" * 1000] * 40, "B": "x" * (room + 1)}
        error = self.failureResultOf(
            self.ami.action("UserEvent", too_large), LocalProtocolError
        ).value
        self.assertEqual(
            str(error), "UserEvent: 40961 bytes as a form, but Asterisk takes at most 40960"
        )

    def test_timeout(self) -> None:
        """An action is given up after its time, but the next one waits for its answer."""
        late, other = self.ami.action("Late", timeout=5.0), self.ami.ping()
        action = self.pbx.hear("Late")
        self.fetch()
        self.clock.advance(4.5)
        self.assertNoResult(late)
        self.clock.advance(0.5)
        error = self.failureResultOf(late, TimedOut).value
        self.assertEqual(str(error), "no answer to Late in time")
        self.assertFalse(action.given_up)
        action.answer()
        self.pbx.hear("Ping").answer()
        self.successResultOf(other)

    def test_timeout_before_its_turn(self) -> None:
        """An action whose time is up before its turn is not sent."""
        self.ami.action("First")
        late, last = self.ami.action("Late", timeout=5.0), self.ami.ping()
        first = self.pbx.hear("First")
        self.fetch()
        self.clock.advance(5.0)
        self.failureResultOf(late, TimedOut)
        first.answer()
        self.pbx.hear("Ping").answer()
        self.successResultOf(last)

    def test_cancel(self) -> None:
        """Cancelling drops the answer."""
        asked = self.ami.action("Originate", timeout=5.0)
        action = self.pbx.hear("Originate")
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        action.answer()
        self.clock.advance(5.0)
        self.assertNoResult(self.ami.when_disconnected())

    def test_cancel_before_its_turn(self) -> None:
        """What is cancelled before its turn is not sent."""
        self.ami.action("First")
        asked = self.ami.action("Second")
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.pbx.hear("First").answer()
        self.assertEqual(self.pbx.asked, [])


class EventTests(WebTestCase):
    """Events, and how they are fetched."""

    def setUp(self) -> None:
        super().setUp()
        self.ami = self.log_in()
        self.heard: list[str] = []
        self.ami.on("*", lambda event: self.heard.append(event.name))

    def test_fetched(self) -> None:
        """They are waited for, by one WaitEvent after the other."""
        waiting = self.fetch()
        self.assertEqual(waiting["Timeout"], "30")
        waiting.tell("Newchannel; Uniqueid: 1", "Hangup; Uniqueid: 1")
        self.assertEqual(self.heard, ["Newchannel", "Hangup"])
        self.assertEqual(self.pbx.asked, [])
        self.fetch(BREATH).tell("Newchannel; Uniqueid: 2")
        self.assertEqual(self.heard, ["Newchannel", "Hangup", "Newchannel"])

    def test_not_before_the_login_is_done(self) -> None:
        """Whoever listens at once hears all."""
        self.assertEqual(self.pbx.asked, [])

    def test_next(self) -> None:
        """The next event can be waited for."""
        told = self.ami.next("Hangup", Uniqueid="2")
        self.fetch().tell("Hangup; Uniqueid: 1", "Hangup; Uniqueid: 2")
        self.assertEqual(self.successResultOf(told)["Uniqueid"], "2")

    def test_beside_an_action(self) -> None:
        """They come while an action takes its time."""
        asked = self.ami.action("Originate")
        self.pbx.hear("Originate")
        self.fetch().tell("Newchannel")
        self.assertEqual(self.heard, ["Newchannel"])
        self.assertNoResult(asked)

    def test_nothing_happens(self) -> None:
        """A WaitEvent that has waited in vain is followed by the next one."""
        waiting = self.fetch()
        self.clock.advance(PINGS.every)
        waiting.tell()
        self.fetch(BREATH)

    def test_answered_at_once(self) -> None:
        """A server that does not wait is not asked all the time."""
        self.fetch().tell()
        self.clock.advance(POLL / 2)
        self.assertEqual(self.pbx.asked, [])
        self.fetch(POLL / 2)

    def test_superseded(self) -> None:
        """An empty answer says that there was another WaitEvent; it goes on."""
        self.fetch().say()
        self.assertNoResult(self.ami.when_disconnected())
        self.fetch(POLL)

    def test_failing_listener(self) -> None:
        """A listener that raises is logged, and harms nobody."""
        self.ami.on("Newchannel", lambda event: event["NoSuchHeader"])
        self.fetch().tell("Newchannel", "Hangup")
        self.assertEqual(self.heard, ["Newchannel", "Hangup"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_lend(self) -> None:
        """Listeners that are lent take the place of its own, also for what is on its way."""
        waiting = self.fetch()
        lent = event_subscriptions(self.clock)
        heard: list[Event] = []
        lent.on("Hangup", heard.append)
        told = lent.next("NeverSeen")
        self.ami.lend(lent)
        waiting.tell("Newchannel", "Hangup")
        self.assertEqual([event.name for event in heard], ["Hangup"])
        self.assertEqual(self.heard, [])
        self.ami.disconnect()
        self.assertNoResult(told)

    def test_stream(self) -> None:
        """All that comes in one answer is kept for a stream, whatever its limit."""
        stream = self.ami.stream("Hangup", limit=2)
        self.fetch().tell(*["Hangup"] * 5)
        self.ami.disconnect()
        names: list[str] = []

        async def read() -> None:
            async for event in stream:
                names.append(event.name)

        self.failureResultOf(Deferred.fromCoroutine(read()), Disconnected)
        self.assertEqual(names, ["Hangup"] * 5)

    def test_stream_after_the_end(self) -> None:
        """A stream that is begun too late fails at once."""
        self.ami.disconnect()
        reading = Deferred.fromCoroutine(read_all(self.ami.stream("Hangup")))
        self.failureResultOf(reading, Disconnected)

    def test_pings(self) -> None:
        """How long is waited, and how long for a dead link, can be chosen."""
        self.ami.disconnect()
        connecting = self.factory(pings=Pings(every=5, within=2)).connect(URL)
        self.pbx.accept_login()
        ami = self.successResultOf(connecting)
        self.assertEqual(self.fetch()["Timeout"], "5")
        self.clock.advance(7)
        self.successResultOf(ami.when_disconnected())

    def test_dead_link(self) -> None:
        """A WaitEvent that is not answered some time after its time is taken for a dead link."""
        waiting = self.fetch()
        told = self.ami.next("NeverSeen")
        self.clock.advance(PINGS.every + PINGS.within - 1)
        self.assertNoResult(told)
        self.clock.advance(1)
        error = self.failureResultOf(told, Disconnected).value
        self.assertIsInstance(error.reason, TimedOut)
        self.assertIn("no answer to WaitEvent within 40 seconds", str(error))
        self.assertTrue(waiting.given_up)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused_wait(self) -> None:
        """A WaitEvent that is refused, as when Asterisk is stopping, ends the session."""
        self.fetch().refuse("Asterisk is shutting down")
        error = self.successResultOf(self.ami.when_disconnected())
        self.assertIsInstance(error.reason, ActionFailed)

    def test_off_and_on(self) -> None:
        """Events that are turned off are not waited for, and not delivered; on, they are."""
        waiting = self.fetch()
        self.ami.action("Events", {"EventMask": "off"})
        self.pbx.hear("Events").answer("Events: Off")
        waiting.tell("Newchannel")
        self.assertEqual(self.heard, [])
        self.clock.advance(PINGS.every - 1)
        self.assertEqual(self.pbx.asked, [])
        self.ami.action("Events", {"EventMask": "on"})
        self.pbx.hear("Events").answer("Events: On")
        self.clock.advance(0)
        # It may have expired meanwhile.
        self.pbx.hear("Challenge").answer("Challenge: 100071077")
        self.pbx.hear("WaitEvent").tell("Hangup")
        self.assertEqual(self.heard, ["Hangup"])

    def test_refused_mask(self) -> None:
        """A mask that is refused changes nothing."""
        self.ami.action("Events").addErrback(lambda _: None)
        self.pbx.hear("Events").refuse("Invalid event mask")
        self.fetch()

    def test_after_a_long_wait(self) -> None:
        """After a long wait it is asked whether the session is still the same."""
        waiting = self.fetch()
        self.clock.advance(IN_DOUBT_AFTER)
        waiting.tell()
        self.clock.advance(BREATH)
        self.pbx.hear("Challenge").answer("Challenge: 100071077")
        self.pbx.hear("WaitEvent").tell("Newchannel")
        self.assertEqual(self.heard, ["Newchannel"])

    def test_replaced(self) -> None:
        """Another challenge than before means another session: what happened meanwhile is lost."""
        waiting = self.fetch()
        told = self.ami.next("NeverSeen")
        self.clock.advance(IN_DOUBT_AFTER)
        waiting.tell()
        self.clock.advance(BREATH)
        self.pbx.hear("Challenge").answer("Challenge: 712821811")
        error = self.failureResultOf(told, Disconnected).value
        self.assertIn("the session has expired", str(error))
        self.assertEqual(self.pbx.asked, [])


class SilentTests(WebTestCase):
    """A session without events is kept alive."""

    def test_kept_alive(self) -> None:
        """It is asked for its challenge when nothing else is asked."""
        ami = self.log_in("off")
        for _ in range(3):
            self.clock.advance(PINGS.every - 1)
            self.assertEqual(self.pbx.asked, [])
            self.clock.advance(1)
            self.pbx.hear("Challenge").answer("Challenge: 100071077")
        self.assertNoResult(ami.when_disconnected())

    def test_replaced(self) -> None:
        """There is nothing to lose when Asterisk has begun another session meanwhile."""
        ami = self.log_in("off")
        self.clock.advance(PINGS.every)
        self.pbx.hear("Challenge").answer("Challenge: 712821811")
        ami.action("Events", {"EventMask": "on"})
        self.pbx.hear("Events").answer("Events: On")
        self.clock.advance(0)
        self.pbx.hear("Challenge").answer("Challenge: 379475030")
        self.pbx.hear("WaitEvent").tell()
        self.assertNoResult(ami.when_disconnected())

    def test_short_lived(self) -> None:
        """A session that lasts for a shorter time is asked more often."""
        connecting = self.factory(events="off").connect(URL)
        self.pbx.hear("Login").answer()
        self.pbx.hear("Events").answer("Events: Off")
        settings = self.pbx.hear("CoreSettings")
        settings.refuse("Permission denied", lasts=8)
        self.successResultOf(connecting)
        self.clock.advance(3)
        self.assertEqual(self.pbx.asked, [])
        self.clock.advance(1)
        self.pbx.hear("Challenge")

    def test_dead_link(self) -> None:
        """A server that does not answer is gone."""
        ami = self.log_in("off")
        self.clock.advance(PINGS.every)
        self.pbx.hear("Challenge")
        self.clock.advance(PINGS.within)
        error = self.successResultOf(ami.when_disconnected())
        self.assertIsInstance(error.reason, TimedOut)


class CookieTests(WebTestCase):
    """A session that is named by a cookie."""

    def test_expired(self) -> None:
        """Another cookie means another session: the action was refused, and is not sent again."""
        ami = self.log_in()
        asked, other, told = ami.action("Originate"), ami.ping(), ami.next("Hangup")
        self.pbx.hear("Originate").refuse("Permission denied", cookie="3a9f76e1")
        for waiting in (asked, other, told):
            error = self.failureResultOf(waiting, Disconnected).value
            self.assertIn("the session has expired", str(error))
        self.assertEqual(self.pbx.asked, [])
        self.clock.advance(100)
        self.assertEqual(self.pbx.asked, [])

    def test_among_other_cookies(self) -> None:
        """Something in between may set cookies of its own."""
        ami = self.log_in()
        asked = ami.ping()
        action = self.pbx.hear("Ping")
        action.send(
            200,
            f"Response: Success\r\nActionID: {action['ActionID']}\r\n\r\n".encode(),
            "text/plain",
            Set_Cookie="stick=1; Max-Age=9",
            SET_COOKIE='mansession_id="18c07d62"; Version=1; Max-Age=60',
        )
        self.successResultOf(asked)
        self.assertNoResult(ami.when_disconnected())

    def test_expired_while_waiting(self) -> None:
        """The same is true of the wait for events."""
        ami = self.log_in()
        self.fetch().refuse("Permission denied", cookie="3a9f76e1")
        self.successResultOf(ami.when_disconnected())


class NonceTests(WebTestCase):
    """A session that is named by a nonce."""

    def setUp(self) -> None:
        super().setUp()
        connecting = self.factory("digest").connect(URL)
        self.pbx.hear("Events").challenge("4090e772")
        self.pbx.finish_login()
        self.ami = self.successResultOf(connecting)

    def test_stale(self) -> None:
        """What was refused as stale was not done: it is sent again with the new nonce."""
        asked = self.ami.ping()
        first = self.pbx.hear("Ping")
        first.challenge("316b128a", ", stale=true")
        again = self.pbx.hear("Ping")
        self.assertEqual(again.form, first.form)
        proof = again.header("Authorization") or ""
        self.assertIn('nonce="316b128a"', proof)
        self.assertIn("nc=00000001", proof)
        again.answer()
        self.successResultOf(asked)

    def test_overtaken(self) -> None:
        """Two that were stale are told the same nonce, and count on."""
        self.ami.ping()
        ping, waiting = self.pbx.hear("Ping"), self.fetch()
        ping.challenge("316b128a", ", stale=true")
        waiting.challenge("316b128a", ", stale=true")
        proofs = [asked.header("Authorization") or "" for asked in self.pbx.asked]
        for proof, count in zip(proofs, ("nc=00000001", "nc=00000002"), strict=True):
            self.assertIn('nonce="316b128a"', proof)
            self.assertIn(count, proof)

    def test_always_stale(self) -> None:
        """A server that calls everything stale is not asked for ever."""
        asked = self.ami.ping()
        for number in range(MAX_STALE):
            self.pbx.hear("Ping").challenge(f"0000000{number}", ", stale=true")
        error = self.failureResultOf(asked, Disconnected).value
        self.assertIsInstance(error.reason, RemoteProtocolError)
        self.assertEqual(self.pbx.asked, [])

    def test_refused_later(self) -> None:
        """A secret that has been changed on the server ends the session."""
        asked = self.ami.ping()
        self.pbx.hear("Ping").challenge("316b128a")
        error = self.failureResultOf(asked, Disconnected).value
        self.assertIsInstance(error.reason, LoginRefused)


class SilentNonceTests(WebTestCase):
    """A session without events that is named by a nonce."""

    def test_kept_alive(self) -> None:
        """The server does not say how long it lasts, and one that is replaced does no harm."""
        connecting = self.factory("digest", events="off").connect(URL)
        self.pbx.hear("Events").challenge("4090e772")
        self.pbx.finish_login(events="Off")
        ami = self.successResultOf(connecting)
        self.clock.advance(PINGS.every - 1)
        self.assertEqual(self.pbx.asked, [])
        self.clock.advance(1)
        self.pbx.hear("Challenge").answer("Challenge: 1")
        self.clock.advance(PINGS.every)
        self.pbx.hear("Challenge").answer("Challenge: 2")
        self.assertNoResult(ami.when_disconnected())


class EndTests(WebTestCase):
    """The end of a session."""

    def setUp(self) -> None:
        super().setUp()
        self.ami = self.log_in()

    def pending(self) -> list[Deferred[Any]]:
        """Have things wait for the server."""
        return [self.ami.action("Originate"), self.ami.ping(timeout=9), self.ami.next("Hangup")]

    def test_lost(self) -> None:
        """When the connection is lost, everything fails once and with the reason."""
        for lose_action in (True, False):
            with self.subTest(lose_action=lose_action):
                self.setUp()
                pending, gone = self.pending(), self.ami.when_disconnected()
                action, waiting = self.pbx.hear("Originate"), self.fetch()
                lost, other = (action, waiting) if lose_action else (waiting, action)
                reason = ConnectionDone()
                lost.fail(ResponseNeverReceived([Failure(reason)]))
                for each in pending:
                    error = self.failureResultOf(each, Disconnected).value
                    self.assertIs(error.reason, reason)
                self.assertIs(self.successResultOf(gone).reason, reason)
                self.assertTrue(other.given_up)
                self.assertEqual((self.pbx.asked, self.clock.getDelayedCalls()), ([], []))

    def test_later(self) -> None:
        """What is asked for after the end fails at once."""
        self.ami.disconnect()
        self.failureResultOf(self.ami.ping(), Disconnected)
        self.failureResultOf(self.ami.next("Hangup"), Disconnected)
        self.failureResultOf(self.ami.logoff(), Disconnected)
        self.successResultOf(self.ami.when_disconnected())
        self.assertEqual(self.pbx.asked, [])

    def test_disconnect(self) -> None:
        """It can be ended here, also twice."""
        pending = self.pending()
        action, waiting = self.pbx.hear("Originate"), self.fetch()
        self.ami.disconnect()
        self.ami.disconnect()
        for each in pending:
            self.failureResultOf(each, Disconnected)
        self.assertTrue(action.given_up and waiting.given_up)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_disconnect_in_a_listener(self) -> None:
        """Nothing more is delivered, and nothing more is waited for."""
        heard: list[Event] = []
        self.ami.on("*", heard.append)
        self.ami.on("Newchannel", lambda _: self.ami.disconnect())
        self.fetch().tell("Newchannel", "Hangup")
        self.assertEqual([event.name for event in heard], ["Newchannel"])
        self.clock.advance(100)
        self.assertEqual(self.pbx.asked, [])

    def test_disconnect_on_an_answer(self) -> None:
        """The same is true on an answer, and what waits behind it fails."""
        asked = self.ami.ping()
        asked.addCallback(lambda _: self.ami.disconnect())
        behind = self.ami.ping()
        self.pbx.hear("Ping").answer()
        self.successResultOf(asked)
        self.failureResultOf(behind, Disconnected)
        self.assertEqual(self.pbx.asked, [])

    def test_cancel_another(self) -> None:
        """One that is told of the end may cancel another."""
        one, two = self.ami.ping(), self.ami.ping()
        one.addErrback(lambda _: two.cancel())
        self.ami.disconnect()
        self.successResultOf(one)
        self.failureResultOf(two, CancelledError)

    def test_logoff(self) -> None:
        """A goodbye ends it."""
        self.fetch()
        leaving, behind = self.ami.logoff(), self.ami.ping()
        action = self.pbx.hear("Logoff")
        action.say(f"Response: Goodbye; ActionID: {action['ActionID']}")
        self.successResultOf(leaving)
        self.failureResultOf(behind, Disconnected)
        self.assertIsInstance(
            self.successResultOf(self.ami.when_disconnected()).reason, ConnectionDone
        )

    def test_errors_are_not_shared(self) -> None:
        """Each who is told has an error of its own."""
        pending = self.pending()
        self.ami.disconnect()
        errors = {id(self.failureResultOf(each, Disconnected).value) for each in pending}
        self.assertEqual(len(errors), 3)

    def test_no_ami_any_more(self) -> None:
        """A page of another kind in the middle ends it."""
        asked = self.ami.ping()
        self.pbx.hear("Ping").send(502, b"<html>", "text/html")
        error = self.failureResultOf(asked, Disconnected).value
        self.assertIsInstance(error.reason, RemoteProtocolError)

    def test_the_log_is_silent(self) -> None:
        """Nothing of all this is logged."""
        with capturedLogs() as events:
            self.test_lost()
        self.assertEqual(events, [])
