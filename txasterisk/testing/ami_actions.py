"""What the actions of AMI have in common, on Asterisk's side."""

from __future__ import annotations

from typing import Final

from ..ami.messages import Action
from .ami_events import Headers

__all__ = ["TRUE", "Refusal", "action_id"]

#: The words that Asterisk takes for yes.
TRUE: Final = frozenset({"yes", "true", "y", "t", "1", "on"})


class Refusal(Exception):
    """The answer is ``Response: Error`` with this message."""


def action_id(action: Action) -> Headers:
    """Return what marks the answer to an action."""
    return [("ActionID", action.action_id)] if action.action_id else []
