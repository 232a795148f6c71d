"""Who wants which event."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._subscriptions import (
    MAX_KNOWN_NAME_LENGTH,
    MAX_KNOWN_NAMES,
    Subscription,
    Subscriptions,
)
from txasterisk.errors import Disconnected, TimedOut

Fields: TypeAlias = dict[str, object]


class SubscriptionsTestCase(SynchronousTestCase):
    """Has subscriptions and a list of what was delivered."""

    def setUp(self) -> None:
        """Begin without any subscription."""
        self.clock = Clock()
        self.subscriptions: Subscriptions[Fields] = Subscriptions(Fields.get, clock=self.clock)
        self.heard: list[Fields] = []

    def hear(self, name: str | bytes, **fields: object) -> list[Fields]:
        """Deliver an event, and return what the listener heard of it."""
        self.heard.clear()
        self.subscriptions.deliver(name, fields)
        return list(self.heard)


class NameTests(SubscriptionsTestCase):
    """Which names a subscription is for."""

    def test_an_exact_name(self) -> None:
        """A listener hears the events of its name and no others."""
        self.subscriptions.on("Hangup", self.heard.append)
        self.assertEqual(self.hear("Hangup", Cause="16"), [{"Cause": "16"}])
        self.assertEqual(self.hear("HangupRequest"), [])

    def test_case(self) -> None:
        """Case makes no difference."""
        self.subscriptions.on("HANGUP", self.heard.append)
        self.assertEqual([len(self.hear(name)) for name in ("hangup", b"Hangup")], [1, 1])

    def test_bytes(self) -> None:
        """The name may be as the wire has it, be it UTF-8 or not."""
        self.subscriptions.on("Zo*", self.heard.append)
        self.assertEqual(len(self.hear(b"Zo\xeb")), 1)

    def test_several_names(self) -> None:
        """A subscription may be for several names."""
        self.subscriptions.on(["Hangup", "Newchannel"], self.heard.append)
        self.assertEqual(
            [len(self.hear(name)) for name in ("Hangup", "Newchannel", "Newstate")], [1, 1, 0]
        )

    def test_wildcards(self) -> None:
        """A wildcard is for all names that fit."""
        self.subscriptions.on("Queue*", self.heard.append)
        self.assertEqual(
            [len(self.hear(name)) for name in ("QueueMemberAdded", "queue", "Hangup")], [1, 1, 0]
        )

    def test_names_that_overlap(self) -> None:
        """An event is delivered once, even where several names of a subscription fit."""
        self.subscriptions.on(["*", "Hang*", "Hangup"], self.heard.append)
        self.assertEqual(len(self.hear("Hangup")), 1)

    def test_names_seen_before(self) -> None:
        """A subscription also holds for names that were delivered to nobody before."""
        self.assertEqual([self.hear("Hangup"), self.hear("Newchannel")], [[], []])
        self.subscriptions.on("hangup", self.heard.append)
        self.subscriptions.on("New*", self.heard.append)
        self.assertEqual([len(self.hear("Hangup")), len(self.hear("Newchannel"))], [1, 1])

    def test_a_wing_can_look_first(self) -> None:
        """``by_name`` is empty for an event that nobody wants."""
        subscription = self.subscriptions.on("Hangup", self.heard.append)
        self.assertEqual(self.subscriptions.by_name[b"Hangup"], (subscription,))
        self.assertEqual(self.subscriptions.by_name[b"RTCPSent"], ())

    def test_endless_names(self) -> None:
        """A peer that makes up names does not fill the memory."""
        self.subscriptions.on("Hangup", self.heard.append)
        for number in range(MAX_KNOWN_NAMES * 2 + 1):
            self.hear(f"Event{number}")
            self.assertLessEqual(len(self.subscriptions.by_name), MAX_KNOWN_NAMES)
        self.assertEqual(len(self.hear("Hangup")), 1)

    def test_long_names(self) -> None:
        """A name that is too long to be one of Asterisk's is delivered, and not remembered."""
        name = "x" * (MAX_KNOWN_NAME_LENGTH + 1)
        self.subscriptions.on("x*", self.heard.append)
        self.assertEqual(len(self.hear(name)), 1)
        self.assertEqual(len(self.subscriptions.by_name), 0)

    def test_emptied(self) -> None:
        """The end of the last subscription is told."""
        told: list[bool] = []
        subscriptions: Subscriptions[Fields] = Subscriptions(
            Fields.get, clock=self.clock, emptied=lambda: told.append(True)
        )
        first, second = (subscriptions.on(name, self.heard.append) for name in ("a", "b"))
        first.cancel()
        self.assertEqual(told, [])
        second.cancel()
        self.assertEqual(told, [True])

    @given(st.lists(st.tuples(st.sampled_from("abAB*?"), st.booleans())))
    def test_any_order(self, steps: list[tuple[str, bool]]) -> None:
        """Whatever came and went, the listeners of a name are those that a fresh look finds."""
        subscriptions: Subscriptions[Fields] = Subscriptions(Fields.get, clock=Clock())
        active: list[tuple[str, Subscription[Fields]]] = []
        for name, comes in steps:
            if comes or not active:
                active.append((name, subscriptions.on(name, self.heard.append)))
            else:
                active.pop(0)[1].cancel()
            for event in ("a", b"A", "b"):
                letter = str(event, "ascii") if isinstance(event, bytes) else event
                self.assertEqual(
                    subscriptions.by_name[event],
                    tuple(
                        one for name, one in active if name.lower() in (letter.lower(), "*", "?")
                    ),
                )


