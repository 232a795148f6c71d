"""AGI as a process: one call in memory, and real programs with Asterisk's part played on pipes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.processes import AGIProgram, ProgramTestCase
from txasterisk.agi import SAFE_LINE, AGISession, OnHangup, Script, Status
from txasterisk.agi.process import ProcessCarrier
from txasterisk.agi.script import RunningScript
from txasterisk.errors import Disconnected, HungUp, LocalProtocolError

from . import eagi_environment, process_environment

SUCCESS = b'SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"\n'
HANGUP = b'SET VARIABLE "TXASTERISK_STATUS" "HANGUP"\n'
FAILURE = b'SET VARIABLE "TXASTERISK_STATUS" "FAILURE"\nfailure\n'


class TurningReactor(Clock):
    """A clock that also calls what a signal has left for it, and watches nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._left: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def callFromThread(self, called: Callable[..., object], *arguments: object) -> None:
        self._left.append((called, arguments))

    def addReader(self, reader: object) -> None:
        """Watch nothing."""

    removeReader = addReader

    def turn(self) -> None:
        """Call what has been left until now."""
        left, self._left = self._left, []
        for called, arguments in left:
            called(*arguments)


class Pipes(StringTransport):
    """Stands for the pipes."""

    carrier: ProcessCarrier

    def connectionLost(self, reason: Failure) -> None:
        """Close them."""
        self.carrier.connectionLost(reason)

    def end(self) -> None:
        """Let what was written be read, and close them."""
        self.carrier.connectionLost(Failure(ConnectionDone()))


