"""The parts of tools/real_asterisk.py that need neither root nor Asterisk."""

import contextlib
import io
import json
import os
import socket
import sys
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from tools import real_asterisk
from tools.real_asterisk import Instance, State, Trouble


def udp_is_free(port: int) -> bool:
    """Tell whether a UDP port of the loopback interface can be bound."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind((real_asterisk.LOOPBACK, port))
        return True
    return False


class Ports(SynchronousTestCase):
    """Which ports an instance gets."""

    def test_each_version_gets_a_port_for_everything_it_listens_on(self) -> None:
        """16 has two channel drivers more than 22."""
        common = {
            "ami",
            "ami_tls",
            "http",
            "https",
            "fastagi",
            "sip",
            "iax",
            "rtp_first",
            "rtp_last",
        }
        self.assertEqual(real_asterisk.choose_ports("22").keys(), common)
        self.assertEqual(real_asterisk.choose_ports("16").keys(), common | {"chan_sip", "skinny"})

    def test_no_port_is_given_twice(self) -> None:
        """Not even to the sound, which has a range of its own."""
        ports = real_asterisk.choose_ports("16")
        rtp = range(ports.pop("rtp_first"), ports.pop("rtp_last") + 1)
        self.assertEqual(len(set(ports.values()) | set(rtp)), len(ports) + len(rtp))

    def test_the_rtp_range_begins_with_an_even_port_and_is_free(self) -> None:
        """RTP uses even ports, RTCP the odd one above."""
        ports = real_asterisk.choose_ports("22")
        rtp = range(ports["rtp_first"], ports["rtp_last"] + 1)
        self.assertEqual(rtp[0] % 2, 0)
        self.assertEqual(len(rtp), real_asterisk.RTP_PORT_COUNT)
        self.assertTrue(all(map(udp_is_free, rtp)))

    def test_a_port_of_another_instance_is_avoided(self) -> None:
        """Also while that instance does not run."""
        with (
            contextlib.ExitStack() as held,
            mock.patch.object(real_asterisk, "bind", side_effect=[5038, 5038, 5039]),
        ):
            port = real_asterisk.free_port(socket.SOCK_STREAM, {5038}, held)
        self.assertEqual(port, 5039)

    def test_an_instance_gets_its_ports_again_if_they_are_free(self) -> None:
        """After a crash, clients find it where it was."""
        self.assertTrue(real_asterisk.ports_free("16", real_asterisk.choose_ports("16")))

    def test_a_port_that_somebody_took_means_new_ports(self) -> None:
        """Asterisk would start, and listen on less than it should."""
        ports = real_asterisk.choose_ports("22")
        with socket.create_server((real_asterisk.LOOPBACK, ports["http"])):
            self.assertFalse(real_asterisk.ports_free("22", ports))

    def test_the_fastagi_port_belongs_to_the_tests_and_may_be_in_use(self) -> None:
        """A test's own server may outlive the Asterisk it kills."""
        ports = real_asterisk.choose_ports("22")
        with socket.create_server((real_asterisk.LOOPBACK, ports["fastagi"])):
            self.assertTrue(real_asterisk.ports_free("22", ports))

    def test_ports_chosen_by_an_older_tool_are_chosen_anew(self) -> None:
        """They lack a name that a template may ask for."""
        ports = real_asterisk.choose_ports("22")
        del ports["iax"]
        self.assertFalse(real_asterisk.ports_free("22", ports))


class Templates(SynchronousTestCase):
    """How the configuration is made."""

    def values(self, version: str) -> dict[str, str]:
        """Return what the templates of a version are filled in with."""
        instance = Instance(Path("/nowhere") / version, "default")
        return real_asterisk.placeholders(instance, real_asterisk.choose_ports(version))

    def test_placeholders_are_filled_in(self) -> None:
        """Each with its value, wherever it stands."""
        text = real_asterisk.render("@HOME@/etc:@AMI_PORT@", {"HOME": "/srv/x", "AMI_PORT": "1"})
        self.assertEqual(text, "/srv/x/etc:1")

    def test_an_unknown_placeholder_is_refused(self) -> None:
        """Asterisk would take it for a value."""
        with self.assertRaisesRegex(Trouble, "@AMY_PORT@"):
            real_asterisk.render("port = @AMY_PORT@", {"AMI_PORT": "1"})

    def test_what_only_looks_like_a_placeholder_is_kept(self) -> None:
        """Mailboxes and dialplan locations have an at sign too."""
        for text in ("100@default", "Local/answer@txasterisk,Local/ring@txasterisk", "${A}@${B}"):
            self.assertEqual(real_asterisk.render(text, {}), text)

    def test_every_template_can_be_rendered_for_its_version(self) -> None:
        """There is none with a misspelt placeholder, and none is left over."""
        for version in real_asterisk.RELEASES:
            for template in real_asterisk.templates(version):
                text = real_asterisk.render(template.read_text(), self.values(version))
                self.assertNotRegex(text, r"@[A-Z_]+@", template.name)

    def test_only_16_has_templates_for_its_old_channel_drivers(self) -> None:
        """22 no longer has them."""
        names = {
            version: {template.name for template in real_asterisk.templates(version)}
            for version in real_asterisk.RELEASES
        }
        self.assertEqual(names["16"] - names["22"], {"sip.conf", "skinny.conf"})

    def test_every_address_in_the_templates_is_the_loopback_interface(self) -> None:
        """Nothing of a test server is reachable from outside."""
        for version in real_asterisk.RELEASES:
            for template in real_asterisk.templates(version):
                for line in template.read_text().splitlines():
                    if line.partition("=")[0].strip().endswith(("bindaddr", "bind")):
                        self.assertIn("= 127.0.0.1", line, template.name)

    def test_an_empty_file_does_not_take_the_place_of_a_template(self) -> None:
        """A name is on one list or the other."""
        for version in real_asterisk.RELEASES:
            names = {template.name for template in real_asterisk.templates(version)}
            self.assertFalse(names & set(real_asterisk.empty_files()))


