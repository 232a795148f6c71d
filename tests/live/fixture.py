"""
Real Asterisk for the live tests: each version is started once per run, by ``tools/asterisk``.

The live tests run when ``TXASTERISK_LIVE=1`` is set, as ``make test`` does, and each module is
skipped with one line otherwise. Where a machine cannot run Asterisk that line says why; with
``CI=true`` it is a failure instead. A server that is started here ends with the run, however that
ends: by a system event trigger of the reactor, or because its keeper watches this process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import ServerFactory
from twisted.internet.threads import deferToThread
from twisted.trial.runner import TestLoader, TestSuite
from twisted.trial.unittest import TestCase

__all__ = ["LivePlace", "RunningAsterisk", "asterisk", "live_suite"]

TOOL = Path(__file__).resolve().parents[2] / "tools" / "asterisk"
NAME = f"trial-{os.getpid()}"
LOOPBACK = "127.0.0.1"

reactor: Any = the_reactor


def live_suite(*classes: type[TestCase]) -> TestSuite:
    """
    Return the tests of a module, for its ``test_suite``, or one that is skipped and says why.

    :raises RuntimeError: the machine is not able, and the environment says ``CI=true``.
    """
    reason = _reason_to_skip()
    if reason is None:
        return TestSuite([TestLoader().loadClass(each) for each in classes])
    skipped = LiveTests("test_real_asterisk")
    skipped.skip = reason
    return TestSuite([skipped])


class LiveTests(TestCase):
    """Stands for all the tests that are skipped."""

    def test_real_asterisk(self) -> None:
        """Real Asterisk does what the tests of this module say."""


def _reason_to_skip() -> str | None:
    if os.environ.get("TXASTERISK_LIVE") != "1":
        return "live tests run with TXASTERISK_LIVE=1, as in make test"
    reason = reason_unable()
    if reason is not None and os.environ.get("CI") == "true":
        raise RuntimeError(f"CI=true, but the live tests cannot run: {reason}")
    return reason


@cache
def reason_unable() -> str | None:
    """Return why this machine cannot run a real Asterisk, or None if it can."""
    able = _run("able")
    return None if able.returncode == 0 else able.stderr.strip()


@cache
def asterisk(version: str) -> RunningAsterisk:
    """Return the server of that version, which is started when it is first asked for."""
    server = RunningAsterisk(version)
    server.start()
    reactor.addSystemEventTrigger("after", "shutdown", server.stop)
    return server


class RunningAsterisk:
    """
    A real Asterisk.

    :ivar ports: where it listens; they stay the same over a restart.
    :ivar paths: its files that a test may need, such as ``ca``.
    :ivar inside: the spool, and the Python that runs the tests, as the programs that Asterisk
        starts find them.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.ports: dict[str, int] = {}
        self.paths: dict[str, str] = {}
        self.inside: dict[str, str] = {}
        self._pid = 0

    def start(self) -> None:
        """Start it, and wait until it has booted."""
        owner, python = str(os.getpid()), sys.executable
        _must("up", self.version, "--name", NAME, "--owner", owner, "--python", python)
        found = json.loads(_must("status", "--json"))
        state = next(s for s in found if (s["name"], s["version"]) == (NAME, self.version))
        self.ports, self.paths, self._pid = state["ports"], state["paths"], state["pid"]
        self.inside = state["inside"]

    def kill(self) -> None:
        """Send it SIGKILL."""
        os.kill(self._pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does, by SIGSTOP; its sockets stay open."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stop it."""
        _run("down", self.version, "--name", NAME)


class _Server(ServerFactory):
    """Listens where Asterisk connects to, for the test that is running."""

    noisy = False
    behind: IProtocolFactory

    def buildProtocol(self, addr: Any) -> Any:
        return self.behind.buildProtocol(addr)


class LivePlace:
    """A real Asterisk, as the contract wants it."""

    http: IStreamClientEndpoint | None = None

    def __init__(self, version: str) -> None:
        self.reactor: Any = reactor
        self.version = version
        self._asterisk = asterisk(version)
        ports = self._asterisk.ports
        self._server = _Server()
        self._agi: Any = reactor.listenTCP(ports["fastagi"], self._server, interface=LOOPBACK)
        self.ami: IStreamClientEndpoint = TCP4ClientEndpoint(reactor, LOOPBACK, ports["ami"])
        self.ari_url = f"http://{LOOPBACK}:{ports['http']}/ari"

    def serve_agi(self, factory: IProtocolFactory) -> None:
        """See :class:`txasterisk.testing.contract.Place`."""
        self._server.behind = factory

    def write_program(self, name: str, text: str) -> None:
        """Write a Python program that the dialplan can start by ``AGI(name)``."""
        path = Path(self._asterisk.paths["agi_bin"]) / name
        path.write_text(f"#!{self._asterisk.inside['python']}\n{text}")
        path.chmod(0o755)

    def spooled(self, name: str) -> tuple[Path, str]:
        """Return where a file in the spool is, and what it is called in there."""
        here, inside = self._asterisk.paths["spool"], self._asterisk.inside["spool"]
        return Path(here) / name, f"{inside}/{name}"

    def said(self) -> str:
        """Return what Asterisk, and what it has started, has written to its console."""
        return (Path(self._asterisk.paths["home"]) / "output.log").read_text()

    def leave(self) -> Deferred[None]:
        """See :class:`txasterisk.testing.contract.Place`."""
        stopped: Deferred[None] = self._agi.stopListening()
        return stopped

    def kill(self) -> Deferred[None]:
        """See :class:`txasterisk.testing.contract.Place`."""
        return deferToThread(self._asterisk.kill)

    def restart(self) -> Deferred[None]:
        """See :class:`txasterisk.testing.contract.Place`."""
        return deferToThread(self._asterisk.start)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(TOOL), *arguments], capture_output=True, text=True)


def _must(*arguments: str) -> str:
    done = _run(*arguments)
    if done.returncode != 0:
        raise RuntimeError(f"tools/asterisk {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
