"""A channel of the fake: who calls, and what its variables are."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.testing import FakeAsterisk, NotFaked
from txasterisk.testing.channel import CallerID


class CallerIDTests(SynchronousTestCase):
    """Name and number of a caller."""

    def test_parse(self) -> None:
        """Either part may be missing, and quotes in the name are protected."""
        for text, expected in (
            ('"Bob" <1234>', ("Bob", "1234")),
            ("Bob <1234>", ("Bob", "1234")),
            ('"Bob \\"B\\" O\'B" <1>', ('Bob "B" O\'B', "1")),
            ("<1234>", ("", "1234")),
            ("1234", ("", "1234")),
            ("Bob", ("Bob", "")),
            ("", ("", "")),
        ):
            self.assertEqual(CallerID.parse(text), expected, text)


class VariablesTests(SynchronousTestCase):
    """Variables and what is made of them."""

    def setUp(self) -> None:
        self.pbx = FakeAsterisk(Clock())
        self.channel = self.pbx.call("answer").channel

    def test_inherited_spelling(self) -> None:
        """A variable is found whether or not it is to be inherited, and set only once."""
        self.channel.set("__A", "1")
        self.assertEqual(self.channel.get("A"), "1")
        self.channel.set("A", "2")
        self.assertEqual((self.channel.get("A"), self.channel.get("__A")), ("2", None))

    def test_expand(self) -> None:
        """Variables, parts of them and functions are put in; what is not set is empty."""
        self.channel.set("A", "hello")
        self.channel.set("NAME", "A")
        self.channel.set("TEXT", "${A}")
        for text, expected in (
            ("${A}", "hello"),
            ("<${A}-${EXTEN}>", "<hello-answer>"),
            ("${A:1}${A:1:2}${A:-2}", "elloello"),
            ("${NOSUCH}", ""),
            ("${CHANNEL(state)}", "Up"),
            ("${${NAME}:1}-${TEXT}", "ello-${A}"),
            ("<${BASE64_ENCODE(${A})}>", "<aGVsbG8=>"),
            ("plain $ text}", "plain $ text}"),
        ):
            self.assertEqual(self.channel.expand(text), expected, text)

    def test_what_is_not_expanded(self) -> None:
        """Expressions are not faked, nor what has no end, nor functions that only Asterisk has."""
        for text in ("$[1 + 1]", "${A", "${DB(a/b)}"):
            self.assertRaises(NotFaked, self.channel.expand, text)
