"""
A page that tells what real servers did, in one table between prose above and below.

The first two columns say what was asked for, the others what each version answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Final

__all__ = ["OLDEST_FIRST", "Page", "Table"]

OLDEST_FIRST: Final = ("16", "22")

#: What stands for an answer that is that of the version before.
SAME: Final = "the same"

#: What was seen by version, for each question: its name, and how it is asked, as they stand there.
Table = dict[tuple[str, str], dict[str, str]]


class Page:
    """
    A page, on which what is seen can be compared or written.

    :param name: its name within ``docs``.
    :param widths: what each column has room for; longer texts go on in the next line.
    """

    def __init__(self, name: str, widths: tuple[int, int, int, int]) -> None:
        self.path = Path(__file__).parents[2] / "docs" / name
        self._widths = widths
        self._border = "  ".join("=" * width for width in widths)

    def differences(self, seen: Mapping[tuple[str, str], str], version: str) -> str:
        """Say what the page tells otherwise than it was seen; nothing if it is right."""
        page = self.read()
        lines = []
        for key in sorted({*seen, *page}):
            on_page, now = page.get(key, {}).get(version), seen.get(key)
            if on_page != now:
                lines += [
                    f"{' '.join(key)} on {version}",
                    f"    page: {on_page}",
                    f"    seen: {now}",
                ]
        return "\n".join(lines)

    def read(self) -> Table:
        """Read the table."""
        _, rows, _ = self._parts(self.path.read_text("utf-8"))
        table: Table = {}
        for name, asked, *answers in self._cells(rows):
            *_, last = seen = [_unescaped(answer) for answer in answers]
            if last == SAME:
                seen[-1] = seen[0]
            table[name, asked] = dict(zip(OLDEST_FIRST, seen, strict=True))
        return table

    def write(self, seen: Mapping[tuple[str, str], str], version: str) -> None:
        """Write into the table what was seen of one version."""
        above, _, below = self._parts(self.path.read_text("utf-8"))
        old = self.read()
        table = {key: old.get(key, {}) | {version: what} for key, what in seen.items()}
        text = "\n".join([*above, *self.render(table), *below])
        self.path.write_text(text + "\n", "utf-8")

    def render(self, table: Table) -> list[str]:
        """Lay out the rows of the table, without its head."""
        lines: list[str] = []
        for (name, asked), seen in table.items():
            answers = [seen.get(version, "?") for version in OLDEST_FIRST]
            if answers[1] == answers[0]:
                answers[1] = SAME
            lines += self._row([name, asked, *map(_escaped, answers)])
        return lines

    def _row(self, cells: Iterable[str]) -> Iterator[str]:
        wrapped = [
            wrap(cell, width, break_long_words=False, break_on_hyphens=False)
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        for number in range(max(map(len, wrapped))):
            pieces = (lines[number] if number < len(lines) else "" for lines in wrapped)
            yield "  ".join(
                piece.ljust(width) for piece, width in zip(pieces, self._widths, strict=True)
            ).rstrip()

    def _parts(self, text: str) -> tuple[list[str], list[str], list[str]]:
        """Split the page at the borders of its table, which stay with what is above and below."""
        lines = text.splitlines()
        _, head, end = (number for number, line in enumerate(lines) if line == self._border)
        return lines[: head + 1], lines[head + 1 : end], lines[end:]

    def _cells(self, rows: Iterable[str]) -> list[list[str]]:
        """Put the cells of each row together again."""
        cells: list[list[str]] = []
        for line in rows:
            pieces, start = [], 0
            for width in self._widths:
                pieces.append(line[start : start + width].strip())
                start += width + 2
            if pieces[0]:
                cells.append(pieces)
            else:
                cells[-1] = [
                    f"{old} {new}".strip() for old, new in zip(cells[-1], pieces, strict=True)
                ]
        return cells


def _escaped(text: str) -> str:
    r"""Protect what reST takes for markup, as in ``Both are *required*``."""
    return re.sub(r"([\\*`|]|_(?!\w))", r"\\\1", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
