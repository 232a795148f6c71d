"""Asterisk's side of AMI: its answers, and what happens in the switchboard as events."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import md5
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ..ami.conversation import ServerConversation
from ..ami.messages import Action
from ..errors import RemoteProtocolError
from ._names import ACTIONS, CONSOLE_COMMANDS
from .ami_actions import TRUE, Refusal, action_id
from .ami_events import Headers, snapshot, told
from .channel import Channel, refuse_function
from .dialplan import Goto
from .happenings import Happening
from .not_faked import NotFaked, complain
from .origination import Origination
from .switchboard import Switchboard
from .users import User

__all__ = ["AMI", "AMI_VERSION"]

#: The version of AMI that Asterisk 22 speaks.
AMI_VERSION: Final = "11.0.0"
#: How long Asterisk waits before it refuses a login, in seconds.
REFUSAL_DELAY: Final = 1.0
#: The actions that need no rights, of those that are faked.
_FOR_EVERYBODY: Final = frozenset(
    {"challenge", "events", "listcommands", "login", "logoff", "ping", "waitevent"}
)
_BEFORE_LOGIN: Final = frozenset({"challenge", "login", "logoff"})
CLASSES: Final = frozenset(
    {
        *("system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf"),
        *("reporting", "cdr", "dialplan", "originate", "agi", "cc", "aoc", "test", "security"),
        "message",
    }
)


class AMI:
    """
    The manager interface of one switchboard.

    :param switchboard: where the calls are.
    :param users: who may log in.
    :param version: what Asterisk calls itself.
    :ivar sessions: the clients.
    """

    def __init__(self, switchboard: Switchboard, users: Mapping[str, User], version: str) -> None:
        self.switchboard = switchboard
        self.users = users
        self.version = version
        self.sessions: set[Session] = set()
        switchboard.listen(self._heard)

    def factory(self) -> Factory:
        """Return what makes the connections."""
        factory: Factory[Any] = Factory.forProtocol(lambda: Connection(self))
        factory.noisy = False
        return factory

    def abort(self) -> None:
        """Cut all connections at once."""
        for session in tuple(self.sessions):
            session.abort()

    def send_event(self, event: str, event_class: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send an event to everyone who wants its class."""
        lines = [("Event", event), ("Privilege", f"{event_class},all"), *headers]
        for session in self.sessions:
            session.hear(event_class, lines)

    def _heard(self, happening: Happening) -> None:
        self.send_event(*told(happening))


class Session(ABC):
    """
    What Asterisk knows of a client.

    :ivar ami: the manager interface that it uses.
    :ivar user: who has logged in, if anybody has.
    :ivar mask: the classes of events that it wants.
    :ivar challenge: what it was told to prove its secret with.
    :ivar included: the filters of which an event must meet one, if there are any.
    :ivar excluded: the filters of which it must meet none.
    """

    def __init__(self, ami: AMI) -> None:
        self.ami = ami
        self.user: User | None = None
        self.mask: frozenset[str] = frozenset()
        self.challenge = ""
        self.included: list[re.Pattern[str]] = []
        self.excluded: list[re.Pattern[str]] = []

    def passes(self, event: Headers) -> bool:
        """Return whether the filters let an event through."""
        text = "".join(f"{name}: {value}\r\n" for name, value in event)
        included = not self.included or any(each.search(text) for each in self.included)
        return included and not any(each.search(text) for each in self.excluded)

    def mask_at_login(self, events: str) -> frozenset[str]:
        """Return the classes of events that a login turns on."""
        return mask_of(events or "on")

    @abstractmethod
    def hear(self, event_class: str, event: Headers) -> None:
        """Take note of an event."""

    @abstractmethod
    def end(self) -> None:
        """End after a logoff or a login that was refused."""

    @abstractmethod
    def abort(self) -> None:
        """End at once."""


