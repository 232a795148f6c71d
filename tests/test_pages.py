"""What the pages of the guide say in passing is true: there are such methods and arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from txasterisk import errors
from txasterisk._subscriptions import Subscription
from txasterisk.agi import AGISession, Environment, FastAGIFactory, Reply
from txasterisk.ami import AMIFactory, AMIProtocol, AMIService, Call, Event, Response

DOCS = Path(__file__).parent.parent / "docs"

LITERAL = re.compile(r"``(.+?)``", re.DOTALL)
#: The left column of a table is another library's.
THEIRS = re.compile(r"^   \* - .*\n", re.MULTILINE)
USE = re.compile(r"(?<![\w.])([a-z]+)\.(\w+)(?:\(([^()]*))?")
CONSTRUCTION = re.compile(r"\b([A-Z]\w+)\(([^()]*)\)")
ARGUMENT = re.compile(r"(\w+)=(?!=)")
ERROR = re.compile(r"(?:[A-Z][a-z]+)+")


class PagesTests:
    """The literals of some pages."""

    #: The pages, the last of which is for those who come from other libraries.
    pages: ClassVar[tuple[str, ...]]
    #: What the pages call a thing, and what it may be.
    kinds: ClassVar[Mapping[str, list[type]]]
    #: The classes of which the pages say how they are made.
    classes: ClassVar[Mapping[str, type]]
    #: What only the first kind of a thing has.
    only_the_first: ClassVar[frozenset[str]] = frozenset()
    #: What __init__ sets, as the class says of itself.
    set_later: ClassVar[frozenset[str]]
    #: The errors that are named where the differences are told.
    errors: ClassVar[frozenset[str]]
    #: So many methods and arguments are named at least.
    methods: ClassVar[int]
    arguments: ClassVar[int]

    assertEqual: Any
    assertGreater: Any

    def test_every_method_is_there(self) -> None:
        """What a page calls by name, every class has that it may belong to."""
        uses = list(self._uses())
        self.assertGreater(len(uses), self.methods)
        missing = [
            f"{page}: {thing}.{name}"
            for page, thing, name, _ in uses
            for kind in self._kinds(thing, name)
            if name not in dir(kind) and name not in self.set_later
        ]
        self.assertEqual(missing, [])

    def test_every_argument_is_there(self) -> None:
        """Arguments that a page names are arguments of that method."""
        named = 0
        strangers = []
        for page, thing, name, arguments in self._uses():
            for kind in self._kinds(thing, name):
                known = inspect.signature(getattr(kind, name)).parameters if arguments else {}
                open_ended = any(each.kind is each.VAR_KEYWORD for each in known.values())
                for argument in ARGUMENT.findall(arguments):
                    named += 1
                    if argument not in known and not open_ended:
                        strangers.append(f"{page}: {thing}.{name}({argument}=)")
        self.assertEqual(strangers, [])
        self.assertGreater(named, self.arguments)

    def test_every_class_is_made_like_this(self) -> None:
        """Arguments that a page gives to a class are those of its making."""
        found = [
            (name, argument)
            for _, literal in self._literals()
            for name, arguments in CONSTRUCTION.findall(literal)
            for argument in ARGUMENT.findall(arguments)
            if name in self.classes
        ]
        self.assertGreater(len(found), 0)
        strangers = [
            f"{name}({argument}=)"
            for name, argument in found
            if argument not in inspect.signature(self.classes[name]).parameters
        ]
        self.assertEqual(strangers, [])

    def test_every_error_is_there(self) -> None:
        """The errors that a page names are ours."""
        text = (DOCS / self.pages[-1]).read_text("utf-8")
        start = text.index("\nErrors\n")
        told = text[start : text.index("\n\n", start)]
        named = set(ERROR.findall(" ".join(LITERAL.findall(told)))) - {"None", "Response", "Error"}
        self.assertEqual(named, self.errors)
        self.assertEqual([name for name in named if not hasattr(errors, name)], [])

    def _literals(self) -> Iterator[tuple[str, str]]:
        for page in self.pages:
            ours = THEIRS.sub("", (DOCS / page).read_text("utf-8"))
            for literal in LITERAL.findall(ours):
                yield page, literal

    def _uses(self) -> Iterator[tuple[str, str, str, str]]:
        """Find each page, thing, name and arguments, such as ``ami.on(event, listener)``."""
        for page, literal in self._literals():
            for thing, name, arguments in USE.findall(literal):
                if thing in self.kinds and name != "rst":
                    yield page, thing, name, arguments

    def _kinds(self, thing: str, name: str) -> list[type]:
        return self.kinds[thing][:1] if name in self.only_the_first else self.kinds[thing]


class AMIPagesTests(PagesTests, SynchronousTestCase):
    """What is said about AMI."""

    pages = ("ami.rst", "ami-migrating.rst")
    kinds: ClassVar = {
        "ami": [AMIProtocol, AMIService],
        "service": [AMIService],
        "call": [Call],
        "event": [Event],
        "response": [Response],
        "subscription": [Subscription],
    }
    classes: ClassVar = {"AMIFactory": AMIFactory, "AMIService": AMIService}
    only_the_first = frozenset({"logoff", "version"})
    set_later = frozenset({"channels", "uniqueid", "version"})
    errors = frozenset({"ActionFailed", "Disconnected", "LoginRefused", "TimedOut"})
    methods = 120
    arguments = 150


class AGIPagesTests(PagesTests, SynchronousTestCase):
    """What is said about AGI."""

    pages = ("agi.rst", "agi-migrating.rst")
    kinds: ClassVar = {"call": [AGISession], "environment": [Environment], "reply": [Reply]}
    classes: ClassVar = {"FastAGIFactory": FastAGIFactory}
    set_later = frozenset({"anomalies", "environment", "parameters"})
    errors = frozenset({"CommandFailed", "Disconnected"})
    methods = 80
    arguments = 20
