"""Errors of others, said in one line."""

from __future__ import annotations

__all__ = ["words"]


def words(error: BaseException) -> str:
    """Return what an error says, or at least its name, without line ends."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
