"""AsyncAGI of the fake, as far as real Asterisks are not asked for it."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.testing import FakeAsterisk, NotFaked


class PipeTests(SynchronousTestCase):
    """The pipe that answers go through."""

    def test_overflow(self) -> None:
        """An answer with which a real Asterisk stops for ever is an error."""
        clock = Clock()
        pbx = FakeAsterisk(clock)
        caller = pbx.call("asyncagi", variables={"A": "a" * 1000})
        clock.pump([0.1] * 10)
        assert caller.far_end.agi_queue is not None
        caller.far_end.agi_queue.append(('GET FULL VARIABLE "' + "${A}" * 66 + '"', ""))
        clock.pump([0.1] * 10)
        [error] = self.flushLoggedErrors(NotFaked)
        self.assertIn("more than 65536 bytes over AsyncAGI", str(error.value))
