"""One connection from Asterisk, in memory."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import AGISession, FastAGIFactory, FastAGIProtocol, Script

from . import ENVIRONMENT

__all__ = [
    "BUSY",
    "FAILURE",
    "HANGUP",
    "NOTFOUND",
    "SUCCESS",
    "Connection",
    "FastAGITestCase",
    "awaiting",
]

SUCCESS = b'SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"\n'
HANGUP = b'SET VARIABLE "TXASTERISK_STATUS" "HANGUP"\n'
FAILURE = b'SET VARIABLE "TXASTERISK_STATUS" "FAILURE"\nfailure\n'
BUSY = b'SET VARIABLE "TXASTERISK_STATUS" "BUSY"\nfailure\n'
NOTFOUND = b'SET VARIABLE "TXASTERISK_STATUS" "NOTFOUND"\nfailure\n'


class Connection:
    """Asterisk's end of a connection."""

    def __init__(self, factory: FastAGIFactory) -> None:
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 50000))
        assert protocol is not None
        self.protocol: FastAGIProtocol = protocol
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 50000))
        self.protocol.makeConnection(self.transport)

    def say(self, data: bytes) -> None:
        """Send to the script."""
        self.protocol.dataReceived(data)

    def heard(self) -> bytes:
        """What has come from the script since the last time."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def break_off(self, reason: Exception) -> None:
        """Lose the connection."""
        self.protocol.connectionLost(Failure(reason))

    @property
    def closed(self) -> bool:
        """Whether our end has closed it, after all was sent or at once."""
        return bool(self.transport.disconnecting)

    @property
    def aborted(self) -> bool:
        """Whether our end has cut it off."""
        return bool(self.transport.disconnected)


def awaiting(waiting: Deferred[object]) -> Script:
    """Return a script that awaits that."""
    return lambda _: waiting


class FastAGITestCase(SynchronousTestCase):
    """Has a factory whose only script keeps what happens to it."""

    def setUp(self) -> None:
        """Begin with a script that answers, unless the test puts another into ``self.script``."""
        self.clock = Clock()
        self.told: list[object] = []
        self.factory = FastAGIFactory({"/greet": self.greet}, clock=self.clock)

        self.script: Script = AGISession.answer

    async def greet(self, session: AGISession) -> None:
        """Run the test's script and note how it ends."""
        self.session = session
        try:
            self.told.append(await self.script(session))
        except BaseException as error:
            self.told.append(type(error))
            raise

    def call(self, script: Script | None = None) -> Connection:
        """Have Asterisk connect and describe a call that this script answers."""
        if script is not None:
            self.script = script
        connection = Connection(self.factory)
        connection.say(ENVIRONMENT)
        return connection
