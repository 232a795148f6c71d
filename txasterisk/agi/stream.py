"""
AGI over a stream of bytes: a connection of Asterisk's, or the pipes of a child of its.

The carrier of one call's session: it reads the environment, has the script found that answers,
brings commands and replies, and sees to it that nobody waits for ever.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._status import STATUS_VARIABLE
from .._tcp import writes_at_once
from ..errors import Disconnected, LocalProtocolError, RemoteProtocolError
from .messages import Command, Environment, Reply
from .reading import EnvironmentReader, Fence, Notice, ReplyReader
from .script import RunningScript, Status
from .session import AGISession

__all__ = ["StreamCarrier"]

#: A line that makes Asterisk end the session with ``AGISTATUS=FAILURE``. That a process has failed
#: it can also tell from its exit status, but now and then it misses that.
_FAILURE_LINE: Final = b"failure\n"


class StreamCarrier(Protocol, ABC):
    """
    One call: a carrier of its session (see :class:`Carrier`).

    One command is outstanding at a time, and each is one write: Asterisk would mix up replies if
    commands came together, and spin if one came in two pieces.

    :param answer: runs the script for a call, or says why there is none.
    :param line_limit: the longest command in bytes.
    """

    transport: Any
    _write_line: Callable[[bytes], None]

    def __init__(
        self, answer: Callable[[AGISession], RunningScript | Status], line_limit: int
    ) -> None:
        self._answer = answer
        self.line_limit = line_limit
        self._environment = EnvironmentReader()
        self._replies = ReplyReader()
        self._outstanding: Deferred[Reply] | None = None
        # Nearly always empty, when a deque takes ten times what a list does.
        self._waiting: list[tuple[Command, bytes, Deferred[Reply]]] = []
        self._session: AGISession | None = None
        self._script: RunningScript | None = None
        self._farewell: bytes | None = None
        self._closed = False
        self._reason: BaseException | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._session or self._peer}>"

    # What depends on the kind of stream

    @property
    @abstractmethod
    def _peer(self) -> str:
        """The other end, for the log."""

    def _described(self, environment: Environment) -> AGISession:
        """Return the session of the call that has been described."""
        return AGISession(self, environment)

    def _tell(self, log: Callable[..., None], what: str, **values: Any) -> None:
        """Log what the peer did."""
        log(what, **values)

    def _end_stream(self) -> None:
        """Close the stream when all that was written is sent."""
        self.transport.loseConnection()

    # Commands

    def send(self, command: Command) -> Deferred[Reply]:
        """Send a command when all before it have been answered; see ``Carrier.send``."""
        if self._closed or self._farewell is not None:
            return fail(self._disconnected())
        try:
            line = command.serialize(self.line_limit)
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
        self._write_line(line)

    def _answered(self, reply: Reply) -> None:
        answer, self._outstanding = self._outstanding, None
        if self._waiting or self._farewell is not None:
            self._write_next()
        if answer is not None:
            answer.callback(reply)

    def _write_next(self) -> None:
        while self._waiting:
            command, line, answer = self._waiting.pop(0)
            # One that is called was cancelled, since it cannot have been answered.
            if not answer.called:
                self._write(command, line, answer)
                return
        if self._farewell is not None:
            self._close()

    # The call

    def hung_up(self) -> None:
        """Take note that the caller is gone."""
        if self._session is not None:
            self._session.notice_hangup()

    def _begin(self, environment: Environment) -> None:
        self._session = session = self._described(environment)
        if environment.anomalies:
            self._tell(
                _log.warn,
                "{session}: the environment is not as Asterisk writes it: {anomalies}",
                session=session,
                anomalies="; ".join(environment.anomalies[:5]),
            )
        rest = self._environment.rest
        if environment.anomalies or rest.replace(b"HANGUP\n", b""):
            # A value has cut the block short. More of it may come, and must not pass for answers.
            self._outstanding = Deferred()
            self._write_line(self._replies.put_up_fence().line)
        if rest:
            self._read_replies(rest)
        self._run_script(session)

    def _run_script(self, session: AGISession) -> None:
        answering = self._answer(session)
        if isinstance(answering, Status):
            self._finish(answering)
        else:
            self._script = answering
            answering.finished.addCallback(self._finish)

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
            self._write_line(self._farewell or b"")
            self._end_stream()

    def cancel(self) -> None:
        """End the script; a connection that has none is closed."""
        if self._script is None:
            self.leave()
        else:
            self._script.cancel()

    def leave(self) -> None:
        """
        Close the connection although its script goes on, or a command is not answered yet.

        Asterisk reads the last words when it is done with the command, and goes on in the dialplan.
        """
        if self._session is None:
            self.abort()
        else:
            self._farewell = self._farewell or _FAREWELLS[Status.FAILURE]
            self._close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._closed = True
        self.transport.abortConnection()

    # The connection

    def connectionMade(self) -> None:
        self._write_line = writes_at_once(self.transport)

    def dataReceived(self, data: bytes) -> None:
        if self._closed:
            return
        reply = self._replies.whole(data)
        if reply is not None:
            self._answered(reply)
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
                self.hung_up()
            elif isinstance(happening, Fence):
                self._write_line(happening.line)
            else:
                self._tell(
                    _log.warn,
                    "{session}: dropped {count} lines that answer nothing, such as {line!r}",
                    session=self._session,
                    count=len(happening.lines),
                    line=happening.lines[0][:80],
                )

    def refuse(self, error: Exception) -> None:
        """Close the connection because of what the peer did, and log that."""
        with_whom = self._session or self._peer
        self._tell(_log.warn, "AGI with {peer} ended: {error}", peer=with_whom, error=error)
        self._reason = error
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._reason = self._reason or reason.value
        if self._session is None and not self._closed:
            self._tell(_log.info, "{peer} left before it had described a call", peer=self._peer)
        self._closed = True
        if self._script is None:
            self._give_up()
        else:
            with self._script.told(self._disconnected()):
                self._give_up()
        # They refer to each other, and there may be many, so leave less to the collector.
        self._session = None

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


def _farewell(status: Status) -> bytes:
    told = Command("SET VARIABLE", STATUS_VARIABLE, status.value).serialize()
    return told + _FAILURE_LINE if status.failed else told


_FAREWELLS: Final = {status: _farewell(status) for status in Status}

_log = Logger()
