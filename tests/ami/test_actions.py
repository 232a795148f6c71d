"""Tests of the generated methods, by what they put on the wire."""

from __future__ import annotations

import inspect

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX
from tools import generate
from txasterisk.ami import AMIProtocol, AMIService
from txasterisk.ami.actions import Actions
from txasterisk.ami.messages import Action, Headers, Response
from txasterisk.errors import LocalProtocolError, TimedOut


class Wire(Actions):
    """Keeps the bytes of the last action, without the ActionID that a connection adds."""

    sent = b""

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        self.sent = Action.build(name, headers).serialize()
        return Deferred()


class WireTests(SynchronousTestCase):
    """Each argument becomes the header that Asterisk knows."""

    def setUp(self) -> None:
        self.wire = Wire()

    def test_no_arguments(self) -> None:
        """An action without arguments is its name only."""
        self.wire.core_show_channels()
        self.assertEqual(self.wire.sent, b"Action: CoreShowChannels\r\n\r\n")

    def test_optional(self) -> None:
        """What is not given is not sent."""
        self.wire.db_get_tree(family="cidname")
        self.assertEqual(self.wire.sent, b"Action: DBGetTree\r\nFamily: cidname\r\n\r\n")

    def test_bool(self) -> None:
        """A bool is a word of Asterisk's, also when it is false."""
        self.wire.queue_pause(interface="PJSIP/a", paused=False)
        self.assertEqual(
            self.wire.sent,
            b"Action: QueuePause\r\nInterface: PJSIP/a\r\nPaused: false\r\n\r\n",
        )

    def test_park(self) -> None:
        """A time says its unit."""
        self.wire.park(channel="PJSIP/a", timeout_ms=2500)
        self.assertEqual(
            self.wire.sent, b"Action: Park\r\nChannel: PJSIP/a\r\nTimeout: 2500\r\n\r\n"
        )

    def test_message_send(self) -> None:
        """A keyword has an underscore behind it, and variables may hold commas."""
        self.wire.message_send(to="pjsip:a", from_="b", variable={"A": "1,2", "B": 3})
        self.assertEqual(
            self.wire.sent,
            b"Action: MessageSend\r\n"
            b"To: pjsip:a\r\n"
            b"From: b\r\n"
            b"Variable: A=1\\,2\r\n"
            b"Variable: B=3\r\n\r\n",
        )

    def test_setvar(self) -> None:
        """``Variable`` of Setvar is a name, and its value goes as it is."""
        self.wire.setvar(variable="A", value='1,"2"')
        self.assertEqual(self.wire.sent, b'Action: Setvar\r\nVariable: A\r\nValue: 1,"2"\r\n\r\n')

    def test_names_with_hyphens(self) -> None:
        """A hyphen in a header is an underscore in Python."""
        self.wire.send_text(channel="PJSIP/a-1", message="Hi", content_type="text/plain")
        self.assertEqual(
            self.wire.sent,
            b"Action: SendText\r\nChannel: PJSIP/a-1\r\nMessage: Hi\r\n"
            b"Content-Type: text/plain\r\n\r\n",
        )

    def test_label(self) -> None:
        """A priority is a number or a label."""
        self.wire.redirect(channel="PJSIP/a-1", context="in", exten="s", priority="again")
        self.assertEqual(
            self.wire.sent,
            b"Action: Redirect\r\nChannel: PJSIP/a-1\r\nExten: s\r\nContext: in\r\n"
            b"Priority: again\r\n\r\n",
        )

    def test_line_end(self) -> None:
        """A line end in an argument is refused."""
        with self.assertRaises(LocalProtocolError):
            self.wire.db_del(family="a\r\nAction: Logoff", key="k")


class ConnectionTests(SynchronousTestCase):
    """A connection carries them."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock)

    def test_answer(self) -> None:
        """The Deferred fires with Asterisk's answer."""
        asked = self.ami.mailbox_count(mailbox="1@default")
        action = self.pbx.hear_one("MailboxCount")
        self.assertEqual(action["Mailbox"], "1@default")
        self.pbx.answer(action, ("NewMessages", "2"))
        self.assertEqual(self.successResultOf(asked)["NewMessages"], "2")

    def test_timeout(self) -> None:
        """``timeout`` is how many seconds to wait for the answer; it does not reach Asterisk."""
        asked = self.ami.wait_event(timeout_s=-1, timeout=5)
        action = self.pbx.hear_one("WaitEvent")
        self.assertEqual([name for name, _ in action.headers], ["Action", "ActionID", "Timeout"])
        self.assertEqual(action["Timeout"], "-1")
        self.clock.advance(5)
        self.failureResultOf(asked, TimedOut)


class TableTests(SynchronousTestCase):
    """What Asterisk documents can be asked for."""

    def facts(self) -> list[generate.Fact]:
        """Return what both versions document."""
        return [*generate.facts("ami-actions-16"), *generate.facts("ami-actions-22")]

    def test_every_action(self) -> None:
        """Each action of both versions has a method, or is named as one that has none."""
        without = {
            action["name"]
            for action in self.facts()
            if not hasattr(Actions, generate.ami_name(action["name"]))
        }
        self.assertEqual(without, set(generate.NOT_GENERATED))

    def test_every_parameter(self) -> None:
        """Each parameter is an argument, but for the ActionID and for numbered ones."""
        for action in self.facts():
            if action["name"] in generate.NOT_GENERATED:
                continue
            method = getattr(Actions, generate.ami_name(action["name"]))
            expected = {
                generate.ami_argument(action["name"], parameter["name"])
                for parameter in action["params"]
                if parameter["name"] != "ActionID" and not generate.numbered(parameter["name"])
            }
            self.assertLessEqual(expected, set(inspect.signature(method).parameters))
            self.assertNotIn("timeout", expected)

    def test_numbered(self) -> None:
        """These are the parameters that are left to ``action``."""
        numbered = {
            parameter["name"]
            for action in self.facts()
            for parameter in action["params"]
            if generate.numbered(parameter["name"])
        }
        self.assertEqual(
            numbered,
            {
                "Action-000000",
                "Cat-000000",
                "Header1",
                "HeaderN",
                "Line-000000",
                "Match-000000",
                "Options-000000",
                "UnitAmount(0)",
                "UnitType(0)",
                "Value-000000",
                "Var-000000",
            },
        )

    def test_nothing_hidden(self) -> None:
        """Neither the connection nor the service has something else of such a name."""
        for carrier in AMIProtocol, AMIService:
            hidden = [
                name
                for name, method in vars(Actions).items()
                if name[0] != "_" and name != "action" and getattr(carrier, name) is not method
            ]
            self.assertEqual(hidden, [])
