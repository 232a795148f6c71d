"""
What AMI says: actions one way, responses and events the other.

A message is headers up to a blank line. The three kinds look alike and are told apart by the name
of their first header, never by a later one: an ``OriginateResponse`` is an event that holds a
``Response:`` header, and a ``UserEvent`` holds whatever its sender liked.

Headers keep their order and their repeats, names are looked up without case, and bytes that are
not UTF-8 survive as surrogate escapes. A message is parsed when it is first asked for something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from ..errors import LocalProtocolError

__all__ = ["Action", "Event", "Gap", "Headers", "Message", "Response"]

#: The headers of an action, as :meth:`Action.build` takes them.
Headers: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]

#: Asterisk reads a line into 1024 bytes, CR LF included; exactly 1023 even makes the rest of the
#: message a new action (seen on 16.28 and 22.10).
MAX_LINE: Final = 1022
#: Asterisk refuses a message of more lines (seen on 16.28 and 22.10).
MAX_LINES: Final = 128
#: A longer ActionID makes ConfbridgeList lose a line end (seen on 16.28 and 22.10).
MAX_ACTION_ID: Final = 67

#: So many headers are searched for in the bytes, which is cheaper than to split every line. Who
#: asks for more is likely to go on asking: then a dict pays.
_SEARCHES_BEFORE_INDEX: Final = 2

_END_OF_MESSAGE: Final = b"\r\n\r\n"
_END_OF_COMMAND: Final = "--END COMMAND--"

#: Asterisk copies the ActionID as it came and writes the name in this spelling.
_ACTION_ID_LINE: Final = re.compile(rb"\r\nActionID: .*?(?=\r\n|\Z)", re.DOTALL)

#: What stands for no character and, unlike a surrogate escape, for no byte either.
_LONE_SURROGATE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")

M = TypeVar("M", bound="Message")


class Message:
    """
    Some headers in their order; immutable.

    :param raw: the bytes between two blank lines.
    """

    __slots__ = ("_headers", "_index", "_searches", "raw")

    raw: bytes

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._headers: tuple[tuple[str, str], ...] | None = None
        self._index: dict[str, str] | None = None
        self._searches = _SEARCHES_BEFORE_INDEX

    @classmethod
    def of(cls: type[M], headers: Iterable[tuple[str, str]]) -> M:
        """
        Make a message of names and values.

        :raises LocalProtocolError: when a line cannot be carried by AMI.
        """
        lines = [_line(name, value) for name, value in headers]
        return cls("\r\n".join(lines).encode("utf-8", "surrogateescape"))

    def serialize(self) -> bytes:
        """Return the bytes for the wire, with the blank line that ends the message."""
        return self.raw + _END_OF_MESSAGE

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All headers in their order; a line without a colon is a name with an empty value."""
        if self._headers is None:
            parted = [line.partition(":") for line in self._text().split("\r\n")]
            self._headers = tuple([(name, value.removeprefix(" ")) for name, _, value in parted])
        return self._headers

    def __getitem__(self, name: str) -> str:
        """
        Return the value of a header: the first one spelled like this, or else in other case.

        :raises KeyError: when there is none.
        """
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a header as ``message[name]`` does, or the default."""
        if self._searches:
            self._searches -= 1
            needles = _needles(name)
            if needles is not None:
                spelled, folded, begun = needles
                lines = b"\r\n" + self.raw
                _, found, rest = lines.partition(spelled)
                if found:
                    return _value(rest)
                if lines.isascii():
                    # Then the same in lower case has as many bytes.
                    lowered = lines.lower()
                    if begun not in lowered:
                        # Not even a line without a colon. A third of a call's events lack the
                        # channel that a listener on ``*`` asks for.
                        return default
                    start = lowered.find(folded)
                    if start >= 0 and begun not in lines and spelled[:-1] not in lines:
                        # No line begins so as spelled or in lower case, which would go before:
                        # the first in other case counts, such as the UniqueID of a Cdr.
                        return _value(lines[start + len(folded) :])
                # What is left: a line without a colon, several spellings, other bytes.
        index = self._index
        if index is None:
            index = self._index = self._build_index()
        value = index.get(name)
        if value is None:
            value = index.get(name.casefold(), default)
        return value

    def get_all(self, name: str) -> list[str]:
        """Return the values of every header of that name, in any case, in their order."""
        wanted = name.casefold()
        return [value for header, value in self.headers if header.casefold() == wanted]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def _text(self) -> str:
        return self.raw.decode("utf-8", "surrogateescape")

    def _build_index(self) -> dict[str, str]:
        """Map each name as spelled, and folded where no header is spelled so, to its value."""
        spelled: dict[str, str] = {}
        bare: list[str] = []
        for line in self._text().split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                spelled.setdefault(name, value.removeprefix(" "))
            else:
                bare.append(name)
        # The search cannot see lines without a colon, so they must not come before what it finds.
        for name in bare:
            spelled.setdefault(name, "")
        index = dict(spelled)
        for name, value in spelled.items():
            index.setdefault(name.casefold(), value)
        return index


class Action(Message):
    """What a client asks for."""

    __slots__ = ()

    @classmethod
    def build(cls, name: str, headers: Headers = ()) -> Action:
        """
        Make an action.

        :param name: the name in Asterisk's spelling, such as ``QueueStatus``.
        :param headers: names and values. A bool becomes ``true`` or ``false``, a number its
            digits, ``None`` leaves the header out, a list repeats the header, and a mapping (for
            ``Variable``) makes one ``Variable: name=value`` line each, with commas, quotes and
            backslashes protected.
        :raises LocalProtocolError: when AMI cannot carry it: a CR, LF, NUL or lone surrogate
            anywhere, a line of more than 1022 bytes, more than 128 lines, or an ActionID, which is
            the connection's own to choose.
        """
        return cls(_first_line(name) + _header_lines(name, headers))

    @staticmethod
    def wire(name: str, headers: Headers, action_id: str) -> bytes:
        """
        Return the bytes for the wire of such an action, to be answered under an id.

        :param name: as for :meth:`build`.
        :param headers: as for :meth:`build`.
        :param action_id: 1 to 67 printable ASCII characters.
        :raises LocalProtocolError: as :meth:`build` does, and for another id.
        """
        _refuse_action_id(action_id)
        return b"".join(
            (
                _first_line(name),
                b"\r\nActionID: ",
                action_id.encode(),
                _header_lines(name, headers),
                _END_OF_MESSAGE,
            )
        )

    @property
    def name(self) -> str:
        """The name as it was sent, or an empty text."""
        return self.get("Action") or ""

    @property
    def action_id(self) -> str | None:
        """What the answer will be marked with."""
        return self.get("ActionID")

    def __repr__(self) -> str:
        # Names only: values hold secrets.
        return f"<Action {self.name}: {', '.join(name for name, _ in self.headers[1:])}>"


class Response(Message):
    """
    The answer to an action.

    :ivar events: the items of the event list that the answer began, and its completion last;
        empty for an answer without a list.
    """

    __slots__ = ("events",)

    def __init__(self, raw: bytes, events: tuple[Event, ...] = ()) -> None:
        Message.__init__(self, raw)
        self.events = events

    @property
    def status(self) -> str:
        """``Success``, ``Error``, ``Goodbye``, or, up to Asterisk 13, ``Follows``."""
        return self.get("Response") or ""

    @property
    def failed(self) -> bool:
        """Whether Asterisk said ``Error``."""
        if self.raw.startswith(b"Response: Success\r\n"):
            # As nearly every answer begins; to look the header up costs more than the rest of it.
            return False
        return self.status.casefold() == "error"

    @property
    def message(self) -> str:
        """Asterisk's own words, without the line end that some of them carry."""
        return (self.get("Message") or "").rstrip("\n")

    @property
    def output(self) -> list[str]:
        """The lines that a ``Command`` printed, in either form that Asterisk has had."""
        if self.status.casefold() == "follows":
            return _output_that_follows(self._text())
        return self.get_all("Output")

    def with_action_id(self, action_id: str | None) -> Response:
        """
        Return the same answer, with its list, under another ActionID.

        It is for those who pass answers on: the asker knows its own ActionID, not ours.

        :param action_id: the ActionID, or None to leave it out.
        :raises LocalProtocolError: when AMI cannot carry it.
        """
        events = tuple(event.with_action_id(action_id) for event in self.events)
        return Response(_under(self.raw, action_id), events)

    def __repr__(self) -> str:
        listed = f", {len(self.events)} events" if self.events else ""
        return f"<Response {self.status}: {self.message}{listed}>"


