"""``twistd asterisk`` as its user meets it."""

from __future__ import annotations

from pathlib import Path

from tests.processes import ProgramTestCase

UNREACHABLE = """
[pbx.office]
ami = { endpoint = "tcp:127.0.0.1:1", username = "admin", secret = { env = "TX_TEST" } }
"""


class DemoTests(ProgramTestCase):
    """``twistd -n asterisk --demo``."""

    async def test_calls_are_answered_until_sigterm(self) -> None:
        """People call and are answered over FastAGI and ARI; SIGTERM ends it with status 0."""
        demo = self.twistd("--demo")
        await demo.says("greet: Alice entered 42")
        await demo.says("hello: Bob pressed 7")
        await demo.says("the call of Bob is over")
        demo.terminate()
        self.assertEqual(await demo.ended, 0)
        self.assertNotIn("Traceback", demo.output)

    async def test_a_call_in_progress_does_not_keep_it(self) -> None:
        """SIGTERM in the middle of a call ends it with status 0, and with no traceback."""
        demo = self.twistd("--demo")
        await demo.says("greet: Alice is on the line")
        demo.terminate()
        self.assertEqual(await demo.ended, 0)
        self.assertNotIn("Traceback", demo.output)


class MistakeTests(ProgramTestCase):
    """What is wrong is said in plain lines."""

    def write(self, text: str) -> Path:
        """Write a configuration into a folder of its own."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "txasterisk.toml").write_text(text)
        return folder

    async def test_a_mistake_in_the_file_is_one_line(self) -> None:
        """The file, the key, what was expected; status 1, and nothing is started."""
        folder = self.write(UNREACHABLE.replace("username", "usrname"))
        asterisk = self.twistd(cwd=folder, TX_TEST="secret")
        self.assertEqual(await asterisk.ended, 1)
        self.assertEqual(
            asterisk.output.split("\n"),
            [
                "txasterisk.toml: pbx.office.ami.username: missing;"
                " expected the name of a user in manager.conf",
                'txasterisk.toml: pbx.office.ami.usrname: unknown key; did you mean "username"?',
                "",
            ],
        )

    async def test_no_file_is_one_line(self) -> None:
        """Without a file it says which one it looked for."""
        asterisk = self.twistd("--config", "/nowhere/office.toml")
        self.assertEqual(await asterisk.ended, 1)
        self.assertEqual(
            asterisk.output, "/nowhere/office.toml: cannot be read: No such file or directory\n"
        )

    async def test_check_says_whether_the_file_is_good(self) -> None:
        """``--check`` starts nothing."""
        asterisk = self.twistd("--check", cwd=self.write(UNREACHABLE), TX_TEST="secret")
        self.assertEqual(await asterisk.ended, 0)
        self.assertEqual(asterisk.output, "txasterisk.toml: good\n")

    async def test_a_closed_port_is_one_line_in_the_log(self) -> None:
        """A PBX that is not there is told, and tried again; no traceback."""
        asterisk = self.twistd(cwd=self.write(UNREACHABLE), TX_TEST="secret")
        await asterisk.says("office.ami: no AMI connection: Connection was refused")
        asterisk.terminate()
        self.assertEqual(await asterisk.ended, 0)
        self.assertNotIn("Traceback", asterisk.output)
