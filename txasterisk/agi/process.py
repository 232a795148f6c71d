"""
AGI and EAGI as a process: Asterisk starts a program for one call, and speaks to it over pipes.

Such a program defines a script, and its last line is ``agi.run(script)``.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import react
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from .._at_work import AtWork
from ..errors import Disconnected
from .audio import Audio
from .messages import SAFE_LINE, Environment
from .script import OnHangup, RunningScript, Script, Status
from .session import AGISession
from .stream import StreamCarrier

__all__ = ["ProcessCarrier", "run"]

#: The descriptors that Asterisk gives a program: its replies, our commands, its console, and with
#: EAGI the caller's audio.
REPLIES: Final = 0
COMMANDS: Final = 1
CONSOLE: Final = 2
AUDIO: Final = 3

#: The channel variable that chooses the format of the audio, and what it is otherwise.
FORMAT_VARIABLE: Final = "EAGI_AUDIO_FORMAT"
USUAL_FORMAT: Final = "slin"


def run(script: Script, *, on_hangup: OnHangup = "raise", line_limit: int = SAFE_LINE) -> NoReturn:
    """
    Answer the call that Asterisk has started this program for, and exit.

    This is the last line of a program that the dialplan runs by ``AGI(program)`` or
    ``EAGI(program)``. The dialplan goes on when the script has ended, and finds how in
    ``TXASTERISK_STATUS``: ``SUCCESS``, or ``HANGUP`` if it ended with :class:`HungUp`, or
    ``FAILURE``; the program exits with status 1 then, and ``AGISTATUS`` is ``FAILURE``, too.

    When the caller hangs up, or Asterisk closes the pipes, what the script awaits fails with
    :class:`HungUp` or :class:`Disconnected`, as over FastAGI. A hangup that comes while the
    program still imports what it needs ends it before the script begins.

    What the program prints or logs, and the traceback of a script that failed, goes to standard
    error, which is Asterisk's console; standard output is for commands only. Asterisk waits until
    the program has exited, so what is to go on after the call belongs elsewhere. ``SIGTERM``
    cancels the script, and ends the program after two seconds at the latest.

    :param script: an ``async def`` that is given the :class:`AGISession`.
    :param on_hangup: what becomes of the script when the caller hangs up: what it awaits fails
        with :class:`HungUp` (``raise``) or with ``CancelledError`` (``cancel``), or goes on
        (``tell``), and only commands and ``when_hung_up()`` tell.
    :param line_limit: the longest command in bytes, ``SAFE_LINE`` or ``LONG_LINE`` of
        :mod:`txasterisk.agi.messages`.
    """
    if os.isatty(REPLIES):
        name = os.path.basename(sys.argv[0])
        sys.exit(f"{name} answers a call, and is started by Asterisk: AGI({name})")
    replies, commands = _take_pipes()
    _log_to_the_console()
    react(_run, (script, on_hangup, line_limit, replies, commands))


def _take_pipes() -> tuple[int, int]:
    """Return the pipes from and to Asterisk, moved to where nobody else reads or prints."""
    replies, commands = os.dup(REPLIES), os.dup(COMMANDS)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, REPLIES)
    os.close(nothing)
    os.dup2(CONSOLE, COMMANDS)
    sys.stdout.flush()
    sys.stdout = sys.stderr
    return replies, commands


def _log_to_the_console() -> None:
    wanted = LogLevelFilterPredicate(LogLevel.info)
    # Such as that the main loop has ended, for each call.
    wanted.setLogLevelForNamespace("twisted", LogLevel.warn)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [wanted])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


async def _run(
    reactor: Any, script: Script, on_hangup: OnHangup, line_limit: int, replies: int, commands: int
) -> None:
    def answer(session: AGISession) -> RunningScript:
        return RunningScript(script, session, on_hangup)

    call = ProcessCarrier(answer, line_limit, AUDIO, reactor)
    signal.signal(signal.SIGHUP, lambda *_: call.signalled())
    reactor.addSystemEventTrigger("before", "shutdown", call.stop)
    # Type checkers take it for the one for Windows.
    standard_io: Any = StandardIO
    standard_io(call, replies, commands, reactor)
    await call.when_over()
    # It may come once more, and must not end what has ended well.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Asterisk waits for the exit, most of which would be to collect all that was imported.
    gc.freeze()
    if call.status.failed:
        raise SystemExit(1)


@implementer(IHalfCloseableProtocol)
class ProcessCarrier(StreamCarrier):
    """
    The one call of this process.

    :param answer: runs the script.
    :param line_limit: the longest command in bytes.
    :param audio: the descriptor of the caller's audio, if EAGI brings any.
    :param reactor: runs all this.
    :ivar status: how the script ended.
    """

    def __init__(
        self,
        answer: Callable[[AGISession], RunningScript],
        line_limit: int,
        audio: int,
        reactor: Any,
    ) -> None:
        super().__init__(answer, line_limit)
        self.status = Status.FAILURE
        self._audio = audio
        self._reactor = reactor
        self._at_work: AtWork[ProcessCarrier] = AtWork(reactor)
        self._at_work.begin(self)
        self._signalled = False

    @property
    def _peer(self) -> str:
        return "Asterisk"

    def when_over(self) -> Deferred[None]:
        """Wait until the script has ended and the pipes are closed."""
        return self._at_work.when_idle()

    def stop(self) -> Deferred[None]:
        """Cancel the script; fires with None when all is over, in two seconds at the latest."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if not await self._at_work.end_within(0, ProcessCarrier.cancel):
            self.abort()
            self._at_work.end(self)

    # The hangup

    def signalled(self) -> None:
        """Take note of the signal that tells of the hangup; in the midst of anything."""
        self._signalled = True
        # In between, the reactor reads a reply that Asterisk has sent before the signal.
        in_next_turn = self._reactor.callFromThread
        in_next_turn(in_next_turn, self.hung_up)

    def _described(self, environment: Environment) -> AGISession:
        session = super()._described(environment)
        if self._signalled:
            session.notice_hangup()
        return session

    # The script

    def _run_script(self, session: AGISession) -> None:
        if session.environment.get("agi_enhanced") == "1.0":
            Deferred.fromCoroutine(self._run_with_audio(session))
        else:
            super()._run_script(session)

    async def _run_with_audio(self, session: AGISession) -> None:
        try:
            name = await session.get_variable(FORMAT_VARIABLE)
        except Disconnected:
            return
        session.notice_audio(Audio(self._audio, name or USUAL_FORMAT, self._reactor))
        super()._run_script(session)

    def _finish(self, status: Status) -> None:
        self.status = status
        super()._finish(status)

    # The pipes

    def abort(self) -> None:
        self._closed = True
        self.transport.connectionLost(Failure(ConnectionAborted()))

    def readConnectionLost(self) -> None:
        self.transport.connectionLost(connectionDone)

    # Either pipe is of no use without the other.
    writeConnectionLost = readConnectionLost

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._signalled:
            # It came before, but was kept for later.
            self.hung_up()
        script = self._script
        super().connectionLost(reason)
        if script is None:
            self._at_work.end(self)
        else:
            script.finished.addCallback(lambda _: self._at_work.end(self))
