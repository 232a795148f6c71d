"""What the contract says of AsyncAGI."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from ...agi import AGISession, AsyncAGI, AsyncAGIService, FastAGIFactory
from ...ami import AMIProtocol, AMIService, Event
from ...errors import (
    ActionFailed,
    AsteriskError,
    CommandFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
)
from .place import CHANNEL, SOON
from .scripted import OverAsyncAGI, Script

__all__ = ["AsyncAGIContract"]

T = TypeVar("T")

#: Asterisk takes so many bytes of an answer at once, the line end and what is around it included.
READING: Final = 1024
AROUND_VALUE: Final = len("200 result=1 ()\n")
#: Values of each length modulo 3, by which base64 ends in another way.
_ENDINGS: Final = tuple("${A}${A}${A}${A}" + end for end in ("", "x", "xy"))


class AsyncAGIContract(OverAsyncAGI):
    """AsyncAGI, with AMI as the one who says what to do."""

    server: AsyncAGI

    async def call_script(self, path: str = "test", **headers: Any) -> Event:
        """Call the extension that waits for the script of this path; return how that began."""
        began = self.ami.next("AsyncAGIStart", timeout=SOON)
        await super().call_script(path, **headers)
        return await began

    async def answered(self, script: Script[T], **headers: Any) -> tuple[str, Deferred[T]]:
        """Call a script and wait until it has done one command."""
        began: Deferred[None] = Deferred()

        async def run(session: AGISession) -> T:
            await session.answer()
            began.callback(None)
            return await script(session)

        result = self.script(run)
        start = await self.call_script(**headers)
        await self.soon(began)
        return start["Uniqueid"], result

    def told(self, variable: str, ami: AMIProtocol | None = None) -> Deferred[Event]:
        """Wait until the dialplan is told something."""
        return (ami or self.ami).next("VarSet", Variable=variable, timeout=SOON)

    async def hang_up(self, channel: str) -> None:
        """Hang up a channel."""
        await self.ami.hangup(channel=channel, timeout=SOON)

    async def redirect(self, channel: str) -> None:
        """Send a channel elsewhere in the dialplan."""
        await self.ami.redirect(
            channel=channel, context="txasterisk", exten="answer", priority="1", timeout=SOON
        )

    # Calls

    async def test_environment(self) -> None:
        """The program is told who calls, where in the dialplan it is, and what for."""

        async def script(session: AGISession) -> Any:
            return session.environment, dict(session.parameters)

        result = self.script(script, "greet/{name}")
        await self.call_script("greet/bob?loud=1,one", CallerID='"Bob" <1234>', **self.IDS)
        environment, parameters = await result
        self.assertEqual(environment.anomalies, ())
        self.assertEqual((environment.path, parameters), ("/greet/bob", {"name": "bob"}))
        self.assertEqual((environment.query, environment.arguments), ({"loud": ["1"]}, ("one",)))
        self.assertEqual((environment.calleridname, environment.callerid), ("Bob", "1234"))
        self.assertEqual((environment.context, environment.extension), ("txasterisk", "asyncagi"))
        self.assertEqual((environment.priority, environment.uniqueid), ("1", "two"))
        self.assertEqual((environment.type, environment.language), ("Local", "en"))
        self.assertIsNone(environment.dnid)

    async def test_script(self) -> None:
        """A script with a bit of everything runs to its end, and the dialplan goes on."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            await session.verbose("hello", 3)
            await session.noop()
            await session.set_variable("COLOUR", 'b"l,u\\e')
            return [
                await session.get_variable("COLOUR"),
                await session.get_full_variable("${COLOUR}-${EXTEN}-${EXTEN:1}-${NOSUCH}"),
                await session.get_variable("EXTEN"),
                await session.get_variable("NOSUCH"),
                await session.get_variable("CHANNEL(state)"),
                await session.stream_file("beep"),
                await session.wait_for_digit(0.1),
                await session.get_data("beep", 0.1, 2),
                await session.exec("Wait", "0.1"),
                await session.exec("Set", "SHAPE=round"),
                await session.get_variable("SHAPE"),
            ]

        done = self.done()
        status = self.told("TXASTERISK_STATUS")
        self.assertEqual(
            await self.run_script(script),
            [
                'b"l,u\\e',
                'b"l,u\\e-asyncagi-syncagi-',
                "asyncagi",
                None,
                "Up",
                (None, 3520),
                None,
                ("", True),
                0,
                0,
                "round",
            ],
        )
        event = await done
        self.assertEqual((event["Status"], event["Path"]), ("SUCCESS", "test"))
        self.assertEqual((await status)["Value"], "SUCCESS")

    async def test_commands_at_once(self) -> None:
        """Commands that are not waited for are done in their order, whoever waits for them."""

        async def script(session: AGISession) -> list[object]:
            asked = [session.set_variable("N", number) for number in range(5)]
            read = session.get_variable("N")
            await DeferredList(asked)
            forgotten = session.set_variable("N", "last")
            del forgotten
            return [await read, await session.get_variable("N")]

        self.assertEqual(await self.run_script(script), ["4", "last"])

    async def test_given_up(self) -> None:
        """A command that is given up is not sent, or its answer goes to nobody."""

        async def script(session: AGISession) -> list[object]:
            sent, waiting = session.exec("Wait", "0.3"), session.set_variable("A", "b")
            waiting.cancel()
            await self.failing(CancelledError, waiting)
            sent.cancel()
            await self.failing(CancelledError, sent)
            return [await session.get_variable("A"), await session.get_variable("EXTEN")]

        self.assertEqual(await self.run_script(script), [None, "asyncagi"])

    async def test_wrong_commands(self) -> None:
        """What Asterisk refuses fails, and ends nothing."""

        async def script(session: AGISession) -> list[str]:
            errors: list[Any] = [
                await self.failing(CommandFailed, session.command("BOGUS")),
                await self.failing(CommandFailed, session.command("SET VARIABLE", "A")),
                await self.failing(CommandFailed, session.command("STREAM FILE")),
                await self.failing(CommandFailed, session.exec("NoSuchApplication")),
                await self.failing(CommandFailed, session.hangup("nosuch")),
            ]
            await self.failing(LocalProtocolError, session.set_variable("A", "x" * 1000))
            await self.failing(LocalProtocolError, session.set_variable("A", "x\ny"))
            await session.set_variable("A", "x" * 900)
            return [str(error.reply) for error in errors]

        usage = "520 Invalid command syntax.  Proper usage follows:"
        self.assertEqual(
            await self.run_script(script),
            ["510 Invalid or unknown command", usage, usage, "200 result=-2", "200 result=-1"],
        )

    async def test_keys(self) -> None:
        """Keys end a prompt, are collected, and are waited for."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            entered = await session.get_data("demo-congrats", 5, 2)
            key = (await session.stream_file("demo-congrats", "5")).digit
            waited = await session.wait_for_digit(5)
            ended = await session.get_data("", 5)
            late = await session.get_data("", 1.5, 3)
            return [entered, key, waited, ended, late]

        result = self.script(script)
        await self.call(
            self.ami,
            "digits",
            Context="txasterisk",
            Exten="asyncagi",
            Priority=1,
            Variable={"__DIGITS": "12w95w7w34#w8", "__DIGITS_AFTER": "0.3", "AGI_PATH": "test"},
        )
        expected = [("12", False), "5", "7", ("34", False), ("8", True)]
        self.assertEqual(await result, expected)

    async def test_two_calls(self) -> None:
        """Two calls at once have a session each, and their answers do not meet."""
        both: Deferred[None] = Deferred()
        read: dict[str, str | None] = {}

        async def script(session: AGISession) -> None:
            channel = session.environment.channel
            await session.set_variable("WHO", channel)
            read[channel] = None
            if len(read) == 2:
                both.callback(None)
            await both
            for _ in range(3):
                read[channel] = await session.get_variable("WHO")

        self.server.route("both", script)
        await self.call_script("both")
        await self.call_script("both")
        await self.soon(self.server.when_idle())
        self.assertEqual(len(read), 2)
        self.assertEqual(list(read), list(read.values()))

    async def test_again(self) -> None:
        """The same channel may come to a script again, and finds nothing of the first one."""

        async def first(session: AGISession) -> None:
            await session.set_variable("A", "b")

        async def second(session: AGISession) -> str | None:
            return await session.get_variable("A")

        results = self.script(first, "first"), self.script(second, "second")
        start = await self.call_script("first")
        await results[0]
        await self.ami.setvar(channel=start["Uniqueid"], variable="AGI_PATH", value="second")
        await self.ami.redirect(
            channel=start["Uniqueid"], context="txasterisk", exten="asyncagi", priority="1"
        )
        self.assertEqual(await results[1], "b")

    async def test_one_call(self) -> None:
        """A script may answer one call that it was told of, whatever its path."""

        async def script(session: AGISession) -> None:
            seen.append(session.environment.path)

        seen: list[str] = []
        done = self.done()
        start = await self.call_script("nosuch")
        status = await self.soon(self.server.answer(start, script))
        self.assertEqual((status.value, seen), ("SUCCESS", ["/nosuch"]))
        self.assertEqual((await done)["Status"], "SUCCESS")

    # Ends

    async def test_failing_script(self) -> None:
        """A script that raises an error ends AsyncAGI as a failure, and the dialplan is told."""

        async def script(session: AGISession) -> None:
            await session.answer()
            raise ZeroDivisionError

        done, status = self.done(), self.told("TXASTERISK_STATUS")
        result = self.script(script)
        await self.call_script()
        await self.failing(ZeroDivisionError, result)
        self.assertEqual((await status)["Value"], "FAILURE")
        self.assertEqual((await done)["Status"], "FAILURE")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_missing_sound(self) -> None:
        """A sound that is not there fails its command, and ends AsyncAGI."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            over = session.when_hung_up()
            error = await self.failing(CommandFailed, session.stream_file("nosuch"))
            await self.failing(Disconnected, over)
            await self.failing(Disconnected, session.noop())
            return [str(error.reply), session.hung_up]

        done = self.done()
        self.assertEqual(await self.run_script(script), ["200 result=-1 endpos=0", False])
        self.assertEqual((await done)["Status"], "FAILURE")

    async def test_hangup_during_a_command(self) -> None:
        """A hangup ends the command in progress, and nothing can be asked any more."""

        async def script(session: AGISession) -> list[object]:
            await self.failing(HungUp, session.stream_file("demo-congrats"))
            await self.failing(HungUp, session.answer())
            await self.failing(HungUp, session.set_variable("A", "b"))
            return [session.hung_up]

        ended = self.ami.next("UserEvent", UserEvent="AGIHangup", timeout=SOON)
        uniqueid, result = await self.answered(script)
        await self.hang_up(uniqueid)
        self.assertEqual(await result, [True])
        self.assertEqual((await ended)["Status"], "HANGUP")

    async def test_hangup_during_an_application(self) -> None:
        """It makes no difference whether an application runs."""

        async def script(session: AGISession) -> bool:
            await self.failing(HungUp, session.exec("Wait", "20"))
            return session.hung_up

        uniqueid, result = await self.answered(script)
        await self.hang_up(uniqueid)
        self.assertTrue(await result)

    async def test_hangup_between_commands(self) -> None:
        """A hangup is told to a script that waits for something else."""

        async def script(session: AGISession) -> bool:
            await self.failing(HungUp, Deferred())
            return session.hung_up

        uniqueid, result = await self.answered(script)
        await self.hang_up(uniqueid)
        self.assertTrue(await result)

    async def test_hangup_at_each_command(self) -> None:
        """Wherever the caller hangs up, it is told once, and all that was done before was done."""

        async def script(session: AGISession) -> None:
            for number in range(5):
                try:
                    await session.set_variable("N", number)
                except HungUp:
                    told.append(number)
                    raise

        told: list[int] = []
        self.server.route("test", script)
        for number in range(5):
            heard = self.ami.next(
                "AGIExecEnd", timeout=SOON, Command=f'SET VARIABLE "N" "{number}"'
            )
            start = await self.call_script()
            await heard
            await self.hang_up(start["Uniqueid"])
            await self.soon(self.server.when_idle())
        # Each time the next command fails; the last one has none behind it.
        self.assertEqual(told, [1, 2, 3, 4])

    async def test_script_hangs_up(self) -> None:
        """A script may hang up, is told of it, and the call ends with it."""

        async def script(session: AGISession) -> bool:
            hung_up = session.when_hung_up()
            await session.hangup()
            await hung_up
            return session.hung_up

        ended = self.ami.next("Hangup", Uniqueid="two", timeout=SOON)
        _, result = await self.answered(script, **self.IDS)
        self.assertTrue(await result)
        await ended

    async def test_hung_up_before(self) -> None:
        """On a channel that has hung up AsyncAGI is over at once, and its script is told."""

        async def after_the_hangup(session: AGISession) -> None:
            began.callback(None)
            with suppress(HungUp):
                await session.wait_for_digit(20)
            await session.exec("AGI", "agi:async,/dead")

        async def script(session: AGISession) -> bool:
            await self.failing(HungUp, session.noop())
            return session.hung_up

        began: Deferred[None] = Deferred()
        self.place.serve_agi(FastAGIFactory({"/test": after_the_hangup}, clock=self.reactor))
        result = self.script(script, "dead")
        await self.call(self.ami, "agi", Variable={"__AGI_PATH": "test"}, **self.IDS)
        await self.soon(began)
        await self.hang_up("two")
        self.assertTrue(await result)

    async def test_broken_off(self) -> None:
        """When another client ends AsyncAGI, the caller has not hung up."""

        async def script(session: AGISession) -> bool:
            await self.failing(Disconnected, Deferred())
            await self.failing(Disconnected, session.noop())
            return session.hung_up

        done = self.done()
        uniqueid, result = await self.answered(script)
        await self.ami.agi(channel=uniqueid, command="ASYNCAGI BREAK", timeout=SOON)
        self.assertFalse(await result)
        self.assertEqual((await done)["Status"], "SUCCESS")

    async def test_redirected(self) -> None:
        """When the channel is sent elsewhere, the caller has not hung up."""

        async def script(session: AGISession) -> bool:
            await self.failing(Disconnected, Deferred())
            return session.hung_up

        uniqueid, result = await self.answered(script)
        step = self.ami.next("Newexten", Uniqueid=uniqueid, Application="Wait", timeout=SOON)
        await self.redirect(uniqueid)
        self.assertFalse(await result)
        await step

    async def test_redirected_during_a_command(self) -> None:
        """A command in progress fails when the channel is sent elsewhere."""

        async def script(session: AGISession) -> bool:
            await self.failing(AsteriskError, session.wait_for_digit(20))
            await self.failing(Disconnected, session.noop())
            return session.hung_up

        uniqueid, result = await self.answered(script)
        await self.redirect(uniqueid)
        self.assertFalse(await result)

    async def test_taken_away(self) -> None:
        """A channel that leaves AsyncAGI without a word is missed after a while."""

        async def script(session: AGISession) -> bool:
            began.callback(None)
            await self.failing(Disconnected, session.wait_for_digit(40))
            return session.hung_up

        # What was originated runs no dialplan, so that a redirect takes its channel away.
        began: Deferred[None] = Deferred()
        result = self.script(script)
        start = self.ami.next("AsyncAGIStart", timeout=SOON)
        await self.call(self.ami, "answer", Application="AGI", Data="agi:async,/test")
        uniqueid = (await start)["Uniqueid"]
        await self.soon(began)
        await self.redirect(uniqueid)
        self.assertFalse(await result)

    # Who answers

    async def test_left_alone(self) -> None:
        """A call without a script here is left for another program."""

        async def script(session: AGISession) -> str:
            await session.answer()
            return session.environment.path

        other = AsyncAGI(await self.log_in(), clock=self.reactor)
        other.start()
        results = self.script(script, "here"), self.script(script, "there", other)
        await self.call_script("here")
        await self.call_script("there")
        self.assertEqual([await result for result in results], ["/here", "/there"])

    async def test_default(self) -> None:
        """With a default script there is no path without one."""

        async def script(session: AGISession) -> None:
            result.callback(session.environment.path)

        result: Deferred[str] = Deferred()
        calls = AsyncAGI(self.ami, default=script, clock=self.reactor)
        calls.start()
        await self.call_script("whatever")
        self.assertEqual(await self.soon(result), "/whatever")
        await self.soon(calls.drain(SOON))

    async def test_busy(self) -> None:
        """The call that is one too many for a script is given back at once."""

        async def script(_: AGISession) -> None:
            await Deferred()

        first = self.script(script, limit=1)
        await self.call_script()
        status, done = self.told("TXASTERISK_STATUS"), self.done()
        await self.call_script()
        self.assertEqual((await status)["Value"], "BUSY")
        self.assertEqual((await done)["Status"], "FAILURE")
        await self.soon(self.server.drain(0))
        await self.failing(CancelledError, first)

    async def test_drained(self) -> None:
        """Scripts that are not done in time are cancelled, and their calls are given back."""

        async def script(_: AGISession) -> None:
            await Deferred()

        result = self.script(script)
        await self.call_script()
        status, done = self.told("TXASTERISK_STATUS"), self.done()
        draining = self.server.drain(0.1)
        await self.failing(CancelledError, result)
        await self.soon(draining)
        self.assertEqual((await status)["Value"], "FAILURE")
        self.assertEqual((await done)["Status"], "FAILURE")

    async def test_others_commands(self) -> None:
        """What other clients have done on the channel gets nobody's answers mixed up."""

        async def script(session: AGISession) -> list[str | None]:
            uniqueid = session.environment.uniqueid
            for number in range(3):
                await self.ami.agi(channel=uniqueid, command=f"GET VARIABLE N{number}")
                await session.set_variable(f"N{number}", number)
                await self.ami.agi(channel=uniqueid, command="BOGUS", command_id="theirs-1")
            return [await session.get_variable(f"N{number}") for number in range(3)]

        self.assertEqual(await self.run_script(script), ["0", "1", "2"])

    async def test_left_over_commands(self) -> None:
        """What others have left in the queue of a channel is done first, and disturbs nobody."""

        async def script(session: AGISession) -> str | None:
            return await session.get_variable("EXTEN")

        start = await self.call_script("nosuch")
        uniqueid = start["Uniqueid"]
        await self.ami.agi(channel=uniqueid, command="EXEC Wait 0.3", command_id="theirs-1")
        await self.ami.agi(channel=uniqueid, command="NOOP", command_id="theirs-2")
        await self.ami.setvar(channel=uniqueid, variable="AGI_PATH", value="test")
        result = self.script(script)
        await self.ami.redirect(
            channel=uniqueid, context="txasterisk", exten="asyncagi", priority="1"
        )
        self.assertEqual(await result, "asyncagi")

    async def test_narrow_mask(self) -> None:
        """A link that tells of the class ``agi`` only is enough."""
        ami = await self.log_in(events="agi")
        calls = AsyncAGI(ami, clock=self.reactor)
        calls.start()

        async def script(session: AGISession) -> list[object]:
            began.callback(None)
            await self.failing(HungUp, Deferred())
            return [session.hung_up]

        began: Deferred[None] = Deferred()
        result = self.script(script, "narrow", calls)
        start = await self.call_script("narrow")
        await self.soon(began)
        await self.hang_up(start["Uniqueid"])
        self.assertEqual(await result, [True])

    # Long answers

    async def test_long_answers(self) -> None:
        """An answer comes whole, whatever its length, and the next one is right."""

        async def script(session: AGISession) -> list[tuple[int, str]]:
            for name, length in ("A", 1000), ("B", 8), ("C", 24), ("D", 984):
                await session.set_variable(name, name * min(length, 900))
                await self._append(session, name, length)
            read = []
            for expression in (
                "${A}",
                "${A}${B}",
                "${A}${C}",
                "${A}${A}",
                "${A}${A}${B}${B}${C}",
                "${A}" * 5,
            ):
                value = await session.get_full_variable(expression)
                read.append((len(value), await session.get_full_variable("${B}")))
            return read

        lengths = [1000, READING - AROUND_VALUE, 1024, 2000, 2040, 5000]
        self.assertEqual(await self.run_script(script), [(each, "B" * 8) for each in lengths])

    async def _append(self, session: AGISession, name: str, length: int) -> None:
        """Make a variable so long that no command could carry it."""
        if length > 900:
            await self.ami.setvar(
                channel=session.environment.uniqueid, variable=name, value=name * length
            )

    async def test_long_answers_that_grow(self) -> None:
        """Values that need more room than Asterisk has come whole, too, and so does the next."""
        expressions = ("${A}", "${B}", "${A}-${B:2}", *_ENDINGS, "${A}" * 10, "${C}")

        async def script(session: AGISession) -> list[str | None]:
            await session.set_variable("A", "é" * 300)
            await session.set_variable("B", "%&/ " * 150)
            await session.set_full_variable("C", "ö\n)" * 500)
            read: list[str | None] = []
            for expression in expressions:
                read.append(await session.get_full_variable(expression))
                read.append(await session.get_variable("EXTEN"))
            return read

        a, b, c = "é" * 300, "%&/ " * 150, "ö\n)" * 500
        expected = [a, b, f"{a}-{b[2:]}", a * 4, a * 4 + "x", a * 4 + "xy", a * 10, c]
        found = await self.run_script(script)
        self.assertEqual(found[::2], expected)
        self.assertEqual(set(found[1::2]), {"asyncagi"})

    async def test_answers_that_are_cut(self) -> None:
        """Where something is lost that cannot be asked for again, this is said, and not more."""

        async def script(session: AGISession) -> list[object]:
            await session.set_full_variable("A", "é" * 700)
            read: list[object] = []
            for expression in "${A}${CALLERID(num)}", "${A}" * 40:
                error = await self.failing(
                    RemoteProtocolError, session.get_full_variable(expression)
                )
                read.append("more than 2047 characters" in str(error))
                read.append(await session.get_variable("EXTEN"))
            return read

        self.assertEqual(await self.run_script(script), [True, "asyncagi"] * 2)

    async def test_long_environment(self) -> None:
        """An environment that one event does not hold comes whole before the script begins."""

        async def script(session: AGISession) -> Any:
            return session.environment, await session.get_variable("EXTEN")

        arguments = [f"{number}-{'x' * 60}" for number in range(12)]
        result = self.script(script)
        await self.call_script(",".join(["test", *arguments]))
        environment, extension = await result
        self.assertEqual((environment.arguments, extension), (tuple(arguments), "asyncagi"))
        self.assertEqual(environment.anomalies, ())

    async def test_environment_that_grows(self) -> None:
        """A call of whose environment Asterisk has cut bytes is given back as a failure."""

        async def script(_: AGISession) -> None:
            raise AssertionError("began with something missing")

        self.script(script).addErrback(lambda _: None).cancel()
        status, done = self.told("TXASTERISK_STATUS"), self.done()
        await self.call_script(f"test,{'é' * 300},x")
        self.assertEqual((await status)["Value"], "FAILURE")
        self.assertEqual((await done)["Status"], "FAILURE")

    # The link

    async def service(self) -> tuple[AMIService, AsyncAGI]:
        """Return a link that stays, and what answers the calls that it tells of."""
        ami = AMIService(
            self.place.ami, "full", "full-secret", back_off=lambda _: 0.1, clock=self.reactor
        )
        service = AsyncAGIService(ami, clock=self.reactor)
        service.startService()
        self.addCleanup(service.stopService)
        await self.soon(ami.when_connected())
        return ami, service.calls

    async def test_link_lost(self) -> None:
        """When the link is lost scripts are told, and their calls end when it is there again."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            began.callback(None)
            over = session.when_hung_up()
            error = await self.failing(Disconnected, session.wait_for_digit(1))
            await self.failing(Disconnected, over)
            await self.failing(Disconnected, session.noop())
            return [str(error), session.hung_up]

        began: Deferred[None] = Deferred()
        ami, calls = await self.service()
        result = self.script(script, "staying", calls)
        await self.call_script("staying")
        await self.soon(began)
        status, done = self.told("TXASTERISK_STATUS"), self.done()
        assert ami.connection is not None
        ami.connection.disconnect()
        self.assertEqual(await result, ["the AMI link is gone", False])
        self.assertEqual((await status)["Value"], "FAILURE")
        self.assertEqual((await done)["Status"], "FAILURE")

    async def test_forgotten(self) -> None:
        """Calls that have waited for a script since before there was one are ended, no others."""
        mine = await self.call_script("forgotten")
        theirs = await self.call_script("nosuch")
        self.server.route("forgotten", AGISession.noop)
        done = self.done()
        self.assertEqual(await self.soon(self.server.end_forgotten_calls()), 1)
        self.assertEqual((await done)["Path"], "forgotten")
        self.assertNotEqual(mine["Uniqueid"], theirs["Uniqueid"])
        status = await self.ami.status(channel=theirs["Uniqueid"], timeout=SOON)
        self.assertEqual(status.events[0]["Application"], "AGI")

    async def test_service_goes_on(self) -> None:
        """After a lost link calls are answered as before."""

        async def script(session: AGISession) -> str | None:
            return await session.get_variable("EXTEN")

        ami, calls = await self.service()
        gap = ami.next("Gap", timeout=SOON)
        assert ami.connection is not None
        ami.connection.disconnect()
        await gap
        result = self.script(script, "staying", calls)
        await self.call_script("staying")
        self.assertEqual(await result, "asyncagi")

    # What AMI tells

    async def test_events(self) -> None:
        """Each command is told when it begins, when it ends, and with its answer."""

        async def script(session: AGISession) -> None:
            await session.noop()

        heard: list[Event] = []
        self.ami.on(["AGIExec*", "AsyncAGI*"], heard.append)
        done = self.done()
        await self.run_script(script)
        await done
        told = [(event.name, event.get("Command")) for event in heard]
        status = 'SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"'
        commands: list[tuple[str, str | None]] = []
        for command in "NOOP", status, "ASYNCAGI BREAK":
            commands += [("AGIExecStart", command), ("AGIExecEnd", command), ("AsyncAGIExec", None)]
        self.assertEqual(told, [("AsyncAGIStart", None), *commands, ("AsyncAGIEnd", None)])
        begin = ("Event", "Privilege", *CHANNEL)
        shapes = {event.name: tuple(name for name, _ in event.headers) for event in heard}
        self.assertEqual(shapes["AsyncAGIStart"], (*begin, "Env"))
        self.assertEqual(shapes["AsyncAGIExec"], (*begin, "Result", "CommandId"))
        self.assertEqual(shapes["AsyncAGIEnd"], begin)

    async def test_refusals(self) -> None:
        """The action says what is wrong with it."""
        start = await self.call_script("nosuch")
        for headers, message in (
            ({"Channel": start["Uniqueid"]}, "Both, Channel and Command are *required*"),
            ({"Channel": "nosuch", "Command": "NOOP"}, "Channel nosuch does not exist."),
        ):
            error = await self.failing(ActionFailed, self.ami.action("AGI", headers, timeout=SOON))
            self.assertEqual(error.message, message)
