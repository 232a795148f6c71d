"""What the verbs of a session fire with: small named values."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "ChannelState",
    "Controlled",
    "Digits",
    "Played",
    "Recognized",
    "Recorded",
    "Utterance",
]


class ChannelState(IntEnum):
    """What a channel is at."""

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


class Played(NamedTuple):
    """
    How playing a sound ended.

    :ivar digit: the key that stopped it, or None if it came to its end or was stopped through AMI.
    :ivar endpos: how far it was played, in samples of the file.
    """

    digit: str | None
    endpos: int


class Controlled(NamedTuple):
    """
    How playing a sound under the caller's control ended.

    :ivar digit: the key that stopped it, or None if it came to its end or was stopped through AMI.
    :ivar endpos: how far it was played, in seconds, or None if it came to its end.
    """

    digit: str | None
    endpos: float | None


class Digits(NamedTuple):
    """
    What the caller entered.

    :ivar digits: the keys, without the ``#`` that ended them; possibly none.
    :ivar timed_out: whether the time ran out before ``#`` or the last digit wanted.
    """

    digits: str
    timed_out: bool


class Recorded(NamedTuple):
    """
    How a recording ended.

    :ivar digit: the key that stopped it, or None if the time was up, or nothing to be heard.
    :ivar endpos: how long the file is, in samples.
    """

    digit: str | None
    endpos: int


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

    :ivar utterances: what he may have said, as the engine orders it; none if he pressed a key, or
        if nothing was recognized in time.
    :ivar digit: the key that he pressed instead, or None.
    :ivar endpos: how far the prompt was played, in samples of the file.
    """

    utterances: tuple[Utterance, ...]
    digit: str | None
    endpos: int
