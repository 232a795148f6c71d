"""What the contract says of FastAGI."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from ...agi import AGISession
from ...ami import Event
from ...errors import (
    CommandFailed,
    HungUp,
)
from .place import CHANNEL, SOON
from .scripted import ScriptedContract

__all__ = ["AGIContract"]


class AGIContract(ScriptedContract):
    """FastAGI, with Asterisk as the one who calls."""

    async def test_environment(self) -> None:
        """The server is told who calls, and where in the dialplan it is."""

        async def script(session: AGISession) -> Any:
            return session.environment

        result = self.script(script, "greet/bob")
        await self.call_script("greet/bob?loud=1", CallerID='"Bob" <1234>', **self.IDS)
        environment = await result
        self.assertEqual(environment.anomalies, ())
        self.assertEqual(environment.path, "/greet/bob")
        self.assertEqual(environment.query, {"loud": ["1"]})
        self.assertEqual((environment.calleridname, environment.callerid), ("Bob", "1234"))
        self.assertEqual((environment.context, environment.extension), ("txasterisk", "agi"))
        self.assertEqual((environment.priority, environment.uniqueid), ("1", "two"))
        self.assertEqual((environment.type, environment.language), ("Local", "en"))
        self.assertIsNone(environment.dnid)

    async def test_arguments(self) -> None:
        """What follows the URL in the dialplan are arguments; an unknown caller is none."""

        async def script(session: AGISession) -> Any:
            return session.environment

        result = self.script(script)
        # The extension has no arguments, so AGI is called by the Originate itself.
        port = (await self.ami.action("Getvar", {"Variable": "FASTAGI_PORT"}))["Value"]
        data = f"agi://127.0.0.1:{port}/test,one,,three words"
        await self.call(self.ami, "answer", Application="AGI", Data=data)
        environment = await result
        self.assertEqual(environment.anomalies, ())
        self.assertEqual(environment.arguments, ("one", "", "three words"))
        self.assertIsNone(environment.callerid)

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
                await session.get_variable("CALLERID(num)"),
                await session.get_variable("CHANNEL(state)"),
                await session.stream_file("beep"),
                await session.wait_for_digit(0.1),
                await session.get_data("beep", 0.1, 2),
                await session.exec("Wait", "0.1"),
                await session.exec("Set", "SHAPE=round"),
                await session.get_variable("SHAPE"),
            ]

        done = self.done()
        self.assertEqual(
            await self.run_script(script),
            [
                'b"l,u\\e',
                'b"l,u\\e-agi-gi-',
                "agi",
                "",
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

    async def test_variables(self) -> None:
        """A variable that is not set differs from an empty one."""

        async def script(session: AGISession) -> list[str | None]:
            await session.set_variable("EMPTY", "")
            return [
                await session.get_variable("EMPTY"),
                await session.get_variable("NOSUCH"),
                await session.get_variable("NOSUCHFUNCTION(x)"),
                await session.get_full_variable("${EMPTY}${NOSUCH}"),
            ]

        self.assertEqual(await self.run_script(script), ["", None, None, ""])

    async def test_missing_sound(self) -> None:
        """A sound that is not there fails its command, and at last the whole session."""

        async def script(session: AGISession) -> str:
            await session.answer()
            error = await self.failing(CommandFailed, session.stream_file("nosuch"))
            await self.failing(CommandFailed, session.get_data("nosuch"))
            return str(error.reply)

        done = self.done()
        self.assertEqual(await self.run_script(script), "200 result=-1 endpos=0")
        self.assertEqual((await done)["Status"], "FAILURE")

    async def test_wrong_commands(self) -> None:
        """Unknown commands, missing arguments and unknown applications each fail in their way."""

        async def script(session: AGISession) -> list[str]:
            errors = [
                await self.failing(CommandFailed, session.command("BOGUS")),
                await self.failing(CommandFailed, session.command("SET VARIABLE", "A")),
                await self.failing(CommandFailed, session.command("GET VARIABLE")),
                await self.failing(CommandFailed, session.command("STREAM FILE")),
                await self.failing(CommandFailed, session.exec("NoSuchApplication")),
                await self.failing(CommandFailed, session.hangup("nosuch")),
            ]
            await session.noop()
            return [str(error.reply) for error in errors]

        usage = "520 Invalid command syntax.  Proper usage follows:"
        self.assertEqual(
            await self.run_script(script),
            [
                "510 Invalid or unknown command",
                usage,
                usage,
                usage,
                "200 result=-2",
                "200 result=-1",
            ],
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

        pressed = await self.dial_in(script, "12w95w7w34#w8")
        self.assertEqual(pressed, [("12", False), "5", "7", ("34", False), ("8", True)])

    async def test_hangup_during_a_command(self) -> None:
        """A hangup ends the command in progress; what may be done after it still works."""
        waiting: Deferred[None] = Deferred()

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            playing = session.stream_file("demo-congrats")
            waiting.callback(None)
            await self.failing(HungUp, playing)
            await session.set_variable("A", "b")
            await session.noop()
            await session.verbose("bye")
            return [
                session.hung_up,
                await session.get_variable("A"),
                await session.get_full_variable("${A}"),
                await session.exec("NoOp", "x"),
                type(await self.failing(HungUp, session.answer())),
            ]

        result = self.script(script)
        ended = self.ami.next("UserEvent", UserEvent="AGIHangup", timeout=SOON)
        await self.call_script()
        await self.soon(waiting)
        await self._hang_up_all(self.ami)
        expected = [True, "b", "b", 0, HungUp]
        self.assertEqual(await result, expected)
        self.assertEqual((await ended)["Status"], "HANGUP")

    async def test_hangup_between_commands(self) -> None:
        """A hangup is told to a script that has not asked anything."""

        async def script(session: AGISession) -> bool:
            await session.answer()
            hung_up = session.when_hung_up()
            waiting.callback(None)
            await hung_up
            return session.hung_up

        waiting: Deferred[None] = Deferred()
        result = self.script(script)
        await self.call_script()
        await self.soon(waiting)
        await self._hang_up_all(self.ami)
        self.assertTrue(await result)

    async def test_script_hangs_up(self) -> None:
        """A script may hang up, is told of it, and the call ends with it."""

        async def script(session: AGISession) -> bool:
            await session.answer()
            hung_up = session.when_hung_up()
            await session.hangup()
            await hung_up
            return session.hung_up

        ended = self.ami.next("Hangup", Uniqueid="two", timeout=SOON)
        result = self.script(script)
        await self.call_script(**self.IDS)
        self.assertTrue(await result)
        await ended

    async def test_unknown_path(self) -> None:
        """A call for a path without a script goes on in the dialplan, which is told."""
        done = self.done()
        await self.call_script("nosuch")
        self.assertEqual((await done)["Status"], "FAILURE")

    async def test_failing_script(self) -> None:
        """A script that raises an error ends the session as a failure."""

        async def script(session: AGISession) -> None:
            await session.answer()
            raise ZeroDivisionError

        done = self.done()
        result = self.script(script)
        await self.call_script()
        await self.failing(ZeroDivisionError, result)
        self.assertEqual((await done)["Status"], "FAILURE")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_nobody_listens(self) -> None:
        """A server that cannot be reached fails the session at once."""
        told = self.ami.next("VarSet", Variable="AGISTATUS", timeout=SOON)
        await self.call(self.ami, "answer", Application="AGI", Data="agi://127.0.0.1:1/x")
        self.assertEqual((await told)["Value"], "FAILURE")

    async def test_command_events(self) -> None:
        """Each command is told to AMI when it begins and when it ends."""

        async def script(session: AGISession) -> None:
            await session.noop()
            await self.failing(CommandFailed, session.command("BOGUS"))

        heard: list[Event] = []
        self.ami.on("AGIExec*", heard.append)
        done = self.done()
        await self.run_script(script)
        await done
        told = [(event.name, event["Command"], event.get("ResultCode")) for event in heard[:4]]
        self.assertEqual(
            told,
            [
                ("AGIExecStart", "NOOP", None),
                ("AGIExecEnd", "NOOP", "200"),
                ("AGIExecStart", "BOGUS", None),
                ("AGIExecEnd", "BOGUS", "510"),
            ],
        )
        begin = ("Event", "Privilege", *CHANNEL, "CommandId", "Command")
        shapes = [tuple(name for name, _ in event.headers) for event in heard[:2]]
        self.assertEqual(shapes, [begin, (*begin, "ResultCode", "Result")])

    async def test_two_calls(self) -> None:
        """Two calls at once have a session each."""
        both: Deferred[None] = Deferred()
        channels: list[str] = []

        async def script(session: AGISession) -> None:
            channels.append(session.environment.channel)
            if len(channels) == 2:
                both.callback(None)
            await both
            await session.noop()

        self.server.route("both", script)
        await self.call_script("both")
        await self.call_script("both")
        await self.soon(both)
        self.assertEqual(len(set(channels)), 2)
