"""AGI: a script for each call, whatever carries its commands."""

from .._status import STATUS_VARIABLE
from .asyncagi import AsyncAGI, AsyncAGIService
from .audio import Audio, AudioFormat
from .dialling import Dialled, DialStatus
from .gathering import Prompt, Validity
from .messages import LONG_LINE, SAFE_LINE, Command, Environment, Reply
from .process import run
from .protocol import FastAGIFactory, FastAGIProtocol
from .recording import Recording
from .results import (
    ChannelState,
    Controlled,
    Digits,
    Played,
    Recognized,
    Recorded,
    Utterance,
)
from .routes import Routes
from .say import Counted, Digitwise, Moment, Phonetic, Sayable, Spelled
from .script import OnHangup, Script, Status
from .service import FastAGIService
from .session import AGISession, Carrier

__all__ = [
    "LONG_LINE",
    "SAFE_LINE",
    "STATUS_VARIABLE",
    "AGISession",
    "AsyncAGI",
    "AsyncAGIService",
    "Audio",
    "AudioFormat",
    "Carrier",
    "ChannelState",
    "Command",
    "Controlled",
    "Counted",
    "DialStatus",
    "Dialled",
    "Digits",
    "Digitwise",
    "Environment",
    "FastAGIFactory",
    "FastAGIProtocol",
    "FastAGIService",
    "Moment",
    "OnHangup",
    "Phonetic",
    "Played",
    "Prompt",
    "Recognized",
    "Recorded",
    "Recording",
    "Reply",
    "Routes",
    "Sayable",
    "Script",
    "Spelled",
    "Status",
    "Utterance",
    "Validity",
    "run",
]
