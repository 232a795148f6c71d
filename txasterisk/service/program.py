"""A program that runs as long as the daemon does and may use a PBX as it likes."""

from __future__ import annotations

from typing import NamedTuple

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..ami import AMIHTTPService, AMIService
from ..ari import ARIService
from .sections import Script

__all__ = ["PBX", "ProgramService"]


class PBX(NamedTuple):
    """
    The links to one Asterisk, as the configuration names it.

    :ivar name: its name in the configuration.
    :ivar ami: its AMI, or None if that is not configured.
    :ivar ari: its ARI, or None if that is not configured.
    """

    name: str
    ami: AMIService | AMIHTTPService | None
    ari: ARIService | None


class ProgramService(Service):
    """
    Run ``async def program(pbx)`` from the start to the stop of the service.

    It is started once, before there is any connection: ``pbx.ami.when_connected()`` waits for one.
    An error in it is logged and ends it alone. When the service stops, what it awaits is
    cancelled.

    :param program: the ``async def``.
    :param pbx: what it is given.
    """

    def __init__(self, program: Script, pbx: PBX) -> None:
        self._program = program
        self._pbx = pbx
        self._running: Deferred[object] | None = None

    def startService(self) -> None:
        """Start the program."""
        super().startService()
        self._running = Deferred.fromCoroutine(self._program(self._pbx))
        self._running.addErrback(self._failed)

    def stopService(self) -> Deferred[object] | None:
        """
        Cancel the program.

        :return: fires when it has ended.
        """
        super().stopService()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
        return running

    def _failed(self, failure: Failure) -> None:
        if not (failure.check(CancelledError) and not self.running):
            _log.failure("{pbx}: its program failed", failure=failure, pbx=self._pbx.name)


_log = Logger()
