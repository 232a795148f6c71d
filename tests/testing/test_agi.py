"""How the fake reads AGI commands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.agi.test_session import table
from txasterisk.agi import Command
from txasterisk.testing._names import AGI_COMMANDS
from txasterisk.testing.agi_commands import words


class WordsTests(SynchronousTestCase):
    """The words of a command, as Asterisk splits them."""

    def test_words(self) -> None:
        r"""Blanks separate, quotes join and may be empty, ``\`` protects whatever follows."""
        for line, expected in (
            ("NOOP", ["NOOP"]),
            ("  get   variable\tX ", ["get", "variable", "X"]),
            ('SET VARIABLE X ""', ["SET", "VARIABLE", "X", ""]),
            ('a"b c"d', ["ab cd"]),
            ('"a""b"', ["ab"]),
            (r"a\ b \"c\" \\d \n", ["a b", '"c"', "\\d", "n"]),
            ('"unended quote', ["unended quote"]),
            ("'a b'", ["'a", "b'"]),
            ("", []),
        ):
            self.assertEqual(words(line), expected, line)

    @given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))))
    def test_what_is_sent_arrives(self, arguments: list[str]) -> None:
        """Whatever texts a command has, those are the words that are read."""
        line = Command("NOOP", *arguments).serialize(limit=100_000)
        self.assertEqual(words(line.decode().removesuffix("\n")), ["NOOP", *arguments])


class NamesTests(SynchronousTestCase):
    """What the fake knows of."""

    def test_every_command_is_known(self) -> None:
        """The fake knows the commands of Asterisk from what is none."""
        self.assertEqual(AGI_COMMANDS, {command["name"] for command in table()})
