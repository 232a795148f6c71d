"""
AsyncAGI: Asterisk tells AMI of a call, and takes its commands from there.

:class:`AsyncAGI` answers the calls that one AMI link tells of with scripts, as
:class:`FastAGIFactory` answers those that connect; :class:`AsyncAGIService` stays connected.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote_to_bytes

from twisted.application.service import IServiceCollection, MultiService
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._at_work import GRACE, AtWork
from .._cancellable import Cancellable
from .._reactor import the_reactor
from .._seldom import Seldom
from ..errors import AsteriskError
from .async_channel import Answering, AsyncAGIChannel
from .messages import Environment
from .routes import Routed, Routes
from .script import OnHangup, RunningScript, Script, Status
from .session import AGISession
from .whereabouts import AMI, MARK, AMIEvent, list_waiting

__all__ = ["AsyncAGI", "AsyncAGIService"]

#: Each call is a channel of Asterisk, and a PBX has fewer.
MAX_SESSIONS: Final = 10_000
#: AGI has no sign of life of its own, a call may last for hours, and a channel that is bridged or
#: replaced leaves AsyncAGI without a word.
SECONDS_BETWEEN_LOOKS: Final = 10.0


T = TypeVar("T")


class AsyncAGI(Routed):
    """
    Answer AsyncAGI calls with the scripts that their paths name.

    For ``AGI(agi:async,/greet,one,two)`` that is the script for ``/greet``, with two arguments.
    The script is the same as over FastAGI, and so is what the dialplan finds when it has ended; see
    :class:`FastAGIFactory`. What differs is Asterisk's doing:

    - After a hangup no command can be sent any more: all verbs fail with :class:`HungUp`.
    - A command that fails because there is no such sound, say, ends AsyncAGI, with
      ``AGISTATUS=FAILURE``: all that follow fail with :class:`Disconnected`.
    - A command has 1013 bytes at most, and takes a tenth of a second until Asterisk looks at it.
    - Asterisk cuts an answer that has more than 2047 characters when 1024 bytes of it are
      percent-encoded. The values of variables are asked for again then, in base64; everything else
      fails with :class:`RemoteProtocolError`. An answer of more than 65,536 bytes stops the channel
      for ever.
    - A call without a script is left alone, since it may be another program's.

    :param ami: a connection or service of :mod:`txasterisk.ami`, which tells of the class ``agi``.
        Its user needs that class and ``call`` to write.
    :param routes: paths and their scripts, or :class:`Routes` that others may share.
    :param default: the script for every other path, if those are no :class:`Routes`.
    :param clock: measures time limits; the global reactor by default.
    :param sessions: how many calls are answered at once; the one too many ends with ``BUSY``.
    """

    def __init__(
        self,
        ami: AMI,
        routes: Routes | Mapping[str, Script] | None = None,
        *,
        default: Script | None = None,
        clock: IReactorTime | None = None,
        sessions: int = MAX_SESSIONS,
    ) -> None:
        clock = the_reactor(clock)
        if not isinstance(routes, Routes):
            routes = Routes(routes, default=default, clock=clock)
        self.routes = routes
        self._complaints = Seldom(clock)
        self._ami = ami
        self._sessions = sessions
        self._calls: AtWork[AsyncAGIChannel] = AtWork(clock)
        self._channels: dict[str, AsyncAGIChannel] = {}
        self._starting: Cancellable | None = None
        self._listening: list[Cancellable] = []
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        self._lost: set[str] = set()

    def start(self) -> None:
        """Answer the calls that come from now on."""
        if self._starting is None:
            self._starting = self._ami.on("AsyncAGIStart", self._started)

    def answer(
        self, start: AMIEvent, script: Script, *, on_hangup: OnHangup = "raise"
    ) -> Deferred[Status]:
        """
        Have ``script`` answer one call, whatever its path.

        :param start: the call's ``AsyncAGIStart``.
        :param script: an ``async def`` that is given the :class:`AGISession`.
        :param on_hangup: what becomes of the script when the caller hangs up.
        :return: fires with how that ended when the call has been given back to the dialplan.
            Cancelling ends the script.
        """
        channel = self._channel(start)
        done: Deferred[Status] = Deferred(lambda _: channel.cancel())

        def over(outcome: Status | Failure) -> None:
            if not done.called:
                done.callback(outcome)

        def run(session: AGISession) -> RunningScript:
            return RunningScript(script, session, on_hangup)

        self._answer(channel, start, run).addBoth(over)
        return done

    def when_idle(self) -> Deferred[None]:
        """
        Wait until no call is being answered.

        :return: a Deferred of its own for each caller, which fires with None and does not fail.
            Cancelling it disturbs nobody else.
        """
        return self._calls.when_idle()

    def drain(self, timeout: float) -> Deferred[None]:
        """
        Take no more calls and see to it that those in progress end.

        Scripts that are not done in time are cancelled: what they await fails with
        ``CancelledError``, and the dialplan is told ``FAILURE``. Those that go on nevertheless
        lose their call two seconds later.

        :param timeout: how many seconds the scripts may go on undisturbed.
        :return: fires with None when the last call has been given back. Cancelling it ends the
            waiting, and leaves the calls in progress alone.
        """
        return Deferred.fromCoroutine(self._drain(timeout))

    def end_forgotten_calls(self) -> Deferred[int]:
        """
        End the calls that wait in AsyncAGI for a program that does not know of them any more.

        These are the calls whose path has a script here that is not at work on them: their program
        has ended without giving them back, or the AMI link was lost. The dialplan goes on with
        ``TXASTERISK_STATUS`` and ``AGISTATUS`` being ``FAILURE``, and may try again. Calls
        that the default script answers are not looked for, but for those that it has answered when
        the link was lost.

        :return: fires with how many there were, when they have been given back. There is nothing
            to cancel.
        """
        return Deferred.fromCoroutine(self._end_forgotten_calls())

    async def _drain(self, timeout: float) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        if not await self._calls.end_within(timeout, AsyncAGIChannel.cancel):
            for channel in self._calls:
                channel.abort()
        await self._calls.when_idle()
        self.routes.complaints.flush()
        self._complaints.flush()

    # Calls

    def _started(self, start: AMIEvent) -> None:
        former = self._find(start)
        if former is not None:
            former.ended()
        if self.routes.answers(_path_at_start(start)):
            self._answer(self._channel(start), start, self._answer_session)

    def _answer_session(self, session: AGISession) -> RunningScript | Status:
        # This call is one of them by now.
        if len(self._calls) > self._sessions:
            self._complaints.tell(
                _log.warn,
                "{session}: {limit} calls are answered already",
                session=session,
                limit=self._sessions,
            )
            return Status.BUSY
        return self.routes.answer(session)

    def _answer(
        self, channel: AsyncAGIChannel, start: AMIEvent, answering: Answering
    ) -> Deferred[Status]:
        return self._work(channel, channel.serve(start.get("Env") or "", answering))

    def _channel(self, event: AMIEvent) -> AsyncAGIChannel:
        return AsyncAGIChannel(self._ami, event.get("Uniqueid") or "", self._complaints)

    async def _end_forgotten_calls(self) -> int:
        lost, self._lost = self._lost, set()
        forgotten = [
            self._channel(call)
            for call in await list_waiting(self._ami)
            if self._find(call) is None and (_mark_of(call) in lost or self._has_script(call))
        ]
        for channel in forgotten:
            _log.warn("{channel}: no script is at work on this call any more", channel=channel)
        ending = [self._work(channel, channel.leave(Status.FAILURE)) for channel in forgotten]
        await gatherResults(ending)
        return len(forgotten)

    def _has_script(self, call: AMIEvent) -> bool:
        return self.routes.names(_path_in_dialplan(call))

    # Channels at work

    def _work(self, channel: AsyncAGIChannel, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Have a channel hear what concerns it for as long as it is at work."""
        if not self._channels:
            self._listen()
        self._channels[channel.identity] = channel
        self._calls.begin(channel)
        going = self._ami.when_disconnected()
        going.addCallbacks(lambda error: self._lose(channel, error), lambda _: None)

        def done(outcome: T | Failure) -> T | Failure:
            going.cancel()
            del self._channels[channel.identity]
            if not self._channels:
                self._listen_no_more()
            self._calls.end(channel)
            return outcome

        return Deferred.fromCoroutine(work).addBoth(done)

    def _listen(self) -> None:
        self._listening = [
            self._ami.on("AsyncAGIExec", self._heard),
            self._ami.on("AsyncAGIEnd", self._ended),
            self._ami.on("Hangup", self._hung_up),
        ]
        self._looking.start(SECONDS_BETWEEN_LOOKS, now=False)

    def _listen_no_more(self) -> None:
        self._looking.stop()
        for subscription in self._listening:
            subscription.cancel()

    def _heard(self, event: AMIEvent) -> None:
        channel = self._channels.get((event.get("CommandId") or "").partition("-")[0])
        if channel is not None:
            channel.heard(event)

    def _ended(self, event: AMIEvent) -> None:
        channel = self._find(event)
        if channel is not None:
            channel.ended()

    def _hung_up(self, event: AMIEvent) -> None:
        # It would have left AsyncAGI first; so another channel has taken its place there.
        channel = self._find(event)
        if channel is not None:
            Deferred.fromCoroutine(channel.look())

    def _look(self) -> None:
        for channel in tuple(self._channels.values()):
            if channel.is_there:
                Deferred.fromCoroutine(channel.look())

    def _find(self, event: AMIEvent) -> AsyncAGIChannel | None:
        uniqueid = event.get("Uniqueid")
        found = (each for each in self._channels.values() if each.uniqueid == uniqueid)
        return next((each for each in found if each.is_there), None)

    def _lose(self, channel: AsyncAGIChannel, error: BaseException) -> None:
        # They are looked for when the link is there again, which nobody may ever ask for.
        if channel.is_there and len(self._lost) < MAX_SESSIONS:
            self._lost.add(channel.identity)
        channel.lost(error)


