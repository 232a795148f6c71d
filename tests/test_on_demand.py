"""What the top of the package has to offer, and when that is imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import txasterisk

from .processes import CHECKOUT


def promised() -> Iterator[tuple[str, str]]:
    """Tell which names type checkers find at the top, and from which module."""
    tree = ast.parse(Path(txasterisk.__file__).read_text("utf-8"))
    for statement in ast.walk(tree):
        if isinstance(statement, ast.ImportFrom) and statement.level and statement.module:
            for alias in statement.names:
                yield alias.name, statement.module


class OnDemandTests(SynchronousTestCase):
    """Names are imported when they are asked for."""

    def test_all_that_is_promised_is_there(self) -> None:
        """Each name is what type checkers take it for, and all of them are in ``__all__``."""
        places = dict(promised())
        self.assertEqual(places.pop("on_demand"), "_on_demand")
        self.assertEqual(sorted(places), sorted(txasterisk.__all__))
        for name, module in places.items():
            there = getattr(import_module(f"txasterisk.{module}"), name)
            self.assertIs(getattr(txasterisk, name), there, name)

    def test_the_wings_are_there(self) -> None:
        """Without an import of their own."""
        for wing in ("agi", "ami", "ari", "errors"):
            self.assertIs(getattr(txasterisk, wing), sys.modules[f"txasterisk.{wing}"])

    def test_what_is_not_there(self) -> None:
        """It is told as of any module."""
        with self.assertRaisesRegex(AttributeError, "'txasterisk' has no attribute 'AGISesion'"):
            txasterisk.AGISesion  # type: ignore[attr-defined]  # noqa: B018

    def test_only_what_is_asked_for_is_imported(self) -> None:
        """An AGI script does not wait for what AMI and ARI need."""
        program = "from txasterisk import AGISession, HungUp; import sys; print(*sys.modules)"
        said = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=CHECKOUT)
        imported = set(said.split())
        self.assertIn("txasterisk.agi", imported)
        self.assertEqual(imported & {"txasterisk.ami", "txasterisk.ari", "treq", "msgspec"}, set())
