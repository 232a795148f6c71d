"""How the fake splits the arguments of the dialplan."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.testing.applications import separate


class SeparateTests(SynchronousTestCase):
    """Arguments, as Asterisk separates them."""

    def test_separate(self) -> None:
        r"""Commas separate, unless quotes, ``\`` or brackets protect them; blanks are kept."""
        for text, expected in (
            ("", [""]),
            ("a,b", ["a", "b"]),
            (" a , b", [" a ", " b"]),
            (r"a\,b,c\\d", ["a,b", "c\\d"]),
            ('"a,b",c', ["a,b", "c"]),
            ("f(x,y),z", ["f(x,y)", "z"]),
            ("(a,b", ["(a,b"]),
            (")a,b", [")a", "b"]),
        ):
            self.assertEqual(separate(text), expected, text)
