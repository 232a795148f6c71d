"""An ARI link that stays: :class:`ARIService` connects, listens, and does so again."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from .._at_work import GRACE
from .._staying import BackOff, StayingService
from .._subscriptions import Subscription
from ..errors import Disconnected, LoginRefused
from .application import Application, Serving
from .client import ARIClient
from .models import Event

__all__ = ["ARIService"]

_log = Logger()


class ARIService(StayingService[ARIClient]):
    """
    Keep listening to an Asterisk, whatever happens to the link, and answer its calls.

    When the link breaks, the scripts of all calls are told with
    :class:`txasterisk.errors.Disconnected`.

    :param client: the Asterisk.
    :param applications: the Stasis applications to answer the calls of.
    :param label: what the log calls this link.
    :param back_off: from the number of failed attempts so far to the seconds before the next one;
        with jitter and a ceiling of a minute by default.
    :param retry_refused: whether to go on trying with credentials that Asterisk refused.
    :param grace: how many seconds calls may go on undisturbed when the service is stopped; then
        what their scripts await is cancelled.
    """

    def __init__(
        self,
        client: ARIClient,
        applications: Iterable[Application],
        *,
        label: str = "ARI",
        back_off: BackOff | None = None,
        retry_refused: bool = False,
        grace: float = GRACE,
    ) -> None:
        super().__init__(label, back_off, retry_refused, client.clock)
        self.client = client
        self.applications = tuple(applications)
        self._grace = grace
        self._serving: list[Serving] = []
        self._replaced: Subscription[Event] | None = None

    async def _stop(self, staying: Deferred[None]) -> None:
        await gatherResults([serving.stop(self._grace) for serving in self._serving])
        self._serving.clear()
        if self._replaced is not None:
            self._replaced.cancel()
        await super()._stop(staying)
        await self.client.close()

    def _connect(self) -> Deferred[ARIClient]:
        return Deferred.fromCoroutine(self._listen())

    async def _listen(self) -> ARIClient:
        if not self._serving:
            self._serve()
        try:
            await self.client.listen(*(application.name for application in self.applications))
        except LoginRefused as error:
            raise LoginRefused(f"the login at {self.client.url} was refused: {error}")
        return self.client

    def _serve(self) -> None:
        self._serving += [application.serve(self.client) for application in self.applications]
        self._replaced = self.client.on("ApplicationReplaced", self._taken_over)

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
