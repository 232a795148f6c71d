"""
How Asterisk knows, from one HTTP request to the next, who is asking.

Each form is an action and each answer holds all that the action has to say. A session ends by
itself when nothing is asked for a while, and Asterisk then begins another one without a word:
events are lost, so that must be noticed.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from .._http import Body, agent_to, body_of, endpoint_of, ours, pool_of
from ..errors import AsteriskError, Disconnected, LoginRefused, RemoteProtocolError
from .digest import Digest

__all__ = ["CookieSession", "DigestSession", "Server", "Session"]

#: An answer to WaitEvent holds all events since the one before: this is a minute of 2000 a second,
#: of the usual size.
MAX_BODY: Final = 64 * 1024 * 1024
#: One connection for the actions, one to wait for events.
CONNECTIONS: Final = 2
#: A request may be overtaken by the one on the other connection, and then again by the next one;
#: a server that calls everything stale is not Asterisk.
MAX_STALE: Final = 5

_FORM: Final = b"application/x-www-form-urlencoded"
_COOKIE: Final = re.compile(
    r'\bmansession_id="?([0-9a-fA-F]+)"?(?:;[^,]*?\bMax-Age=(\d+))?', re.IGNORECASE
)


class Reply(NamedTuple):
    """What the web server answers."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, or an empty text; one that is repeated as if it stood in one line."""
        return ", ".join(self.headers.getRawHeaders(name, []))


class Server:
    """
    The web server of an Asterisk.

    :param url: its root, or the ``prefix`` of http.conf.
    :param agent: carries the requests; by default one with a pool of its own.
    :param reactor: the reactor, or what stands for it.
    """

    def __init__(self, url: str, agent: IAgent | None, reactor: Any) -> None:
        self._url = url
        self._pool = pool_of(reactor, CONNECTIONS)
        self._agent = agent or agent_to(endpoint_of(url, reactor), reactor, self._pool)
        _, _, host_and_prefix = url.partition("://")
        self._prefix = host_and_prefix.partition("/")[1] + host_and_prefix.partition("/")[2]

    def uri(self, page: str) -> str:
        """Return the path of a page, as it stands in the request."""
        return self._prefix + page

    async def post(self, page: str, form: bytes, header: tuple[str, str] | None = None) -> Reply:
        """
        Send a form, and read the answer.

        :param page: which, such as ``/rawman``.
        :param header: one more header.
        :raises Disconnected: there is no answer.
        :raises RemoteProtocolError: it is no HTTP, or too long.
        """
        headers = Headers({b"Content-Type": [_FORM]})
        if header is not None:
            name, value = header
            headers.addRawHeader(name.encode(), value.encode("utf-8", "surrogateescape"))
        try:
            uri = (self._url + page).encode("ascii")
            answer: Any = await self._agent.request(b"POST", uri, headers, Body(form))
            return Reply(answer.code, answer.headers, await body_of(answer, MAX_BODY))
        except (AsteriskError, CancelledError):
            raise
        except Exception as error:
            raise ours(f"POST {page}", error)

    def close(self) -> Deferred[None]:
        """Close the connections that wait for a request."""
        closing: Deferred[None] = self._pool.closeCachedConnections()
        return closing


class Session(Protocol):
    """
    What makes requests belong together.

    :ivar lifetime: how many seconds it lasts without a request, if the server says so.
    """

    lifetime: float | None

    async def perform(self, form: bytes) -> bytes:
        """
        Have an action done.

        :param form: the action.
        :return: the messages that answer it.
        :raises AsteriskError: there is no answer, or it is none of AMI's; the session is over.
        """
        ...

    def close(self) -> Deferred[None]:
        """Close the connections."""
        ...


class CookieSession:
    """A session that the server names in a cookie; see :class:`Session`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._id = ""
        self.lifetime: float | None = None

    async def perform(self, form: bytes) -> bytes:
        """See :meth:`Session.perform`."""
        known = ("Cookie", f'mansession_id="{self._id}"') if self._id else None
        reply = await self._server.post("/rawman", form, known)
        body = _messages(reply)
        named = _COOKIE.search(reply.header("Set-Cookie"))
        if named is None:
            raise RemoteProtocolError("this is no AMI: the answer names no session")
        session, lifetime = named.groups()
        if self._id not in ("", session):
            raise Disconnected("the session has expired, or was ended")
        self._id = session
        self.lifetime = float(lifetime) if lifetime else None
        return body

    def close(self) -> Deferred[None]:
        """See :meth:`Session.close`."""
        return self._server.close()


class DigestSession:
    """
    A session that is named by the nonce of HTTP digest authentication; see :class:`Session`.

    A nonce of a session that has expired begins another one, as any nonce does that the server
    does not know.
    """

    lifetime: float | None = None

    def __init__(self, server: Server, digest: Digest) -> None:
        self._server = server
        self._digest = digest

    async def perform(self, form: bytes) -> bytes:
        """See :meth:`Session.perform`."""
        # What is refused as stale has not been done, so it may be sent again.
        for _ in range(MAX_STALE):
            reply = await self._server.post("/arawman", form, self._proof())
            if reply.status != 401:
                return _messages(reply)
            answered = bool(self._digest.nonce)
            stale = self._digest.challenged(reply.header("WWW-Authenticate"))
            if answered and not stale:
                raise LoginRefused(f"Asterisk refused the login of {self._digest.username!r}")
        raise RemoteProtocolError("the server calls every proof stale")

    def _proof(self) -> tuple[str, str] | None:
        if not self._digest.nonce:
            return None
        uri = self._server.uri("/arawman")
        return "Authorization", self._digest.authorization("POST", uri)

    def close(self) -> Deferred[None]:
        """See :meth:`Session.close`."""
        return self._server.close()


def _messages(reply: Reply) -> bytes:
    """Return the body of an answer, if it is one of AMI's."""
    content_type = reply.header("Content-Type").partition(";")[0].strip().lower()
    if reply.status == 200 and content_type == "text/plain":
        return reply.body
    if reply.status == 403:
        raise LoginRefused("Asterisk refuses the login from this address")
    why = ", as when webenabled of manager.conf is off" if reply.status == 404 else ""
    raise RemoteProtocolError(
        f"this is no AMI: the server answered {reply.status} {content_type}{why}"
    )
