"""
Ask Asterisk for lists, and read what it has escaped.

    python ami_lists.py tcp:127.0.0.1:5038
"""

import re
import sys

from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import ActionFailed, AMIFactory

ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPED.get(found[1], found[1]), value)


async def main(reactor: object, description: str = "tcp:127.0.0.1:5038") -> None:
    endpoint = clientFromString(reactor, description)
    ami = await AMIFactory("admin", "secret", events="call").connect(endpoint)
    caller = '"Who\'s there?" <100>'
    call = await ami.originate(
        "Local/answer@txasterisk", application="Wait", data=60, caller_id=caller
    )

    calls = await ami.core_show_channels()
    print(len(calls.events) - 1, "channels now")

    async for channel in ami.list("CoreShowChannels", timeout=10):
        print(channel["Channel"], "of", unescaped(channel["CallerIDName"]))

    variable = await ami.getvar(channel=call.channel, variable="CALLERID(num)")
    print("its number is", variable["Value"])

    for line in await ami.command("core show channels"):
        print(line)

    await call.hangup()
    await call.when_hung_up()
    try:
        await ami.hangup(channel="Local/nobody@txasterisk")
    except ActionFailed as error:
        print(error.message)
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
