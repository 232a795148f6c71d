"""The services that a configuration asks for."""

from __future__ import annotations

from twisted.application.service import IService
from twisted.logger import Logger

from ..agi import AsyncAGIService, FastAGIFactory, FastAGIService
from ..ami import AMIHTTPService, AMIService, Event
from ..ari import Application, ARIClient, ARIService
from .config import (
    AMISettings,
    AsyncAGISettings,
    Configuration,
    FastAGISettings,
    PBXSettings,
    StasisSettings,
)
from .program import PBX, ProgramService

__all__ = ["services"]


def services(configuration: Configuration) -> list[IService]:
    """Return the services of a configuration: its PBXs, their programs, and the listeners."""
    made: list[IService] = []
    for settings in configuration.pbxs:
        made += _pbx(settings, configuration)
    made += [_fastagi(settings) for settings in configuration.listeners]
    return made


def _pbx(settings: PBXSettings, configuration: Configuration) -> list[IService]:
    ami = _ami(settings)
    ari = _ari(settings, [a for a in configuration.applications if a.pbx == settings.name])
    made: list[IService] = [service for service in (ami, ari) if service is not None]
    for async_agi in configuration.async_agis:
        if ami is not None and async_agi.pbx == settings.name:
            # It starts and stops the AMI link, so that it can give calls back before that is gone.
            made[0] = _asyncagi(async_agi, ami)
    if settings.program is not None:
        made.append(ProgramService(settings.program, PBX(settings.name, ami, ari)))
    return made


def _ami(settings: PBXSettings) -> AMIService | AMIHTTPService | None:
    if settings.ami is None:
        return None
    service = _ami_service(settings.ami, f"{settings.name}.ami")
    if settings.ami.log:
        service.on(settings.ami.log, lambda event: _tell(service.label, event))
    return service


def _ami_service(settings: AMISettings, label: str) -> AMIService | AMIHTTPService:
    if isinstance(settings.endpoint, str):
        return AMIHTTPService(
            settings.endpoint,
            settings.username,
            settings.secret,
            events=settings.events,
            filters=settings.filters,
            label=label,
        )
    return AMIService(
        settings.endpoint,
        settings.username,
        settings.secret,
        events=settings.events,
        filters=settings.filters,
        links=settings.links,
        boot_timeout=settings.boot_timeout,
        label=label,
    )


def _tell(label: str, event: Event) -> None:
    said = ", ".join(f"{header}: {value}" for header, value in event.headers[1:])
    _log.info("{label}: {event}: {said}", label=label, event=event.name, said=said)


def _ari(settings: PBXSettings, applications: list[StasisSettings]) -> ARIService | None:
    if settings.ari is None:
        return None
    client = ARIClient(settings.ari.url, settings.ari.username, settings.ari.password)
    return ARIService(
        client,
        [_application(application) for application in applications],
        label=f"{settings.name}.ari",
    )


def _application(settings: StasisSettings) -> Application:
    application = Application(settings.name)
    application.call(settings.call)
    return application


def _fastagi(settings: FastAGISettings) -> FastAGIService:
    factory = FastAGIFactory(
        settings.routes,
        environment_timeout=settings.environment_timeout,
        sessions=settings.sessions,
    )
    return FastAGIService(
        settings.listen, factory, label=f"fastagi.{settings.name}", grace=settings.grace
    )


def _asyncagi(settings: AsyncAGISettings, ami: AMIService | AMIHTTPService) -> AsyncAGIService:
    return AsyncAGIService(
        ami, settings.routes, label=f"asyncagi.{settings.name}", grace=settings.grace
    )


_log = Logger()
