"""
Asterisk's web server: ARI over HTTP and a WebSocket, and AMI over HTTP, all on one port.

It is Twisted's web server and autobahn's WebSocket; here is only what Asterisk does in its own way.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import WrappingFactory
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ..ari.resources import OPERATIONS
from .ami import AMI
from .ari import ARI, FAKED, Created, Parameters, Refusal
from .manager_web import ManagerPages
from .not_faked import NotFaked, complain
from .stasis import JSON, Stasis
from .users import User

__all__ = ["Web"]

#: How long Asterisk keeps an idle connection, in seconds.
KEPT_ALIVE: Final = 15


class Web:
    """
    The web server of one switchboard.

    :param ari: does what is asked for.
    :param stasis: has the applications.
    :param users: who may ask.
    :param ami: the manager interface.
    :ivar factory: makes the connections.
    """

    def __init__(self, ari: ARI, stasis: Stasis, users: Mapping[str, User], ami: AMI) -> None:
        self.stasis = stasis
        self.manager = ManagerPages(ami)
        self.users = users
        self.clock: Any = ari.switchboard.clock
        self.server = f"Asterisk/{ari.version}"
        self.factory: Any = WrappingFactory(_Site(_Root(self, ari), self.clock))
        self.factory.noisy = False

    def abort(self) -> None:
        """Cut all connections at once."""
        for connection in tuple(self.factory.protocols):
            connection.abortConnection()

    def user_of(self, authorization: str | None, query: Mapping[str, str]) -> User | None:
        """Return who asks, or None if that is nobody who may."""
        if authorization is None:
            credentials = query.get("api_key", "")
        elif authorization.startswith("Basic "):
            credentials = _decoded(authorization.removeprefix("Basic "))
        else:
            return None
        name, _, secret = credentials.partition(":")
        user = self.users.get(name)
        return user if user is not None and user.secret == secret else None


class _Site(Site):
    """Makes the connections, and logs nothing."""

    noisy = False

    def __init__(self, resource: Resource, clock: Any) -> None:
        super().__init__(resource, reactor=clock, timeout=KEPT_ALIVE)

    def log(self, request: Request) -> None:
        """Leave the log to whoever tests."""


class _Root(Resource):
    """Everything below ``/``."""

    isLeaf = True

    def __init__(self, web: Web, ari: ARI) -> None:
        super().__init__()
        self._web = web
        self._ari = ari
        self._sockets = WebSocketResource(_SocketFactory(web))

    def render(self, request: Any) -> Any:
        request.setHeader("Server", self._web.server)
        request.setHeader("Cache-Control", "no-cache, no-store")
        path, _, query_text = request.uri.decode("ascii", "replace").partition("?")
        page = self._web.manager.page(path)
        if page is not None:
            return page(request)
        query = dict(parse_qsl(query_text, keep_blank_values=True))
        try:
            resource = _resource_of(path)
            self._admit(request, resource, query)
            if (request.method, resource) == (b"GET", "/events"):
                return self._open_socket(request, query)
            return self._perform(request, resource, query)
        except Refusal as refusal:
            return _refuse(request, refusal)
        except NotFaked as error:
            return _refuse(request, _not_faked(error))

    def _admit(self, request: Any, resource: str, query: Mapping[str, str]) -> None:
        user = self._web.user_of(request.getHeader("authorization"), query)
        if user is None:
            request.setHeader("WWW-Authenticate", 'Basic realm="Asterisk REST Interface"')
            raise Refusal(401, "Authentication required")
        if user.read_only and request.method not in (b"GET", b"OPTIONS"):
            raise Refusal(403, "Write access denied")
        if resource.endswith("/"):
            stem = resource.rstrip("/")
            raise Refusal(404, f"ARI URLs do not end with a slash. Try /ari{stem}")

    def _open_socket(self, request: Any, query: Mapping[str, str]) -> Any:
        if (request.getHeader("upgrade") or "").lower() != "websocket":
            return _html(request, 426, "Upgrade Required")
        if not all(query.get("app", "").split(",")):
            return _html(request, 400, "Bad Request")
        if query.get("subscribeAll", "false").lower() not in ("", "false", "no", "0"):
            raise NotFaked("subscribeAll")
        return self._sockets.render(request)

    def _perform(self, request: Any, resource: str, query: Mapping[str, str]) -> Any:
        method = request.method.decode("ascii", "replace")
        template, parts = _operation(method, resource, request)
        operation = FAKED.get((method, template))
        if operation is None:
            raise NotFaked(f"the ARI operation {method} {template}")
        parameters = {**query, **_body(request), **parts}
        done = maybeDeferred(operation, self._ari, parameters)
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        done.addCallbacks(
            lambda result: None if gone else _answer(request, result),
            lambda failure: None if gone else _fail(request, failure),
        )
        return NOT_DONE_YET


def _resource_of(path: str) -> str:
    scheme, _, rest = path.removeprefix("/").partition("/")
    if scheme.lower() != "ari":
        raise Refusal(404, "Not found")
    return f"/{rest}"


def _operation(method: str, resource: str, request: Any) -> tuple[str, dict[str, str]]:
    """Return the path of the operation that is asked for, and the parts that vary."""
    matches = [operation for operation in OPERATIONS if operation.route.fullmatch(resource)]
    if not matches:
        raise Refusal(404, "Resource not found")
    fixed = min(each.path.count("{") for each in matches)
    allowed = {each.method: each.path for each in matches if each.path.count("{") == fixed}
    if method == "OPTIONS":
        raise NotFaked("OPTIONS of ARI")
    if method not in allowed:
        methods = [name for name in ("GET", "POST", "PUT", "DELETE") if name in allowed]
        request.setHeader("Allow", ",".join(["OPTIONS", *methods]))
        raise Refusal(405, "Invalid method")
    template = allowed[method]
    names = re.findall(r"\{(\w+)\}", template)
    values = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", template), resource)
    assert values is not None
    return template, dict(zip(names, map(unquote_plus, values.groups()), strict=True))


def _body(request: Any) -> Parameters:
    body = request.content.read()
    if not body or request.getHeader("content-type") != "application/json":
        return {}
    try:
        parameters = json.loads(body)
    except ValueError:
        raise Refusal(400, "Error parsing request body")
    return parameters if isinstance(parameters, dict) else {}


def _answer(request: Any, result: object) -> None:
    if result is None:
        request.setResponseCode(204)
        request.finish()
        return
    if isinstance(result, Created):
        request.setResponseCode(201)
        request.setHeader("Location", result.path)
    request.write(_json(request, result))
    request.finish()


def _fail(request: Any, failure: Failure) -> None:
    error = failure.value
    if not isinstance(error, Refusal):
        broken = error if isinstance(error, NotFaked) else NotFaked(failure.getTraceback())
        error = _not_faked(broken)
    request.write(_refuse(request, error))
    request.finish()


def _not_faked(error: NotFaked) -> Refusal:
    complain(error)
    return Refusal(501, f"FakeAsterisk: not faked: {error}")


def _refuse(request: Any, refusal: Refusal) -> bytes:
    request.setResponseCode(refusal.status)
    return _json(request, refusal.body)


def _json(request: Any, value: object) -> bytes:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    body = encoded.encode("utf-8", "surrogateescape")
    request.setHeader("Content-Type", "application/json")
    request.setHeader("Content-Length", str(len(body)))
    return body


def _html(request: Any, status: int, words: str) -> bytes:
    request.setResponseCode(status)
    request.setHeader("Content-Type", "text/html")
    return f"<html><body><h1>{words}</h1></body></html>\n".encode()


def _decoded(credentials: str) -> str:
    try:
        return b64decode(credentials).decode("utf-8", "replace")
    except ValueError:
        return ""


class _SocketFactory(WebSocketServerFactory):
    """Makes the WebSockets."""

    noisy = False

    def __init__(self, web: Web) -> None:
        super().__init__(protocols=["ari"], reactor=web.clock)
        self.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0, autoPingInterval=0)
        self._web = web

    def buildProtocol(self, addr: object) -> _Socket:
        socket = _Socket(self._web)
        socket.factory = self
        return socket


class _Socket(WebSocketServerProtocol):
    """A listener's WebSocket."""

    def __init__(self, web: Web) -> None:
        super().__init__()
        self._web = web
        self._names: list[str] = []

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        for name in self._names:
            self._web.stasis.unregister(name, self.tell)

    def onConnect(self, request: Any) -> str | None:
        self._names = [name.strip() for name in request.params["app"][0].split(",")]
        return "ari" if "ari" in request.protocols else None

    def onOpen(self) -> None:
        for name in self._names:
            self._web.stasis.register(name, self.tell)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        complain(NotFaked("requests over the WebSocket of ARI"))

    def tell(self, event: JSON) -> None:
        """Send an event."""
        encoded = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self.sendMessage(encoded.encode("utf-8", "surrogateescape"))
