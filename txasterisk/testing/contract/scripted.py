"""Calls that scripts answer, whatever brings them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from twisted.internet.defer import Deferred

from ...agi import AGISession, AsyncAGI, FastAGIFactory
from ...ami import Event
from .place import SOON, AsteriskContract

__all__ = ["OverAsyncAGI", "Script", "ScriptedContract"]

T = TypeVar("T")
Script = Callable[[AGISession], Coroutine[Any, Any, T]]


class ScriptedContract(AsteriskContract):
    """
    Has scripts that answer the calls of an extension, by default over FastAGI.

    :cvar extension: the extension.
    """

    IDS: ClassVar = {"ChannelId": "one", "OtherChannelId": "two"}

    extension = "agi"

    async def set_up(self) -> None:
        await super().set_up()
        self.ami = await self.log_in()
        self.server = self.make_server()

    def make_server(self) -> FastAGIFactory | AsyncAGI:
        """Return what is told of the scripts."""
        server = FastAGIFactory(clock=self.reactor)
        self.place.serve_agi(server)
        return server

    def script(
        self,
        script: Script[T],
        path: str = "test",
        server: FastAGIFactory | AsyncAGI | None = None,
        **options: Any,
    ) -> Deferred[T]:
        """Have a script answer the calls for a path; fires with what it returns."""
        result: Deferred[T] = Deferred()

        async def run(session: AGISession) -> None:
            try:
                value = await script(session)
            except BaseException as error:
                result.errback(error)
                raise
            result.callback(value)

        (server or self.server).route(path, run, **options)
        return self.soon(result)

    async def call_script(self, path: str = "test", **headers: Any) -> Event | None:
        """Call the extension that has the script for this path; tell how it began, if known."""
        await self.call(self.ami, self.extension, Variable={"__AGI_PATH": path}, **headers)
        return None

    async def run_script(self, script: Script[T]) -> T:
        """Call a script and return what it returns."""
        result = self.script(script)
        await self.call_script()
        return await result

    def done(self) -> Deferred[Event]:
        """Wait for what the dialplan says after the script."""
        return self.ami.next("UserEvent", UserEvent="AGIDone", timeout=SOON)

    async def dial_in(
        self, script: Script[T], digits: str = "", after: float = 0.3, path: str = "test"
    ) -> T:
        """Have a caller who presses these keys come to a script; return what that returns."""
        result = self.script(script, path)
        await self.call(
            self.ami,
            "digits",
            Context="txasterisk",
            Exten=self.extension,
            Priority=1,
            Variable={"__DIGITS": digits, "__DIGITS_AFTER": str(after), "AGI_PATH": path},
        )
        return await result


class OverAsyncAGI(ScriptedContract):
    """Has the scripts answer over AsyncAGI."""

    extension = "asyncagi"

    def make_server(self) -> AsyncAGI:
        server = AsyncAGI(self.ami, clock=self.reactor)
        server.start()
        self.addCleanup(lambda: server.drain(0))
        return server
