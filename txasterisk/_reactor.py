"""The one place where the global reactor is the default."""

from __future__ import annotations

from typing import Any

__all__ = ["the_reactor"]


def the_reactor(given: Any = None) -> Any:
    """
    Return the reactor or clock that was handed in, or else the global one.

    It is imported late, so that importing txasterisk never installs a reactor.
    """
    if given is not None:
        return given
    from twisted.internet import reactor

    return reactor
