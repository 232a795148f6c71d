"""The verbs for the call itself: what each sends, and what it makes of the reply."""

from __future__ import annotations

from base64 import b64encode
from functools import partial

from txasterisk.agi.commands import MAX_VALUE, PIECE
from txasterisk.agi.results import ChannelState
from txasterisk.errors import CommandFailed, HungUp, RemoteProtocolError

from .hand_answered import ALIVE, DEAD, SessionTestCase


class CallTests(SessionTestCase):
    """The call, and what is done to it."""

    def test_answer(self) -> None:
        """``answer`` fires when the call is up."""
        self.assert_verb(self.session.answer, b"ANSWER", b"200 result=0", None)

    def test_hangup(self) -> None:
        """``hangup`` ends this call, or another one."""
        self.assert_verb(self.session.hangup, b"HANGUP", b"200 result=1", None)
        self.assert_verb(
            lambda: self.session.hangup("SIP/a"), b'HANGUP "SIP/a"', b"200 result=1", None
        )

    def test_hangup_of_no_channel(self) -> None:
        """A channel that does not exist cannot be hung up."""
        self.assert_fails(self.session.hangup("SIP/a"), CommandFailed, b"200 result=-1")

    def test_channel_status(self) -> None:
        """``channel_status`` fires with a state that has a name."""
        self.assert_verb(
            self.session.channel_status, b"CHANNEL STATUS", b"200 result=6", ChannelState.UP
        )
        self.assert_verb(
            lambda: self.session.channel_status("SIP/a"),
            b'CHANNEL STATUS "SIP/a"',
            b"200 result=4",
            ChannelState.RING,
        )

    def test_channel_status_of_a_muted_channel(self) -> None:
        """That a channel is muted is not a part of its state."""
        self.assert_fires(self.session.channel_status(), ChannelState.UP, b"200 result=65542")

    def test_channel_status_of_no_channel(self) -> None:
        """A channel that does not exist has no state."""
        error = self.assert_fails(
            self.session.channel_status("SIP/a"), CommandFailed, b"200 result=-1"
        )
        self.assertEqual(str(error), "CHANNEL STATUS: no such channel")

    def test_channel_status_that_nobody_knows(self) -> None:
        """A state without a meaning is the server's fault."""
        self.assert_fails(self.session.channel_status(), RemoteProtocolError, b"200 result=77")

    def test_set_autohangup(self) -> None:
        """``set_autohangup`` takes fractions of a second, and 0 to take it back."""
        for seconds, line in (
            (2.5, b'SET AUTOHANGUP "2.500"'),
            (0, b'SET AUTOHANGUP "0.000"'),
            (0.00001, b'SET AUTOHANGUP "0.000"'),
        ):
            self.assert_verb(
                partial(self.session.set_autohangup, seconds),
                line,
                b"200 result=0",
                None,
            )

    def test_set_callerid(self) -> None:
        """``set_callerid`` names the caller, or takes the name away."""
        self.assert_verb(
            lambda: self.session.set_callerid('"Alice" <100>'),
            b'SET CALLERID "\\"Alice\\" <100>"',
            b"200 result=1",
            None,
        )
        self.assert_verb(
            lambda: self.session.set_callerid(""), b'SET CALLERID ""', b"200 result=1", None
        )

    def test_set_callerid_that_would_be_cut(self) -> None:
        """Asterisk reads 255 bytes of it, and would lose the number behind them."""
        self.assertNoResult(self.session.set_callerid("é" * 127 + "x"))
        self.carrier.sent.clear()
        self.assert_refused(self.session.set_callerid("é" * 128))

    def test_set_music(self) -> None:
        """``set_music`` begins the music and ends it."""
        self.assert_verb(
            lambda: self.session.set_music("on", "jazz"),
            b'SET MUSIC "on" "jazz"',
            b"200 result=0",
            None,
        )
        self.assert_verb(
            lambda: self.session.set_music("off"), b'SET MUSIC "off"', b"200 result=0", None
        )

    def test_noop(self) -> None:
        """``noop`` does nothing."""
        self.assert_verb(self.session.noop, b"NOOP", b"200 result=0", None)

    def test_verbose(self) -> None:
        """``verbose`` writes a line to the console."""
        self.assert_verb(
            lambda: self.session.verbose("hello", 3), b'VERBOSE "hello" "3"', b"200 result=1", None
        )

    def test_asyncagi_break(self) -> None:
        """``asyncagi_break`` lets the call go on."""
        self.assert_verb(self.session.asyncagi_break, b"ASYNCAGI BREAK", b"200 result=0", None)