class Event(Message):
    """Something that happened, or an item of a list."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name in Asterisk's spelling, such as ``Newchannel``."""
        first, _, _ = self.raw.partition(b"\r\n")
        _, _, name = first.partition(b":")
        return name.removeprefix(b" ").decode("utf-8", "surrogateescape")

    def with_action_id(self, action_id: str | None) -> Event:
        """Return the same event under another ActionID; one that has none stays without."""
        return Event(_under(self.raw, action_id))

    def __repr__(self) -> str:
        return f"<Event {self.name}: {', '.join(name for name, _ in self.headers[1:])}>"


class Gap(Event):
    """
    Events were missed: the link was lost, and is there again.

    It is no event of Asterisk's, but is told like one, under the name ``Gap``. What the program
    knows of Asterisk may be wrong now and should be read again.

    :ivar since: when the last sign of life came over the lost link, in seconds since the epoch.
    :ivar until: when the new link began to tell events, in seconds since the epoch.
    """

    __slots__ = ("since", "until")

    def __init__(self, since: float, until: float) -> None:
        super().__init__(b"Event: Gap\r\nSince: %.6f\r\nUntil: %.6f" % (since, until))
        self.since = since
        self.until = until


def _line(name: str, value: str) -> str:
    beginning = _beginning(name)
    if _unsendable(value):
        raise LocalProtocolError(f"the value of {name} holds a CR, LF, NUL or lone surrogate")
    return beginning + value


