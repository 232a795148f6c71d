"""The built wheel, installed into an empty virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

CHECKOUT = Path(__file__).parent.parent.parent


class WheelTests(SynchronousTestCase):
    """What ``pip install txasterisk`` brings."""

    if os.environ.get("TXASTERISK_WHEEL") != "1":
        skip = "building and installing a wheel takes a while; `make wheel` does it"

    def test_a_wheel_in_an_empty_environment_gives_both_commands(self) -> None:
        """``twistd asterisk`` and ``twist asterisk`` work, and nothing of Twisted's is hurt."""
        folder = Path(self.mktemp()).resolve()
        source = _copy_of_checkout(folder / "source")
        _run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, source)
        (wheel,) = folder.glob("*.whl")
        names = ZipFile(wheel).namelist()
        self.assertIn("twisted/plugins/txasterisk_plugin.py", names)
        modules = {str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("txasterisk/**/*.py")}
        self.assertEqual(modules - set(names), set())
        self.assertIn("txasterisk/py.typed", names)
        self.assertEqual([name for name in names if name.endswith("dropin.cache")], [])
        # One of these would hide the rest of Twisted.
        self.assertNotIn("twisted/__init__.py", names)
        self.assertNotIn("twisted/plugins/__init__.py", names)
        self.assertEqual([name for name in names if name.startswith(("tests", "tools"))], [])

        _run(sys.executable, "-m", "venv", folder / "empty")
        _run(folder / "empty/bin/python", "-m", "pip", "install", "-qq", wheel)
        for command in "twistd", "twist":
            shown = _run(folder / "empty/bin" / command, "asterisk", "--help", cwd=folder)
            self.assertIn("--demo", shown)


def _copy_of_checkout(copy: Path) -> Path:
    """Copy what git has, so that nothing left from an earlier build comes into the wheel."""
    copy.mkdir(parents=True)
    files = _run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=CHECKOUT
    )
    for name in filter(None, files.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, copy / name)
    return copy


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
