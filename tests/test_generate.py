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
from txasterisk.ami.actions import Actions
from txasterisk.ami.messages import Headers, Response
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

    def test_actions(self) -> None:
        """What AMI runs together comes apart where a known abbreviation ends."""
        for wire, python in (
            ("CoreShowChannels", "core_show_channels"),
            ("PJSIPShowEndpoints", "pjsip_show_endpoints"),
            ("DBGet", "db_get"),
            ("AGI", "agi"),
            ("IAXpeers", "iax_peers"),
            ("SIPshowpeer", "sip_showpeer"),
            ("SKINNYlines", "skinny_lines"),
            ("DAHDIDNDoff", "dahdi_dnd_off"),
            ("GetConfigJSON", "get_config_json"),
            ("Content-Type", "content_type"),
            ("Call-ID", "call_id"),
        ):
            self.assertEqual(generate.ami_name(wire), python)

    def test_arguments_of_actions(self) -> None:
        """A time says its unit, whose action decides, and a keyword has an underscore behind it."""
        for action, wire, python in (
            ("Park", "Timeout", "timeout_ms"),
            ("WaitEvent", "Timeout", "timeout_s"),
            ("Originate", "Async", "async_"),
            ("MessageSend", "From", "from_"),
            ("Originate", "CallerID", "caller_id"),
        ):
            self.assertEqual(generate.ami_argument(action, wire), python)

    def test_types_of_actions(self) -> None:
        """Words of a closed set are literals, and what is only text in one action stays text."""
        for action, parameter, python in (
            ("Status", {"name": "AllVariables", "enum": ["true", "false"]}, "bool"),
            ("QueueReload", {"name": "Rules", "enum": ["yes", "no"]}, 'Literal["yes", "no"]'),
            ("ModuleLoad", {"name": "Module", "enum": ["cdr"]}, "str"),
            ("Originate", {"name": "Variable"}, "Mapping[str, object]"),
            ("Setvar", {"name": "Variable"}, "str"),
            ("Redirect", {"name": "Priority"}, "int | str"),
            ("QueueChangePriorityCaller", {"name": "Priority"}, "int"),
            ("DBPut", {"name": "Val"}, "str"),
        ):
            self.assertEqual(generate.ami_type(action, parameter), python)

    def test_numbered(self) -> None:
        """A parameter that stands for any number of them is told by its form."""
        for wire, number in (
            ("Action-000000", True),
            ("UnitAmount(0)", True),
            ("HeaderN", True),
            ("Channel1", False),
            ("Content-Type", False),
        ):
            self.assertIs(generate.numbered(wire), number)


class Recorder(Actions):
    """Writes down what is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Headers, float | None]] = []

    def action(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]:
        self.asked.append((name, headers, timeout))
        return succeed(Response(b""))


class ActionTests(SynchronousTestCase):
    """Every action has a method."""

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return what the newest table says of each action, by its method's name."""
        both = [*generate.facts("ami-actions-16"), *generate.facts("ami-actions-22")]
        return {
            generate.ami_name(action["name"]): action
            for action in both
            if action["name"] not in generate.NOT_GENERATED
        }

    def methods(self) -> list[str]:
        """Return the names of the generated methods."""
        return [name for name in vars(Actions) if name[0] != "_" and name != "action"]

    def test_all(self) -> None:
        """There is a method for each action of either version, in order of the alphabet."""
        self.assertEqual(self.methods(), sorted(self.facts()))
        self.assertEqual(len(self.methods()), 154 + 16 - len(generate.NOT_GENERATED))

    def test_each(self) -> None:
        """Each method asks for its own action, with every argument in its place."""
        for name, action in self.facts().items():
            recorder = Recorder()
            method = getattr(recorder, name)
            arguments = inspect.signature(method).parameters
            self.successResultOf(method(**{argument: f"<{argument}>" for argument in arguments}))
            taken = {p["name"] for p in generate.ami_parameters(action)}
            wire = {p: f"<{generate.ami_argument(action['name'], p)}>" for p in taken}
            [(asked, headers, timeout)] = recorder.asked
            self.assertEqual((asked, dict(headers)), (action["name"], wire))
            self.assertEqual(timeout, "<timeout>")
            self.assertEqual(len(arguments), len(taken) + 1, name)
            self.assertIn(f"AMI's ``{asked}``; needs ", squeezed(method.__doc__))

    def test_required(self) -> None:
        """Arguments that Asterisk requires have no default; the others, the last among them, do."""
        for name, action in self.facts().items():
            arguments = dict(inspect.signature(getattr(Recorder(), name)).parameters)
            self.assertEqual({p.kind for p in arguments.values()}, {inspect.Parameter.KEYWORD_ONLY})
            self.assertEqual(list(arguments)[-1], "timeout")
            self.assertIs(arguments.pop("timeout").default, None)
            for parameter in generate.ami_parameters(action):
                default = arguments[
                    generate.ami_argument(action["name"], parameter["name"])
                ].default
                expected = inspect.Parameter.empty if parameter["required"] else None
                self.assertIs(default, expected, f"{name} {parameter['name']}")

    def test_privileges(self) -> None:
        """A method says which privileges its action needs, any of them being enough."""
        self.assertIn("needs ``system`` or ``call``.", squeezed(Actions.hangup.__doc__))
        self.assertIn("needs no privilege.", squeezed(Actions.queue_status.__doc__))

    def test_list(self) -> None:
        """A method says what its list holds, and what completes that."""
        self.assertIn(
            "A list comes as ``PeerEntry``, completed by ``PeerlistComplete``.",
            squeezed(Actions.iax_peers.__doc__),
        )

    def test_left(self) -> None:
        """A method says what it has no arguments for."""
        self.assertIn(
            "Left to :meth:`action`: ``Header1``, ``HeaderN``.",
            squeezed(Actions.user_event.__doc__),
        )

    def test_twenty_two(self) -> None:
        """What Asterisk 16 lacks is marked."""
        self.assertEqual(
            {name for name in self.methods() if marked(getattr(Actions, name))},
            {
                "core_show_channel_map",
                "dahdi_show_status",
                "pjsip_hangup",
                "pjsip_set_maintenance",
                "pjsip_show_maintenance",
                "send_flash",
                "voicemail_box_summary",
                "voicemail_forward",
                "voicemail_move",
                "voicemail_remove",
            },
        )

    def test_parameter_of_twenty_two(self) -> None:
        """So is a parameter that 16 lacks; another case of the same name is none."""
        self.assertIn("Asterisk 16 does not know ``Reason``.", squeezed(Actions.queue_add.__doc__))
        self.assertNotIn("does not know", squeezed(Actions.mix_monitor.__doc__))

    def test_sixteen(self) -> None:
        """What has gone since Asterisk 16 is marked."""
        gone = [
            name
            for name in self.methods()
            if "Asterisk 16 only." in squeezed(getattr(Actions, name).__doc__)
        ]
        self.assertEqual(len(gone), 15)
        self.assertEqual(
            {name for name in gone if not name.startswith(("sip_", "skinny_"))},
            {"change_monitor", "monitor", "pause_monitor", "stop_monitor", "unpause_monitor"},
        )


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
