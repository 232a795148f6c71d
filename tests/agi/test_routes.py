"""Which script answers a call."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import AGISession, Environment, Routes, Script, Status
from txasterisk.agi.script import RunningScript

from . import Deaf


def session_for(path: str) -> AGISession:
    """Return the session of a call for that path, as it stands in the URL."""
    return AGISession(Deaf(), Environment([b"agi_network_script: " + path.encode()]))


class RoutesTests(SynchronousTestCase):
    """Routes by path."""

    def setUp(self) -> None:
        """Have scripts that note who answered and with what."""
        self.answered: list[tuple[str, dict[str, str]]] = []

    def named(self, name: str) -> Script:
        """Return a script of that name."""

        async def script(session: AGISession) -> None:
            self.answered.append((name, dict(session.parameters)))

        return script

    def call(self, routes: Routes, path: str) -> Status:
        """Return how a call for that path ends."""
        answering = routes.answer(session_for(path))
        if isinstance(answering, Status):
            return answering
        return self.successResultOf(answering.finished)

    def test_paths(self) -> None:
        """The path decides, decoded, whatever slashes stand at its ends and after a ``?``."""
        routes = Routes({"/": self.named("root"), "/a/b%20c/": self.named("abc")})
        for path in ("", "?x=1", "a/b%20c", "/a/b%20c/", "a/b c?x=1#f"):
            self.assertIs(self.call(routes, path), Status.SUCCESS)
        names = [name for name, _ in self.answered]
        self.assertEqual(names, ["root", "root", "abc", "abc", "abc"])

    def test_parameters(self) -> None:
        """What stands in place of a name is found in the session, decoded."""
        routes = Routes({"/say/{what}/to/{whom}": self.named("say")})
        self.call(routes, "say/good%2Fbye/to/b%C3%B6b?loud")
        self.assertEqual(self.answered, [("say", {"what": "good/bye", "whom": "böb"})])

    def test_whether_there_is_a_script(self) -> None:
        """One can ask whether a path has a script, and whether that is one of its own."""
        routes = Routes({"/a": self.named("a"), "/greet/{name}": self.named("greet")})
        for path, expected in (("a",), True), (("greet", "b"), True), (("b",), False):
            self.assertEqual((routes.answers(path), routes.names(path)), (expected, expected))
        routes = Routes(default=self.named("default"))
        self.assertEqual((routes.answers(("b",)), routes.names(("b",))), (True, False))

    def test_other_lengths(self) -> None:
        """A name stands for exactly one part of a path."""
        routes = Routes({"/greet/{name}": self.named("greet")})
        for path in ("greet", "greet/a/b", "other/a"):
            self.assertIs(self.call(routes, path), Status.NOTFOUND)

    def test_precedence(self) -> None:
        """A path without names goes first, then the one that was added first."""
        routes = Routes()
        routes.add("/{a}/{b}", self.named("any"))
        routes.add("/x/{b}", self.named("late"))
        routes.add("/x/y", self.named("exact"))
        self.call(routes, "x/y")
        self.call(routes, "x/z")
        names = [name for name, _ in self.answered]
        self.assertEqual(names, ["exact", "any"])

    def test_default(self) -> None:
        """The default answers whatever has no route of its own."""
        routes = Routes({"/a": self.named("a")}, default=self.named("default"))
        self.call(routes, "b/c")
        self.assertEqual(self.answered, [("default", {})])

    def test_no_route(self) -> None:
        """Without a default such a call is not found."""
        self.assertIs(self.call(Routes(), "a"), Status.NOTFOUND)

    def test_limit(self) -> None:
        """The one call too many is refused; when one has ended there is room again."""
        both: Deferred[None] = Deferred()

        async def script(session: AGISession) -> None:
            await both

        routes = Routes()
        routes.add("/{x}", script, limit=2)
        answering = [routes.answer(session_for(path)) for path in ("a", "b")]
        self.assertIs(self.call(routes, "c"), Status.BUSY)
        both.callback(None)
        for each in answering:
            assert isinstance(each, RunningScript)
            self.assertIs(self.successResultOf(each.finished), Status.SUCCESS)
        self.assertIs(self.call(routes, "c"), Status.SUCCESS)

    def test_limit_after_a_failure(self) -> None:
        """A script that fails leaves its place as well."""

        async def script(session: AGISession) -> None:
            raise ZeroDivisionError

        routes = Routes()
        routes.add("/a", script, limit=1)
        self.assertIs(self.call(routes, "a"), Status.FAILURE)
        self.assertIs(self.call(routes, "a"), Status.FAILURE)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_hangup(self) -> None:
        """A route says what becomes of its script at the hangup."""
        never: Deferred[None] = Deferred()
        routes = Routes()
        routes.add("/a", lambda _: never, on_hangup="tell")
        session = session_for("a")
        answering = routes.answer(session)
        assert isinstance(answering, RunningScript)
        session.notice_hangup()
        self.assertNoResult(answering.finished)

    def test_senseless(self) -> None:
        """A route that can never be taken, or not be told from another, is refused."""
        routes = Routes()
        with self.assertRaisesRegex(ValueError, "at least 1"):
            routes.add("/a", self.named("a"), limit=0)
        with self.assertRaisesRegex(ValueError, "twice"):
            routes.add("/{a}/{a}", self.named("a"))
