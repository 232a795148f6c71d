"""
FastAGI: Asterisk connects to us, once for each call.

A factory finds the script by the path of the URL that the dialplan gave; a protocol is the
carrier of one call's session and sees to it that nobody waits for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._at_work import CLEAN_UP_TIME, AtWork
from .._reactor import the_reactor
from .._status import STATUS_VARIABLE
from .._tcp import watch_by_tcp
from .._time_limits import TimeLimits
from ..errors import Disconnected, HungUp, LocalProtocolError, RemoteProtocolError
from .messages import (
    SAFE_LINE,
    Command,
    Environment,
    EnvironmentReader,
    Notice,
    Reply,
    ReplyReader,
    Stray,
    path_parts,
)
from .script import RunningScript, Script, Status
from .session import AGISession

__all__ = ["FastAGIFactory", "FastAGIProtocol"]

#: Asterisk sends the whole block at once, so this is ample; a port scan says nothing for ever.
ENVIRONMENT_TIMEOUT: Final = 10.0

#: A line that makes Asterisk end the session with ``AGISTATUS=FAILURE``.
_FAILURE_LINE: Final = b"failure\n"


class FastAGIProtocol(Protocol):
    """
    One call: a carrier of its session (see :class:`Carrier`).

    One command is outstanding at a time, and each is one write: Asterisk would mix up replies if
    commands came together, and spin if one came in two pieces.

    :param factory: knows the scripts and the limits.
    """

    transport: Any

    def __init__(self, factory: FastAGIFactory) -> None:
        self._factory = factory
        self._environment = EnvironmentReader()
        self._replies = ReplyReader()
        self._outstanding: Deferred[Reply] | None = None
        self._waiting: deque[tuple[Command, bytes, Deferred[Reply]]] = deque()
        self._session: AGISession | None = None
        self._script: RunningScript | None = None
        self._farewell: bytes | None = None
        self._closed = False
        self._reason: BaseException | None = None

    def __repr__(self) -> str:
        return f"<FastAGIProtocol for {self._session or self._peer}>"

    # Commands

    def send(self, command: Command) -> Deferred[Reply]:
        """Send a command when all before it have been answered; see ``Carrier.send``."""
        if self._closed or self._farewell is not None:
            return fail(self._disconnected())
        try:
            line = command.serialize(self._factory.line_limit)
        except LocalProtocolError as error:
            return fail(error)
        answer: Deferred[Reply] = Deferred()
        if self._outstanding is None:
            self._write(command, line, answer)
        else:
            self._waiting.append((command, line, answer))
        return answer

    def _write(self, command: Command, line: bytes, answer: Deferred[Reply]) -> None:
        self._outstanding = answer
        self._replies.expected = command
        self.transport.write(line)

    def _answered(self, reply: Reply) -> None:
        answer, self._outstanding = self._outstanding, None
        if self._waiting or self._farewell is not None:
            self._write_next()
        if answer is not None:
            answer.callback(reply)

    def _write_next(self) -> None:
        while self._waiting:
            command, line, answer = self._waiting.popleft()
            # One that is called was cancelled, since it cannot have been answered.
            if not answer.called:
                self._write(command, line, answer)
                return
        if self._farewell is not None:
            self._close()

    # The call

    def _begin(self, environment: Environment) -> None:
        self._factory.time_limits.stop(self)
        self._session = session = AGISession(self, environment)
        if environment.anomalies:
            _log.warn(
                "{session}: the environment is not as Asterisk writes it: {anomalies}",
                session=session,
                anomalies="; ".join(environment.anomalies[:5]),
            )
        # What came along is read first, so that it cannot pass for an answer to the script.
        self._read_replies(self._environment.rest)
        script = self._factory.script_for(environment)
        if script is None:
            _log.warn("{session}: no script for {path}", session=session, path=environment.path)
            self._finish(Status.NOTFOUND)
        else:
            self._script = RunningScript(script, session)
            self._script.finished.addCallback(self._finish)

    def _hung_up(self) -> None:
        session, script = self._session, self._script
        if session is None or session.hung_up:
            return
        if script is None:
            session.notice_hangup()
            return
        with script.told(HungUp("the caller has hung up")):
            session.notice_hangup()

    def _finish(self, status: Status) -> None:
        """Close when what has been asked for is done, and tell the dialplan how it went."""
        self._script = None
        self._farewell = _FAREWELLS[status]
        if self._outstanding is None:
            self._close()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            # The only time that two lines go together: the end of input that follows makes
            # Asterisk read them both.
            self.transport.write(self._farewell)
            self.transport.loseConnection()

    def cancel(self) -> None:
        """End the script; a connection that has none is closed."""
        if self._script is None:
            self.abort()
        else:
            self._script.cancel()

    def abort(self) -> None:
        """Close the connection at once."""
        self._closed = True
        self.transport.abortConnection()

    # The connection

    @property
    def _peer(self) -> str:
        peer = self.transport.getPeer()
        return f"{peer.host}:{peer.port}" if hasattr(peer, "host") else str(peer)

    def connectionMade(self) -> None:
        # AGI has no sign of life of its own, and an idle call may last for hours.
        watch_by_tcp(self.transport)
        self._factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            if self._session is None:
                self._read_environment(data)
            else:
                self._read_replies(data)
        except RemoteProtocolError as error:
            self.refuse(error)

    def _read_environment(self, data: bytes) -> None:
        environment = self._environment.feed(data)
        if environment is not None:
            self._begin(environment)

    def _read_replies(self, data: bytes) -> None:
        for happening in self._replies.feed(data):
            if isinstance(happening, Reply):
                self._answered(happening)
            elif happening is Notice.HANGUP:
                self._hung_up()
            elif isinstance(happening, Stray):
                _log.warn(
                    "{session}: dropped {count} lines that answer nothing, such as {line!r}",
                    session=self._session,
                    count=len(happening.lines),
                    line=happening.lines[0][:80],
                )

    def refuse(self, error: Exception) -> None:
        """Close the connection because of what the peer did, with one line in the log."""
        _log.warn("FastAGI from {peer} ended: {error}", peer=self._peer, error=error)
        self._reason = error
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._reason = self._reason or reason.value
        if self._session is None and not self._closed:
            _log.info("{peer} left before it had described a call", peer=self._peer)
        self._closed = True
        self._factory.closed(self)
        if self._script is None:
            self._give_up()
        else:
            with self._script.told(self._disconnected()):
                self._give_up()
        # They refer to each other, and there may be many, so leave less to the collector.
        self._session = self._script = None

    def _give_up(self) -> None:
        """Fail everything that waits for something that cannot come any more."""
        waiting = [answer for _, _, answer in self._waiting]
        self._waiting.clear()
        if self._outstanding is not None:
            waiting.insert(0, self._outstanding)
            self._outstanding = None
        for answer in waiting:
            answer.errback(self._disconnected())
        if self._session is not None:
            self._session.notice_end(self._disconnected())

    def _disconnected(self) -> Disconnected:
        return Disconnected("the AGI session is over", self._reason)


class FastAGIFactory(Factory):
    """
    Answer FastAGI calls with the scripts that their paths name.

    For ``AGI(agi://host/greet)`` that is the script for ``/greet``. When the script ends, the
    connection is closed and the dialplan goes on. It finds in ``TXASTERISK_STATUS``:

    - ``SUCCESS``, or ``HANGUP`` if the script ended with
      :class:`HungUp`,
    - ``FAILURE`` if it raised anything else, which is logged with the call's channel and unique
      id, and ``NOTFOUND`` if there is no script for the path; ``AGISTATUS`` is ``FAILURE`` then.

    When the caller hangs up, or the connection breaks, what the script awaits fails with
    :class:`HungUp` or :class:`Disconnected`, be it a command
    or anything else (which is cancelled). This happens once, so ``except HungUp:`` and
    ``finally:`` can still send the commands that work after a hangup.

    :param routes: paths and their scripts; see :meth:`route`.
    :param default: the script for every other path.
    :param clock: measures time limits; the global reactor by default.
    :param environment_timeout: how many seconds a peer may take to describe the call.
    :param line_limit: the longest command in bytes, ``SAFE_LINE`` or ``LONG_LINE`` of
        :mod:`txasterisk.agi.messages`.
    """

    noisy = False

    def __init__(
        self,
        routes: Mapping[str, Script] | None = None,
        *,
        default: Script | None = None,
        clock: IReactorTime | None = None,
        environment_timeout: float = ENVIRONMENT_TIMEOUT,
        line_limit: int = SAFE_LINE,
    ) -> None:
        self.line_limit = line_limit
        clock = the_reactor(clock)
        self.time_limits: TimeLimits[FastAGIProtocol] = TimeLimits(clock, self._silent)
        self._environment_timeout = environment_timeout
        self._default = default
        self._scripts: dict[tuple[str, ...], Script] = {}
        self._open: AtWork[FastAGIProtocol] = AtWork(clock)
        self._draining = False
        for path, script in (routes or {}).items():
            self.route(path, script)

    def route(self, path: str, script: Script) -> None:
        """
        Have ``script`` answer the calls for ``path``.

        :param path: such as ``/greet``, URL-encoded as in the dialplan; a slash more or less at
            its ends makes no difference.
        :param script: an ``async def`` that is given the :class:`AGISession`.
        """
        self._scripts[path_parts(path)] = script

    def script_for(self, environment: Environment) -> Script | None:
        """Return the script that answers this call."""
        return self._scripts.get(environment.path_parts, self._default)

    def when_idle(self) -> Deferred[None]:
        """
        Wait until no connection is open.

        :return: a Deferred of its own for each caller, which fires with None and does not fail.
            Cancelling it disturbs nobody else.
        """
        return self._open.when_idle()

    def drain(self, timeout: float) -> Deferred[None]:
        """
        Take no more calls and see to it that those in progress end.

        Scripts that are not done in time are cancelled: what they await fails with
        ``CancelledError``, and the dialplan is told ``FAILURE``. Those that go on nevertheless
        lose their connection two seconds later.

        :param timeout: how many seconds the scripts may go on undisturbed.
        :return: fires with None when the last connection is closed. Cancelling it ends the
            waiting, and leaves the calls in progress alone.
        """
        return Deferred.fromCoroutine(self._drain(timeout))

    async def _drain(self, timeout: float) -> None:
        self._draining = True
        if not await self._open.idle_within(timeout):
            _log.info("Ending {count} AGI scripts", count=len(self._open))
            for connection in self._open:
                connection.cancel()
        if not await self._open.idle_within(CLEAN_UP_TIME):
            for connection in self._open:
                connection.abort()
        await self._open.when_idle()

    # What Twisted and the protocols call

    def startFactory(self) -> None:
        self._draining = False

    def buildProtocol(self, addr: IAddress | None) -> FastAGIProtocol | None:
        if self._draining:
            return None
        return FastAGIProtocol(self)

    def opened(self, connection: FastAGIProtocol) -> None:
        """Take note of a new connection."""
        self._open.begin(connection)
        self.time_limits.start(connection, self._environment_timeout)

    def closed(self, connection: FastAGIProtocol) -> None:
        """Take note that a connection is gone."""
        self.time_limits.stop(connection)
        self._open.end(connection)
        if not self._open:
            self.time_limits.clear()

    def _silent(self, connection: FastAGIProtocol) -> None:
        seconds = f"{self._environment_timeout:g} seconds"
        connection.refuse(RemoteProtocolError(f"no call was described within {seconds}"))


def _farewell(status: Status) -> bytes:
    told = Command("SET VARIABLE", STATUS_VARIABLE, status.value).serialize()
    failed = status in (Status.FAILURE, Status.NOTFOUND)
    return told + _FAILURE_LINE if failed else told


_FAREWELLS: Final = {status: _farewell(status) for status in Status}
_log = Logger()
