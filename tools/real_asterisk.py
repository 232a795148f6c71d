"""
Real Asterisk on demand, for the live tests and for whoever wants to try something.

    tools/asterisk up 22 [--name NAME] [--owner PID] [--python PROGRAM]
                                                       start it (and install it first if need be)
    tools/asterisk down [22] [--name NAME]             stop it; without a version, all of them
    tools/asterisk status [--json]                     what runs, and where it listens
    tools/asterisk console 22 [--name NAME] [COMMAND]  its console, or the answer to one command
    tools/asterisk install 22                          install only
    tools/asterisk able                                exit 0 if this machine can do all that

An *installed version* is a small Debian with Asterisk in ``.asterisk/VERSION``. An *instance* is
one Asterisk running in there with ports and directories of its own, in ``/srv/NAME`` of that tree::

    keeper (this file)  ->  unshare  ->  sh  ->  asterisk
                            private mount and process namespaces

The kernel kills each of them when the one to its left dies, and what they mounted goes with them.
All four hold the instance's lock, so the lock is free exactly when nothing of the instance is left.
Everything listens on 127.0.0.1 only. (PJSIP opens two UDP sockets on no particular address as well,
to ask a name server; nothing can turn that off, and the only name server in there is 127.0.0.1.)

Programs that Asterisk starts may be Python scripts in ``/srv/NAME/agi-bin`` that begin with
``#!/srv/NAME/host/python``: that is PROGRAM, by default the one of the checkout's ``.venv``, and it
finds the checkout (see ``tools/host_python.py``).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

from tools.host_python import HostPython

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
TEMPLATES = HERE / "asterisk.d"
THIS_PROGRAM = (sys.executable, "-m", "tools.real_asterisk")

# Inside a tree.
RECIPE = Path("/etc/txasterisk-recipe")
TLS = Path("/etc/txasterisk-tls")

LOOPBACK = "127.0.0.1"
TCP_PORTS = ("ami", "ami_tls", "http", "https", "fastagi")
UDP_PORTS = ("sip", "iax")
# What only one version has; the templates in the folder of its name configure it.
EXTRA_TCP_PORTS = {"16": ("skinny",)}
EXTRA_UDP_PORTS = {"16": ("chan_sip",)}
# Not Asterisk's: the tests listen there and Asterisk connects, so it may well be in use already.
PORTS_OF_THE_TESTS = ("fastagi",)
RTP_PORT_COUNT = 40

USERS = {
    "ami": {
        "full": "full-secret",
        "readonly": "readonly-secret",
        "tls": "tls-secret",
        "nowhere": "nowhere-secret",
        "single": "single-secret",
    },
    "ari": {"full": "full-secret", "readonly": "readonly-secret"},
    "sip": {"alice": "alice-secret"},
}

BOOT_SECONDS = 60.0
POLITE_SECONDS = 5.0
KILL_SECONDS = 10.0

# The number under which all processes of an instance hold its lock: high enough that Asterisk, when
# it dies, closes its sockets first, so that a free lock also means free ports.
LOCK_DESCRIPTOR = 200

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


class Trouble(Exception):
    """What cannot be done and why, in one line for the user."""


# Versions: which Debian has them, and how they are installed.


@dataclass(frozen=True)
class Release:
    """Where a version of Asterisk comes from."""

    suite: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()


PACKAGES = (
    "asterisk",
    "asterisk-modules",
    "asterisk-core-sounds-en-gsm",
    "asterisk-moh-opsound-gsm",
    "openssl",
)

# chan_dahdi works without hardware, but its package wants kernel modules and a compiler for them.
DAHDI_LIBRARIES = ("libopenr2-3", "libpri1.4", "libss7-2.0", "libtonezone2.0")
DAHDI = ("asterisk-dahdi", *DAHDI_LIBRARIES)
# The security update of these is not on every mirror, and the ones before want exactly their own
# Asterisk; but they are modules that any 16.28 loads.
ONLY_IN_BULLSEYE = ("asterisk-voicemail/bullseye", "asterisk-dahdi/bullseye")


def unpacked(*packages: str) -> str:
    """Return the option of mmdebstrap that unpacks some packages past their dependencies."""
    return f"""--customize-hook=set -eu