class VariableTests(SessionTestCase):
    """Variables of the channel."""

    def test_get_variable(self) -> None:
        """``get_variable`` fires with the value, be it empty."""
        get = lambda: self.session.get_variable("CALLERID(num)")  # noqa: E731
        line = b'GET VARIABLE "CALLERID(num)"'
        self.assert_verb(get, line, b"200 result=1 (100)", "100")
        self.assert_verb(get, line, b"200 result=1 ()", "")

    def test_an_unset_variable(self) -> None:
        """A variable that is not set is None."""
        self.assert_verb(
            lambda: self.session.get_variable("X"), b'GET VARIABLE "X"', b"200 result=0", None
        )

    def test_values_that_look_like_replies(self) -> None:
        """A value is a value, whatever it looks like."""
        for text in ("hangup", "-1", "a) endpos=5", "((a) b)", "200 result=0"):
            reply = f"200 result=1 ({text})".encode()
            self.assert_fires(self.session.get_variable("X"), text, reply)

    def test_get_full_variable(self) -> None:
        """``get_full_variable`` has the dialplan work out an expression."""
        self.assert_verb(
            lambda: self.session.get_full_variable("${X}!", "SIP/a"),
            b'GET FULL VARIABLE "${X}!" "SIP/a"',
            b"200 result=1 (1!)",
            "1!",
        )

    def test_get_full_variable_of_no_channel(self) -> None:
        """A channel that does not exist is a failure."""
        self.assert_fails(
            self.session.get_full_variable("x", "SIP/a"), CommandFailed, b"200 result=0"
        )

    def test_set_variable(self) -> None:
        """``set_variable`` stores text or a number as it is."""
        self.assert_verb(
            lambda: self.session.set_variable("X", 7),
            b'SET VARIABLE "X" "7"',
            b"200 result=1",
            None,
        )

    def test_set_full_variable(self) -> None:
        """``set_full_variable`` has the dialplan decode a text that no command can hold."""
        outcome = self.session.set_full_variable("X", "a\nb")
        self.assert_fires(outcome, None, b"200 result=1 (x)", b"200 result=0")
        self.assertEqual(
            self.carrier.sent,
            [
                b'GET FULL VARIABLE "${BASE64_DECODE(eA==)}"\n',
                b'EXEC "Exec" "Set(X=${BASE64_DECODE(YQpi)})"\n',
            ],
        )

    def test_set_full_variable_in_pieces(self) -> None:
        """A long text is sent in pieces that fit into a command over any carrier."""
        pieces = ["a" * PIECE, "b" * PIECE, "c"]
        outcome = self.session.set_full_variable("__LONG", "".join(pieces))
        self.assert_fires(outcome, None, b"200 result=1 (x)", *[b"200 result=0"] * 3)
        first, second, third = (b64encode(piece.encode()).decode() for piece in pieces)
        self.assertEqual(
            self.carrier.sent[1:],
            [
                f'EXEC "Exec" "Set(__LONG=${{BASE64_DECODE({first})}})"\n'.encode(),
                f'EXEC "Exec" "Set(__LONG=${{LONG}}${{BASE64_DECODE({second})}})"\n'.encode(),
                f'EXEC "Exec" "Set(__LONG=${{LONG}}${{BASE64_DECODE({third})}})"\n'.encode(),
            ],
        )

    def test_set_full_variable_to_nothing(self) -> None:
        """An empty text is one, too."""
        outcome = self.session.set_full_variable("X", "")
        self.assert_fires(outcome, None, b"200 result=1 (x)", b"200 result=0")
        self.assertEqual(self.carrier.sent[-1], b'EXEC "Exec" "Set(X=)"\n')

    def test_set_full_variable_without_the_function(self) -> None:
        """An Asterisk that cannot decode says so, and the variable is left alone."""
        error = self.assert_fails(
            self.session.set_full_variable("X", "a\nb"), CommandFailed, b"200 result=1 ()"
        )
        self.assertEqual(str(error), "GET FULL VARIABLE: no function BASE64_DECODE")
        self.assertEqual(len(self.carrier.sent), 1)

    def test_set_full_variable_that_would_end_asterisk(self) -> None:
        """What no variable can hold, or overruns the stack of Asterisk, is refused."""
        self.assert_refused(
            self.session.set_full_variable("X", "x" * (MAX_VALUE + 1)),
            self.session.set_full_variable("X", "a\0b"),
            self.session.set_full_variable("X", "\ud800"),
        )


