"""
Following a call that was originated: :class:`Call`, until the last of its channels has hung up.

A call is more than the channel with which it began. The channel is renamed when another takes its
place, the two halves of a local channel vanish when Asterisk joins their far ends directly, and a
transfer brings in channels that did not exist before. Its channels are the first one, and all that
began with that one's id as their ``Linkedid``; the call is over when the last of them is gone. When
calls are joined Asterisk gives all their channels one ``Linkedid``, for as long as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._milestone import Milestone
from .._streams import STREAM_LIMIT, EventStream
from .._subscriptions import Listener, Subscription, Subscriptions
from .._time_limits import TimeLimits
from ..errors import (
    ActionFailed,
    AsteriskError,
    CallFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    TimedOut,
)
from .messages import Event, Gap, Response

if TYPE_CHECKING:
    from .verbs import Verbs

__all__ = ["RING_TIME", "Call", "Calls"]

#: Seconds that a call may ring unless told otherwise; Asterisk's own default.
RING_TIME: Final = 30.0
#: Asterisk says how an Originate went as soon as its time is up, or before. It cannot say so to a
#: user who may not read the class ``call``, so nobody waits longer than this for that, in seconds.
_GRACE: Final = 10.0

#: What ``OriginateResponse`` calls the ways in which a call is not answered (seen on 16.28 and
#: 22.10; 1 read in the source).
_REASONS: Final = {"1": "hung up", "3": "no answer", "5": "busy", "8": "congestion"}
#: ``ChannelState`` of a channel that has been answered.
_UP: Final = "6"

_NO_SUCH_CHANNEL: Final = "No such channel"

#: Every id of a channel or of a call in an event, whatever its role there: ``DestUniqueid``.
_IDS: Final = re.compile(rb"\r\n\w*(?:unique|linked)id: ([^\r]+)", re.IGNORECASE)


class Call:
    """
    A call that is originated, and followed until the last of its channels has hung up.

    Made by :meth:`Verbs.new_call`, or by :meth:`Verbs.originate` together with the call itself.

    :ivar uniqueid: the ``Uniqueid`` of the channel that is called first; it is chosen before.
    :ivar channels: the channels that the call has now: their names by their ``Uniqueid``.
    """

    def __init__(self, ami: Verbs, calls: Calls, events: Subscriptions[Event]) -> None:
        self.uniqueid = f"txasterisk-{uuid4().hex}"
        self.channels: dict[str, str] = {}
        self._linkedids: dict[str, str] = {}
        self._ids = {self.uniqueid}
        self._ami = ami
        self._calls = calls
        self._events = events
        self._answer: Deferred[Call] | None = None
        self._unwanted = False
        self._last_hangup: Event | None = None
        self._over: Milestone[Event] = Milestone()

    @property
    def channel(self) -> str:
        """The name that the channel called first has now; empty while there is none."""
        return self.channels.get(self.uniqueid, "")

    def originate(
        self,
        channel: str,
        *,
        context: str | None = None,
        exten: str | None = None,
        priority: int | str = 1,
        application: str | None = None,
        data: object = None,
        timeout: float = RING_TIME,
        caller_id: str | None = None,
        variables: Mapping[str, object] | None = None,
        account: str | None = None,
        codecs: Iterable[str] | None = None,
        early_media: bool | None = None,
        pre_dial_gosub: str | None = None,
    ) -> Deferred[Call]:
        """Place the call; see :meth:`Verbs.originate`. A call can be placed once."""
        if self._answer is not None:
            return fail(LocalProtocolError("this call was originated already"))
        if (application is None) == (context is None or exten is None):
            return fail(LocalProtocolError("Originate needs an application, or context and exten"))
        headers = {
            "Channel": channel,
            "ChannelId": self.uniqueid,
            "Async": True,
            "Timeout": round(timeout * 1000),
            "Application": application,
            "Data": data,
            "Context": context,
            "Exten": exten,
            "Priority": None if exten is None else priority,
            "CallerID": caller_id,
            "Variable": variables,
            "Account": account,
            "Codecs": None if codecs is None else ",".join(codecs),
            "EarlyMedia": early_media,
            "PreDialGoSub": pre_dial_gosub,
        }
        answer: Deferred[Call] = Deferred(lambda _: self._give_up())
        self._answer = answer
        self._calls.follow(self, timeout + _GRACE)
        placed = self._ami.action("Originate", headers)
        placed.addErrback(self._not_placed)
        return answer

    def on(
        self, event: str | Iterable[str], listener: Listener[Event], /, **match: object
    ) -> Subscription[Event]:
        """Call ``listener`` with each event of that name that concerns this call."""
        return self._events.on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Event]:
        """
        Wait for the next event of that name that concerns this call.

        :return: fires as :meth:`Verbs.next` does; fails with :class:`HungUp`
            when the call is over. Cancelling stops waiting.
        """
        if self._over.decided:
            return fail(self._hung_up())
        return self._events.next(event, timeout=timeout, **match)

    def stream(
        self, event: str | Iterable[str], /, *, limit: int = STREAM_LIMIT, **match: object
    ) -> EventStream[Event]:
        """Read the events of that name that concern this call, until it is over."""
        stream = self._events.stream(event, limit=limit, **match)
        if self._over.decided:
            self._events.end_streams()
        return stream

    def when_hung_up(self) -> Deferred[Event]:
        """
        Wait until the last channel of the call has hung up.

        :return: fires with its ``Hangup``, whose ``Cause`` and ``Cause-txt`` say why, or with the
            :class:`Gap` in which it happened; fails with
            :class:`CallFailed` when the call was not answered, and with
            :class:`Disconnected` when the call cannot be followed any
            more. Cancelling stops waiting.
        """
        return self._over.when()

    def hangup(self, cause: int | None = None) -> Deferred[None]:
        """
        Hang up the channel that was called first, or, if it is gone, all that the call has left.

        :param cause: a number of Q.850, such as 17 for busy.
        :return: fires with None when Asterisk has taken note, which it has also of what is hung up
            already; fails like :meth:`Verbs.action`. Cancelling does not take it back.
        """
        targets = [self.uniqueid] if self.uniqueid in self.channels else list(self.channels)
        return Deferred.fromCoroutine(self._hang_up(targets, cause))

    def redirect(self, context: str, exten: str, priority: int | str = 1) -> Deferred[Response]:
        """
        Have the channel that was called first go on elsewhere in the dialplan (AMI ``Redirect``).

        :return: fires with the answer, when that is queued; fails like :meth:`Verbs.action`.
            Cancelling drops the answer.
        """
        where = {"Context": context, "Exten": exten, "Priority": priority}
        return self._ami.action("Redirect", {"Channel": self.uniqueid, **where})

    def __repr__(self) -> str:
        names = ", ".join(self.channels.values()) or "no channels"
        return f"<Call {self.uniqueid}: {names}>"

    # What the events mean

    def _heard(self, event: Event) -> None:
        """Take an event that concerns this call."""
        self._note(event)
        self._events.deliver(event.name, event)
        if event.name == "OriginateResponse":
            self._originated(event)
        self._end_when_empty()

    def _note(self, event: Event) -> None:
        uniqueid = event.get("Uniqueid") or ""
        ours = self._owns(uniqueid)
        if event.name == "Hangup":
            if ours:
                self._last_hangup = event
                self._forget([uniqueid])
        elif event.name == "Rename":
            if ours:
                self.channels[uniqueid] = event.get("Newname") or ""
        elif "ChannelState" in event and (ours or self._begins_here(event)):
            # Only a snapshot of a channel has that; others name channels that may be gone.
            self._learn({uniqueid: event})

    def has(self, channel: Event) -> bool:
        """Whether a channel, as a list shows it, belongs to this call."""
        return self._owns(channel["Uniqueid"]) or channel.get("Linkedid") == self.uniqueid

    def _owns(self, uniqueid: str) -> bool:
        return uniqueid in self.channels or uniqueid == self.uniqueid

    def _begins_here(self, event: Event) -> bool:
        # Later, a channel of another call may have our Linkedid, while it is joined to ours.
        return event.name == "Newchannel" and event.get("Linkedid") == self.uniqueid

    def _learn(self, snapshots: Mapping[str, Event]) -> None:
        """Take note of channels that belong to this call, as an event shows them."""
        for uniqueid, snapshot in snapshots.items():
            self.channels[uniqueid] = snapshot.get("Channel") or ""
            self._linkedids[uniqueid] = snapshot.get("Linkedid") or uniqueid
        self._claim_ids()
        if self._unwanted and self.uniqueid in self.channels:
            self._unwanted = False
            self._hang_up_unasked()

    def _forget(self, uniqueids: Iterable[str]) -> None:
        """Take note that channels are gone."""
        for uniqueid in uniqueids:
            self.channels.pop(uniqueid, None)
            self._linkedids.pop(uniqueid, None)
        self._claim_ids()

    def _claim_ids(self) -> None:
        """Have told what concerns our channels, and whom they are joined to at the moment."""
        ids = {self.uniqueid, *self.channels, *self._linkedids.values()}
        if ids != self._ids:
            self._calls.claim(self, ids - self._ids)
            self._calls.release(self, self._ids - ids)
            self._ids = ids

    def _catch_up(self, known: Collection[str], found: Mapping[str, Event], gap: Gap) -> None:
        """
        Compare with the channels that there are after a gap.

        :param known: the channels that the call had before.
        :param found: the channels that there are now, as far as they concern this call.
        """
        self._forget([uniqueid for uniqueid in known if uniqueid not in found])
        self._learn(found)
        if self._pending:
            own = found.get(self.uniqueid)
            if own is None:
                self._fail(Disconnected("the call ended while the link was lost"))
            elif own.get("ChannelState") == _UP:
                self._answered()
        if not self.channels:
            self._last_hangup = self._last_hangup or gap
        self._end_when_empty()

    @property
    def _pending(self) -> bool:
        return self._answer is not None and not self._answer.called

    def _originated(self, event: Event) -> None:
        if event.get("Response") == "Success":
            if self._last_hangup is None and not self.channel:
                # Events of different kinds overtake each other: its Newchannel is still to come.
                self._learn({self.uniqueid: event})
            self._answered()
            return
        refused = CallFailed(_REASONS.get(event.get("Reason") or "", "failed"), event)
        self._refuse(refused)
        if not self.channels:
            self._finish(refused)

    def _answered(self) -> None:
        self._calls.stop_limit(self)
        if self._answer is not None and self._pending:
            self._answer.callback(self)

    def _refuse(self, error: AsteriskError) -> None:
        self._calls.stop_limit(self)
        if self._answer is not None and self._pending:
            self._answer.errback(error)

    def _fail(self, error: AsteriskError) -> None:
        """End it, because it cannot be followed."""
        self._finish(error)
        self._refuse(error)

    def _not_placed(self, failure: Failure) -> None:
        if isinstance(failure.value, AsteriskError):
            self._fail(failure.value)

    def _give_up(self) -> None:
        """Hang up what nobody waits for any more, as soon as it is there."""
        if self.channels:
            self._hang_up_unasked()
        else:
            self._unwanted = True

    def _hang_up_unasked(self) -> None:
        # Should it fail, the link is gone, and nobody is there to be told.
        self.hangup().addErrback(lambda failure: failure.trap(AsteriskError))

    def _end_when_empty(self) -> None:
        if not self.channels and not self._pending and self._last_hangup is not None:
            self._finish(self._last_hangup)

    def _finish(self, end: Event | AsteriskError) -> None:
        if self._over.decided:
            return
        self._calls.leave(self, self._ids)
        if isinstance(end, Event):
            self._over.reach(end)
            self._events.end_streams()
            self._events.fail(self._hung_up())
        else:
            self._over.miss(end)
            self._events.fail(end)

    def _hung_up(self) -> HungUp:
        return HungUp(f"the call {self.uniqueid} is over")

    async def _hang_up(self, targets: Collection[str], cause: int | None) -> None:
        for uniqueid in targets:
            try:
                await self._ami.action("Hangup", {"Channel": uniqueid, "Cause": cause})
            except ActionFailed as error:
                if error.message != _NO_SUCH_CHANNEL:
                    raise


class Calls:
    """
    The calls that are followed over a link or a service: which event concerns which of them.

    :param ami: places them.
    :param listeners: those of the link or service.
    :param clock: measures time limits.
    """

    def __init__(self, ami: Verbs, listeners: Subscriptions[Event], clock: IReactorTime) -> None:
        self._ami = ami
        self._listeners = listeners
        self._clock = clock
        self._followed: dict[Call, None] = {}
        self._by_id: dict[bytes, dict[Call, None]] = {}
        self._limits: TimeLimits[Call] = TimeLimits(clock, _too_late)
        self._hearing: Subscription[Event] | None = None
        # Hears of no event; fails when no more can come.
        self._until_the_end: Deferred[Event] | None = None

    def new(self) -> Call:
        """Return a call that is not placed yet."""
        events: Subscriptions[Event] = Subscriptions(Event.get, clock=self._clock)
        events.brake = self._listeners.brake
        return Call(self._ami, self, events)

    def follow(self, call: Call, seconds: float) -> None:
        """Begin to follow a call, which shall be answered within so many seconds."""
        if not self._followed:
            self._hearing = self._listeners.on("*", self._heard)
            self._until_the_end = self._listeners.next(())
            self._until_the_end.addErrback(self._no_more)
        self._followed[call] = None
        self.claim(call, [call.uniqueid])
        self._limits.start(call, seconds)

    def stop_limit(self, call: Call) -> None:
        """Take note that a call was answered, or was not."""
        self._limits.stop(call)

    def claim(self, call: Call, ids: Iterable[str]) -> None:
        """Have events with one of these ids told to a call."""
        for each in ids:
            self._by_id.setdefault(_on_the_wire(each), {})[call] = None

    def release(self, call: Call, ids: Iterable[str]) -> None:
        """Have events with one of these ids told to a call no more."""
        for each in ids:
            calls = self._by_id.get(_on_the_wire(each), {})
            calls.pop(call, None)
            if not calls:
                self._by_id.pop(_on_the_wire(each), None)

    def leave(self, call: Call, ids: Iterable[str]) -> None:
        """Follow a call no more."""
        self.release(call, ids)
        self._limits.stop(call)
        self._followed.pop(call, None)
        if not self._followed and self._hearing is not None and self._until_the_end is not None:
            self._hearing.cancel()
            self._until_the_end.cancel()
            self._limits.clear()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Gap):
            Deferred.fromCoroutine(self._catch_up(event))
            return
        for call in self._concerned(event):
            call._heard(event)

    def _concerned(self, event: Event) -> dict[Call, None]:
        concerned: dict[Call, None] = {}
        for each in _IDS.findall(event.raw):
            concerned.update(self._by_id.get(each, {}))
        return concerned

    async def _catch_up(self, gap: Gap) -> None:
        """Find out what became of the calls in the meantime."""
        known = {call: tuple(call.channels) for call in self._followed}
        found: dict[Call, dict[str, Event]] = {call: {} for call in known}
        for call in known:
            call._events.announce("Gap", gap)
        gone: set[str] = set()
        with self._listeners.on("Hangup", lambda event: gone.add(event.get("Uniqueid") or "")):
            try:
                async for channel in self._ami.list("CoreShowChannels"):
                    for call in self._concerned(channel):
                        if call in found and call.has(channel):
                            found[call][channel["Uniqueid"]] = channel
            except Disconnected:
                # The next gap will find out, or no more events can come.
                return
            except AsteriskError as error:
                _log.warn(
                    "What became of {calls} calls is not known: {error}",
                    calls=len(known),
                    error=error,
                )
                return
        for call, before in known.items():
            if call not in self._followed:
                continue
            alive = {uniqueid: found[call][uniqueid] for uniqueid in found[call].keys() - gone}
            call._catch_up(before, alive, gap)

    def _no_more(self, failure: Failure) -> None:
        if isinstance(failure.value, AsteriskError):
            for call in tuple(self._followed):
                call._fail(failure.value)


def _too_late(call: Call) -> None:
    call._fail(
        TimedOut(
            "Asterisk has not said how the Originate went; it says so only to users who may read "
            "the class call"
        )
    )


def _on_the_wire(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


_log = Logger()
