"""
The dialplan: a mapping from extensions to coroutines.

An extension is an ``async def`` that is given the :class:`Call`; each verb that it awaits is one
priority, as a line of ``extensions.conf`` is::

    async def greet(call):
        await call.answer()
        await call.playback("hello-world")

    pbx.dialplan["100"] = greet

When the caller hangs up, the verb in progress fails with HungUp, which ends the extension; then
the extension ``h`` of its context runs, if there is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from ..errors import HungUp
from .applications import execute
from .channel import Channel
from .happenings import SoftHangupRequested, Stepped
from .not_faked import NotFaked

__all__ = ["Call", "Dialplan", "Extension", "Goto", "run_dialplan"]

#: What an extension does: ``async def extension(call)``.
Extension = Callable[["Call"], Awaitable[object]]

#: Asterisk's number for: the dialplan has come to its end.
END_OF_DIALPLAN: Final = 16


class Goto(Exception):
    """Go on elsewhere in the dialplan."""

    def __init__(self, context: str, exten: str) -> None:
        super().__init__(f"{exten}@{context}")
        self.context = context
        self.exten = exten


class Dialplan(dict[str, Extension]):
    """
    Extensions by name: ``100@context``, or ``100`` for the context ``default``.
    """

    def extension(self, context: str, exten: str) -> Extension | None:
        """Return what an extension does, or None if there is no such one."""
        found = self.get(f"{exten}@{context}")
        if found is None and context == "default":
            found = self.get(exten)
        return found


class Call:
    """
    A channel as its extension sees it.

    :ivar channel: the channel.
    :ivar next_priority: which one the next verb is.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.next_priority = 1

    def get(self, name: str) -> str:
        """Return the value of a variable or function, empty if it is not set."""
        return self.channel.get(name) or ""

    def step(self, application: str, data: str = "") -> None:
        """Come to the next priority."""
        channel = self.channel
        channel.priority = self.next_priority
        self.next_priority += 1
        channel.application, channel.data = application, data
        channel.switchboard.tell(Stepped(channel))

    async def execute(self, application: str, data: str = "") -> int:
        """
        Run an application of the dialplan by its name.

        :param application: such as ``Playback``.
        :param data: its arguments, as between the parentheses in ``extensions.conf``.
        :return: what it returned, mostly 0.
        """
        self.step(application, data)
        return await execute(self.channel, application, data)

    async def answer(self) -> None:
        """Answer."""
        await self.execute("Answer")

    async def ringing(self) -> None:
        """Let the caller hear that it rings."""
        await self.execute("Ringing")

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await self.execute("Wait", f"{seconds:g}")

    async def playback(self, *sounds: str) -> None:
        """Play sounds to their ends."""
        await self.execute("Playback", "&".join(sounds))

    async def send_dtmf(self, digits: str) -> None:
        """Press keys; ``w`` is a pause of half a second."""
        await self.execute("SendDTMF", digits)

    async def busy(self, seconds: float = 3600) -> None:
        """Be busy."""
        await self.execute("Busy", f"{seconds:g}")

    async def congestion(self, seconds: float = 3600) -> None:
        """Be out of lines."""
        await self.execute("Congestion", f"{seconds:g}")

    async def echo(self) -> None:
        """Send back what is heard."""
        await self.execute("Echo")

    async def hangup(self) -> None:
        """Hang up."""
        await self.execute("Hangup")

    async def set(self, name: str, value: str) -> None:
        """Set a variable."""
        await self.execute("Set", f"{name}={value}")

    async def user_event(self, name: str, **headers: str) -> None:
        """Send an event of AMI and ARI with these headers."""
        items = [f"{header}: {value}" for header, value in headers.items()]
        await self.execute("UserEvent", ",".join([name, *items]))

    async def agi(self, url: str, *arguments: str) -> None:
        """Have a FastAGI server take the call."""
        await self.execute("AGI", ",".join([url, *arguments]))

    async def stasis(self, application: str, *arguments: str) -> None:
        """Have a Stasis application take the call."""
        await self.execute("Stasis", ",".join([application, *arguments]))


async def run_dialplan(channel: Channel) -> None:
    """Run a channel's extension, wherever that leads, and the extension ``h`` after it."""
    channel.in_dialplan = True
    while True:
        try:
            await _run_extension(channel)
        except Goto as goto:
            channel.context, channel.exten = goto.context, goto.exten
            continue
        except HungUp:
            if channel.go_on():
                continue
        break
    channel.hung_up = True
    channel.switchboard.tell(SoftHangupRequested(channel, END_OF_DIALPLAN))
    if channel.switchboard.dialplan.extension(channel.context, "h") is not None:
        await _run_hangup_extension(channel)


async def _run_extension(channel: Channel) -> None:
    extension = channel.switchboard.dialplan.extension(channel.context, channel.exten)
    if extension is not None:
        channel.priority = 1
        await extension(Call(channel))


async def _run_hangup_extension(channel: Channel) -> None:
    channel.exten = "h"
    try:
        await _run_extension(channel)
    except Goto:
        raise NotFaked("leaving the extension h")
    except HungUp:
        pass
    channel.priority += 1
