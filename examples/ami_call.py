"""
Place a call over AMI, follow it to its end, and ask what is left.

    python ami_call.py tcp:127.0.0.1:5038
"""

import sys

from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import AMIFactory


async def main(reactor: object, description: str = "tcp:127.0.0.1:5038") -> None:
    endpoint = clientFromString(reactor, description)
    ami = await AMIFactory("admin", "secret").connect(endpoint)
    ami.on(["Newchannel", "Hangup"], lambda event: print(event.name, event["Channel"]))

    hangup = ami.next("Hangup", timeout=30)
    call = {"Channel": "Local/hangup@txasterisk", "Application": "Wait", "Data": 1, "Async": True}
    await ami.action("Originate", call)
    print("it ended with", (await hangup)["Cause-txt"])

    calls = await ami.action("CoreShowChannels")
    print(len(calls.events) - 1, "channels now")
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
