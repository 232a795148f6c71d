"""What the contract says of the verbs of every day, with keys that are really pressed."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from ...agi import AGISession, Command, Digitwise, Moment, Phonetic, Spelled
from ...ami import Event
from ...errors import CommandFailed, HungUp, LocalProtocolError
from .place import SOON
from .scripted import OverAsyncAGI, Script, ScriptedContract

__all__ = ["AGIVerbsContract", "AsyncAGIVerbsContract"]

T = TypeVar("T")

#: Half a minute of sound, so that whatever ends it is a key.
LONG = "demo-congrats"


class AGIVerbsContract(ScriptedContract):
    """
    Prompts, digits, menus, recordings and sequences, over FastAGI.

    :cvar speed: what makes ``SendDTMF`` as fast as nobody types: a key each tenth of a second.
    """

    speed = ",50,50"

    def begun(self, command: str) -> Deferred[Event]:
        """Wait until Asterisk runs a command."""
        return self.ami.next(
            "AGIExecStart", Command=lambda line: line.startswith(command), timeout=SOON
        )

    # What the caller hears

    async def test_play(self) -> None:
        """Sounds are played to their end, one after the other."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            return [await session.play("beep", "beep"), await session.play()]

        began = self.reactor.seconds()
        self.assertEqual(await self.run_script(script), [None, None])
        self.assertGreater(self.reactor.seconds() - began, 0.8)

    async def test_play_until_a_key(self) -> None:
        """A key stops a sound and all that are left; another key stops nothing."""

        async def script(session: AGISession) -> object:
            return await session.play("beep", LONG, LONG, escape_digits="5#")

        self.assertEqual(await self.dial_in(script, "w9w5"), "5")

    async def test_missing_sound(self) -> None:
        """A sound that is not there fails, after those before it."""

        async def script(session: AGISession) -> str:
            await session.answer()
            error = await self.failing(CommandFailed, session.play("beep", "nosuch", "beep"))
            return error.command

        self.assertEqual(await self.run_script(script), "STREAM FILE")

    async def test_say(self) -> None:
        """All that can be said is said."""

        async def script(session: AGISession) -> object:
            await session.answer()
            return await session.say(
                "beep",
                -12,
                Digitwise("-1*"),
                Spelled("a"),
                Phonetic("b"),
                date(2050, 3, 4),
                time(15, 6),
                Moment(datetime(1999, 12, 31, 23, 59), "HM"),
            )

        self.assertIsNone(await self.run_script(script))

    async def test_say_until_a_key(self) -> None:
        """A key stops what is said and all that is left."""

        async def script(session: AGISession) -> object:
            return await session.say("beep", Digitwise("1" * 40), LONG, escape_digits="#")

        self.assertEqual(await self.dial_in(script, "ww#"), "#")

    async def test_what_cannot_be_said(self) -> None:
        """It is refused before anything is heard."""

        async def script(session: AGISession) -> object:
            await session.answer()
            began = self.reactor.seconds()
            await self.failing(LocalProtocolError, session.say(LONG, 2**31))
            return self.reactor.seconds() - began < 20

        self.assertTrue(await self.run_script(script))

    # What the caller enters

    async def test_gather(self) -> None:
        """Digits end with the last one, with ``#``, or with the time."""

        async def script(session: AGISession) -> list[object]:
            return [
                await session.gather(max_digits=2, prompt=LONG),
                await session.gather(max_digits=9),
                await session.gather(max_digits=9, timeout=1.2),
                await session.gather(max_digits=9, timeout=0.2),
            ]

        expected = ["12", "34*", "5", None]
        self.assertEqual(await self.dial_in(script, "12w34*#w5"), expected)

    async def test_fast_digits(self) -> None:
        """None is lost, however fast they come, in the last prompt or before it."""

        async def script(session: AGISession) -> object:
            return await session.gather(max_digits=7, prompt=LONG)

        async def early(session: AGISession) -> object:
            return await session.gather(max_digits=7, prompt=[LONG, 1000, LONG])

        async def unlike(session: AGISession) -> object:
            return await session.gather(max_digits=7, timeout=2, first_timeout=9, prompt=LONG)

        for at, each in enumerate((script, early, unlike)):
            entered = await self.dial_in(each, f"1234567{self.speed}", path=f"test-{at}")
            self.assertEqual(entered, "1234567")

    async def test_time_limits(self) -> None:
        """The first digit may have a time limit of its own."""

        async def script(session: AGISession) -> list[object]:
            begun = self.reactor.seconds()
            entered = await session.gather(max_digits=9, timeout=0.9, first_timeout=9)
            late = self.reactor.seconds() - begun
            nothing = await session.gather(max_digits=9, timeout=9, first_timeout=0.3)
            return [entered, late < 5, nothing]

        self.assertEqual(await self.dial_in(script, "12", after=1.5), ["12", True, None])

    async def test_retries(self) -> None:
        """Who enters what is not valid, or nothing, may try again."""
        judged: list[str] = []

        async def judge(digits: str) -> bool:
            judged.append(digits)
            return digits == "42"

        async def script(session: AGISession) -> list[object]:
            by_function = await session.gather(
                max_digits=2,
                timeout=1.5,
                prompt=LONG,
                valid=lambda digits: Deferred.fromCoroutine(judge(digits)),
                retries=2,
                invalid="beep",
            )
            by_pattern = await session.gather(
                max_digits=2, timeout=0.2, valid="[1-5]+", retries=1, timed_out=LONG
            )
            return [by_function, by_pattern]

        self.assertEqual(await self.dial_in(script, "12wwww42wwww3"), ["42", "3"])
        self.assertEqual(judged, ["12", "42"])

    async def test_nothing_valid(self) -> None:
        """After the last try there is nothing."""

        async def script(session: AGISession) -> object:
            return await session.gather(
                max_digits=1, timeout=1, valid="[1-5]", retries=1, invalid=LONG
            )

        self.assertIsNone(await self.dial_in(script, "9w9"))

    async def test_menu(self) -> None:
        """One key chooses, another one or none may be followed by a second try."""
        options = {"1": "one", "*": "star", "#": "pound"}

        async def script(session: AGISession) -> list[object]:
            return [
                await session.menu(options, prompt=["beep", LONG]),
                await session.menu(options, prompt=LONG),
                await session.menu(options, prompt=LONG, retries=1, invalid="beep"),
                await session.menu(options, timeout=0.2, retries=1, timed_out=LONG),
                await session.menu(options, prompt=LONG),
                await session.menu(options, timeout=0.2),
            ]

        expected = ["one", "star", "pound", "one", None, None]
        self.assertEqual(await self.dial_in(script, "w1w*w5www#www1w9"), expected)

    # What the caller says

    async def test_record(self) -> None:
        """A recording ends with a key, or with the time."""

        async def script(session: AGISession) -> list[object]:
            by_key = await session.record("/tmp/txasterisk-record-1", max_seconds=20)
            by_time = await session.record("/tmp/txasterisk-record-2", max_seconds=0.5, beep=False)
            return [by_key.digit, by_time.digit, (by_time.seconds or 0) <= 0.6]

        self.assertEqual(await self.dial_in(script, "ww#"), ["#", None, True])

    async def test_record_where_nothing_can_be_written(self) -> None:
        """It fails."""

        async def script(session: AGISession) -> object:
            await session.answer()
            error = await self.failing(
                CommandFailed, session.record("/nosuch/folder", file_format="nosuch", beep=False)
            )
            return error.command

        self.assertEqual(await self.run_script(script), "RECORD FILE")

    # Anything

    async def test_in_sequence(self) -> None:
        """Commands run in their order, up to the first that fails."""
        set_it, get_it = Command("SET VARIABLE", "A", "1"), Command("GET VARIABLE", "A")

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            await self.failing(
                LocalProtocolError, session.in_sequence(set_it, Command("NOOP", "\n"))
            )
            replies = await session.in_sequence(get_it, set_it, get_it)
            failing = session.in_sequence(Command("STREAM FILE", "nosuch", ""), Command("NOOP"))
            error = await self.failing(CommandFailed, failing)
            return [*map(str, replies), error.command]

        heard: list[Event] = []
        self.ami.on("AGIExecStart", heard.append)
        done = self.done()
        expected = ["200 result=0", "200 result=1", "200 result=1 (1)", "STREAM FILE"]
        self.assertEqual(await self.run_script(script), expected)
        await done
        self.assertNotIn("NOOP", [event["Command"] for event in heard])

    # Hangups

    async def hang_up_during(self, script: Script[Any], command: str) -> None:
        """Hang up while a command runs, and expect that the script is told by its verb."""

        async def run(session: AGISession) -> bool:
            await session.answer()
            await self.failing(HungUp, script(session))
            return session.hung_up

        begun = self.begun(command)
        result = self.script(run)
        await self.call_script()
        await begun
        await self._hang_up_all(self.ami)
        self.assertTrue(await result)

    async def test_hangup_while_playing(self) -> None:
        """The verb fails."""
        await self.hang_up_during(lambda session: _of(session.play(LONG, "beep")), "STREAM FILE")

    async def test_hangup_while_saying(self) -> None:
        """The verb fails."""
        digits = Digitwise("1" * 40)
        await self.hang_up_during(lambda session: _of(session.say(digits, "beep")), "SAY DIGITS")

    async def test_hangup_while_gathering(self) -> None:
        """The verb fails, in the first prompt, and in the last with its digits."""
        prompts = ("beep", LONG)
        await self.hang_up_during(
            lambda session: _of(session.gather(max_digits=9, prompt=prompts, retries=3)),
            "STREAM FILE",
        )

    async def test_hangup_while_digits_are_waited_for(self) -> None:
        """The verb fails."""
        await self.hang_up_during(
            lambda session: _of(session.gather(max_digits=9, timeout=60, retries=3)), "GET DATA"
        )

    async def test_hangup_in_a_menu(self) -> None:
        """The verb fails."""
        await self.hang_up_during(
            lambda session: _of(session.menu({"1": 1}, prompt=LONG, retries=3)), "GET DATA"
        )

    async def test_hangup_while_recording(self) -> None:
        """The verb fails."""
        await self.hang_up_during(
            lambda session: _of(session.record("/tmp/txasterisk-record-3")), "RECORD FILE"
        )

    async def test_hangup_in_a_sequence(self) -> None:
        """The verb fails."""
        commands = Command("EXEC", "Wait", "20"), Command("NOOP")
        await self.hang_up_during(lambda session: _of(session.in_sequence(*commands)), "EXEC")


class AsyncAGIVerbsContract(OverAsyncAGI, AGIVerbsContract):
    """The same over AsyncAGI."""


async def _of(waiting: Deferred[T]) -> T:
    return await waiting
