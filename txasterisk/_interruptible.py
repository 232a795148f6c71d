"""A coroutine whose await can be made to fail from outside, with any error."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred

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
        self._interruption: BaseException | None = None
        self.done: Deferred[T] = Deferred.fromCoroutine(self._run(work))

    def interrupt(self, error: BaseException) -> None:
        """
        Have what the coroutine awaits, or what it awaits next, fail.

        :param error: with what.
        """
        self._interruption = error
        if self.awaited is not None:
            self.awaited.cancel()

    @coroutine
    def _run(self, work: Coroutine[Any, Any, T]) -> Generator[Deferred[Any], Any, T]:
        """Do what ``await work`` does, but throw an interruption into it as it is."""
        resume: Any = work.send
        outcome: Any = None
        while True:
            try:
                awaited = self.awaited = resume(outcome)
            except StopIteration as end:
                self.awaited = None
                result: T = end.value
                return result
            if self._interruption is not None:
                awaited.cancel()
            try:
                resume, outcome = work.send, (yield awaited)
            except BaseException as error:
                resume, outcome = work.throw, error
            self.awaited = None
            if self._interruption is not None:
                resume, outcome = work.throw, self._interruption
                self._interruption = None
