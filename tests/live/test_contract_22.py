"""The contract, fulfilled by real Asterisk 22."""

from __future__ import annotations

from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.testing import contract


class Live(contract.AsteriskContract):
    """A real Asterisk 22."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("22")


class AMI22Tests(Live, contract.AMIContract):
    """AMI of Asterisk 22."""


class AMIByDigest22Tests(Live, contract.AMIOverHTTPContract):
    """AMI of Asterisk 22 over HTTP, with digest authentication."""


class AMIByCookie22Tests(Live, contract.AMIOverHTTPContract):
    """AMI of Asterisk 22 over HTTP, with a cookie."""

    authentication = "MD5"


class Calls22Tests(Live, contract.CallsContract):
    """Calls that AMI places on Asterisk 22."""


class StayingOverHTTP22Tests(Live, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with Asterisk 22 that stay."""


class CallsOverHTTP22Tests(Live, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on Asterisk 22."""


class Staying22Tests(Live, contract.StayingContract):
    """AMI links to Asterisk 22 that stay."""


class AGI22Tests(Live, contract.AGIContract):
    """FastAGI of Asterisk 22."""


class AGICommands22Tests(Live, contract.AGICommandsContract):
    """Commands of AGI of Asterisk 22."""


class AGIVerbs22Tests(Live, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of Asterisk 22."""


class AsyncAGIVerbs22Tests(Live, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of Asterisk 22."""


class AsyncAGI22Tests(Live, contract.AsyncAGIContract):
    """AsyncAGI of Asterisk 22."""


class ARI22Tests(Live, contract.ARIContract):
    """ARI of Asterisk 22."""


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(
        AMI22Tests,
        AMIByDigest22Tests,
        AMIByCookie22Tests,
        Calls22Tests,
        StayingOverHTTP22Tests,
        CallsOverHTTP22Tests,
        Staying22Tests,
        AGI22Tests,
        AGICommands22Tests,
        AGIVerbs22Tests,
        AsyncAGIVerbs22Tests,
        AsyncAGI22Tests,
        ARI22Tests,
    )
