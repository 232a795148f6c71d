"""How the fake reads AGI commands."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

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
