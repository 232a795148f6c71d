"""Which script answers a call: routes by the path that the dialplan gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .._seldom import Seldom
from .messages import path_parts
from .script import OnHangup, RunningScript, Script, Status
from .session import AGISession

__all__ = ["Routed", "Routes"]


@dataclass(eq=False)
class _Route:
    """
    A script and how it is run.

    :ivar running: how many calls it answers now.
    """

    script: Script
    limit: int | None
    on_hangup: OnHangup
    running: int = 0

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.running >= self.limit

    def run(self, session: AGISession) -> RunningScript:
        self.running += 1
        running = RunningScript(self.script, session, self.on_hangup)
        running.finished.addCallback(self._ended)
        return running

    def _ended(self, status: Status) -> Status:
        self.running -= 1
        return status


class _Pattern(NamedTuple):
    """The parts of a path, of which some are names in braces."""

    parts: tuple[str, ...]

    def match(self, path: tuple[str, ...]) -> dict[str, str] | None:
        """Return what the path has in place of the names, or None if it is another path."""
        if len(path) != len(self.parts):
            return None
        found = {}
        for wanted, part in zip(self.parts, path, strict=True):
            if _is_name(wanted):
                found[wanted[1:-1]] = part
            elif wanted != part:
                return None
        return found


class Routes:
    """
    The scripts that answer calls, by path; for every carrier alike.

    :param scripts: paths and their scripts, as for :meth:`add`.
    :param default: the script for every other path; without one such calls end with ``NOTFOUND``.
    :param clock: measures how often the log is told of such calls; the global reactor by default.
    :ivar complaints: tells the log of them.
    """

    def __init__(
        self,
        scripts: Mapping[str, Script] | None = None,
        *,
        default: Script | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        self.complaints = Seldom(clock)
        self._exact: dict[tuple[str, ...], _Route] = {}
        self._patterns: dict[_Pattern, _Route] = {}
        self._default = None if default is None else _Route(default, None, "raise")
        for path, script in (scripts or {}).items():
            self.add(path, script)

    def add(
        self,
        path: str,
        script: Script,
        *,
        limit: int | None = None,
        on_hangup: OnHangup = "raise",
    ) -> None:
        """
        Have ``script`` answer the calls for ``path``, in place of the one that did so far.

        :param path: such as ``/greet`` or ``/greet/{name}``, URL-encoded as in the dialplan; a
            slash more or less at its ends makes no difference. What a call has in place of the
            ``{name}`` is in ``session.parameters["name"]``. A path without names goes before one
            with names, and of these the one that was added first.
        :param script: an ``async def`` that is given the :class:`AGISession`.
        :param limit: how many calls it may answer at once; the one too many ends with ``BUSY``.
        :param on_hangup: what becomes of the script when the caller hangs up: what it awaits fails
            with :class:`HungUp` (``raise``) or with ``CancelledError`` (``cancel``), or goes on
            (``tell``), and only commands and ``when_hung_up()`` tell.
        :raises ValueError: for a path or a limit that makes no sense.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"{path}: a limit of {limit} calls; expected at least 1")
        parts = path_parts(path)
        route = _Route(script, limit, on_hangup)
        if any(map(_is_name, parts)):
            _refuse_repeated(path, parts)
            self._patterns[_Pattern(parts)] = route
        else:
            self._exact[parts] = route

    def answers(self, path: tuple[str, ...]) -> bool:
        """Whether there is a script for calls for a path, given as its parts."""
        return self._default is not None or self.names(path)

    def names(self, path: tuple[str, ...]) -> bool:
        """Whether there is a script for a path beside the default, given as its parts."""
        return path in self._exact or any(
            pattern.match(path) is not None for pattern in self._patterns
        )

    def answer(self, session: AGISession) -> RunningScript | Status:
        """
        Run the script for a call.

        :param session: the call.
        :return: the running script, or why there is none: ``NOTFOUND`` or ``BUSY``.
        """
        route = self._find(session)
        if route is None:
            self._complain(session, "{session}: no script for {path}")
            return Status.NOTFOUND
        if route.is_full:
            self._complain(session, "{session}: {path} answers {limit} calls already", route.limit)
            return Status.BUSY
        return route.run(session)

    def _complain(self, session: AGISession, what: str, limit: int | None = None) -> None:
        path = session.environment.path
        self.complaints.tell(_log.warn, what, about=path, session=session, path=path, limit=limit)

    def _find(self, session: AGISession) -> _Route | None:
        path = session.environment.path_parts
        route = self._exact.get(path)
        if route is not None:
            return route
        for pattern, route in self._patterns.items():
            parameters = pattern.match(path)
            if parameters is not None:
                session.parameters = parameters
                return route
        return self._default


class Routed:
    """
    What answers calls by routes.

    :ivar routes: the routes.
    """

    routes: Routes

    def route(
        self,
        path: str,
        script: Script,
        *,
        limit: int | None = None,
        on_hangup: OnHangup = "raise",
    ) -> None:
        """
        Have ``script`` answer the calls for ``path``; see :meth:`Routes.add`.

        :param path: such as ``/greet`` or ``/greet/{name}``.
        :param script: an ``async def`` that is given the :class:`AGISession`.
        :param limit: how many calls it may answer at once.
        :param on_hangup: what becomes of the script when the caller hangs up.
        """
        self.routes.add(path, script, limit=limit, on_hangup=on_hangup)


def _is_name(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")


def _refuse_repeated(path: str, parts: tuple[str, ...]) -> None:
    names = [part for part in parts if _is_name(part)]
    if len(set(names)) < len(names):
        raise ValueError(f"{path}: the same name comes twice")


_log = Logger()
