"""Who may import what: the table that keeps the house in the shape that it has."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

import txasterisk

PACKAGE = Path(txasterisk.__file__).parent

#: Module (the first pattern that fits) -> what it may import beside the standard library. A name
#: stands for everything in it; "txasterisk" is left out of our own.
TABLE = {
    "__init__": "agi ami ari errors _on_demand",
    "_on_demand": "",
    "errors": "",
    "_lines": "errors",
    "_words": "",
    "_tcp": "twisted.internet.error twisted.internet.tcp twisted.python.failure",
    "_addresses": "twisted.internet.address twisted.internet.interfaces",
    "_descriptors": "",
    "_status": "",
    "_http": "errors _words treq twisted zope.interface",
    "_at_work": "_milestone twisted.internet.defer twisted.internet.interfaces",
    "_reactor": "twisted.internet.reactor",
    "_milestone": "twisted.internet.defer",
    "_interruptible": "twisted.internet.defer twisted.python.failure",
    "_seldom": "_reactor twisted.internet.interfaces",
    "_time_limits": "twisted.internet.interfaces",
    "_cancellable": "",
    "_streams": "errors _cancellable _reactor twisted.internet.defer twisted.internet.interfaces",
    "_subscriptions": "errors _cancellable _reactor _streams twisted.internet.defer"
    " twisted.internet.interfaces twisted.logger twisted.python.failure",
    "_staying": "errors _milestone _reactor twisted",
    "ami.messages": "errors",
    "ami.irregular": "errors ami.messages",
    "ami.actions": "ami.messages twisted.internet.defer",
    "ami.digest": "errors",
    "ami.conversation": "errors _lines _subscriptions.WireName ami.irregular ami.messages",
    "ami.http": "errors _* ami twisted zope.interface",
    "ami*": "errors _* ami twisted",
    "agi.arguments": "errors",
    "agi.messages": "errors agi.arguments",
    "agi.reading": "errors _lines agi.messages",
    "agi.async_answers": "errors agi.messages",
    "agi.whereabouts": "errors _cancellable twisted.internet.defer",
    "agi*": "errors _* agi twisted zope.interface",
    "ari.messages": "errors ari.models msgspec",
    "ari.models": "msgspec",
    "ari.resources": "ari.messages ari.models twisted.internet.defer",
    "ari.websocket": "errors _* ari.messages autobahn twisted zope.interface",
    "ari.client": "errors _* ari twisted",
    "ari*": "errors _* ari twisted",
    "testing*": "errors _* agi ami ari testing autobahn twisted zope.interface",
    "service.demo": "errors _* agi ami ari service testing twisted",
    "service*": "errors _* agi ami ari service twisted",
}


class ArchitectureTests(SynchronousTestCase):
    """The imports of every module."""

    def test_every_module_imports_only_what_the_table_allows_it(self) -> None:
        """A module imports nothing that its row of the table does not name."""
        strangers = [
            f"{module.name} imports {imported}"
            for module in _modules()
            for imported in sorted(module.imports())
            if not module.may_import(imported)
        ]
        self.assertEqual(strangers, [])

    def test_the_table_has_no_row_without_a_module(self) -> None:
        """A row goes when its module goes."""
        self.assertEqual(set(TABLE) - {module.row() for module in _modules()}, set())

    def test_nothing_installs_a_reactor_when_it_is_imported(self) -> None:
        """The global reactor is imported in functions only."""
        hasty = [
            module.name
            for module in _modules()
            for statement in module.tree.body
            if "twisted.internet.reactor" in module.imported_by(statement)
        ]
        self.assertEqual(hasty, [])

    def test_the_top_of_the_package_holds_no_code(self) -> None:
        """It has a docstring, imports, that are made on demand, and ``__all__``."""
        tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
        kinds = [type(statement).__name__ for statement in tree.body[1:]]
        self.assertEqual(kinds, ["ImportFrom", "ImportFrom", "If", "Assign"])


class _Module(NamedTuple):
    name: str
    package: tuple[str, ...]
    tree: ast.Module

    def imports(self) -> set[str]:
        """Return everything that it imports, ours and others', but not the standard library."""
        return {name for node in ast.walk(self.tree) for name in self.imported_by(node)}

    def imported_by(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            within = self.package[: len(self.package) + 1 - node.level] if node.level else ()
            source = [*within, *([node.module] if node.module else [])]
            names = [".".join([*source, alias.name]) for alias in node.names]
            if node.level:
                return names
        else:
            return []
        return [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]

    def row(self) -> str:
        return next((pattern for pattern in TABLE if fnmatchcase(self.name, pattern)), self.name)

    def may_import(self, name: str) -> bool:
        allowed = TABLE.get(self.row(), "").split()
        return any(fnmatchcase(name, entry) or name.startswith(f"{entry}.") for entry in allowed)


def _modules() -> list[_Module]:
    return [_module(path) for path in sorted(PACKAGE.rglob("*.py"))]


def _module(path: Path) -> _Module:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    return _Module(name, parts[:-1], ast.parse(path.read_text("utf-8")))
