"""
Asterisk as the one whom AMI tells what to do: ``AGI(agi:async)``.

As in a real one, the environment and each answer go through a pipe, of which one reading of 1024
bytes is told at a time, percent-encoded and cut; the rest comes in front of the next answer.
Commands wait in a queue that belongs to the channel, and stay there when AsyncAGI ends.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ..errors import HungUp
from .agi_commands import Outcome, name_of, run, words
from .happenings import (
    AGICommandBegan,
    AGICommandEnded,
    AsyncAGIBegan,
    AsyncAGICommandAnswered,
    AsyncAGIEnded,
)
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["run_async_agi"]

#: How often Asterisk looks whether there is a command, in seconds.
POLL: Final = 0.1
#: The most bytes of one reading, and what of it fits when it is encoded.
READING: Final = 1024
ENCODED: Final = 2047
#: A pipe holds 64 KiB; Asterisk, which waits for itself to empty it, stops for ever.
PIPE: Final = 65_536

_BREAK: Final = "ASYNCAGI BREAK"


async def run_async_agi(channel: Channel, environment: bytes) -> str:
    """
    Do what AMI says.

    :return: the ``AGISTATUS``.
    """
    pipe = _Pipe()
    pipe.write(environment)
    channel.switchboard.tell(AsyncAGIBegan(channel, pipe.read()))
    status = await _obey(channel, pipe)
    channel.switchboard.tell(AsyncAGIEnded(channel))
    return status


class _Pipe:
    def __init__(self) -> None:
        self._content = b""

    def write(self, content: bytes) -> None:
        self._content += content
        if len(self._content) > PIPE:
            raise NotFaked(f"more than {PIPE} bytes over AsyncAGI, with which Asterisk stops")

    def read(self) -> str:
        """Take out one reading, and return it as it is told."""
        reading, self._content = self._content[:READING], self._content[READING:]
        told = ""
        for byte in reading:
            character = quote(bytes([byte]), safe="-_.!~*'()")
            if len(told) + len(character) > ENCODED:
                break
            told += character
        return told


async def _obey(channel: Channel, pipe: _Pipe) -> str:
    if channel.agi_queue is None:
        channel.agi_queue = deque()
    queue = channel.agi_queue
    while not channel.hung_up:
        if not queue:
            try:
                await channel.wait(POLL)
            except HungUp:
                break
            continue
        line, command_id = queue.popleft()
        outcome = await _do(channel, line)
        pipe.write(outcome.reply.encode("utf-8", "surrogateescape"))
        channel.switchboard.tell(AsyncAGICommandAnswered(channel, pipe.read(), command_id))
        if outcome.failed:
            return "FAILURE"
        if name_of(words(line)) == _BREAK:
            return "SUCCESS"
    return "HANGUP"


async def _do(channel: Channel, line: str) -> Outcome:
    number = random.randrange(2**31)
    channel.switchboard.tell(AGICommandBegan(channel, number, line))
    outcome = await run(channel, line)
    channel.switchboard.tell(AGICommandEnded(channel, number, line, outcome.code, outcome.result))
    return outcome
