"""AMI over TLS, whose records make a real Asterisk stall if they are too large; and over https."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from txasterisk import AMIFactory, AMIProtocol, Disconnected
from txasterisk.ami import AMIHTTPFactory


class TLSContract(TestCase):
    """What is said over TLS is answered."""

    timeout = 30
    version: str

    async def log_in(self) -> AMIProtocol:
        """Log in, with the certificate checked."""
        server = asterisk(self.version)
        authority = Certificate.loadPEM(Path(server.paths["ca"]).read_bytes())
        options = optionsForClientTLS("localhost", trustRootFromCertificates([authority]))
        plain = HostnameEndpoint(reactor, LOOPBACK, server.ports["ami_tls"])
        ami = await AMIFactory("tls", "tls-secret").connect(wrapClientTLS(options, plain))
        self.addCleanup(ami.logoff)
        return ami

    async def test_an_endpoint_string_names_the_authority(self) -> None:
        """``trustRoots`` is a directory with certificates of authorities, and others are none."""
        server = asterisk(self.version)
        authorities = Path(self.mktemp())
        authorities.mkdir()
        place = f"tls:localhost:{server.ports['ami_tls']}:trustRoots={authorities}"
        factory = AMIFactory("tls", "tls-secret")
        with self.assertRaisesRegex(Disconnected, "certificate verify failed"):
            await factory.connect(clientFromString(reactor, place))
        (authorities / "ca.pem").write_bytes(Path(server.paths["ca"]).read_bytes())
        ami = await factory.connect(clientFromString(reactor, place))
        await ami.logoff()

    async def test_a_large_action_is_answered(self) -> None:
        """An action of 3 kB is answered, with nothing sent behind it."""
        ami = await self.log_in()
        headers = {"UserEvent": "Large", **{f"Header{n}": "x" * 240 for n in range(12)}}
        told = ami.next("UserEvent", UserEvent="Large", timeout=10)
        await ami.action("UserEvent", headers, timeout=10)
        self.assertEqual((await told)["Header11"], "x" * 240)

    async def test_a_burst_of_actions_is_answered(self) -> None:
        """A hundred actions in one turn are answered, each by its own answer."""
        ami = await self.log_in()
        asked = [
            ami.action("UserEvent", {"UserEvent": "Burst", "Number": n}, timeout=20)
            for n in range(100)
        ]
        told = [ami.next("UserEvent", Number=str(n), timeout=20) for n in range(100)]
        self.assertEqual(len(await gatherResults(asked)), 100)
        await gatherResults(told)

    async def test_over_https(self) -> None:
        """AMI over HTTP goes over TLS too, by an agent that trusts the certificate authority."""
        server = asterisk(self.version)
        authority = Certificate.loadPEM(Path(server.paths["ca"]).read_bytes())
        policy = BrowserLikePolicyForHTTPS(trustRootFromCertificates([authority]))
        pool = HTTPConnectionPool(reactor)
        self.addCleanup(pool.closeCachedConnections)
        factory = AMIHTTPFactory("tls", "tls-secret", agent=Agent(reactor, policy, pool=pool))
        ami = await factory.connect(f"https://localhost:{server.ports['https']}")
        self.addCleanup(ami.logoff)
        headers = {"UserEvent": "Large", **{f"Header{n}": "x" * 240 for n in range(100)}}
        told = ami.next("UserEvent", UserEvent="Large", timeout=10)
        await ami.action("UserEvent", headers, timeout=10)
        self.assertEqual((await told)["Header99"], "x" * 240)


class TLS22Tests(TLSContract):
    """Asterisk 22."""

    version = "22"


class TLS16Tests(TLSContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(TLS22Tests, TLS16Tests)
