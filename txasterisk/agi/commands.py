"""Verbs for the call itself: its state, its variables, the dialplan, and Asterisk's database."""

from __future__ import annotations

from base64 import b64encode
from typing import Final, Literal

from twisted.internet.defer import Deferred, fail

from ..errors import CommandFailed, LocalProtocolError
from .arguments import Number, Priority, Seconds, Short
from .asking import Asking
from .messages import Reply
from .results import ChannelState, nothing, value

__all__ = ["Commands"]

#: The most bytes of a value. Asterisk works it out on the stack of the call's thread, which half a
#: megabyte overruns; that ends the whole process.
MAX_VALUE: Final = 32_768
#: So many bytes of a value are sent at a time; encoded, they fit into a command over any carrier.
PIECE: Final = 480

#: What Asterisk keeps of the name of a context or an extension, and reads of a caller.
_NAME_BYTES: Final = 79
_CALLERID_BYTES: Final = 255

_NO_APPLICATION: Final = -2


class Commands(Asking):
    """The commands for the call itself."""

    # The call

    def answer(self) -> Deferred[None]:
        """
        Answer the call; harmless if it is answered already (``ANSWER``).

        :return: fires with None when it is up.
        """
        return self._try(nothing, "ANSWER")

    def hangup(self, channel: str | None = None) -> Deferred[None]:
        """
        Hang up (``HANGUP``).

        :param channel: the name of another channel; by default this call.
        :return: fires with None when it is on its way; ``hung_up`` follows a moment later.
            Fails with :class:`CommandFailed` if there is no such channel.
        """
        arguments = () if channel is None else (channel,)
        return self._confirm("HANGUP", *arguments)

    def channel_status(self, channel: str | None = None) -> Deferred[ChannelState]:
        """
        Tell what a channel is at (``CHANNEL STATUS``).

        :param channel: the name of another channel; by default this call.
        :return: fires with the state; fails with :class:`CommandFailed` if there is no such
            channel.
        """
        arguments = () if channel is None else (channel,)
        return self._ask(ChannelState.read, "CHANNEL STATUS", *arguments)

    def set_autohangup(self, seconds: float) -> Deferred[None]:
        """
        Hang up by itself after a while (``SET AUTOHANGUP``).

        :param seconds: the time from now on; 0 takes it back.
        :return: fires with None.
        """
        return self._ask(nothing, "SET AUTOHANGUP", Seconds(seconds))

    def set_callerid(self, callerid: str) -> Deferred[None]:
        """
        Say who calls (``SET CALLERID``).

        :param callerid: such as ``"Alice" <100>``, or only a number; empty for nobody.
        :return: fires with None.
        """
        return self._ask(nothing, "SET CALLERID", Short(callerid, _CALLERID_BYTES))

    def set_music(
        self, switch: Literal["on", "off"], music_class: str | None = None
    ) -> Deferred[None]:
        """
        Begin to play music on hold, or end it (``SET MUSIC``).

        :param switch: ``on`` or ``off``.
        :param music_class: which music; by default that of the channel.
        :return: fires with None, whether there is such music or not.
        """
        arguments = (switch,) if music_class is None else (switch, music_class)
        return self._ask(nothing, "SET MUSIC", *arguments)

    def noop(self) -> Deferred[None]:
        """
        Do nothing, which tells that all before it is done (``NOOP``).

        :return: fires with None.
        """
        return self._ask(nothing, "NOOP")

    def verbose(self, message: str, level: int = 1) -> Deferred[None]:
        """
        Write a line to the console of Asterisk (``VERBOSE``).

        :param message: the line.
        :param level: shown if the console is at least this verbose, 0 to 4.
        :return: fires with None.
        """
        return self._ask(nothing, "VERBOSE", message, Number(level))

    def asyncagi_break(self) -> Deferred[None]:
        """
        Let the call go on in the dialplan, if it is under AsyncAGI (``ASYNCAGI BREAK``).

        :return: fires with None.
        """
        return self._ask(nothing, "ASYNCAGI BREAK")

    # Variables

    def get_variable(self, name: str) -> Deferred[str | None]:
        """
        Read a variable of the channel, or a dialplan function (``GET VARIABLE``).

        Asterisk cuts the value after 1023 bytes; :meth:`get_full_variable` has no such limit.

        :param name: such as ``EXTEN`` or ``CALLERID(num)``, without ``${}``.
        :return: fires with the value, or None for a variable that is not set.
        """
        return self._ask(value, "GET VARIABLE", name)

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
        return self._ask(nothing, "SET VARIABLE", name, value)

    def set_full_variable(self, name: str, value: str) -> Deferred[None]:
        """
        Set a variable to a text that :meth:`set_variable` cannot send: long, or with line ends.

        AGI has no command for that, so the dialplan decodes it piece by piece (``EXEC`` of
        ``Exec(Set(...))`` with ``BASE64_DECODE``).

        :param name: as for :meth:`set_variable`.
        :param value: up to 32 kB without a NUL.
        :return: fires with None; fails with :class:`CommandFailed` if Asterisk has no
            ``func_base64`` or ``app_exec``. Cancelling it may leave a part of the text behind.
        """
        return Deferred.fromCoroutine(self._set_full_variable(name, value))

    async def _set_full_variable(self, name: str, value: str) -> None:
        encoded = _encoded(name, value)
        await self._ask(_can_decode, "GET FULL VARIABLE", _decoded(b"x"))
        so_far = ""
        for at in range(0, len(encoded) or 1, PIECE):
            piece = _decoded(encoded[at : at + PIECE])
            await self.exec("Exec", f"Set({name}={so_far}{piece})")
            so_far = f"${{{name.lstrip('_')}}}"

    # The dialplan

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

    def gosub(
        self, context: str, extension: str, priority: int | str = 1, arguments: str = ""
    ) -> Deferred[bool]:
        """
        Run a routine of the dialplan (``GOSUB``).

        What it returns is in the variable ``GOSUB_RETVAL`` then.

        :param context: its context.
        :param extension: its extension.
        :param priority: a number or a label.
        :param arguments: its arguments as in the dialplan, separated by commas.
        :return: fires when it is over, with whether it came to its ``Return``; the session goes on
            in any case. Fails with :class:`CommandFailed` if there is no such place.
        """
        more = (arguments,) if arguments else ()
        ran = self._try(_returned, "GOSUB", context, extension, Priority(priority), *more)
        return ran.addCallback(self._returned_or_hung_up)

    def _returned_or_hung_up(self, returned: bool) -> bool | Deferred[bool]:
        # A hangup during the routine looks like one that went off otherwise.
        return returned or self._if_still_there(returned)

    def set_context(self, context: str) -> Deferred[None]:
        """
        Choose the context where the dialplan goes on after the session (``SET CONTEXT``).

        :param context: its name; whether there is one is not looked at.
        :return: fires with None.
        """
        return self._ask(nothing, "SET CONTEXT", Short(context, _NAME_BYTES))

    def set_extension(self, extension: str) -> Deferred[None]:
        """
        Choose the extension where the dialplan goes on after the session (``SET EXTENSION``).

        :param extension: its name; whether there is one is not looked at.
        :return: fires with None.
        """
        return self._ask(nothing, "SET EXTENSION", Short(extension, _NAME_BYTES))

    def set_priority(self, priority: int | str) -> Deferred[None]:
        """
        Choose the priority where the dialplan goes on after the session (``SET PRIORITY``).

        :param priority: a number, or a label.
        :return: fires with None; fails with :class:`CommandFailed` if there is no such label.
        """
        return self._ask(nothing, "SET PRIORITY", Priority(priority))

    # The database

    def database_get(self, family: str, key: str) -> Deferred[str | None]:
        """
        Read a value of Asterisk's database (``DATABASE GET``).

        :param family: the family of the key.
        :param key: the key.
        :return: fires with the value, or None if there is none.
        """
        return self._ask(value, "DATABASE GET", family, key)

    def database_put(self, family: str, key: str, value: str) -> Deferred[None]:
        """
        Write a value into Asterisk's database (``DATABASE PUT``).

        :param family: the family of the key.
        :param key: the key.
        :param value: the value.
        :return: fires with None; fails with :class:`CommandFailed` if that was not possible.
        """
        return self._confirm("DATABASE PUT", family, key, value)

    def database_del(self, family: str, key: str) -> Deferred[None]:
        """
        Delete a key of Asterisk's database; harmless if there is none (``DATABASE DEL``).

        :param family: the family of the key.
        :param key: the key.
        :return: fires with None; fails with :class:`CommandFailed` if that was not possible.
        """
        return self._confirm("DATABASE DEL", family, key)

    def database_deltree(self, family: str, keytree: str | None = None) -> Deferred[bool]:
        """
        Delete a family of Asterisk's database, or a part of it (``DATABASE DELTREE``).

        Mind that Asterisk takes ``_`` for any character: ``a_b`` deletes ``axb`` as well.

        :param family: the family.
        :param keytree: with ``x`` go the key ``x`` and those that begin with ``x/``; by default
            all of the family go.
        :return: fires with whether there was anything to delete.
        """
        arguments = (family,) if keytree is None else (family, keytree)
        if "" in arguments:
            return fail(LocalProtocolError("DATABASE DELTREE: an empty name deletes everything"))
        if "%" in "".join(arguments):
            return fail(LocalProtocolError("DATABASE DELTREE takes % for anything, and deletes it"))
        return self._ask(_deleted, "DATABASE DELTREE", *arguments)


