"""Tests of calls and their scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost

from tests.ari.asterisk import Answer, Fixture, channel
from txasterisk.ari import Application, Call
from txasterisk.errors import BadRequest, Disconnected, HungUp, TimedOut

HANG_UP = "DELETE /channels/c1"
VARIABLE = "POST /channels/c1/variable"
CONTINUE = "POST /channels/c1/continue"


class CallFixture(Fixture):
    """A call in an application whose script the test writes."""

    def setUp(self) -> None:
        super().setUp()
        self.application = Application("ivr")
        self.log: list[Any] = []

    def script(self, script: Callable[[Call], Any]) -> None:
        """Serve calls with this script."""
        self.application.call(script)
        self.serving = self.application.serve(self.client)
        self.listen("ivr")

    def start(self, name: str = "c1", state: str = "Ring", **fields: Any) -> None:
        """Have a call enter the application."""
        fields = {"args": [], "application": "ivr", **fields}
        self.server.link.event("StasisStart", channel=channel(name, state), **fields)

    def event(self, kind: str, name: str = "c1", **fields: Any) -> None:
        """Have something happen to a call."""
        fields = {"application": "ivr", **fields}
        self.server.link.event(kind, channel=channel(name), **fields)

    def dial(self, digits: str) -> None:
        """Have the caller dial."""
        for digit in digits:
            self.event("ChannelDtmfReceived", digit=digit)

    def hang_up(self, name: str = "c1") -> None:
        """Have the caller hang up."""
        self.event("ChannelHangupRequest", name)
        self.event("StasisEnd", name)

    def verb(self, verb: Callable[[Call], Deferred[Any]], state: str = "Up") -> Deferred[Any]:
        """Return the Deferred of a verb of a call whose script waits for nothing else."""
        found: list[Deferred[Any]] = []

        async def script(call: Call) -> None:
            found.append(verb(call))
            await Deferred()

        self.script(script)
        self.start(state=state)
        return found[0]

    def played(self, state: str = "done", position: int = -1) -> None:
        """Have a playback end."""
        plays = [asked.resource for asked in self.server.asked if "/play/" in asked.resource]
        name = plays[position].rpartition("/")[2]
        self.server.link.event("PlaybackFinished", playback={"id": name, "state": state})

    @property
    def stopped(self) -> list[str]:
        """The requests that stop a playback."""
        return [r for r in self.server.requests if r.startswith("DELETE /playbacks/")]


class ScriptTests(CallFixture):
    """Every call has a coroutine of its own."""

    def test_start(self) -> None:
        """The script is told of the caller and the arguments."""

        async def script(call: Call) -> None:
            self.log.append((call.channel.id, call.args, call.caller.number, call.application))
            await Deferred()

        self.script(script)
        self.start(args=["a", "b"])
        self.assertEqual(self.log, [("c1", ["a", "b"], "100", "ivr")])

    def test_other_application(self) -> None:
        """A call of another application on the same link is none of its business."""

        async def script(call: Call) -> None:
            self.log.append(call)

        self.script(script)
        self.start(application="other")
        self.assertEqual(self.log, [])

    def test_two_calls(self) -> None:
        """Two calls at once do not hear of each other."""

        async def script(call: Call) -> None:
            self.log.append((call.channel.id, await call.gather(max_digits=1)))

        self.script(script)
        self.start("c1", "Up")
        self.start("c2", "Up")
        self.event("ChannelDtmfReceived", "c2", digit="2")
        self.event("ChannelDtmfReceived", "c1", digit="1")
        self.assertEqual(self.log, [("c2", "2"), ("c1", "1")])

    def test_return(self) -> None:
        """A script that returns has its call hung up, and the dialplan is told."""

        async def script(call: Call) -> None:
            await call.answer()

        self.script(script)
        self.start(state="Up")
        self.assertEqual(self.server.requests, [VARIABLE, HANG_UP])
        self.assertEqual(
            self.server.asked[0].parameters, {"variable": "TXASTERISK_STATUS", "value": "SUCCESS"}
        )
        self.assertFalse(self.serving.calls)
        self.assertFalse(self.client.objects)

    def test_error(self) -> None:
        """A script that fails is logged with its channel, and the call is hung up."""

        async def script(call: Call) -> None:
            raise RuntimeError("a bug")

        self.script(script)
        self.start()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.server.requests, [VARIABLE, HANG_UP])
        self.assertEqual(
            self.server.asked[0].parameters, {"variable": "TXASTERISK_STATUS", "value": "FAILURE"}
        )

    def test_error_continues(self) -> None:
        """If so configured, the call of a script that fails goes on in the dialplan."""

        async def script(call: Call) -> None:
            raise RuntimeError("a bug")

        self.application = Application("ivr", on_error="continue")
        self.script(script)
        self.start()
        self.flushLoggedErrors(RuntimeError)
        self.assertEqual(self.server.requests, [VARIABLE, CONTINUE])

    def test_telling_takes_too_long(self) -> None:
        """On 22 a variable is set behind what is played; the end does not wait for that."""

        async def script(call: Call) -> None:
            pass

        self.server.answers[VARIABLE] = Deferred()
        self.script(script)
        self.start()
        self.assertEqual(self.server.requests, [VARIABLE])
        self.clock.advance(2)
        self.assertEqual(self.server.requests, [VARIABLE, HANG_UP])

    def test_own_hangup(self) -> None:
        """A script that hangs up itself goes on undisturbed, and nothing is done after it."""
        rest: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            await call.hangup(reason="busy")
            await rest
            self.log.append("done")

        self.script(script)
        self.start()
        self.hang_up()
        rest.callback(None)
        self.assertEqual(self.log, ["done"])
        self.assertEqual(self.server.requests, [HANG_UP])

    def test_continue(self) -> None:
        """A call that goes on in the dialplan leaves; that is no hangup, and the script goes on."""
        rest: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            await call.continue_in_dialplan(context="c", extension="e", priority=1)
            await rest
            self.log.append("done")

        self.script(script)
        self.start()
        self.event("StasisEnd")
        rest.callback(None)
        self.assertEqual(self.log, ["done"])
        self.assertEqual(self.server.requests, [VARIABLE, CONTINUE])
        self.assertEqual(
            self.server.asked[1].parameters, {"context": "c", "extension": "e", "priority": 1}
        )
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_stasis_end_before_the_answer(self) -> None:
        """The StasisEnd may be faster than the answer to the request that causes it."""
        answer: Deferred[Answer] = Deferred()
        self.server.answers[CONTINUE] = answer

        async def script(call: Call) -> None:
            await call.continue_in_dialplan()
            self.log.append("done")

        self.script(script)
        self.start()
        self.event("StasisEnd")
        answer.callback(Answer(204))
        self.assertEqual(self.log, ["done"])

    def test_verbs_after_continuing(self) -> None:
        """A call that was let go does nothing more for the script."""

        async def script(call: Call) -> None:
            await call.continue_in_dialplan()
            for verb in call.answer(), call.play("sound:x"), call.set_variable("X", "1"):
                self.failureResultOf(verb, HungUp)
            self.log.append("done")

        self.script(script)
        self.start()
        self.assertEqual(self.log, ["done"])
        self.assertEqual(self.server.requests, [VARIABLE, CONTINUE])

    def test_continue_refused(self) -> None:
        """A refusal leaves the call with the script."""
        self.server.answers[CONTINUE] = Answer(400)

        async def script(call: Call) -> None:
            try:
                await call.continue_in_dialplan(priority=0)
            except BadRequest:
                await call.play("sound:x")

        self.script(script)
        self.start()
        self.assertIn("/play/", self.server.requests[-1])

    def test_call_again(self) -> None:
        """A call that comes back into the application is a new one."""

        async def script(call: Call) -> None:
            self.log.append(call)
            await call.continue_in_dialplan()

        self.script(script)
        for _ in range(2):
            self.start()
            self.event("StasisEnd")
        self.assertEqual(len(self.log), 2)
        self.assertFalse(self.client.objects)

    def test_channel_of_our_own_making(self) -> None:
        """A channel that a script has made is a leg of its call, and runs no script."""

        async def script(call: Call) -> None:
            leg = self.client.new_channel()
            self.server.answers[f"POST /channels/{leg.id}"] = Answer(200, channel(leg.id))
            entered = leg.next("StasisStart")
            await leg.originate(endpoint="PJSIP/bob", app="ivr")
            self.log.append(leg.id)
            await entered
            self.log.append("entered")
            await Deferred()

        self.script(script)
        self.start()
        self.start(self.log[0], "Up")
        self.assertEqual(self.log[1:], ["entered"])
        self.assertEqual(len(self.serving.calls), 1)

    def test_no_script(self) -> None:
        """An application without a script cannot answer calls."""
        self.assertRaises(ValueError, Application("x").serve, self.client)


class HangupTests(CallFixture):
    """When the caller hangs up, the script is told where it is, once."""

    def told_by(self, waits: Callable[[Call], Any]) -> None:
        async def script(call: Call) -> None:
            try:
                await waits(call)
            except HungUp:
                self.log.append("hung up")
                raise
            finally:
                self.log.append("finally")

        self.script(script)
        self.start(state="Up")
        self.hang_up()
        self.assertEqual(self.log, ["hung up", "finally"])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertNotIn(HANG_UP, self.server.requests)
        self.assertFalse(self.serving.calls)
        self.assertFalse(self.client.objects)

    def test_while_playing(self) -> None:
        """It is told while something is played."""
        self.told_by(lambda call: call.play("sound:x"))

    def test_while_gathering(self) -> None:
        """It is told while digits are awaited."""
        self.told_by(lambda call: call.gather(max_digits=4))

    def test_while_prompting(self) -> None:
        """It is told while a prompt is played."""
        self.told_by(lambda call: call.gather(max_digits=4, prompt="sound:x"))

    def test_while_waiting_for_an_event(self) -> None:
        """It is told while it waits for an event of the call."""
        self.told_by(lambda call: call.next("ChannelHold"))

    def test_while_waiting_on_the_handle(self) -> None:
        """It is told while it waits for an event of the channel's handle."""
        self.told_by(lambda call: call.channel.next("ChannelHold"))

    def test_while_asking(self) -> None:
        """It is told while a request is under way."""
        self.server.answers[VARIABLE] = Deferred()
        self.told_by(lambda call: call.set_variable("X", "1"))

    def test_while_waiting_for_anything(self) -> None:
        """It is told while it waits for something that has nothing to do with the call."""
        self.told_by(lambda call: Deferred())

    def test_clean_up(self) -> None:
        """It can await things in its clean-up, undisturbed."""
        clean_up: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            try:
                await Deferred()
            finally:
                await clean_up
                self.log.append("clean")

        self.script(script)
        self.start()
        self.hang_up()
        self.event("ChannelDestroyed")
        self.assertEqual(self.log, [])
        clean_up.callback(None)
        self.assertEqual(self.log, ["clean"])

    def test_verbs_of_the_clean_up(self) -> None:
        """Verbs fail with HungUp at once, but hanging up is no mistake."""

        async def script(call: Call) -> None:
            try:
                await Deferred()
            finally:
                await call.hangup()
                self.failureResultOf(call.play("sound:x"), HungUp)
                self.failureResultOf(call.get_variable("X"), HungUp)
                self.log.append(call.gone)

        self.script(script)
        self.start()
        self.hang_up()
        self.assertEqual(self.log, [True])
        self.assertEqual(self.server.requests, [])

    def test_verbs_in_the_background(self) -> None:
        """A verb that nobody awaits fails too."""

        async def script(call: Call) -> None:
            self.log.append(call.play("sound:x"))
            self.log.append(call.gather(max_digits=1))
            self.log.append(call.next("ChannelHold"))
            await Deferred()

        self.script(script)
        self.start()
        self.hang_up()
        for verb in self.log:
            self.failureResultOf(verb, HungUp)

    def test_refusal_is_faster(self) -> None:
        """Asterisk may not know the channel any more before it says that it has left."""
        for status in 404, 409:
            self.server.answers[VARIABLE] = Answer(status, {"message": "Channel not found"})
            self.setUp()
            self.server.answers[VARIABLE] = Answer(status, {"message": "Channel not found"})
            verb = self.verb(lambda call: call.set_variable("X", "1"))
            self.failureResultOf(verb, HungUp)

    def test_told_once(self) -> None:
        """A script that was told by a verb is not told again by the event, in its clean-up."""
        answer: Deferred[Answer] = Deferred()
        clean_up: Deferred[None] = Deferred()
        self.server.answers[VARIABLE] = answer

        async def script(call: Call) -> None:
            try:
                await call.set_variable("X", "1")
            except HungUp:
                await clean_up
                self.log.append("clean")

        self.script(script)
        self.start()
        answer.callback(Answer(404, {"message": "Channel not found"}))
        self.hang_up()
        clean_up.callback(None)
        self.assertEqual(self.log, ["clean"])

    def test_told_by_another(self) -> None:
        """That something else has hung up does not make it deaf for its own caller."""
        leg: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            for waits in leg, Deferred():
                try:
                    await waits
                except HungUp as error:
                    self.log.append(str(error))

        self.script(script)
        self.start()
        leg.errback(HungUp("the leg"))
        self.hang_up()
        self.assertEqual(self.log, ["the leg", "<Call c1 in ivr> has left"])

    def test_destroyed(self) -> None:
        """ChannelDestroyed is an end as well."""

        async def script(call: Call) -> None:
            try:
                await Deferred()
            except HungUp:
                self.log.append("hung up")

        self.script(script)
        self.start()
        self.event("ChannelDestroyed")
        self.assertEqual(self.log, ["hung up"])

    def test_swallowed(self) -> None:
        """A script that takes a hangup for nothing special ends well."""

        async def script(call: Call) -> None:
            try:
                await Deferred()
            except HungUp:
                return

        self.script(script)
        self.start()
        self.hang_up()
        self.assertEqual(self.server.requests, [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_while_it_runs(self) -> None:
        """If the caller hangs up while the script runs, its next await is told."""

        async def script(call: Call) -> None:
            call.end(HungUp("just now"))
            try:
                await Deferred()
            except HungUp:
                self.log.append("hung up")

        self.script(script)
        self.start()
        self.assertEqual(self.log, ["hung up"])


class LostLinkTests(CallFixture):
    """When the link breaks, the scripts are told, as nothing of their calls can be heard."""

    def test_told(self) -> None:
        """What the script awaits fails with Disconnected, once, and is logged in one line."""
        clean_up: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            try:
                await call.play("sound:x")
            except Disconnected:
                await clean_up
                self.log.append("clean")
                raise

        self.script(script)
        self.start(state="Up")
        self.server.link.lose()
        clean_up.callback(None)
        self.assertEqual(self.log, ["clean"])
        self.assertFalse(self.serving.calls)
        self.assertFalse(self.client.objects)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_told_by_a_request(self) -> None:
        """A request may fail before the WebSocket does; that is told once, too."""
        answer: Deferred[Answer] = Deferred()
        clean_up: Deferred[None] = Deferred()
        self.server.answers[VARIABLE] = answer

        async def script(call: Call) -> None:
            try:
                await call.set_variable("X", "1")
            except Disconnected:
                await clean_up
                self.log.append("clean")

        self.script(script)
        self.start()
        answer.errback(ConnectionLost())
        self.server.link.lose()
        clean_up.callback(None)
        self.assertEqual(self.log, ["clean"])

    def test_hangup_after_a_failed_request(self) -> None:
        """A request that fails is no reason not to tell of a hangup."""
        answer: Deferred[Answer] = Deferred()
        self.server.answers[VARIABLE] = answer

        async def script(call: Call) -> None:
            for waits in call.set_variable("X", "1"), Deferred[None]():
                try:
                    await waits
                except (Disconnected, HungUp) as error:
                    self.log.append(type(error))

        self.script(script)
        self.start()
        answer.errback(ConnectionLost())
        self.hang_up()
        self.assertEqual(self.log, [Disconnected, HungUp])

    def test_waits_for_an_event(self) -> None:
        """A script that waits for an event is told once too, and not again in its clean-up."""
        for wait in (
            lambda call: call.next("X"),
            lambda call: call.channel.next("X"),
            lambda call: call.client.next("X"),
        ):
            self.setUp()
            clean_up: Deferred[None] = Deferred()

            async def script(call: Call, wait: Any = wait, clean_up: Any = clean_up) -> None:
                try:
                    await wait(call)
                except Disconnected:
                    await clean_up
                    self.log.append("told")

            self.script(script)
            self.start()
            self.server.link.lose()
            clean_up.callback(None)
            self.assertEqual(self.log, ["told"])


class VerbTests(CallFixture):
    """Verbs fire when what they say has happened."""

    def test_answer(self) -> None:
        """Answering is done when the channel is up, not when Asterisk has noted it."""
        answered = self.verb(Call.answer, state="Ring")
        self.assertEqual(self.server.requests, ["POST /channels/c1/answer"])
        self.assertNoResult(answered)
        self.server.link.event("ChannelStateChange", channel=channel("c1", "Up"))
        self.assertIsNone(self.successResultOf(answered))

    def test_answered_already(self) -> None:
        """A channel that is up is not answered again."""
        self.successResultOf(self.verb(Call.answer, state="Up"))
        self.assertEqual(self.server.requests, [])

    def test_answer_before_the_answer(self) -> None:
        """The channel may be up before Asterisk has answered."""
        answer: Deferred[Answer] = Deferred()
        self.server.answers["POST /channels/c1/answer"] = answer
        answered = self.verb(Call.answer, state="Ring")
        self.server.link.event("ChannelStateChange", channel=channel("c1", "Up"))
        answer.callback(Answer(204))
        self.successResultOf(answered)

    def test_answer_in_vain(self) -> None:
        """A channel that does not come up is told."""
        answered = self.verb(Call.answer, state="Ring")
        self.clock.advance(10)
        self.failureResultOf(answered, TimedOut)

    def test_play(self) -> None:
        """Playing is done when Asterisk has played all."""
        played = self.verb(lambda call: call.play("sound:a", "tone:1,2"))
        self.assertEqual(self.server.asked[0].parameters, {"media": ["sound:a", "tone:1,2"]})
        self.assertNoResult(played)
        self.played()
        self.assertEqual(self.successResultOf(played), "done")

    def test_play_failed(self) -> None:
        """A sound that is not there is no error, but it is told."""
        played = self.verb(lambda call: call.play("sound:a"))
        self.played("failed")
        self.assertEqual(self.successResultOf(played), "failed")

    def test_play_refused(self) -> None:
        """A refusal of the request is an error, and leaves nothing behind."""
        self.patch_play(Answer(400, {"message": "Invalid"}))
        played = self.verb(lambda call: call.play("sound:a"))
        self.failureResultOf(played, BadRequest)
        self.assertEqual(self.stopped, [])

    def patch_play(self, answer: Any) -> None:
        request = self.server.request

        def patched(method: bytes, uri: bytes, *arguments: Any) -> Any:
            if b"/play/" not in uri:
                return request(method, uri, *arguments)
            self.server.answers["POST " + uri.decode().partition("/ari")[2]] = answer
            return request(method, uri, *arguments)

        self.patch(self.server, "request", patched)

    def test_play_cancelled(self) -> None:
        """Cancelling stops the playback."""
        played = self.verb(lambda call: call.play("sound:a"))
        played.cancel()
        self.failureResultOf(played, CancelledError)
        self.assertEqual(len(self.stopped), 1)

    def test_play_cancelled_early(self) -> None:
        """A playback whose request is under way is stopped when Asterisk knows it."""
        answer: Deferred[Answer] = Deferred()
        self.patch_play(answer)
        played = self.verb(lambda call: call.play("sound:a"))
        played.cancel()
        self.failureResultOf(played, CancelledError)
        self.assertEqual(self.stopped, [])
        answer.callback(Answer(201, {"id": "p"}))
        self.assertEqual(len(self.stopped), 1)

    def test_hung_up_while_playing(self) -> None:
        """A playback that fails because the caller hangs up is a hangup."""
        played = self.verb(lambda call: call.play("sound:a"))
        self.event("ChannelHangupRequest")
        self.played("failed")
        self.failureResultOf(played, HungUp)

    def test_told_once(self) -> None:
        """That is told once: the events that follow do not disturb the clean-up."""
        clean_up: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            try:
                await call.play("sound:a")
            finally:
                await clean_up
                self.log.append("clean")

        self.script(script)
        self.start(state="Up")
        self.event("ChannelHangupRequest")
        self.played("failed")
        self.event("StasisEnd")
        clean_up.callback(None)
        self.assertEqual(self.log, ["clean"])

    def test_get_variable(self) -> None:
        """A variable has a value, or None if it is not defined."""
        self.server.answers["GET /channels/c1/variable"] = Answer(200, {"value": "v"})
        self.assertEqual(self.successResultOf(self.verb(lambda call: call.get_variable("X"))), "v")

    def test_undefined_variable(self) -> None:
        """An undefined variable is None."""
        self.server.answers["GET /channels/c1/variable"] = Answer(
            404, {"message": "Provided variable was not found"}
        )
        self.assertIsNone(self.successResultOf(self.verb(lambda call: call.get_variable("X"))))

    def test_variable_of_a_gone_channel(self) -> None:
        """404 has two meanings here, and Asterisk's words say which."""
        self.server.answers["GET /channels/c1/variable"] = Answer(
            404, {"message": "Provided channel was not found"}
        )
        self.failureResultOf(self.verb(lambda call: call.get_variable("X")), HungUp)

    def test_on(self) -> None:
        """A script can listen to its call, and to nothing else."""
        self.verb(lambda call: Deferred())
        [call] = self.serving.calls
        call.on("ChannelHold", self.log.append)
        self.event("ChannelHold")
        self.event("ChannelHold", "c2")
        self.assertEqual(len(self.log), 1)

    def test_repr(self) -> None:
        """A call shows its channel and application."""
        self.verb(lambda call: Deferred())
        [call] = self.serving.calls
        self.assertEqual(repr(call), "<Call c1 in ivr>")


class GatherTests(CallFixture):
    """Digits are gathered until they are enough or the caller takes too long."""

    def gather(self, **settings: Any) -> Deferred[Any]:
        return self.verb(lambda call: call.gather(**settings))

    def test_enough(self) -> None:
        """As many digits as are wanted are enough."""
        gathered = self.gather(max_digits=3)
        self.dial("12")
        self.assertNoResult(gathered)
        self.dial("3")
        self.assertEqual(self.successResultOf(gathered), "123")

    def test_terminator(self) -> None:
        """A terminator ends it, and is not part of it."""
        gathered = self.gather(max_digits=5)
        self.dial("12#")
        self.assertEqual(self.successResultOf(gathered), "12")

    def test_other_terminators(self) -> None:
        """Terminators can be chosen, and be none."""
        gathered = self.gather(max_digits=5, terminators="*0")
        self.dial("1#0")
        self.assertEqual(self.successResultOf(gathered), "1#")
        self.setUp()
        gathered = self.gather(max_digits=2, terminators="")
        self.dial("#*")
        self.assertEqual(self.successResultOf(gathered), "#*")

    def test_too_slow(self) -> None:
        """Each digit has so much time; then those that came are given."""
        gathered = self.gather(max_digits=5, timeout=3.0)
        for digit in "12":
            self.clock.advance(2.5)
            self.dial(digit)
        self.clock.advance(2.5)
        self.assertNoResult(gathered)
        self.clock.advance(0.5)
        self.assertEqual(self.successResultOf(gathered), "12")

    def test_nothing(self) -> None:
        """A caller who dials nothing gives an empty text."""
        gathered = self.gather(max_digits=5, timeout=3.0)
        self.clock.advance(3)
        self.assertEqual(self.successResultOf(gathered), "")

    def test_prompt(self) -> None:
        """The time begins when the prompt has been played."""
        gathered = self.gather(max_digits=1, timeout=1.5, prompt=["sound:a", "sound:b"])
        self.assertEqual(self.server.asked[0].parameters, {"media": ["sound:a", "sound:b"]})
        self.clock.advance(1.9)
        self.assertNoResult(gathered)
        self.played()
        self.clock.advance(1.4)
        self.assertNoResult(gathered)
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(gathered), "")

    def test_interrupted_prompt(self) -> None:
        """A digit interrupts the prompt, and counts."""
        gathered = self.gather(max_digits=2, prompt="sound:a")
        self.dial("1")
        self.assertEqual(len(self.stopped), 1)
        self.played()
        self.dial("2")
        self.assertEqual(self.successResultOf(gathered), "12")

    def test_digit_before_the_prompt_is_known(self) -> None:
        """A digit that is faster than the answer to the prompt's request counts."""
        gathered = self.gather(max_digits=1, prompt="sound:a")
        self.dial("1")
        self.assertEqual(self.successResultOf(gathered), "1")

    def test_cancel(self) -> None:
        """Cancelling stops the prompt and the listening."""
        gathered = self.gather(max_digits=2, prompt="sound:a")
        gathered.cancel()
        self.failureResultOf(gathered, CancelledError)
        self.assertEqual(len(self.stopped), 1)
        self.dial("12")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_prompt_refused(self) -> None:
        """A prompt that cannot be sent fails the gathering."""
        self.failureResultOf(self.gather(max_digits=2, prompt=[]))

    def test_nothing_left(self) -> None:
        """When it is done no time limit is left."""
        gathered = self.gather(max_digits=2, prompt="sound:a")
        self.dial("12")
        self.successResultOf(gathered)
        self.played()
        self.hang_up()
        self.server.link.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class TransferTests(CallFixture):
    """A call goes on with the channel that takes the place of its own."""

    def test_replaced(self) -> None:
        """The script goes on with the new channel, and the end of the old one is not its own."""

        async def script(call: Call) -> None:
            self.log.append(await call.gather(max_digits=1, timeout=60))
            self.log.append(call.channel.id)
            await Deferred()

        self.script(script)
        self.start("c1", "Up")
        self.start("c2", "Up", replace_channel=channel("c1"))
        self.hang_up("c1")
        self.event("ChannelDtmfReceived", "c2", digit="7")
        self.assertEqual(self.log, ["7", "c2"])
        self.assertEqual(len(self.serving.calls), 1)

    def test_replaced_call_ends(self) -> None:
        """It ends when the new channel does."""

        async def script(call: Call) -> None:
            try:
                await Deferred()
            except HungUp:
                self.log.append("hung up")

        self.script(script)
        self.start("c1", "Up")
        self.start("c2", "Up", replace_channel=channel("c1"))
        self.hang_up("c2")
        self.assertEqual(self.log, ["hung up"])

    def test_replaces_a_stranger(self) -> None:
        """A channel that replaces one that has no script is a new call."""

        async def script(call: Call) -> None:
            self.log.append(call.channel.id)
            await Deferred()

        self.script(script)
        self.start("c2", "Up", replace_channel=channel("c1"))
        self.assertEqual(self.log, ["c2"])


class StopTests(CallFixture):
    """When the application stops, its calls are given some time and then told."""

    def test_undisturbed(self) -> None:
        """Scripts may go on for a while, and end as they like."""
        playing: list[Any] = []

        async def script(call: Call) -> None:
            playing.append(call.play("sound:goodbye"))
            self.log.append(await playing[0])

        self.script(script)
        self.start()
        stopping = self.serving.stop(5.0)
        self.clock.advance(1)
        self.assertNoResult(stopping)
        self.played()
        self.successResultOf(stopping)
        self.assertEqual(self.log, ["done"])
        self.assertEqual(self.server.asked[1].parameters["value"], "SUCCESS")

    def test_cancelled(self) -> None:
        """After that, what they await is cancelled; they can clean up with verbs."""

        async def script(call: Call) -> None:
            try:
                await Deferred()
            except CancelledError:
                await call.set_variable("A", "b")
                raise

        self.script(script)
        self.start()
        stopping = self.serving.stop(5.0)
        self.clock.advance(4.9)
        self.assertEqual(self.server.requests, [])
        self.clock.advance(0.1)
        self.successResultOf(stopping)
        self.assertEqual(self.server.requests, [VARIABLE, VARIABLE, HANG_UP])

    def test_stopped_is_failure(self) -> None:
        """The dialplan is told FAILURE, and gets the call if so configured."""
        self.application = Application("ivr", on_error="continue")

        async def script(call: Call) -> None:
            await Deferred()

        self.script(script)
        self.start()
        stopping = self.serving.stop(5.0)
        self.clock.advance(5)
        self.successResultOf(stopping)
        self.assertEqual(self.server.asked[0].parameters["value"], "FAILURE")
        self.assertEqual(self.server.requests[1:], [CONTINUE])

    def test_deaf(self) -> None:
        """Scripts that will not end do not hold up the stop for ever."""

        async def script(call: Call) -> None:
            while True:
                try:
                    await Deferred()
                except CancelledError:
                    self.log.append("no")

        self.script(script)
        self.start()
        stopping = self.serving.stop(5.0)
        self.clock.advance(5)
        self.clock.advance(2)
        self.successResultOf(stopping)
        self.assertEqual(self.log, ["no"])

    def test_late_call(self) -> None:
        """A call that comes while the application stops is ended without a script."""

        async def script(call: Call) -> None:
            self.log.append(call.channel.id)
            await Deferred()

        self.script(script)
        self.start("c2")
        self.serving.stop(5.0)
        self.start("c1")
        self.assertEqual(self.log, ["c2"])
        self.assertEqual(self.server.requests, [VARIABLE, HANG_UP])

    def test_after_the_stop(self) -> None:
        """When it has stopped, calls are not its business any more."""

        async def script(call: Call) -> None:
            self.log.append(call)

        self.script(script)
        self.successResultOf(self.serving.stop(5.0))
        self.start()
        self.assertEqual(self.server.requests, [])
