"""What the contract says of AMI."""

from __future__ import annotations

from typing import ClassVar, cast

from twisted.internet.defer import gatherResults
from twisted.internet.protocol import Factory

from ...ami import AMIProtocol, Event, Response
from ...errors import (
    ActionFailed,
    Disconnected,
    LoginRefused,
)
from .place import CHANNEL, SOON, AsteriskContract, Following

__all__ = ["AMIContract"]


class AMIContract(AsteriskContract):
    """The manager interface."""

    # Who you are

    async def test_greeting(self) -> None:
        """The server says which version of AMI it speaks before anything else."""
        ami = await self.log_in()
        self.assertRegex(ami.version, r"\A\d+\.\d+\.\d+\Z")

    async def test_login(self) -> None:
        """A user may log in by a challenge, which is the default, or with the plain secret."""
        for authentication in ("MD5", "plain"):
            ami = await self.log_in(authentication=authentication)
            again = await ami.login("full", "whatever")
            self.assertEqual(again.message, "Already authenticated")

    async def test_wrong_secret(self) -> None:
        """A wrong secret or an unknown user is refused after a second, and the link closed."""
        for username, secret in (("full", "wrong"), ("nobody", "full-secret")):
            began = self.reactor.seconds()
            error = await self.failing(
                LoginRefused, self.ami_factory(username, secret).connect(self.place.ami)
            )
            self.assertIn("Authentication failed", str(error))
            self.assertGreater(self.reactor.seconds() - began, 0.9)

    async def test_before_login(self) -> None:
        """Before the login every action is refused, and the link stays."""
        ami = await self.connect_without_login()
        for action in ("Ping", "Nonsense"):
            error = await self.failing(ActionFailed, ami.action(action, timeout=SOON))
            self.assertEqual(error.message, "Permission denied")
        await ami.logoff(timeout=SOON)

    async def connect_without_login(self) -> AMIProtocol:
        """Return a connection that is only greeted."""
        factory = Factory.forProtocol(lambda: AMIProtocol(clock=self.reactor))
        ami = cast(AMIProtocol, await self.place.ami.connect(factory))
        self.addCleanup(ami.when_disconnected)
        self.addCleanup(ami.disconnect)
        await self.soon(ami.when_greeted())
        return ami

    async def test_challenge(self) -> None:
        """The same connection gets the same challenge again; other kinds are refused."""
        ami = await self.connect_without_login()
        challenges = {
            (await ami.action("Challenge", {"AuthType": spelling}))["Challenge"]
            for spelling in ("MD5", "md5", "MD5")
        }
        self.assertEqual(len(challenges), 1)
        error = await self.failing(ActionFailed, ami.action("Challenge"))
        self.assertEqual(error.message, "Must specify AuthType")

    async def test_rights(self) -> None:
        """A user without the right for an action is refused it, and keeps the link."""
        ami = await self.log_in("readonly")
        for action in ("Command", "Originate", "Setvar", "UserEvent", "CoreShowChannels"):
            error = await self.failing(ActionFailed, ami.action(action, timeout=SOON))
            self.assertEqual(error.message, "Permission denied")
        await ami.ping(timeout=SOON)

    async def test_fully_booted(self) -> None:
        """A user who hears of the system is told at once that it is there."""
        heard: list[Event] = []
        factory = Factory.forProtocol(lambda: AMIProtocol(clock=self.reactor))
        ami = cast(AMIProtocol, await self.place.ami.connect(factory))
        self.addCleanup(ami.disconnect)
        ami.on("FullyBooted", heard.append)
        await self.soon(ami.when_greeted())
        await ami.login("full", "full-secret")
        await ami.ping(timeout=SOON)
        names = [[name for name, _ in event.headers] for event in heard]
        self.assertEqual(names, [["Event", "Privilege", "Uptime", "LastReload", "Status"]])

    async def test_logoff(self) -> None:
        """Logoff is answered, and then the server closes the connection."""
        ami = await self.log_in("readonly")
        await self.soon(ami.logoff())
        await self.failing(Disconnected, ami.ping())

    # Questions and answers

    async def test_ping(self) -> None:
        """Ping is answered by a pong and the server's clock."""
        answer = await (await self.log_in()).ping(timeout=SOON)
        names = [name for name, _ in answer.headers]
        self.assertEqual(names, ["Response", "ActionID", "Ping", "Timestamp"])
        self.assertEqual(answer["Ping"], "Pong")
        self.assertGreaterEqual(float(answer["Timestamp"]), 0)

    async def test_unknown_action(self) -> None:
        """What is no action is refused in Asterisk's own words."""
        ami = await self.log_in()
        error = await self.failing(ActionFailed, ami.action("Nonsense", timeout=SOON))
        self.assertEqual(
            error.message,
            "Invalid/unknown command: Nonsense. Use Action: ListCommands to show available"
            " commands.",
        )

    async def test_list_commands(self) -> None:
        """The actions that a user may use are listed, each as a header."""
        answer = await (await self.log_in()).action("ListCommands", timeout=SOON)
        names = {name.lower() for name, _ in answer.headers}
        self.assertLessEqual({"ping", "originate", "coreshowchannels", "userevent"}, names)

    async def test_core_settings(self) -> None:
        """The settings name the version, and the status says since when it runs."""
        ami = await self.log_in()
        settings = await ami.action("CoreSettings", timeout=SOON)
        self.assertEqual(settings["AMIversion"], ami.version)
        self.assertEqual(settings["AsteriskVersion"].partition(".")[0], self.place.version)
        status = await ami.action("CoreStatus", timeout=SOON)
        times = ("CoreStartupDate", "CoreStartupTime", "CoreReloadDate", "CoreReloadTime")
        newer = () if self.place.version == "16" else ("CoreProcessedCalls",)
        self.assertEqual(
            tuple(name for name, _ in status.headers),
            ("Response", "ActionID", *times, "CoreCurrentCalls", *newer),
        )
        self.assertRegex(status["CoreStartupDate"], r"\A\d{4}-\d\d-\d\d\Z")

    async def test_command(self) -> None:
        """A console command's lines come one by one; a command that fails has some too."""
        ami = await self.log_in()
        lines = await ami.command("core show version", timeout=SOON)
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].startswith("Asterisk "), lines)
        error = await self.failing(ActionFailed, ami.command("nonsense", timeout=SOON))
        self.assertEqual(
            cast(Response, error.response).output,
            [
                "No such command 'nonsense' (type 'core show help nonsense' for other possible"
                " commands)"
            ],
        )

    async def test_no_command(self) -> None:
        """A missing console command and a forbidden one are refused without any lines."""
        ami = await self.log_in()
        error = await self.failing(ActionFailed, ami.action("Command", timeout=SOON))
        self.assertEqual(error.message, "No command provided")
        error = await self.failing(ActionFailed, ami.command("module load x", timeout=SOON))
        self.assertEqual(error.message, "Command blacklisted")

    async def test_empty_list(self) -> None:
        """A list of nothing is its completion alone."""
        ami = await self.log_in()
        for action in ("CoreShowChannels", "Status"):
            answer = await ami.action(action, timeout=SOON)
            self.assertEqual([event.name for event in answer.events], [f"{action}Complete"])
            self.assertEqual(answer.events[0]["ListItems"], "0")

    async def test_list(self) -> None:
        """A list holds an event for each channel, and its completion counts them."""
        ami = await self.log_in()
        await self.originate(ami, "answer", ChannelId="one", OtherChannelId="two")
        answer = await ami.action("CoreShowChannels", timeout=SOON)
        *items, completion = answer.events
        self.assertEqual(sorted(item["Uniqueid"] for item in items), ["one", "two"])
        more = ("Application", "ApplicationData", "Duration", "BridgeId")
        expected = ("Event", "ActionID", *CHANNEL, *more)
        for item in items:
            self.assertEqual(tuple(name for name, _ in item.headers), expected)
        self.assertEqual(completion["ListItems"], "2")
        lines = await ami.command("core show channels", timeout=SOON)
        self.assertEqual(lines[-3:-1], ["2 active channels", "1 active call"])

    async def test_status(self) -> None:
        """Status shows one channel or all, with the variables that were asked for."""
        ami = await self.log_in()
        headers = {"ChannelId": "one", "OtherChannelId": "two", "Variable": {"COLOUR": "blue"}}
        await self.originate(ami, "answer", **headers)
        everything = await ami.action("Status", {"Variables": "COLOUR,NOPE"}, timeout=SOON)
        shown = {event.get("Uniqueid"): event for event in everything.events}
        for uniqueid in ("one", "two"):
            values = shown[uniqueid].get_all("Variable")
            self.assertEqual(values, ["COLOUR=blue", "NOPE=(null)"])
            self.assertEqual(shown[uniqueid]["Privilege"], "Call")
        only = await ami.action("Status", {"Channel": shown["one"]["Channel"]}, timeout=SOON)
        self.assertEqual([e.get("Uniqueid") for e in only.events], ["one", None])
        error = await self.failing(ActionFailed, ami.action("Status", {"Channel": "nosuch"}))
        self.assertEqual(error.message, "No such channel")

    # Variables

    ODD_VALUES: ClassVar = ('a,b "c" \\d', "größe ☎", "x=1;y=2", "a: b", "(,", "trailing ")

    async def test_global_variables(self) -> None:
        """A global variable is returned as it was set, whatever is in it."""
        ami = await self.log_in()
        for value in self.ODD_VALUES:
            await ami.action("Setvar", {"Variable": "TXODD", "Value": value}, timeout=SOON)
            answer = await ami.action("Getvar", {"Variable": "TXODD"}, timeout=SOON)
            self.assertEqual(answer["Value"], value)
        unset = await ami.action("Getvar", {"Variable": "TXNOSUCH"}, timeout=SOON)
        self.assertEqual(unset["Value"], "")

    async def test_channel_variables(self) -> None:
        """Variables of an Originate arrive on both halves as they were given."""
        ami = await self.log_in()
        values = {f"V{number}": value for number, value in enumerate(self.ODD_VALUES)}
        await self.originate(ami, "answer", ChannelId="one", OtherChannelId="two", Variable=values)
        channels = (await ami.action("CoreShowChannels", timeout=SOON)).events[:-1]
        for channel in channels:
            for name, value in values.items():
                question = {"Channel": channel["Channel"], "Variable": name}
                answer = await ami.action("Getvar", question, timeout=SOON)
                self.assertEqual(answer["Value"], value)
        state = {"Channel": channels[0]["Channel"], "Variable": "CHANNEL(state)"}
        self.assertEqual((await ami.action("Getvar", state))["Value"], "Up")

    async def test_variable_events(self) -> None:
        """Setting a variable of a channel is an event, whose value is escaped as C does."""
        ami = await self.log_in()
        await self.originate(ami, "answer", ChannelId="one")
        channel = (await ami.action("Status", timeout=SOON)).events[0]["Channel"]
        told = ami.next("VarSet", Variable="TXODD", timeout=SOON)
        headers = {"Channel": channel, "Variable": "TXODD", "Value": 'it\'s, "x" \\ ?'}
        await ami.action("Setvar", headers, timeout=SOON)
        event = await told
        self.assertEqual(event["Value"], 'it\\\'s, \\"x\\" \\\\ \\?')
        self.assertEqual(event["Privilege"], "dialplan,all")
        self.assertEqual(
            [name for name, _ in event.headers],
            ["Event", "Privilege", *CHANNEL, "Variable", "Value"],
        )

    async def test_variable_mistakes(self) -> None:
        """A missing name and an unknown channel are refused."""
        ami = await self.log_in()
        for action in ("Getvar", "Setvar"):
            error = await self.failing(ActionFailed, ami.action(action, timeout=SOON))
            self.assertEqual(error.message, "No variable specified")
            unknown = {"Channel": "nosuch", "Variable": "X", "Value": "y"}
            error = await self.failing(ActionFailed, ami.action(action, unknown, timeout=SOON))
            self.assertEqual(error.message, "No such channel")

    # Calls

    async def test_originate(self) -> None:
        """Originate is answered when the call is: with an error if it was not."""
        ami = await self.log_in()
        answer = await self.originate(ami, "answer")
        self.assertEqual(answer.message, "Originate successfully queued")
        for extension in ("busy", "congestion", "nosuch"):
            error = await self.failing(ActionFailed, self.originate(ami, extension))
            self.assertEqual(error.message, "Originate failed")

    async def test_originate_mistakes(self) -> None:
        """An Originate that cannot be tried says why."""
        ami = await self.log_in()
        somewhere = {"Context": "txasterisk", "Priority": 1}
        for headers, message in (
            ({"Application": "Wait"}, "Channel not specified"),
            ({"Channel": "Nope/x", "Application": "Wait"}, "Originate failed"),
            (
                {"Channel": "Local/answer@txasterisk"},
                "Originate with 'Exten' requires 'Context' and 'Priority'",
            ),
            (
                {"Channel": "Local/answer@txasterisk", "Exten": "nosuch", **somewhere},
                "Extension does not exist.",
            ),
        ):
            error = await self.failing(ActionFailed, ami.action("Originate", headers, timeout=SOON))
            self.assertEqual(error.message, message)

    async def test_originate_response(self) -> None:
        """An asynchronous Originate tells by an event how it ended."""
        ami = await self.log_in()
        for extension, response, reason in (
            ("answer", "Success", "4"),
            ("busy", "Failure", "5"),
            ("congestion", "Failure", "8"),
            ("noanswer", "Failure", "3"),
            ("nosuch", "Failure", "0"),
        ):
            told = ami.next("OriginateResponse", timeout=SOON)
            await self.call(ami, extension, Timeout=500)
            event = await told
            self.assertEqual((event["Response"], event["Reason"]), (response, reason), extension)
            names = [name for name, _ in event.headers if not name.startswith("ChanVariable(")]
            self.assertEqual(
                names,
                [
                    *("Event", "Privilege", "ActionID", "Response", "Channel", "Application"),
                    *("Data", "Reason", "Uniqueid", "CallerIDNum", "CallerIDName"),
                ],
            )

    async def test_id_in_use(self) -> None:
        """The id of a channel that there is cannot be given to another one."""
        ami = await self.log_in()
        await self.originate(ami, "answer", ChannelId="taken")
        error = await self.failing(ActionFailed, self.originate(ami, "answer", ChannelId="taken"))
        self.assertEqual(error.message, "Originate failed")

    async def test_chosen_ids(self) -> None:
        """The id of the second half follows the first's; chosen alone, it is ignored."""
        ami = await self.log_in()
        await self.originate(ami, "answer", ChannelId="one")
        await self.originate(ami, "answer", OtherChannelId="other")
        listed = (await ami.action("CoreShowChannels", timeout=SOON)).events[:-1]
        found = {event["Uniqueid"] for event in listed}
        self.assertLessEqual({"one", "one;2"}, found)
        self.assertNotIn("other", found)

    async def test_id_that_another_begins_with(self) -> None:
        """An id with which the id of a channel begins counts as taken on 22, and not on 16."""
        ami = await self.log_in()
        await self.originate(ami, "answer", ChannelId="onetwo", OtherChannelId="three")
        for beginning in ("ONE", "thr"):
            originating = self.originate(ami, "answer", ChannelId=beginning)
            if self.place.version == "16":
                await originating
            else:
                error = await self.failing(ActionFailed, originating)
                self.assertEqual(error.message, "Originate failed")
        await self.originate(ami, "answer", ChannelId="onetwothree")

    async def test_events_of_a_call(self) -> None:
        """Each half of a call tells its story in order, and each event has its headers."""
        ami = await self.log_in()
        following = Following(ami, "one", "two")
        ended = gatherResults(
            [ami.next("Hangup", Uniqueid=name, timeout=SOON) for name in ("one", "two")]
        )
        headers = {"ChannelId": "one", "OtherChannelId": "two", "CallerID": '"Bob" <1234>'}
        await self.call(ami, "hangup", Variable={"__A": "1", "B": "2"}, **headers)
        await ended
        self.assertEqual(
            following.names("one"),
            [
                "Newchannel",
                "Newexten hangup AppDial2",
                "VarSet B=2",
                "VarSet __A=1",
                "NewCallerid",
                "NewConnectedLine",
                "Newstate Up",
                "HangupRequest 16",
                "Hangup 16",
            ],
        )
        self.assertEqual(
            following.names("two"),
            [
                "Newchannel",
                "VarSet __A=1",
                "VarSet B=2",
                "NewCallerid",
                "NewConnectedLine",
                "Newexten hangup Answer",
                "Newstate Up",
                "Newexten hangup Hangup",
                "SoftHangupRequest 16",
                "Newexten h ExecIf",
                "Hangup 16",
            ],
        )
        begin = ("Event", "Privilege", *CHANNEL)
        expected = {
            "Newchannel": begin,
            "Newexten": (*begin, "Extension", "Application", "AppData"),
            "VarSet": (*begin, "Variable", "Value"),
            "NewCallerid": (*begin, "CID-CallingPres"),
            "NewConnectedLine": begin,
            "Newstate": begin,
            "HangupRequest": (*begin, "Cause"),
            "SoftHangupRequest": (*begin, "Cause"),
            "Hangup": (*begin, "Cause", "Cause-txt"),
        }
        self.assertEqual(following.shape("one") | following.shape("two"), expected)

    async def test_dial_events(self) -> None:
        """Calling a channel begins, rings, and ends, and its halves are joined."""
        ami = await self.log_in()
        heard: list[Event] = []
        ami.on(["Dial*", "LocalBridge"], heard.append)
        ended = ami.next("DialEnd", timeout=SOON)
        await self.call(ami, "ring", ChannelId="one")
        await ended
        self.assertEqual(
            sorted(event.name for event in heard),
            ["DialBegin", "DialEnd", "DialState", "LocalBridge"],
        )
        shapes = {event.name: tuple(name for name, _ in event.headers) for event in heard}
        begin = ("Event", "Privilege")
        dest = tuple(f"Dest{name}" for name in CHANNEL)
        self.assertEqual(shapes["DialBegin"], (*begin, *dest, "DialString"))
        self.assertEqual(shapes["DialState"], (*begin, *dest, "DialStatus"))
        self.assertEqual(shapes["DialEnd"], (*begin, *dest, "DialStatus"))
        halves = [f"Local{half}{name}" for half in ("One", "Two") for name in CHANNEL]
        joined = (*begin, *halves, "Context", "Exten", "LocalOptimization")
        self.assertEqual(shapes["LocalBridge"], joined)
        self.assertEqual(heard[-1]["DialStatus"], "ANSWER")

    async def test_refused_calls(self) -> None:
        """Busy and congestion are told to the caller's half, and the other keeps the cause."""
        ami = await self.log_in()
        for extension, status, cause in (
            ("busy", "BUSY", "17"),
            ("congestion", "CONGESTION", "34"),
        ):
            one, two = f"{extension}1", f"{extension}2"
            following = Following(ami, one, two)
            dialled = ami.next("DialEnd", timeout=SOON)
            ended = gatherResults(
                [ami.next("Hangup", Uniqueid=name, timeout=SOON) for name in (one, two)]
            )
            await self.call(ami, extension, ChannelId=one, OtherChannelId=two)
            self.assertEqual((await dialled)["DialStatus"], status)
            await ended
            self.assertEqual(
                following.names(one),
                ["Newchannel", f"Newexten {extension} AppDial2", "Hangup 0"],
            )
            self.assertEqual(following.names(two)[-1], f"Hangup {cause}")

    async def test_hangup(self) -> None:
        """Hanging up one half of a call with a cause ends the other half with the same."""
        ami = await self.log_in()
        following = Following(ami, "one", "two")
        ids = {"ChannelId": "one", "OtherChannelId": "two"}
        await self.originate(ami, "answer", **ids)
        channel = (await ami.action("Status", timeout=SOON)).events[0]["Channel"]
        one = channel.rpartition(";")[0] + ";1"
        ended = gatherResults(
            [ami.next("Hangup", Uniqueid=name, timeout=SOON) for name in ("one", "two")]
        )
        answer = await ami.action("Hangup", {"Channel": one, "Cause": 17}, timeout=SOON)
        self.assertEqual(answer.message, "Channel Hungup")
        await ended
        self.assertEqual(following.names("one")[-2:], ["Newstate Up", "Hangup 17"])
        self.assertEqual(
            following.names("two")[-4:],
            ["HangupRequest 17", "SoftHangupRequest 16", "Newexten h ExecIf", "Hangup 17"],
        )
        error = await self.failing(ActionFailed, ami.action("Hangup", {"Channel": one}))
        self.assertEqual(error.message, "No such channel")
        error = await self.failing(ActionFailed, ami.action("Hangup"))
        self.assertEqual(error.message, "No channel specified")

    async def test_keys(self) -> None:
        """Keys that one half presses are heard by the other, each with its beginning and end."""
        ami = await self.log_in()
        following = Following(ami, "one")
        pressed = ami.next("DTMFEnd", Digit="#", timeout=SOON)
        digits = {"__DIGITS": "1#", "__DIGITS_AFTER": "0.1"}
        await self.call(ami, "digits", ChannelId="one", Variable=digits)
        end = await pressed
        self.assertEqual((end["DurationMs"], end["Direction"]), ("100", "Received"))
        keys = [name for name in following.names("one") if name.startswith("DTMF")]
        self.assertEqual(keys, ["DTMFBegin 1", "DTMFEnd 1", "DTMFBegin #", "DTMFEnd #"])
        begin = ("Event", "Privilege", *CHANNEL, "Digit")
        shape = following.shape("one")
        self.assertEqual(shape["DTMFBegin"], (*begin, "Direction"))
        self.assertEqual(shape["DTMFEnd"], (*begin, "DurationMs", "Direction"))

    # Events

    async def test_user_event(self) -> None:
        """A user event comes back with all its headers, also the repeated ones."""
        ami = await self.log_in()
        told = ami.next("UserEvent", timeout=SOON)
        answer = await ami.action(
            "UserEvent",
            [("UserEvent", "Odd"), ("A", "1"), ("A", "2"), ("Response", "größe ☎"), ("Empty", "")],
            timeout=SOON,
        )
        self.assertEqual(answer.message, "Event Sent")
        event = await told
        self.assertEqual(event["UserEvent"], "Odd")
        self.assertEqual(event.get_all("A"), ["1", "2"])
        self.assertEqual((event["Response"], event["Empty"]), ("größe ☎", ""))
        self.assertEqual(event["ActionID"], answer["ActionID"])

    async def test_event_mask(self) -> None:
        """A mask says which classes of events are sent."""
        ami = await self.log_in()
        heard: list[Event] = []
        ami.on("UserEvent", heard.append)
        for mask, says, comes in (
            ("off", "Off", 0),
            ("on", "On", 1),
            ("call", "On", 0),
            ("call,user", "On", 1),
        ):
            heard.clear()
            answer = await ami.action("Events", {"EventMask": mask}, timeout=SOON)
            self.assertEqual(answer["Events"], says)
            await ami.action("UserEvent", {"UserEvent": "X"}, timeout=SOON)
            await ami.ping(timeout=SOON)
            self.assertEqual(len(heard), comes, mask)
        error = await self.failing(ActionFailed, ami.action("Events"))
        self.assertEqual(error.message, "Invalid event mask")

    async def test_two_listeners(self) -> None:
        """Every connection hears the events of what another one does."""
        one, other = await self.log_in(), await self.log_in("readonly")
        told = other.next("UserEvent", UserEvent="Hello", timeout=SOON)
        await one.action("UserEvent", {"UserEvent": "Hello"}, timeout=SOON)
        await told
