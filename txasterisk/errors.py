"""
Every error that txasterisk raises, on its own or through a Deferred::

    AsteriskError
      ProtocolError
        LocalProtocolError     asked to send what the wire cannot carry
        RemoteProtocolError    the peer sent what cannot be parsed, or more than a limit
      Refused                  Asterisk understood and said no; its own words are kept
        LoginRefused           wrong name, wrong secret, or not allowed from here
        ActionFailed           AMI: ``Response: Error``
        CallFailed             AMI: an originated call was not answered
        CommandFailed          AGI: the command could not be done
        RequestFailed          ARI: an HTTP status of 400 or more
          BadRequest           400
          Forbidden            403
          NotFound             404, often simply: hung up in the meantime
          Conflict             409
          InvalidState         412
          Unprocessable        422
          ServerFailed         500 and above
      HungUp                   the caller is gone
      Disconnected             the connection went before the answer came
      TimedOut                 no answer within the time the caller gave
      EventsLost               a slow stream was cut
      ConfigurationError       a mistake in the configuration of ``twistd asterisk``

The errors that have more to tell than their text keep it as attributes.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ActionFailed",
    "AsteriskError",
    "BadRequest",
    "CallFailed",
    "CommandFailed",
    "ConfigurationError",
    "Conflict",
    "Disconnected",
    "EventsLost",
    "Forbidden",
    "HungUp",
    "InvalidState",
    "LocalProtocolError",
    "LoginRefused",
    "NotFound",
    "ProtocolError",
    "Refused",
    "RemoteProtocolError",
    "RequestFailed",
    "ServerFailed",
    "TimedOut",
    "Unprocessable",
]


class AsteriskError(Exception):
    """The root of all errors of txasterisk."""


class ProtocolError(AsteriskError):
    """The bytes on the wire, or about to go there, break the rules of the protocol."""


class LocalProtocolError(ProtocolError):
    """The caller asked to send what the wire cannot carry; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what cannot be parsed, or more than a limit; the connection ends."""


class Refused(AsteriskError):
    """Asterisk understood the question and said no; the text is its own."""


class LoginRefused(Refused):
    """Asterisk did not accept the credentials, or not from this address."""


class ActionFailed(Refused):
    """
    AMI answered an action with ``Response: Error``.

    :ivar action: the name of the action.
    :ivar response: the whole answer, a :class:`txasterisk.ami.messages.Response`.
    """

    def __init__(self, action: str, response: Any, message: str) -> None:
        super().__init__(f"{action}: {message}")
        self.action = action
        self.response = response
        self.message = message


class CallFailed(Refused):
    """
    A call that AMI originated was not answered.

    :ivar reason: ``busy``, ``congestion``, ``no answer``, ``hung up``, or ``failed`` for everything
        else that Asterisk does not tell apart, such as an unknown destination.
    :ivar event: the ``OriginateResponse``, a :class:`txasterisk.ami.messages.Event`.
    """

    def __init__(self, reason: str, event: Any) -> None:
        super().__init__(f"the call was not answered: {reason}")
        self.reason = reason
        self.event = event


class CommandFailed(Refused):
    """
    AGI could not do a command.

    :ivar command: the command's name, such as ``STREAM FILE``.
    :ivar reply: what Asterisk answered, a :class:`txasterisk.agi.messages.Reply`.
    """

    def __init__(self, command: str, reply: object, message: str) -> None:
        super().__init__(f"{command}: {message}")
        self.command = command
        self.reply = reply
        self.message = message


class RequestFailed(Refused):
    """
    ARI answered a request with a status of 400 or more.

    :ivar method: the HTTP method.
    :ivar path: the path below ``/ari``.
    :ivar status: the HTTP status.
    :ivar message: Asterisk's own words, or an empty text if it gave none.
    """

    def __init__(self, method: str, path: str, status: int, message: str) -> None:
        super().__init__(f"{method} {path}: {status} {message}".rstrip())
        self.method = method
        self.path = path
        self.status = status
        self.message = message


class BadRequest(RequestFailed):
    """400: a parameter is missing or wrong."""


class Forbidden(RequestFailed):
    """403: these credentials may not do this."""


class NotFound(RequestFailed):
    """404: no such thing, or no longer, as after a hangup."""


class Conflict(RequestFailed):
    """409: the id is taken, or the channel is not in a Stasis application."""


class InvalidState(RequestFailed):
    """412: the channel is not in a state that allows this, such as not yet answered."""


class Unprocessable(RequestFailed):
    """422: well-formed, but Asterisk cannot do it."""


class ServerFailed(RequestFailed):
    """500 and above; ARI also answers so to quite ordinary mistakes."""


class HungUp(AsteriskError):
    """The caller is gone, so this can no longer be done."""


class Disconnected(AsteriskError):
    """
    The connection went before the answer came, or there is none.

    Whether Asterisk did what it was asked is not known, so nothing is sent again.

    :ivar reason: what ended the connection, if that is known.
    """

    def __init__(self, message: str, reason: BaseException | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class TimedOut(AsteriskError):
    """No answer came within the time that the caller gave."""


class EventsLost(AsteriskError):
    """
    A stream was read too slowly and was cut.

    :ivar count: how many events were not delivered.
    """

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} events were lost because the stream was read too slowly")
        self.count = count


class ConfigurationError(AsteriskError):
    """One line that names the file, the key and what was expected there."""
