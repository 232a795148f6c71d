"""
Speech recognition on a real Asterisk, with an engine that is played by the test.

Asterisk 22 has engines outside of it, which it reaches over a WebSocket (``res_speech_aeap``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.trial.runner import TestSuite

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from tests.live.scripted import ScriptedCalls
from txasterisk.agi import AGISession, Recognized, Utterance
from txasterisk.errors import CommandFailed, HungUp
from txasterisk.testing.contract.place import SOON

#: Asterisk has heard enough of the caller for an engine to say what it was.
FRAMES: Final = 10

CONFIGURATION: Final = """
[engine]
type = client
protocol = speech_to_text
codecs = !all,ulaw
url = ws://{address}:{port}
"""


class Engines(WebSocketServerFactory):
    """
    Makes engines.

    :ivar results: what they recognize.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.protocol = Engine
        self.results: list[dict[str, Any]] = []


class Engine(WebSocketServerProtocol):
    """Agrees to everything, and recognizes what its factory says, if that is anything."""

    frames = 0

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Take some sound, or answer a request."""
        if isBinary:
            self.frames += 1
            if self.frames == FRAMES and self.factory.results:
                results = {"results": self.factory.results}
                self.say({"request": "set", "id": "1", "params": results})
            return
        asked = json.loads(payload)
        if "request" in asked:
            agreed = {key: asked[key] for key in ("id", "codecs", "params") if key in asked}
            self.say({"response": asked["request"], **agreed})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.sendMessage(json.dumps(message).encode())


class Speech22Tests(ScriptedCalls):
    """Speech on Asterisk 22."""

    timeout = 60
    version = "22"
    caller = "playback"

    async def set_up(self) -> None:
        await super().set_up()
        self.engines = Engines(f"ws://{LOOPBACK}")
        port = reactor.listenTCP(0, self.engines, interface=LOOPBACK)
        self.addCleanup(port.stopListening)
        path = Path(asterisk(self.version).paths["home"]) / "etc" / "aeap.conf"
        path.write_text(CONFIGURATION.format(address=LOOPBACK, port=port.getHost().port))
        self.addCleanup(path.unlink)
        await self.ami.reload(module="res_aeap.so", timeout=SOON)

    async def test_engine(self) -> None:
        """An engine is made once, set, and unmade; this kind has no grammars."""

        async def script(session: AGISession) -> None:
            await session.speech_create("engine")
            await self.failing(CommandFailed, session.speech_create("engine"))
            await session.speech_set("language", "de")
            await self.failing(CommandFailed, session.speech_load_grammar("menu", "/menu"))
            await session.speech_destroy()
            await self.failing(CommandFailed, session.speech_destroy())

        await self.run_script(script)

    async def test_what_the_caller_said(self) -> None:
        """What the caller may have said is told as the engine says it, whatever it is."""
        self.engines.results = [
            {"text": 'hello (you) "two" score0=1 endpos=7', "score": 98, "grammar": "one"},
            {"text": "größe", "score": 7, "grammar": "two"},
        ]

        async def script(session: AGISession) -> Recognized:
            await session.speech_create("engine")
            return await session.speech_recognize("demo-congrats", 5)

        heard = await self.run_script(script)
        self.assertIsNone(heard.digit)
        self.assertEqual(
            set(heard.utterances),
            {
                Utterance(98, 'hello (you) "two" score0=1 endpos=7', "one"),
                Utterance(7, "größe", "two"),
            },
        )

    async def test_more_than_asterisk_tells(self) -> None:
        """Asterisk cuts what is too much, and what it has cut is not told."""
        self.engines.results = [
            {"text": letter * 1500, "score": 1, "grammar": "g"} for letter in "abcd"
        ]

        async def script(session: AGISession) -> Recognized:
            await session.speech_create("engine")
            return await session.speech_recognize("demo-congrats", 5)

        heard = await self.run_script(script)
        self.assertEqual([len(each.text) for each in heard.utterances], [1500, 1500])
        self.assertEqual(heard.left_out, 2)

    async def test_key(self) -> None:
        """A key ends it."""

        async def script(session: AGISession) -> Recognized:
            await session.speech_create("engine")
            recognizing = session.speech_recognize("demo-congrats", 5)
            await self.press(session, "#")
            return await recognizing

        self.assertEqual(await self.run_script(script), Recognized((), "#", 0))

    async def test_time_is_up(self) -> None:
        """So does the time, which begins after the prompt; a prompt that is not there is none."""

        async def script(session: AGISession) -> list[Recognized]:
            await session.speech_create("engine")
            return [
                await session.speech_recognize("beep", 1),
                await session.speech_recognize("nothing", 0.1, 800),
            ]

        self.assertEqual(await self.run_script(script), [Recognized((), None, 0)] * 2)

    async def test_hangup(self) -> None:
        """So does the hangup, after which the engine can still be unmade."""

        async def script(session: AGISession) -> None:
            await session.speech_create("engine")
            recognizing = session.speech_recognize("demo-congrats", 5)
            await self.pause(0.3)
            await self.ami.hangup(channel=session.environment.channel, timeout=SOON)
            await self.failing(HungUp, recognizing)
            await session.speech_destroy()

        await self.run_script(script)


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Speech22Tests)
