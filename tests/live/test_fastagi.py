"""What only FastAGI has: routes, limits, and every moment at which a call or a server may end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Final, get_args

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.runner import TestSuite

from tests.live.fixture import live_suite
from tests.live.scripted import ScriptedCalls
from txasterisk.agi import AGISession, FastAGIFactory, OnHangup, Script
from txasterisk.errors import AsteriskError, CommandFailed, Disconnected, HungUp
from txasterisk.testing.contract.place import SOON

#: A script of all sorts of commands: some last, some play, some may be done after a hangup.
COMMANDS: Final[tuple[Callable[[AGISession], Deferred[Any]], ...]] = (
    lambda call: call.answer(),
    lambda call: call.set_variable("COLOUR", "green"),
    lambda call: call.stream_file("beep"),
    lambda call: call.get_variable("COLOUR"),
    lambda call: call.wait_for_digit(0.2),
    lambda call: call.exec("Wait", "0.2"),
    lambda call: call.get_data("", 0.2),
    lambda call: call.get_full_variable("${COLOUR}"),
    lambda call: call.gosub("txasterisk", "routine"),
    lambda call: call.command("GET VARIABLE"),
    lambda call: call.say_digits("1"),
)


class FastAGICalls(ScriptedCalls):
    """Calls of a real Asterisk over FastAGI."""

    timeout = 120

    async def place_call(self, path: str) -> None:
        """Have somebody call the script for a path."""
        await self.call(
            self.ami,
            "answer",
            Context="txasterisk",
            Exten="agi",
            Priority=1,
            Variable={"AGI_PATH": path},
        )

    def told(self, path: str) -> Deferred[tuple[str, str]]:
        """Wait for what the dialplan finds when it goes on after the script for a path."""
        done = self.ami.next("UserEvent", UserEvent="AGIDone", Path=path, timeout=SOON)
        return done.addCallback(lambda event: (event["Status"], event["Ended"]))


class RoutesContract(FastAGICalls):
    """Which script answers, and what the dialplan is told if none does."""

    async def test_parameters_and_query(self) -> None:
        """A path has names, and a query behind it."""
        found: Deferred[object] = Deferred()

        async def greet(call: AGISession) -> None:
            found.callback((call.parameters, call.environment.query))

        self.server.route("/greet/{name}/{how}", greet)
        path = "greet/b%C3%B6b%2Feve/well?loud=1&loud=2&x="
        told = self.told(path)
        await self.place_call(path)
        parameters, query = {"name": "böb/eve", "how": "well"}, {"loud": ["1", "2"], "x": [""]}
        self.assertEqual(await self.soon(found), (parameters, query))
        self.assertEqual(await told, ("SUCCESS", "SUCCESS"))

    async def test_no_script(self) -> None:
        """A path that no script is for is told as such."""
        told = self.told("nosuch")
        await self.place_call("nosuch")
        self.assertEqual(await told, ("FAILURE", "NOTFOUND"))

    async def test_one_call_too_many_for_a_route(self) -> None:
        """The one too many is told so; then there is room again."""
        began, go_on = Deferred[None](), Deferred[None]()

        async def hold(call: AGISession) -> None:
            began.callback(None)
            await go_on

        self.server.route("/hold/{x}", hold, limit=1)
        first, second = self.told("hold/1"), self.told("hold/2")
        await self.place_call("hold/1")
        await self.soon(began)
        await self.place_call("hold/2")
        self.assertEqual(await second, ("FAILURE", "BUSY"))
        go_on.callback(None)
        self.assertEqual(await first, ("SUCCESS", "SUCCESS"))
        began = Deferred()
        third = self.told("hold/3")
        await self.place_call("hold/3")
        self.assertEqual(await third, ("SUCCESS", "SUCCESS"))

    async def test_one_call_too_many_for_the_server(self) -> None:
        """All routes together have a limit, too."""
        began, go_on = Deferred[None](), Deferred[None]()

        async def hold(call: AGISession) -> None:
            began.callback(None)
            await go_on

        self.server = FastAGIFactory({"/hold": hold, "/other": AGISession.answer}, sessions=1)
        self.place.serve_agi(self.server)
        first, second = self.told("hold"), self.told("other")
        await self.place_call("hold")
        await self.soon(began)
        await self.place_call("other")
        self.assertEqual(await second, ("FAILURE", "BUSY"))
        go_on.callback(None)
        self.assertEqual(await first, ("SUCCESS", "SUCCESS"))


class HangupContract(FastAGICalls):
    """A call ends at every moment, and every script goes on with the right replies."""

    async def test_at_each_command(self) -> None:
        """Before each command and within it, with each way to be told."""
        ends: list[Deferred[Any]] = []
        places = list(product(get_args(OnHangup), range(len(COMMANDS)), ("before", "within")))
        for on_hangup, number, place in places:
            end: Deferred[Any] = Deferred()
            ends.append(end)
            path = f"{on_hangup}/{number}/{place}"
            self.server.route(path, self.hung_up_at(number, place, end), on_hangup=on_hangup)
            await self.place_call(path)
        for where, end in zip(places, ends, strict=True):
            told = await self.soon(end)
            self.assertIn(told, ([CancelledError], []) if where[0] == "cancel" else ([],), where)

    def hung_up_at(self, number: int, place: str, end: Deferred[Any]) -> Script:
        """
        Return a script whose call is hung up at one of its commands.

        :param end: fires with the cancellations that it was told, or with what was wrong.
        """

        async def script(call: AGISession) -> None:
            try:
                told = await self.run_commands(call, number, place)
                await self.clean_up(call)
            except BaseException as error:
                told = [error]
            end.callback(told)

        return script

    async def run_commands(self, call: AGISession, number: int, place: str) -> list[Any]:
        """Run all commands, whatever becomes of the call."""
        cancelled = []
        for at, command in enumerate(COMMANDS):
            try:
                if at == number and place == "before":
                    await self.hang_up(call)
                running = command(call)
                if at == number and place == "within":
                    self.hang_up(call)
                await running
            except CancelledError:
                cancelled.append(CancelledError)
            except (HungUp, CommandFailed):
                pass
        return cancelled

    async def clean_up(self, call: AGISession) -> None:
        """Do what may be done after the hangup, and see that every reply is the right one."""
        if not call.hung_up:
            await call.when_hung_up()
        for token in "abc":
            await call.set_variable("TOKEN", token)
            self.assertEqual(await call.get_variable("TOKEN"), token)
            self.assertEqual(await call.get_full_variable("${TOKEN}"), token)
            self.assertIsNone(await call.get_variable("NOSUCH"))

    def hang_up(self, call: AGISession) -> Deferred[Any]:
        """Have the caller hang up."""
        return self.ami.hangup(channel=call.environment.channel, timeout=SOON)

    async def test_among_refusals(self) -> None:
        """Between usage texts of many lines, none of which is taken for another's."""

        async def script(call: AGISession) -> list[str]:
            await call.answer()
            asked = [call.command("GET VARIABLE") for _ in range(200)]
            self.hang_up(call)
            refusals = [str(await self.failing(CommandFailed, each)) for each in asked]
            await self.clean_up(call)
            return refusals

        refusal = "GET VARIABLE: 520 Invalid command syntax.  Proper usage follows:"
        self.assertEqual(set(await self.run_script(script)), {refusal})

    async def test_a_session_that_begins_dead(self) -> None:
        """In the extension ``h`` the call is over, which a command tells that needs it."""

        async def script(call: AGISession) -> object:
            begun = call.hung_up, await call.get_variable("EXTEN")
            await self.failing(HungUp, call.stream_file("beep"))
            await self.clean_up(call)
            return begun, call.hung_up

        port = await self.ami.action("Getvar", {"Variable": "FASTAGI_PORT"})
        url = f"agi://127.0.0.1:{port['Value']}/test"
        await self.extend("s", ("Answer", ""), ("Hangup", ""), context="dead")
        await self.extend("h", ("AGI", url), context="dead")
        result = self.script_at("test", script)
        await self.call(self.ami, "answer", Context="dead", Exten="s", Priority=1)
        self.assertEqual(await self.soon(result), ((False, "h"), True))

    async def test_a_session_within_another(self) -> None:
        """``EXEC AGI`` has a session of its own; a hangup ends it, and then the outer one."""
        began = Deferred[None]()

        async def inner(call: AGISession) -> bool:
            began.callback(None)
            await self.failing(HungUp, call.wait_for_digit(60))
            await self.clean_up(call)
            return call.hung_up

        async def outer(call: AGISession) -> None:
            port = await call.get_variable("FASTAGI_PORT")
            running = call.exec("AGI", f"agi://127.0.0.1:{port}/inner")
            await began
            self.hang_up(call)
            await self.failing(HungUp, running)
            await self.clean_up(call)

        within = self.script_at("inner", inner)
        await self.run_script(outer)
        self.assertTrue(await within)

    def script_at(self, path: str, script: Script) -> Deferred[Any]:
        """Have a script answer the calls for a path; fires with what it returns."""
        result: Deferred[Any] = Deferred()

        async def run(call: AGISession) -> None:
            try:
                result.callback(await script(call))
            except BaseException as error:
                result.errback(error)

        self.server.route(path, run, on_hangup="tell")
        return result

    async def test_without_a_notice_at_the_end_of_the_session(self) -> None:
        """With ``AGISIGHUP=no`` and ``AGIEXITONHANGUP=yes`` Asterisk just closes."""

        async def script(call: AGISession) -> object:
            waiting = call.wait_for_digit(60)
            self.hang_up(call)
            ends = [type(await self.failing(AsteriskError, waiting))]
            ends.append(type(await self.failing(Disconnected, call.get_variable("X"))))
            ends.append(type(await self.failing(Disconnected, call.when_hung_up())))
            return ends

        extension = (("Set", "AGISIGHUP=no"), ("Set", "AGIEXITONHANGUP=yes"))
        port = await self.ami.action("Getvar", {"Variable": "FASTAGI_PORT"})
        agi = ("AGI", f"agi://127.0.0.1:{port['Value']}/test")
        await self.extend("silent", ("Answer", ""), *extension, agi)
        result = self.script_at("test", script)
        await self.call(self.ami, "answer", Context="txasterisk", Exten="silent", Priority=1)
        self.assertEqual(await self.soon(result), [CommandFailed, Disconnected, Disconnected])


class KilledContract(FastAGICalls):
    """Asterisk itself is gone."""

    async def test_sigkill(self) -> None:
        """A script learns of it at once, whatever it awaits; later calls are answered."""
        began: Deferred[None] = Deferred()
        ends: list[type] = []

        async def script(call: AGISession) -> None:
            waiting = call.wait_for_digit(60)
            hung_up = call.when_hung_up()
            began.callback(None)
            ends.append(type(await self.failing(Disconnected, Deferred())))
            for each in waiting, hung_up, call.noop():
                ends.append(type(await self.failing(Disconnected, each)))

        self.server.route("/test", script)
        self.server.route("/again", AGISession.answer)
        await self.place_call("test")
        await self.soon(began)
        await self.place.kill()
        await self.soon(self.server.when_idle())
        self.assertEqual(ends, [Disconnected] * 4)
        await self.place.restart()
        self.ami = await self.log_in()
        again = self.told("again")
        await self.place_call("again")
        self.assertEqual(await again, ("SUCCESS", "SUCCESS"))


class Calls22Tests(RoutesContract, HangupContract, KilledContract):
    """Asterisk 22."""

    version = "22"


class Calls16Tests(RoutesContract, HangupContract, KilledContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Calls22Tests, Calls16Tests)
