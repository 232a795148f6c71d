"""
Answer the calls of the Stasis application "hello".

    python stasis_application.py http://127.0.0.1:8088/ari
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from txasterisk import Application, ARIClient, ARIService, Call

application = Application("hello")


@application.call
async def hello(call: Call) -> None:
    await call.answer()
    await call.play("sound:hello-world")
    digit = await call.gather(prompt="sound:vm-password", max_digits=1, timeout=5)
    if digit == "1":
        await call.continue_in_dialplan()
    else:
        await call.hangup()


async def main(reactor: object, url: str = "http://127.0.0.1:8088/ari") -> None:
    client = ARIClient(url, "admin", "secret", reactor=reactor)
    service = ARIService(client, [application])
    service.startService()
    await service.when_connected()
    print("connected")
    await Deferred[None]()


if __name__ == "__main__":
    react(main, sys.argv[1:])