class MatchTests(SubscriptionsTestCase):
    """Which events of a name a subscription is for."""

    def channels(self, wish: object) -> list[object]:
        """Which of the channels a, b and none fit."""
        with self.subscriptions.on("E", self.heard.append, Channel=wish):
            return [name for name in ("a", "b", None) if self.hear("E", Channel=name)]

    def test_a_value(self) -> None:
        """A field must have the value."""
        self.assertEqual(self.channels("a"), ["a"])

    def test_a_collection(self) -> None:
        """A field must have one of the values."""
        self.assertEqual(self.channels({"a", "b"}), ["a", "b"])

    def test_text_is_no_collection(self) -> None:
        """Text is a value, and not the collection of its letters."""
        self.assertEqual(self.channels("ab"), [])

    def test_a_callable(self) -> None:
        """A callable decides."""
        self.assertEqual(self.channels(lambda channel: channel is None), [None])

    def test_several_fields(self) -> None:
        """All fields must fit; one that the event lacks is None."""
        self.subscriptions.on("E", self.heard.append, A="1", B=None)
        self.assertEqual([len(self.hear("E", A="1")), len(self.hear("E", A="1", B="2"))], [1, 0])


class CancelTests(SubscriptionsTestCase):
    """The end of a subscription."""

    def test_cancel(self) -> None:
        """A cancelled subscription hears nothing more; cancelling it again is harmless."""
        subscription = self.subscriptions.on(["Hangup", "New*"], self.heard.append)
        subscription.cancel()
        subscription.cancel()
        self.assertEqual([self.hear("Hangup"), self.hear("Newstate")], [[], []])

    def test_context_manager(self) -> None:
        """Leaving its ``with`` block ends a subscription."""
        with self.subscriptions.on("Hangup", self.heard.append) as subscription:
            self.assertTrue(subscription.active)
        self.assertFalse(subscription.active)
        self.assertEqual(self.hear("Hangup"), [])

    def test_others_stay(self) -> None:
        """The subscriptions of others to the same name go on."""
        self.subscriptions.on("Hangup", self.heard.append)
        self.subscriptions.on("Hangup", self.heard.append).cancel()
        self.assertEqual(len(self.hear("Hangup")), 1)

    def test_during_delivery(self) -> None:
        """A listener may cancel one that has not had its turn, which then hears nothing."""
        self.subscriptions.on("Hangup", lambda _: second.cancel())
        second = self.subscriptions.on("Hangup", self.heard.append)
        self.assertEqual(self.hear("Hangup"), [])

    def test_clear(self) -> None:
        """All subscriptions can be ended at once."""
        for name in ("Hangup", "*"):
            self.subscriptions.on(name, self.heard.append)
        self.subscriptions.clear()
        self.assertEqual(self.hear("Hangup"), [])

    def test_repr(self) -> None:
        """The ``repr`` has the names and whether it is active."""
        subscription = self.subscriptions.on(["Queue*", "Hangup"], self.heard.append)
        self.assertEqual(repr(subscription), "<Subscription to hangup, queue*, active>")
        subscription.cancel()
        self.assertEqual(repr(subscription), "<Subscription to hangup, queue*, cancelled>")


