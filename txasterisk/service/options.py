"""The command line of ``twistd asterisk``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar, NoReturn

from twisted.python.usage import Options as UsageOptions

from .._reactor import the_reactor
from ..errors import ConfigurationError
from .config import Configuration, read_configuration

__all__ = ["Options"]

DEFAULT_FILE = "txasterisk.toml"


class Options(UsageOptions):
    """
    What the command line asks for.

    :ivar configuration: what the file says, or None for ``--demo``.
    """

    configuration: Configuration | None = None

    optFlags: ClassVar = [
        ["demo", None, "Answer calls on a PBX that is played: needs no Asterisk and no file."],
        ["check", None, "Only check the configuration, and say whether it is good."],
    ]
    optParameters: ClassVar = [
        ["config", "c", DEFAULT_FILE, "The TOML file that says what to run."],
    ]
    longdesc = (
        "Answers Asterisk's calls with scripts of yours, as a TOML file says: FastAGI routes and "
        "Stasis applications, each a module:function, and AMI. Begin with --demo."
    )

    def postOptions(self) -> None:
        """Read the configuration, so that a mistake in it is told before anything starts."""
        if self["demo"]:
            return
        path = Path(self["config"])
        try:
            self.configuration = read_configuration(path, the_reactor())
        except ConfigurationError as error:
            _leave(str(error))
        if self["check"]:
            print(f"{path}: good")
            sys.exit(0)


def _leave(mistakes: str) -> NoReturn:
    # Twisted's own UsageError would bury the lines under a page of help, and twistd would then
    # exit with status 0.
    sys.exit(mistakes)
