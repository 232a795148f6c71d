"""What AMI says, byte for byte."""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.ami.messages import (
    MAX_ACTION_ID,
    MAX_LINE,
    MAX_LINES,
    Action,
    Event,
    Headers,
    Message,
    Response,
)
from txasterisk.errors import LocalProtocolError

NEWCHANNEL = (
    b"Event: Newchannel\r\n"
    b"Privilege: call,all\r\n"
    b"Channel: PJSIP/alice-00000001\r\n"
    b"ChannelState: 0\r\n"
    b"CallerIDName: O\\'Brien\r\n"
    b"AccountCode: \r\n"
    b"ChanVariable: A=1\r\n"
    b"ChanVariable: B=2"
)


class HeaderTests(SynchronousTestCase):
    """Reading the headers of a message."""

    def test_order_and_repeats(self) -> None:
        """The headers keep their order and their repeats."""
        self.assertEqual(
            Event(b"Event: E\r\nB: 1\r\nA: 2\r\nB: 3").headers,
            (("Event", "E"), ("B", "1"), ("A", "2"), ("B", "3")),
        )

    def test_one_blank_is_syntax(self) -> None:
        """One blank after the colon belongs to the syntax, all others to the value."""
        message = Event(b"Event: E\r\nA:none\r\nB: one\r\nC:   three \t")
        self.assertEqual([message["A"], message["B"], message["C"]], ["none", "one", "  three \t"])

    def test_empty_values(self) -> None:
        """A header may have an empty value, with the blank or without it."""
        message = Event(b"Event: E\r\nA: \r\nB:")
        self.assertEqual([message["A"], message["B"]], ["", ""])

    def test_colons_in_values(self) -> None:
        """Only the first colon of a line divides it."""
        self.assertEqual(Event(b"Event: E\r\nA: b: c:d").get("A"), "b: c:d")

    def test_line_feed_in_a_value(self) -> None:
        """A bare LF, or a bare CR, is a byte of the value."""
        message = Event(b"Event: E\r\nMessage: No Contacts found\n\r\nA: 1\r2")
        self.assertEqual([message["Message"], message["A"]], ["No Contacts found\n", "1\r2"])

    def test_bytes_that_are_no_text(self) -> None:
        """Bytes that are not UTF-8 survive as surrogate escapes."""
        message = Event(b"Event: E\r\nA: gr\xf6\xdfe\r\nB: gr\xc3\xb6\xc3\x9fe")
        self.assertEqual(message["A"].encode("utf-8", "surrogateescape"), b"gr\xf6\xdfe")
        self.assertEqual(message["B"], "gr\xf6\xdfe")

    def test_line_without_colon(self) -> None:
        """A line without a colon is a name with an empty value."""
        message = Response(b"Response: Success\r\nNo categories found")
        self.assertEqual(message.headers[1], ("No categories found", ""))
        self.assertIn("No categories found", message)

    def test_names_with_odd_characters(self) -> None:
        """Names may hold blanks, dots, parentheses and slashes."""
        message = Event(b"Event: E\r\nNamed Callgroup: 1\r\nChanVariable(PJSIP/a-1): x=y")
        self.assertEqual(message["Named Callgroup"], "1")
        self.assertEqual(message["ChanVariable(PJSIP/a-1)"], "x=y")

    def test_missing(self) -> None:
        """A header that is not there is None, the default, a KeyError, or simply not in it."""
        message = Event(NEWCHANNEL)
        self.assertIsNone(message.get("Uniqueid"))
        self.assertEqual(message.get("Uniqueid", "-"), "-")
        self.assertNotIn("Uniqueid", message)
        with self.assertRaises(KeyError):
            message["Uniqueid"]

    def test_part_of_a_name(self) -> None:
        """A name is found whole, never as the end or the beginning of another."""
        message = Event(b"Event: E\r\nDestChannel: 1\r\nChannelState: 2\r\nX: \nChannel: 3")
        self.assertNotIn("Channel", message)

    def test_every_repeat(self) -> None:
        """All values of a repeated header can be had, whatever the case of its name."""
        message = Event(b"Event: E\r\nAgain: 1\r\nagain: 2\r\nOther: 3\r\nAGAIN: ")
        self.assertEqual(message.get_all("Again"), ["1", "2", ""])
        self.assertEqual(message.get_all("nothing"), [])

    def test_equality(self) -> None:
        """Messages of one kind are equal when their bytes are."""
        self.assertEqual(Event(NEWCHANNEL), Event(NEWCHANNEL))
        self.assertEqual(hash(Event(NEWCHANNEL)), hash(Event(NEWCHANNEL)))
        self.assertNotEqual(Event(NEWCHANNEL), Event(b"Event: Hangup"))
        self.assertNotEqual(Event(NEWCHANNEL), Response(NEWCHANNEL))

    def test_serialize(self) -> None:
        """What was parsed is serialized to the same bytes."""
        self.assertEqual(Event(NEWCHANNEL).serialize(), NEWCHANNEL + b"\r\n\r\n")

    def test_of_headers(self) -> None:
        """A message can be made of names and values, in any charset that was read."""
        message = Event.of([("Event", "E"), ("A", ""), ("B", " \udce9\xe9")])
        self.assertEqual(message.serialize(), b"Event: E\r\nA: \r\nB:  \xe9\xc3\xa9\r\n\r\n")

    def test_of_refuses(self) -> None:
        """A message cannot be made of what would end its line."""
        for name, value in [("A", "b\r\nC: d"), ("A\n", ""), ("A", "\0"), ("A:", ""), ("", "x")]:
            with self.assertRaises(LocalProtocolError):
                Event.of([("Event", "E"), (name, value)])


