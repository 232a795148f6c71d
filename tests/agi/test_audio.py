"""The caller's audio, through a pipe that nobody reads unasked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from txasterisk.agi import AGISession, Audio, AudioFormat, Environment
from txasterisk.errors import Disconnected, LocalProtocolError

from . import Deaf


class Watch:
    """The part of a reactor that watches descriptors."""

    def __init__(self) -> None:
        self.watched: list[Any] = []

    def addReader(self, reader: Any) -> None:
        if reader not in self.watched:
            self.watched.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.watched:
            self.watched.remove(reader)

    def turn(self) -> None:
        """Tell whoever waits that there is something to read."""
        for reader in tuple(self.watched):
            reader.doRead()


class AudioTestCase(SynchronousTestCase):
    """Tests with Asterisk's end of the pipe."""

    format_name = "slin"

    def setUp(self) -> None:
        """Make a pipe."""
        ours, self.asterisk = os.pipe()
        self.addCleanup(os.close, ours)
        self.addCleanup(self.hang_up)
        self.watch = Watch()
        self.audio = Audio(ours, self.format_name, self.watch)

    def say(self, data: bytes) -> None:
        """Have the caller say something."""
        os.write(self.asterisk, data)
        self.watch.turn()

    def hang_up(self) -> None:
        """Close the pipe."""
        if self.asterisk >= 0:
            os.close(self.asterisk)
            self.asterisk = -1
            self.watch.turn()


async def collected(frames: AsyncIterator[bytes], into: list[bytes]) -> None:
    """Go through frames to their end."""
    async for frame in frames:
        into.append(frame)


class ReadTests(AudioTestCase):
    """Reading as many bytes as one wants."""

    def test_so_many_bytes(self) -> None:
        """It fires when all are there; what is too much is for the next."""
        reading = self.audio.read(4)
        self.say(b"ab")
        self.assertNoResult(reading)
        self.say(b"cdef")
        self.assertEqual(self.successResultOf(reading), b"abcd")
        self.assertEqual(self.successResultOf(self.audio.read(2)), b"ef")

    def test_the_end(self) -> None:
        """What is left comes before nothing does."""
        reading = self.audio.read(4)
        self.say(b"ab")
        self.hang_up()
        self.assertEqual(self.successResultOf(reading), b"ab")
        self.assertEqual(self.successResultOf(self.audio.read(4)), b"")

    def test_the_end_that_the_carrier_tells(self) -> None:
        """Asterisk keeps the pipe open after the hangup, until the program is over."""
        reading = self.audio.read(4)
        self.audio.end()
        self.assertEqual(self.successResultOf(reading), b"")

    def test_what_was_said_before_the_end_can_still_be_read(self) -> None:
        """It is in the pipe."""
        self.say(b"abcdef")
        self.audio.end()
        self.assertEqual(self.successResultOf(self.audio.read(4)), b"abcd")
        self.assertEqual(self.successResultOf(self.audio.read(4)), b"ef")
        self.assertEqual(self.successResultOf(self.audio.read(4)), b"")

    def test_what_comes(self) -> None:
        """As it comes, without a wish for its length."""
        first = self.audio.more()
        self.say(b"abc")
        self.assertEqual(self.successResultOf(first), b"abc")
        reading = self.audio.read(2)
        self.say(b"defg")
        self.assertEqual(self.successResultOf(reading), b"de")
        self.assertEqual(self.successResultOf(self.audio.more()), b"fg")
        last = self.audio.more()
        self.hang_up()
        self.assertEqual(self.successResultOf(last), b"")

    def test_nothing_is_read_unless_it_is_asked_for(self) -> None:
        """Asterisk fills the pipe, and drops what does not fit."""
        os.set_blocking(self.asterisk, False)
        spoken = sum(self.spoken_while_there_is_room())
        self.assertEqual(self.watch.watched, [])
        self.assertEqual(self.audio.skip(), spoken)

    def spoken_while_there_is_room(self) -> Iterator[int]:
        """Fill the pipe, and tell how many bytes fit."""
        with contextlib.suppress(BlockingIOError):
            while True:
                yield os.write(self.asterisk, bytes(320))
                self.watch.turn()

    def test_nobody_waits_after_having_read(self) -> None:
        """What comes then is not read either."""
        reading = self.audio.read(2)
        self.say(b"ab")
        self.successResultOf(reading)
        self.assertEqual(self.watch.watched, [])

    def test_cancelling_leaves_what_has_come(self) -> None:
        """It is not lost, and nobody watches the pipe any more."""
        reading = self.audio.read(4)
        self.say(b"ab")
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.assertEqual(self.watch.watched, [])
        again = self.audio.read(4)
        self.say(b"cd")
        self.assertEqual(self.successResultOf(again), b"abcd")

    def test_one_reads_at_a_time(self) -> None:
        """Else each would have a part."""
        first = self.audio.read(2)
        error = self.failureResultOf(self.audio.read(2), LocalProtocolError).value
        self.assertEqual(str(error), "the caller's audio is being read already")
        self.say(b"ab")
        self.assertEqual(self.successResultOf(first), b"ab")

    def test_skip(self) -> None:
        """What was said before a question does not answer it."""
        reading = self.audio.read(2)
        self.say(b"abc")
        self.say(b"defg")
        self.assertEqual(self.successResultOf(reading), b"ab")
        self.assertEqual(self.audio.skip(), 5)
        self.assertEqual(self.audio.skip(), 0)
        reading = self.audio.read(2)
        self.say(b"hi")
        self.assertEqual(self.successResultOf(reading), b"hi")

    def test_somebody_skips_what_the_reactor_has_seen(self) -> None:
        """Who waits goes on waiting."""
        reading = self.audio.read(2)
        os.write(self.asterisk, b"ab")
        self.assertEqual(self.audio.skip(), 2)
        self.watch.turn()
        self.assertNoResult(reading)
        self.say(b"cd")
        self.assertEqual(self.successResultOf(reading), b"cd")


