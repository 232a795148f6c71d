"""Questions and their answers, without a network."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk._subscriptions import WireName
from txasterisk.ami import conversation as conversation_module
from txasterisk.ami.conversation import (
    MAX_FORGOTTEN,
    MAX_GREETING,
    MAX_KNOWN_HEADS,
    MAX_MESSAGE,
    MAX_REQUEST_LINE,
    MAX_REQUEST_LINES,
    Answered,
    ClientConversation,
    Greeted,
    Happened,
    Question,
    ServerConversation,
)
from txasterisk.ami.messages import Event, Headers, Response
from txasterisk.errors import LocalProtocolError, RemoteProtocolError

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

Happening = Greeted | Answered[str] | Happened


class Wanted(defaultdict[WireName, object]):
    """Wants every event but those that it is told of, and counts how often it was asked."""

    def __init__(self, *unwanted: bytes) -> None:
        super().__init__()
        self.unwanted = unwanted
        self.asked: list[WireName] = []

    def __getitem__(self, name: WireName) -> object:
        self.asked.append(name)
        return name not in self.unwanted


def conversation(wanted: Wanted | None = None) -> ClientConversation[str]:
    """Return a conversation whose ActionIDs are tx-1, tx-2 and so on, not greeted yet."""
    return ClientConversation(Wanted() if wanted is None else wanted, "tx")


def greeted(wanted: Wanted | None = None) -> ClientConversation[str]:
    """Return one that has heard the greeting."""
    client = conversation(wanted)
    list(client.receive(GREETING))
    return client


def ask(client: ClientConversation[str], name: str, headers: Headers = ()) -> Question[str]:
    """Ask something, as somebody of the same name."""
    return client.begin(name, headers, name)[0]


def told(happenings: Iterable[Happening]) -> list[object]:
    """Put happenings so that they can be compared."""
    return [put(happening) for happening in happenings]


def put(happening: Happening) -> object:
    if isinstance(happening, Answered):
        response = happening.response
        return happening.question.asker, response.message, [item.raw for item in response.events]
    return happening


class GreetingTests(SynchronousTestCase):
    """The line with which the server begins."""

    def test_whole(self) -> None:
        """The greeting says which version of AMI the server speaks."""
        self.assertEqual(list(conversation().receive(GREETING)), [Greeted("11.0.0")])

    def test_skipped(self) -> None:
        """Over HTTP there is none."""
        client = conversation()
        client.skip_greeting()
        ask(client, "Ping")
        answer = b"Response: Success\r\nActionID: tx-1\r\nMessage: Hello\r\n\r\n"
        self.assertEqual(told(client.receive(answer)), [("Ping", "Hello", [])])

    def test_byte_by_byte(self) -> None:
        """The greeting may come in any pieces."""
        client = conversation()
        happenings = [h for byte in GREETING for h in client.receive(bytes([byte]))]
        self.assertEqual(happenings, [Greeted("11.0.0")])

    def test_nothing(self) -> None:
        """No bytes at all are no harm."""
        self.assertEqual(list(conversation().receive(b"")), [])

    def test_bare_line_feed(self) -> None:
        """The greeting may end in a bare LF, as of a proxy."""
        self.assertEqual(
            list(conversation().receive(b"Asterisk Call Manager/1.1\n")), [Greeted("1.1")]
        )

    def test_more_behind_it(self) -> None:
        """What comes in the same segment as the greeting is heard."""
        self.assertEqual(
            list(conversation().receive(GREETING + b"Event: A\r\n\r\n")),
            [Greeted("11.0.0"), Happened(b"A", Event(b"Event: A"))],
        )

    def test_other_servers(self) -> None:
        """Whatever begins otherwise is no AMI, and that shows as soon as it can."""
        for opening in (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\x15\x03\x01\x00\x02\x02\x46",
            b"asterisk call manager/1.1\r\n",
            b"Asterisk Call Manager 1.1\r\n",
            b"H",
            b"\r\n",
            b"\n",
            b"Asterisk\n",
            b"Asterisk Call Manager\r\n",
        ):
            with self.subTest(opening=opening), self.assertRaises(RemoteProtocolError):
                list(conversation().receive(opening))

    def test_what_the_error_says(self) -> None:
        """The error shows how the server began, but not all of it."""
        with self.assertRaises(RemoteProtocolError) as caught:
            list(conversation().receive(b"HTTP/1.1 200 OK\r\n" + b"x" * 1000))
        self.assertIn("HTTP/1.1 200 OK", str(caught.exception))
        self.assertLess(len(str(caught.exception)), 120)

    def test_endless(self) -> None:
        """A greeting without an end is not waited for."""
        client = conversation()
        start = b"Asterisk Call Manager/"
        list(client.receive(start + b"1" * (MAX_GREETING - len(start))))
        with self.assertRaises(RemoteProtocolError):
            list(client.receive(b"1"))


class AnswerTests(SynchronousTestCase):
    """Which answer belongs to which question."""

    def test_wire(self) -> None:
        """Each question gets an ActionID of its own."""
        client = greeted()
        self.assertEqual(
            [client.begin("Ping", (), "")[1] for _ in range(2)],
            [
                b"Action: Ping\r\nActionID: tx-1\r\n\r\n",
                b"Action: Ping\r\nActionID: tx-2\r\n\r\n",
            ],
        )

    def test_answer(self) -> None:
        """An answer comes with its question, and so with whoever asked."""
        client = greeted()
        question = ask(client, "Ping")
        [answered] = client.receive(b"Response: Success\r\nActionID: tx-1\r\nPing: Pong\r\n\r\n")
        assert isinstance(answered, Answered)
        self.assertIs(answered.question, question)
        self.assertEqual((question.action, question.asker), ("Ping", "Ping"))
        self.assertEqual(
            answered.response, Response(b"Response: Success\r\nActionID: tx-1\r\nPing: Pong")
        )

    def test_any_order(self) -> None:
        """Answers are matched by their ActionID, in whatever order they come."""
        client = greeted()
        for name in "A", "B", "C":
            ask(client, name)
        self.assertEqual(
            told(
                client.receive(
                    b"Response: Success\r\nActionID: tx-3\r\nMessage: c\r\n\r\n"
                    b"Response: Error\r\nActionID: tx-1\r\nMessage: a\r\n\r\n"
                    b"Response: Success\r\nActionID: tx-2\r\nMessage: b\r\n\r\n"
                )
            ),
            [("C", "c", []), ("A", "a", []), ("B", "b", [])],
        )

    def test_part_of_an_action_id(self) -> None:
        """An ActionID is compared whole."""
        client = greeted()
        ask(client, "A")
        answer = (
            b"Response: Success\r\nActionID: tx-10\r\n\r\nResponse: Success\r\nActionID: tx\r\n\r\n"
        )
        self.assertEqual(told(client.receive(answer)), [])

    def test_action_id_last(self) -> None:
        """The ActionID may be the last header of the answer."""
        client = greeted()
        ask(client, "A")
        self.assertEqual(
            told(client.receive(b"Response: Success\r\nMessage: m\r\nActionID: tx-1\r\n\r\n")),
            [("A", "m", [])],
        )

    def test_unasked(self) -> None:
        """An answer that nobody asked for is dropped, with an ActionID or without."""
        client = greeted()
        ask(client, "A")
        self.assertEqual(
            told(
                client.receive(
                    b"Response: Error\r\nMessage: Missing action in request\r\n\r\n"
                    b"Response: Success\r\nActionID: other-1\r\n\r\n"
                )
            ),
            [],
        )

    def test_glued_to_another_message(self) -> None:
        """An answer that a blank line without CR glues to an event is heard, and so is that."""
        client = greeted()
        ask(client, "A")
        stream = b"Response: Success\r\nActionID: tx-1\r\nMessage: m\r\n\nEvent: B\r\n\r\n"
        self.assertEqual(
            told(client.receive(stream)), [("A", "m", []), Happened(b"B", Event(b"Event: B"))]
        )

    def test_odd_success(self) -> None:
        """An answer without the blank, or with other words, is one."""
        for status in b"Response:Success", b"Response: Successful", b"Response: Goodbye":
            client = greeted()
            ask(client, "A")
            with self.subTest(status=status):
                self.assertEqual(
                    told(client.receive(status + b"\r\nActionID: tx-1\r\n\r\n")), [("A", "", [])]
                )

    def test_unsendable(self) -> None:
        """What AMI cannot carry is refused, and nothing is waited for."""
        client = greeted()
        with self.assertRaises(LocalProtocolError):
            client.begin("Setvar", {"Value": "\r\n"}, "")
        self.assertEqual(client.end(), [])

    def test_second_answer(self) -> None:
        """Of several responses to one action, as of ModuleLoad, the first one counts."""
        client = greeted()
        ask(client, "ModuleLoad")
        one = b"Response: Error\r\nActionID: tx-1\r\nMessage: Incomplete\r\n\r\n"
        two = b"Response: Error\r\nActionID: tx-1\r\nMessage: Need module name\r\n\r\n"
        self.assertEqual(told(client.receive(one + two + one)), [("ModuleLoad", "Incomplete", [])])

    def test_response_in_an_event(self) -> None:
        """An event that holds a ``Response:`` is an event, whatever its ActionID."""
        client = greeted()
        ask(client, "Originate")
        raw = b"Event: OriginateResponse\r\nActionID: tx-1\r\nResponse: Failure"
        self.assertEqual(
            told(client.receive(raw + b"\r\n\r\n")), [Happened(b"OriginateResponse", Event(raw))]
        )

    def test_event_in_a_response(self) -> None:
        """A response that holds an ``Event:`` is a response."""
        client = greeted()
        ask(client, "Getvar")
        raw = b"Response: Success\r\nActionID: tx-1\r\nValue: \r\nEvent: Hangup\r\nMessage: m"
        self.assertEqual(told(client.receive(raw + b"\r\n\r\n")), [("Getvar", "m", [])])

    def test_line_feed_at_the_end(self) -> None:
        """A message that ends in LF CR LF ends there and not a line earlier."""
        client = greeted()
        ask(client, "PJSIPShowContacts")
        answer = b"Response: Error\r\nActionID: tx-1\r\nMessage: No Contacts found\n\r\n\r\n"
        self.assertEqual(
            told(client.receive(answer)), [("PJSIPShowContacts", "No Contacts found", [])]
        )

    def test_end(self) -> None:
        """In the end all questions without their whole answer are given back, once."""
        client = greeted()
        answered, plain, listing, forgotten = (ask(client, name) for name in "ABCD")
        list(
            client.receive(
                b"Response: Success\r\nActionID: tx-1\r\n\r\n"
                b"Response: Success\r\nActionID: tx-3\r\nEventList: start\r\n\r\n"
            )
        )
        client.forget(forgotten)
        self.assertEqual(set(client.end()), {plain, listing})
        self.assertNotIn(answered, client.end())
        self.assertEqual(client.end(), [])


class EventListTests(SynchronousTestCase):
    """Answers that go on in events."""

    START = b"Response: Success\r\nActionID: tx-1\r\nEventList: start\r\nMessage: Follows\r\n\r\n"
    ONE = b"Event: Item\r\nActionID: tx-1\r\nA: 1"
    TWO = b"Event: Item\r\nActionID: tx-1\r\nA: 2"
    DONE = b"Event: ItemsComplete\r\nActionID: tx-1\r\nEventList: Complete\r\nListItems: 2"

    def setUp(self) -> None:
        """Ask for a list."""
        self.wanted = Wanted()
        self.client = greeted(self.wanted)
        self.question = ask(self.client, "Items")

    def test_list(self) -> None:
        """The answer to a list is complete with its last event, and holds all of them."""
        before = list(self.client.receive(self.START + self.ONE + b"\r\n\r\n" + self.TWO))
        self.assertEqual(before, [])
        self.assertEqual(
            told(self.client.receive(b"\r\n\r\n" + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [self.ONE, self.TWO, self.DONE])],
        )

    def test_empty(self) -> None:
        """A list may have nothing but its completion."""
        self.assertEqual(
            told(self.client.receive(self.START + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [self.DONE])],
        )

    def test_capital(self) -> None:
        """FAXSessions begins its list with a capital."""
        start = self.START.replace(b"start", b"Start")
        self.assertEqual(
            told(self.client.receive(start + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [self.DONE])],
        )

    def test_cancelled(self) -> None:
        """A list that the server cancels ends there."""
        done = self.DONE.replace(b"Complete\r", b"cancelled\r")
        self.assertEqual(
            told(self.client.receive(self.START + done + b"\r\n\r\n")),
            [("Items", "Follows", [done])],
        )

    def test_error(self) -> None:
        """An error instead of a list is an ordinary answer."""
        error = b"Response: Error\r\nActionID: tx-1\r\nMessage: No active conferences.\r\n\r\n"
        self.assertEqual(
            told(self.client.receive(error)), [("Items", "No active conferences.", [])]
        )

    def test_items_of_a_public_kind(self) -> None:
        """Items go to whoever asked, also those whose kind is told to everybody otherwise."""
        item = b"Event: DeviceStateChange\r\nActionID: tx-1\r\nDevice: A"
        self.assertEqual(
            told(self.client.receive(self.START + item + b"\r\n\r\n" + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [item, self.DONE])],
        )
        self.assertEqual(self.wanted.asked, [])

    def test_events_in_between(self) -> None:
        """An event in the middle of a list that is not of it is told at once."""
        stranger = b"Event: DeviceStateChange\r\nPrivilege: call,all\r\nDevice: A"
        self.assertEqual(
            told(self.client.receive(self.START + stranger + b"\r\n\r\n" + self.ONE + b"\r\n\r\n")),
            [Happened(b"DeviceStateChange", Event(stranger))],
        )

    def test_unwanted_events_in_between(self) -> None:
        """An event in the middle of a list that nobody wants is dropped."""
        self.wanted.unwanted = (b"Noise",)
        noise = b"Event: Noise\r\nPrivilege: call,all\r\n\r\n"
        self.assertEqual(told(self.client.receive(self.START + noise)), [])
        self.assertEqual(self.wanted.asked, [b"Noise"])

    def test_items_without_an_id(self) -> None:
        """An event with neither ActionID nor Privilege is an item, as those of IAXpeers are."""
        item = b"Event: PeerEntry\r\nChanneltype: IAX2\r\nObjectName: bob"
        self.assertEqual(
            told(self.client.receive(self.START + item + b"\r\n\r\n" + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [item, self.DONE])],
        )

    def test_items_without_a_blank_line(self) -> None:
        """The items of SKINNYdevices and SKINNYlines are told apart by their first two lines."""
        glued = b"\r\n".join([self.ONE, self.TWO, self.DONE])
        self.assertEqual(
            told(self.client.receive(self.START + glued + b"\r\n\r\n")),
            [("Items", "Follows", [self.ONE, self.TWO, self.DONE])],
        )

    def test_what_looks_like_an_item(self) -> None:
        """A value that goes on like an event of somebody else is no item."""
        item = self.ONE + b"\r\nEvent: Item\r\nActionID: tx-10\r\nEvent: Item\r\nA: 1"
        self.assertEqual(
            told(self.client.receive(self.START + item + b"\r\n\r\n" + self.DONE + b"\r\n\r\n")),
            [("Items", "Follows", [item, self.DONE])],
        )

    def test_more_than_a_list(self) -> None:
        """What stands in one message behind the end of a list is dropped."""
        glued = b"\r\n".join([self.ONE, self.DONE, self.TWO, self.DONE])
        self.assertEqual(
            told(self.client.receive(self.START + glued + b"\r\n\r\n")),
            [("Items", "Follows", [self.ONE, self.DONE])],
        )

    def test_error_in_the_middle(self) -> None:
        """An error within a list ends it, whether or not the list then goes on."""
        error = b"Response: Error\r\nActionID: tx-1\r\nMessage: Out of memory"
        arriving = self.START + self.ONE + b"\r\n\r\n" + error + b"\r\n\r\n"
        self.assertEqual(
            told(self.client.receive(arriving)), [("Items", "Out of memory", [self.ONE])]
        )
        late = self.ONE + b"\r\n\r\n" + self.DONE + b"\r\n\r\n"
        self.assertEqual(told(self.client.receive(late)), [])
        self.assertEqual(self.client.end(), [])

    def test_forged_start(self) -> None:
        """``EventList: start`` inside a value, further down, begins no list."""
        forged = (
            b"Response: Success\r\nActionID: tx-1\r\nVariable: A\r\nValue: x\r\n"
            b"EventList: start\r\n\r\n"
        )
        self.assertEqual(told(self.client.receive(forged)), [("Items", "", [])])

    def test_after_the_list(self) -> None:
        """After its completion nothing belongs to a list any more."""
        late = self.ONE
        happenings = told(
            self.client.receive(
                self.START + self.DONE + b"\r\n\r\n" + late + b"\r\n\r\n" + self.DONE + b"\r\n\r\n"
            )
        )
        self.assertEqual(
            happenings[1:],
            [Happened(b"Item", Event(late)), Happened(b"ItemsComplete", Event(self.DONE))],
        )

    def test_two_lists_at_once(self) -> None:
        """Two lists may be mixed."""
        ask(self.client, "Others")
        start, one, done = (
            part.replace(b"tx-1", b"tx-2") for part in (self.START, self.ONE, self.DONE)
        )
        stream = self.START + start + b"\r\n\r\n".join([one, self.ONE, self.DONE, done, b""])
        self.assertEqual(
            told(self.client.receive(stream)),
            [("Items", "Follows", [self.ONE, self.DONE]), ("Others", "Follows", [one, done])],
        )

    def test_blank_line_without_cr(self) -> None:
        """A blank line that lost its CR still divides two messages."""
        stream = self.START + self.ONE + b"\r\n\n" + self.TWO + b"\r\n\n" + self.DONE + b"\r\n\r\n"
        self.assertEqual(
            told(self.client.receive(stream)),
            [("Items", "Follows", [self.ONE, self.TWO, self.DONE])],
        )


class StreamedListTests(SynchronousTestCase):
    """A list whose items are told one by one."""

    def setUp(self) -> None:
        """Ask for a list."""
        self.client = greeted()
        self.items: list[Event] = []
        self.question, _ = self.client.begin(
            "CoreShowChannels", (), "CoreShowChannels", self.items.append
        )

    def hear(self, raw: bytes) -> list[Happening]:
        """Hear something."""
        return list(self.client.receive(raw))

    def test_items(self) -> None:
        """Each item is told when it comes; the answer has the completion alone."""
        self.hear(b"Response: Success\r\nActionID: tx-1\r\nEventList: start\r\n\r\n")
        for channel in "a", "b":
            item = f"Event: CoreShowChannel\r\nActionID: tx-1\r\nChannel: {channel}\r\n\r\n"
            self.assertEqual(self.hear(item.encode()), [])
            self.assertEqual(self.items[-1]["Channel"], channel)
        complete = b"Event: X\r\nActionID: tx-1\r\nEventList: Complete\r\nListItems: 2"
        [answered] = self.hear(complete + b"\r\n\r\n")
        assert isinstance(answered, Answered)
        self.assertEqual([event.raw for event in answered.response.events], [complete])
        self.assertEqual(len(self.items), 2)

    def test_no_list(self) -> None:
        """An answer that begins no list is told as any other."""
        [answered] = self.hear(b"Response: Error\r\nActionID: tx-1\r\nMessage: No\r\n\r\n")
        assert isinstance(answered, Answered)
        self.assertEqual((answered.response.message, self.items), ("No", []))

    def test_forgotten(self) -> None:
        """Items that nobody waits for any more are not told."""
        self.hear(b"Response: Success\r\nActionID: tx-1\r\nEventList: start\r\n\r\n")
        self.client.forget(self.question)
        self.hear(b"Event: CoreShowChannel\r\nActionID: tx-1\r\n\r\n")
        self.assertEqual(self.items, [])


class IrregularTests(SynchronousTestCase):
    """Answers that do not say by themselves when they are complete."""

    PONG = b"Response: Success\r\nActionID: tx-1-end\r\nPing: Pong\r\n\r\n"

    def answers(self, name: str, *heard: bytes) -> list[object]:
        """Ask for an action, and return what came of it."""
        client = greeted()
        ask(client, name)
        return told(happening for raw in heard for happening in client.receive(raw))

    def test_ping_behind(self) -> None:
        """What may be silent goes out with a ping right behind it."""
        client = greeted()
        self.assertEqual(
            client.begin("IAXnetstats", (), "")[1],
            b"Action: IAXnetstats\r\nActionID: tx-1\r\n\r\n"
            b"Action: Ping\r\nActionID: tx-1-end\r\n\r\n",
        )

    def test_masks(self) -> None:
        """A mask that Asterisk would take for another is refused before it is sent."""
        for name, header in ("Events", "EventMask"), ("Login", "Events"), ("login", "events"):
            for mask in "on", "Off", "true", "0", "1", "37", "call", "call,user", "none", "":
                greeted().begin(name, {header: mask}, "")
            for mask in "Call", "call, user", "call,", ",call", "call,,user", " call", "-1":
                with self.assertRaisesRegex(LocalProtocolError, f"not '{mask}'"):
                    greeted().begin(name, {header: mask}, "")

    def test_rows(self) -> None:
        """Rows that come before the answer to the ping are the output, as a command's is."""
        client = greeted()
        ask(client, "IAXnetstats")
        rows = b"LOCAL   REMOTE: 1\r\nIAX2/x   10   0\r\n\r\n"
        [answered] = [*client.receive(rows), *client.receive(self.PONG)]
        assert isinstance(answered, Answered)
        self.assertEqual(answered.response.output, ["LOCAL   REMOTE: 1", "IAX2/x   10   0"])
        self.assertEqual(answered.response["ActionID"], "tx-1")

    def test_rows_of_calls(self) -> None:
        """The rows of IAXnetstats end in LF CR LF, and the answer to the ping follows at once."""
        client = greeted()
        ask(client, "IAXnetstats")
        rows = b"IAX2/trunk-632 1000 Rx:ACK    \nIAX2/trunk-139 1000 Tx:ACK    \n\r\n"
        [answered] = client.receive(rows + self.PONG)
        assert isinstance(answered, Answered)
        self.assertEqual(
            answered.response.output,
            ["IAX2/trunk-632 1000 Rx:ACK    ", "IAX2/trunk-139 1000 Tx:ACK    "],
        )

    def test_silence(self) -> None:
        """Nothing but the answer to the ping is an answer without output."""
        self.assertEqual(self.answers("IAXnetstats", b"\r\n", self.PONG), [("IAXnetstats", "", [])])

    def test_answered_all_the_same(self) -> None:
        """When there is an answer it counts, and the one to the ping does not."""
        answer = b"Response: Success\r\nActionID: tx-1\r\nEvents: On\r\n\r\n"
        self.assertEqual(self.answers("Events", answer), [("Events", "", [])])
        self.assertEqual(self.answers("Events", answer, self.PONG), [("Events", "", [])])

    def test_other_rows(self) -> None:
        """Rows that nobody asked for are dropped."""
        self.assertEqual(self.answers("Ping", b"a row\r\n\r\n"), [])

    def test_endless_rows(self) -> None:
        """Rows without an end break the conversation instead of filling the memory."""
        self.patch(conversation_module, "MAX_LIST", 100)
        row = b"x" * 60 + b"\r\n\r\n"
        with self.assertRaisesRegex(RemoteProtocolError, "answer to IAXnetstats has more than 100"):
            self.answers("IAXnetstats", row, row)

    def test_closed_by_an_event(self) -> None:
        """What is a list in spirit is complete with the event of its own name."""
        answer = b"Response: Success\r\nActionID: tx-1\r\nMessage: will follow\r\n\r\n"
        for action, name in (
            ("FAXStats", b"FAXStats"),
            ("faxsession", b"FAXSession"),
            ("WaitEvent", b"WaitEventComplete"),
        ):
            event = b"Event: " + name + b"\r\nActionID: tx-1"
            self.assertEqual(
                self.answers(action, answer, event + b"\r\n\r\n"),
                [(action, "will follow", [event])],
            )

    def test_events_while_waiting(self) -> None:
        """The events that ``WaitEvent`` waits for are told as any others."""
        happened = b"Event: UserEvent\r\nPrivilege: user,all"
        answer = b"Response: Success\r\nActionID: tx-1\r\n\r\n"
        complete = b"Event: WaitEventComplete\r\nActionID: tx-1"
        self.assertEqual(
            self.answers("WaitEvent", answer, happened + b"\r\n\r\n", complete + b"\r\n\r\n"),
            [Happened(b"UserEvent", Event(happened)), ("WaitEvent", "", [complete])],
        )

    def test_refused(self) -> None:
        """An error is complete by itself."""
        error = b"Response: Error\r\nActionID: tx-1\r\nMessage: Permission denied\r\n\r\n"
        self.assertEqual(self.answers("FAXStats", error), [("FAXStats", "Permission denied", [])])

    def test_endless_list(self) -> None:
        """A list without an end breaks the conversation instead of filling the memory."""
        self.patch(conversation_module, "MAX_LIST", 100)
        start = b"Response: Success\r\nActionID: tx-1\r\nEventList: start\r\n\r\n"
        item = b"Event: Status\r\nActionID: tx-1\r\nPad: " + b"x" * 30 + b"\r\n\r\n"
        with self.assertRaisesRegex(RemoteProtocolError, "answer to Status has more than 100"):
            self.answers("Status", start, item, item)


