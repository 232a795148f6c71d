"""One connection from Asterisk, and the factory behind it, in memory."""

from __future__ import annotations

import socket
from contextlib import suppress as ignoring

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, gatherResults, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import (
    AGISession,
    FastAGIFactory,
    Played,
    Reply,
    Routes,
    Script,
)
from txasterisk.agi.protocol import CLOSING_TIMEOUT
from txasterisk.errors import CommandFailed, Disconnected, HungUp, LocalProtocolError

from . import ENVIRONMENT
from .fastagi import (
    BUSY,
    FAILURE,
    HANGUP,
    NOTFOUND,
    SUCCESS,
    Connection,
    FastAGITestCase,
    awaiting,
)


class SocketTransport(StringTransport):
    """Has a socket, as a transport of TCP has."""

    def __init__(self) -> None:
        super().__init__()
        self.socket = socket.socket()

    def getHandle(self) -> socket.socket:
        """Return the socket."""
        return self.socket


class CallTests(FastAGITestCase):
    """A call from its beginning to its end."""

    def test_a_call(self) -> None:
        """A script begins with the environment; when it has ended the connection is closed."""
        call = self.call()
        self.assertEqual(self.session.environment.channel, "PJSIP/alice-00000012")
        self.assertEqual(call.heard(), b"ANSWER\n")
        self.assertFalse(call.closed)
        call.say(b"200 result=0\n")
        self.assertEqual(self.told, [None])
        self.assertEqual(call.heard(), SUCCESS)
        self.assertTrue(call.closed)

    def test_in_tiny_pieces(self) -> None:
        """It makes no difference how the bytes are cut."""
        connection = Connection(self.factory)
        for byte in ENVIRONMENT + b"200 result=0\n":
            connection.say(bytes([byte]))
        self.assertEqual(connection.heard(), b"ANSWER\n" + SUCCESS)

    def test_one_command_at_a_time(self) -> None:
        """Commands wait until the one before is answered, and are sent in their order."""

        async def script(session: AGISession) -> object:
            return await gatherResults([session.noop(), session.verbose("a"), session.answer()])

        call = self.call(script)
        sent = []
        while not call.closed:
            sent.append(call.heard())
            call.say(b"200 result=1\n")
        self.assertEqual(sent, [b"NOOP\n", b'VERBOSE "a" "1"\n', b"ANSWER\n"])

    def test_what_was_not_awaited_is_done(self) -> None:
        """The connection is closed when all that the script has asked for is done."""

        async def script(session: AGISession) -> None:
            session.stream_file("beep")
            session.hangup()

        call = self.call(script)
        self.failureResultOf(self.session.noop(), Disconnected)
        call.say(b"200 result=0 endpos=1\n")
        self.assertEqual(call.heard(), b'STREAM FILE "beep" ""\nHANGUP\n')
        call.say(b"200 result=1\n")
        self.assertEqual(call.heard(), SUCCESS)
        self.assertTrue(call.closed)

    def test_what_cannot_be_sent(self) -> None:
        """What the wire cannot carry fails at once, and disturbs nothing."""
        call = self.call(lambda _: Deferred())
        self.failureResultOf(self.session.verbose("a\nb"), LocalProtocolError)
        self.assertEqual(call.heard(), b"")
        answered = self.session.answer()
        call.say(b"200 result=0\n")
        self.assertIsNone(self.successResultOf(answered))

    def test_keepalive(self) -> None:
        """TCP is asked to notice when the other machine has gone without a word."""
        connection = FastAGIFactory(clock=self.clock).buildProtocol(None)
        transport = SocketTransport()
        self.addCleanup(transport.socket.close)
        assert connection is not None
        connection.makeConnection(transport)
        self.assertEqual(transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)

    def test_after_the_end(self) -> None:
        """A session that outlives its script can do nothing."""
        call = self.call()
        call.say(b"200 result=0\n")
        self.failureResultOf(self.session.noop(), Disconnected)
        call.say(b"200 result=1\nHANGUP\n")
        call.break_off(ConnectionDone())

    def test_repr(self) -> None:
        """The ``repr`` names the call, or the peer as long as there is none."""
        self.assertEqual(
            repr(Connection(self.factory).protocol), "<FastAGIProtocol for 192.0.2.1:50000>"
        )
        self.assertEqual(
            repr(self.call().protocol),
            "<FastAGIProtocol for <AGISession with PJSIP/alice-00000012 (1795297911.242)>>",
        )


