"""
The PBX without any wire: channels, variables, sounds, and who is told what happens.

Two things run on channels: the dialplan, and what a call was originated for. Each is a coroutine
that ends with its channel. All time is the clock's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..errors import HungUp
from .applications import Application
from .channel import DOWN, RING, CallerID, Channel
from .database import Database
from .dialplan import Dialplan, Goto, run_dialplan
from .happenings import (
    ChannelCreated,
    DialBegan,
    Happening,
    LocalBridged,
    Stepped,
    VariableSet,
)
from .not_faked import NotFaked, complain

__all__ = ["LocalAddress", "Switchboard", "UniqueidTaken"]

Job = Callable[[Channel], Awaitable[object]]

#: What Asterisk lets ring, in seconds, if nobody says.
RING_TIME: Final = 30.0
_NO_ANSWER: Final = 19
#: How a call that is hung up before it was answered ended for the caller, by its cause.
_REFUSALS: Final = {17: "BUSY", 34: "CONGESTION"}


class UniqueidTaken(Exception):
    """There is a channel of that id already."""


class LocalAddress(NamedTuple):
    """Where a local channel leads: the text after ``Local/``."""

    exten: str
    context: str
    optimized: bool

    @classmethod
    def parse(cls, text: str) -> LocalAddress:
        """Read ``exten@context/options``."""
        address, _, options = text.partition("/")
        exten, _, context = address.partition("@")
        return cls(exten, context or "default", "n" not in options)

    def __str__(self) -> str:
        return f"{self.exten}@{self.context}"


class Switchboard:
    """
    Everything that the wires have in common.

    :param clock: measures all time.
    :param dialplan: what the extensions do.
    :param applications: what the applications of the dialplan do, by their names in lower case.
    :param sounds: the sounds that there are, and how many seconds each takes.
    :param channelvars: the variables that every snapshot of a channel holds.
    """

    def __init__(
        self,
        clock: IReactorTime,
        dialplan: Dialplan,
        applications: dict[str, Application],
        sounds: dict[str, float],
        channelvars: tuple[str, ...],
    ) -> None:
        self.clock = clock
        self.dialplan = dialplan
        self.applications = applications
        self.sounds = sounds
        self.channelvars = channelvars
        self.started = clock.seconds()
        self.channels: dict[str, Channel] = {}
        self.globals: dict[str, str] = {}
        self.database = Database()
        self.calls_processed = 0
        self._listeners: list[Callable[[Happening], None]] = []
        self._running: set[Deferred[None]] = set()
        self._channel_count = 0
        self._local_count = 0

    # Telling

    def listen(self, listener: Callable[[Happening], None]) -> None:
        """Have all happenings told to ``listener``."""
        self._listeners.append(listener)

    def tell(self, happening: Happening) -> None:
        """Say what happened to everyone who listens."""
        for listener in self._listeners:
            listener(happening)

    def unplug(self) -> None:
        """End everything at once, and tell nobody."""
        self._listeners.clear()
        for running in tuple(self._running):
            running.cancel()
        for channel in self.channels.values():
            channel.unplug()
        self.channels.clear()

    # Channels

    def find(self, name: str) -> Channel | None:
        """Return the channel of that name or id."""
        channel = self.channels.get(name)
        if channel is not None:
            return channel
        wanted = name.casefold()
        return next(
            (each for each in self.channels.values() if each.name.casefold() == wanted), None
        )

    def forget(self, channel: Channel) -> None:
        """Take a channel out that has ended."""
        self.channels.pop(channel.uniqueid, None)

    def set_global(self, name: str, value: str) -> None:
        """Set a variable of all channels."""
        self.globals[name] = value
        self.tell(VariableSet(None, name, value))

    def create_local(
        self, address: LocalAddress, uniqueid: str = "", other_uniqueid: str = ""
    ) -> Channel:
        """
        Make a local channel, which has two halves: what one hears the other says.

        :param address: the extension that answers.
        :param uniqueid: the id of the first half; chosen here if empty.
        :param other_uniqueid: the id of the second half; chosen here if empty.
        :return: the first half, which is called; the second one runs the extension.
        :raises UniqueidTaken: there is a channel of that id already.
        """
        if not uniqueid:
            # Seen: the id of the second half alone is ignored.
            other_uniqueid = ""
        elif not other_uniqueid:
            other_uniqueid = f"{uniqueid};2"
        if self._is_taken(uniqueid) or self._is_taken(other_uniqueid):
            raise UniqueidTaken(uniqueid)
        name = f"Local/{address}-{self._local_count:08x}"
        self._local_count += 1
        one = self._create(f"{name};1", uniqueid, "", DOWN, address)
        two = self._create(f"{name};2", other_uniqueid, one.uniqueid, RING, address)
        one.peer, two.peer = two, one
        self.tell(ChannelCreated(one))
        self.tell(ChannelCreated(two))
        one.application, one.data = "AppDial2", "(Outgoing Line)"
        self.tell(Stepped(one))
        return one

    def _is_taken(self, uniqueid: str) -> bool:
        """Tell whether the id of any channel begins like this; Asterisk compares no more of it."""
        wanted = uniqueid.casefold()
        return bool(wanted) and any(each.casefold().startswith(wanted) for each in self.channels)

    def _create(
        self, name: str, uniqueid: str, linkedid: str, state: int, address: LocalAddress
    ) -> Channel:
        uniqueid = uniqueid or f"{int(self.clock.seconds())}.{self._channel_count}"
        self._channel_count += 1
        channel = Channel(self, name, uniqueid, linkedid or uniqueid, state)
        channel.context, channel.exten = address.context, address.exten
        self.channels[uniqueid] = channel
        return channel

    # Calls

    def originate(
        self,
        one: Channel,
        address: LocalAddress,
        seconds: float,
        report: Callable[[str], None],
        job: Job,
    ) -> None:
        """
        Call what a local channel leads to, and when it answers, run something on the first half.

        :param one: what :meth:`create_local` returned.
        :param address: where it leads.
        :param seconds: how long to let it ring.
        :param report: told how it ended: ``ANSWER``, ``BUSY``, ``CONGESTION``, ``NOANSWER`` when
            the time was up, or nothing when it was hung up or there is no such extension.
        :param job: what to run.
        """

        async def call() -> None:
            status = await self._dial(one, address, seconds)
            report(status)
            if status == "ANSWER":
                await job(one)

        self._run(one, call())

    async def _dial(self, one: Channel, address: LocalAddress, seconds: float) -> str:
        two = one.peer
        assert two is not None
        for name, value in reversed(one.variables.items()):
            two.set(name, value)
        if one.caller != CallerID():
            two.identify(one.caller)
        if self.dialplan.extension(address.context, address.exten) is None:
            one.hung_up = True
            two.end()
            return ""
        self.tell(LocalBridged(one, two, address.optimized))
        self.tell(DialBegan(one, str(address)))
        one.dialling = True
        answered = one.wait(seconds)
        self.calls_processed += 1
        self._run(two, run_dialplan(two))
        try:
            status = await answered
        except HungUp:
            one.end_dialling(_REFUSALS.get(one.cause, "NOANSWER"))
            return ""
        if status is None:
            one.dialling = False
            one.cause = _NO_ANSWER
        return status or "NOANSWER"

    def _run(self, channel: Channel, job: Coroutine[Deferred[Any], Any, None]) -> None:
        running = Deferred.fromCoroutine(self._run_to_its_end(channel, job))
        if not running.called:
            self._running.add(running)
            running.addBoth(lambda _: self._running.discard(running))

    async def _run_to_its_end(
        self, channel: Channel, job: Coroutine[Deferred[Any], Any, None]
    ) -> None:
        try:
            try:
                await job
            except Goto as goto:
                # Taken out of what was no dialplan, it begins there.
                channel.context, channel.exten = goto.context, goto.exten
                await run_dialplan(channel)
        except HungUp:
            pass
        except CancelledError:
            return
        except NotFaked as error:
            complain(error)
        except Exception:
            _log.failure("What ran on {channel} failed", channel=channel)
        channel.end()


_log = Logger()