class LookUpTests(SynchronousTestCase):
    """A look-up gives the same answer, whatever was asked before."""

    def check(self, raw: bytes, name: str, expected: str | None) -> None:
        """Ask a fresh message often, and such that were asked for other things first."""
        fresh = Event(raw)
        self.assertEqual([fresh.get(name) for _ in range(5)], [expected] * 5)
        for times in range(1, 4):
            asked = Event(raw)
            for _ in range(times):
                asked.get("no such header")
            self.assertEqual(asked.get(name), expected)

    def test_exact_spelling(self) -> None:
        """The value of a header is found by its name."""
        self.check(NEWCHANNEL, "Channel", "PJSIP/alice-00000001")

    def test_other_case(self) -> None:
        """The value of a header is found by its name in other case."""
        self.check(NEWCHANNEL, "CHANNELSTATE", "0")
        self.check(NEWCHANNEL, "chanvariable", "A=1")

    def test_exact_spelling_is_preferred(self) -> None:
        """A header spelled exactly so goes before one in other case."""
        raw = b"Event: E\r\nagain: 1\r\nAgain: 2\r\nAGAIN: 3"
        self.check(raw, "Again", "2")
        self.check(raw, "AGAIN", "3")
        self.check(raw, "aGain", "1")

    def test_first_of_repeats(self) -> None:
        """Of repeated headers the first one counts."""
        self.check(NEWCHANNEL, "ChanVariable", "A=1")

    def test_last_header(self) -> None:
        """The last header needs no line end."""
        self.check(b"Event: E\r\nA: 1\r\nB: 2", "B", "2")

    def test_first_header_repeated(self) -> None:
        """The first header counts before a repeat of it, such as in a ``UserEvent``."""
        self.check(b"Event: UserEvent\r\nEvent: Forged", "Event", "UserEvent")

    def test_line_without_colon(self) -> None:
        """A line without a colon counts only if no header has that name."""
        self.check(b"Event: E\r\nA\r\nB: 1", "A", "")
        self.check(b"Event: E\r\nA\r\nA: 1", "A", "1")

    def test_name_with_a_colon(self) -> None:
        """No header's name holds a colon."""
        self.check(b"Event: E\r\nA:B: 1", "A:B", None)

    def test_name_with_a_colon_and_a_blank(self) -> None:
        """A name that spells a header and its value is no name."""
        self.check(b"Event: E\r\nA: B: 1", "A: B", None)

    def test_value_that_looks_like_the_header(self) -> None:
        """A value is never taken for a header, whatever it holds."""
        raw = b"Event: E\r\nX: Channel: forged\nChannel: forged\rChannel: forged\r\nCHANNEL: 1"
        self.check(raw, "Channel", "1")
        self.check(raw.replace(b"\r\nCHANNEL: 1", b""), "Channel", None)

    def test_lower_case_before_any_other(self) -> None:
        """Of the spellings that were not asked for, the one in lower case counts first."""
        self.check(b"Event: E\r\nAGAIN: 1\r\nagain: 2", "Again", "2")
        self.check(b"Event: E\r\nAGAIN: 1\r\nagaIN: 2", "Again", "1")
        self.check(b"Event: E\r\nAGAIN: 1\r\nagain", "Again", "")

    def test_other_case_at_the_start_and_the_end(self) -> None:
        """The first header and the last one are found in other case too."""
        raw = b"Event: E\r\nA: 1\r\nUniqueID:  2"
        self.check(raw, "EVENT", "E")
        self.check(raw, "Uniqueid", " 2")

    def test_other_case_without_blank(self) -> None:
        """The blank behind the colon may be missing, and the value too."""
        self.check(b"Event: E\r\nUniqueID:2\r\nA: 1", "Uniqueid", "2")
        self.check(b"Event: E\r\nUniqueID:\r\nA: 1", "Uniqueid", "")

    def test_other_case_without_colon(self) -> None:
        """A line without a colon counts in other case too, at the end as well."""
        self.check(b"Event: E\r\nBARE\r\nA: 1", "Bare", "")
        self.check(b"Event: E\r\nA: 1\r\nBARE", "Bare", "")
        self.check(b"Event: E\r\nBARE\r\nBARE: 1", "Bare", "1")
        self.check(b"Event: E\r\nBARE: 1\r\nBare", "Bare", "")

    def test_only_longer_names(self) -> None:
        """Where only longer names begin like that, in whatever case, there is none."""
        self.check(b"Event: E\r\nCHANNELSTATE: 0\r\nChannelState\r\n", "Channel", None)

    def test_case_beyond_ascii(self) -> None:
        """Case is that of Unicode: a Kelvin sign is a ``k``, for names and for what is asked."""
        self.check("Event: E\r\n\u212aey: 1".encode(), "KEY", "1")
        self.check(b"Event: E\r\nKey: 1", "\u212aey", "1")
        self.check("Event: E\r\n\xc9t\xe9: 1".encode(), "\xe9T\xc9", "1")

    def test_bytes_beyond_ascii(self) -> None:
        """In a message with other bytes than ASCII each look-up gives the same as ever."""
        raw = b"Event: E\r\nCallerIDName: M\xfcller\r\nUniqueID: 1"
        self.check(raw, "CallerIDName", "M\udcfcller")
        self.check(raw, "Uniqueid", "1")
        self.check(raw, "Channel", None)

    def test_name_with_a_line_end(self) -> None:
        """No header's name holds a line end."""
        self.check(b"Event: E\r\nA: 1\r\nB: 2", "A: 1\r\nB", None)
        self.check(b"Event: E\r\nA\r\nB: 2", "A\r\nB", None)

    LINE = st.builds(
        bytes.__add__,
        st.sampled_from([b"A", b"a", b"B", b"AB", b"aB", b"Event", b"", b"\xe9", b"\n", b"\r"]),
        st.sampled_from([b": 1", b":2", b": ", b":", b"", b":  3 ", b": A: 4", b":\n5", b"\nA: 6"]),
    )

    @settings(deadline=None, max_examples=400)
    @given(
        st.lists(LINE, min_size=1, max_size=6),
        st.lists(
            st.sampled_from(
                ["A", "a", "B", "b", "AB", "ab", "eVENT", "Event", "\udce9", "X", "", "\n", "A\r"]
            )
        ),
    )
    def test_any_headers_in_any_order(self, lines: list[bytes], names: list[str]) -> None:
        """Whatever the headers are, search and index agree with reading them one by one."""
        message = Event(b"\r\n".join(lines))
        for name in names:
            self.assertEqual(message.get(name), read_one_by_one(message, name))


