"""A call that is originated, followed to its end."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX, Network
from txasterisk.ami.calls import Call
from txasterisk.ami.messages import Action, Event, Gap
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.ami.service import AMIService
from txasterisk.ami.verbs import Verbs
from txasterisk.errors import (
    ActionFailed,
    AsteriskError,
    CallFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    TimedOut,
)


def snapshot(uniqueid: str, channel: str, linkedid: str = "") -> list[tuple[str, str]]:
    """Return the headers of a channel as its events have them."""
    state = [("Channel", channel), ("ChannelState", "6")]
    return [*state, ("Uniqueid", uniqueid), ("Linkedid", linkedid or uniqueid)]


class CallTestCase(SynchronousTestCase):
    """Has a connection, and what the PBX tells of calls."""

    ami: Verbs
    pbx: PBX

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock)

    def place(self, call: Call | None = None, **options: Any) -> tuple[Call, Deferred[Call]]:
        """Place a call to Alice, and have Asterisk take it."""
        call = call or self.ami.new_call()
        answer = call.originate("PJSIP/alice", application="Wait", data=30, **options)
        action = self.pbx.hear_one("Originate")
        self.pbx.answer(action, ("Message", "Originate successfully queued"))
        return call, answer

    def tell(self, event: str, uniqueid: str, channel: str, linkedid: str = "") -> None:
        """Tell an event of a channel."""
        self.pbx.tell(event, *snapshot(uniqueid, channel, linkedid))

    def respond(self, call: Call, response: str = "Success", reason: str = "4") -> None:
        """Say how the Originate went."""
        self.pbx.tell(
            "OriginateResponse",
            ("Response", response),
            ("Reason", reason),
            ("Uniqueid", call.uniqueid),
        )

    def answered(self) -> Call:
        """Place a call that is answered."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.respond(call)
        self.assertIs(self.successResultOf(answer), call)
        return call


