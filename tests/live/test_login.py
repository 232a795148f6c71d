"""The ways in which a real Asterisk does not let a client in, and how they are told."""

from __future__ import annotations

from typing import cast

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from txasterisk import AMIFactory, AMIProtocol
from txasterisk.errors import ActionFailed, Disconnected, LoginRefused


class LoginContract(TestCase):
    """What a client is told who cannot log in."""

    timeout = 60
    version: str

    def setUp(self) -> None:
        """Find the server."""
        self.asterisk = asterisk(self.version)
        self.endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, self.asterisk.ports["ami"])

    async def connect(self) -> AMIProtocol:
        """Return a connection that is not logged in."""
        ami = cast(AMIProtocol, await self.endpoint.connect(Factory.forProtocol(AMIProtocol)))
        self.addCleanup(ami.when_disconnected)
        self.addCleanup(ami.disconnect)
        return ami

    async def test_from_nowhere(self) -> None:
        """An address that is not permitted is refused in the same words as a wrong secret."""
        for secret in "nowhere-secret", "wrong":
            with self.assertRaisesRegex(LoginRefused, "Authentication failed"):
                await AMIFactory("nowhere", secret).connect(self.endpoint)

    async def test_in_use(self) -> None:
        """A user who may be logged in once is told so, which says nothing about the secret."""
        factory = AMIFactory("single", "single-secret")
        first = await factory.connect(self.endpoint)
        with self.assertRaisesRegex(ActionFailed, "Login Already In Use"):
            await factory.connect(self.endpoint)
        await first.logoff()
        await (await factory.connect(self.endpoint)).logoff()

    async def test_not_in_time(self) -> None:
        """Who does not log in in time is told that this is the reason."""
        gone = await (await self.connect()).when_disconnected()
        self.assertIn("when nobody has logged in in time", str(gone))

    async def test_too_many(self) -> None:
        """When too many have not logged in, the next is told that this is the reason."""
        for each in [await self.connect() for _ in range(50)]:
            await each.when_greeted()
        with self.assertRaisesRegex(Disconnected, "too many connections have not logged in"):
            await AMIFactory("full", "full-secret").connect(self.endpoint)


class Login22Tests(LoginContract):
    """Asterisk 22."""

    version = "22"


class Login16Tests(LoginContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Login22Tests, Login16Tests)
