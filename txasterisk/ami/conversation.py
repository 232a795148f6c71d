"""
Who asked what and what the answer is: AMI as pure state, for both sides.

:class:`ClientConversation` matches a reply to its question, by ActionID and by nothing else: see
:meth:`ClientConversation._answer`. :class:`ServerConversation` is the other end of the same wire,
for the fake and for proxies.

Neither does any I/O: bytes go in, happenings come out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, NamedTuple, TypeVar

from .._lines import Splitter
from .._subscriptions import WireName
from ..errors import RemoteProtocolError
from .irregular import IRREGULAR, Irregular
from .messages import Action, Event, Headers, Response

__all__ = [
    "Answered",
    "ClientConversation",
    "Greeted",
    "Happened",
    "Question",
    "ServerConversation",
]

#: Asterisk sends messages of any length: GetConfigJSON is one line of 100 kB for 500 settings, and
#: ``Command`` prints a whole dialplan in one message. Nothing seen comes near this.
MAX_MESSAGE: Final = 16 * 1024 * 1024
#: "Asterisk Call Manager/11.0.0" has 28 bytes.
MAX_GREETING: Final = 256
#: What Asterisk itself takes of a client.
MAX_REQUEST_LINE: Final = 1024
MAX_REQUEST_LINES: Final = 128
#: An action's list is kept until it is complete: no more bytes of it than this, which is some
#: 500,000 channels. What may be longer is to be read as a stream, which keeps little of it.
MAX_LIST: Final = 256 * 1024 * 1024
#: So many bytes at the beginning of a message tell the name of nearly every event; one with a name
#: of over 23 bytes only takes the longer way. More of them would reach, behind a short name, what
#: differs from event to event, such as the channel.
_HEAD: Final = slice(32)
#: There are about as many heads as names of events: some hundreds. A peer that makes up new ones
#: without end must not fill the memory, so past this many the table is begun anew.
MAX_KNOWN_HEADS: Final = 4096
#: Late answers to questions that nobody waits for any more are swallowed for so many of them.
MAX_FORGOTTEN: Final = 1000

_GREETING: Final = b"Asterisk Call Manager/"
_SUCCESS: Final = b"Response: Success\r\n"
_EVENT: Final = b"Event: "
_COMMAND_UP_TO_13: Final = b"Response: Follows"

_PING_BEHIND: Final = b"-end"
#: Of every question without a list, so nothing is ever put into it. With a thousand questions
#: outstanding, whatever each of them holds keeps the garbage collector busy.
_NO_ITEMS: Final[list[Event]] = []

A = TypeVar("A")


class Greeted(NamedTuple):
    """The server said who it is, with the version of AMI, such as ``11.0.0``."""

    version: str


class Question(Generic[A]):
    """
    An action that has not all of its answer yet.

    :ivar asker: whatever the caller of :meth:`ClientConversation.begin` gave.
    :ivar action: the name of the action.
    """

    __slots__ = (
        *("_forgotten", "_id", "_irregular", "_item", "_items", "_response", "_silence", "_size"),
        *("action", "asker"),
    )

    def __init__(
        self, action_id: bytes, action: str, asker: A, item: Callable[[Event], object] | None
    ) -> None:
        self._id = action_id
        self.action = action
        self.asker = asker
        self._response = b""
        self._irregular: Irregular | None = None
        self._silence = 0.0
        self._item = item
        self._items = _NO_ITEMS
        self._size = 0
        self._forgotten = False

    def _closed_by(self) -> bytes:
        return self._irregular.closed_by if self._irregular is not None else b""


# What follows is made by the hundred thousand; a NamedTuple takes twice as long.


@dataclass(slots=True)
class Answered(Generic[A]):
    """The answer to a question is complete."""

    question: Question[A]
    response: Response


@dataclass(slots=True)
class Happened:
    """An event that somebody wants, with its name as it stands on the wire."""

    name: bytes
    event: Event


class ClientConversation(Generic[A]):
    """
    The client's side.

    :param wanted: looked at with each event's name; an event for which it holds nothing true is
        dropped before anything is made of it.
    :param prefix: begins every ActionID. Other clients see ours in some events, so it should be
        unlike theirs.
    """

    def __init__(self, wanted: Mapping[WireName, object], prefix: str) -> None:
        #: May be exchanged at any time.
        self.wanted = wanted
        self._prefix = prefix
        self._numbers = count(1)
        self._opening = b""
        self._greeted = False
        self._messages = Splitter(b"\r\n\r\n", MAX_MESSAGE, "a message")
        self._event_names = _EventNames()
        self._unanswered: dict[bytes, Question[A]] = {}
        self._listing: dict[bytes, Question[A]] = {}
        self._pinged_behind: dict[bytes, Question[A]] = {}
        self._forgotten: deque[Question[A]] = deque()

    def skip_greeting(self) -> None:
        """Expect no greeting: over HTTP there is none."""
        self._greeted = True

    def begin(
        self,
        name: str,
        headers: Headers,
        asker: A,
        item: Callable[[Event], object] | None = None,
    ) -> tuple[Question[A], bytes]:
        """
        Ask something.

        :param name: the action in Asterisk's spelling, such as ``QueueStatus``.
        :param headers: names and values, as :meth:`Action.build` takes them.
        :param asker: is found again in the question that :class:`Answered` brings.
        :param item: called with each item of a list as it comes; the answer then has only the
            completion in its events. By default it has them all.
        :return: the question and the bytes for the wire.
        :raises LocalProtocolError: when AMI cannot carry it, or would understand something else.
        """
        irregular = IRREGULAR.get(name.casefold())
        if irregular is not None:
            action = Action.build(name, headers)
            irregular.check(action)
            headers = action.headers[1:]
        action_id = f"{self._prefix}-{next(self._numbers)}"
        wire = Action.wire(name, headers, action_id)
        question = Question(action_id.encode(), name, asker, item)
        self._unanswered[question._id] = question
        if irregular is not None:
            question._irregular = irregular
            question._silence = irregular.silence(action)
            if irregular.perhaps_silent:
                wire += self._ping_behind(question)
        return question, wire

    def forget(self, question: Question[A]) -> None:
        """Swallow the answer when it comes: nobody waits for it any more."""
        question._forgotten = True
        question._items = _NO_ITEMS
        self._forgotten.append(question)
        if len(self._forgotten) > MAX_FORGOTTEN:
            self._remove(self._forgotten.popleft())

    @property
    def silence(self) -> float:
        """
        How many seconds Asterisk may be silent now, because of what it was asked to do.

        It does one action after the other, so the times add up; also of those whose answer nobody
        waits for any more.
        """
        questions = (*self._unanswered.values(), *self._listing.values())
        return sum(question._silence for question in questions)

    def end(self) -> list[Question[A]]:
        """Return every question that still waits for its answer, and forget them all."""
        questions = [*self._listing.values(), *self._unanswered.values()]
        self._listing.clear()
        self._unanswered.clear()
        self._pinged_behind.clear()
        self._forgotten.clear()
        return [question for question in questions if not question._forgotten]

    def receive(self, data: bytes) -> Iterator[Greeted | Answered[A] | Happened]:
        """
        Take what arrived and say what it means, one happening at a time.

        What is wanted is looked up when an event's turn comes, so that a subscription made on an
        answer already gets the events right behind it.

        :raises RemoteProtocolError: on the way, for what is no AMI or over a limit.
        """
        if not self._greeted:
            self._opening += data
            greeting, line_end, data = self._opening.partition(b"\n")
            yield from self._greet(greeting, line_end)
        event_names = self._event_names
        for frame in self._messages.feed(data):
            # Nearly everything that AMI says ends here, so this is kept short: of an event that
            # nobody wants only the head is looked at.
            name = event_names[frame[_HEAD]]
            if name and not self._listing:
                # What is wanted may be exchanged whenever something was told.
                if self.wanted[name]:
                    yield Happened(name, Event(frame))
            elif frame.startswith(_SUCCESS) and b"\r\n\n" not in frame:
                # As nearly every answer begins; there is nothing to take apart.
                yield from self._answer(frame)
            else:
                yield from self._consider(frame)

    def _greet(self, greeting: bytes, line_end: bytes) -> Iterator[Greeted]:
        expected = _GREETING if line_end else _GREETING[: len(greeting)]
        if not greeting.startswith(expected) or len(greeting) > MAX_GREETING:
            raise RemoteProtocolError(f"this is no AMI: the server began with {greeting[:40]!r}")
        if line_end:
            self._greeted = True
            self._opening = b""
            version = greeting.removeprefix(_GREETING).rstrip(b"\r")
            yield Greeted(version.decode("utf-8", "replace"))

    def _consider(self, frame: bytes) -> Iterator[Answered[A] | Happened]:
        """Take whatever is not plainly an event or an answer on its own."""
        # Reported of CoreShowChannelMap: a blank line without its CR glues two messages together.
        # The output of an old Command may hold one that does not.
        parts = [frame] if frame.startswith(_COMMAND_UP_TO_13) else frame.split(b"\r\n\n")
        for part in parts:
            # Blank lines in excess, as after QueueRule, stand before the next message.
            message = part.lstrip(b"\r\n")
            if not message.startswith((b"Response:", b"Event:")):
                # The rows of IAXnetstats, one per call, end in an LF each and in CR LF at last.
                rows, _, message = message.partition(b"\n\r\n")
                if rows and self._pinged_behind:
                    self._keep_rows(next(iter(self._pinged_behind.values())), rows)
            if message.startswith(b"Response:"):
                yield from self._answer(message)
            elif message.startswith(b"Event:"):
                yield from self._list_or_tell(message)

    def _answer(self, message: bytes) -> Iterable[Answered[A]]:
        """Match a response to its question."""
        # As _header would, without a call: a thousand answers may be on their way.
        _, _, rest = message.partition(b"\r\nActionID: ")
        action_id, _, _ = rest.partition(b"\r\n")
        question = self._unanswered.pop(action_id, None)
        if question is None:
            # Of two responses to one action, as of ModuleLoad, the first has counted. One in the
            # middle of a list is an error: PJSIPShowEndpoint goes on with its list after that,
            # CoreShowChannelMap does not.
            question = self._listing.get(action_id)
            if question is not None:
                answered = tuple(self._complete(question, message))
                self.forget(question)
                return answered
            if action_id in self._pinged_behind:
                return self._answer_without_response(self._pinged_behind.pop(action_id))
        elif (b"\r\nEventList: " in message and _begins_list(message)) or (
            question._closed_by() and message.startswith(_SUCCESS)
        ):
            question._response = message
            question._items = []
            self._listing[question._id] = question
        else:
            return self._complete(question, message)
        return ()

    def _list_or_tell(self, message: bytes) -> Iterator[Answered[A] | Happened]:
        """Put an event into the list that it belongs to, or tell it to whoever wants it."""
        question = self._list_of(message)
        if question is not None:
            for item in _items(message, question._id):
                if question._id in self._listing:
                    yield from self._list(question, Event(item))
            return
        name = _name(message)
        if self.wanted[name]:
            yield Happened(name, Event(message))

    def _list_of(self, message: bytes) -> Question[A] | None:
        action_id = _header(message, b"ActionID")
        if not action_id and len(self._listing) == 1 and b"\r\nPrivilege: " not in message:
            # IAXpeers leaves the ActionID out of its items; but events have a Privilege.
            return next(iter(self._listing.values()))
        return self._listing.get(action_id)

    def _list(self, question: Question[A], item: Event) -> Iterator[Answered[A]]:
        closed_by = question._closed_by()
        if closed_by:
            complete = _name(item.raw) == closed_by
        else:
            complete = _header(item.raw, b"EventList").lower() in (b"complete", b"cancelled")
        if not question._forgotten:
            if question._item is not None and not complete:
                question._item(item)
            else:
                self._refuse_over_limit(question, item.raw)
                question._items.append(item)
        if complete:
            del self._listing[question._id]
            yield from self._complete(question, question._response)

    def _ping_behind(self, question: Question[A]) -> bytes:
        action_id = question._id + _PING_BEHIND
        self._pinged_behind[action_id] = question
        return Action.wire("Ping", (), action_id.decode())

    def _keep_rows(self, question: Question[A], rows: bytes) -> None:
        self._refuse_over_limit(question, rows)
        question._response += b"\r\n" + rows.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def _answer_without_response(self, question: Question[A]) -> Iterable[Answered[A]]:
        """Make an answer of the rows that came instead of one, in the form of a ``Command``."""
        if self._unanswered.pop(question._id, None) is None:
            return ()
        rows = question._response.replace(b"\r\n", b"\r\nOutput: ")
        return self._complete(question, _SUCCESS + b"ActionID: " + question._id + rows)

    def _refuse_over_limit(self, question: Question[A], more: bytes) -> None:
        question._size += len(more)
        if question._size > MAX_LIST:
            raise RemoteProtocolError(
                f"the answer to {question.action} has more than {MAX_LIST} bytes"
            )

    def _complete(self, question: Question[A], response: bytes) -> Iterable[Answered[A]]:
        if question._forgotten:
            return ()
        return (Answered(question, Response(response, tuple(question._items))),)

    def _remove(self, question: Question[A]) -> None:
        self._unanswered.pop(question._id, None)
        self._listing.pop(question._id, None)
        self._pinged_behind.pop(question._id + _PING_BEHIND, None)


class _EventNames(dict[bytes, bytes]):
    """
    The head of a message -> the name, if that is plainly an event and the head holds all of it;
    else empty. To look a head up is cheaper than to find where its first line ends.
    """

    __slots__ = ()

    def __missing__(self, head: bytes) -> bytes:
        first, line_end, _ = head.partition(b"\r\n")
        plain = line_end and first.startswith(_EVENT)
        name = first.removeprefix(_EVENT) if plain else b""
        if len(self) >= MAX_KNOWN_HEADS:
            self.clear()
        self[head] = name
        return name


class ServerConversation:
    """
    The server's side: the greeting, and the actions that a client sends.

    Answers and events are messages; their :meth:`Message.serialize` makes the bytes.

    :param version: the version of AMI to claim.
    """

    def __init__(self, version: str) -> None:
        self.greeting = _GREETING + version.encode() + b"\r\n"
        self._lines = Splitter(b"\n", MAX_REQUEST_LINE, "a line")
        self._action: list[bytes] = []

    def receive(self, data: bytes) -> Iterator[Action]:
        """
        Take what arrived and return the actions that it completes.

        :raises RemoteProtocolError: for more lines or longer ones than any client may send.
        """
        for line in self._lines.feed(data):
            line = line.removesuffix(b"\r")
            if line:
                self._action.append(line)
                if len(self._action) > MAX_REQUEST_LINES:
                    raise RemoteProtocolError(f"an action of over {MAX_REQUEST_LINES} lines")
            else:
                action = Action(b"\r\n".join(self._action))
                self._action.clear()
                yield action


def _begins_list(response: bytes) -> bool:
    # It stands behind Response and ActionID; further down it may be part of some value.
    beginning = b"\r\n".join(response.split(b"\r\n", 3)[:3])
    return _header(beginning, b"EventList").lower() == b"start"


def _name(event: bytes) -> bytes:
    return event[6:].partition(b"\r\n")[0].removeprefix(b" ")


def _items(message: bytes, action_id: bytes) -> list[bytes]:
    """Split what SKINNYdevices and SKINNYlines list: no blank line ends their items."""
    if b"\r\nEvent: " not in message:
        return [message]
    marked = rb"\r\n(?=Event: [^\r\n]*\r\nActionID: %b\r\n)" % re.escape(action_id)
    return re.split(marked, message)


def _header(message: bytes, name: bytes) -> bytes:
    """Find a header that Asterisk itself writes, in its own spelling; empty if there is none."""
    _, _, rest = message.partition(b"\r\n" + name + b": ")
    value, _, _ = rest.partition(b"\r\n")
    return value
