"""Tests of the adapter around autobahn."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tests.ari.asterisk import FakeServer, frame
from txasterisk.ari.messages import MAX_EVENT
from txasterisk.ari.websocket import MAX_HANDSHAKE, WebSocket, connect
from txasterisk.errors import (
    AsteriskError,
    Disconnected,
    LoginRefused,
    NotFound,
    ProtocolError,
    RemoteProtocolError,
    TimedOut,
)

PING, PONG, CLOSE = 9, 10, 8


class Fixture(SynchronousTestCase):
    """A server in memory, and what has been received from it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.server = FakeServer()
        self.server.by_itself = False
        self.received: list[bytes] = []

    def connect(self, **settings: Any) -> Deferred[WebSocket]:
        return connect(
            self.server,
            "ws://pbx.test:8088/ari/events?app=a,b%20c",
            settings.pop("receive", self.received.append),
            self.clock,
            headers={"Authorization": "Basic eDp5"},
            **settings,
        )

    def connected(self, **settings: Any) -> WebSocket:
        connecting = self.connect(**settings)
        self.server.link.accept()
        return self.successResultOf(connecting)

    def failure(self, connecting: Deferred[Any], kind: type[AsteriskError]) -> Any:
        error = self.failureResultOf(connecting).value
        self.assertIs(type(error), kind)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return error