class FramesTests(AudioTestCase):
    """Going through the audio frame by frame."""

    def test_frames_of_asterisk_s_length(self) -> None:
        """Twenty milliseconds, however the bytes come; the last may be shorter."""
        frames: list[bytes] = []
        done = Deferred.fromCoroutine(collected(self.audio.frames(), frames))
        self.say(b"a" * 300)
        self.assertEqual(frames, [])
        self.say(b"b" * 660)
        self.assertEqual([len(frame) for frame in frames], [320, 320, 320])
        self.say(b"c")
        self.hang_up()
        self.successResultOf(done)
        self.assertEqual(frames, [b"a" * 300 + b"b" * 20, b"b" * 320, b"b" * 320, b"c"])

    def test_frames_of_a_length_of_one_s_own(self) -> None:
        """Half a second, say."""
        frames: list[bytes] = []
        Deferred.fromCoroutine(collected(self.audio.frames(0.5), frames))
        self.say(bytes(16_000))
        self.assertEqual([len(frame) for frame in frames], [8_000, 8_000])

    def test_leaving_the_loop(self) -> None:
        """Who goes through the frames again goes on where it stopped."""

        async def first() -> bytes:
            async for frame in self.audio.frames(0.001):
                return frame
            return b""

        found = Deferred.fromCoroutine(first())
        self.say(b"a" * 16 + b"b" * 16)
        self.assertEqual(self.successResultOf(found), b"a" * 16)
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(first())), b"b" * 16)

    def test_cancelling(self) -> None:
        """Who goes through the frames can be cancelled, and nobody watches the pipe then."""
        done = Deferred.fromCoroutine(collected(self.audio.frames(), []))
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertEqual(self.watch.watched, [])


class CompressedTests(AudioTestCase):
    """Audio whose frames are not all alike."""

    format_name = "opus"

    def test_there_are_no_frames_of_a_certain_length(self) -> None:
        """The error names the format and those that have such frames."""
        done = Deferred.fromCoroutine(collected(self.audio.frames(), []))
        error = self.failureResultOf(done, LocalProtocolError).value
        self.assertIn("audio of the format 'opus'; expected one of slin, slin12", str(error))

    def test_the_bytes_can_be_read(self) -> None:
        """As they are."""
        reading = self.audio.read(2)
        self.say(b"ab")
        self.assertEqual(self.successResultOf(reading), b"ab")