class ForgottenTests(SynchronousTestCase):
    """Questions that nobody waits for any more."""

    def setUp(self) -> None:
        """Forget a question."""
        self.client = greeted()
        self.question = ask(self.client, "Items")

    def test_late_answer(self) -> None:
        """A late answer is swallowed."""
        self.client.forget(self.question)
        self.assertEqual(
            told(self.client.receive(b"Response: Success\r\nActionID: tx-1\r\n\r\n")), []
        )

    def test_late_list(self) -> None:
        """A late list is swallowed, with all its items."""
        self.client.forget(self.question)
        self.assertEqual(
            told(
                self.client.receive(
                    EventListTests.START
                    + EventListTests.ONE
                    + b"\r\n\r\n"
                    + EventListTests.DONE
                    + b"\r\n\r\n"
                )
            ),
            [],
        )

    def test_in_the_middle(self) -> None:
        """The rest of a list is swallowed, and events are told as ever."""
        list(self.client.receive(EventListTests.START + EventListTests.ONE + b"\r\n\r\n"))
        self.client.forget(self.question)
        rest = EventListTests.TWO + b"\r\n\r\n" + EventListTests.DONE + b"\r\n\r\n"
        self.assertEqual(
            told(self.client.receive(rest + b"Event: A\r\n\r\n")),
            [Happened(b"A", Event(b"Event: A"))],
        )

    def test_others_are_answered(self) -> None:
        """The next question gets its own answer, not the late one."""
        self.client.forget(self.question)
        ask(self.client, "Next")
        self.assertEqual(
            told(
                self.client.receive(
                    b"Response: Success\r\nActionID: tx-1\r\nMessage: late\r\n\r\n"
                    b"Response: Success\r\nActionID: tx-2\r\nMessage: next\r\n\r\n"
                )
            ),
            [("Next", "next", [])],
        )

    def test_others_keep_their_items(self) -> None:
        """To forget a question takes nothing from another's list."""
        ask(self.client, "Others")
        others = EventListTests.START.replace(b"tx-1", b"tx-2")
        one, done = (
            part.replace(b"tx-1", b"tx-2") for part in (EventListTests.ONE, EventListTests.DONE)
        )
        list(self.client.receive(others + one + b"\r\n\r\n"))
        self.client.forget(self.question)
        self.client.forget(ask(self.client, "Third"))
        self.assertEqual(
            told(self.client.receive(done + b"\r\n\r\n")), [("Others", "Follows", [one, done])]
        )

    def test_nothing_is_kept(self) -> None:
        """The items of a forgotten list are not kept, neither those before nor those after."""
        list(self.client.receive(EventListTests.START + EventListTests.ONE + b"\r\n\r\n"))
        self.client.forget(self.question)
        list(self.client.receive(EventListTests.TWO + b"\r\n\r\n"))
        self.assertEqual(self.question._items, [])

    def test_bounded(self) -> None:
        """Of questions that are never answered only so many are remembered."""
        for _ in range(3 * MAX_FORGOTTEN):
            self.client.forget(ask(self.client, "IAXnetstats"))
        self.assertLessEqual(len(self.client._unanswered), MAX_FORGOTTEN + 1)

    def test_bounded_lists(self) -> None:
        """Of lists that are never completed only so many are remembered."""
        for number in range(2, MAX_FORGOTTEN + 10):
            question = ask(self.client, "CoreShowChannelMap")
            start = EventListTests.START.replace(b"tx-1", b"tx-%d" % number)
            list(self.client.receive(start))
            self.client.forget(question)
        self.assertLessEqual(len(self.client._listing), MAX_FORGOTTEN)


