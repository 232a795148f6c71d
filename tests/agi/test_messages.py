"""The environment block, commands and replies, as bytes and as values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.messages import (
    LONG_LINE,
    MAX_WORDS,
    SAFE_LINE,
    Command,
    Environment,
    Reply,
    path_parts,
)
from txasterisk.errors import LocalProtocolError, RemoteProtocolError

from . import ENVIRONMENT


def environment(*changes: tuple[bytes, bytes]) -> Environment:
    """The usual environment with parts of it replaced."""
    block = ENVIRONMENT
    for old, new in changes:
        assert old in block
        block = block.replace(old, new)
    return Environment(block.split(b"\n")[:-2])


class EnvironmentTests(SynchronousTestCase):
    """What Asterisk says about the call."""

    def test_variables_have_asterisks_names(self) -> None:
        """Every variable of the block can be looked up by its own name."""
        self.assertEqual(environment()["agi_channel"], "PJSIP/alice-00000012")
        self.assertEqual(len(environment()), 22)

    def test_the_usual_variables_are_attributes(self) -> None:
        """The variables that scripts read most are attributes too."""
        call = environment()
        self.assertEqual(
            (call.channel, call.uniqueid, call.context, call.extension, call.priority),
            ("PJSIP/alice-00000012", "1795297911.242", "from-alice", "500", "3"),
        )

    def test_unknown_is_none(self) -> None:
        """Where Asterisk says ``unknown``, the attribute is None."""
        self.assertEqual(environment().callerid, "100")
        self.assertIsNone(environment().rdnis)
        self.assertEqual(environment()["agi_rdnis"], "unknown")

    def test_a_missing_variable_is_empty(self) -> None:
        """A variable that was not sent is an empty attribute, and a KeyError as a key."""
        call = Environment([b"agi_network: yes"])
        self.assertEqual((call.channel, call.callerid), ("", None))
        self.assertRaises(KeyError, lambda: call["agi_channel"])

    def test_values_may_be_empty_or_hold_colons(self) -> None:
        """Only the first colon and the one blank after it are not part of the value."""
        call = environment((b"agi_context: from-alice", b"agi_context:  a: b:c "))
        self.assertEqual((call.accountcode, call.context), ("", " a: b:c "))

    def test_bytes_that_are_not_utf_8_survive(self) -> None:
        """What is not UTF-8 comes out again as the same bytes."""
        call = environment((b"Alice", b"Zo\xeb"))
        assert call.calleridname is not None
        self.assertEqual(call.calleridname.encode("utf-8", "surrogateescape"), b"Zo\xeb")

    def test_the_block_is_kept_as_it_came(self) -> None:
        """The lines are there byte for byte."""
        self.assertEqual(b"\n".join(environment().lines) + b"\n\n", ENVIRONMENT)

    def test_arguments_are_in_order(self) -> None:
        """The arguments of the dialplan's ``AGI()`` are a tuple, empty ones included."""
        call = environment(
            (b"agi_threadid: 1\n", b"agi_threadid: 1\nagi_arg_1:  a \nagi_arg_2: \n")
        )
        self.assertEqual(call.arguments, (" a ", ""))
        self.assertEqual(call.anomalies, ())

    def test_repr_names_the_call(self) -> None:
        """The ``repr`` has the channel and the unique id."""
        self.assertEqual(
            repr(environment()), "<Environment of PJSIP/alice-00000012 (1795297911.242)>"
        )


class PathTests(SynchronousTestCase):
    """The URL of the dialplan, which Asterisk hands on undecoded."""

    def path_and_query(self, script: bytes) -> tuple[str, dict[str, list[str]]]:
        """Read both of an environment with that ``agi_network_script``."""
        call = environment((b"agi_network_script: greet", b"agi_network_script: " + script))
        return call.path, call.query

    def test_path(self) -> None:
        """A path has a slash in front, and its parts are decoded."""
        self.assertEqual(self.path_and_query(b"a/b%20c"), ("/a/b c", {}))

    def test_query(self) -> None:
        """The query's parameters are decoded, and each may come more than once."""
        self.assertEqual(
            self.path_and_query(b"a?x=1&y=%20z&x=&w#f?q=1"),
            ("/a", {"x": ["1", ""], "y": [" z"], "w": [""]}),
        )

    def test_empty_parts_do_not_count(self) -> None:
        """Slashes at the ends, or two in a row, make no difference."""
        self.assertEqual(self.path_and_query(b"/a//b/")[0], "/a/b")

    def test_an_encoded_slash_stays_in_its_part(self) -> None:
        """``%2F`` does not divide parts."""
        self.assertEqual(path_parts("/a%2Fb/c"), ("a/b", "c"))

    def test_without_a_script_the_request_is_read(self) -> None:
        """Where there is no ``agi_network_script``, the path is that of ``agi_request``."""
        call = Environment([b"agi_request: agi://[::1]:4573/a/b?x=1"])
        self.assertEqual((call.path, call.query), ("/a/b", {"x": ["1"]}))

    def test_no_path(self) -> None:
        """A URL without a path has the path ``/``."""
        self.assertEqual(Environment([b"agi_request: agi://127.0.0.1"]).path, "/")

    def test_local_script(self) -> None:
        """The path of a script that Asterisk starts itself is the script."""
        self.assertEqual(Environment([b"agi_request: greet.py"]).path, "/greet.py")


