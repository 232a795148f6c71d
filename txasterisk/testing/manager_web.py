"""AMI over HTTP: ``/rawman`` with a cookie for each session, ``/arawman`` with a digest nonce."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Awaitable, Callable
from hashlib import md5
from typing import Any, Final
from urllib.parse import parse_qsl

from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET

from ..ami.messages import MAX_LINES, Action
from .ami import AMI, CLASSES, Performer, Session, mask_of, wire_of
from .ami_actions import action_id
from .ami_events import Headers
from .not_faked import NotFaked, complain

__all__ = ["ManagerPages"]

#: Seconds that a session lasts without a request (``httptimeout``), and before a login.
LIFETIME: Final = 60
LIFETIME_BEFORE_LOGIN: Final = 5
#: Seconds that a nonce lasts.
NONCE_LIFETIME: Final = 62
#: WaitEvent ends so long before the session would.
SPARE: Final = 10
#: How often WaitEvent looks, in seconds. Asterisk's is woken up.
LOOK_EVERY: Final = 0.02
MAX_BODY: Final = 40_960
REALM: Final = "asterisk"

_FORM: Final = "application/x-www-form-urlencoded"
_PARAMETER: Final = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s",]+))')


class ManagerPages:
    """
    The pages of one manager interface.

    :param ami: does what is asked for.
    """

    def __init__(self, ami: AMI) -> None:
        self._ami = ami
        self._clock = ami.switchboard.clock
        self._sessions: dict[str, WebSession] = {}

    def page(self, path: str) -> Callable[[Any], Any] | None:
        """Return what answers the requests of a path, if it is one of AMI's."""
        match path.lower():
            case "/rawman":
                return self._by_cookie
            case "/arawman":
                return self._by_digest
            case "/manager" | "/amanager" | "/mxml" | "/amxml":
                return self._not_faked
        return None

    def _not_faked(self, request: Any) -> bytes:
        complain(NotFaked(f"{request.method} {request.path} of AMI"))
        request.setResponseCode(501)
        return b"not faked"

    # Who asks

    def _by_cookie(self, request: Any) -> Any:
        named = (request.getCookie(b"mansession_id") or b"").decode("ascii", "replace").strip('"')
        session = self._living().get(named) or self._new_session(_new_id())
        request.setHeader(
            "Set-Cookie", f'mansession_id="{session.id}"; Version=1; Max-Age={LIFETIME}'
        )
        return self._perform(request, session)

    def _by_digest(self, request: Any) -> Any:
        claims = _parameters(request.getHeader("authorization") or "")
        if not self._proven(request, claims):
            return _challenge(request, _new_id(), "")
        nonce, count = claims["nonce"], int(claims["nc"], 16)
        sessions = self._living()
        session = sessions.get(nonce)
        if session is None:
            renamed = next((s for s in sessions.values() if s.old_nonce == nonce), None)
            if renamed is not None:
                return _challenge(request, renamed.id, ", stale=true")
            session = self._new_session(nonce)
            session.user = self._ami.users[claims["username"]]
        elif count <= session.count or self._clock.seconds() - session.proven > NONCE_LIFETIME:
            return _challenge(request, self._rename(session), ", stale=true")
        session.count, session.proven = count, self._clock.seconds()
        return self._perform(request, session)

    def _proven(self, request: Any, claims: dict[str, str]) -> bool:
        user = self._ami.users.get(claims.get("username", ""))
        if user is None:
            return False
        whose = _md5(f"{claims['username']}:{REALM}:{user.secret}")
        what = _md5(f"{request.method.decode()}:{claims['uri']}")
        said = [whose, *(claims[name] for name in ("nonce", "nc", "cnonce")), "auth", what]
        return claims["response"] == _md5(":".join(said))

    # Sessions

    def _living(self) -> dict[str, WebSession]:
        now = self._clock.seconds()
        for session in tuple(self._sessions.values()):
            if not session.requests and session.lasts_until < now:
                session.end()
        return self._sessions

    def _new_session(self, name: str) -> WebSession:
        session = WebSession(self._ami, name, self._sessions)
        session.renew()
        return session

    def _rename(self, session: WebSession) -> str:
        del self._sessions[session.id]
        session.old_nonce, session.id, session.count = session.id, _new_id(), 0
        session.proven = self._clock.seconds()
        self._sessions[session.id] = session
        return session.id

    # What is asked

    def _perform(self, request: Any, session: WebSession) -> Any:
        body = request.content.read()
        if request.method != b"POST":
            return self._not_faked(request)
        if len(body) > MAX_BODY:
            request.setResponseCode(413)
            return b"Body too large"
        request.setHeader("Content-Type", "text/plain")
        said: list[Headers] = []
        doing = WebPerformer(session, said.append).do(_action(request, body))
        work = Deferred.fromCoroutine(doing)
        session.requests.add(work)
        request.notifyFinish().addErrback(lambda _: work.cancel())
        work.addCallbacks(lambda _: _finish(request, said), lambda _: None)
        work.addCallback(lambda _: session.done(work))
        return NOT_DONE_YET


