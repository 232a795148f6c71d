"""A session: all that can be asked of it."""

from __future__ import annotations

import json
from contextlib import suppress as ignoring
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from txasterisk.agi import AGISession, asking
from txasterisk.agi.asking import ALLOWED_AFTER_HANGUP, PAUSE
from txasterisk.errors import HungUp

from .hand_answered import SessionTestCase

TABLE = Path(__file__).parents[2] / "tools" / "specs" / "agi-commands.json"


def table() -> list[dict[str, Any]]:
    """Read what is known of all commands."""
    commands: list[dict[str, Any]] = json.loads(TABLE.read_text("utf-8"))["commands"]
    return commands


class SessionTests(SessionTestCase):
    """The session of a call."""

    def test_every_command_has_a_verb(self) -> None:
        """Each command of Asterisk is a method of the same name, which says so."""
        names = [command["name"] for command in table()]
        self.assertEqual(len(names), 47)
        for name in names:
            verb = getattr(AGISession, name.lower().replace(" ", "_"))
            self.assertIn(f"(``{name}``)", verb.__doc__ or "")

    def test_what_is_allowed_after_the_hangup(self) -> None:
        """The commands that are sent after the hangup are those that Asterisk does then."""
        allowed = {command["name"] for command in table() if command["dead"]}
        self.assertEqual(allowed, ALLOWED_AFTER_HANGUP)

    def test_parameters(self) -> None:
        """Without a route there are no parameters of its path."""
        self.assertEqual(self.session.parameters, {})

    def test_a_script_that_does_not_give_up(self) -> None:
        """Who tries what cannot be done, time and again, is made to wait, or nobody else could."""
        clock = Clock()
        self.patch(asking, "the_reactor", lambda: clock)
        self.session.notice_hangup()

        async def script() -> None:
            while True:
                with ignoring(HungUp):
                    await self.session.answer()

        running = Deferred.fromCoroutine(script())
        clock.pump([PAUSE] * 3)
        self.assertEqual(len(clock.getDelayedCalls()), 1)
        running.cancel()
        self.failureResultOf(running, CancelledError)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_repr(self) -> None:
        """The ``repr`` names the call, and says when the caller is gone."""
        self.assertEqual(
            repr(self.session), "<AGISession with PJSIP/alice-00000012 (1795297911.242)>"
        )
        self.session.notice_hangup()
        self.assertTrue(repr(self.session).endswith(", hung up>"))
