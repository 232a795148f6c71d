"""What happens in the switchboard, as AMI tells it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .channel import Channel, cause_text
from .happenings import (
    AGICommandBegan,
    AGICommandEnded,
    AsyncAGIBegan,
    AsyncAGICommandAnswered,
    AsyncAGIEnded,
    CallerIdentified,
    ChannelCreated,
    ChannelGone,
    ConnectedLineIdentified,
    DialBegan,
    DialEnded,
    DialProgressed,
    DigitBegan,
    DigitEnded,
    HangupRequested,
    Happening,
    LocalBridged,
    SoftHangupRequested,
    StateChanged,
    Stepped,
    UserEventSent,
    VariableSet,
)

__all__ = ["EVENTS_NOT_FAKED", "Headers", "snapshot", "told"]

Headers = list[tuple[str, str]]

#: What the fake never sends, although Asterisk does during a call.
EVENTS_NOT_FAKED: Final = frozenset(
    {"Cdr", "DeviceStateChange", "QueueMemberStatus", "SuccessfulAuth", "TestEvent"}
)

#: What VarSet of a global variable has in place of a channel.
_NO_CHANNEL: Final = [("Channel", "none"), ("Uniqueid", "none")]


def told(happening: Happening) -> tuple[str, str, Headers]:
    """Return an event's name, its class, and its headers."""
    event = _EVENTS[type(happening)]
    if happening.channel is None:
        headers = list(_NO_CHANNEL)
    else:
        headers = snapshot(happening.channel, event.prefix)
    if isinstance(happening, LocalBridged):
        headers += snapshot(happening.other, "LocalTwo")
    return event.name, event.event_class, [*headers, *event.headers(happening)]


def snapshot(channel: Channel, prefix: str = "") -> Headers:
    """Return a channel as events and lists show it."""
    headers = [
        ("Channel", channel.name),
        ("ChannelState", str(channel.state)),
        ("ChannelStateDesc", channel.state_name),
        ("CallerIDNum", channel.caller.number or "<unknown>"),
        ("CallerIDName", _escape(channel.caller.name) or "<unknown>"),
        ("ConnectedLineNum", channel.connected.number or "<unknown>"),
        ("ConnectedLineName", _escape(channel.connected.name) or "<unknown>"),
        ("Language", channel.language),
        ("AccountCode", channel.accountcode),
        ("Context", channel.context),
        ("Exten", channel.exten),
        ("Priority", str(channel.priority)),
        ("Uniqueid", channel.uniqueid),
        ("Linkedid", channel.linkedid),
    ]
    for name in channel.switchboard.channelvars:
        headers.append(("ChanVariable", f"{name}={_escape(channel.get(name) or '')}"))
    return [(prefix + name, value) for name, value in headers]


_ESCAPES: Final = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    "'": r"\'",
    '"': r"\"",
    "?": r"\?",
}


def _escape(text: str) -> str:
    """Write a value as C does, which Asterisk does to a few of them."""
    return re.sub("[\a\b\f\n\r\t\v\\\\'\"?]", lambda match: _ESCAPES[match[0]], text)


class _Told(NamedTuple):
    """
    How a happening is told.

    :ivar headers: returns what stands after the channel.
    :ivar prefix: of the headers that show the channel.
    """

    name: str
    event_class: str
    headers: Callable[[Any], Headers]
    prefix: str = ""


def _nothing_more(_: Happening) -> Headers:
    return []


def _caller_identified(_: CallerIdentified) -> Headers:
    return [("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")]


def _command_began(happening: AGICommandBegan) -> Headers:
    return [("CommandId", str(happening.command_id)), ("Command", happening.command)]


def _command_ended(happening: AGICommandEnded) -> Headers:
    return [
        ("CommandId", str(happening.command_id)),
        ("Command", happening.command),
        ("ResultCode", str(happening.code)),
        ("Result", happening.result),
    ]


def _async_agi_began(happening: AsyncAGIBegan) -> Headers:
    return [("Env", happening.environment)]


def _async_agi_command_answered(happening: AsyncAGICommandAnswered) -> Headers:
    marked = [("CommandId", happening.command_id)] if happening.command_id else []
    return [("Result", happening.answer), *marked]


def _dial_began(happening: DialBegan) -> Headers:
    return [("DialString", happening.dial_string)]


def _dial_status(happening: DialProgressed | DialEnded) -> Headers:
    return [("DialStatus", happening.status)]


def _digit_began(happening: DigitBegan) -> Headers:
    return [("Digit", happening.digit), ("Direction", "Received")]


def _digit_ended(happening: DigitEnded) -> Headers:
    milliseconds = str(happening.milliseconds)
    return [("Digit", happening.digit), ("DurationMs", milliseconds), ("Direction", "Received")]


def _gone(happening: ChannelGone) -> Headers:
    cause = happening.channel.cause
    return [("Cause", str(cause)), ("Cause-txt", cause_text(cause))]


def _hangup_requested(happening: HangupRequested) -> Headers:
    return [("Cause", str(happening.cause))]


def _local_bridged(happening: LocalBridged) -> Headers:
    optimization = "Yes" if happening.optimized else "No"
    channel = happening.channel
    return [
        ("Context", channel.context),
        ("Exten", channel.exten),
        ("LocalOptimization", optimization),
    ]


def _soft_hangup_requested(happening: SoftHangupRequested) -> Headers:
    return [("Cause", str(happening.flag))]


def _stepped(happening: Stepped) -> Headers:
    channel = happening.channel
    return [
        ("Extension", channel.exten),
        ("Application", channel.application),
        ("AppData", channel.data),
    ]


def _user_event(happening: UserEventSent) -> Headers:
    return [("UserEvent", happening.name), *happening.headers]


def _variable_set(happening: VariableSet) -> Headers:
    return [("Variable", happening.name), ("Value", _escape(happening.value))]


_EVENTS: Final[dict[type[Happening], _Told]] = {
    AGICommandBegan: _Told("AGIExecStart", "agi", _command_began),
    AGICommandEnded: _Told("AGIExecEnd", "agi", _command_ended),
    AsyncAGIBegan: _Told("AsyncAGIStart", "agi", _async_agi_began),
    AsyncAGICommandAnswered: _Told("AsyncAGIExec", "agi", _async_agi_command_answered),
    AsyncAGIEnded: _Told("AsyncAGIEnd", "agi", _nothing_more),
    CallerIdentified: _Told("NewCallerid", "call", _caller_identified),
    ChannelCreated: _Told("Newchannel", "call", _nothing_more),
    ChannelGone: _Told("Hangup", "call", _gone),
    ConnectedLineIdentified: _Told("NewConnectedLine", "call", _nothing_more),
    DialBegan: _Told("DialBegin", "call", _dial_began, "Dest"),
    DialEnded: _Told("DialEnd", "call", _dial_status, "Dest"),
    DialProgressed: _Told("DialState", "call", _dial_status, "Dest"),
    DigitBegan: _Told("DTMFBegin", "dtmf", _digit_began),
    DigitEnded: _Told("DTMFEnd", "dtmf", _digit_ended),
    HangupRequested: _Told("HangupRequest", "call", _hangup_requested),
    LocalBridged: _Told("LocalBridge", "call", _local_bridged, "LocalOne"),
    SoftHangupRequested: _Told("SoftHangupRequest", "call", _soft_hangup_requested),
    StateChanged: _Told("Newstate", "call", _nothing_more),
    Stepped: _Told("Newexten", "dialplan", _stepped),
    UserEventSent: _Told("UserEvent", "user", _user_event),
    VariableSet: _Told("VarSet", "dialplan", _variable_set),
}
