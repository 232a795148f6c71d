"""How to log in, over whatever carries the actions."""

from __future__ import annotations

from hashlib import md5
from typing import Final, Literal, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from ..errors import ActionFailed, LoginRefused, RemoteProtocolError
from .messages import Headers, Response

__all__ = ["LOGIN_TIMEOUT", "Authentication", "log_in"]

Authentication: TypeAlias = Literal["MD5", "plain"]

#: Asterisk answers a refused login after one second; a healthy server answers at once.
LOGIN_TIMEOUT: Final = 10.0

#: What Asterisk answers to every login that it refuses, whatever the reason.
_REFUSED: Final = "Authentication failed"


class Ask(Protocol):
    """The ``action`` of a connection."""

    def __call__(
        self, name: str, headers: Headers = (), *, timeout: float | None = None
    ) -> Deferred[Response]: ...


async def log_in(
    ask: Ask,
    username: str,
    secret: str,
    authentication: Authentication,
    events: str | None,
    timeout: float | None,
) -> Response:
    """
    Log in (AMI ``Challenge`` and ``Login``).

    :param ask: sends an action.
    :param timeout: the most seconds to wait for each answer.
    :raises LoginRefused: Asterisk does not accept these credentials.
    """
    credentials = {"Username": username, "Events": events}
    try:
        if authentication == "MD5":
            challenge = await ask("Challenge", {"AuthType": "MD5"}, timeout=timeout)
            credentials["AuthType"] = "MD5"
            credentials["Key"] = _key(challenge.get("Challenge"), secret)
        else:
            credentials["Secret"] = secret
        return await ask("Login", credentials, timeout=timeout)
    except ActionFailed as error:
        # Anything else, such as that Asterisk is shutting down, says nothing about us.
        if error.message != _REFUSED:
            raise
        raise LoginRefused(f"Asterisk refused the login of {username!r}: {error.message}")


def _key(challenge: str | None, secret: str) -> str:
    if challenge is None:
        raise RemoteProtocolError("the answer to Challenge holds none")
    both = f"{challenge}{secret}".encode("utf-8", "surrogateescape")
    return md5(both, usedforsecurity=False).hexdigest()