mkdir "$1/tmp/unpacked"
cd "$1/tmp/unpacked"
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download {" ".join(packages)}
for package in *.deb; do dpkg-deb --extract "$package" "$1"; done
rm *.deb
cd ..
rmdir unpacked"""


# Names of this machine only, and no question ever leaves it. (Also, a module misses these files.)
FILES = {
    "etc/hosts": f"{LOOPBACK} localhost\n::1 localhost\n",
    "etc/resolv.conf": f"nameserver {LOOPBACK}\n",
}

RELEASES = {
    "22": Release("forky", PACKAGES, (unpacked(*DAHDI),)),
    "16": Release("bullseye", PACKAGES, (unpacked(*ONLY_IN_BULLSEYE, *DAHDI_LIBRARIES),)),
}


def checkout_directory() -> Path:
    """Return where the versions of this checkout are installed."""
    chosen = os.environ.get("TXASTERISK_ASTERISK_DIR")
    return Path(chosen).resolve() if chosen else CHECKOUT / ".asterisk"


def release_of(version: str) -> Release:
    """Return the release that a version on the command line means."""
    try:
        return RELEASES[version]
    except KeyError:
        known = " and ".join(RELEASES)
        raise Trouble(f"Asterisk {version} is not known here, only {known}") from None


def reason_unable() -> str | None:
    """Return why this machine cannot run Asterisk for us, or None if it can."""
    if sys.platform != "linux":
        return "real Asterisk needs Linux (it runs in namespaces)"
    if os.geteuid() != 0:
        return "real Asterisk needs root (it runs in a chroot)"
    for program in ("unshare", "setpriv", "mount", "chroot"):
        if shutil.which(program) is None:
            return f"real Asterisk needs the program {program}, which is not here"
    if shutil.which("mmdebstrap") is None and shutil.which("apt-get") is None:
        return "real Asterisk needs mmdebstrap, and there is no apt-get to install it with"
    attempt = run(namespaced("mount", "-t", "proc", "proc", "/proc"))
    if attempt.returncode != 0:
        return f"real Asterisk needs namespaces, but: {last_lines(attempt.stdout, 1).strip()}"
    return None


def require_able() -> None:
    """Refuse now what would fail later with a message about something else."""
    reason = reason_unable()
    if reason is not None:
        raise Trouble(reason)


def run(command: Sequence[str], timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it says, on either stream, is in ``stdout``."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        env=os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
    )


def must(command: Sequence[str], what: str) -> str:
    """Run a command that has to work; return what it said."""
    result = run(command)
    if result.returncode != 0:
        raise Trouble(f"{what} failed; it said at the end:\n{last_lines(result.stdout, 12)}")
    return result.stdout


def last_lines(text: str, count: int) -> str:
    """Return the end of a long text, where the reason of a failure is."""
    return "\n".join(text.rstrip().splitlines()[-count:])


def namespaced(*command: str) -> list[str]:
    """
    Return a command that runs with mounts and processes of its own, and never outlives us.

    ``setpriv`` has the kernel kill ``unshare`` when we die, ``--kill-child`` does the same for the
    first process of the namespace, and with that one all others go.
    """
    return ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
            "--kill-child", "--", *command]  # fmt: skip


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends; say so before waiting for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def install(version: str) -> Path:
    """Return the tree of an installed version, after installing it if it is not there yet."""
    release = release_of(version)
    directory = checkout_directory()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ".gitignore").write_text("*\n")
    tree = directory / version
    with locked(directory / f"{version}.lock", f"waiting for another install of {version}"):
        if not is_installed(tree, release):
            refuse_to_replace_running(version)
            remove_leftovers(directory, version)
            build_tree(tree, version, release)
    return tree


def recipe(release: Release) -> str:
    """Return all that decides what gets installed, to recognise a tree made by another recipe."""
    return json.dumps(asdict(release) | {"files": FILES}, indent=1) + "\n"


def is_installed(tree: Path, release: Release) -> bool:
    """Tell whether a tree is there and as today's recipe would make it."""
    try:
        return (tree / RECIPE.relative_to("/")).read_text() == recipe(release)
    except OSError:
        return False