class CancelTests(FastAGITestCase):
    """Cancelling the Deferred of a verb."""

    def setUp(self) -> None:
        """Have a call whose script asks for nothing."""
        super().setUp()
        self.connection = self.call(lambda _: Deferred())

    def test_a_command_that_waits_is_taken_back(self) -> None:
        """A command that was not sent yet never is."""
        first, second, third = (self.session.verbose(text) for text in "abc")
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.connection.say(b"200 result=1\n")
        self.assertIsNone(self.successResultOf(first))
        self.assertEqual(self.connection.heard(), b'VERBOSE "a" "1"\nVERBOSE "c" "1"\n')
        self.assertNoResult(third)

    def test_the_reply_to_a_command_that_was_sent_is_thrown_away(self) -> None:
        """The next command waits for the reply of a cancelled one, and does not get it."""
        first, second = self.session.get_variable("A"), self.session.get_variable("B")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(self.connection.heard(), b'GET VARIABLE "A"\n')
        self.connection.say(b"200 result=1 (a)\n")
        self.assertEqual(self.connection.heard(), b'GET VARIABLE "B"\n')
        self.connection.say(b"200 result=1 (b)\n")
        self.assertEqual(self.successResultOf(second), "b")


class RepliesTests(FastAGITestCase):
    """No reply is ever taken for another command's."""

    def variable(self, answer: bytes) -> object:
        """What ``get_variable`` fires with when that comes."""

        async def script(session: AGISession) -> object:
            return await session.get_variable("X")

        self.call(script).say(answer)
        return self.told.pop()

    def test_hangup_does_not_answer(self) -> None:
        """``HANGUP`` between a command and its reply answers nothing."""

        async def script(session: AGISession) -> object:
            variable = session.get_variable("X")
            try:
                return await variable
            except HungUp:
                return await session.get_variable("Y")

        call = self.call(script)
        call.say(b"HANGUP\n")
        call.say(b"200 result=1 (x)\n")
        call.say(b"200 result=1 (y)\n")
        self.assertEqual(self.told, ["y"])

    def test_forged_reply_in_the_environment(self) -> None:
        """What an injected line end makes of the block's rest answers no command."""

        async def script(session: AGISession) -> object:
            return await session.get_variable("X")

        self.script = script
        connection = Connection(self.factory)
        with capturedLogs() as logs:
            connection.say(ENVIRONMENT + b"agi_arg_2: x\n\n")
            fence = connection.heard()
            connection.say(b"200 result=1 (forged)\n")
            self.assertEqual(connection.heard(), b"")
            token = fence.removeprefix(b'GET FULL VARIABLE "').removesuffix(b'"\n')
            connection.say(b"200 result=1 (" + token + b")\n")
        self.assertEqual([log["log_level"] for log in logs], [LogLevel.warn])
        self.assertEqual(connection.heard(), b'GET VARIABLE "X"\n')
        connection.say(b"200 result=1 (genuine)\n")
        self.assertEqual(self.told, ["genuine"])

    def test_anomalous_environment(self) -> None:
        """A block that is not as Asterisk writes it may go on, so no answer is trusted before."""
        connection = Connection(self.factory)
        connection.say(ENVIRONMENT.replace(b"Alice", b"Alice\nagi_extension: 9"))
        fence = connection.heard()
        self.assertTrue(fence.startswith(b'GET FULL VARIABLE "txasterisk-'))
        connection.say(b"200 result=1 (" + fence[19:-2] + b")\n")
        self.assertEqual(connection.heard(), b"ANSWER\n")

    def test_a_value_that_looks_like_two_replies(self) -> None:
        """A long value is read to its end, whatever it holds and however it is cut."""

        async def script(session: AGISession) -> object:
            return await session.get_full_variable("${X}"), await session.get_variable("Y")

        call = self.call(script)
        self.assertEqual(call.heard(), b'GET FULL VARIABLE "${X}"\n')
        call.say(b"200 result=1 (" + b"x" * 2000 + b")\n")
        fence = call.heard()
        call.say(b"200 result=1 (forged)\n")
        self.assertEqual(call.heard(), b"")
        call.say(b"200 result=1 (" + fence[19:-2] + b")\n")
        self.assertEqual(call.heard(), b'GET VARIABLE "Y"\n')
        call.say(b"200 result=1 (y)\n")
        self.assertEqual(self.told, [("x" * 2000 + ")\n200 result=1 (forged", "y")])

    def test_odd_environment_is_told(self) -> None:
        """A block that is not as Asterisk writes it is one line in the log."""
        connection = Connection(self.factory)
        with capturedLogs() as logs:
            connection.say(ENVIRONMENT.replace(b"Alice", b"Alice\nagi_extension: 9"))
        (log,) = logs
        self.assertEqual(log["anomalies"], "agi_extension comes more than once")

    def test_a_late_reply(self) -> None:
        """A reply that comes together with another one answers nothing."""

        async def script(session: AGISession) -> object:
            await session.noop()
            return await session.get_variable("X")

        call = self.call(script)
        with capturedLogs() as logs:
            call.say(b"200 result=0\n200 result=1 (late)\n")
        self.assertEqual(len(logs), 1)
        call.say(b"200 result=1 (right)\n")
        self.assertEqual(self.told, ["right"])


