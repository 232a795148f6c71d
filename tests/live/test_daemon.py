"""``twistd asterisk`` beside a real Asterisk."""

from __future__ import annotations

from twisted.internet.threads import deferToThread
from twisted.trial.runner import TestSuite

from tests.live.daemon import DaemonTestCase
from tests.live.fixture import live_suite

CONFIGURATION = """
[pbx.office.ami]
endpoint = "tcp:127.0.0.1:{ami}"
username = "full"
secret.env = "SECRET"
log = ["*"]
[pbx.office.ari]
url = "http://127.0.0.1:{http}/ari"
username = "full"
password.env = "SECRET"
[fastagi.calls]
listen = "tcp:{fastagi}:interface=127.0.0.1"
routes = {{ "/greet" = "daemon_test_calls:greet", "/fail" = "daemon_test_calls:fail" }}
[stasis.hello]
pbx = "office"
call = "daemon_test_calls:hello"
"""

SCRIPTS = """
async def greet(call):
    await call.answer()
    await call.stream_file("beep")
    await call.verbose("greeted")

async def fail(call):
    await call.answer()
    1 / 0

async def hello(call):
    await call.answer()
    await call.play("sound:beep")
"""


class DaemonContract(DaemonTestCase):
    """What an operator counts on."""

    configuration = CONFIGURATION
    scripts = SCRIPTS

    async def start_daemon(self) -> None:
        """Wait for the link to ARI, too."""
        await super().start_daemon()
        await self.daemon.says("office.ari: listening")

    async def test_a_call_runs_a_fastagi_script_to_its_end(self) -> None:
        """A call enters AGI; the dialplan goes on with SUCCESS, and AMI tells it all."""
        await self.originate("agi", AGI_PATH="greet")
        await self.daemon.says("AGIExecEnd")
        await self.daemon.says("UserEvent: AGIDone, Status: SUCCESS")

    async def test_a_script_that_fails(self) -> None:
        """The log has a traceback, with the channel and its id; the dialplan is told."""
        await self.originate("agi", AGI_PATH="fail")
        said = await self.daemon.says("UserEvent: AGIDone, Status: FAILURE, Ended: FAILURE")
        self.assertRegex(said, r"The script of <AGISession with Local/agi@.*;2 \([\d.]+\)> failed")
        self.assertEqual((said.count("Traceback"), said.count("ZeroDivisionError:")), (1, 1))
        self.daemon.forget_output()

    async def test_a_call_runs_a_stasis_application_to_its_end(self) -> None:
        """A call enters Stasis, hears a sound and is hung up; AMI tells it all."""
        await self.originate("stasis", STASIS_APP="hello")
        await self.daemon.says("TXASTERISK_STATUS, Value: SUCCESS")
        await self.daemon.says("office.ami: Hangup")

    async def test_after_a_restart_of_asterisk_the_links_are_back(self) -> None:
        """SIGKILL is noticed, and after the restart calls are answered again."""
        self.asterisk.kill()
        await self.daemon.says("office.ami: the AMI connection is gone")
        self.daemon.forget_output()
        await deferToThread(self.asterisk.start)
        await self.daemon.says("office.ami: logged in")
        await self.daemon.says("office.ari: listening")
        await self.originate("stasis", STASIS_APP="hello")
        await self.daemon.says("TXASTERISK_STATUS, Value: SUCCESS")

    async def test_sigterm_ends_it_with_status_0(self) -> None:
        """SIGTERM in the middle of a call: the call is told, the links are closed, status 0."""
        await self.originate("agi", AGI_PATH="greet")
        await self.daemon.says("AGIExecStart")
        self.daemon.terminate()
        self.assertEqual(await self.daemon.ended, 0)


class Daemon22Tests(DaemonContract):
    """Beside Asterisk 22."""

    version = "22"


class Daemon16Tests(DaemonContract):
    """Beside Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Daemon22Tests, Daemon16Tests)
