"""AGI: what the tests of this wing share."""

from twisted.internet.defer import Deferred

from txasterisk.agi import SAFE_LINE, Command, Reply

#: A block as Asterisk writes it for ``AGI(agi://127.0.0.1/greet)``.
ENVIRONMENT = b"""\
agi_network: yes
agi_network_script: greet
agi_request: agi://127.0.0.1/greet
agi_channel: PJSIP/alice-00000012
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1795297911.242
agi_version: 22.10.1
agi_callerid: 100
agi_calleridname: Alice
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 500
agi_rdnis: unknown
agi_context: from-alice
agi_extension: 500
agi_priority: 3
agi_enhanced: 0.0
agi_accountcode:\x20
agi_threadid: 1

"""


def process_environment(*arguments: str) -> bytes:
    """Return a block as Asterisk writes it for ``AGI(greet.py,arguments)``."""
    always = ENVIRONMENT.partition(b"agi_network_script: greet\n")[2].removesuffix(b"\n")
    lines = [f"agi_arg_{number}: {value}\n" for number, value in enumerate(arguments, 1)]
    block = always.replace(b"agi://127.0.0.1/greet", b"greet.py") + "".join(lines).encode()
    return block + b"\n"


def eagi_environment(*arguments: str) -> bytes:
    """Return a block as Asterisk writes it for ``EAGI(greet.py,arguments)``."""
    return process_environment(*arguments).replace(b"enhanced: 0.0", b"enhanced: 1.0")


class Deaf:
    """A carrier that never brings an answer."""

    line_limit = SAFE_LINE

    def send(self, command: Command) -> Deferred[Reply]:
        """Keep nothing."""
        return Deferred()