class DialplanTests(SessionTestCase):
    """Running parts of the dialplan, and where it goes on."""

    def test_exec(self) -> None:
        """``exec`` fires with the application's own number."""
        self.assert_verb(
            lambda: self.session.exec("Playback", "a,skip"),
            b'EXEC "Playback" "a,skip"',
            b"200 result=4",
            4,
        )

    def test_exec_of_no_application(self) -> None:
        """An application that does not exist is a failure."""
        error = self.assert_fails(self.session.exec("X"), CommandFailed, b"200 result=-2")
        self.assertEqual(str(error), "EXEC: no such application")

    def test_exec_that_fails(self) -> None:
        """An application that fails is one, too, if the caller is still there."""
        self.assert_fails(self.session.exec("X"), CommandFailed, b"200 result=-1", ALIVE)
        self.assert_fails(self.session.exec("X"), HungUp, b"200 result=-1", DEAD)

    def test_gosub(self) -> None:
        """``gosub`` fires when the routine has returned."""
        self.assert_verb(
            lambda: self.session.gosub("sub", "check", "start", "1,two"),
            b'GOSUB "sub" "check" "start" "1,two"',
            b"200 result=0 Gosub complete",
            True,
        )
        self.assert_verb(
            lambda: self.session.gosub("sub", "check"),
            b'GOSUB "sub" "check" "1"',
            b"200 result=0 Gosub complete",
            True,
        )

    def test_gosub_that_does_not_return(self) -> None:
        """A routine that ended otherwise did not return."""
        reply = b"200 result=0 Gosub complete (abnormal exit)"
        self.assert_fires(self.session.gosub("sub", "check"), False, reply, ALIVE)

    def test_hangup_during_gosub(self) -> None:
        """A hangup during the routine looks the same, but Asterisk knows better."""
        reply = b"200 result=0 Gosub complete (abnormal exit)"
        self.assert_fails(self.session.gosub("sub", "check"), HungUp, reply, DEAD)

    def test_gosub_to_nowhere(self) -> None:
        """A place that does not exist is a failure."""
        error = self.assert_fails(
            self.session.gosub("sub", "nosuch"),
            CommandFailed,
            b"200 result=-1 Gosub label not found",
            ALIVE,
        )
        self.assertEqual(str(error), "GOSUB: 200 result=-1 Gosub label not found")

    def test_gosub_that_fails(self) -> None:
        """So is a routine that could not be run."""
        for reply in (
            b"200 result=-3 Gosub failed",
            b"503 result=-2 Memory allocation failure",
        ):
            self.assert_fails(self.session.gosub("sub", "check"), CommandFailed, reply)

    def test_set_context(self) -> None:
        """``set_context`` says where the dialplan goes on."""
        self.assert_verb(
            lambda: self.session.set_context("menu"), b'SET CONTEXT "menu"', b"200 result=0", None
        )

    def test_set_extension(self) -> None:
        """``set_extension`` does, too."""
        self.assert_verb(
            lambda: self.session.set_extension("100"),
            b'SET EXTENSION "100"',
            b"200 result=0",
            None,
        )

    def test_names_that_would_be_cut(self) -> None:
        """Asterisk keeps 79 bytes of them, and goes on somewhere else."""
        self.assert_refused(
            self.session.set_context("x" * 80),
            self.session.set_extension("x" * 80),
        )
        self.assertNoResult(self.session.set_context("x" * 79))

    def test_set_priority(self) -> None:
        """``set_priority`` takes a number or a label."""
        cases: list[tuple[int | str, bytes]] = [
            (3, b'SET PRIORITY "3"'),
            ("start", b'SET PRIORITY "start"'),
        ]
        for priority, line in cases:
            self.assert_verb(
                partial(self.session.set_priority, priority),
                line,
                b"200 result=0",
                None,
            )

    def test_set_priority_to_no_label(self) -> None:
        """A label that does not exist is a failure."""
        self.assert_fails(
            self.session.set_priority("nosuch"),
            CommandFailed,
            b"520-Invalid command syntax.  Proper usage follows:\n520 End of proper usage.",
        )

    def test_what_is_no_priority(self) -> None:
        """Asterisk would take these for numbers, and go on somewhere else."""
        self.assert_refused(
            *(self.session.set_priority(priority) for priority in (0, -1, "", "0", "1.5", "-2")),
            self.session.gosub("sub", "check", 0),
        )


