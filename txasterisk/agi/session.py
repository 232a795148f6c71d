"""
One call under AGI: a verb for each command, whatever carries it.

The verbs are thin: each makes a command, and a small value of its reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail

from .._milestone import Milestone
from ..errors import (
    CommandFailed,
    Disconnected,
    HungUp,
    LocalProtocolError,
    RemoteProtocolError,
)
from .messages import Argument, Command, Environment, Milliseconds, Reply

__all__ = ["AGISession", "Carrier", "Digits", "Played"]

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

_DEAD_CHANNEL: Final = 511
#: What GET DATA takes for its own time limits.
_DEFAULT: Final = 0
_NO_APPLICATION: Final = -2
#: What :class:`HungUp` says.
GONE: Final = "the caller has hung up"

T = TypeVar("T")


class Carrier(Protocol):
    """
    What brings commands to Asterisk and replies back: a connection, a pipe, or AMI.

    It also tells the session when the caller hangs up (:meth:`AGISession.notice_hangup`) and when
    no more commands can be sent (:meth:`AGISession.notice_end`).
    """

    def send(self, command: Command) -> Deferred[Reply]:
        """
        Send a command when all before it have been answered.

        :return: fires with the reply, whatever its code; fails with
            :class:`LocalProtocolError` for what cannot be sent, and with
            :class:`Disconnected` when no reply can come any more. Cancelling
            takes back a command that still waits; the reply to one already sent is thrown away.
        """


class Played(NamedTuple):
    """
    How playing a sound ended.

    :ivar digit: the key that stopped it, or None if it came to its end or was stopped through AMI.
    :ivar endpos: how far it was played, in samples of the file.
    """

    digit: str | None
    endpos: int


class Digits(NamedTuple):
    """
    What the caller entered.

    :ivar digits: the keys, without the ``#`` that ended them; possibly none.
    :ivar timed_out: whether the time ran out before ``#`` or the last digit wanted.
    """

    digits: str
    timed_out: bool


class AGISession:
    """
    One call, as long as AGI has it.

    Every verb returns a Deferred, to be awaited or not; commands are sent one after the other in
    the order of the calls, each when the one before it has been answered. All verbs fail with

    - :class:`CommandFailed` if Asterisk could not do it,
    - :class:`HungUp` if the caller is gone; the commands that still work then
      (:meth:`get_variable`, :meth:`set_variable`, :meth:`exec`, :meth:`verbose`, ...) just do,
    - :class:`Disconnected` if the connection went before the answer came,
    - :class:`LocalProtocolError` if an argument holds a line end or a NUL, or
      is too long for Asterisk; nothing was sent.

    Cancelling the Deferred of a verb takes the command back if it has not been sent yet. Once it
    has, Asterisk goes on with it (AGI cannot recall a command), its reply is thrown away, and the
    next command waits for that.

    :param carrier: what brings the commands to Asterisk.
    :param environment: what Asterisk said about the call.
    :ivar parameters: what the call's path has in place of the ``{names}`` in that of its route.
    :ivar telling: makes the context in which the hangup is told; for who runs the script.
    """

    parameters: Mapping[str, str] = MappingProxyType({})

    def __init__(self, carrier: Carrier, environment: Environment) -> None:
        self.environment = environment
        self.telling: Callable[[], AbstractContextManager[None]] = nullcontext
        self._carrier = carrier
        self._hangup: Milestone[None] = Milestone()
        self._hung_up = False

    def __repr__(self) -> str:
        state = ", hung up" if self._hung_up else ""
        environment = self.environment
        return f"<AGISession with {environment.channel} ({environment.uniqueid}){state}>"

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

    def answer(self) -> Deferred[None]:
        """
        Answer the call; harmless if it is answered already (``ANSWER``).

        :return: fires with None when it is up.
        """
        return self._try(_nothing, "ANSWER")

    def hangup(self, channel: str | None = None) -> Deferred[None]:
        """
        Hang up (``HANGUP``).

        :param channel: the name of another channel; by default this call.
        :return: fires with None when it is on its way; :attr:`hung_up` follows a moment later.
        """
        arguments = () if channel is None else (channel,)
        return self._try(_nothing, "HANGUP", *arguments)

    def noop(self) -> Deferred[None]:
        """
        Do nothing, which tells that all before it is done (``NOOP``).

        :return: fires with None.
        """
        return self._ask(_nothing, "NOOP")

    def verbose(self, message: str, level: int = 1) -> Deferred[None]:
        """
        Write a line to the console of Asterisk (``VERBOSE``).

        :param message: the line.
        :param level: shown if the console is at least this verbose, 0 to 4.
        :return: fires with None.
        """
        return self._ask(_nothing, "VERBOSE", message, level)

    def get_variable(self, name: str) -> Deferred[str | None]:
        """
        Read a variable of the channel, or a dialplan function (``GET VARIABLE``).

        Asterisk cuts the value after 1023 bytes; :meth:`get_full_variable` has no such limit.

        :param name: such as ``EXTEN`` or ``CALLERID(num)``, without ``${}``.
        :return: fires with the value, or None for a variable that is not set.
        """
        return self._ask(_value, "GET VARIABLE", name)

    def get_full_variable(self, expression: str, channel: str | None = None) -> Deferred[str]:
        """
        Have an expression of the dialplan worked out (``GET FULL VARIABLE``).

        :param expression: such as ``${EXTEN:1}``; a variable that is not set is empty.
        :param channel: the name of another channel; by default this call.
        :return: fires with the text.
        """
        arguments = (expression,) if channel is None else (expression, channel)
        return self._ask(_expression, "GET FULL VARIABLE", *arguments)

    def set_variable(self, name: str, value: str | int) -> Deferred[None]:
        """
        Set a variable of the channel, or write a dialplan function (``SET VARIABLE``).

        :param name: such as ``RESULT`` or ``CALLERID(name)``; ``_`` and ``__`` in front make new
            channels inherit it.
        :param value: stored as it is; nothing in it is expanded.
        :return: fires with None.
        """
        return self._ask(_nothing, "SET VARIABLE", name, value)

    def exec(self, application: str, options: str = "") -> Deferred[int]:
        """
        Run an application of the dialplan (``EXEC``).

        :param application: such as ``Playback``.
        :param options: its arguments as in the dialplan, separated by commas.
        :return: fires with the number that the application returned, usually 0. Fails with
            :class:`CommandFailed` for -1 (it failed) and -2 (there is no such
            application).
        """
        return self._try(_application_result, "EXEC", application, options)

    # Sound and keys

    def stream_file(
        self, filename: str, escape_digits: str = "", offset: int = 0
    ) -> Deferred[Played]:
        """
        Play a sound (``STREAM FILE``).

        :param filename: without extension, as Asterisk finds sounds.
        :param escape_digits: the keys that stop it.
        :param offset: where to begin, in samples of the file.
        :return: fires when it is over; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        arguments = (filename, escape_digits, offset) if offset else (filename, escape_digits)
        return self._try(_played, "STREAM FILE", *arguments)

    def get_data(
        self, filename: str = "", timeout: float | None = None, max_digits: int | None = None
    ) -> Deferred[Digits]:
        """
        Play a sound and collect what the caller enters, up to ``#`` (``GET DATA``).

        :param filename: the prompt, without extension; a key stops it. Empty for none.
        :param timeout: the most seconds to wait for the first digit, and then for each next one;
            ``math.inf`` for ever. By default 6 for the first and 2 for each next.
        :param max_digits: how many digits are enough, at least 1.
        :return: fires with the digits; fails with :class:`CommandFailed` if
            there is no such sound.
        """
        limit = _DEFAULT if timeout is None else Milliseconds(timeout)
        if max_digits is None:
            return self._try(_digits, "GET DATA", filename, limit)
        if max_digits < 1:
            return fail(LocalProtocolError("GET DATA cannot collect less than one digit"))
        return self._try(_digits, "GET DATA", filename, limit, max_digits)

    def wait_for_digit(self, timeout: float) -> Deferred[str | None]:
        """
        Wait for one key (``WAIT FOR DIGIT``).

        :param timeout: the most seconds to wait; ``math.inf`` for ever.
        :return: fires with the key, or None when the time is up.
        """
        return self._try(_digit, "WAIT FOR DIGIT", Milliseconds(timeout))

    # How all of them work

    def _ask(self, make: Callable[[Reply], T], name: str, *arguments: Argument) -> Deferred[T]:
        """Fire with what ``make`` makes of the reply."""
        if self._hung_up and name.upper() not in ALLOWED_AFTER_HANGUP:
            return fail(HungUp(GONE))
        return self._carrier.send(Command(name, *arguments)).addCallback(self._read, make, name)

    def _try(self, make: Callable[[Reply], T], name: str, *arguments: Argument) -> Deferred[T]:
        """Do like :meth:`_ask`, and fail if the result is -1."""
        return self._ask(_whole, name, *arguments).addCallback(self._unless_failed, make, name)

    def _read(self, reply: Reply, make: Callable[[Reply], T], name: str) -> T:
        if reply.code == 200:
            return make(reply)
        if reply.code == _DEAD_CHANNEL:
            self.notice_hangup()
            raise HungUp(GONE)
        raise CommandFailed(name, reply, str(reply))

    def _unless_failed(
        self, reply: Reply, make: Callable[[Reply], T], name: str
    ) -> T | Deferred[T]:
        if reply.result != "-1":
            return make(reply)
        # It may mean that the caller hung up, or that there is no such sound. Asterisk knows by
        # now which, and after a hangup it refuses this harmless command.
        failed = CommandFailed(name, reply, str(reply))
        return self.command("CHANNEL STATUS").addCallback(_fail_instead, failed)


def _fail_instead(_: Reply, error: CommandFailed) -> NoReturn:
    raise error


def _whole(reply: Reply) -> Reply:
    return reply


def _nothing(_: Reply) -> None:
    return None


def _value(reply: Reply) -> str | None:
    return None if reply.result == "0" else reply.text


def _expression(reply: Reply) -> str:
    if reply.text is None:
        raise CommandFailed("GET FULL VARIABLE", reply, "no such channel")
    return reply.text


def _application_result(reply: Reply) -> int:
    if reply.number == _NO_APPLICATION:
        raise CommandFailed("EXEC", reply, "no such application")
    return reply.number


def _played(reply: Reply) -> Played:
    if reply.endpos is None:
        raise RemoteProtocolError(f"no end position in the AGI reply: {reply}")
    return Played(reply.digit, reply.endpos)


def _digits(reply: Reply) -> Digits:
    return Digits(reply.result, timed_out=reply.tail == "(timeout)")


def _digit(reply: Reply) -> str | None:
    return reply.digit
