"""The Python of the machine that programs in a tree run by, but for the mounts."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.processes import CHECKOUT
from tools.host_python import HostPython


class HostPythonTests(SynchronousTestCase):
    """What is brought into a tree."""

    def setUp(self) -> None:
        """Have the Python that runs the tests ready in a directory with a blank in its name."""
        self.directory = Path(self.mktemp()).resolve() / "a tree" / "host"
        python = HostPython.found(sys.executable)
        python.prepare(CHECKOUT, self.directory, "/srv/it/host")
        self.python = python
        self.lines = (self.directory / "fstab").read_text().splitlines()
        self.mounts = [
            [field.replace("\\040", " ") for field in line.split()] for line in self.lines
        ]

    def test_everything_is_mounted_read_only(self) -> None:
        """No program in there can do harm out here."""
        self.assertEqual(
            {tuple(mount[2:]) for mount in self.mounts}, {("none", "bind,ro", "0", "0")}
        )

    def test_what_is_mounted_is_there_and_its_place_is_like_it(self) -> None:
        """A directory is mounted on a directory, a file on a file."""
        for source, place, *_ in self.mounts:
            path = Path(place)
            self.assertEqual(path.is_dir(), Path(source).is_dir(), source)
            self.assertTrue(path.exists(), place)

    def test_blanks_in_a_name_are_written_in_octal(self) -> None:
        """A blank ends a field."""
        self.assertTrue(all("a\\040tree/host" in line for line in self.lines))

    def test_the_launcher_starts_the_interpreter_with_what_is_mounted(self) -> None:
        """With links for mounts, and its directory for the tree's, it runs."""
        here = self.directory.with_name("linked")
        for source, place, *_ in self.mounts:
            link = here / Path(place).relative_to(self.directory)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
        # As in a tree, there is no blank on the way to the launcher.
        plain = tempfile.TemporaryDirectory()
        self.addCleanup(plain.cleanup)
        linked = Path(plain.name) / "host"
        linked.symlink_to(here)
        text = (self.directory / "python").read_text().replace("/srv/it/host", str(linked))
        launcher = linked / "python"
        launcher.write_text(text)
        launcher.chmod(0o755)
        program = "import ssl, sys, txasterisk; print(sys.version, txasterisk.__file__)"
        said = subprocess.run([launcher, "-c", program], capture_output=True, text=True, cwd="/")
        self.assertEqual(said.stderr, "")
        self.assertEqual(said.stdout, f"{sys.version} {linked}/path/0/txasterisk/__init__.py\n")

    def test_the_checkout_comes_first(self) -> None:
        """Not what a virtual environment has of it."""
        sources = {
            Path(place).name: source for source, place, *_ in self.mounts if "/path/0" in place
        }
        self.assertEqual(
            sources, {name: f"{CHECKOUT}/{name}" for name in ("txasterisk", "tests", "examples")}
        )
        self.assertIn("PYTHONPATH=/srv/it/host/path/0:", (self.directory / "python").read_text())

    def test_it_may_be_prepared_again(self) -> None:
        """As when an instance is started again."""
        self.python.prepare(CHECKOUT, self.directory, "/srv/it/host")
        self.assertTrue(os.access(self.directory / "python", os.X_OK))

    def test_what_is_no_python_is_refused_by_name(self) -> None:
        """Before anything is started."""
        for program in ("/bin/false", "/nowhere/python"):
            with self.assertRaisesRegex(ValueError, f"{program} is no Python"):
                HostPython.found(program)