def read_one_by_one(message: Message, name: str) -> str | None:
    """Look a header up in the plainest way there is: lines without a colon come last."""
    lines = sorted(message.raw.split(b"\r\n"), key=lambda line: b":" not in line)
    headers = Event(b"\r\n".join(lines)).headers
    for spelling in name, name.casefold():
        for header, value in headers:
            if header == spelling:
                return value
    return next((value for header, value in headers if header.casefold() == name.casefold()), None)


class EventTests(SynchronousTestCase):
    """Events."""

    def test_name(self) -> None:
        """An event is named by its first header."""
        self.assertEqual(Event(NEWCHANNEL).name, "Newchannel")
        self.assertEqual(Event(b"Event:NoBlank").name, "NoBlank")
        self.assertEqual(Event(b"Event: A\r\nEvent: B").name, "A")

    def test_repr(self) -> None:
        """An event shows its name and the names of its headers, but no values."""
        self.assertEqual(
            repr(Event(b"Event: VarSet\r\nChannel: c\r\nValue: hush-hush")),
            "<Event VarSet: Channel, Value>",
        )


class ActionBuildTests(SynchronousTestCase):
    """Making an action of what Python has."""

    def wire(self, name: str, headers: Headers = ()) -> bytes:
        """Return the bytes of an action."""
        return Action.build(name, headers).serialize()

    def test_no_headers(self) -> None:
        """An action may be just its name."""
        self.assertEqual(self.wire("Ping"), b"Action: Ping\r\n\r\n")

    def test_mapping(self) -> None:
        """Headers are given as a mapping, and keep its order."""
        self.assertEqual(
            self.wire("Hangup", {"Channel": "SIP/x", "Cause": "16"}),
            b"Action: Hangup\r\nChannel: SIP/x\r\nCause: 16\r\n\r\n",
        )

    def test_pairs(self) -> None:
        """Headers are given as pairs too, and may repeat."""
        self.assertEqual(
            self.wire("UserEvent", iter([("A", "1"), ("B", "2"), ("A", "3")])),
            b"Action: UserEvent\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n",
        )

    def test_values(self) -> None:
        """A bool becomes true or false, and a number its digits."""
        self.assertEqual(
            self.wire("X", {"Yes": True, "No": False, "Whole": 30000, "Half": 0.5, "None": ""}),
            b"Action: X\r\nYes: true\r\nNo: false\r\nWhole: 30000\r\nHalf: 0.5\r\nNone: \r\n\r\n",
        )

    def test_none(self) -> None:
        """None leaves the header out."""
        self.assertEqual(self.wire("X", {"A": None, "B": 1}), b"Action: X\r\nB: 1\r\n\r\n")

    def test_lists(self) -> None:
        """A list, or any other iterable, repeats the header."""
        self.assertEqual(
            self.wire("X", {"A": ["1", 2, True], "B": (), "C": iter("yz")}),
            b"Action: X\r\nA: 1\r\nA: 2\r\nA: true\r\nC: y\r\nC: z\r\n\r\n",
        )

    def test_variables(self) -> None:
        """A mapping makes one line for each variable."""
        self.assertEqual(
            self.wire("Originate", {"Variable": {"A": "x y", "__B": 2, "C": True, "D": ""}}),
            b"Action: Originate\r\nVariable: A=x y\r\nVariable: __B=2\r\n"
            b"Variable: C=true\r\nVariable: D=\r\n\r\n",
        )

    def test_variables_are_protected(self) -> None:
        r"""In the value of a variable, ``,``, ``"`` and ``\`` get a backslash."""
        self.assertEqual(
            self.wire("Originate", {"Variable": {"A": 'a,b "c" \\d=e'}}),
            rb"Action: Originate" + b"\r\n" + rb"Variable: A=a\,b \"c\" \\d=e" + b"\r\n\r\n",
        )

    def test_blanks_are_kept(self) -> None:
        """Blanks of a value are the caller's, at its end too."""
        self.assertEqual(self.wire("X", {"A": " b "}), b"Action: X\r\nA:  b \r\n\r\n")

    def test_any_bytes_can_be_sent(self) -> None:
        """Surrogate escapes become the bytes that they stand for."""
        self.assertEqual(
            self.wire("X", {"A": "\udce9\xe9"}), b"Action: X\r\nA: \xe9\xc3\xa9\r\n\r\n"
        )

    def test_action_id(self) -> None:
        """On the wire the ActionID follows the name."""
        wire = Action.wire("Ping", {"A": 1}, "tx-1")
        self.assertEqual(wire, b"Action: Ping\r\nActionID: tx-1\r\nA: 1\r\n\r\n")

    def test_action_id_alone(self) -> None:
        """An action that is just its name gets an ActionID as well."""
        self.assertEqual(Action.wire("Ping", (), "1"), b"Action: Ping\r\nActionID: 1\r\n\r\n")

    def test_reading_an_action(self) -> None:
        """An action has a name, and an ActionID if one was sent."""
        action = Action(b"Action: Ping\r\nActionID: tx-1")
        self.assertEqual((action.name, action.action_id), ("Ping", "tx-1"))
        self.assertIsNone(Action.build("Ping").action_id)

    def test_iterables_that_look_empty(self) -> None:
        """Pairs are read whatever they come in, and nothing is asked of them before."""
        pairs = [("A", "1"), ("B", "2")]
        expected = b"Action: X\r\nA: 1\r\nB: 2\r\n\r\n"
        for headers in (
            pairs,
            tuple(pairs),
            iter(pairs),
            dict(pairs),
            MappingProxyType(dict(pairs)),
        ):
            with self.subTest(headers=headers):
                self.assertEqual(self.wire("X", headers), expected)
        nothing: Headers
        for nothing in ([], {}, iter(()), MappingProxyType({})):
            with self.subTest(headers=nothing):
                self.assertEqual(self.wire("X", nothing), b"Action: X\r\n\r\n")

    def test_names_seen_before(self) -> None:
        """A name is the same text each time, whatever kind of text it was at first."""

        class Name(str):
            def __str__(self) -> str:
                return "other"

            __format__ = None  # type: ignore[assignment]

        for name in Name("Seen"), "Seen", Name("Seen"):
            self.assertEqual(self.wire(name, {name: 1}), b"Action: Seen\r\nSeen: 1\r\n\r\n")

    def test_repr(self) -> None:
        """An action shows the names of its headers, because values hold secrets."""
        action = Action.build("Login", {"Username": "hush", "Secret": "hush-hush"})
        self.assertEqual(repr(action), "<Action Login: Username, Secret>")

    def test_nameless(self) -> None:
        """What was received may lack the name, but not an answer to the question."""
        self.assertEqual(Action(b"ActionID: 1\r\nA: 2").name, "")