class EventTests(SynchronousTestCase):
    """Events, and what else arrives."""

    def test_name(self) -> None:
        """An event is told with its name as it stands on the wire."""
        raw = b"Event: Newchannel\r\nChannel: a"
        self.assertEqual(
            told(greeted().receive(raw + b"\r\n\r\n")), [Happened(b"Newchannel", Event(raw))]
        )

    def test_name_alone(self) -> None:
        """An event may be just its name."""
        self.assertEqual(
            told(greeted().receive(b"Event: A\r\n\r\n")), [Happened(b"A", Event(b"Event: A"))]
        )

    def test_name_without_blank(self) -> None:
        """The blank before the name may be missing."""
        self.assertEqual(
            told(greeted().receive(b"Event:A\r\nB: 1\r\n\r\n")),
            [Happened(b"A", Event(b"Event:A\r\nB: 1"))],
        )

    def test_unwanted(self) -> None:
        """Nothing is made of an event that nobody wants; each is looked up once."""
        wanted = Wanted(b"Noise")
        client = greeted(wanted)
        self.assertEqual(
            told(client.receive(b"Event: Noise\r\nA: 1\r\n\r\n" * 2 + b"Event: A\r\n\r\n")),
            [Happened(b"A", Event(b"Event: A"))],
        )
        self.assertEqual(wanted.asked, [b"Noise", b"Noise", b"A"])

    def test_wanted_from_the_answer_on(self) -> None:
        """Who asks for events on an answer gets those right behind it in the same segment."""
        wanted = Wanted(b"A")
        client = greeted(wanted)
        ask(client, "Login")
        happenings = []
        for happening in client.receive(
            b"Event: A\r\nB: 1\r\n\r\n"
            b"Response: Success\r\nActionID: tx-1\r\n\r\n"
            b"Event: A\r\nB: 2\r\n\r\n"
        ):
            if isinstance(happening, Answered):
                wanted.unwanted = ()
            happenings.append(happening)
        self.assertEqual(told(happenings)[1:], [Happened(b"A", Event(b"Event: A\r\nB: 2"))])

    def test_other_listeners(self) -> None:
        """Other listeners count from the next event on, also in the same segment."""
        client = greeted(Wanted())
        happenings = client.receive(b"Event: A\r\n\r\nEvent: B\r\n\r\nEvent: C\r\n\r\n")
        self.assertEqual(next(happenings), Happened(b"A", Event(b"Event: A")))
        client.wanted = Wanted(b"B")
        self.assertEqual(list(happenings), [Happened(b"C", Event(b"Event: C"))])

    def test_names_of_any_length(self) -> None:
        """A name may be of any length, and whatever it is behind it."""
        for length in range(80):
            for rest in b"", b"\r\nA: 1", b"\n\r\nA: 1", b"\r\r\nA: 1", b" \r\nEvent: B":
                raw = b"Event: " + b"N" * length + rest
                name = raw[7:].partition(b"\r\n")[0]
                with self.subTest(raw=raw):
                    wanted = Wanted()
                    client = greeted(wanted)
                    for _ in range(2):
                        self.assertEqual(
                            told(client.receive(raw + b"\r\n\r\n")), [Happened(name, Event(raw))]
                        )
                    self.assertEqual(wanted.asked, [name, name])

    def test_what_only_begins_like_an_event(self) -> None:
        """What begins nearly like an event is none."""
        for raw in b"event: A", b"EVENT: A", b"Events: A", b"Event : A", b" Event: A", b"XEvent: A":
            with self.subTest(raw=raw):
                self.assertEqual(told(greeted().receive(raw + b"\r\nB: 1\r\n\r\n")), [])

    def test_endless_names(self) -> None:
        """A server that makes up names does not fill the memory, and they are all told."""
        client = greeted()
        for number in range(MAX_KNOWN_HEADS * 2 + 1):
            raw = b"Event: E%d\r\nB: 1" % number
            self.assertEqual(
                list(client.receive(raw + b"\r\n\r\n")), [Happened(b"E%d" % number, Event(raw))]
            )
            self.assertLessEqual(len(client._event_names), MAX_KNOWN_HEADS)

    def test_what_is_told_is_small(self) -> None:
        """An event is bytes of its own, and no view of the segment that it came in."""
        stream = b"Event: A\r\nB: 1\r\n\r\n" * 3
        for happening in greeted().receive(stream):
            assert isinstance(happening, Happened)
            self.assertIs(type(happening.event.raw), bytes)
            self.assertEqual(happening.event.raw, b"Event: A\r\nB: 1")

    def test_excess_blank_lines(self) -> None:
        """Blank lines in excess, as after QueueRule, are no messages."""
        client = greeted()
        ask(client, "QueueRule")
        ask(client, "Ping")
        stream = (
            b"\r\n"
            b"Response: Success\r\nActionID: tx-1\r\nMessage: a\r\n\r\n\r\n"
            b"Response: Success\r\nActionID: tx-2\r\nMessage: b\r\n\r\n"
            b"\r\n\r\n\r\n"
            b"Event: A\r\n\r\n"
        )
        self.assertEqual(
            told(client.receive(stream)),
            [("QueueRule", "a", []), ("Ping", "b", []), Happened(b"A", Event(b"Event: A"))],
        )

    def test_rows_without_a_blank_line(self) -> None:
        """Rows that end in LF CR LF do not hide what comes behind them."""
        rows = b"IAX2/trunk-632 1000 -1 Rx:ACK    \nIAX2/trunk-139 1000 -1 Tx:ACK    \n\r\n"
        client = greeted()
        ask(client, "Ping")
        pong = b"Response: Success\r\nActionID: tx-1\r\nMessage: b\r\n\r\n"
        self.assertEqual(
            told(client.receive(rows + pong + rows + b"Event: A\r\n\r\n")),
            [("Ping", "b", []), Happened(b"A", Event(b"Event: A"))],
        )

    def test_no_header(self) -> None:
        """What is neither a response nor an event, as of IAXnetstats, is dropped."""
        self.assertEqual(
            told(
                greeted().receive(
                    b"IAX2/a-1  12 ms\r\n\r\nAction: Ping\r\n\r\nresponse: Success\r\n\r\n"
                )
            ),
            [],
        )

    def test_over_the_limit(self) -> None:
        """A message over the limit is refused, after all before it has been told."""
        client = greeted()
        happenings = []
        with self.assertRaises(RemoteProtocolError):
            for happening in client.receive(
                b"Event: A\r\n\r\nEvent: B\r\nC: " + b"x" * (MAX_MESSAGE + 1)
            ):
                happenings.append(happening)
        self.assertEqual(told(happenings), [Happened(b"A", Event(b"Event: A"))])

    def test_over_the_limit_in_pieces(self) -> None:
        """A message over the limit is refused as soon as it is."""
        client = greeted()
        piece = b"x" * (MAX_MESSAGE // 8)
        list(client.receive(b"Event: A\r\nB: "))
        for _ in range(7):
            list(client.receive(piece))
        with self.assertRaises(RemoteProtocolError):
            list(client.receive(piece))

    def test_long_message(self) -> None:
        """A line of any length within the limit is taken, as of GetConfigJSON."""
        client = greeted()
        ask(client, "GetConfigJSON")
        answer = b"Response: Success\r\nActionID: tx-1\r\nJSON: " + b"x" * 1_000_000 + b"\r\n\r\n"
        [answered] = [
            h for i in range(0, len(answer), 4096) for h in client.receive(answer[i:][:4096])
        ]
        assert isinstance(answered, Answered)
        self.assertEqual(len(answered.response["JSON"]), 1_000_000)


#: What is asked as tx-1 to tx-3: one that is answered, one that is silent, one that is closed late.
ASKED = ("Status", "IAXnetstats", "FAXStats")

#: Everything that matters to a conversation in which these were asked.
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"Event: A\r\nB: 1",
    b"Event: Noise\r\n",
    b"Event:",
    b"Response: Success\r\n",
    b"Response: Error\r\nActionID: tx-1",
    b"ActionID: tx-1\r\n",
    b"\r\nActionID: tx-2\r\n",
    b"Response: Success\r\nActionID: tx-2-end\r\n",
    b"Response: Success\r\nActionID: tx-3\r\n",
    b"Event: FAXStats\r\nActionID: tx-3\r\n",
    b"a row\n",
    b"EventList: start\r\n",
    b"EventList: Complete\r\n",
    b"\r\n\r\n",
    b"\r\n\n",
    b"\xff\x00",
    b": ",
]

