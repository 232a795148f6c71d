"""
Stasis: the applications of ARI, the calls that are with them, and what is played there.

Each call has a queue of commands, which run one after the other. An application is told what
happens to its calls, in the form that goes into JSON; how that gets to it is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from ..errors import HungUp
from .applications import separate
from .channel import CallerID, Channel, cause_text
from .dialplan import Goto
from .happenings import (
    CallerIdentified,
    ChannelGone,
    ConnectedLineIdentified,
    DialBegan,
    DialEnded,
    DialProgressed,
    DigitEnded,
    HangupRequested,
    Happening,
    SoftHangupRequested,
    StateChanged,
    Stepped,
    UserEventSent,
    VariableSet,
)
from .not_faked import NotFaked
from .switchboard import Switchboard

__all__ = ["Application", "Control", "Playback", "Stasis"]

JSON: TypeAlias = "dict[str, Any]"
Send = Callable[[JSON], None]

#: What ARI plays besides sounds.
_OTHER_MEDIA: Final = ("recording", "number", "digits", "characters", "tone")


@dataclass
class Application:
    """
    An application, as long as somebody listens or calls are with it.

    :ivar send: takes its events; None while nobody listens.
    :ivar inside: the ids of the channels that are with it.
    :ivar followed: the ids of those that were made for it, which it follows to their end.
    """

    name: str
    send: Send | None = None
    inside: dict[str, None] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)

    def hears(self, channel_id: str) -> bool:
        """Tell whether the application is told what happens to a channel."""
        return self.send is not None and (channel_id in self.inside or channel_id in self.followed)


@dataclass
class Playback:
    """
    Something to be played on a channel.

    :ivar state: ``queued``, ``playing``, ``continuing``, ``done`` or ``failed``.
    :ivar stopped: whether somebody asked for its end.
    """

    id: str
    channel: Channel
    media: Sequence[str]
    language: str
    state: str = "queued"
    stopped: bool = False
    at: int = 0

    def as_json(self) -> JSON:
        """Return the model of ARI."""
        found: JSON = {"id": self.id, "media_uri": self.media[self.at]}
        if self.at + 1 < len(self.media):
            found["next_media_uri"] = self.media[self.at + 1]
        target = f"channel:{self.channel.uniqueid}"
        return found | {"target_uri": target, "language": self.language, "state": self.state}


class Control:
    """
    The queue of commands of a channel that is with an application.

    :param channel: the channel.
    :param application: where it is.
    """

    def __init__(self, channel: Channel, application: Application) -> None:
        self.channel = channel
        self.application = application
        self.leaving = False
        self.goto: Goto | None = None
        self._commands: deque[Callable[[], Awaitable[None]]] = deque()
        self._idle = False

    def add(self, command: Callable[[], Awaitable[None]]) -> None:
        """Run a command when all before it are done."""
        self._commands.append(command)
        if self._idle:
            self.channel.signal(None)

    def leave(self, goto: Goto | None) -> None:
        """Leave the application when all before is done, and go on in the dialplan."""

        async def leave() -> None:
            self.leaving, self.goto = True, goto

        self.add(leave)

    async def run(self) -> None:
        """Do what is asked for, until it is to leave or the caller hangs up."""
        try:
            while not self.leaving:
                await self._next()
        except HungUp:
            await self._run_rest()
            raise

    async def _next(self) -> None:
        if self._commands:
            await self._commands.popleft()()
            return
        self._idle = True
        try:
            await self.channel.wait(None)
        finally:
            self._idle = False

    async def _run_rest(self) -> None:
        """Let what is still queued fail one by one."""
        while self._commands:
            try:
                await self._commands.popleft()()
            except HungUp:
                pass


class Stasis:
    """
    All applications of one switchboard.

    :param switchboard: where the channels are.
    :param entity_id: what every event calls this Asterisk.
    """

    def __init__(self, switchboard: Switchboard, entity_id: str) -> None:
        self._switchboard = switchboard
        self.entity_id = entity_id
        self.applications: dict[str, Application] = {}
        self.controls: dict[str, Control] = {}
        self.playbacks: dict[str, Playback] = {}
        switchboard.listen(self._heard)

    # Applications

    def register(self, name: str, send: Send) -> None:
        """Have an application's events sent here; who had them before is told."""
        application = self.applications.setdefault(name, Application(name))
        if application.send is not None:
            self._send(application, "ApplicationReplaced", {})
        application.send = send

    def unregister(self, name: str, send: Send) -> None:
        """Take note that nobody listens here any more."""
        application = self.applications.get(name)
        if application is not None and application.send == send:
            application.send = None
            self._drop_unused(application)

    def follow(self, name: str, *channels: Channel) -> None:
        """Tell an application of these channels to their ends."""
        application = self.applications.get(name)
        if application is not None:
            application.followed.update(channel.uniqueid for channel in channels)

    def _drop_unused(self, application: Application) -> None:
        if application.send is None and not application.inside and not application.followed:
            self.applications.pop(application.name, None)

    # Calls

    async def application(self, channel: Channel, data: str) -> int:
        """Do what ``Stasis(name,arguments)`` does in the dialplan."""
        name, *arguments = separate(data)
        await self.enter(channel, name, arguments)
        return 0

    async def enter(self, channel: Channel, name: str, arguments: list[str]) -> None:
        """
        Hand a channel to an application, until that lets it go.

        :raises Goto: it is to go on elsewhere.
        :raises HungUp: it has hung up.
        """
        channel.set("STASISSTATUS", "")
        application = self.applications.get(name)
        if application is None or application.send is None:
            channel.set("STASISSTATUS", "FAILED")
            return
        control = self.controls[channel.uniqueid] = Control(channel, application)
        application.inside[channel.uniqueid] = None
        snapshot = self.snapshot(channel)
        self._send(application, "StasisStart", {"args": arguments, "channel": snapshot})
        try:
            await control.run()
        finally:
            self._leave(control)
        if control.goto is not None:
            raise control.goto

    def _leave(self, control: Control) -> None:
        channel, application = control.channel, control.application
        del self.controls[channel.uniqueid]
        self._send(application, "StasisEnd", {"channel": self.snapshot(channel)})
        del application.inside[channel.uniqueid]
        if control.goto is not None:
            channel.context, channel.exten = control.goto.context, control.goto.exten
            channel.priority = 0
            self._switchboard.tell(Stepped(channel))
        channel.set("STASISSTATUS", "SUCCESS")
        self._drop_unused(application)

    # Playing

    def play(self, control: Control, playback: Playback) -> None:
        """Play something when all before it is done."""
        self.playbacks[playback.id] = playback
        control.add(partial(self._play, control.application, playback))

    def stop(self, playback: Playback) -> None:
        """End a playback, also one that has not begun."""
        playback.stopped = True
        if playback.state == "playing":
            playback.channel.signal(None)

    async def _play(self, application: Application, playback: Playback) -> None:
        tell = partial(self._tell_of_playback, application, playback)
        state = "done"
        try:
            for at, medium in enumerate(playback.media):
                if playback.stopped:
                    break
                playback.at = at
                tell("PlaybackStarted", "playing")
                scheme, _, name = medium.partition(":")
                if scheme != "sound":
                    # Seen: it is over and gone, and nobody is told.
                    _refuse_media(medium)
                    del self.playbacks[playback.id]
                    return
                state = await self._play_sound(playback.channel, name)
                if playback.at + 1 < len(playback.media) and not playback.stopped:
                    tell("PlaybackContinuing", "continuing")
        except HungUp:
            state = "failed"
            raise
        finally:
            if self.playbacks.pop(playback.id, None) is not None:
                tell("PlaybackFinished", state)

    async def _play_sound(self, channel: Channel, name: str) -> str:
        length = self._switchboard.sounds.get(name)
        if length is None:
            return "failed"
        await channel.wait(length)
        return "done"

    def _tell_of_playback(
        self, application: Application, playback: Playback, event: str, state: str
    ) -> None:
        playback.state = state
        self._send(application, event, {"playback": playback.as_json()})

    # Events

    def snapshot(self, channel: Channel) -> JSON:
        """Return a channel as ARI shows it."""
        return {
            "id": channel.uniqueid,
            "name": channel.name,
            "state": channel.state_name,
            "protocol_id": "",
            "caller": _caller(channel.caller),
            "connected": _caller(channel.connected),
            "accountcode": channel.accountcode,
            "dialplan": {
                "context": channel.context,
                "exten": channel.exten,
                "priority": channel.priority,
                "app_name": channel.application,
                "app_data": channel.data,
            },
            "creationtime": timestamp(channel.created),
            "language": channel.language,
            "channelvars": {
                name: channel.get(name) or "" for name in self._switchboard.channelvars
            },
        }

    def _send(self, application: Application, event: str, fields: JSON) -> None:
        if application.send is not None:
            now = timestamp(self._switchboard.clock.seconds())
            common = {"asterisk_id": self.entity_id, "application": application.name}
            application.send({"type": event, "timestamp": now, **fields, **common})

    def _heard(self, happening: Happening) -> None:
        channel = happening.channel
        if channel is None:
            return
        hearing = [each for each in self.applications.values() if each.hears(channel.uniqueid)]
        if hearing:
            self._pass_on(happening, channel, hearing)
        if isinstance(happening, ChannelGone):
            for application in tuple(self.applications.values()):
                application.followed.discard(channel.uniqueid)
                self._drop_unused(application)

    def _pass_on(
        self, happening: Happening, channel: Channel, hearing: Sequence[Application]
    ) -> None:
        translate = _EVENTS.get(type(happening))
        if translate is None:
            return
        event, fields = translate(happening)
        subject = "peer" if event == "Dial" else "channel"
        for application in hearing:
            self._send(application, event, fields | {subject: self.snapshot(channel)})


