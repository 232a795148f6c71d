"""How a command is asked of Asterisk, and what its failures and the hangup become."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NoReturn, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from .._milestone import Milestone
from .._reactor import the_reactor
from ..errors import AsteriskError, CommandFailed, Disconnected, HungUp
from .arguments import Argument
from .messages import Command, Environment, Reply

__all__ = ["ALLOWED_AFTER_HANGUP", "GONE", "Asking", "Carrier"]

#: What Asterisk still does after the caller has hung up; everything else it answers with 511.
ALLOWED_AFTER_HANGUP: Final = frozenset(
    {
        "ASYNCAGI BREAK",
        "DATABASE DEL",
        "DATABASE DELTREE",
        "DATABASE GET",
        "DATABASE PUT",
        "EXEC",
        "GET FULL VARIABLE",
        "GET VARIABLE",
        "NOOP",
        "SET VARIABLE",
        "SPEECH DESTROY",
        "SPEECH UNLOAD GRAMMAR",
        "VERBOSE",
    }
)

_SUCCESS: Final = 200
_DEAD_CHANNEL: Final = 511
#: What :class:`HungUp` says.
GONE: Final = "the caller has hung up"

#: How many verbs may fail at once in a session, which is more than any clean-up has.
PATIENCE: Final = 1000
#: Seconds until each later one fails.
PAUSE: Final = 1.0

T = TypeVar("T")


class Carrier(Protocol):
    """
    What brings commands to Asterisk and replies back: a connection, a pipe, or AMI.

    It also tells the session when the caller hangs up (:meth:`Asking.notice_hangup`) and when
    no more commands can be sent (:meth:`Asking.notice_end`).

    :ivar line_limit: the longest command that it can send, in bytes.
    """

    line_limit: int

    def send(self, command: Command) -> Deferred[Reply]:
        """
        Send a command when all before it have been answered.

        :return: fires with the reply, whatever its code; fails with
            :class:`LocalProtocolError` for what cannot be sent, and with
            :class:`Disconnected` when no reply can come any more. Cancelling
            takes back a command that still waits; the reply to one already sent is thrown away.
        """


class Asking:
    """
    A call that takes commands; what the verbs of :class:`AGISession` have in common.

    :param carrier: what brings the commands to Asterisk.
    :param environment: what Asterisk said about the call.
    :ivar telling: makes the context in which the hangup is told; for who runs the script.
    """

    def __init__(self, carrier: Carrier, environment: Environment) -> None:
        self.environment = environment
        self.telling: Callable[[], AbstractContextManager[None]] = nullcontext
        self._carrier = carrier
        self._hangup: Milestone[None] = Milestone()
        self._hung_up = False
        self._refused = 0

    # The caller

    @property
    def hung_up(self) -> bool:
        """Whether the caller is known to be gone."""
        return self._hung_up

    def when_hung_up(self) -> Deferred[None]:
        """
        Wait for the caller to hang up.

        :return: a Deferred of its own for each caller, which fires with None, and fails with
            :class:`Disconnected` if the session ends before. Cancelling it
            disturbs nobody else.
        """
        return self._hangup.when()

    def notice_hangup(self) -> None:
        """Take note that the caller is gone; for carriers."""
        if not self._hung_up:
            self._hung_up = True
            with self.telling():
                self._hangup.reach(None)

    def notice_end(self, error: Disconnected) -> None:
        """Take note that no more commands can be sent; for carriers."""
        self._hangup.miss(error)

    # Commands

    def command(self, name: str, *arguments: Argument) -> Deferred[Reply]:
        """
        Send any command, by Asterisk's name for it.

        :param name: such as ``CHANNEL STATUS``.
        :param arguments: what follows the name; each is quoted.
        :return: fires with the reply if its code is 200, and fails like all verbs; a result of -1
            is not looked at.
        """
        return self._ask(_whole, name, *arguments)

    def _ask(self, make: Callable[[Reply], T], name: str, *arguments: Argument) -> Deferred[T]:
        """Fire with what ``make`` makes of the reply."""
        return self._send(name, arguments).addCallback(self._read, make, name)

    def _try(self, make: Callable[[Reply], T], name: str, *arguments: Argument) -> Deferred[T]:
        """Do like :meth:`_ask`, and fail if the result is -1."""
        return self._send(name, arguments).addCallback(self._unless_failed, make, name)

    def _confirm(self, name: str, *arguments: Argument) -> Deferred[None]:
        """Do like :meth:`_ask`, and fail unless the result is 1."""
        return self._ask(_whole, name, *arguments).addCallback(_confirmed, name)

    def _if_still_there(self, value: T) -> Deferred[T]:
        """
        Fire with ``value``, or fail if the caller is gone.

        Asterisk knows by now which, and after a hangup it refuses this harmless command.
        """
        return self.command("CHANNEL STATUS").addCallback(lambda _: value)

    def _send(self, name: str, arguments: tuple[Argument, ...]) -> Deferred[Reply]:
        if self._hung_up and name.upper() not in ALLOWED_AFTER_HANGUP:
            return self._slowly(fail(HungUp(GONE)))
        answer = self._carrier.send(Command(name, *arguments))
        return self._slowly(answer) if answer.called else answer

    def _slowly(self, refused: Deferred[T]) -> Deferred[T]:
        """
        Have what has failed at once, and for the thousandth time, fail later.

        A script that tries again whatever happens would never let go of the process.
        """
        self._refused += 1
        if self._refused <= PATIENCE:
            return refused
        return Deferred.fromCoroutine(_after_a_pause(refused))

    def _read(self, reply: Reply, make: Callable[[Reply], T], name: str) -> T:
        if reply.code == _SUCCESS:
            return make(reply)
        if reply.code == _DEAD_CHANNEL:
            self.notice_hangup()
            raise HungUp(GONE)
        raise CommandFailed(name, reply, str(reply))

    def _unless_failed(
        self, reply: Reply, make: Callable[[Reply], T], name: str
    ) -> T | Deferred[T]:
        if reply.result != "-1" or reply.code != _SUCCESS:
            return self._read(reply, make, name)
        # It may mean that the caller hung up, or that there is no such sound.
        failed = CommandFailed(name, reply, str(reply))
        # Over AsyncAGI a command that fails is the last one, so that nobody can be asked.
        asked = self._if_still_there(failed).addErrback(_unless_asked, failed)
        return asked.addCallback(_fail)


def _unless_asked(failure: Failure, error: CommandFailed) -> CommandFailed:
    failure.trap(Disconnected)
    return error


async def _after_a_pause(refused: Deferred[T]) -> T:
    try:
        return await refused
    except AsteriskError:
        await deferLater(the_reactor(), PAUSE)
        raise


def _fail(error: CommandFailed) -> NoReturn:
    raise error


def _whole(reply: Reply) -> Reply:
    return reply


def _confirmed(reply: Reply, name: str) -> None:
    if reply.result != "1":
        raise CommandFailed(name, reply, str(reply))
