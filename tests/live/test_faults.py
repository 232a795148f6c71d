"""Faults in the middle of heavy traffic: no Deferred is lost, and none gets another's answer."""

from __future__ import annotations

import random
from collections import Counter
from itertools import count
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.protocols.portforward import ProxyClient, ProxyClientFactory, ProxyFactory, ProxyServer
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from txasterisk import AMIFactory, AMIProtocol, AMIService
from txasterisk.ami import Gap, Response
from txasterisk.ami.keepalive import Pings
from txasterisk.errors import Disconnected

#: How many actions wait for their answer at any time.
OUTSTANDING = 200
#: How many are answered before the fault.
WARM = 500
#: The most seconds that healing may take, the start of Asterisk included.
SOON = 60.0


class Traffic:
    """
    Actions without a pause, whose answers say what was asked.

    :ivar asked: how many.
    :ivar ends: how many had their own answer, another's, were disconnected, or failed otherwise.
    """

    def __init__(self, ami: AMIService) -> None:
        self.asked = 0
        self.ends: Counter[str] = Counter()
        self.warm: Deferred[None] = Deferred()
        self._ami = ami
        self._numbers = count()
        self._running = True
        self._pending: set[Deferred[None]] = set()
        for _ in range(OUTSTANDING):
            self._ask()

    def stop(self) -> Deferred[Any]:
        """Ask nothing more, and wait for what is pending."""
        self._running = False
        return DeferredList(list(self._pending))

    def _ask(self) -> None:
        mailbox = f"{next(self._numbers)}@txasterisk"
        self.asked += 1
        asked = self._ami.mailbox_status(mailbox=mailbox).addCallbacks(
            self._answered, self._failed, callbackArgs=(mailbox,)
        )
        self._pending.add(asked)
        asked.addCallback(lambda _: self._ended(asked))

    def _answered(self, answer: Response, mailbox: str) -> None:
        self.ends["answered" if answer["Mailbox"] == mailbox else "another's answer"] += 1
        if self.ends["answered"] == WARM:
            self.warm.callback(None)

    def _failed(self, failure: Any) -> None:
        self.ends["disconnected" if failure.check(Disconnected) else str(failure.value)] += 1
        # There is no link; who asked again at once would only hear the same.
        self._running = False

    def _ended(self, asked: Deferred[None]) -> None:
        self._pending.discard(asked)
        if self._running:
            self._ask()


class FromAsterisk(ProxyClient):
    """What Asterisk sends: passed on until the relay cuts it."""

    def dataReceived(self, data: bytes) -> None:
        relay = cast(Any, self).peer.factory
        passed, relay.bytes_left = data[: relay.bytes_left], relay.bytes_left - len(data)
        super().dataReceived(passed)
        if relay.bytes_left <= 0:
            relay.cut()


class FromAsteriskFactory(ProxyClientFactory):
    """Makes the connections to Asterisk."""

    noisy = False
    protocol = FromAsterisk


class ToAsterisk(ProxyServer):
    """A connection of ours, which the relay knows."""

    clientProtocolFactory = FromAsteriskFactory

    def connectionMade(self) -> None:
        cast(Any, self).factory.relayed.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]
        cast(Any, self).factory.relayed.discard(self)
        if self.peer is not None:
            super().connectionLost(reason)


class Relay(ProxyFactory):
    """A network between us and Asterisk that can break."""

    noisy = False
    protocol = ToAsterisk

    def __init__(self, port: int) -> None:
        super().__init__(LOOPBACK, port)
        self.relayed: set[ToAsterisk] = set()
        self.bytes_left = 10**12
        self._port: Any = reactor.listenTCP(0, self, interface=LOOPBACK)
        self.endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, self._port.getHost().port)

    def cut_after(self, size: int) -> None:
        """Let so many bytes of Asterisk's pass, and then cut the connections."""
        self.bytes_left = size

    def cut(self) -> None:
        """Cut the connections that there are."""
        self.bytes_left = 10**12
        for ours in list(self.relayed):
            cast(Any, ours.transport).abortConnection()

    def lose_packets(self) -> None:
        """Let nothing pass any more on the connections that there are, nor tell so."""
        for ours in list(self.relayed):
            for side in ours, ours.peer:
                cast(Any, side).transport.pauseProducing()

    def stop(self) -> Any:
        """Close everything."""
        self.cut()
        return self._port.stopListening()


