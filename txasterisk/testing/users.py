"""Who may use the fake."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["User"]


@dataclass(frozen=True)
class User:
    """
    A user of AMI and of ARI.

    :ivar secret: the secret of AMI and the password of ARI.
    :ivar read_only: whether only what changes nothing is allowed.
    """

    secret: str = field(repr=False)
    read_only: bool = False
