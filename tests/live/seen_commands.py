"""
The page ``docs/agi-commands.rst``: how each AGI command is asked for, and what is told of a reply.

What varies from call to call is left out: how far a sound got, and how much time was left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from tests.live.page import Page
from txasterisk.agi import Reply

__all__ = ["PAGE", "ROUTINES", "Asked", "Meanwhile", "asked", "told"]

PAGE: Final = Page("agi-commands.rst", (25, 62, 46, 46))

#: No channel, sound, variable, application or anything else is called like this.
NOTHING: Final = "nothing"

#: A context of the dialplan with a routine that returns, and one that does not.
ROUTINES: Final = "routines"

#: What is asked after the hangup must not disturb what is asked in other calls.
OTHERWISE: Final[dict[object, object]] = {"seen": "seen-late"}

LONG: Final = "demo-congrats"
RECORDING: Final = "/tmp/txasterisk-seen"


class Meanwhile(NamedTuple):
    """
    What happens while a command is at work.

    :ivar what: the caller presses a key, hangs up, or writes; AMI controls the playing; or the
        caller is silent from the beginning.
    :ivar which: the key, the text, or what AMI says.
    :ivar after: how many seconds after the command has begun.
    """

    what: Literal["pressed", "hung up", "written", "controlled", "silent"]
    which: str = ""
    after: float = 0.2

    def __str__(self) -> str:
        match self.what:
            case "pressed":
                return f"and {self.which} is pressed"
            case "written":
                return f"and the caller writes “{self.which}”"
            case "controlled":
                return f"and AMI says {self.which}"
            case "hung up":
                return "and the caller hangs up"
            case "silent":
                return "and the caller is silent"


class Asked(NamedTuple):
    """A command and how it is asked for."""

    command: str
    arguments: tuple[object, ...] = ()
    options: tuple[tuple[str, object], ...] = ()
    meanwhile: Meanwhile | None = None
    after_hangup: bool = False

    @property
    def verb(self) -> str:
        """The method that asks for it."""
        return self.command.lower().replace(" ", "_")

    @property
    def question(self) -> tuple[str, str]:
        """What the page has in its first two columns."""
        given = [_quoted(value) for value in self.arguments]
        given += [f"{name}={_quoted(value)}" for name, value in self.options]
        call = f"``{self.verb}({', '.join(given)})``"
        if self.after_hangup:
            return self.command, f"{call} after the hangup"
        return self.command, call if self.meanwhile is None else f"{call}, {self.meanwhile}"


def _quoted(value: object) -> str:
    if value == "x" * 300:
        return '"x" * 300'
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)


def told(reply: Reply, outcome: object) -> str:
    """Say what was answered, and what the verb made of it: a value or an error."""
    value = type(outcome).__name__ if isinstance(outcome, Exception) else repr(outcome)
    answered = str(reply) if reply.code == 200 else str(reply.code)
    answered = re.sub(r"result=\d+(?= \(timeout\) endpos)", "result=N", answered)
    return re.sub(r"\bendpos=\d[\d.]*", "endpos=N", f"{answered}: {value}")


def asked() -> Iterator[Asked]:
    """Tell how each command is asked for, in the order in which that makes sense."""
    alive = list(_alive())
    yield from alive
    firsts: dict[str, Asked] = {}
    for each in alive:
        firsts.setdefault(each.command, each)
    for each in firsts.values():
        arguments = tuple(OTHERWISE.get(value, value) for value in each.arguments)
        yield each._replace(arguments=arguments, after_hangup=True)


def _alive() -> Iterator[Asked]:
    yield from _call()
    yield from _database()
    yield from _dialplan()
    yield from _sound()
    yield from _keys()
    yield from _recording()
    yield from _saying()
    yield from _text()
    yield from _speech()


def _pressed(key: str, after: float = 0.2) -> Meanwhile:
    return Meanwhile("pressed", key, after)


HUNG_UP: Final = Meanwhile("hung up")
STOPPED: Final = Meanwhile("controlled", "stop")


def _ask(command: str, *arguments: object, **options: object) -> Asked:
    return Asked(command, arguments, tuple(options.items()))


def _call() -> Iterator[Asked]:
    yield _ask("ANSWER")
    yield _ask("ASYNCAGI BREAK")
    yield _ask("CHANNEL STATUS")
    yield _ask("CHANNEL STATUS", NOTHING)
    yield _ask("HANGUP", NOTHING)
    yield _ask("HANGUP")
    yield _ask("NOOP")
    yield _ask("SET AUTOHANGUP", 60)
    yield _ask("SET AUTOHANGUP", 0)
    yield _ask("SET CALLERID", '"Alice" <100>')
    yield _ask("SET CALLERID", "")
    yield _ask("SET MUSIC", "on")
    yield _ask("SET MUSIC", "off", NOTHING)
    yield _ask("VERBOSE", "hello")


def _database() -> Iterator[Asked]:
    yield _ask("DATABASE PUT", "seen", "key", "a value")
    yield _ask("DATABASE PUT", "x" * 300, "key", "a value")
    yield _ask("DATABASE GET", "seen", "key")
    yield _ask("DATABASE GET", "seen", NOTHING)
    yield _ask("DATABASE DEL", "seen", "key")
    yield _ask("DATABASE DEL", "seen", NOTHING)
    yield _ask("DATABASE PUT", "seen", "tree/key", "")
    yield _ask("DATABASE DELTREE", "seen", "tree")
    yield _ask("DATABASE DELTREE", "seen")


def _dialplan() -> Iterator[Asked]:
    yield _ask("EXEC", "Set", "COLOUR=blue")
    yield _ask("EXEC", "Wait", "0.1")
    yield _ask("EXEC", "Goto", NOTHING)
    yield _ask("EXEC", NOTHING)
    yield _ask("EXEC", "Wait", "10")._replace(meanwhile=HUNG_UP)
    yield _ask("GET FULL VARIABLE", "${EXTEN:1}")
    yield _ask("GET FULL VARIABLE", "${NOTHING}")
    yield _ask("GET FULL VARIABLE", "${EXTEN}", NOTHING)
    yield _ask("GET VARIABLE", "EXTEN")
    yield _ask("GET VARIABLE", "NOTHING")
    yield _ask("GET VARIABLE", "CALLERID(num)")
    yield _ask("GET VARIABLE", "NOTHING(num)")
    yield _ask("GOSUB", ROUTINES, "returns")
    yield _ask("GOSUB", ROUTINES, "returns", 1, "an,argument")
    yield _ask("GOSUB", ROUTINES, "leaves")
    yield _ask("GOSUB", ROUTINES, NOTHING)
    yield _ask("GOSUB", ROUTINES, "waits")._replace(meanwhile=HUNG_UP)
    yield _ask("SET CONTEXT", "txasterisk")
    yield _ask("SET CONTEXT", NOTHING)
    yield _ask("SET EXTENSION", "answer")
    yield _ask("SET EXTENSION", NOTHING)
    yield _ask("SET PRIORITY", 2)
    yield _ask("SET PRIORITY", NOTHING)
    yield _ask("SET VARIABLE", "COLOUR", "red")
    yield _ask("SET VARIABLE", "CALLERID(name)", "")


def _sound() -> Iterator[Asked]:
    yield _ask("CONTROL STREAM FILE", "beep")
    yield _ask("CONTROL STREAM FILE", "beep", offset=0.3)
    yield _ask("CONTROL STREAM FILE", "beep", offset=60.0)
    yield _ask("CONTROL STREAM FILE", NOTHING)
    yield _ask("CONTROL STREAM FILE", LONG, "5")._replace(meanwhile=_pressed("5"))
    yield _ask("CONTROL STREAM FILE", LONG, "5", pause="2")._replace(meanwhile=_pressed("25"))
    yield _ask("CONTROL STREAM FILE", LONG, "5", skip=60.0)._replace(meanwhile=_pressed("#5"))
    yield _ask("CONTROL STREAM FILE", LONG, "#", forward="")._replace(meanwhile=_pressed("#"))
    yield _ask("CONTROL STREAM FILE", LONG, "*", rewind="")._replace(meanwhile=_pressed("*"))
    yield _ask("CONTROL STREAM FILE", LONG)._replace(meanwhile=STOPPED)
    yield _ask("CONTROL STREAM FILE", LONG)._replace(meanwhile=HUNG_UP)
    yield _ask("STREAM FILE", "beep")
    yield _ask("STREAM FILE", "beep", "", 1600)
    yield _ask("STREAM FILE", "beep", "", 99999)
    yield _ask("STREAM FILE", NOTHING)
    yield _ask("STREAM FILE", "")
    yield _ask("STREAM FILE", LONG, "5")._replace(meanwhile=_pressed("5"))
    yield _ask("STREAM FILE", LONG, "5")._replace(meanwhile=_pressed("45"))
    yield _ask("STREAM FILE", LONG)._replace(meanwhile=STOPPED)
    yield _ask("STREAM FILE", LONG)._replace(meanwhile=HUNG_UP)


def _keys() -> Iterator[Asked]:
    yield _ask("GET DATA", "beep", 0.1)
    yield _ask("GET DATA", NOTHING, 0.1)
    yield _ask("GET DATA", "", max_digits=1)
    yield _ask("GET DATA", LONG, 5, 2)._replace(meanwhile=_pressed("12"))
    yield _ask("GET DATA", LONG, 5)._replace(meanwhile=_pressed("1*#"))
    yield _ask("GET DATA", LONG, 1.5)._replace(meanwhile=_pressed("1"))
    yield _ask("GET DATA", LONG)._replace(meanwhile=_pressed("#"))
    yield _ask("GET DATA", LONG)._replace(meanwhile=HUNG_UP)
    yield _ask("GET DATA", "", 10)._replace(meanwhile=HUNG_UP)
    yield _ask("GET OPTION", "beep", "12", 0.1)
    yield _ask("GET OPTION", "beep", "12")
    yield _ask("GET OPTION", NOTHING, "12")
    yield _ask("GET OPTION", LONG, "12")._replace(meanwhile=_pressed("1"))
    yield _ask("GET OPTION", LONG, "12")._replace(meanwhile=_pressed("31"))
    yield _ask("GET OPTION", "beep", "12", 10)._replace(meanwhile=_pressed("3", 1.0))
    yield _ask("GET OPTION", LONG, "12")._replace(meanwhile=HUNG_UP)
    yield _ask("GET OPTION", "beep", "12", 10)._replace(meanwhile=HUNG_UP._replace(after=1.0))
    yield _ask("WAIT FOR DIGIT", 0.1)
    yield _ask("WAIT FOR DIGIT", 10)._replace(meanwhile=_pressed("*"))
    yield _ask("WAIT FOR DIGIT", 10)._replace(meanwhile=_pressed("A"))
    yield _ask("WAIT FOR DIGIT", 10)._replace(meanwhile=STOPPED)
    yield _ask("WAIT FOR DIGIT", 10)._replace(meanwhile=HUNG_UP)


def _recording() -> Iterator[Asked]:
    yield _ask("RECORD FILE", RECORDING, "wav", "#", 0.2)
    yield _ask("RECORD FILE", RECORDING, "wav", "#", 0.2, offset=800)
    yield _ask("RECORD FILE", RECORDING, "wav", "#", 0.2, offset=800, beep=True, silence=2)
    yield _ask("RECORD FILE", RECORDING, NOTHING, "#", 0.2)
    yield _ask("RECORD FILE", "/nothing/there", "wav", "#", 0.2)
    yield _record("key", _pressed("#"))
    yield _record("keys", _pressed("1#"))
    yield _record("beep", _pressed("#", 0), beep=True)
    yield _record("silence", Meanwhile("silent"), silence=1)
    yield _record("hangup", HUNG_UP)


def _record(name: str, meanwhile: Meanwhile, **options: object) -> Asked:
    """Ask for a recording with a file of its own, since all are made at once."""
    asked = _ask("RECORD FILE", f"{RECORDING}-{name}", "wav", "#", 10, **options)
    return asked._replace(meanwhile=meanwhile)


def _saying() -> Iterator[Asked]:
    yield _ask("SAY ALPHA", "a")
    yield _ask("SAY ALPHA", "B", "", "upper")
    yield _ask("SAY ALPHA", "ä")
    yield _ask("SAY DATE", 0)
    yield _ask("SAY DATETIME", 0)
    yield _ask("SAY DATETIME", 0, "", "H")
    yield _ask("SAY DATETIME", 0, "", "H", "Europe/Berlin")
    yield _ask("SAY DIGITS", "1")
    yield _ask("SAY DIGITS", "-1*#")
    yield _ask("SAY NUMBER", 1)
    yield _ask("SAY NUMBER", 1, "", "f")
    yield _ask("SAY PHONETIC", "a")
    yield _ask("SAY TIME", 0)
    for what in ("ALPHA", "PHONETIC"):
        yield from _interrupted(f"SAY {what}", "abcdef")
    for what in ("DATE", "DATETIME", "TIME"):
        yield from _interrupted(f"SAY {what}", 0)
    yield from _interrupted("SAY DIGITS", "123456")
    yield from _interrupted("SAY NUMBER", 123456)


def _interrupted(command: str, what: object) -> Iterator[Asked]:
    yield _ask(command, what, "5")._replace(meanwhile=_pressed("5"))
    yield _ask(command, what)._replace(meanwhile=HUNG_UP)


def _text() -> Iterator[Asked]:
    for command in ("RECEIVE CHAR", "RECEIVE TEXT"):
        yield _ask(command, 0.1)
        yield _ask(command, 10)._replace(meanwhile=Meanwhile("written", "hello (you)"))
        yield _ask(command, 10)._replace(meanwhile=HUNG_UP)
    yield _ask("SEND IMAGE", NOTHING)
    yield _ask("SEND TEXT", "hello you")
    yield _ask("SEND TEXT", "")
    for mode in ("on", "off", "mate"):
        yield _ask("TDD MODE", mode)


def _speech() -> Iterator[Asked]:
    yield _ask("SPEECH CREATE")
    yield _ask("SPEECH CREATE", NOTHING)
    yield _ask("SPEECH SET", "name", "value")
    yield _ask("SPEECH LOAD GRAMMAR", "grammar", "/nothing/there")
    yield _ask("SPEECH ACTIVATE GRAMMAR", "grammar")
    yield _ask("SPEECH DEACTIVATE GRAMMAR", "grammar")
    yield _ask("SPEECH RECOGNIZE", "beep", 1)
    yield _ask("SPEECH RECOGNIZE", "beep", 1, 800)
    yield _ask("SPEECH UNLOAD GRAMMAR", "grammar")
    yield _ask("SPEECH DESTROY")
