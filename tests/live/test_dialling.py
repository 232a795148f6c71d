"""Calls that an AGI script places with ``dial``, with real Asterisk 22 and 16."""

from __future__ import annotations

from typing import Any

from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.agi import AGISession, Dialled
from txasterisk.errors import HungUp
from txasterisk.testing.contract.place import SOON
from txasterisk.testing.contract.scripted import OverAsyncAGI, ScriptedContract


class DialContract(ScriptedContract):
    """What a script finds after a call to others."""

    timeout = 60

    async def dial(self, *destinations: str, **options: Any) -> Dialled:
        """Dial in a script, and see that its caller is still there."""

        async def script(session: AGISession) -> Dialled:
            await session.answer()
            dialled = await session.dial(*destinations, **options)
            await session.channel_status()
            return dialled

        return await self.run_script(script)

    async def test_answered(self) -> None:
        """The script goes on when the other end has hung up, and is told who that was."""
        dialled = await self.dial("Local/hangup@txasterisk")
        self.assertEqual(dialled, Dialled("ANSWER", 16, None, "hangup@txasterisk"))

    async def test_time_of_talking(self) -> None:
        """It is told of a caller whom nobody has answered before, and only the first time."""

        async def script(session: AGISession) -> list[object]:
            await self.pause(1)
            begun = self.reactor.seconds()
            first = await session.dial("Local/hangup@txasterisk/n")
            passed = self.reactor.seconds() - begun
            second = await session.dial("Local/hangup@txasterisk/n")
            return [0 < (first.answered_seconds or 0) <= passed, second.answered_seconds]

        self.assertEqual(await self.run_script(script), [True, None])

    async def test_busy(self) -> None:
        """Nobody talked."""
        dialled = await self.dial("Local/busy@txasterisk")
        self.assertEqual(dialled, Dialled("BUSY", None, 0.0, None))

    async def test_congestion(self) -> None:
        """Nobody talked."""
        dialled = await self.dial("Local/congestion@txasterisk")
        self.assertEqual(dialled, Dialled("CONGESTION", None, 0.0, None))

    async def test_not_in_time(self) -> None:
        """It rings no longer than it may."""
        dialled = await self.dial("Local/noanswer@txasterisk", timeout=0.5)
        self.assertEqual(dialled, Dialled("NOANSWER", None, 0.0, None))

    async def test_nobody_there(self) -> None:
        """Asterisk says why."""
        dialled = await self.dial("PJSIP/nosuch")
        self.assertEqual(dialled, Dialled("CHANUNAVAIL", 3, 0.0, None))
        dialled = await self.dial("NoSuchTechnology/x")
        self.assertEqual(dialled, Dialled("CHANUNAVAIL", 66, 0.0, None))

    async def test_several(self) -> None:
        """All are called at once, and who answers has the call."""
        dialled = await self.dial("Local/noanswer@txasterisk", "Local/hangup@txasterisk")
        self.assertEqual((dialled.status, dialled.peer), ("ANSWER", "hangup@txasterisk"))

    async def test_after_another_call(self) -> None:
        """What is told is of the last one."""

        async def script(session: AGISession) -> list[Dialled]:
            await session.answer()
            return [
                await session.dial("Local/hangup@txasterisk"),
                await session.dial("Local/noanswer@txasterisk", timeout=1),
                await session.dial("Local/busy@txasterisk"),
                await session.dial("nosuch"),
            ]

        answered, *others = await self.run_script(script)
        self.assertEqual((answered.status, answered.cause), ("ANSWER", 16))
        expected = [
            Dialled("NOANSWER", None, 0.0, None),
            Dialled("BUSY", None, 0.0, None),
            Dialled("INVALIDARGS", None, 0.0, None),
        ]
        self.assertEqual(others, expected)

    async def hang_up_during(self, extension: str, event: str) -> None:
        """Hang up the caller when AMI tells of this, and expect that the verb fails."""

        async def script(session: AGISession) -> bool:
            await session.answer()
            dialling = session.dial(f"Local/{extension}@txasterisk/n")
            await self.failing(HungUp, dialling)
            return session.hung_up

        result = self.script(script)
        begun = self.ami.next(
            "AGIExecStart", Command=lambda line: line.startswith("EXEC"), timeout=SOON
        )
        await self.call_script(**self.IDS)
        await begun
        await self.ami.next(event, timeout=SOON)
        await self.ami.hangup(channel="two", timeout=SOON)
        self.assertTrue(await result)

    async def test_hangup_while_it_rings(self) -> None:
        """The verb fails."""
        await self.hang_up_during("noanswer", "DialBegin")

    async def test_hangup_while_they_talk(self) -> None:
        """The verb fails."""
        await self.hang_up_during("answer", "BridgeEnter")


class Live22(ScriptedContract):
    """A real Asterisk 22."""

    def make_asterisk(self) -> LivePlace:
        return LivePlace("22")


class Live16(ScriptedContract):
    """A real Asterisk 16."""

    def make_asterisk(self) -> LivePlace:
        return LivePlace("16")


class Dial22Tests(Live22, DialContract):
    """FastAGI of Asterisk 22."""


class Dial16Tests(Live16, DialContract):
    """FastAGI of Asterisk 16."""


class AsyncDial22Tests(Live22, OverAsyncAGI, DialContract):
    """AsyncAGI of Asterisk 22."""


class AsyncDial16Tests(Live16, OverAsyncAGI, DialContract):
    """AsyncAGI of Asterisk 16."""


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Dial22Tests, Dial16Tests, AsyncDial22Tests, AsyncDial16Tests)