class DatabaseTests(SessionTestCase):
    """Asterisk's own database."""

    def test_database_get(self) -> None:
        """``database_get`` fires with the value, which may be empty, or None."""
        get = lambda: self.session.database_get("a", "b")  # noqa: E731
        line = b'DATABASE GET "a" "b"'
        self.assert_verb(get, line, b"200 result=1 (x y)", "x y")
        self.assert_verb(get, line, b"200 result=1 ()", "")
        self.assert_verb(get, line, b"200 result=0", None)

    def test_database_put(self) -> None:
        """``database_put`` stores a value."""
        self.assert_verb(
            lambda: self.session.database_put("a", "b", "x"),
            b'DATABASE PUT "a" "b" "x"',
            b"200 result=1",
            None,
        )

    def test_database_put_that_fails(self) -> None:
        """A value that cannot be stored, as Asterisk 16 has a limit, is a failure."""
        self.assert_fails(
            self.session.database_put("a" * 300, "b", "x"), CommandFailed, b"200 result=0"
        )

    def test_database_del(self) -> None:
        """``database_del`` deletes a key."""
        delete = lambda: self.session.database_del("a", "b")  # noqa: E731
        self.assert_verb(delete, b'DATABASE DEL "a" "b"', b"200 result=1", None)
        self.assert_fails(delete(), CommandFailed, b"200 result=0")

    def test_database_deltree(self) -> None:
        """``database_deltree`` tells whether it has deleted anything: Asterisk says 0 then."""
        delete = lambda: self.session.database_deltree("a")  # noqa: E731
        self.assert_verb(delete, b'DATABASE DELTREE "a"', b"200 result=0", True)
        self.assert_verb(delete, b'DATABASE DELTREE "a"', b"200 result=1", False)
        self.assert_verb(
            lambda: self.session.database_deltree("a", "b"),
            b'DATABASE DELTREE "a" "b"',
            b"200 result=0",
            True,
        )

    def test_database_deltree_of_everything(self) -> None:
        """An empty name, or a ``%``, would delete what others have stored."""
        self.assert_refused(
            self.session.database_deltree(""),
            self.session.database_deltree("a", ""),
            self.session.database_deltree("%"),
            self.session.database_deltree("a", "%"),
        )