class StayingAMI(AMI, Protocol):
    """What :class:`AsyncAGIService` needs: a service of :mod:`txasterisk.ami`."""

    def when_connected(self) -> Deferred[Any]:
        """Wait for a link that is logged in."""

    def setServiceParent(self, parent: IServiceCollection) -> object:
        """Be started and stopped by another service."""


class AsyncAGIService(MultiService):
    """
    Answer AsyncAGI calls, from the start to the stop of the service.

    It starts and stops the service that keeps the AMI link, too, so that this is not stopped before
    the last call has been given back. Each time that the link is made, calls that no script is at
    work on any more are ended; see :meth:`AsyncAGI.end_forgotten_calls`.

    :param ami: an :class:`txasterisk.ami.AMIService` or :class:`txasterisk.ami.AMIHTTPService`.
    :param routes: as for :class:`AsyncAGI`.
    :param default: as for :class:`AsyncAGI`.
    :param label: what the log calls this service.
    :param grace: how many seconds calls may go on undisturbed when the service is stopped; see
        :meth:`AsyncAGI.drain`.
    :param clock: measures time; the global reactor by default.
    :ivar calls: answers them.
    """

    def __init__(
        self,
        ami: StayingAMI,
        routes: Routes | Mapping[str, Script] | None = None,
        *,
        default: Script | None = None,
        label: str = "asyncagi",
        grace: float = GRACE,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__()
        self.label = label
        self.calls = AsyncAGI(ami, routes, default=default, clock=clock)
        self._ami = ami
        self._grace = grace
        self._staying: Deferred[None] | None = None
        ami.setServiceParent(self)

    def startService(self) -> None:
        """Connect, and answer calls."""
        self.calls.start()
        super().startService()
        self._staying = Deferred.fromCoroutine(self._stay())
        # Why there will be no link any more has been logged.
        self._staying.addErrback(lambda failure: failure.trap(AsteriskError, CancelledError))

    def stopService(self) -> Deferred[None]:
        """
        Answer no more calls, let those in progress end, and close the AMI link.

        :return: fires with None when that is done.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _stay(self) -> None:
        while True:
            link = await self._ami.when_connected()
            self.calls.end_forgotten_calls().addCallback(self._tell)
            await link.when_disconnected()

    async def _stop(self) -> None:
        if self._staying is not None:
            self._staying.cancel()
        await self.calls.drain(self._grace)
        await super().stopService()

    def _tell(self, forgotten: int) -> None:
        if forgotten:
            _log.info("{label}: ended {count} calls", label=self.label, count=forgotten)


def _path_at_start(start: AMIEvent) -> tuple[str, ...]:
    """Return the path of a call whose environment may be cut; nearly always it is there."""
    block = unquote_to_bytes((start.get("Env") or "").encode("utf-8", "surrogateescape"))
    return Environment(block.split(b"\n")[:-1]).path_parts


def _path_in_dialplan(call: AMIEvent) -> tuple[str, ...]:
    """Return the path of a call that ``Status`` shows, as its environment had it."""
    _, first, *_ = [*(call.get("Data") or "").split(","), ""]
    argument = first.encode("utf-8", "surrogateescape")
    return Environment([b"agi_request: async", b"agi_arg_1: " + argument]).path_parts


def _mark_of(call: AMIEvent) -> str:
    return (call.get("Variable") or "").removeprefix(f"{MARK}=")


_log = Logger()
