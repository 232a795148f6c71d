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

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
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
    time. The audio ends when the caller hangs up.

    :param descriptor: from which it comes.
    :param format_name: Asterisk's name for its format.
    :param reactor: tells when there is more.
    :ivar format_name: such as ``slin``, which it is unless the dialplan has set the variable
        ``EAGI_AUDIO_FORMAT`` before ``EAGI()``.
    """

    def __init__(self, descriptor: int, format_name: str, reactor: Any) -> None:
        self.format_name = format_name
        self._pipe = _Pipe(descriptor, reactor)
        self._kept = bytearray()

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
        while len(self._kept) < size:
            more = await self._pipe.more()
            if not more:
                break
            self._kept += more
        taken = bytes(self._kept[:size])
        del self._kept[:size]
        return taken

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
            collect in the pipe.
        :return: fires with None at the end of the audio. Fails with :class:`Disconnected` if the
            consumer takes no more, and with :class:`LocalProtocolError` while somebody else reads.
            Cancelling leaves the consumer, and the rest of the audio to the next.
        """
        return _Sending(self, consumer).start()

    def more(self) -> Deferred[bytes]:
        """
        Read what has come, or wait for more.

        :return: fires with it, and with nothing at the end; fails with :class:`LocalProtocolError`
            while somebody else reads. Cancelling leaves what comes to the next.
        """
        if self._kept:
            kept, self._kept = bytes(self._kept), bytearray()
            return succeed(kept)
        return self._pipe.more()

    def skip(self) -> int:
        """Throw away what has come and was not read, and return how many bytes that were."""
        skipped = len(self._kept)
        self._kept.clear()
        while there := self._pipe.read():
            skipped += len(there)
        return skipped

    def end(self) -> None:
        """Take note that no more will come; for carriers."""
        self._pipe.end()


@implementer(IReadDescriptor)
class _Pipe:
    """What the audio comes through; the reactor watches it only while somebody waits."""

    def __init__(self, descriptor: int, reactor: Any) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._reactor = reactor
        self._waiting: Deferred[bytes] | None = None
        self._ended = False

    def more(self) -> Deferred[bytes]:
        """Fire with what has come, as soon as anything has; with nothing at the end."""
        if self._waiting is not None:
            return fail(LocalProtocolError("the caller's audio is being read already"))
        if self._ended:
            return succeed(self.read() or b"")
        self._waiting = Deferred(self._cancelled)
        self._reactor.addReader(self)
        return self._waiting

    def read(self) -> bytes | None:
        """Return what is there: nothing at the end, and None before there is anything."""
        try:
            return os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            return None

    def end(self) -> None:
        """Let what is there be the last."""
        self._ended = True
        if self._waiting is not None:
            self._give(self.read() or b"")

    def _give(self, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        self._reactor.removeReader(self)
        if waiting is not None:
            waiting.callback(data)

    def _cancelled(self, _: object) -> None:
        self._waiting = None
        self._reactor.removeReader(self)

    # What the reactor calls

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "audio"

    def doRead(self) -> None:
        data = self.read()
        if data is not None:
            self._ended = self._ended or not data
            self._give(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.end()


@implementer(IPushProducer)
class _Sending:
    """
    Audio on its way to a consumer.

    :ivar done: fires with None at the end of the audio.
    """

    def __init__(self, audio: Audio, consumer: IConsumer) -> None:
        self.done: Deferred[None] = Deferred(lambda _: self._leave())
        self._audio = audio
        self._consumer = consumer
        self._paused = False
        self._waiting: Deferred[bytes] | None = None

    def start(self) -> Deferred[None]:
        """Begin, unless the consumer does not want any now."""
        self._consumer.registerProducer(self, True)
        if not self._paused:
            self._go_on()
        return self.done

    def _go_on(self) -> None:
        self._waiting = self._audio.more()
        self._waiting.addCallback(self._pass_on).addErrback(self._failed)

    def _pass_on(self, data: bytes) -> None:
        self._waiting = None
        if data:
            self._consumer.write(data)
            if not self._paused:
                self._go_on()
        else:
            self._leave()
            self.done.callback(None)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._leave()
            self.done.errback(failure)

    def _leave(self) -> None:
        self.pauseProducing()
        self._consumer.unregisterProducer()

    # What the consumer calls

    def pauseProducing(self) -> None:
        self._paused = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    def resumeProducing(self) -> None:
        self._paused = False
        if self._waiting is None and not self.done.called:
            self._go_on()

    def stopProducing(self) -> None:
        self.pauseProducing()
        self.done.errback(Disconnected("who was sent the caller's audio takes no more"))
