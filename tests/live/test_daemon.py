"""``twistd asterisk`` beside a real Asterisk."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.threads import deferToThread
from twisted.trial.runner import TestSuite

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from tests.processes import ProgramTestCase
from txasterisk import AMIFactory, AMIProtocol

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
routes = {{ "/greet" = "daemon_test_calls:greet" }}
[stasis.hello]
pbx = "office"
call = "daemon_test_calls:hello"
"""

SCRIPTS = """
async def greet(call):
    await call.answer()
    await call.stream_file("beep")
    await call.verbose("greeted")

async def hello(call):
    await call.answer()
    await call.play("sound:beep")
"""


class DaemonContract(ProgramTestCase):
    """What an operator counts on."""

    timeout = 60
    version: str

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits for it
        """Start the daemon, and wait for its links."""
        return Deferred.fromCoroutine(self.start_daemon())

    async def start_daemon(self) -> None:
        """Start the daemon, and wait until it has logged in everywhere."""
        self.asterisk = asterisk(self.version)
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "txasterisk.toml").write_text(CONFIGURATION.format(**self.asterisk.ports))
        (folder / "daemon_test_calls.py").write_text(SCRIPTS)
        self.daemon = self.twistd(cwd=folder, SECRET="full-secret")
        await self.daemon.says("fastagi.calls: listening on")
        await self.daemon.says("office.ami: logged in")
        await self.daemon.says("office.ari: listening")

    def log_in(self) -> Deferred[AMIProtocol]:
        """Log in to AMI beside the daemon."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, self.asterisk.ports["ami"])
        return AMIFactory("full", "full-secret").connect(endpoint)

    async def originate(self, extension: str, **variables: str) -> None:
        """Have a Local call placed."""
        ami = await self.log_in()
        inherited = {f"__{name}": value for name, value in variables.items()}
        call = {
            "Channel": f"Local/{extension}@txasterisk",
            "Application": "Wait",
            "Data": 30,
            "Async": True,
            "Variable": inherited,
        }
        await ami.action("Originate", call)
        await ami.logoff()

    async def test_a_call_runs_a_fastagi_script_to_its_end(self) -> None:
        """A call enters AGI; the dialplan goes on with SUCCESS, and AMI tells it all."""
        await self.originate("agi", AGI_PATH="greet")
        await self.daemon.says("AGIExecEnd")
        await self.daemon.says("UserEvent: AGIDone, Status: SUCCESS")

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

    def tearDown(self) -> None:
        """None of that is worth a traceback."""
        self.assertNotIn("Traceback", self.daemon.output)


class Daemon22Tests(DaemonContract):
    """Beside Asterisk 22."""

    version = "22"


class Daemon16Tests(DaemonContract):
    """Beside Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Daemon22Tests, Daemon16Tests)
