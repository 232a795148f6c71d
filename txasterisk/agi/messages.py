"""
What travels over AGI: the environment block, commands, and their replies.

Asterisk first describes the call in a block of lines; then it answers commands, one at a time.
A reply is not simply a line: usage texts and the values of variables span several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from sys import intern
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote

from ..errors import LocalProtocolError, RemoteProtocolError
from .arguments import Argument

__all__ = [
    "LONG_LINE",
    "SAFE_LINE",
    "Command",
    "Environment",
    "Reply",
    "path_parts",
]

#: The longest command, without its LF, that every Asterisk from 16 on takes. A longer one is cut
#: there without a word, and the rest is run as another command, which shifts all later replies.
SAFE_LINE: Final = 2046
#: The same for Asterisk 20.16, 21.11, 22.6, 23 and newer.
LONG_LINE: Final = 8190
#: The most words in a command. Unquoted ones past this are dropped; quoted ones past 128 overrun
#: a buffer and end the whole Asterisk process.
MAX_WORDS: Final = 127

#: What Asterisk says for the URL when AGI goes over AMI.
_ASYNC: Final = "async"
_VALUES_THAT_SPAN_LINES: Final = frozenset(
    {"GET VARIABLE", "GET FULL VARIABLE", "DATABASE GET", "RECEIVE TEXT"}
)
_COMMAND_NAME: Final = re.compile(r'[^\s"\\]+(?: [^\s"\\]+)*')
_REPLY: Final = re.compile("([0-9]{3})[ -](.*)", re.DOTALL)
_ENDPOS: Final = re.compile(r"endpos=(-?[0-9]{1,19})(?![0-9])")
#: The codes of keys, and of none.
_KEYS: Final[Mapping[str, str | None]] = {"0": None} | {str(ord(k)): k for k in "0123456789*#ABCD"}


# The environment


class _Variable:
    def __set_name__(self, owner: type[Environment], name: str) -> None:
        self._name = f"agi_{name}"


class _Text(_Variable):
    """A variable of the block; empty if it is missing."""

    def __get__(self, environment: Environment, owner: type[Environment]) -> str:
        return environment.get(self._name, "")


class _IfKnown(_Variable):
    """A variable for which Asterisk says ``unknown`` if it has none; None then."""

    def __get__(self, environment: Environment, owner: type[Environment]) -> str | None:
        value = environment.get(self._name, "unknown")
        return None if value == "unknown" else value


class Environment(Mapping[str, str]):
    """
    What Asterisk says about the call before the first command, by the names it uses.

    Of a name that comes twice the first value counts. Bytes that are not UTF-8 survive as
    surrogates (``surrogateescape``).

    Asterisk does not protect the block against line ends inside a value, and a caller may choose
    his own name; :attr:`anomalies` tells when that was tried. What must be right should then be
    fetched, as in ``session.get_variable("EXTEN")``.

    :ivar anomalies: how the block differs from what Asterisk writes; normally empty.
    """

    __slots__ = ("_block", "_variables", "anomalies")

    channel = _Text()
    language = _Text()
    type = _Text()
    uniqueid = _Text()
    version = _Text()
    callerid = _IfKnown()
    calleridname = _IfKnown()
    dnid = _IfKnown()
    rdnis = _IfKnown()
    context = _Text()
    extension = _Text()
    priority = _Text()
    accountcode = _Text()
    request = _Text()

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._block = b"\n".join([*lines, b""])
        *texts, _ = self._block.decode("utf-8", "surrogateescape").split("\n")
        parted = [text.partition(": ") for text in texts]
        # The names are those of every other call, and a good part of what a call takes.
        self._variables = {intern(name): value for name, _, value in parted}
        self.anomalies: tuple[str, ...] = ()
        names = tuple(self._variables)
        if len(names) != len(texts) or not _are_usual(names):
            self._read_with_care(texts)

    def _read_with_care(self, texts: list[str]) -> None:
        parted = [text.partition(":") for text in texts]
        self.anomalies = _anomalies([name for name, _, _ in parted])
        pairs = [(name, value.removeprefix(" ")) for name, colon, value in parted if colon]
        self._variables = dict(pairs)
        # Of a name that comes twice the value written last counts, so write the first last.
        self._variables.update(reversed(pairs))

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"<Environment of {self.channel} ({self.uniqueid})>"

    @property
    def lines(self) -> tuple[bytes, ...]:
        """The block as it came, without its line ends."""
        return tuple(self._block.split(b"\n")[:-1])

    @property
    def arguments(self) -> tuple[str, ...]:
        """
        The arguments of the dialplan's ``AGI()`` after the URL or script.

        Over AsyncAGI, where there is no URL, a first argument that begins with a slash takes its
        place, and is none of these.
        """
        return self._given[1:] if self._async_target else self._given

    @property
    def path(self) -> str:
        """
        The path of the URL, decoded: ``/greet/bob`` for ``agi://host/greet/bob?loud=1``.

        It is the same for ``AGI(agi:async,/greet/bob?loud=1)``.
        """
        return "/" + "/".join(self.path_parts)

    @property
    def path_parts(self) -> tuple[str, ...]:
        """The parts of :attr:`path`; here a part may hold a slash that was written ``%2F``."""
        return path_parts(self._target.partition("?")[0])

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the URL's query, decoded; each may come several times."""
        query = self._target.partition("?")[2]
        return parse_qs(query, keep_blank_values=True, errors="surrogateescape")

    @property
    def _target(self) -> str:
        """What follows the first slash after the host, as it was written, without a fragment."""
        if self.request == _ASYNC:
            target = self._async_target
        elif "agi_network_script" in self:
            target = self["agi_network_script"]
        else:
            scheme, separator, rest = self.request.partition("://")
            target = rest.partition("/")[2] if separator else scheme
        return target.partition("#")[0]

    @property
    def _async_target(self) -> str:
        """What stands for the URL's target over AsyncAGI; empty if nothing does."""
        first = self._given[0] if self._given and self.request == _ASYNC else ""
        return first if first.startswith("/") else ""

    @property
    def _given(self) -> tuple[str, ...]:
        """All that the dialplan gave after the URL or script."""
        return tuple(
            value for name, value in self._variables.items() if name.startswith("agi_arg_")
        )


