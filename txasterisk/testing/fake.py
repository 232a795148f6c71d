"""
:class:`FakeAsterisk`: a PBX for tests, at the level of the wire.

The programs under test are the real ones, with real clients; only the other end is made up. It
listens on real ports, or is reached in memory without any::

    clock = Clock()
    pbx = FakeAsterisk(clock)
    ami = AMIFactory("full", "full-secret", clock=clock).connect(pbx.ami)
    clock.advance(0)

What a real Asterisk 22 does and the fake does not is :class:`NotFaked`: logged as an error, which
fails a trial test, and answered by an error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred, DeferredList, fail
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamClientEndpoint

from .._milestone import Milestone
from .._reactor import the_reactor
from ..errors import HungUp
from .agi import AGI
from .ami import AMI
from .applications import BASIC_APPLICATIONS
from .ari import ARI
from .channel import KEY_PAUSE, CallerID, Channel
from .default_dialplan import default_dialplan
from .dialplan import Dialplan
from .memory import MemoryEndpoint
from .not_faked import NotFaked
from .sounds import SOUNDS
from .stasis import Stasis
from .switchboard import RING_TIME, LocalAddress, Switchboard
from .users import User
from .web import Web

__all__ = ["Caller", "FakeAsterisk"]

#: What the fake calls itself.
VERSION: Final = "22.10.1"
#: The identity of the fake in ARI, which Asterisk makes of a network card's address.
ENTITY_ID: Final = "02:00:00:00:00:01"
LOOPBACK: Final = "127.0.0.1"


class FakeAsterisk:
    """
    A PBX that can be called, used over AMI, ARI and FastAGI, and crashed.

    :param clock: measures all time; the global reactor by default, which listening needs too.
    :param variables: the global variables that it starts with.
    :param channelvars: the variables that every event shows of a channel, as ``channelvars`` of
        ``manager.conf`` and ``ari.conf``.
    :ivar users: who may log in to AMI and ARI; to begin with ``full`` with the secret
        ``full-secret``, and ``readonly`` with ``readonly-secret``.
    :ivar dialplan: what extensions do: ``pbx.dialplan["100"] = extension``, an ``async def`` that
        is given a :class:`Call`. To begin with those of :mod:`txasterisk.testing.default_dialplan`.
    :ivar sounds: the sounds that there are, and how many seconds each takes.
    :ivar fastagi: FastAGI servers that are reached in memory: ``host:port`` and the
        factory, or None for where nobody listens.
    :ivar ami: an endpoint that leads to AMI in memory.
    :ivar http: an endpoint that leads to ARI in memory, whose URL is then ``http://fake/ari``,
        and to AMI over HTTP.
    :ivar ami_port: where AMI listens, or 0.
    :ivar http_port: where ARI and AMI over HTTP listen, or 0.
    """

    def __init__(
        self,
        clock: Any = None,
        *,
        variables: Mapping[str, str] | None = None,
        channelvars: tuple[str, ...] = (),
    ) -> None:
        self._clock = the_reactor(clock)
        self._variables = {"FASTAGI_PORT": "4573", **(variables or {})}
        self._channelvars = channelvars
        self.users = {
            "full": User("full-secret"),
            "readonly": User("readonly-secret", read_only=True),
        }
        self.dialplan: Dialplan = default_dialplan()
        self.sounds = dict(SOUNDS)
        self.fastagi: dict[str, IProtocolFactory | None] = {}
        self.ami: IStreamClientEndpoint = MemoryEndpoint(self._clock, self._ami_server)
        self.http: IStreamClientEndpoint = MemoryEndpoint(self._clock, self._http_server)
        self.ami_port = 0
        self.http_port = 0
        self._ports: list[IListeningPort] = []
        self._machine: _Machine | None = _Machine(self)

    def __repr__(self) -> str:
        state = "runs" if self._machine is not None else "is down"
        return f"<FakeAsterisk {state}, AMI {self.ami_port}, HTTP {self.http_port}>"

    @property
    def ari_url(self) -> str:
        """Where ARI is."""
        return f"{self.http_url}/ari"

    @property
    def http_url(self) -> str:
        """Where the web server is, to which AMI over HTTP is connected."""
        return f"http://{LOOPBACK}:{self.http_port}" if self.http_port else "http://fake"

    @property
    def channels(self) -> list[Channel]:
        """The channels that there are now."""
        return list(self._running.switchboard.channels.values())

    @property
    def _running(self) -> _Machine:
        if self._machine is None:
            raise RuntimeError("this FakeAsterisk is down")
        return self._machine

    def listen(self, ami_port: int = 0, http_port: int = 0) -> None:
        """
        Listen for AMI and ARI on the loopback.

        :param ami_port: for AMI; any free port if 0.
        :param http_port: for ARI and AMI over HTTP; any free port if 0.
        """
        listen, machine = self._clock.listenTCP, self._running
        ami = listen(ami_port, machine.ami.factory(), interface=LOOPBACK)
        http = listen(http_port, machine.web.factory, interface=LOOPBACK)
        self._ports += [ami, http]
        self.ami_port, self.http_port = ami.getHost().port, http.getHost().port

    def crash(self) -> Deferred[None]:
        """
        End at once, like a process that is killed: calls, connections and ports are gone.

        :return: fires when nobody listens any more. There is nothing to cancel.
        """
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.kill()
        ports, self._ports = self._ports, []
        closed = DeferredList([stopped for each in ports if (stopped := each.stopListening())])
        return closed.addCallback(lambda _: None)

    def restart(self) -> Deferred[None]:
        """
        Crash, if that has not happened yet, and start again on the same ports, without any calls.

        :return: fires when it is there again. There is nothing to cancel.
        """
        return self.crash().addCallback(lambda _: self._start_again())

    def stop(self) -> Deferred[None]:
        """
        End, for the end of a test.

        :return: as :meth:`crash`.
        """
        return self.crash()

    def call(
        self,
        extension: str,
        context: str = "default",
        *,
        caller_id: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Caller:
        """
        Call an extension, as somebody outside would.

        :param extension: whom to call.
        :param context: where the extension is.
        :param caller_id: who calls, such as ``"Alice" <100>``.
        :param variables: set on the channel that the extension runs on.
        :return: the caller's hand: it presses keys and hangs up.
        """
        return Caller(self._running.switchboard, extension, context, caller_id, variables or {})

    def _connect_agi(self, host: str, port: int) -> IStreamClientEndpoint:
        address = f"{host}:{port}"
        if address in self.fastagi:
            factory = self.fastagi[address]
            return MemoryEndpoint(self._clock, lambda: factory)
        if not hasattr(self._clock, "connectTCP"):
            raise NotFaked(f"a network: put the server of {address} into fastagi")
        if isIPAddress(host):
            return TCP4ClientEndpoint(self._clock, host, port)
        return HostnameEndpoint(self._clock, host, port)

    def _new_switchboard(self) -> Switchboard:
        applications = dict(BASIC_APPLICATIONS)
        switchboard = Switchboard(
            self._clock, self.dialplan, applications, self.sounds, self._channelvars
        )
        switchboard.globals.update(self._variables)
        return switchboard

    def _start_again(self) -> None:
        self._machine = _Machine(self)
        if self.ami_port:
            self.listen(self.ami_port, self.http_port)

    def _ami_server(self) -> IProtocolFactory | None:
        return self._machine.ami.factory() if self._machine is not None else None

    def _http_server(self) -> IProtocolFactory | None:
        return self._machine.web.factory if self._machine is not None else None


class _Machine:
    """What runs between a start and a crash: a switchboard and its wires."""

    def __init__(self, pbx: FakeAsterisk) -> None:
        self.switchboard = switchboard = pbx._new_switchboard()
        self.agi = AGI(pbx._connect_agi, VERSION)
        # AMI listens first: it is told of a call's steps before ARI, as mostly seen.
        self.ami = AMI(switchboard, pbx.users, VERSION)
        self.stasis = Stasis(switchboard, ENTITY_ID)
        ari = ARI(switchboard, self.stasis, VERSION)
        self.web = Web(ari, self.stasis, pbx.users, self.ami)
        switchboard.applications["agi"] = self.agi.application
        switchboard.applications["stasis"] = self.stasis.application

    def kill(self) -> None:
        """End everything at once."""
        self.stasis.applications.clear()
        self.switchboard.unplug()
        self.agi.abort()
        self.ami.abort()
        self.web.abort()


class Caller:
    """
    Somebody who has called.

    :ivar channel: the caller's half of the call.
    :ivar far_end: the other half, which runs the extension; its variables outlive the call.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        extension: str,
        context: str,
        caller_id: str,
        variables: Mapping[str, str],
    ) -> None:
        address = LocalAddress(extension, context, optimized=True)
        self.channel = channel = switchboard.create_local(address)
        assert channel.peer is not None
        self.far_end: Channel = channel.peer
        self._answered: Milestone[None] = Milestone()
        self._keys: deque[tuple[str, Deferred[None]]] = deque()
        self._idle = False
        channel.when_gone().addCallback(self._over)
        for name, value in variables.items():
            channel.set(name, value)
        if caller_id:
            channel.identify(CallerID.parse(caller_id))
        switchboard.originate(channel, address, RING_TIME, self._dialled, self._talk)

    def when_answered(self) -> Deferred[None]:
        """
        Wait for the answer.

        :return: fires with None; fails with :class:`HungUp` when the call was
            refused or ended before. Cancelling stops waiting.
        """
        return self._answered.when()

    def when_hung_up(self) -> Deferred[None]:
        """
        Wait for the end of the call.

        :return: fires with None. Cancelling stops waiting.
        """
        return self.channel.when_gone()

    def press(self, digits: str) -> Deferred[None]:
        """
        Press keys, once the call is answered; ``w`` is a pause of half a second.

        As with Asterisk, a key that nobody waits for at that moment is lost.

        :param digits: the keys.
        :return: fires with None when all are pressed; fails with
            :class:`HungUp`. Cancelling has no effect.
        """
        if self.channel.hung_up:
            return fail(HungUp("the call is over"))
        pressed: Deferred[None] = Deferred()
        self._keys.append((digits, pressed))
        if self._idle:
            self.channel.signal(None)
        return pressed

    def write(self, text: str) -> None:
        """
        Send a text message.

        As with a key, one that nobody waits for at that moment is lost.

        :param text: the message.
        """
        self.far_end.hear_text(text)

    def hang_up(self) -> None:
        """Hang up; harmless when repeated."""
        self.channel.ask_hangup(16)

    def _dialled(self, status: str) -> None:
        if status == "ANSWER":
            self._answered.reach(None)
        else:
            self._answered.miss(HungUp(f"the call was not answered: {status or 'hung up'}"))

    async def _talk(self, channel: Channel) -> None:
        while True:
            await self._press_next(channel)

    def _over(self, _: None) -> None:
        while self._keys:
            self._keys.popleft()[1].errback(HungUp("the call is over"))

    async def _press_next(self, channel: Channel) -> None:
        if not self._keys:
            self._idle = True
            await channel.wait(None)
            self._idle = False
            return
        digits, pressed = self._keys[0]
        # The last key may end the call; it has been pressed all the same.
        await channel.send_digits(digits[:-1])
        await channel.send_digits(digits[-1:], pause=None)
        self._keys.popleft()
        pressed.callback(None)
        await channel.wait(KEY_PAUSE)
