"""What asking Asterisk's web server takes, in whichever wing."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from treq.client import HTTPClient
from treq.content import collect
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IConsumer, IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.web._newclient import ParseError
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from ._words import words
from .errors import AsteriskError, Disconnected, RemoteProtocolError

__all__ = ["KEPT_IDLE", "Body", "agent_to", "body_of", "client", "endpoint_of", "ours", "pool_of"]

#: Seconds that an idle connection is kept. Asterisk closes it after 15, without a word and even
#: with a request on its way to it.
KEPT_IDLE: Final = 8


def endpoint_of(url: str, reactor: Any) -> IStreamClientEndpoint:
    """Return what leads to the host of a URL, over TLS if it is one of https."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HostnameEndpoint(reactor, host, parts.port or 80)
    return wrapClientTLS(
        optionsForClientTLS(host), HostnameEndpoint(reactor, host, parts.port or 443)
    )


def pool_of(reactor: Any, connections: int) -> HTTPConnectionPool:
    """
    Return a place where connections wait for their next request, which is never sent twice.

    :param connections: how many may wait.
    """
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = connections
    pool.cachedConnectionTimeout = KEPT_IDLE
    pool.retryAutomatically = False
    return pool


def agent_to(
    endpoint: IStreamClientEndpoint, reactor: Any, pool: HTTPConnectionPool | None = None
) -> IAgent:
    """Return an agent that takes every request to the one server."""
    agent: IAgent = Agent.usingEndpointFactory(reactor, _Always(endpoint), pool=pool)
    return agent


def client(agent: IAgent) -> HTTPClient:
    """Return a client that writes its small bodies at once."""
    return HTTPClient(agent, data_to_body_producer=Body)


async def body_of(answer: IResponse, limit: int) -> bytes:
    """
    Read the body of an answer.

    :param limit: the most bytes that it may have.
    :raises RemoteProtocolError: it has more.
    """
    body = bytearray()

    def take(data: bytes) -> None:
        body.extend(data)
        if len(body) > limit:
            raise RemoteProtocolError(f"an answer of more than {limit} bytes")

    await collect(answer, take)
    return bytes(body)


def ours(what: str, error: Exception) -> AsteriskError:
    """
    Turn what Twisted and treq tell of a failed exchange into one error of ours.

    :param what: begins the text of a lost connection.
    """
    reasons = getattr(error, "reasons", None)
    cause: BaseException = reasons[0].value if reasons else error
    if isinstance(cause, ParseError):
        return RemoteProtocolError(f"the server does not speak HTTP: {words(cause)}")
    return Disconnected(f"{what}: {words(cause)}", cause)


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Always:
    """Leads every request to the one server, without a line in the log for each connection."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        protocolFactory.noisy = False
        return self._endpoint.connect(protocolFactory)


@implementer(IBodyProducer)
class Body:
    """Writes a small body at once; treq's own way takes a turn of the global reactor."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: all has been written."""

    def resumeProducing(self) -> None:
        """Do nothing: all has been written."""

    def stopProducing(self) -> None:
        """Do nothing: all has been written."""
