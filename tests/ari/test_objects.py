"""Tests of who listens to which object."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.ari.messages import decode_event
from txasterisk.ari.models import Event
from txasterisk.ari.objects import Objects
from txasterisk.errors import Disconnected, HungUp


def event(kind: str, **fields: Any) -> Event:
    """Return an event with objects of these ids."""
    return decode_event(json.dumps({"type": kind, **fields}).encode())


class ObjectsTests(SynchronousTestCase):
    """An event is for the listeners of the objects that it is about."""

    def setUp(self) -> None:
        self.objects = Objects(Clock())
        self.heard: list[str] = []

    def listen(self, kind: str, name: str, pattern: str = "*") -> None:
        self.objects.listeners(kind, name).on(
            pattern, lambda event: self.heard.append(f"{name} {event.type}")
        )

    def test_that_very_object(self) -> None:
        """The events of one channel do not reach the listeners of another."""
        self.listen("Channel", "a")
        self.listen("Channel", "b")
        self.objects.deliver(event("ChannelStateChange", channel={"id": "b"}))
        self.assertEqual(self.heard, ["b ChannelStateChange"])

    def test_kinds(self) -> None:
        """A bridge and a channel may have the same id."""
        self.listen("Bridge", "a")
        self.objects.deliver(event("ChannelStateChange", channel={"id": "a"}))
        self.assertEqual(self.heard, [])

    def test_every_object_of_an_event(self) -> None:
        """An event about a channel and a bridge reaches the listeners of both."""
        self.listen("Channel", "c")
        self.listen("Bridge", "b")
        self.objects.deliver(event("ChannelEnteredBridge", bridge={"id": "b"}, channel={"id": "c"}))
        self.assertEqual(sorted(self.heard), ["b ChannelEnteredBridge", "c ChannelEnteredBridge"])

    def test_twice_in_an_event(self) -> None:
        """An object that is in an event twice hears it once."""
        self.listen("Channel", "c")
        self.objects.deliver(event("Dial", caller={"id": "c"}, peer={"id": "c"}))
        self.assertEqual(self.heard, ["c Dial"])

    def test_nothing_is_kept_for_nobody(self) -> None:
        """When the last listener of an object goes, nothing of the object is left."""
        waiting = self.objects.listeners("Channel", "c").next("*", timeout=1)
        self.assertTrue(self.objects)
        self.objects.deliver(event("ChannelStateChange", channel={"id": "c"}))
        self.successResultOf(waiting)
        self.assertFalse(self.objects)

    def test_listeners_that_come_when_it_is_gone(self) -> None:
        """Who listens again on being told that the object is gone is heard."""
        waiting = self.objects.listeners("Channel", "c").next("Never")
        waiting.addErrback(lambda _: self.listen("Channel", "c"))
        self.objects.forget("Channel", "c", HungUp("gone"))
        self.objects.deliver(event("ChannelStateChange", channel={"id": "c"}))
        self.assertEqual(self.heard, ["c ChannelStateChange"])

    def test_gone(self) -> None:
        """When an object is gone its listeners hear that, and are gone as well."""
        for kind, name, ending, field in (
            ("Channel", "c", "ChannelDestroyed", {"channel": {"id": "c"}}),
            ("Channel", "c", "StasisEnd", {"channel": {"id": "c"}}),
            ("Bridge", "b", "BridgeDestroyed", {"bridge": {"id": "b"}}),
            ("Playback", "p", "PlaybackFinished", {"playback": {"id": "p"}}),
            ("LiveRecording", "r", "RecordingFinished", {"recording": {"name": "r"}}),
            ("LiveRecording", "r", "RecordingFailed", {"recording": {"name": "r"}}),
        ):
            self.heard.clear()
            self.listen(kind, name)
            waiting = self.objects.listeners(kind, name).next("Other")
            self.objects.deliver(event(ending, **field))
            self.objects.deliver(event(ending, **field))
            self.assertEqual(self.heard, [f"{name} {ending}"])
            self.failureResultOf(waiting, HungUp)
            self.assertFalse(self.objects)

    def test_another_ending(self) -> None:
        """The end of a bridge is not the end of a channel that was in it."""
        self.listen("Channel", "c", "StasisEnd")
        self.objects.deliver(event("BridgeDestroyed", bridge={"id": "b"}, channel={"id": "c"}))
        self.objects.deliver(event("StasisEnd", channel={"id": "c"}))
        self.assertEqual(self.heard, ["c StasisEnd"])

    def test_channel_of_our_own_making(self) -> None:
        """A channel that we made goes on after StasisEnd, till ChannelDestroyed."""
        self.objects.made("c")
        self.listen("Channel", "c")
        self.objects.deliver(event("StasisEnd", channel={"id": "c"}))
        self.objects.deliver(event("ChannelDestroyed", channel={"id": "c"}))
        self.assertEqual(self.heard, ["c StasisEnd", "c ChannelDestroyed"])
        self.assertFalse(self.objects.is_made("c"))
        self.assertFalse(self.objects)

    def test_fail(self) -> None:
        """When no more events can come those who wait are told; listeners stay."""
        self.listen("Channel", "c")
        waiting = self.objects.listeners("Channel", "c").next("Any")
        self.objects.fail(Disconnected("lost"))
        self.failureResultOf(waiting, Disconnected)
        self.objects.deliver(event("ChannelStateChange", channel={"id": "c"}))
        self.assertEqual(self.heard, ["c ChannelStateChange"])
