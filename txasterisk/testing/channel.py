"""
A channel as plain state, and the few things that can be done to one.

What runs on a channel (dialplan, AGI, Stasis) is a coroutine, and it waits in one place only:
:meth:`Channel.wait`. There the caller's digits reach it, and there it learns of the hangup.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .._milestone import Milestone
from ..errors import HungUp
from ._names import FUNCTIONS
from .happenings import (
    CallerIdentified,
    ChannelGone,
    ConnectedLineIdentified,
    DialEnded,
    DialProgressed,
    DigitBegan,
    DigitEnded,
    HangupRequested,
    StateChanged,
    VariableSet,
)
from .not_faked import NotFaked

if TYPE_CHECKING:
    from .switchboard import Switchboard

__all__ = [
    "BUSY",
    "DOWN",
    "KEYS",
    "KEY_PAUSE",
    "KEY_PRESSED",
    "RING",
    "RINGING",
    "STATES",
    "UP",
    "CallerID",
    "Channel",
    "cause_text",
    "refuse_function",
]

DOWN: Final = 0
RING: Final = 4
RINGING: Final = 5
UP: Final = 6
BUSY: Final = 7
STATES: Final = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up", BUSY: "Busy"}

#: The keys of a telephone.
KEYS: Final = "0123456789*#ABCD"
#: How long Asterisk presses a key, in seconds, and the pause after it.
KEY_PRESSED: Final = 0.1
KEY_PAUSE: Final = 0.25
#: What ``w`` and ``W`` among the digits mean, in seconds.
PAUSES: Final = {"w": 0.5, "W": 1.0}

_SLICE: Final = re.compile(r"([^:]+):(-?\d+)(?::(-?\d+))?")


class CallerID(NamedTuple):
    """Who calls: a name and a number."""

    name: str = ""
    number: str = ""

    @classmethod
    def parse(cls, text: str) -> CallerID:
        """Read Asterisk's form, ``"Name" <number>``, of which either may be missing."""
        match = re.fullmatch(r'\s*(?:"((?:\\.|[^"\\])*)"|([^<"]*?))\s*(?:<([^>]*)>)?\s*', text)
        if match is None:
            return cls(text)
        quoted, bare, number = match.groups()
        name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
        if number is None and re.fullmatch(r"[0-9*#+]+", name or ""):
            return cls("", name)
        return cls(name or "", number or "")


