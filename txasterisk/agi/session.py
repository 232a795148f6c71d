"""One call under AGI: a verb for each command, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import LocalProtocolError
from .asking import Carrier
from .audio import Audio
from .messages import Environment
from .speech import Speech
from .verbs import Verbs

__all__ = ["AGISession", "Carrier"]


class AGISession(Verbs, Speech):
    """
    One call, as long as AGI has it.

    There is a verb for each command, and a few for what takes several of them. Every verb returns a
    Deferred, to be awaited or not; commands are sent one after the other in the order of the calls,
    each when the one before it has been answered. All verbs fail with

    - :class:`CommandFailed` if Asterisk could not do it,
    - :class:`HungUp` if the caller is gone; the commands that still work then
      (``get_variable``, ``set_variable``, ``exec``, ``verbose``, ...) just do,
    - :class:`Disconnected` if the connection went before the answer came,
    - :class:`LocalProtocolError` if an argument holds a line end or a NUL, or
      is too long for Asterisk, or what it would misread; nothing was sent.

    Cancelling the Deferred of a verb takes the command back if it has not been sent yet. Once it
    has, Asterisk goes on with it (AGI cannot recall a command), its reply is thrown away, and the
    next command waits for that.

    :param carrier: what brings the commands to Asterisk.
    :param environment: what Asterisk said about the call.
    :ivar parameters: what the route's path has in place of its ``{names}``.
    """

    def __init__(self, carrier: Carrier, environment: Environment) -> None:
        super().__init__(carrier, environment)
        self.parameters: Mapping[str, str] = {}
        self._audio: Audio | None = None

    def __repr__(self) -> str:
        state = ", hung up" if self._hung_up else ""
        environment = self.environment
        return f"<AGISession with {environment.channel} ({environment.uniqueid}){state}>"

    @property
    def audio(self) -> Audio:
        """
        What the caller says, if the dialplan has run ``EAGI()``.

        :raises LocalProtocolError: if it has not: nothing else brings audio.
        """
        if self._audio is None:
            raise LocalProtocolError("the caller's audio comes by EAGI() only, not by AGI()")
        return self._audio

    def notice_audio(self, audio: Audio) -> None:
        """Take note that there is audio, until the caller hangs up; for carriers."""
        self._audio = audio
        self.when_hung_up().addBoth(lambda _: audio.end())
