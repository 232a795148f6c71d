"""A list of 100,000 items from a real Asterisk, read item by item."""

from __future__ import annotations

from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import deferLater
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from txasterisk import AMIFactory
from txasterisk.ami import Event
from txasterisk.errors import EventsLost

AT_ONCE = 1000
FAMILY = "txasterisk-long"


class LongListContract(TestCase):
    """What holds for a list that is longer than anyone wants to keep."""

    timeout = 120
    version: str

    async def fill(self, items: int) -> None:
        """Log in, and write so many items into Asterisk's database."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, asterisk(self.version).ports["ami"])
        self.ami = await AMIFactory("full", "full-secret", events="off").connect(endpoint)
        self.addCleanup(self.ami.logoff)
        self.addCleanup(lambda: self.ami.db_del_tree(family=FAMILY))
        for first in range(0, items, AT_ONCE):
            keys = [str(number) for number in range(first, first + AT_ONCE)]
            await gatherResults([self.ami.db_put(family=FAMILY, key=key, val="x") for key in keys])

    async def test_long_list(self) -> None:
        """Who reads as it comes gets all of it, though a hundredth of it is kept at most."""
        await self.fill(100_000)
        seen: set[str] = set()
        async for item in self.ami.list("DBGetTree", {"Family": FAMILY}, limit=AT_ONCE):
            seen.add(item["Key"])
        self.assertEqual(len(seen), 100_000)

    async def test_slow_reader(self) -> None:
        """Who reads too slowly is told how much was lost, and the link is none the worse."""
        await self.fill(20_000)
        read: list[Event] = []
        with self.assertRaises(EventsLost) as lost:
            async for item in self.ami.list("DBGetTree", {"Family": FAMILY}, limit=AT_ONCE):
                read.append(item)
                if len(read) % 100 == 0:
                    await deferLater(reactor, 0.01)
        self.assertGreater(lost.exception.count, 0)
        self.assertLessEqual(len(read) + lost.exception.count, 20_000)
        await self.ami.ping(timeout=10)


class LongList22Tests(LongListContract):
    """Asterisk 22."""

    version = "22"


class LongList16Tests(LongListContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(LongList22Tests, LongList16Tests)
