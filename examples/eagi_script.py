#!/usr/bin/env python3
"""
Keep what the caller says, until he has been silent for a second or has hung up.

    same => n,EAGI(/usr/local/bin/eagi_script.py,/tmp/said.wav)
"""

import wave
from array import array

from txasterisk import AGISession, agi

#: The loudest that a sample may be in silence, of 32768.
SILENCE = 500


def loudness(frame: bytes) -> int:
    return max(map(abs, array("h", frame)))


async def keep(call: AGISession) -> None:
    (path,) = call.environment.arguments
    await call.answer()
    await call.stream_file("beep")
    call.audio.skip()
    await call.verbose("listening")
    quiet = 0
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(call.audio.format.rate)
        async for frame in call.audio.frames(0.1):
            file.writeframes(frame)
            quiet = quiet + 1 if loudness(frame) < SILENCE else 0
            if quiet == 10:
                break
        seconds = file.tell() / call.audio.format.rate
    await call.set_variable("SAID", f"{seconds:.1f}")


if __name__ == "__main__":
    agi.run(keep)
