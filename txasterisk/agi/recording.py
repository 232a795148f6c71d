"""What has been recorded, and how long it is."""

from __future__ import annotations

from typing import Final, NamedTuple

from .results import Recorded

__all__ = ["Recording"]

#: How many of the positions that Asterisk tells make up a second, where that is known.
_POSITIONS_PER_SECOND: Final = {
    "WAV": 8000,
    "alaw": 8000,
    "gsm": 8000,
    "sln": 8000,
    "sln16": 16000,
    "ulaw": 8000,
    "wav": 8000,
    "wav16": 16000,
}


class Recording(NamedTuple):
    """
    What has been recorded.

    :ivar digit: the key that ended it, or None if the time was up or the caller was silent.
    :ivar seconds: how long it is, or None if that cannot be told for its format.
    """

    digit: str | None
    seconds: float | None

    @classmethod
    def read(cls, recorded: Recorded, file_format: str) -> Recording:
        """Make seconds of the end position."""
        rate = _POSITIONS_PER_SECOND.get(file_format)
        return cls(recorded.digit, None if rate is None else recorded.endpos / rate)
