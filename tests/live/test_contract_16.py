"""The contract, fulfilled by real Asterisk 16."""

from __future__ import annotations

from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.testing import contract


class Live(contract.AsteriskContract):
    """A real Asterisk 16."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("16")


class AMI16Tests(Live, contract.AMIContract):
    """AMI of Asterisk 16."""


class AMIByDigest16Tests(Live, contract.AMIOverHTTPContract):
    """AMI of Asterisk 16 over HTTP, with digest authentication."""


class AMIByCookie16Tests(Live, contract.AMIOverHTTPContract):
    """AMI of Asterisk 16 over HTTP, with a cookie."""

    authentication = "MD5"


class Calls16Tests(Live, contract.CallsContract):
    """Calls that AMI places on Asterisk 16."""


class StayingOverHTTP16Tests(Live, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with Asterisk 16 that stay."""


class CallsOverHTTP16Tests(Live, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on Asterisk 16."""


class Staying16Tests(Live, contract.StayingContract):
    """AMI links to Asterisk 16 that stay."""


class AGI16Tests(Live, contract.AGIContract):
    """FastAGI of Asterisk 16."""


class AGICommands16Tests(Live, contract.AGICommandsContract):
    """Commands of AGI of Asterisk 16."""


class AGIVerbs16Tests(Live, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of Asterisk 16."""


class AsyncAGIVerbs16Tests(Live, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of Asterisk 16."""


class AsyncAGI16Tests(Live, contract.AsyncAGIContract):
    """AsyncAGI of Asterisk 16."""


class ARI16Tests(Live, contract.ARIContract):
    """ARI of Asterisk 16."""


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(
        AMI16Tests,
        AMIByDigest16Tests,
        AMIByCookie16Tests,
        Calls16Tests,
        StayingOverHTTP16Tests,
        CallsOverHTTP16Tests,
        Staying16Tests,
        AGI16Tests,
        AGICommands16Tests,
        AGIVerbs16Tests,
        AsyncAGIVerbs16Tests,
        AsyncAGI16Tests,
        ARI16Tests,
    )