def _encoded(name: str, value: str) -> bytes:
    try:
        encoded = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"the value of {name} is not text") from None
    if len(encoded) > MAX_VALUE or b"\0" in encoded:
        raise LocalProtocolError(f"the value of {name} has a NUL, or more than {MAX_VALUE} bytes")
    return encoded


def _decoded(piece: bytes) -> str:
    """Return what the dialplan makes this piece of."""
    return f"${{BASE64_DECODE({b64encode(piece).decode()})}}" if piece else ""


def _can_decode(reply: Reply) -> None:
    if reply.text != "x":
        raise CommandFailed("GET FULL VARIABLE", reply, "no function BASE64_DECODE")


def _expression(reply: Reply) -> str:
    if reply.text is None:
        raise CommandFailed("GET FULL VARIABLE", reply, "no such channel")
    return reply.text


def _application_result(reply: Reply) -> int:
    if reply.number == _NO_APPLICATION:
        raise CommandFailed("EXEC", reply, "no such application")
    return reply.number


def _returned(reply: Reply) -> bool:
    if reply.result != "0":
        raise CommandFailed("GOSUB", reply, str(reply))
    return reply.tail == "Gosub complete"


def _deleted(reply: Reply) -> bool:
    # Unlike everywhere else in the database, 0 is the success here.
    return reply.result == "0"
