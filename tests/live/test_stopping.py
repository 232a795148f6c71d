"""The daemon is stopped in the middle of calls."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.runner import TestSuite

from tests.live.daemon import DaemonTestCase
from tests.live.fixture import live_suite, reactor
from txasterisk.errors import ActionFailed

CONFIGURATION = """
[pbx.office.ami]
endpoint = "tcp:127.0.0.1:{ami}"
username = "full"
secret.env = "SECRET"
[fastagi.calls]
listen = "tcp:{fastagi}:interface=127.0.0.1"
grace = 1
[fastagi.calls.routes]
"/quick" = "daemon_test_calls:quick"
"/patient" = "daemon_test_calls:patient"
"/stubborn" = "daemon_test_calls:stubborn"
"/playing" = "daemon_test_calls:playing"
[asyncagi.calls]
pbx = "office"
grace = 1
[asyncagi.calls.routes]
"/patient" = "daemon_test_calls:patient"
"/stubborn" = "daemon_test_calls:stubborn"
"""

SCRIPTS = """
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

async def begin(call):
    await call.answer()
    await call.exec("UserEvent", "Began")

async def quick(call):
    await begin(call)
    await deferLater(reactor, 0.5)

async def patient(call):
    await begin(call)
    try:
        await Deferred()
    finally:
        await call.set_variable("CLEAN", "yes")

async def stubborn(call):
    await begin(call)
    while True:
        try:
            await call.wait_for_digit(6)
        except BaseException:
            pass

async def playing(call):
    await begin(call)
    await call.stream_file("demo-congrats")
"""

#: Seconds until the daemon has ended: the grace, the clean-up, and what the machine needs.
BOUND = 1 + 2 + 7


class StoppingContract(DaemonTestCase):
    """SIGTERM while scripts are at work."""

    configuration = CONFIGURATION
    scripts = SCRIPTS

    async def start_daemon(self) -> None:
        """Log in beside the daemon, too."""
        await super().start_daemon()
        self.ami = await self.log_in()
        self.addCleanup(self.hang_up_all)

    def hang_up_all(self) -> Deferred[None]:
        """End what calls there are still, and log off."""
        return Deferred.fromCoroutine(self.end_calls())

    async def end_calls(self) -> None:
        """Do so."""
        try:
            await self.ami.hangup(channel="/^Local/", timeout=20)
        except ActionFailed:
            """There are none."""
        await self.ami.logoff()

    async def begin(self, extension: str, path: str) -> Deferred[tuple[str, str]]:
        """Call a script; fires with what the dialplan finds after it."""
        began = self.ami.next("UserEvent", UserEvent="Began", timeout=20)
        done = self.ami.next("UserEvent", UserEvent="AGIDone", Path=path, timeout=20)
        await self.originate(extension, AGI_PATH=path)
        await began
        return done.addCallback(lambda event: (event["Status"], event["Ended"]))

    async def assert_ends(self) -> None:
        """Fail unless the daemon ends in time, and well."""
        self.assertEqual(await self.daemon.ended.addTimeout(BOUND, reactor), 0)

    async def test_a_script_that_is_done_in_time(self) -> None:
        """It goes on undisturbed, and the dialplan is told of its success."""
        done = await self.begin("agi", "quick")
        self.daemon.terminate()
        self.assertEqual(await done, ("SUCCESS", "SUCCESS"))
        await self.assert_ends()

    async def test_a_script_that_waits(self) -> None:
        """It is cancelled, cleans up, and the dialplan is told of the failure."""
        await self.assert_cleans_up("agi")

    async def test_a_script_that_waits_over_ami(self) -> None:
        """So it is over AsyncAGI, for which the link to AMI stays as long."""
        await self.assert_cleans_up("asyncagi")

    async def assert_cleans_up(self, extension: str) -> None:
        """Fail unless a script can still send commands when it is cancelled."""
        clean = self.ami.next("VarSet", Variable="CLEAN", timeout=20)
        done = await self.begin(extension, "patient")
        self.daemon.terminate()
        self.assertEqual(await done, ("FAILURE", "FAILURE"))
        self.assertEqual((await clean)["Value"], "yes")
        await self.assert_ends()

    async def test_a_script_that_goes_on(self) -> None:
        """Whatever it catches, it is left, and the dialplan is told of the failure."""
        done = await self.begin("agi", "stubborn")
        self.daemon.terminate()
        self.assertEqual(await done, ("FAILURE", "FAILURE"))
        await self.assert_ends()

    async def test_a_script_that_goes_on_over_ami(self) -> None:
        """So it is over AsyncAGI, but that Asterisk takes it for a success."""
        done = await self.begin("asyncagi", "stubborn")
        self.daemon.terminate()
        self.assertEqual(await done, ("SUCCESS", "FAILURE"))
        await self.assert_ends()

    async def test_a_command_that_lasts(self) -> None:
        """A sound that is played does not hold up the end; the dialplan is told, too."""
        done = await self.begin("agi", "playing")
        self.daemon.terminate()
        self.assertEqual(await done, ("FAILURE", "FAILURE"))
        await self.assert_ends()

    async def test_calls_that_come_then(self) -> None:
        """Whoever calls while the scripts clean up finds nobody, and the dialplan is told."""
        patient = await self.begin("agi", "patient")
        self.daemon.terminate()
        await self.daemon.says("stopping")
        late = self.ami.next("UserEvent", UserEvent="AGIDone", Path="quick", timeout=20)
        await self.originate("agi", AGI_PATH="quick")
        event = await late
        self.assertEqual((event["Status"], event["Ended"]), ("FAILURE", ""))
        self.assertEqual(await patient, ("FAILURE", "FAILURE"))
        await self.assert_ends()

    async def test_many_calls(self) -> None:
        """Fifty calls at once end as one does."""
        calls = [await self.begin("agi", path) for path in ["patient", "stubborn", "quick"] * 10]
        self.daemon.terminate()
        for done in calls:
            await done
        await self.assert_ends()


class Stopping22Tests(StoppingContract):
    """Beside Asterisk 22."""

    version = "22"


class Stopping16Tests(StoppingContract):
    """Beside Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Stopping22Tests, Stopping16Tests)
