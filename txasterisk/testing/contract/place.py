"""Where an Asterisk is, and what all tests of the contract need."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ...ami import AMIHTTP, AMIFactory, AMIProtocol, Event, Response
from ...errors import (
    ActionFailed,
    AsteriskError,
)
from ..ami_events import EVENTS_NOT_FAKED

__all__ = ["CHANNEL", "SECRETS", "SOON", "AsteriskContract", "Following", "Place"]

T = TypeVar("T")


#: The most seconds that anything may take that should happen at once.
SOON: Final = 60.0

SECRETS: Final = {"full": "full-secret", "readonly": "readonly-secret"}

#: What every event of a channel has, in this order.
CHANNEL: Final = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
    "ChanVariable",
)
#: Beside what the fake never sends, what has no place of its own in the order of events.
NOT_COMPARED: Final = EVENTS_NOT_FAKED | {"OriginateResponse"}


class Place(Protocol):
    """
    Where an Asterisk is.

    :ivar reactor: the reactor, or what stands for it there.
    :ivar version: which one it behaves like: ``22`` or ``16``.
    :ivar ami: leads to AMI.
    :ivar ari_url: where ARI is.
    :ivar http: leads to the web server, if the URL does not.
    """

    reactor: Any
    version: str
    ami: IStreamClientEndpoint
    ari_url: str
    http: IStreamClientEndpoint | None

    def serve_agi(self, factory: IProtocolFactory) -> None:
        """Have the calls of the extension ``agi`` answered by this server."""

    def leave(self) -> Awaitable[object]:
        """Leave it as it was found."""

    def kill(self) -> Awaitable[object]:
        """End the Asterisk at once, by SIGKILL or what looks like it."""

    def restart(self) -> Awaitable[object]:
        """Start it again at the same place, after :meth:`kill`."""


class AsteriskContract(TestCase):
    """What all parts of the contract need."""

    timeout = 30
    place: Place

    def make_asterisk(self) -> Place | Awaitable[Place]:
        """Return where the Asterisk is."""
        raise NotImplementedError

    def setUp(self) -> Any:
        return Deferred.fromCoroutine(self.set_up())

    async def set_up(self) -> None:
        """Do what is needed before the test."""
        self.place = await _result(self.make_asterisk())
        self.addCleanup(lambda: Deferred.fromCoroutine(_all(self.place.leave())))
        self.reactor = self.place.reactor

    # AMI

    def ami_factory(
        self, username: str = "full", secret: str | None = None, **options: Any
    ) -> AMIFactory:
        """Return what logs in."""
        secret = SECRETS[username] if secret is None else secret
        return AMIFactory(username, secret, clock=self.reactor, **options)

    async def log_in(self, username: str = "full", **options: Any) -> AMIProtocol:
        """Log in; at the end of the test all channels are hung up."""
        ami = await self.ami_factory(username, **options).connect(self.place.ami)
        self.log_out_at_the_end(ami, username)
        return ami

    def log_out_at_the_end(self, ami: AMIProtocol | AMIHTTP, username: str) -> None:
        """Hang up all channels at the end of the test, and disconnect."""
        self.addCleanup(lambda: Deferred.fromCoroutine(self._log_out(ami, username)))

    async def _log_out(self, ami: AMIProtocol | AMIHTTP, username: str) -> None:
        if username == "full":
            with suppress(AsteriskError):
                await self._hang_up_all(ami)
        ami.disconnect()
        await ami.when_disconnected()

    async def _hang_up_all(self, ami: AMIProtocol | AMIHTTP) -> None:
        while True:
            found = (await ami.action("CoreShowChannels", timeout=SOON)).events[:-1]
            if not found:
                return
            for channel in found:
                with suppress(ActionFailed):
                    await ami.action("Hangup", {"Channel": channel["Channel"]}, timeout=SOON)
            await self.pause(0.02)

    def originate(self, ami: AMIProtocol, extension: str, **headers: Any) -> Deferred[Response]:
        """Call an extension; when it answers, the caller waits for half a minute."""
        if "Exten" not in headers:
            headers = {"Application": "Wait", "Data": 30, **headers}
        channel = f"Local/{extension}@txasterisk"
        return ami.action("Originate", {"Channel": channel, **headers}, timeout=SOON)

    async def call(self, ami: AMIProtocol, extension: str, **headers: Any) -> None:
        """Call an extension without waiting for its answer."""
        await self.originate(ami, extension, Async=True, **headers)

    # Time

    def pause(self, seconds: float) -> Deferred[None]:
        """Let time pass."""
        return deferLater(self.reactor, seconds)

    def soon(self, waiting: Deferred[T]) -> Deferred[T]:
        """Fail what should have happened by then."""
        return waiting.addTimeout(SOON, self.reactor)

    async def failing(self, error: type[T], waiting: Awaitable[Any]) -> T:
        """Return the error that something fails with."""
        try:
            result = await waiting
        except Exception as raised:
            if isinstance(raised, error):
                return raised
            raise
        raise self.failureException(f"{error.__name__} was not raised, but {result!r} returned")


async def _all(waiting: Awaitable[object]) -> None:
    await waiting


async def _result(place: Place | Awaitable[Place]) -> Place:
    return await place if isinstance(place, Awaitable) else place


class Following:
    """The events of AMI of some channels, by their ids."""

    def __init__(self, ami: AMIProtocol, *uniqueids: str) -> None:
        self.events: dict[str, list[Event]] = {uniqueid: [] for uniqueid in uniqueids}
        self._ami = ami
        ami.on("*", self._heard)

    def _heard(self, event: Event) -> None:
        uniqueid = event.get("Uniqueid")
        if uniqueid in self.events and event.name not in NOT_COMPARED:
            self.events[uniqueid].append(event)

    def names(self, uniqueid: str) -> list[str]:
        """Return what happened to a channel, in short."""
        return [_short(event) for event in self.events[uniqueid]]

    def shape(self, uniqueid: str) -> dict[str, tuple[str, ...]]:
        """Return the names of the headers of each event of a channel."""
        return {
            event.name: tuple(name for name, _ in event.headers) for event in self.events[uniqueid]
        }


def _short(event: Event) -> str:
    match event.name:
        case "Newexten":
            return f"Newexten {event['Exten']} {event['Application']}"
        case "Newstate":
            return f"Newstate {event['ChannelStateDesc']}"
        case "VarSet":
            return f"VarSet {event['Variable']}={event['Value']}"
        case "Hangup" | "HangupRequest" | "SoftHangupRequest":
            return f"{event.name} {event['Cause']}"
        case "DTMFBegin" | "DTMFEnd":
            return f"{event.name} {event['Digit']}"
        case name:
            return name
