"""What can be done over AMI, by a connection and by the service that keeps one."""

from __future__ import annotations

import builtins
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from .._streams import STREAM_LIMIT, EventStream
from .._subscriptions import Listener, Subscription, Subscriptions
from .actions import Actions
from .calls import RING_TIME, Call, Calls
from .messages import Event, Headers, Response

__all__ = ["LIST_LIMIT", "Verbs"]

#: How many items of a list are kept until they are read, unless told otherwise: some 5 MB. A list
#: comes as fast as the network takes it, so this is more than for events.
LIST_LIMIT: Final = 10_000


class Verbs(Actions):
    """Actions and events, whoever carries them; each documented action has a method."""

    _subscriptions: Subscriptions[Event]
    _clock: IReactorTime

    @abstractmethod
    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        """
        Have Asterisk do something, and get its answer.

        :param name: the action in Asterisk's spelling, such as ``QueueStatus``.
        :param headers: names and values, as :meth:`Action.build` takes them. The
            ActionID is chosen by the connection; the answer holds it.
        :param timeout: the most seconds to wait for the answer, or None for as long as it takes.
        :return: fires with the :class:`Response`, for an event list when it is complete,
            with its ``events``. Fails with :class:`ActionFailed` when Asterisk
            says ``Error``, with :class:`LocalProtocolError` when AMI cannot
            carry the action, with :class:`TimedOut` and with
            :class:`Disconnected`. Cancelling only drops the answer: AMI cannot
            call an action back.
        """

    @abstractmethod
    def list(
        self,
        name: str,
        headers: Headers = (),
        *,
        timeout: float | None = None,
        limit: int = LIST_LIMIT,
    ) -> EventStream[Event]:
        """
        Have Asterisk list something, and read the items one after the other while they come.

        :param name: the action in Asterisk's spelling, such as ``CoreShowChannels``.
        :param headers: as for :meth:`action`.
        :param timeout: the most seconds until the list is complete, or None for any time.
        :param limit: the most items that are kept until they are read. A list cannot be held back
            for longer than a moment, so who reads slowly needs room for all of it.
        :return: an async iterator over the items, which ends with the list, without its completion.
            Reading fails as :meth:`action` does, and with :class:`EventsLost` when it was read
            too slowly. Cancelling it, leaving its ``with`` block and ``break`` drop the rest.
        """

    def on(
        self, event: str | Iterable[str], listener: Listener[Event], /, **match: object
    ) -> Subscription[Event]:
        """
        Call ``listener`` with each event of that name.

        :param event: a name such as ``Newchannel``, a wildcard such as ``Queue*``, or several of
            these; case is ignored.
        :param listener: called with the :class:`Event`; may be an ``async def``. Its
            errors are logged and harm nobody else.
        :param match: headers and what they must be: a value, a collection of values, or a callable
            that is given the value (None if the header is not there) and says whether it fits.
        :return: the subscription, to be cancelled or used as a context manager.
        """
        return self._subscriptions.on(event, listener, **match)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Event]:
        """
        Wait for the next event of that name.

        :param event: as for :meth:`on`.
        :param timeout: the most seconds to wait, or None for as long as it takes.
        :param match: as for :meth:`on`.
        :return: fires with the :class:`Event`; fails with
            :class:`TimedOut`, and with
            :class:`Disconnected` when no more events can come. Cancelling stops
            waiting.
        """
        return self._subscriptions.next(event, timeout=timeout, **match)

    def stream(
        self, event: str | Iterable[str], /, *, limit: int = STREAM_LIMIT, **match: object
    ) -> EventStream[Event]:
        """
        Read the events of that name one after the other, from now on.

        :param event: as for :meth:`on`.
        :param limit: the most events that are kept until they are read.
        :param match: as for :meth:`on`.
        :return: an async iterator, which ends when it is cancelled, when its ``with`` block is left
            and with ``break``. When it is full the link is held back for a moment; what comes after
            that is lost, and reading fails with :class:`EventsLost`, which says how
            much, after what was kept. It fails with :class:`Disconnected`
            when no more events can come.
        """
        return self._subscriptions.stream(event, limit=limit, **match)

    def originate(
        self,
        channel: str,
        *,
        context: str | None = None,
        exten: str | None = None,
        priority: int | str = 1,
        application: str | None = None,
        data: object = None,
        timeout: float = RING_TIME,
        caller_id: str | None = None,
        variables: Mapping[str, object] | None = None,
        account: str | None = None,
        codecs: Iterable[str] | None = None,
        early_media: bool | None = None,
        pre_dial_gosub: str | None = None,
    ) -> Deferred[Call]:
        """
        Place a call, wait for the answer, and follow the call to its end (AMI ``Originate``).

        It needs a user who may read the class ``call``. What this method does not do,
        ``action("Originate", …)`` does.

        :param channel: what to call, such as ``PJSIP/alice``.
        :param context: with ``exten`` and ``priority``: where in the dialplan to go on when it was
            answered.
        :param exten: see ``context``.
        :param priority: see ``context``.
        :param application: what to run when it was answered, instead of the dialplan.
        :param data: the application's arguments.
        :param timeout: the most seconds to let it ring.
        :param caller_id: shown to who is called, such as ``"Bob" <1234>``.
        :param variables: channel variables to set.
        :param account: the account code.
        :param codecs: the codecs to offer.
        :param early_media: whether to go on at early media, before the answer.
        :param pre_dial_gosub: ``context,exten,priority`` to run on the new channel first; Asterisk
            16 does not know it.
        :return: fires with the :class:`txasterisk.ami.Call` when it was answered; fails with
            :class:`CallFailed` when it was not, with
            :class:`ActionFailed` when Asterisk does not try, with
            :class:`TimedOut` when Asterisk does not say how it went (the call may be up then), and
            with :class:`Disconnected`. Cancelling hangs up.
        """
        return self.new_call().originate(
            channel,
            context=context,
            exten=exten,
            priority=priority,
            application=application,
            data=data,
            timeout=timeout,
            caller_id=caller_id,
            variables=variables,
            account=account,
            codecs=codecs,
            early_media=early_media,
            pre_dial_gosub=pre_dial_gosub,
        )

    def new_call(self) -> Call:
        """
        Return a call that is not placed yet, to listen to it from its very beginning.

        ``call = ami.new_call()``, ``call.on("DialState", …)``, ``await call.originate(…)``.
        """
        return self._calls.new()

    @cached_property
    def _calls(self) -> Calls:
        return Calls(self, self._subscriptions, self._clock)

    def command(
        self, command: str, *, timeout: float | None = None
    ) -> Deferred[builtins.list[str]]:
        """
        Run a command of Asterisk's console (AMI ``Command``).

        :param command: the command, such as ``core show channels``.
        :param timeout: the most seconds to wait for its end.
        :return: fires with the lines that it printed; fails like :meth:`action`, where the lines
            are in ``error.response.output``. Cancelling drops the answer.
        """
        answer = self.action("Command", {"Command": command}, timeout=timeout)
        return answer.addCallback(lambda response: response.output)

    def ping(self, *, timeout: float | None = None) -> Deferred[Response]:
        """
        Ask for a sign of life (AMI ``Ping``).

        :param timeout: the most seconds to wait for it.
        :return: fires with the answer, whose ``Timestamp`` is the server's clock; fails like
            :meth:`action`. Cancelling drops the answer.
        """
        return self.action("Ping", timeout=timeout)