class CarrierTests(SynchronousTestCase):
    """The one call of a process, in memory."""

    def setUp(self) -> None:
        """Have nothing happened yet."""
        self.reactor = TurningReactor()
        self.audio, asterisk = os.pipe()
        self.addCleanup(os.close, self.audio)
        self.addCleanup(os.close, asterisk)
        self.told: list[object] = []

    def start(self, script: Script, on_hangup: OnHangup = "raise") -> None:
        """Start the process, and keep what becomes of its script."""

        async def noted(session: AGISession) -> None:
            self.session = session
            try:
                self.told.append(await script(session))
            except BaseException as error:
                self.told.append(type(error))
                raise

        def answer(session: AGISession) -> RunningScript:
            return RunningScript(noted, session, on_hangup)

        self.carrier = ProcessCarrier(answer, SAFE_LINE, self.audio, self.reactor)
        self.pipes = Pipes()
        self.pipes.carrier = self.carrier
        self.carrier.makeConnection(self.pipes)
        self.over = self.carrier.when_over()

    def call(self, script: Script, on_hangup: OnHangup = "raise") -> None:
        """Start it for a call."""
        self.start(script, on_hangup)
        self.say(process_environment("one", "", "two words"))

    def say(self, data: bytes) -> None:
        """Write as Asterisk does."""
        self.carrier.dataReceived(data)

    def heard(self) -> bytes:
        """What has come from the script since the last time."""
        data: bytes = self.pipes.value()
        self.pipes.clear()
        return data

    def test_a_call(self) -> None:
        """The pipes are closed when the script has ended, and then all is over."""
        self.call(AGISession.answer)
        self.assertEqual(self.session.environment.anomalies, ())
        self.assertEqual(self.session.environment.path, "/greet.py")
        self.assertEqual(self.session.environment.arguments, ("one", "", "two words"))
        self.assertEqual(self.heard(), b"ANSWER\n")
        self.say(b"200 result=0\n")
        self.assertEqual(self.heard(), SUCCESS)
        self.assertTrue(self.pipes.disconnecting)
        self.assertNoResult(self.over)
        self.pipes.end()
        self.successResultOf(self.over)
        self.assertEqual(self.carrier.status, Status.SUCCESS)

    def test_a_script_that_fails(self) -> None:
        """A line tells Asterisk, which may miss the status of the process."""
        self.call(lambda _: fail(ZeroDivisionError()))
        self.assertEqual(self.heard(), FAILURE)
        self.pipes.end()
        self.assertEqual(self.carrier.status, Status.FAILURE)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def hang_up(self) -> None:
        """Send the signal, and let the reactor turn."""
        self.carrier.signalled()
        self.reactor.turn()
        self.reactor.turn()

    def test_the_hangup(self) -> None:
        """The signal has what the script awaits fail, but not in the midst of anything."""
        self.call(lambda _: Deferred())
        self.carrier.signalled()
        self.assertEqual(self.told, [])
        self.reactor.turn()
        self.assertEqual(self.told, [])
        self.reactor.turn()
        self.assertEqual(self.told, [HungUp])
        self.assertEqual(self.heard(), HANGUP)
        self.pipes.end()
        self.assertEqual(self.carrier.status, Status.HANGUP)

    def test_a_reply_and_the_hangup_at_once(self) -> None:
        """The reply was there before the signal, so it counts, although it is read after it."""

        async def script(session: AGISession) -> object:
            await session.hangup()
            await session.when_hung_up()
            return "told"

        self.call(script)
        self.carrier.signalled()
        self.reactor.turn()
        self.say(b"200 result=1\n")
        self.reactor.turn()
        self.assertEqual(self.told, ["told"])

    def test_the_hangup_of_a_script_that_wants_to_be_cancelled(self) -> None:
        """Then what it awaits is cancelled."""
        self.call(lambda _: Deferred(), "cancel")
        self.hang_up()
        self.assertEqual(self.told, [CancelledError])
        self.assertEqual(self.heard(), HANGUP)

    def test_the_hangup_of_a_script_that_wants_to_be_told(self) -> None:
        """Then it goes on."""
        self.call(lambda _: Deferred(), "tell")
        hung_up = self.session.when_hung_up()
        self.hang_up()
        self.successResultOf(hung_up)
        self.assertEqual(self.told, [])

    def test_a_hangup_before_the_call_is_described(self) -> None:
        """The script finds it as it begins, and nothing fails that may be done after a hangup."""

        async def script(session: AGISession) -> object:
            return session.hung_up, await session.get_variable("X")

        self.start(script)
        self.hang_up()
        self.say(process_environment("one", "", "two words"))
        self.say(b"200 result=1 (x)\n")
        self.assertEqual(self.told, [(True, "x")])

    def test_a_hangup_and_the_end_of_the_pipes_at_once(self) -> None:
        """With ``AGIEXITONHANGUP``: the script is told of the hangup first."""
        self.call(lambda _: Deferred())
        self.carrier.signalled()
        self.pipes.end()
        self.assertEqual(self.told, [HungUp])
        self.successResultOf(self.over)
        self.assertEqual(self.carrier.status, Status.HANGUP)

    def test_the_end_of_input(self) -> None:
        """The script is told, and all is over when it has cleaned up."""
        cleaned: Deferred[None] = Deferred()

        async def script(session: AGISession) -> None:
            try:
                await session.noop()
            finally:
                await cleaned

        self.call(script)
        self.carrier.readConnectionLost()
        self.assertNoResult(self.over)
        cleaned.callback(None)
        self.successResultOf(self.over)
        self.assertEqual(self.told, [Disconnected])
        self.assertEqual(self.carrier.status, Status.FAILURE)

    def test_the_end_of_output(self) -> None:
        """What takes no commands is of no use, although it may still be heard."""
        self.call(AGISession.noop)
        self.carrier.writeConnectionLost()
        self.assertEqual(self.told, [Disconnected])
        self.successResultOf(self.over)

    def test_the_end_before_a_call_is_described(self) -> None:
        """There was nothing to answer."""
        self.start(AGISession.noop)
        self.pipes.end()
        self.successResultOf(self.over)
        self.assertEqual(self.carrier.status, Status.FAILURE)

    def test_what_is_no_agi(self) -> None:
        """The pipes are closed."""
        self.start(AGISession.noop)
        self.say(b"GET / HTTP/1.1\n")
        self.successResultOf(self.over)
        self.assertEqual(self.carrier.status, Status.FAILURE)

    def test_stop(self) -> None:
        """The script is cancelled, and may clean up."""

        async def script(session: AGISession) -> None:
            try:
                await Deferred()
            finally:
                await session.verbose("bye")

        self.call(script)
        stopped = self.carrier.stop()
        self.reactor.advance(0)
        self.assertEqual(self.heard(), b'VERBOSE "bye" "1"\n')
        self.say(b"200 result=1\n")
        self.assertEqual(self.heard(), FAILURE)
        self.assertNoResult(stopped)
        self.pipes.end()
        self.successResultOf(stopped)
        self.assertEqual(self.told, [CancelledError])
        self.assertEqual(self.carrier.status, Status.FAILURE)

    def test_stop_a_script_that_goes_on(self) -> None:
        """It is left behind after two seconds."""

        async def script(_: AGISession) -> None:
            while True:
                try:
                    await Deferred()
                except CancelledError:
                    continue

        self.call(script)
        stopped = self.carrier.stop()
        self.reactor.advance(0)
        self.reactor.advance(1.9)
        self.assertNoResult(stopped)
        self.reactor.advance(0.1)
        self.successResultOf(stopped)
        self.successResultOf(self.over)
        self.assertEqual(self.carrier.status, Status.FAILURE)

    def test_stop_before_a_call_is_described(self) -> None:
        """There is nothing to wait for."""
        self.start(AGISession.noop)
        stopped = self.carrier.stop()
        self.reactor.advance(0)
        self.successResultOf(stopped)

    def test_stop_after_the_end(self) -> None:
        """As the reactor does whenever it stops."""
        self.call(AGISession.answer)
        self.say(b"200 result=0\n")
        self.pipes.end()
        self.successResultOf(self.carrier.stop())
        self.assertEqual(self.carrier.status, Status.SUCCESS)

    def test_no_audio(self) -> None:
        """AGI brings none."""

        async def script(session: AGISession) -> None:
            session.audio.skip()

        self.call(script)
        self.assertEqual(self.told, [LocalProtocolError])
        self.assertEqual(len(self.flushLoggedErrors(LocalProtocolError)), 1)

    def test_the_format_of_the_audio(self) -> None:
        """With EAGI it is asked for before the script begins."""

        async def script(session: AGISession) -> object:
            return session.audio.format

        for reply, expected in [
            (b"200 result=1 (slin16)\n", ("slin16", 16_000, 32_000)),
            (b"200 result=1 ()\n", ("slin", 8_000, 16_000)),
            (b"200 result=0\n", ("slin", 8_000, 16_000)),
        ]:
            self.start(script)
            self.say(eagi_environment())
            self.assertEqual(self.heard(), b'GET VARIABLE "EAGI_AUDIO_FORMAT"\n')
            self.assertEqual(self.told, [])
            self.say(reply)
            self.assertEqual(self.told.pop(), expected)
            self.assertEqual(self.heard(), SUCCESS)

    def test_a_hangup_while_the_format_is_asked_for(self) -> None:
        """The script begins all the same, as it does when the caller hangs up before."""
        self.start(AGISession.answer)
        self.say(eagi_environment())
        self.hang_up()
        self.say(b"200 result=0\n")
        self.assertEqual(self.told, [HungUp])

    def test_the_end_while_the_format_is_asked_for(self) -> None:
        """The script does not begin."""
        self.start(AGISession.answer)
        self.say(eagi_environment())
        self.pipes.end()
        self.assertEqual(self.told, [])
        self.successResultOf(self.over)

    def test_repr(self) -> None:
        """It names the call, or who is to describe it."""
        self.start(AGISession.noop)
        self.assertEqual(repr(self.carrier), "<ProcessCarrier for Asterisk>")