class ActionLimitTests(SynchronousTestCase):
    """What is refused before it can reach Asterisk."""

    def refused(self, name: str, headers: Headers = ()) -> str:
        """Have it refused, without a word of the secret, and return the error's text."""
        with self.assertRaises(LocalProtocolError) as caught:
            Action.build(name, headers)
        self.assertNotIn("hush", repr(caught.exception))
        return str(caught.exception)

    def test_line_ends(self) -> None:
        """A CR, LF or NUL is refused in a value, in a name and in the action's name."""
        for end in "\r", "\n", "\0", "\r\n\r\nAction: Originate":
            with self.subTest(end=end):
                self.refused("X", {"Secret": f"hush{end}"})
                self.refused("X", {f"A{end}": "hush"})
                self.refused(f"X{end}")
                self.refused("X", {"A": ["hush", f"hush{end}"]})
                self.refused("X", {"Variable": {"A": f"hush{end}"}})
                self.refused("X", {"Variable": {f"A{end}": "hush"}})

    def test_the_header_is_named(self) -> None:
        """The error says which header it is about."""
        self.assertEqual(
            self.refused("Login", {"Secret": "hush\r\n"}),
            "the value of Secret holds a CR, LF, NUL or lone surrogate",
        )

    def test_header_names(self) -> None:
        """A name that Asterisk would not read as one is refused."""
        for name in "", " A", "\tA", "A:", ":":
            with self.subTest(name=name):
                self.refused("X", {name: "hush"})

    def test_variable_names(self) -> None:
        """A variable's name that Asterisk would read otherwise is refused."""
        for name in "", "A=B", "A,B", 'A"B', "A\\B":
            with self.subTest(name=name):
                self.refused("X", {"Variable": {name: "hush"}})

    def test_what_is_no_text(self) -> None:
        """Bytes, and whatever else is no text, are refused without being shown."""
        values: list[object] = [
            b"hush",
            bytearray(b"hush"),
            memoryview(b"hush"),
            [b"hush"],
            [["hush"]],
            [None],
            {"A": b"hush"},
            {"A": ["hush"]},
            {"A": None},
        ]
        for value in values:
            with self.subTest(value=value):
                self.refused("X", {"Secret": value})

    def test_what_no_bytes_stand_for(self) -> None:
        """Text that no bytes stand for is refused."""
        self.refused("X", {"Secret": "hush\ud800"})
        self.refused("X", {"A\ud800": "hush"})
        self.refused("X\ud800")

    def test_connection_chooses(self) -> None:
        """The ActionID and a second Action are refused, in any case."""
        for name in "ActionID", "actionid", "Action", "ACTION":
            with self.subTest(name=name):
                self.refused("X", {name: "hush"})

    def test_line_limit(self) -> None:
        """A line has at most 1022 bytes: one more, and Asterisk runs the rest as an action."""
        longest = "v" * (MAX_LINE - len("A: "))
        self.assertEqual(MAX_LINE, 1022)
        self.assertIn(longest.encode(), Action.build("X", {"A": longest}).serialize())
        self.refused("X", {"A": longest + "v"})

    def test_line_limit_is_of_bytes(self) -> None:
        """The limit counts bytes, not characters."""
        self.refused("X", {"A": "\xe9" * 510})
        Action.build("X", {"A": "\udce9" * 1019})

    def test_line_limit_of_variables(self) -> None:
        """The limit counts what protects a variable too."""
        self.refused("X", {"Variable": {"A": "," * 600}})

    def test_line_limit_of_the_name(self) -> None:
        """The limit holds for the action's own line."""
        self.refused("X" * 1015)

    def test_lines_limit(self) -> None:
        """An action has at most 128 lines, its name and its ActionID among them."""
        most = Action.wire("X", {"A": ["v"] * (MAX_LINES - 2)}, "1")
        self.assertEqual(most.count(b"\r\n"), 128 + 1)
        self.refused("X", {"A": ["hush"] * (MAX_LINES - 1)})
        with self.assertRaises(LocalProtocolError):
            Action.wire("X", {"A": ["hush"] * (MAX_LINES - 1)}, "1")

    def test_action_id_limit(self) -> None:
        """An ActionID has 1 to 67 characters, all of them printable ASCII."""
        self.assertEqual(MAX_ACTION_ID, 67)
        self.assertIn(b"ActionID: %b\r\n" % (b"i" * 67), Action.wire("Ping", (), "i" * 67))
        for action_id in "", "i" * 68, "\xe9", "1\r\nA: b", "1\n", "1\0", "\ud800":
            with self.subTest(action_id=action_id), self.assertRaises(LocalProtocolError):
                Action.wire("Ping", (), action_id)

    def test_one_long_line_among_many(self) -> None:
        """Many lines may have more bytes together than one may have alone."""
        short = {f"A{number}": "v" * 100 for number in range(20)}
        self.assertEqual(len(Action(Action.build("X", short).raw).headers), 21)
        self.assertIn("A7", self.refused("X", short | {"A7": "v" * MAX_LINE}))

    def test_refused_again(self) -> None:
        """What was refused once is refused each time."""
        for _ in range(3):
            self.refused("X\n")
            self.refused("X", {"A:": "hush"})
            self.refused("X", {"A": "hush\n"})

    @settings(deadline=None)
    @given(st.dictionaries(st.text(max_size=5), st.text(), max_size=4))
    def test_anything(self, headers: dict[str, str]) -> None:
        """Any texts are either refused, or read back as they were by a server."""
        try:
            action = Action.build("X", headers)
        except LocalProtocolError:
            return
        self.assertEqual(Action(action.raw).headers, (("Action", "X"), *headers.items()))