def refuse_to_replace_running(version: str) -> None:
    """A tree made by an older recipe is replaced, but not under a running Asterisk."""
    if any(instance.is_locked() for instance in instances(version)):
        raise Trouble(f"Asterisk {version} has to be installed anew: tools/asterisk down {version}")


def remove_leftovers(directory: Path, version: str) -> None:
    """Remove what dead installs left. Nobody else is at work there: we hold the lock."""
    for leftover in directory.glob(f"{version}.new-*"):
        remove_tree(leftover)


def remove_tree(tree: Path) -> None:
    """Remove a tree, but nothing that somebody mounted in it."""
    must(["rm", "-rf", "--one-file-system", "--", str(tree)], f"removing {tree}")


def build_tree(tree: Path, version: str, release: Release) -> None:
    """Install under another name and rename at the end, so that no half tree is taken for one."""
    print(
        f"installing Asterisk {version} from Debian {release.suite} (once, about half a minute)",
        flush=True,
    )
    require_mmdebstrap()
    new = tree.with_name(f"{version}.new-{secrets.token_hex(4)}")
    try:
        must(mmdebstrap_command(new, release), f"installing Asterisk {version}")
        make_certificates(new)
    except BaseException:
        remove_tree(new)
        raise
    for name, text in FILES.items():
        (new / name).write_text(text)
    (new / RECIPE.relative_to("/")).write_text(recipe(release))
    if tree.exists():
        # The instances keep their ports and what they stored: they may be somebody else's.
        (tree / "srv").rename(new / "srv")
        tree.rename(tree.with_name(f"{version}.new-replaced"))
    new.rename(tree)
    remove_leftovers(tree.parent, version)


def require_mmdebstrap() -> None:
    """Get the one program that a Debian machine may lack."""
    if shutil.which("mmdebstrap") is None:
        print("installing mmdebstrap", flush=True)
        must(["apt-get", "update"], "apt-get update")
        must(["apt-get", "install", "-y", "mmdebstrap"], "apt-get install mmdebstrap")


def mmdebstrap_command(tree: Path, release: Release) -> list[str]:
    """Return the command that makes a small Debian with Asterisk; it knows mirrors and keys."""
    return namespaced(
        "mmdebstrap",
        "--variant=minbase",
        # An archived release is no longer re-signed, so its signature is past its date.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        f"--include={','.join(release.packages)}",
        *release.hooks,
        release.suite,
        str(tree),
    )


def make_certificates(tree: Path) -> None:
    """Make a private authority and a certificate for localhost, with the tree's own openssl."""
    directory = tree / TLS.relative_to("/")
    directory.mkdir()
    shutil.copy(TEMPLATES / "tls" / "openssl.cnf", directory)
    new_key = "openssl req -config openssl.cnf -newkey rsa:2048 -nodes -days 3650"
    script = f"""set -e; cd {TLS}
        {new_key} -x509 -subj '/CN=txasterisk test authority' -extensions authority \\
            -keyout ca.key -out ca.pem
        {new_key} -subj /CN=localhost -keyout server.key -out server.csr
        openssl x509 -req -days 3650 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \\
            -extfile openssl.cnf -extensions server -out server.pem
        chmod 644 server.key"""
    must(["chroot", str(tree), "sh", "-c", script], "making the TLS certificate")


def version_of_binary(tree: Path) -> str:
    """Ask the installed Asterisk which one it is."""
    said = must(["chroot", str(tree), "asterisk", "-V"], "asterisk -V")
    return said.strip().removeprefix("Asterisk ")


# Instances: one running Asterisk each.


@dataclass(frozen=True)
class State:
    """What is remembered of an instance, also while it does not run."""

    full_version: str
    ports: Mapping[str, int]
    keeper: int = 0
    pid: int = 0


def parse_state(text: str) -> State | None:
    """Read a state file; None for anything that this file did not write."""
    try:
        found = json.loads(text)
        state = State(**found)
    except (ValueError, TypeError):
        return None
    ports_fine = isinstance(state.ports, dict) and all(
        isinstance(port, int) for port in state.ports.values()
    )
    pids_fine = isinstance(state.keeper, int) and isinstance(state.pid, int)
    return state if ports_fine and pids_fine and isinstance(state.full_version, str) else None


