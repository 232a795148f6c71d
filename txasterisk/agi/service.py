"""A FastAGI listener that stays: :class:`FastAGIService`."""

from __future__ import annotations

from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger

from .._addresses import readable
from .._at_work import GRACE
from .._milestone import Milestone
from .._reactor import the_reactor
from .._words import words
from .protocol import FastAGIFactory

__all__ = ["FastAGIService"]

#: An address that is in use is often free again in a moment, as after a restart.
SECONDS_BETWEEN_TRIES: Final = 5.0


class FastAGIService(Service):
    """
    Answer FastAGI calls, from the start to the stop of the service.

    :param endpoint: where to listen, such as what
        ``serverFromString(reactor, "tcp:4573:interface=127.0.0.1")`` returns.
    :param factory: has the scripts.
    :param label: what the log calls this listener.
    :param grace: how many seconds calls may go on undisturbed when the service is stopped; see
        :meth:`FastAGIFactory.drain`.
    :param clock: measures time; the global reactor by default.
    :ivar port: where the service listens, or None while it does not.
    """

    port: IListeningPort | None = None

    def __init__(
        self,
        endpoint: IStreamServerEndpoint,
        factory: FastAGIFactory,
        *,
        label: str = "fastagi",
        grace: float = GRACE,
        clock: IReactorTime | None = None,
    ) -> None:
        self.label = label
        self._endpoint = endpoint
        self._factory = factory
        self._grace = grace
        self._clock: IReactorTime = the_reactor(clock)
        self._starting: Deferred[None] | None = None
        self._listening: Milestone[IListeningPort] = Milestone()

    def when_listening(self) -> Deferred[IListeningPort]:
        """
        Wait until calls are taken.

        :return: fires with the listening port, at once if it listens. Cancelling stops waiting.
        """
        return self._listening.when()

    def startService(self) -> None:
        """Begin to listen; as long as the address is in use, try again every five seconds."""
        super().startService()
        self._starting = Deferred.fromCoroutine(self._listen())
        self._starting.addErrback(lambda failure: failure.trap(CancelledError))

    def stopService(self) -> Deferred[None]:
        """
        Listen no more, and let the calls in progress end.

        :return: fires with None when the last call is over.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _listen(self) -> None:
        while True:
            try:
                self.port = await self._endpoint.listen(self._factory)
            except CancelledError:
                raise
            except Exception as error:
                _log.error("{label}: cannot listen: {words}", label=self.label, words=words(error))
                await deferLater(self._clock, SECONDS_BETWEEN_TRIES)
            else:
                at = readable(self.port.getHost())
                _log.info("{label}: listening on {at}", label=self.label, at=at)
                self._listening.reach(self.port)
                return

    async def _stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        port, self.port = self.port, None
        if self._listening.decided:
            self._listening = Milestone()
        if port is not None:
            await maybeDeferred(port.stopListening)
        await self._factory.drain(self._grace)


_log = Logger()
