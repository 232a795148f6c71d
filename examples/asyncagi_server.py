"""
Answer AsyncAGI calls in a program of your own, over its AMI link.

    python asyncagi_server.py tcp:localhost:5038

The dialplan brings calls here by ``AGI(agi:async,/greet)``.
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import AGISession, AMIService, AsyncAGIService


async def greet(call: AGISession) -> None:
    await call.answer()
    entered = await call.get_data("vm-password", timeout=5, max_digits=4)
    await call.set_variable("WANTED", entered.digits)


async def main(reactor: object, description: str = "tcp:localhost:5038") -> None:
    ami = AMIService(clientFromString(reactor, description), "admin", "secret")
    service = AsyncAGIService(ami, {"/greet": greet})
    service.startService()
    connection = await ami.when_connected()
    print("connected to AMI", connection.version)
    await Deferred[None]()


if __name__ == "__main__":
    react(main, sys.argv[1:])
