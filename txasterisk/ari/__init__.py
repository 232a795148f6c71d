"""The Asterisk REST Interface: requests, events, and calls as coroutines."""

from .application import Application
from .call import Call
from .client import ARIClient
from .handles import Channel, Playback
from .service import ARIService

__all__ = ["ARIClient", "ARIService", "Application", "Call", "Channel", "Playback"]
