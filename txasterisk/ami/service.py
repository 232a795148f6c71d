"""AMI links that stay: :class:`AMIService`, and :class:`AMIHTTPService` over HTTP."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final, Generic, Literal, TypeVar

from twisted.internet.defer import Deferred, fail, race, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.web.iweb import IAgent

from .._staying import BackOff, StayingService
from .._streams import Buffer, EventStream
from ..errors import AsteriskError, Disconnected
from .http import AMIHTTP, AMIHTTPFactory, HTTPAuthentication, check_url
from .keepalive import PINGS, Pings
from .link import Link, event_subscriptions
from .login import Authentication
from .messages import Event, Gap, Headers, Response
from .protocol import AMIFactory, AMIProtocol
from .verbs import LIST_LIMIT, Verbs
from .wishes import EventWishes, Lines

__all__ = ["AMIHTTPService", "AMIService"]

#: How long a server may take to say goodbye before the link is cut without it.
GOODBYE_TIMEOUT: Final = 2.0

L = TypeVar("L", bound=Link)


class _LinkService(StayingService[L], Verbs, Generic[L]):
    """What keeps a link, whatever carries it; see :class:`AMIService`."""

    def __init__(
        self,
        wishes: EventWishes,
        links: Literal[1, 2],
        label: str,
        back_off: BackOff | None,
        retry_refused: bool,
        clock: IReactorTime | None,
    ) -> None:
        super().__init__(label, back_off, retry_refused, clock)
        self._subscriptions = event_subscriptions(self._clock)
        self._wishes = wishes
        self._links = links
        self._telling: L | None = None

    @abstractmethod
    def _open(self, events: str | None) -> Deferred[L]:
        """Make a link, and log it in with an event mask."""

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        """See :meth:`Verbs.action`."""
        if self.connection is None or self._telling is None:
            return fail(self._not_connected())
        if not self._wishes.concern(name):
            return self.connection.action(name, headers, timeout=timeout)
        lines = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        answer = self._telling.action(name, lines, timeout=timeout)
        return answer.addCallback(self._remember, name, lines)

    def list(
        self,
        name: str,
        headers: Headers = (),
        *,
        timeout: float | None = None,
        limit: int = LIST_LIMIT,
    ) -> EventStream[Event]:
        """See :meth:`Verbs.list`."""
        if self.connection is not None:
            return self.connection.list(name, headers, timeout=timeout, limit=limit)
        buffer: Buffer[Event] = Buffer(limit, self._subscriptions.brake)
        buffer.end(self._not_connected())
        return EventStream(buffer, lambda: None)

    def when_disconnected(self) -> Deferred[Disconnected]:
        """
        Wait for the end of the connection that there is now.

        :return: fires with the error that everything pending failed with, and at once if there is
            no connection. Cancelling stops waiting.
        """
        if self.connection is None:
            return succeed(self._not_connected())
        return self.connection.when_disconnected()

    def stopService(self) -> Deferred[None]:
        """
        Say goodbye and close the connection; who waits for an event is told ``Disconnected``.

        :return: fires with None when that is done.
        """
        stopping = super().stopService()
        self._subscriptions.fail(Disconnected(f"{self.label}: the service was stopped"))
        return stopping

    def _not_connected(self) -> Disconnected:
        return Disconnected(f"{self.label}: not connected now")

    def _remember(self, response: Response, name: str, lines: Lines) -> Response:
        self._wishes.remember(name, lines)
        return response

    def _connect(self) -> Deferred[L]:
        return Deferred.fromCoroutine(self._open_links())

    async def _open_links(self) -> L:
        opened: list[L] = []
        try:
            if self._links == 2:
                opened.append(await self._open("off"))
            # The one that tells events comes last, for it tells them at once.
            opened.append(await self._open(self._wishes.at_login))
            await self._wishes.tell(opened[-1])
        except BaseException:
            for link in opened:
                link.disconnect()
            raise
        self._telling = opened[-1]
        return opened[0]

    def _take(self, connection: L) -> None:
        if self._telling is not None:
            self._telling.lend(self._subscriptions)

    def _heard_at(self, connection: L) -> float:
        return (self._telling or connection).heard_at

    def _tell_gap(self, since: float, until: float) -> None:
        self._subscriptions.announce("Gap", Gap(since, until))

    def _when_disconnected(self, connection: L) -> Deferred[Disconnected]:
        return Deferred.fromCoroutine(_when_one_goes({connection, self._telling or connection}))

    async def _leave(self, connection: L) -> None:
        links = {connection, self._telling or connection}
        for goodbye in [link.logoff(timeout=GOODBYE_TIMEOUT) for link in links]:
            with suppress(AsteriskError):
                await goodbye
        for link in links:
            link.disconnect()
            await link.when_disconnected()

    def _greeting(self, connection: L) -> str:
        return f"logged in to AMI {connection.version}"


class AMIService(_LinkService[AMIProtocol]):
    """
    Keep an AMI connection, whatever happens to it.

    Listeners, streams and who waits for an event stay when the connection goes, until the service
    is stopped, and hear of the next one: first, under the name ``Gap``, a
    :class:`txasterisk.ami.Gap`, then new events. The event mask and the filters that were set by
    ``Events`` and ``Filter`` are set again before that. An action without an answer fails with
    ``Disconnected`` when the link breaks, and so does one that is asked for while there is no link:
    nothing is kept back, and nothing is sent again.

    :param endpoint: where Asterisk listens.
    :param username: a user of Asterisk's ``manager.conf``.
    :param secret: its secret.
    :param authentication: ``MD5``, or ``plain``.
    :param events: which classes of events to send; see :meth:`AMIProtocol.login`.
    :param filters: what of that to send, as the action ``Filter`` takes it, such as
        ``!Event: RTCP``.
    :param links: 1, or 2 for a link of its own for events, so that neither a flood of them nor an
        action that takes long holds up the other. When one is lost both are made anew.
    :param boot_timeout: how many seconds to wait after each login until Asterisk has fully booted,
        which needs a user who may read the class ``system``; not waited for by default.
    :param label: what the log calls this link.
    :param back_off: from the number of failed attempts so far to the seconds before the next one;
        with jitter and a ceiling of a minute by default.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param pings: how a dead link is noticed; by default after 30 seconds of silence by a ping
        that is not answered within 10 seconds.
    :param clock: measures time; the global reactor by default.
    :raises LocalProtocolError: when ``events`` is no event mask.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        username: str,
        secret: str,
        *,
        authentication: Authentication = "MD5",
        events: str | None = None,
        filters: Iterable[str] = (),
        links: Literal[1, 2] = 1,
        boot_timeout: float | None = None,
        label: str = "AMI",
        back_off: BackOff | None = None,
        retry_refused: bool = False,
        pings: Pings = PINGS,
        clock: IReactorTime | None = None,
    ) -> None:
        wishes = EventWishes(events, filters, boot_timeout)
        super().__init__(wishes, links, label, back_off, retry_refused, clock)
        self._endpoint = endpoint
        self._username = username
        self._secret = secret
        self._authentication: Authentication = authentication
        self._pings = pings

    def _open(self, events: str | None) -> Deferred[AMIProtocol]:
        factory = AMIFactory(
            self._username,
            self._secret,
            authentication=self._authentication,
            events=events,
            pings=self._pings,
            clock=self._clock,
        )
        return factory.connect(self._endpoint)


