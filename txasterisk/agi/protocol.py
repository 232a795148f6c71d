"""
FastAGI: Asterisk connects to us, once for each call.

A factory answers them with scripts, which it finds by the path of the URL that the dialplan gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._addresses import readable
from .._at_work import AtWork
from .._descriptors import descriptor_limit
from .._reactor import the_reactor
from .._seldom import Seldom
from .._tcp import free_descriptor, read_now, watch_by_tcp
from .._time_limits import TimeLimits
from .messages import SAFE_LINE, Environment
from .routes import Routed, Routes
from .script import RunningScript, Script, Status
from .session import AGISession
from .stream import StreamCarrier

__all__ = ["FastAGIFactory", "FastAGIProtocol"]

#: Asterisk sends the whole block at once, so this is ample; a port scan says nothing for ever.
ENVIRONMENT_TIMEOUT: Final = 10.0
#: Connections that have not described a call yet. Asterisk describes its call at once, so a burst
#: of calls keeps below this; when more come, the one that has been silent for longest is the one
#: that is most surely no call. They have a quarter of the file descriptors at most.
MAX_SILENT: Final = 1000
#: Calls that are answered at once; more than an Asterisk carries.
MAX_SESSIONS: Final = 10_000
#: File descriptors that are left for everything else: the log, files, links to the PBX.
SPARE_DESCRIPTORS: Final = 64
#: Seconds that the peer may take to let a connection end. Asterisk does so at once; over TLS, one
#: that does not answer the farewell would keep it for ever.
CLOSING_TIMEOUT: Final = 10.0


class FastAGIProtocol(StreamCarrier):
    """
    One call, over a connection that Asterisk has opened.

    :param factory: has the routes and the limits.
    """

    def __init__(self, factory: FastAGIFactory) -> None:
        super().__init__(factory.answer, factory.line_limit)
        self._factory = factory
        self._client = ""

    @property
    def _peer(self) -> str:
        return self._client

    def _tell(self, log: Callable[..., None], what: str, **values: Any) -> None:
        self._factory.complaints.tell(log, what, **values)

    def turn_away(self, why: str, **values: Any) -> None:
        """Close a connection that has described no call, and log why."""
        self._tell(_log.warn, why, peer=self._peer, **values)
        self.abort()

    def _described(self, environment: Environment) -> AGISession:
        self._factory.described(self)
        # A peer that does not read what it is sent is not read either, so that its replies cannot
        # make more and more commands wait for it.
        self.transport.registerProducer(self.transport, True)
        return super()._described(environment)

    def _end_stream(self) -> None:
        self.transport.unregisterProducer()
        super()._end_stream()
        self._factory.closing(self)

    def connectionMade(self) -> None:
        super().connectionMade()
        # AGI has no sign of life of its own, and an idle call may last for hours.
        watch_by_tcp(self.transport)
        # The client's end of a Unix socket has no name, and ours none any more when it is closed.
        self._client = (
            readable(self.transport.getPeer())
            or f"a client of {readable(self.transport.getHost())}"
        )
        self._factory.opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._factory.closed(self)
        if self._script is None:
            self._factory.done(self)
        else:
            self._script.finished.addCallback(lambda _: self._factory.done(self))


class FastAGIFactory(Routed, Factory):
    """
    Answer FastAGI calls with the scripts that their paths name.

    For ``AGI(agi://host/greet)`` that is the script for ``/greet``. When the script ends, the
    connection is closed and the dialplan goes on. It finds in ``TXASTERISK_STATUS``:

    - ``SUCCESS``, or ``HANGUP`` if the script ended with :class:`HungUp`,
    - ``FAILURE`` if it raised anything else, which is logged with the call's channel and unique
      id, ``NOTFOUND`` if there is no script for the path, and ``BUSY`` if it answers as many calls
      as it may; ``AGISTATUS`` is ``FAILURE`` then.

    When the caller hangs up, or the connection breaks, what the script awaits fails with
    :class:`HungUp` or :class:`Disconnected`, be it a command
    or anything else (which is cancelled). This happens once, so ``except HungUp:`` and
    ``finally:`` can still send the commands that work after a hangup. A route may have it
    otherwise.

    :param routes: paths and their scripts, or :class:`Routes` that others may share.
    :param default: the script for every other path, if those are no :class:`Routes`.
    :param clock: measures time limits; the global reactor by default.
    :param environment_timeout: how many seconds a peer may take to describe the call.
    :param sessions: how many calls are answered at once; the one too many ends with ``BUSY``. By
        default 10,000, or as many as the process has file descriptors for.
    :param line_limit: the longest command in bytes, ``SAFE_LINE`` or ``LONG_LINE`` of
        :mod:`txasterisk.agi.messages`.
    """

    noisy = False

    def __init__(
        self,
        routes: Routes | Mapping[str, Script] | None = None,
        *,
        default: Script | None = None,
        clock: IReactorTime | None = None,
        environment_timeout: float = ENVIRONMENT_TIMEOUT,
        sessions: int | None = None,
        line_limit: int = SAFE_LINE,
    ) -> None:
        if sessions is not None and sessions < 1:
            raise ValueError(f"{sessions} sessions; expected at least 1")
        clock = the_reactor(clock)
        if not isinstance(routes, Routes):
            routes = Routes(routes, default=default, clock=clock)
        self.routes = routes
        self.line_limit = line_limit
        self.complaints = Seldom(clock)
        self._environment_timeout = environment_timeout
        self._most_silent = min(MAX_SILENT, descriptor_limit() // 4)
        self._sessions = self._default_sessions() if sessions is None else sessions
        self._open: AtWork[FastAGIProtocol] = AtWork(clock)
        self._working: AtWork[FastAGIProtocol] = AtWork(clock)
        self._calls: set[FastAGIProtocol] = set()
        self._silent: TimeLimits[FastAGIProtocol] = TimeLimits(clock, self._too_slow)
        self._closing: TimeLimits[FastAGIProtocol] = TimeLimits(clock, FastAGIProtocol.abort)
        self._draining = False

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
        lose their connection two seconds later, and the dialplan is told the same.

        :param timeout: how many seconds the scripts may go on undisturbed.
        :return: fires with None when the last connection is closed, and the scripts have ended
            that were in time, also those whose connection was gone before. Cancelling it ends the
            waiting, and leaves the calls in progress alone.
        """
        return Deferred.fromCoroutine(self._drain(timeout))

    async def _drain(self, timeout: float) -> None:
        self._draining = True
        if not await self._working.end_within(timeout, FastAGIProtocol.cancel):
            for connection in self._open:
                connection.leave()
        await self._open.when_idle()
        self._tell_counts()

    # What Twisted and the protocols call

    def startFactory(self) -> None:
        self._draining = False

    def stopFactory(self) -> None:
        self._tell_counts()

    def buildProtocol(self, addr: IAddress | None) -> FastAGIProtocol | None:
        if self._draining:
            return None
        return FastAGIProtocol(self)

    def opened(self, connection: FastAGIProtocol) -> None:
        """Take note of a new connection, for which another may have to go."""
        self._open.begin(connection)
        self._working.begin(connection)
        self._silent.start(connection, self._environment_timeout)
        if len(self._silent) > self._most_silent:
            self._make_room()

    def described(self, connection: FastAGIProtocol) -> None:
        """Take note that a connection has described its call."""
        self._silent.stop(connection)
        self._calls.add(connection)

    def answer(self, session: AGISession) -> RunningScript | Status:
        """Run the script for a call, or return why there is none."""
        if self._draining:
            return Status.FAILURE
        if len(self._calls) > self._sessions:
            self.complaints.tell(
                _log.warn,
                "{session}: {limit} calls are answered already",
                session=session,
                limit=self._sessions,
            )
            return Status.BUSY
        return self.routes.answer(session)

    def closing(self, connection: FastAGIProtocol) -> None:
        """See to it that a connection which is being closed does end."""
        self._closing.start(connection, CLOSING_TIMEOUT)

    def closed(self, connection: FastAGIProtocol) -> None:
        """Take note that a connection is gone."""
        self._silent.stop(connection)
        self._closing.stop(connection)
        self._calls.discard(connection)
        self._open.end(connection)
        if not self._open:
            self._silent.clear()
            self._closing.clear()

    def done(self, connection: FastAGIProtocol) -> None:
        """Take note that neither a connection nor its script is at work any more."""
        self._working.end(connection)

    def _tell_counts(self) -> None:
        self.complaints.flush()
        self.routes.complaints.flush()

    def _make_room(self) -> None:
        oldest = self._silent.oldest
        # When many come at once it may be that only we have not listened.
        read_now(oldest.transport)
        if len(self._silent) > self._most_silent:
            self._silent.stop(oldest)
            oldest.turn_away("too many connections describe no call: {peer}, the oldest, is closed")
            free_descriptor(oldest.transport)

    def _default_sessions(self) -> int:
        descriptors = descriptor_limit() - self._most_silent - SPARE_DESCRIPTORS
        return max(1, min(MAX_SESSIONS, descriptors))

    def _too_slow(self, connection: FastAGIProtocol) -> None:
        connection.turn_away(
            "{peer} has described no call within {seconds:g} seconds",
            seconds=self._environment_timeout,
        )


_log = Logger()
