"""
What Asterisk 22.10.1 and 16.28.0 really said.

Each transcript in ``tests/transcripts/ami`` is one whole connection: ``NAME.client`` holds the
bytes that went to Asterisk, with the ActionIDs t-1, t-2 and so on, and ``NAME.server`` those that
came back. Asterisk's descriptions of its actions are its own text, so their letters are crossed
out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import md5
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._subscriptions import WireName
from txasterisk.ami.conversation import (
    Answered,
    ClientConversation,
    Greeted,
    Happened,
    ServerConversation,
)
from txasterisk.ami.messages import Action, Event, Response

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts" / "ami"

NAMES = sorted(path.stem for path in (TRANSCRIPTS / "22").glob("*.server"))

#: Events that no blank line parts from the one before.
GLUED = re.compile(rb"(?<!\r\n)\r\nEvent: (?:DeviceEntry|DevicelistC|LineEntry|LinelistC)")

Told = tuple[str, bytes, tuple[Event, ...]]


class Replay:
    """One recorded connection, spoken again."""

    def __init__(self, version: str, name: str) -> None:
        self.said = (TRANSCRIPTS / version / f"{name}.client").read_bytes()
        self.heard = (TRANSCRIPTS / version / f"{name}.server").read_bytes()
        self.actions = [
            action
            for action in ServerConversation("").receive(self.said)
            # Not those that the conversation sends of its own accord.
            if not action["ActionID"].endswith("-end")
        ]
        self.greeting = ""
        self.answers: list[Response] = []
        self.events: list[Event] = []

    def whole(self) -> Replay:
        """Hear all of it at once."""
        self.hear([self.heard])
        return self

    def hear(self, segments: Iterable[bytes]) -> list[Told]:
        """Ask everything, hear the segments, and return what they told."""
        everything: defaultdict[WireName, object] = defaultdict(lambda: True)
        client: ClientConversation[str] = ClientConversation(everything, "t")
        wire = b"".join(
            client.begin(action.name, unmarked(action), action.name)[1] for action in self.actions
        )
        assert wire == self.said, "the recorded actions are not what is serialized now"
        return [
            self.note(happening) for segment in segments for happening in client.receive(segment)
        ]

    def note(self, happening: Greeted | Answered[str] | Happened) -> Told:
        """Keep what happened."""
        if isinstance(happening, Greeted):
            self.greeting = happening.version
            return "greeting", happening.version.encode(), ()
        if isinstance(happening, Happened):
            self.events.append(happening.event)
            return "event", happening.event.raw, ()
        self.answers.append(happening.response)
        assert happening.question.asker == self.asked_as(happening.response)
        return happening.question.asker, happening.response.raw, happening.response.events

    def asked_as(self, response: Response) -> str:
        """Return the name of the action to which a response belongs."""
        [name] = [a.name for a in self.actions if a.action_id == response["ActionID"]]
        return name


def unmarked(action: Action) -> list[tuple[str, str]]:
    """Return the headers of an action without what the connection sets."""
    return [header for header in action.headers if header[0] not in ("Action", "ActionID")]


def each_version(name: str) -> Iterator[Replay]:
    """Replay a transcript of each version."""
    for version in "22", "16":
        yield Replay(version, name).whole()


class CutTests(SynchronousTestCase):
    """A transcript means the same however it is cut."""

    def test_all_are_there(self) -> None:
        """Both versions have the same transcripts."""
        self.assertGreater(len(NAMES), 10)
        self.assertEqual(NAMES, sorted(path.stem for path in (TRANSCRIPTS / "16").glob("*.server")))

    def test_byte_by_byte(self) -> None:
        """Byte by byte every transcript tells what it tells as a whole."""
        for version in "22", "16":
            for name in NAMES:
                with self.subTest(version=version, name=name):
                    replay = Replay(version, name)
                    pieces = (bytes([byte]) for byte in replay.heard)
                    self.assertEqual(replay.hear(pieces), replay.hear([replay.heard]))

    @settings(max_examples=50, deadline=None)
    @given(st.sampled_from(["22", "16"]), st.sampled_from(NAMES), st.data())
    def test_random_cuts(self, version: str, name: str, data: st.DataObject) -> None:
        """At random cuts every transcript tells what it tells as a whole."""
        replay = Replay(version, name)
        ends = sorted(data.draw(st.lists(st.integers(0, len(replay.heard)), max_size=20)))
        cuts = zip([0, *ends], [*ends, len(replay.heard)], strict=True)
        pieces = [replay.heard[start:end] for start, end in cuts]
        self.assertEqual(replay.hear(pieces), replay.hear([replay.heard]))

    def test_every_byte_is_accounted_for(self) -> None:
        """No event is lost: each is told, or in a list."""
        for name in NAMES:
            for replay in each_version(name):
                listed = sum(len(answer.events) for answer in replay.answers)
                events = replay.heard.count(b"\r\n\r\nEvent:") + len(GLUED.findall(replay.heard))
                with self.subTest(name=name):
                    self.assertEqual(listed + len(replay.events), events)


class LoginTests(SynchronousTestCase):
    """Logging in and off."""

    def test_versions(self) -> None:
        """The greeting tells the version of AMI, not of Asterisk."""
        greetings = [replay.greeting for replay in each_version("login-md5")]
        self.assertEqual(greetings, ["11.0.0", "5.0.4"])

    def test_md5(self) -> None:
        """The key is the digest of the challenge and the secret."""
        for replay in each_version("login-md5"):
            challenge, login = replay.answers[:2]
            key = md5((challenge["Challenge"] + "full-secret").encode(), usedforsecurity=False)
            self.assertEqual(replay.actions[1]["Key"], key.hexdigest())
            self.assertEqual(login.message, "Authentication accepted")

    def test_events_after_the_login(self) -> None:
        """``FullyBooted`` comes right behind the answer."""
        for replay in each_version("login-md5"):
            self.assertEqual(replay.events[0].name, "FullyBooted")
            self.assertEqual(replay.events[0]["Status"], "Fully Booted")

    def test_goodbye(self) -> None:
        """The answer to ``Logoff`` is a goodbye, which is no failure."""
        for replay in each_version("login-md5"):
            self.assertEqual(
                [replay.answers[-1].status, replay.answers[-1].failed], ["Goodbye", False]
            )

    def test_before_the_login(self) -> None:
        """Before the login nothing is permitted, and the connection stays."""
        for replay in each_version("login-plain"):
            self.assertEqual(
                [answer.message for answer in replay.answers],
                [
                    "Permission denied",
                    "Authentication accepted",
                    "Already authenticated",
                    "Thanks for all the fish.",
                ],
            )

    def test_refused(self) -> None:
        """A wrong key is refused."""
        for replay in each_version("login-refused"):
            self.assertEqual(replay.answers[-1].message, "Authentication failed")
            self.assertTrue(replay.answers[-1].failed)


class ListTests(SynchronousTestCase):
    """Answers that are lists."""

    def lists(self, name: str) -> Iterator[list[list[str]]]:
        """For each version, return the names in each list of a transcript."""
        for replay in each_version(name):
            yield [[event.name for event in a.events] for a in replay.answers if a.events]

    def test_channels(self) -> None:
        """Two halves of a Local channel are up."""
        for names in self.lists("channels"):
            self.assertEqual(
                names,
                [
                    ["CoreShowChannel", "CoreShowChannel", "CoreShowChannelsComplete"],
                    ["Status", "Status", "StatusComplete"],
                    ["BridgeListComplete"],
                ],
            )

    def test_values(self) -> None:
        """What was given to ``Originate`` comes back as it was, escaped where Asterisk does so."""
        for replay in each_version("channels"):
            _, _, channels, status, variable, *_ = replay.answers
            self.assertEqual(variable["Value"], 'a,b "c" \\d')
            self.assertEqual(
                status.events[0].get_all("Variable"), ['TXVAR=a,b "c" \\d', "NONE=(null)"]
            )
            self.assertEqual(channels.events[0]["ChanVariable"], 'TXVAR=a,b \\"c\\" \\\\d')
            self.assertEqual(channels.events[0]["CallerIDName"], 'O\\\'Brien \\"Bob\\"')
            self.assertEqual(channels.events[0].headers[-1], ("BridgeId", ""))

    def test_queues(self) -> None:
        """A queue's list is of several kinds; that of an unknown queue is empty."""
        for names in self.lists("queues"):
            self.assertEqual(
                names,
                [
                    ["QueueParams", "QueueMember", "QueueStatusComplete"],
                    ["QueueStatusComplete"],
                    ["QueueSummary", "QueueSummaryComplete"],
                ],
            )

    def test_blank_lines_in_excess(self) -> None:
        """The answer to ``QueueRule`` ends in two blank lines, which harms no other."""
        for replay in each_version("queues"):
            self.assertIn(b"\r\n\r\n\r\n", replay.heard)
            rule, ping = replay.answers[5:7]
            self.assertEqual(len(rule.headers), 2)
            self.assertEqual(ping["Ping"], "Pong")

    def test_pjsip(self) -> None:
        """An endpoint's list is of several kinds, and its completion has another name."""
        for names in self.lists("pjsip"):
            endpoints, endpoint, aors = names
            self.assertEqual(endpoints, ["EndpointList", "EndpointListComplete"])
            self.assertEqual(endpoint[0], "EndpointDetail")
            self.assertCountEqual(endpoint[1:-1], ["AuthDetail", "TransportDetail", "AorDetail"])
            self.assertEqual(endpoint[-1], "EndpointDetailComplete")
            self.assertEqual(aors, ["AorList", "AorListComplete"])

    def test_items_of_a_public_kind(self) -> None:
        """Device states are listed as the events that are told otherwise, and are not told."""
        for replay in each_version("states"):
            listed = [event.name for event in replay.answers[2].events]
            self.assertEqual(set(listed[:-1]), {"DeviceStateChange"})
            self.assertEqual(listed[-1], "DeviceStateListComplete")
            self.assertEqual(int(replay.answers[2].events[-1]["ListItems"]), len(listed) - 1)
            self.assertEqual(replay.events, [])

    def test_empty_lists(self) -> None:
        """A list may be just its completion; that of ``FAXSessions`` begins with a capital."""
        for names in self.lists("states"):
            self.assertEqual(
                names[1:],
                [
                    ["ExtensionStateListComplete"],
                    ["PresenceStateListComplete"],
                    ["FAXSessionsComplete"],
                ],
            )

    def test_odd_completions(self) -> None:
        """A completion is known by its ``EventList:``, whatever its name."""
        for names in self.lists("irregular"):
            self.assertEqual(
                names,
                [
                    ["FAXStats"],
                    ["DBGetResponse", "DBGetComplete"],
                    ["VoicemailUserEntry", "VoicemailUserEntry", "VoicemailUserEntryComplete"],
                ],
            )

    def test_iax_peers(self) -> None:
        """The items of ``IAXpeers`` are complete with its last event."""
        for replay in each_version("iax"):
            peers, peerlist, ping = replay.answers[2:5]
            self.assertEqual(peers.events[-1]["ListItems"], "1")
            self.assertEqual(
                [event.name for event in peerlist.events], ["PeerEntry", "PeerlistComplete"]
            )
            self.assertEqual(ping["Ping"], "Pong")

    def test_conference(self) -> None:
        """A conference is listed by name, by who is in it, and as a bridge; without one, errors."""
        for replay in each_version("conference"):
            nothing, rooms, members, unknown, bridges, bridge, *_ = replay.answers[2:]
            self.assertEqual(nothing.message, "No active conferences.")
            self.assertEqual(unknown.message, "No Conference by that name found.")
            self.assertEqual(names(rooms), ["ConfbridgeListRooms", "ConfbridgeListRoomsComplete"])
            self.assertEqual(names(members), ["ConfbridgeList"] * 2 + ["ConfbridgeListComplete"])
            self.assertEqual(names(bridges), ["BridgeListItem", "BridgeListComplete"])
            self.assertEqual(names(bridge), ["BridgeInfoChannel"] * 2 + ["BridgeInfoComplete"])
            self.assertEqual(
                bridge.events[-1]["BridgeUniqueid"], bridges.events[0]["BridgeUniqueid"]
            )

    def test_channel_map(self) -> None:
        """Who is connected with a channel is listed by 22; 16 does not know that."""
        connected, older = (replay.answers[-3] for replay in each_version("conference"))
        self.assertEqual(
            names(connected), ["CoreShowChannelMap"] * 3 + ["CoreShowChannelMapComplete"]
        )
        self.assertIn("Invalid/unknown command", older.message)

    def test_told_and_listed(self) -> None:
        """A parked call is told when it is parked, and listed when one asks, as the same kind."""
        for replay in each_version("parking"):
            lists = [names(answer) for answer in replay.answers if answer.events][1:]
            complete = ["ParkedCallsComplete"]
            self.assertEqual(
                lists, [complete, ["ParkedCall", *complete], ["ParkedCall"] * 2 + complete]
            )
            told = [event for event in replay.events if event.name == "ParkedCall"]
            self.assertEqual([event["Privilege"] for event in told], ["call,all"] * 2)

    def test_states_told_and_listed(self) -> None:
        """States are told when they change, and listed when one asks, as the same kinds."""
        for replay in each_version("presence"):
            told = [event for event in replay.events if event.name == "PresenceStateChange"]
            self.assertEqual([event["Status"] for event in told], ["available", "away"])
            lists = [answer.events for answer in replay.answers if answer.events]
            presences = [events[0]["Status"] for events in lists[::3]]
            self.assertEqual(presences, ["available", "away"])
            devices = [
                event["State"]
                for events in lists[1::3]
                for event in events
                if event.get("Device") == "Custom:hinted"
            ]
            self.assertEqual(devices, ["NOT_INUSE", "BUSY"])

    def test_line_feed_in_an_item(self) -> None:
        """An agent who talks has two headers on one line, parted by a mere LF."""
        for replay in each_version("agents"):
            off, idle, talking = (answer.events[0] for answer in replay.answers[2:5])
            self.assertEqual(off["Status"], "AGENT_LOGGEDOFF")
            self.assertEqual(idle["LoggedInTime"], talking["CallStarted"].partition(": ")[2])
            self.assertIn("\nLoggedInTime: ", talking["CallStarted"])
            self.assertNotIn("LoggedInTime", talking)

    def test_hangup(self) -> None:
        """The channels that a pattern fits are listed; without any, the list is empty."""
        for replay in each_version("hangup"):
            nothing, several = replay.answers[2:4]
            self.assertEqual(names(nothing), ["ChannelsHungupListComplete"])
            self.assertEqual(set(names(several)[:-1]), {"ChannelHungup"})
            self.assertEqual(len([e for e in replay.events if e.name == "Hangup"]), 4)

    def test_wrong_number(self) -> None:
        """16 says that a tree of the database has one value, however many there are."""
        for replay, numbers in zip(each_version("database"), [["2", "0"], ["1", "1"]], strict=True):
            trees = [answer.events for answer in replay.answers if answer.events]
            self.assertEqual([len(events) - 1 for events in trees], [2, 0])
            self.assertEqual([events[-1]["ListItems"] for events in trees], numbers)

    def test_items_without_a_blank_line(self) -> None:
        """16 lists devices and lines of SKINNY without a blank line behind an item."""
        _, older = each_version("peers")
        lists = [names(answer) for answer in older.answers if answer.events]
        self.assertIn(["DeviceEntry", "DevicelistComplete"], lists)
        self.assertIn(["LineEntry", "LinelistComplete"], lists)

    def test_item_with_a_privilege(self) -> None:
        """The items of ``SIPpeerstatus`` look like events that are told to everybody."""
        _, older = each_version("peers")
        [status] = [a for a in older.answers if "SIPpeerstatusComplete" in names(a)]
        self.assertEqual(status.events[0]["Privilege"], "System")

    def test_registrations(self) -> None:
        """The number of registrations leaves out what is told of their passwords."""
        for replay in each_version("pjsip-lists"):
            [asked] = [a for a in replay.answers if "OutboundRegistrationDetail" in names(a)]
            self.assertEqual(
                names(asked),
                ["OutboundRegistrationDetail", "AuthDetail", "OutboundRegistrationDetailComplete"],
            )
            self.assertEqual(asked.events[-1]["ListItems"], "1")

    def test_callers(self) -> None:
        """A caller in a queue is listed beside its members."""
        for replay in each_version("queue-caller"):
            self.assertEqual(
                names(replay.answers[2]),
                ["QueueParams", "QueueMember", "QueueEntry", "QueueStatusComplete"],
            )

    def test_dialplan(self) -> None:
        """Contexts are listed; unknown ones are errors."""
        for replay in each_version("dialplan"):
            whole, one, *errors, _, added, _, _ = replay.answers[2:]
            self.assertEqual(set(names(whole)[:-1]), {"ListDialplan"})
            self.assertLess(len(one.events), len(whole.events))
            self.assertTrue(all(answer.failed for answer in errors))
            self.assertEqual(added.events[0]["AppData"], "a,b")


