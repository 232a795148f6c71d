"""
The extensions that a new fake has: those of ``tools/asterisk.d/extensions.conf``.

They are there under the contexts ``txasterisk`` and ``default``, step by step as Asterisk takes
them, so that the same tests run against the fake and a real one.
"""

from __future__ import annotations

from .applications import execute
from .dialplan import Call, Dialplan

__all__ = ["default_dialplan"]


def default_dialplan() -> Dialplan:
    """Return a new dialplan with these extensions."""
    dialplan = Dialplan()
    for name, extension in _EXTENSIONS.items():
        dialplan[name] = extension
        dialplan[f"{name}@txasterisk"] = extension
    return dialplan


async def _answer(call: Call) -> None:
    await call.answer()
    await call.wait(3600)


async def _hangup(call: Call) -> None:
    await call.answer()
    await call.hangup()


async def _echo(call: Call) -> None:
    await call.answer()
    await call.echo()


async def _ring(call: Call) -> None:
    await call.ringing()
    await call.wait(1)
    await call.answer()
    await call.wait(3600)


async def _busy(call: Call) -> None:
    await call.busy()


async def _congestion(call: Call) -> None:
    await call.congestion()


async def _noanswer(call: Call) -> None:
    await call.ringing()
    await call.wait(3600)


async def _playback(call: Call) -> None:
    await call.answer()
    await call.playback("demo-congrats")


async def _digits(call: Call) -> None:
    await call.answer()
    await call.wait(float(call.get("DIGITS_AFTER") or 1))
    await call.send_dtmf(call.get("DIGITS"))
    await call.wait(3600)


async def _agi(call: Call) -> None:
    await call.agi(f"agi://127.0.0.1:{call.get('FASTAGI_PORT')}/{call.get('AGI_PATH')}")
    await _agi_done(call)


async def _async_agi(call: Call) -> None:
    await call.agi("agi:async", f"/{call.get('AGI_PATH')}")
    await _agi_done(call)


async def _agi_done(call: Call) -> None:
    status, ended = call.get("AGISTATUS"), call.get("TXASTERISK_STATUS")
    await call.user_event("AGIDone", Status=status, Ended=ended, Path=call.get("AGI_PATH"))


async def _stasis(call: Call) -> None:
    arguments = call.get("STASIS_ARGS")
    call.step("GotoIf", f"{int(bool(arguments))}?arguments")
    if arguments:
        call.next_priority = 4
        await call.stasis(call.get("STASIS_APP"), arguments)
    else:
        await call.stasis(call.get("STASIS_APP"))
        call.step("Goto", "done")
    call.next_priority = 5
    status, application = call.get("STASISSTATUS"), call.get("STASIS_APP")
    await call.user_event("StasisDone", Status=status, Application=application)


async def _after_hangup(call: Call) -> None:
    status = call.get("AGISTATUS")
    event = f"AGIHangup,Status: {status},Ended: {call.get('TXASTERISK_STATUS')}"
    call.step("ExecIf", f"{int(bool(status))}?UserEvent({event})")
    if status:
        await execute(call.channel, "UserEvent", event)


_EXTENSIONS = {
    "answer": _answer,
    "hangup": _hangup,
    "echo": _echo,
    "ring": _ring,
    "busy": _busy,
    "congestion": _congestion,
    "noanswer": _noanswer,
    "playback": _playback,
    "digits": _digits,
    "agi": _agi,
    "asyncagi": _async_agi,
    "stasis": _stasis,
    "h": _after_hangup,
}
