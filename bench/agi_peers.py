"""Another library as the server of ``bench/agi.py``, used as its documentation says."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from bench.usage import serve


async def script(request: Any) -> None:
    """Do what all scripts of this benchmark do."""
    send = request.send_command
    await send("ANSWER")
    await send('GET VARIABLE "EXTEN"')
    await send('GET VARIABLE "CALLERID(all)"')
    await send('SET VARIABLE "GREETED" "yes"')
    await send('STREAM FILE "hello-world" ""')
    entered = await send('GET DATA "vm-password" 5000 4')
    await send(f'SET VARIABLE "WANTED" "{entered["result"][0]}"')
    await send('EXEC "NoOp" "wanted"')
    await send('VERBOSE "the caller has been greeted" 1')
    await send("NOOP")


async def main() -> None:
    """Serve."""
    library = import_module("panoramisk.fast_agi")
    application = library.Application(loop=asyncio.get_running_loop())
    application.add_route("bench", script)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=1000)
    serve(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
