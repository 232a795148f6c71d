"""What the contract says of calls that AMI places and follows."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import CancelledError

from ...ami import AMIProtocol, AMIService, Event
from ...ami.calls import Call
from ...errors import ActionFailed, CallFailed, HungUp
from .place import SOON, AsteriskContract

__all__ = ["CallsContract"]

#: When it is answered the caller waits for half a minute.
WAITING: Final[dict[str, Any]] = {"application": "Wait", "data": 30}


class CallsContract(AsteriskContract):
    """Calls that are placed by AMI, and followed to their end."""

    async def set_up(self) -> None:
        """Log in."""
        await super().set_up()
        self.ami = await self.log_in()

    def heard(self, call: Call) -> list[str]:
        """Return the list in which the names of a call's events will be."""
        names: list[str] = []
        call.on("*", lambda event: names.append(event.name))
        return names

    async def there_are_no_channels(self, ami: AMIProtocol) -> None:
        """Wait until every channel is gone."""
        while len((await ami.core_show_channels(timeout=SOON)).events) > 1:
            await self.pause(0.02)

    async def test_answered(self) -> None:
        """An answered call has its channels, and is followed until the last has hung up."""
        call = self.ami.new_call()
        names = self.heard(call)
        answered = await self.soon(call.originate("Local/answer@txasterisk", **WAITING))
        self.assertIs(answered, call)
        self.assertEqual(set(call.channels), {call.uniqueid, f"{call.uniqueid};2"})
        self.assertRegex(call.channel, r"\ALocal/answer@txasterisk-\w+;1\Z")
        over = call.when_hung_up()
        await call.hangup(17)
        hangup = await self.soon(over)
        self.assertEqual(hangup["Cause"], "17")
        self.assertEqual(names[:2], ["Newchannel", "Newchannel"])
        self.assertEqual(names[-1], "Hangup")
        for name in "DialBegin", "DialEnd", "LocalBridge", "OriginateResponse":
            self.assertEqual(names.count(name), 1, name)
        await self.failing(HungUp, call.next("Hangup"))

    async def test_in_the_dialplan(self) -> None:
        """When it was answered a call goes on in the dialplan, with its variables and caller id."""
        call = self.ami.new_call()
        step = call.next("Newexten", Extension="echo", Application="Echo", timeout=SOON)
        await self.soon(
            call.originate(
                "Local/answer@txasterisk",
                context="txasterisk",
                exten="echo",
                caller_id='"Bob" <1234>',
                variables={"COLOUR": "a, b"},
            )
        )
        self.assertEqual((await step)["Uniqueid"], call.uniqueid)
        answer = await self.ami.getvar(channel=call.uniqueid, variable="COLOUR", timeout=SOON)
        self.assertEqual(answer["Value"], "a, b")
        await call.hangup()
        await self.soon(call.when_hung_up())

    async def test_not_answered(self) -> None:
        """Busy, congestion and no answer are told apart, and the call is followed to its end."""
        for extension, reason, timeout in (
            ("busy", "busy", 20.0),
            ("congestion", "congestion", 20.0),
            ("noanswer", "no answer", 0.3),
            ("nosuch", "failed", 20.0),
        ):
            call = self.ami.new_call()
            placing = call.originate(f"Local/{extension}@txasterisk", timeout=timeout, **WAITING)
            error = await self.failing(CallFailed, self.soon(placing))
            self.assertEqual(error.reason, reason)
            try:
                self.assertEqual((await self.soon(call.when_hung_up())).name, "Hangup")
            except CallFailed:
                # Its channels may have been gone before Asterisk said how it went.
                self.assertEqual(call.channels, {})

    async def test_no_channel(self) -> None:
        """A technology that there is not fails without there ever being a channel."""
        call = self.ami.new_call()
        await self.failing(CallFailed, self.soon(call.originate("Nope/x", **WAITING)))
        await self.failing(CallFailed, self.soon(call.when_hung_up()))

    async def test_refused(self) -> None:
        """What Asterisk does not even try is refused in its own words."""
        placing = self.ami.originate(
            "Local/answer@txasterisk", context="txasterisk", exten="nosuch"
        )
        error = await self.failing(ActionFailed, self.soon(placing))
        self.assertEqual(error.message, "Extension does not exist.")

    async def test_given_up(self) -> None:
        """A call that is given up while it rings is hung up."""
        call = self.ami.new_call()
        ringing = call.next("DialState", DialStatus="RINGING", timeout=SOON)
        placing = call.originate("Local/noanswer@txasterisk", **WAITING)
        await ringing
        over = call.when_hung_up()
        placing.cancel()
        await self.failing(CancelledError, placing)
        await self.soon(over)
        await self.there_are_no_channels(self.ami)

    async def test_given_up_at_once(self) -> None:
        """A call that is given up before it has a channel is hung up, too."""
        call = self.ami.new_call()
        placing = call.originate("Local/noanswer@txasterisk", **WAITING)
        begun = call.next("Newchannel", timeout=SOON)
        placing.cancel()
        await self.failing(CancelledError, placing)
        await begun
        await self.soon(call.when_hung_up())
        await self.there_are_no_channels(self.ami)

    async def test_many_at_once(self) -> None:
        """Of many calls at once each hears its own events only."""
        calls = [self.ami.new_call() for _ in range(20)]
        strange: list[Event] = []
        for call in calls:
            own = {call.uniqueid, f"{call.uniqueid};2"}
            call.on("Newchannel", strange.append, Uniqueid=lambda uid, own=own: uid not in own)
        placing = [call.originate("Local/hangup@txasterisk", **WAITING) for call in calls]
        for call, answer in zip(calls, placing, strict=True):
            self.assertIs(await self.soon(answer), call)
            await self.soon(call.when_hung_up())
        self.assertEqual(strange, [])

    async def test_across_a_reconnect(self) -> None:
        """A service follows a call across the loss of its link."""
        service = AMIService(
            self.place.ami, "full", "full-secret", back_off=lambda _: 0.1, clock=self.reactor
        )
        service.startService()
        self.addCleanup(service.stopService)
        first = await self.soon(service.when_connected())
        stays, goes = [
            await self.soon(service.originate("Local/answer@txasterisk", **WAITING))
            for _ in range(2)
        ]
        gap = service.next("Gap", timeout=SOON)
        gone = goes.when_hung_up()
        first.disconnect()
        await self.soon(first.when_disconnected())
        await self.ami.hangup(channel=goes.uniqueid, timeout=SOON)
        await gap
        self.assertIn((await self.soon(gone)).name, ("Gap", "Hangup"))
        self.assertEqual(len(stays.channels), 2)
        await stays.hangup()
        self.assertEqual((await self.soon(stays.when_hung_up())).name, "Hangup")