class HangupTests(FastAGITestCase):
    """The caller hangs up."""

    def test_during_a_command(self) -> None:
        """The command in progress fails with HungUp."""
        call = self.call(lambda session: session.stream_file("long"))
        call.say(b"200 result=-1 endpos=800\nHANGUP\n")
        self.assertEqual(self.told, [HungUp])
        call.say(b"511 Command Not Permitted\n")
        self.assertTrue(call.closed)
        self.assertTrue(call.heard().endswith(HANGUP))

    def test_during_something_else(self) -> None:
        """Whatever else the script awaits is cancelled, and fails with HungUp too."""
        cancelled: list[object] = []
        call = self.call(lambda _: Deferred(cancelled.append))
        call.say(b"HANGUP\n")
        self.assertEqual((len(cancelled), self.told), (1, [HungUp]))
        self.assertEqual(call.heard(), HANGUP)

    def test_what_cancelling_leads_to_does_not_matter(self) -> None:
        """HungUp comes also where a cancelled Deferred fires, or fails in another way."""
        fires: Deferred[object] = Deferred(lambda cancelled: cancelled.callback("value"))
        fails: Deferred[object] = Deferred(lambda cancelled: cancelled.errback(ValueError()))
        for waiting in (fires, fails):
            self.script = awaiting(waiting)
            self.call().say(b"HANGUP\n")
            self.assertEqual(self.told.pop(), HungUp)

    def test_clean_up(self) -> None:
        """Once told, the script is left alone with its clean-up."""

        async def script(session: AGISession) -> object:
            try:
                await session.wait_for_digit(60)
            except HungUp:
                await session.set_variable("LEFT", "yes")
            finally:
                await session.verbose("bye")
            return "clean"

        call = self.call(script)
        call.say(b"200 result=-1\n")
        call.say(b"HANGUP\nHANGUP\n")
        call.say(b"511 Command Not Permitted\n")
        call.say(b"200 result=1\n")
        call.say(b"HANGUP\n")
        call.say(b"200 result=1\n")
        self.assertEqual(self.told, ["clean"])
        self.assertEqual(
            call.heard(),
            b'WAIT FOR DIGIT "60000"\nCHANNEL STATUS\nSET VARIABLE "LEFT" "yes"\n'
            b'VERBOSE "bye" "1"\n' + SUCCESS,
        )

    def test_a_script_that_waits_for_it(self) -> None:
        """A script that waits for the very hangup is not told once more."""

        async def script(session: AGISession) -> object:
            await session.when_hung_up()
            return await session.get_variable("X")

        call = self.call(script)
        call.say(b"HANGUP\n")
        call.say(b"200 result=1 (x)\n")
        self.assertEqual(self.told, ["x"])

    def test_told_by_a_command_first(self) -> None:
        """A script that a command has told of the hangup is not told again by the notice."""

        async def script(session: AGISession) -> object:
            try:
                await session.answer()
            except HungUp:
                pass
            return await session.get_variable("X")

        call = self.call(script)
        call.say(b"511 Command Not Permitted\n")
        call.say(b"HANGUP\n")
        call.say(b"200 result=1 (x)\n")
        self.assertEqual(self.told, ["x"])

    def test_a_call_that_begins_dead(self) -> None:
        """A hangup before the script has begun is known to it."""
        self.script = lambda session: session.answer()
        connection = Connection(self.factory)
        connection.say(ENVIRONMENT + b"HANGUP\n")
        self.assertEqual(self.told, [HungUp])
        self.assertEqual(connection.heard(), HANGUP)

    def test_a_command_after_it(self) -> None:
        """A script that waits for nothing learns of the hangup at its next command."""

        async def script(session: AGISession) -> None:
            session.notice_hangup()
            await session.answer()

        self.call(script)
        self.assertEqual(self.told, [HungUp])


