"""
A Stasis application: one coroutine per call::

    application = Application("ivr")

    @application.call
    async def ivr(call):
        await call.answer()
        digit = await call.gather(max_digits=1, prompt="sound:press-1")
        await call.play(f"digits:{digit}")

A script that returns has its call hung up, unless it let it go on in the dialplan. One that raises
is logged, and its call ended as :class:`Application` says.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal, TypeAlias

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from .._at_work import AtWork
from .._status import STATUS_VARIABLE
from ..errors import AsteriskError, Disconnected, HungUp
from . import models
from .call import Call, Script
from .client import ARIClient

__all__ = ["Application", "OnError", "Serving"]

#: What becomes of a call whose script failed.
OnError: TypeAlias = Literal["hangup", "continue"]

#: Seconds to tell the dialplan how a script ended. On Asterisk 22 that waits behind what is played,
#: for which the end of a call should not wait.
TELLING_TIME: Final = 2.0

_log = Logger()


class Application:
    """
    A Stasis application and its script.

    The dialplan finds in the channel variable ``TXASTERISK_STATUS`` how the script ended:
    ``SUCCESS``, or ``FAILURE`` if it raised something or was stopped.

    :param name: as in the dialplan's ``Stasis(name)``.
    :param script: the script, if it is not given by the decorator :meth:`call`.
    :param on_error: whether a call is hung up or continues in the dialplan when its script raises
        something, or when it is stopped.
    """

    def __init__(
        self, name: str, script: Script | None = None, *, on_error: OnError = "hangup"
    ) -> None:
        self.name = name
        self.script = script
        self.on_error: OnError = on_error

    def __repr__(self) -> str:
        return f"<Application {self.name}>"

    def call(self, script: Script) -> Script:
        """
        Decorate the ``async def`` that is run for each call.

        :param script: it is given the :class:`txasterisk.ari.call.Call`.
        :return: the same.
        """
        self.script = script
        return script

    def serve(self, client: ARIClient) -> Serving:
        """
        Answer the calls that come from a client, from now on; to be called before it listens.

        :param client: whose calls.
        :return: the calls.
        :raises ValueError: the application has no script.
        """
        if self.script is None:
            raise ValueError(f"{self!r} has no script; decorate one with @application.call")
        return Serving(self, self.script, client)


class Serving:
    """
    The calls of one application on one client.

    :param application: says how they end.
    :param script: is run for each of them.
    :param client: whose calls.
    :ivar calls: those whose scripts are at work.
    """

    def __init__(self, application: Application, script: Script, client: ARIClient) -> None:
        self.calls: AtWork[Call] = AtWork(client.clock)
        self._application = application
        self._script = script
        self._client = client
        self._stopping = False
        self._subscription = client.on("StasisStart", self._started, application=application.name)

    def stop(self, grace: float) -> Deferred[None]:
        """
        Run no more scripts, and see to it that those at work end.

        :param grace: seconds that they may go on undisturbed. After that what they await fails
            with ``CancelledError``; those that go on nevertheless are left alone two seconds later.
        :return: fires when they are done. Cancelling it leaves them alone.
        """
        return Deferred.fromCoroutine(self._stop(grace))

    async def _stop(self, grace: float) -> None:
        self._stopping = True
        if not await self.calls.end_within(grace, lambda call: call.interrupt(CancelledError())):
            _log.warn("{app!r}: some scripts did not end", app=self._application)
        self._subscription.cancel()

    def _started(self, event: models.Event) -> None:
        if not isinstance(event, models.StasisStart) or self._client.objects.is_made(
            event.channel.id
        ):
            # A channel of our own making is a leg of some call, and its maker waits for it.
            return
        replaced = self._replaced(event)
        if replaced is not None:
            replaced.hand_over(event)
            return
        Deferred.fromCoroutine(self._serve(Call(self._client, event)))

    def _replaced(self, start: models.StasisStart) -> Call | None:
        """Find the call that goes on with this channel after a transfer."""
        if start.replace_channel is None:
            return None
        return next((c for c in self.calls if c.channel.id == start.replace_channel.id), None)

    async def _serve(self, call: Call) -> None:
        self.calls.begin(call)
        lost = self._client.when_disconnected().addCallback(call.end)
        try:
            failed = self._stopping or await self._failed(call)
            await self._end(call, failed)
        except (HungUp, Disconnected, CancelledError):
            pass
        except AsteriskError as error:
            _log.error("{call!r}: cannot be ended: {error}", call=call, error=error)
        except Exception:
            _log.failure("While ending {call!r}", call=call)
        lost.addErrback(lambda _: None).cancel()
        call.abandon()
        self.calls.end(call)

    async def _failed(self, call: Call) -> bool:
        try:
            await call.run(self._script)
        except (HungUp, CancelledError):
            return True
        except Disconnected as error:
            _log.warn("{call!r}: {error}", call=call, error=error)
            return True
        except Exception:
            _log.failure("The script of {call!r} failed", call=call)
            return True
        return False

    async def _end(self, call: Call, failed: bool) -> None:
        if not call.here:
            return
        status = "FAILURE" if failed else "SUCCESS"
        with suppress(defer.TimeoutError):
            telling = call.set_variable(STATUS_VARIABLE, status)
            await telling.addTimeout(TELLING_TIME, self._client.clock)
        if failed and self._application.on_error == "continue":
            await call.leave()
        else:
            await call.hangup()
