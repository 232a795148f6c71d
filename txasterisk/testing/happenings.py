"""
What happens in the switchboard, as plain values.

The switchboard knows no wire: whoever listens, AMI or ARI, says it in the words of its own. It is
told at the very moment, so the channel is as the happening says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .channel import Channel

__all__ = [
    "AGICommandBegan",
    "AGICommandEnded",
    "AsyncAGIBegan",
    "AsyncAGICommandAnswered",
    "AsyncAGIEnded",
    "CallerIdentified",
    "ChannelCreated",
    "ChannelGone",
    "ConnectedLineIdentified",
    "DialBegan",
    "DialEnded",
    "DialProgressed",
    "DigitBegan",
    "DigitEnded",
    "HangupRequested",
    "Happening",
    "LocalBridged",
    "SoftHangupRequested",
    "StateChanged",
    "Stepped",
    "UserEventSent",
    "VariableSet",
]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened to a channel; only global variables have none."""

    channel: Channel | None


@dataclass(frozen=True, slots=True)
class OfChannel(Happening):
    """Something happened to this very channel."""

    channel: Channel


class ChannelCreated(OfChannel):
    """There is a new channel."""


class CallerIdentified(OfChannel):
    """The channel was told its caller id."""


class ConnectedLineIdentified(OfChannel):
    """The channel was told to whom it is connected."""


class StateChanged(OfChannel):
    """The channel has another state."""


class Stepped(OfChannel):
    """The channel came to its application in the dialplan."""


class ChannelGone(OfChannel):
    """The channel is no more."""


@dataclass(frozen=True, slots=True)
class VariableSet(Happening):
    """A variable was set, of a channel or of all."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class LocalBridged(OfChannel):
    """The two halves of a local channel were joined."""

    other: Channel
    optimized: bool


@dataclass(frozen=True, slots=True)
class DialBegan(OfChannel):
    """The channel is being called."""

    dial_string: str


@dataclass(frozen=True, slots=True)
class DialProgressed(OfChannel):
    """The channel that is being called says how far it is."""

    status: str


@dataclass(frozen=True, slots=True)
class DialEnded(OfChannel):
    """The channel that was being called says how it ended."""

    status: str


@dataclass(frozen=True, slots=True)
class DigitBegan(OfChannel):
    """A key was pressed at the other end."""

    digit: str


@dataclass(frozen=True, slots=True)
class DigitEnded(OfChannel):
    """A key was released at the other end, after some milliseconds."""

    digit: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class HangupRequested(OfChannel):
    """The other end hung up."""

    cause: int


@dataclass(frozen=True, slots=True)
class SoftHangupRequested(OfChannel):
    """The channel was asked to hang up; ``flag`` is Asterisk's number for by whom."""

    flag: int


@dataclass(frozen=True, slots=True)
class UserEventSent(OfChannel):
    """The dialplan sent an event of its own."""

    name: str
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AGICommandBegan(OfChannel):
    """An AGI command arrived."""

    command_id: int
    command: str


@dataclass(frozen=True, slots=True)
class AGICommandEnded(OfChannel):
    """An AGI command was answered."""

    command_id: int
    command: str
    code: int
    result: str


@dataclass(frozen=True, slots=True)
class AsyncAGIBegan(OfChannel):
    """The channel waits for commands from AMI."""

    environment: str


@dataclass(frozen=True, slots=True)
class AsyncAGICommandAnswered(OfChannel):
    """A command from AMI was answered."""

    answer: str
    command_id: str


class AsyncAGIEnded(OfChannel):
    """The channel waits for commands from AMI no more."""
