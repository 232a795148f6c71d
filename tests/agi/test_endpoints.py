"""FastAGI over every kind of stream that Twisted has: real sockets, and a real TLS."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    serverFromString,
    wrapClientTLS,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.internet.task import Clock, deferLater
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from tests.processes import Program, ProgramTestCase
from txasterisk._tcp import socket_of
from txasterisk.agi import AGISession, FastAGIFactory, FastAGIProtocol, FastAGIService, Script
from txasterisk.agi.protocol import CLOSING_TIMEOUT, ENVIRONMENT_TIMEOUT

from . import ENVIRONMENT
from .caller import Caller
from .certificate import self_signed
from .fastagi import SUCCESS

reactor: Any = the_reactor


class Noting(FastAGIFactory):
    """
    A factory that tells of connections.

    :ivar came: has one for each that was accepted.
    :ivar went: has one for each that is gone.
    """

    def __init__(self, script: Script, clock: Clock) -> None:
        super().__init__({"/greet": script}, clock=clock)
        self.came: DeferredQueue[FastAGIProtocol] = DeferredQueue()
        self.went: DeferredQueue[FastAGIProtocol] = DeferredQueue()

    def opened(self, connection: FastAGIProtocol) -> None:
        super().opened(connection)
        self.came.put(connection)

    def closed(self, connection: FastAGIProtocol) -> None:
        super().closed(connection)
        reactor.callLater(0, self.went.put, connection)


class EndpointTestCase(TestCase):
    """Has a service that listens, with a clock of its own for the time limits."""

    timeout = 30

    async def listen(self, description: str) -> Any:
        """Listen there, and return the address."""
        self.clock = Clock()
        self.factory = Noting(self.greet, self.clock)
        endpoint = serverFromString(reactor, description)
        service = FastAGIService(endpoint, self.factory, clock=self.clock, grace=0)
        service.startService()
        self.addCleanup(service.stopService)
        return (await service.when_listening()).getHost()

    async def greet(self, session: AGISession) -> None:
        """Answer the call."""
        self.carrier: Any = session._carrier
        await session.answer()

    async def assert_call(self, endpoint: IStreamClientEndpoint) -> None:
        """Fail unless a call is answered there, with one write for each command."""
        caller = await connectProtocol(endpoint, Caller())
        self.assertEqual(await caller.over, [b"ANSWER\n", SUCCESS])
        await self.factory.went.get()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def lines(self, endpoint: IStreamClientEndpoint, peer: Protocol) -> list[str]:
        """Return what is logged until a peer is gone."""
        with capturedLogs() as logs:
            await connectProtocol(endpoint, peer)
            await self.factory.went.get()
        ours = [log for log in logs if log["log_namespace"].startswith("txasterisk")]
        return [str(formatEvent(log)) for log in ours]


class Leaving(Protocol):
    """A peer that goes at once."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class Saying(Protocol):
    """
    A peer that says something at once, and then nothing more.

    :ivar heard: fires with the first answer.
    """

    transport: Any

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.heard: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.words)

    def dataReceived(self, data: bytes) -> None:
        if not self.heard.called:
            self.heard.callback(data)


class TCPTests(EndpointTestCase):
    """``tcp:``"""

    async def test_a_call(self) -> None:
        """A call over IPv4."""
        port = (await self.listen("tcp:0:interface=127.0.0.1")).port
        await self.assert_call(clientFromString(reactor, f"tcp:127.0.0.1:{port}"))

    async def test_ipv6(self) -> None:
        """A call over IPv6, whose addresses are in brackets."""
        port = (await self.listen("tcp6:0:interface=\\:\\:1")).port
        there = clientFromString(reactor, f"tcp:\\:\\:1:{port}")
        await self.assert_call(there)
        [line] = await self.lines(there, Leaving())
        self.assertRegex(line, r"^\[::1\]:\d+ left before it had described a call$")


class ReadingTests(EndpointTestCase):
    """A peer that does not read."""

    async def greet(self, session: AGISession) -> None:
        """Say more than a peer can take that does not read."""
        self.carrier = session._carrier
        self.carrier.transport.pauseProducing = self.pause
        while True:
            await session.verbose("x" * 2000)

    def pause(self) -> None:
        """Do what the transport would, and tell of it."""
        type(self.carrier.transport).pauseProducing(self.carrier.transport)
        self.paused.callback(None)

    async def test_it_is_not_read_either(self) -> None:
        """What waits to be sent to it does not grow with what it says."""
        self.paused: Deferred[None] = Deferred()
        port = (await self.listen("tcp:0:interface=127.0.0.1")).port
        there = clientFromString(reactor, f"tcp:127.0.0.1:{port}")
        peer = await connectProtocol(there, Saying(ENVIRONMENT))
        await peer.heard
        peer.transport.pauseProducing()
        while not self.paused.called:
            self.carrier.dataReceived(b"200 result=1\n")
            await deferLater(reactor, 0)
        self.assertNotIn(self.carrier.transport, reactor.getReaders())
        peer.transport.resumeProducing()
        while self.carrier.transport not in reactor.getReaders():
            await deferLater(reactor, 0)
        peer.transport.abortConnection()
        await self.factory.went.get()


