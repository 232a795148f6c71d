"""AsyncAGI over an AMI connection in memory."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress as ignoring
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.ami.pbx import PBX, Network
from txasterisk.agi import AGISession, AsyncAGI, AsyncAGIService, Reply, Script, Status, asking
from txasterisk.agi.async_channel import LINE_LIMIT, PATIENCE
from txasterisk.agi.asyncagi import SECONDS_BETWEEN_LOOKS
from txasterisk.ami import AMIService, Event
from txasterisk.ami.messages import Action
from txasterisk.ami.protocol import AMIProtocol
from txasterisk.errors import (
    ActionFailed,
    CommandFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
)

from . import ENVIRONMENT

ONE, OTHER = "1795297911.242", "1795297999.7"
ENV = ENVIRONMENT.decode().replace("agi://127.0.0.1/greet", "async")
ENV = ENV.replace("agi_network: yes\nagi_network_script: greet\n", "")
MARK = "TXASTERISK_ASYNCAGI"


def environment(*arguments: str) -> str:
    """Return an environment with these arguments."""
    given = [f"agi_arg_{number}: {text}\n" for number, text in enumerate(arguments, 1)]
    return ENV[:-1] + "".join(given) + "\n"


def encoded(text: str) -> str:
    """Encode as Asterisk does."""
    return quote(text, safe="-_.!~*'()")


class AsyncAGITestCase(SynchronousTestCase):
    """Has a connection, and what Asterisk says of a channel."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.ami = AMIProtocol(clock=self.clock)
        self.pbx = PBX(self.ami, self.clock)
        self.calls = AsyncAGI(self.ami, clock=self.clock)
        self.calls.start()
        self.marks: list[str] = []

    def hear(self) -> list[Action]:
        """Return what was asked since the last time, but for the marks, which are answered."""
        heard = []
        for action in self.pbx.hear():
            if action.name == "Setvar":
                self.marks.append(action["Value"])
                self.pbx.answer(action, ("Message", "Variable Set"))
            else:
                heard.append(action)
        return heard

    def asked(self, name: str) -> Action:
        """Return the one action that was asked."""
        [action] = self.hear()
        self.assertEqual(action.name, name)
        return action

    def commanded(self, *, uniqueid: str = ONE) -> Action:
        """Return the one command that was given, and take it."""
        action = self.asked("AGI")
        self.assertEqual(action["Channel"], uniqueid)
        self.pbx.answer(action, ("Message", "Added AGI command to queue"))
        return action

    def reply(self, action: Action, text: str, uniqueid: str = ONE) -> None:
        """Tell what came of a command."""
        self.tell(
            "AsyncAGIExec",
            ("Result", encoded(text)),
            ("CommandId", action["CommandID"]),
            uniqueid=uniqueid,
        )

    def do(self, command: str, reply: str = "200 result=0\n") -> None:
        """Be given a command and answer it."""
        action = self.commanded()
        self.assertEqual(action["Command"], command)
        self.reply(action, reply)

    def do_nothing(self) -> None:
        """Be given nothing to do."""
        self.assertEqual(self.hear(), [])

    def tell(self, name: str, *headers: tuple[str, str], uniqueid: str = ONE) -> None:
        """Tell an event of the channel."""
        channel = ("Channel", "PJSIP/alice-00000012")
        self.pbx.tell(name, channel, ("Uniqueid", uniqueid), *headers)

    def begin(self, env: str | None = None) -> None:
        """Tell that the channel is in AsyncAGI."""
        self.tell("AsyncAGIStart", ("Env", encoded(environment("/test") if env is None else env)))

    def tell_agistatus(self, status: str) -> None:
        """Tell what the dialplan was told."""
        self.tell("VarSet", ("Variable", "AGISTATUS"), ("Value", status))

    def end(self) -> None:
        """Tell that the channel is in AsyncAGI no more."""
        self.tell("AsyncAGIEnd")

    def hang_up(self) -> None:
        """Tell all that a hangup has for consequence."""
        self.end()
        self.tell_agistatus("HANGUP")
        self.say_gone()
        self.say_gone()

    def say_gone(self) -> None:
        """Be asked for the channel, and have none."""
        action = self.asked("Status")
        self.assertEqual(action["Channel"], ONE)
        self.pbx.refuse(action, "No such channel")

    def say_where(
        self, application: str, data: str = "", *, hanging_up: bool = False, uniqueid: str = ONE
    ) -> None:
        """Be asked for the channel, and tell what it does."""
        action = self.asked("Status")
        self.assertEqual(action["Channel"], uniqueid)
        variable = f"CHANNEL(checkhangup)={int(hanging_up)}"
        self.list(action, [(uniqueid, application, data, variable)])

    def list(self, action: Action, channels: list[tuple[str, str, str, str]]) -> None:
        """Answer with a list of channels."""
        action_id = ("ActionID", action["ActionID"])
        self.pbx.answer(action, ("EventList", "start"))
        for uniqueid, application, data, variable in channels:
            self.pbx.tell(
                "Status",
                ("Uniqueid", uniqueid),
                ("Application", application),
                ("Data", data),
                ("Variable", variable),
                action_id,
            )
        self.pbx.tell("StatusComplete", action_id, ("EventList", "Complete"))

    def run_script(self, script: Script, **options: Any) -> None:
        """Have a script answer the channel."""
        self.calls.route("test", script, **options)
        self.begin()

    def session(self) -> AGISession:
        """Return the session of a script that does nothing."""
        sessions: list[AGISession] = []

        async def script(session: AGISession) -> None:
            sessions.append(session)
            self.finish: Deferred[None] = Deferred()
            await self.finish

        self.run_script(script)
        return sessions[0]


