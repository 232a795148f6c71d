"""
The page ``docs/ami-actions.rst``: which action is asked for how, and what is told of an answer.

What varies from day to day is left out: of a list its length, of a header its value, of a message
its numbers.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from tests.live.page import OLDEST_FIRST, Page
from tools import generate
from txasterisk.ami import AMIProtocol, Response

__all__ = ["NOTHING", "PAGE", "Asked", "asked", "documented", "told"]

PAGE: Final = Page("ami-actions.rst", (43, 60, 44, 44))

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

    @property
    def question(self) -> tuple[str, str]:
        """What the page has in its first two columns."""
        return self.action, f"``{self.call}``"


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
