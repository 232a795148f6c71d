"""Tests of the generator, and that what it has written is up to date."""

from __future__ import annotations

import inspect
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from tools import generate
from txasterisk.ari import models, resources


class GeneratedTests(SynchronousTestCase):
    """The generated modules are those that the tables give."""

    def test_up_to_date(self) -> None:
        """The committed files are what the generator writes."""
        with redirect_stdout(StringIO()) as said:
            status = generate.main(["--check"])
        self.assertEqual((status, said.getvalue()), (0, ""))

    def test_out_of_date(self) -> None:
        """What differs is told in one line per file, and the exit status is 1."""
        wrong = generate.ROOT / "tools" / "generate.py"
        missing = generate.ROOT / "tools" / "nothing.py"
        self.patch(generate, "generated", lambda: iter([(wrong, "x"), (missing, "x")]))
        with redirect_stdout(StringIO()) as said:
            status = generate.main(["--check"])
        self.assertEqual(status, 1)
        self.assertEqual(
            said.getvalue().splitlines(),
            [
                "tools/generate.py is out of date; run: python -m tools.generate",
                "tools/nothing.py is missing; run: python -m tools.generate",
            ],
        )

    def test_write(self) -> None:
        """Without --check the modules are written."""
        target = Path(self.mktemp())
        self.patch(generate, "generated", lambda: iter([(target, "x = 1\n")]))
        self.assertEqual(generate.main([]), 0)
        self.assertEqual(target.read_text(), "x = 1\n")


class NameTests(SynchronousTestCase):
    """Asterisk's names become Python's mechanically."""

    def test_snake_case(self) -> None:
        """Words are told by their capitals, and abbreviations stay whole."""
        for wire, python in (
            ("originateWithId", "originate_with_id"),
            ("absorbDTMF", "absorb_dtmf"),
            ("sendDTMF", "send_dtmf"),
            ("rtpstatistics", "rtpstatistics"),
            ("transfer_progress", "transfer_progress"),
            ("HTTPServer", "http_server"),
        ):
            self.assertEqual(generate.snake_case(wire), python)

    def test_arguments(self) -> None:
        """An argument in milliseconds says so, and a keyword has an underscore behind it."""
        for wire, python in (
            ("offsetms", "offset_ms"),
            ("skipms", "skip_ms"),
            ("before", "before_ms"),
            ("timeout", "timeout"),
            ("maxDurationSeconds", "max_duration_seconds"),
            ("from", "from_"),
        ):
            self.assertEqual(generate.argument(wire), python)


class OperationTests(SynchronousTestCase):
    """Every operation has a method."""

    def setUp(self) -> None:
        self.asked: list[tuple[Any, Any, Any]] = []

    def perform(self, operation: Any, path: Any, parameters: Any) -> Deferred[Any]:
        """Write down what is asked."""
        self.asked.append((operation, path, parameters))
        return succeed(None)

    def methods(self) -> list[tuple[str, Any]]:
        """Return the name and the bound method of every operation."""
        return [
            (f"{place}.{name}", method)
            for place, resource in vars(resources.Resources(self)).items()
            for name, method in inspect.getmembers(resource, inspect.ismethod)
            if not name.startswith("_") and method.__self__ is resource
        ]

    def test_all(self) -> None:
        """There is a method for each operation, but for the one that opens the WebSocket."""
        facts = generate.facts("ari-operations-22")
        self.assertEqual(len(self.methods()), len(facts) - 1)
        self.assertEqual(len(resources.OPERATIONS), len(facts) - 1)

    def test_each(self) -> None:
        """Each method asks for its own operation, with every argument in its place."""
        for name, method in self.methods():
            arguments = inspect.signature(method).parameters
            values = {argument: f"<{argument}>" for argument in arguments}
            positional = [a for a, p in arguments.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
            method(
                *(values[argument] for argument in positional),
                **{a: value for a, value in values.items() if a not in positional},
            )
            operation, path, parameters = self.asked.pop()
            self.assertIn(f"``{operation.method} {operation.path}``", squeezed(method.__doc__))
            self.assertEqual(list(path), re.findall(r"\{(\w+)\}", operation.path), name)
            self.assertEqual(set(parameters), set(operation.parameters), name)
            given = {**path, **parameters}
            self.assertEqual(given, {wire: f"<{generate.argument(wire)}>" for wire in given}, name)

    def test_required(self) -> None:
        """Arguments that Asterisk requires have no default, the others are None."""
        for name, method in self.methods():
            arguments = inspect.signature(method).parameters
            method(**dict.fromkeys(arguments, "x"))
            operation, _, parameters = self.asked.pop()
            for wire in parameters:
                default = arguments[generate.argument(wire)].default
                expected = inspect.Parameter.empty if wire in operation.required else None
                self.assertIs(default, expected, f"{name} {wire}")

    def test_sixteen(self) -> None:
        """What Asterisk 16 lacks is marked."""
        lacking = {name for name, method in self.methods() if marked(method)}
        self.assertEqual(
            lacking,
            {
                "bridges.get_bridge_var",
                "bridges.set_bridge_var",
                "bridges.get_bridge_vars",
                "bridges.set_bridge_vars",
                "channels.progress",
                "channels.get_channel_vars",
                "channels.set_channel_vars",
                "channels.transfer_progress",
                "endpoints.refer",
                "endpoints.refer_to_endpoint",
                "events.claim_channel",
            },
        )

    def test_parameter_of_twenty_two(self) -> None:
        """So is a parameter that 16 lacks, because it is ignored there without a word."""
        self.assertIn(
            "Asterisk 16 does not know ``reason_code``",
            squeezed(resources.Channels.hangup.__doc__),
        )


class ModelTests(SynchronousTestCase):
    """Every model and event has a struct."""

    def test_all(self) -> None:
        """There is a struct for each model, with its fields."""
        for fact in generate.facts("ari-models-22"):
            struct: Any = getattr(models, fact["model"])
            fields = {field["name"] for field in fact["fields"]}
            self.assertLessEqual(fields, set(struct.__struct_encode_fields__))

    def test_events(self) -> None:
        """Every event is known by its type."""
        facts = [fact for fact in generate.facts("ari-models-22") if generate.is_event(fact)]
        self.assertEqual(list(models.EVENTS), [fact["model"] for fact in facts])
        self.assertEqual(len(models.EVENTS), 45)
        for name, event in models.EVENTS.items():
            self.assertEqual(event.__name__, name)

    def test_frozen(self) -> None:
        """A struct does not change."""
        channel = models.Channel(id="c1")
        self.assertRaises(AttributeError, setattr, channel, "id", "c2")

    def test_encode(self) -> None:
        """A struct is encoded without what it lacks."""
        text = models.TextMessage(from_="a", to="b")
        self.assertEqual(msgspec.json.encode(text), b'{"from":"a","to":"b"}')


def squeezed(text: str | None) -> str:
    """Return a docstring on one line."""
    return " ".join((text or "").split())


def marked(method: Any) -> bool:
    """Tell whether a method says that 16 does not have it."""
    return "Not in Asterisk 16." in squeezed(method.__doc__)