class WebSession(Session):
    """
    A session over HTTP.

    :ivar id: its name, in a cookie or as a nonce.
    :ivar old_nonce: the nonce that it had before.
    :ivar count: the highest count of its nonce.
    :ivar proven: when its nonce was last used.
    :ivar requests: what is being done for it.
    :ivar lasts_until: when it is over, unless something is done for it.
    :ivar waiting: the newest WaitEvent.
    :ivar events: what happened, with their classes.
    """

    def __init__(self, ami: AMI, name: str, sessions: dict[str, WebSession]) -> None:
        super().__init__(ami)
        self.id = name
        self.old_nonce = ""
        self.count = 0
        self.proven = 0.0
        self.requests: set[Deferred[None]] = set()
        self.lasts_until = 0.0
        self.waiting: object = None
        self.events: deque[tuple[str, Headers]] = deque()
        self._sessions = sessions
        sessions[name] = self
        ami.sessions.add(self)

    def mask_at_login(self, events: str) -> frozenset[str]:
        """Return the classes of events that a login turns on: only what it names."""
        return mask_of(events or "off")

    def renew(self) -> None:
        """Begin its lifetime anew."""
        lifetime = LIFETIME if self.user is not None else LIFETIME_BEFORE_LOGIN
        self.lasts_until = self.ami.switchboard.clock.seconds() + lifetime

    def done(self, work: Deferred[None]) -> None:
        """Forget a request."""
        self.requests.discard(work)
        self.renew()

    def hear(self, event_class: str, event: Headers) -> None:
        """Keep an event: whether it is wanted is asked when it is fetched."""
        self.events.append((event_class, event))

    def end(self) -> None:
        """Forget the session."""
        self._sessions.pop(self.id, None)
        self.ami.sessions.discard(self)
        self.waiting = None

    def abort(self) -> None:
        """Give up what is being done for it."""
        self.end()
        for work in tuple(self.requests):
            work.cancel()


class WebPerformer(Performer):
    """Does the actions of a session over HTTP, of which WaitEvent is one."""

    session: WebSession

    def method(self, name: str) -> Callable[[Any, Action], Awaitable[None]] | None:
        """Return what does the actions of that name."""
        return WebPerformer._wait_event if name == "waitevent" else super().method(name)

    async def _wait_event(self, action: Action) -> None:
        session, this = self.session, object()
        session.waiting = this
        most = int(max(0, session.lasts_until - self._switchboard.clock.seconds() - SPARE))
        asked = int(action.get("Timeout") or -1)
        if not session.mask:
            session.mask = CLASSES
        until = self._switchboard.clock.seconds() + (most if asked < 0 else min(asked, most))
        while self._switchboard.clock.seconds() < until:
            if session.events or session.waiting is not this:
                break
            await self.pause(LOOK_EVERY)
        if session.waiting is not this:
            return
        self.answer(action, [("Message", "Waiting for Event completed.")])
        while session.events:
            event_class, event = session.events.popleft()
            if event_class in session.mask and session.passes(event):
                self.say(event)
        self.say([("Event", "WaitEventComplete"), *action_id(action)])
        session.waiting = None


def _action(request: Any, body: bytes) -> Action:
    parameters: list[tuple[str, str]] = []
    if (request.getHeader("content-type") or "").partition(";")[0] == _FORM:
        parameters = parse_qsl(body.decode("ascii"), True, errors="surrogateescape")
    lines = [f"{name}: {value}" for name, value in parameters[:MAX_LINES]]
    return Action("\r\n".join(lines).encode("utf-8", "surrogateescape"))


def _finish(request: Any, said: list[Headers]) -> None:
    body = b"".join(map(wire_of, said))
    request.setHeader("Content-Length", str(len(body)))
    request.write(body)
    request.finish()


def _challenge(request: Any, nonce: str, stale: str) -> bytes:
    request.setResponseCode(401)
    request.setHeader("Content-Type", "text/html")
    request.setHeader(
        "WWW-Authenticate",
        f'Digest algorithm=MD5, realm="{REALM}", nonce="{nonce}", qop="auth", '
        f'opaque="{nonce}"{stale}',
    )
    return b"<html><body><h1>Unauthorized</h1></body></html>\n"


def _parameters(authorization: str) -> dict[str, str]:
    found: list[tuple[str, str, str]] = _PARAMETER.findall(authorization)
    return {name: quoted or bare for name, quoted, bare in found}


def _new_id() -> str:
    return f"{random.randrange(1, 2**32):08x}"


def _md5(text: str) -> str:
    return md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
