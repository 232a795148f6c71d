"""The TOML file of ``twistd asterisk``: what it may say, and how its mistakes are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tests.agi.test_routes import session_for
from txasterisk.agi import AsyncAGIService, FastAGIService, Routes, Status
from txasterisk.agi.script import RunningScript
from txasterisk.ami import AMIHTTPService
from txasterisk.ari import ARIService
from txasterisk.errors import ConfigurationError
from txasterisk.service.build import services
from txasterisk.service.config import Configuration, read_configuration

WHOLE = """
[pbx.office]
ami = { endpoint = "tcp:127.0.0.1:5038", username = "admin", secret = { file = "ami.secret" } }
ari = { url = "http://127.0.0.1:8088/ari", username = "admin", password = { env = "TX_TEST" } }

[fastagi.calls]
listen = "tcp:4573:interface=127.0.0.1"
routes = { "/greet" = "config_test_calls:greet" }

[stasis.hello]
pbx = "office"
call = "config_test_calls:hello"
"""

ROUTES = 'routes = { "/greet" = "config_test_calls:greet" }'

WITH_ASYNC_AGI = f"""{WHOLE}
[asyncagi.calls]
pbx = "office"
routes = {{ "/greet" = "config_test_calls:greet" }}
"""

SCRIPTS = """
answered = []
async def greet(call): answered.append(("greet", dict(call.parameters)))
async def other(call): answered.append(("other", dict(call.parameters)))
async def wait(call): await call.noop()
async def hello(call): ...
async def watch(pbx): ...
def plain(call): ...
class Calls:
    async def greet(call): answered.append(("greet in Calls", {}))
"""


class ConfigurationTestCase(SynchronousTestCase):
    """A folder with a configuration and its scripts."""

    def setUp(self) -> None:
        """Lay the scripts and the secrets beside the configuration."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "config_test_calls.py").write_text(SCRIPTS)
        (self.folder / "ami.secret").write_text("of the file\n")
        self.patch(sys, "path", list(sys.path))
        self.patch(sys, "dont_write_bytecode", True)
        self.addCleanup(sys.modules.pop, "config_test_calls", None)
        self.environment({"TX_TEST": "of the environment"})

    def environment(self, variables: dict[str, str]) -> None:
        """Put these into the environment of the process, until the test is over."""
        self.patch(os, "environ", {**os.environ, **variables})

    def answered(self) -> list[tuple[str, dict[str, str]]]:
        """Return which scripts have answered calls, and with what in place of names."""
        answered: list[tuple[str, dict[str, str]]] = sys.modules["config_test_calls"].answered
        return answered

    def answer(self, routes: Routes, path: str) -> Status:
        """Return how a call for a path ends."""
        answering = routes.answer(session_for(path))
        if isinstance(answering, Status):
            return answering
        return self.successResultOf(answering.finished)

    def read(self, text: str) -> Configuration:
        """Read a configuration."""
        path = self.folder / "office.toml"
        path.write_text(text, "utf-8")
        return read_configuration(path, MemoryReactorClock())

    def mistakes(self, text: str) -> list[str]:
        """Return what is wrong with a configuration, without the name of the file."""
        error = self.assertRaises(ConfigurationError, self.read, text)
        begin = f"{self.folder / 'office.toml'}: "
        lines = str(error).split("\n")
        self.assertEqual([line for line in lines if not line.startswith(begin)], [])
        return [line.removeprefix(begin) for line in lines]


