"""
Scripts that are run over every carrier, in this process or in one that Asterisk starts.

What a script returns is told to the test in a channel variable: so it makes no difference where it
ran.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from txasterisk.agi import AGISession, Script
from txasterisk.errors import AsteriskError, CommandFailed, HungUp

__all__ = ["LONG_COMMANDS", "RESULT", "STEPS", "telling", "told"]

#: The channel variable with what a script has returned.
RESULT: Final = "RESULT"

#: How many commands there are between which :func:`hangup_between` can stop.
STEPS: Final = 6


def telling(script: Script) -> Script:
    """Have a script tell what it returns."""

    async def run(session: AGISession) -> None:
        result = await script(session)
        # Asterisk tells AMI the values of variables with backslashes.
        await session.set_variable(RESULT, json.dumps(result).encode().hex())

    return run


def told(value: str) -> Any:
    """Return what a script has returned."""
    return json.loads(bytes.fromhex(value))


async def everything(session: AGISession) -> object:
    """Do a bit of everything."""
    await session.answer()
    await session.verbose("hello", 3)
    await session.noop()
    await session.set_variable("COLOUR", 'b"l,u\\e (or) not')
    await session.set_variable("EMPTY", "")
    return [
        await session.get_variable("COLOUR"),
        await session.get_full_variable("${COLOUR}-${EXTEN:1:0}-${NOSUCH}"),
        await session.get_variable("EMPTY"),
        await session.get_variable("NOSUCH"),
        await session.get_variable("CHANNEL(state)"),
        await session.channel_status(),
        await session.stream_file("beep"),
        await session.wait_for_digit(0.1),
        await session.get_data("beep", 0.1, 2),
        await session.say_digits("12"),
        await session.exec("Wait", "0.1"),
        await session.exec("Set", "SHAPE=round,or,square"),
        await session.get_variable("SHAPE"),
        await session.gosub("txasterisk", "routine", arguments="a b,c"),
        await session.get_variable("GOSUB_RETVAL"),
    ]


async def odd_values(session: AGISession) -> object:
    """Store values that are easily misread, and read each in two ways."""
    values = [
        "",
        " ",
        " a  b ",
        '"',
        "\\",
        '\\"',
        "a)",
        "(a",
        ") 200 result=1 (b",
        "200 result=1 (b)",
        "HANGUP",
        "511 Command Not Permitted",
        "größe ☎",
        "${EXTEN}",
        "x" * 1023,
    ]
    found = []
    for value in values:
        await session.set_variable("ODD", value)
        found += [await session.get_variable("ODD"), await session.get_full_variable("${ODD}")]
    return [found[::2] == values, found[1::2] == values]


async def keys(session: AGISession) -> object:
    """Take keys in every way."""
    await session.answer()
    return [
        await session.get_data("demo-congrats", 5, 2),
        (await session.stream_file("demo-congrats", "5")).digit,
        await session.wait_for_digit(5),
        await session.get_data("", 5),
        await session.get_data("", 1.5, 3),
    ]


async def missing_sound(session: AGISession) -> object:
    """Play what is not there, in three ways."""
    await session.answer()
    return [
        await _failure(session.stream_file("nosuch")),
        await _failure(session.get_data("nosuch")),
        await _failure(session.control_stream_file("nosuch")),
    ]


async def wrong_commands(session: AGISession) -> object:
    """Ask for what cannot be done, and go on."""
    failures = [
        await _failure(session.command("BOGUS")),
        await _failure(session.command("SET VARIABLE", "A")),
        await _failure(session.exec("NoSuchApplication")),
        await _failure(session.hangup("nosuch")),
        await _failure(session.gosub("nosuch", "nosuch", 1)),
    ]
    await session.noop()
    return failures


async def _failure(waiting: Deferred[Any]) -> str:
    try:
        return f"no failure but {await waiting}"
    except CommandFailed as error:
        return f"{error.command}: {error.reply}"


#: Commands that last, so that the caller can hang up during them.
LONG_COMMANDS: Final[dict[str, Callable[[AGISession, str], Deferred[Any]]]] = {
    "STREAM FILE": lambda session, _: session.stream_file("demo-congrats"),
    "CONTROL STREAM FILE": lambda session, _: session.control_stream_file("demo-congrats"),
    "GET DATA": lambda session, _: session.get_data("", 60),
    "GET OPTION": lambda session, _: session.get_option("beep", "1", 60),
    "WAIT FOR DIGIT": lambda session, _: session.wait_for_digit(60),
    "RECORD FILE": lambda session, spool: session.record_file(f"{spool}/cut-off", "wav", "#", 60),
    "SAY DIGITS": lambda session, _: session.say_digits("1234567890" * 5),
    "SAY DATETIME": lambda session, _: session.say_datetime(1_700_000_000.0),
    "RECEIVE TEXT": lambda session, _: session.receive_text(60),
    "EXEC": lambda session, _: session.exec("Wait", "60"),
    "GOSUB": lambda session, _: session.gosub("txasterisk", "answer", 1),
}


async def hangup_during(session: AGISession) -> object:
    """Run the command that the variable ``DURING`` names, and clean up after the hangup."""
    await session.answer()
    name = await session.get_variable("DURING") or ""
    spool = await session.get_full_variable("${ASTSPOOLDIR}")
    try:
        outcome = str(await LONG_COMMANDS[name](session, spool))
    except HungUp:
        outcome = "HungUp"
    return [name, outcome, *await _after_hangup(session)]


async def hangup_between(session: AGISession) -> object:
    """Stop for the hangup before the command whose number the variable ``STOP`` has, and go on."""
    stop = int(await session.get_variable("STOP") or 0)
    done = 0
    try:
        for step in range(STEPS):
            if step == stop:
                await session.exec("UserEvent", "Stopped")
                await deferLater(reactor, 60)
            await (session.noop() if step % 2 else session.answer())
            done += 1
    except HungUp:
        return [done, *await _after_hangup(session)]
    return "no hangup"


async def hangup_at_any_time(session: AGISession) -> object:
    """Run commands until the caller hangs up, which may be at any moment."""
    await session.answer()
    await session.exec("UserEvent", "Stopped")
    with suppress(HungUp):
        while True:
            await session.set_variable("COUNT", "1")
            await session.channel_status()
    return await _after_hangup(session)


async def hangup_by_itself(session: AGISession) -> object:
    """Hang up."""
    await session.answer()
    hung_up = session.when_hung_up()
    await session.hangup()
    await hung_up
    return await _after_hangup(session)


async def hangup_cancels(session: AGISession) -> object:
    """Wait for what has nothing to do with AGI; to be run with ``on_hangup="cancel"``."""
    await session.answer()
    await session.exec("UserEvent", "Stopped")
    try:
        await Deferred()
    except CancelledError:
        pass
    return await _after_hangup(session)


async def hangup_is_told(session: AGISession) -> object:
    """Go on after the hangup; to be run with ``on_hangup="tell"``."""
    await session.answer()
    hung_up = session.when_hung_up()
    await session.exec("UserEvent", "Stopped")
    await hung_up
    await deferLater(reactor, 0.1)
    return await _after_hangup(session)


async def _after_hangup(session: AGISession) -> list[object]:
    """Do what may be done after a hangup."""
    await session.set_variable("AFTER", "b")
    await session.noop()
    await session.verbose("bye")
    try:
        await session.answer()
        refused = "nothing"
    except AsteriskError as error:
        refused = type(error).__name__
    return [session.hung_up, await session.get_variable("AFTER"), refused]


async def failing(session: AGISession) -> None:
    """Fail."""
    await session.answer()
    raise ZeroDivisionError


async def unreachable(session: AGISession) -> None:
    """Wait for a hangup after which Asterisk takes no more commands."""
    await session.answer()
    await session.exec("UserEvent", "Stopped")
    await Deferred()