class Connection(Protocol, Session):
    """One connection of a client; does one action after the other."""

    transport: Any

    def __init__(self, ami: AMI) -> None:
        super().__init__(ami)
        self._performer = Performer(self, self._write)
        self._conversation = ServerConversation(AMI_VERSION)
        self._actions: deque[Action] = deque()
        self._working: Deferred[None] | None = None
        self._events: deque[Headers] = deque()

    def connectionMade(self) -> None:
        self.ami.sessions.add(self)
        self.transport.write(self._conversation.greeting)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ami.sessions.discard(self)
        self._actions.clear()
        if self._working is not None:
            self._working.cancel()

    def dataReceived(self, data: bytes) -> None:
        try:
            self._actions.extend(self._conversation.receive(data))
        except RemoteProtocolError as error:
            complain(NotFaked(f"what Asterisk says to {error}"))
            self.transport.abortConnection()
            return
        if self._working is None:
            working = Deferred.fromCoroutine(self._work())
            if not working.called:
                self._working = working.addErrback(lambda _: None)

    def hear(self, event_class: str, event: Headers) -> None:
        """Send an event if it is wanted, but not in the middle of an answer."""
        if event_class in self.mask and self.passes(event):
            self._events.append(event)
            if self._working is None and not self._actions:
                self._send_events()

    def end(self) -> None:
        """Close."""
        self._events.clear()
        self.mask = frozenset()
        self.transport.loseConnection()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    def _send_events(self) -> None:
        while self._events:
            self._write(self._events.popleft())

    def _write(self, headers: Headers) -> None:
        self.transport.write(wire_of(headers))

    async def _work(self) -> None:
        while self._actions:
            action = self._actions[0]
            try:
                await self._performer.do(action)
            finally:
                if self._actions:
                    self._actions.popleft()
            self._send_events()
        self._working = None


