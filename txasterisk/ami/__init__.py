"""The Asterisk Manager Interface: actions, and events as they happen."""

from .calls import Call
from .http import AMIHTTP, AMIHTTPFactory
from .keepalive import Pings
from .messages import Action, Event, Gap, Message, Response
from .protocol import AMIFactory, AMIProtocol
from .service import AMIHTTPService, AMIService

__all__ = [
    "AMIHTTP",
    "AMIFactory",
    "AMIHTTPFactory",
    "AMIHTTPService",
    "AMIProtocol",
    "AMIService",
    "Action",
    "Call",
    "Event",
    "Gap",
    "Message",
    "Pings",
    "Response",
]
