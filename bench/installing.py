"""What the benchmarks share: the other libraries, and the ratio of two figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Final

__all__ = ["install", "ratio"]

_HERE: Final = Path(__file__).resolve().parent


def install(wanted: Iterable[str]) -> tuple[Path, list[str]]:
    """Return the Python of the peers, and those that could be had."""
    python = _HERE / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_HERE / ".venv")], check=True)
    return python, [peer for peer in wanted if _installed(python, peer)]


def _installed(python: Path, peer: str) -> bool:
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    shown = subprocess.run([*pip, "show", peer], capture_output=True, check=False)
    if shown.returncode == 0:
        return True
    try:
        done = subprocess.run(
            [*pip, "install", "--retries", "0", peer], capture_output=True, check=False, timeout=30
        )
    except subprocess.TimeoutExpired:
        print(f"{peer} is left out: the index does not answer")
        return False
    if done.returncode:
        print(f"{peer} is left out: it cannot be installed from the index")
    return done.returncode == 0


def ratio(mine: dict[int, float], reference: dict[int, float]) -> str:
    """Return the median of the ratios that were taken in the same round."""
    both = [mine[turn] / reference[turn] for turn in mine if reference.get(turn)]
    return f"{median(both):.2f}" if both else ""
