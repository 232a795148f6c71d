"""A script at work: what it awaits, and how it is interrupted."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator
from contextlib import suppress as ignoring
from contextvars import ContextVar

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.agi import AGISession, Environment
from txasterisk.agi.script import RunningScript, Status
from txasterisk.errors import Disconnected, HungUp

from . import Deaf


class Forgettable:
    """A script that ends at once."""

    async def __call__(self, session: AGISession) -> None:
        """Do nothing."""


class RunningScriptTests(SynchronousTestCase):
    """A coroutine whose await can be made to fail."""

    def setUp(self) -> None:
        """Have a session and something to await."""
        self.session = AGISession(Deaf(), Environment([]))
        self.awaited: Deferred[object] = Deferred()
        self.seen: list[object] = []

    async def script(self, session: AGISession) -> None:
        """Await, note what comes, and then await a second thing that has come already."""
        try:
            self.seen.append(await self.awaited)
        except BaseException as error:
            self.seen.append(error)
        self.seen.append(await succeed("after"))

    def test_results(self) -> None:
        """A script gets the results of what it awaits, at once where they are there."""
        running = RunningScript(self.script, self.session)
        self.awaited.callback("value")
        self.assertEqual(self.seen, ["value", "after"])
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_errors(self) -> None:
        """A script gets the errors of what it awaits."""
        error = ValueError()
        running = RunningScript(self.script, self.session)
        self.awaited.errback(error)
        self.assertEqual(self.seen, [error, "after"])
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_an_error_that_is_there_already(self) -> None:
        """It makes no difference whether an error came before it was awaited."""
        self.awaited = fail(ValueError())
        RunningScript(self.script, self.session)
        self.assertIsInstance(self.seen[0], ValueError)

    def test_told(self) -> None:
        """An await that goes on fails with the error."""
        running = RunningScript(self.script, self.session)
        error = HungUp("gone")
        with running.told(error):
            pass
        self.assertEqual(self.seen, [error, "after"])

    def test_told_otherwise(self) -> None:
        """An await that ends in the meantime is not disturbed, nor is the next one."""
        second: Deferred[None] = Deferred()

        async def script(session: AGISession) -> None:
            await self.awaited
            await second

        running = RunningScript(script, self.session)
        with running.told(HungUp("gone")):
            self.awaited.callback("value")
        self.assertNoResult(second)
        self.assertNoResult(running.finished)
        second.callback(None)
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_told_when_over(self) -> None:
        """A script that has ended cannot be told anything."""
        running = RunningScript(self.script, self.session)
        self.awaited.callback(None)
        with running.told(HungUp("gone")):
            pass
        running.cancel()
        self.assertEqual(self.seen, [None, "after"])

    def test_cancel(self) -> None:
        """A cancelled script that ends by it is no success, and no error to be logged."""

        async def script(session: AGISession) -> None:
            await self.awaited

        running = RunningScript(script, self.session)
        running.cancel()
        self.assertEqual(self.successResultOf(running.finished), Status.FAILURE)

    def test_told_of_two_things(self) -> None:
        """Whichever of the errors it was told it ends with, that is no error of its own."""

        async def script(session: AGISession) -> None:
            try:
                await self.awaited
            except CancelledError:
                with ignoring(Disconnected):
                    await Deferred[None]()
                raise

        running = RunningScript(script, self.session)
        running.cancel()
        with running.told(Disconnected("gone")):
            pass
        self.assertEqual(self.successResultOf(running.finished), Status.FAILURE)

    def test_hangup(self) -> None:
        """What is awaited when the caller hangs up fails with HungUp, once, whatever it is."""
        running = RunningScript(self.script, self.session)
        self.session.notice_hangup()
        self.session.notice_hangup()
        self.assertEqual(len(self.seen), 2)
        self.assertIsInstance(self.seen[0], HungUp)
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_hangup_that_is_waited_for(self) -> None:
        """A script that waits for the hangup itself is told of it in that way only."""

        async def script(session: AGISession) -> None:
            await session.when_hung_up()
            self.seen.append("hung up")
            await self.awaited

        running = RunningScript(script, self.session)
        self.session.notice_hangup()
        self.assertEqual(self.seen, ["hung up"])
        self.assertNoResult(running.finished)
        self.awaited.callback(None)
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_hangup_as_cancellation(self) -> None:
        """With ``cancel`` it fails with CancelledError instead, and that is a hangup as well."""

        async def script(session: AGISession) -> None:
            try:
                await self.awaited
            except CancelledError:
                self.seen.append(session.hung_up)
                raise

        running = RunningScript(script, self.session, "cancel")
        self.session.notice_hangup()
        self.assertEqual(self.seen, [True])
        self.assertEqual(self.successResultOf(running.finished), Status.HANGUP)

    def test_hangup_that_disturbs_nothing(self) -> None:
        """With ``tell`` what is awaited goes on."""
        running = RunningScript(self.script, self.session, "tell")
        hung_up = self.session.when_hung_up()
        self.session.notice_hangup()
        self.assertIsNone(self.successResultOf(hung_up))
        self.assertEqual(self.seen, [])
        self.awaited.callback("value")
        self.assertEqual(self.seen, ["value", "after"])
        self.assertEqual(self.successResultOf(running.finished), Status.SUCCESS)

    def test_hangup_after_the_end(self) -> None:
        """A script that has ended is not told any more, and nothing keeps it."""
        script = Forgettable()
        gone = weakref.ref(script)
        RunningScript(script, self.session)
        del script
        self.assertIsNone(gone())
        self.session.notice_hangup()

    def test_endings(self) -> None:
        """How the script ends is told by a status; an error that nobody expects is logged."""
        for error, status, logged in (
            (HungUp("gone"), Status.HANGUP, 0),
            (Disconnected("elsewhere"), Status.FAILURE, 1),
            (CancelledError(), Status.FAILURE, 1),
            (KeyError(), Status.FAILURE, 1),
        ):
            self.awaited = fail(error)
            running = RunningScript(lambda _: self.awaited, self.session)
            self.assertEqual(self.successResultOf(running.finished), status)
            self.assertEqual(len(self.flushLoggedErrors(type(error))), logged)

    def test_what_cannot_be_awaited(self) -> None:
        """To await something of another event loop is an error of the script."""

        class Foreign:
            def __await__(self) -> Generator[object, None, None]:
                yield self

        async def script(session: AGISession) -> None:
            await Foreign()

        running = RunningScript(script, self.session)
        self.assertEqual(self.successResultOf(running.finished), Status.FAILURE)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_context(self) -> None:
        """A script keeps its own context variables over its awaits."""
        variable: ContextVar[str] = ContextVar("variable", default="outside")

        async def script(session: AGISession) -> None:
            variable.set("inside")
            await self.awaited
            self.seen.append(variable.get())

        RunningScript(script, self.session)
        self.awaited.callback(None)
        self.assertEqual((self.seen, variable.get()), (["inside"], "outside"))

    def test_forgotten(self) -> None:
        """A script that nothing can wake any more is closed like any forgotten coroutine."""
        seen = self.seen

        async def script(session: AGISession) -> None:
            try:
                await session.noop()
            except BaseException as error:
                seen.append(type(error))
                raise

        running = RunningScript(script, AGISession(Deaf(), Environment([])))
        del running
        gc.collect()
        self.assertEqual(self.seen, [GeneratorExit])
