"""txasterisk as the server of ``bench/agi.py``, with all its limits."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as installed

from bench.usage import serve
from txasterisk import AGISession, FastAGIFactory


async def script(call: AGISession) -> None:
    """Do what all scripts of this benchmark do."""
    await call.answer()
    await call.get_variable("EXTEN")
    await call.get_variable("CALLERID(all)")
    await call.set_variable("GREETED", "yes")
    await call.stream_file("hello-world")
    entered = await call.get_data("vm-password", 5, 4)
    await call.set_variable("WANTED", entered.digits)
    await call.exec("NoOp", "wanted")
    await call.verbose("the caller has been greeted")
    await call.noop()


def main() -> None:
    """Serve."""
    reactor: Any = installed
    factory = FastAGIFactory({"/bench": script})
    serve(reactor.listenTCP(0, factory, 1000, "127.0.0.1").getHost().port)
    reactor.run()


if __name__ == "__main__":
    main()
