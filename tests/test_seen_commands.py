"""The page of what each AGI command answers, and how a reply is told there."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.agi.test_session import table
from tests.live import seen_commands as seen
from txasterisk.agi import Played, Recorded, Reply
from txasterisk.errors import HungUp


class PageTests(SynchronousTestCase):
    """``docs/agi-commands.rst``."""

    def test_every_question(self) -> None:
        """Each question has its row."""
        self.assertEqual([*seen.PAGE.read()], [each.question for each in seen.asked()])

    def test_every_command(self) -> None:
        """Each command is asked for, before the hangup and after it."""
        commands = {command["name"] for command in table()}
        for after_hangup in (False, True):
            asked = {each.command for each in seen.asked() if each.after_hangup == after_hangup}
            self.assertEqual(asked, commands)

    def test_after_the_hangup(self) -> None:
        """What the page tells of the time after the hangup is what is known of each command."""
        allowed = {command["name"] for command in table() if command["dead"]}
        page = seen.PAGE.read()
        for each in seen.asked():
            if each.after_hangup:
                refused = {"511: HungUp"} == set(page[each.question].values())
                self.assertEqual(refused, each.command not in allowed, each.command)

    def test_both_versions(self) -> None:
        """Each row tells what both versions answered."""
        for question, answers in seen.PAGE.read().items():
            self.assertEqual([*answers], ["16", "22"], question)
            self.assertNotIn("?", answers.values(), question)
            self.assertNotIn("", answers.values(), question)

    def test_reading_and_writing(self) -> None:
        """What is read is what was written."""
        rows = "\n".join(seen.PAGE.render(seen.PAGE.read()))
        self.assertIn(rows, seen.PAGE.path.read_text("utf-8"))


class AskedTests(SynchronousTestCase):
    """How a command is asked for."""

    def test_call(self) -> None:
        """A question is a command and a call, as it stands in a program."""
        asked = seen.Asked("STREAM FILE", ("beep", "#"), (("offset", 800),))
        self.assertEqual(
            asked.question, ("STREAM FILE", '``stream_file("beep", "#", offset=800)``')
        )

    def test_circumstances(self) -> None:
        """What happens meanwhile is a part of it."""
        asked = seen.Asked("NOOP", meanwhile=seen.Meanwhile("pressed", "5"))
        self.assertEqual(asked.question[1], "``noop()``, and 5 is pressed")
        self.assertEqual(
            asked._replace(after_hangup=True).question[1], "``noop()`` after the hangup"
        )


class ToldTests(SynchronousTestCase):
    """What a reply is on the page."""

    def test_value(self) -> None:
        """The reply, and the value that the verb made of it; how far a sound got is an N."""
        self.assertEqual(
            seen.told(Reply.parse(b"200 result=53 endpos=8160"), Played("5", 8160)),
            "200 result=53 endpos=N: Played(digit='5', endpos=N)",
        )

    def test_time_left(self) -> None:
        """How much time was left is one, too."""
        self.assertEqual(
            seen.told(Reply.parse(b"200 result=31 (timeout) endpos=1"), Recorded(None, 1)),
            "200 result=N (timeout) endpos=N: Recorded(digit=None, endpos=N)",
        )
        self.assertEqual(
            seen.told(Reply.parse(b"200 result=31 (timeout)"), 7).split()[1], "result=31"
        )

    def test_refusal(self) -> None:
        """A refusal is its code, and an error its name."""
        self.assertEqual(
            seen.told(Reply.parse(b"511 Not Permitted"), HungUp("gone")), "511: HungUp"
        )
