"""Programs run as a user runs them, and listened to."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

__all__ = ["CHECKOUT", "Program", "ProgramTestCase"]

CHECKOUT = Path(__file__).parent.parent


class Program(ProcessProtocol):
    """
    A program that runs.

    :ivar output: what it has said so far, on both streams.
    :ivar over: whether it has ended.
    :ivar ended: fires with its exit status, or fails if a signal ended it.
    """

    def __init__(self) -> None:
        self.output = ""
        self.over = False
        self.ended: Deferred[int] = Deferred()
        self._awaited: list[tuple[str, Deferred[str]]] = []

    def says(self, text: str) -> Deferred[str]:
        """Wait until it has said this; fails with all that it said if it ends before."""
        waiting: Deferred[str] = Deferred()
        self._awaited.append((text, waiting))
        self._tell()
        return waiting

    def forget_output(self) -> None:
        """Forget what it has said so far, to wait for it to be said again."""
        self.output = ""

    def terminate(self) -> None:
        """Ask it to end."""
        assert self.transport is not None
        self.transport.signalProcess("TERM")

    def outReceived(self, data: bytes) -> None:
        """Take what it says."""
        self.output += data.decode("utf-8", "replace")
        self._tell()

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Tell those who wait."""
        self.over = True
        for text, waiting in self._awaited:
            waiting.errback(AssertionError(f"never said {text!r}:\n{self.output}"))
        self._awaited.clear()
        done = reason.value
        if isinstance(done, ProcessDone):
            self.ended.callback(0)
        elif isinstance(done, ProcessTerminated) and done.exitCode is not None:
            self.ended.callback(done.exitCode)
        else:
            self.ended.errback(reason)

    def _tell(self) -> None:
        said = [(t, d) for t, d in self._awaited if t in self.output]
        self._awaited = [(t, d) for t, d in self._awaited if t not in self.output]
        for _, waiting in said:
            waiting.callback(self.output)


class ProgramTestCase(TestCase):
    """Tests that run programs."""

    timeout = 120

    def run_python(
        self,
        *arguments: object,
        cwd: Path = CHECKOUT,
        inherited: Sequence[int] = (),
        **environment: str,
    ) -> Program:
        """
        Run the Python that runs the tests; it is killed when the test is over.

        :param arguments: what follows ``python``.
        :param cwd: the working directory.
        :param inherited: descriptors that it has from 3 on.
        :param environment: what is added to its environment.
        """
        program = Program()
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = reactor.spawnProcess(
            program,
            sys.executable,
            [sys.executable, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment},
            path=str(cwd),
            childFDs={0: "w", 1: "r", 2: "r", **dict(enumerate(inherited, 3))},
        )
        self.addCleanup(_end, program, process)
        return program

    def twistd(self, *arguments: object, cwd: Path = CHECKOUT, **environment: str) -> Program:
        """Run ``twistd -n asterisk`` with these arguments."""
        start = "from twisted.scripts.twistd import run; run()"
        options = ["-n", "--pidfile=", "asterisk", *arguments]
        return self.run_python("-c", start, *options, cwd=cwd, inherited=(), **environment)


def _end(program: Program, process: IProcessTransport) -> Deferred[None]:
    ended: Deferred[None] = Deferred()
    if program.over:
        ended.callback(None)
    else:
        program.ended.addBoth(lambda _: ended.callback(None))
        process.signalProcess("KILL")
    return ended
