"""Whatever connects: it is bounded, costs a line in the log, and holds up no call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import LogLevel, capturedLogs, formatEvent

from txasterisk.agi import AGISession, FastAGIFactory, protocol
from txasterisk.agi.protocol import CLOSING_TIMEOUT, MAX_SILENT, SPARE_DESCRIPTORS
from txasterisk.agi.reading import MAX_REPLY_BYTES
from txasterisk.errors import Disconnected

from . import ENVIRONMENT
from .fastagi import BUSY, SUCCESS, Connection, FastAGITestCase


class BadPeerTests(FastAGITestCase):
    """One peer."""

    def assert_one_line(self, happens: Callable[[], object], level: Any = LogLevel.warn) -> None:
        """Fail unless that logs one line without a traceback, and runs no script."""
        with capturedLogs() as logs:
            happens()
        self.assertEqual(
            [(log["log_level"], "log_failure" in log) for log in logs], [(level, False)]
        )
        self.assertEqual(self.told, [])

    def assert_no_line(self, happens: Callable[[], object]) -> None:
        """Fail if that logs anything."""
        with capturedLogs() as logs:
            happens()
        self.assertEqual(logs, [])

    def test_port_scan(self) -> None:
        """A peer that comes and goes is noted."""
        connection = Connection(self.factory)
        self.assert_one_line(lambda: connection.break_off(ConnectionDone()), LogLevel.info)

    def test_half_a_block(self) -> None:
        """A block that is cut off starts no script."""
        connection = Connection(self.factory)
        connection.say(ENVIRONMENT[:-1])
        self.assert_one_line(lambda: connection.break_off(ConnectionLost()), LogLevel.info)

    def test_another_protocol(self) -> None:
        """Whoever speaks something else is sent away at the first byte."""
        self.assert_sent_away(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    def test_tls_where_none_is_expected(self) -> None:
        """So is a client of TLS, whose greeting has no line end."""
        self.assert_sent_away(b"\x16\x03\x01\x02\x00\x01")

    def test_almost_the_first_word(self) -> None:
        """And whoever begins like AGI does."""
        self.assert_sent_away(b"age")

    def assert_sent_away(self, hello: bytes) -> None:
        """Fail unless a connection is cut off by what it says first, with a line in the log."""
        connection = Connection(self.factory)
        self.assert_one_line(lambda: connection.say(hello))
        self.assertTrue(connection.aborted)
        self.assert_no_line(lambda: connection.break_off(ConnectionDone()))

    def test_too_many_lines(self) -> None:
        """A block without an end is cut off."""
        connection = Connection(self.factory)
        self.assert_one_line(lambda: connection.say(b"agi_x: 1\n" * 1000))
        self.assertTrue(connection.aborted)

    def test_a_line_without_an_end(self) -> None:
        """So is a variable without one."""
        connection = Connection(self.factory)
        connection.say(b"agi_x: ")
        self.assert_one_line(lambda: connection.say(b"x" * 66_000))
        self.assertTrue(connection.aborted)

    def test_silence(self) -> None:
        """A peer that says nothing is cut off after ten seconds."""
        connection = Connection(self.factory)
        self.clock.advance(9.9)
        self.assertFalse(connection.aborted)
        self.assert_one_line(lambda: self.clock.advance(0.2))
        self.assertTrue(connection.aborted)
        self.assert_no_line(lambda: connection.break_off(ConnectionDone()))

    def test_a_byte_a_second(self) -> None:
        """The whole block has to be there in that time, not only some of it."""
        connection = Connection(self.factory)
        for byte in ENVIRONMENT[:9]:
            connection.say(bytes([byte]))
            self.clock.advance(1)
        self.assertFalse(connection.aborted)
        self.assert_one_line(lambda: self.clock.advance(1))
        self.assertTrue(connection.aborted)

    def test_a_call_has_no_such_limit(self) -> None:
        """Once the call is described it may take as long as it likes."""
        connection = self.call()
        self.clock.advance(3600)
        self.assertFalse(connection.aborted)

    def test_an_endless_reply(self) -> None:
        """A reply without an end is cut off, and what waits for it fails."""
        call = self.call()
        with capturedLogs() as logs:
            call.say(b"x" * (MAX_REPLY_BYTES + 1))
        self.assertEqual(len(logs), 1)
        self.assertIn("PJSIP/alice-00000012 (1795297911.242)", formatEvent(logs[0]))
        self.assertTrue(call.aborted)
        call.say(b"200 result=0\n")
        call.break_off(ConnectionDone())
        self.assertEqual(self.told, [Disconnected])

    def test_a_peer_that_does_not_read(self) -> None:
        """As long as what was sent is not taken, no reply is read that would lead to more."""
        call = self.call()
        self.assertIs(call.transport.producer, call.transport)
        self.assertTrue(call.transport.streaming)
        call.say(b"200 result=0\n")
        self.assertIsNone(call.transport.producer)

    def test_a_peer_that_never_answers(self) -> None:
        """A command may take hours; only TCP can tell that the other machine is gone."""
        call = self.call()
        self.clock.advance(7200)
        self.assertFalse(call.aborted)

    def test_a_peer_that_does_not_let_go(self) -> None:
        """A connection that does not end by itself after the last command is cut off."""
        call = self.call()
        call.say(b"200 result=0\n")
        self.assertEqual(call.heard(), b"ANSWER\n" + SUCCESS)
        self.clock.advance(CLOSING_TIMEOUT - 0.1)
        self.assertFalse(call.aborted)
        self.clock.advance(0.1)
        self.assertTrue(call.aborted)
        call.break_off(ConnectionDone())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ManyPeersTests(FastAGITestCase):
    """Thousands of peers."""

    def lines(self, happens: Callable[[], object]) -> list[str]:
        """Return what that logs."""
        with capturedLogs() as logs:
            happens()
        return [str(formatEvent(log)) for log in logs]

    def test_silence_in_numbers(self) -> None:
        """When too many are silent the oldest goes; that is one line, and later the count."""
        silent = [Connection(self.factory) for _ in range(MAX_SILENT)]
        self.assertFalse(any(connection.aborted for connection in silent))
        lines = self.lines(lambda: silent.extend(Connection(self.factory) for _ in range(500)))
        told = "too many connections describe no call: 192.0.2.1:50000, the oldest, is closed"
        self.assertEqual(lines, [told])
        self.assertEqual([c.aborted for c in silent], [True] * 500 + [False] * MAX_SILENT)
        lines = self.lines(lambda: self.clock.advance(60))
        self.assertEqual(
            lines,
            [
                "192.0.2.1:50000 has described no call within 10 seconds",
                f"{told} (and 499 more like this)",
            ],
        )
        self.assertTrue(all(connection.aborted for connection in silent))

    def test_a_call_among_the_silent(self) -> None:
        """Calls in progress and calls to come are not disturbed by them."""
        before = self.call()
        for _ in range(2 * MAX_SILENT):
            Connection(self.factory)
        after = self.call()
        for call in before, after:
            self.assertEqual(call.heard(), b"ANSWER\n")
            self.assertFalse(call.aborted)

    def test_a_call_that_was_not_listened_to(self) -> None:
        """What the oldest has said meanwhile is read first, so that no call has to go."""
        oldest = Connection(self.factory)
        self.patch(protocol, "read_now", lambda _: oldest.say(ENVIRONMENT))
        silent = [Connection(self.factory) for _ in range(MAX_SILENT)]
        self.assertEqual(oldest.heard(), b"ANSWER\n")
        self.assertFalse(any(connection.aborted for connection in (oldest, *silent)))

    def test_few_descriptors(self) -> None:
        """Of few file descriptors a quarter is for the silent, and some are left for the rest."""
        self.patch(protocol, "descriptor_limit", lambda: 100)
        self.factory = FastAGIFactory({"/greet": self.greet}, clock=self.clock)
        silent = [Connection(self.factory) for _ in range(26)]
        self.assertEqual([c.aborted for c in silent], [True] + [False] * 25)
        heard = [self.call().heard() for _ in range(100 - 25 - SPARE_DESCRIPTORS + 1)]
        self.assertEqual(heard, [b"ANSWER\n"] * (len(heard) - 1) + [BUSY])

    def test_sessions(self) -> None:
        """The one call too many is told so, with a line in the log; later there is room again."""
        self.factory = FastAGIFactory({"/greet": self.greet}, clock=self.clock, sessions=2)
        first, _ = self.call(), self.call()
        refused: list[Connection] = []
        lines = self.lines(lambda: refused.extend(self.call() for _ in range(3)))
        self.assertEqual(
            lines,
            [
                "<AGISession with PJSIP/alice-00000012 (1795297911.242)>:"
                " 2 calls are answered already"
            ],
        )
        for connection in refused:
            self.assertEqual(connection.heard(), BUSY)
            self.assertTrue(connection.closed)
            connection.break_off(ConnectionDone())
        first.break_off(ConnectionDone())
        self.assertEqual(self.call().heard(), b"ANSWER\n")

    def test_no_sessions(self) -> None:
        """A factory that would answer nothing is refused."""
        with self.assertRaisesRegex(ValueError, "0 sessions; expected at least 1"):
            FastAGIFactory(clock=self.clock, sessions=0)

    def test_those_that_go_leave_room(self) -> None:
        """A connection that is sent away counts for no call, even before it is gone."""
        self.factory = FastAGIFactory({"/greet": self.greet}, clock=self.clock, sessions=1)
        Connection(self.factory).say(b"GET / HTTP/1.1")
        for _ in range(MAX_SILENT + 1):
            Connection(self.factory)
        self.assertEqual(self.call().heard(), b"ANSWER\n")

    def test_a_flood_of_lines(self) -> None:
        """What a call has to say unasked, with each reply, is one line in the log."""

        async def script(session: AGISession) -> None:
            while True:
                await session.noop()

        call = self.call(script)
        with capturedLogs() as logs:
            for _ in range(1000):
                call.say(b"x\n200 result=0\n")
        self.assertEqual(len(logs), 1)

    def test_what_was_counted_is_told_at_the_end(self) -> None:
        """When the listener stops, no count is left to be told."""
        for _ in range(3):
            Connection(self.factory).break_off(ConnectionDone())
        self.factory.doStart()
        lines = self.lines(self.factory.doStop)
        self.assertEqual(
            [line for line in lines if "(and 2 more like this)" in line],
            ["192.0.2.1:50000 left before it had described a call (and 2 more like this)"],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])
