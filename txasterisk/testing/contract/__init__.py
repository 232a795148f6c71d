"""
The contract: what an Asterisk does for a program, as tests.

The fake passes them, and so do the real Asterisk 22 and 16; where one of these does something else,
the fake is wrong. A test case of the contract is run somewhere by saying where::

    class FakeAMITests(contract.AMIContract):
        def make_asterisk(self):
            return ...  # a Place

Import the module, not the classes: trial runs what it finds in a module of tests.

Every call goes over the extensions that :mod:`txasterisk.testing.default_dialplan` and
``tools/asterisk.d/extensions.conf`` have in common.
"""

from .agi import AGIContract
from .agi_commands import AGICommandsContract
from .agi_verbs import AGIVerbsContract, AsyncAGIVerbsContract
from .ami import AMIContract
from .ami_http import AMIOverHTTPContract, CallsOverHTTPContract, StayingOverHTTPContract
from .ari import ARIContract
from .async_agi import AsyncAGIContract
from .calls import CallsContract
from .healing import HealingContract
from .place import AsteriskContract, Place
from .staying import StayingContract

__all__ = [
    "AGICommandsContract",
    "AGIContract",
    "AGIVerbsContract",
    "AMIContract",
    "AMIOverHTTPContract",
    "ARIContract",
    "AsteriskContract",
    "AsyncAGIContract",
    "AsyncAGIVerbsContract",
    "CallsContract",
    "CallsOverHTTPContract",
    "HealingContract",
    "Place",
    "StayingContract",
    "StayingOverHTTPContract",
]
