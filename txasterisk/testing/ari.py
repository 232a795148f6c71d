"""
What the requests of ARI do to the switchboard, and what they answer; the wire is in
:mod:`txasterisk.testing.web`.

An operation is given the parameters of path, query and body together. It returns what goes into
the answer's JSON, or raises the :class:`Refusal` that Asterisk would answer with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from uuid import uuid4

from twisted.internet.defer import Deferred

from ._names import TECHNOLOGIES
from .applications import execute
from .channel import DOWN, RINGING, CallerID, Channel, refuse_function
from .dialplan import Goto, run_dialplan
from .happenings import SoftHangupRequested
from .not_faked import NotFaked
from .stasis import JSON, Control, Playback, Stasis, timestamp
from .switchboard import RING_TIME, LocalAddress, Switchboard, UniqueidTaken

__all__ = ["ARI", "FAKED", "Created", "Operation", "Parameters", "Refusal"]

#: Asterisk's number for: a program asked for the hangup.
BY_REQUEST: Final = 32

_REASONS: Final = {
    "normal": 16,
    "busy": 17,
    "congestion": 34,
    "no_answer": 19,
    "timeout": 18,
    "rejected": 21,
    "unallocated": 1,
    "normal_unspecified": 31,
    "number_incomplete": 28,
    "codec_mismatch": 58,
    "interworking": 127,
    "failure": 38,
    "answered_elsewhere": 26,
}

Parameters: TypeAlias = "dict[str, Any]"


class Refusal(Exception):
    """The answer is this status, with Asterisk's own words."""

    def __init__(self, status: int, message: str, key: str = "message") -> None:
        super().__init__(message)
        self.status = status
        self.body = {key: message}


class Created(dict[str, Any]):
    """A result that is answered with 201, and its path."""

    def __init__(self, path: str, result: Mapping[str, Any]) -> None:
        super().__init__(result)
        self.path = path


