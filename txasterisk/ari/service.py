"""An ARI link that stays: :class:`ARIService` connects, listens, and does so again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from .._staying import BackOff, StayingService
from .._subscriptions import Subscription
from ..errors import Disconnected, LoginRefused
from .application import Application, Serving
from .client import ARIClient
from .models import Event

__all__ = ["ARIService"]

#: Seconds for the clean-up of the scripts when the service stops.
CLEAN_UP_TIME: Final = 5.0

_log = Logger()


class ARIService(StayingService[ARIClient]):
    """
    Keep listening to an Asterisk, whatever happens to the link, and answer its calls.

    When the link breaks, the scripts of all calls are told with
    :class:`txasterisk.errors.Disconnected`. When the service stops, they are told with
    :class:`txasterisk.errors.HungUp` and given some time.

    :param client: the Asterisk.
    :param applications: the Stasis applications to answer the calls of.
    :param label: what the log calls this link.
    :param back_off: from the number of failed attempts so far to the seconds before the next one;
        with jitter and a ceiling of a minute by default.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param clean_up_time: seconds for the clean-up of the scripts when the service stops.
    """

    def __init__(
        self,
        client: ARIClient,
        applications: Iterable[Application],
        *,
        label: str = "ARI",
        back_off: BackOff | None = None,
        retry_refused: bool = False,
        clean_up_time: float = CLEAN_UP_TIME,
    ) -> None:
        super().__init__(label, back_off, retry_refused, client.clock)
        self.client = client
        self.applications = tuple(applications)
        self._clean_up_time = clean_up_time
        self._serving: list[Serving] = []
        self._replaced: Subscription[Event] | None = None

    def startService(self) -> None:
        """Begin to connect."""
        self._serving = [application.serve(self.client) for application in self.applications]
        self._replaced = self.client.on("ApplicationReplaced", self._taken_over)
        super().startService()

    async def _stop(self, staying: Deferred[None]) -> None:
        replaced = self._replaced
        await gatherResults([serving.stop(self._clean_up_time) for serving in self._serving])
        if replaced is not None:
            replaced.cancel()
        await super()._stop(staying)
        await self.client.close()

    def _connect(self) -> Deferred[ARIClient]:
        return Deferred.fromCoroutine(self._listen())

    async def _listen(self) -> ARIClient:
        try:
            await self.client.listen(*(application.name for application in self.applications))
        except LoginRefused as error:
            raise LoginRefused(f"the login at {self.client.url} was refused: {error}")
        return self.client

    def _when_disconnected(self, connection: ARIClient) -> Deferred[Disconnected]:
        return connection.when_disconnected()

    async def _leave(self, connection: ARIClient) -> None:
        await connection.close()

    def _greeting(self, connection: ARIClient) -> str:
        names = ", ".join(application.name for application in self.applications)
        return f"listening to {connection.url} for {names}"

    def _taken_over(self, event: Event) -> None:
        _log.warn(
            "{label}: another connection has taken over the application {application}; its calls"
            " do not come here any more",
            label=self.label,
            application=event.application,
        )