class LossTests(FastAGITestCase):
    """The connection breaks."""

    def test_everything_pending_fails(self) -> None:
        """Commands sent or waiting, and whoever waits for a hangup, fail at once."""
        call = self.call(lambda _: Deferred())
        pending = [self.session.noop(), self.session.noop(), self.session.when_hung_up()]
        call.break_off(ConnectionLost())
        for waiting in pending:
            error = self.failureResultOf(waiting, Disconnected).value
            self.assertIsInstance(error.reason, ConnectionLost)
        self.assertEqual(self.told, [Disconnected])

    def test_cancelled_commands_stay_cancelled(self) -> None:
        """A command that was cancelled is not failed a second time."""
        call = self.call(lambda _: Deferred())
        commands = [self.session.noop(), self.session.noop()]
        for command in commands:
            command.cancel()
        call.break_off(ConnectionLost())
        for command in commands:
            self.failureResultOf(command, CancelledError)

    def test_no_traceback(self) -> None:
        """A script that ends by it is no error."""
        with capturedLogs() as logs:
            self.call().break_off(ConnectionLost())
        self.assertEqual((self.told, logs), ([Disconnected], []))

    def test_clean_up(self) -> None:
        """Clean-up that needs Asterisk fails at once, and what does not need it goes on."""
        later: Deferred[None] = Deferred()

        async def script(session: AGISession) -> object:
            try:
                await session.answer()
            except Disconnected:
                self.failureResultOf(session.noop(), Disconnected)
                await later
            return "clean"

        self.call(script).break_off(ConnectionLost())
        later.callback(None)
        self.assertEqual(self.told, ["clean"])


class ScriptTests(FastAGITestCase):
    """How scripts end."""

    def assert_failed(self, call: Connection, error: type[BaseException]) -> None:
        """Fail unless the error was logged once, with the call's names, and the dialplan told."""
        self.assertEqual(len(self.flushLoggedErrors(error)), 1)
        self.assertEqual(call.heard(), FAILURE)
        self.assertTrue(call.closed)

    def test_an_error(self) -> None:
        """An error is logged with the call's channel and unique id; the dialplan is told."""

        async def script(session: AGISession) -> None:
            raise ValueError("boom")

        with capturedLogs() as logs:
            call = self.call(script)
        self.assertEqual([str(log["log_failure"].value) for log in logs], ["boom"])
        self.assertIn("PJSIP/alice-00000012 (1795297911.242)", repr(logs[0]["session"]))
        self.assert_failed(call, ValueError)

    def test_a_failed_command(self) -> None:
        """A failure that the script does not expect is an error too."""
        call = self.call(lambda session: session.command("X"))
        call.heard()
        call.say(b"510 Invalid or unknown command\n")
        self.assert_failed(call, CommandFailed)

    def test_another_links_loss(self) -> None:
        """A Disconnected of some other connection is an error like any other."""

        async def script(session: AGISession) -> None:
            raise Disconnected("AMI is away")

        self.assert_failed(self.call(script), Disconnected)

    def test_no_coroutine(self) -> None:
        """A script may return any awaitable; returning something else is its error."""
        call = self.call(lambda session: session.noop())
        call.say(b"200 result=0\n")
        self.assertEqual(call.heard(), b"NOOP\n" + SUCCESS)
        self.assert_failed(self.call(lambda _: None), TypeError)  # type: ignore[arg-type, return-value]

    def test_a_script_that_gives_up(self) -> None:
        """HungUp from a script is no error."""

        async def script(session: AGISession) -> None:
            raise HungUp("enough")

        self.assertEqual(self.call(script).heard(), HANGUP)