class CommandTests(AsyncAGITestCase):
    """Commands and their answers."""

    def test_action(self) -> None:
        """A command goes to the unique id of the channel, marked with an id of its own."""
        self.session().command("SET VARIABLE", 'A "b"', "ö\\")
        action = self.commanded()
        self.assertEqual(
            action.raw.partition(b"Channel: ")[2].partition(b"CommandID: ")[0],
            b'1795297911.242\r\nCommand: SET VARIABLE "A \\"b\\"" "\xc3\xb6\\\\"\r\n',
        )
        self.assertEqual(self.marks, [action["CommandID"].removesuffix("-1")])

    def test_reply(self) -> None:
        """The answer comes with an event."""
        reply = self.session().command("GET VARIABLE", "A")
        action = self.commanded()
        self.assertNoResult(reply)
        self.reply(action, "200 result=1 (b)\n")
        self.assertEqual(self.successResultOf(reply), Reply(200, "1", "(b)"))

    def test_answer_before_response(self) -> None:
        """With a link of its own for events, the answer may come before the action's."""
        reply = self.session().noop()
        action = self.asked("AGI")
        self.reply(action, "200 result=0\n")
        self.successResultOf(reply)
        self.pbx.answer(action, ("Message", "Added AGI command to queue"))

    def test_one_at_a_time(self) -> None:
        """A command is not sent before the one before it has been answered."""
        session = self.session()
        replies = [session.noop(), session.answer()]
        self.do("NOOP")
        self.successResultOf(replies[0])
        self.do("ANSWER")
        self.successResultOf(replies[1])

    def test_others(self) -> None:
        """What comes of the commands of others, or of nobody's, answers nothing."""
        reply = self.session().noop()
        action = self.commanded()
        mine = action["CommandID"]
        for command_id in ("", "x", f"{mine}0", mine.removesuffix("-1"), "-"):
            self.tell("AsyncAGIExec", ("Result", "200%20result%3D7%0A"), ("CommandId", command_id))
        self.tell("AsyncAGIExec", ("Result", "200%20result%3D7%0A"))
        self.assertNoResult(reply)
        self.reply(action, "200 result=0\n")
        self.reply(action, "200 result=1\n")
        self.successResultOf(reply)

    def test_garbage(self) -> None:
        """An answer that is none fails its command, and not the next one."""
        session = self.session()
        for garbage in "", "%", "%zz", "hello%0A", "\x80", "200%20result%3D0":
            reply = session.noop()
            action = self.commanded()
            self.tell("AsyncAGIExec", ("Result", garbage), ("CommandId", action["CommandID"]))
            if not garbage.endswith("%0A"):
                # It might be the beginning of more.
                self.do("NOOP")
            self.failureResultOf(reply, RemoteProtocolError)
        reply = session.noop()
        self.tell("AsyncAGIExec", ("CommandId", self.commanded()["CommandID"]))
        self.do("NOOP")
        self.failureResultOf(reply, RemoteProtocolError)
        reply = session.noop()
        self.do("NOOP")
        self.successResultOf(reply)

    def test_long_answer(self) -> None:
        """The rest of a long answer is fetched before the next command is sent."""
        session = self.session()
        long, short = session.get_full_variable("${A}"), session.noop()
        value = "a" * 1500
        whole = f"200 result=1 ({value})\n"
        self.do('GET FULL VARIABLE "${A}"', whole[:1024])
        self.do("NOOP", whole[1024:] + "200 result=0\n")
        self.assertEqual(self.successResultOf(long), value)
        self.do("NOOP")
        self.successResultOf(short)

    def test_cut_answer(self) -> None:
        """A value that was cut is asked for again, in base64."""
        session = self.session()
        read = session.get_variable("A")
        action = self.commanded()
        cut = "200%20result%3D1%20(" + "%C3%A9" * 337
        self.tell("AsyncAGIExec", ("Result", cut), ("CommandId", action["CommandID"]))
        self.do("NOOP")
        encoded_value = b64encode("\xe9.~~".encode()).decode()
        self.do(
            'GET FULL VARIABLE "${BASE64_ENCODE(${A}.~~)}"', f"200 result=1 ({encoded_value})\n"
        )
        self.assertEqual(self.successResultOf(read), "\xe9")

    def test_too_long(self) -> None:
        """A command that AMI cannot carry fails at once, and nothing is sent."""
        session = self.session()
        room = LINE_LIMIT - len('SET VARIABLE "A" ""')
        self.failureResultOf(session.set_variable("A", "x" * (room + 1)), LocalProtocolError)
        self.do_nothing()
        session.set_variable("A", "x" * room)
        action = self.commanded()
        self.assertEqual(len(f"Command: {action['Command']}"), 1022)

    def test_cancel(self) -> None:
        """A command that is given up is not sent, or its answer is dropped."""
        session = self.session()
        sent, waiting, last = session.noop(), session.answer(), session.hangup()
        waiting.cancel()
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.failureResultOf(waiting, CancelledError)
        self.do("NOOP")
        self.do("HANGUP", "200 result=1\n")
        self.successResultOf(last)

    def test_permission_denied(self) -> None:
        """A user of AMI who may not give commands is told so."""
        session = self.session()
        reply = session.noop()
        self.pbx.refuse(self.asked("AGI"), "Permission denied")
        self.assertEqual(str(self.failureResultOf(reply, ActionFailed).value), _NOT_ALLOWED)
        with capturedLogs() as logs:
            self.finish.callback(None)
            self.pbx.refuse(self.asked("AGI"), "Permission denied")
        self.assertIn(f"not given back: {_NOT_ALLOWED}", formatEvent(logs[0]))


