"""
Tests of the calls, in milliseconds and without a PBX.

    trial test_office_calls
"""

import office_calls
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk import Application, ARIClient, ARIService, FastAGIFactory
from txasterisk.testing import FakeAsterisk


class GreetTests(SynchronousTestCase):
    """The script of FastAGI."""

    def setUp(self) -> None:
        """Let extension 100 lead to the script."""
        self.clock = Clock()
        self.pbx = FakeAsterisk(self.clock)
        factory = FastAGIFactory({"/greet": office_calls.greet}, clock=self.clock)
        self.pbx.fastagi["127.0.0.1:4573"] = factory
        self.pbx.dialplan["100"] = lambda call: call.agi("agi://127.0.0.1/greet")

    def test_digits(self) -> None:
        """What the caller enters is in WANTED."""
        caller = self.pbx.call("100")
        caller.press("wwww4242")
        self.clock.pump([0.1] * 100)
        self.assertEqual(caller.far_end.get("WANTED"), "4242")

    def test_hangup(self) -> None:
        """A caller who hangs up leaves nothing behind."""
        caller = self.pbx.call("100")
        self.clock.pump([0.1] * 10)
        caller.hang_up()
        self.clock.pump([0.1] * 10)
        self.assertEqual(caller.far_end.get("AGISTATUS"), "HANGUP")
        self.assertEqual(self.pbx.channels, [])


class HelloTests(SynchronousTestCase):
    """The script of ARI."""

    def setUp(self) -> None:
        """Let extension 200 lead to the script."""
        self.clock = Clock()
        self.pbx = FakeAsterisk(self.clock)
        client = ARIClient(
            self.pbx.ari_url, "full", "full-secret", endpoint=self.pbx.http, reactor=self.clock
        )
        self.service = ARIService(client, [Application("hello", office_calls.hello)])
        self.service.startService()
        self.pbx.dialplan["200"] = lambda call: call.stasis("hello")
        self.clock.pump([0.1] * 5)

    def tearDown(self) -> None:
        """Close the link."""
        stopping = self.service.stopService()
        self.clock.pump([0.1] * 50)
        self.successResultOf(stopping)

    def test_one_goes_on_in_the_dialplan(self) -> None:
        """Who presses 1 leaves the application; the dialplan knows that it went well."""
        caller = self.pbx.call("200")
        caller.press("wwww1")
        self.clock.pump([0.1] * 100)
        self.assertEqual(caller.far_end.get("TXASTERISK_STATUS"), "SUCCESS")
        self.assertEqual(caller.far_end.get("STASISSTATUS"), "SUCCESS")

    def test_others_are_hung_up(self) -> None:
        """Who presses something else is hung up."""
        caller = self.pbx.call("200")
        caller.press("wwww2")
        self.clock.pump([0.1] * 100)
        self.assertEqual(self.pbx.channels, [])
