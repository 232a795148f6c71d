"""
Hear of events over AMI, and send one.

    python ami_events.py tcp:127.0.0.1:5038
"""

import sys

from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import AMIFactory, Event


def tell(event: Event) -> None:
    print(event.name, event["Channel"])


async def main(reactor: object, description: str = "tcp:127.0.0.1:5038") -> None:
    endpoint = clientFromString(reactor, description)
    ami = await AMIFactory("admin", "secret").connect(endpoint)

    lunch = ami.next("UserEvent", UserEvent="Lunch", timeout=10)
    await ami.action("UserEvent", {"UserEvent": "Lunch", "Until": "13:00"})
    print("lunch until", (await lunch)["Until"])

    with ami.on(["Newchannel", "Newstate"], tell), ami.stream("Hangup", Cause="17") as hangups:
        call = await ami.originate("Local/answer@txasterisk", application="Wait", data=60)
        await call.hangup(17)
        async for hangup in hangups:
            print("it ended with", hangup["Cause-txt"])
            break
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