class States(SynchronousTestCase):
    """What is remembered of an instance."""

    def test_a_state_survives_being_written_and_read(self) -> None:
        """Everything in it is kept."""
        instance = Instance(Path(self.mktemp()) / "22", "default")
        instance.home.mkdir(parents=True)
        state = State("22.10.1", {"ami": 5038}, keeper=10, pid=11)
        instance.write_state(state)
        self.assertEqual(instance.read_state(), state)

    def test_an_instance_that_never_ran_has_no_state(self) -> None:
        """And is not running."""
        instance = Instance(Path(self.mktemp()) / "22", "default")
        self.assertIsNone(instance.read_state())
        self.assertIsNone(instance.running())

    def test_a_damaged_state_file_counts_as_none(self) -> None:
        """New ports are chosen then; nobody has to repair a file."""
        good = {"full_version": "22.10.1", "ports": {"ami": 5038}, "keeper": 1, "pid": 2}
        damaged = [
            "",
            "{",
            "[]",
            "null",
            json.dumps({"full_version": "22.10.1"}),
            json.dumps(good | {"more": 1}),
            json.dumps(good | {"ports": [5038]}),
            json.dumps(good | {"ports": {"ami": "5038"}}),
            json.dumps(good | {"pid": "2"}),
            json.dumps(good | {"full_version": None}),
        ]
        self.assertIsNotNone(real_asterisk.parse_state(json.dumps(good)))
        for text in damaged:
            self.assertIsNone(real_asterisk.parse_state(text), text)

    def test_a_state_file_left_by_a_dead_instance_does_not_make_it_run(self) -> None:
        """The lock tells, and it ends with the processes."""
        instance = Instance(Path(self.mktemp()) / "22", "default")
        instance.home.mkdir(parents=True)
        instance.lock.touch()
        instance.write_state(State("22.10.1", {}, keeper=1, pid=1))
        self.assertIsNone(instance.running())


class CommandLine(SynchronousTestCase):
    """What is understood, and how a mistake is answered."""

    def complaint(self, *arguments: str) -> str:
        """Return the one line that a mistake is answered with."""
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            self.assertEqual(real_asterisk.main(arguments), 1)
        self.assertRegex(errors.getvalue(), r"\Atools/asterisk: [^\n]+\n\Z")
        return errors.getvalue()

    def test_an_instance_is_called_default_unless_named(self) -> None:
        """Only to stop, no name means all."""
        self.assertEqual(real_asterisk.parse_arguments(["up", "22"]).name, "default")
        self.assertEqual(real_asterisk.parse_arguments(["console", "22"]).name, "default")
        self.assertIsNone(real_asterisk.parse_arguments(["down", "22"]).name)

    def test_the_console_gets_all_words_after_the_options(self) -> None:
        """A command need not be quoted."""
        chosen = real_asterisk.parse_arguments(
            ["console", "22", "--name", "other", "core", "show", "channels"]
        )
        self.assertEqual(chosen.name, "other")
        self.assertEqual(chosen.words, ["core", "show", "channels"])

    def test_mistakes_are_one_line_and_exit_status_1(self) -> None:
        """Never a traceback, never a page of usage."""
        self.assertIn("required", self.complaint())
        self.assertIn("sideways", self.complaint("sideways"))
        self.assertIn("required", self.complaint("up"))
        self.assertIn("many words", self.complaint("status", "many", "words"))
        self.assertIn("'soon'", self.complaint("up", "22", "--owner", "soon"))

    def test_a_name_that_is_no_plain_word_is_refused(self) -> None:
        """It becomes a directory."""
        for name in ("", "../up", "a/b", ".", "a b", "-x", "x" * 33):
            self.assertIn("--name", self.complaint("up", "22", f"--name={name}"))

    def test_an_unknown_version_is_refused_with_those_there_are(self) -> None:
        """It takes no root to hear that."""
        self.assertIn("17 is not known here, only 22 and 16", self.complaint("down", "17"))
        self.assertIn("17 is not known", self.complaint("console", "17"))

    def test_without_root_it_says_so(self) -> None:
        """Before anything is tried."""
        self.patch(sys, "platform", "linux")
        self.patch(os, "geteuid", lambda: 1000)
        for command in (["able"], ["up", "22"], ["install", "16"]):
            self.assertIn("needs root", self.complaint(*command))
