"""Programs run as a user runs them, and listened to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

__all__ = ["CHECKOUT", "AGIProgram", "Program", "ProgramTestCase"]

CHECKOUT = Path(__file__).parent.parent

#: Output is kept back as Python does where nobody says otherwise.
AS_USUAL: Final = {"PYTHONUNBUFFERED": ""}
#: What Asterisk writes to and reads from a program that it starts.
PIPES: Final = {0: "w", 1: "r", 2: "r"}

P = TypeVar("P", bound="Program")


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


class AGIProgram(Program):
    """
    A program that was started as Asterisk starts one for AGI or EAGI.

    Its output is what goes to Asterisk's console; its commands are apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sent = b""
        self._lines: DeferredQueue[str | None] = DeferredQueue()

    def command(self) -> Deferred[str | None]:
        """Wait for a command, and return it; None when there will be none any more."""
        return self._lines.get()

    def reply(self, data: bytes) -> None:
        """Write to it as Asterisk does."""
        self._transport.writeToChild(0, data)

    def say(self, audio: bytes) -> None:
        """Have the caller say something, to a program that was started for EAGI."""
        self._transport.writeToChild(3, audio)

    def hang_up(self) -> None:
        """Tell it that the caller has hung up."""
        self._transport.signalProcess("HUP")

    def close(self, descriptor: int) -> None:
        """Close Asterisk's end of one of the pipes."""
        self._transport.closeChildFD(descriptor)

    @property
    def _transport(self) -> IProcessTransport:
        assert self.transport is not None
        return self.transport

    def childDataReceived(self, child_fd: int, data: bytes) -> None:
        """Take commands, and what it says."""
        if child_fd != 1:
            self.outReceived(data)
            return
        *lines, self._sent = (self._sent + data).split(b"\n")
        for line in lines:
            self._lines.put(line.decode())

    def childConnectionLost(self, child_fd: int) -> None:
        """Take note that no more commands will come."""
        if child_fd == 1:
            self._lines.put(None)


class ProgramTestCase(TestCase):
    """Tests that run programs."""

    timeout = 120

    def run_python(self, *arguments: object, cwd: Path = CHECKOUT, **environment: str) -> Program:
        """Run the Python that runs the tests; it is killed when the test is over."""
        return self._spawn(Program(), arguments, cwd, environment)

    def run_with_socket(
        self, listening: int, *arguments: object, cwd: Path = CHECKOUT, **environment: str
    ) -> Program:
        """
        Run Python as systemd does when something is said to a socket.

        :param listening: the descriptor of the socket.
        :param arguments: what follows ``python``.
        :param cwd: the working directory.
        :param environment: what is added to its environment.
        """
        described = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "calls", **environment}
        connected = PIPES | {3: listening}
        return self._spawn(Program(), arguments, cwd, described, childFDs=connected)

    def run_agi(self, *arguments: object) -> AGIProgram:
        """Run Python as Asterisk runs a script for ``AGI()``."""
        return self._spawn(AGIProgram(), arguments, CHECKOUT, AS_USUAL, childFDs=PIPES)

    def run_eagi(self, *arguments: object) -> AGIProgram:
        """Run Python as Asterisk runs a script for ``EAGI()``."""
        return self._spawn(AGIProgram(), arguments, CHECKOUT, AS_USUAL, childFDs=PIPES | {3: "w"})

    def run_in_terminal(self, *arguments: object) -> Program:
        """Run Python as a person does."""
        return self._spawn(Program(), arguments, CHECKOUT, {}, usePTY=True)

    def _spawn(
        self,
        program: P,
        arguments: tuple[object, ...],
        cwd: Path,
        environment: dict[str, str],
        **connected: Any,
    ) -> P:
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = reactor.spawnProcess(
            program,
            sys.executable,
            [sys.executable, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment},
            path=str(cwd),
            **connected,
        )
        self.addCleanup(_end, program, process)
        return program

    def twistd(self, *arguments: object, cwd: Path = CHECKOUT, **environment: str) -> Program:
        """Run ``twistd -n asterisk`` with these arguments."""
        start = "from twisted.scripts.twistd import run; run()"
        options = ["-n", "--pidfile=", "asterisk", *arguments]
        return self.run_python("-c", start, *options, cwd=cwd, **environment)


def _end(program: Program, process: IProcessTransport) -> Deferred[None]:
    ended: Deferred[None] = Deferred()
    if program.over:
        ended.callback(None)
    else:
        program.ended.addBoth(lambda _: ended.callback(None))
        process.signalProcess("KILL")
    return ended
