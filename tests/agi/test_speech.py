"""The verbs for speech recognition: what each sends, and what it makes of the reply."""

from __future__ import annotations

import math
from typing import Any

from twisted.internet.defer import Deferred

from txasterisk.agi.results import Recognized, Utterance
from txasterisk.errors import CommandFailed, HungUp

from .hand_answered import SessionTestCase


class EngineTests(SessionTestCase):
    """The engine and its grammars."""

    def verbs(self) -> list[tuple[Deferred[Any], bytes]]:
        """Call each verb that the engine does or does not do; with what it sends."""
        session = self.session
        return [
            (session.speech_create(), b"SPEECH CREATE\n"),
            (session.speech_create("engine"), b'SPEECH CREATE "engine"\n'),
            (session.speech_set("language", "de"), b'SPEECH SET "language" "de"\n'),
            (
                session.speech_load_grammar("menu", "/menu.xml"),
                b'SPEECH LOAD GRAMMAR "menu" "/menu.xml"\n',
            ),
            (session.speech_unload_grammar("menu"), b'SPEECH UNLOAD GRAMMAR "menu"\n'),
            (session.speech_activate_grammar("menu"), b'SPEECH ACTIVATE GRAMMAR "menu"\n'),
            (session.speech_deactivate_grammar("menu"), b'SPEECH DEACTIVATE GRAMMAR "menu"\n'),
            (session.speech_destroy(), b"SPEECH DESTROY\n"),
        ]

    def test_done(self) -> None:
        """Each command is done with 1."""
        for outcome, line in self.verbs():
            self.assertEqual(self.carrier.sent.pop(0), line)
            self.assert_fires(outcome, None, b"200 result=1")

    def test_not_done(self) -> None:
        """Each command fails with 0, as without an engine."""
        for outcome, _ in self.verbs():
            self.assert_fails(outcome, CommandFailed, b"200 result=0")


class RecognizeTests(SessionTestCase):
    """What the caller said."""

    def assert_recognized(self, reply: bytes, value: object) -> None:
        """Fail unless that is what the reply says."""
        self.assert_fires(self.session.speech_recognize("prompt", 5), value, reply)

    def test_speech(self) -> None:
        """``speech_recognize`` fires with what the caller may have said."""
        self.assert_verb(
            lambda: self.session.speech_recognize("prompt", 4.5),
            b'SPEECH RECOGNIZE "prompt" "5"',
            b'200 result=1 (speech) endpos=800 results=1 score0=98 text0="hello" grammar0=menu',
            Recognized((Utterance(98, "hello", "menu"),), None, 800),
        )

    def test_texts_that_look_like_the_reply(self) -> None:
        """Quotes, parentheses and numbers in what was said are a part of it."""
        self.assert_recognized(
            b"200 result=1 (speech) endpos=0 results=2"
            b' score0=-1 text0="hello (you) "two" score1=5 endpos=7" grammar0=a b'
            b' score1=98 text1="" grammar1=',
            Recognized(
                (
                    Utterance(-1, 'hello (you) "two" score1=5 endpos=7', "a b"),
                    Utterance(98, "", ""),
                ),
                None,
                0,
            ),
        )

    def test_more_than_fits(self) -> None:
        """What Asterisk has cut at the end is left out, and that is told."""
        self.assert_recognized(
            b'200 result=1 (speech) endpos=0 results=3 score0=5 text0="a" grammar0=g'
            b' score1=4 text1="b',
            Recognized((Utterance(5, "a", "g"),), None, 0, left_out=2),
        )

    def test_grammar_that_may_be_cut(self) -> None:
        """The last one of a list that is full is left out, though it looks complete."""
        first, second = b'score0=5 text0="a" grammar0=g ', b'score1=4 text1="b" grammar1='
        for room, kept in ((4094, 2), (4095, 1)):
            listed = (first + second).ljust(room, b"h")
            outcome = self.session.speech_recognize("prompt", 5)
            self.carrier.answer(b"200 result=1 (speech) endpos=0 results=2 " + listed)
            recognized = self.successResultOf(outcome)
            self.assertEqual((len(recognized.utterances), recognized.left_out), (kept, 2 - kept))

    def test_no_result(self) -> None:
        """An engine may have heard nothing that it knows."""
        self.assert_recognized(b"200 result=1 (speech) endpos=0 results=0", Recognized((), None, 0))

    def test_key(self) -> None:
        """A key ends it, too."""
        self.assert_recognized(b"200 result=1 (digit) digit=# endpos=160", Recognized((), "#", 160))

    def test_time_is_up(self) -> None:
        """When the time is up, there is nothing."""
        self.assert_recognized(b"200 result=1 (timeout) endpos=0", Recognized((), None, 0))

    def test_hangup(self) -> None:
        """A hangup is told with a 1 here."""
        self.assert_fails(
            self.session.speech_recognize("prompt", 5), HungUp, b"200 result=1 (hangup) endpos=0"
        )

    def test_failure(self) -> None:
        """Without an engine it fails."""
        for reply in (b"200 result=0", b"200 result=0 endpos=0"):
            self.assert_fails(self.session.speech_recognize("prompt", 5), CommandFailed, reply)

    def test_arguments(self) -> None:
        """It may wait for ever, and begin within the prompt."""
        self.session.speech_recognize("prompt", math.inf, 800)
        self.assertEqual(self.carrier.sent, [b'SPEECH RECOGNIZE "prompt" "-1" "800"\n'])

    def test_what_would_be_misread(self) -> None:
        """What is no time and no position is not sent."""
        self.assert_refused(
            self.session.speech_recognize("prompt", -1),
            self.session.speech_recognize("prompt", 5, -1),
        )
