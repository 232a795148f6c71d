"""A daemon beside a real Asterisk."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint

from tests.live.fixture import LOOPBACK, asterisk, reactor
from tests.processes import ProgramTestCase
from txasterisk import AMIFactory, AMIProtocol

__all__ = ["DaemonTestCase"]


class DaemonTestCase(ProgramTestCase):
    """
    Starts ``twistd asterisk`` for each test.

    :cvar configuration: its file, where ``{ami}`` and the like stand for the ports of Asterisk.
    :cvar scripts: the module ``daemon_test_calls`` that the file names.
    """

    timeout = 60
    version: str
    configuration: ClassVar[str]
    scripts: ClassVar[str]

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits for it
        """Start the daemon, and wait for its links."""
        return Deferred.fromCoroutine(self.start_daemon())

    def tearDown(self) -> None:
        """Nothing that happens to it is worth a traceback."""
        self.assertNotIn("Traceback", self.daemon.output)

    async def start_daemon(self) -> None:
        """Start the daemon, and wait until it takes calls and has logged in."""
        self.asterisk = asterisk(self.version)
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "txasterisk.toml").write_text(self.configuration.format(**self.asterisk.ports))
        (folder / "daemon_test_calls.py").write_text(self.scripts)
        self.daemon = self.twistd(cwd=folder, SECRET="full-secret")
        await self.daemon.says("fastagi.calls: listening on")
        await self.daemon.says("office.ami: logged in")

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
