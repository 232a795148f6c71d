"""
``twistd asterisk --demo``: calls are answered, and the log says how.

The PBX is the fake of :mod:`txasterisk.testing`, on real ports of the loopback. Everything else is
what runs with a real Asterisk: the links, the listener, and scripts like those below.
"""

from __future__ import annotations

from itertools import cycle
from typing import Final, NamedTuple

from twisted.application.service import MultiService
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger

from .._reactor import the_reactor
from ..agi import AGISession, FastAGIService, Routes
from ..ari import Call
from ..testing import Call as DialplanCall
from ..testing import FakeAsterisk
from .build import services
from .config import (
    AMISettings,
    ARISettings,
    Configuration,
    FastAGISettings,
    PBXSettings,
    StasisSettings,
)
from .program import PBX
from .sections import Secret

__all__ = ["DemoService"]

LOOPBACK: Final = "127.0.0.1"
SECONDS_BETWEEN_CALLS: Final = 4.0

_log = Logger("demo")


async def greet(call: AGISession) -> None:
    """The script of extension 100, over FastAGI."""
    name = call.environment.calleridname
    _log.info("greet: {name} is on the line; answering", name=name)
    await call.answer()
    entered = await call.get_data("vm-password", timeout=5, max_digits=4)
    _log.info("greet: {name} entered {digits}", name=name, digits=entered.digits)
    await call.stream_file("vm-goodbye")


async def hello(call: Call) -> None:
    """The script of extension 200, over ARI."""
    name = call.caller.name
    _log.info("hello: {name} is in the application; answering", name=name)
    await call.answer()
    await call.play("sound:hello-world")
    digit = await call.gather(prompt="sound:vm-password", max_digits=1, timeout=5)
    _log.info("hello: {name} pressed {digit}; hanging up", name=name, digit=digit)
    await call.hangup()


class Person(NamedTuple):
    """Somebody who calls, and what they press after a while (``w`` is half a second)."""

    name: str
    number: str
    extension: str
    keys: str


PEOPLE: Final = (
    Person("Alice", "201", "100", "wwww42#"),
    Person("Bob", "202", "200", "wwww7"),
    Person("Carol", "203", "100", "wwww1138"),
)


class DemoService(MultiService):
    """A PBX that is played, everything that answers its calls, and people who call."""

    def __init__(self) -> None:
        super().__init__()
        self._reactor = the_reactor()
        self._pbx = FakeAsterisk(self._reactor)

    def startService(self) -> None:
        """Start the PBX, then what answers its calls."""
        self._pbx.dialplan["100"] = _to_fastagi
        self._pbx.dialplan["200"] = _to_stasis
        self._pbx.listen()
        for service in services(self._configuration()):
            service.setServiceParent(self)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Stop the calls, then the PBX."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await super().stopService()
        await self._pbx.stop()

    def _configuration(self) -> Configuration:
        ami = TCP4ClientEndpoint(self._reactor, LOOPBACK, self._pbx.ami_port)
        secret = Secret("full-secret")
        return Configuration(
            pbxs=(
                PBXSettings(
                    name="demo",
                    ami=AMISettings(ami, "full", secret, log=("Newchannel", "Hangup")),
                    ari=ARISettings(self._pbx.ari_url, "full", secret),
                    program=self._let_people_call,
                ),
            ),
            listeners=(
                FastAGISettings(
                    name="demo",
                    listen=TCP4ServerEndpoint(self._reactor, 0, interface=LOOPBACK),
                    routes=Routes({"/greet": greet}),
                ),
            ),
            applications=(StasisSettings(name="hello", pbx="demo", call=hello),),
        )

    async def _let_people_call(self, pbx: PBX) -> None:
        assert pbx.ami is not None
        assert pbx.ari is not None
        await pbx.ami.when_connected()
        await pbx.ari.when_connected()
        address = (await self._fastagi.when_listening()).getHost()
        assert isinstance(address, IPv4Address)
        await pbx.ami.action("Setvar", {"Variable": "FASTAGI_PORT", "Value": address.port})
        self._say_what_to_try()
        for person in cycle(PEOPLE):
            await self._one_call(person)
            await deferLater(self._reactor, SECONDS_BETWEEN_CALLS)

    async def _one_call(self, person: Person) -> None:
        _log.info("{person.name} calls {person.extension}", person=person)
        caller_id = f'"{person.name}" <{person.number}>'
        caller = self._pbx.call(person.extension, caller_id=caller_id)
        await caller.when_answered()
        await caller.press(person.keys)
        await caller.when_hung_up()
        _log.info("the call of {person.name} is over", person=person)

    @property
    def _fastagi(self) -> FastAGIService:
        return next(service for service in self if isinstance(service, FastAGIService))

    def _say_what_to_try(self) -> None:
        for line in (
            "everything is up; people will call now, until Ctrl-C",
            "100 is answered by greet over FastAGI, 200 by hello over ARI: see"
            " txasterisk/service/demo.py",
            f"try AMI:  telnet {LOOPBACK} {self._pbx.ami_port}",
            f"try ARI:  curl -u full:full-secret {self._pbx.ari_url}/channels",
            "then write a txasterisk.toml for a PBX of your own: see README.rst",
        ):
            _log.info("{line}", line=line)


async def _to_fastagi(call: DialplanCall) -> None:
    await call.agi(f"agi://{LOOPBACK}:{call.get('FASTAGI_PORT')}/greet")
    await call.hangup()


async def _to_stasis(call: DialplanCall) -> None:
    await call.stasis("hello")
    await call.hangup()
