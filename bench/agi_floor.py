"""The floor of FastAGI: the simplest complete server on Twisted, without verbs and limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from bench.usage import serve

__all__ = ["script"]


class Answer(NamedTuple):
    """A reply, taken apart."""

    code: int
    result: str
    text: str


class Gone(Exception):
    """The caller has hung up, or the connection is lost."""


async def script(command: Callable[..., Any]) -> None:
    """Do what all scripts of this benchmark do, without verbs."""
    await command("ANSWER")
    await command("GET VARIABLE", "EXTEN")
    await command("GET VARIABLE", "CALLERID(all)")
    await command("SET VARIABLE", "GREETED", "yes")
    await command("STREAM FILE", "hello-world", "")
    await command("GET DATA", "vm-password", 5000, 4)
    await command("SET VARIABLE", "WANTED", "4242")
    await command("EXEC", "NoOp", "wanted")
    await command("VERBOSE", "the caller has been greeted", 1)
    await command("NOOP")


class Floor(Protocol):
    """Reads the environment, runs the script, and sends a command at a time."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.hung_up = False
        self._rest = b""
        self._described = False
        self._outstanding: Deferred[Answer] | None = None
        self._waiting: deque[tuple[bytes, Deferred[Answer]]] = deque()

    def command(self, name: str, *arguments: object) -> Deferred[Answer]:
        """Send a command when those before it are answered."""
        line = name
        for argument in arguments:
            text = str(argument).replace("\\", "\\\\").replace('"', '\\"')
            if "\n" in text:
                raise ValueError("a line end cannot be sent")
            line += f' "{text}"'
        answer: Deferred[Answer] = Deferred()
        if self._outstanding is None:
            self._send(line.encode() + b"\n", answer)
        else:
            self._waiting.append((line.encode() + b"\n", answer))
        return answer

    def _send(self, line: bytes, answer: Deferred[Answer]) -> None:
        self._outstanding = answer
        assert self.transport is not None
        self.transport.write(line)

    def dataReceived(self, data: bytes) -> None:
        """Take the lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            line = raw.decode("utf-8", "surrogateescape")
            if not self._described:
                self._describe(line)
            elif line == "HANGUP":
                self.hung_up = True
            elif self._outstanding is not None:
                self._answered(line)

    def _describe(self, line: str) -> None:
        if line:
            name, _, value = line.partition(": ")
            self.environment[name] = value
        else:
            self._described = True
            Deferred.fromCoroutine(script(self.command)).addBoth(self._ended)

    def _answered(self, line: str) -> None:
        code, _, rest = line.partition(" ")
        result, _, text = rest.removeprefix("result=").partition(" ")
        answer, self._outstanding = self._outstanding, None
        if self._waiting:
            self._send(*self._waiting.popleft())
        assert answer is not None
        if code == "200":
            answer.callback(Answer(int(code), result, text))
        else:
            answer.errback(Gone() if code == "511" else ValueError(line))

    def _ended(self, _: object) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail the command that waits."""
        if self._outstanding is not None:
            self._outstanding.errback(Gone())


def main() -> None:
    """Serve."""
    reactor: Any = installed
    factory = Factory.forProtocol(Floor)
    factory.noisy = False
    serve(reactor.listenTCP(0, factory, 1000, "127.0.0.1").getHost().port)
    reactor.run()


if __name__ == "__main__":
    main()
