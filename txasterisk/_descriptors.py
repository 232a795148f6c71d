"""File descriptors: each connection takes one, and the system sets a limit to them."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["SPARE_DESCRIPTORS", "descriptor_limit", "is_scarce", "raise_descriptor_limit"]

#: What has to be left for everything but connections that others open: links to the PBX, files
#: that a script opens, the log.
SPARE_DESCRIPTORS: Final = 64


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


def is_scarce(descriptor: int) -> bool:
    """
    Tell whether only the spare ones are left.

    :param descriptor: one that was opened just now. The system gives out the lowest that is free,
        so there are as many in use as its number says.
    """
    return descriptor >= descriptor_limit() - SPARE_DESCRIPTORS
