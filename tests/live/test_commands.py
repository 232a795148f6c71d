"""Every AGI command, asked for by its verb on a real Asterisk."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults, succeed
from twisted.internet.interfaces import IAddress
from twisted.trial.runner import TestSuite

from tests.live import seen_commands as seen
from tests.live.fixture import live_suite
from tests.live.scripted import ScriptedCalls, other_half
from tests.live.seen_commands import Asked, Meanwhile
from txasterisk.agi import (
    AGISession,
    Command,
    Environment,
    FastAGIFactory,
    FastAGIProtocol,
    Reply,
)
from txasterisk.errors import AsteriskError
from txasterisk.testing.contract.place import SOON

#: With this, what is seen is written onto the page instead of compared with it.
RECORD: Final = os.environ.get("TXASTERISK_RECORD") == "1"

#: So many calls are made at once.
CALLS: Final = 16

#: What a caller says who says nothing, and one who says something.
SILENCE: Final = "silence/10&silence/10"


class OverheardSession(AGISession):
    """A session that remembers what was answered."""

    def __init__(self, carrier: Overheard, environment: Environment) -> None:
        super().__init__(carrier, environment)
        self.carrier = carrier
        self.heard: list[Reply] = []


class Overheard(FastAGIProtocol):
    """A connection whose session remembers."""

    def send(self, command: Command) -> Deferred[Reply]:
        """Send a command, and remember its answer."""
        return super().send(command).addCallback(self._remember)

    def _described(self, environment: Environment) -> AGISession:
        super()._described(environment)
        self._overheard = OverheardSession(self, environment)
        return self._overheard

    def _remember(self, reply: Reply) -> Reply:
        self._overheard.heard.append(reply)
        return reply


class OverheardFactory(FastAGIFactory):
    """Answers with such connections."""

    def buildProtocol(self, addr: IAddress | None) -> Overheard:
        """Make one."""
        return Overheard(self)


class CommandsContract(ScriptedCalls):
    """What a call can be asked for."""

    timeout = 120

    def make_server(self) -> FastAGIFactory:
        return OverheardFactory()

    async def set_up(self) -> None:
        await super().set_up()
        await self.extend("silent", ("Answer", ""), ("Playback", SILENCE))
        await self.extend("returns", ("Return", "${ARG1}"), context=seen.ROUTINES)
        await self.extend("leaves", ("NoOp", ""), context=seen.ROUTINES)
        await self.extend("waits", ("Wait", "10"), ("Return", ""), context=seen.ROUTINES)

    async def test_every_command_answers_as_the_page_tells(self) -> None:
        """Each command gets the replies that ``docs/agi-commands.rst`` has."""
        turns = DeferredSemaphore(CALLS)
        calls = [
            turns.run(self.see, f"seen-{number}", scene)
            for number, scene in enumerate(scenes(seen.asked()))
        ]
        table: dict[tuple[str, str], str] = {}
        for found in await gatherResults(calls, consumeErrors=True):
            table |= found
        table = {each.question: table[each.question] for each in seen.asked()}
        if RECORD:
            seen.PAGE.write(table, self.version)
        wrong = seen.PAGE.differences(table, self.version)
        if wrong:
            self.fail(f"docs/agi-commands.rst tells otherwise:\n{wrong}")

    def see(self, path: str, scene: list[Asked]) -> Deferred[dict[tuple[str, str], str]]:
        """Ask for some commands in one call, and tell what they did."""

        async def script(session: AGISession) -> dict[tuple[str, str], str]:
            assert isinstance(session, OverheardSession)
            if scene[0].after_hangup:
                await session.hangup()
                await session.when_hung_up()
            return {each.question: await self.ask(session, each) for each in scene}

        meanwhile = scene[0].meanwhile
        caller = "silent" if meanwhile and meanwhile.what == "silent" else "answer"
        return Deferred.fromCoroutine(self.run_script(script, path, caller))

    async def ask(self, session: OverheardSession, each: Asked) -> str:
        """Ask for a command, with what happens meanwhile, and tell what it did."""
        asking: AGISession = session
        if each.after_hangup:
            # A session that knows nothing of the hangup asks all the same.
            asking = AGISession(session.carrier, session.environment)
        already = len(session.heard)
        happened = self.let_happen(session, each.meanwhile)
        outcome: object
        try:
            outcome = await getattr(asking, each.verb)(*each.arguments, **dict(each.options))
        except AsteriskError as error:
            outcome = error
        await happened
        return seen.told(session.heard[already], outcome)

    def let_happen(self, session: AGISession, meanwhile: Meanwhile | None) -> Deferred[None]:
        """Let something happen a while after the next command has begun."""
        if meanwhile is None or meanwhile.what == "silent":
            return succeed(None)
        channel = session.environment.channel
        begun = self.ami.next("AGIExecStart", Channel=channel, timeout=SOON)
        begun.addCallback(lambda _: self.pause(meanwhile.after))
        return begun.addCallback(lambda _: Deferred.fromCoroutine(self.happen(session, meanwhile)))

    async def happen(self, session: AGISession, meanwhile: Meanwhile) -> None:
        """Let the caller or AMI do something."""
        channel = session.environment.channel
        match meanwhile.what:
            case "pressed":
                await self.press(session, meanwhile.which)
            case "written":
                await self.ami.send_text(
                    channel=other_half(session), message=meanwhile.which, timeout=SOON
                )
            case "controlled":
                await self.ami.control_playback(channel=channel, control="stop", timeout=SOON)
            case "hung up":
                await self.ami.hangup(channel=channel, timeout=SOON)


def scenes(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Tell what can be asked in one call: what nobody disturbs, and is about the same."""
    undisturbed: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        if each.meanwhile is not None:
            yield [each]
        elif each.after_hangup:
            undisturbed["after the hangup"].append(each)
        else:
            undisturbed[each.command.split()[0]].append(each)
    yield from undisturbed.values()


class Commands22Tests(CommandsContract):
    """Asterisk 22."""

    version = "22"


class Commands16Tests(CommandsContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Commands22Tests, Commands16Tests)
