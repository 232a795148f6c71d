"""Whatever connects: it is bounded, costs a line in the log, and holds nobody up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import LogLevel, capturedLogs

from txasterisk.agi.reading import MAX_REPLY_BYTES
from txasterisk.errors import Disconnected

from . import ENVIRONMENT
from .fastagi import Connection, FastAGITestCase


class BadPeerTests(FastAGITestCase):
    """Whatever connects, it costs one line in the log and no more."""

    def assert_one_line(self, happens: Callable[[], object], level: Any = LogLevel.warn) -> None:
        """Fail unless that logs one line without a traceback."""
        with capturedLogs() as logs:
            happens()
        self.assertEqual(
            [(log["log_level"], "log_failure" in log) for log in logs], [(level, False)]
        )
        self.assertEqual(self.told, [])

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
        """A web browser is sent away at its first line."""
        connection = Connection(self.factory)
        self.assert_one_line(lambda: connection.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertTrue(connection.aborted)
        connection.break_off(ConnectionDone())

    def test_no_end(self) -> None:
        """A block without an end is cut off."""
        connection = Connection(self.factory)
        self.assert_one_line(lambda: connection.say(b"agi_x: 1\n" * 1000))
        self.assertTrue(connection.aborted)

    def test_silence(self) -> None:
        """A peer that says nothing, or too slowly, is cut off after ten seconds."""
        connection = Connection(self.factory)
        self.clock.advance(9.9)
        connection.say(b"agi_network: yes\n")
        self.assertFalse(connection.aborted)
        self.assert_one_line(lambda: self.clock.advance(0.2))
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
        self.assertTrue(call.aborted)
        call.say(b"200 result=0\n")
        call.break_off(ConnectionDone())
        self.assertEqual(self.told, [Disconnected])