_NOT_ALLOWED = "AGI: Permission denied"


class EndTests(AsyncAGITestCase):
    """What a script and the dialplan are told at the end."""

    def test_success(self) -> None:
        """When the script has ended, the dialplan is told so, and goes on."""
        self.session()
        self.finish.callback(None)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"', "200 result=1\n")
        self.do("ASYNCAGI BREAK")
        self.successResultOf(self.calls.when_idle())

    def test_commands_go_before(self) -> None:
        """What the script has asked for and not awaited is done first; later it cannot ask."""
        session = self.session()
        self.addCleanup(session.noop().addErrback, lambda _: None)
        forgotten = session.hangup()
        self.finish.callback(None)
        self.failureResultOf(session.noop(), Disconnected)
        self.do("NOOP")
        self.do("HANGUP", "200 result=1\n")
        self.successResultOf(forgotten)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"', "200 result=1\n")
        self.end()
        self.successResultOf(self.calls.when_idle())

    def test_failure(self) -> None:
        """A failing command tells a failure to the dialplan; then AsyncAGI is over by itself."""
        self.session()
        self.finish.errback(ZeroDivisionError())
        self.flushLoggedErrors(ZeroDivisionError)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n")
        self.do('RECEIVE CHAR "0"', "200 result=-1 (hangup)\n")
        self.do_nothing()
        self.successResultOf(self.calls.when_idle())

    def test_failure_that_does_not_fail(self) -> None:
        """Should that command not fail, AsyncAGI is ended like after a success."""
        self.session()
        self.finish.errback(ZeroDivisionError())
        self.flushLoggedErrors(ZeroDivisionError)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n")
        self.do('RECEIVE CHAR "0"', "200 result=65\n")
        self.do("ASYNCAGI BREAK")
        self.successResultOf(self.calls.when_idle())

    def test_hangup(self) -> None:
        """The script is told of a hangup, once, whatever it awaits."""
        told: list[object] = []

        async def script(session: AGISession) -> None:
            try:
                await Deferred()
            except HungUp:
                told.append(session.hung_up)
            try:
                await session.noop()
            except HungUp:
                told.append("over")

        self.run_script(script)
        self.do_nothing()
        self.end()
        self.assertEqual(told, [])
        self.tell_agistatus("HANGUP")
        self.say_gone()
        self.say_gone()
        self.assertEqual(told, [True, "over"])
        self.successResultOf(self.calls.when_idle())

    def test_hangup_during_a_command(self) -> None:
        """All commands that have no answer fail."""
        session = self.session()
        session.when_hung_up()
        replies = [session.wait_for_digit(9), session.noop(), session.answer()]
        self.reply(self.commanded(), "200 result=-1\n")
        self.commanded()
        self.hang_up()
        for reply in replies:
            self.failureResultOf(reply, HungUp)
        self.successResultOf(session.when_hung_up())

    def test_hangup_as_wanted(self) -> None:
        """A route may have the script cancelled, or only its commands fail."""
        for on_hangup, expected in (("cancel", CancelledError), ("tell", None)):
            told: list[object] = []
            over: Deferred[None] = Deferred()

            async def script(
                session: AGISession, told: list[object] = told, over: Deferred[None] = over
            ) -> None:
                waiting = session.noop().addErrback(lambda failure: told.append(failure.type))
                try:
                    await over
                except CancelledError as error:
                    told.append(type(error))
                await waiting

            self.run_script(script, on_hangup=on_hangup)
            self.commanded()
            self.hang_up()
            if expected is None:
                over.callback(None)
            self.assertEqual(set(told), {expected, HungUp} - {None})
            self.successResultOf(self.calls.when_idle())

    def test_link_that_does_not_tell_of_variables(self) -> None:
        """Where nothing tells what has ended AsyncAGI, a channel that is gone has hung up."""
        hung_up = self.session().when_hung_up()
        self.end()
        self.say_gone()
        self.clock.advance(PATIENCE)
        self.say_gone()
        self.successResultOf(hung_up)

    def test_missing_sound(self) -> None:
        """A command that fails and ends AsyncAGI says so, also when the channel is gone by then."""
        session = self.session()
        hung_up, played = session.when_hung_up(), session.stream_file("nosuch")
        self.reply(self.commanded(), "200 result=-1 endpos=0\n")
        self.commanded()
        self.end()
        self.tell_agistatus("FAILURE")
        self.say_gone()
        self.assertEqual(self.failureResultOf(played, CommandFailed).value.command, "STREAM FILE")
        self.failureResultOf(hung_up, Disconnected)
        self.failureResultOf(session.noop(), Disconnected)

    def test_broken_off(self) -> None:
        """Somebody else has ended AsyncAGI, and the dialplan as well, when we ask."""
        hung_up = self.session().when_hung_up()
        self.end()
        self.tell_agistatus("SUCCESS")
        self.say_where("", hanging_up=True)
        self.failureResultOf(hung_up, Disconnected)

    def test_redirected(self) -> None:
        """The channel is elsewhere, and alive."""
        session = self.session()
        hung_up = session.when_hung_up()
        self.end()
        self.say_where("Answer")
        self.failureResultOf(hung_up, Disconnected)
        self.assertFalse(session.hung_up)

    def test_redirected_a_moment_ago(self) -> None:
        """What looks like a hangup for a moment is none."""
        hung_up = self.session().when_hung_up()
        self.end()
        self.tell_agistatus("HANGUP")
        self.say_where("AGI", "agi:async,/test", hanging_up=True)
        self.say_where("Answer")
        self.failureResultOf(hung_up, Disconnected)

    def test_hanging_up(self) -> None:
        """A channel that is on its way out may still be there."""
        hung_up = self.session().when_hung_up()
        self.end()
        self.tell_agistatus("HANGUP")
        self.say_where("ExecIf", hanging_up=True)
        self.say_where("ExecIf", hanging_up=True)
        self.successResultOf(hung_up)

    def test_user_who_may_not_ask(self) -> None:
        """Without the right to ask, only what the dialplan is told can tell."""
        for agistatus, error in ("HANGUP", None), ("FAILURE", "in the dialplan"), ("", "may not"):
            hung_up = self.session().when_hung_up()
            self.end()
            self.pbx.refuse(self.asked("Status"), "Permission denied")
            if agistatus:
                self.tell_agistatus(agistatus)
            self.clock.advance(PATIENCE)
            if error is None:
                self.successResultOf(hung_up)
            else:
                self.assertIn(error, str(self.failureResultOf(hung_up, Disconnected).value))
            self.finish.callback(None)

    def test_other_channels(self) -> None:
        """The end of another channel is no end."""
        hung_up = self.session().when_hung_up()
        self.tell("AsyncAGIEnd", uniqueid=OTHER)
        self.tell("Hangup", uniqueid=OTHER)
        self.do_nothing()
        self.assertNoResult(hung_up)

    def test_again(self) -> None:
        """A channel that is in AsyncAGI anew has a new session, though no end was told."""
        first = self.session()
        over = first.when_hung_up()
        second = self.session()
        self.say_where("AGI", "agi:async,/test")
        self.failureResultOf(over, Disconnected)
        reply = second.noop()
        self.do("NOOP")
        self.successResultOf(reply)

    def test_link_lost(self) -> None:
        """When the link is lost all that waits fails, and the script is told, once."""
        told: list[object] = []

        async def script(session: AGISession) -> None:
            for command in (session.noop(), session.answer()):
                command.addErrback(lambda failure: told.append(failure.type))
            try:
                await Deferred()
            except Disconnected as error:
                told.append(str(error))
                told.append(type(error.reason))
            try:
                await session.noop()
            except Disconnected:
                told.append("over")

        self.run_script(script)
        self.commanded()
        self.pbx.close()
        expected = [Disconnected, Disconnected, "the AMI link is gone", Disconnected, "over"]
        self.assertEqual(sorted(map(str, told)), sorted(map(str, expected)))
        self.successResultOf(self.calls.when_idle())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FollowingTests(AsyncAGITestCase):
    """Channels that leave AsyncAGI, or get another id there, without a word."""

    def look(self) -> None:
        """Let the time pass until the calls are looked at."""
        self.clock.advance(SECONDS_BETWEEN_LOOKS)

    def find(self, *channels: tuple[str, str]) -> None:
        """Be asked for all channels and their marks, and tell."""
        action = self.asked("Status")
        self.assertEqual((action.get("Channel"), action["Variables"]), (None, MARK))
        self.list(action, [(uid, "AGI", "agi:async", f"{MARK}={mark}") for uid, mark in channels])

    def test_looks(self) -> None:
        """Calls are looked at now and then, and not any more when there is none."""
        hung_up = self.session().when_hung_up()
        for _ in range(2):
            self.do_nothing()
            self.look()
            self.say_where("AGI", "agi:async,/test")
        self.assertNoResult(hung_up)
        self.hang_up()
        self.finish.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_taken_away(self) -> None:
        """A channel that does something else is not in AsyncAGI any more."""
        reply = self.session().wait_for_digit(20)
        self.commanded()
        self.look()
        self.say_where("Echo")
        self.say_where("Echo")
        self.failureResultOf(reply, Disconnected)

    def test_application(self) -> None:
        """A channel that runs an application for AGI is in AsyncAGI."""
        session = self.session()
        for name in "EXEC", "gosub":
            reply = session.command(name, "Echo")
            action = self.commanded()
            self.look()
            self.say_where("Echo")
            self.reply(action, "200 result=0\n")
            self.successResultOf(reply)

    def test_application_that_ends_meanwhile(self) -> None:
        """What was told of the channel while an application ran does not count after that."""
        session = self.session()
        session.exec("Echo")
        action = self.commanded()
        self.look()
        asked = self.asked("Status")
        self.reply(action, "200 result=0\n")
        self.list(asked, [(ONE, "Echo", "", "CHANNEL(checkhangup)=0")])
        reply = session.noop()
        self.do("NOOP")
        self.successResultOf(reply)

    def test_another_id_while_idle(self) -> None:
        """When the channel of the id is gone, the one with our mark goes on in AsyncAGI."""
        session = self.session()
        self.do_nothing()
        self.look()
        self.say_gone()
        self.find(("1.1", "somebody else's"), (OTHER, self.marks[0]), ("1.2", ""))
        reply = session.noop()
        action = self.commanded(uniqueid=OTHER)
        self.reply(action, "200 result=0\n", uniqueid=OTHER)
        self.successResultOf(reply)

    def test_hangup_of_the_id(self) -> None:
        """A channel that hangs up without an end of AsyncAGI has been replaced there."""
        session = self.session()
        self.do_nothing()
        self.tell("Hangup")
        self.say_gone()
        self.find((OTHER, self.marks[0]))
        session.noop()
        self.commanded(uniqueid=OTHER)

    def test_another_id_during_a_command(self) -> None:
        """The answer tells the new id."""
        session = self.session()
        replies = session.wait_for_digit(9), session.noop()
        self.reply(self.commanded(), "200 result=0\n", uniqueid=OTHER)
        self.assertIsNone(self.successResultOf(replies[0]))
        self.reply(self.commanded(uniqueid=OTHER), "200 result=0\n", uniqueid=OTHER)
        self.successResultOf(replies[1])

    def test_refused_command(self) -> None:
        """A command that finds no channel is given to the one that is there now."""
        session = self.session()
        reply = session.noop()
        action = self.asked("AGI")
        self.pbx.refuse(action, f"Channel {ONE} does not exist.")
        self.say_gone()
        self.find((OTHER, self.marks[0]))
        again = self.commanded(uniqueid=OTHER)
        self.assertEqual(again["CommandID"], action["CommandID"])
        self.reply(again, "200 result=0\n", uniqueid=OTHER)
        self.successResultOf(reply)
        hung_up = session.when_hung_up()
        self.tell("AsyncAGIEnd", uniqueid=OTHER)
        self.tell("VarSet", ("Variable", "AGISTATUS"), ("Value", "HANGUP"), uniqueid=OTHER)
        self.say_where("h", hanging_up=True, uniqueid=OTHER)
        self.say_where("h", hanging_up=True, uniqueid=OTHER)
        self.successResultOf(hung_up)

    def test_gone(self) -> None:
        """Where there is no such channel, the caller has hung up."""
        reply = self.session().noop()
        self.pbx.refuse(self.asked("AGI"), f"Channel {ONE} does not exist.")
        self.say_gone()
        self.find()
        self.say_gone()
        self.clock.advance(PATIENCE)
        self.say_gone()
        self.failureResultOf(reply, HungUp)

    def test_ended_meanwhile(self) -> None:
        """The end may be told while we look for the channel."""
        reply = self.session().noop()
        self.pbx.refuse(self.asked("AGI"), f"Channel {ONE} does not exist.")
        asked = self.asked("Status")
        self.end()
        self.tell_agistatus("HANGUP")
        self.pbx.refuse(asked, "No such channel")
        self.say_gone()
        self.say_gone()
        self.failureResultOf(reply, HungUp)
        self.do_nothing()

    def test_no_queue(self) -> None:
        """A channel that has no queue is in AsyncAGI no more."""
        reply = self.session().noop()
        self.pbx.refuse(self.asked("AGI"), "Failed to add AGI command to channel X queue")
        self.say_where("Echo")
        self.say_where("Echo")
        self.failureResultOf(reply, Disconnected)

    def test_user_who_may_not_mark(self) -> None:
        """Where the mark is refused, nothing else is."""
        session = self.session()
        [mark] = self.pbx.hear()
        self.pbx.refuse(mark, "Permission denied")
        reply = session.noop()
        self.do("NOOP")
        self.successResultOf(reply)


