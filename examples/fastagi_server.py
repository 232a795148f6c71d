"""
Answer FastAGI calls in a program of your own.

    python fastagi_server.py tcp:4573:interface=127.0.0.1
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react

from txasterisk import AGISession, FastAGIFactory


async def greet(call: AGISession) -> None:
    await call.answer()
    entered = await call.get_data("vm-password", timeout=5, max_digits=4)
    await call.set_variable("WANTED", entered.digits)


async def greet_by_name(call: AGISession) -> None:
    await call.verbose(f"greeting {call.parameters['name']}")
    await greet(call)


async def main(reactor: object, description: str = "tcp:4573:interface=127.0.0.1") -> None:
    endpoint = serverFromString(reactor, description)
    factory = FastAGIFactory({"/greet": greet})
    factory.route("/greet/{name}", greet_by_name, limit=10)
    port = await endpoint.listen(factory)
    print("listening on", port.getHost())
    await Deferred[None]()


if __name__ == "__main__":
    react(main, sys.argv[1:])