class ARI:
    """
    ARI of one switchboard.

    :param switchboard: where the calls are.
    :param stasis: the applications.
    :param version: what Asterisk calls itself.
    """

    def __init__(self, switchboard: Switchboard, stasis: Stasis, version: str) -> None:
        self.switchboard = switchboard
        self.stasis = stasis
        self.version = version

    # The resource asterisk

    def get_info(self, parameters: Parameters) -> JSON:
        """GET /asterisk/info."""
        started = timestamp(self.switchboard.started)
        info: JSON = {
            "build": {
                "os": "Linux",
                "kernel": "unknown",
                "machine": "unknown",
                "options": "",
                "date": "",
                "user": "nobody",
            },
            "system": {"version": self.version, "entity_id": self.stasis.entity_id},
            "config": {
                "name": "",
                "default_language": "en",
                "setid": {"user": "", "group": ""},
                "max_open_files": 8192,
            },
            "status": {"startup_time": started, "last_reload_time": started},
        }
        only = _texts(parameters.get("only"))
        return {name: part for name, part in info.items() if not only or name in only}

    def ping(self, parameters: Parameters) -> JSON:
        """GET /asterisk/ping."""
        now = timestamp(self.switchboard.clock.seconds())
        return {"ping": "pong", "timestamp": now, "asterisk_id": self.stasis.entity_id}

    def get_global(self, parameters: Parameters) -> JSON:
        """GET /asterisk/variable."""
        name = _variable_name(parameters)
        refuse_function(name)
        return {"value": self.switchboard.globals.get(name, "")}

    def set_global(self, parameters: Parameters) -> None:
        """POST /asterisk/variable."""
        name = _variable_name(parameters)
        refuse_function(name)
        self.switchboard.set_global(name, parameters.get("value") or "")

    # The resource applications

    def list_applications(self, parameters: Parameters) -> list[JSON]:
        """GET /applications."""
        return [self._application(name) for name in self.stasis.applications]

    def get_application(self, parameters: Parameters) -> JSON:
        """GET /applications/{applicationName}."""
        name = parameters["applicationName"]
        if name not in self.stasis.applications:
            raise Refusal(404, "Application not found")
        return self._application(name)

    def _application(self, name: str) -> JSON:
        application = self.stasis.applications[name]
        return {
            "name": name,
            "channel_ids": sorted({*application.inside, *application.followed}),
            "bridge_ids": [],
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [],
            "events_disallowed": [],
        }

    # The resource channels

    def list_channels(self, parameters: Parameters) -> list[JSON]:
        """GET /channels."""
        return [self.stasis.snapshot(each) for each in self.switchboard.channels.values()]

    def get_channel(self, parameters: Parameters) -> JSON:
        """GET /channels/{channelId}."""
        channel = self.switchboard.channels.get(parameters["channelId"])
        if channel is None:
            raise Refusal(404, "Channel not found")
        return self.stasis.snapshot(channel)

    def originate(self, parameters: Parameters) -> JSON:
        """POST /channels and POST /channels/{channelId}."""
        endpoint, app, extension = map(parameters.get, ("endpoint", "app", "extension"))
        if not endpoint:
            raise Refusal(400, "Endpoint must be specified")
        technology, slash, data = endpoint.partition("/")
        if not slash or not data:
            raise Refusal(400, "Invalid endpoint specified")
        if not app and not extension:
            raise Refusal(400, "Application or extension must be specified")
        for name in ("label", "originator", "formats"):
            if parameters.get(name):
                raise NotFaked(f"originating with {name}")
        if technology.lower() != "local":
            if technology.lower() in {name.lower() for name in TECHNOLOGIES}:
                raise NotFaked(f"channels of {technology}")
            raise Refusal(500, "Allocation failed", "error")
        return self._originate(LocalAddress.parse(data), parameters)

    def _originate(self, address: LocalAddress, parameters: Parameters) -> JSON:
        ids = parameters.get("channelId") or "", parameters.get("otherChannelId") or ""
        try:
            one = self.switchboard.create_local(address, *ids)
        except UniqueidTaken:
            raise Refusal(409, "Channel with given unique ID already exists")
        if parameters.get("callerId"):
            one.identify(CallerID.parse(parameters["callerId"]))
        for name, value in (parameters.get("variables") or {}).items():
            one.set(name, value if isinstance(value, str) else value["value"])
        app = parameters.get("app")
        if app and one.peer is not None:
            self.stasis.follow(app, one, one.peer)
        snapshot = self.stasis.snapshot(one)
        timeout = parameters.get("timeout") or RING_TIME
        seconds = 10.0**9 if timeout < 0 else timeout
        job = self._enter_application if app else self._enter_extension

        async def enter(channel: Channel) -> None:
            await job(channel, parameters)

        self.switchboard.originate(one, address, seconds, lambda _: None, enter)
        return snapshot

    async def _enter_application(self, channel: Channel, parameters: Parameters) -> None:
        arguments = parameters.get("appArgs")
        data = parameters["app"] + (f",{arguments}" if arguments else "")
        await execute(channel, "Stasis", data)

    async def _enter_extension(self, channel: Channel, parameters: Parameters) -> None:
        if parameters.get("priority") not in (None, 1):
            raise NotFaked("entering an extension at another priority than 1")
        channel.context = parameters.get("context") or "default"
        channel.exten = parameters["extension"]
        await run_dialplan(channel)

    def hang_up(self, parameters: Parameters) -> None:
        """DELETE /channels/{channelId}."""
        channel = self.switchboard.find(parameters["channelId"])
        if channel is None:
            raise Refusal(404, "Channel not found")
        if parameters.get("reason_code"):
            raise NotFaked("hanging up with a reason_code")
        cause = _REASONS.get(parameters.get("reason") or "normal")
        if cause is None:
            raise Refusal(400, "Invalid reason for hangup reason provided")
        self.switchboard.tell(SoftHangupRequested(channel, BY_REQUEST))
        channel.ask_hangup(cause)

    def answer(self, parameters: Parameters) -> None:
        """POST /channels/{channelId}/answer."""
        control = self._control_of_dialled(parameters)

        async def answer() -> None:
            control.channel.answer()

        control.add(answer)

    def ring(self, parameters: Parameters) -> None:
        """POST /channels/{channelId}/ring."""
        control = self._control_of_dialled(parameters)

        async def ring() -> None:
            control.channel.ring()

        control.add(ring)

    def continue_in_dialplan(self, parameters: Parameters) -> None:
        """POST /channels/{channelId}/continue."""
        control = self._control_of_dialled(parameters)
        channel = control.channel
        if not channel.in_dialplan:
            raise NotFaked("continuing in the dialplan with a channel that was never in it")
        if parameters.get("label") or parameters.get("priority") not in (None, 1):
            raise NotFaked("continuing at another priority than 1")
        context, extension = parameters.get("context"), parameters.get("extension")
        goto = None
        if context or extension:
            goto = Goto(context or channel.context, extension or channel.exten)
        control.leave(goto)

    def play(self, parameters: Parameters) -> JSON:
        """POST /channels/{channelId}/play and .../play/{playbackId}."""
        control = self._control_of_dialled(parameters)
        media = _texts(parameters.get("media"))
        if not media:
            raise Refusal(500, "Failed to queue media for playback")
        if parameters.get("offsetms") or parameters.get("skipms"):
            raise NotFaked("playing with offsetms or skipms")
        channel = control.channel
        name = parameters.get("playbackId") or str(uuid4())
        playback = Playback(name, channel, media, parameters.get("lang") or channel.language)
        created = Created(f"/ari/playbacks/{name}", playback.as_json())
        self.stasis.play(control, playback)
        return created

    def send_dtmf(self, parameters: Parameters) -> None:
        """POST /channels/{channelId}/dtmf."""
        control = self._control_of_dialled(parameters)
        digits = parameters.get("dtmf")
        if not digits:
            raise Refusal(400, "DTMF is required")
        before, after = parameters.get("before", 0), parameters.get("after", 0)
        between, duration = parameters.get("between", 100), parameters.get("duration", 100)
        if duration != 100:
            raise NotFaked("keys pressed for another time than 100 milliseconds")

        async def send() -> None:
            await control.channel.wait(before / 1000)
            await control.channel.send_digits(digits, pause=between / 1000)
            await control.channel.wait(after / 1000)

        control.add(send)

    def get_variable(self, parameters: Parameters) -> JSON:
        """GET /channels/{channelId}/variable."""
        channel = self.switchboard.find(parameters["channelId"])
        name = _variable_name(parameters)
        if channel is None:
            raise Refusal(404, "Provided channel was not found")
        value = channel.get(name)
        if value is None and name.endswith(")"):
            raise Refusal(500, "Unable to read provided function")
        if value is None:
            raise Refusal(404, "Provided variable was not found")
        return {"value": value}

    def set_variable(self, parameters: Parameters) -> Deferred[None]:
        """POST /channels/{channelId}/variable: answered when all before it is done."""
        name = _variable_name(parameters)
        control = self._control(parameters)
        if parameters.get("report_events"):
            raise NotFaked("variables with report_events")
        done: Deferred[None] = Deferred()

        async def set_it() -> None:
            control.channel.set(name, parameters.get("value") or "")
            done.callback(None)

        control.add(set_it)
        return done

    def _control(self, parameters: Parameters) -> Control:
        channel_id = parameters["channelId"]
        if self.switchboard.find(channel_id) is None:
            raise Refusal(404, "Channel not found")
        control = self.stasis.controls.get(channel_id)
        if control is None:
            raise Refusal(409, "Channel not in Stasis application")
        return control

    def _control_of_dialled(self, parameters: Parameters) -> Control:
        control = self._control(parameters)
        if control.channel.state in (DOWN, RINGING):
            raise Refusal(412, "Channel in invalid state")
        return control

    # The resource playbacks

    def get_playback(self, parameters: Parameters) -> JSON:
        """GET /playbacks/{playbackId}."""
        return self._playback(parameters).as_json()

    def stop_playback(self, parameters: Parameters) -> None:
        """DELETE /playbacks/{playbackId}."""
        self.stasis.stop(self._playback(parameters))

    def _playback(self, parameters: Parameters) -> Playback:
        playback = self.stasis.playbacks.get(parameters["playbackId"])
        if playback is None:
            raise Refusal(404, "Playback not found")
        return playback


