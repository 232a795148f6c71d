"""Which events a link shall tell: what Asterisk forgets with each link, and must be told anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from ..errors import TimedOut
from .irregular import check_mask
from .verbs import Verbs

__all__ = ["EventWishes", "Lines"]

#: Of these actions the last one counts, or all of them.
_KEPT: Final = frozenset({"events", "filter"})
#: Seconds that each answer may take; a healthy server answers at once.
ANSWER_TIMEOUT: Final = 10.0
#: Enough to hear of the boot, and little else.
_ONLY_SYSTEM: Final = "system"

#: The headers of an action, to be sent again.
Lines: TypeAlias = tuple[tuple[str, object], ...]


class EventWishes:
    """
    The event mask and the filters that a service's links shall have.

    :param mask: which classes of events to send, as for :meth:`AMIProtocol.login`.
    :param filters: filters to add, as the action ``Filter`` takes them.
    :param boot_timeout: the most seconds to wait until Asterisk has fully booted, or None not to
        wait for that.
    :raises LocalProtocolError: when the mask is none.
    """

    def __init__(
        self, mask: str | None, filters: Iterable[str], boot_timeout: float | None
    ) -> None:
        check_mask(mask or "")
        self._mask = mask
        self._boot_timeout = boot_timeout
        self._filters: list[Lines] = [(("Operation", "Add"), ("Filter", text)) for text in filters]

    @property
    def at_login(self) -> str | None:
        """
        The mask to log in with.

        While filters are told or the boot is awaited, nothing may come that is not wanted then.
        """
        if self._boot_timeout is not None:
            return _ONLY_SYSTEM
        return "off" if self._filters else self._mask

    @staticmethod
    def concern(action: str) -> bool:
        """Whether an action changes what a link tells."""
        return action.casefold() in _KEPT

    def remember(self, action: str, lines: Lines) -> None:
        """Keep what Asterisk has accepted."""
        if action.casefold() == "filter":
            if lines not in self._filters:
                self._filters.append(lines)
            return
        masks = [value for name, value in lines if name.casefold() == "eventmask"]
        self._mask = str(masks[0]) if masks else self._mask

    async def tell(self, link: Verbs) -> None:
        """
        Tell a new link of them, which was logged in with :attr:`at_login`.

        :raises AsteriskError: when Asterisk does not accept them any more, or has not booted in
            time.
        """
        if self._boot_timeout is not None:
            await _boot(link, self._boot_timeout)
        for lines in self._filters:
            await link.action("Filter", lines, timeout=ANSWER_TIMEOUT)
        if self.at_login != self._mask:
            await link.action("Events", {"EventMask": self._mask or "on"}, timeout=ANSWER_TIMEOUT)


async def _boot(link: Verbs, seconds: float) -> None:
    try:
        await link.next("FullyBooted", timeout=seconds)
    except TimedOut:
        raise TimedOut(
            f"Asterisk has not said within {seconds:g} seconds that it has booted; "
            "it says so only to users who may read the class system"
        )