class ProgramTests(ProgramTestCase):
    """Real programs that are a script and the one line that runs it."""

    timeout = 60

    def written(self, script: str, run: str = "agi.run(script)") -> Path:
        """Write a program."""
        path = Path(self.mktemp()).with_suffix(".py")
        imports = (
            "from twisted.internet.defer import Deferred\nfrom txasterisk import HungUp, agi\n"
        )
        path.write_text(f"{imports}{dedent(script)}\n{run}\n")
        return path.absolute()

    def call(self, script: str, run: str = "agi.run(script)") -> AGIProgram:
        """Start a program for a call."""
        program = self.run_agi(self.written(script, run))
        program.reply(process_environment("one", "", "two words"))
        return program

    async def expect(self, program: AGIProgram, *exchange: str) -> None:
        """Have a program send commands, and reply to each."""
        for command, reply in zip(exchange[::2], exchange[1::2], strict=True):
            self.assertEqual(await program.command(), command, program.output)
            program.reply(reply.encode() + b"\n")

    async def expect_end(self, program: AGIProgram, told: str, status: int) -> None:
        """Have it tell the dialplan how it went, and end."""
        last = f'SET VARIABLE "TXASTERISK_STATUS" "{told}"'
        self.assertEqual(await program.command(), last, program.output)
        if status:
            self.assertEqual(await program.command(), "failure")
        self.assertIsNone(await program.command())
        self.assertEqual(await program.ended, status, program.output)

    async def test_a_call(self) -> None:
        """The program ends when its script does, though nothing has been closed for it."""
        program = self.call("""
            async def script(session):
                await session.answer()
                await session.verbose(session.environment.arguments[2])
            """)
        await self.expect(
            program, "ANSWER", "200 result=0", 'VERBOSE "two words" "1"', "200 result=1"
        )
        await self.expect_end(program, "SUCCESS", 0)
        self.assertEqual(program.output, "")

    async def test_what_it_prints(self) -> None:
        """It goes to the console, whoever prints; commands alone go to Asterisk."""
        program = self.call("""
            import os, subprocess
            print("ahead of it")
            async def script(session):
                print("from Python")
                os.write(1, b"from below\\n")
                subprocess.run(["echo", "from a child"])
                await session.noop()
            """)
        await self.expect(program, "NOOP", "200 result=0")
        await self.expect_end(program, "SUCCESS", 0)
        said = "ahead of it\nfrom Python\nfrom below\nfrom a child\n"
        self.assertEqual(program.output, said)

    async def test_what_it_reads(self) -> None:
        """Nobody takes Asterisk's replies for something to read."""
        program = self.call("""
            import subprocess, sys
            async def script(session):
                child = subprocess.run(["cat"], stdout=subprocess.PIPE)
                await session.verbose(repr(sys.stdin.read()) + repr(child.stdout))
            """)
        await self.expect(program, """VERBOSE "''b''" "1\"""", "200 result=1")
        await self.expect_end(program, "SUCCESS", 0)

    async def test_what_it_logs(self) -> None:
        """It goes to the console, and nothing of Twisted's usual news does."""
        program = self.call("""
            from twisted.logger import Logger
            async def script(session):
                Logger().info("just so")
            """)
        await self.expect_end(program, "SUCCESS", 0)
        self.assertEqual(program.output.count("\n"), 1)
        self.assertIn("just so", program.output)

    async def test_a_script_that_fails(self) -> None:
        """Its traceback is told with the call's channel and unique id, and so is its status."""
        program = self.call("""
            async def script(session):
                await session.noop()
                raise ZeroDivisionError
            """)
        await self.expect(program, "NOOP", "200 result=0")
        await self.expect_end(program, "FAILURE", 1)
        call = "<AGISession with PJSIP/alice-00000012 (1795297911.242)>"
        self.assertIn(f"The script of {call} failed", program.output)
        self.assertIn("raise ZeroDivisionError", program.output)

    async def test_the_hangup(self) -> None:
        """SIGHUP does not end the program, but has the script told."""
        program = self.call("""
            async def script(session):
                try:
                    await session.noop()
                    await Deferred()
                except HungUp:
                    await session.set_variable("LEFT", "yes")
                    raise
            """)
        await self.expect(program, "NOOP", "200 result=0")
        program.hang_up()
        await self.expect(program, 'SET VARIABLE "LEFT" "yes"', "200 result=1")
        await self.expect_end(program, "HANGUP", 0)
        self.assertEqual(program.output, "")

    async def test_the_hangup_is_told_otherwise(self) -> None:
        """As the last line of the program says."""
        program = self.call(
            """
            async def script(session):
                hung_up = session.when_hung_up()
                await session.wait_for_digit(60)
                await hung_up
            """,
            'agi.run(script, on_hangup="tell")',
        )
        self.assertEqual(await program.command(), 'WAIT FOR DIGIT "60000"')
        program.hang_up()
        program.reply(b"200 result=0\n")
        await self.expect_end(program, "SUCCESS", 0)

    async def test_the_end_of_input(self) -> None:
        """The program ends at once, and not well."""
        program = self.call("""
            async def script(session):
                await session.noop()
                await Deferred()
            """)
        await self.expect(program, "NOOP", "200 result=0")
        program.close(0)
        self.assertEqual(await program.ended, 1)
        self.assertEqual(program.output, "")

    async def test_the_end_of_output(self) -> None:
        """What takes no commands is not waited for."""
        program = self.call("""
            async def script(session):
                await session.noop()
                await session.noop()
            """)
        self.assertEqual(await program.command(), "NOOP")
        program.close(1)
        program.reply(b"200 result=0\n")
        self.assertEqual(await program.ended, 1)
        self.assertEqual(program.output, "")

    async def test_sigterm(self) -> None:
        """It has the script cancelled, which may clean up."""
        program = self.call("""
            async def script(session):
                try:
                    await session.noop()
                    await Deferred()
                finally:
                    await session.verbose("bye")
            """)
        await self.expect(program, "NOOP", "200 result=0")
        program.terminate()
        await self.expect(program, 'VERBOSE "bye" "1"', "200 result=1")
        await self.expect_end(program, "FAILURE", 1)

    async def test_nothing_is_described(self) -> None:
        """The program says so, and ends."""
        program = self.run_agi(self.written("script = None"))
        program.close(0)
        self.assertEqual(await program.ended, 1)
        self.assertIn("Asterisk left before it had described a call", program.output)

    async def test_a_terminal(self) -> None:
        """Started by hand, it says in one line what it is for."""
        path = self.written("script = None")
        program = self.run_in_terminal(path)
        self.assertEqual(await program.ended, 1)
        self.assertEqual(
            program.output,
            f"{path.name} answers a call, and is started by Asterisk: AGI({path.name})\r\n",
        )

    async def test_audio(self) -> None:
        """EAGI brings it beside the commands."""
        path = self.written("""
            async def script(session):
                await session.noop()
                async for frame in session.audio.frames():
                    await session.verbose(f"{len(frame)} {session.audio.format.name}")
                await session.verbose("over")
            """)
        program = self.run_eagi(path)
        program.reply(eagi_environment())
        await self.expect(program, 'GET VARIABLE "EAGI_AUDIO_FORMAT"', "200 result=1 (slin16)")
        program.say(bytes(640))
        await self.expect(program, "NOOP", "200 result=0")
        await self.expect(program, 'VERBOSE "640 slin16" "1"', "200 result=1")
        program.say(bytes(641))
        await self.expect(program, 'VERBOSE "640 slin16" "1"', "200 result=1")
        program.close(3)
        await self.expect(program, 'VERBOSE "1 slin16" "1"', "200 result=1")
        await self.expect(program, 'VERBOSE "over" "1"', "200 result=1")
        await self.expect_end(program, "SUCCESS", 0)

    async def test_what_it_imports(self) -> None:
        """It does not wait for what only AMI and ARI need."""
        program = self.call("""
            import sys
            async def script(session):
                others = {"txasterisk.ami", "txasterisk.ari", "treq", "autobahn", "msgspec"}
                print(sorted(others & set(sys.modules)))
            """)
        await self.expect_end(program, "SUCCESS", 0)
        self.assertEqual(program.output, "[]\n")