class RoutingTests(SynchronousTestCase):
    """Which script answers."""

    def setUp(self) -> None:
        """Have a list of what answered."""
        self.ran: list[str] = []

    def named(self, name: str) -> Script:
        """Return a script that notes its name."""

        async def script(session: AGISession) -> None:
            self.ran.append(name)

        return script

    def ask(self, factory: FastAGIFactory, path: bytes) -> Connection:
        """Call that path."""
        connection = Connection(factory)
        connection.say(
            ENVIRONMENT.replace(b"agi_network_script: greet", b"agi_network_script: " + path)
        )
        return connection

    def test_by_path(self) -> None:
        """The path chooses the script; the query does not matter."""
        factory = FastAGIFactory({"/a": self.named("a")}, clock=Clock())
        factory.route("/b/c%20d/", self.named("b"))
        for path in (b"a", b"/a/?x=1", b"b/c%20d"):
            self.ask(factory, path)
        self.assertEqual(self.ran, ["a", "a", "b"])

    def test_default(self) -> None:
        """The default answers what no other route does."""
        factory = FastAGIFactory(default=self.named("default"), clock=Clock())
        self.ask(factory, b"whatever")
        self.assertEqual(self.ran, ["default"])

    def test_one_call_too_many(self) -> None:
        """A route with a limit tells the dialplan of the one call too many, and the log."""
        factory = FastAGIFactory(clock=Clock())
        factory.route("/{name}", lambda _: Deferred(), limit=1)
        self.assertEqual(self.ask(factory, b"greet").heard(), b"")
        with capturedLogs() as logs:
            connection = self.ask(factory, b"greet")
        self.assertEqual([log["log_level"] for log in logs], [LogLevel.warn])
        self.assertEqual(connection.heard(), BUSY)
        self.assertTrue(connection.closed)

    def test_shared_routes(self) -> None:
        """Routes may be handed in, to be shared with other listeners."""
        routes = Routes()
        factory = FastAGIFactory(routes, clock=Clock())
        routes.add("/greet", lambda _: succeed(None))
        self.assertEqual(self.ask(factory, b"greet").heard(), SUCCESS)

    def test_no_script(self) -> None:
        """Without a script the dialplan is told, the log has one line, and that is all."""
        with capturedLogs() as logs:
            connection = self.ask(FastAGIFactory(clock=Clock()), b"nosuch")
        self.assertEqual(
            [(log["log_level"], log["path"]) for log in logs], [(LogLevel.warn, "/nosuch")]
        )
        self.assertEqual(connection.heard(), NOTFOUND)
        self.assertTrue(connection.closed)

    def test_line_limit(self) -> None:
        """Longer commands can be allowed for newer servers."""
        factory = FastAGIFactory(default=self.named("x"), clock=Clock(), line_limit=8190)
        connection = Connection(factory)
        sent: list[Deferred[Reply]] = []

        async def script(session: AGISession) -> None:
            sent.append(session.command("NOOP", "x" * 5000))

        factory.route("/", script)
        connection.say(
            ENVIRONMENT.replace(b"agi_network_script: greet\n", b"").replace(b"/greet", b"/")
        )
        self.assertEqual(len(connection.heard()), len('NOOP ""\n') + 5000)


