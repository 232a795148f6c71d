"""
Let several programs share one AMI connection, each with a secret of its own and few rights.

    python ami_proxy.py tcp:127.0.0.1:5038 tcp:5039:interface=127.0.0.1

Asterisk does the actions of all clients one after the other: what takes long is not for ALLOWED.
"""

import sys
from hashlib import md5
from secrets import compare_digest, randbelow
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import react
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from txasterisk import ActionFailed, AMIService, AsteriskError, Disconnected, Event, Response
from txasterisk.ami import Action, Gap
from txasterisk.ami.conversation import ServerConversation

USERS = {"desk": "desk-secret", "wallboard": "wallboard-secret"}
ALLOWED = {"coreshowchannels", "getvar", "hangup", "originate", "queuestatus", "userevent"}
PATIENCE = 10  # seconds to log in, and to take what was sent
REMEMBERED = 1000  # ActionIDs that an event may still name


class Proxy(Factory[Any]):
    def __init__(self, asterisk: AMIService) -> None:
        self.asterisk = asterisk
        self.clients: set[Client] = set()
        self.action_ids: dict[str, str | None] = {}
        asterisk.on("*", self.tell)

    def buildProtocol(self, addr: object) -> "Client":
        return Client(self)

    def remember(self, ours: str, theirs: str | None) -> None:
        self.action_ids[ours] = theirs
        if len(self.action_ids) > REMEMBERED:
            del self.action_ids[next(iter(self.action_ids))]

    def tell(self, event: Event) -> None:
        if isinstance(event, Gap):
            # Events were missed. The clients learn of that by losing their connections, too.
            while self.clients:
                self.clients.pop().transport.abortConnection()
        ours = event.get("ActionID")
        if ours in self.action_ids:
            event = event.with_action_id(self.action_ids[ours])
        classes = set((event.get("Privilege") or "").split(",")) - {"all"}
        for client in self.clients:
            if client.mask == "on" or classes <= set(client.mask.split(",")):
                client.transport.write(event.serialize())


class Client(Protocol, TimeoutMixin):
    transport: Any
    mask = "off"
    logged_in: bool | None = False  # None when the connection is over

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.turn = DeferredLock()
        self.challenge = str(randbelow(10**9))

    def connectionMade(self) -> None:
        link = self.proxy.asterisk.connection
        self.conversation = ServerConversation(link.version if link else "")
        self.transport.write(self.conversation.greeting)
        self.setTimeout(PATIENCE)

    def connectionLost(self, reason: object = None) -> None:
        self.logged_in = None
        self.setTimeout(None)
        self.proxy.clients.discard(self)

    def dataReceived(self, data: bytes) -> None:
        try:
            for action in self.conversation.receive(data):
                self.turn.run(self.perform, action).addErrback(self.give_up)
        except AsteriskError:
            self.transport.abortConnection()

    def give_up(self, failure: Failure) -> None:
        failure.trap(AsteriskError)
        self.transport.abortConnection()

    async def perform(self, action: Action) -> None:
        if self.proxy.asterisk.connection is None:
            raise Disconnected("no link to Asterisk")
        match action.name.casefold(), self.logged_in:
            case "challenge", _:
                self.reply(action, "Success", Challenge=self.challenge)
            case "login", False:
                self.log_in(action)
            case "logoff", _:
                self.reply(action, "Goodbye", Message="Goodbye")
                self.transport.loseConnection()
            case "ping", True:
                self.reply(action, "Success", Ping="Pong")
            case "events", True:
                self.mask = action.get("EventMask") or "off"
                self.reply(action, "Success")
            case name, True if name in ALLOWED:
                await self.forward(action)
            case _:
                self.reply(action, "Error", Message="Permission denied")

    def log_in(self, action: Action) -> None:
        expected, given = USERS.get(action.get("Username") or "", ""), action.get("Secret") or ""
        if expected and "Key" in action:
            expected = md5(f"{self.challenge}{expected}".encode()).hexdigest()
            given = action["Key"]
        if expected and compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            self.logged_in = True
            self.mask = action.get("Events") or "on"
            self.proxy.clients.add(self)
            self.setTimeout(None)
            self.transport.registerProducer(self, streaming=True)
            self.reply(action, "Success", Message="Authentication accepted")
        else:
            self.reply(action, "Error", Message="Authentication failed")
            self.transport.loseConnection()

    async def forward(self, action: Action) -> None:
        mine = {"action", "actionid"}
        headers = [header for header in action.headers if header[0].casefold() not in mine]
        self.transport.pauseProducing()  # one action of each client at a time
        try:
            answer = await self.proxy.asterisk.action(action.name, headers)
        except ActionFailed as error:
            answer = cast(Response, error.response)
        finally:
            self.transport.resumeProducing()
        self.proxy.remember(answer["ActionID"], action.action_id)
        answer = answer.with_action_id(action.action_id)
        for message in (answer, *answer.events):
            self.transport.write(message.serialize())

    def reply(self, action: Action, status: str, **headers: str) -> None:
        action_id = {} if action.action_id is None else {"ActionID": action.action_id}
        lines = {"Response": status, **action_id, **headers}
        self.transport.write(Response.of(lines.items()).serialize())

    # What Twisted says of the buffer for what the client has not taken yet.

    def pauseProducing(self) -> None:
        self.setTimeout(PATIENCE)

    def resumeProducing(self) -> None:
        self.setTimeout(None)

    stopProducing = resumeProducing

    def timeoutConnection(self) -> None:
        self.transport.abortConnection()


async def main(
    reactor: Any, asterisk: str = "tcp:127.0.0.1:5038", listen: str = "tcp:5039:interface=127.0.0.1"
) -> None:
    service = AMIService(clientFromString(reactor, asterisk), "admin", "secret")
    service.startService()
    await service.when_connected()
    port = await serverFromString(reactor, listen).listen(Proxy(service))
    print("listening on", port.getHost())
    await Deferred[None]()


if __name__ == "__main__":
    react(main, sys.argv[1:])
