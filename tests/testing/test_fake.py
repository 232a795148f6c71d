"""The fake itself, in memory and with a clock: what no real Asterisk has to tell about."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import AGISession, FastAGIFactory
from txasterisk.ami import AMIFactory, AMIProtocol
from txasterisk.ari import ARIClient
from txasterisk.errors import ActionFailed, Disconnected, HungUp, ServerFailed
from txasterisk.testing import Call, FakeAsterisk, NotFaked


class FakeTestCase(SynchronousTestCase):
    """A fake and a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.pbx = FakeAsterisk(self.clock)

    def log_in(self) -> AMIProtocol:
        """Log in to AMI."""
        connecting = AMIFactory("full", "full-secret", clock=self.clock).connect(self.pbx.ami)
        self.clock.advance(0)
        return self.successResultOf(connecting)


class CallerTests(FakeTestCase):
    """Calls from outside."""

    def test_answered(self) -> None:
        """A caller learns of the answer, and hangs up when it likes."""
        caller = self.pbx.call("answer")
        self.successResultOf(caller.when_answered())
        gone = caller.when_hung_up()
        self.assertNoResult(gone)
        caller.hang_up()
        self.successResultOf(gone)
        self.assertEqual(self.pbx.channels, [])

    def test_refused(self) -> None:
        """A caller learns that nobody answers."""
        for extension in ("busy", "congestion", "nosuch"):
            caller = self.pbx.call(extension)
            self.failureResultOf(caller.when_answered(), HungUp)
            self.successResultOf(caller.when_hung_up())
        caller = self.pbx.call("noanswer")
        answered = caller.when_answered()
        self.clock.advance(29)
        self.assertNoResult(answered)
        self.clock.advance(1)
        self.failureResultOf(answered, HungUp)

    def test_extension(self) -> None:
        """An extension is a coroutine, with the caller's name and variables at hand."""
        seen: list[str] = []

        async def extension(call: Call) -> None:
            seen.append(call.get("CALLERID(name)") + call.get("COLOUR"))
            await call.answer()
            await call.wait(3)
            seen.append("waited")

        self.pbx.dialplan["100"] = extension
        caller = self.pbx.call("100", caller_id='"Ann" <1>', variables={"COLOUR": "blue"})
        self.clock.pump([0.5, 2.9])
        self.assertEqual(seen, ["Annblue"])
        self.clock.advance(0.1)
        self.assertEqual(seen, ["Annblue", "waited"])
        self.successResultOf(caller.when_hung_up())

    def test_keys(self) -> None:
        """The caller's keys reach the script that waits for them, and nobody after the call."""
        gathered: list[Any] = []

        async def script(session: AGISession) -> None:
            await session.answer()
            gathered.append(await session.get_data("", 5, 2))
            await session.wait_for_digit(1)

        self.pbx.fastagi["127.0.0.1:4573"] = FastAGIFactory({"x": script}, clock=self.clock)
        caller = self.pbx.call("agi", variables={"AGI_PATH": "x"})
        pressed = caller.press("w12")
        self.clock.pump([0.1] * 20)
        self.successResultOf(pressed)
        self.assertEqual(gathered, [("12", False)])
        late = caller.press("w3")
        self.clock.pump([0.1] * 15)
        self.failureResultOf(late, HungUp)
        self.failureResultOf(caller.press("4"), HungUp)

    def test_texts(self) -> None:
        """The caller's messages reach the script that waits for them, and are lost otherwise."""
        received: list[str | None] = []

        async def script(session: AGISession) -> None:
            await session.answer()
            received.append(await session.receive_text(1))
            received.append(await session.receive_text(1))

        self.pbx.fastagi["127.0.0.1:4573"] = FastAGIFactory({"x": script}, clock=self.clock)
        caller = self.pbx.call("agi", variables={"AGI_PATH": "x"})
        caller.write("early")
        self.clock.pump([0.1] * 6)
        caller.write("hello")
        self.clock.pump([0.1] * 12)
        self.assertEqual(received, ["hello", None])

    def test_keys_of_a_call_that_is_refused(self) -> None:
        """Keys that wait for the answer are given up when there is none."""
        caller = self.pbx.call("noanswer")
        pressed = caller.press("1")
        caller.hang_up()
        self.failureResultOf(pressed, HungUp)

    def test_hangup_is_the_end_of_the_extension(self) -> None:
        """When the caller hangs up, the extension's verb fails, and the extension h runs."""
        seen: list[str] = []

        async def extension(call: Call) -> None:
            try:
                await call.wait(60)
            except HungUp:
                seen.append("hung up")
                raise

        async def after(call: Call) -> None:
            seen.append(f"h {call.get('HANGUPCAUSE')}")

        self.pbx.dialplan.update({"100": extension, "h": after})
        caller = self.pbx.call("100")
        caller.hang_up()
        self.assertEqual(seen, ["hung up", "h 16"])

    def test_failing_extension(self) -> None:
        """An extension that raises an error is logged, and its call ends."""

        async def extension(call: Call) -> None:
            raise ZeroDivisionError

        self.pbx.dialplan["100"] = extension
        self.successResultOf(self.pbx.call("100").when_hung_up())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class NotFakedTests(FakeTestCase):
    """What a real Asterisk does and the fake does not."""

    def test_action(self) -> None:
        """An action that is not faked is answered by an error, and logged as one."""
        answer = self.log_in().action("QueueStatus")
        self.clock.advance(0)
        error = self.failureResultOf(answer, ActionFailed).value
        self.assertIn("not faked: the AMI action QueueStatus", str(error))
        self.assertEqual(len(self.flushLoggedErrors(NotFaked)), 1)

    def test_request(self) -> None:
        """A request that is not faked is answered by 501, and logged as an error."""
        client = ARIClient(
            self.pbx.ari_url,
            "full",
            "full-secret",
            endpoint=self.pbx.http,
            reactor=self.clock,
        )
        answer = client.bridges.list()
        self.clock.advance(0)
        error = self.failureResultOf(answer, ServerFailed).value
        self.assertEqual(error.status, 501)
        self.assertEqual(len(self.flushLoggedErrors(NotFaked)), 1)

    def test_application(self) -> None:
        """An application of the dialplan that is not faked ends the call, and is logged."""

        async def extension(call: Call) -> None:
            await call.execute("Queue", "support")

        self.pbx.dialplan["100"] = extension
        self.successResultOf(self.pbx.call("100").when_hung_up())
        self.assertEqual(len(self.flushLoggedErrors(NotFaked)), 1)

    def test_agi_commands(self) -> None:
        """An AGI command that is not faked ends the session, and is logged."""
        failed: list[str] = []

        async def script(session: AGISession) -> None:
            try:
                await session.gosub("routines", "check")
            except Disconnected as error:
                failed.append(str(error))

        self.pbx.fastagi["127.0.0.1:4573"] = FastAGIFactory({"x": script}, clock=self.clock)
        self.pbx.call("agi", variables={"AGI_PATH": "x"})
        self.clock.pump([0] * 4)
        self.assertEqual(len(failed), 1)
        [error] = self.flushLoggedErrors(NotFaked)
        self.assertEqual(str(error.value), "the AGI command GOSUB")

    def test_network(self) -> None:
        """Without a network, a FastAGI server that was not handed in is not faked."""
        self.successResultOf(self.pbx.call("agi").when_hung_up())
        self.assertEqual(len(self.flushLoggedErrors(NotFaked)), 1)

    def test_sounds(self) -> None:
        """Media that the fake cannot play are not faked, sounds are what they are said to be."""
        self.pbx.sounds["my/prompt"] = 2.5

        async def extension(call: Call) -> None:
            await call.playback("my/prompt")

        self.pbx.dialplan["100"] = extension
        caller = self.pbx.call("100")
        gone = caller.when_hung_up()
        self.clock.pump([0.5, 2.4])
        self.assertNoResult(gone)
        self.clock.advance(0.1)
        self.successResultOf(gone)


