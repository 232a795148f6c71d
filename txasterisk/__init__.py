"""Everything that the Asterisk PBX speaks to programs, natively in Twisted."""

from typing import TYPE_CHECKING

from ._on_demand import on_demand

if TYPE_CHECKING:
    from .agi import (
        AGISession,
        AsyncAGI,
        AsyncAGIService,
        FastAGIFactory,
        FastAGIProtocol,
        FastAGIService,
    )
    from .ami import AMIFactory, AMIProtocol, AMIService, Event, Response
    from .ari import Application, ARIClient, ARIService, Call
    from .errors import (
        ActionFailed,
        AsteriskError,
        CallFailed,
        CommandFailed,
        Disconnected,
        EventsLost,
        HungUp,
        LoginRefused,
        NotFound,
        ProtocolError,
        Refused,
        RequestFailed,
        TimedOut,
    )
else:
    __getattr__ = on_demand(
        __name__,
        {
            "agi": "AGISession AsyncAGI AsyncAGIService FastAGIFactory FastAGIProtocol"
            " FastAGIService",
            "ami": "AMIFactory AMIProtocol AMIService Event Response",
            "ari": "ARIClient ARIService Application Call",
            "errors": "ActionFailed AsteriskError CallFailed CommandFailed Disconnected EventsLost"
            " HungUp LoginRefused NotFound ProtocolError Refused RequestFailed TimedOut",
        },
    )

__all__ = [
    "AGISession",
    "AMIFactory",
    "AMIProtocol",
    "AMIService",
    "ARIClient",
    "ARIService",
    "ActionFailed",
    "Application",
    "AsteriskError",
    "AsyncAGI",
    "AsyncAGIService",
    "Call",
    "CallFailed",
    "CommandFailed",
    "Disconnected",
    "Event",
    "EventsLost",
    "FastAGIFactory",
    "FastAGIProtocol",
    "FastAGIService",
    "HungUp",
    "LoginRefused",
    "NotFound",
    "ProtocolError",
    "Refused",
    "RequestFailed",
    "Response",
    "TimedOut",
]