class Performer:
    """
    Does the actions of a session.

    :param session: whose they are.
    :param say: takes each message of an answer.
    """

    def __init__(self, session: Session, say: Callable[[Headers], None]) -> None:
        self.session = session
        self.say = say
        self._ami = session.ami
        self._switchboard = session.ami.switchboard

    async def do(self, action: Action) -> None:
        """Do an action, and answer it."""
        try:
            await self._perform(action)
        except Refusal as refusal:
            self.answer(action, [("Message", str(refusal))], "Error")
        except NotFaked as error:
            complain(error)
            self.answer(action, [("Message", f"FakeAsterisk: not faked: {error}")], "Error")

    async def _perform(self, action: Action) -> None:
        name = action.name.lower()
        if not name:
            raise Refusal("Missing action in request")
        if self.session.user is None and name not in _BEFORE_LOGIN:
            raise Refusal("Permission denied")
        perform = self.method(name)
        if perform is None:
            if name in ACTIONS:
                raise NotFaked(f"the AMI action {action.name}")
            raise Refusal(
                f"Invalid/unknown command: {action.name}. Use Action: ListCommands to show"
                " available commands."
            )
        if (
            self.session.user is not None
            and self.session.user.read_only
            and name not in _FOR_EVERYBODY
        ):
            raise Refusal("Permission denied")
        await perform(self, action)

    def method(self, name: str) -> Callable[[Any, Action], Awaitable[None]] | None:
        """Return what does the actions of that name."""
        return _ACTIONS.get(name)

    def answer(
        self, action: Action, headers: Iterable[tuple[str, str]], response: str = "Success"
    ) -> None:
        """Say the response to an action."""
        self.say([("Response", response), *action_id(action), *headers])

    def _answer_list(
        self,
        action: Action,
        message: str,
        items: Sequence[Headers],
        completion: str,
        more: Headers | None = None,
    ) -> None:
        self.answer(action, [("EventList", "start"), ("Message", message)])
        for item in items:
            self.say(item)
        end = [("Event", completion), *action_id(action), ("EventList", "Complete")]
        self.say([*end, ("ListItems", str(len(items))), *(more or [])])

    def _channel(self, action: Action) -> Channel:
        name = action.get("Channel") or ""
        found = self._switchboard.find(name)
        if found is None:
            raise Refusal("No such channel")
        return found

    # Who you are

    async def _do_challenge(self, action: Action) -> None:
        if (action.get("AuthType") or "").upper() != "MD5":
            raise Refusal("Must specify AuthType")
        self.session.challenge = self.session.challenge or str(random.randrange(10**8, 10**9))
        self.answer(action, [("Challenge", self.session.challenge)])

    async def _do_login(self, action: Action) -> None:
        if self.session.user is not None:
            self.answer(action, [("Message", "Already authenticated")])
            return
        user = self._authenticated(action)
        if user is None:
            await self.pause(REFUSAL_DELAY)
            self.answer(action, [("Message", "Authentication failed")], "Error")
            self.session.end()
            return
        self.session.user = user
        self.session.mask = self.session.mask_at_login(action.get("Events") or "")
        self.answer(action, [("Message", "Authentication accepted")])
        if "system" in self.session.mask:
            self.say(self._fully_booted())

    def _authenticated(self, action: Action) -> User | None:
        name = (action.get("Username") or "").casefold()
        user = next((each for key, each in self._ami.users.items() if key.casefold() == name), None)
        if user is None:
            return None
        if (action.get("AuthType") or "").upper() == "MD5":
            key = md5(f"{self.session.challenge}{user.secret}".encode(), usedforsecurity=False)
            right = bool(self.session.challenge) and action.get("Key") == key.hexdigest()
        else:
            right = action.get("Secret") == user.secret
        return user if right else None

    def pause(self, seconds: float) -> Deferred[None]:
        """Let time pass."""
        pause: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._switchboard.clock.callLater(seconds, pause.callback, None)
        return pause

    def _fully_booted(self) -> Headers:
        up = str(self._uptime())
        return [
            ("Event", "FullyBooted"),
            ("Privilege", "system,all"),
            ("Uptime", up),
            ("LastReload", up),
            ("Status", "Fully Booted"),
        ]

    def _uptime(self) -> int:
        return int(self._switchboard.clock.seconds() - self._switchboard.started)

    async def _do_logoff(self, action: Action) -> None:
        self.answer(action, [("Message", "Thanks for all the fish.")], "Goodbye")
        self.session.end()

    async def _do_events(self, action: Action) -> None:
        mask = action.get("EventMask")
        if not mask:
            raise Refusal("Invalid event mask")
        self.session.mask = mask_of(mask)
        self.answer(action, [("Events", "On" if self.session.mask else "Off")])

    async def _do_filter(self, action: Action) -> None:
        if (action.get("Operation") or "").lower() != "add":
            raise Refusal("Unknown operation")
        if action.get("MatchCriteria"):
            raise NotFaked("filters with MatchCriteria")
        text = action.get("Filter") or ""
        try:
            expression = re.compile(text.removeprefix("!"))
        except re.error:
            raise Refusal("Filter did not compile.  Check the syntax of the filter given.")
        filters = self.session.excluded if text.startswith("!") else self.session.included
        filters.append(expression)
        self.answer(action, [("Message", "Success")])

    # What Asterisk is like

    async def _do_ping(self, action: Action) -> None:
        now = self._switchboard.clock.seconds()
        self.answer(action, [("Ping", "Pong"), ("Timestamp", f"{now:.6f}")])

    async def _do_list_commands(self, action: Action) -> None:
        names = sorted(name for name in ACTIONS if name in _ACTIONS)
        self.answer(action, [(name, "") for name in names])

    async def _do_core_settings(self, action: Action) -> None:
        self.answer(
            action,
            [
                ("AMIversion", AMI_VERSION),
                ("AsteriskVersion", self._ami.version),
                ("SystemName", ""),
                ("CoreMaxCalls", "0"),
                ("CoreMaxLoadAvg", "0.000000"),
                ("CoreRunUser", ""),
                ("CoreRunGroup", ""),
                ("CoreMaxFilehandles", "8192"),
                ("CoreRealTimeEnabled", "No"),
                ("CoreCDRenabled", "Yes"),
                ("CoreHTTPenabled", "Yes"),
                ("SoundsSearchCustomDir", "No"),
            ],
        )

    async def _do_core_status(self, action: Action) -> None:
        started = datetime.fromtimestamp(self._switchboard.started, UTC)
        day, time = f"{started:%Y-%m-%d}", f"{started:%H:%M:%S}"
        self.answer(
            action,
            [
                ("CoreStartupDate", day),
                ("CoreStartupTime", time),
                ("CoreReloadDate", day),
                ("CoreReloadTime", time),
                ("CoreCurrentCalls", str(len(self._switchboard.channels))),
                ("CoreProcessedCalls", str(self._switchboard.calls_processed)),
            ],
        )

    async def _do_command(self, action: Action) -> None:
        command = action.get("Command") or ""
        if not command.strip():
            raise Refusal("No command provided")
        words = command.split()
        if words[:2] in (["module", "load"], ["module", "unload"]):
            raise Refusal("Command blacklisted")
        lines, response = self._console(words)
        output = [("Output", line) for line in lines]
        self.answer(action, [("Message", "Command output follows"), *output], response)

    def _console(self, words: list[str]) -> tuple[list[str], str]:
        match words:
            case ["core", "show", "version"]:
                return [f"Asterisk {self._ami.version} built by nobody @ nowhere"], "Success"
            case ["core", "show", "channels"]:
                return self._show_channels(), "Success"
            case ["core", "show", "uptime", "seconds"]:
                up = self._uptime()
                return [f"System uptime: {up}", f"Last reload: {up}"], "Success"
        command = " ".join(words)
        if words[0] in CONSOLE_COMMANDS:
            raise NotFaked(f"the console command {command!r}")
        hint = f"(type 'core show help {command}' for other possible commands)"
        return [f"No such command '{command}' {hint}"], "Error"

    def _show_channels(self) -> list[str]:
        columns = "{:<64.64} {:<32.32} {:<7.7} {:<30.30}"
        lines = [columns.format("Channel", "Location", "State", "Application(Data)")]
        channels = self._switchboard.channels.values()
        for channel in channels:
            location = f"{channel.exten}@{channel.context}:{channel.priority}"
            running = f"{channel.application}({channel.data})"
            lines.append(columns.format(channel.name, location, channel.state_name, running))
        calls = len({channel.linkedid for channel in channels})
        return [
            *lines,
            f"{len(channels)} active channel{'s' * (len(channels) != 1)}",
            f"{calls} active call{'s' * (calls != 1)}",
            f"{self._switchboard.calls_processed} calls processed",
        ]

    # Channels

    async def _do_core_show_channels(self, action: Action) -> None:
        items = [
            [
                ("Event", "CoreShowChannel"),
                *action_id(action),
                *snapshot(channel),
                ("Application", channel.application),
                ("ApplicationData", channel.data),
                ("Duration", _duration(self._switchboard.clock.seconds() - channel.created)),
                ("BridgeId", ""),
            ]
            for channel in self._switchboard.channels.values()
        ]
        self._answer_list(action, "Channels will follow", items, "CoreShowChannelsComplete")

    async def _do_status(self, action: Action) -> None:
        channels = list(self._switchboard.channels.values())
        if action.get("Channel"):
            channels = [self._channel(action)]
        names = (action.get("Variables") or "").split(",")
        if action.get("AllVariables"):
            raise NotFaked("AllVariables of Status")
        items = [self._status(action, channel, names) for channel in channels]
        more = [("Items", str(len(items)))]
        self._answer_list(action, "Channel status will follow", items, "StatusComplete", more)

    def _status(self, action: Action, channel: Channel, names: list[str]) -> Headers:
        return [
            ("Event", "Status"),
            ("Privilege", "Call"),
            *snapshot(channel),
            ("Type", channel.technology),
            ("DNID", ""),
            ("EffectiveConnectedLineNum", channel.connected.number or "<unknown>"),
            ("EffectiveConnectedLineName", channel.connected.name or "<unknown>"),
            ("TimeToHangup", "0"),
            ("BridgeID", ""),
            ("Application", channel.application),
            ("Data", channel.data),
            ("Nativeformats", "(slin)"),
            ("Readformat", "slin"),
            ("Readtrans", ""),
            ("Writeformat", "slin"),
            ("Writetrans", ""),
            ("Callgroup", "0"),
            ("Pickupgroup", "0"),
            ("Seconds", str(int(self._switchboard.clock.seconds() - channel.created))),
            *(("Variable", f"{name}={channel.get(name) or '(null)'}") for name in names if name),
            *action_id(action),
        ]

    async def _do_getvar(self, action: Action) -> None:
        name = action.get("Variable")
        if not name:
            raise Refusal("No variable specified")
        if action.get("Channel"):
            value = self._channel(action).get(name)
        else:
            refuse_function(name)
            value = self._switchboard.globals.get(name)
        self.answer(action, [("Variable", name), ("Value", value or "")])

    async def _do_send_text(self, action: Action) -> None:
        channel, text = self._channel(action), action.get("Message")
        if not text:
            raise Refusal("No Message specified")
        if channel.peer is not None:
            channel.peer.hear_text(text)
        self.answer(action, [("Message", "Success")])

    async def _do_setvar(self, action: Action) -> None:
        name, value = action.get("Variable"), action.get("Value") or ""
        if not name:
            raise Refusal("No variable specified")
        if action.get("Channel"):
            self._channel(action).set(name, value)
        else:
            refuse_function(name)
            self._switchboard.set_global(name, value)
        self.answer(action, [("Message", "Variable Set")])

    async def _do_hangup(self, action: Action) -> None:
        if not action.get("Channel"):
            raise Refusal("No channel specified")
        if action["Channel"].startswith("/"):
            raise NotFaked("hanging up channels by a regular expression")
        channel = self._channel(action)
        self.answer(action, [("Message", "Channel Hungup")])
        cause = action.get("Cause") or ""
        channel.ask_hangup(int(cause) if cause.isdecimal() and int(cause) < 128 else 0)

    async def _do_user_event(self, action: Action) -> None:
        self.answer(action, [("Message", "Event Sent")])
        headers = [
            (name, value)
            for name, value in action.headers
            if name.lower() not in ("action", "userevent")
        ]
        told = [("UserEvent", action.get("UserEvent") or ""), *headers]
        self._ami.send_event("UserEvent", "user", told)

    async def _do_redirect(self, action: Action) -> None:
        context, exten = action.get("Context") or "", action.get("Exten") or ""
        if not action.get("Channel"):
            raise Refusal("Channel not specified")
        channel = self._switchboard.find(action["Channel"])
        if channel is None:
            raise Refusal(f"Channel does not exist: {action['Channel']}")
        if not exten:
            raise Refusal("Exten not specified")
        if not context or action.get("Priority") != "1" or action.get("ExtraChannel"):
            raise NotFaked("Redirect to anything but priority 1 of an extension in a context")
        if channel.in_dialplan:
            channel.redirect(context, exten)
        else:
            channel.interrupt(Goto(context, exten))
        self.answer(action, [("Message", "Redirect successful")])

    async def _do_agi(self, action: Action) -> None:
        name, command = action.get("Channel") or "", action.get("Command") or ""
        if not name or not command:
            raise Refusal("Both, Channel and Command are *required*")
        channel = self._switchboard.find(name)
        if channel is None:
            raise Refusal(f"Channel {name} does not exist.")
        if channel.agi_queue is None:
            raise Refusal(f"Failed to add AGI command to channel {channel.name} queue")
        channel.agi_queue.append((command, action.get("CommandID") or ""))
        self.answer(action, [("Message", "Added AGI command to queue")])

    # Calling

    async def _do_originate(self, action: Action) -> None:
        call = Origination(self._ami, action)
        if call.asynchronous:
            self.answer(action, [("Message", "Originate successfully queued")])
            call.start()
            return
        if not await call.start():
            raise Refusal("Originate failed")
        self.answer(action, [("Message", "Originate successfully queued")])