class AsyncPathTests(SynchronousTestCase):
    """Over AsyncAGI there is no URL; the first argument may stand for it."""

    def call(self, *arguments: bytes) -> Environment:
        """The block that AsyncAGI sends for these arguments."""
        given = [b"agi_arg_%d: " % number + text for number, text in enumerate(arguments, 1)]
        block = [line for line in environment().lines if not line.startswith(b"agi_network")]
        block = [line.replace(b"agi://127.0.0.1/greet", b"async") for line in block]
        return Environment([*block, *given])

    def test_path(self) -> None:
        """A first argument that begins with a slash is the path and the query."""
        call = self.call(b"/greet/b%20b?loud=1#x", b"one", b"two")
        self.assertEqual((call.path, call.query), ("/greet/b b", {"loud": ["1"]}))
        self.assertEqual(call.arguments, ("one", "two"))
        self.assertEqual((call["agi_arg_1"], call.anomalies), ("/greet/b%20b?loud=1#x", ()))

    def test_no_path(self) -> None:
        """Any other first argument is one, and the path is empty."""
        call = self.call(b"one", b"/two")
        self.assertEqual((call.path, call.query, call.arguments), ("/", {}, ("one", "/two")))
        self.assertEqual((self.call().path, self.call().arguments), ("/", ()))

    def test_over_fastagi(self) -> None:
        """Where there is a URL, an argument is an argument."""
        call = Environment([*environment().lines, b"agi_arg_1: /one"])
        self.assertEqual((call.path, call.arguments), ("/greet", ("/one",)))


class AnomalyTests(SynchronousTestCase):
    """Line ends in a value forge variables; the block shows it."""

    def test_a_genuine_block_has_none(self) -> None:
        """What Asterisk writes has no anomalies."""
        self.assertEqual(environment().anomalies, ())

    def test_a_forged_variable_before_the_genuine_one(self) -> None:
        """A caller whose name holds a variable is found out."""
        call = environment((b"Alice", b"Alice\nagi_extension: 900"))
        self.assertEqual(call.anomalies, ("agi_extension comes more than once",))

    def test_a_forged_variable_after_the_genuine_one(self) -> None:
        """The first of two values counts."""
        call = environment((b"agi_threadid: 1", b"agi_threadid: 1\nagi_channel: x"))
        self.assertEqual(call.channel, "PJSIP/alice-00000012")
        self.assertIn("agi_channel comes more than once", call.anomalies)

    def test_a_block_that_ends_early(self) -> None:
        """An empty line in a value cuts the rest off, which is then missing."""
        call = Environment(ENVIRONMENT.split(b"agi_extension")[0].split(b"\n")[:-1])
        self.assertIn("agi_extension is missing", call.anomalies)

    def test_a_line_without_a_colon(self) -> None:
        """A line that is no variable is kept, and told."""
        call = environment((b"Alice", b"Alice\nCooper"))
        self.assertEqual(call.anomalies, ("'Cooper' is unexpected",))
        self.assertIn(b"Cooper", call.lines)

    def test_order(self) -> None:
        """Variables in another order than Asterisk's are told."""
        call = environment(
            (b"agi_context", b"agi_swap"),
            (b"agi_extension", b"agi_context"),
            (b"agi_swap", b"agi_extension"),
        )
        self.assertEqual(call.anomalies, ("the order is not Asterisk's",))

    def test_a_forged_argument(self) -> None:
        """Arguments must be numbered without a gap."""
        call = environment((b"agi_threadid: 1", b"agi_threadid: 1\nagi_arg_7: x"))
        self.assertIn("'agi_arg_7' is unexpected", call.anomalies)

    @given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b""))))
    def test_any_lines_make_an_environment(self, lines: list[bytes]) -> None:
        """No line makes an environment fail, nor its path, query and arguments; none is lost."""
        call = Environment(lines)
        self.assertEqual(call.lines, tuple(lines))
        self.assertTrue(call.anomalies)
        self.assertIsNotNone((call.path, call.query, call.arguments, call.callerid, repr(call)))

    @given(st.binary())
    def test_any_target_makes_a_path(self, target: bytes) -> None:
        """No path or query fails to be decoded."""
        call = Environment([b"agi_network_script: " + target])
        self.assertIsNotNone((call.path, call.query))


