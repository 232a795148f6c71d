"""Where a channel is: what AsyncAGI has AMI tell of it, beside its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from .._cancellable import Cancellable
from ..errors import ActionFailed, AsteriskError

__all__ = ["AMI", "MARK", "AMIEvent", "Where", "find_marked", "list_waiting", "mark", "where_is"]

#: The channel variable by which a channel is found again when it has got another unique id.
MARK: Final = "TXASTERISK_ASYNCAGI"

_HANGING_UP: Final = "CHANNEL(checkhangup)"
_NO_SUCH_CHANNEL: Final = "No such channel"


class AMIEvent(Protocol):
    """An event of AMI, such as :class:`txasterisk.ami.Event`."""

    def __getitem__(self, name: str) -> str:
        """Return the value of a header."""

    def get(self, name: str) -> str | None:
        """Return the value of a header, or None if there is none."""


class AMI(Protocol):
    """
    What AsyncAGI needs of AMI: a connection or the service that keeps one, over TCP or HTTP.

    The user needs the class ``agi``, to read and to write, and ``call`` to write.
    """

    def action(
        self, name: str, headers: Any = (), *, timeout: float | None = None
    ) -> Deferred[Any]:
        """Have Asterisk do something, and get its answer."""

    def on(
        self, event: str | Iterable[str], listener: Callable[[Any], object], /, **match: object
    ) -> Cancellable:
        """Call ``listener`` with each event of that name."""

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Any]:
        """Wait for the next event of that name."""

    def when_disconnected(self) -> Deferred[Any]:
        """Wait for the end of the link that there is now; fires with the error."""


class Where(Enum):
    """Where a channel is."""

    IN_ASYNCAGI = "in AsyncAGI"
    ELSEWHERE = "elsewhere"
    HANGING_UP = "hanging up"
    GONE = "gone"
    UNKNOWN = "unknown"


async def where_is(ami: AMI, uniqueid: str) -> Where:
    """Ask where a channel is (AMI ``Status``); not known if this user of AMI may not ask."""
    try:
        answer = await ami.action("Status", {"Channel": uniqueid, "Variables": _HANGING_UP})
    except AsteriskError as error:
        gone = isinstance(error, ActionFailed) and error.message == _NO_SUCH_CHANNEL
        return Where.GONE if gone else Where.UNKNOWN
    channel = answer.events[0]
    if channel.get("Variable") == f"{_HANGING_UP}=1":
        return Where.HANGING_UP
    return Where.IN_ASYNCAGI if _is_in_asyncagi(channel) else Where.ELSEWHERE


def mark(ami: AMI, uniqueid: str, identity: str) -> None:
    """Mark a channel, if this user of AMI may do so (AMI ``Setvar``)."""
    headers = {"Channel": uniqueid, "Variable": MARK, "Value": identity}
    ami.action("Setvar", headers).addErrback(lambda _: None)


async def find_marked(ami: AMI, identity: str) -> str | None:
    """Return the unique id that a marked channel has now, or None if there is none."""
    for channel in await _list_channels(ami):
        if channel.get("Variable") == f"{MARK}={identity}":
            return channel["Uniqueid"]
    return None


async def list_waiting(ami: AMI) -> list[AMIEvent]:
    """Return all channels that are in AsyncAGI, as ``Status`` shows them."""
    return [channel for channel in await _list_channels(ami) if _is_in_asyncagi(channel)]


async def _list_channels(ami: AMI) -> list[AMIEvent]:
    try:
        answer = await ami.action("Status", {"Variables": MARK})
    except AsteriskError:
        return []
    return [event for event in answer.events if event.get("Uniqueid")]


def _is_in_asyncagi(channel: AMIEvent) -> bool:
    application, data = channel.get("Application") or "", channel.get("Data") or ""
    return "agi" in application.lower() and data.lower().startswith("agi:async")
