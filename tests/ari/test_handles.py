"""Tests of the handles of channels and playbacks."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from tests.ari.asterisk import Answer, Fixture, channel
from txasterisk.ari.models import Event


class HandleTests(Fixture):
    """A handle has its id before Asterisk knows of it."""

    def test_new_channel(self) -> None:
        """The id of a new channel is ours, and new."""
        one, two = self.client.new_channel(), self.client.new_channel()
        self.assertNotEqual(one.id, two.id)
        self.server.answers[f"POST /channels/{one.id}"] = Answer(200, channel(one.id, "Down"))
        self.successResultOf(one.originate(endpoint="PJSIP/a", app="ivr", timeout=5))
        self.assertEqual(
            self.server.asked[0].parameters, {"endpoint": "PJSIP/a", "app": "ivr", "timeout": 5}
        )

    def test_event_before_the_answer(self) -> None:
        """An event that is faster than the answer is heard all the same."""
        self.listen()
        one = self.client.new_channel()
        answer: Deferred[Answer] = Deferred()
        self.server.answers[f"POST /channels/{one.id}"] = answer
        started = one.next("StasisStart")
        originated = one.originate(endpoint="PJSIP/a", app="ivr")
        self.server.link.event("StasisStart", channel=channel(one.id))
        self.successResultOf(started)
        answer.callback(Answer(200, channel(one.id)))
        self.successResultOf(originated)

    def test_nothing_came_of_it(self) -> None:
        """A channel that could not be made is not waited for."""
        one = self.client.new_channel()
        self.server.answers[f"POST /channels/{one.id}"] = Answer(500, {"error": "x"})
        self.failureResultOf(one.originate(endpoint="PJSIP/a", app="ivr"))
        self.assertFalse(self.client.objects)

    def test_end_of_what_we_made(self) -> None:
        """A channel that was made for an application is followed to its end, and no longer."""
        self.listen()
        one = self.client.new_channel()
        self.server.answers[f"POST /channels/{one.id}"] = Answer(200, channel(one.id))
        self.successResultOf(one.originate(endpoint="PJSIP/a", app="ivr"))
        self.assertTrue(self.client.objects.is_made(one.id))
        self.server.link.event("ChannelDestroyed", channel=channel(one.id))
        self.assertFalse(self.client.objects.is_made(one.id))

    def test_made_for_an_extension(self) -> None:
        """Of one that was made for an extension Asterisk may never tell the end."""
        one = self.client.new_channel()
        self.server.answers[f"POST /channels/{one.id}"] = Answer(200, channel(one.id))
        self.successResultOf(one.originate(endpoint="PJSIP/a", extension="100"))
        self.assertFalse(self.client.objects)

    def test_verbs(self) -> None:
        """The verbs of a channel are the operations with its id."""
        one = self.client.channel("c1")
        self.server.answers["GET /channels/c1"] = Answer(200, channel("c1"))
        self.server.answers["GET /channels/c1/variable"] = Answer(200, {"value": "v"})
        verbs: list[Deferred[Any]] = [
            one.answer(),
            one.ring(),
            one.hangup(reason="busy"),
            one.get(),
            one.get_variable("X"),
            one.set_variable("X", "1"),
            one.continue_in_dialplan(context="c", extension="e", priority=2),
            one.play(self.client.playback("p1"), ["sound:a", "sound:b"]),
        ]
        for verb in verbs:
            self.successResultOf(verb)
        self.assertEqual(
            [(f"{a.method} {a.resource}", a.parameters) for a in self.server.asked],
            [
                ("POST /channels/c1/answer", None),
                ("POST /channels/c1/ring", None),
                ("DELETE /channels/c1", {"reason": "busy"}),
                ("GET /channels/c1", None),
                ("GET /channels/c1/variable", {"variable": "X"}),
                ("POST /channels/c1/variable", {"variable": "X", "value": "1"}),
                ("POST /channels/c1/continue", {"context": "c", "extension": "e", "priority": 2}),
                ("POST /channels/c1/play/p1", {"media": ["sound:a", "sound:b"]}),
            ],
        )

    def test_playback_verbs(self) -> None:
        """So are those of a playback."""
        one = self.client.playback("p1")
        self.successResultOf(one.control("pause"))
        self.successResultOf(one.stop())
        self.assertEqual(
            self.server.requests, ["POST /playbacks/p1/control", "DELETE /playbacks/p1"]
        )

    def test_repr(self) -> None:
        """A handle shows its id."""
        self.assertEqual(repr(self.client.channel("c1")), "<Channel c1>")
        self.assertEqual(repr(self.client.playback("p1")), "<Playback p1>")

    def test_forget(self) -> None:
        """Who forgets an object hears nothing more of it."""
        one = self.client.channel("c1")
        heard: list[Event] = []
        one.on("*", heard.append)
        waiting = one.next("Dial")
        one.forget()
        self.failureResultOf(waiting)
        self.listen()
        self.server.link.event("ChannelStateChange", channel=channel("c1"))
        self.assertEqual(heard, [])


class PlaybackTests(Fixture):
    """The end of a playback is known, even if Asterisk does not tell it."""

    def setUp(self) -> None:
        super().setUp()
        self.listen()
        self.playback = self.client.new_playback()
        self.finished = self.playback.when_finished()

    def begin(self) -> None:
        self.successResultOf(self.client.channel("c1").play(self.playback, "sound:x"))

    def event(self, kind: str, state: str) -> None:
        self.server.link.event(kind, playback={"id": self.playback.id, "state": state})

    def test_done(self) -> None:
        """It is over when the event says so."""
        self.begin()
        self.event("PlaybackStarted", "playing")
        self.assertNoResult(self.finished)
        self.event("PlaybackFinished", "done")
        self.assertEqual(self.successResultOf(self.finished), "done")
        self.server.link.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed(self) -> None:
        """A sound that does not exist has failed."""
        self.begin()
        self.event("PlaybackFinished", "failed")
        self.assertEqual(self.successResultOf(self.finished), "failed")

    def test_list(self) -> None:
        """Of a list one end is told, though each medium begins."""
        self.begin()
        for kind in "PlaybackStarted", "PlaybackContinuing", "PlaybackStarted":
            self.event(kind, "playing")
        self.assertNoResult(self.finished)
        self.event("PlaybackFinished", "done")
        self.assertEqual(self.successResultOf(self.finished), "done")

    def test_no_event(self) -> None:
        """Some media end without an event; then Asterisk does not know the playback any more."""
        self.begin()
        self.event("PlaybackStarted", "playing")
        self.server.answers[f"GET /playbacks/{self.playback.id}"] = Answer(404)
        self.clock.advance(2)
        self.assertNoResult(self.finished)
        self.clock.advance(1)
        self.assertEqual(self.successResultOf(self.finished), "failed")
        self.assertFalse(self.client.objects)

    def test_late_event(self) -> None:
        """If the event was on its way when Asterisk was asked, it counts."""
        self.begin()
        self.server.answers[f"GET /playbacks/{self.playback.id}"] = Answer(404)
        self.clock.advance(2)
        self.event("PlaybackFinished", "done")
        self.assertEqual(self.successResultOf(self.finished), "done")

    def test_long(self) -> None:
        """A long one is asked about less and less often."""
        self.begin()
        self.server.asked.clear()
        still: dict[str, object] = {"id": self.playback.id, "state": "playing"}
        self.server.answers[f"GET /playbacks/{self.playback.id}"] = Answer(200, still)
        self.clock.pump([1.0] * 60)
        self.assertEqual(len(self.server.asked), 4)
        self.assertNoResult(self.finished)

    def test_slow_beginning(self) -> None:
        """It is not asked about before Asterisk can know it."""
        self.server.answers[f"GET /playbacks/{self.playback.id}"] = Answer(404)
        self.clock.pump([1.0] * 30)
        self.assertNoResult(self.finished)
        self.assertEqual(self.server.asked, [])

    def test_cancel(self) -> None:
        """Cancelling stops the waiting."""
        self.finished.cancel()
        self.failureResultOf(self.finished, CancelledError)
        self.server.link.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