class ReadingTests(ConfigurationTestCase):
    """A file without mistakes."""

    def test_a_pbx_has_the_endpoint_and_credentials_of_its_ami(self) -> None:
        """``ami`` says where AMI listens and who we are there."""
        ami = self.read(WHOLE).pbxs[0].ami
        assert ami is not None
        self.assertIsInstance(ami.endpoint, TCP4ClientEndpoint)
        self.assertEqual((ami.username, str(ami.secret)), ("admin", "of the file"))

    def test_a_pbx_has_the_url_and_credentials_of_its_ari(self) -> None:
        """``ari`` says where ARI is and who we are there."""
        ari = self.read(WHOLE).pbxs[0].ari
        assert ari is not None
        self.assertEqual(
            (ari.url, ari.username, str(ari.password)),
            ("http://127.0.0.1:8088/ari", "admin", "of the environment"),
        )

    def test_a_listener_has_scripts_by_path(self) -> None:
        """``routes`` names a script for each path."""
        (listener,) = self.read(WHOLE).listeners
        self.assertIsInstance(listener.listen, TCP4ServerEndpoint)
        self.assertIs(self.answer(listener.routes, "greet"), Status.SUCCESS)
        self.assertIs(self.answer(listener.routes, "other"), Status.NOTFOUND)
        self.assertEqual(self.answered(), [("greet", {})])

    def test_a_route_may_be_a_table(self) -> None:
        """A table has the script, its limit, and what becomes of it when the caller hangs up."""
        route = '{ script = "config_test_calls:wait", limit = 1, on_hangup = "cancel" }'
        text = WHOLE.replace(
            '"/greet" = "config_test_calls:greet"', f'"/greet/{{name}}" = {route}', 1
        )
        (listener,) = self.read(text).listeners
        session = session_for("greet/bob")
        waiting = listener.routes.answer(session)
        assert isinstance(waiting, RunningScript)
        self.assertIs(self.answer(listener.routes, "greet/eve"), Status.BUSY)
        self.assertEqual(session.parameters, {"name": "bob"})
        session.notice_hangup()
        self.assertIs(self.successResultOf(waiting.finished), Status.HANGUP)

    def test_a_listener_may_have_a_default_script(self) -> None:
        """``default`` answers the calls for all other paths; it may be the only one."""
        text = WHOLE.replace("routes = {", 'default = "config_test_calls:other"\nroutes = {', 1)
        (listener,) = self.read(text).listeners
        self.answer(listener.routes, "greet")
        self.answer(listener.routes, "elsewhere")
        self.assertEqual(self.answered(), [("greet", {}), ("other", {})])
        text = WHOLE.replace(ROUTES, 'default = "config_test_calls:other"')
        (listener,) = self.read(text).listeners
        self.assertIs(self.answer(listener.routes, "greet"), Status.SUCCESS)

    def test_a_listener_has_limits(self) -> None:
        """Time for the description, number of calls, time for the calls at the end."""
        (listener,) = self.read(WHOLE).listeners
        limits = (listener.environment_timeout, listener.sessions, listener.grace)
        self.assertEqual(limits, (10.0, None, 5.0))
        more = "environment_timeout = 3\nsessions = 100\ngrace = 0.5\n"
        (listener,) = self.read(WHOLE.replace("listen =", f"{more}listen =")).listeners
        limits = (listener.environment_timeout, listener.sessions, listener.grace)
        self.assertEqual(limits, (3.0, 100, 0.5))

    def test_a_pbx_may_have_asyncagi(self) -> None:
        """``[asyncagi.calls]`` answers the calls that a PBX tells of over AMI."""
        configuration = self.read(WITH_ASYNC_AGI)
        (calls,) = configuration.async_agis
        self.assertEqual((calls.name, calls.pbx, calls.grace), ("calls", "office", 5.0))
        self.answer(calls.routes, "greet")
        self.assertEqual(self.answered(), [("greet", {})])
        made = services(configuration)
        kinds = [type(service) for service in made]
        self.assertEqual(kinds, [AsyncAGIService, ARIService, FastAGIService])
        assert isinstance(made[0], AsyncAGIService)
        self.assertEqual(made[0].label, "asyncagi.calls")
        self.assertEqual([service.label for service in made[0]], ["office.ami"])

    def test_a_stasis_application_has_its_name_pbx_and_script(self) -> None:
        """``[stasis.hello]`` is the application that the dialplan calls ``hello``."""
        (application,) = self.read(WHOLE).applications
        self.assertEqual((application.name, application.pbx), ("hello", "office"))
        self.assertEqual(application.call.__name__, "hello")

    def test_a_pbx_may_have_a_program(self) -> None:
        """``program`` runs as long as the daemon."""
        text = WHOLE.replace("[pbx.office]", '[pbx.office]\nprogram = "config_test_calls:watch"')
        program = self.read(text).pbxs[0].program
        assert program is not None
        self.assertEqual(program.__name__, "watch")

    def test_what_ami_tells_can_be_chosen(self) -> None:
        """A mask, filters, a second link and waiting for the boot are optional."""
        ami = self.read(WHOLE).pbxs[0].ami
        assert ami is not None
        self.assertEqual((ami.events, ami.filters), (None, ()))
        self.assertEqual((ami.links, ami.boot_timeout), (1, None))
        more = 'events = "call,user", filters = ["!Event: RTCP"], links = 2, boot_timeout = 60, '
        ami = self.read(WHOLE.replace("ami = { ", "ami = { " + more)).pbxs[0].ami
        assert ami is not None
        self.assertEqual((ami.events, ami.filters), ("call,user", ("!Event: RTCP",)))
        self.assertEqual((ami.links, ami.boot_timeout), (2, 60.0))

    def test_ami_may_go_over_http(self) -> None:
        """A ``url`` in place of the endpoint stands for that."""
        text = WHOLE.replace('endpoint = "tcp:127.0.0.1:5038"', 'url = "http://127.0.0.1:8088"')
        ami = self.read(text).pbxs[0].ami
        assert ami is not None
        self.assertEqual(ami.endpoint, "http://127.0.0.1:8088")
        service = services(self.read(text))[0]
        assert isinstance(service, AMIHTTPService)
        self.assertEqual(service.label, "office.ami")

    def test_a_script_may_be_within_a_class(self) -> None:
        """After the colon there may be dots."""
        (listener,) = self.read(WHOLE.replace(":greet", ":Calls.greet")).listeners
        self.assertIs(self.answer(listener.routes, "greet"), Status.SUCCESS)
        self.assertEqual(self.answered(), [("greet in Calls", {})])

    def test_a_credential_of_systemd_is_read_from_its_directory(self) -> None:
        """``credential`` names a file in ``$CREDENTIALS_DIRECTORY``."""
        self.environment({"CREDENTIALS_DIRECTORY": str(self.folder)})
        text = WHOLE.replace('{ file = "ami.secret" }', '{ credential = "ami.secret" }')
        ami = self.read(text).pbxs[0].ami
        assert ami is not None
        self.assertEqual(str(ami.secret), "of the file")

    def test_a_secret_is_not_in_the_repr_of_the_configuration(self) -> None:
        """What is logged or shown of a configuration tells no secret."""
        shown = repr(self.read(WHOLE))
        self.assertNotIn("of the", shown)


