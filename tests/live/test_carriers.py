"""The same scripts over each carrier, with real Asterisk 22 and 16: no difference is seen."""

from __future__ import annotations

from twisted.trial.runner import TestSuite

from tests.live import scripts
from tests.live.carriers import (
    CarrierTestCase,
    EAGICarrier,
    Ending,
    FastAGICarrier,
    ProcessCarrier,
)
from tests.live.fixture import live_suite

#: What a script finds that may do after a hangup what Asterisk allows.
AFTER_HANGUP = [True, "b", "HungUp"]


class Scripts(CarrierTestCase):
    """What scripts find."""

    async def test_everything(self) -> None:
        """A script with a bit of everything runs to its end, and the dialplan goes on."""
        expected = [
            'b"l,u\\e (or) not',
            'b"l,u\\e (or) not--',
            "",
            None,
            "Up",
            6,
            [None, 3520],
            None,
            ["", True],
            None,
            0,
            0,
            "round,or,square",
            True,
            "a b-c",
        ]
        ending = await self.run_script(scripts.everything)
        self.expect(ending, Ending(expected, "SUCCESS", "SUCCESS"))

    async def test_odd_values(self) -> None:
        """What looks like a reply, or like the end of one, is read as it is."""
        ending = await self.run_script(scripts.odd_values)
        self.expect(ending, Ending([True, True], "SUCCESS", "SUCCESS"))

    async def test_keys(self) -> None:
        """Keys end a prompt, are collected, and are waited for."""
        extension, needed = self.ready(scripts.keys, "raise")
        variables = {"DIGITS": "12w95w7w34#w8", "DIGITS_AFTER": "2", **needed}
        running = await self.follow(
            "digits", variables, Context="txasterisk", Exten=extension, Priority=1
        )
        expected = [["12", False], "5", "7", ["34", False], ["8", True]]
        ending = await self.soon(running.ended)
        self.expect(ending, Ending(expected, "SUCCESS", "SUCCESS"))

    async def test_missing_sound(self) -> None:
        """The command fails, the script goes on, and only Asterisk calls it a failure."""
        expected = [
            "STREAM FILE: 200 result=-1 endpos=0",
            "GET DATA: 200 result=-1",
            "CONTROL STREAM FILE: 200 result=-1 endpos=-1",
        ]
        ending = await self.run_script(scripts.missing_sound)
        self.expect(ending, Ending(expected, "FAILURE", "SUCCESS"))

    async def test_wrong_commands(self) -> None:
        """Each failure is the one of its command, and the next command is not disturbed."""
        expected = [
            "BOGUS: 510 Invalid or unknown command",
            "SET VARIABLE: 520 Invalid command syntax.  Proper usage follows:",
            "EXEC: 200 result=-2",
            "HANGUP: 200 result=-1",
            "GOSUB: 200 result=-1 Gosub label not found",
        ]
        ending = await self.run_script(scripts.wrong_commands)
        self.expect(ending, Ending(expected, "FAILURE", "SUCCESS"))

    async def test_hangup_during_each_command(self) -> None:
        """The command fails with HungUp; what may be done after that works."""
        for command in scripts.LONG_COMMANDS:
            running = await self.call_script(scripts.hangup_during, DURING=command)
            await self.when_running(command)
            await self.hang_up()
            ending = await self.soon(running.ended)
            result = [command, "HungUp", *AFTER_HANGUP]
            self.expect(ending, Ending(result, ending.status, "SUCCESS"))

    async def test_hangup_at_each_place_between_commands(self) -> None:
        """What the script waits for fails, whatever it is, and no command is done then."""
        for stop in range(scripts.STEPS):
            running = await self.call_script(scripts.hangup_between, STOP=stop)
            await self.soon(running.stopped)
            await self.hang_up()
            ending = await self.soon(running.ended)
            self.expect(ending, Ending([stop, *AFTER_HANGUP], "HANGUP", "SUCCESS"))

    async def test_hangup_at_any_time(self) -> None:
        """Wherever it is that the hangup comes, all is told apart."""
        for wait in (0, 2, 5, 9):
            running = await self.call_script(scripts.hangup_at_any_time)
            await self.soon(running.stopped)
            await self.pause(wait / 1000)
            await self.hang_up()
            ending = await self.soon(running.ended)
            self.expect(ending, Ending(AFTER_HANGUP, "HANGUP", "SUCCESS"))

    async def test_script_hangs_up(self) -> None:
        """It is told like any hangup."""
        ending = await self.run_script(scripts.hangup_by_itself)
        self.expect(ending, Ending(AFTER_HANGUP, "HANGUP", "SUCCESS"))

    async def test_hangup_cancels(self) -> None:
        """If that is wished, what the script waits for fails with CancelledError."""
        running = await self.call_script(scripts.hangup_cancels, on_hangup="cancel")
        await self.soon(running.stopped)
        await self.hang_up()
        ending = await self.soon(running.ended)
        self.expect(ending, Ending(AFTER_HANGUP, "HANGUP", "SUCCESS"))

    async def test_hangup_is_told(self) -> None:
        """If that is wished, the script goes on."""
        running = await self.call_script(scripts.hangup_is_told, on_hangup="tell")
        await self.soon(running.stopped)
        await self.hang_up()
        ending = await self.soon(running.ended)
        self.expect(ending, Ending(AFTER_HANGUP, "HANGUP", "SUCCESS"))

    async def test_hangup_without_notice(self) -> None:
        """With ``AGISIGHUP=no`` the next command finds out."""
        running = await self.call_script(scripts.hangup_at_any_time, AGISIGHUP="no")
        await self.soon(running.stopped)
        await self.hang_up()
        ending = await self.soon(running.ended)
        self.expect(ending, Ending(AFTER_HANGUP, "HANGUP", "SUCCESS"))

    async def test_hangup_that_ends_the_session(self) -> None:
        """With ``AGIEXITONHANGUP=yes`` the script is told, and nothing can be done any more."""
        running = await self.call_script(scripts.unreachable, AGIEXITONHANGUP="yes")
        await self.soon(running.stopped)
        await self.hang_up()
        ending = await self.soon(running.ended)
        self.expect(ending, Ending(None, "HANGUP", ""))

    async def test_failing_script(self) -> None:
        """The dialplan goes on, and is told."""
        ending = await self.run_script(scripts.failing)
        self.expect(ending, Ending(None, "FAILURE", "FAILURE"))
        self.flushLoggedErrors(ZeroDivisionError)


class FastAGI22Tests(FastAGICarrier, Scripts):
    """FastAGI of Asterisk 22."""

    version = "22"


class Process22Tests(ProcessCarrier, Scripts):
    """Programs that Asterisk 22 starts."""

    version = "22"


class EAGI22Tests(EAGICarrier, Scripts):
    """Programs that Asterisk 22 starts with the caller's audio."""

    version = "22"


class FastAGI16Tests(FastAGICarrier, Scripts):
    """FastAGI of Asterisk 16."""

    version = "16"


class Process16Tests(ProcessCarrier, Scripts):
    """Programs that Asterisk 16 starts."""

    version = "16"


class EAGI16Tests(EAGICarrier, Scripts):
    """Programs that Asterisk 16 starts with the caller's audio."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(
        FastAGI22Tests,
        Process22Tests,
        EAGI22Tests,
        FastAGI16Tests,
        Process16Tests,
        EAGI16Tests,
    )
