"""
What AsyncAGI says, put together again.

There Asterisk writes the environment and each answer into a pipe, and takes them out again with
one reading for each, of 1024 bytes at most, which it sends percent-encoded and cut. What one
reading leaves in the pipe comes in front of the next answer. So what is longer is fetched by
commands that do nothing, whose answers are known and can be taken off.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from ..errors import RemoteProtocolError
from .messages import Command, Environment, Reply

__all__ = ["FETCH", "Readings", "environment_in", "reply_to"]

#: The command that fetches what is left, and what it adds to that.
FETCH: Final = Command("NOOP")
FETCHED: Final = b"200 result=0\n"

#: The most bytes that Asterisk takes out of the pipe at once (seen on 16.28 and 22.10).
READING: Final = 1024
#: The fewest characters to which Asterisk cuts a reading that is longer when it is encoded; up to
#: two more fit if they are none of those that need three (seen on 16.28 and 22.10).
CUT: Final = 2045
#: A pipe holds 64 KiB. More than that, and Asterisk waits for ever for itself to empty it.
MAX_READINGS: Final = 80

_TRYING: Final = b"100 "
_USAGE: Final = b"520-"
_STATUS_LINE: Final = re.compile(rb"^[0-9]{3}[ -]", re.MULTILINE)


class Readings:
    """What came of one answer, or of the environment, reading by reading."""

    def __init__(self) -> None:
        self._readings: list[bytes] = []
        self._lost = False

    def add(self, encoded: str) -> bool:
        """
        Take a reading, as it was sent.

        :return: whether there may be more, to be fetched with :data:`FETCH`.
        :raises RemoteProtocolError: if there is no end of it.
        """
        reading = unquote_to_bytes(encoded.encode("utf-8", "surrogateescape"))
        self._readings.append(reading)
        if len(self._readings) > MAX_READINGS:
            raise RemoteProtocolError(f"an answer over AsyncAGI of more than {MAX_READINGS} parts")
        if len(reading) == READING:
            return True
        lost = _was_cut(encoded, reading)
        self._lost = self._lost or lost
        return lost

    def joined(self) -> bytes:
        """
        Return all of it.

        :raises RemoteProtocolError: if some of it was lost.
        """
        whole = b"".join(self._readings)
        fetched = FETCHED * (len(self._readings) - 1)
        if self._lost:
            raise RemoteProtocolError(
                "Asterisk has cut what it says over AsyncAGI: some of the 1024 bytes that it reads"
                f" at once are lost when they have more than {CUT + 2} characters percent-encoded"
            )
        if not whole.endswith(fetched):
            raise RemoteProtocolError(f"not what NOOP answers over AsyncAGI: {whole[-40:]!r}")
        return whole.removesuffix(fetched)


def environment_in(block: bytes) -> Environment:
    """
    Read the environment.

    :raises RemoteProtocolError: if it is none, or not all of it.
    """
    if not block.startswith(b"agi_") or not block.endswith(b"\n\n"):
        raise RemoteProtocolError(f"no AGI environment: {block[:20]!r} ... {block[-20:]!r}")
    return Environment(block.removesuffix(b"\n\n").split(b"\n"))


def reply_to(command: Command, answer: bytes) -> Reply:
    """
    Read the reply to a command.

    What stands in front of it is left of something that another client has asked for; its lines
    may look like a reply, too, so then the last one that does counts.

    :raises RemoteProtocolError: if there is no reply.
    """
    starts = [found.start() for found in _STATUS_LINE.finditer(answer)]
    if not starts:
        raise RemoteProtocolError(f"no reply to {command.name} over AsyncAGI: {answer[:40]!r}")
    reply = answer[0 if starts[0] == 0 else starts[-1] :].removesuffix(b"\n")
    if reply.startswith(_TRYING):
        reply = reply.partition(b"\n")[2]
    first = reply.partition(b"\n")[0]
    has_more = reply.startswith(_USAGE) or (b" (" in first and command.value_may_span_lines)
    return Reply.parse(reply if has_more else first)


def _was_cut(encoded: str, reading: bytes) -> bool:
    if not reading.endswith(b"\n"):
        return True
    # It might have been cut just behind one of several lines.
    return len(encoded) >= CUT and reading.count(b"\n") > 1
