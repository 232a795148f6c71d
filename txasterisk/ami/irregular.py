"""
What is special about a few actions; all others are answered at once, by a response or a list.

Seen on 16.28 and 22.10, except for FAXSession, which was read in the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Final, NamedTuple

from ..errors import LocalProtocolError
from .messages import Action

__all__ = ["IRREGULAR", "SLOW", "Irregular", "check_mask"]

#: Seconds that Asterisk may be silent while it does what can take long, such as a reload of all.
SLOW: Final = 300.0
#: Asterisk's own default for the time that an Originate may ring, in seconds.
_RING_TIME: Final = 30.0
#: A number, or names of classes. Asterisk takes an empty name for all classes, and one in capitals
#: or with a blank for none, without a word (seen on 16.28 and 22.10).
_MASK: Final = re.compile(r"\d*|[a-z]+(,[a-z]+)*")
_TRUE: Final = frozenset({"1", "on", "t", "true", "y", "yes"})
_SWITCHES: Final = _TRUE | {"0", "f", "false", "n", "no", "off"}


def _at_once(_: Action) -> float:
    return 0.0


def _slowly(_: Action) -> float:
    return SLOW


def _anything(_: Action) -> None:
    """Find nothing wrong."""


class Irregular(NamedTuple):
    """
    In what way an action is special.

    :ivar closed_by: the event that completes it, though its response does not begin a list.
    :ivar perhaps_silent: whether there may be no response at all, only bare rows or nothing.
        Asterisk does one action after the other, so a ping right behind tells when it is done.
    :ivar silence: how many seconds it may take, in which nothing else is answered.
    :ivar check: refuses what Asterisk would understand in another way.
    """

    closed_by: bytes = b""
    perhaps_silent: bool = False
    silence: Callable[[Action], float] = _at_once
    check: Callable[[Action], None] = _anything


def _originating(action: Action) -> float:
    if (action.get("Async") or "").casefold() in _TRUE:
        return 0.0
    with suppress(ValueError):
        return float(action.get("Timeout") or "") / 1000
    return _RING_TIME


def _waiting(action: Action) -> float:
    with suppress(ValueError):
        seconds = float(action.get("Timeout") or "")
        return inf if seconds < 0 else seconds
    return inf


def check_mask(mask: str) -> None:
    """
    Refuse an event mask that Asterisk would take for another, without a word.

    :raises LocalProtocolError: when it is no switch, number or list of classes.
    """
    if mask.casefold() not in _SWITCHES and not _MASK.fullmatch(mask):
        raise LocalProtocolError(
            "an event mask is on, off, or classes such as call,user in small letters and without "
            f"blanks, not {mask!r}"
        )


def _mask_in(header: str) -> Callable[[Action], None]:
    return lambda action: check_mask(action.get(header) or "")


#: By the name in lower case.
IRREGULAR: Final = {
    "command": Irregular(silence=_slowly),
    # Without a response if manager.conf says ``brokeneventsaction``.
    "events": Irregular(perhaps_silent=True, check=_mask_in("EventMask")),
    "faxsession": Irregular(closed_by=b"FAXSession"),
    "faxstats": Irregular(closed_by=b"FAXStats"),
    # Rows, or nothing.
    "iaxnetstats": Irregular(perhaps_silent=True),
    "login": Irregular(check=_mask_in("Events")),
    "moduleload": Irregular(silence=_slowly),
    "originate": Irregular(silence=_originating),
    "reload": Irregular(silence=_slowly),
    # Of what is unknown, 16 says nothing.
    "skinnyshowdevice": Irregular(perhaps_silent=True),
    "skinnyshowline": Irregular(perhaps_silent=True),
    # It may reload what it has written.
    "updateconfig": Irregular(silence=_slowly),
    "waitevent": Irregular(closed_by=b"WaitEventComplete", silence=_waiting),
}