def path_parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path, URL-decoded; empty ones do not count."""
    return tuple(unquote(part, errors="surrogateescape") for part in path.split("/") if part)


_NETWORK: Final = ("agi_network", "agi_network_script")
_ALWAYS: Final = (
    "agi_request",
    "agi_channel",
    "agi_language",
    "agi_type",
    "agi_uniqueid",
    "agi_version",
    "agi_callerid",
    "agi_calleridname",
    "agi_callingpres",
    "agi_callingani2",
    "agi_callington",
    "agi_callingtns",
    "agi_dnid",
    "agi_rdnis",
    "agi_context",
    "agi_extension",
    "agi_priority",
    "agi_enhanced",
    "agi_accountcode",
    "agi_threadid",
)


#: The names that come without arguments, by whether there are a connection and a path.
_USUAL: Final = frozenset({_ALWAYS, (_NETWORK[0], *_ALWAYS), (*_NETWORK, *_ALWAYS)})


def _are_usual(names: tuple[str, ...]) -> bool:
    return names in _USUAL or list(names) == _usual_names(list(names))


def _usual_names(names: list[str]) -> list[str]:
    """Return the names that Asterisk writes in a block of this kind and length."""
    network = [name for at, name in enumerate(_NETWORK) if names[at : at + 1] == [name]]
    arguments = len(names) - len(network) - len(_ALWAYS)
    return [*network, *_ALWAYS, *_argument_names(arguments)]


def _argument_names(count: int) -> list[str]:
    return [f"agi_arg_{number}" for number in range(1, count + 1)]


def _anomalies(names: list[str]) -> tuple[str, ...]:
    usual = _usual_names(names)
    if names == usual:
        return ()
    arguments = sum(name.startswith("agi_arg_") for name in names)
    expected = [*usual[: usual.index(_ALWAYS[-1]) + 1], *_argument_names(arguments)]
    found = [f"{name} comes more than once" for name in _repeated(names)]
    found += [f"{name} is missing" for name in expected if name not in names]
    found += [f"{name[:40]!r} is unexpected" for name in names if name not in expected]
    return tuple(dict.fromkeys(found)) or ("the order is not Asterisk's",)


def _repeated(names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


# Commands


class Command:
    """
    One AGI command.

    :param name: the name of the command, such as ``STREAM FILE``; sent as it is.
    :param arguments: sent in quotes, so that each arrives as it is, even an empty one.
    """

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, *arguments: Argument) -> None:
        self.name = name
        self.arguments = arguments

    def __repr__(self) -> str:
        # The values may be secrets.
        return f"<Command {self.name!r} with {len(self.arguments)} arguments>"

    def serialize(self, limit: int = SAFE_LINE) -> bytes:
        """
        Return the line to send, its LF included.

        :param limit: the most bytes before the LF: :data:`SAFE_LINE` or :data:`LONG_LINE`.
        :raises LocalProtocolError: for what Asterisk would misread, or would not survive.
        """
        if _words_in_name(self.name) + len(self.arguments) > MAX_WORDS:
            raise LocalProtocolError(f"{self.name} has more than {MAX_WORDS} words")
        text = self.name
        try:
            for argument in self.arguments:
                text += f' "{_escaped(str(argument))}"'
        except LocalProtocolError as error:
            raise LocalProtocolError(f"{self.name}: {error}") from None
        if "\n" in text or "\r" in text or "\0" in text:
            raise LocalProtocolError(f"{self.name} has a line end or a NUL in an argument")
        try:
            line = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise LocalProtocolError(f"{self.name} has an argument that is not text") from None
        if len(line) > limit:
            raise LocalProtocolError(f"{self.name} is longer than {limit} bytes")
        return line + b"\n"

    @property
    def value_may_span_lines(self) -> bool:
        """Whether line ends in its reply may belong to a value."""
        return self.name.upper() in _VALUES_THAT_SPAN_LINES


@lru_cache(maxsize=128)
def _words_in_name(name: str) -> int:
    if not _COMMAND_NAME.fullmatch(name):
        raise LocalProtocolError(f"no name of an AGI command: {name!r}")
    if name.lower().startswith("failure"):
        # What Asterisk writes to itself when it cannot start a script: ends the session.
        raise LocalProtocolError("no AGI command may begin with 'failure'")
    return name.count(" ") + 1


def _escaped(text: str) -> str:
    if '"' in text or "\\" in text:
        return text.replace("\\", "\\\\").replace('"', '\\"')
    return text


# Replies


class Reply(NamedTuple):
    """
    What Asterisk answered to one command.

    :ivar code: 200 for a result; 510, 511, 520 for a refusal.
    :ivar result: what follows ``result=`` up to the first blank; often a number, sometimes empty.
    :ivar tail: what follows that; for a refusal Asterisk's own words.
    """

    code: int
    result: str
    tail: str

    @classmethod
    def parse(cls, reply: bytes) -> Reply:
        """
        Take a whole reply apart, with all its lines but without the last LF.

        :raises RemoteProtocolError: if this is no reply.
        """
        text = reply.decode("utf-8", "surrogateescape")
        if text.startswith("200 result="):
            result, _, tail = text[11:].partition(" ")
            return cls(200, result, tail)
        match = _REPLY.fullmatch(text)
        if match is None:
            raise RemoteProtocolError(f"no AGI reply: {reply[:40]!r}")
        code, rest = match.groups()
        if rest.startswith("result="):
            result, _, tail = rest[7:].partition(" ")
            return cls(int(code), result, tail)
        return cls(int(code), "", rest)

    def __str__(self) -> str:
        """Return the first line."""
        result = f"result={self.result}" if self.code == 200 else ""
        return " ".join(part for part in (str(self.code), result, self.tail) if part).split("\n")[0]

    @property
    def number(self) -> int:
        """
        The result as a number.

        :raises RemoteProtocolError: if it is none.
        """
        try:
            return int(self.result)
        except ValueError:
            raise RemoteProtocolError(f"no number in the AGI reply: {self.result[:40]!r}") from None

    @property
    def digit(self) -> str | None:
        """The key that was pressed, or None if the result is not a key's code."""
        if self.result in _KEYS:
            return _KEYS[self.result]
        # Whatever else it means, it must be a number.
        int(self.number)
        return None

    @property
    def text(self) -> str | None:
        """What stands in the parentheses, from the first to the last; None without them."""
        end = self.tail.rfind(")")
        return self.tail[1:end] if self.tail.startswith("(") and end > 0 else None

    @property
    def endpos(self) -> int | None:
        """The position after ``endpos=``, in the unit of the command, or None."""
        match = _ENDPOS.search(self.tail, self.tail.rfind(")") + 1)
        return int(match[1]) if match else None
