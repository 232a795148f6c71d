"""What the pages about AMI say in passing is true: there are such methods and such arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from txasterisk import errors
from txasterisk._subscriptions import Subscription
from txasterisk.ami import AMIFactory, AMIProtocol, AMIService, Call, Event, Response

DOCS = Path(__file__).parent.parent / "docs"

#: What the pages call a thing, and what it may be.
KINDS: dict[str, list[type]] = {
    "ami": [AMIProtocol, AMIService],
    "service": [AMIService],
    "call": [Call],
    "event": [Event],
    "response": [Response],
    "subscription": [Subscription],
}
CLASSES = {"AMIFactory": AMIFactory, "AMIService": AMIService}
#: What only a connection has, not the service that keeps one.
OF_A_CONNECTION = {"logoff", "version"}
#: What __init__ sets, as the class says of itself.
SET_LATER = {"channels", "uniqueid", "version"}

LITERAL = re.compile(r"``(.+?)``", re.DOTALL)
#: The left column of a table is another library's.
THEIRS = re.compile(r"^   \* - .*\n", re.MULTILINE)
USE = re.compile(r"(?<![\w.])(ami|service|call|event|response|subscription)\.(\w+)(?:\(([^()]*))?")
CONSTRUCTION = re.compile(r"\b(AMIFactory|AMIService)\(([^()]*)\)")
ARGUMENT = re.compile(r"(\w+)=(?!=)")
ERROR = re.compile(r"(?:[A-Z][a-z]+)+")


class MigratingTests(SynchronousTestCase):
    """The literals of docs/ami.rst and docs/ami-migrating.rst."""

    def test_every_method_is_there(self) -> None:
        """What a page calls by name, every class has that it may belong to."""
        uses = list(_uses())
        self.assertGreater(len(uses), 120)
        missing = [
            f"{page}: {thing}.{name}"
            for page, thing, name, _ in uses
            for kind in _kinds(thing, name)
            if not hasattr(kind, name) and name not in SET_LATER
        ]
        self.assertEqual(missing, [])

    def test_every_argument_is_there(self) -> None:
        """Arguments that a page names are arguments of that method."""
        named = 0
        strangers = []
        for page, thing, name, arguments in _uses():
            for kind in _kinds(thing, name):
                known = inspect.signature(getattr(kind, name)).parameters if arguments else {}
                open_ended = any(each.kind is each.VAR_KEYWORD for each in known.values())
                for argument in ARGUMENT.findall(arguments):
                    named += 1
                    if argument not in known and not open_ended:
                        strangers.append(f"{page}: {thing}.{name}({argument}=)")
        self.assertEqual(strangers, [])
        self.assertGreater(named, 150)

    def test_every_class_is_made_like_this(self) -> None:
        """Arguments that a page gives to a class are those of its making."""
        found = [
            (name, argument)
            for _, literal in _literals()
            for name, arguments in CONSTRUCTION.findall(literal)
            for argument in ARGUMENT.findall(arguments)
        ]
        self.assertGreater(len(found), 2)
        strangers = [
            f"{name}({argument}=)"
            for name, argument in found
            if argument not in inspect.signature(CLASSES[name]).parameters
        ]
        self.assertEqual(strangers, [])

    def test_every_error_is_there(self) -> None:
        """The errors that a page names are ours."""
        text = (DOCS / "ami-migrating.rst").read_text("utf-8")
        differences = text[text.index("Errors\n") : text.index("Lists\n")]
        named = set(ERROR.findall(" ".join(LITERAL.findall(differences)))) - {"Response", "Error"}
        self.assertEqual(named, {"ActionFailed", "Disconnected", "LoginRefused", "TimedOut"})
        self.assertEqual([name for name in named if not hasattr(errors, name)], [])


def _literals() -> Iterator[tuple[str, str]]:
    for page in ("ami.rst", "ami-migrating.rst"):
        ours = THEIRS.sub("", (DOCS / page).read_text("utf-8"))
        for literal in LITERAL.findall(ours):
            yield page, literal


def _uses() -> Iterator[tuple[str, str, str, str]]:
    """Find each page, thing, name and arguments, such as ``ami.on(event, listener)``."""
    for page, literal in _literals():
        for thing, name, arguments in USE.findall(literal):
            if name != "rst":
                yield page, thing, name, arguments


def _kinds(thing: str, name: str) -> list[type]:
    return [AMIProtocol] if name in OF_A_CONNECTION else KINDS[thing]
