"""
What the verbs of a session fire with: small named values, each read from a reply.

All keys are told as the characters on them, and no key as None.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final, NamedTuple

from ..errors import CommandFailed, HungUp, RemoteProtocolError
from .asking import GONE
from .messages import Reply

__all__ = [
    "ChannelState",
    "Controlled",
    "Digits",
    "Played",
    "Recognized",
    "Recorded",
    "Utterance",
]

#: Asterisk adds it to the state of a channel that is muted.
_MUTE: Final = 1 << 16

#: A list of utterances of so many bytes has no room for more, and Asterisk has cut the last one.
_FULL_LIST: Final = 4095

_RECOGNIZED: Final = re.compile(
    r"\((\w+)\)(?: digit=(.))? endpos=(-?[0-9]+)(?: results=([0-9]+) ?(.*))?", re.DOTALL
)


class ChannelState(IntEnum):
    """What a channel is at, by Asterisk's names for it."""

    DOWN = 0
    RESERVED = 1
    OFFHOOK = 2
    DIALING = 3
    RING = 4
    RINGING = 5
    UP = 6
    BUSY = 7
    DIALING_OFFHOOK = 8
    PRERING = 9

    @classmethod
    def read(cls, reply: Reply) -> ChannelState:
        """Read the reply to ``CHANNEL STATUS``."""
        if reply.result == "-1":
            raise CommandFailed("CHANNEL STATUS", reply, "no such channel")
        try:
            return cls(reply.number & ~_MUTE)
        except ValueError:
            raise RemoteProtocolError(f"no state of a channel: {reply}") from None


class Played(NamedTuple):
    """
    How playing a sound ended.

    :ivar digit: the key that stopped it, or None if it came to its end or was stopped through AMI.
    :ivar endpos: how far it was played, in samples of the file.
    """

    digit: str | None
    endpos: int

    @classmethod
    def read(cls, reply: Reply) -> Played:
        """Read the reply to ``STREAM FILE`` or ``GET OPTION``."""
        return cls(reply.digit, _endpos(reply))


class Controlled(NamedTuple):
    """
    How playing a sound under the caller's control ended.

    :ivar digit: the key that stopped it, or None if it came to its end or was stopped through AMI.
    :ivar endpos: where it was then, in seconds, or None if it came to its end.
    """

    digit: str | None
    endpos: float | None

    @classmethod
    def read(cls, reply: Reply) -> Controlled:
        """Read the reply to ``CONTROL STREAM FILE``."""
        milliseconds = _endpos(reply)
        return cls(reply.digit, None if milliseconds < 0 else milliseconds / 1000)


class Digits(NamedTuple):
    """
    What the caller entered.

    :ivar digits: the keys, without the ``#`` that ended them; possibly none.
    :ivar timed_out: whether the time ran out before ``#`` or the last digit wanted.
    """

    digits: str
    timed_out: bool

    @classmethod
    def read(cls, reply: Reply) -> Digits:
        """Read the reply to ``GET DATA``."""
        return cls(reply.result, timed_out=reply.tail == "(timeout)")


class Recorded(NamedTuple):
    """
    How a recording ended.

    :ivar digit: the key that stopped it, or None if the time was up, or the caller was silent for
        so long as was asked for.
    :ivar endpos: how long the file is, in samples; 0 also if the key was pressed during the beep.
    """

    digit: str | None
    endpos: int

    @classmethod
    def read(cls, reply: Reply) -> Recorded:
        """Read the reply to ``RECORD FILE``."""
        # With "(timeout)" the number is no key, but the milliseconds that were left.
        timed_out = reply.tail.startswith("(timeout)")
        return cls(None if timed_out else reply.digit, _endpos(reply))


class Utterance(NamedTuple):
    """
    Something that the caller may have said.

    :ivar score: how sure the engine is; what the number means is its own affair.
    :ivar text: what it heard.
    :ivar grammar: the grammar that this belongs to.
    """

    score: int
    text: str
    grammar: str


class Recognized(NamedTuple):
    """
    What came of listening to the caller.

    :ivar utterances: what he may have said, in the order of the reply; none if he pressed a key, or
        if the time was up.
    :ivar digit: the key that he pressed instead, or None.
    :ivar endpos: how far the prompt was played, in samples of the file, as far as Asterisk knows.
    :ivar left_out: how many more there were, for which Asterisk's reply has no room.
    """

    utterances: tuple[Utterance, ...]
    digit: str | None
    endpos: int
    left_out: int = 0

    @classmethod
    def read(cls, reply: Reply) -> Recognized:
        """Read the reply to ``SPEECH RECOGNIZE``."""
        recognized = _RECOGNIZED.match(reply.tail)
        if reply.result != "1" or recognized is None:
            raise CommandFailed("SPEECH RECOGNIZE", reply, str(reply))
        how, digit, endpos, count, listed = recognized.groups()
        if how == "hangup":
            raise HungUp(GONE)
        utterances = tuple(_utterances(listed or ""))
        return cls(utterances, digit, int(endpos), int(count or 0) - len(utterances))


def _utterances(listed: str) -> list[Utterance]:
    """Take a list apart, in which texts are quoted, but nothing in them is protected."""
    utterances: list[Utterance] = []
    at = 0
    while found := _utterance(len(utterances)).match(listed, at):
        score, text, grammar = found.groups()
        utterances.append(Utterance(int(score), text, grammar))
        at = found.end()
    full = len(listed.encode("utf-8", "surrogateescape")) >= _FULL_LIST
    return utterances[:-1] if full and at == len(listed) else utterances


def _utterance(number: int) -> re.Pattern[str]:
    """Return the pattern of the utterance of that number, until the next one or the end."""
    pattern = rf'score{number}=(-?[0-9]+) text{number}="(.*?)" grammar{number}=(.*?)'
    return re.compile(rf"{pattern}(?: (?=score{number + 1}=)|$)", re.DOTALL)


def _endpos(reply: Reply) -> int:
    endpos = reply.endpos
    if endpos is None:
        raise RemoteProtocolError(f"no end position in the AGI reply: {reply}")
    return endpos


def nothing(_: Reply) -> None:
    """Read a reply that says only that it was done."""


def key(reply: Reply) -> str | None:
    """Read the reply to what a key stops."""
    return reply.digit


def value(reply: Reply) -> str | None:
    """Read the value of something that may not be there."""
    return None if reply.result == "0" else reply.text


def message(reply: Reply) -> str | None:
    """Read the text of the reply to ``RECEIVE TEXT``; None if there is none."""
    return None if reply.result == "-1" else reply.text


def first_byte(reply: Reply) -> str | None:
    """Read the reply to ``RECEIVE CHAR``; None if there is none, and empty for an empty message."""
    if reply.result == "-1":
        return None
    code = reply.number
    if not 0 <= code <= 255:
        raise RemoteProtocolError(f"no byte in the AGI reply: {reply}")
    return bytes([code]).decode("utf-8", "surrogateescape") if code else ""
