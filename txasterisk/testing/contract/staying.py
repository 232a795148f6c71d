"""What the contract says of an AMI link that stays, and of what it tells."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from ...ami import AMIHTTPService, AMIProtocol, AMIService, Event, Gap
from ...errors import ActionFailed, EventsLost
from .place import SOON, AsteriskContract

__all__ = ["EitherStayingContract", "StayingContract"]


class EitherStayingContract(AsteriskContract):
    """Events, lists and reconnects, as a program meets them over TCP and over HTTP."""

    async def set_up(self) -> None:
        """Log in beside the service, to make things happen."""
        await super().set_up()
        self.other = await self.log_in()

    def make_service(self, **options: Any) -> AMIService | AMIHTTPService:
        """Return a service that is not started yet."""
        raise NotImplementedError

    async def service(self, **options: Any) -> AMIService | AMIHTTPService:
        """Return a service that is connected."""
        options = {"back_off": lambda _: 0.1, "clock": self.reactor, **options}
        service = self.make_service(**options)
        service.startService()
        self.addCleanup(service.stopService)
        connected: Deferred[Any] = service.when_connected()
        await self.soon(connected)
        return service

    async def reconnect(self, service: AMIService | AMIHTTPService) -> Event:
        """Lose the link, and return the gap."""
        gap = service.next("Gap", timeout=SOON)
        connection = service.connection
        assert connection is not None
        connection.disconnect()
        return await gap

    async def tell(self, ami: AMIProtocol, *names: str) -> None:
        """Have user events told."""
        for name in names:
            await ami.user_event(user_event=name, timeout=SOON)

    async def told(self, service: AMIService | AMIHTTPService, *names: str) -> list[str]:
        """Have user events told, the last of which must come; return which of them came."""
        came: list[str] = []
        with service.on("UserEvent", lambda event: came.append(event["UserEvent"])):
            last = service.next("UserEvent", UserEvent=names[-1], timeout=SOON)
            await self.tell(self.other, *names)
            await last
        return came

    async def test_gap(self) -> None:
        """After a reconnect the gap is told before any new event, and how long it was."""
        service = await self.service()
        heard: list[Event] = []
        service.on("*", heard.append)
        gap = await self.reconnect(service)
        assert isinstance(gap, Gap)
        self.assertLessEqual(gap.since, gap.until)
        await self.told(service, "After")
        await service.ping(timeout=SOON)
        names = [event.name for event in heard]
        self.assertEqual(names.count("Gap"), 1)
        self.assertLess(names.index("Gap"), names.index("UserEvent"))

    async def test_mask(self) -> None:
        """A mask that was set counts after a reconnect, too."""
        service = await self.service()
        await service.events(event_mask="user", timeout=SOON)
        await self.reconnect(service)
        heard: list[str] = []
        service.on("*", lambda event: heard.append(event.name))
        await self.originate(self.other, "answer")
        await self.told(service, "Last")
        self.assertEqual(set(heard), {"UserEvent"})

    async def test_filters(self) -> None:
        """Filters that were added count after a reconnect, too."""
        service = await self.service()
        await service.filter(operation="Add", filter="!UserEvent: Noise", timeout=SOON)
        await service.filter(operation="Add", filter="!UserEvent: Chatter", timeout=SOON)
        names = ("Noise", "Music", "Chatter", "Last")
        self.assertEqual(await self.told(service, *names), ["Music", "Last"])
        await self.reconnect(service)
        self.assertEqual(await self.told(service, *names), ["Music", "Last"])

    async def test_wrong_filter(self) -> None:
        """A filter that is none is refused, and the service goes on without it."""
        service = await self.service()
        wrong = service.action("Filter", {"Operation": "Remove", "Filter": "x"}, timeout=SOON)
        error = await self.failing(ActionFailed, wrong)
        self.assertEqual(error.message, "Unknown operation")
        await self.reconnect(service)
        self.assertEqual(await self.told(service, "Last"), ["Last"])

    async def test_stream(self) -> None:
        """A stream tells events in their order, and the gap where they are missing."""
        service = await self.service()
        with service.stream(["UserEvent", "Gap"]) as stream:
            await self.tell(self.other, "One", "Two")
            await self.told(service, "Three")
            await self.reconnect(service)
            await self.tell(self.other, "Four")
            read = [await self.soon(Deferred.fromCoroutine(anext(stream))) for _ in range(5)]
        told = [event.get("UserEvent", "Gap") for event in read]
        self.assertEqual(told, ["One", "Two", "Three", "Gap", "Four"])

    async def test_list(self) -> None:
        """A list can be read item by item."""
        service = await self.service()
        self.assertEqual([item async for item in service.list("CoreShowChannels")], [])
        for number in range(3):
            ids = {"ChannelId": f"list{number}", "OtherChannelId": f"other{number}"}
            await self.originate(self.other, "answer", **ids)
        found = {item["Uniqueid"] async for item in service.list("CoreShowChannels")}
        self.assertEqual(found, {f"{what}{n}" for what in ("list", "other") for n in range(3)})


class StayingContract(EitherStayingContract):
    """The same over TCP, and what only TCP has."""

    def make_service(self, **options: Any) -> AMIService:
        """Return one that goes over TCP."""
        return AMIService(self.place.ami, "full", "full-secret", **options)

    async def test_booted(self) -> None:
        """A service can wait until Asterisk has booted, and then hears what it shall."""
        service = await self.service(boot_timeout=SOON, events="user")
        self.assertEqual(await self.told(service, "Last"), ["Last"])
        await self.reconnect(service)
        self.assertEqual(await self.told(service, "Last"), ["Last"])

    async def test_two_links(self) -> None:
        """With a link of its own for events, an action that takes long holds none of them up."""
        service = await self.service(links=2)
        call = {"Channel": "Local/noanswer@txasterisk", "Application": "Wait", "Timeout": 2000}
        blocked = service.action("Originate", call, timeout=SOON)
        self.assertEqual(await self.told(service, "During"), ["During"])
        self.assertFalse(blocked.called)
        await self.failing(ActionFailed, blocked)
        await self.reconnect(service)
        self.assertEqual(await self.told(service, "Last"), ["Last"])
        await service.ping(timeout=SOON)

    async def test_slow_reader(self) -> None:
        """Who reads a stream too slowly is told how much was lost, and the link goes on."""
        service = await self.service()
        stream = service.stream("UserEvent", limit=10)
        flood = [self.other.user_event(user_event=str(n), timeout=SOON) for n in range(2000)]
        for sent in flood:
            await sent
            await self.pause(0.0001)
        await self.told(service, "Last")
        read = 0
        try:
            async for event in stream:
                self.assertEqual(event["UserEvent"], str(read))
                read += 1
        except EventsLost as error:
            self.assertEqual(read + error.count, 2001)
        self.assertGreaterEqual(read, 10)
