"""
Place a call over AMI, and follow it until it is over.

    python ami_follow.py tcp:127.0.0.1:5038
"""

import sys

from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import AMIFactory
from txasterisk.errors import CallFailed


async def main(reactor: object, description: str = "tcp:127.0.0.1:5038") -> None:
    endpoint = clientFromString(reactor, description)
    ami = await AMIFactory("admin", "secret").connect(endpoint)

    call = await ami.originate(
        "Local/answer@txasterisk",
        context="txasterisk",
        exten="echo",
        caller_id='"Reception" <100>',
        variables={"ORDER": 17, "NOTE": 'fragile, "this way up"'},
    )
    print("answered by", call.channel)
    await call.hangup(16)
    hangup = await call.when_hung_up()
    print("it ended with", hangup["Cause-txt"])

    call = ami.new_call()
    call.on("Newchannel", lambda event: print("calling over", event["Channel"]))
    try:
        await call.originate("Local/busy@txasterisk", application="Wait", data=60, timeout=20)
    except CallFailed as error:
        print("nobody answered:", error.reason)
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