_FALSE: Final = frozenset({"no", "false", "n", "f", "0", "off"})


def wire_of(headers: Headers) -> bytes:
    """Return the bytes of a message: like Asterisk, whatever is in its values."""
    # Not Message.of, which refuses some.
    text = "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    return text.encode("utf-8", "surrogateescape")


def mask_of(text: str) -> frozenset[str]:
    """Return the classes that an event mask means; words it does not know mean none."""
    if text.lower() in TRUE or text == "all":
        return CLASSES
    if text.lower() in _FALSE or text == "none":
        return frozenset()
    names = text.split(",")
    if not all(name in CLASSES for name in names):
        # Asterisk takes shortened names, and an empty one for all: not to be relied on.
        raise NotFaked(f"the event mask {text!r}")
    return frozenset(names)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


_ACTIONS: Final[dict[str, Callable[[Performer, Action], Awaitable[None]]]] = {
    "agi": Performer._do_agi,
    "challenge": Performer._do_challenge,
    "command": Performer._do_command,
    "coresettings": Performer._do_core_settings,
    "coreshowchannels": Performer._do_core_show_channels,
    "corestatus": Performer._do_core_status,
    "events": Performer._do_events,
    "filter": Performer._do_filter,
    "getvar": Performer._do_getvar,
    "hangup": Performer._do_hangup,
    "listcommands": Performer._do_list_commands,
    "login": Performer._do_login,
    "logoff": Performer._do_logoff,
    "originate": Performer._do_originate,
    "ping": Performer._do_ping,
    "redirect": Performer._do_redirect,
    "sendtext": Performer._do_send_text,
    "setvar": Performer._do_setvar,
    "status": Performer._do_status,
    "userevent": Performer._do_user_event,
}