class ListenerTests(SubscriptionsTestCase):
    """What listeners do."""

    def test_order(self) -> None:
        """Listeners are called in the order of their subscriptions, whatever their names."""
        called: list[str] = []
        for name in ("*", "Hangup", "Hang*"):
            self.subscriptions.on(name, partial(self.note, called, name))
        self.hear("Hangup")
        self.assertEqual(called, ["*", "Hangup", "Hang*"])

    def note(self, called: list[str], name: str, event: Fields) -> None:
        """Listen under a name."""
        called.append(name)

    def test_a_new_listener_waits_for_the_next_event(self) -> None:
        """A listener that comes during a delivery does not hear that event."""
        self.subscriptions.on(
            "Hangup", lambda _: self.subscriptions.on("Hangup", self.heard.append)
        )
        self.assertEqual(self.hear("Hangup"), [])
        self.assertEqual(len(self.hear("Hangup")), 1)

    def test_an_error(self) -> None:
        """A listener that raises is logged, and harms no other."""

        def broken(_: Fields) -> None:
            raise ValueError

        self.subscriptions.on("Hangup", broken)
        self.subscriptions.on("Hangup", self.heard.append)
        self.assertEqual(len(self.hear("Hangup")), 1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_an_error_in_a_match(self) -> None:
        """A callable of a match that raises is logged, and harms no other."""
        self.subscriptions.on("Hangup", self.heard.append, Cause=lambda cause: int(cause) > 1)
        self.subscriptions.on("Hangup", self.heard.append)
        self.assertEqual(len(self.hear("Hangup", Cause="x")), 1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_coroutine(self) -> None:
        """An ``async def`` runs, and its error is logged."""
        going: Deferred[None] = Deferred()

        async def listener(event: Fields) -> None:
            await going
            self.heard.append(event)
            raise ValueError

        self.subscriptions.on("Hangup", listener)
        self.assertEqual(self.hear("Hangup"), [])
        going.callback(None)
        self.assertEqual(self.heard, [{}])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_deferred(self) -> None:
        """The error of a Deferred that a listener returns is logged."""
        failing: Deferred[None] = Deferred()
        self.subscriptions.on("Hangup", lambda _: failing)
        self.hear("Hangup")
        failing.errback(ValueError())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def give(self, value: object, event: Fields) -> object:
        """Return that value."""
        return value

    def test_other_values(self) -> None:
        """Whatever else a listener returns is nobody's business."""

        class Sender:
            def send(self) -> None:
                """Look like a coroutine, but be none."""

        values: tuple[object, ...] = (1, "text", Sender(), [])
        for value in values:
            self.subscriptions.on("Hangup", partial(self.give, value))
        self.hear("Hangup")
        self.assertEqual(self.flushLoggedErrors(), [])


class NextTests(SubscriptionsTestCase):
    """Waiting for one event."""

    def test_the_next_event(self) -> None:
        """It fires with the first event that fits, and hears no more."""
        waiting = self.subscriptions.next("Hangup", Channel="a")
        self.hear("Hangup", Channel="b")
        self.assertNoResult(waiting)
        self.hear("Hangup", Channel="a", Cause="16")
        self.hear("Hangup", Channel="a", Cause="17")
        self.assertEqual(self.successResultOf(waiting), {"Channel": "a", "Cause": "16"})
        self.assertEqual(self.subscriptions.by_name["Hangup"], ())

    def test_a_time_limit(self) -> None:
        """Without such an event in time it fails with TimedOut, and hears no more."""
        waiting = self.subscriptions.next(["Hangup", "Dial*"], timeout=2.5)
        self.clock.advance(2.5)
        error = self.failureResultOf(waiting, TimedOut).value
        self.assertEqual(str(error), "no Hangup or Dial* within 2.5 seconds")
        self.assertEqual(self.subscriptions.by_name["Hangup"], ())

    def test_in_time(self) -> None:
        """An event in time ends the time limit."""
        waiting = self.subscriptions.next("Hangup", timeout=2.5)
        self.hear("Hangup")
        self.successResultOf(waiting)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel(self) -> None:
        """Cancelling ends the subscription and the time limit."""
        waiting = self.subscriptions.next("Hangup", timeout=2.5)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.subscriptions.by_name["Hangup"], ())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_more_events(self) -> None:
        """When no more events can come, all that wait are told, and their time limits end."""
        waiting = [self.subscriptions.next(name, timeout=9) for name in ("Hangup", "*")]
        self.subscriptions.fail(Disconnected("gone"))
        for one in waiting:
            self.failureResultOf(one, Disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.subscriptions.by_name["Hangup"], ())

    def test_one_that_cancels_another(self) -> None:
        """That one of those told cancels another keeps nobody from being told."""
        first, second, third = (self.subscriptions.next("Hangup") for _ in range(3))
        first.addErrback(lambda _: second.cancel())
        self.subscriptions.fail(Disconnected("gone"))
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.failureResultOf(third, Disconnected)

    def test_those_that_listen_are_not_told(self) -> None:
        """A subscription goes on when no more events can come for the moment."""
        self.subscriptions.on("Hangup", self.heard.append)
        self.subscriptions.fail(Disconnected("gone"))
        self.assertEqual(len(self.hear("Hangup")), 1)

    def test_a_callback_that_raises(self) -> None:
        """An error in a callback of the Deferred stays with the Deferred."""
        waiting = self.subscriptions.next("Hangup")
        waiting.addCallback(lambda _: 1 // 0)
        self.hear("Hangup")
        self.failureResultOf(waiting, ZeroDivisionError)
