"""The samples of the README and the guide are those of examples/, which are run by tests."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

CHECKOUT = Path(__file__).parent.parent

BLOCK = re.compile(r"^\.\. code-block:: (?:python|toml)\n\n((?:(?:    .*)?\n)+)", re.MULTILINE)


class ReadmeTests(SynchronousTestCase):
    """README.rst and docs/."""

    def test_every_sample_stands_in_an_example(self) -> None:
        """A sample that is changed in one place only is found."""
        samples = [_lines(dedent(block)) for page in _pages() for block in BLOCK.findall(page)]
        self.assertGreater(len(samples), 8)
        examples = [_lines(path.read_text("utf-8")) for path in _examples()]
        strangers = [s for s in samples if not any(_holds(example, s) for example in examples)]
        self.assertEqual(strangers, [])


def _examples() -> list[Path]:
    folder = CHECKOUT / "examples"
    return [*folder.rglob("*.py"), *folder.rglob("*.toml")]


def _pages() -> list[str]:
    pages = [CHECKOUT / "README.rst", *sorted((CHECKOUT / "docs").glob("*.rst"))]
    return [page.read_text("utf-8") for page in pages]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _holds(example: list[str], sample: list[str]) -> bool:
    """Whether the lines of the sample stand in the example, in their order."""
    rest = iter(example)
    return all(line in rest for line in sample)