def names(answer: Response) -> list[str]:
    """Return the names in a list."""
    return [event.name for event in answer.events]


class AnswerTests(SynchronousTestCase):
    """Answers that are not lists."""

    def test_config(self) -> None:
        """A configuration is headers with numbers in their names, or one line of JSON."""
        for replay in each_version("config"):
            queues, missing, empty, as_json, categories = replay.answers[2:7]
            self.assertEqual(queues["Category-000001"], "support")
            self.assertEqual(
                queues.headers[-1],
                (
                    "Line-000001-000002",
                    "member=Local/answer@txasterisk/n,0,Answering Machine",
                ),
            )
            self.assertEqual(missing.message, "Config file not found")
            self.assertEqual(empty.headers[-1], ("No categories found", ""))
            self.assertTrue(as_json["JSON"].startswith('{"general":{"bindaddr":"127.0.0.1:'))
            self.assertEqual(categories.headers[-1], ("Category-000003", "alice"))

    def test_commands(self) -> None:
        """A command prints lines, with their blanks, also when it fails."""
        for replay in each_version("command"):
            version, unknown, dialplan, nothing = replay.answers[2:6]
            self.assertTrue(version.output[0].startswith("Asterisk "))
            self.assertTrue(unknown.failed)
            self.assertEqual(len(unknown.output), 1)
            self.assertTrue(unknown.output[0].startswith("No such command 'no such command'"))
            self.assertEqual(dialplan.output[0], "[ Context 'txasterisk' created by 'pbx_config' ]")
            self.assertTrue(dialplan.output[1].startswith("  'hangup' =>       1. Answer() "))
            self.assertEqual(dialplan.output[3], "")
            self.assertEqual((nothing.message, nothing.output), ("No command provided", []))

    def test_many_headers(self) -> None:
        """``ListCommands`` has a header for each action."""
        for replay in each_version("list-commands"):
            commands = replay.answers[2]
            self.assertGreater(len(commands.headers), 100)
            self.assertIn("(Priv: ", commands["CoreShowChannels"])
            self.assertEqual(commands["coreshowchannels"], commands["CoreShowChannels"])

    def test_errors(self) -> None:
        """Each error has its own words; of the three answers to ``ModuleLoad`` one counts."""
        for replay in each_version("errors"):
            errors = replay.answers[2:-2]
            self.assertTrue(all(answer.failed for answer in errors))
            self.assertEqual(
                [replay.asked_as(answer) for answer in errors],
                ["NoSuchAction", "Hangup", "Redirect", "ModuleLoad", "Setvar"],
            )
            self.assertEqual(errors[3].message, "Incomplete ModuleLoad action.")
            self.assertEqual(replay.heard.count(b"\r\nActionID: t-6\r\n"), 3)
            self.assertEqual(replay.answers[-2]["Ping"], "Pong")

    def test_several_answers(self) -> None:
        """Of several answers to one action the first counts, and the next action gets its own."""
        for replay in each_version("modules"):
            self.assertEqual(replay.heard.count(b"\r\nActionID: t-3\r\n"), 3)
            self.assertEqual(replay.heard.count(b"\r\nActionID: t-10\r\n"), 2)
            incomplete, unknown, *_, jabber, ping, _ = replay.answers[2:]
            self.assertEqual(incomplete.message, "Incomplete ModuleLoad action.")
            self.assertTrue(unknown.failed)
            self.assertEqual(jabber.message, "Attempting to send Jabber Message")
            self.assertEqual(ping["Ping"], "Pong")

    def test_wait_event(self) -> None:
        """What ends ``WaitEvent`` is told as an event, and then it is complete."""
        for replay in each_version("wait-event"):
            self.assertEqual(
                {a.message for a in replay.answers[2:4]}, {"Waiting for Event completed."}
            )
            self.assertEqual([names(a) for a in replay.answers[2:4]], [["WaitEventComplete"]] * 2)
            self.assertEqual([event.name for event in replay.events], ["UserEvent"])

    def test_empty_without_a_list(self) -> None:
        """An unknown mailbox is a mere success."""
        for replay in each_version("voicemail"):
            users, user, unknown = replay.answers[2:5]
            self.assertEqual(names(users)[-1], "VoicemailUserEntryComplete")
            self.assertEqual(names(user), ["VoicemailUserDetail", "VoicemailUserDetailComplete"])
            self.assertEqual((unknown.status, unknown.events), ("Success", ()))

    def test_fax(self) -> None:
        """Sessions are a list; the rest is told in an event each, which is complete with it."""
        for replay in each_version("fax"):
            self.assertEqual(names(replay.answers[3]), ["FAXSessionsEntry", "FAXSessionsComplete"])
            told = [names(answer) for answer in replay.answers[4:7]]
            self.assertEqual(told, [["FAXSession"], ["FAXSession"], ["FAXStats"]])
            self.assertEqual(replay.events, [])

    def test_line_feed_in_an_error(self) -> None:
        """Some words end in an LF, which is left off."""
        for replay in each_version("pjsip"):
            errors = [answer for answer in replay.answers if answer.failed]
            self.assertEqual(
                [answer.message for answer in errors],
                ["Unable to retrieve endpoint nobody", "No Contacts found"],
            )
            self.assertEqual(errors[1]["Message"], "No Contacts found\n")

    def test_no_answer(self) -> None:
        """``IAXnetstats`` is not answered; the ping behind it is, and tells that it is done."""
        for replay in each_version("iax-netstats"):
            self.assertNotIn(b"ActionID: t-3\r\n", replay.heard)
            self.assertEqual(
                [replay.asked_as(answer) for answer in replay.answers],
                ["Challenge", "Login", "IAXnetstats", "Ping", "Logoff"],
            )
            self.assertEqual(replay.answers[2].output, [])

    def test_rows(self) -> None:
        """Rows are the output, whatever ends them, and hide no answer behind them."""
        for replay in each_version("rows"):
            netstats, ping, phone, _, line, *_ = replay.answers[2:]
            self.assertEqual(len(netstats.output), 2)
            self.assertTrue(all(row.startswith("IAX2/trunk-") for row in netstats.output))
            self.assertEqual(ping["Ping"], "Pong")
        # Of 16, the last; 22 does not know the others.
        self.assertIn("DeviceType: No Device", phone.output)
        self.assertIn("Device: seen-phone", line.output)

    def test_event_after_the_answer(self) -> None:
        """``FAXStats`` answers, and then tells an event with its ActionID, which is its list."""
        for replay in each_version("irregular"):
            self.assertEqual([event.name for event in replay.answers[2].events], ["FAXStats"])
            self.assertEqual(replay.events, [])

    def test_blanks_are_kept(self) -> None:
        """A value keeps the blank at its end; the leading one Asterisk itself dropped."""
        for replay in each_version("irregular"):
            value = replay.answers[4].events[0]
            self.assertEqual(value["Val"], "v ")


