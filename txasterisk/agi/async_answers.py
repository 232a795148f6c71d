"""
What AsyncAGI says, put together again.

There Asterisk writes the environment and each answer into a pipe, and takes them out again with
one reading for each, of 1024 bytes at most, which it sends percent-encoded and cut. What one
reading leaves in the pipe comes in front of the next answer. So what is longer is fetched by
commands that do nothing, whose answers are known and can be taken off. What was cut is lost, but
the value of a variable can be asked for again in base64, of which nothing is cut.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final
from urllib.parse import unquote_to_bytes

from ..errors import RemoteProtocolError
from .messages import Command, Environment, Reply

__all__ = ["FETCH", "Readings", "environment_in", "from_base64", "in_base64", "reply_to"]

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
#: So many readings fit into a pipe in base64, too.
MAX_READINGS_IN_BASE64: Final = 47
#: Leaves room in a line of AMI for what puts an expression into base64.
MAX_EXPRESSION: Final = 900

#: Put behind a value, to see that it is whole: Asterisk 16 loses the last byte or two of most
#: texts when it puts them into base64.
_END_OF_VALUE: Final = b"."
_MAY_BE_LOST: Final = b"~~"
_TRYING: Final = b"100 "
_USAGE: Final = b"520-"
#: Variables and parts of them; not functions, which may do something when they are read.
_VARIABLES: Final = re.compile(r"(?:[^$(){}\"\\]|\$\{\w+(?::-?[0-9]+){0,2}\})+")
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

    @property
    def lost_but_short(self) -> bool:
        """Whether some of it was lost, which may be asked for again in base64."""
        return self._lost and len(self._readings) <= MAX_READINGS_IN_BASE64

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


def in_base64(command: Command) -> Command | None:
    """Return what asks for the same value in base64; None if there is nothing that surely does."""
    name, *arguments = command.name.upper(), *map(str, command.arguments)
    if name == "GET VARIABLE":
        arguments = [f"${{{argument}}}" for argument in arguments]
    elif name != "GET FULL VARIABLE":
        return None
    expression, *channel = arguments or [""]
    if len(expression) > MAX_EXPRESSION or not _VARIABLES.fullmatch(expression):
        return None
    end = (_END_OF_VALUE + _MAY_BE_LOST).decode()
    return Command("GET FULL VARIABLE", f"${{BASE64_ENCODE({expression}{end})}}", *channel)


def from_base64(reply: Reply) -> Reply:
    """
    Return the reply with its value as it is.

    :raises RemoteProtocolError: if there is none in base64, as without Asterisk's ``func_base64``.
    """
    try:
        value = b64decode(reply.text or "", validate=True).rstrip(_MAY_BE_LOST)
    except ValueError:
        value = b""
    if not value.endswith(_END_OF_VALUE):
        raise RemoteProtocolError(f"no value in base64 over AsyncAGI: {reply}")
    text = value.removesuffix(_END_OF_VALUE).decode("utf-8", "surrogateescape")
    return reply._replace(tail=f"({text})")


def _was_cut(encoded: str, reading: bytes) -> bool:
    if not reading.endswith(b"\n"):
        return True
    # It might have been cut just behind one of several lines.
    return len(encoded) >= CUT and reading.count(b"\n") > 1
