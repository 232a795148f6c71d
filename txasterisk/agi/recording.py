"""What has been recorded, and how long it is."""

from __future__ import annotations

from typing import Final, NamedTuple

from .results import Recorded

__all__ = ["Recording"]

#: How many of the positions that Asterisk tells make up a second, where that is known.
_POSITIONS_PER_SECOND: Final = {
    **dict.fromkeys(["WAV", "alaw", "au", "gsm", "ogg", "sln", "ulaw", "vox", "wav"], 8000),
    **dict.fromkeys(["g722", "sln16", "wav16"], 16000),
    "sln32": 32000,
    "sln48": 48000,
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
