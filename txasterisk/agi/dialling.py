"""What the dialplan's ``Dial`` is given, and what it leaves behind."""

from __future__ import annotations

import math
import re
from typing import Final, Literal, NamedTuple, TypeAlias, cast, get_args

from ..errors import LocalProtocolError, RemoteProtocolError
from .arguments import WholeSeconds

__all__ = ["OUTCOME", "DialStatus", "Dialled", "dial_arguments"]

#: How a call went, in Asterisk's words.
DialStatus: TypeAlias = Literal[
    "ANSWER",
    "BUSY",
    "CANCEL",
    "CHANUNAVAIL",
    "CONGESTION",
    "DONTCALL",
    "INVALIDARGS",
    "NOANSWER",
    "TORTURE",
]

#: Has the dialplan tell how a call went.
OUTCOME: Final = "${DIALSTATUS},${HANGUPCAUSE},${DIALEDTIME},${ANSWEREDTIME}"

_STATUSES: Final = frozenset(get_args(DialStatus))
#: Has Dial return when the other end hangs up, so that the script goes on.
_GO_ON: Final = "g"
#: What would end a destination or an option, or begin something else.
_SEPARATORS: Final = re.compile(r'[,"\\$]')
_IN_DESTINATIONS: Final = re.compile(r"[&()]")


class Dialled(NamedTuple):
    """
    How a call to others went.

    :ivar status: such as ``ANSWER``, ``BUSY`` or ``NOANSWER`` (``DIALSTATUS``).
    :ivar cause: why the last channel that was called hung up, a number of Q.850 (``HANGUPCAUSE``).
    :ivar dialled_seconds: how long it took from the dialling to the end (``DIALEDTIME``).
    :ivar answered_seconds: how long they talked (``ANSWEREDTIME``).
    """

    status: DialStatus
    cause: int
    dialled_seconds: float
    answered_seconds: float

    @classmethod
    def read(cls, outcome: str) -> Dialled:
        """
        Read what :data:`OUTCOME` has become.

        :raises RemoteProtocolError: if that is not how a call goes.
        """
        status, *numbers = outcome.split(",")
        if status not in _STATUSES:
            raise RemoteProtocolError(f"no status of a call: {outcome!r}")
        cause, dialled, answered = (int(number or 0) for number in numbers)
        return cls(cast("DialStatus", status), cause, float(dialled), float(answered))


def dial_arguments(destinations: tuple[str, ...], timeout: float, options: str) -> str:
    """
    Return the arguments of Dial.

    :raises LocalProtocolError: if one of them would be taken for several.
    """
    if not destinations:
        raise LocalProtocolError("Dial needs a destination")
    for destination in destinations:
        if not destination or _IN_DESTINATIONS.search(destination):
            raise LocalProtocolError(f"Dial: not one destination: {destination!r}")
    for argument in (*destinations, options):
        if _SEPARATORS.search(argument):
            raise LocalProtocolError(f"Dial: no comma, quote, backslash or $ in {argument!r}")
    limit = "" if timeout == math.inf else str(WholeSeconds(timeout))
    return f"{'&'.join(destinations)},{limit},{_GO_ON}{options}"
