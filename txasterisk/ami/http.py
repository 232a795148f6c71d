"""
AMI over HTTP: :class:`AMIHTTP`, and :class:`AMIHTTPFactory`, which logs it in.

It does what :class:`AMIProtocol` does, where only HTTP gets through. Each action is a request.
Events do not come by themselves: one ``WaitEvent`` at a time fetches them, which Asterisk answers
when there are some.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from math import inf
from typing import Final, Literal, NoReturn, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IAgent
from zope.interface import implementer

from .._reactor import the_reactor
from .._subscriptions import WireName
from .._time_limits import TimeLimits
from .._words import words
from ..errors import (
    ActionFailed,
    AsteriskError,
    Disconnected,
    LocalProtocolError,
    LoginRefused,
    RemoteProtocolError,
    TimedOut,
)
from .conversation import Answered, ClientConversation, Happened
from .digest import Digest
from .http_sessions import CookieSession, DigestSession, Server, Session
from .keepalive import PINGS, Pings
from .link import Link, refused
from .login import LOGIN_TIMEOUT, log_in
from .messages import Action, Event, Headers, Response

__all__ = ["AMIHTTP", "AMIHTTPFactory", "HTTPAuthentication", "check_url"]

HTTPAuthentication: TypeAlias = Literal["digest", "MD5", "plain"]

#: What Asterisk takes as the body of a request (seen on 16.28 and 22.10).
MAX_FORM: Final = 40_960
#: Seconds between two WaitEvents when events came: on a busy server there always are some, and a
#: request for each would be many.
BREATH: Final = 0.1
#: The same when there were none and Asterisk did not wait for any. It answers at once when
#: anything happened, wanted or not, and when the session is too short-lived to wait in.
POLL: Final = 1.0
#: When the last WaitEvent was sent longer ago, in seconds, the session may have expired since, as
#: when the network or this machine stood still. No session can be kept that lasts for less.
IN_DOUBT_AFTER: Final = 3.0

T = TypeVar("T")


class AMIHTTP(Link):
    """
    A session with Asterisk's manager interface over HTTP, made by :meth:`AMIHTTPFactory.connect`.

    Actions are done one after the other, as on a connection of its own. A session that has
    expired, and a request that gets no answer, end it: whatever waits fails with
    ``Disconnected``, and nothing is sent again. An action that is cancelled, or too late, before
    its turn has come is not sent; an answer that lacks its response or its end fails with
    :class:`RemoteProtocolError`. Headers have the same limits as over TCP, though
    HTTP could carry longer ones; the whole action has at most 40,960 bytes as a form.

    :param session: makes the requests belong together.
    :param pings: how a dead link is noticed.
    :param clock: measures time limits.
    :ivar version: the version of AMI that the server speaks, such as ``11.0.0``; empty when the
        user is not allowed to know (AMI ``CoreSettings``).
    """

    def __init__(self, session: Session, pings: Pings, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._heard_at = clock.seconds()
        self._session = session
        self._pings = pings
        self._hold_back(_InAnyCase())
        self._ids = map(f"{uuid4().hex[:12]}-{{}}".format, count(1))
        self._queue: deque[_Asked] = deque()
        self._at_work: _Asked | None = None
        self._limits: TimeLimits[_Asked] = TimeLimits(clock, self._too_late)
        self._exchanges: set[Deferred[bytes]] = set()
        self._fetching = False
        self._asked_at = -inf
        self._challenge: str | None = None
        self._pulse: IDelayedCall | None = None

    @property
    def heard_at(self) -> float:
        """See :attr:`Link.heard_at`."""
        return self._heard_at

    def _ask(
        self,
        name: str,
        headers: Headers,
        timeout: float | None,
        item: Callable[[Event], object] | None,
    ) -> Deferred[Response]:
        if self._gone is not None:
            return fail(self._error())
        if name.casefold() == "waitevent":
            return fail(LocalProtocolError("WaitEvent: this waits for the events already"))
        try:
            asked = self._new(name, headers, item)
        except AsteriskError as error:
            return fail(error)
        if timeout is not None:
            self._limits.start(asked, timeout)
        self._queue.append(asked)
        if self._at_work is None:
            self._next_action()
        return asked.waiting

    def logoff(self, *, timeout: float | None = None) -> Deferred[None]:
        """
        Say goodbye (AMI ``Logoff``), which ends the session.

        :param timeout: the most seconds to wait for the answer.
        :return: fires with None once the session has ended; fails with :class:`TimedOut` or, if
            there was none any more, :class:`Disconnected`. Cancelling stops waiting.
        """
        return self.action("Logoff", timeout=timeout).addCallback(lambda _: None)

    def disconnect(self) -> None:
        """
        End it here: nothing more is sent or delivered, and everything pending fails.

        Asterisk is not told. It keeps the session for as long as ``httptimeout`` of manager.conf
        says.
        """
        self._end(ConnectionAborted())

    def __repr__(self) -> str:
        return f"<AMIHTTP, {'disconnected' if self._gone else 'logged in'}>"

    async def _begin(self, events: str | None, timeout: float) -> None:
        """Do what is left to do once the credentials are accepted."""
        await self.action("Events", {"EventMask": events or "on"}, timeout=timeout)
        with suppress(ActionFailed):
            settings = await self.action("CoreSettings", timeout=timeout)
            self.version = settings.get("AMIversion") or ""
        self._rest(0.0)

    # Actions, one after the other

    def _next_action(self) -> None:
        self._at_work = self._queue.popleft() if self._queue and self._gone is None else None
        if self._at_work is not None:
            self._exchange(self._at_work).addCallbacks(self._done, self._broken)

    def _done(self, body: bytes) -> None:
        assert self._at_work is not None
        self._take(self._at_work, body)
        self._next_action()

    def _exchange(self, asked: _Asked) -> Deferred[bytes]:
        """Have something done; the end cancels it."""
        exchange = Deferred.fromCoroutine(self._session.perform(asked.form))
        self._exchanges.add(exchange)

        def over(result: T) -> T:
            self._exchanges.discard(exchange)
            return result

        return exchange.addBoth(over)

    def _take(self, asked: _Asked, body: bytes) -> bool:
        """
        Take the answer to an action, and the events that came with it.

        :return: whether there were any.
        """
        eventful = False
        self._heard_at = self._clock.seconds()
        try:
            for happening in asked.conversation.receive(body + asked.closing):
                if self._gone is not None:
                    break
                if isinstance(happening, Answered):
                    self._answer(asked, happening.response)
                elif isinstance(happening, Happened):
                    eventful = True
                    # A WaitEvent that was overtaken by "Events: off" has turned them on again.
                    if self._fetching:
                        self._subscriptions.deliver(happening.name, happening.event)
        except RemoteProtocolError as error:
            self._end(error)
        if not asked.waiting.called:
            self._limits.stop(asked)
            asked.waiting.errback(RemoteProtocolError(f"{asked.name}: no complete answer"))
        return eventful

    def _answer(self, asked: _Asked, response: Response) -> None:
        self._limits.stop(asked)
        if asked.name.casefold() == "events" and not response.failed:
            self._set_fetching(response.get("Events") != "Off")
        if response.status == "Goodbye":
            self._at_work = None
            self._end(ConnectionDone())
        # Nobody may wait for it any more.
        if not asked.waiting.called:
            if response.failed:
                asked.waiting.errback(refused(asked.name, response))
            else:
                asked.waiting.callback(response)

    def _forget(self, asked: _Asked) -> None:
        self._limits.stop(asked)
        if asked in self._queue:
            self._queue.remove(asked)

    def _too_late(self, asked: _Asked) -> None:
        self._forget(asked)
        asked.waiting.errback(TimedOut(f"no answer to {asked.name} in time"))

    # The pulse: it fetches events, or else shows that both sides are there

    def _set_fetching(self, fetching: bool) -> None:
        if fetching and not self._fetching:
            self._challenge, self._asked_at = None, -inf
        self._fetching = fetching
        if self._pulse is not None:
            self._rest(0.0)

    def _rest(self, seconds: float) -> None:
        """Let the pulse rest for so long before it fetches events; longer when it does not."""
        if self._gone is None:
            if self._pulse is not None:
                self._pulse.cancel()
            rest = seconds if self._fetching else self._idle_time()
            self._pulse = self._clock.callLater(rest, self._beat)

    def _beat(self) -> None:
        self._pulse = None
        beat = self._fetch() if self._fetching else self._confirm()
        Deferred.fromCoroutine(beat).addCallbacks(self._rest, self._broken)

    def _idle_time(self) -> float:
        lifetime = self._session.lifetime
        # Half of what the session lasts, for a request takes its time.
        return min(self._pings.every, lifetime / 2) if lifetime else self._pings.every

    async def _fetch(self) -> float:
        """
        Wait for events.

        :return: how many seconds to wait before the next time.
        """
        if self._clock.seconds() - self._asked_at > IN_DOUBT_AFTER:
            await self._confirm()
        self._asked_at = began = self._clock.seconds()
        # Less when the session would not last (``httptimeout``): Asterisk sees to that.
        wait = max(1, round(self._pings.every))
        asked = self._new("WaitEvent", {"Timeout": wait}, None)
        body = await self._within(wait + self._pings.within, asked)
        if not body:
            # Asterisk says so that there was a newer WaitEvent in this session.
            return POLL
        eventful = self._take(asked, body)
        await asked.waiting
        return BREATH if eventful or self._clock.seconds() - began >= POLL else POLL

    async def _confirm(self) -> float:
        """
        Make sure that Asterisk is there, and that this is still the same session.

        With digest authentication Asterisk begins another one in place of one that has expired,
        and does not say so. But its challenge stays the same for as long as a session lasts. While
        no events are wanted there is nothing to lose by that.
        """
        asked = self._new("Challenge", {"AuthType": "MD5"}, None)
        self._take(asked, await self._within(self._pings.within, asked))
        challenge = (await asked.waiting).get("Challenge")
        if self._fetching and self._challenge not in (None, challenge):
            raise Disconnected("the session has expired")
        self._challenge = challenge
        return BREATH

    def _new(self, name: str, headers: Headers, item: Callable[[Event], object] | None) -> _Asked:
        return _Asked(name, headers, next(self._ids), item, self._forget)

    def _within(self, seconds: float, asked: _Asked) -> Deferred[bytes]:
        def too_late(_: object, __: float) -> NoReturn:
            raise TimedOut(f"no answer to {asked.name} within {seconds:g} seconds")

        return self._exchange(asked).addTimeout(seconds, self._clock, too_late)

    # The end

    def _broken(self, failure: Failure) -> None:
        error = failure.value
        assert error is not None
        reason = error.reason if isinstance(error, Disconnected) else None
        self._end(reason or error)

    def _end(self, cause: BaseException) -> None:
        if self._gone is not None:
            return
        self._gone = cause
        self._limits.clear()
        if self._pulse is not None:
            self._pulse.cancel()
        for exchange in tuple(self._exchanges):
            exchange.cancel()
        self._session.close()
        self._hold_back(None)
        # The service learns of it first; see AMIProtocol.
        self._disconnected.reach(self._error())
        unanswered = [*([self._at_work] if self._at_work else []), *self._queue]
        for asked in unanswered:
            # One that is told may have cancelled others.
            if not asked.waiting.called:
                asked.waiting.errback(self._error())
        self._own.fail(self._error())

    def _error(self) -> Disconnected:
        assert self._gone is not None
        return Disconnected(f"the AMI session is gone: {words(self._gone)}", self._gone)


class AMIHTTPFactory:
    """
    Make AMI sessions over HTTP that log in with the same credentials.

    :param username: a user of Asterisk's ``manager.conf``; for ``digest`` spelled as there.
    :param secret: its secret.
    :param authentication: ``digest``, HTTP's own; or a session with a cookie, to which one logs in
        as over TCP with ``MD5`` or ``plain``.
    :param events: which classes of events to send, such as ``call,system``, or ``off``;
        everything that the user may read by default.
    :param pings: how a dead link is noticed: how long one request may wait for events, or how long
        nothing is asked when there are none; and how much later than that an answer may come.
    :param agent: carries the requests; by default one with a pool of its own. One of your own is
        needed for https with a certificate authority that the system does not know.
    :param clock: measures time limits; the global reactor by default.
    """

    def __init__(
        self,
        username: str,
        secret: str,
        *,
        authentication: HTTPAuthentication = "digest",
        events: str | None = None,
        pings: Pings = PINGS,
        agent: IAgent | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        self.username = username
        self._secret = secret
        self._authentication: HTTPAuthentication = authentication
        self._events = events
        self._pings = pings
        self._agent = agent
        self._clock = clock

    def connect(self, url: str, *, timeout: float = LOGIN_TIMEOUT) -> Deferred[AMIHTTP]:
        """
        Log in.

        :param url: the web server's root, with the ``prefix`` of http.conf if it has one, such as
            ``http://127.0.0.1:8088``.
        :param timeout: the most seconds to wait for each answer of the login.
        :return: fires with the :class:`AMIHTTP`, logged in. Fails with :class:`Disconnected` when
            nobody answers, :class:`RemoteProtocolError` when it is no AMI that answers,
            :class:`LoginRefused`, :class:`ActionFailed` when Asterisk cannot log in anybody now,
            :class:`TimedOut`, and :class:`LocalProtocolError` when HTTP cannot carry the user
            name. Cancelling ends the attempt.
        :raises ValueError: the URL is none of these.
        """
        return Deferred.fromCoroutine(self._connect(check_url(url), timeout))

    def __repr__(self) -> str:
        return f"<AMIHTTPFactory for {self.username}>"

    async def _connect(self, url: str, timeout: float) -> AMIHTTP:
        clock = the_reactor(self._clock)
        ami = AMIHTTP(self._new_session(Server(url, self._agent, clock)), self._pings, clock)
        try:
            if self._authentication != "digest":
                await log_in(
                    ami.action,
                    self.username,
                    self._secret,
                    self._authentication,
                    self._events,
                    timeout,
                )
            await ami._begin(self._events, timeout)
        except Disconnected as error:
            ami.disconnect()
            if isinstance(error.reason, (LoginRefused, RemoteProtocolError)):
                raise error.reason
            reason = error.reason or error
            raise Disconnected(f"no AMI session: {words(reason)}", reason)
        except BaseException:
            ami.disconnect()
            raise
        return ami

    def _new_session(self, server: Server) -> Session:
        if self._authentication == "digest":
            return DigestSession(server, Digest(self.username, self._secret))
        return CookieSession(server)


class _Asked:
    """
    An action and who waits for its answer.

    :param name: which.
    :param headers: as :meth:`Action.build` takes them.
    :param action_ids: begins its ActionID.
    :param item: called with each item of a list, if the answer is not to keep them.
    :param forget: called when nobody waits any more.
    :raises LocalProtocolError: it is too large, or AMI cannot carry it.
    """

    def __init__(
        self,
        name: str,
        headers: Headers,
        action_ids: str,
        item: Callable[[Event], object] | None,
        forget: Callable[[_Asked], None],
    ) -> None:
        self.name = name
        self.waiting: Deferred[Response] = Deferred(lambda _: forget(self))
        # One answer is one body, so each has a conversation of its own: nothing that is lacking
        # or too much in it can touch another.
        self.conversation: ClientConversation[Deferred[Response]]
        self.conversation = ClientConversation(_EVERY_EVENT, action_ids)
        self.conversation.skip_greeting()
        _, wire = self.conversation.begin(name, headers, self.waiting, item)
        this, _, behind = wire.partition(b"\r\n\r\n")
        # What may have no response is told to be over by the answer to a ping behind it; here it
        # is over at the end of the body.
        ping = Action(behind.removesuffix(b"\r\n\r\n"))
        self.closing = _answer_to(ping).serialize() if behind else b""
        self.form = urlencode(Action(this).headers, errors="surrogateescape").encode("ascii")
        if len(self.form) > MAX_FORM:
            raise LocalProtocolError(
                f"{self.name:.40}: {len(self.form)} bytes as a form, "
                f"but Asterisk takes at most {MAX_FORM}"
            )


@implementer(IPushProducer)
class _InAnyCase:
    """
    Stands for a link that is held back while a stream is full.

    There is a longer pause between two answers in any case, and one answer comes as a whole.
    """

    def pauseProducing(self) -> None:
        """Do nothing."""

    def resumeProducing(self) -> None:
        """Do nothing."""

    def stopProducing(self) -> None:
        """Do nothing."""


class _EveryEvent(dict[WireName, bool]):
    """Wants every event; who listens is looked up when it is delivered."""

    def __missing__(self, name: WireName) -> bool:
        return True


_EVERY_EVENT: Final = _EveryEvent()


def _answer_to(action: Action) -> Response:
    return Response.of([("Response", "Success"), ("ActionID", action.action_id or "")])


def check_url(url: str) -> str:
    """
    Return the URL of a web server as it is to be used.

    :raises ValueError: it is none, or has more than a place.
    """
    parts = urlsplit(url)
    wanted = (
        parts.scheme in ("http", "https") and parts.hostname and url.isascii() and url.isprintable()
    )
    if not wanted or parts.query or parts.fragment or " " in url:
        raise ValueError("the URL of AMI over HTTP must be like http://127.0.0.1:8088")
    if "@" in parts.netloc:
        raise ValueError("the URL of AMI over HTTP must not hold the user and secret")
    if parts.port == 0:
        raise ValueError("the URL of AMI over HTTP must not name port 0")
    return url.rstrip("/?#")
