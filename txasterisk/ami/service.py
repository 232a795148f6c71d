"""An AMI connection that stays: :class:`AMIService`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from .._staying import BackOff, StayingService
from .._subscriptions import Listener, Subscription
from ..errors import AsteriskError, Disconnected
from .login import Authentication
from .messages import Event, Headers, Response
from .protocol import AMIFactory, AMIProtocol, event_subscriptions
from .verbs import Verbs

__all__ = ["AMIService"]

#: How long a server may take to say goodbye before the link is cut without it.
GOODBYE_TIMEOUT: Final = 2.0


class AMIService(StayingService[AMIProtocol], Verbs):
    """
    Keep an AMI connection, whatever happens to it.

    Listeners stay when the connection goes, and hear of the next one. An action without an answer
    fails with ``Disconnected`` when the link breaks, and so does one that is asked for while there
    is no link: nothing is kept back, and nothing is sent again.

    :param endpoint: where Asterisk listens.
    :param username: a user of Asterisk's ``manager.conf``.
    :param secret: its secret.
    :param authentication: ``MD5``, or ``plain``.
    :param events: which classes of events to send; see :meth:`AMIProtocol.login`.
    :param label: what the log calls this link.
    :param back_off: from the number of failed attempts so far to the seconds before the next one;
        with jitter and a ceiling of a minute by default.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param clock: measures time; the global reactor by default.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        username: str,
        secret: str,
        *,
        authentication: Authentication = "MD5",
        events: str | None = None,
        label: str = "AMI",
        back_off: BackOff | None = None,
        retry_refused: bool = False,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(label, back_off, retry_refused, clock)
        self._endpoint = endpoint
        self._subscriptions = event_subscriptions(self._clock)
        self._factory = AMIFactory(
            username,
            secret,
            authentication=authentication,
            events=events,
            subscriptions=self._subscriptions,
            clock=self._clock,
        )

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        """See :meth:`Verbs.action`."""
        if self.connection is None:
            return fail(Disconnected(f"{self.label}: not connected now"))
        return self.connection.action(name, headers, timeout=timeout)

    def on(
        self, event: str | Iterable[str], listener: Listener[Event], /, **match: object
    ) -> Subscription[Event]:
        """See :meth:`Verbs.on`; the subscription outlives the connection."""
        return self._subscriptions.on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Event]:
        """See :meth:`Verbs.next`; it waits across a reconnect, till the service stops."""
        return self._subscriptions.next(event, timeout=timeout, **match)

    def stopService(self) -> Deferred[None]:
        """
        Say goodbye and close the connection; who waits for an event is told ``Disconnected``.

        :return: fires with None when that is done.
        """
        stopping = super().stopService()
        self._subscriptions.fail(Disconnected(f"{self.label}: the service was stopped"))
        return stopping

    def _connect(self) -> Deferred[AMIProtocol]:
        return self._factory.connect(self._endpoint)

    def _when_disconnected(self, connection: AMIProtocol) -> Deferred[Disconnected]:
        return connection.when_disconnected()

    async def _leave(self, connection: AMIProtocol) -> None:
        with suppress(AsteriskError):
            await connection.logoff(timeout=GOODBYE_TIMEOUT)
        connection.disconnect()
        await connection.when_disconnected()

    def _greeting(self, connection: AMIProtocol) -> str:
        return f"logged in to AMI {connection.version}"