STREAMS = st.builds(
    bytes.__add__,
    st.sampled_from([GREETING, b"", GREETING[:12], b"Asterisk Call Manager/1\n"]),
    st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.binary()),
)


class AnyBytesTests(SynchronousTestCase):
    """Whatever a server sends means something or is refused."""

    def hear(self, segments: Iterable[bytes]) -> list[object]:
        """Return what the segments mean, up to a refusal."""
        client = conversation(Wanted(b"Noise"))
        for name in ASKED:
            ask(client, name)
        happenings: list[object] = []
        try:
            for segment in segments:
                for happening in client.receive(segment):
                    happenings.append(put(happening))
        except RemoteProtocolError:
            happenings.append("refused")
        return happenings

    @settings(deadline=None)
    @given(STREAMS, st.lists(st.integers(0, 400)))
    @example(GREETING + b"Event: A\r\n\r\nEvent: B\r\n\nEvent: C\r\n\r\n", [])
    def test_cuts_do_not_matter(self, stream: bytes, cuts: list[int]) -> None:
        """A stream means the same whole, byte by byte and cut anywhere."""
        ends = [0, *sorted(cuts), len(stream)]
        pieces = [stream[start:end] for start, end in pairwise(ends)]
        whole = self.hear([stream])
        self.assertEqual(self.hear(pieces), whole)
        self.assertEqual(self.hear(bytes([byte]) for byte in stream), whole)

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
    def test_every_question_has_one_end(self, stream: bytes) -> None:
        """Each question is either answered once or still open in the end."""
        client = greeted()
        questions = [ask(client, name) for name in ASKED]
        answered = [h.question for h in client.receive(stream) if isinstance(h, Answered)]
        self.assertCountEqual([*answered, *client.end()], questions)