class OriginateTests(CallTestCase):
    """Placing a call."""

    def test_wire(self) -> None:
        """The channel id is ours, and Asterisk does not wait for the answer."""
        self.ami.originate(
            "PJSIP/alice",
            context="office",
            exten="100",
            timeout=12.5,
            caller_id='"Bob" <1234>',
            variables={"A": "1,2"},
            codecs=["alaw", "ulaw"],
            early_media=True,
        )
        action = self.pbx.hear_one("Originate")
        self.assertTrue(action["ChannelId"].startswith("txasterisk-"))
        self.assertEqual(
            [line for line in action.headers if line[0] not in ("ActionID", "ChannelId")],
            [
                ("Action", "Originate"),
                ("Channel", "PJSIP/alice"),
                ("Async", "true"),
                ("Timeout", "12500"),
                ("Context", "office"),
                ("Exten", "100"),
                ("Priority", "1"),
                ("CallerID", '"Bob" <1234>'),
                ("Variable", "A=1\\,2"),
                ("Codecs", "alaw,ulaw"),
                ("EarlyMedia", "true"),
            ],
        )

    def test_ids_differ(self) -> None:
        """No two calls have the same id."""
        self.assertNotEqual(self.ami.new_call().uniqueid, self.ami.new_call().uniqueid)

    def test_answered(self) -> None:
        """It fires when the call is answered, not when Asterisk has queued it."""
        call, answer = self.place()
        self.assertNoResult(answer)
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.assertNoResult(answer)
        self.respond(call)
        self.assertIs(self.successResultOf(answer), call)
        self.assertEqual(call.channel, "PJSIP/alice-1")

    def test_not_answered(self) -> None:
        """It fails with the reason that Asterisk gives."""
        for number, reason in (
            ("5", "busy"),
            ("8", "congestion"),
            ("3", "no answer"),
            ("1", "hung up"),
            ("0", "failed"),
            ("", "failed"),
        ):
            call, answer = self.place()
            self.respond(call, "Failure", number)
            error = self.failureResultOf(answer, CallFailed).value
            self.assertEqual(error.reason, reason)
            self.assertEqual(error.event["Uniqueid"], call.uniqueid)
            self.failureResultOf(call.when_hung_up(), CallFailed)

    def test_another_call(self) -> None:
        """What is said of another Originate is not taken for ours."""
        _, answer = self.place()
        self.respond(self.ami.new_call())
        self.assertNoResult(answer)

    def test_refused(self) -> None:
        """What Asterisk does not even try fails with its own words."""
        call = self.ami.new_call()
        answer = call.originate("PJSIP/alice", context="office", exten="nosuch")
        self.pbx.refuse(self.pbx.hear_one("Originate"), "Extension does not exist.")
        self.failureResultOf(answer, ActionFailed)
        self.failureResultOf(call.when_hung_up(), ActionFailed)

    def test_nowhere_to_go(self) -> None:
        """A call without anything to do, or with two things, is refused before it is sent."""
        nowhere: tuple[dict[str, Any], ...] = ({}, {"exten": "1"})
        for options in *nowhere, {"application": "Wait", "context": "a", "exten": "b"}:
            answer = self.ami.originate("PJSIP/alice", **options)
            self.failureResultOf(answer, LocalProtocolError)
        self.assertEqual(self.pbx.hear(), [])

    def test_unsendable(self) -> None:
        """What AMI cannot carry fails, and nothing is followed."""
        answer = self.ami.originate("PJSIP/a\nlice", application="Wait")
        self.failureResultOf(answer, LocalProtocolError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_twice(self) -> None:
        """A call can be placed once."""
        call, _ = self.place()
        again = call.originate("PJSIP/alice", application="Wait")
        self.failureResultOf(again, LocalProtocolError)

    def test_never_told(self) -> None:
        """When Asterisk never says how it went, it fails, and says what may be missing."""
        _, answer = self.place(timeout=20)
        self.clock.advance(20)
        self.assertNoResult(answer)
        self.clock.advance(10)
        error = self.failureResultOf(answer, TimedOut).value
        self.assertIn("only to users who may read the class call", str(error))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_time_limit_once_answered(self) -> None:
        """A call that was answered may last."""
        call = self.answered()
        self.clock.advance(3600)
        self.assertNoResult(call.when_hung_up())

    def test_response_after_the_end(self) -> None:
        """That the call was answered may be told after its hangup, for events overtake others."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.tell("Hangup", call.uniqueid, "PJSIP/alice-1")
        self.assertNoResult(answer)
        self.respond(call)
        self.successResultOf(answer)
        self.assertEqual(self.successResultOf(call.when_hung_up()).name, "Hangup")

    def test_response_before_the_channel(self) -> None:
        """That the call was answered may be told before its channel, and names it."""
        call, answer = self.place()
        name = ("Channel", "PJSIP/alice-1")
        self.pbx.tell(
            "OriginateResponse", ("Response", "Success"), name, ("Uniqueid", call.uniqueid)
        )
        self.successResultOf(answer)
        self.assertEqual(call.channel, "PJSIP/alice-1")
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.assertNoResult(call.when_hung_up())
        self.tell("Hangup", call.uniqueid, "PJSIP/alice-1")
        self.successResultOf(call.when_hung_up())
        self.assertEqual(call.channels, {})

    def test_not_answered_is_followed_too(self) -> None:
        """A call that was not answered is followed until its channels are gone."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        over = call.when_hung_up()
        self.respond(call, "Failure", "5")
        self.failureResultOf(answer, CallFailed)
        self.assertNoResult(over)
        self.tell("Hangup", call.uniqueid, "PJSIP/alice-1")
        self.assertEqual(self.successResultOf(over).name, "Hangup")


class CancelTests(CallTestCase):
    """Giving up a call before it is answered."""

    def hung_up(self) -> str:
        """Return what is hung up."""
        return self.pbx.hear_one("Hangup")["Channel"]

    def test_ringing(self) -> None:
        """Cancelling hangs up."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.hung_up(), call.uniqueid)

    def test_not_begun(self) -> None:
        """What has no channel yet is hung up as soon as there is one, and only once."""
        call, answer = self.place()
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.pbx.hear(), [])
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.tell("Newstate", call.uniqueid, "PJSIP/alice-1")
        self.assertEqual(self.hung_up(), call.uniqueid)

    def test_gone_in_the_meantime(self) -> None:
        """That it is gone already does not matter."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.pbx.refuse(self.pbx.hear_one("Hangup"), "No such channel")
        self.respond(call, "Failure", "0")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_link_lost(self) -> None:
        """Nor that the link is lost before that."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.pbx.close()
        self.failureResultOf(call.when_hung_up(), Disconnected)
        self.assertEqual(self.flushLoggedErrors(), [])


class FollowTests(CallTestCase):
    """Which events concern a call."""

    def setUp(self) -> None:
        """Have a call, and hear its events."""
        super().setUp()
        self.call = self.answered()
        self.own = self.call.uniqueid
        self.heard: list[str] = []
        self.call.on("*", lambda event: self.heard.append(event.name))

    def assert_over(self, over: bool) -> None:
        """Whether the call is over."""
        when = self.call.when_hung_up()
        self.assertEqual(when.called, over)
        when.cancel()
        when.addErrback(lambda failure: failure.trap(CancelledError))

    def test_by_uniqueid_and_linkedid(self) -> None:
        """Events of its channel, and of channels that have its Linkedid."""
        self.tell("Newstate", self.own, "PJSIP/alice-1")
        self.tell("Newchannel", "other", "PJSIP/bob-1", linkedid=self.own)
        self.tell("Newstate", "stranger", "PJSIP/carol-1")
        self.assertEqual(self.heard, ["Newstate", "Newchannel"])
        self.assertEqual(self.call.channels, {self.own: "PJSIP/alice-1", "other": "PJSIP/bob-1"})

    def test_in_any_role(self) -> None:
        """An event that names one of its channels in another role, in any spelling."""
        self.pbx.tell("DialEnd", ("DestUniqueid", self.own), ("DialStatus", "ANSWER"))
        self.pbx.tell("LocalBridge", ("LocalTwoUniqueid", self.own))
        self.pbx.tell("Cdr", ("Channel", "PJSIP/alice-1"), ("UniqueID", self.own))
        self.pbx.tell("UserEvent", ("Text", f"Uniqueid: {self.own}"))
        self.assertEqual(self.heard, ["DialEnd", "LocalBridge", "Cdr"])

    def test_of_a_channel_that_is_gone(self) -> None:
        """What only names a channel, as a CDR does, does not bring it back."""
        self.tell("Newchannel", "other", "PJSIP/bob-1", linkedid=self.own)
        self.tell("Hangup", self.own, "PJSIP/alice-1")
        self.pbx.tell("Cdr", ("Channel", "PJSIP/alice-1"), ("UniqueID", self.own))
        self.assertEqual(self.call.channels, {"other": "PJSIP/bob-1"})

    def test_rename(self) -> None:
        """A channel that is renamed stays the same."""
        self.pbx.tell(
            "Rename",
            ("Channel", "PJSIP/alice-1"),
            ("Newname", "PJSIP/alice-1<MASQ>"),
            ("Uniqueid", self.own),
        )
        self.assertEqual(self.call.channel, "PJSIP/alice-1<MASQ>")

    def test_optimised_away(self) -> None:
        """A local channel may vanish: the call goes on between those at its far ends."""
        for uniqueid in "one", "two":
            self.tell("Newchannel", uniqueid, f"PJSIP/{uniqueid}", linkedid=self.own)
        self.tell("Hangup", self.own, "PJSIP/alice-1")
        self.assertEqual(self.call.channel, "")
        self.assert_over(False)
        self.tell("Hangup", "one", "PJSIP/one", linkedid=self.own)
        self.tell("Hangup", "two", "PJSIP/two", linkedid=self.own)
        self.assert_over(True)
        self.assertEqual(self.call.channels, {})

    def test_joined_to_another_call(self) -> None:
        """While two calls are joined they have one Linkedid, and each hears of the other."""
        self.tell("BridgeEnter", self.own, "PJSIP/alice-1", linkedid="older")
        self.tell("DTMFEnd", "stranger", "PJSIP/carol-1", linkedid="older")
        self.tell("BridgeLeave", self.own, "PJSIP/alice-1")
        self.tell("Hold", "stranger", "PJSIP/carol-1", linkedid="older")
        self.assertEqual(self.heard, ["BridgeEnter", "DTMFEnd", "BridgeLeave"])

    def test_strangers_do_not_keep_it(self) -> None:
        """A call is over when its own channels are gone, whoever it was joined to."""
        self.tell("BridgeEnter", "stranger", "PJSIP/carol-1", linkedid=self.own)
        self.assertEqual(self.heard, ["BridgeEnter"])
        self.assertEqual(list(self.call.channels), [self.own])
        self.tell("Hangup", "stranger", "PJSIP/carol-1", linkedid=self.own)
        self.assert_over(False)
        self.tell("Hangup", self.own, "PJSIP/alice-1")
        self.assert_over(True)

    def test_two_calls_in_one(self) -> None:
        """An event may concern two calls that are followed."""
        other = self.answered()
        heard: list[str] = []
        other.on("BridgeEnter", lambda event: heard.append(event.name))
        self.tell("BridgeEnter", other.uniqueid, "PJSIP/bob-1", linkedid=self.own)
        self.assertEqual((self.heard, heard), (["BridgeEnter"], ["BridgeEnter"]))

    def test_names_and_match(self) -> None:
        """A call's listeners take names and headers as those of the link do."""
        waiting = self.call.next("Hangup", Uniqueid="other", timeout=60)
        self.tell("Newchannel", "other", "PJSIP/bob-1", linkedid=self.own)
        self.tell("Hangup", "other", "PJSIP/bob-1", linkedid=self.own)
        self.assertEqual(self.successResultOf(waiting)["Uniqueid"], "other")

    def test_over(self) -> None:
        """After the last hangup who still waits is told, streams end, and nothing is left."""
        waiting, stream = self.call.next("DTMFEnd", timeout=60), self.call.stream("Hangup")
        over = self.call.when_hung_up()
        self.tell("Hangup", self.own, "PJSIP/alice-1")
        self.assertEqual(self.successResultOf(over)["Uniqueid"], self.own)
        self.failureResultOf(waiting, HungUp)
        read = Deferred.fromCoroutine(stream.__anext__())
        self.assertEqual(self.successResultOf(read).name, "Hangup")
        self.failureResultOf(Deferred.fromCoroutine(stream.__anext__()), StopAsyncIteration)
        self.failureResultOf(self.call.next("Hangup"), HungUp)
        later = Deferred.fromCoroutine(self.call.stream("Hangup").__anext__())
        self.failureResultOf(later, StopAsyncIteration)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_wanted_when_nothing_is_followed(self) -> None:
        """Following costs nothing when there is no call to follow."""
        wanted = self.ami._subscriptions.by_name
        self.assertEqual(len(wanted[b"Newchannel"]), 1)
        self.tell("Hangup", self.own, "PJSIP/alice-1")
        self.assertEqual(wanted[b"Newchannel"], ())

    def test_link_lost(self) -> None:
        """When the link is lost for good everyone is told."""
        over, waiting = self.call.when_hung_up(), self.call.next("DTMFEnd")
        self.pbx.close()
        self.failureResultOf(over, Disconnected)
        self.failureResultOf(waiting, Disconnected)

    def test_link_lost_before_the_answer(self) -> None:
        """Also who waits for the answer."""
        _, answer = self.place()
        self.pbx.close()
        self.failureResultOf(answer, Disconnected)

    def test_repr(self) -> None:
        """It shows the channels that there are."""
        self.assertEqual(repr(self.call), f"<Call {self.own}: PJSIP/alice-1>")


class VerbTests(CallTestCase):
    """What can be done to a call."""

    def test_hangup(self) -> None:
        """Its channel is named by its id, which a rename does not change."""
        call = self.answered()
        done = call.hangup(17)
        action = self.pbx.hear_one("Hangup")
        self.assertEqual((action["Channel"], action["Cause"]), (call.uniqueid, "17"))
        self.pbx.answer(action)
        self.assertIsNone(self.successResultOf(done))

    def test_hangup_of_what_is_left(self) -> None:
        """When its own channel is gone, the others are hung up."""
        call = self.answered()
        for uniqueid in "one", "two":
            self.tell("Newchannel", uniqueid, f"PJSIP/{uniqueid}", linkedid=call.uniqueid)
        self.tell("Hangup", call.uniqueid, "PJSIP/alice-1")
        done = call.hangup()
        for uniqueid in "one", "two":
            action = self.pbx.hear_one("Hangup")
            self.assertEqual((action["Channel"], action.get("Cause")), (uniqueid, None))
            self.pbx.refuse(action, "No such channel")
        self.assertIsNone(self.successResultOf(done))

    def test_refused_hangup(self) -> None:
        """A hangup that is refused for another reason fails."""
        call = self.answered()
        done = call.hangup()
        self.pbx.refuse(self.pbx.hear_one("Hangup"), "Permission denied")
        self.failureResultOf(done, ActionFailed)

    def test_redirect(self) -> None:
        """Its channel goes on elsewhere."""
        call = self.answered()
        call.redirect("office", "100")
        action = self.pbx.hear_one("Redirect")
        self.assertEqual(
            [action[name] for name in ("Channel", "Context", "Exten", "Priority")],
            [call.uniqueid, "office", "100", "1"],
        )


class ReconnectTests(CallTestCase):
    """Following across a reconnect of the service."""

    def setUp(self) -> None:
        """Have a service that is connected."""
        self.network = Network()
        self.clock = self.network.reactor
        self.service = AMIService(
            self.network.endpoint,
            "admin",
            "secret",
            back_off=lambda _: 10.0,
            clock=self.clock,
        )
        self.ami = self.service
        self.service.startService()
        self.log_in()

    def log_in(self) -> None:
        """Let the service log in."""
        self.pbx = self.network.accept()
        self.pbx.accept_login()

    def reconnect(self) -> Action:
        """Lose the link and make a new one; return the question for the channels."""
        self.pbx.close()
        self.network.pass_by(10)
        self.log_in()
        return self.pbx.hear_one("CoreShowChannels")

    def show(self, question: Action, *channels: list[tuple[str, str]]) -> None:
        """List the channels."""
        action_id = ("ActionID", question["ActionID"])
        self.pbx.answer(question, ("EventList", "start"))
        for channel in channels:
            self.pbx.tell("CoreShowChannel", action_id, *channel)
        self.pbx.tell("CoreShowChannelsComplete", action_id, ("EventList", "Complete"))

    def test_still_there(self) -> None:
        """A call whose channels are still there goes on, with those that joined it."""
        call = self.answered()
        gaps: list[Event] = []
        call.on("Gap", gaps.append)
        question = self.reconnect()
        self.assertEqual([event.name for event in gaps], ["Gap"])
        self.show(
            question,
            snapshot(call.uniqueid, "PJSIP/alice-renamed"),
            snapshot("new", "PJSIP/bob-1", call.uniqueid),
            snapshot("stranger", "PJSIP/carol-1"),
        )
        self.assertEqual(
            call.channels, {call.uniqueid: "PJSIP/alice-renamed", "new": "PJSIP/bob-1"}
        )
        over = call.when_hung_up()
        for uniqueid in call.uniqueid, "new":
            self.tell("Hangup", uniqueid, "PJSIP/x", call.uniqueid)
        self.assertEqual(self.successResultOf(over).name, "Hangup")

    def test_gone(self) -> None:
        """A call that ended in the gap is over, and the gap is all that is known of it."""
        call = self.answered()
        over = call.when_hung_up()
        self.show(self.reconnect())
        gap = self.successResultOf(over)
        self.assertIsInstance(gap, Gap)
        self.assertIsNone(gap.get("Cause"))

    def test_answered_in_the_gap(self) -> None:
        """A call that was answered in the gap is found answered."""
        call, answer = self.place()
        self.tell("Newchannel", call.uniqueid, "PJSIP/alice-1")
        self.show(self.reconnect(), snapshot(call.uniqueid, "PJSIP/alice-1"))
        self.assertIs(self.successResultOf(answer), call)

    def test_still_ringing(self) -> None:
        """A call that still rings is waited for."""
        call, answer = self.place()
        ringing = [*snapshot(call.uniqueid, "PJSIP/alice-1")]
        ringing[1] = ("ChannelState", "5")
        self.show(self.reconnect(), ringing)
        self.assertNoResult(answer)
        self.respond(call)
        self.successResultOf(answer)

    def test_ended_before_the_answer(self) -> None:
        """Of a call that is not there any more nobody can say whether it was answered."""
        _, answer = self.place()
        self.show(self.reconnect())
        self.failureResultOf(answer, Disconnected)

    def test_hung_up_while_asking(self) -> None:
        """A channel that hangs up while the list comes is not brought back by the list."""
        call = self.answered()
        question = self.reconnect()
        over = call.when_hung_up()
        self.tell("Hangup", call.uniqueid, "PJSIP/alice-1")
        self.show(question, snapshot(call.uniqueid, "PJSIP/alice-1"))
        self.assertEqual(self.successResultOf(over).name, "Hangup")

    def test_over_while_asking(self) -> None:
        """Of a call that is over while the list comes nothing is kept."""
        call = self.answered()
        question = self.reconnect()
        action_id = ("ActionID", question["ActionID"])
        own = snapshot(call.uniqueid, "PJSIP/alice-1")
        self.pbx.answer(question, ("EventList", "start"))
        for channel in own, snapshot("joined", "PJSIP/bob-1", call.uniqueid):
            self.pbx.tell("CoreShowChannel", action_id, *channel)
        self.pbx.tell("Hangup", ("Privilege", "call,all"), *own)
        self.assertEqual(call.channels, {})
        self.pbx.tell("CoreShowChannelsComplete", action_id, ("EventList", "Complete"))
        self.assertEqual(call.channels, {})
        self.assertEqual(self.ami._calls._by_id, {})

    def test_begun_while_asking(self) -> None:
        """A channel that begins while the list comes is not ended by the list."""
        call = self.answered()
        question = self.reconnect()
        self.tell("Newchannel", "new", "PJSIP/bob-1", linkedid=call.uniqueid)
        self.show(question, snapshot(call.uniqueid, "PJSIP/alice-1"))
        self.assertEqual(set(call.channels), {call.uniqueid, "new"})

    def test_lost_again(self) -> None:
        """When the link is lost again before the list has come, it is asked for again."""
        call = self.answered()
        self.reconnect()
        question = self.reconnect()
        self.show(question, snapshot(call.uniqueid, "PJSIP/alice-1"))
        self.assertEqual(list(call.channels), [call.uniqueid])

    def test_not_allowed_to_ask(self) -> None:
        """Who may not list the channels is told that the state is not known."""
        call = self.answered()
        question = self.reconnect()
        with capturedLogs() as logged:
            self.pbx.refuse(question, "Permission denied")
        self.assertIn("What became of 1 calls is not known", str(formatEvent(logged[0])))
        self.assertNoResult(call.when_hung_up())

    def test_stopped(self) -> None:
        """When the service is stopped everyone is told."""
        call = self.answered()
        over = call.when_hung_up()
        self.service.stopService()
        self.failureResultOf(over, AsteriskError)
        self.pbx.close()
