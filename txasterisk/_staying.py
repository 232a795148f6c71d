"""A link that stays: what the services of AMI and ARI have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ._milestone import Milestone
from ._reactor import the_reactor
from .errors import AsteriskError, Disconnected, LoginRefused

__all__ = ["BackOff", "StayingService"]

C = TypeVar("C")

#: From the number of failed attempts so far to the seconds before the next one.
BackOff = Callable[[int], float]


class StayingService(Service, ABC, Generic[C]):
    """
    Connect, be connected until the link is lost, and connect again.

    Trouble is one line in the log, and is told again only when it changes.

    :param label: what the log calls this link.
    :param back_off: the pauses between attempts; with jitter and a ceiling of a minute by default.
        It begins anew after each login.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param clock: measures time; the global reactor by default.
    :ivar connection: the connection, logged in, or None while there is none.
    """

    connection: C | None = None

    def __init__(
        self,
        label: str,
        back_off: BackOff | None,
        retry_refused: bool,
        clock: IReactorTime | None,
    ) -> None:
        self.label = label
        self._back_off: BackOff = back_off or backoffPolicy()
        self._retry_refused = retry_refused
        self._clock: IReactorTime = the_reactor(clock)
        self._connected: Milestone[C] = Milestone()
        self._lost_at: float | None = None
        self._staying: Deferred[None] | None = None
        self._stopped: Milestone[None] = Milestone()
        self._stopped.reach(None)
        self._trouble = ""

    @abstractmethod
    def _connect(self) -> Deferred[C]:
        """Connect and log in."""

    @abstractmethod
    def _when_disconnected(self, connection: C) -> Deferred[Disconnected]:
        """Wait for the end of a connection."""

    @abstractmethod
    async def _leave(self, connection: C) -> None:
        """Say goodbye and close a connection; never fails."""

    @abstractmethod
    def _greeting(self, connection: C) -> str:
        """Say in a few words what we are connected to."""

    def _take(self, connection: C) -> None:
        """Have a connection feed those who listen, before anyone is told that it is there."""

    def _heard_at(self, connection: C) -> float:
        """Return when the last sign of life came over a connection that is gone."""
        return self._clock.seconds()

    def _tell_gap(self, since: float, until: float) -> None:
        """Tell everyone who listens that between these two times events were missed."""

    def when_connected(self) -> Deferred[C]:
        """
        Wait for a connection that is logged in.

        :return: fires with it, at once if there is one; fails with
            :class:`LoginRefused` when the service has given up, and with
            :class:`Disconnected` when it is stopped. Cancelling stops waiting.
        """
        return self._connected.when()

    def startService(self) -> None:
        """Begin to connect, after what an earlier :meth:`stopService` has begun."""
        super().startService()
        if self._connected.decided:
            self._connected = Milestone()
        self._staying = Deferred.fromCoroutine(self._stay_connected())
        self._staying.addErrback(_expect_cancelling)

    def stopService(self) -> Deferred[None]:
        """
        Say goodbye and close the connection, or stop trying to make one.

        :return: fires with None when that is done.
        """
        super().stopService()
        staying, self._staying = self._staying, None
        if self._connected.decided:
            self._connected = Milestone()
        self._connected.miss(Disconnected(f"{self.label}: the service was stopped"))
        if staying is not None:
            self._stopped = Milestone()
            Deferred.fromCoroutine(self._stop(staying)).addBoth(self._stopped.reach)
        return self._stopped.when()

    async def _stop(self, staying: Deferred[None]) -> None:
        if self.connection is not None:
            await self._leave(self.connection)
        else:
            staying.cancel()
        await staying

    @property
    def _stopping(self) -> bool:
        # Not the same as "not running": it may have been started again before the stop was done.
        return not self._stopped.decided

    async def _stay_connected(self) -> None:
        await self._stopped.when()
        failures = 0
        while not self._stopping:
            try:
                connection = await self._connect()
            except LoginRefused as error:
                if not self._retry_refused:
                    self._give_up(error)
                    return
                self._tell(error)
            except AsteriskError as error:
                self._tell(error)
            else:
                failures = 0
                await self._stay(connection)
            if not self._stopping:
                failures += 1
                await deferLater(self._clock, self._back_off(failures))

    async def _stay(self, connection: C) -> None:
        """Be connected, until we are not."""
        self.connection = connection
        self._trouble = ""
        _log.info("{label}: {greeting}", label=self.label, greeting=self._greeting(connection))
        # Asked first, so that we are told first of the end: who is told after us, and waits for the
        # next connection, must not find this one.
        going = self._when_disconnected(connection)
        self._take(connection)
        if self._lost_at is not None:
            self._tell_gap(self._lost_at, self._clock.seconds())
        self._connected.reach(connection)
        gone = await going
        self.connection = None
        self._lost_at = self._heard_at(connection)
        if not self._stopping:
            self._connected = Milestone()
            self._tell(gone)

    def _tell(self, error: AsteriskError) -> None:
        """Log what is wrong with the link, unless that is known."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            _log.warn("{label}: {error}; trying till it works", label=self.label, error=error)

    def _give_up(self, error: LoginRefused) -> None:
        _log.error(
            "{label}: {error}; not trying again with these credentials",
            label=self.label,
            error=error,
        )
        self._connected.miss(error)


def _expect_cancelling(failure: Failure) -> None:
    failure.trap(CancelledError)


_log = Logger()