class ResponseTests(SynchronousTestCase):
    """Responses."""

    def test_success(self) -> None:
        """A response has a status and Asterisk's own words."""
        response = Response(b"Response: Success\r\nActionID: 1\r\nMessage: Queued")
        self.assertEqual(
            (response.status, response.failed, response.message), ("Success", False, "Queued")
        )

    def test_error(self) -> None:
        """An error is a response that failed."""
        self.assertTrue(Response(b"Response: Error\r\nMessage: No such channel").failed)

    def test_line_end_in_the_message(self) -> None:
        """The LF that some words end with is left off."""
        response = Response(b"Response: Error\r\nMessage: No Contacts found\n")
        self.assertEqual(response.message, "No Contacts found")

    def test_no_message(self) -> None:
        """A response without words has an empty message."""
        self.assertEqual(Response(b"Response: Success\r\nPing: Pong").message, "")

    def test_status_is_the_first_header(self) -> None:
        """A value that forges another ``Response:`` changes nothing."""
        response = Response(b"Response: Success\r\nVariable: A\r\nValue: x\r\nResponse: Error")
        self.assertEqual([response.status, response.status], ["Success", "Success"])
        self.assertFalse(response.failed)

    def test_no_events(self) -> None:
        """A response without a list has no events."""
        self.assertEqual(Response(b"Response: Success").events, ())

    def test_output(self) -> None:
        """Each ``Output:`` is a line that a command printed, with its blanks."""
        response = Response(
            b"Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\n"
            b"Output: [ Context ]\r\nOutput:   indented: yes\r\nOutput: \r\nOutput: end"
        )
        self.assertEqual(response.output, ["[ Context ]", "  indented: yes", "", "end"])

    def test_output_of_a_failed_command(self) -> None:
        """A command that failed has printed something too."""
        response = Response(
            b"Response: Error\r\nMessage: Command output follows\r\nOutput: No such command"
        )
        self.assertEqual(response.output, ["No such command"])

    def test_output_that_follows(self) -> None:
        """Up to Asterisk 13 the output stands bare behind the headers."""
        response = Response(
            b"Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\n"
            b"Name: with a colon\n\n  last line\n--END COMMAND--"
        )
        self.assertEqual(response.output, ["Name: with a colon", "", "  last line"])

    def test_no_output(self) -> None:
        """A response to anything else has no output."""
        self.assertEqual(Response(b"Response: Success\r\nPing: Pong").output, [])

    def test_repr(self) -> None:
        """A response shows its status, its words and how many events it lists."""
        raw = b"Response: Success\r\nMessage: Will follow\r\nSecret: hush-hush"
        self.assertEqual(repr(Response(raw)), "<Response Success: Will follow>")
        listing = Response(raw, (Event(b"Event: A"), Event(b"Event: B")))
        self.assertEqual(repr(listing), "<Response Success: Will follow, 2 events>")


