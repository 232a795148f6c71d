"""A telephone that calls an extension, as endpoint ``watcher``, and takes its own call over."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol

from tests.live.fixture import LOOPBACK

__all__ = ["Dialog", "Telephone"]


class Dialog(NamedTuple):
    """A call, by what its two ends have called it."""

    call_id: str
    own_tag: str
    other_tag: str


class Telephone(DatagramProtocol):
    """
    Calls, and hears nothing.

    :param port: where Asterisk listens for SIP.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._calling: dict[str, Deferred[str]] = {}

    async def call(self, extension: str, *, instead_of: Dialog | None = None) -> Dialog:
        """
        Call an extension.

        :param extension: whom.
        :param instead_of: a call that this one takes the place of.
        :return: the call, when it is answered.
        """
        call_id, tag = uuid4().hex, uuid4().hex
        extra = []
        if instead_of is not None:
            tags = f"to-tag={instead_of.other_tag};from-tag={instead_of.own_tag}"
            extra = [f"Replaces: {instead_of.call_id};{tags}", "Require: replaces"]
        answered = self._calling[call_id] = Deferred()
        target = f"sip:{extension}@{LOOPBACK}:{self._port}"
        call = [f"Call-ID: {call_id}", f"From: <sip:watcher@{LOOPBACK}>;tag={tag}", *extra]
        self._send("INVITE", target, f"To: <{target}>", *call, body=_SOUND)
        to = await answered
        self._send("ACK", target, f"To: {to}", *call)
        return Dialog(call_id, tag, to.partition("tag=")[2])

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Take an answer to a call, or the end of one."""
        first, *lines = datagram.decode().partition("\r\n\r\n")[0].split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        if not first.startswith("SIP/2.0"):
            repeated = [f"{name}: {headers[name]}" for name in ("Via", "From", "To", "Call-ID")]
            self._write("SIP/2.0 200 OK", *repeated, f"CSeq: {headers['CSeq']}")
        elif first.startswith("SIP/2.0 200") and headers["Call-ID"] in self._calling:
            self._calling.pop(headers["Call-ID"]).callback(headers["To"])

    def _send(self, method: str, target: str, *lines: str, body: str = "") -> None:
        assert self.transport is not None
        here = f"{LOOPBACK}:{self.transport.getHost().port}"
        self._write(
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{uuid4().hex}",
            "Max-Forwards: 70",
            f"CSeq: 1 {method}",
            f"Contact: <sip:watcher@{here}>",
            *lines,
            body=body,
        )

    def _write(self, *lines: str, body: str = "") -> None:
        assert self.transport is not None
        length = [f"Content-Length: {len(body)}", "Content-Type: application/sdp"]
        message = "\r\n".join([*lines, *length, "", body])
        self.transport.write(message.encode(), (LOOPBACK, self._port))


#: Sound that goes where nobody listens.
_SOUND = f"""\
v=0\r
o=- 1 1 IN IP4 {LOOPBACK}\r
s=-\r
c=IN IP4 {LOOPBACK}\r
t=0 0\r
m=audio 9 RTP/AVP 0\r
"""
