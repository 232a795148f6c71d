"""
The caller's audio, which ``EAGI()`` brings beside the commands.

Asterisk writes what it hears from the caller into a pipe, frame by frame, and drops a frame when
the pipe is full. So nothing is read before somebody wants it: the pipe keeps four seconds of
telephone audio, and no more is kept here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer, IReadDescriptor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import Disconnected, LocalProtocolError

__all__ = ["Audio", "AudioFormat"]

#: How long Asterisk's own frames of telephone audio are, in seconds.
FRAME: Final = 0.02
#: As much as the pipe holds.
READ_SIZE: Final = 65_536

#: Samples and bytes in a second.
_RATES: Final = {
    "slin": (8_000, 16_000),
    "slin12": (12_000, 24_000),
    "slin16": (16_000, 32_000),
    "slin24": (24_000, 48_000),
    "slin32": (32_000, 64_000),
    "slin44": (44_100, 88_200),
    "slin48": (48_000, 96_000),
    "slin96": (96_000, 192_000),
    "slin192": (192_000, 384_000),
    "ulaw": (8_000, 8_000),
    "alaw": (8_000, 8_000),
    "g722": (16_000, 8_000),
}


class AudioFormat(NamedTuple):
    """
    How audio is written: one channel, no header.

    :ivar name: Asterisk's name for it, such as ``slin``: 16-bit signed little-endian samples.
    :ivar rate: samples in a second.
    :ivar bytes_per_second: bytes in a second.
    """

    name: str
    rate: int
    bytes_per_second: int

    @classmethod
    def named(cls, name: str) -> AudioFormat:
        """
        Return the format that Asterisk calls so.

        :raises LocalProtocolError: for one whose frames are not all alike, or that is unknown.
        """
        if name not in _RATES:
            known = ", ".join(_RATES)
            raise LocalProtocolError(f"audio of the format {name!r}; expected one of {known}")
        return cls(name, *_RATES[name])

    def size(self, seconds: float) -> int:
        """Return how many bytes so many seconds are, to the nearest sample; at least one sample."""
        samples = max(1, round(seconds * self.rate))
        return max(1, samples * self.bytes_per_second // self.rate)


class Audio:
    """
    What the caller says, from the moment when the dialplan ran ``EAGI()``.

    It is mono and goes one way, from the caller. It can be read in several ways, by one reader at
    a time; each goes on where the one before it stopped. As long as nobody reads, the pipe fills:
    after 65,536 bytes, which is four seconds of ``slin``, Asterisk drops what is said, and there
    is no way to tell. :meth:`skip` begins anew.

    Asterisk brings audio between commands, while it plays or collects digits, and while it says
    digits, letters or a number; not during ``RECORD FILE``, ``CONTROL STREAM FILE``, ``EXEC``,
    ``GOSUB``, ``RECEIVE CHAR``, ``RECEIVE TEXT``, ``SPEECH RECOGNIZE``, or while it says a date or
    time. The audio ends when the caller hangs up: who reads it is told by that, not by an error.

    :param descriptor: from which it comes.
    :param format_name: Asterisk's name for its format.
    :param reactor: tells when there is more.
    :ivar format_name: such as ``slin``, which it is unless the dialplan has set the variable
        ``EAGI_AUDIO_FORMAT`` before ``EAGI()``.
    """

    def __init__(self, descriptor: int, format_name: str, reactor: Any) -> None:
        self.format_name = format_name
        self._pipe = _Pipe(descriptor, reactor)

    @property
    def format(self) -> AudioFormat:
        """
        The format.

        :raises LocalProtocolError: for one whose frames are not all alike, or that is unknown.
        """
        return AudioFormat.named(self.format_name)

    def read(self, size: int) -> Deferred[bytes]:
        """
        Read some audio.

        :param size: how many bytes.
        :return: fires with so many, with fewer at the end, and with none after it; fails with
            :class:`LocalProtocolError` while somebody else reads. Cancelling leaves what has come
            to the next.
        """
        return Deferred.fromCoroutine(self._read(size))

    async def _read(self, size: int) -> bytes:
        while len(self._pipe.kept) < size and await self._pipe.fill():
            pass
        return self._pipe.take(size)

    def more(self) -> Deferred[bytes]:
        """
        Read what has come, or wait for more.

        :return: fires with it, and with nothing at the end; fails with :class:`LocalProtocolError`
            while somebody else reads. Cancelling leaves what comes to the next.
        """
        return Deferred.fromCoroutine(self._more())

    async def _more(self) -> bytes:
        if not self._pipe.kept:
            await self._pipe.fill()
        return self._pipe.take()

    async def frames(self, seconds: float = FRAME) -> AsyncIterator[bytes]:
        """
        Go through the audio in pieces, for ``async for``.

        :param seconds: how long each is; the last one may be shorter.
        :raises LocalProtocolError: for a format whose frames are not all alike, or that is
            unknown; and while somebody else reads.
        """
        size = self.format.size(seconds)
        while frame := await self.read(size):
            yield frame

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """
        Send the audio to a consumer, such as a transport, until it ends.

        :param consumer: is given the bytes as they come, and may pause them; meanwhile they
            collect in the pipe. What is in there at the end it is given at once, paused or not.
        :return: fires with None at the end of the audio. Fails with :class:`Disconnected` if the
            consumer takes no more, and with :class:`LocalProtocolError` while somebody else reads.
            Cancelling leaves the consumer, and the rest of the audio to the next.
        """
        if self._pipe.is_read:
            return fail(_read_already())
        return Deferred.fromCoroutine(_Sending(self._pipe, consumer).run())

    def skip(self) -> int:
        """Throw away what has come and was not read, and return how many bytes that were."""
        while self._pipe.read():
            pass
        return len(self._pipe.take())

    def end(self) -> None:
        """Take note that no more will come; for carriers."""
        self._pipe.end()


@implementer(IReadDescriptor)
class _Pipe:
    """
    What the audio comes through; the reactor watches it only while somebody waits.

    :ivar kept: what was read and is not taken yet.
    """

    def __init__(self, descriptor: int, reactor: Any) -> None:
        os.set_blocking(descriptor, False)
        self.kept = bytearray()
        self._descriptor = descriptor
        self._reactor = reactor
        self._waiting: Deferred[bool] | None = None
        self._paused = False
        self._ended = False

    @property
    def is_read(self) -> bool:
        """Whether somebody waits for more."""
        return self._waiting is not None

    def fill(self) -> Deferred[bool]:
        """Wait for more to be kept, and fire with whether there is any; at the end there is not."""
        if self.is_read:
            return fail(_read_already())
        if self._ended:
            return succeed(self.read())
        self._waiting = Deferred(self._cancelled)
        self._watch()
        return self._waiting

    def read(self) -> bool:
        """Keep what is there now, and tell whether that is anything."""
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            return False
        self._ended = self._ended or not data
        self.kept += data
        return bool(data)

    def take(self, size: int | None = None) -> bytes:
        """Return what is kept, or so many bytes of it."""
        taken = bytes(self.kept[:size])
        del self.kept[: len(taken)]
        return taken

    def pause(self) -> None:
        """Let it fill, although somebody waits."""
        self._paused = True
        self._watch()

    def resume(self) -> None:
        """Let who waits have more again."""
        self._paused = False
        self._watch()

    def end(self) -> None:
        """Let what is there be the last."""
        self._ended = True
        self.tell(self.read())

    def tell(self, more: bool) -> None:
        """Have nobody wait any longer."""
        waiting, self._waiting = self._waiting, None
        self._watch()
        if waiting is not None:
            waiting.callback(more)

    def _cancelled(self, _: object) -> None:
        self._waiting = None
        self._watch()

    def _watch(self) -> None:
        if self._waiting is None or self._paused:
            self._reactor.removeReader(self)
        else:
            self._reactor.addReader(self)

    # What the reactor calls

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "audio"

    def doRead(self) -> None:
        more = self.read()
        if more or self._ended:
            self.tell(more)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.end()


@implementer(IPushProducer)
class _Sending:
    """Audio on its way from the pipe to a consumer."""

    def __init__(self, pipe: _Pipe, consumer: IConsumer) -> None:
        self._pipe = pipe
        self._consumer = consumer
        self._refused = False

    async def run(self) -> None:
        """Send until the audio ends; see :meth:`Audio.send_to`."""
        self._consumer.registerProducer(self, True)
        try:
            while not self._refused and await self._pipe.fill():
                self._consumer.write(self._pipe.take())
            if self._refused:
                raise Disconnected("who was sent the caller's audio takes no more")
            if self._pipe.kept:
                self._consumer.write(self._pipe.take())
        finally:
            self._pipe.resume()
            self._consumer.unregisterProducer()

    # What the consumer calls

    def pauseProducing(self) -> None:
        self._pipe.pause()

    def resumeProducing(self) -> None:
        self._pipe.resume()

    def stopProducing(self) -> None:
        self._refused = True
        self._pipe.tell(False)


def _read_already() -> LocalProtocolError:
    return LocalProtocolError("the caller's audio is being read already")
