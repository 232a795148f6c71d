"""What brings AGI commands to a real Asterisk, each as a way to run a script for a call."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from twisted.internet.defer import Deferred

from tests.live.fixture import LivePlace
from tests.live.scripts import RESULT, SCRIPTS, telling, told
from txasterisk.agi import FastAGIFactory, OnHangup
from txasterisk.ami import Event
from txasterisk.testing import contract

__all__ = ["CarrierTestCase", "EAGICarrier", "Ending", "FastAGICarrier", "ProcessCarrier"]


class Ending(NamedTuple):
    """
    How a call has ended.

    :ivar result: what the script has returned, or None if it did not.
    :ivar status: the ``AGISTATUS``.
    :ivar told: what we have told the dialplan in ``TXASTERISK_STATUS``.
    """

    result: Any
    status: str
    told: str


class Running:
    """
    A call with a script, as far as AMI tells.

    :ivar ended: fires when the dialplan has gone on after the script.
    :ivar stopped: fires when the script says that it waits.
    """

    def __init__(self, ami: Any) -> None:
        self.ended: Deferred[Ending] = Deferred()
        self.stopped: Deferred[None] = Deferred()
        self._result: Any = None
        self._subscriptions = [
            ami.on("VarSet", self._found, Variable=RESULT),
            ami.on("UserEvent", self._stopped, UserEvent="Stopped"),
            ami.on("UserEvent", self._over, UserEvent="AGIDone"),
            ami.on("UserEvent", self._over, UserEvent="AGIHangup"),
        ]

    def _found(self, event: Event) -> None:
        self._result = told(event["Value"])

    def _stopped(self, _: Event) -> None:
        self.stopped.callback(None)

    def _over(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.cancel()
        self.ended.callback(Ending(self._result, event["Status"], event["Ended"]))


class CarrierTestCase(contract.AsteriskContract):
    """Runs scripts over one of the carriers."""

    timeout = 120
    version: ClassVar[str]
    place: LivePlace

    def make_asterisk(self) -> LivePlace:
        return LivePlace(self.version)

    async def set_up(self) -> None:
        await super().set_up()
        self.ami = await self.log_in()

    def ready(self, script: str, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        """
        Have a script answer a call.

        :return: the extension to call, and its variables.
        """
        raise NotImplementedError

    async def call_script(
        self, script: str, on_hangup: OnHangup = "raise", **variables: object
    ) -> Running:
        """Call a script; the caller waits."""
        extension, needed = self.ready(script, on_hangup)
        running = self.listen()
        inherited = {f"__{name}": str(value) for name, value in (needed | variables).items()}
        await self.call(self.ami, extension, Variable=inherited)
        return running

    def listen(self) -> Running:
        """Follow the next call."""
        return Running(self.ami)

    def when_running(self, command: str) -> Deferred[None]:
        """Wait until Asterisk runs a command."""
        running: Deferred[None] = Deferred()

        def began(event: Event) -> None:
            if event["Command"].startswith(command) and not running.called:
                running.callback(None)

        self.ami.on("AGIExecStart", began)
        return self.soon(running)

    async def run_script(self, script: str) -> Ending:
        """Call a script, and return how that has ended."""
        return await self.soon((await self.call_script(script)).ended)

    def expect(self, ending: Ending, expected: Ending) -> None:
        """Fail, and show what Asterisk's console says, unless a call has ended like this."""
        self.assertEqual(ending, expected, self.place.said())

    async def hang_up(self) -> None:
        """Hang up all calls."""
        await self._hang_up_all(self.ami)


class FastAGICarrier(CarrierTestCase):
    """Asterisk connects to us."""

    def ready(self, script: str, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        server = FastAGIFactory(clock=self.reactor)
        server.route(script, telling(SCRIPTS[script]), on_hangup=on_hangup)
        self.place.serve_agi(server)
        return "agi", {"AGI_PATH": script}


class ProcessCarrier(CarrierTestCase):
    """Asterisk starts a program."""

    extension = "process"

    def ready(self, script: str, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        self.place.write_program(
            f"{script}.py",
            "from tests.live.scripts import SCRIPTS, telling\n"
            "from txasterisk import agi\n"
            f"agi.run(telling(SCRIPTS[{script!r}]), on_hangup={on_hangup!r})\n",
        )
        return self.extension, {"AGI_SCRIPT": f"{script}.py"}


class EAGICarrier(ProcessCarrier):
    """Asterisk starts a program, and brings the caller's audio."""

    extension = "eagi"
