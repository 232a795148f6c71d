"""The contract, fulfilled by real Asterisk 22 and 16."""

from __future__ import annotations

from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.testing import contract


class Live22(contract.AsteriskContract):
    """A real Asterisk 22."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("22")


class Live16(contract.AsteriskContract):
    """A real Asterisk 16."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("16")


class AMI22Tests(Live22, contract.AMIContract):
    """AMI of Asterisk 22."""


class AMIByDigest22Tests(Live22, contract.AMIOverHTTPContract):
    """AMI of Asterisk 22 over HTTP, with digest authentication."""


class AMIByCookie22Tests(Live22, contract.AMIOverHTTPContract):
    """AMI of Asterisk 22 over HTTP, with a cookie."""

    authentication = "MD5"


class Calls22Tests(Live22, contract.CallsContract):
    """Calls that AMI places on Asterisk 22."""


class StayingOverHTTP22Tests(Live22, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with Asterisk 22 that stay."""


class CallsOverHTTP22Tests(Live22, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on Asterisk 22."""


class Staying22Tests(Live22, contract.StayingContract):
    """AMI links to Asterisk 22 that stay."""


class AGI22Tests(Live22, contract.AGIContract):
    """FastAGI of Asterisk 22."""


class AGICommands22Tests(Live22, contract.AGICommandsContract):
    """Commands of AGI of Asterisk 22."""


class AGIVerbs22Tests(Live22, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of Asterisk 22."""


class AsyncAGIVerbs22Tests(Live22, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of Asterisk 22."""


class AsyncAGI22Tests(Live22, contract.AsyncAGIContract):
    """AsyncAGI of Asterisk 22."""


class ARI22Tests(Live22, contract.ARIContract):
    """ARI of Asterisk 22."""


class AMI16Tests(Live16, contract.AMIContract):
    """AMI of Asterisk 16."""


class AMIByDigest16Tests(Live16, contract.AMIOverHTTPContract):
    """AMI of Asterisk 16 over HTTP, with digest authentication."""


class AMIByCookie16Tests(Live16, contract.AMIOverHTTPContract):
    """AMI of Asterisk 16 over HTTP, with a cookie."""

    authentication = "MD5"


class Calls16Tests(Live16, contract.CallsContract):
    """Calls that AMI places on Asterisk 16."""


class StayingOverHTTP16Tests(Live16, contract.StayingOverHTTPContract):
    """AMI sessions over HTTP with Asterisk 16 that stay."""


class CallsOverHTTP16Tests(Live16, contract.CallsOverHTTPContract):
    """Calls that AMI over HTTP places on Asterisk 16."""


class Staying16Tests(Live16, contract.StayingContract):
    """AMI links to Asterisk 16 that stay."""


class AGI16Tests(Live16, contract.AGIContract):
    """FastAGI of Asterisk 16."""


class AGICommands16Tests(Live16, contract.AGICommandsContract):
    """Commands of AGI of Asterisk 16."""


class AGIVerbs16Tests(Live16, contract.AGIVerbsContract):
    """Verbs of every day over FastAGI of Asterisk 16."""


class AsyncAGIVerbs16Tests(Live16, contract.AsyncAGIVerbsContract):
    """Verbs of every day over AsyncAGI of Asterisk 16."""


class AsyncAGI16Tests(Live16, contract.AsyncAGIContract):
    """AsyncAGI of Asterisk 16."""


class ARI16Tests(Live16, contract.ARIContract):
    """ARI of Asterisk 16."""


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(
        AMI22Tests,
        AMIByDigest22Tests,
        AMIByCookie22Tests,
        Calls22Tests,
        CallsOverHTTP22Tests,
        StayingOverHTTP22Tests,
        Staying22Tests,
        AGI22Tests,
        AGICommands22Tests,
        AGIVerbs22Tests,
        AsyncAGIVerbs22Tests,
        AsyncAGI22Tests,
        ARI22Tests,
        AMI16Tests,
        AMIByDigest16Tests,
        AMIByCookie16Tests,
        Calls16Tests,
        CallsOverHTTP16Tests,
        StayingOverHTTP16Tests,
        Staying16Tests,
        AGI16Tests,
        AGICommands16Tests,
        AGIVerbs16Tests,
        AsyncAGIVerbs16Tests,
        AsyncAGI16Tests,
        ARI16Tests,
    )
