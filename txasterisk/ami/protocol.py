"""
One AMI connection: :class:`AMIProtocol`, and :class:`AMIFactory`, which logs it in.

The protocol turns the happenings of a :class:`ClientConversation` into Deferreds
that fire and listeners that are called; it decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar, cast
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectingCancelledError, ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from .._milestone import Milestone
from .._reactor import the_reactor
from .._subscriptions import Subscriptions
from .._tcp import watch_by_tcp
from .._time_limits import TimeLimits
from .._words import words
from ..errors import (
    AsteriskError,
    Disconnected,
    RemoteProtocolError,
    TimedOut,
)
from .conversation import Answered, ClientConversation, Happened, Question
from .keepalive import PINGS, KeepAlive, Pings
from .link import Link, refused
from .login import LOGIN_TIMEOUT, Authentication, log_in
from .messages import Event, Headers, Response
from .records import TLSWriter

__all__ = ["AMIFactory", "AMIProtocol"]

T = TypeVar("T")


class AMIProtocol(Protocol, Link):
    """
    One connection to Asterisk's manager interface.

    Mostly made by :meth:`AMIFactory.connect`, which also logs it in. Once it is logged in, a silent
    link is pinged, and taken for lost when no answer comes.

    :param pings: how a dead link is noticed.
    :param clock: measures time limits; the global reactor by default.
    :ivar version: the version of AMI that the server speaks, such as ``11.0.0``; empty before its
        greeting.
    """

    def __init__(self, *, pings: Pings = PINGS, clock: IReactorTime | None = None) -> None:
        Link.__init__(self, the_reactor(clock))
        self._logged_in = False
        self._conversation: ClientConversation[_Answer] = ClientConversation(
            self._subscriptions.by_name, prefix=uuid4().hex[:12]
        )
        self._limits: TimeLimits[Question[_Answer]] = TimeLimits(self._clock, self._too_late)
        self._keep_alive = KeepAlive(
            self._clock,
            pings,
            ping=lambda seconds: self.ping(timeout=seconds),
            silence=lambda: self._conversation.silence,
            dead=self._abort,
        )
        self._tls: TLSWriter | None = None
        self._send: Callable[[bytes], object]
        self._greeted: Milestone[str] = Milestone()
        self._give_up = self._forget

    def when_greeted(self) -> Deferred[str]:
        """
        Wait for the server's greeting.

        :return: fires with the version of AMI; fails with
            :class:`RemoteProtocolError` when it is no AMI that answers, and
            with :class:`Disconnected`. Cancelling stops waiting.
        """
        return self._greeted.when()

    def login(
        self,
        username: str,
        secret: str,
        *,
        authentication: Authentication = "MD5",
        events: str | None = None,
        timeout: float | None = LOGIN_TIMEOUT,
    ) -> Deferred[Response]:
        """
        Log in (AMI ``Challenge`` and ``Login``).

        :param username: a user of Asterisk's ``manager.conf``.
        :param secret: its secret; with ``MD5`` it does not cross the wire.
        :param authentication: ``MD5``, or ``plain`` for what cannot answer a challenge.
        :param events: which classes of events to send, such as ``call,system``, or ``off``;
            everything that the user may read by default.
        :param timeout: the most seconds to wait for each answer.
        :return: fires with the answer; fails with :class:`LoginRefused`, with
            :class:`ActionFailed` when Asterisk cannot log in anybody now,
            :class:`TimedOut` or :class:`Disconnected`.
            Cancelling stops waiting; the connection is then of no more use.
        """
        return Deferred.fromCoroutine(
            self._login(username, secret, authentication, events, timeout)
        )

    def logoff(self, *, timeout: float | None = None) -> Deferred[None]:
        """See :meth:`Link.logoff`."""
        return Deferred.fromCoroutine(self._log_off(timeout))

    def disconnect(self) -> None:
        """
        End the connection: nothing more is sent or delivered.

        Everything pending fails with ``Disconnected`` as soon as the reactor has closed it.
        """
        self._abort(ConnectionAborted())

    def lend(self, subscriptions: Subscriptions[Event]) -> None:
        """See :meth:`Link.lend`."""
        super().lend(subscriptions)
        self._conversation.wanted = subscriptions.by_name

    @property
    def heard_at(self) -> float:
        """See :attr:`Link.heard_at`."""
        return self._keep_alive.heard_at

    def connectionMade(self) -> None:
        """Have the link watched by TCP, and made fit for TLS if it is that."""
        watch_by_tcp(self.transport)
        self._hold_back(cast(IPushProducer, self.transport))
        self._send = self._wire.write
        if ISSLTransport.providedBy(self.transport):
            self._tls = TLSWriter(self._wire, self._clock)
            self._send = self._tls.write

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the wire."""
        if self._is_over():
            return
        self._keep_alive.heard_at = self._clock.seconds()
        try:
            for happening in self._conversation.receive(data):
                if isinstance(happening, Happened):
                    self._subscriptions.deliver(happening.name, happening.event)
                elif isinstance(happening, Answered):
                    self._answer(happening.question, happening.response)
                else:
                    self.version = happening.version
                    self._greeted.reach(happening.version)
                # Looked at before the next happening is taken out: that may be an answer, which
                # would be lost.
                if self._is_over():
                    return
        except RemoteProtocolError as error:
            self._abort(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail everything that still waits for the peer."""
        cause = self._gone = self._gone or reason.value
        self._limits.clear()
        self._keep_alive.stop()
        self._hold_back(None)
        if self._tls is not None:
            self._tls.stop()
        # The service learns of it first, so that whoever is told below and waits for the next
        # connection does not find this one.
        self._disconnected.reach(self._error())
        self._greeted.miss(cause if isinstance(cause, RemoteProtocolError) else self._error())
        for question in self._conversation.end():
            # One that is told may have cancelled others.
            if not question.asker.called:
                question.asker.errback(self._error())
        self._own.fail(self._error())

    def __repr__(self) -> str:
        state = "disconnected" if self._gone else f"AMI {self.version}" if self.version else "new"
        return f"<AMIProtocol, {state}>"

    def _is_over(self) -> bool:
        return self._gone is not None

    @property
    def _wire(self) -> ITCPTransport:
        return cast(ITCPTransport, self.transport)

    def _abort(self, cause: BaseException) -> None:
        if self._gone is None:
            self._gone = cause
            self._wire.abortConnection()

    def _error(self) -> Disconnected:
        if self._gone is None:
            return Disconnected("there is no AMI connection yet")
        if not self.version and isinstance(self._gone, ConnectionDone):
            return Disconnected(
                "closed without a greeting, as Asterisk does when too many connections have not "
                "logged in",
                self._gone,
            )
        if not self._logged_in and isinstance(self._gone, ConnectionDone):
            return Disconnected(
                "closed before the login, as Asterisk does when nobody has logged in in time",
                self._gone,
            )
        return Disconnected(f"the AMI connection is gone: {words(self._gone)}", self._gone)

    async def _login(
        self,
        username: str,
        secret: str,
        authentication: Authentication,
        events: str | None,
        timeout: float | None,
    ) -> Response:
        accepted = await log_in(self.action, username, secret, authentication, events, timeout)
        self._logged_in = True
        self._keep_alive.start()
        return accepted

    async def _log_off(self, timeout: float | None) -> None:
        await self.action("Logoff", timeout=timeout)
        # Asterisk closes now; should it not, we do.
        self.disconnect()
        await self.when_disconnected()

    def _ask(
        self,
        name: str,
        headers: Headers,
        timeout: float | None,
        item: Callable[[Event], object] | None,
    ) -> Deferred[Response]:
        if self._gone is not None or self.transport is None:
            return fail(self._error())
        waiting = _Answer(self._give_up)
        try:
            waiting.question, wire = self._conversation.begin(name, headers, waiting, item)
        except AsteriskError as error:
            return fail(error)
        if timeout is not None:
            self._limits.start(waiting.question, timeout)
        self._send(wire)
        return waiting

    def _answer(self, question: Question[_Answer], response: Response) -> None:
        self._limits.stop(question)
        waiting = question.asker
        # Otherwise the two would hold each other until the garbage collector finds them.
        del waiting.question
        if response.failed:
            waiting.errback(refused(question.action, response))
        else:
            waiting.callback(response)

    def _forget(self, waiting: Deferred[Response]) -> None:
        assert isinstance(waiting, _Answer)
        self._limits.stop(waiting.question)
        self._conversation.forget(waiting.question)

    def _too_late(self, question: Question[_Answer]) -> None:
        self._conversation.forget(question)
        question.asker.errback(TimedOut(f"no answer to {question.action} in time"))


class _Answer(Deferred[Response]):
    """
    What an action returns; knows its question, for the canceller.

    A closure that knows it would be three more objects for each outstanding action; with a
    thousand of them the garbage collector makes that a fifth of what an action costs.
    """

    question: Question[_Answer]


class AMIFactory(Factory):
    """
    Make AMI connections that log in with the same credentials.

    :param username: a user of Asterisk's ``manager.conf``.
    :param secret: its secret.
    :param authentication: ``MD5``, or ``plain`` for what cannot answer a challenge.
    :param events: which classes of events to send; see :meth:`AMIProtocol.login`.
    :param pings: how a dead link is noticed.
    :param clock: measures time limits; the global reactor by default.
    """

    noisy = False

    def __init__(
        self,
        username: str,
        secret: str,
        *,
        authentication: Authentication = "MD5",
        events: str | None = None,
        pings: Pings = PINGS,
        clock: IReactorTime | None = None,
    ) -> None:
        self.username = username
        self._secret = secret
        self._authentication: Authentication = authentication
        self._events = events
        self._pings = pings
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> AMIProtocol:
        """Make the protocol of a new connection, which is not logged in yet."""
        return AMIProtocol(pings=self._pings, clock=self._clock)

    def connect(
        self, endpoint: IStreamClientEndpoint, *, timeout: float = LOGIN_TIMEOUT
    ) -> Deferred[AMIProtocol]:
        """
        Connect and log in.

        :param endpoint: where Asterisk listens, such as what
            ``clientFromString(reactor, "tcp:localhost:5038")`` returns, or ``tls:…:5039``.
        :param timeout: the most seconds to wait for the connection, for the greeting, and for each
            answer of the login.
        :return: fires with the :class:`AMIProtocol`, logged in; fails with
            :class:`Disconnected` when there is no connection or it is closed,
            :class:`RemoteProtocolError` when it is no AMI that answers,
            :class:`LoginRefused`, :class:`ActionFailed` when
            Asterisk cannot log in anybody now, and :class:`TimedOut`.
            Cancelling ends the attempt and the connection.
        """
        return Deferred.fromCoroutine(self._connect(endpoint, timeout))

    def __repr__(self) -> str:
        return f"<AMIFactory for {self.username}>"

    async def _connect(self, endpoint: IStreamClientEndpoint, timeout: float) -> AMIProtocol:
        protocol = await self._open(endpoint, timeout)
        try:
            await self._within(timeout, protocol.when_greeted(), "no AMI greeting")
            await protocol.login(
                self.username,
                self._secret,
                authentication=self._authentication,
                events=self._events,
                timeout=timeout,
            )
        except BaseException:
            protocol.disconnect()
            raise
        return protocol

    async def _open(self, endpoint: IStreamClientEndpoint, timeout: float) -> AMIProtocol:
        try:
            opening = endpoint.connect(self)
            protocol = await self._within(timeout, opening, "no connection")
        except (AsteriskError, CancelledError):
            raise
        except ConnectingCancelledError:
            raise CancelledError
        except Exception as error:
            raise Disconnected(f"no AMI connection: {words(error)}", error)
        assert isinstance(protocol, AMIProtocol)
        return protocol

    def _within(self, seconds: float, waiting: Deferred[T], lacking: str) -> Deferred[T]:
        def too_late(_: object, __: float) -> NoReturn:
            raise TimedOut(f"{lacking} within {seconds:g} seconds")

        return waiting.addTimeout(seconds, the_reactor(self._clock), too_late)
