"""What the contract says of ARI and Stasis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults

from ...ari import Application, ARIClient, Call, models
from ...errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HungUp,
    LoginRefused,
    NotFound,
    RequestFailed,
    ServerFailed,
)
from .place import SECRETS, SOON, AsteriskContract, Following

__all__ = ["ARIContract", "StasisContract"]


class StasisContract(AsteriskContract):
    """What the tests of Stasis need."""

    async def set_up(self) -> None:
        await super().set_up()
        self.ami = await self.log_in()

    def client(self, username: str = "full", password: str | None = None) -> ARIClient:
        """Return a client, which does not listen yet."""
        client = ARIClient(
            self.place.ari_url,
            username,
            SECRETS[username] if password is None else password,
            endpoint=self.place.http,
            reactor=self.reactor,
        )
        self.addCleanup(client.close)
        return client

    async def listening(self, *applications: str) -> ARIClient:
        """Return a client that hears of these applications."""
        client = self.client()
        await client.listen(*(applications or ("ivr",)))
        return client

    async def serve(self, script: Callable[[Call], Coroutine[Any, Any, object]]) -> ARIClient:
        """Have a script answer the calls of the application ``ivr``."""
        client = self.client()
        Application("ivr", script).serve(client)
        await client.listen("ivr")
        return client

    async def enter(self, name: str = "in", arguments: str = "", **headers: Any) -> None:
        """Have a call enter the application; its channel's id is the name."""
        variables = {"__STASIS_APP": "ivr", **({"__STASIS_ARGS": arguments} if arguments else {})}
        ids = {"ChannelId": f"caller-{name}", "OtherChannelId": name}
        await self.call(self.ami, "stasis", Variable=variables, **ids, **headers)

    def collect(self, client: ARIClient) -> list[models.Event]:
        """Return a list that the client's events are put into."""
        events: list[models.Event] = []
        client.on("*", events.append)
        return events


