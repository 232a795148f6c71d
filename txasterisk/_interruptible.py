"""A coroutine whose await can be made to fail from outside, with any error."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

__all__ = ["Interruptible"]

T = TypeVar("T")


class Interruptible(Generic[T]):
    """
    Run a coroutine that can be told something while it waits for something else.

    Cancelling a Deferred can only say ``CancelledError``. A script must learn *what* happened, that
    its caller has hung up, say, whatever it happens to await; and it must learn that once, so that
    ``except`` and ``finally`` can then await what they need.

    :param work: the coroutine; it is started at once.
    :ivar awaited: what it waits for, or None while it is at work and when it is done.
    :ivar done: fires with what it returns and fails with what it raises.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.awaited: Deferred[Any] | None = None
        self.done: Deferred[T] = Deferred()
        self._work = work
        self._context = copy_context()
        self._interruption: BaseException | None = None
        self._resume(None)

    def interrupt(self, error: BaseException) -> None:
        """
        Have what the coroutine awaits, or what it awaits next, fail.

        :param error: with what.
        """
        self._interruption = error
        if self.awaited is not None:
            self.awaited.cancel()

    def _resume(self, outcome: object) -> None:
        """Go on with what the await has come to, up to the next one that must wait."""
        if self.awaited is not None and self._interruption is not None:
            outcome, self._interruption = Failure(self._interruption), None
        self.awaited = None
        try:
            if isinstance(outcome, Failure):
                awaited = self._context.run(outcome.throwExceptionIntoGenerator, self._work)
            else:
                awaited = self._context.run(self._work.send, outcome)
        except StopIteration as end:
            self.done.callback(end.value)
        except BaseException:
            self.done.errback(Failure())
        else:
            if isinstance(awaited, Deferred):
                self.awaited = awaited
                awaited.addBoth(self._resume)
                if self._interruption is not None:
                    awaited.cancel()
            else:
                what = type(awaited).__name__
                self._resume(Failure(TypeError(f"a coroutine on Twisted cannot await {what}")))
