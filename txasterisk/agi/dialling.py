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
OUTCOME: Final = "${DIALSTATUS},${HANGUPCAUSE},${DIALEDTIME_MS},${ANSWEREDTIME_MS}"

_OUTCOME: Final = re.compile(rf"({'|'.join(get_args(DialStatus))}),(\d*),(\d*),(\d*)", re.ASCII)
#: The statuses with which Asterisk notes no cause, so that there may be that of an earlier call.
_WITHOUT_CAUSE: Final = frozenset({"CANCEL", "NOANSWER"})
#: Has Dial return when the other end hangs up, so that the script goes on.
_GO_ON: Final = "g"
#: What would end a destination or an option, or begin something else.
_SEPARATORS: Final = re.compile(r'[,"\\$]')
_IN_DESTINATIONS: Final = re.compile(r"[&()]")


class Dialled(NamedTuple):
    """
    How a call to others went.

    :ivar status: such as ``ANSWER``, ``BUSY`` or ``NOANSWER`` (``DIALSTATUS``).
    :ivar cause: why the channel that was called last has hung up, as a number of Q.850, or None if
        Asterisk has noted none (``HANGUPCAUSE``). Local channels often have none.
    :ivar dialled_seconds: the time from the dialling to the end, or None if nobody has answered
        (``DIALEDTIME_MS``).
    :ivar answered_seconds: the time that they have talked (``ANSWEREDTIME_MS``).
    """

    status: DialStatus
    cause: int | None
    dialled_seconds: float | None
    answered_seconds: float

    @classmethod
    def read(cls, outcome: str) -> Dialled:
        """
        Read what :data:`OUTCOME` has become.

        :raises RemoteProtocolError: if that is not how a call goes.
        """
        found = _OUTCOME.fullmatch(outcome)
        if found is None:
            raise RemoteProtocolError(f"not how a call goes: {outcome[:80]!r}")
        status, cause, dialled, answered = found.groups()
        return cls(
            cast("DialStatus", status),
            None if status in _WITHOUT_CAUSE else int(cause or 0) or None,
            int(dialled) / 1000 if dialled else None,
            int(answered or 0) / 1000,
        )


def dial_arguments(destinations: tuple[str, ...], timeout: float, options: str) -> str:
    """
    Return the arguments of Dial.

    :param destinations: each of them.
    :param timeout: the most seconds that they ring, ``math.inf`` without a limit.
    :param options: as in the dialplan.
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
