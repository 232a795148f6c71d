"""Every action that a real Asterisk has or documents, asked for by its method."""

from __future__ import annotations

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
from txasterisk.ami.irregular import IRREGULAR
from txasterisk.ami.messages import Headers
from txasterisk.errors import ActionFailed

#: With this, what is seen is written onto the page instead of compared with it.
RECORD: Final = os.environ.get("TXASTERISK_RECORD") == "1"

#: It ends the connection.
LAST: Final = "Logoff"

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

    async def log_in(self) -> Overheard:
        """Log in as a user who may do everything."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, asterisk(self.version).ports["ami"])
        ami = await OverheardFactory("full", "full-secret").connect(endpoint)
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
        table = {each.question: await self.see(ami, each) for each in seen.asked()}
        if RECORD:
            seen.PAGE.write(table, self.version)
        wrong = seen.PAGE.differences(table, self.version)
        if wrong:
            self.fail(f"docs/ami-actions.rst tells otherwise:\n{wrong}")

    async def test_every_answer_is_to_its_own_question(self) -> None:
        """Each action gets one answer, which is its own, and with it the documented list."""
        ami = await self.log_in()
        known = seen.documented(self.version)
        wrong = []
        for each in seen.asked():
            if each.action in known.keys() - {LAST}:
                answer = await self.answer(ami, each)
                alive = await ami.ping(timeout=10)
                wrong += [
                    f"{each.call}: {what}" for what in faults(known[each.action], answer, alive)
                ]
        self.assertEqual(wrong, [])

    async def test_rows(self) -> None:
        """The rows of ``IAXnetstats``, one for each end of a call, are its output."""
        ami = await self.log_in()
        call = await ami.originate(
            "IAX2/trunk:trunk-secret@trunk/answer@txasterisk", application="Wait", data=3600
        )
        self.addCleanup(call.hangup)
        rows = (await ami.iax_netstats(timeout=10)).output
        self.assertEqual([row.partition("-")[0] for row in rows], ["IAX2/trunk"] * 2)
        self.assertEqual((await ami.ping(timeout=10))["Ping"], "Pong")

    async def see(self, ami: Overheard, each: seen.Asked) -> str:
        """Ask for an action, on a connection of its own where that ends it; tell the answer."""
        if each.action == LAST:
            ami = await self.log_in()
        answer = await self.answer(ami, each)
        if each.action in seen.documented(self.version):
            return seen.told(answer, ami.heard)
        self.assertIn(seen.UNKNOWN, answer.message)
        return "not there"

    async def answer(self, ami: Overheard, each: seen.Asked) -> Response:
        """Ask for an action and return the answer, a refusal too."""
        try:
            await getattr(ami, each.method)(**dict(each.arguments), timeout=20)
        except ActionFailed:
            pass
        assert ami.answer is not None
        return ami.answer


def faults(action: generate.Fact, answer: Response, alive: Response) -> list[str]:
    """Say what is not as documented in an answer, behind which a ping was answered."""
    found = []
    number, next_number = (int(r["ActionID"].rpartition("-")[2]) for r in (answer, alive))
    if next_number != number + 1:
        found.append(f"answer {number}, then {next_number}")
    if answer.events:
        *items, complete = answer.events
        if complete.name != action.get("list_complete", completed_otherwise(action["name"])):
            found.append(f"completed by {complete.name}")
        strange = {item.name for item in items} - set(action.get("list_items", ()))
        found += [f"lists {name}" for name in sorted(strange)]
        marked = {event.get("ActionID") for event in answer.events}
        if marked != {answer["ActionID"]} and action["name"] != WITHOUT_ACTION_ID:
            found.append(f"lists what answers {marked}")
    return found


def completed_otherwise(action: str) -> str | None:
    """Return the event that completes an action although its response does not begin a list."""
    irregular = IRREGULAR.get(action.casefold())
    return irregular.closed_by.decode() if irregular else None


class Actions22Tests(ActionsContract):
    """Asterisk 22."""

    version = "22"


class Actions16Tests(ActionsContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Actions22Tests, Actions16Tests)
