"""Calls that AMI places on a real Asterisk, through what the fake does not play."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.runner import TestSuite

from tests.live.fixture import LivePlace, live_suite
from txasterisk.ami import AMIProtocol, Call
from txasterisk.testing import contract

#: The most seconds that anything may take that should happen at once.
SOON = 60.0


class FollowingContract(contract.AsteriskContract):
    """A call is followed whatever becomes of its channels."""

    version: str
    ami: AMIProtocol

    def make_asterisk(self) -> contract.Place:
        return LivePlace(self.version)

    async def set_up(self) -> None:
        """Log in."""
        await super().set_up()
        self.ami = await self.log_in()

    def names(self, call: Call) -> set[str]:
        """Return the extensions that the channels of a call were made for."""
        return {name.partition("/")[2].partition("@")[0] for name in call.channels.values()}

    async def until(self, call: Call, *names: str) -> None:
        """Wait until the channels of a call are those, and no others."""
        with call.stream("*") as events:
            while self.names(call) != set(names):
                await self.soon(Deferred.fromCoroutine(events.__anext__()))

    async def test_local_channels_are_optimised_away(self) -> None:
        """The halves of a local channel vanish, and the call goes on between its far ends."""
        call = self.ami.new_call()
        optimised = call.next("LocalOptimizationEnd", timeout=SOON)
        await self.soon(
            call.originate(
                "Local/dial@txasterisk",
                application="Dial",
                data="Local/playback@txasterisk/n",
                variables={"DIAL": "Local/echo@txasterisk/n"},
            )
        )
        self.assertEqual((await optimised)["LocalOneUniqueid"], call.uniqueid)
        await self.until(call, "playback", "echo")
        self.assertEqual(call.channel, "")
        over = call.when_hung_up()
        await call.hangup()
        self.assertEqual((await self.soon(over)).name, "Hangup")

    async def test_blind_transfer(self) -> None:
        """Who was dialled is transferred: the call goes on without who had dialled."""
        call = self.ami.new_call()
        bridged = call.next("BridgeEnter", Uniqueid=f"{call.uniqueid};2", timeout=SOON)
        await self.soon(
            call.originate(
                "Local/dial@txasterisk/n",
                application="Echo",
                variables={"DIAL": "Local/answer@txasterisk/n"},
            )
        )
        transferer = (await bridged)["Channel"]
        transferred = call.next("BlindTransfer", timeout=SOON)
        await self.ami.blind_transfer(
            channel=transferer, context="txasterisk", exten="echo", timeout=SOON
        )
        self.assertEqual((await transferred)["Extension"], "echo")
        await self.until(call, "answer")
        over = call.when_hung_up()
        await call.hangup()
        await self.soon(over)

    async def test_redirect(self) -> None:
        """The channel goes on elsewhere in the dialplan, and is still the same."""
        call = await self.soon(
            self.ami.originate("Local/answer@txasterisk", application="Wait", data=30)
        )
        step = call.next("Newexten", Application="Echo", timeout=SOON)
        await call.redirect("txasterisk", "echo")
        self.assertEqual((await step)["Uniqueid"], call.uniqueid)
        await call.hangup()
        await self.soon(call.when_hung_up())

    async def test_joined_calls(self) -> None:
        """Two calls are joined: each is over when its own channels are gone."""
        waiting: dict[str, Any] = {"application": "Wait", "data": 30}
        one = await self.soon(self.ami.originate("Local/answer@txasterisk/n", **waiting))
        other = await self.soon(self.ami.originate("Local/echo@txasterisk/n", **waiting))
        joined = [call.next("BridgeEnter", timeout=SOON) for call in (one, other)]
        await self.ami.bridge(channel1=one.channel, channel2=other.channel, timeout=SOON)
        for each in joined:
            await each
        over = one.when_hung_up()
        await one.hangup()
        await self.soon(over)
        self.assertEqual(self.names(other), {"echo"})
        await other.hangup()
        await self.soon(other.when_hung_up())


class Following22Tests(FollowingContract):
    """Asterisk 22."""

    version = "22"


class Following16Tests(FollowingContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Following22Tests, Following16Tests)