@lru_cache(maxsize=1024)
def _beginning(name: str) -> str:
    """Return how the line of a header begins; names are few, so each is looked at once."""
    if not name or name[0] in " \t" or ":" in name or _unsendable(name):
        raise LocalProtocolError(f"{name!r} cannot be the name of an AMI header")
    return name + ": "


@lru_cache(maxsize=1024)
def _first_line(action: str) -> bytes:
    """Return the line that names an action; these are few too."""
    line = _line("Action", action).encode("utf-8", "surrogateescape")
    _refuse_long_lines(action, line)
    return line


def _header_lines(action: str, headers: Headers) -> bytes:
    """Return the lines of an action's headers, each behind the line end of the one before."""
    if not headers:
        return b""
    lines = [""]
    # A dict is found out quicker than any other mapping.
    for name, value in headers.items() if isinstance(headers, (dict, Mapping)) else headers:
        if name.casefold() in ("action", "actionid"):
            raise LocalProtocolError(f"{action}: the header {name} is set by the connection")
        lines += [_line(*line) for line in _wire_lines(name, value)]
    # The empty one stands for the name, and there is the ActionID.
    if len(lines) + 1 > MAX_LINES:
        raise LocalProtocolError(
            f"{action}: {len(lines) + 1} lines, but AMI takes at most {MAX_LINES} in an action"
        )
    raw = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    if len(raw) > MAX_LINE:
        # Only then can one of them be too long.
        _refuse_long_lines(action, raw)
    return raw


def _refuse_action_id(action_id: str) -> None:
    printable = action_id.isascii() and action_id.isprintable()
    if not printable or not 0 < len(action_id) <= MAX_ACTION_ID:
        raise LocalProtocolError(
            f"an ActionID has 1 to {MAX_ACTION_ID} printable characters, not as {action_id!r}"
        )


def _unsendable(text: str) -> bool:
    return (
        "\r" in text
        or "\n" in text
        or "\0" in text
        or (not text.isascii() and _LONE_SURROGATE.search(text) is not None)
    )


def _wire_lines(name: str, value: object) -> Iterable[tuple[str, str]]:
    """Turn one header as the caller gave it into the lines for the wire."""
    if isinstance(value, str):
        # As most are; the other questions cost more.
        return [(name, str.__str__(value))]
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(name, _variable(key, item)) for key, item in value.items()]
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [(name, _wire_text(item)) for item in value]
    return [(name, _wire_text(value))]


def _wire_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return str(value)
    # Its type only: the value may be a secret.
    raise LocalProtocolError(f"AMI carries text, numbers and booleans, not {type(value).__name__}")


def _variable(name: str, value: object) -> str:
    if not name or "=" in name or _protect(name) != name:
        raise LocalProtocolError(f"{name!r} cannot be the name of a channel variable")
    return f"{name}={_protect(_wire_text(value))}"


def _protect(value: str) -> str:
    r"""Keep a variable's value whole: in a ``Variable:`` line ``,``, ``"`` and ``\`` are syntax."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace(",", "\\,")


def _refuse_long_lines(action: str, raw: bytes) -> None:
    for line in raw.split(b"\r\n"):
        if len(line) > MAX_LINE:
            name = line.partition(b":")[0].decode("utf-8", "replace")
            raise LocalProtocolError(
                f"{action:.40}: the line of {name:.40} has {len(line)} bytes, "
                f"but AMI takes at most {MAX_LINE}"
            )


def _under(raw: bytes, action_id: str | None) -> bytes:
    """Exchange a message's ActionID, if it has one, or leave it out."""
    line = b""
    if action_id is not None:
        line = b"\r\n" + _line("ActionID", action_id).encode("utf-8", "surrogateescape")
    return _ACTION_ID_LINE.sub(lambda _: line, raw, count=1)


def _output_that_follows(text: str) -> list[str]:
    """Read the ``Command`` answer of Asterisk 13 and older: some headers, then bare lines."""
    lines = text.split("\r\n")
    while lines and lines[0].partition(":")[0] in ("Response", "Privilege", "ActionID"):
        del lines[0]
    printed = "\r\n".join(lines)
    return printed.removesuffix(_END_OF_COMMAND).removesuffix("\n").split("\n")


def _value(rest: bytes) -> str:
    """Return the value of the header behind whose colon the bytes begin."""
    value, _, _ = rest.partition(b"\r\n")
    return value.removeprefix(b" ").decode("utf-8", "surrogateescape")


@lru_cache(maxsize=1024)
def _needles(name: str) -> tuple[bytes, bytes, bytes] | None:
    """
    Return what is in the bytes of a message with such a header: how its line begins, the same in
    lower case, and that without the colon; None for a name that only the index can find.
    """
    if ":" in name or "\r\n" in name or not name.isascii():
        # No header has such a name, but the bytes of several might look like it; or what is the
        # same in other case is no matter of bytes.
        return None
    begun = f"\r\n{name}".encode()
    folded = begun.lower()
    return begun + b":", folded + b":", folded
