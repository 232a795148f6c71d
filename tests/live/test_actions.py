"""Every action that a real Asterisk has or documents, asked for by its method."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live import seen
from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from tools import generate
from txasterisk import AMIFactory, AMIProtocol
from txasterisk.ami import Response
from txasterisk.ami.messages import Headers
from txasterisk.errors import ActionFailed, TimedOut

#: With this, what is seen is written onto the page instead of compared with it.
RECORD: Final = os.environ.get("TXASTERISK_RECORD") == "1"

#: Never answered: Asterisk writes some rows, or only a blank line, that belong to no action.
UNANSWERED: Final = {"IAXnetstats", "SKINNYshowdevice", "SKINNYshowline"}

#: What is asked on a connection of its own.
ALONE: Final = {*UNANSWERED, "Logoff"}

#: So many seconds are waited for an answer that does not come.
PATIENCE: Final = 2.0

#: The items of its list do not have the ActionID.
WITHOUT_ACTION_ID: Final = "IAXpeers"


class Overheard(AMIProtocol):
    """A connection that remembers its last answer, and what came since the last question."""

    answer: Response | None = None
    heard = b""

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        """Ask, and remember the answer, a refusal too."""
        self.answer, self.heard = None, b""
        return super().action(name, headers, timeout=timeout).addBoth(self._remember)

    def dataReceived(self, data: bytes) -> None:
        """Remember what comes."""
        self.heard += data
        super().dataReceived(data)

    def _remember(self, outcome: Any) -> Any:
        refused = isinstance(outcome, Failure) and outcome.check(ActionFailed)
        self.answer = outcome.value.response if refused else outcome
        return outcome


class OverheardFactory(AMIFactory):
    """Makes such connections."""

    def buildProtocol(self, addr: IAddress | None) -> Overheard:
        """Make one that is not logged in yet."""
        return Overheard()


class ActionsContract(TestCase):
    """What the server has can be asked for."""

    timeout = 120
    version: str

    async def log_in(self, events: str = "all") -> Overheard:
        """Log in as a user who may do everything."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, asterisk(self.version).ports["ami"])
        ami = await OverheardFactory("full", "full-secret", events=events).connect(endpoint)
        assert isinstance(ami, Overheard)
        self.addCleanup(ami.disconnect)
        return ami

    async def test_every_action_of_the_server_is_known(self) -> None:
        """The server has no action that is not documented."""
        commands = await (await self.log_in()).list_commands(timeout=10)
        listed = [name for name, _ in commands.headers if name not in ("Response", "ActionID")]
        self.assertGreater(len(listed), 100)
        self.assertEqual(set(listed) - seen.documented(self.version).keys(), set())

    async def test_every_action_answers_as_the_page_tells(self) -> None:
        """Each action of either version gets the answer that ``docs/ami-actions.rst`` has."""
        ami = await self.log_in()
        # What other tests may have left behind, or Asterisk has not done yet.
        await ami.setvar(variable="PRESENCE_STATE(CustomPresence:hinted)", value="away,,")
        registered = ami.next("Registry", ChannelType="PJSIP", Status="Registered", timeout=10)
        await ami.pjsip_register(registration="trunk-registration")
        await registered
        table = {(each.action, each.call): await self.see(ami, each) for each in seen.asked()}
        if RECORD:
            seen.write(table, self.version)
        wrong = seen.differences(table, self.version)
        if wrong:
            self.fail(f"docs/ami-actions.rst tells otherwise:\n{wrong}")

    async def test_every_answer_is_to_its_own_question(self) -> None:
        """Each action gets one answer, which is its own, and with it the documented list."""
        ami = await self.log_in()
        known = seen.documented(self.version)
        wrong = []
        for each in seen.asked():
            if each.action in known.keys() - ALONE:
                answer = await self.answer(ami, each)
                alive = await ami.ping(timeout=10)
                assert answer is not None, each
                wrong += [
                    f"{each.call}: {what}" for what in faults(known[each.action], answer, alive)
                ]
        self.assertEqual(wrong, [])

    async def test_rows_hide_no_answer(self) -> None:
        """Behind the rows of ``IAXnetstats``, one for each end of a call, all is as ever."""
        ami = await self.log_in()
        up = ami.next("OriginateResponse", timeout=10)
        await ami.originate(
            channel="IAX2/trunk:trunk-secret@trunk/answer@txasterisk",
            application="Wait",
            data="3600",
            async_=True,
        )
        self.addCleanup(ami.hangup, channel=(await up)["Channel"])
        asked, ponged = ami.iax_netstats(timeout=PATIENCE), ami.ping(timeout=10)
        self.assertEqual((await ponged)["Ping"], "Pong")
        with contextlib.suppress(TimedOut):
            await asked
        self.assertIn(b"IAX2/trunk-", ami.heard)

    async def see(self, ami: Overheard, each: seen.Asked) -> str:
        """Ask for an action, on a connection of its own where that ends it; tell the answer."""
        if each.action in ALONE:
            ami = await self.log_in(events="off")
        answer = await self.answer(ami, each)
        if each.action not in seen.documented(self.version):
            assert answer is not None, each
            self.assertIn(seen.UNKNOWN, answer.message)
            return "not there"
        return seen.told(answer, ami.heard)

    async def answer(self, ami: Overheard, each: seen.Asked) -> Response | None:
        """Ask for an action and return the answer, a refusal too; None if there is none."""
        method = getattr(ami, each.method)
        patience = PATIENCE if each.action in UNANSWERED else 20
        try:
            await method(**dict(each.arguments), timeout=patience)
        except ActionFailed:
            pass
        except TimedOut:
            self.assertIn(each.action, UNANSWERED)
            return None
        return ami.answer


def faults(action: generate.Fact, answer: Response, alive: Response) -> list[str]:
    """Say what is not as documented in an answer, behind which a ping was answered."""
    found = []
    number, next_number = (int(r["ActionID"].rpartition("-")[2]) for r in (answer, alive))
    if next_number != number + 1:
        found.append(f"answer {number}, then {next_number}")
    if answer.events:
        *items, complete = answer.events
        if complete.name != action.get("list_complete"):
            found.append(f"completed by {complete.name}")
        strange = {item.name for item in items} - set(action.get("list_items", ()))
        found += [f"lists {name}" for name in sorted(strange)]
        marked = {event.get("ActionID") for event in answer.events}
        if marked != {answer["ActionID"]} and action["name"] != WITHOUT_ACTION_ID:
            found.append(f"lists what answers {marked}")
    return found


class Actions22Tests(ActionsContract):
    """Asterisk 22."""

    version = "22"


class Actions16Tests(ActionsContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Actions22Tests, Actions16Tests)
