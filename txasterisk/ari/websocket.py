"""
autobahn behind one small adapter: whole messages in, whole messages out, and one ending.

autobahn reads and writes frames; the rest is here, so that it runs on the clock that is handed in
and ends in our errors: the handshake and its time limit, the pings, and what is told when it is
over. Asterisk never pings, so a dead link is noticed only by a ping of ours; and a pong that it
did not ask for may crash a new one, so none is ever sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._milestone import Milestone
from .._words import words
from ..errors import AsteriskError, Disconnected, RemoteProtocolError, TimedOut
from .messages import MAX_EVENT, Request, Response

__all__ = ["MAX_HANDSHAKE", "WebSocket", "connect"]

#: The most bytes of the answer to the handshake; Asterisk's has some 200, a proxy's page a few
#: thousand, and a peer that never ends it must not fill the memory.
MAX_HANDSHAKE: Final = 1 << 16

#: Seconds that the peer has to answer our goodbye. Asterisk does it at once.
CLOSING_TIME: Final = 2.0

#: Seconds between a pong and the next ping, and what a pong may take. Together they say how long a
#: dead link goes unnoticed; a server that is busy for ten seconds has lost the events anyway.
PING_EVERY: Final = 20.0
PONG_WITHIN: Final = 10.0

_log = Logger()


class WebSocket:
    """
    One WebSocket, from the handshake to its end.

    :param receive: called with each whole message. What it raises is logged, and harms nothing.
    :param clock: measures the pings.
    :param ping_every: seconds between a pong and the next ping.
    :param pong_within: seconds that a pong may take, before the link is taken for dead.
    """

    def __init__(
        self,
        receive: Callable[[bytes], object],
        clock: IReactorTime,
        *,
        ping_every: float = PING_EVERY,
        pong_within: float = PONG_WITHIN,
    ) -> None:
        self._receive = receive
        self._clock = clock
        self._ping_every = ping_every
        self._pong_within = pong_within
        self._frames: Any = None
        self._opening: Deferred[WebSocket] | None = Deferred(self._give_up)
        self._heard = False
        self._timer: IDelayedCall | None = None
        self._closing = False
        self._ended: Disconnected | None = None
        self._closed: Milestone[Disconnected] = Milestone()

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._opening is None and self._ended is None

    def send(self, message: bytes) -> None:
        """
        Send one whole message as text.

        :raises Disconnected: the WebSocket is closed.
        """
        if not self.open:
            raise Disconnected("the WebSocket is closed", self._ended)
        self._frames.sendMessage(message)

    def close(self) -> Deferred[Disconnected]:
        """
        Say goodbye and close.

        :return: fires when it is closed, after two seconds at the latest, as :meth:`when_closed`.
        """
        self._closing = True
        if self.open:
            self._frames.sendClose(WebSocketProtocol.CLOSE_STATUS_CODE_NORMAL)
            self._later(CLOSING_TIME, self._abort)
        elif self._ended is None:
            self.fail(Disconnected("the WebSocket was closed"))
        return self.when_closed()

    def when_closed(self) -> Deferred[Disconnected]:
        """
        Wait for the end.

        :return: a Deferred of your own that fires with the error that pending requests fail with:
            :class:`txasterisk.errors.Disconnected`, which keeps the reason. Cancelling it
            forgets it.
        """
        return self._closed.when()

    def fail(self, error: AsteriskError) -> None:
        """End at once, for that reason, which is told to those who wait."""
        if self._ended is not None:
            return
        ended = error if isinstance(error, Disconnected) else Disconnected(str(error), error)
        self._ended = ended
        self._stop_timer()
        self._abort()
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.errback(error)
        self._closed.reach(ended)

    # ---- what the frames tell

    def _opened(self) -> None:
        self._later(self._ping_every, self._ping)
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.callback(self)

    def _message(self, message: bytes) -> None:
        try:
            self._receive(message)
        except Exception:
            _log.failure("While receiving a message")

    def _pong(self) -> None:
        if self.open:
            self._later(self._ping_every, self._ping)

    def _lost(self, reason: BaseException, code: int | None, why: str | None) -> None:
        if self._closing:
            self.fail(Disconnected("the WebSocket was closed"))
        elif code is not None:
            self.fail(Disconnected(f"the server closed the link: {code} {why or ''}".rstrip()))
        else:
            said = "" if isinstance(reason, ConnectionDone) else f": {words(reason)}"
            self.fail(Disconnected(f"the connection was lost{said}", reason))

    # ---- time

    def _ping(self) -> None:
        self._heard = False
        self._later(self._pong_within, self._no_pong)
        self._frames.sendPing()

    def _no_pong(self) -> None:
        if self._heard:
            # Whatever it was, the link is alive; the pong stands behind it in the queue.
            self._later(self._ping_every, self._ping)
            return
        silence = TimedOut(f"no answer to a ping within {self._pong_within:g} seconds")
        self.fail(Disconnected(f"the link is dead: {silence}", silence))

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._stop_timer()
        self._timer = self._clock.callLater(seconds, call)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _abort(self) -> None:
        if self._frames is not None:
            self._frames.transport.abortConnection()

    def _give_up(self, opening: Deferred[WebSocket]) -> None:
        self._opening = None
        self.fail(Disconnected("nobody waits for the handshake any more"))


def connect(
    endpoint: IStreamClientEndpoint,
    url: str,
    receive: Callable[[bytes], object],
    clock: IReactorTime,
    *,
    headers: Mapping[str, str],
    protocol: str = "ari",
    timeout: float = 10.0,
    ping_every: float = PING_EVERY,
    pong_within: float = PONG_WITHIN,
) -> Deferred[WebSocket]:
    """
    Connect to a WebSocket server.

    :param endpoint: where it is.
    :param url: what it is asked for, beginning with ``ws:`` or ``wss:``.
    :param receive: called with each whole message.
    :param clock: measures the time limits.
    :param headers: sent with the handshake, such as the credentials.
    :param protocol: the sub-protocol to speak.
    :param timeout: the most seconds until the handshake is done.
    :param ping_every: as for :class:`WebSocket`.
    :param pong_within: as for :class:`WebSocket`.
    :return: fires with the open WebSocket. Fails with :class:`txasterisk.errors.LoginRefused` or
        another :class:`txasterisk.errors.RequestFailed` if the server refuses, with
        :class:`txasterisk.errors.RemoteProtocolError` if it speaks something else,
        :class:`txasterisk.errors.TimedOut` if it is silent, and
        :class:`txasterisk.errors.Disconnected` if it cannot be reached or hangs up. Cancelling
        it drops the connection.
    """
    socket = WebSocket(receive, clock, ping_every=ping_every, pong_within=pong_within)
    opening = socket._opening
    assert opening is not None
    factory = _Factory(
        url, protocols=[protocol], headers=dict(headers), useragent="txasterisk", reactor=clock
    )
    factory.socket = socket
    connecting = endpoint.connect(factory)

    def unreachable(failure: Failure) -> None:
        reason = failure.value or ConnectError()
        socket.fail(Disconnected(f"cannot connect: {words(reason)}", reason))

    def too_late() -> None:
        socket.fail(TimedOut(f"no WebSocket within {timeout:g} seconds"))

    def done(result: Any) -> Any:
        if limit.active():
            limit.cancel()
        connecting.cancel()
        return result

    limit = clock.callLater(timeout, too_late)
    connecting.addErrback(unreachable)
    return opening.addBoth(done)


class _Silence:
    """autobahn logs every refusal, and the credentials in its debug lines; we say it once."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class _Frames(WebSocketClientProtocol):
    """autobahn's side: frames to messages, everything that goes wrong to one error."""

    log = _Silence()

    def __init__(self, socket: WebSocket) -> None:
        super().__init__()
        self._socket = socket
        socket._frames = self

    def dataReceived(self, data: bytes) -> None:
        self._socket._heard = True
        try:
            if self.state == WebSocketProtocol.STATE_CONNECTING:
                self._refuse_what_is_no_handshake(data)
            super().dataReceived(data)
        except RemoteProtocolError as error:
            self._socket.fail(error)
        except Exception as error:
            self._socket.fail(RemoteProtocolError(f"no WebSocket: {error}"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._socket._lost(
            reason.value or ConnectionDone(), self.remoteCloseCode, self.remoteCloseReason
        )

    def onOpen(self) -> None:
        self._socket._opened()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._socket._message(payload)

    def onPong(self, payload: bytes) -> None:
        self._socket._pong()

    def failHandshake(self, reason: str) -> None:
        self._socket.fail(_refusal(self.factory.resource, self.data, reason))

    def _fail_connection(self, code: int = 1002, reason: str = "") -> None:
        self._socket.fail(Disconnected(reason, RemoteProtocolError(reason)))

    def _refuse_what_is_no_handshake(self, data: bytes) -> None:
        start = (self.data + data)[:40]
        if start[:5] != b"HTTP/"[: len(start)]:
            line = start.partition(b"\r\n")[0]
            raise RemoteProtocolError(f"the server does not speak HTTP but says {line!r}")
        if len(self.data) + len(data) > MAX_HANDSHAKE:
            raise RemoteProtocolError(f"a handshake of more than {MAX_HANDSHAKE} bytes")


class _Factory(WebSocketClientFactory):
    """Builds the frames of one WebSocket, with all of autobahn's own timers off."""

    log = _Silence()
    noisy = False
    socket: WebSocket

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setProtocolOptions(
            # The JSON decoder refuses bad UTF-8 anyway, at a quarter of the cost.
            utf8validateIncoming=False,
            maxFramePayloadSize=MAX_EVENT,
            maxMessagePayloadSize=MAX_EVENT,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
            autoPingInterval=0,
            tcpNoDelay=True,
        )

    def buildProtocol(self, _: object) -> _Frames:
        frames = _Frames(self.socket)
        frames.factory = self
        return frames


def _refusal(resource: str, answer: bytes, reason: str) -> AsteriskError:
    """Make an error of an answer that is not the end of a handshake."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("iso-8859-1").split("\r\n")
    status = lines[0].split()[1:2]
    if not status or not status[0].isdecimal() or status[0] == "101":
        return RemoteProtocolError(f"the server does not shake hands: {reason}")
    headers = [line.partition(":") for line in lines[1:]]
    types = [value.strip() for name, _, value in headers if name.lower() == "content-type"]
    response = Response(int(status[0]), types[0] if types else "", body)
    return response.refusal(Request("GET", resource, None))