@dataclass(frozen=True)
class Instance:
    """Where everything of one instance is."""

    tree: Path
    name: str

    def __str__(self) -> str:
        return f"Asterisk {self.version} ({self.name})"

    @property
    def version(self) -> str:
        return self.tree.name

    @property
    def inside(self) -> str:
        """Return its directory as Asterisk sees it."""
        return f"/srv/{self.name}"

    @property
    def home(self) -> Path:
        """Return its directory as we see it."""
        return self.tree / "srv" / self.name

    @property
    def lock(self) -> Path:
        return self.home / "running.lock"

    @property
    def control_socket(self) -> Path:
        return self.home / "run/asterisk.ctl"

    @property
    def log(self) -> Path:
        return self.home / "log/full.log"

    @property
    def output(self) -> Path:
        """Return the file with what Asterisk says before its log is open."""
        return self.home / "output.log"

    @property
    def host(self) -> Path:
        """Return the directory with what of this machine can be used in there."""
        return self.home / "host"

    @property
    def launcher(self) -> str:
        """Return the Python of this machine as Asterisk sees it."""
        return f"{self.inside}/host/python"

    def read_state(self) -> State | None:
        try:
            return parse_state((self.home / "state.json").read_text())
        except OSError:
            return None

    def write_state(self, state: State) -> None:
        new = self.home / "state.json.new"
        new.write_text(json.dumps(asdict(state), indent=1) + "\n")
        new.rename(self.home / "state.json")

    def is_locked(self) -> bool:
        """Tell whether anything of it is alive."""
        try:
            descriptor = os.open(self.lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def members(self) -> dict[int, str]:
        """Return the living processes that hold its lock, each with its program's name."""
        try:
            lock = self.lock.stat()
        except FileNotFoundError:
            return {}
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.path.samestat((process / f"fd/{LOCK_DESCRIPTOR}").stat(), lock):
                    found[int(process.name)] = (process / "comm").read_text().strip()
        return found

    def running(self) -> State | None:
        """Return its state if keeper and Asterisk are both alive."""
        state = self.read_state() if self.is_locked() else None
        if state is None or not {state.keeper, state.pid} <= self.members().keys():
            return None
        return state


def instances(version: str | None = None, name: str | None = None) -> list[Instance]:
    """Return the instances of this checkout that ever ran, all or of one version or name."""
    found = checkout_directory().glob(f"{version or '*'}/srv/{name or '*'}/state.json")
    return [Instance(path.parents[2], path.parent.name) for path in sorted(found)]


# Ports: chosen once per instance and kept, so that it comes back where it was.


def port_names(version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the TCP and of the UDP ports of a version."""
    return (
        TCP_PORTS + EXTRA_TCP_PORTS.get(version, ()),
        UDP_PORTS + EXTRA_UDP_PORTS.get(version, ()),
    )


def choose_ports(version: str, avoid: Collection[int] = ()) -> dict[str, int]:
    """Return free loopback ports for all that an instance listens on, none from ``avoid``."""
    tcp, udp = port_names(version)
    with contextlib.ExitStack() as held:
        ports = {name: free_port(socket.SOCK_STREAM, avoid, held) for name in tcp}
        ports |= {name: free_port(socket.SOCK_DGRAM, avoid, held) for name in udp}
        first = free_rtp_range(avoid, held)
    return ports | {"rtp_first": first, "rtp_last": first + RTP_PORT_COUNT - 1}


def free_port(kind: socket.SocketKind, avoid: Collection[int], held: contextlib.ExitStack) -> int:
    """Let the kernel choose a port; it stays bound until all are chosen, so that all differ."""
    while True:
        port = bind(kind, 0, held)
        if port not in avoid:
            return port


def free_rtp_range(avoid: Collection[int], held: contextlib.ExitStack) -> int:
    """Return the first of some free UDP ports in a row; even, as RTP wants it."""
    for _ in range(100):
        with contextlib.ExitStack() as trial:
            first = (bind(socket.SOCK_DGRAM, 0, trial) + 1) & ~1
        wanted = range(first, first + RTP_PORT_COUNT)
        if wanted[-1] < 65536 and not set(wanted) & set(avoid):
            with contextlib.suppress(OSError), contextlib.ExitStack() as trial:
                for port in wanted:
                    bind(socket.SOCK_DGRAM, port, trial)
                held.enter_context(trial.pop_all())
                return first
    raise Trouble(f"there are no {RTP_PORT_COUNT} free UDP ports in a row")


def bind(kind: socket.SocketKind, port: int, held: contextlib.ExitStack) -> int:
    """Bind a loopback port as Asterisk would; return its number."""
    bound = held.enter_context(socket.socket(socket.AF_INET, kind))
    if kind is socket.SOCK_STREAM:
        # As Asterisk does: connections that are still closing do not count.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    number: int = bound.getsockname()[1]
    return number


def ports_free(version: str, ports: Mapping[str, int]) -> bool:
    """Tell whether an instance that was here before can have its ports again."""
    tcp, udp = port_names(version)
    expected = {*tcp, *udp, "rtp_first", "rtp_last"}
    if ports.keys() != expected:
        return False
    with contextlib.ExitStack() as held:
        try:
            for name in set(tcp) - set(PORTS_OF_THE_TESTS):
                bind(socket.SOCK_STREAM, ports[name], held)
            for name in udp:
                bind(socket.SOCK_DGRAM, ports[name], held)
        except OSError:
            return False
    return True


def ports_for(instance: Instance) -> dict[str, int]:
    """Return the ports an instance had before, or new ones if it had none or lost one."""
    state = instance.read_state()
    if state is not None and ports_free(instance.version, state.ports):
        return dict(state.ports)
    others = [other.read_state() for other in instances()]
    return choose_ports(
        instance.version, {port for other in others if other for port in other.ports.values()}
    )


def listening_ports(user: int) -> set[int]:
    """Return the loopback TCP ports on which a user's processes listen, without touching them."""
    loopback_hex, listen_hex = "0100007F", "0A"
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, _, _, _, uid, *_ = line.split()
        address, _, port = local.partition(":")
        if (address, state, int(uid)) == (loopback_hex, listen_hex, user):
            found.add(int(port, 16))
    return found


# Configuration.

DIRECTORIES = ("etc", "lib/keys", "log", "spool", "run", "agi-bin")
PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template's ``@PLACEHOLDER@``s; one that is not known is a mistake, not a text."""

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise Trouble(f"unknown placeholder {match[0]} in a template") from None

    return PLACEHOLDER.sub(value, template)


def placeholders(instance: Instance, ports: Mapping[str, int]) -> dict[str, str]:
    """Return what the templates may ask for: the directory, and ports as ``AMI_PORT`` and so on."""
    return {"HOME": instance.inside} | {
        f"{name.upper()}_PORT": str(port) for name, port in ports.items()
    }


def templates(version: str) -> list[Path]:
    """Return the templates for a version: the common ones and its own."""
    return sorted([*TEMPLATES.glob("*.conf"), *TEMPLATES.glob(f"{version}/*.conf")])


def asterisk_user(tree: Path) -> tuple[int, int]:
    """Return the user and group number that Asterisk has inside its tree."""
    for line in (tree / "etc/passwd").read_text().splitlines():
        name, _, user, group, *_ = line.split(":")
        if name == "asterisk":
            return int(user), int(group)
    raise Trouble(f"there is no user asterisk in {tree}")


def prepare(instance: Instance, ports: Mapping[str, int]) -> None:
    """Write the configuration anew, begin new logs, and keep what Asterisk itself stored."""
    shutil.rmtree(instance.home / "etc", ignore_errors=True)
    shutil.rmtree(instance.home / "log", ignore_errors=True)
    instance.control_socket.unlink(missing_ok=True)
    for directory in DIRECTORIES:
        (instance.home / directory).mkdir(parents=True, exist_ok=True)
    values = placeholders(instance, ports)
    for template in templates(instance.version):
        (instance.home / "etc" / template.name).write_text(render(template.read_text(), values))
    for name in empty_files():
        (instance.home / "etc" / name).touch()
    give_to_asterisk(instance)


def empty_files() -> list[str]:
    """Return the names of the configuration files that only have to be there."""
    lines = (TEMPLATES / "empty.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def give_to_asterisk(instance: Instance) -> None:
    """Make Asterisk the owner of its directories, but not of our lock and state beside them."""
    user, group = asterisk_user(instance.tree)
    for directory in instance.home.iterdir():
        if directory.is_dir():
            must(["chown", "-R", f"{user}:{group}", str(directory)], "chown")


# Up, down and in between.


def up(version: str, name: str, python: str, owner: int | None) -> Instance:
    """Have an instance running and fully booted, whatever was before."""
    require_able()
    if owner is not None:
        os.close(open_process(owner))
    instance = Instance(install(version), name)
    instance.home.mkdir(parents=True, exist_ok=True)
    with command_lock(instance):
        if instance.running() is not None:
            print(f"{instance} is already running")
        else:
            wait_until(lambda: not instance.is_locked(), KILL_SECONDS, f"{instance} does not die")
            bring_python(instance, python)
            start(instance, owner)
    describe(instance)
    return instance


def command_lock(instance: Instance) -> contextlib.AbstractContextManager[None]:
    """Let only one command at a time start or stop an instance."""
    return locked(instance.home / "command.lock", f"waiting for another command on {instance}")


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait for something that nobody tells us about."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(otherwise)
        time.sleep(0.02)


def bring_python(instance: Instance, program: str) -> None:
    """Have a Python ready for the programs that Asterisk starts."""
    try:
        python = HostPython.found(program)
    except ValueError as error:
        raise Trouble(str(error)) from None
    python.prepare(CHECKOUT, instance.host, str(Path(instance.launcher).parent))


def usual_python() -> str:
    """Return the Python of the checkout's virtual environment, or the one that runs this."""
    own = CHECKOUT / ".venv/bin/python"
    return str(own) if own.exists() else sys.executable


def start(instance: Instance, owner: int | None) -> None:
    """Start an instance; once more with other ports if somebody takes one in that moment."""
    full_version = version_of_binary(instance.tree)
    for _ in range(2):
        ports = ports_for(instance)
        instance.write_state(State(full_version, ports))
        prepare(instance, ports)
        keeper = start_keeper(instance, owner)
        try:
            wait_booted(instance, keeper)
        except BaseException:
            kill(instance)
            raise
        if listens_everywhere(instance, ports):
            return
        kill(instance)
        instance.write_state(State(full_version, {}))
    raise Trouble(f"{instance} does not listen where it should{log_tail(instance)}")


def listens_everywhere(instance: Instance, ports: Mapping[str, int]) -> bool:
    """Tell whether Asterisk, and nobody else, got each of its TCP ports."""
    wanted = set(port_names(instance.version)[0]) - set(PORTS_OF_THE_TESTS)
    user, _ = asterisk_user(instance.tree)
    return {ports[name] for name in wanted} <= listening_ports(user)


def start_keeper(instance: Instance, owner: int | None) -> subprocess.Popen[bytes]:
    """Start the process that outlives this one and holds the instance."""
    command = [*THIS_PROGRAM, "keep", str(instance.tree), instance.name]
    with instance.output.open("wb") as output:
        return subprocess.Popen(
            command if owner is None else [*command, "--owner", str(owner)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=CHECKOUT,
            env=ENVIRONMENT,
            start_new_session=True,
        )


def wait_booted(instance: Instance, keeper: subprocess.Popen[bytes]) -> None:
    """Wait until Asterisk says that all its modules are there."""

    def booted() -> bool:
        if keeper.poll() is not None:
            raise Trouble(f"{instance} did not boot")
        if instance.running() is None or not instance.control_socket.exists():
            return False
        # A module that has to load and does not ends Asterisk, and then the answer is another.
        return "fully booted" in (ask(instance, "core waitfullybooted", BOOT_SECONDS) or "")

    try:
        wait_until(booted, BOOT_SECONDS, f"{instance} did not boot in time")
    except Trouble as trouble:
        raise Trouble(f"{trouble}{log_tail(instance)}") from None


def log_tail(instance: Instance) -> str:
    """Return the end of what an instance wrote, to be put behind a message."""
    texts = [
        path.read_text(errors="replace")
        for path in (instance.output, instance.log)
        if path.exists()
    ]
    tail = last_lines("".join(texts), 12)
    return f"; it wrote at the end:\n{tail}" if tail else ""


def console_command(instance: Instance, command: str | None) -> list[str]:
    """Return the command that talks to a running Asterisk, or lets a person do so."""
    call = ["chroot", str(instance.tree), "asterisk", "-C", f"{instance.inside}/etc/asterisk.conf"]
    return [*call, "-r"] if command is None else [*call, "-rx", command]


def ask(instance: Instance, command: str, timeout: float) -> str | None:
    """Give Asterisk one console command; None if it cannot be asked or does not answer in time."""
    try:
        result = run(console_command(instance, command), timeout)
    except subprocess.TimeoutExpired:
        return None
    return result.stdout if result.returncode == 0 else None


def down(version: str | None, name: str | None) -> None:
    """Stop every instance that is meant; that there is none is fine too."""
    if version is not None:
        release_of(version)
    stopped = [instance for instance in instances(version, name) if bring_down(instance)]
    for instance in stopped:
        print(f"{instance} is down")
    if not stopped:
        print("nothing is running")


def bring_down(instance: Instance) -> bool:
    """Stop an instance; tell whether there was anything to stop."""
    with command_lock(instance):
        if not instance.is_locked():
            return False
        if not stop_politely(instance):
            kill(instance)
        return True


def stop_politely(instance: Instance) -> bool:
    """Let Asterisk end by itself; False if it is stopped, hangs, or takes too long."""
    state = instance.running()
    if state is None or is_stopped(state.pid):
        return False
    ask(instance, "core stop now", POLITE_SECONDS)
    with contextlib.suppress(Trouble):
        wait_until(lambda: not instance.is_locked(), POLITE_SECONDS, "")
    return not instance.is_locked()


def is_stopped(pid: int) -> bool:
    """Tell whether a process was suspended (by SIGSTOP), and so would not even hear a question."""
    with contextlib.suppress(OSError):
        return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
    return False


def kill(instance: Instance) -> None:
    """End all processes of an instance; the kernel ends what they mounted."""

    def all_gone() -> bool:
        for pid in instance.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        return not instance.is_locked()

    wait_until(all_gone, KILL_SECONDS, f"{instance} cannot be killed")


# The keeper.

# The first process in the namespace is a shell and not Asterisk, because the kernel forgets whom to
# kill with whom when a process changes its user, as Asterisk does at start.
INSIDE_NAMESPACE = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit
mount --all --fstab "$1$2/host/fstab" || exit
chroot "$1" asterisk -f -U asterisk -G asterisk -C "$2/etc/asterisk.conf"
exit $?
"""


def keep(tree: Path, name: str, owner: int | None) -> None:
    """Hold one instance until it ends or its owner does. Runs as the keeper process."""
    instance = Instance(tree, name)
    with watched(owner) as owner_descriptor:
        take_lock(instance)
        child = subprocess.Popen(
            namespaced("sh", "-c", INSIDE_NAMESPACE, "sh", str(tree), instance.inside),
            pass_fds=[LOCK_DESCRIPTOR],
        )
        try:
            note_processes(instance, child)
            wait_for_any(os.pidfd_open(child.pid), owner_descriptor)
        finally:
            child.kill()
            child.wait()


def take_lock(instance: Instance) -> None:
    """Take the instance's lock under the number that all its processes know it by."""
    descriptor = os.open(instance.lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.dup2(descriptor, LOCK_DESCRIPTOR, inheritable=True)
    os.close(descriptor)


def note_processes(instance: Instance, child: subprocess.Popen[bytes]) -> None:
    """Write down who is who, as soon as Asterisk is there."""
    state = instance.read_state()
    while state is not None and child.poll() is None:
        for pid, program in instance.members().items():
            if program == "asterisk":
                instance.write_state(replace(state, keeper=os.getpid(), pid=pid))
                return
        time.sleep(0.01)


@contextlib.contextmanager
def watched(owner: int | None) -> Iterator[int | None]:
    """Return a descriptor that becomes readable when the owner ends."""
    if owner is None:
        yield None
        return
    descriptor = open_process(owner)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_process(pid: int) -> int:
    """Return a descriptor of a process, which unlike its number never means another one."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        raise Trouble(f"there is no process {pid} to be the owner") from None


def wait_for_any(*descriptors: int | None) -> None:
    """Wait until one of some processes ends."""
    poll = select.poll()
    for descriptor in descriptors:
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    poll.poll()


# What the user sees.


def as_json(instance: Instance, state: State) -> dict[str, object]:
    """Return all that a test needs to know of a running instance."""
    return {
        "version": instance.version,
        "name": instance.name,
        "full_version": state.full_version,
        "pid": state.pid,
        "keeper": state.keeper,
        "ports": dict(state.ports),
        "users": USERS,
        "paths": {
            "ca": str(instance.tree / TLS.relative_to("/") / "ca.pem"),
            "log": str(instance.log),
            "spool": str(instance.home / "spool"),
            "agi_bin": str(instance.home / "agi-bin"),
            "control_socket": str(instance.control_socket),
            "home": str(instance.home),
            "tree": str(instance.tree),
        },
        # As Asterisk and the programs that it starts see them.
        "inside": {"python": instance.launcher, "spool": f"{instance.inside}/spool"},
    }


def as_line(instance: Instance, state: State) -> str:
    """Return one line that says what listens where."""
    ports = " ".join(f"{name}={port}" for name, port in state.ports.items())
    return f"{instance} {state.full_version} pid {state.pid} on {LOOPBACK}: {ports}"


def describe(instance: Instance) -> None:
    """Print where an instance listens."""
    state = instance.running()
    if state is None:
        raise Trouble(f"{instance} is gone again{log_tail(instance)}")
    print(as_line(instance, state))


def status(json_wanted: bool) -> None:
    """Print what runs."""
    running = [(each, state) for each in instances() if (state := each.running()) is not None]
    if json_wanted:
        print(json.dumps([as_json(*each) for each in running], indent=1))
    elif not running:
        print("nothing is running")
    else:
        for each in running:
            print(as_line(*each))


def console(version: str, name: str, words: Sequence[str]) -> NoReturn:
    """Become Asterisk's console."""
    release_of(version)
    instance = Instance(checkout_directory() / version, name)
    if instance.running() is None:
        raise Trouble(f"{instance} is not running: tools/asterisk up {version}")
    command = console_command(instance, " ".join(words) or None)
    os.execvp(command[0], command)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line like all others."""

    def error(self, message: str) -> NoReturn:
        raise Trouble(message)


def instance_name(text: str) -> str:
    """Accept what is fit to be a directory's name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not letters, digits, - and _, at most 32")
    return text


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    assert __doc__ is not None
    parser = Parser(
        prog="tools/asterisk", usage=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)

    def add(name: str, version: str | None = None, default_name: str | None = None) -> Parser:
        command = commands.add_parser(name, prog=f"tools/asterisk {name}")
        if version is not None:
            command.add_argument("version", nargs=None if version == "needed" else "?")
            command.add_argument("--name", type=instance_name, default=default_name)
        return command

    start = add("up", "needed", "default")
    start.add_argument("--owner", type=int, metavar="PID")
    start.add_argument("--python", default=usual_python(), metavar="PROGRAM")
    add("down", "optional")
    add("status").add_argument("--json", action="store_true")
    add("console", "needed", "default")
    add("install").add_argument("version")
    add("able")
    hidden = add("keep")
    hidden.add_argument("tree", type=Path)
    hidden.add_argument("name", type=instance_name)
    hidden.add_argument("--owner", type=int)
    # What is left over is the console's command. (As an argument of its own, argparse would take
    # the options before it for a part of it.)
    chosen, words = parser.parse_known_args(arguments)
    if words and chosen.command != "console":
        raise Trouble(f"what is {' '.join(words)}? tools/asterisk --help tells")
    chosen.words = words
    return chosen


def perform(chosen: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    match chosen.command:
        case "up":
            up(chosen.version, chosen.name, chosen.python, chosen.owner)
        case "down":
            down(chosen.version, chosen.name)
        case "status":
            status(chosen.json)
        case "console":
            console(chosen.version, chosen.name, chosen.words)
        case "install":
            require_able()
            print(f"Asterisk {version_of_binary(install(chosen.version))} is installed")
        case "able":
            require_able()
        case "keep":
            keep(chosen.tree, chosen.name, chosen.owner)


def main(arguments: Sequence[str]) -> int:
    """Do it; say in one line what went wrong, if anything did."""
    try:
        perform(parse_arguments(arguments))
    except Trouble as trouble:
        print(f"tools/asterisk: {trouble}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"tools/asterisk: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tools/asterisk: interrupted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