def lexed(line: bytes) -> list[bytes]:
    """Take a line apart as Asterisk's ``parse_args`` does (reference/agi.md 4.2), byte by byte."""
    words: list[bytearray] = []
    quoted = escaped = False
    at_word_start = True
    for byte in (line[at : at + 1] for at in range(len(line))):
        if not escaped and byte == b'"':
            quoted = not quoted
            if quoted and at_word_start:
                words.append(bytearray())
                at_word_start = False
        elif not escaped and byte == b"\\":
            escaped = True
        elif not escaped and not quoted and byte in (b" ", b"\t"):
            at_word_start = True
        else:
            if at_word_start:
                words.append(bytearray())
                at_word_start = False
            words[-1] += byte
            escaped = False
    return [bytes(word) for word in words]


#: Text as the API takes it: with what stands for bytes that are not UTF-8.
sendable = st.binary(max_size=40).map(
    lambda raw: raw.translate(None, b"\r\n\0").decode("utf-8", "surrogateescape")
)


class CommandTests(SynchronousTestCase):
    """The line that is sent for a command."""

    def test_no_arguments(self) -> None:
        """A command without arguments is its name and a LF."""
        self.assertEqual(Command("ANSWER").serialize(), b"ANSWER\n")

    def test_arguments_are_quoted(self) -> None:
        """Every argument is quoted, also an empty one and a number."""
        self.assertEqual(
            Command("GET DATA", "vm-password", "", 4).serialize(),
            b'GET DATA "vm-password" "" "4"\n',
        )

    def test_quotes_and_backslashes(self) -> None:
        r"""``"`` and ``\`` are escaped, since both mean something to Asterisk."""
        self.assertEqual(
            Command("VERBOSE", 'say "hi" \\o/').serialize(), b'VERBOSE "say \\"hi\\" \\\\o/"\n'
        )

    def test_bytes_that_are_not_utf_8(self) -> None:
        """What an environment had of other bytes is sent as the same bytes."""
        self.assertEqual(Command("VERBOSE", "Zo\udceb").serialize(), b'VERBOSE "Zo\xeb"\n')

    @given(st.lists(sendable, max_size=5))
    def test_asterisk_reads_what_was_meant(self, arguments: list[str]) -> None:
        """Any arguments arrive in Asterisk as they are."""
        line = Command("SET VARIABLE", *arguments).serialize()
        self.assertEqual(line[-1:], b"\n")
        self.assertEqual(
            lexed(line[:-1])[2:], [text.encode("utf-8", "surrogateescape") for text in arguments]
        )

    @given(st.text(), st.text())
    def test_any_text_is_one_line_or_refused(self, name: str, argument: str) -> None:
        """A command is one line, or it is not sent."""
        try:
            line = Command(name, argument).serialize()
        except LocalProtocolError:
            return
        self.assertEqual((line.count(b"\n"), line[-1:]), (1, b"\n"))

    def assert_refused(self, command: Command, limit: int = SAFE_LINE) -> None:
        """Fail unless the command is refused."""
        self.assertRaises(LocalProtocolError, command.serialize, limit)

    def test_line_ends_and_nul_are_refused(self) -> None:
        """LF begins another command, CR becomes part of the value, NUL stalls Asterisk."""
        for byte in "\r\n\0":
            self.assert_refused(Command("VERBOSE", f"a{byte}b"))

    def test_lone_surrogates_are_refused(self) -> None:
        """Text that stands for no bytes cannot be sent."""
        self.assert_refused(Command("VERBOSE", "\ud800"))

    def test_odd_names_are_refused(self) -> None:
        """A name is words and single blanks; quotes in it would swallow arguments."""
        for name in ("", " ", "NOOP ", "NO\tOP", 'NO"OP', "NO\\OP", "NOOP\nNOOP", "A  B"):
            self.assert_refused(Command(name))

    def test_the_word_that_ends_a_session_is_refused(self) -> None:
        """A line that begins with ``failure`` would end the session without an answer."""
        self.assert_refused(Command("Failure"))
        self.assert_refused(Command("failures IN", "x"))

    def test_too_many_words_are_refused(self) -> None:
        """More than 127 words, quoted, end the whole Asterisk process."""
        at_most = Command("SET VARIABLE", *["x"] * (MAX_WORDS - 2))
        self.assertEqual(len(lexed(at_most.serialize())), 127)
        self.assert_refused(Command("SET VARIABLE", *["x"] * (MAX_WORDS - 1)))

    def test_too_long_a_line_is_refused(self) -> None:
        """More than 2046 bytes would be cut, and the rest run as a command, by Asterisk 16."""
        fits = "x" * (2046 - len('NOOP ""'))
        self.assertEqual(len(Command("NOOP", fits).serialize()), 2047)
        self.assert_refused(Command("NOOP", fits + "x"))
        self.assert_refused(Command("NOOP", fits[:-1] + "ä"))

    def test_newer_versions_take_longer_lines(self) -> None:
        """8190 bytes can be chosen for servers that are known to take them."""
        fits = "x" * (8190 - len('NOOP ""'))
        self.assertEqual(len(Command("NOOP", fits).serialize(LONG_LINE)), 8191)
        self.assert_refused(Command("NOOP", fits + "x"), LONG_LINE)

    def test_repr_keeps_secrets(self) -> None:
        """The ``repr`` has the name, not the values."""
        self.assertEqual(
            repr(Command("SET VARIABLE", "PIN", "1234")),
            "<Command 'SET VARIABLE' with 2 arguments>",
        )


