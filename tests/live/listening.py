"""Scripts that only a program that Asterisk starts can run: some of them hear the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any, Final

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.internet.task import deferLater
from zope.interface import implementer

from txasterisk.agi import AGISession, AudioFormat
from txasterisk.errors import CommandFailed, LocalProtocolError

reactor: Any = the_reactor

#: Seconds of sound that are enough to measure it.
ENOUGH: Final = 2
#: Of slin, which the audio is unless the dialplan says otherwise.
BYTES_PER_SECOND: Final = 16_000


async def pitch(session: AGISession) -> object:
    """Return the format, and how many times a second the caller's tone crosses zero."""
    await session.answer()
    form = session.audio.format
    session.audio.skip()
    sound = await session.audio.read(ENOUGH * form.bytes_per_second)
    return [form.name, len(sound), _crossings(sound, form) / ENOUGH]


def _crossings(sound: bytes, form: AudioFormat) -> int:
    """Count how often the sign changes, which is in the last byte of each sample."""
    step = form.bytes_per_second // form.rate
    signs = [byte & 0x80 for byte in sound[step - 1 :: step]]
    return sum(one != other for one, other in pairwise(signs))


async def frames_to_the_end(session: AGISession) -> object:
    """Go through the frames until the caller hangs up."""
    await session.answer()
    lengths = []
    async for frame in session.audio.frames():
        lengths.append(len(frame))
        if len(lengths) == 50:
            await session.exec("UserEvent", "Stopped")
    return [set(lengths[:-1]) == {320}, len(lengths) >= 50, session.hung_up]


@implementer(IConsumer)
class Slow:
    """Wants a pause after each piece, and takes a while."""

    def __init__(self) -> None:
        self.taken = 0

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        self.producer = IPushProducer(producer)

    def unregisterProducer(self) -> None:
        """Have nothing to do with it any more."""

    def write(self, data: bytes) -> None:
        self.producer.pauseProducing()
        self.taken += len(data)
        deferLater(reactor, 0.1).addCallback(lambda _: self.producer.resumeProducing())


async def send_to_the_end(session: AGISession) -> object:
    """Send the audio to a slow consumer until the caller hangs up."""
    await session.answer()
    slow = Slow()
    sent = session.audio.send_to(slow)
    await deferLater(reactor, 1)
    await session.exec("UserEvent", "Stopped")
    await sent
    return [slow.taken > 10_000, session.hung_up]


async def while_at_work(session: AGISession) -> object:
    """Return the commands during which there is audio, and those during which there is none."""
    await session.answer()
    spool = await session.get_full_variable("${ASTSPOOLDIR}")
    when = 1_700_000_000.0
    commands: dict[str, Callable[[], Deferred[Any]]] = {
        "nothing": lambda: deferLater(reactor, 1),
        "STREAM FILE": lambda: session.stream_file("beep"),
        "CONTROL STREAM FILE": lambda: session.control_stream_file("beep"),
        "WAIT FOR DIGIT": lambda: session.wait_for_digit(1),
        "GET DATA": lambda: session.get_data("", 1),
        "GET OPTION": lambda: session.get_option("beep", "1", 1),
        "SAY DIGITS": lambda: session.say_digits("1"),
        "SAY NUMBER": lambda: session.say_number(1),
        "SAY ALPHA": lambda: session.say_alpha("a"),
        "SAY PHONETIC": lambda: session.say_phonetic("a"),
        "SAY DATE": lambda: session.say_date(when),
        "SAY TIME": lambda: session.say_time(when),
        "SAY DATETIME": lambda: session.say_datetime(when),
        "RECORD FILE": lambda: session.record_file(f"{spool}/while", "wav", "#", 1),
        "RECEIVE TEXT": lambda: session.receive_text(1),
        "EXEC": lambda: session.exec("Wait", "1"),
        "GOSUB": lambda: session.gosub("txasterisk", "routine"),
    }
    heard: dict[bool, list[str]] = {True: [], False: []}
    for name, command in commands.items():
        session.audio.skip()
        began = reactor.seconds()
        with suppress(CommandFailed):
            await command()
        seconds = reactor.seconds() - began
        heard[session.audio.skip() > seconds * BYTES_PER_SECOND / 2].append(name)
    return [heard[True], heard[False]]


async def too_late(session: AGISession) -> object:
    """Return how much there is after five seconds of not listening."""
    await session.answer()
    session.audio.skip()
    await deferLater(reactor, 5)
    return session.audio.skip()


async def surroundings(session: AGISession) -> object:
    """Return what a program is told."""
    environment = session.environment
    return [
        environment.anomalies,
        environment.path,
        environment.arguments,
        sys.argv[1:],
        environment["agi_enhanced"],
        os.environ["AST_AGI_DIR"].endswith("/agi-bin"),
    ]


async def no_audio(session: AGISession) -> object:
    """Return why there is no audio."""
    try:
        return session.audio.format_name
    except LocalProtocolError as error:
        return str(error)


async def prints(session: AGISession) -> object:
    """Say something in every way, in the midst of commands."""
    print("said by Python")
    os.write(1, b"said from below\n")
    await session.noop()
    subprocess.run(["echo", "said by a child"], check=True)
    return await session.get_variable("EXTEN")


async def terminated(session: AGISession) -> None:
    """Have somebody end the program."""
    await session.answer()
    os.kill(os.getpid(), signal.SIGTERM)
    await Deferred()


async def killed(session: AGISession) -> None:
    """Have somebody kill the program."""
    await session.answer()
    os.kill(os.getpid(), signal.SIGKILL)
