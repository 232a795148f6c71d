"""The contract, fulfilled by the fake: over sockets and in memory, with clocks that hurry."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock, LoopingCall
from zope.interface import implementer

from txasterisk.testing import FakeAsterisk, contract

LOOPBACK = "127.0.0.1"
#: How much faster than real time the tests over sockets go.
HURRY = 5
#: How keys are typed then, so that a command that comes late by the real clock is not too late.
LEISURELY = ",400,100"
real: Any = the_reactor


class Server(ServerFactory):
    """The FastAGI server of the test that is running."""

    noisy = False
    behind: IProtocolFactory

    def buildProtocol(self, addr: Any) -> Any:
        return self.behind.buildProtocol(addr)


@implementer(IReactorPluggableNameResolver)
class HurryingReactor(Clock):
    """A clock that goes faster than the reactor's, with the reactor's sockets and names."""

    listenTCP = real.listenTCP
    connectTCP = real.connectTCP
    nameResolver = real.nameResolver
    installNameResolver = real.installNameResolver

    def start(self) -> None:
        self._began = real.seconds()
        self._turning = LoopingCall(self._turn)
        self._turning.start(0)

    def stop(self) -> None:
        self._turning.stop()

    def _turn(self) -> None:
        self.advance((real.seconds() - self._began) * HURRY - self.seconds())


class HurryingClock(Clock):
    """A clock that goes as fast as the reactor turns."""

    def start(self) -> None:
        self._turning = LoopingCall(self.advance, 0.01)
        self._turning.start(0)

    def stop(self) -> None:
        self._turning.stop()


class SocketPlace:
    """A fake that listens on the loopback."""

    version = "22"
    http: IStreamClientEndpoint | None = None

    def __init__(self) -> None:
        self.reactor: Any = HurryingReactor()
        self._server = Server()
        self._agi: Any = real.listenTCP(0, self._server, interface=LOOPBACK)
        variables = {"FASTAGI_PORT": str(self._agi.getHost().port)}
        self.pbx = FakeAsterisk(self.reactor, variables=variables, channelvars=("TXVAR",))
        self.pbx.listen()
        self.ami: IStreamClientEndpoint = TCP4ClientEndpoint(
            self.reactor, LOOPBACK, self.pbx.ami_port
        )
        self.ari_url = self.pbx.ari_url
        self.reactor.start()

    def serve_agi(self, factory: IProtocolFactory) -> None:
        self._server.behind = factory

    async def leave(self) -> None:
        await self.pbx.stop()
        await maybeDeferred(self._agi.stopListening)
        self.reactor.stop()

    def kill(self) -> Deferred[None]:
        return self.pbx.crash()

    def restart(self) -> Deferred[None]:
        return self.pbx.restart()


class MemoryPlace:
    """A fake without sockets."""

    version = "22"

    def __init__(self) -> None:
        self.reactor: Any = HurryingClock()
        self._server = Server()
        self.pbx = FakeAsterisk(self.reactor, channelvars=("TXVAR",))
        self.pbx.fastagi = {"127.0.0.1:4573": self._server, "127.0.0.1:1": None}
        self.ami = self.pbx.ami
        self.http: IStreamClientEndpoint | None = self.pbx.http
        self.ari_url = self.pbx.ari_url
        self.reactor.start()

    def serve_agi(self, factory: IProtocolFactory) -> None:
        self._server.behind = factory

    async def leave(self) -> None:
        await self.pbx.stop()
        self.reactor.stop()

    def kill(self) -> Deferred[None]:
        return self.pbx.crash()

    def restart(self) -> Deferred[None]:
        return self.pbx.restart()


class OverSockets(contract.AsteriskContract):
    """A fake that is reached over sockets."""

    def make_asterisk(self) -> contract.Place:
        return SocketPlace()


class InMemory(contract.AsteriskContract):
    """A fake that is reached in memory."""

    def make_asterisk(self) -> contract.Place:
        return MemoryPlace()


class SocketAMITests(OverSockets, contract.AMIContract):
    """AMI of the fake, over sockets."""


class SocketAMIByDigestTests(OverSockets, contract.AMIOverHTTPContract):
    """AMI of the fake over HTTP, over sockets, with digest authentication."""


class SocketAMIByCookieTests(OverSockets, contract.AMIOverHTTPContract):
    """AMI of the fake over HTTP, over sockets, with a cookie."""

    authentication = "MD5"


class SocketCallsTests(OverSockets, contract.CallsContract):
    """Calls that AMI places on the fake, over sockets."""


class SocketStayingOverHTTPTests(OverSockets, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with the fake that stay."""


class SocketCallsOverHTTPTests(OverSockets, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on the fake, over sockets."""


class SocketStayingTests(OverSockets, contract.StayingContract):
    """AMI links to the fake that stay, over sockets."""


class SocketAGITests(OverSockets, contract.AGIContract):
    """FastAGI of the fake, over sockets."""


class SocketAGICommandsTests(OverSockets, contract.AGICommandsContract):
    """Commands of AGI of the fake, over sockets."""


class SocketAGIVerbsTests(OverSockets, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of the fake, over sockets."""

    speed = LEISURELY


class SocketAsyncAGIVerbsTests(OverSockets, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of the fake, over sockets."""

    speed = LEISURELY


class SocketAsyncAGITests(OverSockets, contract.AsyncAGIContract):
    """AsyncAGI of the fake, over sockets."""


class SocketARITests(OverSockets, contract.ARIContract):
    """ARI of the fake, over sockets."""


class SocketHealingTests(OverSockets, contract.HealingContract):
    """Crashes of the fake, over sockets."""


class MemoryAMITests(InMemory, contract.AMIContract):
    """AMI of the fake, in memory."""


class MemoryAMIByDigestTests(InMemory, contract.AMIOverHTTPContract):
    """AMI of the fake over HTTP, in memory, with digest authentication."""


class MemoryAMIByCookieTests(InMemory, contract.AMIOverHTTPContract):
    """AMI of the fake over HTTP, in memory, with a cookie."""

    authentication = "MD5"


class MemoryCallsTests(InMemory, contract.CallsContract):
    """Calls that AMI places on the fake, in memory."""


class MemoryStayingOverHTTPTests(InMemory, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with the fake that stay."""


class MemoryCallsOverHTTPTests(InMemory, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on the fake, in memory."""


class MemoryStayingTests(InMemory, contract.StayingContract):
    """AMI links to the fake that stay, in memory."""


class MemoryAGITests(InMemory, contract.AGIContract):
    """FastAGI of the fake, in memory."""


class MemoryAGICommandsTests(InMemory, contract.AGICommandsContract):
    """Commands of AGI of the fake, in memory."""


class MemoryAGIVerbsTests(InMemory, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of the fake, in memory."""


class MemoryAsyncAGIVerbsTests(InMemory, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of the fake, in memory."""


class MemoryAsyncAGITests(InMemory, contract.AsyncAGIContract):
    """AsyncAGI of the fake, in memory."""


class MemoryARITests(InMemory, contract.ARIContract):
    """ARI of the fake, in memory."""


class MemoryHealingTests(InMemory, contract.HealingContract):
    """Crashes of the fake, in memory."""
