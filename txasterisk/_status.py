"""How a script ended, as the dialplan is told."""

from __future__ import annotations

from typing import Final

__all__ = ["STATUS_VARIABLE"]

#: The channel variable that says it, whichever wing ran the script.
STATUS_VARIABLE: Final = "TXASTERISK_STATUS"
