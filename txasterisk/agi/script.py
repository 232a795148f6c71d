"""
One script at work on one call.

A script is an ``async def`` that awaits verbs of its session and whatever else it likes. When the
caller hangs up or the connection breaks, it must learn of that also while it waits for something
that has nothing to do with AGI. So, unless its route says otherwise, the await in progress fails
with the error that tells, once; after that the script is left alone with its clean-up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import Final, Literal, TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._interruptible import Interruptible
from ..errors import HungUp
from .asking import GONE
from .session import AGISession

__all__ = ["OnHangup", "RunningScript", "Script", "Status"]

#: What answers a call: ``async def script(session)``.
Script: TypeAlias = Callable[[AGISession], Awaitable[object]]

#: What becomes of a script when the caller hangs up: what it awaits fails with
#: :class:`HungUp` or with ``CancelledError``, or goes on.
OnHangup: TypeAlias = Literal["raise", "cancel", "tell"]


class Status(Enum):
    """
    How a call's script ended, as the dialplan is told.

    The words are those that Asterisk's own ``AGISTATUS`` has, and ``BUSY``: the script answers as
    many calls already as it may.
    """

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    NOTFOUND = "NOTFOUND"
    BUSY = "BUSY"
    HANGUP = "HANGUP"

    @property
    def failed(self) -> bool:
        """Whether the call was not answered as it should have been."""
        return self in _FAILED


_FAILED: Final = (Status.FAILURE, Status.NOTFOUND, Status.BUSY)


class RunningScript:
    """
    A script and what it waits for.

    :param script: is started at once.
    :param session: its call, which tells of the hangup.
    :param on_hangup: what becomes of the script then.
    :ivar finished: fires with the :class:`Status` when the script has ended; never fails. An error
        of the script has been logged by then.
    """

    def __init__(self, script: Script, session: AGISession, on_hangup: OnHangup = "raise") -> None:
        self._session = session
        self._told: list[BaseException] = []
        self._on_hangup: OnHangup = on_hangup
        self._work = Interruptible(_call(script, session))
        self.finished: Deferred[Status] = self._work.done.addCallbacks(self._ended, self._failed)
        if not self.finished.called:
            session.telling = self._telling

    @contextmanager
    def told(self, error: BaseException) -> Iterator[None]:
        """
        Fail the script's await with ``error``, unless it goes on by what happens in this context.

        So a script whose command fails, or that waits for the very hangup, is not told twice.
        """
        awaited = self._work.awaited
        self._told.append(error)
        yield
        if awaited is not None and awaited is self._work.awaited:
            self._work.interrupt(error)

    def cancel(self) -> None:
        """Fail the script's await, so that it ends."""
        with self.told(CancelledError()):
            pass

    def _telling(self) -> AbstractContextManager[None]:
        if self._on_hangup == "tell":
            return nullcontext()
        gone = CancelledError() if self._on_hangup == "cancel" else HungUp(GONE)
        return self.told(gone)

    def _ended(self, _: object) -> Status:
        # They refer to each other, and there may be many, so leave nothing to the collector.
        self._session.telling = nullcontext
        return Status.SUCCESS

    def _failed(self, failure: Failure) -> Status:
        self._session.telling = nullcontext
        if failure.check(HungUp) or (self._session.hung_up and failure.check(CancelledError)):
            return Status.HANGUP
        if not failure.check(*map(type, self._told)):
            _log.failure("The script of {session} failed", failure=failure, session=self._session)
        return Status.FAILURE


async def _call(script: Script, session: AGISession) -> None:
    await script(session)


_log = Logger()
