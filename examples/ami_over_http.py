"""
Do over HTTP what ami_call.py does over a connection, where only HTTP gets through.

    python ami_over_http.py http://127.0.0.1:8088
"""

import sys

from twisted.internet.task import react

from txasterisk.ami import AMIHTTPFactory


async def main(_reactor: object, url: str = "http://127.0.0.1:8088") -> None:
    ami = await AMIHTTPFactory("admin", "secret").connect(url)
    ami.on(["Newchannel", "Hangup"], lambda event: print(event.name, event["Channel"]))

    hangup = ami.next("Hangup", timeout=30)
    call = {"Channel": "Local/hangup@txasterisk", "Application": "Wait", "Data": 1, "Async": True}
    await ami.action("Originate", call)
    print("it ended with", (await hangup)["Cause-txt"])
    await ami.logoff()


if __name__ == "__main__":
    react(main, sys.argv[1:])
