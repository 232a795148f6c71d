"""AsyncAGI of a real Asterisk, as far as the fake does not play it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.runner import TestSuite

from tests.live.fixture import LOOPBACK, LivePlace, asterisk, live_suite
from tests.live.telephone import Telephone
from txasterisk.agi import AGISession, AsyncAGI
from txasterisk.errors import CommandFailed, HungUp
from txasterisk.testing import contract


class AsyncAGIOnChannels(contract.AsteriskContract):
    """Channels of telephones, of which one takes the other's place."""

    version: str

    def make_asterisk(self) -> contract.Place:
        return LivePlace(self.version)

    async def set_up(self) -> None:
        """Log in, and have a telephone."""
        await super().set_up()
        self.ami = await self.log_in()
        self.telephone = Telephone(asterisk(self.version).ports["sip"])
        port: Any = self.reactor.listenUDP(0, self.telephone, interface=LOOPBACK)
        self.addCleanup(port.stopListening)

    async def replace_channel(self, waiting: Any, **login: Any) -> list[object]:
        """
        Have a telephone take over its own call while a script waits.

        :param waiting: what the script does meanwhile.
        :return: what that gave, the id that the call had, the id that it has now, and how the
            script learned that it had hung up.
        """
        began: Deferred[None] = Deferred()
        replaced: Deferred[None] = Deferred()
        result: Deferred[list[object]] = Deferred()

        async def script(session: AGISession) -> None:
            await session.answer()
            began.callback(None)
            first, was = await waiting(session, replaced), session.environment.uniqueid
            now = await session.get_variable("UNIQUEID")
            await session.hangup()
            await self.failing(HungUp, Deferred())
            result.callback([first, was, now, session.hung_up])

        calls = AsyncAGI(await self.log_in(**login), default=script)
        calls.start()
        calling = Deferred.fromCoroutine(self.telephone.call("asyncagi"))
        await self.soon(began)
        dialog = await self.soon(calling)
        taking_over = self.telephone.call("asyncagi", instead_of=dialog)
        await self.soon(Deferred.fromCoroutine(taking_over))
        replaced.callback(None)
        found = await self.soon(result)
        await self.soon(calls.drain(5))
        return found

    async def test_replaced_between_commands(self) -> None:
        """A script goes on with the telephone that has taken the place of the first one."""

        async def waiting(_: AGISession, replaced: Deferred[None]) -> None:
            await replaced

        for login in {}, {"events": "agi"}:
            _, was, now, hung_up = await self.replace_channel(waiting, **login)
            self.assertNotEqual(was, now)
            self.assertTrue(hung_up)

    async def test_replaced_during_a_command(self) -> None:
        """A command goes on, too."""

        async def waiting(session: AGISession, _: Deferred[None]) -> str | None:
            return await session.wait_for_digit(2)

        key, was, now, hung_up = await self.replace_channel(waiting)
        self.assertIsNone(key)
        self.assertNotEqual(was, now)
        self.assertTrue(hung_up)

    async def test_long_usage(self) -> None:
        """A usage text that one event does not hold comes whole."""
        result: Deferred[list[str]] = Deferred()

        async def script(session: AGISession) -> None:
            wrong = session.command("CONTROL STREAM FILE")
            error: Any = await self.failing(CommandFailed, wrong)
            result.callback([error.reply.tail, str(await session.get_variable("EXTEN"))])

        calls = AsyncAGI(self.ami, default=script)
        calls.start()
        await self.call(self.ami, "asyncagi")
        usage, extension = await self.soon(result)
        self.assertGreater(len(usage), 1024)
        self.assertEqual(usage.split("\n")[-1], "520 End of proper usage.")
        self.assertEqual(extension, "asyncagi")
        await self.soon(calls.when_idle())


class AsyncAGI22Tests(AsyncAGIOnChannels):
    """AsyncAGI of Asterisk 22."""

    version = "22"


class AsyncAGI16Tests(AsyncAGIOnChannels):
    """AsyncAGI of Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(AsyncAGI22Tests, AsyncAGI16Tests)