class StartTests(AsyncAGITestCase):
    """Which calls are answered."""

    def test_environment(self) -> None:
        """A script is told what Asterisk says of the call."""
        sessions: list[AGISession] = []

        async def script(session: AGISession) -> None:
            sessions.append(session)

        self.calls.route("greet/{name}", script)
        self.begin(environment("/greet/b%20b?x=1", "one"))
        [session] = sessions
        self.assertEqual(session.environment.channel, "PJSIP/alice-00000012")
        self.assertEqual(session.environment.arguments, ("one",))
        self.assertEqual(session.parameters, {"name": "b b"})

    def test_long_environment(self) -> None:
        """The rest of a long environment is fetched before the script begins."""
        sessions: list[AGISession] = []

        async def script(session: AGISession) -> None:
            sessions.append(session)

        self.calls.route("test", script)
        env = environment("/test", "x" * 700, "last")
        self.begin(env[:1024])
        self.assertEqual(sessions, [])
        self.do("NOOP", env[1024:] + "200 result=0\n")
        self.assertEqual(sessions[0].environment.arguments, ("x" * 700, "last"))

    def test_hangup_during_a_long_environment(self) -> None:
        """A caller who hangs up before the environment is there is not answered."""
        self.calls.route("test", _fail)
        self.begin(environment("/test", "x" * 700)[:1024])
        self.commanded()
        self.hang_up()
        self.successResultOf(self.calls.when_idle())

    def test_broken_environment(self) -> None:
        """A call whose environment is none is given back as a failure, with a line in the log."""
        self.calls.route("test", _fail)
        with capturedLogs() as logs:
            self.begin(environment("/test", "one").rstrip("\n"))
            self.do("NOOP")
        self.assertIn("1795297911.242", formatEvent(logs[0]))
        self.do('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n")

    def test_garbage(self) -> None:
        """Events with too little, or with anything, in them break nothing."""
        self.calls.route("/", _fail)
        self.pbx.tell("AsyncAGIStart")
        for action in self.hear():
            self.pbx.refuse(action, "Both, Channel and Command are *required*")
        self.pbx.tell("AsyncAGIStart", ("Uniqueid", ONE), ("Env", "%ff%00%zz\udcff"))
        self.pbx.tell("AsyncAGIEnd")
        self.pbx.tell("Hangup")
        self.pbx.tell("AsyncAGIExec")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_anomalies(self) -> None:
        """A forged environment is logged, and the script may look at it."""
        sessions: list[AGISession] = []

        async def script(session: AGISession) -> None:
            sessions.append(session)

        self.calls.route("test", script)
        with capturedLogs() as logs:
            self.begin(environment("/test").replace("Alice\n", "Alice\nagi_extension: 911\n"))
        self.assertIn("agi_extension comes more than once", formatEvent(logs[0]))
        self.assertEqual(len(sessions), 1)

    def test_no_script(self) -> None:
        """A call without a script is left alone."""
        self.begin()
        self.assertEqual(self.pbx.hear(), [])

    def test_default(self) -> None:
        """A default script answers every call."""
        calls = AsyncAGI(self.ami, default=_fail, clock=self.clock)
        calls.start()
        calls.start()
        self.begin(environment())
        self.assertEqual(len(self.flushLoggedErrors(AssertionError)), 1)

    def test_too_many(self) -> None:
        """The call that is one too many ends with BUSY."""
        calls = AsyncAGI(self.ami, {"/one": _wait}, clock=self.clock, sessions=1)
        calls.start()
        self.begin(environment("/one"))
        self.do_nothing()
        with capturedLogs() as logs:
            self.pbx.tell(
                "AsyncAGIStart", ("Uniqueid", OTHER), ("Env", encoded(environment("/one")))
            )
        self.assertIn("1 calls are answered already", formatEvent(logs[0]))
        action = self.commanded(uniqueid=OTHER)
        self.assertEqual(action["Command"], 'SET VARIABLE "TXASTERISK_STATUS" "BUSY"')

    def test_one_call(self) -> None:
        """A script may answer one call, and how it ended is told when that is given back."""
        starts: list[Event] = []
        self.ami.on("AsyncAGIStart", starts.append)
        self.begin()
        status = self.calls.answer(starts[0], _return)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"', "200 result=1\n")
        self.assertNoResult(status)
        self.do("ASYNCAGI BREAK")
        self.assertEqual(self.successResultOf(status), Status.SUCCESS)

    def test_one_call_given_up(self) -> None:
        """To give up the answer to a call ends its script."""
        starts: list[Event] = []
        self.ami.on("AsyncAGIStart", starts.append)
        self.begin()
        status = self.calls.answer(starts[0], _wait)
        status.cancel()
        self.failureResultOf(status, CancelledError)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n")
        self.do('RECEIVE CHAR "0"', "200 result=-1 (hangup)\n")
        self.successResultOf(self.calls.when_idle())


class DrainTests(AsyncAGITestCase):
    """The end of the program."""

    def test_drain(self) -> None:
        """Calls in progress may end, and no others are answered."""
        self.session()
        drained = self.calls.drain(5)
        self.begin()
        self.do_nothing()
        self.finish.callback(None)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "SUCCESS"', "200 result=1\n")
        self.assertNoResult(drained)
        self.do("ASYNCAGI BREAK")
        self.successResultOf(drained)

    def test_cancelled(self) -> None:
        """Scripts that are not done in time are cancelled."""
        self.session()
        self.calls.drain(5)
        self.do_nothing()
        self.clock.advance(5)
        self.do('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n")

    def test_lost(self) -> None:
        """Calls whose scripts go on lose them; Asterisk has the commands that end them."""

        async def script(session: AGISession) -> None:
            try:
                await session.wait_for_digit(1000)
            except CancelledError:
                await Deferred()

        self.run_script(script)
        self.commanded()
        drained = self.calls.drain(1)
        self.clock.advance(1)
        self.do_nothing()
        self.clock.advance(2)
        self.assertEqual(
            [action["Command"] for action in self.hear()],
            ['SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "ASYNCAGI BREAK"],
        )
        self.successResultOf(drained)

    def test_a_script_that_does_not_give_up(self) -> None:
        """A script that tries again whatever happens holds up nobody else."""
        self.patch(asking, "the_reactor", lambda: self.clock)

        async def script(session: AGISession) -> None:
            while True:
                with ignoring(Exception):
                    await session.noop()

        self.run_script(script)
        drained = self.calls.drain(1)
        self.clock.pump([1, 2])
        self.successResultOf(drained)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)


class ForgottenCallsTests(AsyncAGITestCase):
    """Calls in AsyncAGI that no script is at work on."""

    def forgotten(self, *channels: tuple[str, str, str]) -> Deferred[int]:
        """Have such calls ended; these are all channels: id, data of AGI and mark."""
        ended = self.calls.end_forgotten_calls()
        action = self.asked("Status")
        found = [(uid, "AGI", data, f"{MARK}={mark}") for uid, data, mark in channels]
        self.list(action, [*found, (OTHER, "Echo", "", f"{MARK}=(null)")])
        return ended

    def end_one(self, uniqueid: str) -> None:
        """Be told to end one."""
        for expected, reply in (
            ('SET VARIABLE "TXASTERISK_STATUS" "FAILURE"', "200 result=1\n"),
            ('RECEIVE CHAR "0"', "200 result=-1 (hangup)\n"),
        ):
            action = self.commanded(uniqueid=uniqueid)
            self.assertEqual(action["Command"], expected)
            self.reply(action, reply, uniqueid)

    def test_by_path(self) -> None:
        """Those are ended whose path has a script here; others may be somebody else's."""
        self.calls.route("greet/{name}", _wait)
        ended = self.forgotten(
            ("1.1", "agi:async,/greet/bob?x=1#y,one", "(null)"),
            ("1.2", "agi:async,/other", "(null)"),
            ("1.3", "agi:async,greet", "(null)"),
            ("1.4", "agi:async", "(null)"),
            ("1.5", "agi://127.0.0.1/greet/bob", "(null)"),
        )
        self.end_one("1.1")
        self.assertEqual(self.successResultOf(ended), 1)

    def test_none(self) -> None:
        """Where there are none, or this user of AMI may not ask, nothing is done."""
        self.assertEqual(self.successResultOf(self.forgotten()), 0)
        ended = self.calls.end_forgotten_calls()
        self.pbx.refuse(self.asked("Status"), "Permission denied")
        self.assertEqual(self.successResultOf(ended), 0)

    def test_calls_at_work(self) -> None:
        """A call that a script is at work on is not forgotten."""
        self.session()
        self.do_nothing()
        ended = self.forgotten((ONE, "agi:async,/test", self.marks[0]))
        self.assertEqual(self.successResultOf(ended), 0)


class ServiceTests(SynchronousTestCase):
    """AsyncAGI over a link that stays."""

    def setUp(self) -> None:
        """Have a network, and a service that is connected."""
        self.network = Network()
        self.clock = self.network.reactor
        self.ami = AMIService(
            self.network.endpoint, "me", "secret", back_off=lambda _: 1.0, clock=self.clock
        )
        self.service = AsyncAGIService(self.ami, default=_wait, clock=self.clock)

    def connect(self) -> PBX:
        """Accept the newest attempt, and say that there are no channels."""
        pbx = self.network.accept()
        pbx.accept_login()
        return pbx

    def channels(self, pbx: PBX, *marks: str) -> None:
        """Be asked for all channels, and have as many as there are marks."""
        action = pbx.hear_one("Status")
        action_id = ("ActionID", action["ActionID"])
        pbx.answer(action, ("EventList", "start"))
        for number, mark in enumerate(marks):
            call = [("Application", "AGI"), ("Data", "agi:async"), ("Variable", f"{MARK}={mark}")]
            pbx.tell("Status", ("Uniqueid", f"1.{number}"), *call, action_id)
        pbx.tell("StatusComplete", action_id, ("EventList", "Complete"))

    def begin(self, pbx: PBX) -> str:
        """Begin a call, and return its mark."""
        pbx.tell("AsyncAGIStart", ("Uniqueid", "1.0"), ("Env", encoded(environment())))
        return pbx.hear_one("Setvar")["Value"]

    def test_lost_calls(self) -> None:
        """Calls that were answered when the link was lost are ended when it is there again."""
        self.service.startService()
        first = self.connect()
        self.channels(first, "(null)")
        self.assertEqual(first.hear(), [])
        mark = self.begin(first)
        first.close()
        self.network.pass_by(1)
        second = self.connect()
        self.channels(second, mark, "another")
        action = second.hear_one("AGI")
        self.assertEqual(action["Channel"], "1.0")
        self.assertEqual(action["Command"], 'SET VARIABLE "TXASTERISK_STATUS" "FAILURE"')

    def test_stop(self) -> None:
        """The link is there until the last call has been given back."""
        self.service.startService()
        pbx = self.connect()
        self.channels(pbx)
        self.begin(pbx)
        stopped = self.service.stopService()
        assert isinstance(stopped, Deferred)
        self.network.pass_by(5)
        for reply in "200 result=1\n", "200 result=-1 (hangup)\n":
            action = pbx.hear_one("AGI")
            command_id = ("CommandId", action["CommandID"])
            pbx.tell("AsyncAGIExec", ("Uniqueid", "1.0"), ("Result", encoded(reply)), command_id)
        pbx.answer(pbx.hear_one("Logoff"), status="Goodbye")
        self.network.pass_by()
        self.successResultOf(stopped)
        self.assertEqual(self.network.pending(), [])

    def test_stop_without_a_link(self) -> None:
        """A service that is not connected stops at once."""
        self.service.startService()
        stopped = self.service.stopService()
        self.network.pass_by()
        assert isinstance(stopped, Deferred)
        self.successResultOf(stopped)
        self.assertEqual(self.network.pending(), [])

    def test_refused(self) -> None:
        """A login that is refused is the link's matter."""
        self.service.startService()
        with capturedLogs() as logs:
            self.network.accept().refuse_login()
            self.network.pass_by()
        self.assertIn("Authentication failed", formatEvent(logs[0]))
        self.assertEqual(self.flushLoggedErrors(), [])


async def _wait(_: AGISession) -> None:
    await Deferred()


async def _return(_: AGISession) -> None:
    return None


async def _fail(_: AGISession) -> None:
    raise AssertionError("this script should not run")
