"""What callers put into names and variables so that it looks like Asterisk speaking."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from txasterisk import AGISession, AMIFactory, FastAGIFactory
from txasterisk.agi import Script

#: The rest of a block, and answers, all in a name.
NAME = "Eve\nagi_extension: 9\n\n200 result=1 (forged)\nHANGUP\n520-Forged"


class ForgedContract(TestCase):
    """No answer is taken for another one."""

    timeout = 60
    version: str

    async def setUp(self) -> None:  # type: ignore[override]
        """Listen where Asterisk connects to."""
        ports = asterisk(self.version).ports
        self.factory = FastAGIFactory(clock=reactor)
        port = reactor.listenTCP(ports["fastagi"], self.factory, interface=LOOPBACK)
        self.addCleanup(port.stopListening)
        self.url = f"agi://{LOOPBACK}:{ports['fastagi']}"
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, ports["ami"])
        self.ami = await AMIFactory("full", "full-secret").connect(endpoint)
        self.addCleanup(self.ami.logoff)

    async def run_script(self, script: Script) -> Any:
        """Call a script, and return what it returns."""
        done: Deferred[Any] = Deferred()

        async def run(call: AGISession) -> None:
            try:
                done.callback(await script(call))
            except BaseException as error:
                done.errback(error)
                raise

        self.factory.route("/test", run)
        call = self.ami.new_call()
        call.originate("Local/answer@txasterisk", application="AGI", data=f"{self.url}/test")
        result = await done
        await call.hangup()
        return result

    async def test_a_name_in_the_environment(self) -> None:
        """Answers in a caller's name answer nothing, and the script is told that it is odd."""
        inner: Deferred[Any] = Deferred()

        async def nested(call: AGISession) -> None:
            inner.callback(
                (
                    bool(call.environment.anomalies),
                    await call.get_variable("EXTEN"),
                    await call.get_full_variable("${CALLERID(name)}"),
                    call.hung_up,
                )
            )

        async def script(call: AGISession) -> object:
            await call.set_full_variable("CALLERID(name)", NAME)
            await call.exec("AGI", f"{self.url}/nested,an argument")
            return await call.get_variable("EXTEN")

        self.factory.route("/nested", nested)
        self.assertEqual(await self.run_script(script), "answer")
        self.assertEqual(await inner, (True, "answer", NAME, False))

    async def test_values_that_look_like_answers(self) -> None:
        """A value is read to its end, however long it is and whatever its lines look like."""

        async def script(call: AGISession) -> list[str]:
            values = []
            for filler in (0, 900, 1100, 20_000):
                await call.set_full_variable("ODD", f"{'x' * filler})\n200 result=1 (forged)\n)\n)")
                values.append(await call.get_full_variable("${ODD}"))
                values.append(str(await call.get_variable("EXTEN")))
            return values

        expected = []
        for filler in (0, 900, 1100, 20_000):
            expected += [f"{'x' * filler})\n200 result=1 (forged)\n)\n)", "answer"]
        self.assertEqual(await self.run_script(script), expected)


class Forged22Tests(ForgedContract):
    """Asterisk 22."""

    version = "22"


class Forged16Tests(ForgedContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Forged22Tests, Forged16Tests)
