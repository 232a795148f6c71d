"""
Reading AGI from a stream of bytes: the environment, and then replies and what stands between them.

A reply is not simply a line: usage texts and the values of variables span several, and
``HANGUP`` or a left-over line may stand between them. :class:`ReplyReader` sorts that out, so that
no reply is ever taken for another command's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from secrets import token_hex
from typing import Final, NamedTuple, TypeAlias

from .._lines import Splitter
from ..errors import RemoteProtocolError
from .messages import Command, Environment, Reply

__all__ = ["EnvironmentReader", "Fence", "Happening", "Notice", "ReplyReader", "Stray"]

#: A FastAGI block has 22 variables and at most 127 arguments; the rest is room for lines that a
#: line end inside a value has added.
MAX_ENVIRONMENT_LINES: Final = 256
#: The arguments of the dialplan's ``AGI()`` share 8 kB, and a block repeats one of them at most;
#: names and numbers of the caller need some hundred bytes each.
MAX_ENVIRONMENT_BYTES: Final = 65_536
#: Values of variables have no limit of Asterisk's own; a megabyte is far more than one fetches.
MAX_REPLY_BYTES: Final = 1_048_576
#: Between two replies lines that answer nothing come from line ends inside the block's values, of
#: which the dialplan has a few at most, and from usage texts of some ten lines; ``HANGUP`` comes
#: three times in a session, and ``100`` once in a reply.
MAX_STRAY_LINES: Final = 256

#: Asterisk writes a reply at once, and one of so many bytes comes in one piece over any network.
ONE_PIECE: Final = 1024

_FIRST_BYTES: Final = b"agi_"
_HANGUP: Final = b"HANGUP"
_ONE: Final = b"200 result=1"
_ONE_LINE: Final = _ONE + b"\n"
#: A reply that is surely over. A parenthesis that is open may be that of a value with line ends.
_WHOLE: Final = re.compile(r"200 result=([^ \n]*)(?: ((?!\()[^\n]*|\([^\n]*\)))?\n")
_REPLY_START: Final = re.compile(b"[0-9]{3}[ -]")


class Notice(Enum):
    """What Asterisk says without being asked."""

    HANGUP = "HANGUP"


class Stray(NamedTuple):
    """Lines that answer no command; they go to nobody."""

    lines: tuple[bytes, ...]


class Fence:
    """
    A command whose reply nobody can forge, so that all that comes before it was sent before it.

    It does nothing, and is allowed after the hangup, too.
    """

    def __init__(self) -> None:
        token = f"txasterisk-{token_hex(8)}"
        self.line = Command("GET FULL VARIABLE", token).serialize()
        self.reply = f"200 result=1 ({token})".encode()


Happening: TypeAlias = Reply | Notice | Stray | Fence


class EnvironmentReader:
    """
    Collect the environment block.

    :ivar rest: the bytes that came after the block.
    """

    def __init__(self) -> None:
        self.rest = b""
        self._block = bytearray()

    def feed(self, data: bytes) -> Environment | None:
        """
        Take some bytes and return the environment once its empty line has come.

        :raises RemoteProtocolError: if they are not AGI, or more than a limit.
        """
        block = self._block
        searched = max(0, len(block) - 1)
        block += data
        # Another protocol is recognised at once: most have no line that would ever end.
        if not block.startswith(_FIRST_BYTES[: len(block)]):
            raise RemoteProtocolError(f"not AGI, which begins with 'agi_': {bytes(block[:40])!r}")
        end = block.find(b"\n\n", searched)
        size = len(block) if end < 0 else end
        if size > MAX_ENVIRONMENT_BYTES or block.count(b"\n", 0, size) >= MAX_ENVIRONMENT_LINES:
            raise RemoteProtocolError(
                f"an AGI environment of more than {MAX_ENVIRONMENT_LINES} lines"
                f" or {MAX_ENVIRONMENT_BYTES} bytes"
            )
        if end < 0:
            return None
        self.rest = bytes(block[end + 2 :])
        self._block = bytearray()
        return Environment(bytes(block[:end]).split(b"\n"))


class ReplyReader:
    """
    Make replies and notices of what Asterisk sends after the environment.

    A command is put into :attr:`expected` when it is written, and the next only after its reply.
    So whatever comes together with a reply was sent before the next command was there: it
    is the rest of the same reply, a notice, or a stray, but never another reply.

    Where the rest may come later, a :class:`Fence` is among the happenings. It has to be written
    then, and the reply comes when all of it is known to be there. These are long values, which
    may hold lines that look like the end of a reply, and like another; and an application
    that returns 1, to which Asterisk adds the usage of ``EXEC``.

    :ivar expected: the command whose reply is to come, or None.
    """

    def __init__(self) -> None:
        self._splitter = Splitter(b"\n", MAX_REPLY_BYTES, "an AGI reply")
        self.expected: Command | None = None
        # Nothing that was fed waits for more.
        self._plain = True
        self._fence: Fence | None = None
        self._unfinished: list[bytes] = []
        self._unfinished_bytes = 0
        self._stray_lines = 0

    def put_up_fence(self) -> Fence:
        """Take everything for strays that comes before the reply to the fence."""
        self._fence = Fence()
        self._plain = False
        return self._fence

    def whole(self, data: bytes) -> Reply | None:
        """
        Take the reply that some bytes are, as usual: all of it, and nothing else.

        :return: the reply; None if they have to be fed.
        """
        if self.expected is None or not self._plain or len(data) > ONE_PIECE:
            return None
        match = _WHOLE.fullmatch(data.decode("utf-8", "surrogateescape"))
        if match is None or (data == _ONE_LINE and self.expected.name.upper() == "EXEC"):
            return None
        self.expected = None
        self._stray_lines = 0
        return Reply(200, match[1], match[2] or "")

    def feed(self, data: bytes) -> list[Happening]:
        """
        Take some bytes and return what they complete, in order.

        :raises RemoteProtocolError: if they are more than a limit.
        """
        lines = list(self._splitter.feed(data))
        happenings: list[Happening] = []
        while lines:
            lines = self._read(lines, happenings)
        settled = not self._unfinished and self._fence is None
        self._plain = settled and self._splitter.is_between
        return happenings

    def _read(self, lines: list[bytes], happenings: list[Happening]) -> list[bytes]:
        """Add what the first lines are, and return the others."""
        if self._fence is not None:
            return self._read_to_fence(self._fence, lines, happenings)
        if self._unfinished or (self.expected is not None and _REPLY_START.match(lines[0])):
            return self._read_reply(lines, happenings)
        others = (at for at, line in enumerate(lines) if at and self._begins_reply(line))
        end = next(others, len(lines))
        happenings += self._unasked(lines[:end])
        return lines[end:]

    def _begins_reply(self, line: bytes) -> bool:
        return self.expected is not None and _REPLY_START.match(line) is not None

    def _unasked(self, lines: list[bytes]) -> Iterator[Happening]:
        """Tell notices from strays."""
        notices = lines.count(_HANGUP)
        self._count(notices)
        yield from (Notice.HANGUP for _ in range(notices))
        yield from self._strays([line for line in lines if line != _HANGUP])

    def _strays(self, lines: list[bytes]) -> Iterator[Happening]:
        if lines:
            self._count(len(lines))
            yield Stray(tuple(lines))

    def _count(self, lines: int) -> None:
        """Take note of lines that answer nothing, and refuse those past the limit."""
        self._stray_lines += lines
        if self._stray_lines > MAX_STRAY_LINES:
            raise RemoteProtocolError(
                f"more than {MAX_STRAY_LINES} lines that answer no AGI command"
            )

    def _read_reply(self, lines: list[bytes], happenings: list[Happening]) -> list[bytes]:
        """Add the reply if it is complete now, and return the lines after it."""
        first = self._unfinished[0] if self._unfinished else lines[0]
        if first.startswith(b"100 "):
            return self._after_trying(lines)
        end = self._end_of_reply(first, lines)
        if end is None:
            self._keep(lines)
            return []
        reply = self._taken(lines[:end])
        if self._may_go_on(reply):
            self._keep([*reply, *lines[end:]])
            happenings.append(self.put_up_fence())
            return []
        happenings.append(self._finished(reply))
        return lines[end:]

    def _after_trying(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines after those that only say that the reply will come."""
        others = (at for at, line in enumerate(lines) if not line.startswith(b"100 "))
        end = next(others, len(lines))
        self._count(end)
        return lines[end:]

    def _read_to_fence(
        self, fence: Fence, lines: list[bytes], happenings: list[Happening]
    ) -> list[bytes]:
        """Add the reply that the fence was put up for, or the fence's own if there is none."""
        if fence.reply not in lines:
            self._keep(lines)
            return []
        end = lines.index(fence.reply)
        before, self._fence = self._taken(lines[:end]), None
        if self.expected is None:
            # Not even a hangup is believed here; the next command will tell.
            happenings += [*self._strays(before), Reply.parse(fence.reply)]
        else:
            rest = self._end_of_reply(before[0], before)
            happenings += [self._finished(before[:rest]), *self._unasked(before[rest:])]
        return lines[end + 1 :]

    def _may_go_on(self, reply: list[bytes]) -> bool:
        """Tell whether more of what looks like a whole reply may come later."""
        command = self.expected
        if command is None:
            return False
        if command.value_may_span_lines:
            return sum(map(len, reply)) + len(reply) > ONE_PIECE
        return reply == [_ONE] and command.name.upper() == "EXEC"

    def _finished(self, lines: list[bytes]) -> Reply:
        self.expected = None
        self._stray_lines = 0
        return Reply.parse(b"\n".join(lines))

    def _end_of_reply(self, first: bytes, lines: list[bytes]) -> int | None:
        """Return the place after the line that ends the reply that begins with ``first``."""
        places = range(len(lines))
        if first.startswith(b"520-"):
            ends = (end for end in places if lines[end].startswith(b"520 "))
        elif b" (" in first and self.expected and self.expected.value_may_span_lines:
            # A line in the value may end like the reply does, so the last such line counts.
            ends = (end for end in reversed(places) if lines[end].endswith(b")"))
        else:
            return 1
        end = next(ends, None)
        return None if end is None else end + 1

    def _taken(self, lines: list[bytes]) -> list[bytes]:
        """Return these lines after those that were kept."""
        self._keep(lines)
        kept, self._unfinished = self._unfinished, []
        self._unfinished_bytes = 0
        return kept

    def _keep(self, lines: list[bytes]) -> None:
        self._unfinished += lines
        self._unfinished_bytes += sum(map(len, lines)) + len(lines)
        if self._unfinished_bytes > MAX_REPLY_BYTES + 1:
            raise RemoteProtocolError(f"an AGI reply of more than {MAX_REPLY_BYTES} bytes")
