"""
What ``twistd asterisk`` is to run, read from one TOML file.

Reading never stops at the first mistake: each is one line that names the file, the key and what
was expected, and all of them come together in one :class:`ConfigurationError`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

from .._at_work import GRACE
from ..agi.protocol import ENVIRONMENT_TIMEOUT
from ..agi.routes import Routes
from ..errors import ConfigurationError
from .sections import Script, Secret, Section, open_section

__all__ = [
    "AMISettings",
    "ARISettings",
    "AsyncAGISettings",
    "Configuration",
    "FastAGISettings",
    "PBXSettings",
    "StasisSettings",
    "read_configuration",
]

#: Words in an event mask that stand for the events of AsyncAGI, or for all.
_WITH_AGI: Final = frozenset({"agi", "all", "on", "t", "true", "y", "yes"})
_CALLS: Final = "a number of calls, at least 1"


@dataclass(frozen=True)
class AMISettings:
    """
    How to reach a PBX over AMI.

    A URL stands for AMI over HTTP. ``log`` names the events that go to the log; the others are
    those of :class:`AMIService`.
    """

    endpoint: IStreamClientEndpoint | str
    username: str
    secret: Secret
    events: str | None = None
    filters: tuple[str, ...] = ()
    links: Literal[1, 2] = 1
    boot_timeout: float | None = None
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class ARISettings:
    """How to reach a PBX over ARI."""

    url: str
    username: str
    password: Secret


@dataclass(frozen=True)
class PBXSettings:
    """One Asterisk; ``program`` runs as long as the daemon and may use both its links."""

    name: str
    ami: AMISettings | None
    ari: ARISettings | None
    program: Script | None


@dataclass(frozen=True)
class FastAGISettings:
    """One FastAGI listener and its scripts; see :class:`FastAGIFactory` for its limits."""

    name: str
    listen: IStreamServerEndpoint
    routes: Routes
    environment_timeout: float = ENVIRONMENT_TIMEOUT
    sessions: int | None = None
    grace: float = GRACE


@dataclass(frozen=True)
class AsyncAGISettings:
    """The scripts for the calls that a PBX tells of over AMI."""

    name: str
    pbx: str
    routes: Routes
    grace: float = GRACE


@dataclass(frozen=True)
class StasisSettings:
    """One Stasis application: its name, the PBX that has it, and what to do with a call."""

    name: str
    pbx: str
    call: Script


@dataclass(frozen=True)
class Configuration:
    """Everything that the file says."""

    pbxs: tuple[PBXSettings, ...]
    listeners: tuple[FastAGISettings, ...]
    applications: tuple[StasisSettings, ...]
    async_agis: tuple[AsyncAGISettings, ...] = ()


def read_configuration(path: Path, reactor: object) -> Configuration:
    """
    Read the file, and import the scripts that it names.

    :param path: the TOML file. Its folder is where scripts and files of secrets are looked for.
    :param reactor: makes the endpoints.
    :raises ConfigurationError: with a line for each mistake.
    """
    _import_from(path.resolve().parent)
    mistakes: list[str] = []
    top = open_section(path, reactor, mistakes)
    configuration = Configuration(
        pbxs=tuple(_pbx(name, section) for name, section in top.sections("pbx")),
        listeners=tuple(_fastagi(name, section) for name, section in top.sections("fastagi")),
        applications=tuple(_stasis(name, section) for name, section in top.sections("stasis")),
        async_agis=tuple(_asyncagi(name, section) for name, section in top.sections("asyncagi")),
    )
    top.refuse_others()
    _check_references(configuration, mistakes)
    if not mistakes and not (configuration.pbxs or configuration.listeners):
        mistakes.append("nothing to run: expected a section [pbx.NAME] or [fastagi.NAME]")
    if mistakes:
        raise ConfigurationError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return configuration


def _import_from(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _pbx(name: str, section: Section) -> PBXSettings:
    ami = section.section("ami")
    ari = section.section("ari")
    if not ami and not ari:
        section.complain("", f"expected [pbx.{name}.ami], [pbx.{name}.ari] or both")
    settings = PBXSettings(
        name=name,
        ami=_ami(ami) if ami else None,
        ari=_ari(ari) if ari else None,
        program=section.script("program") if "program" in section else None,
    )
    section.refuse_others()
    return settings


def _ami(section: Section) -> AMISettings:
    if "url" in section:
        for key in ("endpoint", "links", "boot_timeout"):
            section.refuse(key, "AMI over HTTP, which url stands for, does not have this")
    settings = AMISettings(
        endpoint=(
            section.url("url", "http://127.0.0.1:8088")
            if "url" in section
            else section.client_endpoint("endpoint")
        ),
        username=section.text("username", "the name of a user in manager.conf"),
        secret=section.secret("secret"),
        events=section.event_mask("events"),
        filters=section.texts("filters", 'filters, such as ["!Event: RTCP"]'),
        links=2 if section.choice("links", (1, 2)) == 2 else 1,
        boot_timeout=section.seconds("boot_timeout"),
        log=section.texts("log", 'names of events, such as ["Newchannel", "Hangup"]'),
    )
    section.refuse_others()
    return settings


def _ari(section: Section) -> ARISettings:
    settings = ARISettings(
        url=section.url("url", "http://127.0.0.1:8088/ari"),
        username=section.text("username", "the name of a user in ari.conf"),
        password=section.secret("password"),
    )
    section.refuse_others()
    return settings


def _fastagi(name: str, section: Section) -> FastAGISettings:
    settings = FastAGISettings(
        name=name,
        routes=_routes(section),
        listen=section.server_endpoint("listen"),
        environment_timeout=section.seconds("environment_timeout") or ENVIRONMENT_TIMEOUT,
        sessions=section.count("sessions", _CALLS),
        grace=section.seconds("grace") or GRACE,
    )
    section.refuse_others()
    return settings


def _asyncagi(name: str, section: Section) -> AsyncAGISettings:
    settings = AsyncAGISettings(
        name=name,
        pbx=section.text("pbx", "the NAME of a section [pbx.NAME]"),
        routes=_routes(section),
        grace=section.seconds("grace") or GRACE,
    )
    section.refuse_others()
    return settings


def _routes(section: Section) -> Routes:
    routes = Routes(default=section.script("default") if "default" in section else None)
    by_path = section.section("routes")
    if by_path is not None:
        for path in by_path:
            _add_route(routes, path, by_path)
    elif not ("routes" in section or "default" in section):
        section.complain("routes", 'missing; expected { "/path" = "module:function", … }')
    return routes


def _add_route(routes: Routes, path: str, by_path: Section) -> None:
    route = by_path.section(path) if by_path.holds_table(path) else None
    try:
        if route is None:
            routes.add(path, by_path.script(path))
        else:
            routes.add(
                path,
                route.script("script"),
                limit=route.count("limit", _CALLS),
                on_hangup=route.word("on_hangup", ("raise", "cancel", "tell")),
            )
            route.refuse_others()
    except ValueError as error:
        by_path.complain(path, str(error).removeprefix(f"{path}: "))


def _stasis(name: str, section: Section) -> StasisSettings:
    settings = StasisSettings(
        name=name,
        pbx=section.text("pbx", "the NAME of a section [pbx.NAME]"),
        call=section.script("call"),
    )
    section.refuse_others()
    return settings


def _check_references(configuration: Configuration, mistakes: list[str]) -> None:
    with_ari = {pbx.name for pbx in configuration.pbxs if pbx.ari is not None}
    in_use = {application.pbx for application in configuration.applications}
    for application in configuration.applications:
        if application.pbx and application.pbx not in with_ari:
            mistakes.append(
                f"stasis.{application.name}.pbx: there is no [pbx.{application.pbx}.ari]"
            )
    _check_async_agis(configuration, mistakes)
    for name in sorted(with_ari - in_use):
        # ARI tells events to applications only, so without one there is nothing to connect for.
        mistakes.append(f"pbx.{name}.ari: no [stasis.NAME] uses it")


def _check_async_agis(configuration: Configuration, mistakes: list[str]) -> None:
    amis = {pbx.name: pbx.ami for pbx in configuration.pbxs if pbx.ami is not None}
    answered: dict[str, str] = {}
    for settings in configuration.async_agis:
        name, pbx = settings.name, settings.pbx
        place = f"asyncagi.{name}.pbx"
        if not pbx:
            continue
        if pbx not in amis:
            mistakes.append(f"{place}: there is no [pbx.{pbx}.ami]")
        elif not _tells_of_agi(amis[pbx].events):
            mistakes.append(f'{place}: pbx.{pbx}.ami.events leaves out "agi"')
        if pbx in answered:
            mistakes.append(f"{place}: [asyncagi.{answered[pbx]}] answers the calls of {pbx}")
        answered.setdefault(pbx, name)


def _tells_of_agi(events: str | None) -> bool:
    # A number stands for classes, too, or for all.
    words = (events or "all").casefold().split(",")
    return words[0].isdecimal() or not _WITH_AGI.isdisjoint(words)
