"""The programs in examples/, run against the fake PBX."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.processes import CHECKOUT, ProgramTestCase
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
        """The call is placed and followed to its end."""
        program = self.run_python(EXAMPLES / "ami_call.py", f"tcp:127.0.0.1:{self.pbx.ami_port}")
        self.assertEqual(await program.ended, 0, program.output)
        self.assertIn("Newchannel Local/hangup@txasterisk", program.output)
        self.assertIn("it ended with Normal Clearing", program.output)

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
        """The daemon answers over FastAGI and ARI as its file says."""
        folder = self.office()
        office = self.twistd(cwd=folder, ARI_PASSWORD="secret")
        said = await office.says("fastagi.calls: listening on")
        await office.says("office.ami: logged in")
        await office.says("office.ari: ")
        await self.enter_digits(number_in(said, r"listening on .*:(\d+)"))
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
        self.pbx.dialplan["greet"] = lambda call: call.agi(f"agi://127.0.0.1:{port}/greet")
        caller = self.pbx.call("greet")
        await caller.when_answered()
        await caller.press("wwww4242")
        await caller.when_hung_up()
        self.assertEqual(caller.far_end.get("WANTED"), "4242")
