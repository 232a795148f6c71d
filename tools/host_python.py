"""
The Python of this machine, made to run inside a tree that has none, or one that is too old.

A program that Asterisk starts sees only the tree. So the interpreter, its libraries and all that it
imports are mounted there, read-only, below one directory, under names of our own: on the machine
they may be where Asterisk's user must not go, or in a path with blanks. A launcher starts the
interpreter by the machine's own loader, as the tree's C library is another::

    python                what the first line of a script names
    fstab                 what is mounted where
    loader                the machine's dynamic loader
    interpreter           the Python program
    prefix                its standard library
    libraries/NUMBER      the machine's libraries that it needs
    path/NUMBER           what it imports from, the checkout first
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HostPython"]

#: What scripts may import from the checkout.
PACKAGES = ("txasterisk", "tests", "examples")

# These modules have most of the machine's libraries loaded.
QUESTION = """
import ctypes, json, os, ssl, sys
mapped = [line.rstrip("\\n").split(maxsplit=5)[5:] for line in open("/proc/self/maps")]
print(json.dumps({
    "interpreter": os.path.realpath(sys.executable),
    "prefix": sys.base_prefix,
    "path": [each for each in sys.path if os.path.isdir(each)],
    "libraries": sorted({name for names in mapped for name in names if ".so" in name}),
}))
"""

LAUNCHER = """#!/bin/sh
PYTHONHOME={inside}/prefix PYTHONPATH={path} exec {inside}/loader --inhibit-cache \\
    --library-path {libraries} {inside}/interpreter "$@"
"""


@dataclass(frozen=True)
class HostPython:
    """
    A Python of this machine.

    :ivar interpreter: the program.
    :ivar prefix: where its standard library is.
    :ivar path: the directories that it imports from.
    :ivar libraries: the libraries that it has loaded; the loader is one of them.
    """

    interpreter: str
    prefix: str
    path: list[str]
    libraries: list[str]

    @classmethod
    def found(cls, program: str) -> HostPython:
        """
        Ask a Python where its parts are.

        :param program: such as the ``python`` of a virtual environment.
        :raises ValueError: if it is no Python that works.
        """
        try:
            asked = subprocess.run(
                [program, "-c", QUESTION], cwd="/", capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise ValueError(f"{program} is no Python to run scripts with: {error}") from None
        return cls(**json.loads(asked.stdout))

    def prepare(self, checkout: Path, directory: Path, inside: str) -> None:
        """
        Have everything ready but for the mounts, which are in the ``fstab``.

        :param checkout: comes first on its path.
        :param directory: where all that goes.
        :param inside: what that is called in the tree.
        """
        places = [(Path(source), place) for source, place in self._places(checkout)]
        for source, place in places:
            _make_mount_point(source, directory / place)
        lines = [_fstab_line(source, directory / place) for source, place in places]
        (directory / "fstab").write_text("".join(lines))
        (directory / "python").write_text(self._launcher(inside))
        (directory / "python").chmod(0o755)

    def _places(self, checkout: Path) -> list[tuple[str, str]]:
        """Return what is mounted, and where."""
        loader = next(name for name in self.libraries if Path(name).name.startswith("ld-"))
        return [
            (loader, "loader"),
            (self.interpreter, "interpreter"),
            (self.prefix, "prefix"),
            *((name, f"libraries/{at}") for at, name in enumerate(self._library_directories())),
            *((str(checkout / name), f"path/0/{name}") for name in PACKAGES),
            *((name, f"path/{at}") for at, name in enumerate(self.path, 1)),
        ]

    def _library_directories(self) -> list[str]:
        return sorted({str(Path(name).parent) for name in self.libraries})

    def _launcher(self, inside: str) -> str:
        libraries = [f"{inside}/libraries/{at}" for at in range(len(self._library_directories()))]
        path = [f"{inside}/path/{at}" for at in range(len(self.path) + 1)]
        return LAUNCHER.format(inside=inside, path=":".join(path), libraries=":".join(libraries))


def _make_mount_point(source: Path, place: Path) -> None:
    """Make what a file or a directory can be mounted on."""
    if source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def _fstab_line(source: Path, place: Path) -> str:
    return f"{_field(source)} {_field(place)} none bind,ro 0 0\n"


def _field(path: Path) -> str:
    r"""Write a path with what separates fields as ``\040`` and the like."""
    return re.sub(r"[\s\\#]", lambda match: f"\\{ord(match[0]):03o}", str(path))
