"""
Handles: one object of Asterisk's, by its id, with its verbs and its own events.

A handle does nothing by itself. Its id is chosen here before Asterisk is asked for anything, so
that whoever subscribes first and acts then misses no event, however fast it comes::

    channel = client.new_channel()
    answered = channel.next("StasisStart")
    await channel.originate(endpoint="PJSIP/alice", app="ivr")
    await answered
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .._subscriptions import Listener, Subscription, Subscriptions
from ..errors import HungUp, NotFound, TimedOut
from . import models

if TYPE_CHECKING:
    from .client import ARIClient

__all__ = ["Channel", "Handle", "Playback"]


class Handle:
    """
    What all handles have in common: an id, and the events of that very object.

    :ivar client: the :class:`txasterisk.ari.client.ARIClient` that it belongs to.
    :ivar id: the id that Asterisk knows it by.
    """

    kind: str

    def __init__(self, client: ARIClient, id: str) -> None:  # noqa: A002 - Asterisk's own word
        self.client = client
        self.id = id

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id}>"

    def on(
        self,
        event: str | Iterable[str],
        listener: Listener[models.Event],
        /,
        **match: object,
    ) -> Subscription[models.Event]:
        """
        Call ``listener`` with each event of this object.

        :param event: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param listener: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param match: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :return: the subscription. It ends by itself when the object is gone.
        """
        return self._listeners().on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[models.Event]:
        """
        Wait for the next event of this object.

        :param event: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :param timeout: the most seconds to wait.
        :param match: as for :meth:`txasterisk.ari.client.ARIClient.on`.
        :return: fires with the event; fails with :class:`txasterisk.errors.HungUp` when the
            object is gone, :class:`txasterisk.errors.Disconnected` or
            :class:`txasterisk.errors.TimedOut`. Cancelling it stops listening.
        """
        return self._listeners().next(event, timeout=timeout, **match)

    def forget(self) -> None:
        """Cancel all listeners of this object; needed only if Asterisk never says that it ended."""
        self.client.objects.forget(self.kind, self.id, HungUp(f"{self!r} is not followed any more"))

    def _listeners(self) -> Subscriptions[models.Event]:
        return self.client.objects.listeners(self.kind, self.id)


class Channel(Handle):
    """A channel. Its verbs fail with :class:`txasterisk.errors.NotFound` when it has hung up."""

    kind = "Channel"

    def originate(
        self,
        *,
        endpoint: str,
        app: str | None = None,
        app_args: str | None = None,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> Deferred[models.Channel]:
        """
        Create and dial this channel (``originateWithId``).

        :param endpoint: whom to dial, such as ``PJSIP/alice``.
        :param app: the Stasis application that it enters when it is answered.
        :param app_args: arguments for the application, separated by commas.
        :param extension: the extension that it goes to instead of an application.
        :param context: the context of the extension.
        :param priority: the priority in the extension.
        :param caller_id: name and number to show, ``"Alice" <100>``.
        :param timeout: seconds to let it ring; Asterisk's default is 30.
        :param variables: channel variables to set.
        :return: fires with the channel as it is before anything is known of the call, and fails as
            every request does. Cancelling it gives up the answer, not the call.

        Its StasisStart is for your own listeners; no script of an
        :class:`txasterisk.ari.application.Application` is run for it. To have one run, use the
        operation itself: ``client.channels.originate(...)``.
        """
        if app is not None:
            self.client.objects.made(self.id)
        return self.client.channels.originate_with_id(
            self.id,
            endpoint=endpoint,
            app=app,
            app_args=app_args,
            extension=extension,
            context=context,
            priority=priority,
            caller_id=caller_id,
            timeout=timeout,
            variables=variables,
        ).addErrback(self._nothing_came_of_it)

    def get(self) -> Deferred[models.Channel]:
        """Ask what the channel is like now."""
        return self.client.channels.get(self.id)

    def answer(self) -> Deferred[None]:
        """Answer an incoming channel; fires when Asterisk has noted it, not when it is done."""
        return self.client.channels.answer(self.id)

    def ring(self) -> Deferred[None]:
        """Tell the caller that it is ringing."""
        return self.client.channels.ring(self.id)

    def hangup(self, *, reason: str | None = None) -> Deferred[None]:
        """
        Hang up.

        :param reason: such as ``normal``, ``busy`` or ``congestion``.
        """
        return self.client.channels.hangup(self.id, reason=reason)

    def play(self, playback: Playback, media: str | Iterable[str]) -> Deferred[models.Playback]:
        """
        Play something; fires when Asterisk has queued it. See :meth:`Playback.when_finished`.

        :param playback: a handle of your own, from ``client.new_playback()``.
        :param media: such as ``sound:hello-world``, one or several.
        """
        playing = self.client.channels.play_with_id(self.id, playback.id, media=media)
        return playing.addCallback(playback.begun)

    def get_variable(self, name: str) -> Deferred[models.Variable]:
        """
        Read a channel variable or, if the name ends in ``)``, a dialplan function.

        :param name: an undefined one is :class:`txasterisk.errors.NotFound`.
        """
        return self.client.channels.get_channel_var(self.id, variable=name)

    def set_variable(self, name: str, value: str) -> Deferred[None]:
        """
        Set a channel variable; Asterisk 22 answers after all that is queued has been played.

        :param name: the variable or dialplan function.
        :param value: its new value.
        """
        return self.client.channels.set_channel_var(self.id, variable=name, value=value)

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

        :param context: the context to go on in.
        :param extension: the extension to go on at.
        :param priority: the priority to go on at.
        :param label: the label to go on at, in place of a priority.
        """
        return self.client.channels.continue_in_dialplan(
            self.id, context=context, extension=extension, priority=priority, label=label
        )

    def _nothing_came_of_it(self, failure: Failure) -> Failure:
        self.client.objects.not_made(self.id)
        return failure


