"""
One call in a Stasis application, with verbs that wait until what they say has happened.

A script is an ``async def`` that is given its :class:`Call`. When the caller hangs up, whatever it
awaits at that moment, be it a verb or anything else, fails with
:class:`txasterisk.errors.HungUp`, once; after that it is left alone with its clean-up.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, TypeAlias, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from .._interruptible import Interruptible
from .._status import STATUS_VARIABLE
from .._subscriptions import Listener, Subscription, Subscriptions
from ..errors import AsteriskError, Conflict, Disconnected, HungUp, NotFound
from . import models
from .client import ARIClient
from .handles import Playback
from .objects import field_of

__all__ = ["Call", "Script"]

#: Seconds that Asterisk may take to answer a channel.
ANSWER_TIME: Final = 10.0

#: What Asterisk says of a variable; every other 404 is about the channel.
_UNDEFINED: Final = "Provided variable was not found"

T = TypeVar("T")


class Call:
    """
    One call, from its StasisStart until it leaves the application.

    All verbs fail with :class:`txasterisk.errors.HungUp` when the caller is gone, and else as the
    requests behind them do. Whoever cancels one takes back what it has begun.

    :param client: the client that it came from.
    :param start: the event with which it began.
    :ivar channel: the handle of its channel; another one after a transfer.
    :ivar args: what the dialplan's ``Stasis()`` was given after the application's name.
    :ivar caller: name and number of the caller.
    :ivar snapshot: the channel as the last event described it.
    """

    def __init__(self, client: ARIClient, start: models.StasisStart) -> None:
        self.client = client
        self.application = start.application
        self.args = start.args
        self.caller = start.channel.caller
        self.snapshot = start.channel
        self.channel = client.channel(start.channel.id)
        self._clock = client.clock
        self._events: Subscriptions[models.Event] = Subscriptions(field_of, clock=self._clock)
        self._following = self.channel.on("*", self._happened)
        self._leaving = False
        self._hangup_requested = False
        self._gone: AsteriskError | None = None
        self._said: AsteriskError | None = None
        self._told: AsteriskError | None = None
        self._verbs: set[Deferred[Any]] = set()
        self._continuing: Deferred[None] | None = None
        self._script: Interruptible[object] | None = None
        self._early: BaseException | None = None

    def __repr__(self) -> str:
        return f"<Call {self.channel.id} in {self.application}>"

    @property
    def gone(self) -> bool:
        """Whether it has left the application, by hanging up or otherwise."""
        return self._gone is not None

    @property
    def here(self) -> bool:
        """Whether it is in the application, and not being let go."""
        return self._gone is None and not self._leaving

    # ---- events

    def on(
        self, event: str | Iterable[str], listener: Listener[models.Event], /, **match: object
    ) -> Subscription[models.Event]:
        """
        Call ``listener`` with each event of this call.

        :param event: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param listener: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param match: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :return: the subscription. It ends with the call.
        """
        return self._events.on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[models.Event]:
        """
        Wait for the next event of this call.

        :param event: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param timeout: the most seconds to wait.
        :param match: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :return: fires with the event; fails with :class:`txasterisk.errors.HungUp`,
            :class:`txasterisk.errors.Disconnected` or :class:`txasterisk.errors.TimedOut`.
            Cancelling it stops listening.
        """
        return self._events.next(event, timeout=timeout, **match)

    # ---- verbs

    def answer(self) -> Deferred[None]:
        """
        Answer.

        :return: fires when the channel is up; at once if it is.
        """
        return self._verb(self._answer())

    def play(self, *media: str) -> Deferred[str]:
        """
        Play something.

        :param media: such as ``sound:hello-world``, ``digits:42`` or ``tone:ring``, in their order.
        :return: fires when all has been played, with ``done``, or with ``failed`` if the last one
            could not be. Cancelling it stops the playing.
        """
        return self._verb(self._play(media))

    def gather(
        self,
        *,
        max_digits: int,
        timeout: float = 5.0,
        terminators: str = "#",
        prompt: str | Iterable[str] | None = None,
    ) -> Deferred[str]:
        """
        Take what the caller dials.

        A digit interrupts the prompt, and counts.

        :param max_digits: how many digits are enough.
        :param timeout: the most seconds to wait for the next digit, and for the first one after
            the prompt.
        :param terminators: the digits that end it; they are not part of it.
        :param prompt: what to play meanwhile, as for :meth:`play`.
        :return: fires with the digits, fewer or none if the time was up. Cancelling it stops the
            prompt; digits that were taken are lost.
        """
        return self._verb(self._gather(max_digits, timeout, terminators, prompt))

    def hangup(self, *, reason: str | None = None) -> Deferred[None]:
        """
        Hang up; harmless if the caller was faster. The script goes on.

        :param reason: such as ``normal``, ``busy`` or ``congestion``.
        :return: fires when Asterisk has noted it.
        """
        return Deferred.fromCoroutine(self._hangup(reason))

    def continue_in_dialplan(
        self,
        *,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> Deferred[None]:
        """
        Leave the application and go on in the dialplan, at the next priority if nothing is said.

        The dialplan finds ``SUCCESS`` in the variable ``TXASTERISK_STATUS``. The script goes on,
        but the call is not its own any more: every other verb fails with ``HungUp``.

        :param context: the context to go on in.
        :param extension: the extension to go on at.
        :param priority: the priority to go on at.
        :param label: the label to go on at, in place of a priority.
        :return: fires when Asterisk has noted it.
        """
        self._continuing = self._verb(self._continue(context, extension, priority, label))
        return self._continuing

    def get_variable(self, name: str) -> Deferred[str | None]:
        """
        Read a channel variable or, if the name ends in ``)``, a dialplan function.

        :param name: its name.
        :return: fires with its value, or None if it is not defined.
        """
        return self._verb(self._get_variable(name))

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        """
        Set a channel variable.

        :param name: the variable or dialplan function.
        :param value: its new value.
        :return: fires when it is set on Asterisk 22, and when that is queued on 16.
        """
        return self._verb(self._set_variable(name, value))

    async def _answer(self) -> None:
        if self.snapshot.state == "Up":
            return
        up = self.next("ChannelStateChange", channel=lambda c: c.state == "Up", timeout=ANSWER_TIME)
        try:
            await self._known(self.channel.answer())
            await up
        except Exception:
            up.addErrback(_nobody_cares).cancel()
            raise

    async def _play(self, media: tuple[str, ...]) -> str:
        playback = self.client.new_playback()
        finished = playback.when_finished()
        started = self.channel.play(playback, media)
        try:
            await self._known(_shielded(started))
            state = await self._known(finished)
        except Exception as error:
            finished.addErrback(_nobody_cares).cancel()
            playback.forget()
            if isinstance(error, CancelledError):
                # The request may be on its way, so the playing is stopped after it has arrived.
                started.addCallback(lambda _: self._stop(playback))
            raise
        if state != "done" and self._hangup_requested:
            raise self._hung_up("hung up while something was played")
        return state

    def _stop(self, playback: Playback) -> None:
        if not self.gone:
            playback.stop().addErrback(_nobody_cares)

    async def _gather(
        self,
        max_digits: int,
        timeout: float,
        terminators: str,
        prompt: str | Iterable[str] | None,
    ) -> str:
        gathering = _Gathering(self._clock, max_digits, timeout, terminators)
        with self.on("ChannelDtmfReceived", gathering.dialled):
            if prompt is None:
                gathering.wait()
            else:
                gathering.after(self.play(*((prompt,) if isinstance(prompt, str) else prompt)))
            try:
                return await gathering.complete
            except Exception:
                gathering.stop()
                raise

    async def _hangup(self, reason: str | None) -> None:
        if not self.here:
            return
        self._leaving = True
        try:
            await self.channel.hangup(reason=reason)
        except NotFound:
            return
        except BaseException:
            self._leaving = False
            raise

    async def _continue(
        self,
        context: str | None,
        extension: str | None,
        priority: int | None,
        label: str | None,
    ) -> None:
        await self._known(self.channel.set_variable(STATUS_VARIABLE, "SUCCESS"))
        await self.leave(context, extension, priority, label)

    async def leave(
        self,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> None:
        """Go on in the dialplan without telling it how the script ended."""
        # Its StasisEnd may come before the answer, and must not be taken for a hangup.
        self._leaving = True
        try:
            await self._known(
                self.channel.continue_in_dialplan(
                    context=context, extension=extension, priority=priority, label=label
                )
            )
        except BaseException:
            self._leaving = False
            raise

    async def _get_variable(self, name: str) -> str | None:
        try:
            return (await self.channel.get_variable(name)).value
        except NotFound as error:
            if error.message != _UNDEFINED:
                raise self._hung_up(error)
            return None

    async def _set_variable(self, name: str, value: str) -> None:
        await self._known(self.channel.set_variable(name, value))

    async def _known(self, request: Deferred[T]) -> T:
        """Await a request to the channel; if Asterisk does not know it any more, that is why."""
        try:
            return await request
        except (NotFound, Conflict) as error:
            raise self._hung_up(error)
        except Disconnected as error:
            self._said = error
            raise

    def _hung_up(self, why: object) -> HungUp:
        said = self._said = HungUp(f"{self!r} is gone: {why}")
        return said

    def _verb(self, verb: Coroutine[Any, Any, T]) -> Deferred[T]:
        def done(result: T | Failure) -> T | Failure:
            self._verbs.discard(doing)
            if isinstance(result, Failure) and result.value is self._said:
                self._note_told(doing)
            return result

        doing = Deferred.fromCoroutine(self._while_here(verb))
        self._verbs.add(doing)
        return doing.addBoth(done)

    async def _while_here(self, verb: Coroutine[Any, Any, T]) -> T:
        if not self.here:
            verb.close()
            raise self._gone or HungUp(f"{self!r} has been let go")
        try:
            return await verb
        except CancelledError:
            if self._gone is None:
                raise
            raise self._gone

    def _note_told(self, verb: Deferred[Any]) -> None:
        """Take note that the script hears from this verb what an event will say later."""
        if self._script is not None and self._script.awaited is verb:
            self._told = self._said

    # ---- what happens to it

    def _happened(self, event: models.Event) -> None:
        snapshot = getattr(event, "channel", None)
        if isinstance(snapshot, models.Channel) and snapshot.id == self.channel.id:
            self.snapshot = snapshot
        if event.type == "ChannelHangupRequest":
            self._hangup_requested = True
        self._events.deliver(event.type, event)
        if event.type in ("StasisEnd", "ChannelDestroyed"):
            self.end(HungUp(f"{self!r} has left"))

    def hand_over(self, start: models.StasisStart) -> None:
        """
        Go on with another channel, which has taken the place of this one in a transfer.

        :param start: its StasisStart, whose ``replace_channel`` is ours.
        """
        self._following.cancel()
        self.channel = self.client.channel(start.channel.id)
        self.snapshot = start.channel
        self.caller = start.channel.caller
        self._following = self.channel.on("*", self._happened)

    def end(self, error: AsteriskError) -> None:
        """
        Take note that it is gone: the script's await fails, unless it has let the call go itself,
        or a verb has told it already because Asterisk's answer was faster than its event.

        :param error: why.
        """
        if self._gone is not None:
            return
        self._gone = error
        if not self._leaving and type(error) is not type(self._told):
            self.interrupt(error)
        for verb in tuple(self._verbs):
            if verb is not self._continuing:
                verb.cancel()
        self._events.fail(error)
        if isinstance(error, Disconnected):
            self._forget_channel(error)

    # ---- its script

    def run(self, script: Script) -> Deferred[object]:
        """
        Run its script.

        :param script: what answers it.
        :return: fires with what it returns, and fails with what it raises. To be ended by
            :meth:`interrupt`, not cancelled.
        """
        self._script = Interruptible(script(self))
        if self._early is not None:
            self._script.interrupt(self._early)
        return self._script.done

    def interrupt(self, error: BaseException) -> None:
        """
        Have what the script awaits at this moment, or next, fail.

        :param error: with what.
        """
        if self._script is None:
            self._early = error
        else:
            self._script.interrupt(error)

    def abandon(self) -> None:
        """Stop listening; for when the script is done."""
        self._following.cancel()
        self._events.clear()
        if not self.gone:
            self._forget_channel(HungUp(f"{self!r} is not followed any more"))

    def _forget_channel(self, error: AsteriskError) -> None:
        self.client.objects.forget(self.channel.kind, self.channel.id, error)


#: What answers a call.
Script: TypeAlias = Callable[[Call], Coroutine[Any, Any, object]]


class _Gathering:
    """The digits that are dialled, until they are enough or the caller takes too long."""

    def __init__(
        self, clock: IReactorTime, max_digits: int, timeout: float, terminators: str
    ) -> None:
        self._clock = clock
        self._max_digits = max_digits
        self._timeout = timeout
        self._terminators = terminators
        self._digits = ""
        self._prompt: Deferred[str] | None = None
        self._limit: IDelayedCall | None = None
        self.complete: Deferred[str] = Deferred()

    def after(self, prompt: Deferred[str]) -> None:
        """Wait for digits during the prompt, and then for so long."""
        self._prompt = prompt
        prompt.addCallbacks(lambda _: self.wait(), self._no_prompt)

    def wait(self) -> None:
        """Begin to count the seconds anew."""
        self._stop_waiting()
        if not self.complete.called:
            self._limit = self._clock.callLater(self._timeout, self._enough)

    def dialled(self, event: models.Event) -> None:
        """Take a digit."""
        digit = getattr(event, "digit", None)
        if not isinstance(digit, str) or self.complete.called:
            return
        self._stop_prompt()
        if digit in self._terminators:
            self._enough()
            return
        self._digits += digit
        if len(self._digits) >= self._max_digits:
            self._enough()
        else:
            self.wait()

    def stop(self) -> None:
        """Leave nothing behind."""
        self._stop_prompt()
        self._stop_waiting()

    def _enough(self) -> None:
        self._stop_waiting()
        if not self.complete.called:
            self.complete.callback(self._digits)

    def _no_prompt(self, failure: Any) -> None:
        if self._prompt is not None and not self.complete.called:
            self.complete.errback(failure)

    def _stop_prompt(self) -> None:
        prompt, self._prompt = self._prompt, None
        if prompt is not None:
            prompt.cancel()

    def _stop_waiting(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()


def _shielded(request: Deferred[T]) -> Deferred[T]:
    """Return a Deferred that fires in place of another, which goes on if this is cancelled."""
    shield: Deferred[T] = Deferred()

    def fired(result: Any) -> None:
        if not shield.called:
            shield.callback(result)

    request.addBoth(fired)
    return shield


def _nobody_cares(_: object) -> None:
    """Take the result of what has been given up."""
