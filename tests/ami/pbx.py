"""The far end of AMI connections, in memory: it hears, and says what a test tells it to."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from txasterisk.ami.conversation import ServerConversation
from txasterisk.ami.messages import Action, Event, Response

__all__ = ["PBX", "Network"]

ADDRESS = IPv4Address("TCP", "127.0.0.1", 5038)


class Wire(StringTransport):
    """What the client writes to; it is cut in the turn after the client asked for that."""

    def __init__(self, client: IProtocol, clock: Clock) -> None:
        super().__init__()
        self.client = client
        self.clock = clock
        self.writes: list[bytes] = []
        self.cut = False

    def write(self, data: bytes) -> None:
        """Note each write."""
        self.writes.append(data)
        super().write(data)

    def loseConnection(self) -> None:
        """Close."""
        self.clock.callLater(0, self.lose, ConnectionDone())

    def abortConnection(self) -> None:
        """Close at once."""
        self.clock.callLater(0, self.lose, ConnectionAborted())

    def lose(self, reason: Exception) -> None:
        """Tell the client, once, that the connection is gone."""
        if not self.cut:
            self.cut = True
            self.client.connectionLost(Failure(reason))


class PBX:
    """One connection of a client, as the server sees it."""

    def __init__(self, client: IProtocol, clock: Clock, greeting: bool = True) -> None:
        self._client = client
        self._conversation = ServerConversation("11.0.0")
        self.wire = Wire(client, clock)
        client.makeConnection(self.wire)
        if greeting:
            self.say(self._conversation.greeting)

    @property
    def cut(self) -> bool:
        """Whether the connection is closed."""
        return self.wire.cut

    def say(self, said: bytes) -> None:
        """Send bytes, in one segment."""
        self._client.dataReceived(said)

    def hear(self) -> list[Action]:
        """Return the actions that came since the last time."""
        heard = list(self._conversation.receive(self.wire.value()))
        self.wire.clear()
        return heard

    def hear_one(self, name: str) -> Action:
        """Return the one action that came since the last time."""
        [action] = self.hear()
        assert action.name == name, f"heard {action}, not {name}"
        return action

    def answer(self, action: Action, *headers: tuple[str, str], status: str = "Success") -> None:
        """Answer an action."""
        begin = [("Response", status), ("ActionID", action["ActionID"])]
        self.say(Response.of([*begin, *headers]).serialize())

    def refuse(self, action: Action, message: str) -> None:
        """Answer an action with an error."""
        self.answer(action, ("Message", message), status="Error")

    def tell(self, name: str, *headers: tuple[str, str]) -> None:
        """Tell an event."""
        self.say(Event.of([("Event", name), *headers]).serialize())

    def close(self, reason: Exception | None = None) -> None:
        """Close the connection."""
        self.wire.lose(reason or ConnectionDone())

    def accept_login(self) -> None:
        """Let the client log in with MD5."""
        self.answer(self.hear_one("Challenge"), ("Challenge", "123456789"))
        self.answer(self.hear_one("Login"), ("Message", "Authentication accepted"))

    def refuse_login(self) -> None:
        """Do not let the client in, and close, as Asterisk does."""
        self.answer(self.hear_one("Challenge"), ("Challenge", "123456789"))
        self.refuse(self.hear_one("Login"), "Authentication failed")
        self.close()


class Network:
    """A reactor in memory, and a TCP endpoint of a server to be reached through it."""

    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", 5038)

    @property
    def attempts(self) -> int:
        """How often a connection was asked for so far."""
        return len(self.reactor.connectors)

    def accept(self, greeting: bool = True) -> PBX:
        """Let the newest attempt succeed, and return the far end."""
        client = self._newest_factory().buildProtocol(ADDRESS)
        assert client is not None
        return PBX(client, self.reactor, greeting)

    def fail(self, reason: Exception) -> None:
        """Let the newest attempt fail."""
        connector = self.reactor.connectors[-1]
        self._newest_factory().clientConnectionFailed(connector, Failure(reason))

    def given_up(self) -> bool:
        """Whether the client has given up the newest attempt."""
        stopped: bool = self.reactor.connectors[-1].stoppedConnecting
        return stopped

    def pass_by(self, seconds: float = 0.0) -> None:
        """Let time pass, and what is due at once be done."""
        self.reactor.advance(seconds)
        self.reactor.advance(0)

    def pending(self) -> list[float]:
        """Return when, in seconds from now, the delayed calls are due."""
        now = self.reactor.seconds()
        return sorted(call.getTime() - now for call in self.reactor.getDelayedCalls())

    def _newest_factory(self) -> ClientFactory:
        factory: ClientFactory = self.reactor.tcpClients[-1][2]
        return factory
