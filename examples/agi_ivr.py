"""
A small voice menu over FastAGI: order by number, leave a message, or talk to someone.

    python agi_ivr.py tcp:4573:interface=127.0.0.1
"""

import sys
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react

from txasterisk import AGISession, FastAGIFactory
from txasterisk.agi import Digitwise

ARTICLES = {"1234": "a kettle", "2345": "a cup"}


async def ivr(call: AGISession) -> None:
    await call.answer()
    steps = {"1": order, "2": leave_message, "3": talk}
    while step := await call.menu(
        steps,
        prompt=["hello", datetime.now().time(), "demo-instruct"],
        retries=1,
        invalid="invalid",
    ):
        await step(call)
    await call.play("goodbye")
    await call.hangup()


async def order(call: AGISession) -> None:
    number = await call.gather(
        max_digits=4,
        prompt=["vm-password", "beep"],
        valid=lambda digits: digits in ARTICLES,
        retries=2,
        invalid="please-try-again",
    )
    if number is not None:
        print(number, "was ordered by", call.environment.callerid)
        await call.say(Digitwise(number), "auth-thankyou")


async def leave_message(call: AGISession) -> None:
    name = f"/tmp/message-{call.environment.uniqueid}"
    message = await call.record(name, max_seconds=60, silence=5)
    print("a message of", message.seconds, "seconds:", name)


async def talk(call: AGISession) -> None:
    talked = await call.dial("PJSIP/alice", "PJSIP/bob", timeout=20)
    if talked.status != "ANSWER":
        await call.play("queue-thankyou")


async def main(reactor: object, description: str = "tcp:4573:interface=127.0.0.1") -> None:
    endpoint = serverFromString(reactor, description)
    port = await endpoint.listen(FastAGIFactory({"/ivr": ivr}))
    print("listening on", port.getHost())
    await Deferred[None]()


if __name__ == "__main__":
    react(main, sys.argv[1:])