def timestamp(seconds: float) -> str:
    """Return a time as ARI writes it."""
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"


def _caller(caller: CallerID) -> JSON:
    return {"name": caller.name, "number": caller.number}


def _refuse_media(medium: str) -> None:
    if medium.partition(":")[0] in _OTHER_MEDIA:
        raise NotFaked(f"playing {medium}")


def _dial(happening: DialBegan | DialProgressed | DialEnded) -> tuple[str, JSON]:
    status = "" if isinstance(happening, DialBegan) else happening.status
    address = happening.channel.name.partition("/")[2].rpartition("-")[0]
    return "Dial", {"dialstatus": status, "forward": "", "dialstring": address}


def _user_event(happening: UserEventSent) -> tuple[str, JSON]:
    said = {**dict(happening.headers), "eventname": happening.name}
    return "ChannelUserevent", {"eventname": happening.name, "userevent": said}


_EVENTS: Final[dict[type[Happening], Callable[[Any], tuple[str, JSON]]]] = {
    CallerIdentified: lambda _: (
        "ChannelCallerId",
        {
            "caller_presentation": 0,
            "caller_presentation_txt": "Presentation Allowed, Not Screened",
        },
    ),
    ChannelGone: lambda happening: (
        "ChannelDestroyed",
        {"cause": happening.channel.cause, "cause_txt": cause_text(happening.channel.cause)},
    ),
    ConnectedLineIdentified: lambda _: ("ChannelConnectedLine", {}),
    DialBegan: _dial,
    DialEnded: _dial,
    DialProgressed: _dial,
    DigitEnded: lambda happening: (
        "ChannelDtmfReceived",
        {"digit": happening.digit, "duration_ms": happening.milliseconds},
    ),
    HangupRequested: lambda happening: ("ChannelHangupRequest", {"cause": happening.cause}),
    SoftHangupRequested: lambda happening: (
        "ChannelHangupRequest",
        {"cause": happening.flag, "soft": True},
    ),
    StateChanged: lambda _: ("ChannelStateChange", {}),
    Stepped: lambda happening: (
        "ChannelDialplan",
        {
            "dialplan_app": happening.channel.application,
            "dialplan_app_data": happening.channel.data,
        },
    ),
    UserEventSent: _user_event,
    VariableSet: lambda happening: (
        "ChannelVarset",
        {"variable": happening.name, "value": happening.value},
    ),
}