class Channel:
    """
    One channel.

    :param switchboard: where it is plugged in.
    :param name: such as ``Local/100@default-00000000;1``.
    :param uniqueid: its id.
    :param linkedid: the id of the first channel of its call.
    :param state: one of :data:`STATES`.
    :ivar peer: the other half of a local channel.
    :ivar dialling: whether its peer has yet to answer it.
    :ivar hung_up: whether it was told to end; what runs on it may still clean up.
    :ivar gone: whether it has ended.
    :ivar cause: why it ends, as a number of Q.850.
    :ivar destination: where in the dialplan it goes on instead, if it does.
    :ivar agi_queue: commands for AsyncAGI and their ids, or None before it has been there.
    """

    def __init__(
        self, switchboard: Switchboard, name: str, uniqueid: str, linkedid: str, state: int
    ) -> None:
        self.switchboard = switchboard
        self.name = name
        self.uniqueid = uniqueid
        self.linkedid = linkedid
        self.state = state
        self.created = switchboard.clock.seconds()
        self.context: str = "default"
        self.exten: str = "s"
        self.priority: int = 1
        self.application = ""
        self.data = ""
        self.in_dialplan = False
        self.caller: CallerID = CallerID()
        self.connected: CallerID = CallerID()
        self.language: str = "en"
        self.accountcode = ""
        self.variables: dict[str, str] = {}
        self.peer: Channel | None = None
        self.dialling = False
        self.hung_up: bool = False
        self.gone = False
        self.cause: int = 0
        self.destination: tuple[str, str] | None = None
        self.agi_queue: deque[tuple[str, str]] | None = None
        self._waiting: _Waiting | None = None
        self._limit: IDelayedCall | None = None
        self._hangup: Milestone[None] = Milestone()
        self._end: Milestone[None] = Milestone()

    def __repr__(self) -> str:
        return f"<Channel {self.name} {self.state_name}>"

    @property
    def state_name(self) -> str:
        """The state in Asterisk's words."""
        return STATES[self.state]

    @property
    def technology(self) -> str:
        """What stands before the slash of the name."""
        return self.name.partition("/")[0]

    # Waiting

    def wait(self, seconds: float | None, digits: str = "") -> Deferred[str | None]:
        """
        Let time pass, or wait for a key.

        :param seconds: how long, or None for ever.
        :param digits: the keys that end it.
        :return: fires with the key, with what :meth:`signal` was given, or with None when the time
            is up; fails with HungUp.
        """
        if self.hung_up:
            return fail(HungUp(f"{self.name} has hung up"))
        self._waiting = _Waiting(self.switchboard.clock, seconds, digits)
        return self._waiting.over

    def wait_for_text(self, seconds: float | None) -> Deferred[str | None]:
        """
        Wait for a text message.

        :param seconds: how long, or None for ever.
        :return: as :meth:`wait`, but fires with the text.
        """
        waited = self.wait(seconds)
        if self._waiting is not None:
            self._waiting.for_text = True
        return waited

    def signal(self, outcome: str | None) -> None:
        """End the wait in progress, if there is one."""
        if self._waiting is not None:
            self._waiting.end(outcome)

    def unplug(self) -> None:
        """Cancel the wait in progress."""
        self.hang_up_after(0)
        if self._waiting is not None:
            self._waiting.over.cancel()

    def when_hung_up(self) -> Deferred[None]:
        """Wait until the channel is told to end."""
        return self._hangup.when()

    def when_gone(self) -> Deferred[None]:
        """Wait until the channel has ended."""
        return self._end.when()

    # Being called

    def change_state(self, state: int) -> None:
        """Have another state."""
        self.state = state
        self.switchboard.tell(StateChanged(self))

    def answer(self) -> None:
        """Be up; harmless when repeated."""
        if self.state == UP:
            return
        self.change_state(UP)
        peer = self.peer
        if peer is not None and peer.dialling:
            peer.change_state(UP)
            peer.end_dialling("ANSWER")

    def ring(self) -> None:
        """Let the caller hear that it rings."""
        peer = self.peer
        if peer is not None and peer.dialling and peer.state == DOWN:
            peer.change_state(RINGING)
            self.switchboard.tell(DialProgressed(peer, "RINGING"))

    def refuse(self, status: str, cause: int) -> None:
        """Be busy, or congested, to the caller."""
        self.cause = cause
        if self.state != UP:
            self.change_state(BUSY)
        peer = self.peer
        if peer is not None and peer.dialling:
            peer.end_dialling(status)

    def end_dialling(self, status: str) -> None:
        """Take note of how the call to this channel ended."""
        self.dialling = False
        self.switchboard.tell(DialEnded(self, status))
        self.signal(status)

    # Keys

    async def send_digits(
        self, digits: str, *, pause: float | None = KEY_PAUSE, pressed: float = KEY_PRESSED
    ) -> None:
        """Press each key for some seconds, with so many behind it, so that the other end hears."""
        for digit in digits:
            if digit in PAUSES:
                await self.wait(PAUSES[digit])
            elif digit.upper() in KEYS:
                await self._send_digit(digit.upper(), pressed)
                if pause is not None:
                    await self.wait(pause)
            else:
                raise NotFaked(f"sending {digit!r} among the digits {digits!r}")

    async def _send_digit(self, digit: str, pressed: float) -> None:
        peer = self.peer
        if peer is not None and not peer.gone:
            self.switchboard.tell(DigitBegan(peer, digit))
        await self.wait(pressed)
        if peer is not None and not peer.gone:
            self.switchboard.tell(DigitEnded(peer, digit, round(pressed * 1000)))
            peer.hear_digit(digit)

    def hear_digit(self, digit: str) -> None:
        """Take a key that was pressed at the other end; nobody waits for it: it is lost."""
        if self._waiting is not None and digit in self._waiting.digits:
            self._waiting.end(digit)

    def hear_text(self, text: str) -> None:
        """Take a text message from the other end; nobody waits for it: it is lost."""
        if self._waiting is not None and self._waiting.for_text:
            self._waiting.end(text)

    # The end

    def hang_up_after(self, seconds: float) -> None:
        """End by itself after a while, in place of any time that was given before; 0 for never."""
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = (
            self.switchboard.clock.callLater(seconds, self.ask_hangup) if seconds else None
        )

    def ask_hangup(self, cause: int = 0) -> None:
        """Tell whatever runs on the channel that it is over; harmless when repeated."""
        if self.hung_up:
            return
        self.hung_up = True
        self.cause = self.cause or cause
        self.interrupt(HungUp(f"{self.name} has hung up"))
        self._hangup.reach(None)

    def redirect(self, context: str, exten: str) -> None:
        """Have what the dialplan does on the channel end as by a hangup, and go on elsewhere."""
        self.destination = context, exten
        self.ask_hangup()

    def go_on(self) -> bool:
        """Come to the destination and be alive again, if there is one."""
        if self.destination is None or self.gone:
            return False
        (self.context, self.exten), self.destination = self.destination, None
        self.hung_up = False
        self._hangup = Milestone()
        return True

    def interrupt(self, error: Exception) -> None:
        """Fail the wait in progress, if there is one."""
        if self._waiting is not None:
            self._waiting.fail(error)

    def end(self) -> None:
        """Be no more; the other half of a local channel is told to hang up."""
        if self.gone:
            return
        self.gone = self.hung_up = True
        self.hang_up_after(0)
        peer = self.peer
        told = peer is not None and not peer.hung_up
        if peer is not None and told:
            peer.cause = peer.cause or self.cause
            self.switchboard.tell(HangupRequested(peer, self.cause))
        self.application = self.data = ""
        self.switchboard.forget(self)
        self.switchboard.tell(ChannelGone(self))
        self._hangup.reach(None)
        self._end.reach(None)
        if peer is not None and told:
            peer.ask_hangup(self.cause)

    # Variables

    def identify(self, caller: CallerID) -> None:
        """Be told who calls, which an outgoing channel also takes for whom it is connected to."""
        self.caller = caller
        self.switchboard.tell(CallerIdentified(self))
        self.connected = caller
        self.switchboard.tell(ConnectedLineIdentified(self))

    def set(self, name: str, value: str) -> None:
        """Set a variable; underscores in front, which make others inherit it, are kept."""
        if name.endswith(")"):
            self._set_function(name, value)
            return
        for spelling in _spellings(name.lstrip("_")):
            self.variables.pop(spelling, None)
        self.variables[name] = value
        self.switchboard.tell(VariableSet(self, name, value))

    def get(self, name: str) -> str | None:
        """Return the value of a variable or a function, or None if there is none."""
        if name.endswith(")"):
            return self._function(name)
        if name in _BUILT_IN:
            return _BUILT_IN[name](self)
        for spelling in _spellings(name):
            if spelling in self.variables:
                return self.variables[spelling]
        return self.switchboard.globals.get(name)

    def expand(self, text: str) -> str:
        """Do what the dialplan does to ``${NAME}``, ``${NAME:1:2}`` and ``${FUNCTION(${IT})}``."""
        before, begins, rest = text.partition("${")
        if "$[" in before:
            raise NotFaked(f"working out {text!r}")
        if not begins:
            return text
        end = _closing_brace(rest)
        return before + self._substitute(self.expand(rest[:end])) + self.expand(rest[end + 1 :])

    def _substitute(self, inside: str) -> str:
        match = None if inside.endswith(")") else _SLICE.fullmatch(inside)
        if match is None:
            return self.get(inside) or ""
        value = self.get(match[1]) or ""
        start, length = int(match[2]), match[3]
        rest = value[start:]
        return rest if length is None else rest[: int(length)]

    def _function(self, name: str) -> str | None:
        known = _FUNCTIONS.get(name.upper())
        if known is not None:
            return known(self)
        function, _, argument = name.removesuffix(")").partition("(")
        if function.upper() in _OF_TEXT:
            return _OF_TEXT[function.upper()](argument)
        refuse_function(name)
        return None

    def _set_function(self, name: str, value: str) -> None:
        match name.upper():
            case "CALLERID(NUM)":
                self.caller = self.caller._replace(number=value)
            case "CALLERID(NAME)":
                self.caller = self.caller._replace(name=value)
            case "CHANNEL(LANGUAGE)":
                self.language = value
                return
            case _:
                refuse_function(name)
                return
        self.switchboard.tell(CallerIdentified(self))


