"""
Stay connected to one PBX or several, and say how many channels each has.

    python ami_service.py tcp:127.0.0.1:5038 tcp:192.0.2.1:5038
"""

import sys

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import clientFromString
from twisted.internet.task import react

from txasterisk import AMIService, Disconnected


async def watch(pbx: AMIService) -> None:
    with pbx.stream(["Gap", "Newchannel", "Hangup"]) as events:
        await pbx.when_connected()
        channels = await names(pbx)
        print(pbx.label, "has", len(channels), "channels")
        async for event in events:
            if event.name == "Gap":
                print(pbx.label, "was away")
                channels = await names(pbx)
            elif event.name == "Newchannel":
                channels.add(event["Uniqueid"])
            else:
                channels.discard(event["Uniqueid"])
            print(pbx.label, "has", len(channels), "channels")


async def names(pbx: AMIService) -> set[str]:
    """What channels there are; none if the link was lost again, for then another Gap will come."""
    try:
        return {channel["Uniqueid"] async for channel in pbx.list("CoreShowChannels")}
    except Disconnected:
        return set()


async def main(reactor: object, *descriptions: str) -> None:
    program = MultiService()
    for description in descriptions:
        endpoint = clientFromString(reactor, description)
        pbx = AMIService(endpoint, "admin", "secret", events="call", label=description)
        pbx.setServiceParent(program)
    program.startService()
    await gatherResults([Deferred.fromCoroutine(watch(pbx)) for pbx in program])


if __name__ == "__main__":
    react(main, sys.argv[1:])