class AMIHTTPService(_LinkService[AMIHTTP]):
    """
    Keep an AMI session over HTTP, whatever happens to it; as :class:`AMIService` does.

    :param url: see :meth:`AMIHTTPFactory.connect`.
    :param username: a user of Asterisk's ``manager.conf``; for ``digest`` spelled as there.
    :param secret: its secret.
    :param authentication: see :class:`AMIHTTPFactory`.
    :param events: which classes of events to send, such as ``call,system``, or ``off``.
    :param filters: as for :class:`AMIService`.
    :param label: what the log calls this link.
    :param back_off: as for :class:`AMIService`.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param pings: see :class:`AMIHTTPFactory`.
    :param agent: see :class:`AMIHTTPFactory`.
    :param clock: measures time; the global reactor by default.
    :raises ValueError: for a wrong URL.
    :raises LocalProtocolError: when ``events`` is no event mask.
    """

    def __init__(
        self,
        url: str,
        username: str,
        secret: str,
        *,
        authentication: HTTPAuthentication = "digest",
        events: str | None = None,
        filters: Iterable[str] = (),
        label: str = "AMI",
        back_off: BackOff | None = None,
        retry_refused: bool = False,
        pings: Pings = PINGS,
        agent: IAgent | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        wishes = EventWishes(events, filters, None)
        super().__init__(wishes, 1, label, back_off, retry_refused, clock)
        self._url = check_url(url)
        self._username = username
        self._secret = secret
        self._authentication: HTTPAuthentication = authentication
        self._pings = pings
        self._agent = agent

    def _open(self, events: str | None) -> Deferred[AMIHTTP]:
        factory = AMIHTTPFactory(
            self._username,
            self._secret,
            authentication=self._authentication,
            events=events,
            pings=self._pings,
            agent=self._agent,
            clock=self._clock,
        )
        return factory.connect(self._url)


async def _when_one_goes(links: Collection[Link]) -> Disconnected:
    """Wait for the end of one link, and end the others."""
    _, gone = await race([link.when_disconnected() for link in links])
    for link in links:
        link.disconnect()
        await link.when_disconnected()
    return gone