class FormatTests(SynchronousTestCase):
    """What is known of a format."""

    def test_sizes(self) -> None:
        """How many bytes Asterisk's frames have."""
        sizes = {
            name: AudioFormat.named(name).size(0.02)
            for name in ("slin", "slin16", "slin44", "slin48", "slin192", "ulaw", "alaw", "g722")
        }
        self.assertEqual(
            sizes,
            {
                "slin": 320,
                "slin16": 640,
                "slin44": 1764,
                "slin48": 1920,
                "slin192": 7680,
                "ulaw": 160,
                "alaw": 160,
                "g722": 160,
            },
        )

    def test_whole_samples(self) -> None:
        """No sample is cut in two, and there is at least one."""
        slin = AudioFormat.named("slin")
        self.assertEqual(slin.size(0.0101), 162)
        self.assertEqual(slin.size(0), 2)
        self.assertEqual(AudioFormat.named("g722").size(0), 1)


@implementer(IConsumer)
class Consumer:
    """
    What audio is sent to.

    :ivar producer: where it comes from.
    :ivar taken: what came.
    """

    def __init__(self) -> None:
        self.producer: IPushProducer | None = None
        self.taken = b""

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        assert streaming
        self.producer = IPushProducer(producer)

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.taken += data

    def pause(self) -> None:
        """Want nothing for a while."""
        assert self.producer is not None
        self.producer.pauseProducing()

    def resume(self) -> None:
        """Want more."""
        assert self.producer is not None
        self.producer.resumeProducing()


class FullConsumer(Consumer):
    """Wants nothing yet."""

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        self.pause()


class SmallConsumer(Consumer):
    """Wants a pause after each piece."""

    def write(self, data: bytes) -> None:
        super().write(data)
        self.pause()


class BrokenConsumer(Consumer):
    """Cannot take anything."""

    def write(self, data: bytes) -> None:
        self.pause()
        raise ZeroDivisionError


class GoneConsumer(Consumer):
    """Takes nothing any more, as a transport that is closed."""

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        producer.stopProducing()


