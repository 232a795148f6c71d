"""The programs in examples/, run against the fake PBX."""

from __future__ import annotations

import re
import shutil
import wave
from array import array
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import clientFromString

from tests.agi import eagi_environment, process_environment
from tests.processes import CHECKOUT, ProgramTestCase
from txasterisk import ActionFailed, AMIFactory, AMIService, Disconnected, LoginRefused
from txasterisk.ami import Gap
from txasterisk.ami.login import Authentication
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.testing import FakeAsterisk, User

EXAMPLES = CHECKOUT / "examples"


def number_in(said: str, pattern: str) -> int:
    """Return the number that a program has said."""
    found = re.search(pattern, said)
    assert found is not None, said
    return int(found[1])


class ExampleTests(ProgramTestCase):
    """Each example does what it says."""

    def setUp(self) -> None:
        """Start a PBX that knows the user of the examples."""
        self.pbx = FakeAsterisk()
        self.pbx.users["admin"] = User("secret")
        self.pbx.listen()
        self.addCleanup(self.pbx.stop)

    async def test_ami_call(self) -> None:
        """A call is placed and hung up, and then there is none."""
        program = self.run_python(EXAMPLES / "ami_call.py", f"tcp:127.0.0.1:{self.pbx.ami_port}")
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("Newchannel Local/answer@txasterisk", program.output)
        self.assertIn("it ended with Normal Clearing", program.output)
        self.assertIn("0 channels now", program.output)

    async def test_ami_events(self) -> None:
        """An event comes to who waits for it, to a listener and in a stream."""
        program = self.run_python(EXAMPLES / "ami_events.py", f"tcp:127.0.0.1:{self.pbx.ami_port}")
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("lunch until 13:00", program.output)
        self.assertIn("Newchannel Local/answer@txasterisk", program.output)
        self.assertIn("Newstate Local/answer@txasterisk", program.output)
        self.assertIn("it ended with User busy", program.output)

    async def test_ami_follow(self) -> None:
        """One call is answered and followed to its end, the other is not answered."""
        program = self.run_python(EXAMPLES / "ami_follow.py", f"tcp:127.0.0.1:{self.pbx.ami_port}")
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("answered by Local/answer@txasterisk-", program.output)
        self.assertIn("it ended with Normal Clearing", program.output)
        self.assertEqual(program.output.count("calling over Local/busy@txasterisk-"), 2)
        self.assertIn("nobody answered: busy", program.output)

    async def test_ami_lists(self) -> None:
        """Lists come in one answer or item by item, and a name is read as it was set."""
        program = self.run_python(EXAMPLES / "ami_lists.py", f"tcp:127.0.0.1:{self.pbx.ami_port}")
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("2 channels now", program.output)
        self.assertEqual(program.output.count(" of Who's there?"), 2)
        self.assertIn("its number is 100", program.output)
        self.assertIn("2 active channels", program.output)
        self.assertIn("No such channel", program.output)

    async def test_ami_service(self) -> None:
        """Each PBX is counted, and counted anew when it was away."""
        other = FakeAsterisk()
        other.users["admin"] = User("secret")
        other.listen()
        self.addCleanup(other.stop)
        here, there = (f"tcp:127.0.0.1:{pbx.ami_port}" for pbx in (self.pbx, other))
        program = self.run_python(EXAMPLES / "ami_service.py", here, there)
        await program.says(f"{here} has 0 channels")
        await program.says(f"{there} has 0 channels")
        self.pbx.call("answer")
        await program.says(f"{here} has 2 channels")
        await self.pbx.restart()
        await program.says(f"{here} was away\n{here} has 0 channels")
        other.call("answer")
        await program.says(f"{there} has 2 channels")

    async def test_ami_proxy(self) -> None:
        """Two clients with secrets of their own do not notice each other."""
        port = await self.proxy()
        desk = await self.client(port, "desk", "desk-secret")
        wallboard = await self.client(port, "wallboard", "wallboard-secret", "plain")
        answered = await gatherResults(
            [
                desk.originate("Local/answer@txasterisk", application="Wait", data=60),
                wallboard.originate("Local/ring@txasterisk", application="Wait", data=60),
            ]
        )
        lists = await gatherResults([desk.core_show_channels(), wallboard.core_show_channels()])
        self.assertEqual([len(each.events) for each in lists], [5, 5])
        for each in lists:
            self.assertEqual({item["ActionID"] for item in each.events}, {each["ActionID"]})
        await gatherResults([call.hangup() for call in answered])
        await gatherResults([call.when_hung_up() for call in answered])
        await gatherResults([desk.logoff(), wallboard.logoff()])

    async def test_ami_proxy_passes_events_on(self) -> None:
        """An event has the ActionID of the client that caused it; a mask keeps others away."""
        port = await self.proxy()
        desk = await self.client(port, "desk", "desk-secret")
        quiet = await self.client(port, "wallboard", "wallboard-secret", events="call,system")
        heard: list[str] = []
        quiet.on("*", lambda event: heard.append(event.name))
        told = desk.next("UserEvent")
        answer = await desk.action("UserEvent", {"UserEvent": "Lunch", "Until": "13:00"})
        self.assertEqual((await told)["ActionID"], answer["ActionID"])
        await quiet.ping()
        self.assertEqual(heard, [])
        await quiet.events(event_mask="user")
        told = quiet.next("UserEvent", UserEvent="Back")
        await desk.user_event(user_event="Back")
        await told
        await gatherResults([desk.logoff(), quiet.logoff()])

    async def test_ami_proxy_refuses(self) -> None:
        """Wrong secrets, actions that are not allowed, and what Asterisk itself refuses."""
        port = await self.proxy()
        for user, secret in [("desk", "wrong"), ("desk", ""), ("nobody", "")]:
            with self.assertRaises(LoginRefused):
                await self.client(port, user, secret)
            with self.assertRaises(LoginRefused):
                await self.client(port, user, secret, "plain")
        desk = await self.client(port, "desk", "desk-secret")
        for action in ("Command", "Filter", "Login"):
            with self.assertRaises(ActionFailed) as caught:
                await desk.action(action, {"Filter": "!Hangup"})
            self.assertEqual(caught.exception.message, "Permission denied")
        with self.assertRaises(ActionFailed) as caught:
            await desk.action("Hangup", {"Channel": "Local/nobody"})
        self.assertEqual(caught.exception.message, "No such channel")
        await desk.logoff()

    async def test_ami_proxy_loses_its_link(self) -> None:
        """Nobody is told that all is well, or that an action was not done when nobody knows."""
        port = await self.proxy()
        desk = await self.client(port, "desk", "desk-secret")
        wallboard = await self.client(port, "wallboard", "wallboard-secret")
        await self.pbx.crash()
        with self.assertRaises(Disconnected):
            await desk.core_show_channels()
        with self.assertRaises(Disconnected):
            await wallboard.ping()

    async def test_ami_proxy_has_missed_events(self) -> None:
        """A client hears of the gap as if it had no proxy: by a lost connection."""
        endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{await self.proxy()}")
        desk = AMIService(endpoint, "desk", "desk-secret", back_off=lambda _: 0.05)
        desk.startService()
        self.addCleanup(desk.stopService)
        await desk.when_connected()
        gap = desk.next("Gap")
        await self.pbx.restart()
        self.assertIsInstance(await gap, Gap)
        await desk.core_show_channels()

    async def proxy(self) -> int:
        """Start the proxy, and return the port where it listens."""
        asterisk = f"tcp:127.0.0.1:{self.pbx.ami_port}"
        listen = "tcp:0:interface=127.0.0.1"
        program = self.run_python(EXAMPLES / "ami_proxy.py", asterisk, listen)
        return number_in(await program.says(")\n"), r"port=(\d+)")

    async def client(
        self,
        port: int,
        user: str,
        secret: str,
        authentication: Authentication = "MD5",
        events: str | None = None,
    ) -> AMIProtocol:
        """Log in to the proxy."""
        factory = AMIFactory(user, secret, authentication=authentication, events=events)
        return await factory.connect(clientFromString(reactor, f"tcp:127.0.0.1:{port}"))

    async def test_ami_over_http(self) -> None:
        """The same is done over HTTP."""
        program = self.run_python(EXAMPLES / "ami_over_http.py", self.pbx.http_url)
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("Newchannel Local/hangup@txasterisk", program.output)
        self.assertIn("it ended with Normal Clearing", program.output)

    async def test_fastagi_server(self) -> None:
        """A caller's digits become a channel variable."""
        program = self.run_python(EXAMPLES / "fastagi_server.py", "tcp:0:interface=127.0.0.1")
        said = await program.says("\n")
        await self.enter_digits(number_in(said, r"port=(\d+)"))

    async def test_agi_ivr(self) -> None:
        """A caller orders by the menu, with a number that is judged, and leaves a message."""
        program = self.run_python(EXAMPLES / "agi_ivr.py", "tcp:0:interface=127.0.0.1")
        port = number_in(await program.says("\n"), r"port=(\d+)")
        self.pbx.dialplan["ivr"] = lambda call: call.agi(f"agi://127.0.0.1:{port}/ivr")
        caller = self.pbx.call("ivr")
        await caller.when_answered()
        await caller.press("ww1ww9999ww1234")
        await program.says("1234 was ordered by")
        await caller.press("wwwwwwwwwwww2wwww#")
        await program.says("a message of ")

    async def test_asyncagi_server(self) -> None:
        """A caller's digits become a channel variable."""
        address = f"tcp:127.0.0.1:{self.pbx.ami_port}"
        program = self.run_python(EXAMPLES / "asyncagi_server.py", address)
        await program.says("connected")
        await self.enter_digits_over("agi:async", "/greet")

    async def test_stasis_application(self) -> None:
        """A caller who presses 1 goes on in the dialplan."""
        program = self.run_python(EXAMPLES / "stasis_application.py", self.pbx.ari_url)
        await program.says("connected")
        caller = self.pbx.call("stasis", variables={"STASIS_APP": "hello"})
        await caller.when_answered()
        await caller.press("wwww1")
        await caller.when_hung_up()
        self.assertEqual(caller.far_end.get("TXASTERISK_STATUS"), "SUCCESS")

    async def test_office(self) -> None:
        """The daemon answers over FastAGI, AsyncAGI and ARI as its file says."""
        folder = self.office()
        office = self.twistd(cwd=folder, ARI_PASSWORD="secret")
        said = await office.says("fastagi.calls: listening on")
        await office.says("office.ami: logged in")
        await office.says("office.ari: ")
        await self.enter_digits(number_in(said, r"listening on .*:(\d+)"))
        await self.enter_digits_over("agi:async", "/greet/bob")
        caller = self.pbx.call("stasis", variables={"STASIS_APP": "hello"})
        await caller.when_answered()
        await caller.press("wwww2")
        await caller.when_hung_up()
        await office.says("office.ami: Hangup")
        office.terminate()
        self.assertEqual(await office.ended, 0)
        self.assertNotIn("Traceback", office.output)

    async def test_tests_of_the_office(self) -> None:
        """The example's own tests pass."""
        program = self.run_python("-m", "twisted.trial", "test_office_calls", cwd=self.office())
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("PASSED (successes=4)", program.output)

    def office(self) -> Path:
        """Copy the example, and have its file name the ports of this PBX."""
        folder = Path(self.mktemp())
        shutil.copytree(EXAMPLES / "office", folder)
        text = (folder / "txasterisk.toml").read_text()
        text = text.replace(":5038", f":{self.pbx.ami_port}")
        text = text.replace("http://127.0.0.1:8088/ari", self.pbx.ari_url)
        text = text.replace("tcp:4573:", "tcp:0:")
        (folder / "txasterisk.toml").write_text(text)
        (folder / "ami.secret").write_text("secret\n")
        return folder

    async def enter_digits(self, port: int) -> None:
        """Call the script over FastAGI, and enter digits."""
        await self.enter_digits_over(f"agi://127.0.0.1:{port}/greet")

    async def enter_digits_over(self, url: str, *arguments: str) -> None:
        """Call the script, and enter digits."""
        self.pbx.dialplan["greet"] = lambda call: call.agi(url, *arguments)
        caller = self.pbx.call("greet")
        await caller.when_answered()
        await caller.press("wwww4242")
        await caller.when_hung_up()
        self.assertEqual(caller.far_end.get("WANTED"), "4242")


