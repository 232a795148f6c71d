"""
FastAGI: Asterisk connects to us, once for each call.

A factory answers them with scripts, which it finds by the path of the URL that the dialplan gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from .._at_work import AtWork
from .._reactor import the_reactor
from .._status import STATUS_VARIABLE
from .._tcp import watch_by_tcp
from .._time_limits import TimeLimits
from ..errors import RemoteProtocolError
from .messages import SAFE_LINE, Command, Environment
from .routes import Routes
from .script import OnHangup, Script, Status
from .session import AGISession
from .stream import StreamCarrier

__all__ = ["FastAGIFactory", "FastAGIProtocol"]

#: Asterisk sends the whole block at once, so this is ample; a port scan says nothing for ever.
ENVIRONMENT_TIMEOUT: Final = 10.0

#: A line that makes Asterisk end the session with ``AGISTATUS=FAILURE``.
_FAILURE_LINE: Final = b"failure\n"


class FastAGIProtocol(StreamCarrier):
    """
    One call, over a connection that Asterisk has opened.

    :param factory: has the routes and the limits.
    """

    def __init__(self, factory: FastAGIFactory) -> None:
        super().__init__(factory.routes.answer, factory.line_limit)
        self._factory = factory

    @property
    def _peer(self) -> str:
        peer = self.transport.getPeer()
        return f"{peer.host}:{peer.port}" if hasattr(peer, "host") else str(peer)

    def _described(self, environment: Environment) -> AGISession:
        self._factory.time_limits.stop(self)
        return super()._described(environment)

    def _last_words(self, status: Status) -> bytes:
        return _LAST_WORDS[status]

    def connectionMade(self) -> None:
        # AGI has no sign of life of its own, and an idle call may last for hours.
        watch_by_tcp(self.transport)
        self._factory.opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._factory.closed(self)
        super().connectionLost(reason)


class FastAGIFactory(Factory):
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
        line_limit: int = SAFE_LINE,
    ) -> None:
        self.routes = routes if isinstance(routes, Routes) else Routes(routes, default=default)
        self.line_limit = line_limit
        clock = the_reactor(clock)
        self.time_limits: TimeLimits[FastAGIProtocol] = TimeLimits(clock, self._silent)
        self._environment_timeout = environment_timeout
        self._open: AtWork[FastAGIProtocol] = AtWork(clock)
        self._draining = False

    def route(
        self,
        path: str,
        script: Script,
        *,
        limit: int | None = None,
        on_hangup: OnHangup = "raise",
    ) -> None:
        """
        Have ``script`` answer the calls for ``path``; see :meth:`Routes.add`.

        :param path: such as ``/greet`` or ``/greet/{name}``.
        :param script: an ``async def`` that is given the :class:`AGISession`.
        :param limit: how many calls it may answer at once.
        :param on_hangup: what becomes of the script when the caller hangs up.
        """
        self.routes.add(path, script, limit=limit, on_hangup=on_hangup)

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
        if not await self._open.end_within(timeout, FastAGIProtocol.cancel):
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


def _last_words(status: Status) -> bytes:
    told = Command("SET VARIABLE", STATUS_VARIABLE, status.value).serialize()
    return told + _FAILURE_LINE if status.failed else told


_LAST_WORDS: Final = {status: _last_words(status) for status in Status}
