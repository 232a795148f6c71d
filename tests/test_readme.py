"""The samples of the README are those of examples/, which are run by tests."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

CHECKOUT = Path(__file__).parent.parent

BLOCK = re.compile(r"^\.\. code-block:: (?:python|toml)\n\n((?:(?:    .*)?\n)+)", re.MULTILINE)


class ReadmeTests(SynchronousTestCase):
    """README.rst."""

    def test_every_sample_stands_in_an_example(self) -> None:
        """A sample that is changed in one place only is found."""
        samples = [_lines(dedent(block)) for block in BLOCK.findall(_read("README.rst"))]
        self.assertGreater(len(samples), 3)
        examples = [_lines(path.read_text("utf-8")) for path in _examples()]
        strangers = [s for s in samples if not any(_holds(example, s) for example in examples)]
        self.assertEqual(strangers, [])


def _examples() -> list[Path]:
    folder = CHECKOUT / "examples"
    return [*folder.rglob("*.py"), *folder.rglob("*.toml")]


def _read(name: str) -> str:
    return (CHECKOUT / name).read_text("utf-8")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _holds(example: list[str], sample: list[str]) -> bool:
    """Whether the lines of the sample stand in the example, in their order."""
    rest = iter(example)
    return all(line in rest for line in sample)
