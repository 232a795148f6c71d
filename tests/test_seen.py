"""The page of what each AMI action answers, and how an answer is told there."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.live import seen
from txasterisk.ami import Event, Response


class PageTests(SynchronousTestCase):
    """``docs/ami-actions.rst``."""

    def test_every_action(self) -> None:
        """Each action that either version documents has its row, as it is asked for."""
        self.assertEqual([*seen.PAGE.read()], [each.question for each in seen.asked()])

    def test_both_versions(self) -> None:
        """Each row tells what both versions answered."""
        for key, answers in seen.PAGE.read().items():
            self.assertEqual([*answers], ["16", "22"], key)
            self.assertNotIn("?", answers.values(), key)
            self.assertNotIn("", answers.values(), key)

    def test_reading_and_writing(self) -> None:
        """What is read is what was written."""
        rows = "\n".join(seen.PAGE.render(seen.PAGE.read()))
        self.assertIn(rows, seen.PAGE.path.read_text("utf-8"))

    def test_differences(self) -> None:
        """What was seen otherwise is told in three lines."""
        now = {key: answers["22"] for key, answers in seen.PAGE.read().items()}
        self.assertEqual(seen.PAGE.differences(now, "22"), "")
        now["Ping", "``ping()``"] = "Success"
        del now["Agents", "``agents()``"]
        self.assertEqual(
            seen.PAGE.differences(now, "22").splitlines(),
            [
                "Agents ``agents()`` on 22",
                "    page: list of Agents; AgentsComplete",
                "    seen: None",
                "Ping ``ping()`` on 22",
                "    page: Success (Ping, Timestamp)",
                "    seen: Success",
            ],
        )


class AskedTests(SynchronousTestCase):
    """How an action is asked for."""

    def test_calls(self) -> None:
        """What is required is given: a word of the few, a number, or what is not there."""
        calls = {each.action: each.call for each in seen.asked()}
        self.assertEqual(
            calls["ControlPlayback"], 'control_playback(channel="nothing", control="stop")'
        )
        self.assertEqual(calls["FAXSession"], "fax_session(session_number=1)")
        self.assertEqual(calls["QueueStatus"], "queue_status()")

    def test_without_a_method(self) -> None:
        """What has no method is asked for by its name."""
        calls = {each.action: each.call for each in seen.asked()}
        self.assertEqual(calls["FilterList"], 'action(name="FilterList")')


class ToldTests(SynchronousTestCase):
    """What an answer is on the page."""

    def told(self, raw: bytes, *events: bytes) -> str:
        """Tell an answer of these bytes."""
        answer = raw.replace(b"\r\n", b"\r\nActionID: a-1\r\n", 1)
        return seen.told(Response(answer, tuple(map(Event, events))), answer)

    def test_message(self) -> None:
        """The message, in which a number is an N."""
        self.assertEqual(
            self.told(b"Response: Error\r\nMessage: No call 17 on PJSIP2"),
            "Error: No call N on PJSIP2",
        )

    def test_headers(self) -> None:
        """Other headers are named, each once, eight of them at most."""
        self.assertEqual(
            self.told(b"Response: Success\r\nLine-000: 1\r\nLine-001: 2\r\nB: 3"),
            "Success (Line-N, B)",
        )
        many = b"".join(b"\r\n%c: 1" % letter for letter in b"ABCDEFGHI")
        self.assertEqual(
            self.told(b"Response: Success" + many), "Success (A, B, C, D, E, F, G, H, ...)"
        )

    def test_list(self) -> None:
        """A list is its kinds of items, whatever their order and number, and its completion."""
        start = b"Response: Success\r\nEventList: start\r\nMessage: Follows"
        self.assertEqual(
            self.told(start, b"Event: B", b"Event: A", b"Event: B", b"Event: Done"),
            "list of A, B; Done",
        )
        self.assertEqual(self.told(start, b"Event: Done"), "list of nothing; Done")

    def test_unknown(self) -> None:
        """Of an action that is not loaded its name is left out."""
        self.assertEqual(
            self.told(b"Response: Error\r\nMessage: Invalid/unknown command: A. Use B."),
            "Error: Invalid/unknown command",
        )

    def test_no_response(self) -> None:
        """Without a response of its own an answer is rows that belong to nothing, or not even."""
        answer = b"Response: Success\r\nActionID: a-1"
        pong = b"Response: Success\r\nActionID: a-1-end\r\nPing: Pong\r\n\r\n"
        self.assertEqual(seen.told(Response(answer), b"\r\n" + pong), "no response, no rows")
        self.assertEqual(
            seen.told(Response(answer + b"\r\nOutput: a"), b"a\r\n\r\n" + pong),
            "no response, rows",
        )