_BUILT_IN: Final[dict[str, Callable[[Channel], str]]] = {
    "CHANNEL": lambda channel: channel.name,
    "CONTEXT": lambda channel: channel.context,
    "EXTEN": lambda channel: channel.exten,
    "HANGUPCAUSE": lambda channel: str(channel.cause),
    "PRIORITY": lambda channel: str(channel.priority),
    "UNIQUEID": lambda channel: channel.uniqueid,
}
_FUNCTIONS: Final[dict[str, Callable[[Channel], str]]] = {
    "CALLERID(NAME)": lambda channel: channel.caller.name,
    "CALLERID(NUM)": lambda channel: channel.caller.number,
    "CHANNEL(CHECKHANGUP)": lambda channel: str(int(channel.hung_up)),
    "CHANNEL(CHANNELTYPE)": lambda channel: channel.technology,
    "CHANNEL(LANGUAGE)": lambda channel: channel.language,
    "CHANNEL(LINKEDID)": lambda channel: channel.linkedid,
    "CHANNEL(NAME)": lambda channel: channel.name,
    "CHANNEL(STATE)": lambda channel: channel.state_name,
    "CHANNEL(UNIQUEID)": lambda channel: channel.uniqueid,
}


def _encoded(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()


def _decoded(text: str) -> str:
    return b64decode(text).decode("utf-8", "surrogateescape")


#: Functions that have nothing to do with the channel.
_OF_TEXT: Final = {"BASE64_DECODE": _decoded, "BASE64_ENCODE": _encoded}


def _closing_brace(text: str) -> int:
    """Return where what has begun with a brace ends."""
    depth = 1
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return at
    raise NotFaked(f"working out {text!r}, which has no end")


def refuse_function(name: str) -> None:
    """Refuse a function that Asterisk has; what is none is nothing to it either."""
    if name.endswith(")") and name.partition("(")[0].upper() in FUNCTIONS:
        raise NotFaked(f"the dialplan function {name}")


def cause_text(cause: int) -> str:
    """Return what Asterisk says for a cause of Q.850."""
    try:
        return _CAUSES[cause]
    except KeyError:
        raise NotFaked(f"the text for the cause {cause}")


_CAUSES: Final = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    21: "Call Rejected",
    26: "Answered elsewhere",
    28: "Invalid number format",
    31: "Normal, unspecified",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    58: "Bearer capability not available",
    127: "Interworking, unspecified",
}


def _spellings(name: str) -> tuple[str, str, str]:
    return name, f"_{name}", f"__{name}"


class _Waiting:
    """The one thing that a channel waits for."""

    def __init__(self, clock: IReactorTime, seconds: float | None, digits: str) -> None:
        self.digits = digits
        self.for_text = False
        self.over: Deferred[str | None] = Deferred(lambda _: self._stop())
        self._limit = None if seconds is None else clock.callLater(seconds, self.end, None)

    def end(self, outcome: str | None) -> None:
        self._stop()
        if not self.over.called:
            self.over.callback(outcome)

    def fail(self, error: Exception) -> None:
        self._stop()
        if not self.over.called:
            self.over.errback(error)

    def _stop(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