class CrashTests(FakeTestCase):
    """A fake that is killed."""

    def test_crash(self) -> None:
        """A crash cuts the links and ends the calls without a word, and nobody answers after it."""
        ami = self.log_in()
        heard: list[object] = []
        self.pbx.call("answer")
        self.clock.advance(0)
        ami.on("*", heard.append)
        pending = ami.next("Never")
        self.successResultOf(self.pbx.crash())
        self.clock.advance(0)
        self.failureResultOf(pending, Disconnected)
        self.assertEqual(heard, [])
        connecting = AMIFactory("full", "full-secret", clock=self.clock).connect(self.pbx.ami)
        self.failureResultOf(connecting, Disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_restart(self) -> None:
        """After a restart it is there again, without any calls but with its dialplan."""
        self.pbx.call("answer")
        self.successResultOf(self.pbx.restart())
        self.log_in()
        self.assertEqual(self.pbx.channels, [])
        self.successResultOf(self.pbx.call("answer").when_answered())


class ImportTests(SynchronousTestCase):
    """What an import does besides."""

    def test_no_reactor(self) -> None:
        """To import the fake installs no reactor."""
        program = (
            "import sys, txasterisk.testing;sys.exit('twisted.internet.reactor' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=_checkout())
        self.assertEqual(done.returncode, 0)


def _checkout() -> str:
    return __file__.rpartition("/tests/")[0]