#: Seconds between a sign of life of a playback and the question whether it is still there, growing
#: while it lasts: some media end without an event (an unknown scheme, a recording that is not
#: there), and a long prompt should not cost a request every other second.
FIRST_LOOK: Final = 2.0
LONGEST_LOOK: Final = 60.0

#: Seconds for an event that was already on its way when the answer said that all is over.
GRACE: Final = 1.0


class Playback(Handle):
    """Something that is played."""

    kind = "Playback"

    def __init__(self, client: ARIClient, id: str, *, begun: bool = True) -> None:  # noqa: A002
        super().__init__(client, id)
        self._begun = begun

    def get(self) -> Deferred[models.Playback]:
        """Ask how far it is."""
        return self.client.playbacks.get(self.id)

    def stop(self) -> Deferred[None]:
        """Stop it; one that is over is :class:`txasterisk.errors.NotFound`."""
        return self.client.playbacks.stop(self.id)

    def control(self, operation: str) -> Deferred[None]:
        """
        Steer it.

        :param operation: ``pause``, ``unpause``, ``restart``, ``reverse`` or ``forward``.
        """
        return self.client.playbacks.control(self.id, operation=operation)

    def when_finished(self) -> Deferred[str]:
        """
        Wait for the end; to be called before it is started.

        Some media never report their end, so Asterisk is asked now and then.

        :return: fires with ``done`` or ``failed``. Fails with
            :class:`txasterisk.errors.Disconnected`. Cancelling it stops waiting, not playing.
        """
        return Deferred.fromCoroutine(self._finished())

    def begun(self, snapshot: models.Playback) -> models.Playback:
        """
        Take note that Asterisk knows it.

        :param snapshot: what it answered.
        :return: the same.
        """
        self._begun = True
        return snapshot

    async def _finished(self) -> str:
        patience = FIRST_LOOK
        while True:
            try:
                event = await self.next("Playback*", timeout=patience)
            except TimedOut:
                if self._begun and not await self._is_there():
                    return await self._last_word()
                patience = min(patience * 2, LONGEST_LOOK)
            else:
                self._begun = True
                if event.type == "PlaybackFinished":
                    return _state(event)

    async def _last_word(self) -> str:
        try:
            return _state(await self.next("PlaybackFinished", timeout=GRACE))
        except TimedOut:
            self.forget()
            return "failed"

    async def _is_there(self) -> bool:
        try:
            await self.get()
        except NotFound:
            return False
        return True


def _state(event: models.Event) -> str:
    playback = getattr(event, "playback", None)
    return playback.state if isinstance(playback, models.Playback) else "failed"


def new_id() -> str:
    """Choose an id that no object has."""
    return f"txasterisk-{uuid4()}"
