"""An Asterisk in memory: what is asked of it is written down, what it says is in the test."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse
from zope.interface import implementer

from txasterisk.ari import ARIClient

URL = "http://pbx.test:8088/ari"

JSON = "application/json"


class Asked(NamedTuple):
    """One request, as it came."""

    method: str
    resource: str
    parameters: Any
    authorization: str


@implementer(IResponse)
class Answer:
    """One answer, which is there at once."""

    version = (b"HTTP", 1, 1)
    phrase = b"whatever"
    length = UNKNOWN_LENGTH
    request = None
    previousResponse = None

    def __init__(self, status: int, content: object = None, content_type: str = JSON) -> None:
        self.code = status
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()
        if content is None:
            self.body = b""
        self.headers = Headers({"Content-type": [content_type]})

    def deliverBody(self, protocol: Any) -> None:
        protocol.makeConnection(StringTransport())
        if self.body:
            protocol.dataReceived(self.body)
        protocol.connectionLost(Failure(ResponseDone()))

    def setPreviousResponse(self, response: object) -> None:
        raise AssertionError("nothing is ever asked twice")


class Link(StringTransport):
    """
    The server's end of one WebSocket connection.

    :param by_itself: whether pings are answered.
    """

    def __init__(self, *, by_itself: bool) -> None:
        super().__init__()
        self.by_itself = by_itself
        self.protocol: Any = None
        self.aborted = False

    def abortConnection(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.protocol.connectionLost(Failure(ConnectionAborted()))

    def loseConnection(self) -> None:
        self.lose(ConnectionDone())

    def lose(self, reason: Exception | None = None) -> None:
        """Break the connection."""
        if not self.aborted:
            self.aborted = True
            self.protocol.connectionLost(Failure(reason or ConnectionLost()))

    def write(self, data: bytes) -> None:
        if self.aborted:
            return
        if self.by_itself and data[0] == 0x89:
            self.say(frame(0x8A, b""))
        else:
            super().write(data)

    def say(self, data: bytes) -> None:
        """Send these bytes."""
        self.protocol.dataReceived(data)

    def accept(self) -> None:
        """Finish the handshake."""
        self.say(self.acceptance())

    def acceptance(self) -> bytes:
        """Return the answer that finishes the handshake."""
        key = self.header("Sec-WebSocket-Key").encode()
        proof = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.clear()
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\nSec-WebSocket-Protocol: ari\r\n\r\n"
        )

    def header(self, name: str) -> str:
        """Return a header of the handshake."""
        lines: list[str] = self.value().decode().split("\r\n")
        return next(line.partition(": ")[2] for line in lines if line.startswith(name + ":"))

    def message(self, payload: bytes) -> None:
        """Send a text frame."""
        self.say(frame(0x81, payload))

    def event(self, kind: str, **fields: object) -> None:
        """Send an event."""
        self.message(json.dumps({"type": kind, **fields}).encode())

    def frames(self) -> list[tuple[int, bytes]]:
        """Return the opcodes and payloads of what has come since the last time."""
        data, frames = self.value(), []
        self.clear()
        while data:
            length = data[1] & 0x7F
            mask, payload = data[2:6], data[6 : 6 + length]
            unmasked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
            frames.append((data[0] & 0x0F, unmasked))
            data = data[6 + length :]
        return frames


def frame(first: int, payload: bytes) -> bytes:
    """Return a frame as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 1 << 16:
        return bytes([first, 126]) + size.to_bytes(2, "big") + payload
    return bytes([first, 127]) + size.to_bytes(8, "big") + payload


@implementer(IAgent, IStreamClientEndpoint)
class FakeServer:
    """
    Takes requests and connections.

    :ivar answers: what to answer, by method and resource; an Answer, an error, or a Deferred. A
        function is given the parameters. What is not here is answered with 204.
    :ivar attempts: how many connections have been asked for.
    :ivar unreachable: fails those that will be.
    :ivar silent: what they wait for.
    :ivar by_itself: whether connections are accepted and pings answered.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, Any] = {}
        self.links: list[Link] = []
        self.attempts = 0
        self.unreachable: Exception | None = None
        self.silent: Deferred[Any] | None = None
        self.by_itself = True

    @property
    def link(self) -> Link:
        """The newest connection."""
        return self.links[-1]

    @property
    def requests(self) -> list[str]:
        """Method and resource of what has been asked."""
        return [f"{asked.method} {asked.resource}" for asked in self.asked]

    def connect(self, factory: Any) -> Deferred[Any]:
        self.attempts += 1
        if self.unreachable is not None:
            return fail(self.unreachable)
        if self.silent is not None:
            return self.silent
        link = Link(by_itself=self.by_itself)
        link.protocol = factory.buildProtocol(None)
        self.links.append(link)
        link.protocol.makeConnection(link)
        if self.by_itself:
            link.accept()
        return succeed(link.protocol)

    def request(
        self, method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None
    ) -> Deferred[IResponse]:
        resource = uri.decode().removeprefix(URL)
        parameters = json.loads(_produced(bodyProducer)) if bodyProducer else None
        authorization = headers.getRawHeaders("authorization", [""])[0]
        self.asked.append(Asked(method.decode(), resource, parameters, authorization))
        answer = self.answers.get(f"{method.decode()} {resource}", _usual(resource))
        if isinstance(answer, Callable):  # type: ignore[arg-type]  # python/mypy#11071
            answer = answer(parameters)
        if isinstance(answer, Exception):
            return fail(answer)
        return answer if isinstance(answer, Deferred) else succeed(answer)


def _usual(resource: str) -> Answer:
    if "/play/" in resource:
        return Answer(201, playback(resource.rpartition("/")[2], "queued"))
    return Answer(204)


def _produced(producer: Any) -> bytes:
    consumer = StringTransport()
    producer.startProducing(consumer)
    body: bytes = consumer.value()
    return body


def client_of(server: FakeServer, clock: Clock, **settings: Any) -> ARIClient:
    """Return a client of that server."""
    return ARIClient(
        URL, "full", "full-secret", agent=server, endpoint=server, reactor=clock, **settings
    )


def channel(id: str, state: str = "Ring") -> dict[str, object]:  # noqa: A002 - Asterisk's word
    """Return what Asterisk says of a channel."""
    return {
        "id": id,
        "name": f"PJSIP/{id}",
        "state": state,
        "caller": {"name": "Alice", "number": "100"},
    }


def playback(id: str, state: str) -> dict[str, object]:  # noqa: A002 - Asterisk's word
    """Return what Asterisk says of a playback."""
    return {"id": id, "media_uri": "sound:x", "target_uri": "channel:c1", "state": state}


class Fixture(SynchronousTestCase):
    """A client and its server, in memory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.server = FakeServer()
        self.client = client_of(self.server, self.clock)

    def listen(self, *names: str) -> None:
        self.successResultOf(self.client.listen(*(names or ("ivr",))))
