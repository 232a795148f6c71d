"""
Who listens to which channel, bridge, playback or recording.

An event is delivered to the listeners of the very objects that it is about, found by their ids,
so that ten thousand calls cost no more than one. When Asterisk says that an object is gone, its
listeners go with it.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IReactorTime

from .._subscriptions import Subscriptions
from ..errors import AsteriskError, HungUp
from .messages import objects_of
from .models import Event

__all__ = ["Objects"]

#: What kind of object an event ends. An inbound channel that leaves the application is not heard
#: of again, so StasisEnd ends it; one of our own making goes on until ChannelDestroyed.
_ENDINGS: Final = {
    "BridgeDestroyed": "Bridge",
    "ChannelDestroyed": "Channel",
    "PlaybackFinished": "Playback",
    "RecordingFailed": "LiveRecording",
    "RecordingFinished": "LiveRecording",
    "StasisEnd": "Channel",
}


class Objects:
    """
    The listeners of all objects of one client.

    :param clock: measures time limits.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._listeners: dict[tuple[str, str], Subscriptions[Event]] = {}
        self._made: set[str] = set()

    def __bool__(self) -> bool:
        """Whether any event matters here."""
        return bool(self._listeners or self._made)

    def listeners(self, kind: str, name: str) -> Subscriptions[Event]:
        """Return the listeners of an object, by its kind and id."""
        key = (kind, name)
        found = self._listeners.get(key)
        if found is None:
            found = self._listeners[key] = self._new_listeners(key)
        return found

    def forget(self, kind: str, name: str, error: AsteriskError) -> None:
        """Cancel all listeners of an object, and fail those who wait for its next event."""
        listeners = self._listeners.pop((kind, name), None)
        if listeners is not None:
            listeners.fail(error)
            listeners.clear()

    def made(self, channel_id: str) -> None:
        """Note that a channel is of our own making, and that Asterisk will tell of its end."""
        self._made.add(channel_id)

    def not_made(self, channel_id: str) -> None:
        """Note that nothing came of it."""
        self._made.discard(channel_id)

    def is_made(self, channel_id: str) -> bool:
        """Tell whether a channel is of our own making."""
        return channel_id in self._made

    def deliver(self, event: Event) -> None:
        """Deliver an event to the listeners of every object in it."""
        for kind, name in dict.fromkeys(objects_of(event)):
            listeners = self._listeners.get((kind, name))
            if listeners is not None:
                listeners.deliver(event.type, event)
            if _ENDINGS.get(event.type) == kind:
                self._ended(event.type, kind, name)

    def fail(self, error: AsteriskError) -> None:
        """Fail everyone who waits for an object's next event; listeners stay."""
        for listeners in tuple(self._listeners.values()):
            listeners.fail(error)

    def _new_listeners(self, key: tuple[str, str]) -> Subscriptions[Event]:
        def emptied() -> None:
            # Others may have come in the meantime.
            if self._listeners.get(key) is listeners:
                del self._listeners[key]

        listeners: Subscriptions[Event] = Subscriptions(
            field_of, clock=self._clock, emptied=emptied
        )
        return listeners

    def _ended(self, event: str, kind: str, name: str) -> None:
        if event == "StasisEnd" and name in self._made:
            return
        self._made.discard(name)
        self.forget(kind, name, HungUp(f"{kind} {name} is gone"))


def field_of(event: Event, field: str) -> object:
    """Return the value of an event's field, or None if it has none."""
    return getattr(event, field, None)
