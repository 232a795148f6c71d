"""What the contract says of the commands of AGI, one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred

from ...agi import AGISession, ChannelState
from ...errors import CommandFailed, HungUp
from .place import SOON
from .scripted import ScriptedContract

__all__ = ["AGICommandsContract"]

USAGE = "520 Invalid command syntax.  Proper usage follows:"

#: A moment that can be said.
MOMENT = datetime(2026, 11, 25, 16, 5, tzinfo=UTC)


class AGICommandsContract(ScriptedContract):
    """What a call can be asked for."""

    async def refusal(self, asked: Deferred[Any]) -> str:
        """Return the reply with which a command fails."""
        return str((await self.failing(CommandFailed, asked)).reply)

    async def test_states(self) -> None:
        """The state of a channel has a name; one that does not exist has none."""

        async def script(session: AGISession) -> list[ChannelState]:
            states = [await session.channel_status()]
            await session.answer()
            await self.failing(CommandFailed, session.channel_status("nosuch"))
            states.append(await session.channel_status(session.environment.channel))
            return states

        states = await self.run_script(script)
        self.assertEqual(states, [ChannelState.RING, ChannelState.UP])

    async def test_any_text(self) -> None:
        """A variable can be set to any text, and is read as it is."""
        texts = [
            "",
            "two\nlines",
            "\n\nHANGUP\n200 result=1 (no)\n",
            'quotes " and \\ and (a):1:2) and ${EXTEN} and $[1+1]',
            "ends like a reply)\n)",
            "größe ☎\r\n" * 2000,
        ]

        async def script(session: AGISession) -> list[str]:
            read = []
            for text in texts:
                await session.set_full_variable("__TEXT", text)
                read.append(await session.get_full_variable("${TEXT}"))
            return read

        self.assertEqual(await self.run_script(script), texts)

    async def test_database(self) -> None:
        """Values are stored by family and key, and families are deleted as a whole or in parts."""

        async def script(session: AGISession) -> list[object]:
            await session.database_put("contract", "key", "a (value)")
            await session.database_put("contract", "tree/one", "1")
            await session.database_put("contract", "trees", "2")
            values: list[object] = [
                await session.database_get("contract", "key"),
                await session.database_get("contract/tree", "one"),
                await session.database_get("contract", "nosuch"),
                await session.database_deltree("contract", "tree"),
                await session.database_get("contract", "tree/one"),
                await session.database_get("contract", "trees"),
            ]
            await session.database_del("contract", "key")
            await session.database_del("contract", "key")
            # An underline stands for any character, also for itself.
            values += [
                await session.database_deltree("_ontract"),
                await session.database_deltree("contract"),
            ]
            return values

        self.assertEqual(
            await self.run_script(script),
            ["a (value)", "1", None, True, None, "2", True, False],
        )

    async def test_caller(self) -> None:
        """A caller can be named, and AMI is told of it, unless nothing changes."""

        async def script(session: AGISession) -> list[str]:
            told = []
            for caller in ('"Al B" <12>', '"Al B" <12>', "34", "Bob", ""):
                await session.set_callerid(caller)
                told.append(await session.get_full_variable("${CALLERID(name)}/${CALLERID(num)}"))
            return told

        heard: list[str] = []
        self.ami.on("NewCallerid", lambda event: heard.append(event["CallerIDName"]))
        told = await self.run_script(script)
        self.assertEqual(told, ["Al B/12", "Al B/12", "/34", "Bob/", "/"])
        await self.ami.ping(timeout=SOON)
        self.assertEqual(heard[-4:], ["Al B", "<unknown>", "Bob", "<unknown>"])

    async def test_autohangup(self) -> None:
        """A call hangs up by itself after a while, unless that is taken back."""

        async def script(session: AGISession) -> bool:
            await session.answer()
            await session.set_autohangup(0.1)
            await session.set_autohangup(0)
            await session.wait_for_digit(0.2)
            await session.set_autohangup(0.1)
            await self.failing(HungUp, session.wait_for_digit(5))
            return session.hung_up

        self.assertTrue(await self.run_script(script))

    async def test_goes_on_elsewhere(self) -> None:
        """A session can choose where the dialplan goes on."""

        async def first(session: AGISession) -> None:
            await session.set_variable("AGI_PATH", "second")
            await session.set_context("txasterisk")
            await session.set_extension("agi")
            await session.set_priority(1)

        async def second(session: AGISession) -> tuple[str, str, str]:
            call = session.environment
            return call.context, call.extension, call.priority

        result = self.script(second, "second")
        self.script(first, "first")
        await self.call(self.ami, "agi", Variable={"__AGI_PATH": "first"})
        self.assertEqual(await result, ("txasterisk", "agi", "1"))

    async def test_goes_on_nowhere(self) -> None:
        """An extension that does not exist ends the call."""

        async def script(session: AGISession) -> None:
            await session.set_extension("nosuch")
            await session.set_priority(1)

        ended = self.ami.next("Hangup", Uniqueid="two", timeout=SOON)
        result = self.script(script)
        await self.call_script(**self.IDS)
        await result
        await ended

    async def test_said(self) -> None:
        """Numbers, texts and times are said to their ends."""

        async def script(session: AGISession) -> list[str | None]:
            await session.answer()
            return [
                await session.say_digits("12"),
                await session.say_number(21),
                await session.say_alpha("a"),
                await session.say_alpha("é"),
                await session.say_phonetic("b"),
                await session.say_time(MOMENT),
                await session.say_datetime(MOMENT, date_format="A"),
                await session.say_datetime(MOMENT, date_format="H", timezone="Asia/Tokyo"),
            ]

        self.assertEqual(await self.run_script(script), [None] * 8)

    async def test_said_until_a_key(self) -> None:
        """A key ends what is said."""

        async def script(session: AGISession) -> list[str | None]:
            await session.answer()
            return [
                await session.say_digits("123456", "5"),
                await session.say_number(123_456, "5"),
                await session.say_alpha("abcdef", "5"),
                await session.say_phonetic("abcdef", "5"),
                await session.say_date(MOMENT, "5"),
                await session.say_time(MOMENT, "5"),
                await session.say_datetime(MOMENT, "5"),
            ]

        said = await self.dial_in(script, "35w5w5w5w5w5w5")
        self.assertEqual(said, ["5"] * 7)

    async def test_what_cannot_be_said(self) -> None:
        """What is no number, and a sound that does not exist, fail."""

        async def script(session: AGISession) -> list[str]:
            await session.answer()
            return [
                await self.refusal(session.command("SAY NUMBER", "one", "")),
                await self.refusal(session.command("SAY DIGITS", "*1", "")),
                await self.refusal(session.command("SAY ALPHA", "a", "", "x")),
                await self.refusal(session.command("SAY DATE", "now", "")),
                await self.refusal(session.say_datetime(0, date_format="'nosuch'")),
            ]

        self.assertEqual(await self.run_script(script), [*[USAGE] * 4, "200 result=-1"])

    async def test_controlled_to_the_end(self) -> None:
        """A sound under control that comes to its end has no position."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            return [
                await session.control_stream_file("beep"),
                await session.get_variable("CPLAYBACKSTATUS"),
                await session.control_stream_file("beep", offset=0.3),
                await session.control_stream_file("beep", offset=60),
                await session.get_variable("CPLAYBACKOFFSET"),
                await self.refusal(session.control_stream_file("nosuch")),
                await session.get_variable("CPLAYBACKSTATUS"),
            ]

        end = (None, None)
        self.assertEqual(
            await self.run_script(script),
            [end, "SUCCESS", end, end, "-1", "200 result=-1 endpos=-1", "ERROR"],
        )

    async def test_controlled_by_keys(self) -> None:
        """Keys move forward and back, pause, and stop; they go on where they are."""

        async def script(session: AGISession) -> list[tuple[str | None, int]]:
            await session.answer()
            played = [
                # 3 seconds forward.
                await session.control_stream_file("demo-congrats", "5", pause="2"),
                # 10 seconds forward, and twice back.
                await session.control_stream_file("demo-congrats", "5", skip=5, offset=10),
                # Forward beyond the end is the beginning.
                await session.control_stream_file("demo-congrats", "5", skip=60, offset=10),
                # Not moved: a key that moves while it pauses has no effect.
                await session.control_stream_file("demo-congrats", "5", pause="2"),
            ]
            return [(each.digit, round((each.endpos or 0) / 5)) for each in played]

        played = await self.dial_in(script, "#5#**5#52#25")
        self.assertEqual(played, [("5", 1), ("5", 1), ("5", 0), ("5", 0)])

    async def test_options(self) -> None:
        """One of some keys is waited for, during a sound and after it."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            return [
                (await session.get_option("demo-congrats", "12", 5)).digit,
                (await session.get_option("demo-congrats", "12", 5)).digit,
                await session.get_option("beep", "12", 5),
                await session.get_option("beep", "12", 5),
                await session.get_option("beep", "12", 0.1),
                await self.refusal(session.get_option("nosuch", "12")),
            ]

        chosen = await self.dial_in(script, "132w1w3")
        self.assertEqual(
            chosen,
            ["1", "2", ("1", 3520), (None, 3520), (None, 3520), "200 result=-1 endpos=0"],
        )

    async def test_recordings(self) -> None:
        """A recording ends in time, or by a key, be it pressed during the beep."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            record = session.record_file
            return [
                await record("/tmp/contract-key", "wav", "#5", 10),
                await record("/tmp/contract-beep", "wav", "5", 10, beep=True),
                await record("/tmp/contract-time", "gsm", "#", 0.1),
                await record("/tmp/contract-options", "wav", "#", 0.1, beep=True, silence=2),
                await self.refusal(record("/tmp/contract-format", "nosuch", "#", 0.1)),
                await self.refusal(session.command("RECORD FILE", "a", "wav", "", "ten")),
            ]

        recorded = await self.dial_in(script, "4#5")
        self.assertEqual(
            recorded,
            [("#", 0), ("5", 0), (None, 0), (None, 0), "200 result=-1 (writefile)", USAGE],
        )

    async def test_texts(self) -> None:
        """Messages of the caller can be waited for."""

        async def script(session: AGISession) -> list[object]:
            await session.answer()
            texts: list[object] = [
                await session.receive_text(0.05),
                await session.receive_char(0.05),
            ]
            for waiting in (session.receive_text(5), session.receive_char(5)):
                await self.ami.next("AGIExecStart", timeout=SOON)
                await self.ami.action(
                    "SendText",
                    {"Channel": other_half(session), "Message": "größe (XL)"},
                    timeout=SOON,
                )
                texts.append(await waiting)
            return texts

        self.assertEqual(await self.run_script(script), [None, None, "größe (XL)", "g"])

    async def test_what_a_local_channel_cannot(self) -> None:
        """Texts and images to it go nowhere, and it is no text telephone."""

        async def script(session: AGISession) -> list[str]:
            await session.send_text("hello you")
            await session.send_image("nosuch")
            return [await self.refusal(session.tdd_mode("on"))]

        self.assertEqual(await self.run_script(script), ["200 result=0"])

    async def test_no_engine(self) -> None:
        """Without an engine for speech recognition all its commands fail."""

        async def script(session: AGISession) -> list[str]:
            return [
                await self.refusal(session.speech_create()),
                await self.refusal(session.speech_set("name", "value")),
                await self.refusal(session.speech_load_grammar("menu", "/menu")),
                await self.refusal(session.speech_activate_grammar("menu")),
                await self.refusal(session.speech_recognize("beep", 1)),
                await self.refusal(session.speech_deactivate_grammar("menu")),
                await self.refusal(session.speech_unload_grammar("menu")),
                await self.refusal(session.speech_destroy()),
            ]

        self.assertEqual(await self.run_script(script), ["200 result=0"] * 8)

    async def test_hangup_while_waiting(self) -> None:
        """A hangup during any of the commands that wait is one, however Asterisk words it."""
        waits: list[Callable[[AGISession], Deferred[Any]]] = [
            lambda session: session.control_stream_file("demo-congrats"),
            lambda session: session.get_option("demo-congrats", "1"),
            lambda session: session.get_option("beep", "1", 10),
            lambda session: session.record_file("/tmp/contract-hangup", "wav"),
            lambda session: session.record_file("/tmp/contract-hangup", "wav", beep=True),
            lambda session: session.receive_char(10),
            lambda session: session.receive_text(10),
            lambda session: session.say_digits("0123456789"),
            lambda session: session.say_datetime(MOMENT),
        ]
        for wait in waits:
            await self.hang_up_during(wait)

    async def hang_up_during(self, wait: Callable[[AGISession], Deferred[Any]]) -> None:
        """Hang up while a script waits for this."""
        waiting: Deferred[None] = Deferred()

        async def script(session: AGISession) -> bool:
            await session.answer()
            waited = wait(session)
            waiting.callback(None)
            await self.failing(HungUp, waited)
            await session.noop()
            return session.hung_up

        result = self.script(script)
        await self.call_script()
        await self.soon(waiting)
        await self.pause(0.02)
        await self._hang_up_all(self.ami)
        self.assertTrue(await result)

    async def test_usage(self) -> None:
        """Too many arguments are as wrong as too few, where Asterisk counts them."""

        async def script(session: AGISession) -> list[str]:
            await session.command("VERBOSE", "a", "1", "b")
            await session.command("NOOP", "a")
            return [
                await self.refusal(session.command("SEND TEXT", "a", "b")),
                await self.refusal(session.command("DATABASE PUT", "a", "b")),
                await self.refusal(session.command("DATABASE PUT", "a", "b", "c", "d")),
                await self.refusal(session.command("STREAM FILE", "beep", "", "half")),
                await self.refusal(session.command("CONTROL STREAM FILE", "beep", "", "x")),
                await self.refusal(session.command("WAIT FOR DIGIT", "long")),
                await self.refusal(session.command("SET AUTOHANGUP", "soon")),
            ]

        self.assertEqual(await self.run_script(script), [USAGE] * 7)

    async def test_what_makes_a_session_fail(self) -> None:
        """A file that cannot be written makes the whole session fail."""

        async def script(session: AGISession) -> None:
            await session.answer()
            await self.refusal(session.record_file("/tmp/contract", "nosuch"))

        done = self.done()
        await self.run_script(script)
        self.assertEqual((await done)["Status"], "FAILURE")


def other_half(session: AGISession) -> str:
    """Return the name of the other half of a local channel."""
    channel, _, half = session.environment.channel.partition(";")
    return f"{channel};{3 - int(half)}"
