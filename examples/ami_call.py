"""
Place a call over AMI, hang it up, and ask what is left.

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

    call = await ami.originate("Local/answer@txasterisk", application="Wait", data=60)
    await call.hangup(16)
    hangup = await call.when_hung_up()
    print("it ended with", hangup["Cause-txt"])

    calls = await ami.core_show_channels()
    print(len(calls.events) - 1, "channels now")
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
