"""
One Asterisk's ARI: requests over HTTP, events over a WebSocket.

The requests are the generated ones, ``client.channels.answer(...)``; :meth:`ARIClient.request`
takes any other. No request is ever sent twice.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from .._http import agent_to, body_of, client, endpoint_of, ours, pool_of
from .._milestone import Milestone
from .._reactor import the_reactor
from .._subscriptions import Listener, Subscription, Subscriptions
from ..errors import (
    AsteriskError,
    Disconnected,
    LocalProtocolError,
    RemoteProtocolError,
    TimedOut,
)
from .handles import Channel, Playback, new_id
from .messages import (
    MAX_ANSWER,
    Operation,
    Request,
    Response,
    decode_event,
    event_type,
    events_resource,
    request_for,
)
from .models import Event
from .objects import Objects, field_of
from .resources import OPERATIONS, Resources
from .websocket import WebSocket, connect

__all__ = ["ARIClient"]

T = TypeVar("T")

#: How many requests may be under way at once. Asterisk accepts 100 connections (``sessionlimit``
#: of http.conf), WebSockets included, and hangs up on all beyond.
MAX_CONNECTIONS: Final = 64

_log = Logger()


class ARIClient(Resources):
    """
    One Asterisk's ARI.

    :param url: where it is, such as ``http://127.0.0.1:8088/ari``.
    :param username: a user of ari.conf.
    :param password: its password.
    :param agent: carries the requests; by default one with a pool of its own.
    :param endpoint: leads to the server; by default a TCP or TLS one to the host of the URL.
    :param reactor: the reactor, or what stands for it; the global one by default.
    :param timeout: the most seconds that a request may take. Some take as long as what is played:
        on Asterisk 22 a variable is set when all before it has been played.
    :raises ValueError: the URL is none of these.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        agent: IAgent | None = None,
        endpoint: IStreamClientEndpoint | None = None,
        reactor: Any = None,
        timeout: float = 60.0,
    ) -> None:
        super().__init__(self)
        #: What measures its time limits.
        self.clock = the_reactor(reactor)
        self.url = _checked(url)
        self._endpoint = endpoint or endpoint_of(self.url, self.clock)
        self._authorization = _basic(username, password)
        self._pool = pool_of(self.clock, MAX_CONNECTIONS)
        self._http = client(agent or agent_to(self._endpoint, self.clock, self._pool))
        self._timeout = timeout
        self._turns = DeferredSemaphore(MAX_CONNECTIONS)
        self._exchanges: set[Deferred[Response]] = set()
        self._socket: WebSocket | None = None
        self._disconnected: Milestone[Disconnected] = Milestone()
        self._disconnected.reach(Disconnected("not connected"))
        self._subscriptions: Subscriptions[Event] = Subscriptions(field_of, clock=self.clock)
        #: Who listens to which channel, bridge, playback or recording.
        self.objects = Objects(self.clock)

    def __repr__(self) -> str:
        return f"<ARIClient {self.url}>"

    # ---- requests

    def request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout: float | None = None,
    ) -> Deferred[Any]:
        """
        Send any request, for what the generated methods do not have.

        :param method: the HTTP method.
        :param path: the path below ``/ari``, percent-encoded, with its query if there is one.
        :param parameters: what goes into the JSON body.
        :param timeout: the most seconds that it may take, in place of the client's.
        :return: fires with the decoded JSON, or None if there is none, and fails as the generated
            methods do. Cancelling it gives up the answer.
        """
        return Deferred.fromCoroutine(self._request(method, path, parameters or {}, timeout))

    async def _request(
        self, method: str, path: str, parameters: Mapping[str, object], timeout: float | None
    ) -> object:
        request = request_for(OPERATIONS, method, path, parameters)
        response = await self._exchange(request, self._timeout if timeout is None else timeout)
        return response.result(request, object)

    def perform(
        self, operation: Operation[T], path: Mapping[str, str], parameters: Mapping[str, object]
    ) -> Deferred[T]:
        """
        Send the request of an operation; the generated methods end up here.

        :param operation: which.
        :param path: the variable parts of its path.
        :param parameters: the others; None is left out.
        :return: fires with the typed result.
        """
        return Deferred.fromCoroutine(self._perform(operation, path, parameters))

    async def _perform(
        self, operation: Operation[T], path: Mapping[str, str], parameters: Mapping[str, object]
    ) -> T:
        request = operation.request(path, parameters)
        response = await self._exchange(request, self._timeout)
        return response.result(request, operation.result)

    def _exchange(self, request: Request, timeout: float) -> Deferred[Response]:
        def too_late(_: object, __: float) -> Failure:
            return Failure(TimedOut(f"{request.method} {request.resource}: {timeout:g} seconds"))

        def done(result: Response | Failure) -> Response | Failure:
            if exchange not in self._exchanges:
                return Failure(Disconnected("the client was closed"))
            self._exchanges.remove(exchange)
            return result

        exchange = Deferred.fromCoroutine(self._ask(request))
        self._exchanges.add(exchange)
        exchange.addTimeout(timeout, self.clock, too_late)
        return exchange.addBoth(done)

    async def _ask(self, request: Request) -> Response:
        await self._turns.acquire()
        try:
            return await self._ask_over_http(request)
        except (AsteriskError, CancelledError):
            raise
        except Exception as error:
            raise ours(f"{request.method} {request.resource}", error)
        finally:
            self._turns.release()

    async def _ask_over_http(self, request: Request) -> Response:
        headers = Headers({b"Authorization": [self._authorization]})
        if request.body is not None:
            headers.addRawHeader(b"Content-Type", b"application/json")
        answer: Any = await self._http.request(
            request.method,
            self.url + request.resource,
            headers=headers,
            data=request.body,
            allow_redirects=False,
            unbuffered=True,
            reactor=self.clock,
        )
        content_type = answer.headers.getRawHeaders("content-type", [""])[0]
        return Response(answer.code, content_type, await body_of(answer, MAX_ANSWER))

    # ---- events

    def listen(
        self, *applications: str, subscribe_all: bool = False, timeout: float = 10.0
    ) -> Deferred[None]:
        """
        Open the WebSocket and have the events of these Stasis applications delivered.

        Listeners may be subscribed before; they stay when the link is lost. Whoever listens to an
        application last has it: another connection hears ``ApplicationReplaced`` and then nothing
        more of it.

        :param applications: their names.
        :param subscribe_all: whether to hear everything that happens in this Asterisk; ignored by
            it if the application is there already.
        :param timeout: the most seconds until the WebSocket is open.
        :return: fires when the events can come. Fails with
            :class:`txasterisk.errors.LoginRefused` and as
            :func:`txasterisk.ari.websocket.connect` does. Cancelling it gives up.
        """
        return Deferred.fromCoroutine(self._listen(applications, subscribe_all, timeout))

    async def _listen(
        self, applications: tuple[str, ...], subscribe_all: bool, timeout: float
    ) -> None:
        if self._socket is not None:
            raise LocalProtocolError("listening already; one WebSocket carries all applications")
        resource = events_resource(applications, subscribe_all=subscribe_all)
        socket = await connect(
            self._endpoint,
            "ws" + self.url.removeprefix("http") + resource,
            self._received,
            self.clock,
            headers={"Authorization": self._authorization.decode("ascii")},
            timeout=timeout,
        )
        self._socket = socket
        self._disconnected = Milestone()
        socket.when_closed().addCallback(self._lost)

    @property
    def listening(self) -> bool:
        """Whether the WebSocket is open."""
        return self._socket is not None

    def on(
        self, event: str | Iterable[str], listener: Listener[Event], /, **match: object
    ) -> Subscription[Event]:
        """
        Call ``listener`` with each event of that type.

        :param event: a type such as ``StasisStart``, a wildcard such as ``Channel*``, or several.
        :param listener: called with the event, a struct of :mod:`txasterisk.ari.models`.
        :param match: fields and what they must be, such as ``application="ivr"``: a value, a
            collection of values, or a callable that says whether the field's value fits.
        :return: the subscription, to be cancelled or used as a context manager. It outlasts the
            connection.
        """
        return self._subscriptions.on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Event]:
        """
        Wait for the next event of that type.

        :param event: as for :meth:`on`.
        :param timeout: the most seconds to wait.
        :param match: as for :meth:`on`.
        :return: fires with the event; fails with :class:`txasterisk.errors.Disconnected` or
            :class:`txasterisk.errors.TimedOut`. Cancelling it stops listening.
        """
        return self._subscriptions.next(event, timeout=timeout, **match)

    def when_disconnected(self) -> Deferred[Disconnected]:
        """
        Wait for the loss of the WebSocket.

        :return: a Deferred of your own. It fires with the
            :class:`txasterisk.errors.Disconnected` that pending waits have failed with; at once if
            there is no WebSocket. Cancelling it stops waiting.
        """
        return self._disconnected.when()

    def close(self) -> Deferred[None]:
        """
        Close everything.

        :return: fires when it is closed. Requests that are under way fail with
            :class:`txasterisk.errors.Disconnected`, and so do those who wait for events.
        """
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        exchanges, self._exchanges = self._exchanges, set()
        for exchange in exchanges:
            exchange.cancel()
        if self._socket is not None:
            await self._socket.close()
        await self._pool.closeCachedConnections()

    def _lost(self, error: Disconnected) -> None:
        self._socket = None
        # The calls come first: what they wait for is cancelled by that, and not told twice.
        self._disconnected.reach(error)
        self._subscriptions.fail(error)
        self.objects.fail(error)

    def _received(self, message: bytes) -> None:
        try:
            name = event_type(message)
            if not self._subscriptions.by_name[name] and not self.objects:
                return
            event = decode_event(message)
        except RemoteProtocolError as error:
            _log.error("{client!r} sent what is {error}", client=self, error=error)
            return
        self._subscriptions.deliver(name, event)
        self.objects.deliver(event)

    # ---- handles

    def new_channel(self) -> Channel:
        """Make the handle of a channel that is yet to be originated."""
        return Channel(self, new_id())

    def channel(self, channel_id: str) -> Channel:
        """
        Make the handle of a channel that exists.

        :param channel_id: its id; with a name, most verbs are refused.
        """
        return Channel(self, channel_id)

    def new_playback(self) -> Playback:
        """Make the handle of a playback that is yet to be started."""
        return Playback(self, new_id(), begun=False)

    def playback(self, playback_id: str) -> Playback:
        """
        Make the handle of a playback that exists.

        :param playback_id: its id.
        """
        return Playback(self, playback_id)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the URL of ARI must be like http://127.0.0.1:8088/ari")
    if "@" in parts.netloc:
        raise ValueError("the URL of ARI must not hold the user and password")
    return url.rstrip("/")


def _basic(username: str, password: str) -> bytes:
    # The scheme must be spelled exactly like this. A user name cannot hold a colon.
    if ":" in username:
        raise ValueError("the name of an ARI user cannot hold a colon")
    return b"Basic " + b64encode(f"{username}:{password}".encode())
