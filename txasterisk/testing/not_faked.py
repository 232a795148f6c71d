"""What a real Asterisk does and the fake does not: said loudly, so that no test passes by it."""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

__all__ = ["NotFaked", "complain"]


class NotFaked(Exception):
    """
    A real Asterisk would have done something here that the fake does not do.

    It is logged as an error, which fails a test of trial's, and what asked for it is told so in
    the way of its wire.
    """


def complain(error: NotFaked) -> None:
    """Log what is not faked; who is to blame can only be found by reading the log."""
    _log.failure("FakeAsterisk: not faked: {error}", failure=Failure(error), error=error)


_log = Logger()
