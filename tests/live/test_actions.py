"""Every action that a real Asterisk has, asked for by its generated method."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from tools import generate
from txasterisk import AMIFactory, AMIProtocol
from txasterisk.ami import Response
from txasterisk.ami.actions import Actions
from txasterisk.errors import ActionFailed

#: What is not asked for here, and why.
LEFT_OUT: Final = {
    **generate.NOT_GENERATED,
    "IAXnetstats": "it is never answered",
    "SKINNYshowdevice": "it is not answered for an unknown device",
    "SKINNYshowline": "it is not answered for an unknown line",
    "WaitEvent": "it blocks the connection",
}

#: No channel, queue, mailbox, file, module or anything else is called like this.
NOTHING: Final = "txasterisk-nothing"

#: Where an action without its optional arguments would do something.
ARGUMENTS: Final[dict[str, dict[str, object]]] = {
    "Events": {"event_mask": "off"},
    "LoggerRotate": {},
    "ModuleLoad": {"module": NOTHING, "load_type": "load"},
    "Reload": {"module": NOTHING},
}

#: The items of its list do not have the ActionID.
WITHOUT_ACTION_ID: Final = "IAXpeers"


class ActionsContract(TestCase):
    """What the server has can be asked for."""

    timeout = 120
    version: str

    async def log_in(self) -> AMIProtocol:
        """Log in as a user who may do everything."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, asterisk(self.version).ports["ami"])
        ami = await AMIFactory("full", "full-secret").connect(endpoint)
        self.addCleanup(ami.logoff)
        return ami

    async def listed(self, ami: AMIProtocol) -> list[str]:
        """Ask the server which actions it has."""
        commands = await ami.list_commands(timeout=10)
        return [name for name, _ in commands.headers if name not in ("Response", "ActionID")]

    async def test_every_action_of_the_server_is_known(self) -> None:
        """The server has no action without a method."""
        listed = await self.listed(await self.log_in())
        self.assertGreater(len(listed), 100)
        documented = {action["name"] for action in generate.facts(f"ami-actions-{self.version}")}
        self.assertEqual(set(listed) - documented, set())

    async def test_every_action_is_answered(self) -> None:
        """Each action gets one answer, which is its own, and with it the documented list."""
        ami = await self.log_in()
        known = {a["name"]: a for a in generate.facts(f"ami-actions-{self.version}")}
        wrong = []
        for name in await self.listed(ami):
            if name not in LEFT_OUT:
                answer = await self.answer(ami, name)
                alive = await ami.ping(timeout=10)
                wrong += [f"{name}: {what}" for what in faults(known[name], answer, alive)]
        self.assertEqual(wrong, [])

    async def answer(self, ami: AMIProtocol, name: str) -> Response:
        """Ask for an action with what it requires, and return the answer, a refusal too."""
        method: Callable[..., Deferred[Response]] = getattr(ami, generate.ami_name(name))
        try:
            return await method(**arguments(name), timeout=20)
        except ActionFailed as error:
            return cast(Response, error.response)


def arguments(action: str) -> dict[str, object]:
    """Return what that action requires, so that it finds nothing to act on."""
    if action in ARGUMENTS:
        return ARGUMENTS[action]
    method = getattr(Actions, generate.ami_name(action))
    types = get_type_hints(method)
    required = [
        name
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.default is parameter.empty and name != "self"
    ]
    return {name: harmless(types[name]) for name in required}


def harmless(kind: Any) -> object:
    """Return a value of that type."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {int: 1, bool: False}.get(kind, NOTHING)


def faults(action: generate.Fact, answer: Response, alive: Response) -> list[str]:
    """Say what is not as documented in an answer, behind which a ping was answered."""
    found = []
    number, next_number = (int(r["ActionID"].rpartition("-")[2]) for r in (answer, alive))
    if next_number != number + 1:
        found.append(f"answer {number}, then {next_number}")
    if "unknown command" in answer.message:
        found.append(answer.message)
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