class FaultContract(TestCase):
    """What a service promises while its link breaks."""

    timeout = 120
    version: str

    def setUp(self) -> Deferred[None]:  # type: ignore[override]  # trial waits for it
        """Connect a service through a relay, with traffic and a flood of events on it."""
        return Deferred.fromCoroutine(self.set_up())

    async def set_up(self) -> None:
        """Do what is needed before the test."""
        self.asterisk = asterisk(self.version)
        self.relay = Relay(self.asterisk.ports["ami"])
        self.addCleanup(self.relay.stop)
        self.service = AMIService(
            self.relay.endpoint,
            "full",
            "full-secret",
            pings=Pings(every=1, within=1),
            back_off=lambda _: 0.2,
        )
        self.service.startService()
        self.addCleanup(self.service.stopService)
        await self.service.when_connected()
        await self.flood()
        self.traffic = Traffic(self.service)
        await self.traffic.warm
        self.gap = self.service.next("Gap", timeout=SOON)
        self.gone = self.connection.when_disconnected()

    @property
    def connection(self) -> AMIProtocol:
        """The link that the service has now."""
        assert self.service.connection is not None
        return self.service.connection

    async def flood(self) -> None:
        """Have Asterisk send events without a pause, till it is gone or the test is over."""
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(
            reactor, LOOPBACK, self.asterisk.ports["ami"]
        )
        ami = await AMIFactory("full", "full-secret", events="off").connect(endpoint)

        def send() -> None:
            for _ in range(20):
                ami.user_event(user_event="Flood").addErrback(lambda _: None)

        sending = LoopingCall(send)
        sending.start(0.01)
        self.addCleanup(ami.when_disconnected)
        self.addCleanup(ami.disconnect)
        self.addCleanup(sending.stop)

    async def assert_healed(self) -> None:
        """Every action had its own answer or was told of the loss, and it all works again."""
        gap = await self.gap
        assert isinstance(gap, Gap)
        self.assertGreater(gap.until, gap.since)
        await self.traffic.stop()
        ends = self.traffic.ends
        self.assertEqual(set(ends), {"answered", "disconnected"}, ends)
        self.assertEqual(ends.total(), self.traffic.asked)
        again = Traffic(self.service)
        await again.warm
        await again.stop()
        self.assertEqual(set(again.ends), {"answered"})

    async def test_killed(self) -> None:
        """Asterisk is killed by SIGKILL, and started again."""
        self.asterisk.kill()
        await self.gone
        await deferToThread(self.asterisk.start)
        await self.assert_healed()

    async def test_frozen(self) -> None:
        """Asterisk is stopped by SIGSTOP, which only a ping can notice, and goes on later."""
        self.asterisk.freeze()
        self.addCleanup(self.asterisk.thaw)
        self.assertIn("no answer to a ping", str(await self.gone))
        self.asterisk.thaw()
        await self.assert_healed()

    async def test_half_open(self) -> None:
        """The network loses everything without a word."""
        self.relay.lose_packets()
        self.assertIn("no answer to a ping", str(await self.gone))
        await self.assert_healed()

    async def test_cut(self) -> None:
        """The link is cut between two bytes, wherever that is."""
        self.relay.cut_after(random.randrange(1, 20_000))
        await self.gone
        await self.assert_healed()


class Fault22Tests(FaultContract):
    """Asterisk 22."""

    version = "22"


class Fault16Tests(FaultContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Fault22Tests, Fault16Tests)