class StartedByAsteriskTests(ProgramTestCase):
    """The examples that Asterisk starts for a call, with its part played on pipes."""

    async def test_agi_script(self) -> None:
        """A caller's digits become a channel variable."""
        program = self.run_agi(EXAMPLES / "agi_script.py")
        program.reply(process_environment("hello"))
        self.assertEqual(await program.command(), "ANSWER")
        program.reply(b"200 result=0\n")
        self.assertEqual(await program.command(), 'GET DATA "hello" "5000" "4"')
        program.reply(b"200 result=4242\n")
        self.assertEqual(await program.command(), 'SET VARIABLE "WANTED" "4242"')
        program.reply(b"200 result=1\n")
        self.assertEqual(await program.ended, 0, program.output)

    async def test_agi_script_and_a_caller_who_hangs_up(self) -> None:
        """That is told on Asterisk's console."""
        program = self.run_agi(EXAMPLES / "agi_script.py")
        program.reply(process_environment())
        self.assertEqual(await program.command(), "ANSWER")
        program.reply(b"200 result=0\n")
        self.assertEqual(await program.command(), 'GET DATA "vm-password" "5000" "4"')
        program.hang_up()
        self.assertIn("the caller did not wait\n", await program.says("\n"))
        program.reply(b"200 result=-1\n")
        self.assertEqual(await program.ended, 0, program.output)

    async def test_eagi_script(self) -> None:
        """What the caller says is kept, up to a second of silence."""
        path = Path(self.mktemp()).absolute()
        program = self.run_eagi(EXAMPLES / "eagi_script.py")
        program.reply(eagi_environment(str(path)))
        self.assertEqual(await program.command(), 'GET VARIABLE "EAGI_AUDIO_FORMAT"')
        program.reply(b"200 result=0\n")
        self.assertEqual(await program.command(), "ANSWER")
        program.reply(b"200 result=0\n")
        self.assertEqual(await program.command(), 'STREAM FILE "beep" ""')
        program.say(bytes(320))
        program.reply(b"200 result=0 endpos=3520\n")
        self.assertEqual(await program.command(), 'VERBOSE "listening" "1"')
        program.reply(b"200 result=1\n")
        loud = array("h", [-8000, 8000] * 4000).tobytes()
        for sound in (loud, bytes(8000), loud, bytes(16_000)):
            program.say(sound)
        self.assertEqual(await program.command(), 'SET VARIABLE "SAID" "3.5"')
        program.reply(b"200 result=1\n")
        self.assertEqual(await program.ended, 0, program.output)
        with wave.open(str(path)) as kept:
            self.assertEqual((kept.getframerate(), kept.getnframes()), (8000, 28_000))
