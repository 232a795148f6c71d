"""The TOML file of ``twistd asterisk``: what it may say, and how its mistakes are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.ami import AMIHTTPService
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

SCRIPTS = """
async def greet(call): ...
async def hello(call): ...
async def watch(pbx): ...
def plain(call): ...
class Calls:
    async def greet(call): ...
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
        self.assertEqual({p: s.__name__ for p, s in listener.routes.items()}, {"/greet": "greet"})

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
        self.assertEqual(listener.routes["/greet"].__qualname__, "Calls.greet")

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
            self.mistakes(WHOLE + "[zzz]\n"), ["zzz: unknown key; expected fastagi, pbx, stasis"]
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