class MistakeTests(ConfigurationTestCase):
    """A file with mistakes: one line each, all at once."""

    def test_a_file_that_is_not_there_is_named(self) -> None:
        """The error says which file cannot be read, and why."""
        path = self.folder / "none.toml"
        error = self.assertRaises(
            ConfigurationError, read_configuration, path, MemoryReactorClock()
        )
        self.assertEqual(str(error), f"{path}: cannot be read: No such file or directory")

    def test_what_is_no_toml_is_told_with_its_place(self) -> None:
        """The line and column of a syntax error are told."""
        (mistake,) = self.mistakes("[pbx.office]\nami = {\n")
        self.assertRegex(mistake, r"^this is no TOML: .*line 2")

    def test_an_unknown_key_is_told_with_the_one_that_was_meant(self) -> None:
        """A misspelt key is not ignored."""
        self.assertEqual(
            self.mistakes(WHOLE.replace("username", "usrname", 1)),
            [
                "pbx.office.ami.username: missing; expected the name of a user in manager.conf",
                'pbx.office.ami.usrname: unknown key; did you mean "username"?',
            ],
        )

    def test_an_unknown_section_is_told_with_those_there_are(self) -> None:
        """A section that nobody reads is a mistake."""
        self.assertEqual(
            self.mistakes(WHOLE + "[zzz]\n"),
            ["zzz: unknown key; expected asyncagi, fastagi, pbx, stasis"],
        )

    def test_a_wrong_route_is_told(self) -> None:
        """A route is a script or a table, whose mistakes have a line each."""
        routes = {
            "7": '7 is wrong; expected "module:function" of an async def',
            "{ limit = 2 }": '.script: missing; expected "module:function" of an async def',
            '{ script = "config_test_calls:greet", limit = 0 }': (
                ".limit: 0 is wrong; expected a number of calls, at least 1"
            ),
            '{ script = "config_test_calls:greet", on_hangup = "die" }': (
                ".on_hangup: 'die' is wrong; expected 'raise' or 'cancel' or 'tell'"
            ),
            '{ script = "config_test_calls:greet", limits = 2 }': (
                '.limits: unknown key; did you mean "limit"?'
            ),
        }
        for route, mistake in routes.items():
            text = WHOLE.replace('"config_test_calls:greet" }', f"{route} }}", 1)
            place = "fastagi.calls.routes./greet"
            expected = place + (mistake if mistake.startswith(".") else f": {mistake}")
            self.assertEqual(self.mistakes(text), [expected])

    def test_a_path_with_a_name_twice_is_told(self) -> None:
        """What ``Routes`` refuses is a mistake."""
        self.assertEqual(
            self.mistakes(WHOLE.replace('"/greet" =', '"/{a}/{a}" =', 1)),
            ["fastagi.calls.routes./{a}/{a}: the same name comes twice"],
        )

    def test_a_listener_without_a_script_is_told(self) -> None:
        """There are routes or a default."""
        self.assertEqual(
            self.mistakes(WHOLE.replace(ROUTES, "")),
            ['fastagi.calls.routes: missing; expected { "/path" = "module:function", … }'],
        )

    def test_wrong_limits_are_told(self) -> None:
        """Each is a number, and more than nothing."""
        more = 'environment_timeout = 0\nsessions = 1.5\ngrace = "5"\n'
        self.assertEqual(
            self.mistakes(WHOLE.replace("listen =", f"{more}listen =")),
            [
                "fastagi.calls.environment_timeout: 0 is wrong;"
                " expected a number of seconds, such as 60",
                "fastagi.calls.sessions: 1.5 is wrong; expected a number of calls, at least 1",
                "fastagi.calls.grace: '5' is wrong; expected a number of seconds, such as 60",
            ],
        )

    def test_asyncagi_needs_a_pbx_with_ami(self) -> None:
        """Its PBX has an ``ami``, that tells of AGI, and no other section has its calls."""
        text = WITH_ASYNC_AGI.replace(
            '[asyncagi.calls]\npbx = "office"', '[asyncagi.calls]\npbx = "home"'
        )
        self.assertEqual(self.mistakes(text), ["asyncagi.calls.pbx: there is no [pbx.home.ami]"])
        text = WITH_ASYNC_AGI.replace("ami = {", 'ami = { events = "call,user",')
        self.assertEqual(
            self.mistakes(text), ['asyncagi.calls.pbx: pbx.office.ami.events leaves out "agi"']
        )
        for events in "call,agi", "all", "on", "64":
            self.read(WITH_ASYNC_AGI.replace("ami = {", f'ami = {{ events = "{events}",'))
        more = '[asyncagi.more]\npbx = "office"\ndefault = "config_test_calls:greet"\n'
        self.assertEqual(
            self.mistakes(WITH_ASYNC_AGI + more),
            ["asyncagi.more.pbx: [asyncagi.calls] answers the calls of office"],
        )
        self.assertEqual(
            self.mistakes(
                WITH_ASYNC_AGI.replace('[asyncagi.calls]\npbx = "office"', "[asyncagi.calls]")
            ),
            ["asyncagi.calls.pbx: missing; expected the NAME of a section [pbx.NAME]"],
        )

    def test_all_mistakes_are_told_together(self) -> None:
        """The second mistake does not wait for the first to be mended."""
        text = WHOLE.replace("tcp:127.0.0.1:5038", "no").replace("http://127", "ftp://127")
        places = [mistake.split(":")[0] for mistake in self.mistakes(text)]
        self.assertEqual(places, ["pbx.office.ami.endpoint", "pbx.office.ari.url"])

    def test_wrong_numbers_are_told_with_what_was_expected(self) -> None:
        """A number is of the right kind and size."""
        more = "links = 3, boot_timeout = 0, "
        self.assertEqual(
            self.mistakes(WHOLE.replace("ami = { ", "ami = { " + more)),
            [
                "pbx.office.ami.links: 3 is wrong; expected 1 or 2",
                "pbx.office.ami.boot_timeout: 0 is wrong; expected a number of seconds, such as 60",
            ],
        )
        (mistake,) = self.mistakes(WHOLE.replace("ami = { ", 'ami = { events = "Call, user", '))
        self.assertRegex(mistake, r"pbx\.office\.ami\.events: .*not 'Call, user'; expected classes")
        for wrong in "inf", "nan", "true", '"1"':
            more = f"boot_timeout = {wrong}, "
            self.assertEqual(len(self.mistakes(WHOLE.replace("ami = { ", "ami = { " + more))), 1)

    def test_what_http_does_not_have_is_told(self) -> None:
        """With a ``url`` there is no endpoint, no second link and no waiting for the boot."""
        more = 'url = "http://127.0.0.1:8088", links = 2, boot_timeout = 60, '
        mistakes = self.mistakes(WHOLE.replace("ami = { ", "ami = { " + more))
        self.assertEqual(
            [mistake.split(":")[0] for mistake in mistakes],
            [f"pbx.office.ami.{key}" for key in ("endpoint", "links", "boot_timeout")],
        )

    def test_a_secret_in_the_file_is_refused_and_not_repeated(self) -> None:
        """A secret does not stand in the configuration, nor in the error about that."""
        (mistake,) = self.mistakes(WHOLE.replace('{ file = "ami.secret" }', '"hunter2"'))
        self.assertIn("pbx.office.ami.secret: a secret does not stand in the file", mistake)
        self.assertNotIn("hunter2", mistake)

    def test_a_secret_that_cannot_be_found_is_told(self) -> None:
        """Neither a file nor a variable that is not there passes for an empty secret."""
        text = WHOLE.replace("ami.secret", "none.secret").replace("TX_TEST", "TX_NONE")
        file, variable = self.mistakes(text)
        self.assertIn("pbx.office.ami.secret: 'none.secret' cannot be read", file)
        self.assertEqual(
            variable, "pbx.office.ari.password: the environment has no variable TX_NONE"
        )

    def test_an_empty_secret_is_refused(self) -> None:
        """An empty file is a mistake of whoever made it."""
        (self.folder / "ami.secret").write_text("\n")
        self.assertEqual(self.mistakes(WHOLE), ["pbx.office.ami.secret: 'ami.secret' is empty"])

    def test_a_script_must_be_an_async_def_that_can_be_found(self) -> None:
        """Scripts are imported before anything starts."""
        for reference, why in [
            ("config_test_calls", "there is no colon between two names"),
            ("config_test_calls:nobody", "config_test_calls has no nobody"),
            ("config_test_calls:plain", "this is no async def"),
            ("no_such_module:greet", "there is no module no_such_module"),
        ]:
            with self.subTest(reference):
                (mistake,) = self.mistakes(WHOLE.replace("config_test_calls:greet", reference))
                self.assertEqual(
                    mistake,
                    f"fastagi.calls.routes./greet: {reference!r}: {why};"
                    ' expected "module:function" of an async def',
                )

    def test_a_module_that_fails_is_told_in_one_line(self) -> None:
        """What a script raises when it is imported becomes one line without a traceback."""
        (self.folder / "config_test_calls.py").write_text("1/0")
        mistakes = self.mistakes(WHOLE)
        self.assertEqual(len(mistakes), 2)
        self.assertIn("cannot be imported (ZeroDivisionError: division by zero)", mistakes[0])

    def test_a_stasis_application_needs_a_pbx_with_ari(self) -> None:
        """Its PBX must be there, and have an ``ari``."""
        self.assertEqual(
            self.mistakes(WHOLE.replace('pbx = "office"', 'pbx = "home"')),
            [
                "stasis.hello.pbx: there is no [pbx.home.ari]",
                "pbx.office.ari: no [stasis.NAME] uses it",
            ],
        )

    def test_a_file_that_asks_for_nothing_is_a_mistake(self) -> None:
        """An empty file would leave a daemon that does nothing."""
        self.assertEqual(
            self.mistakes(""), ["nothing to run: expected a section [pbx.NAME] or [fastagi.NAME]"]
        )

    def test_a_value_of_the_wrong_kind_is_told(self) -> None:
        """A number where a table belongs, a table where a text belongs."""
        text = "[pbx.office]\nami = 7\n[fastagi.calls]\nlisten = { }\nroutes = 1\n"
        self.assertEqual(
            [mistake.split(";")[0] for mistake in self.mistakes(text)],
            [
                "pbx.office.ami: expected a table, not 7",
                "pbx.office: expected [pbx.office.ami], [pbx.office.ari] or both",
                "fastagi.calls.routes: expected a table, not 1",
                "fastagi.calls.listen: {} is wrong",
            ],
        )
