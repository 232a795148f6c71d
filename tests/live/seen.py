"""
The page ``docs/ami-actions.rst``: which action was asked for how, and what was seen.

Between prose above and below, the page has one table; this module reads and writes it, and says in
a few words what an answer was. What varies from day to day is left out: of a list its length, of
a header its value, of a message its numbers.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from tools import generate
from txasterisk.ami import AMIProtocol, Response

__all__ = [
    "NOTHING",
    "OLDEST_FIRST",
    "PAGE",
    "Asked",
    "Table",
    "asked",
    "differences",
    "documented",
    "read",
    "render",
    "told",
    "write",
]

PAGE: Final = Path(__file__).parents[2] / "docs" / "ami-actions.rst"

OLDEST_FIRST: Final = ("16", "22")

#: No channel, queue, mailbox, file, module or anything else is called like this.
NOTHING: Final = "nothing"

#: What is asked for otherwise than with what is required, and with nothing in it.
ARGUMENTS: Final[dict[str, dict[str, object]]] = {
    "BridgeList": {"bridge_type": NOTHING},
    "Challenge": {"auth_type": "MD5"},
    "Command": {"command": "core show uptime"},
    "CreateConfig": {"filename": "created"},
    "Events": {"event_mask": "off"},
    "FilterList": {"name": "FilterList"},
    "LoggerRotate": {},
    "Login": {"username": "full", "secret": "full-secret"},
    "ModuleLoad": {"module": NOTHING, "load_type": "load"},
    "Originate": {"channel": NOTHING, "application": "Wait"},
    "PRIDebugFileSet": {"file": "/dev/null"},
    "Reload": {"module": NOTHING},
    "WaitEvent": {"timeout_s": 1},
}

#: What is also asked for something that is there.
ALSO: Final[dict[str, dict[str, object]]] = {
    "SKINNYshowdevice": {"device": "seen-phone"},
    "SKINNYshowline": {"line": "seen-line"},
}

#: So many headers of an answer are named; ListCommands has one for each action.
NAMED_HEADERS: Final = 8

UNKNOWN: Final = "Invalid/unknown command"

#: What each column has room for; longer texts go on in the next line.
WIDTHS: Final = {"Action": 43, "Asked by": 60, "Asterisk 16": 44, "Asterisk 22": 44}


class Asked(NamedTuple):
    """An action and how it is asked for."""

    action: str
    method: str
    arguments: tuple[tuple[str, object], ...]

    @property
    def call(self) -> str:
        """How it stands in a program."""
        given = ", ".join(f"{name}={_quoted(value)}" for name, value in self.arguments)
        return f"{self.method}({given})"


#: What was seen by version, for each action and call.
Table = dict[tuple[str, str], dict[str, str]]


def documented(version: str) -> dict[str, generate.Fact]:
    """Return what is known of each action of that version."""
    return {action["name"]: action for action in generate.facts(f"ami-actions-{version}")}


def asked() -> Iterator[Asked]:
    """Tell how each action of either version is asked for."""
    names = {name for version in OLDEST_FIRST for name in documented(version)}
    for action in sorted(names, key=str.casefold):
        method = generate.ami_name(action)
        if not hasattr(AMIProtocol, method):
            method = "action"
        yield Asked(action, method, tuple(_arguments(action, method).items()))
        if action in ALSO:
            yield Asked(action, method, tuple(ALSO[action].items()))


def _arguments(action: str, method: str) -> dict[str, object]:
    """Return what that action requires, so that it finds nothing to act on."""
    if action in ARGUMENTS:
        return ARGUMENTS[action]
    function = getattr(AMIProtocol, method)
    types = get_type_hints(function)
    required = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and name != "self"
    ]
    return {name: _harmless(types[name]) for name in required}


def _harmless(kind: Any) -> object:
    """Return a value of that type."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {int: 1, bool: False}.get(kind, NOTHING)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def told(answer: Response, heard: bytes) -> str:
    """
    Say what was seen.

    :param answer: the answer.
    :param heard: the bytes since the question: Asterisk may have sent mere rows, or none.
    """
    if f"\r\nActionID: {answer['ActionID']}\r\n".encode() not in heard + b"\r\n":
        return f"no response, {'rows' if answer.output else 'no rows'}"
    if UNKNOWN in answer.message:
        return f"Error: {UNKNOWN}"
    if answer.events:
        *items, complete = answer.events
        kinds = ", ".join(sorted({item.name for item in items})) or "nothing"
        return f"list of {kinds}; {complete.name}"
    message = re.sub(r"\b\d+\b", "N", answer.message)
    with_message = f"{answer.status}: {message}" if message else answer.status
    headers = _header_names(answer)
    return f"{with_message} ({headers})" if headers else with_message


