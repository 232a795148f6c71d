"""AGI: a script for each call, whatever carries its commands."""

from .._status import STATUS_VARIABLE
from .messages import LONG_LINE, SAFE_LINE, Command, Environment, Reply
from .protocol import FastAGIFactory, FastAGIProtocol
from .routes import Routes
from .script import OnHangup, Script, Status
from .service import FastAGIService
from .session import AGISession, Carrier, Digits, Played

__all__ = [
    "LONG_LINE",
    "SAFE_LINE",
    "STATUS_VARIABLE",
    "AGISession",
    "Carrier",
    "Command",
    "Digits",
    "Environment",
    "FastAGIFactory",
    "FastAGIProtocol",
    "FastAGIService",
    "OnHangup",
    "Played",
    "Reply",
    "Routes",
    "Script",
    "Status",
]
