"""The web server of a PBX in memory: what is asked is looked at, what it says is in the test."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.iweb import IAgent, IResponse
from zope.interface import implementer

from tests.ari.asterisk import Answer

URL = "http://pbx.test:8088"

DIGEST = 'Digest algorithm=MD5, realm="asterisk", nonce="{}", qop="auth", opaque="x"'


class Asked:
    """
    One request, and the way to answer it.

    :ivar uri: what was asked.
    :ivar form: the body, as it was sent.
    :ivar given_up: whether the client waits no more.
    """

    def __init__(self, method: bytes, uri: bytes, headers: Any, body: bytes) -> None:
        self.method = method.decode()
        self.uri = uri.decode()
        self.headers = headers
        self.form = body
        self.given_up = False
        self.answered: Deferred[IResponse] = Deferred(self._give_up)

    def _give_up(self, _: object) -> None:
        self.given_up = True

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What the form says."""
        return parse_qsl(self.form.decode("ascii"), True, errors="surrogateescape")

    def __getitem__(self, name: str) -> str:
        return dict(self.parameters)[name]

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        value: str | None
        [value] = self.headers.getRawHeaders(name, [None])
        return value

    def send(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        """Answer anything."""
        answer = Answer(status, body, content_type)
        for name, value in headers.items():
            answer.headers.addRawHeader(name.replace("_", "-"), value)
        self.answered.callback(answer)

    def say(self, *messages: str, cookie: str = "18c07d62", lasts: int = 60) -> None:
        """Answer messages, each of lines between semicolons, in a session with a cookie."""
        body = "".join("".join(f"{line}\r\n" for line in m.split("; ")) + "\r\n" for m in messages)
        self.send(
            200,
            body.encode("utf-8", "surrogateescape"),
            "text/plain",
            Set_Cookie=f'mansession_id="{cookie}"; Version=1; Max-Age={lasts}',
        )

    def answer(self, *headers: str, **session: Any) -> None:
        """Answer with success and these headers."""
        self.say("; ".join(["Response: Success", f"ActionID: {self['ActionID']}", *headers]))

    def refuse(self, message: str, **session: Any) -> None:
        """Answer with an error."""
        headers = f"Response: Error; ActionID: {self['ActionID']}; Message: {message}"
        self.say(headers, **session)

    def tell(self, *events: str, **session: Any) -> None:
        """Answer a WaitEvent."""
        action_id = f"ActionID: {self['ActionID']}"
        self.say(
            f"Response: Success; {action_id}; Message: Waiting for Event completed.",
            *(f"Event: {event}; Privilege: call,all" for event in events),
            f"Event: WaitEventComplete; {action_id}",
            **session,
        )

    def challenge(self, nonce: str, more: str = "") -> None:
        """Want a proof."""
        challenge = DIGEST.format(nonce) + more
        self.send(401, b"<html>", "text/html", WWW_Authenticate=challenge)

    def fail(self, reason: Exception) -> None:
        """Lose the connection."""
        self.answered.errback(Failure(reason))


@implementer(IAgent)
class WebPBX:
    """
    Takes requests.

    :ivar asked: those that were not looked at yet.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def request(
        self, method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None
    ) -> Deferred[IResponse]:
        """Take a request."""
        consumer = StringTransport()
        bodyProducer.startProducing(consumer)
        asked = Asked(method, uri, headers, consumer.value())
        self.asked.append(asked)
        return asked.answered

    def hear(self, name: str) -> Asked:
        """Return the one request that came since the last time."""
        [asked] = self.asked
        self.asked.clear()
        assert asked["Action"] == name, f"asked for {asked['Action']}, not {name}"
        return asked

    def finish_login(self, *settings: str, events: str = "On") -> None:
        """Answer what comes when the credentials are accepted."""
        self.hear("Events").answer(f"Events: {events}")
        self.hear("CoreSettings").answer("AMIversion: 11.0.0", *settings)

    def accept_login(self, events: str = "On") -> None:
        """Let a client log in with the plain secret."""
        self.hear("Login").answer("Message: Authentication accepted")
        self.finish_login(events=events)
