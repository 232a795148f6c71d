"""One way to an Asterisk: what connections and sessions over HTTP have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IPushProducer, IReactorTime

from .._milestone import Milestone
from .._streams import STREAM_LIMIT, Buffer, EventStream
from .._subscriptions import Subscriptions
from ..errors import ActionFailed, Disconnected
from .messages import Event, Headers, Response
from .verbs import LIST_LIMIT, Verbs

__all__ = ["Link", "event_subscriptions", "refused"]


class Link(Verbs):
    """
    A way to Asterisk that ends one day.

    :param clock: measures time limits.
    :ivar version: the version of AMI that the server speaks, such as ``11.0.0``; empty when it is
        not known.
    """

    version = ""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._gone: BaseException | None = None
        self._disconnected: Milestone[Disconnected] = Milestone()
        self._own = self._subscriptions = event_subscriptions(clock)
        self._source: IPushProducer | None = None

    @property
    @abstractmethod
    def heard_at(self) -> float:
        """When something was heard last, in seconds since the epoch."""

    def when_disconnected(self) -> Deferred[Disconnected]:
        """
        Wait for the end of the link.

        :return: fires with the error that everything pending failed with. Cancelling stops
            waiting.
        """
        return self._disconnected.when()

    @abstractmethod
    def logoff(self, *, timeout: float | None = None) -> Deferred[None]:
        """
        Say goodbye (AMI ``Logoff``) and wait for the end of the link.

        :param timeout: the most seconds to wait for the answer.
        :return: fires with None once it has ended; fails with
            :class:`TimedOut` or, if there was no link any more,
            :class:`Disconnected`. Cancelling stops waiting.
        """

    @abstractmethod
    def disconnect(self) -> None:
        """End the link: nothing more is sent or delivered, and everything pending fails."""

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        """See :meth:`Verbs.action`."""
        return self._ask(name, headers, timeout, None)

    def list(
        self,
        name: str,
        headers: Headers = (),
        *,
        timeout: float | None = None,
        limit: int = LIST_LIMIT,
    ) -> EventStream[Event]:
        """See :meth:`Verbs.list`."""
        buffer: Buffer[Event] = Buffer(limit, self._subscriptions.brake)
        answer = self._ask(name, headers, timeout, buffer.put)
        answer.addCallbacks(lambda _: buffer.end(), lambda failure: buffer.end(failure.value))
        return EventStream(buffer, answer.cancel)

    def next(
        self, event: str | Iterable[str], /, *, timeout: float | None = None, **match: object
    ) -> Deferred[Event]:
        """See :meth:`Verbs.next`."""
        if self._nothing_can_come():
            return fail(self._error())
        return super().next(event, timeout=timeout, **match)

    def stream(
        self, event: str | Iterable[str], /, *, limit: int = STREAM_LIMIT, **match: object
    ) -> EventStream[Event]:
        """See :meth:`Verbs.stream`."""
        stream = super().stream(event, limit=limit, **match)
        if self._nothing_can_come():
            self._own.fail(self._error())
        return stream

    def lend(self, subscriptions: Subscriptions[Event]) -> None:
        """
        Tell events to other listeners from the next event on.

        :param subscriptions: the listeners, which outlive this link.
        """
        self._subscriptions = subscriptions
        subscriptions.brake.source = self._source

    @abstractmethod
    def _ask(
        self,
        name: str,
        headers: Headers,
        timeout: float | None,
        item: Callable[[Event], object] | None,
    ) -> Deferred[Response]:
        """Do an action; tell each item of its list, or else keep them for the answer."""

    @abstractmethod
    def _error(self) -> Disconnected:
        """Make a new error for each who is told of the end: a raised one collects tracebacks."""

    def _nothing_can_come(self) -> bool:
        # Listeners that are lent hear of the next link.
        return self._gone is not None and self._subscriptions is self._own

    def _hold_back(self, source: IPushProducer | None) -> None:
        """Say what there is to hold back while a stream is full."""
        self._source = self._subscriptions.brake.source = source


def refused(action: str, response: Response) -> ActionFailed:
    """Return the error for an answer that is one, in Asterisk's own words."""
    # What a Command says of itself is only that its output follows.
    printed = response.output
    return ActionFailed(action, response, printed[0] if printed else response.message)


def event_subscriptions(clock: IReactorTime | None = None) -> Subscriptions[Event]:
    """Return the place for the listeners of one link, or of several after each other."""
    return Subscriptions(Event.get, clock=clock)
