"""Programs that real Asterisk 22 and 16 start, and what they hear of the caller."""

from __future__ import annotations

import wave

from twisted.trial.runner import TestSuite

from tests.live import listening, scripts
from tests.live.carriers import EAGICarrier, Ending, ProcessCarrier
from tests.live.fixture import live_suite
from tests.processes import CHECKOUT
from txasterisk.agi import AudioFormat, Script

EXAMPLES = CHECKOUT / "examples"

#: The pitch of what the caller plays, in hertz.
MILLIWATT = 1004


class Programs(ProcessCarrier):
    """What only a program can do, and what is done to it."""

    async def test_surroundings(self) -> None:
        """A program is told who calls, and what the dialplan wants, in two ways."""
        extension, needed = self.ready(listening.surroundings, "raise")
        program = f"{needed['AGI_SCRIPT']},one,,two words"
        running = await self.follow(extension, {"AGI_SCRIPT": program})
        arguments = ["one", "", "two words"]
        expected = [[], "/surroundings.py", arguments, arguments, "0.0", True]
        self.expect(await self.soon(running.ended), Ending(expected, "SUCCESS", "SUCCESS"))

    async def test_prints(self) -> None:
        """What a program says goes to Asterisk's console, and disturbs no command."""
        ending = await self.run_script(listening.prints)
        self.expect(ending, Ending("process", "SUCCESS", "SUCCESS"))
        for what in ("said by Python", "said from below", "said by a child"):
            self.assertIn(what, self.place.said())

    async def test_traceback(self) -> None:
        """A script that fails is told there with its call."""
        ending = await self.run_script(scripts.failing)
        self.expect(ending, Ending(None, "FAILURE", "FAILURE"))
        self.assertIn("The script of <AGISession with Local/process@txasterisk", self.place.said())
        self.assertIn("raise ZeroDivisionError", self.place.said())

    async def test_sigterm(self) -> None:
        """The script ends, and the call goes on."""
        ending = await self.run_script(listening.terminated)
        self.expect(ending, Ending(None, "FAILURE", "FAILURE"))

    async def test_sigkill(self) -> None:
        """The dialplan goes on, and is told nothing by a program that could not."""
        ending = await self.run_script(listening.killed)
        # Asterisk misses how a child ended now and then, so its own status may be either.
        self.expect(ending._replace(status=""), Ending(None, "", ""))

    async def test_example(self) -> None:
        """The example asks for a number, and the dialplan gets it."""
        self.place.write_program("example.py", (EXAMPLES / "agi_script.py").read_text())
        told = self.ami.next("VarSet", Variable="WANTED")
        running = await self.follow(
            "digits",
            {"AGI_SCRIPT": "example.py,vm-password", "DIGITS": "4242", "DIGITS_AFTER": 2},
            Context="txasterisk",
            Exten="process",
            Priority=1,
        )
        self.assertEqual((await self.soon(told))["Value"], "4242", self.place.said())
        self.expect(await self.soon(running.ended), Ending(None, "SUCCESS", "SUCCESS"))

    async def test_no_audio(self) -> None:
        """The error tells what would bring some."""
        ending = await self.run_script(listening.no_audio)
        why = "the caller's audio comes by EAGI() only, not by AGI()"
        self.expect(ending, Ending(why, "SUCCESS", "SUCCESS"))


class Listeners(EAGICarrier):
    """What is heard of a caller who plays a tone."""

    async def tone(self, script: Script, **variables: str) -> Ending:
        """Call a script, and play a tone to it."""
        extension, needed = self.ready(script, "raise")
        running = await self.follow(extension, needed | variables, Application="Milliwatt", Data="")
        if script in (listening.frames_to_the_end, listening.send_to_the_end):
            await self.soon(running.stopped)
            await self.hang_up()
        return await self.soon(running.ended)

    async def test_formats(self) -> None:
        """A tone has its pitch, so the format and its rates are right."""
        for name in ("slin", "slin16", "slin48", "ulaw", "alaw"):
            ending = await self.tone(listening.pitch, EAGI_AUDIO_FORMAT=name)
            form, size, crossings = ending.result
            self.assertEqual(form, name)
            self.assertEqual(size, AudioFormat.named(name).bytes_per_second * listening.ENOUGH)
            self.assertApproximates(crossings, 2 * MILLIWATT, 20, name)

    async def test_example(self) -> None:
        """The example keeps what it hears until the hangup."""
        self.place.write_program("example.py", (EXAMPLES / "eagi_script.py").read_text())
        kept, name = self.place.spooled("said.wav")
        listening = self.when_running("VERBOSE")
        told = self.ami.next("VarSet", Variable="SAID")
        script = {"AGI_SCRIPT": f"example.py,{name}"}
        running = await self.follow("eagi", script, Application="Milliwatt", Data="")
        await listening
        await self.pause(1)
        await self.hang_up()
        seconds = (await self.soon(told))["Value"]
        self.expect(await self.soon(running.ended), Ending(None, "HANGUP", "SUCCESS"))
        with wave.open(str(kept)) as file:
            self.assertEqual(f"{file.getnframes() / file.getframerate():.1f}", seconds)
        self.assertGreater(float(seconds), 0.5)

    async def test_usual_format(self) -> None:
        """Without a wish it is slin."""
        form, _, crossings = (await self.tone(listening.pitch)).result
        self.assertEqual(form, "slin")
        self.assertApproximates(crossings, 2 * MILLIWATT, 20)

    async def test_frames(self) -> None:
        """Frames come until the caller hangs up, and the loop ends with them."""
        ending = await self.tone(listening.frames_to_the_end)
        self.expect(ending, Ending([True, True, True], "HANGUP", "SUCCESS"))

    async def test_consumer(self) -> None:
        """A consumer that pauses gets the audio until the caller hangs up."""
        ending = await self.tone(listening.send_to_the_end)
        self.expect(ending, Ending([True, True], "HANGUP", "SUCCESS"))

    async def test_while_at_work(self) -> None:
        """Some commands keep the audio from coming."""
        audible = [
            "nothing",
            "STREAM FILE",
            "WAIT FOR DIGIT",
            "GET DATA",
            "GET OPTION",
            "SAY DIGITS",
            "SAY NUMBER",
            "SAY ALPHA",
            "SAY PHONETIC",
        ]
        silent = [
            "CONTROL STREAM FILE",
            "SAY DATE",
            "SAY TIME",
            "SAY DATETIME",
            "RECORD FILE",
            "RECEIVE TEXT",
            "EXEC",
            "GOSUB",
        ]
        ending = await self.tone(listening.while_at_work)
        self.assertEqual(ending.result, [audible, silent], self.place.said())

    async def test_too_late(self) -> None:
        """What is not read in time is dropped, when four seconds of it are there."""
        ending = await self.tone(listening.too_late)
        self.assertGreater(ending.result, 60_000)
        self.assertLessEqual(ending.result, 65_536)


class Programs22Tests(Programs):
    """Programs that Asterisk 22 starts."""

    version = "22"


class Listeners22Tests(Listeners):
    """What is heard through Asterisk 22."""

    version = "22"


class Programs16Tests(Programs):
    """Programs that Asterisk 16 starts."""

    version = "16"


class Listeners16Tests(Listeners):
    """What is heard through Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Programs22Tests, Listeners22Tests, Programs16Tests, Listeners16Tests)
