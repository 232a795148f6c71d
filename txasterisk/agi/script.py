"""
One script at work on one call.

A script is an ``async def`` that awaits verbs of its session and whatever else it likes. When the
caller hangs up or the connection breaks, it must learn of that also while it waits for something
that has nothing to do with AGI. So the await in progress fails with the error that tells, once;
after that the script is left alone with its clean-up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from .._interruptible import Interruptible
from ..errors import HungUp
from .session import AGISession

__all__ = ["RunningScript", "Script", "Status"]

#: What answers a call: ``async def script(session)``.
Script: TypeAlias = Callable[[AGISession], Awaitable[object]]


class Status(Enum):
    """
    How a call's script ended, as the dialplan is told.

    The words are those that Asterisk's own ``AGISTATUS`` has.
    """

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    NOTFOUND = "NOTFOUND"
    HANGUP = "HANGUP"


class RunningScript:
    """
    A script and what it waits for.

    :param script: is started at once.
    :param session: its call.
    :ivar finished: fires with the :class:`Status` when the script has ended; never fails. An error
        of the script has been logged by then.
    """

    def __init__(self, script: Script, session: AGISession) -> None:
        self._session = session
        self._told: BaseException | None = None
        self._work = Interruptible(_call(script, session))
        self.finished: Deferred[Status] = self._work.done.addCallbacks(_succeeded, self._failed)

    @contextmanager
    def told(self, error: BaseException) -> Iterator[None]:
        """
        Fail the script's await with ``error``, unless it goes on by what happens in this context.

        So a script whose command fails, or that waits for the very hangup, is not told twice.
        """
        awaited, self._told = self._work.awaited, error
        yield
        if awaited is not None and awaited is self._work.awaited:
            self._work.interrupt(error)

    def cancel(self) -> None:
        """Fail the script's await, so that it ends."""
        with self.told(CancelledError()):
            pass

    def _failed(self, failure: Failure) -> Status:
        if failure.check(HungUp):
            return Status.HANGUP
        if self._told is None or not failure.check(type(self._told)):
            _log.failure("The script of {session} failed", failure=failure, session=self._session)
        return Status.FAILURE


def _succeeded(_: None) -> Status:
    return Status.SUCCESS


async def _call(script: Script, session: AGISession) -> None:
    await script(session)


_log = Logger()
