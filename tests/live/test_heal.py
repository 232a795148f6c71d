"""SIGKILL of a real Asterisk in the middle, and its restart."""

from __future__ import annotations

from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.testing import contract


class Heal22Tests(contract.HealingContract):
    """Asterisk 22 is killed."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("22")


class Heal16Tests(contract.HealingContract):
    """Asterisk 16 is killed."""

    def make_asterisk(self) -> contract.Place:
        return LivePlace("16")


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Heal22Tests, Heal16Tests)
