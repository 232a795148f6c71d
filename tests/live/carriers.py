"""What brings AGI commands to a real Asterisk, each as a way to run a script for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from twisted.internet.defer import Deferred

from tests.live.fixture import LivePlace
from tests.live.scripts import RESULT, telling, told
from txasterisk.agi import FastAGIFactory, OnHangup, Script
from txasterisk.ami import AMIProtocol, Event
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

    :param channels: the unique ids of both halves of its Local channel.
    :ivar ended: fires when the dialplan has gone on after the script.
    :ivar stopped: fires when the script says that it waits.
    """

    def __init__(self, ami: AMIProtocol, channels: tuple[str, str]) -> None:
        self.ended: Deferred[Ending] = Deferred()
        self.stopped: Deferred[None] = Deferred()
        self._result: Any = None
        self._subscriptions = [
            ami.on("VarSet", self._found, Uniqueid=channels, Variable=RESULT),
            ami.on("UserEvent", self._stopped, Uniqueid=channels, UserEvent="Stopped"),
            ami.on("UserEvent", self._over, Uniqueid=channels, UserEvent=("AGIDone", "AGIHangup")),
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

    timeout = 600
    version: ClassVar[str]
    place: LivePlace

    def make_asterisk(self) -> LivePlace:
        return LivePlace(self.version)

    async def set_up(self) -> None:
        await super().set_up()
        self.ami = await self.log_in()

    def ready(self, script: Script, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        """
        Have a script answer a call.

        :return: the extension to call, and its variables.
        """
        raise NotImplementedError

    async def call_script(
        self, script: Script, on_hangup: OnHangup = "raise", **variables: object
    ) -> Running:
        """Call a script; the caller waits."""
        extension, needed = self.ready(script, on_hangup)
        return await self.follow(extension, needed | variables)

    async def follow(
        self, extension: str, variables: Mapping[str, object], **headers: object
    ) -> Running:
        """Call an extension, and follow what becomes of its script."""
        channels = (uuid4().hex, uuid4().hex)
        running = Running(self.ami, channels)
        await self.call(
            self.ami,
            extension,
            Variable={f"__{name}": str(value) for name, value in variables.items()},
            ChannelId=channels[0],
            OtherChannelId=channels[1],
            **headers,
        )
        return running

    def when_running(self, command: str) -> Deferred[None]:
        """Wait until Asterisk runs a command."""
        running: Deferred[None] = Deferred()

        def began(event: Event) -> None:
            if event["Command"].startswith(command) and not running.called:
                running.callback(None)

        self.ami.on("AGIExecStart", began)
        return self.soon(running)

    async def run_script(self, script: Script) -> Ending:
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

    def ready(self, script: Script, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        server = FastAGIFactory(clock=self.reactor)
        server.route("script", telling(script), on_hangup=on_hangup)
        self.place.serve_agi(server)
        return "agi", {"AGI_PATH": "script"}


class ProcessCarrier(CarrierTestCase):
    """Asterisk starts a program."""

    extension = "process"

    def ready(self, script: Script, on_hangup: OnHangup) -> tuple[str, dict[str, str]]:
        name = script.__name__
        self.place.write_program(
            f"{name}.py",
            f"from {script.__module__} import {name}\n"
            "from tests.live.scripts import telling\n"
            "from txasterisk import agi\n"
            f"agi.run(telling({name}), on_hangup={on_hangup!r})\n",
        )
        return self.extension, {"AGI_SCRIPT": f"{name}.py"}


class EAGICarrier(ProcessCarrier):
    """Asterisk starts a program, and brings the caller's audio."""

    extension = "eagi"
