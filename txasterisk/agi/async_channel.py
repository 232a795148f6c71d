"""
One channel in AsyncAGI: commands go to it by AMI's action ``AGI``, answers come as events.

A channel is followed by its unique id. Where another channel takes its place in AsyncAGI, as in an
attended transfer, that is another one, and no event tells of it; then it is found by a variable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._seldom import Seldom
from .._status import STATUS_VARIABLE
from ..errors import (
    ActionFailed,
    AsteriskError,
    Disconnected,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
)
from .asking import GONE
from .async_answers import (
    FETCH,
    Readings,
    environment_in,
    from_base64,
    in_base64,
    reply_to,
)
from .messages import Command, Environment, Reply
from .script import RunningScript, Status
from .session import AGISession
from .whereabouts import AMI, AMIEvent, Where, find_marked, mark, where_is

__all__ = ["Answering", "AsyncAGIChannel"]

#: AMI takes lines of 1022 bytes, the name of the header included.
LINE_LIMIT: Final = 1022 - len("Command: ")

#: How many seconds to wait for the ``AGISTATUS`` of a channel that is gone. It follows at once,
#: unless the link does not tell of variables at all.
PATIENCE: Final = 0.5

_BREAK: Final = Command("ASYNCAGI BREAK")
#: Ends AsyncAGI with ``AGISTATUS=FAILURE``, and does nothing else.
_FAIL: Final = Command("RECEIVE CHAR", 0)
#: While these run Asterisk shows another application than AGI.
_RUN_APPLICATIONS: Final = frozenset({"EXEC", "GOSUB"})
_ALIVE: Final = (Where.IN_ASYNCAGI, Where.ELSEWHERE)
#: What AMI says to a user that lacks the class ``agi``.
_PERMISSION_DENIED: Final = "Permission denied"

#: Has a call answered, or says why it is not.
Answering: TypeAlias = Callable[[AGISession], "RunningScript | Status"]
#: Makes the error for each who is told of the end.
_Over: TypeAlias = Callable[[], "HungUp | Disconnected"]


class _Asked(NamedTuple):
    command: Command
    line: str
    answer: Deferred[Reply]


class AsyncAGIChannel:
    """
    One call: a carrier of its session (see :class:`Carrier`).

    One command is outstanding at a time: what is left in Asterisk's queue when AsyncAGI ends stays
    there, and is done when the dialplan comes to AsyncAGI again.

    :param ami: leads to the channel.
    :param uniqueid: the channel's id now.
    :param complaints: tells the log of what is wrong with the call.
    :ivar identity: what the ids of its commands begin with.
    :ivar is_there: whether the channel is in AsyncAGI, as far as is known.
    """

    line_limit = LINE_LIMIT

    def __init__(self, ami: AMI, uniqueid: str, complaints: Seldom) -> None:
        self.uniqueid = uniqueid
        self.identity = uuid4().hex
        self.is_there = True
        self._ami = ami
        self._complaints = complaints
        self._numbers = count(1)
        self._waiting: deque[_Asked] = deque()
        self._working = False
        self._command: Command | None = None
        self._command_id = ""
        self._result: Deferred[str] | None = None
        self._leaving = False
        self._over: _Over | None = None
        self._session: AGISession | None = None
        self._script: RunningScript | None = None
        self._finished: Deferred[Status] = Deferred()

    def __repr__(self) -> str:
        return f"<AsyncAGIChannel {self._session or self.uniqueid}>"

    # The call

    async def serve(self, environment: str, answering: Answering) -> Status:
        """
        Have the call answered, and give it back to the dialplan.

        :param environment: as ``AsyncAGIStart`` brings it.
        :param answering: has it answered.
        :return: how that ended.
        """
        mark(self._ami, self.uniqueid, self.identity)
        try:
            status = await self._serve(environment, answering)
        except RemoteProtocolError as error:
            self._complain("{channel}: {error}", error=error)
            status = Status.FAILURE
        except (HungUp, Disconnected):
            status = Status.HANGUP
        await self.leave(status)
        # They refer to each other, and there may be many, so leave less to the collector.
        self._session = None
        return status

    async def _serve(self, encoded: str, answering: Answering) -> Status:
        environment = await self._read_environment(encoded)
        self._session = session = AGISession(self, environment)
        if environment.anomalies:
            self._complain(
                "{channel}: the environment is not as Asterisk writes it: {anomalies}",
                anomalies="; ".join(environment.anomalies[:5]),
            )
        answer = answering(session)
        if isinstance(answer, Status):
            return answer
        self._script = answer
        answer.finished.addCallback(self._finish)
        return await self._finished

    async def _read_environment(self, encoded: str) -> Environment:
        readings = Readings()
        while readings.add(encoded):
            encoded = await self._run(_line(FETCH))
        return environment_in(readings.joined())

    def _finish(self, status: Status) -> None:
        self._script = None
        if not self._finished.called:
            self._finished.callback(status)

    async def leave(self, status: Status) -> None:
        """Give the channel back to the dialplan, and tell it how the script ended."""
        self._leaving = True
        try:
            await self._ask(_status(status))
            # Once that has failed AsyncAGI is over, and a break would meet the next one.
            if not status.failed or (await self._ask(_FAIL)).result != "-1":
                await self._ask(_BREAK)
        except (HungUp, Disconnected):
            pass
        except AsteriskError as error:
            self._complain("{channel}: not given back: {error}", error=error)
        self._be_over(_left)

    def _complain(self, what: str, **values: object) -> None:
        self._complaints.tell(_log.warn, what, channel=self, **values)

    def cancel(self) -> None:
        """End the script."""
        if self._script is not None:
            self._script.cancel()

    def abort(self) -> None:
        """Give the channel back as soon as the command in progress has ended; wait for nothing."""
        if self.is_there:
            for command in _status(Status.FAILURE), _BREAK:
                self._queue(_line(command), "").addErrback(lambda _: None)
        self._be_over(_left)
        self._finish(Status.FAILURE)

    # Commands

    def send(self, command: Command) -> Deferred[Reply]:
        """Send a command when all before it have been answered; see ``Carrier.send``."""
        return fail(_left()) if self._leaving else self._ask(command)

    def _ask(self, command: Command) -> Deferred[Reply]:
        if self._over is not None:
            return fail(self._over())
        try:
            line = _line(command)
        except LocalProtocolError as error:
            return fail(error)
        answer: Deferred[Reply] = Deferred()
        self._waiting.append(_Asked(command, line, answer))
        if not self._working:
            self._working = True
            Deferred.fromCoroutine(self._work())
        return answer

    async def _work(self) -> None:
        """Have everything done that waits, one after the other."""
        while self._waiting:
            command, line, answer = self._waiting.popleft()
            # One that is called was cancelled, since it cannot have been answered.
            if not answer.called:
                self._command = command
                try:
                    answer.callback(await self._reply_to(command, line))
                except AsteriskError:
                    answer.errback()
                self._command = None
        self._working = False

    async def _reply_to(self, command: Command, line: str) -> Reply:
        readings = Readings()
        while readings.add(await self._run(line)):
            line = _line(FETCH)
        again = in_base64(command) if readings.lost_but_short else None
        if again is None:
            return reply_to(command, readings.joined())
        return from_base64(await self._reply_to(again, _line(again)))

    def _run(self, line: str) -> Deferred[str]:
        """Have a command run; fires with what came of it, as it was sent."""
        if self._over is not None:
            return fail(self._over())
        self._command_id = f"{self.identity}-{next(self._numbers)}"
        self._result = result = Deferred[str]()
        # If the channel has just left, nothing comes of it, and soon it is told why.
        if self.is_there:
            self._queue(line, self._command_id).addErrback(self._not_queued, line, result)
        return result

    def _queue(self, line: str, command_id: str) -> Deferred[Any]:
        headers = {"Channel": self.uniqueid, "Command": line, "CommandID": command_id or None}
        return self._ami.action("AGI", headers)

    def _not_queued(self, failure: Failure, line: str, result: Deferred[str]) -> None:
        error = failure.value
        if isinstance(error, Disconnected):
            self.lost(error)
        elif not isinstance(error, ActionFailed) or error.message == _PERMISSION_DENIED:
            self._answer(failure)
        elif result is self._result:
            Deferred.fromCoroutine(self._refused(line, result))

    def heard(self, event: AMIEvent) -> None:
        """Take note of what came of a command."""
        self.uniqueid = event.get("Uniqueid") or self.uniqueid
        if event.get("CommandId") == self._command_id:
            self._answer(event.get("Result") or "")

    def _answer(self, outcome: str | Failure) -> None:
        result, self._result = self._result, None
        if result is not None:
            result.callback(outcome)

    # The channel

    async def look(self) -> None:
        """Find out whether the channel has left AsyncAGI, or has another id, without a word."""
        command, command_id, result = self._command, self._command_id, self._result
        where = await where_is(self._ami, self.uniqueid)
        if where is Where.GONE:
            await self._follow()
        elif (command_id, result) == (self._command_id, self._result) and (
            where is Where.ELSEWHERE and not _runs_application(command)
        ):
            self.ended()

    async def _refused(self, line: str, result: Deferred[str]) -> None:
        """Asterisk knows no such channel in AsyncAGI: give the command to the one that is there."""
        if await where_is(self._ami, self.uniqueid) is not Where.GONE:
            self.ended()
        elif await self._follow() and result is self._result:
            # It was refused, so this is no repetition.
            self._queue(line, self._command_id).addErrback(self._not_queued, line, result)

    async def _follow(self) -> bool:
        """Go on with the channel that has taken the place of this one, if there is one."""
        uniqueid = await find_marked(self._ami, self.identity) if self.is_there else None
        if uniqueid is None or not self.is_there:
            self.ended()
            return False
        self.uniqueid = uniqueid
        return True

    def ended(self) -> None:
        """Take note that the channel has left AsyncAGI, and find out why."""
        if not self.is_there:
            return
        self.is_there = False
        if self._leaving:
            self._be_over(_left)
        else:
            Deferred.fromCoroutine(self._why_ended()).addCallback(self._be_over)

    async def _why_ended(self) -> _Over:
        # What the dialplan is told of it follows at once.
        told = self._ami.next(
            "VarSet", timeout=PATIENCE, Uniqueid=self.uniqueid, Variable="AGISTATUS"
        )
        told.addCallbacks(lambda event: event["Value"], lambda _: "")
        where = await where_is(self._ami, self.uniqueid)
        if where in _ALIVE:
            told.cancel()
            return _went_on
        # It need not be by a hangup: the dialplan may have come to its end by now.
        agistatus = await told
        if agistatus in ("FAILURE", "SUCCESS"):
            return _went_on
        if where is Where.UNKNOWN:
            return _hung_up if agistatus == "HANGUP" else _nobody_knows
        # Nor when it looks like one: so does a redirect, until the dialplan has taken note of it.
        return _went_on if await where_is(self._ami, self.uniqueid) in _ALIVE else _hung_up

    def lost(self, error: BaseException) -> None:
        """Take note that AMI is gone."""
        self._be_over(lambda: Disconnected("the AMI link is gone", error))

    def _be_over(self, over: _Over) -> None:
        """Tell the script, and everyone who waits for something that cannot come any more."""
        if self._over is not None:
            return
        self._over = over
        self.is_there = False
        error = over()
        if isinstance(error, HungUp) and self._session is not None:
            self._session.notice_hangup()
            self._give_up()
        elif self._script is not None:
            with self._script.told(error):
                self._give_up()
        else:
            self._give_up()

    def _give_up(self) -> None:
        assert self._over is not None
        error = self._over()
        self._answer(Failure(error))
        if self._session is not None and isinstance(error, Disconnected):
            self._session.notice_end(error)


def _line(command: Command) -> str:
    return command.serialize(LINE_LIMIT).decode("utf-8", "surrogateescape").removesuffix("\n")


def _status(status: Status) -> Command:
    return Command("SET VARIABLE", STATUS_VARIABLE, status.value)


def _runs_application(command: Command | None) -> bool:
    return command is not None and command.name.upper() in _RUN_APPLICATIONS


def _hung_up() -> HungUp:
    return HungUp(GONE)


def _left() -> Disconnected:
    return Disconnected("the AGI session is over")


def _went_on() -> Disconnected:
    return Disconnected("AsyncAGI is over, and the call goes on in the dialplan")


def _nobody_knows() -> Disconnected:
    return Disconnected("AsyncAGI is over; this user of AMI may not ask whether by a hangup")


_log = Logger()