class TLSTests(EndpointTestCase):
    """``ssl:``"""

    async def set_up(self) -> None:
        """Listen with a certificate that the client knows."""
        key, certificate = self_signed("localhost")
        pem = Path(self.mktemp())
        pem.write_bytes(key + certificate)
        description = f"ssl:0:privateKey={pem}:interface=127.0.0.1"
        self.port = (await self.listen(description)).port
        known = trustRootFromCertificates([Certificate.loadPEM(certificate)])
        self.plain = clientFromString(reactor, f"tcp:127.0.0.1:{self.port}")
        self.tls = wrapClientTLS(optionsForClientTLS("localhost", known), self.plain)

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits for it
        """Begin."""
        return Deferred.fromCoroutine(self.set_up())

    def tearDown(self) -> None:
        """Twisted hands keys and certificates to pyOpenSSL as it likes them no more."""
        for warning in self.flushWarnings():
            self.assertIn("Passing pyOpenSSL", warning["message"])

    async def test_a_call(self) -> None:
        """A call is the same as without."""
        await self.assert_call(self.tls)

    async def test_keepalive(self) -> None:
        """TCP watches over a call beneath TLS."""
        caller = await connectProtocol(self.tls, Saying(ENVIRONMENT))
        await caller.heard
        beneath = socket_of(self.carrier.transport)
        assert beneath is not None
        self.assertEqual(beneath.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
        self.carrier.abort()
        await self.factory.went.get()

    async def test_a_peer_without_tls(self) -> None:
        """Who speaks in the clear is a line in the log."""
        [line] = await self.lines(self.plain, Saying(ENVIRONMENT))
        self.assertRegex(line, r"^127\.0\.0\.1:\d+ left before it had described a call$")

    async def test_a_handshake_that_does_not_end(self) -> None:
        """The time for the description begins with the connection."""
        silent = Saying(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        await connectProtocol(self.plain, silent)
        await self.factory.came.get()
        self.clock.advance(ENVIRONMENT_TIMEOUT)
        await self.factory.went.get()

    async def test_a_peer_that_does_not_say_farewell(self) -> None:
        """One that does not answer the end of TLS is cut off after a time."""
        caller = await connectProtocol(self.tls, Saying(ENVIRONMENT))
        await caller.heard
        caller.transport.pauseProducing()
        self.carrier.dataReceived(b"200 result=0\n")
        self.clock.advance(CLOSING_TIMEOUT)
        await self.factory.went.get()
        caller.transport.abortConnection()


class UnixTests(EndpointTestCase):
    """``unix:``"""

    async def test_a_call(self) -> None:
        """A call over a socket of the file system, by whose path the peer goes in the log."""
        path = f"{self.mktemp()}.sock"
        await self.listen(f"unix:{path}")
        there = clientFromString(reactor, f"unix:{path}")
        await self.assert_call(there)
        [line] = await self.lines(there, Leaving())
        self.assertEqual(line, f"a client of {path} left before it had described a call")


class SystemdTests(ProgramTestCase):
    """``systemd:``, where the socket is there before the daemon is."""

    def listen(self, listening: socket.socket, domain: str) -> Program:
        """Start a daemon that has this socket from systemd."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "txasterisk.toml").write_text(
            f'[fastagi.calls]\nlisten = "systemd:domain={domain}:index=0"\n'
            'routes = { "/greet" = "systemd_test_calls:greet" }\n'
        )
        (folder / "systemd_test_calls.py").write_text(
            "async def greet(call):\n    await call.answer()\n"
        )
        listening.listen()
        self.addCleanup(listening.close)
        # The process that systemd starts is told its own number.
        start = (
            "import os; os.environ['LISTEN_PID'] = str(os.getpid());"
            "from twisted.scripts.twistd import run; run()"
        )
        options = ("-c", start, "-n", "--pidfile=", "asterisk")
        return self.run_with_socket(listening.fileno(), *options, cwd=folder)

    async def assert_call(self, daemon: Program, endpoint: str) -> None:
        """Fail unless a call is answered, which may come before the daemon listens."""
        caller = await connectProtocol(clientFromString(reactor, endpoint), Caller())
        await daemon.says("fastagi.calls: listening on")
        self.assertEqual(await caller.over, [b"ANSWER\n", SUCCESS])
        daemon.terminate()
        self.assertEqual(await daemon.ended, 0)

    async def test_tcp(self) -> None:
        """A call over a TCP socket that systemd has opened."""
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        daemon = self.listen(listening, "INET")
        await self.assert_call(daemon, f"tcp:127.0.0.1:{port}")
        self.assertIn(f"fastagi.calls: listening on 127.0.0.1:{port}", daemon.output)

    async def test_unix(self) -> None:
        """A call over a Unix socket that systemd has opened."""
        path = str(Path(self.mktemp()).absolute())
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        daemon = self.listen(listening, "UNIX")
        await self.assert_call(daemon, f"unix:{path}")
        self.assertIn(f"fastagi.calls: listening on {path}", daemon.output)