#: Takes the parameters of path, query and body; may return a Deferred.
Operation: TypeAlias = "Callable[[ARI, Parameters], object]"

#: The operations by method and path.
FAKED: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/applications"): ARI.list_applications,
    ("GET", "/applications/{applicationName}"): ARI.get_application,
    ("GET", "/asterisk/info"): ARI.get_info,
    ("GET", "/asterisk/ping"): ARI.ping,
    ("GET", "/asterisk/variable"): ARI.get_global,
    ("POST", "/asterisk/variable"): ARI.set_global,
    ("GET", "/channels"): ARI.list_channels,
    ("POST", "/channels"): ARI.originate,
    ("GET", "/channels/{channelId}"): ARI.get_channel,
    ("POST", "/channels/{channelId}"): ARI.originate,
    ("DELETE", "/channels/{channelId}"): ARI.hang_up,
    ("POST", "/channels/{channelId}/answer"): ARI.answer,
    ("POST", "/channels/{channelId}/continue"): ARI.continue_in_dialplan,
    ("POST", "/channels/{channelId}/dtmf"): ARI.send_dtmf,
    ("POST", "/channels/{channelId}/play"): ARI.play,
    ("POST", "/channels/{channelId}/play/{playbackId}"): ARI.play,
    ("POST", "/channels/{channelId}/ring"): ARI.ring,
    ("GET", "/channels/{channelId}/variable"): ARI.get_variable,
    ("POST", "/channels/{channelId}/variable"): ARI.set_variable,
    ("GET", "/playbacks/{playbackId}"): ARI.get_playback,
    ("DELETE", "/playbacks/{playbackId}"): ARI.stop_playback,
}


def _variable_name(parameters: Parameters) -> str:
    name = parameters.get("variable")
    if not name or not isinstance(name, str):
        raise Refusal(400, "Variable name is required")
    return name


def _texts(value: object) -> list[str]:
    """Return a list as it came, in JSON or in the query."""
    if isinstance(value, str):
        return value.split(",") if value else []
    return [str(each) for each in value] if isinstance(value, list) else []
