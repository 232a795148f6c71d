"""
Who wants which event; used by AMI and ARI alike.

An event that nobody wants costs one look-up in a dict. Wildcards are compared when a name is
seen for the first time, never again, so that delivery costs the number of matching listeners and
not of all listeners.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from inspect import iscoroutine
from itertools import count
from typing import Any, Final, Generic, TypeAlias, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ._cancellable import Cancellable
from ._reactor import the_reactor
from ._streams import STREAM_LIMIT, Brake, Buffer, EventStream
from .errors import AsteriskError, TimedOut

__all__ = ["Listener", "Subscription", "Subscriptions", "WireName"]

E = TypeVar("E")
Listener: TypeAlias = Callable[[E], object]
#: An event's name as the wing reads it off the wire: AMI bytes, ARI text.
WireName: TypeAlias = "str | bytes"

#: The names of Asterisk's events are some hundreds. A peer that makes up new ones without end
#: must not fill the memory, so past this many the table is begun anew.
MAX_KNOWN_NAMES: Final = 4096
#: Nor long ones: a longer name than this is looked up anew each time. Asterisk's longest has 46.
MAX_KNOWN_NAME_LENGTH: Final = 128

_WILD: Final = re.compile(r"[*?\[]")


class Subscription(Cancellable, Generic[E]):
    """
    One listener's wish; :meth:`cancel` ends it, and so does leaving its ``with`` block.
    """

    __slots__ = ("_listener", "_match", "_patterns", "_serial", "_subscriptions", "active")

    def __init__(
        self,
        subscriptions: Subscriptions[E],
        serial: int,
        patterns: frozenset[str],
        listener: Listener[E],
        match: Mapping[str, object],
    ) -> None:
        self._subscriptions = subscriptions
        self._serial = serial
        self._patterns = patterns
        self._listener = listener
        self._match = match
        self.active = True

    def cancel(self) -> None:
        """Deliver nothing more to this listener; harmless when repeated."""
        if self.active:
            self.active = False
            self._subscriptions._remove(self)

    def __repr__(self) -> str:
        state = "active" if self.active else "cancelled"
        return f"<Subscription to {', '.join(sorted(self._patterns))}, {state}>"

    def _hear(self, name: WireName, event: E, read: Callable[[E, str], object] | None) -> None:
        """Call the listener, if the fields that are read meet its wishes."""
        try:
            # Most have no wishes, and to find that out costs more than many a listener.
            if not self._match or read is None or self._wants(event, read):
                outcome = self._listener(event)
                if outcome is not None:
                    _look_after(outcome, self, name)
        except Exception:
            _log.failure(
                "While delivering {name} to {subscription!r}", name=name, subscription=self
            )

    def _wants(self, event: E, read: Callable[[E, str], object]) -> bool:
        return all(_fits(read(event, field), wish) for field, wish in self._match.items())


class Subscriptions(Generic[E]):
    """
    The listeners of one connection, service or object, and the way to them.

    :param read: returns the value of an event's field, for the ``match`` arguments.
    :param clock: measures the time limits of :meth:`next`; the global reactor by default.
    :param emptied: called when the last subscription has ended.
    """

    def __init__(
        self,
        read: Callable[[E, str], object],
        *,
        clock: IReactorTime | None = None,
        emptied: Callable[[], object] | None = None,
    ) -> None:
        self._read = read
        self._clock = clock
        self._emptied = emptied
        self._serials = count()
        self._by_pattern: dict[str, dict[Subscription[E], None]] = {}
        self._wildcards: set[str] = set()
        self._spellings: dict[str, list[WireName]] = {}
        self._waiting: dict[Deferred[E], None] = {}
        self._buffers: dict[Buffer[E], None] = {}
        #: Holds back the link for the streams; the link says what there is to hold.
        self.brake = Brake(clock)
        #: Wire name -> its subscriptions in the order of subscribing; empty for an unwanted name.
        #: A wing with many events looks here before it makes a value of the bytes.
        self.by_name: dict[WireName, tuple[Subscription[E], ...]] = _ByName(self._resolve)

    def on(
        self, event: str | Iterable[str], listener: Listener[E], /, **match: object
    ) -> Subscription[E]:
        """
        Call ``listener`` with each event of that name.

        :param event: a name, a wildcard such as ``Queue*``, or several of these; case is ignored.
        :param listener: called with the event. A coroutine or Deferred that it returns is looked
            after: its error is logged like one that is raised.
        :param match: fields and what they must be: a value, a collection of values, or a callable
            that is given the value and says whether it fits.
        :return: the subscription, to be cancelled or used as a context manager.
        """
        names = (event,) if isinstance(event, str) else tuple(event)
        patterns = frozenset(name.casefold() for name in names)
        subscription = Subscription(self, next(self._serials), patterns, listener, match)
        for pattern in patterns:
            self._by_pattern.setdefault(pattern, {})[subscription] = None
            if _WILD.search(pattern):
                self._wildcards.add(pattern)
        self._forget_resolved(patterns)
        return subscription

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[E]:
        """
        Wait for the next event of that name.

        :param event: as for :meth:`on`.
        :param timeout: the most seconds to wait, or None for as long as it takes.
        :param match: as for :meth:`on`.
        :return: fires with the event; fails with :class:`TimedOut`, or with
            :class:`Disconnected` when no more events can come. Cancelling
            ends the subscription.
        """
        waiting: Deferred[E] = Deferred(lambda _: forget())
        limit: IDelayedCall | None = None

        def forget() -> None:
            self._waiting.pop(waiting, None)
            subscription.cancel()
            if limit is not None and limit.active():
                limit.cancel()

        def arrived(happening: E) -> None:
            forget()
            waiting.callback(happening)

        def too_late() -> None:
            forget()
            waiting.errback(TimedOut(f"no {_either(event)} within {timeout:g} seconds"))

        def given_up(failure: Failure) -> Failure:
            forget()
            return failure

        subscription = self.on(event, arrived, **match)
        self._waiting[waiting] = None
        waiting.addErrback(given_up)
        if timeout is not None:
            limit = the_reactor(self._clock).callLater(timeout, too_late)
        return waiting

    def stream(
        self, event: str | Iterable[str], /, *, limit: int = STREAM_LIMIT, **match: object
    ) -> EventStream[E]:
        """
        Read the events of that name one after the other.

        :param event: as for :meth:`on`.
        :param limit: the most events that are kept until they are read.
        :param match: as for :meth:`on`.
        :return: an async iterator from now on, which ends when it is cancelled. Reading fails with
            :class:`EventsLost` when it was read too slowly, and with
            :class:`Disconnected` when no more events can come.
        """
        buffer: Buffer[E] = Buffer(limit, self.brake)
        subscription = self.on(event, buffer.put, **match)
        self._buffers[buffer] = None

        def unsubscribe() -> None:
            self._buffers.pop(buffer, None)
            subscription.cancel()

        return EventStream(buffer, unsubscribe)

    def deliver(self, name: WireName, event: E) -> None:
        """Call the listeners of that name whose wishes the event meets; none harms another."""
        for subscription in self.by_name[name]:
            if subscription.active:
                subscription._hear(name, event, self._read)

    def announce(self, name: WireName, event: E) -> None:
        """Call the listeners of that name whatever else they wish: it concerns them all."""
        for subscription in self.by_name[name]:
            if subscription.active:
                subscription._hear(name, event, None)

    def fail(self, error: AsteriskError) -> None:
        """Fail who waits for the next event, alone or in a stream: none can come any more."""
        for waiting in tuple(self._waiting):
            # One of them may have cancelled another.
            if waiting in self._waiting:
                waiting.errback(error)
        for buffer in tuple(self._buffers):
            buffer.end(error)

    def end_streams(self) -> None:
        """End every stream as it should end: all has come that was to come."""
        for buffer in tuple(self._buffers):
            buffer.end()

    def clear(self) -> None:
        """Cancel every subscription."""
        for subscription in {wish for wishes in self._by_pattern.values() for wish in wishes}:
            subscription.cancel()

    def _remove(self, subscription: Subscription[E]) -> None:
        for pattern in subscription._patterns:
            wishes = self._by_pattern[pattern]
            del wishes[subscription]
            if not wishes:
                del self._by_pattern[pattern]
                self._wildcards.discard(pattern)
        self._forget_resolved(subscription._patterns)
        if not self._by_pattern and self._emptied is not None:
            self._emptied()

    def _forget_resolved(self, patterns: frozenset[str]) -> None:
        """Have the names resolved anew that the patterns may touch, and no others."""
        if any(_WILD.search(pattern) for pattern in patterns):
            self.by_name.clear()
            self._spellings.clear()
            return
        for pattern in patterns:
            for name in self._spellings.pop(pattern, ()):
                self.by_name.pop(name, None)

    def _resolve(self, name: WireName) -> tuple[Subscription[E], ...]:
        if len(self.by_name) >= MAX_KNOWN_NAMES:
            self.by_name.clear()
            self._spellings.clear()
        text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
        folded = text.casefold()
        if len(name) <= MAX_KNOWN_NAME_LENGTH:
            self._spellings.setdefault(folded, []).append(name)
        wishes = dict(self._by_pattern.get(folded, {}))
        for pattern in self._wildcards:
            if fnmatchcase(folded, pattern):
                wishes.update(self._by_pattern[pattern])
        return tuple(sorted(wishes, key=_serial))


class _ByName(dict[WireName, tuple[Subscription[E], ...]]):
    """A dict that finds out what it lacks."""

    def __init__(self, resolve: Callable[[WireName], tuple[Subscription[E], ...]]) -> None:
        super().__init__()
        self._resolve = resolve

    def __missing__(self, name: WireName) -> tuple[Subscription[E], ...]:
        found = self._resolve(name)
        if len(name) <= MAX_KNOWN_NAME_LENGTH:
            self[name] = found
        return found


def _serial(subscription: Subscription[Any]) -> int:
    return subscription._serial


def _fits(value: object, wish: object) -> bool:
    if callable(wish):
        return bool(wish(value))
    if isinstance(wish, Collection) and not isinstance(wish, (str, bytes)):
        return value in wish
    return value == wish


def _either(event: str | Iterable[str]) -> str:
    return event if isinstance(event, str) else " or ".join(event)


def _look_after(outcome: Any, subscription: Subscription[Any], name: WireName) -> None:
    """Run what an ``async def`` listener left behind, and log how it fails."""
    if not isinstance(outcome, Deferred):
        if not iscoroutine(outcome):
            return
        outcome = Deferred.fromCoroutine(outcome)
    outcome.addErrback(
        lambda failure: _log.failure(
            "While delivering {name} to {subscription!r}",
            failure=failure,
            name=name,
            subscription=subscription,
        )
    )


_log = Logger()
