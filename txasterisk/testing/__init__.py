"""
For the tests of programs that use txasterisk: a fake Asterisk, and what a real one passes too.
"""

from .dialplan import Call
from .fake import Caller, FakeAsterisk
from .not_faked import NotFaked
from .users import User

__all__ = ["Call", "Caller", "FakeAsterisk", "NotFaked", "User"]