class ReplyTests(SynchronousTestCase):
    """What the replies say."""

    def test_result(self) -> None:
        """A result is what follows ``result=``."""
        self.assertEqual(Reply.parse(b"200 result=1"), Reply(200, "1", ""))

    def test_empty_result(self) -> None:
        """A result may be empty, with and without something after it."""
        self.assertEqual(Reply.parse(b"200 result="), Reply(200, "", ""))
        self.assertEqual(Reply.parse(b"200 result= (timeout)"), Reply(200, "", "(timeout)"))

    def test_text(self) -> None:
        """The text is all from the first to the last parenthesis."""
        for value in (b"", b"a b", b"(a) b)", b'"Bob" <12> (x)', b"a\nb)\n(c", b"x) endpos=1"):
            reply = Reply.parse(b"200 result=1 (" + value + b")")
            self.assertEqual((reply.result, reply.text), ("1", value.decode()))

    def test_no_text(self) -> None:
        """Without parentheses there is no text."""
        for line in (b"200 result=0", b"200 result=0 endpos=5", b"200 result=0 Gosub complete"):
            self.assertIsNone(Reply.parse(line).text)

    def test_endpos(self) -> None:
        """The end position stands alone or after the text, and may be negative."""
        for line, endpos in (
            (b"200 result=0 endpos=3520", 3520),
            (b"200 result=53 (dtmf) endpos=8000", 8000),
            (b"200 result=-1 endpos=-1", -1),
            (b"200 result=-1 (writefile)", None),
            (b"200 result=1 (endpos=9)", None),
        ):
            self.assertEqual(Reply.parse(line).endpos, endpos)

    def test_digit(self) -> None:
        """A key is sent as its code."""
        self.assertEqual(
            [Reply(200, code, "").digit for code in ("53", "42", "68")], ["5", "*", "D"]
        )

    def test_no_digit(self) -> None:
        """Codes that are no key, such as those of AMI's ControlPlayback, are None."""
        for code in ("0", "1", "-1", "1000", "69", "99999999"):
            self.assertIsNone(Reply(200, code, "").digit)

    def test_no_number(self) -> None:
        """A result that ought to be a number and is none is the server's fault."""
        with self.assertRaises(RemoteProtocolError):
            _ = Reply(200, "x", "").number

    def test_refusals(self) -> None:
        """A refusal keeps Asterisk's words."""
        reply = Reply.parse(b"511 Command Not Permitted on a dead channel or intercept routine")
        self.assertEqual((reply.code, reply.result), (511, ""))
        self.assertEqual(
            str(reply), "511 Command Not Permitted on a dead channel or intercept routine"
        )

    def test_a_refusal_with_a_result(self) -> None:
        """``503`` has a result too."""
        self.assertEqual(
            Reply.parse(b"503 result=-2 Memory allocation failure"),
            Reply(503, "-2", "Memory allocation failure"),
        )

    def test_usage(self) -> None:
        """A usage text is kept whole, and shown by its first line."""
        reply = Reply.parse(b"520-Invalid command syntax.\nUsage: X\n520 End of proper usage.")
        self.assertEqual(reply.tail, "Invalid command syntax.\nUsage: X\n520 End of proper usage.")
        self.assertEqual(str(reply), "520 Invalid command syntax.")

    def test_what_is_no_reply(self) -> None:
        """Three digits and a blank or a hyphen begin a reply."""
        for line in (b"", b"HANGUP", b"200", b"2000 result=1", b"agi_arg_1: x"):
            self.assertRaises(RemoteProtocolError, Reply.parse, line)

    @given(st.binary() | st.binary().map(lambda tail: b"200 result=" + tail))
    def test_any_bytes_are_a_reply_or_refused(self, data: bytes) -> None:
        """Any bytes make a reply, or a RemoteProtocolError."""
        try:
            reply = Reply.parse(data)
            self.assertIsNotNone((reply.text, reply.endpos, str(reply)))
            self.assertIsNotNone((reply.number, reply.digit))
        except RemoteProtocolError:
            pass
