"""What the dialplan's ``Dial`` is given, and what it leaves behind."""

from __future__ import annotations

import math
import re
from typing import Final, Literal, NamedTuple, TypeAlias, cast, get_args

from ..errors import LocalProtocolError, RemoteProtocolError
from .arguments import WholeSeconds
from .results import ChannelState

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

#: Has the dialplan tell how a call went. The variables that say how long it has rung are not there:
#: Asterisk counts ``DIALEDTIME`` from the beginning of the caller's own channel.
OUTCOME: Final = "${DIALSTATUS},${HANGUPCAUSE},${ANSWEREDTIME_MS},${DIALEDPEERNUMBER}"

_OUTCOME: Final = re.compile(
    rf"({'|'.join(get_args(DialStatus))}),([0-9]*),([0-9]*),(.*)", re.DOTALL
)
#: The statuses with which Asterisk notes no cause, so that there may be that of an earlier call.
_WITHOUT_CAUSE: Final = frozenset({"CANCEL", "DONTCALL", "INVALIDARGS", "NOANSWER", "TORTURE"})
#: Has Dial return when the other end hangs up, so that the script goes on.
_GO_ON: Final = "g"
#: What would end a destination or an option, or begin something else.
_SEPARATORS: Final = re.compile(r'[,"\\$\r\n\0]')
_IN_DESTINATIONS: Final = re.compile(r"[&()]")


class Dialled(NamedTuple):
    """
    How a call to others went.

    :ivar status: such as ``ANSWER``, ``BUSY`` or ``NOANSWER`` (``DIALSTATUS``).
    :ivar cause: why the channel that was called last has hung up, as a number of Q.850, or None if
        Asterisk has noted none (``HANGUPCAUSE``). Local channels often have none.
    :ivar answered_seconds: how long they have talked (``ANSWEREDTIME_MS``), or None if that cannot
        be told: Asterisk counts from when the caller was answered, which may have been long before.
    :ivar peer: who has answered, as in the destination, but without the technology, or None if
        nobody has (``DIALEDPEERNUMBER``).
    """

    status: DialStatus
    cause: int | None
    answered_seconds: float | None
    peer: str | None

    @classmethod
    def read(cls, outcome: str, caller: ChannelState) -> Dialled:
        """
        Read what :data:`OUTCOME` has become.

        :param caller: what the caller's channel was at before it was dialled.
        :raises RemoteProtocolError: if that is not how a call goes.
        """
        found = _OUTCOME.fullmatch(outcome)
        if found is None:
            raise RemoteProtocolError(f"not how a call goes: {outcome[:80]!r}")
        status, cause, answered, peer = found.groups()
        return cls(
            cast("DialStatus", status),
            None if status in _WITHOUT_CAUSE else int(cause or 0) or None,
            _answered_seconds(status, answered, caller),
            peer or None,
        )


def _answered_seconds(status: str, milliseconds: str, caller: ChannelState) -> float | None:
    if status != "ANSWER":
        return 0.0
    if not milliseconds or caller is ChannelState.UP:
        return None
    return int(milliseconds) / 1000


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
            raise LocalProtocolError(f"Dial: a comma, quote, \\, $ or line end in {argument!r}")
    limit = "" if timeout == math.inf else str(WholeSeconds(timeout))
    return f"{'&'.join(destinations)},{limit},{_GO_ON}{options}"
