"""
What the played Asterisk says, taken from the transcripts of a real one.

Without ``ChanVariable`` headers and without events that hold a ``Response`` header: the first stop
pyst2 for good, the others py-asterisk takes for responses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["BLANK_LINE", "END", "GO", "GREETING", "LAST_EVENT", "answer", "channels", "stream"]

BLANK_LINE: Final = b"\r\n\r\n"
GREETING: Final = b"Asterisk Call Manager/11.0.0\r\n"
#: The action that starts the stream; its ``Count`` header says of how many events.
GO: Final = "UserEvent"
#: The rare event, which ends the stream and is nowhere else in it.
LAST_EVENT: Final = "FullyBooted"

_TRANSCRIPTS: Final = Path(__file__).parent.parent / "tests" / "transcripts" / "ami" / "22"
_CHUNK: Final = 128 * 1024


def _messages(transcript: str) -> list[bytes]:
    recorded = (_TRANSCRIPTS / f"{transcript}.server").read_bytes().partition(b"\n")[2]
    recorded = re.sub(rb"\r?\n", b"\r\n", recorded)
    lines = re.sub(rb"ChanVariable: .*\r\n", b"", recorded)
    return [message + BLANK_LINE for message in lines.split(BLANK_LINE) if message.strip()]


def _events_of_a_call() -> list[bytes]:
    return [
        message
        for message in _messages("originate")
        if message.startswith(b"Event: ")
        and b"\r\nResponse: " not in message
        and not message.startswith(f"Event: {LAST_EVENT}".encode())
    ]


def _first(transcript: str, event: str) -> bytes:
    beginning = f"Event: {event}\r\n".encode()
    return next(found for found in _messages(transcript) if found.startswith(beginning))


_CALL: Final = _events_of_a_call()
END: Final = _first("login-md5", LAST_EVENT)
_CHANNEL: Final = _first("channels", "CoreShowChannel")

_PONG: Final = (
    b"Response: Success\r\nActionID: %b\r\nPing: Pong\r\nTimestamp: 1795298023.269304\r\n\r\n"
)
_CHALLENGE: Final = b"Response: Success\r\nActionID: %b\r\nChallenge: 729905053\r\n\r\n"
_DONE: Final = b"Response: Success\r\nActionID: %b\r\nMessage: Authentication accepted\r\n\r\n"
_LIST: Final = (
    b"Response: Success\r\nActionID: %b\r\nEventList: start\r\n"
    b"Message: Channels will follow\r\n\r\n"
)
_COMPLETE: Final = (
    b"Event: CoreShowChannelsComplete\r\nActionID: %b\r\nEventList: Complete\r\n"
    b"ListItems: %d\r\n\r\n"
)
_ANSWERS: Final = {b"ping": _PONG, b"challenge": _CHALLENGE}


def answer(action: bytes, action_id: bytes) -> bytes:
    """Return the response to an action that has no list."""
    return _ANSWERS.get(action.lower(), _DONE) % action_id


def channels(action_id: bytes, count: int) -> bytes:
    """Return a list of so many channels."""
    item = re.sub(rb"ActionID: .*\r\n", b"ActionID: %b\r\n" % action_id, _CHANNEL)
    return b"".join((_LIST % action_id, item * count, _COMPLETE % (action_id, count)))


def stream(count: int) -> Iterator[bytes]:
    """Return the events of many calls, so many in all, and the last one, in chunks."""
    call = b"".join(_CALL)
    calls_at_once = max(1, _CHUNK // len(call))
    chunk = call * calls_at_once
    chunks, left = divmod(count, calls_at_once * len(_CALL))
    for _ in range(chunks):
        yield chunk
    calls, events = divmod(left, len(_CALL))
    yield call * calls + b"".join(_CALL[:events]) + END