class SendTests(AudioTestCase):
    """Sending the audio to a consumer."""

    def setUp(self) -> None:
        """Have one."""
        super().setUp()
        self.consumer = Consumer()

    def test_to_the_end(self) -> None:
        """All of it, and then the consumer is free for others."""
        sent = self.audio.send_to(self.consumer)
        self.say(b"ab")
        self.say(b"cd")
        self.assertEqual(self.consumer.taken, b"abcd")
        self.assertNoResult(sent)
        self.hang_up()
        self.assertIsNone(self.successResultOf(sent))
        self.assertIsNone(self.consumer.producer)

    def test_a_rest_without_anything_more(self) -> None:
        """It comes at the end."""
        reading = self.audio.read(2)
        self.say(b"abcd")
        self.successResultOf(reading)
        sent = self.audio.send_to(self.consumer)
        self.audio.end()
        self.assertIsNone(self.successResultOf(sent))
        self.assertEqual(self.consumer.taken, b"cd")

    def test_what_was_said_before_the_end_is_sent_at_the_end(self) -> None:
        """The carrier tells the end while it is still in the pipe."""
        self.say(b"abcd")
        self.audio.end()
        sent = self.audio.send_to(self.consumer)
        self.assertIsNone(self.successResultOf(sent))
        self.assertEqual(self.consumer.taken, b"abcd")

    def test_what_is_left_from_before_comes_first(self) -> None:
        """It goes on where reading stopped."""
        reading = self.audio.read(2)
        self.say(b"abcd")
        self.successResultOf(reading)
        self.audio.send_to(self.consumer)
        self.say(b"ef")
        self.assertEqual(self.consumer.taken, b"cdef")

    def test_a_pause(self) -> None:
        """What comes meanwhile stays in the pipe."""
        self.audio.send_to(self.consumer)
        self.say(b"ab")
        self.consumer.pause()
        self.assertEqual(self.watch.watched, [])
        self.say(b"cd")
        self.assertEqual(self.consumer.taken, b"ab")
        self.consumer.resume()
        self.watch.turn()
        self.assertEqual(self.consumer.taken, b"abcd")

    def test_a_pause_after_each_piece(self) -> None:
        """A consumer may ask for it while it is given one."""
        self.consumer = SmallConsumer()
        self.audio.send_to(self.consumer)
        self.say(b"ab")
        self.say(b"cd")
        self.assertEqual(self.consumer.taken, b"ab")
        self.consumer.resume()
        self.consumer.resume()
        self.watch.turn()
        self.assertEqual(self.consumer.taken, b"abcd")

    def test_a_consumer_that_is_full_already(self) -> None:
        """It is given nothing before it wants some."""
        self.consumer = FullConsumer()
        self.audio.send_to(self.consumer)
        self.say(b"ab")
        self.assertEqual(self.consumer.taken, b"")
        self.consumer.resume()
        self.watch.turn()
        self.assertEqual(self.consumer.taken, b"ab")

    def test_the_end_during_a_pause(self) -> None:
        """The consumer gets the rest at once, for nobody can wait for its leave."""
        sent = self.audio.send_to(self.consumer)
        self.consumer.pause()
        self.say(b"ab")
        self.audio.end()
        self.assertIsNone(self.successResultOf(sent))
        self.assertEqual(self.consumer.taken, b"ab")

    def test_cancelling(self) -> None:
        """The consumer is left, and the rest can be read."""
        sent = self.audio.send_to(self.consumer)
        self.say(b"ab")
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.assertIsNone(self.consumer.producer)
        reading = self.audio.read(2)
        self.say(b"cd")
        self.assertEqual(self.successResultOf(reading), b"cd")

    def test_a_consumer_that_goes(self) -> None:
        """As a connection that is lost; the rest can be read."""
        sent = self.audio.send_to(self.consumer)
        producer = self.consumer.producer
        assert producer is not None
        producer.stopProducing()
        self.failureResultOf(sent, Disconnected)
        producer.resumeProducing()
        self.assertEqual(self.watch.watched, [])

    def test_a_consumer_that_fails(self) -> None:
        """Its error ends the sending."""
        sent = self.audio.send_to(BrokenConsumer())
        self.say(b"ab")
        self.failureResultOf(sent, ZeroDivisionError)

    def test_a_consumer_that_is_gone_already(self) -> None:
        """It says so at once."""
        sent = self.audio.send_to(GoneConsumer())
        self.failureResultOf(sent, Disconnected)
        self.assertEqual(self.watch.watched, [])

    def test_nobody_else_reads_during_a_pause(self) -> None:
        """Each piece is for the consumer."""
        self.audio.send_to(self.consumer)
        self.consumer.pause()
        self.failureResultOf(self.audio.read(2), LocalProtocolError)
        self.failureResultOf(self.audio.more(), LocalProtocolError)

    def test_reading_after_a_pause(self) -> None:
        """A pause is over with the consumer that wanted it."""
        sent = self.audio.send_to(self.consumer)
        self.consumer.pause()
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        reading = self.audio.read(2)
        self.say(b"ab")
        self.assertEqual(self.successResultOf(reading), b"ab")

    def test_while_somebody_else_reads(self) -> None:
        """The consumer is not even told, and who reads is not disturbed."""
        reading = self.audio.read(2)
        sent = self.audio.send_to(GoneConsumer())
        self.failureResultOf(sent, LocalProtocolError)
        self.say(b"ab")
        self.assertEqual(self.successResultOf(reading), b"ab")


class SessionTests(AudioTestCase):
    """The audio of a call."""

    def setUp(self) -> None:
        """Have a call."""
        super().setUp()
        self.session = AGISession(Deaf(), Environment([]))

    def test_only_eagi_brings_audio(self) -> None:
        """The error says what does."""
        with self.assertRaisesRegex(LocalProtocolError, r"comes by EAGI\(\) only"):
            self.session.audio  # noqa: B018

    def test_the_hangup_ends_it(self) -> None:
        """Who reads is told so, as at the end of a file."""
        self.session.notice_audio(self.audio)
        reading = self.session.audio.read(2)
        self.session.notice_hangup()
        self.assertEqual(self.successResultOf(reading), b"")

    def test_the_end_of_the_session_ends_it(self) -> None:
        """However that comes."""
        self.session.notice_audio(self.audio)
        reading = self.session.audio.read(2)
        self.session.notice_end(Disconnected("over"))
        self.assertEqual(self.successResultOf(reading), b"")
