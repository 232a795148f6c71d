"""The calls that clients of AMI place, on Asterisk's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from ..ami.messages import Action
from ._names import TECHNOLOGIES
from .ami_actions import TRUE, Refusal, action_id
from .applications import execute, separate
from .channel import CallerID, Channel
from .dialplan import run_dialplan
from .not_faked import NotFaked
from .switchboard import RING_TIME, LocalAddress, UniqueidTaken

if TYPE_CHECKING:
    from .ami import AMI

__all__ = ["Origination"]

#: What an OriginateResponse calls the ways in which a call ends.
_REASONS: Final = {"ANSWER": "4", "BUSY": "5", "CONGESTION": "8", "NOANSWER": "3"}


class Origination:
    """
    A call that a client asks for.

    :raises Refusal: it cannot even be tried.
    """

    def __init__(self, ami: AMI, action: Action) -> None:
        self._ami = ami
        self._action = action
        self._application = action.get("Application") or ""
        self._exten = action.get("Exten") or ""
        self._context = action.get("Context") or ""
        self.asynchronous = (action.get("Async") or "").lower() in TRUE
        self._channel_name = action.get("Channel") or ""
        if not self._channel_name:
            raise Refusal("Channel not specified")
        technology, slash, address = self._channel_name.partition("/")
        if not slash:
            raise Refusal("Invalid channel")
        self._technology = _known_technology(technology)
        self._address = LocalAddress.parse(address)
        self._refuse_missing_destination()

    def start(self) -> Deferred[bool]:
        """Call; fires with whether it was answered."""
        answered: Deferred[bool] = Deferred()
        one = self._create()
        if one is None:
            self._report("", None)
            answered.callback(False)
            return answered

        def report(status: str) -> None:
            self._report(status, one)
            answered.callback(status == "ANSWER")

        milliseconds = self._action.get("Timeout") or ""
        seconds = int(milliseconds) / 1000 if milliseconds.isdecimal() else RING_TIME
        self._ami.switchboard.originate(one, self._address, seconds, report, self._job)
        return answered

    def _create(self) -> Channel | None:
        if not self._technology:
            return None
        action = self._action
        ids = action.get("ChannelId") or "", action.get("OtherChannelId") or ""
        try:
            one = self._ami.switchboard.create_local(self._address, *ids)
        except UniqueidTaken:
            return None
        for name, value in reversed(_variables(action)):
            one.set(name, value)
        if action.get("CallerID"):
            one.identify(CallerID.parse(action["CallerID"]))
        return one

    async def _job(self, one: Channel) -> None:
        if self._application:
            await execute(one, self._application, self._action.get("Data") or "")
        else:
            one.context, one.exten = self._context, self._exten
            await run_dialplan(one)

    def _report(self, status: str, one: Channel | None) -> None:
        if not self.asynchronous:
            return
        success = status == "ANSWER" and one is not None
        caller = CallerID.parse(self._action.get("CallerID") or "")
        destination = [("Context", self._context), ("Exten", self._exten)]
        if self._application:
            data = self._action.get("Data") or ""
            destination = [("Application", self._application), ("Data", data)]
        uniqueid = self._action.get("ChannelId") or "<unknown>"
        headers = [
            *action_id(self._action),
            ("Response", "Success" if success else "Failure"),
            ("Channel", one.name if one is not None and success else self._channel_name),
            *destination,
            ("Reason", _REASONS.get(status, "0")),
            ("Uniqueid", one.uniqueid if one is not None and success else uniqueid),
            ("CallerIDNum", caller.number or "<unknown>"),
            ("CallerIDName", caller.name or "<unknown>"),
        ]
        if one is not None and success:
            for name in self._ami.switchboard.channelvars:
                value = one.get(name) or ""
                headers.append((f"ChanVariable({one.name})", f"{name}={value}"))
        self._ami.send_event("OriginateResponse", "call", headers)

    def _refuse_missing_destination(self) -> None:
        if self._application:
            return
        if not (self._exten and self._context and self._action.get("Priority")):
            raise Refusal("Originate with 'Exten' requires 'Context' and 'Priority'")
        if self._ami.switchboard.dialplan.extension(self._context, self._exten) is None:
            raise Refusal("Extension does not exist.")
        if self._action["Priority"] != "1":
            raise NotFaked("entering an extension at another priority than 1")


def _known_technology(technology: str) -> str:
    """Return the technology of a channel, or nothing if Asterisk has none of that name."""
    if technology.lower() == "local":
        return "Local"
    if technology.lower() in {name.lower() for name in TECHNOLOGIES}:
        raise NotFaked(f"channels of {technology}")
    return ""


def _variables(action: Action) -> list[tuple[str, str]]:
    """Return what the ``Variable:`` headers set, in their order."""
    found = []
    for line in action.get_all("Variable"):
        for item in separate(line):
            name, equals, value = item.partition("=")
            if name and equals:
                found.append((name, value))
    return found
