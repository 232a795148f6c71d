"""Verbs for speech recognition, which Asterisk leaves to an engine."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from .arguments import Number, WholeSeconds
from .asking import Asking
from .results import Recognized

__all__ = ["Speech"]


class Speech(Asking):
    """The commands for speech recognition; all fail with :class:`CommandFailed` without it."""

    def speech_create(self, engine: str | None = None) -> Deferred[None]:
        """
        Get ready to recognize speech (``SPEECH CREATE``).

        :param engine: the name of the engine; by default any.
        :return: fires with None.
        """
        arguments = () if engine is None else (engine,)
        return self._confirm("SPEECH CREATE", *arguments)

    def speech_set(self, name: str, value: str) -> Deferred[None]:
        """
        Change a setting of the engine (``SPEECH SET``).

        :param name: the name of the setting.
        :param value: its value.
        :return: fires with None.
        """
        return self._confirm("SPEECH SET", name, value)

    def speech_load_grammar(self, name: str, path: str) -> Deferred[None]:
        """
        Load a grammar (``SPEECH LOAD GRAMMAR``).

        :param name: how it shall be called.
        :param path: where it is.
        :return: fires with None.
        """
        return self._confirm("SPEECH LOAD GRAMMAR", name, path)

    def speech_unload_grammar(self, name: str) -> Deferred[None]:
        """
        Forget a grammar (``SPEECH UNLOAD GRAMMAR``).

        :param name: the name of the grammar.
        :return: fires with None.
        """
        return self._confirm("SPEECH UNLOAD GRAMMAR", name)

    def speech_activate_grammar(self, name: str) -> Deferred[None]:
        """
        Listen for what a grammar has (``SPEECH ACTIVATE GRAMMAR``).

        :param name: the name of the grammar.
        :return: fires with None.
        """
        return self._confirm("SPEECH ACTIVATE GRAMMAR", name)

    def speech_deactivate_grammar(self, name: str) -> Deferred[None]:
        """
        Listen no longer for what a grammar has (``SPEECH DEACTIVATE GRAMMAR``).

        :param name: the name of the grammar.
        :return: fires with None.
        """
        return self._confirm("SPEECH DEACTIVATE GRAMMAR", name)

    def speech_recognize(
        self, prompt: str, timeout: float, offset: int = 0
    ) -> Deferred[Recognized]:
        """
        Play a sound and recognize what the caller says (``SPEECH RECOGNIZE``).

        :param prompt: without extension, as Asterisk finds sounds.
        :param timeout: the most seconds to wait after the sound, whole ones; ``math.inf`` for ever.
        :param offset: where to begin, in samples of the file.
        :return: fires when something was recognized, a key was pressed, or the time is up.
        """
        more = (Number(offset),) if offset else ()
        return self._ask(Recognized.read, "SPEECH RECOGNIZE", prompt, WholeSeconds(timeout), *more)

    def speech_destroy(self) -> Deferred[None]:
        """
        Be done with recognizing speech (``SPEECH DESTROY``).

        :return: fires with None.
        """
        return self._confirm("SPEECH DESTROY")
