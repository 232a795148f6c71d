"""What the contract says of AMI over HTTP: the same, but for what is said here."""

from __future__ import annotations

import random
from functools import partial
from typing import Any, Final

from twisted.internet.defer import gatherResults

from ..._http import agent_to, pool_of
from ...ami import AMIHTTP, AMIHTTPFactory, AMIHTTPService, Event
from ...ami.digest import Digest
from ...ami.http import HTTPAuthentication
from ...ami.http_sessions import CookieSession, DigestSession, Server
from ...ami.keepalive import PINGS
from ...errors import ActionFailed, Disconnected, LoginRefused
from .ami import AMIContract
from .calls import CallsContract
from .place import SECRETS, SOON, AsteriskContract
from .staying import EitherStayingContract

__all__ = ["AMIOverHTTPContract", "CallsOverHTTPContract", "StayingOverHTTPContract"]

#: Is answered in the same way as long as a session lasts.
CHALLENGE: Final = b"Action=Challenge&AuthType=MD5"


class OverHTTP(AsteriskContract):
    """
    Logs in over HTTP.

    :cvar authentication: how.
    """

    authentication: HTTPAuthentication = "digest"

    # The sessions come as Any: the tests know them as connections.

    def http_factory(
        self, username: str = "full", secret: str | None = None, **options: Any
    ) -> AMIHTTPFactory:
        """Return what logs in over HTTP."""
        return AMIHTTPFactory(
            username,
            SECRETS[username] if secret is None else secret,
            agent=self.agent(),
            clock=self.reactor,
            **{"authentication": self.authentication, **options},
        )

    def agent(self) -> Any:
        """Return what carries requests to a place without sockets."""
        if self.place.http is None:
            return None
        return agent_to(self.place.http, self.reactor, pool_of(self.reactor, 2))

    @property
    def url(self) -> str:
        """Where AMI over HTTP is."""
        return self.place.ari_url.removesuffix("/ari")

    async def log_in(self, username: str = "full", **options: Any) -> Any:
        """Log in over HTTP; at the end of the test all channels are hung up."""
        ami = await self.http_factory(username, **options).connect(self.url)
        self.log_out_at_the_end(ami, username)
        return ami


class CallsOverHTTPContract(OverHTTP, CallsContract):
    """Calls that are placed over HTTP."""


class StayingOverHTTPContract(OverHTTP, EitherStayingContract):
    """Sessions over HTTP that stay."""

    def make_service(self, **options: Any) -> AMIHTTPService:
        """Return one that goes over HTTP."""
        return AMIHTTPService(
            self.url,
            "full",
            "full-secret",
            authentication=self.authentication,
            agent=self.agent(),
            **options,
        )


