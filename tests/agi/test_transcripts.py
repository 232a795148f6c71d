"""
What real Asterisk 16 and 22 sent, read whole, byte by byte, and at random cuts.

``tests/transcripts/agi/VERSION/NAME.json`` is a list of commands (the first is empty: the
environment comes unasked) and what came from each command to the next, as Latin-1. The letters of
usage texts are crossed out, since the texts are Asterisk's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi.messages import Command, Environment, Reply
from txasterisk.agi.reading import EnvironmentReader, Happening, Notice, ReplyReader

FOLDER = Path(__file__).parent.parent / "transcripts" / "agi"
VERSIONS = ("16", "22")


def exchanges(version: str, name: str) -> list[tuple[str, bytes]]:
    """Return what was recorded."""
    recorded = json.loads((FOLDER / version / f"{name}.json").read_text("utf-8"))
    return [(command, answer.encode("latin-1")) for command, answer in recorded]


def whole(data: bytes) -> Iterator[bytes]:
    """Do not cut."""
    yield data


def bytewise(data: bytes) -> Iterator[bytes]:
    """Cut after each byte."""
    return (data[at : at + 1] for at in range(len(data)))


def at_random(data: bytes) -> Iterator[bytes]:
    """Cut anywhere, but everywhere the same for the same data."""
    random = Random(data)
    while data:
        length = random.randint(1, 40)
        yield data[:length]
        data = data[length:]


CUTS: tuple[Callable[[bytes], Iterator[bytes]], ...] = (whole, bytewise, at_random)


def replayed(
    version: str, name: str, cut: Callable[[bytes], Iterator[bytes]]
) -> tuple[Environment, list[tuple[str, list[Happening]]]]:
    """Return the environment, and what is made of what came after each command."""
    (_, block), *rest = exchanges(version, name)
    environments = EnvironmentReader()
    (environment,) = [found for piece in cut(block) if (found := environments.feed(piece))]
    replies = ReplyReader()
    happened = []
    for command, answer in rest:
        replies.expected = Command(command.partition(' "')[0])
        happened.append((command, [one for piece in cut(answer) for one in replies.feed(piece)]))
    return environment, happened


class TranscriptTests(SynchronousTestCase):
    """Whatever the cuts, every command has its one reply."""

    def test_environments(self) -> None:
        """What Asterisk writes has no anomalies, and no line is lost."""
        for version, name, cut in self.everything():
            environment, _ = replayed(version, name, cut)
            self.assertEqual(environment.anomalies, ())
            block = exchanges(version, name)[0][1]
            self.assertEqual(b"\n".join(environment.lines) + b"\n\n", block)

    def test_every_command_has_one_reply(self) -> None:
        """There is one reply to each command, and beside it nothing but hangups."""
        for version, name, cut in self.everything():
            for command, happenings in replayed(version, name, cut)[1]:
                replies = [one for one in happenings if isinstance(one, Reply)]
                others = [one for one in happenings if not isinstance(one, Reply)]
                self.assertEqual(len(replies), 1, (version, name, command))
                self.assertLessEqual(set(others), {Notice.HANGUP})

    def test_cuts_make_no_difference(self) -> None:
        """The same bytes say the same, however they are cut."""
        for version, name, cut in self.everything():
            self.assertEqual(replayed(version, name, cut)[1], replayed(version, name, whole)[1])

    def test_values(self) -> None:
        """Values with parentheses, quotes, other alphabets and line ends are read as they are."""
        for version in VERSIONS:
            replies = self.replies(version, "verbs")
            self.assertEqual(replies['GET VARIABLE "X"'].text, 'a (b) "c" \\ ü')
            self.assertEqual(replies['GET VARIABLE "E"'].text, "")
            self.assertEqual(replies['GET VARIABLE "L"'].text, "a\n\nHANGUP\n200 result=1\nb")
            self.assertEqual(replies['GET VARIABLE "NOSUCH"'], Reply(200, "0", ""))
            self.assertEqual(replies['STREAM FILE "beep" ""'].code, 511)
            self.assertEqual(replies["STREAM FILE"].code, 520)

    def test_digits(self) -> None:
        """Keys are read as they were sent: 5, 123, 78#, 4 and 9."""
        for version in VERSIONS:
            replies = self.replies(version, "digits")
            self.assertEqual(replies['WAIT FOR DIGIT "5000"'].digit, "5")
            self.assertEqual(replies['GET DATA "demo-congrats" "4000" "3"'].result, "123")
            self.assertEqual(replies['GET DATA "" "4000"'].result, "78")
            self.assertEqual(replies['GET DATA "" "1500"'], Reply(200, "4", "(timeout)"))
            self.assertEqual(replies['STREAM FILE "demo-congrats" "0123456789*#"'].digit, "9")

    def test_hangup_notices(self) -> None:
        """A hangup is told after the reply, once, twice, or not at all, as the channel wants."""
        for version in VERSIONS:
            for name, count in (
                ("hangup-stream-file", 1),
                ("agiexitonhangup", 2),
                ("agisighup-no", 0),
            ):
                _, happened = replayed(version, name, whole)
                (reply, *notices) = happened[1][1]
                assert isinstance(reply, Reply)
                self.assertEqual(reply.result, "-1")
                self.assertEqual(notices, [Notice.HANGUP] * count)

    def everything(self) -> Iterator[tuple[str, str, Callable[[bytes], Iterator[bytes]]]]:
        """Every transcript of each version in every cut."""
        found = [
            (version, path.stem, cut)
            for version in VERSIONS
            for path in sorted((FOLDER / version).glob("*.json"))
            for cut in CUTS
        ]
        self.assertEqual(len(found), 2 * 8 * 3)
        return iter(found)

    def replies(self, version: str, name: str) -> dict[str, Reply]:
        """Return the last reply to each command."""
        return {
            command: happening
            for command, happenings in replayed(version, name, whole)[1]
            for happening in happenings
            if isinstance(happening, Reply)
        }
