"""The daemon with everything at its port that is no Asterisk, over real sockets."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

from tests.processes import ProgramTestCase

from .caller import Caller
from .fastagi import SUCCESS

CONFIGURATION = """
[fastagi.calls]
listen = "tcp:0:interface=127.0.0.1:backlog=1000"
routes = { "/greet" = "flood_test_calls:greet" }
"""

SCRIPTS = """
async def greet(call):
    await call.answer()
"""

FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
"""

#: Twice as many as may be silent at a time.
SILENT = 2000


class FloodTests(ProgramTestCase):
    """Thousands of connections that are no calls."""

    async def test_a_call_gets_through(self) -> None:
        """A call is answered meanwhile; the log has a line for each kind, and no traceback."""
        await self.assert_call_gets_through(SCRIPTS, SILENT)

    async def test_few_descriptors(self) -> None:
        """Silent connections are closed before the process has no descriptor left to accept one."""
        said = await self.assert_call_gets_through(FEW_DESCRIPTORS + SCRIPTS, SILENT // 4)
        self.assertNotIn("EMFILE", said)

    async def assert_call_gets_through(self, scripts: str, silent: int) -> str:
        """Fail unless a call is answered in a flood; return what the daemon says."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "txasterisk.toml").write_text(CONFIGURATION)
        (folder / "flood_test_calls.py").write_text(scripts)
        daemon = self.twistd(cwd=folder)
        await daemon.says("fastagi.calls: listening on")
        port = int(daemon.output.rpartition("127.0.0.1:")[2].split()[0])
        await self.run_python("-m", "tests.agi.flood", port, silent).says("flooded")
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        caller = await connectProtocol(endpoint, Caller())
        self.assertEqual(await caller.over, [b"ANSWER\n", SUCCESS])
        daemon.terminate()
        self.assertEqual(await daemon.ended, 0)
        self.assertNotIn("Traceback", daemon.output)
        about_peers = [line for line in daemon.output.splitlines() if "127.0.0.1:" in line]
        self.assertLess(len(about_peers), 20, daemon.output)
        return daemon.output
