"""Calls on a real Asterisk that a script of the test answers by FastAGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from twisted.internet.defer import Deferred

from tests.live.fixture import LivePlace
from txasterisk.agi import AGISession, FastAGIFactory
from txasterisk.testing import contract
from txasterisk.testing.contract.place import SOON

__all__ = ["ScriptedCalls", "other_half"]

#: A key takes a tenth of a second, and is followed by a pause.
BETWEEN_KEYS: Final = 0.4

T = TypeVar("T")


class ScriptedCalls(contract.AsteriskContract):
    """
    Places calls, and is there to answer them.

    :ivar caller: the extension that a caller is, if nothing else is said.
    """

    caller = "answer"
    version: str

    def make_asterisk(self) -> contract.Place:
        return LivePlace(self.version)

    def make_server(self) -> FastAGIFactory:
        """Return what answers."""
        return FastAGIFactory()

    async def set_up(self) -> None:
        await super().set_up()
        self.ami = await self.log_in()
        self.server = self.make_server()
        self.place.serve_agi(self.server)

    async def extend(
        self, extension: str, *steps: tuple[str, str], context: str = "txasterisk"
    ) -> None:
        """Add an extension to the dialplan."""
        for priority, (application, data) in enumerate(steps, 1):
            await self.ami.dialplan_extension_add(
                context=context,
                extension=extension,
                priority=priority,
                application=application,
                application_data=data,
                replace=True,
                timeout=SOON,
            )

    async def run_script(
        self, script: Callable[[AGISession], Awaitable[T]], path: str = "test", caller: str = ""
    ) -> T:
        """
        Have a call answered by a script, which goes on after a hangup.

        :param caller: the extension that the caller is.
        :return: what the script returns.
        """
        result: Deferred[T] = Deferred()

        async def run(session: AGISession) -> None:
            try:
                result.callback(await script(session))
            except BaseException as error:
                result.errback(error)

        self.server.route(path, run, on_hangup="tell")
        await self.call(
            self.ami,
            caller or self.caller,
            Context="txasterisk",
            Exten="agi",
            Priority=1,
            Variable={"AGI_PATH": path},
        )
        return await self.soon(result)

    async def press(self, session: AGISession, keys: str) -> None:
        """Have the caller, who is the other half of the channel, press some keys."""
        for key in keys:
            await self.ami.play_dtmf(channel=other_half(session), digit=key, timeout=SOON)
            await self.pause(BETWEEN_KEYS)


def other_half(session: AGISession) -> str:
    """Return the name of the caller's half of a local channel."""
    return session.environment.channel.removesuffix("1") + "2"
