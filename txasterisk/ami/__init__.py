"""The Asterisk Manager Interface: actions, and events as they happen."""

from .calls import Call
from .http import AMIHTTP, AMIHTTPFactory
from .messages import Action, Event, Gap, Message, Response
from .protocol import AMIFactory, AMIProtocol
from .service import AMIService

__all__ = [
    "AMIHTTP",
    "AMIFactory",
    "AMIHTTPFactory",
    "AMIProtocol",
    "AMIService",
    "Action",
    "Call",
    "Event",
    "Gap",
    "Message",
    "Response",
]