def _header_names(answer: Response) -> str:
    """Name what an answer holds besides what each has."""
    names = dict.fromkeys(
        re.sub(r"\d+", "N", name)
        for name, _ in answer.headers
        if name not in ("Response", "ActionID", "Message")
    )
    shown = [*names][:NAMED_HEADERS]
    return ", ".join([*shown, "..."] if len(names) > len(shown) else shown)


def differences(seen: Mapping[tuple[str, str], str], version: str) -> str:
    """Say what the page tells otherwise than it was seen; nothing if it is right."""
    page = read()
    lines = []
    for key in sorted({*seen, *page}):
        on_page, now = page.get(key, {}).get(version), seen.get(key)
        if on_page != now:
            lines += [f"{' '.join(key)} on {version}", f"    page: {on_page}", f"    seen: {now}"]
    return "\n".join(lines)


def read() -> Table:
    """Read the page."""
    _, rows, _ = _parts(PAGE.read_text("utf-8"))
    table: Table = {}
    for action, call, *answers in _cells(rows):
        *_, last = seen = [_unescaped(answer) for answer in answers]
        if last == SAME:
            seen[-1] = seen[0]
        table[action, call.strip("`")] = dict(zip(OLDEST_FIRST, seen, strict=True))
    return table


def write(seen: Mapping[tuple[str, str], str], version: str) -> None:
    """Write onto the page what was seen of one version."""
    text = PAGE.read_text("utf-8")
    above, _, below = _parts(text)
    old = read()
    table = {key: old.get(key, {}) | {version: what} for key, what in seen.items()}
    PAGE.write_text("\n".join([*above, *render(table), *below]) + "\n", "utf-8")


SAME: Final = "the same"

BORDER: Final = "  ".join("=" * width for width in WIDTHS.values())


def render(table: Table) -> list[str]:
    """Lay out the rows of the table, without its head."""
    lines: list[str] = []
    for (action, call), seen in table.items():
        answers = [seen.get(version, "?") for version in OLDEST_FIRST]
        if answers[1] == answers[0]:
            answers[1] = SAME
        cells = [action, f"``{call}``", *map(_escaped, answers)]
        lines += _row(cells)
    return lines


def _row(cells: Iterable[str]) -> Iterator[str]:
    widths = WIDTHS.values()
    wrapped = [
        wrap(cell, width, break_long_words=False, break_on_hyphens=False)
        for cell, width in zip(cells, widths, strict=True)
    ]
    for number in range(max(map(len, wrapped))):
        pieces = (lines[number] if number < len(lines) else "" for lines in wrapped)
        yield "  ".join(
            piece.ljust(width) for piece, width in zip(pieces, widths, strict=True)
        ).rstrip()


def _parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """Split the page at the borders of its table, which stay with what is above and below."""
    lines = text.splitlines()
    _, head, end = (number for number, line in enumerate(lines) if line == BORDER)
    return lines[: head + 1], lines[head + 1 : end], lines[end:]


def _cells(rows: Iterable[str]) -> list[list[str]]:
    """Put the cells of each row together again."""
    cells: list[list[str]] = []
    for line in rows:
        pieces, start = [], 0
        for width in WIDTHS.values():
            pieces.append(line[start : start + width].strip())
            start += width + 2
        if pieces[0]:
            cells.append(pieces)
        else:
            cells[-1] = [f"{old} {new}".strip() for old, new in zip(cells[-1], pieces, strict=True)]
    return cells


def _escaped(text: str) -> str:
    r"""Protect what reST takes for markup, as in ``Both are *required*``."""
    return re.sub(r"([\\*`|]|_(?!\w))", r"\\\1", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
