"""Tests of the ARI client."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import ParseError
from twisted.web.client import ResponseFailed, ResponseNeverReceived
from txaio.tx import set_global_log_level

from tests.ari.asterisk import Answer, FakeServer, Fixture, channel, client_of
from txasterisk._http import KEPT_IDLE
from txasterisk.ari import ARIClient
from txasterisk.ari.client import MAX_CONNECTIONS
from txasterisk.ari.messages import MAX_ANSWER
from txasterisk.ari.models import Event
from txasterisk.errors import (
    Disconnected,
    LocalProtocolError,
    LoginRefused,
    NotFound,
    RemoteProtocolError,
    RequestFailed,
    TimedOut,
)


class RequestTests(Fixture):
    """A request is sent once, and ends in a result or in one error."""

    def test_result(self) -> None:
        """The answer is decoded into its model."""
        self.server.answers["GET /channels/c%2F1"] = Answer(200, channel("c/1", "Up"))
        self.assertEqual(self.successResultOf(self.client.channels.get("c/1")).state, "Up")

    def test_body(self) -> None:
        """The parameters go out as JSON, with the credentials in a header."""
        self.successResultOf(self.client.channels.set_channel_var("c+1", variable="X", value="1"))
        [asked] = self.server.asked
        self.assertEqual(asked.method, "POST")
        self.assertEqual(asked.resource, "/channels/c%2B1/variable")
        self.assertEqual(asked.parameters, {"variable": "X", "value": "1"})
        self.assertEqual(asked.authorization, "Basic ZnVsbDpmdWxsLXNlY3JldA==")

    def test_encoding_survives(self) -> None:
        """What is encoded in a path and query arrives as it was encoded."""
        self.server.answers["GET /sounds/a%2Fb%2Bc%25d%20%C3%A9"] = Answer(200, {"id": "x"})
        self.successResultOf(self.client.sounds.get("a/b+c%d é"))
        self.server.answers["POST /bridges?name=a%26b%2Bc%20d"] = Answer(200, {"id": "x"})
        self.successResultOf(self.client.bridges.create(name="a&b+c d"))

    def test_refused_here(self) -> None:
        """What must not be sent fails the Deferred, and nothing is sent."""
        self.failureResultOf(self.client.channels.answer(""), LocalProtocolError)
        self.assertEqual(self.server.asked, [])

    def test_refused_there(self) -> None:
        """A refusal keeps Asterisk's own words."""
        self.server.answers["POST /channels/c1/answer"] = Answer(
            404, {"message": "Channel not found"}
        )
        error: Any = self.failureResultOf(self.client.channels.answer("c1"), NotFound).value
        self.assertEqual(str(error), "POST /channels/c1/answer: 404 Channel not found")

    def test_login(self) -> None:
        """Wrong credentials are an error of their own."""
        self.server.answers["GET /asterisk/ping"] = Answer(401)
        self.failureResultOf(self.client.asterisk.ping(), LoginRefused)

    def test_any(self) -> None:
        """Any request can be sent, and gives the plain JSON."""
        self.server.answers["GET /new%2Fthing?a=b"] = Answer(200, {"x": [1]})
        answered = self.client.request("GET", "/new%2Fthing?a=b")
        self.assertEqual(self.successResultOf(answered), {"x": [1]})

    def test_any_is_checked(self) -> None:
        """A request by its path is checked as the operation that it is."""
        self.failureResultOf(self.client.request("POST", "/channels/c1/move"), LocalProtocolError)
        self.assertEqual(self.server.asked, [])

    def test_unreachable(self) -> None:
        """A server that cannot be reached is told with the reason."""
        self.server.answers["GET /asterisk/ping"] = reason = ConnectError()
        error: Any = self.failureResultOf(self.client.asterisk.ping(), Disconnected).value
        self.assertIs(error.reason, reason)

    def test_no_answer(self) -> None:
        """A connection that breaks before the answer is told, and nothing is sent again."""
        for kind in ResponseNeverReceived, ResponseFailed:
            self.server.asked.clear()
            reason = ConnectionDone()
            self.server.answers["POST /channels/c1/answer"] = kind([Failure(reason)])
            failed = self.failureResultOf(self.client.channels.answer("c1"), Disconnected)
            self.assertIs(failed.value.reason, reason)
            self.assertEqual(len(self.server.asked), 1)

    def test_other_protocol(self) -> None:
        """A port that does not speak HTTP is told."""
        garbage = ParseError("wrong number of parts", b"Asterisk Call Manager/11.0.0")
        self.server.answers["GET /asterisk/ping"] = ResponseFailed([Failure(garbage)])
        failed = self.failureResultOf(self.client.asterisk.ping(), RemoteProtocolError)
        self.assertIn("does not speak HTTP", str(failed.value))

    def test_too_long(self) -> None:
        """An answer over the limit is refused."""
        self.server.answers["GET /channels"] = Answer(200, b" " * (MAX_ANSWER + 1))
        failed = self.failureResultOf(self.client.channels.list(), RemoteProtocolError)
        self.assertIn(f"more than {MAX_ANSWER} bytes", str(failed.value))

    def test_redirection(self) -> None:
        """A redirection, which Asterisk never sends, would take the credentials elsewhere."""
        self.server.answers["GET /asterisk/ping"] = answer = Answer(302)
        answer.headers.addRawHeader("Location", "http://elsewhere/")
        self.failureResultOf(self.client.asterisk.ping(), RequestFailed)
        self.assertEqual(len(self.server.asked), 1)

    def test_time_limit(self) -> None:
        """A request without an answer fails after the client's time limit."""
        self.client = client_of(self.server, self.clock, timeout=5.0)
        self.server.answers["GET /asterisk/ping"] = Deferred()
        answered = self.client.asterisk.ping()
        self.clock.advance(4.9)
        self.assertNoResult(answered)
        self.clock.advance(0.2)
        self.failureResultOf(answered, TimedOut)

    def test_own_time_limit(self) -> None:
        """A request of one's own may have a time limit of its own."""
        self.server.answers["GET /asterisk/ping"] = Deferred()
        answered = self.client.request("GET", "/asterisk/ping", timeout=1.0)
        self.clock.advance(1)
        self.failureResultOf(answered, TimedOut)

    def test_no_clock_left(self) -> None:
        """An answered request leaves no time limit behind."""
        self.successResultOf(self.client.channels.answer("c1"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """Cancelling gives up the answer, and frees the connection."""
        given_up: list[Deferred[Any]] = []
        self.server.answers["GET /asterisk/ping"] = Deferred(given_up.append)
        answered = self.client.asterisk.ping()
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assertEqual(len(given_up), 1)

    def test_turns(self) -> None:
        """Asterisk hangs up on too many connections, so further requests wait for their turn."""
        held: list[Deferred[Any]] = []

        def hold(_: object) -> Deferred[Any]:
            held.append(Deferred())
            return held[-1]

        self.server.answers["GET /asterisk/ping"] = hold
        answered = [self.client.asterisk.ping() for _ in range(MAX_CONNECTIONS + 1)]
        self.assertEqual(len(held), MAX_CONNECTIONS)
        held[0].callback(Answer(200, {"ping": "pong"}))
        self.successResultOf(answered[0])
        self.assertEqual(len(held), MAX_CONNECTIONS + 1)
        for waiting in held[1:]:
            waiting.callback(Answer(200, {"ping": "pong"}))
        for done in answered[1:]:
            self.assertEqual(self.successResultOf(done).ping, "pong")

    def test_close(self) -> None:
        """Closing fails the requests that are under way."""
        self.server.answers["GET /asterisk/ping"] = Deferred()
        answered = self.client.asterisk.ping()
        self.successResultOf(self.client.close())
        self.failureResultOf(answered, Disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class PoolTests(SynchronousTestCase):
    """By default the requests go over kept connections of the client's own."""

    def test_pool(self) -> None:
        """Connections are dropped before Asterisk does, and nothing is sent again by itself."""
        client = ARIClient("http://h/ari", "u", "p", reactor=MemoryReactorClock())
        self.assertLess(client._pool.cachedConnectionTimeout, 15)
        self.assertEqual(client._pool.cachedConnectionTimeout, KEPT_IDLE)
        self.assertFalse(client._pool.retryAutomatically)
        self.assertEqual(client._pool.maxPersistentPerHost, MAX_CONNECTIONS)

    def test_wire(self) -> None:
        """A request goes over the wire like this, over whichever endpoint was given."""
        reactor = MemoryReactorClock()
        client = ARIClient(
            "http://pbx:8088/x/ari/",
            "u",
            "p",
            reactor=reactor,
            endpoint=HostnameEndpoint(reactor, b"127.0.0.1", 99),
        )
        answered = client.channels.set_channel_var("a/b", variable="X", value="é")
        [(host, port, factory, _, _)] = reactor.tcpClients
        self.assertEqual((host, port), ("127.0.0.1", 99))
        with capturedLogs() as captured:
            factory.doStart()
        self.assertEqual(captured, [])
        server = FakeServer()
        server.by_itself = False
        self.successResultOf(server.connect(factory))
        sent = server.link.value()
        self.assertTrue(sent.startswith(b"POST /x/ari/channels/a%2Fb/variable HTTP/1.1\r\n"), sent)
        for line in b"Authorization: Basic dTpw", b"Content-Type: application/json":
            self.assertIn(b"\r\n" + line + b"\r\n", sent)
        self.assertTrue(sent.endswith('\r\n\r\n{"variable":"X","value":"é"}'.encode()), sent)
        server.link.say(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        self.assertIsNone(self.successResultOf(answered))


class AddressTests(SynchronousTestCase):
    """The URL says where ARI is, and nothing else."""

    def test_bad(self) -> None:
        """What is no URL of ARI is refused, without its password."""
        for bad in "", "127.0.0.1:8088", "ftp://h/ari", "http:///ari", "http://h/ari?api_key=a:b":
            self.assertRaises(ValueError, ARIClient, bad, "u", "p", reactor=MemoryReactorClock())
        error = self.assertRaises(
            ValueError, ARIClient, "http://u:secret@h/ari", "u", "p", reactor=MemoryReactorClock()
        )
        self.assertNotIn("secret", str(error))

    def test_user_with_colon(self) -> None:
        """A user name with a colon cannot be sent."""
        self.assertRaises(
            ValueError, ARIClient, "http://h/ari", "a:b", "p", reactor=MemoryReactorClock()
        )

    def test_repr(self) -> None:
        """The password does not show."""
        client = ARIClient("http://h/ari", "u", "secret", reactor=MemoryReactorClock())
        self.assertEqual(repr(client), "<ARIClient http://h/ari>")

    def test_password_in_no_attribute(self) -> None:
        """Nor is it kept where a traceback would print it."""
        client = ARIClient("http://h/ari", "u", "secret", reactor=MemoryReactorClock())
        self.assertNotIn("secret", repr(vars(client)))


class EventTests(Fixture):
    """Events reach those who want them."""

    def setUp(self) -> None:
        super().setUp()
        self.heard: list[Event] = []

    def test_connects_there(self) -> None:
        """The WebSocket is asked for below the URL, with the credentials in a header."""
        self.server.by_itself = False
        self.client.listen("ivr", "b c", subscribe_all=True)
        asked = self.server.link.value().decode()
        self.assertTrue(
            asked.startswith("GET /ari/events?app=ivr,b%20c&subscribeAll=true HTTP/1.1\r\n")
        )
        self.assertIn("Authorization: Basic ZnVsbDpmdWxsLXNlY3JldA==", asked)

    def test_on(self) -> None:
        """A listener is called with the typed event."""
        self.client.on("StasisStart", self.heard.append)
        self.listen()
        self.server.link.event("StasisStart", channel=channel("c1"))
        self.server.link.event("StasisEnd", channel=channel("c1"))
        [event] = self.heard
        self.assertEqual(getattr(event, "channel").id, "c1")  # noqa: B009 - of some event

    def test_match(self) -> None:
        """A listener may want the events of one application only."""
        self.client.on("StasisStart", self.heard.append, application="b")
        self.listen("a", "b")
        self.server.link.event("StasisStart", application="a")
        self.server.link.event("StasisStart", application="b")
        self.assertEqual([event.application for event in self.heard], ["b"])

    def test_next(self) -> None:
        """One can wait for the next event."""
        self.listen()
        waiting = self.client.next("Dial", dialstatus="ANSWER")
        self.server.link.event("Dial", dialstatus="RINGING")
        self.assertNoResult(waiting)
        self.server.link.event("Dial", dialstatus="ANSWER")
        self.assertEqual(self.successResultOf(waiting).type, "Dial")

    def test_unwanted_is_not_decoded(self) -> None:
        """Of an event that nobody wants only the type is looked at."""
        self.listen()
        self.server.link.message(b'{"type":"Dial", and then no JSON')
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_garbage(self) -> None:
        """What is no event is logged, and the next one is heard."""
        self.client.on("*", self.heard.append)
        self.listen()
        self.server.link.message(b"what")
        self.server.link.event("Dial")
        self.assertEqual([event.type for event in self.heard], ["Dial"])

    def test_lost(self) -> None:
        """When the WebSocket breaks everyone who waits is told, of objects too."""
        self.listen()
        waiting = [
            self.client.next("Dial"),
            self.client.channel("c1").next("Dial"),
            self.client.playback("p1").when_finished(),
        ]
        gone = self.client.when_disconnected()
        self.server.link.lose()
        for failed in waiting:
            self.failureResultOf(failed, Disconnected)
        self.assertIsInstance(self.successResultOf(gone), Disconnected)
        self.assertFalse(self.client.listening)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_listen_again(self) -> None:
        """Listeners outlast the connection."""
        self.client.on("Dial", self.heard.append)
        self.listen()
        self.server.link.lose()
        self.listen()
        self.server.link.event("Dial")
        self.assertEqual(len(self.heard), 1)

    def test_listen_twice(self) -> None:
        """A second WebSocket would silence the first, so there is none."""
        self.listen()
        self.failureResultOf(self.client.listen("other"), LocalProtocolError)

    def test_refused(self) -> None:
        """A refusal of the WebSocket is told."""
        self.server.by_itself = False
        listening = self.client.listen("ivr")
        self.server.link.say(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
        self.failureResultOf(listening, LoginRefused)
        self.assertFalse(self.client.listening)

    def test_not_connected(self) -> None:
        """Without a connection the loss of it is told at once."""
        self.assertIsInstance(self.successResultOf(self.client.when_disconnected()), Disconnected)

    def test_close(self) -> None:
        """Closing closes the WebSocket too."""
        self.listen()
        waiting = self.client.next("Dial")
        closing = self.client.close()
        self.server.link.lose()
        self.successResultOf(closing)
        self.failureResultOf(waiting, Disconnected)

    def test_secret_in_no_log(self) -> None:
        """Autobahn's debug lines, which hold the credentials, go nowhere."""
        set_global_log_level("debug")
        self.addCleanup(set_global_log_level, "info")
        with capturedLogs() as lines:
            self.listen()
            self.server.link.lose()
        self.assertNotIn("ZnVsbDpmdWxsLXNlY3JldA", repr(lines))