class OtherActionIDTests(SynchronousTestCase):
    """Passing on what was said to somebody who knows it by another ActionID."""

    def test_answer(self) -> None:
        """Only the value of the ActionID changes, wherever it stands."""
        answer = Response(b"Response: Success\r\nActionID: tx-1\r\nMessage: Queued\n\r\nA: tx-1")
        self.assertEqual(
            answer.with_action_id("theirs").raw,
            b"Response: Success\r\nActionID: theirs\r\nMessage: Queued\n\r\nA: tx-1",
        )
        last = Event(b"Event: Status\r\nChannel: c\r\nActionID: tx-1")
        self.assertEqual(
            last.with_action_id("theirs").raw,
            b"Event: Status\r\nChannel: c\r\nActionID: theirs",
        )

    def test_list(self) -> None:
        """The items of a list change with their answer."""
        item = Event(b"Event: Status\r\nActionID: tx-1")
        end = Event(b"Event: StatusComplete\r\nActionID: tx-1\r\nEventList: Complete")
        answer = Response(b"Response: Success\r\nActionID: tx-1", (item, end))
        self.assertEqual(
            [event.raw for event in answer.with_action_id("2").events],
            [
                b"Event: Status\r\nActionID: 2",
                b"Event: StatusComplete\r\nActionID: 2\r\nEventList: Complete",
            ],
        )

    def test_none(self) -> None:
        """Somebody who gave no ActionID gets none."""
        answer = Response(b"Response: Success\r\nActionID: tx-1\r\nPing: Pong")
        self.assertEqual(answer.with_action_id(None).raw, b"Response: Success\r\nPing: Pong")

    def test_message_without_one(self) -> None:
        """What has no ActionID stays as it is, like the items of IAXpeers."""
        peer = Event(b"Event: PeerEntry\r\nChanneltype: IAX2")
        self.assertEqual(peer.with_action_id("theirs"), peer)

    def test_only_the_first(self) -> None:
        """A later ActionID is a value of whoever sent the event."""
        event = Event(b"Event: UserEvent\r\nActionID: tx-1\r\nActionID: forged")
        self.assertEqual(event.with_action_id(None).raw, b"Event: UserEvent\r\nActionID: forged")

    def test_any_bytes(self) -> None:
        """The other ActionID may hold bytes that are no UTF-8, and what looks like a pattern."""
        answer = Response(b"Response: Success\r\nActionID: tx-1")
        self.assertEqual(
            answer.with_action_id("\udcff\\1").raw, b"Response: Success\r\nActionID: \xff\\1"
        )

    def test_line_end(self) -> None:
        """An ActionID that would begin another header is refused."""
        with self.assertRaises(LocalProtocolError):
            Response(b"Response: Success\r\nActionID: tx-1").with_action_id("1\r\nEvent: X")
