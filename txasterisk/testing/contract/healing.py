"""What the contract says of an Asterisk that is killed, and there again."""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred

from ...agi import AGISession, FastAGIFactory
from ...ami import AMIService
from ...ari import Application, ARIService, Call
from ...errors import (
    Disconnected,
)
from .ari import StasisContract
from .place import SOON

__all__ = ["HealingContract"]


class HealingContract(StasisContract):
    """What happens when Asterisk is killed, and when it is there again."""

    async def test_ami(self) -> None:
        """An action, a list and an awaited event fail at once when Asterisk is killed."""
        action = self.originate(self.ami, "noanswer")
        event = self.ami.next("NeverSeen")
        await self._when_ringing()
        await self.place.kill()
        for waiting in (action, event):
            await self.failing(Disconnected, self.soon(cast("Deferred[object]", waiting)))
        await self.failing(Disconnected, self.ami.ping())
        await self.place.restart()

    async def _when_ringing(self) -> None:
        """Wait until there are channels; the link of the test is busy with the Originate."""
        other = await self.log_in()
        while len((await other.action("CoreShowChannels", timeout=SOON)).events) < 3:
            await self.pause(0.02)

    async def test_agi(self) -> None:
        """The command that a script waits for fails at once when Asterisk is killed."""
        playing: Deferred[None] = Deferred()
        error: Deferred[BaseException] = Deferred()

        async def script(session: AGISession) -> None:
            await session.answer()
            playing.callback(None)
            try:
                await session.stream_file("demo-congrats")
            except BaseException as raised:
                error.callback(raised)
                raise

        self.place.serve_agi(FastAGIFactory({"test": script}, clock=self.reactor))
        await self.call(self.ami, "agi", Variable={"__AGI_PATH": "test"})
        await self.soon(playing)
        await self.place.kill()
        self.assertIsInstance(await self.soon(error), Disconnected)
        await self.place.restart()

    async def test_ari(self) -> None:
        """A request, a playback and a script fail at once when Asterisk is killed."""
        waiting: Deferred[list[Deferred[object]]] = Deferred()

        async def script(call: Call) -> None:
            await call.answer()
            playback = client.new_playback()
            begun = playback.next("PlaybackStarted")
            finished = playback.when_finished()
            await call.channel.play(playback, "sound:demo-congrats")
            await begun
            # Asterisk 22 answers this one when all before it has been played.
            request = call.channel.set_variable("A", "b")
            pending = [finished, client.next("NeverSeen"), call.next("NeverSeen")]
            if self.place.version == "16":
                await request
            else:
                pending.append(request)
            waiting.callback(cast("list[Deferred[object]]", pending))
            await call.gather(max_digits=1, timeout=60)

        client = await self.serve(script)
        await self.enter()
        pending = await self.soon(waiting)
        gone = client.when_disconnected()
        await self.place.kill()
        self.assertIsInstance(await self.soon(gone), Disconnected)
        for each in pending:
            await self.failing(Disconnected, self.soon(each))
        await self.failing(Disconnected, client.asterisk.ping())
        await self.place.restart()

    async def test_services(self) -> None:
        """After the restart the services are there again by themselves, and serve the next call."""

        def soon_again(_: int) -> float:
            return 0.2

        calls: list[Call] = []

        async def script(call: Call) -> None:
            calls.append(call)
            await call.answer()

        ami = AMIService(
            self.place.ami, "full", "full-secret", back_off=soon_again, clock=self.reactor
        )
        application = Application("ivr", script)
        ari = ARIService(self.client(), [application], back_off=soon_again)
        for service in (ami, ari):
            service.startService()
            self.addCleanup(service.stopService)
        first = await self.soon(ami.when_connected())
        await self.soon(ari.when_connected())
        hung_up = ami.next("Hangup", Uniqueid="again", timeout=SOON * 2)
        await self.place.kill()
        await self.soon(first.when_disconnected())
        await self.pause(0.01)
        await self.place.restart()
        second = await self.soon(ami.when_connected())
        await self.soon(ari.when_connected())
        self.assertIsNot(first, second)
        await second.action(
            "Originate",
            {
                "Channel": "Local/stasis@txasterisk",
                "Application": "Wait",
                "Data": 30,
                "Async": True,
                "ChannelId": "caller-again",
                "OtherChannelId": "again",
                "Variable": {"__STASIS_APP": "ivr"},
            },
            timeout=SOON,
        )
        await hung_up
        self.assertEqual([call.channel.id for call in calls], ["again"])