class AMIOverHTTPContract(OverHTTP, AMIContract):
    """The manager interface over HTTP."""

    async def connect_without_login(self) -> Any:
        """Return a session of nobody."""
        session = CookieSession(Server(self.url, self.agent(), self.reactor))
        ami = AMIHTTP(session, PINGS, self.reactor)
        self.addCleanup(ami.disconnect)
        return ami

    # Who you are

    async def test_login(self) -> None:
        """There are three ways to log in, and all lead to the same."""
        for authentication in ("digest", "MD5", "plain"):
            ami = await self.log_in(authentication=authentication)
            again = await ami.action("Login", {"Username": "full", "Secret": "whatever"})
            self.assertEqual(again.message, "Already authenticated")

    async def test_wrong_secret(self) -> None:
        """A wrong secret or an unknown user is refused: with a cookie after a second."""
        for username, secret in (("full", "wrong"), ("nobody", "full-secret")):
            began = self.reactor.seconds()
            connecting = self.http_factory(username, secret).connect(self.url)
            error = await self.failing(LoginRefused, connecting)
            self.assertIn(f"refused the login of {username!r}", str(error))
            if self.authentication != "digest":
                self.assertGreater(self.reactor.seconds() - began, 0.9)

    async def test_fully_booted(self) -> None:
        """Whoever has logged in is not told that it is there."""
        ami = await self.log_in()
        heard: list[Event] = []
        ami.on("FullyBooted", heard.append)
        told = ami.next("UserEvent", UserEvent="Later", timeout=SOON)
        await ami.action("UserEvent", {"UserEvent": "Later"})
        await told
        self.assertEqual(heard, [])

    # Sessions

    async def test_unknown_cookie(self) -> None:
        """A cookie that the server does not know begins a session of nobody, under another one."""
        cookie = 'mansession_id="1234abcd"'
        server = Server(self.url, self.agent(), self.reactor)
        reply = await server.post("/rawman", b"Action=Ping", ("Cookie", cookie))
        self.assertEqual(reply.body, b"Response: Error\r\nMessage: Permission denied\r\n\r\n")
        self.assertIn("mansession_id=", reply.header("Set-Cookie"))
        self.assertNotIn(cookie, reply.header("Set-Cookie"))
        await server.close()

    async def test_unknown_nonce(self) -> None:
        """A nonce that the server does not know begins another session."""
        challenges = set()
        for nonce in (f"{random.randrange(2**31):08x}" for _ in range(2)):
            session = self.session_of(nonce)
            challenges.add(await session.perform(CHALLENGE))
            self.assertIn(await session.perform(CHALLENGE), challenges)
            await session.close()
        self.assertEqual(len(challenges), 2)

    async def test_stale_nonce(self) -> None:
        """When a count is used twice, the session goes on under a new nonce."""
        nonce = f"{random.randrange(2**31):08x}"
        one, two = self.session_of(nonce), self.session_of(nonce)
        challenge = await one.perform(CHALLENGE)
        for session in (two, one, two):
            self.assertEqual(await session.perform(CHALLENGE), challenge)
        await gatherResults([one.close(), two.close()])

    def session_of(self, nonce: str) -> DigestSession:
        """Return a session with a nonce that was made up."""
        digest = Digest("full", SECRETS["full"])
        digest.challenged(f'Digest algorithm=MD5, realm="asterisk", nonce="{nonce}", qop="auth"')
        return DigestSession(Server(self.url, self.agent(), self.reactor), digest)

    # Events

    async def test_event_mask(self) -> None:
        """A mask says which classes of events come, each some time after it has happened."""
        ami = await self.log_in()
        heard: list[Event] = []
        ami.on("UserEvent", heard.append)
        for mask, says, comes in (
            ("off", "Off", 0),
            ("on", "On", 1),
            ("call", "On", 0),
            ("call,user", "On", 1),
        ):
            answer = await ami.action("Events", {"EventMask": mask}, timeout=SOON)
            self.assertEqual(answer["Events"], says)
            await self.pause(1.5)
            heard.clear()
            await ami.action("UserEvent", {"UserEvent": "X"}, timeout=SOON)
            await self.pause(1.5)
            self.assertEqual(len(heard), comes, mask)
        error = await self.failing(ActionFailed, ami.action("Events"))
        self.assertEqual(error.message, "Invalid event mask")

    async def test_no_events_from_the_beginning(self) -> None:
        """Whoever wants no events gets none."""
        ami = await self.log_in(events="off")
        heard: list[Event] = []
        ami.on("*", heard.append)
        await ami.action("UserEvent", {"UserEvent": "X"}, timeout=SOON)
        await self.pause(1.5)
        self.assertEqual(heard, [])

    async def test_flood(self) -> None:
        """Two sessions hear all of what happens, each event once and in its order."""
        here, there = await self.log_in(), await self.log_in("readonly")
        heard: list[list[str]] = []
        for ami in (here, there):
            numbers: list[str] = []
            heard.append(numbers)
            ami.on("UserEvent", partial(_note_number, numbers), UserEvent="Flood")
        told = [ami.next("UserEvent", N="299", timeout=SOON) for ami in (here, there)]
        actions = [
            here.action("UserEvent", {"UserEvent": "Flood", "N": number}, timeout=SOON)
            for number in range(300)
        ]
        await gatherResults(actions)
        await gatherResults(told)
        expected = [str(number) for number in range(300)]
        self.assertEqual(heard, [expected, expected])

    async def test_odd_bytes(self) -> None:
        """What means something in a form, and what is no text, comes back as it was sent."""
        ami = await self.log_in()
        told = ami.next("UserEvent", UserEvent="Odd", timeout=SOON)
        values = ["a&b=c+d%20;e?#", "größe ☎", "\udcff\udcfe", " both "]
        await ami.action("UserEvent", {"UserEvent": "Odd", "X": values}, timeout=SOON)
        self.assertEqual((await told).get_all("X"), values)

    # The end

    async def test_killed(self) -> None:
        """An action and an awaited event fail at once when Asterisk is killed."""
        ami = await self.log_in()
        pending = [self.originate(ami, "noanswer"), ami.next("NeverSeen"), ami.ping()]
        gone = ami.when_disconnected()
        other = await self.log_in("readonly")
        other_gone = other.when_disconnected()
        await self.pause(1.5)
        await self.place.kill()
        for waiting in pending:
            await self.failing(Disconnected, self.soon(waiting))
        await gatherResults([self.soon(gone), self.soon(other_gone)])
        await self.failing(Disconnected, ami.ping())
        await self.place.restart()


def _note_number(numbers: list[str], event: Event) -> None:
    numbers.append(event["N"])
