"""File descriptors: each connection takes one, and the system sets a limit to them."""

from __future__ import annotations

import sys

__all__ = ["descriptor_limit", "raise_descriptor_limit"]


def descriptor_limit() -> int:
    """Return how many the process may have open at once."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def raise_descriptor_limit() -> None:
    """
    Have as many as the system allows.

    The usual limit of 1024 is there for programs that use ``select()`` only.
    """
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