class ARIContract(StasisContract):
    """The REST interface and Stasis."""

    # Questions

    async def test_info(self) -> None:
        """Asterisk says which version it is, in whole or in parts."""
        client = self.client()
        info = await client.asterisk.get_info()
        assert info.system is not None
        self.assertEqual(info.system.version.partition(".")[0], self.place.version)
        only = await client.asterisk.get_info(only=["system", "config"])
        self.assertIsNone(only.build)
        self.assertIsNotNone(only.config)
        self.assertEqual((await client.asterisk.ping()).ping, "pong")

    async def test_wrong_password(self) -> None:
        """A wrong password is refused, for requests and for events."""
        client = self.client("full", "wrong")
        await self.failing(LoginRefused, client.asterisk.ping())
        await self.failing(LoginRefused, client.listen("ivr"))

    async def test_read_only_user(self) -> None:
        """A user who may only read is refused all that changes something."""
        client = self.client("readonly")
        await client.channels.list()
        error = await self.failing(
            Forbidden, client.channels.originate(endpoint="Local/answer@txasterisk", app="ivr")
        )
        self.assertEqual(error.message, "Write access denied")

    async def test_what_is_not_there(self) -> None:
        """What is not there is not found, in Asterisk's own words."""
        client = self.client()
        channels, playbacks = client.channels, client.playbacks
        requests: list[tuple[Callable[[], Awaitable[object]], str]] = [
            (lambda: channels.get("nosuch"), "Channel not found"),
            (lambda: channels.answer("nosuch"), "Channel not found"),
            (lambda: channels.hangup("nosuch"), "Channel not found"),
            (
                lambda: channels.get_channel_var("nosuch", variable="X"),
                "Provided channel was not found",
            ),
            (lambda: playbacks.get("nosuch"), "Playback not found"),
            (lambda: playbacks.stop("nosuch"), "Playback not found"),
            (lambda: client.applications.get("nosuch"), "Application not found"),
            (lambda: client.request("GET", "/nosuch"), "Resource not found"),
        ]
        for request, message in requests:
            error = await self.failing(NotFound, request())
            self.assertEqual(error.message, message)

    async def test_wrong_method(self) -> None:
        """A method that a resource does not have is refused."""
        error = await self.failing(RequestFailed, self.client().request("PUT", "/channels"))
        self.assertEqual((error.status, error.message), (405, "Invalid method"))

    async def test_originate_mistakes(self) -> None:
        """An originate that cannot be tried says why."""
        client = self.client()
        originate = client.channels.originate
        for endpoint, kind, message in (
            ("Local", BadRequest, "Invalid endpoint specified"),
            ("Local/answer@txasterisk", BadRequest, "Application or extension must be specified"),
        ):
            error = await self.failing(kind, originate(endpoint=endpoint))
            self.assertEqual(error.message, message)
        failed = await self.failing(ServerFailed, originate(endpoint="Nope/x", app="ivr"))
        self.assertEqual(failed.message, "Allocation failed")

    async def test_global_variables(self) -> None:
        """A global variable is returned as it was set; one that is not is empty."""
        client = self.client()
        value = 'größe, "x" ☎'
        await client.asterisk.set_global_var(variable="TXARI", value=value)
        found = await client.asterisk.get_global_var(variable="TXARI")
        unset = await client.asterisk.get_global_var(variable="TXNOSUCH")
        self.assertEqual((found.value, unset.value), (value, ""))

    # Applications

    async def test_application(self) -> None:
        """An application is there as long as somebody listens."""
        client = await self.listening("ivr", "other")
        names = {application.name for application in await client.applications.list()}
        self.assertLessEqual({"ivr", "other"}, names)
        found = await client.applications.get("ivr")
        self.assertEqual((found.name, found.channel_ids), ("ivr", []))

    async def test_application_replaced(self) -> None:
        """Who listens last has the application, and the one before is told."""
        first = await self.listening()
        replaced = first.next("ApplicationReplaced", timeout=SOON)
        second = await self.listening()
        self.assertEqual((await replaced).application, "ivr")
        started = second.next("StasisStart", timeout=SOON)
        heard = self.collect(first)
        await self.enter()
        await started
        self.assertEqual(heard, [])

    async def test_nobody_listens(self) -> None:
        """A call for an application that nobody listens to goes on in the dialplan."""
        done = self.ami.next("UserEvent", UserEvent="StasisDone", timeout=SOON)
        await self.enter()
        self.assertEqual((await done)["Status"], "FAILED")

    # Calls

    async def test_call(self) -> None:
        """A call is answered, hears a sound to its end, and is hung up; its events say so."""
        client = await self.listening()
        events = self.collect(client)
        started = client.next("StasisStart", timeout=SOON)
        ended = client.next("StasisEnd", timeout=SOON)
        gone = self.ami.next("Hangup", Uniqueid="in", timeout=SOON)
        await self.enter(arguments="a,b c", CallerID='"Al" <77>')
        start = cast(models.StasisStart, await started)
        self.assertEqual(start.args, ["a", "b c"])
        self.assertEqual((start.channel.id, start.channel.state), ("in", "Ring"))
        self.assertEqual((start.channel.caller.name, start.channel.caller.number), ("Al", "77"))
        self.assertEqual(start.channel.dialplan.exten, "stasis")
        channel, playback = client.channel("in"), client.playback("tune")
        up = channel.next("ChannelStateChange", timeout=SOON)
        await channel.answer()
        await up
        finished = playback.next("PlaybackFinished", timeout=SOON)
        queued = await channel.play(playback, "sound:beep")
        self.assertEqual(queued.state, "queued")
        self.assertEqual((queued.media_uri, queued.target_uri), ("sound:beep", "channel:in"))
        end = cast(models.PlaybackFinished, await finished)
        self.assertEqual(end.playback.state, "done")
        # For a moment after the event a real one still knows it.
        await self.pause(0.1)
        await self.failing(NotFound, playback.get())
        await channel.hangup()
        await ended
        self.assertEqual((await gone)["Cause"], "16")
        await self.pause(0.1)
        await self.failing(NotFound, channel.get())
        self.assertEqual(
            [event.type for event in events],
            [
                "StasisStart",
                "ChannelStateChange",
                "PlaybackStarted",
                "PlaybackFinished",
                "ChannelHangupRequest",
                "StasisEnd",
            ],
        )

    async def test_script(self) -> None:
        """A script answers, plays, gathers a key, and reads what the dialplan has set."""
        result: Deferred[list[object]] = Deferred()

        async def script(call: Call) -> None:
            await call.answer()
            played = await call.play("sound:beep")
            key = await call.gather(max_digits=1, timeout=5)
            await call.set_variable("COLOUR", "blue, green")
            colour = await call.get_variable("COLOUR")
            result.callback([played, key, await call.get_variable("NOSUCH"), colour])

        await self.serve(script)
        ended = self.ami.next("Hangup", Uniqueid="in", timeout=SOON)
        await self.call(
            self.ami,
            "digits",
            Context="txasterisk",
            Exten="stasis",
            Priority=1,
            ChannelId="in",
            Variable={"__DIGITS": "7", "STASIS_APP": "ivr"},
        )
        played, key, unset, colour = await self.soon(result)
        self.assertEqual((played, key, unset), ("done", "7", None))
        # Asterisk 16 says that a variable is set before it is.
        self.assertIn(
            colour, ("blue, green", None) if self.place.version == "16" else ("blue, green",)
        )
        await ended

    async def test_keys(self) -> None:
        """A key is told when it is released, with its duration."""
        client = await self.listening()
        keys = self.collect(client)
        second = client.next("ChannelDtmfReceived", digit="#", timeout=SOON)
        await self.call(
            self.ami,
            "digits",
            Context="txasterisk",
            Exten="stasis",
            Priority=1,
            Variable={"__DIGITS": "1#", "STASIS_APP": "ivr"},
        )
        await second
        heard = [e for e in keys if isinstance(e, models.ChannelDtmfReceived)]
        self.assertEqual([(e.digit, e.duration_ms) for e in heard], [("1", 100), ("#", 100)])

    async def test_sent_keys(self) -> None:
        """Keys that an application presses are heard by the caller."""
        client = await self.listening()
        started = client.next("StasisStart", timeout=SOON)
        heard = self.ami.next("DTMFEnd", Uniqueid="caller-in", timeout=SOON)
        await self.enter()
        await started
        await client.channels.answer("in")
        await client.channels.send_dtmf("in", dtmf="5")
        self.assertEqual((await heard)["Digit"], "5")
        error = await self.failing(BadRequest, client.channels.send_dtmf("in"))
        self.assertEqual(error.message, "DTMF is required")

    async def test_continue(self) -> None:
        """A call that is let go continues at the next priority of the dialplan."""
        client = await self.listening()
        started = client.next("StasisStart", timeout=SOON)
        ended = client.next("StasisEnd", timeout=SOON)
        done = self.ami.next("UserEvent", UserEvent="StasisDone", timeout=SOON)
        await self.enter()
        await started
        await client.channel("in").continue_in_dialplan()
        await ended
        self.assertEqual((await done)["Status"], "SUCCESS")

    async def test_continue_elsewhere(self) -> None:
        """A call that is let go may continue at another extension."""
        client = await self.listening()
        started = client.next("StasisStart", timeout=SOON)
        following = Following(self.ami, "in")
        gone = self.ami.next("Hangup", Uniqueid="in", timeout=SOON)
        await self.enter()
        await started
        channel = client.channel("in")
        await channel.continue_in_dialplan(context="txasterisk", extension="hangup", priority=1)
        await gone
        names = following.names("in")
        self.assertEqual(
            names[names.index("VarSet STASISSTATUS=SUCCESS") :],
            [
                "VarSet STASISSTATUS=SUCCESS",
                "Newexten hangup Answer",
                "Newstate Up",
                "Newexten hangup Hangup",
                "SoftHangupRequest 16",
                "Newexten h ExecIf",
                "Hangup 16",
            ],
        )

    async def test_caller_hangs_up(self) -> None:
        """When the caller hangs up, what is played and what is queued fails, and the call ends."""
        client = await self.listening()
        events = self.collect(client)
        started = client.next("StasisStart", timeout=SOON)
        playing = client.next("PlaybackStarted", timeout=SOON)
        ended = client.next("StasisEnd", timeout=SOON)
        await self.enter()
        await started
        channel = client.channel("in")
        await channel.answer()
        await channel.play(client.playback("long"), "sound:demo-congrats")
        await channel.play(client.playback("short"), "sound:beep")
        await playing
        await client.channels.hangup("caller-in")
        await ended
        self.assertEqual(
            [_told(event) for event in events],
            [
                "StasisStart in",
                "ChannelStateChange in",
                "PlaybackStarted long playing",
                "ChannelHangupRequest in",
                "PlaybackFinished long failed",
                "PlaybackStarted short playing",
                "PlaybackFinished short failed",
                "StasisEnd in",
            ],
        )

    async def test_script_is_told_of_hangup(self) -> None:
        """A script learns of the hangup wherever it waits."""
        error: Deferred[BaseException] = Deferred()
        playing: Deferred[None] = Deferred()

        async def script(call: Call) -> None:
            await call.answer()
            playing.callback(None)
            try:
                await call.play("sound:demo-congrats")
            except BaseException as raised:
                error.callback(raised)
                raise

        client = await self.serve(script)
        await self.enter()
        await self.soon(playing)
        await client.channels.hangup("caller-in")
        self.assertIsInstance(await self.soon(error), HungUp)

    async def test_hangup_reason(self) -> None:
        """A call that is not answered may be refused with a reason, which the caller is told."""
        client = await self.listening()
        for reason, status in (("busy", "BUSY"), ("congestion", "CONGESTION")):
            started = client.next("StasisStart", timeout=SOON)
            dialled = self.ami.next("DialEnd", timeout=SOON)
            await self.enter(reason)
            await started
            await client.channel(reason).hangup(reason=reason)
            self.assertEqual((await dialled)["DialStatus"], status)

    async def test_channel_that_is_not_in_stasis(self) -> None:
        """A channel that is not with an application may be read and hung up, and nothing else."""
        client = await self.listening()
        await self.originate(self.ami, "answer", ChannelId="one", OtherChannelId="two")
        listed = {channel.id for channel in await client.channels.list()}
        self.assertLessEqual({"one", "two"}, listed)
        requests: list[Callable[[], Awaitable[object]]] = [
            lambda: client.channels.answer("two"),
            lambda: client.channels.continue_in_dialplan("two"),
            lambda: client.channels.play("two", media="sound:beep"),
        ]
        for request in requests:
            error = await self.failing(Conflict, request())
            self.assertEqual(error.message, "Channel not in Stasis application")
        await client.channels.hangup("one")

    # Playing

    async def start_playing(self) -> ARIClient:
        """Return a client with a call that is answered, as ``in``."""
        client = await self.listening()
        started = client.next("StasisStart", timeout=SOON)
        await self.enter()
        await started
        up = client.next("ChannelStateChange", timeout=SOON)
        await client.channels.answer("in")
        await up
        return client

    async def test_several_media(self) -> None:
        """Several media are one playback; one that is not there is passed over."""
        client = await self.start_playing()
        events = self.collect(client)
        playback = client.playback("p")
        finished = playback.next("PlaybackFinished", timeout=SOON)
        media = ["sound:beep", "sound:nosuch", "sound:beep"]
        queued = await client.channel("in").play(playback, media)
        self.assertEqual(queued.next_media_uri, "sound:nosuch")
        await finished
        self.assertEqual(
            [_told(event) for event in events],
            [
                "PlaybackStarted p playing",
                "PlaybackContinuing p continuing",
                "PlaybackStarted p playing",
                "PlaybackContinuing p continuing",
                "PlaybackStarted p playing",
                "PlaybackFinished p done",
            ],
        )

    async def test_missing_sound(self) -> None:
        """A sound that is not there is a playback that fails."""
        client = await self.start_playing()
        playback = client.playback("p")
        finished = playback.next("PlaybackFinished", timeout=SOON)
        await client.channel("in").play(playback, "sound:nosuch")
        self.assertEqual(_told(await finished), "PlaybackFinished p failed")

    async def test_unknown_media(self) -> None:
        """What Asterisk cannot play begins and is gone, without a word about its end."""
        client = await self.start_playing()
        events = self.collect(client)
        started = client.next("PlaybackStarted", timeout=SOON)
        await client.channel("in").play(client.playback("p"), "bogus:x")
        await started
        await self.pause(0.1)
        await self.failing(NotFound, client.playback("p").get())
        self.assertEqual([_told(event) for event in events], ["PlaybackStarted p playing"])

    async def test_stop_playback(self) -> None:
        """A playback may be stopped, also one that still waits, and is then done."""
        client = await self.start_playing()
        events = self.collect(client)
        playing = client.next("PlaybackStarted", timeout=SOON)
        channel, first, second = client.channel("in"), client.playback("1"), client.playback("2")
        await channel.play(first, "sound:demo-congrats")
        await channel.play(second, "sound:beep")
        await playing
        self.assertEqual((await first.get()).state, "playing")
        self.assertEqual((await second.get()).state, "queued")
        both = gatherResults(
            [each.next("PlaybackFinished", timeout=SOON) for each in (first, second)]
        )
        await second.stop()
        await first.stop()
        await both
        self.assertEqual(
            [_told(event) for event in events],
            ["PlaybackStarted 1 playing", "PlaybackFinished 1 done", "PlaybackFinished 2 done"],
        )

    # Variables

    async def test_variables(self) -> None:
        """A variable of a channel is set, told, and read; so are functions."""
        client = await self.start_playing()
        channel = client.channel("in")
        value = 'a,b "c" größe ☎'
        told = client.next("ChannelVarset", variable="TXARI", timeout=SOON)
        await channel.set_variable("TXARI", value)
        self.assertEqual(cast(models.ChannelVarset, await told).value, value)
        self.assertEqual((await channel.get_variable("TXARI")).value, value)
        self.assertEqual((await channel.get_variable("CHANNEL(state)")).value, "Up")
        error = await self.failing(NotFound, channel.get_variable("TXNOSUCH"))
        self.assertEqual(error.message, "Provided variable was not found")

    # Calling

    async def test_originate(self) -> None:
        """A channel is made, dialled, and enters the application when it is answered."""
        client = await self.listening()
        events = self.collect(client)
        started = client.next("StasisStart", timeout=SOON)
        made = await client.channel("out").originate(
            endpoint="Local/hangup@txasterisk",
            app="ivr",
            app_args="z,y",
            caller_id='"Bo" <88>',
            variables={"TXARI": "q"},
        )
        self.assertEqual((made.id, made.state), ("out", "Down"))
        self.assertEqual((made.caller.name, made.caller.number), ("Bo", "88"))
        gone = gatherResults(
            [
                client.channel(name).next("ChannelDestroyed", timeout=SOON)
                for name in ("out", "out;2")
            ]
        )
        start = cast(models.StasisStart, await started)
        self.assertEqual((start.args, start.channel.state), (["z", "y"], "Up"))
        await gone
        self.assertEqual(
            [_told(event) for event in events if _of(event, "out")],
            [
                "Dial ",
                "ChannelStateChange out",
                "Dial ANSWER",
                "ChannelVarset STASISSTATUS=",
                "StasisStart out",
                "ChannelHangupRequest out",
                "StasisEnd out",
                "ChannelVarset STASISSTATUS=SUCCESS",
                "ChannelDestroyed 16",
            ],
        )
        self.assertEqual(
            [_told(event) for event in events if _of(event, "out;2")],
            [
                "ChannelVarset TXARI=q",
                "ChannelCallerId out;2",
                "ChannelConnectedLine out;2",
                "ChannelDialplan Answer",
                "ChannelStateChange out;2",
                "ChannelDialplan Hangup",
                "ChannelHangupRequest out;2",
                "ChannelDialplan ExecIf",
                "ChannelDestroyed 16",
            ],
        )

    async def test_id_in_use(self) -> None:
        """The id of a channel that there is cannot be given to another one."""
        client = await self.listening()
        started = client.next("StasisStart", timeout=SOON)
        channel = client.channel("out")
        await channel.originate(endpoint="Local/answer@txasterisk", app="ivr")
        error = await self.failing(
            Conflict, channel.originate(endpoint="Local/answer@txasterisk", app="ivr")
        )
        self.assertEqual(error.message, "Channel with given unique ID already exists")
        await started

    async def test_originate_that_fails(self) -> None:
        """A channel that is not answered never enters the application; its end says why."""
        client = await self.listening()
        for extension, statuses in (
            ("busy", ["Dial ", "Dial BUSY"]),
            ("congestion", ["Dial ", "Dial CONGESTION"]),
            ("noanswer", ["Dial ", "Dial RINGING"]),
            ("nosuch", []),
        ):
            events = self.collect(client)
            channel = client.channel(extension)
            gone = channel.next("ChannelDestroyed", timeout=SOON)
            endpoint = f"Local/{extension}@txasterisk"
            await channel.originate(endpoint=endpoint, app="ivr", timeout=1)
            await gone
            told = [_told(event) for event in events if _of(event, extension)]
            self.assertEqual([each for each in told if each.startswith("Dial ")], statuses)
            self.assertNotIn(f"StasisStart {extension}", told)

    async def test_originate_to_an_extension(self) -> None:
        """A channel may go to an extension instead of an application."""
        client = await self.listening()
        gone = self.ami.next("Hangup", Uniqueid="out", timeout=SOON)
        await client.channel("out").originate(
            endpoint="Local/answer@txasterisk", context="txasterisk", extension="hangup"
        )
        self.assertEqual((await gone)["Cause"], "16")

    async def test_two_calls(self) -> None:
        """Two calls at once do not disturb each other."""
        both: Deferred[None] = Deferred()
        calls: dict[str, object] = {}

        async def script(call: Call) -> None:
            await call.answer()
            calls[call.channel.id] = None
            if len(calls) == 2:
                both.callback(None)
            await both
            calls[call.channel.id] = await call.play("sound:beep")

        await self.serve(script)
        ended = gatherResults(
            [self.ami.next("Hangup", Uniqueid=name, timeout=SOON) for name in ("a", "b")]
        )
        await self.enter("a")
        await self.enter("b")
        await ended
        self.assertEqual(calls, {"a": "done", "b": "done"})


def _of(event: models.Event, channel_id: str) -> bool:
    """Tell whether an event is about a channel."""
    about = getattr(event, "channel", None) or getattr(event, "peer", None)
    return isinstance(about, models.Channel) and about.id == channel_id


def _told(event: models.Event) -> str:
    """Say in short what an event tells."""
    match event:
        case (
            models.PlaybackStarted(playback=playback)
            | models.PlaybackContinuing(playback=playback)
            | models.PlaybackFinished(playback=playback)
        ):
            return f"{event.type} {playback.id} {playback.state}"
        case models.Dial(dialstatus=status):
            return f"Dial {status}"
        case models.ChannelDialplan(dialplan_app=application):
            return f"ChannelDialplan {application}"
        case models.ChannelVarset(variable=variable, value=value):
            return f"ChannelVarset {variable}={value}"
        case models.ChannelDestroyed(cause=cause):
            return f"ChannelDestroyed {cause}"
    channel = getattr(event, "channel", None)
    return f"{event.type} {channel.id if isinstance(channel, models.Channel) else ''}"
