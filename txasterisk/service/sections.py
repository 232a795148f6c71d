"""
A TOML file, read so that every mistake in it is found at once.

A value that is missing or wrong is noted and replaced by something harmless, so that reading goes
on to the next mistake.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from inspect import iscoroutinefunction
from math import inf
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

from .._words import words
from ..ami.irregular import check_mask
from ..errors import ConfigurationError, LocalProtocolError

__all__ = ["Script", "Secret", "Section", "open_section"]

Script: TypeAlias = Callable[[Any], Coroutine[Any, Any, object]]
T = TypeVar("T")
W = TypeVar("W", bound=str)


class Secret(str):
    """A text that does not show itself in a ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Secret>"


def open_section(path: Path, reactor: object, mistakes: list[str]) -> Section:
    """
    Open the file as its outermost section.

    :param path: the TOML file.
    :param reactor: makes the endpoints.
    :param mistakes: where a line for each mistake will be put.
    :raises ConfigurationError: when there is no file, or what it holds is no TOML.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: this is no TOML: {error}")
    return Section(table, "", path, reactor, mistakes)


class Section:
    """A table of the file, which notes every mistake that is found while it is read."""

    def __init__(
        self,
        table: Mapping[str, object],
        place: str,
        path: Path,
        reactor: object,
        mistakes: list[str],
    ) -> None:
        self._table = table
        self._place = place
        self._path = path
        self._reactor = reactor
        self._mistakes = mistakes
        self._known: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def complain(self, key: str, mistake: str) -> None:
        """Note a mistake at a key, or, with an empty key, in the section itself."""
        place = ".".join(part for part in (self._place, key) if part)
        self._mistakes.append(f"{place}: {mistake}")

    def refuse(self, key: str, mistake: str) -> None:
        """Note that a key is there."""
        if self._take(key) is not None:
            self.complain(key, mistake)

    def refuse_others(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._table:
            if key not in self._known:
                close = get_close_matches(key, self._known, 1)
                hint = f'did you mean "{close[0]}"?' if close else self._expected()
                self.complain(key, f"unknown key; {hint}")

    def holds_table(self, key: str) -> bool:
        """Whether there is a table at a key, and not a value."""
        return isinstance(self._table.get(key), dict)

    def section(self, key: str) -> Section | None:
        """Return the table at a key, or None if there is none."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.complain(key, f"expected a table, not {value!r}")
            return None
        place = f"{self._place}.{key}" if self._place else key
        return Section(value, place, self._path, self._reactor, self._mistakes)

    def sections(self, key: str) -> list[tuple[str, Section]]:
        """Return the tables within the table at a key, by name."""
        outer = self.section(key)
        if outer is None:
            return []
        found = [(name, outer.section(name)) for name in outer]
        return [(name, section) for name, section in found if section is not None]

    def text(self, key: str, expected: str) -> str:
        """Return a text that is not empty."""
        value = self._take(key)
        if isinstance(value, str) and value:
            return value
        found = "missing" if value is None else f"{value!r} is wrong"
        self.complain(key, f"{found}; expected {expected}")
        return ""

    def texts(self, key: str, expected: str) -> tuple[str, ...]:
        """Return the texts of a list, which may be absent."""
        value = self._take(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.complain(key, f"{value!r} is wrong; expected {expected}")
        return ()

    def choice(self, key: str, choices: tuple[int, ...]) -> int:
        """Return one of some numbers, the first of which is meant where there is none."""
        value = self._take(key)
        if value is None:
            return choices[0]
        if type(value) is int and value in choices:
            return value
        self.complain(key, f"{value!r} is wrong; expected {' or '.join(map(str, choices))}")
        return choices[0]

    def word(self, key: str, words: tuple[W, ...]) -> W:
        """Return one of some words, the first of which is meant where there is none."""
        value = self._take(key)
        if value is None:
            return words[0]
        for word in words:
            if value == word:
                return word
        self.complain(key, f"{value!r} is wrong; expected {' or '.join(map(repr, words))}")
        return words[0]

    def count(self, key: str, expected: str) -> int | None:
        """Return a number of at least 1, or None if there is none."""
        value = self._take(key)
        if value is None or (type(value) is int and value >= 1):
            return value
        self.complain(key, f"{value!r} is wrong; expected {expected}")
        return None

    def seconds(self, key: str) -> float | None:
        """Return a time, or None if there is none."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, (int, float)) and type(value) is not bool and 0 < value < inf:
            return float(value)
        self.complain(key, f"{value!r} is wrong; expected a number of seconds, such as 60")
        return None

    def event_mask(self, key: str) -> str | None:
        """Return which classes of AMI's events are meant, or None for all."""
        value = self._take(key)
        if value is None:
            return None
        try:
            if not isinstance(value, str):
                raise LocalProtocolError(f"{value!r} is no text")
            check_mask(value)
        except LocalProtocolError as error:
            self.complain(key, f'{error}; expected classes of events, such as "call,user"')
            return None
        return value

    def url(self, key: str, example: str) -> str:
        """Return the URL of a web server."""
        expected = f'a URL such as "{example}"'
        value = self.text(key, expected)
        try:
            parts = urlsplit(value)
            valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        if value and not valid:
            self.complain(key, f"{value!r} is wrong; expected {expected}")
        return value

    def client_endpoint(self, key: str) -> IStreamClientEndpoint:
        """Return the client endpoint that a description makes."""
        return self._endpoint(key, _client_endpoint, "client", "tcp:127.0.0.1:5038")

    def server_endpoint(self, key: str) -> IStreamServerEndpoint:
        """Return the server endpoint that a description makes."""
        return self._endpoint(key, _server_endpoint, "server", "tcp:4573:interface=127.0.0.1")

    def secret(self, key: str) -> Secret:
        """Return a secret that the file refers to but does not hold."""
        value = self._take(key)
        expected = 'expected { file = "…" }, { env = "…" } or { credential = "…" }'
        if value is None:
            self.complain(key, f"missing; {expected}")
        elif not isinstance(value, dict) or len(value) != 1:
            # What stands there may be the secret itself, so it is not repeated.
            self.complain(key, f"a secret does not stand in the file; {expected}")
        else:
            [(source, name)] = value.items()
            find = _SECRET_SOURCES.get(source)
            if find is None or not isinstance(name, str):
                self.complain(key, expected)
            else:
                return self._found_secret(key, find, name)
        return Secret()

    def script(self, key: str) -> Script:
        """Return the ``async def`` that ``module:function`` names."""
        expected = '"module:function" of an async def'
        value = self.text(key, expected)
        if value:
            try:
                return _import_script(value)
            except ConfigurationError as error:
                self.complain(key, f"{value!r}: {error}; expected {expected}")
        return _no_script

    def _take(self, key: str) -> object:
        self._known.add(key)
        return self._table.get(key)

    def _expected(self) -> str:
        return "expected " + ", ".join(sorted(self._known)) if self._known else "expected none"

    def _endpoint(self, key: str, make: Callable[[object, str], T], kind: str, example: str) -> T:
        expected = f'a description of a Twisted {kind} endpoint, such as "{example}"'
        value = self.text(key, expected)
        if value:
            try:
                return make(self._reactor, value)
            except Exception as error:
                self.complain(key, f"{value!r} is wrong ({error}); expected {expected}")
        return make(self._reactor, example)

    def _found_secret(self, key: str, find: Callable[[str, Path], str], name: str) -> Secret:
        try:
            secret = Secret(find(name, self._path.parent))
        except KeyError as error:
            self.complain(key, f"the environment has no variable {error.args[0]}")
        except (OSError, UnicodeDecodeError) as error:
            self.complain(key, f"{name!r} cannot be read: {error}")
        else:
            if not secret:
                self.complain(key, f"{name!r} is empty")
            return secret
        return Secret()


def _client_endpoint(reactor: object, description: str) -> IStreamClientEndpoint:
    endpoint: IStreamClientEndpoint = clientFromString(reactor, description)
    return endpoint


def _server_endpoint(reactor: object, description: str) -> IStreamServerEndpoint:
    endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    return endpoint


def _secret_in_file(name: str, folder: Path) -> str:
    return (folder / name).read_text("utf-8").rstrip("\r\n")


def _secret_in_environment(name: str, _: Path) -> str:
    return os.environ[name]


def _systemd_credential(name: str, _: Path) -> str:
    return _secret_in_file(name, Path(os.environ["CREDENTIALS_DIRECTORY"]))


_SECRET_SOURCES: Mapping[str, Callable[[str, Path], str]] = {
    "file": _secret_in_file,
    "env": _secret_in_environment,
    "credential": _systemd_credential,
}


def _import_script(reference: str) -> Script:
    module_name, colon, function_name = reference.partition(":")
    if not (colon and module_name and function_name):
        raise ConfigurationError("there is no colon between two names")
    try:
        found: object = import_module(module_name)
        for name in function_name.split("."):
            found = getattr(found, name)
    except AttributeError:
        raise ConfigurationError(f"{module_name} has no {function_name}")
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"there is no module {error.name}")
    except Exception as error:
        raise ConfigurationError(
            f"{module_name} cannot be imported ({type(error).__name__}: {words(error)})"
        )
    if not iscoroutinefunction(found):
        raise ConfigurationError("this is no async def")
    return cast(Script, found)


async def _no_script(_: object) -> None:
    """Stand in for a script that could not be found, while the rest of the file is read."""