class EventTests(SynchronousTestCase):
    """Events as they happen."""

    def test_originate(self) -> None:
        """A whole call: the answer first, its result and everything else as events."""
        for replay in each_version("originate"):
            self.assertEqual(replay.answers[2].message, "Originate successfully queued")
            names = [event.name for event in replay.events]
            self.assertEqual(names.count("Newchannel"), 2)
            self.assertEqual(names.count("Hangup"), 2)
            [result] = [event for event in replay.events if event.name == "OriginateResponse"]
            self.assertEqual((result["Response"], result["ActionID"]), ("Success", "t-3"))
            self.assertEqual(result["CallerIDName"], "O'Brien")

    def test_user_event_of_the_dialplan(self) -> None:
        """A ``UserEvent`` of the dialplan holds what it was given."""
        for replay in each_version("userevent"):
            event = replay.events[0]
            self.assertEqual(
                event.headers[-9:],
                (
                    ("UserEvent", "Odd"),
                    ("Empty", ""),
                    ("Leading", "three blanks"),
                    ("Colons", "a: b:c"),
                    ("Quotes", "a 'b'"),
                    ("Accents", "gr\xf6\xdfe \u260e"),
                    ("Equals", "a=b&c"),
                    ("Response", "Success"),
                    ("Again", "2"),
                ),
            )
            self.assertEqual(event.name, "UserEvent")

    def test_user_event_of_an_action(self) -> None:
        """A ``UserEvent`` of an action holds its headers as they were, whatever they look like."""
        for replay in each_version("userevent"):
            event = replay.events[-1]
            self.assertEqual(event.name, "UserEvent")
            self.assertEqual(event["Event"], "UserEvent")
            self.assertEqual(event.get_all("Event"), ["UserEvent", "Forged"])
            self.assertEqual(event.get_all("Privilege"), ["user,all", "none"])
            self.assertEqual(event.get_all("Again"), ["1", "2"])
            self.assertEqual(event["Blanks"], "  both  ")
            self.assertEqual(event["Latin"], "\udce9")
            self.assertNotIn("NoValue", event)