class DrainTests(FastAGITestCase):
    """Stopping without a caller cut off in mid-sentence."""

    def test_idle(self) -> None:
        """A factory is idle when no connection is open."""
        self.successResultOf(self.factory.when_idle())
        call = self.call()
        idle = self.factory.when_idle()
        self.assertNoResult(idle)
        call.break_off(ConnectionDone())
        self.successResultOf(idle)

    def test_calls_may_end(self) -> None:
        """Calls that end in time are not disturbed."""
        call = self.call()
        drained = self.factory.drain(5)
        call.say(b"200 result=0\n")
        self.assertEqual((self.told, call.heard()), ([None], b"ANSWER\n" + SUCCESS))
        self.assertNoResult(drained)
        call.break_off(ConnectionDone())
        self.assertIsNone(self.successResultOf(drained))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_new_calls(self) -> None:
        """New connections are turned away, until the factory listens again."""
        self.successResultOf(self.factory.drain(5))
        address = IPv4Address("TCP", "192.0.2.1", 50000)
        self.assertIsNone(self.factory.buildProtocol(address))
        self.factory.doStart()
        self.assertIsNotNone(self.factory.buildProtocol(address))

    def test_a_call_that_is_late(self) -> None:
        """A call that is described only now finds no script, and the dialplan is told."""
        connection = Connection(self.factory)
        drained = self.factory.drain(5)
        connection.say(ENVIRONMENT)
        self.assertEqual((self.told, connection.heard()), ([], FAILURE))
        self.assertTrue(connection.closed)
        connection.break_off(ConnectionDone())
        self.successResultOf(drained)

    def test_scripts_are_cancelled(self) -> None:
        """Scripts that are not done in time are cancelled, and the dialplan is told."""
        call = self.call(lambda _: Deferred())
        drained = self.factory.drain(5)
        self.clock.advance(5)
        self.assertEqual((self.told, call.heard()), ([CancelledError], FAILURE))
        self.assertTrue(call.closed)
        call.break_off(ConnectionDone())
        self.successResultOf(drained)

    def test_stubborn_scripts(self) -> None:
        """A script that goes on nevertheless loses its connection two seconds later."""

        async def script(session: AGISession) -> None:
            try:
                await session.noop()
            finally:
                await Deferred()

        call = self.call(script)
        drained = self.factory.drain(5)
        self.clock.advance(5)
        self.assertFalse(call.closed)
        self.clock.advance(2)
        self.assertEqual(call.heard(), b"NOOP\n" + FAILURE)
        self.assertTrue(call.closed)
        call.break_off(ConnectionDone())
        self.assertEqual(self.told, [Disconnected])
        self.successResultOf(drained)

    def test_clean_up_without_a_connection(self) -> None:
        """A script that still cleans up after its call has gone is waited for as long, too."""
        cleaning: list[Deferred[None]] = []

        async def script(session: AGISession) -> object:
            try:
                await session.noop()
            except Disconnected:
                cleaning.append(Deferred())
                await cleaning[-1]
            return "clean"

        for _ in range(2):
            self.call(script).break_off(ConnectionLost())
        drained = self.factory.drain(5)
        cleaning[0].callback(None)
        self.assertNoResult(drained)
        self.clock.advance(5)
        self.assertEqual(self.told, ["clean", CancelledError])
        self.successResultOf(drained)

    def test_stubborn_clean_up(self) -> None:
        """One that goes on nevertheless is left alone."""

        async def script(session: AGISession) -> None:
            while True:
                with ignoring(CancelledError, Disconnected):
                    await Deferred()

        self.call(script).break_off(ConnectionLost())
        drained = self.factory.drain(5)
        self.clock.pump([5, 2])
        self.assertEqual(self.told, [])
        self.successResultOf(drained)

    def test_a_peer_that_does_not_let_go(self) -> None:
        """A connection that does not close then, either, is cut off."""
        call = self.call(lambda _: Deferred())
        drained = self.factory.drain(5)
        self.clock.pump([5, CLOSING_TIMEOUT])
        self.assertTrue(call.aborted)
        call.break_off(ConnectionDone())
        self.successResultOf(drained)

    def test_a_command_that_lasts(self) -> None:
        """What a script has left behind is waited for no longer; the dialplan is told the same."""
        left: list[Deferred[Played]] = []

        async def script(session: AGISession) -> None:
            left.append(session.stream_file("long"))

        call = self.call(script)
        drained = self.factory.drain(5)
        self.assertEqual(call.heard(), b'STREAM FILE "long" ""\n')
        self.clock.advance(5)
        self.assertEqual(call.heard(), SUCCESS)
        self.assertTrue(call.closed)
        call.break_off(ConnectionDone())
        self.failureResultOf(left[0], Disconnected)
        self.successResultOf(drained)

    def test_peers_without_a_call(self) -> None:
        """A connection that has described no call is closed."""
        connection = Connection(self.factory)
        drained = self.factory.drain(5)
        self.clock.advance(5)
        self.assertTrue(connection.aborted)
        connection.break_off(ConnectionDone())
        self.successResultOf(drained)