class HandshakeTests(Fixture):
    """A WebSocket is opened, or it is said in one error why not."""

    def test_request(self) -> None:
        """The handshake asks for the resource with credentials and the sub-protocol."""
        self.connect()
        asked = self.server.link.value().decode()
        self.assertTrue(asked.startswith("GET /ari/events?app=a,b%20c HTTP/1.1\r\n"))
        self.assertIn("\r\nAuthorization: Basic eDp5\r\n", asked)
        self.assertIn("\r\nSec-WebSocket-Protocol: ari\r\n", asked)
        self.assertIn("\r\nHost: pbx.test:8088\r\n", asked)

    def test_open(self) -> None:
        """It is open when the server has answered."""
        connecting = self.connect()
        self.assertNoResult(connecting)
        self.server.link.accept()
        self.assertTrue(self.successResultOf(connecting).open)

    def test_event_right_behind(self) -> None:
        """An event in the same segment as the end of the handshake is received."""
        connecting = self.connect()
        self.server.link.say(self.server.link.acceptance() + frame(0x81, b"first"))
        self.successResultOf(connecting)
        self.assertEqual(self.received, [b"first"])

    def test_byte_by_byte(self) -> None:
        """It does not matter how the network cuts what the server says."""
        self.connect()
        for byte in self.server.link.acceptance() + frame(0x81, b"first") + frame(0x81, b"2"):
            self.server.link.say(bytes([byte]))
        self.assertEqual(self.received, [b"first", b"2"])

    def test_login_refused(self) -> None:
        """401 means the credentials, in the server's own words."""
        connecting = self.connect()
        self.server.link.say(
            b"HTTP/1.1 401 Unauthorized\r\nContent-type: application/json\r\n\r\n"
            b'{"message":"Authentication required"}'
        )
        self.assertEqual(str(self.failure(connecting, LoginRefused)), "Authentication required")

    def test_not_found(self) -> None:
        """Any other refusal is the error of its status."""
        connecting = self.connect()
        self.server.link.say(b"HTTP/1.1 404 Not Found\r\nContent-type: text/html\r\n\r\n<h1>No")
        self.assertEqual(self.failure(connecting, NotFound).path, "/ari/events")

    def test_two_refusals(self) -> None:
        """16 and 22 write a refusal two or three times; the first is enough."""
        connecting = self.connect()
        self.server.link.say(b"HTTP/1.1 404 Not Found\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n")
        self.failure(connecting, NotFound)

    def test_other_protocol(self) -> None:
        """A port that does not speak HTTP is told by its first bytes."""
        connecting = self.connect()
        self.server.link.say(b"Asterisk Call Manager/11.0.0\r\n")
        error = self.failure(connecting, RemoteProtocolError)
        self.assertIn("b'Asterisk Call Manager/11.0.0'", str(error))

    def test_no_websocket(self) -> None:
        """A server that does not shake hands properly is told."""
        for answer in (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/9 200 OK\r\n\r\n",
            b"HTTP/1.1 101 \xff\xfe\r\n\r\n",
        ):
            connecting = self.connect()
            self.server.link.say(answer)
            self.failureResultOf(connecting, ProtocolError, AsteriskError)

    def test_endless_handshake(self) -> None:
        """An answer over the limit is refused."""
        connecting = self.connect()
        self.server.link.say(b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * MAX_HANDSHAKE)
        self.failure(connecting, RemoteProtocolError)

    def test_silence(self) -> None:
        """A server that does not answer is given up after the time limit."""
        connecting = self.connect(timeout=3.0)
        self.clock.advance(2.9)
        self.assertNoResult(connecting)
        self.clock.advance(0.2)
        self.failure(connecting, TimedOut)
        self.assertTrue(self.server.link.aborted)

    def test_unreachable(self) -> None:
        """A closed port is told with the reason."""
        self.server.unreachable = error.ConnectionRefusedError()
        failed = self.failure(self.connect(), Disconnected)
        self.assertIsInstance(failed.reason, error.ConnectionRefusedError)
        self.assertIn("cannot connect: Connection was refused", str(failed))

    def test_unreachable_for_long(self) -> None:
        """An address that does not answer at all is given up after the time limit, or before."""
        for give_up in (lambda _: self.clock.advance(3), lambda waiting: waiting.cancel()):
            cancelled: list[object] = []
            self.server.silent = Deferred(cancelled.append)
            connecting = self.connect(timeout=3.0)
            give_up(connecting)
            self.failureResultOf(connecting)
            self.assertEqual(len(cancelled), 1)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_logged(self) -> None:
        """What goes wrong is told in the error, and not by autobahn in the log as well."""
        with capturedLogs() as captured:
            for answer in b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n":
                connecting = self.connect()
                self.server.link.say(answer)
                self.failureResultOf(connecting)
            socket = self.connected()
            self.server.link.say(b"\xff\xff\xff\xff")
            self.assertFalse(socket.open)
        self.assertEqual(captured, [])

    def test_hang_up(self) -> None:
        """A server that closes instead of answering, as at its session limit, is told."""
        connecting = self.connect()
        self.server.link.lose()
        self.failure(connecting, Disconnected)

    def test_cancel(self) -> None:
        """Cancelling drops the connection."""
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertTrue(self.server.link.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_before_it_is_open(self) -> None:
        """Closing it before it is open fails the opening."""
        connecting = self.connect()
        self.server.link.protocol._socket.close()
        self.failure(connecting, Disconnected)

    @given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
    def test_any_answer(self, answer: bytes, cuts: list[int]) -> None:
        """Any bytes at any cuts leave it waiting or fail it with one of our errors."""
        self.setUp()
        connecting = self.connect()
        for part in parts(b"HTTP/1.1 " + answer, cuts):
            self.server.link.say(part)
        connecting.addErrback(lambda failure: failure.trap(AsteriskError) and None)


class MessageTests(Fixture):
    """Whole messages go in and out."""

    def test_receive(self) -> None:
        """Each text frame is one message."""
        self.connected()
        self.server.link.message(b'{"a":1}')
        self.server.link.message(b"x" * 70_000)
        self.assertEqual(self.received, [b'{"a":1}', b"x" * 70_000])

    def test_fragments(self) -> None:
        """A message in several frames is one message."""
        self.connected()
        self.server.link.say(frame(0x01, b"one") + frame(0x00, b" two") + frame(0x80, b" three"))
        self.assertEqual(self.received, [b"one two three"])

    def test_send(self) -> None:
        """A message goes out as one text frame."""
        self.connected().send(b"hello")
        self.assertEqual(self.server.link.frames(), [(1, b"hello")])

    def test_bad_utf8_is_not_looked_at(self) -> None:
        """Bad UTF-8 is left to the JSON decoder, which refuses it at no cost."""
        self.connected()
        self.server.link.message(b"\xff")
        self.assertEqual(self.received, [b"\xff"])

    def test_receiver_fails(self) -> None:
        """An error of the receiver is logged, and the link stays."""

        def receive(message: bytes) -> None:
            self.received.append(message)
            raise RuntimeError("a bug")

        socket = self.connected(receive=receive)
        self.server.link.message(b"1")
        self.server.link.message(b"2")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
        self.assertEqual(self.received, [b"1", b"2"])
        self.assertTrue(socket.open)

    def test_too_long(self) -> None:
        """A message over the limit ends the link before it is in the memory."""
        socket = self.connected()
        self.server.link.say(b"\x81\x7f" + (MAX_EVENT + 1).to_bytes(8, "big"))
        error: Any = self.successResultOf(socket.when_closed())
        self.assertIsInstance(error.reason, RemoteProtocolError)
        self.assertTrue(self.server.link.aborted)

    def test_too_long_in_pieces(self) -> None:
        """So does one whose frames are within the limit but not their sum."""
        socket = self.connected()
        half = b"x" * (MAX_EVENT // 2 + 1)
        self.server.link.say(frame(0x01, half) + frame(0x00, half))
        self.assertIsInstance(self.successResultOf(socket.when_closed()), Disconnected)

    def test_bad_frames(self) -> None:
        """What is no frame ends the link."""
        socket = self.connected()
        self.server.link.say(b"\xff\xff\xff\xff")
        self.assertIsInstance(self.successResultOf(socket.when_closed()), Disconnected)

    def test_compressed(self) -> None:
        """A frame that says it is compressed, which nobody agreed on, ends the link."""
        socket = self.connected()
        self.server.link.say(frame(0xC1, b"x"))
        self.assertIsInstance(self.successResultOf(socket.when_closed()), Disconnected)

    @given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
    def test_any_frames(self, data: bytes, cuts: list[int]) -> None:
        """Any bytes at any cuts give messages or end the link with Disconnected."""
        self.setUp()
        socket = self.connected()
        for part in parts(data, cuts):
            if not self.server.link.aborted:
                self.server.link.say(part)
        if not socket.open:
            self.assertIsInstance(self.successResultOf(socket.when_closed()), Disconnected)


class PingTests(Fixture):
    """Asterisk never pings, so we do."""

    def test_ping(self) -> None:
        """A ping is sent after a while, and again after its pong."""
        socket = self.connected(ping_every=20.0, pong_within=10.0)
        self.clock.advance(20)
        [(opcode, payload)] = self.server.link.frames()
        self.assertEqual(opcode, PING)
        self.server.link.say(frame(0x8A, payload))
        self.clock.advance(19.9)
        self.assertEqual(self.server.link.frames(), [])
        self.clock.advance(0.1)
        self.assertEqual([opcode for opcode, _ in self.server.link.frames()], [PING])
        self.assertTrue(socket.open)

    def test_dead_link(self) -> None:
        """Without a pong the link is dropped, and the reason says so."""
        socket = self.connected(ping_every=20.0, pong_within=10.0)
        self.clock.advance(20)
        self.clock.advance(10)
        error: Any = self.successResultOf(socket.when_closed())
        self.assertIsInstance(error, Disconnected)
        self.assertIsInstance(error.reason, TimedOut)
        self.assertTrue(self.server.link.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_anything_is_a_sign_of_life(self) -> None:
        """A server that is sending events is not dead, though its pong is behind them."""
        socket = self.connected(ping_every=20.0, pong_within=10.0)
        self.clock.advance(20)
        self.server.link.message(b"x")
        self.clock.advance(10)
        self.assertTrue(socket.open)
        self.clock.advance(20)
        self.assertEqual([o for o, _ in self.server.link.frames()], [PING, PING])

    def test_no_unsolicited_pong(self) -> None:
        """A pong is sent to a ping only: an unsolicited one ends the process of 22.11."""
        self.connected()
        self.clock.pump([1.0] * 25)
        self.assertNotIn(PONG, [opcode for opcode, _ in self.server.link.frames()])
        self.server.link.say(frame(0x89, b"p"))
        self.assertEqual(self.server.link.frames(), [(PONG, b"p")])


class EndTests(Fixture):
    """However it ends, everyone is told once."""

    def test_lost(self) -> None:
        """A lost connection is told to everyone who waits, and to those who ask later."""
        socket = self.connected()
        before = socket.when_closed()
        self.server.link.lose()
        for told in before, socket.when_closed():
            error: Any = self.successResultOf(told)
            self.assertIsInstance(error, Disconnected)
            self.assertIn("the connection was lost", str(error))
        self.assertFalse(socket.open)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_by_the_server(self) -> None:
        """A goodbye of the server's is told with its code and reason."""
        socket = self.connected()
        self.server.link.say(frame(0x88, b"\x03\xf1too big"))
        self.server.link.lose()
        self.assertIn("1009 too big", str(self.successResultOf(socket.when_closed())))

    def test_close(self) -> None:
        """Closing says goodbye and waits for the server to close."""
        socket = self.connected()
        closing = socket.close()
        self.assertEqual(self.server.link.frames(), [(CLOSE, b"\x03\xe8")])
        self.assertNoResult(closing)
        self.server.link.say(frame(0x88, b"\x03\xe8"))
        self.server.link.lose()
        self.assertIsInstance(self.successResultOf(closing), Disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_in_vain(self) -> None:
        """A server that does not answer a goodbye is dropped."""
        closing = self.connected().close()
        self.clock.advance(2)
        self.successResultOf(closing)
        self.assertTrue(self.server.link.aborted)

    def test_close_twice(self) -> None:
        """Closing what is closed is done at once."""
        socket = self.connected()
        self.server.link.lose()
        self.successResultOf(socket.close())

    def test_send_after_the_end(self) -> None:
        """Nothing can be sent after the end."""
        socket = self.connected()
        self.server.link.lose()
        self.assertRaises(Disconnected, socket.send, b"x")

    def test_cancel(self) -> None:
        """Who does not want to be told any more is not told."""
        socket = self.connected()
        waiting, other = socket.when_closed(), socket.when_closed()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.server.link.lose()
        self.successResultOf(other)


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut data at these places."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]