class ServerTests(SynchronousTestCase):
    """The other end of the wire."""

    def test_greeting(self) -> None:
        """A server begins with its greeting, which a client understands."""
        server = ServerConversation("11.0.0")
        self.assertEqual(server.greeting, GREETING)
        self.assertEqual(list(conversation().receive(server.greeting)), [Greeted("11.0.0")])

    def test_what_a_client_asks(self) -> None:
        """A server reads what a client asks, in any pieces."""
        client = greeted()
        wire = b"".join(
            client.begin(name, {"A": "gr\xf6\xdfe ", "B": ["", "2"]}, "")[1]
            for name in ("Ping", "Status")
        )
        expected = [
            (
                ("Action", name),
                ("ActionID", action_id),
                ("A", "gr\xf6\xdfe "),
                ("B", ""),
                ("B", "2"),
            )
            for name, action_id in (("Ping", "tx-1"), ("Status", "tx-2"))
        ]
        for size in 1, 7, len(wire):
            server = ServerConversation("11.0.0")
            heard = [a for i in range(0, len(wire), size) for a in server.receive(wire[i:][:size])]
            self.assertEqual([action.headers for action in heard], expected)

    def test_bare_line_feeds(self) -> None:
        """Lines may end in a bare LF; a bare CR is an ordinary byte."""
        [action] = ServerConversation("1").receive(b"Action: Ping\nA: 1\r2\n\n")
        self.assertEqual(action.headers, (("Action", "Ping"), ("A", "1\r2")))

    def test_empty_action(self) -> None:
        """A stray blank line is an action without a name, as for Asterisk."""
        self.assertEqual([a.name for a in ServerConversation("1").receive(b"\r\n")], [""])

    def test_long_line(self) -> None:
        """A line over the limit is refused, whole or not."""
        for end in b"", b"\r\n\r\n":
            with self.subTest(end=end), self.assertRaises(RemoteProtocolError):
                list(ServerConversation("1").receive(b"x" * (MAX_REQUEST_LINE + 1) + end))

    def test_too_many_lines(self) -> None:
        """An action over the limit of lines is refused; one at the limit is not."""
        [action] = ServerConversation("1").receive(b"A: 1\r\n" * MAX_REQUEST_LINES + b"\r\n")
        self.assertEqual(len(action.headers), MAX_REQUEST_LINES)
        with self.assertRaises(RemoteProtocolError):
            list(ServerConversation("1").receive(b"A: 1\r\n" * (MAX_REQUEST_LINES + 1)))

    def test_answers(self) -> None:
        """A client understands what a server makes with ``of``."""
        client = greeted()
        ask(client, "Ping")
        [action] = ServerConversation("1").receive(b"Action: Ping\r\nActionID: tx-1\r\n\r\n")
        answer = Response.of(
            [("Response", "Success"), ("ActionID", action["ActionID"]), ("Message", "m")]
        )
        self.assertEqual(told(client.receive(answer.serialize())), [("Ping", "m", [])])

    @settings(deadline=None)
    @given(
        st.one_of(
            st.binary(),
            st.lists(st.sampled_from([b"\r", b"\n", b"Action: A\r\n", b":", b"x" * 600])).map(
                b"".join
            ),
        ),
        st.randoms(),
    )
    def test_any_bytes(self, stream: bytes, at_random: random.Random) -> None:
        """Whatever a client sends is actions or is refused, wherever it is cut."""
        cuts = sorted(at_random.choices(range(len(stream) + 1), k=5))
        ends = [0, *cuts, len(stream)]
        pieces = [stream[start:end] for start, end in pairwise(ends)]
        self.assertEqual(self.hear(pieces), self.hear([stream]))

    def hear(self, segments: Iterable[bytes]) -> list[object]:
        """Return the actions of the segments, up to a refusal."""
        server = ServerConversation("1")
        heard: list[object] = []
        try:
            for segment in segments:
                heard.extend(server.receive(segment))
        except RemoteProtocolError:
            heard.append("refused")
        return heard
