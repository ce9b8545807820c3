"""A terminal's system that boots without a computer: Debian, the package and its units under systemd-nspawn.

The tree is that of the image (``image/root.py``, the same list, so the same tar) with the package installed as ``dpkg``
does it; it cannot be written to, what the system writes goes to memory, and its state lies in a folder of the test.
Not here: a kernel of its own, devices, the image's partitions. An X server in memory and a card reader without a card
are lent by this machine in place of hardware.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from image.build import LISTS
from image.package.__main__ import build as build_package
from image.package.source import of_work_tree
from image.package.steps import HOUSE
from image.root import debian_root, listed

BUILD = HOUSE / "build" / "units"
PACKAGES = HOUSE / "out" / "package"
BOOT_S_MAX = 120.0
COMMAND_S_MAX = 60.0
LOOK_S = 0.2
LENT = (Path("/usr/bin/Xvfb"), Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"))
INSIDE, OUTSIDE = "10.77.0.2", "10.77.0.1"
# What the settings of every terminal here begin with: where the package puts things, and the reader it is lent.
PLACES = """
run_dir = "/run/yikatong"
data_dir = "/var/lib/yikatong/journal"
voice_dir = "/usr/lib/yikatong/voices"
[agency_keys.documents]
agency = "/etc/yikatong/agency.pem"
[slots.card_reader]
driver = "pcsc"
"""


class NotInTime(Exception):
    """What was waited for did not happen; the message is what was seen last."""


def until(look: Callable[[], object], s_max: float, what: Callable[[], str] = lambda: "") -> None:
    """Look until it is true. ``what``: for the message, when it never is."""
    ends = time.monotonic() + s_max
    while not look():
        if time.monotonic() > ends:
            raise NotInTime(what())
        time.sleep(LOOK_S)


def package() -> Path:
    """Of this work tree, built where there is none yet; or the one that YIKATONG_PACKAGE names."""
    if named := os.environ.get("YIKATONG_PACKAGE"):
        return Path(named)
    source = of_work_tree()
    there = PACKAGES / f"yikatong_{source.version}_amd64.deb"
    return there if there.exists() else build_package(source, HOUSE / "build" / "package", PACKAGES)


@lru_cache(1)  # one for the run, also where somebody commits meanwhile
def installed_tree() -> Path:
    """Debian with the package, as one folder; kept for the next run of the same commit, older ones go."""
    root, deb = debian_root([name for path in LISTS for name in listed(path)]), package()
    tree = BUILD / f"tree-{hashlib.sha256(f'{root.name} {deb.name}'.encode()).hexdigest()[:12]}"
    if tree.exists():
        return tree
    BUILD.mkdir(parents=True, exist_ok=True)
    for old in BUILD.glob("tree-*"):
        shutil.rmtree(old)
    making = BUILD / f"tree-{os.getpid()}.new"
    try:
        making.mkdir()
        _do("tar", "-xf", str(root), "-C", str(making), "--numeric-owner", "--xattrs")
        shutil.copyfile(deb, making / "yikatong.deb")
        _do(*_nspawn(making), "dpkg", "--install", "/yikatong.deb")
        (making / "yikatong.deb").unlink()
        _do("systemctl", f"--root={making}", "--quiet", "enable", "yikatong.target", "systemd-networkd.service")
        _do("systemctl", f"--root={making}", "--quiet", "mask", "systemd-resolved.service", "pcscd.socket")
        making.rename(tree)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return tree


def _nspawn(tree: Path) -> list[str]:
    return ["systemd-nspawn", "--quiet", "-D", str(tree), "--register=no", "--keep-unit", "--link-journal=no"]


def _do(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {(done.stderr or done.stdout)[-2000:]}"


@contextmanager
def two_networks() -> Iterator[tuple[str, str]]:
    """Names of two network namespaces, the terminal's and the world's, with a cable between them and nothing else."""
    names = f"yk-in-{os.getpid()}", f"yk-out-{os.getpid()}"
    try:
        for name in names:
            _do("ip", "netns", "add", name)
            _do("ip", "-n", name, "link", "set", "lo", "up")
        _do("ip", "-n", names[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for name, address in zip(names, (INSIDE, OUTSIDE), strict=True):
            _do("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            _do("ip", "-n", name, "link", "set", "eth0", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@dataclass
class Container:
    """``state``: /var/lib/yikatong, ``etc``: /etc/yikatong, both seen from here. ``pid``: of its first process."""

    folder: Path
    network: str
    world: str
    environment: Sequence[str] = ()  # of its first process, NAME=VALUE
    pid: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    def start(self) -> None:
        """From its first process on; what an earlier life wrote to the state is there, and nothing else of it."""
        places = {"state": "/var/lib/yikatong", "etc": "/etc/yikatong", "units": "/run/systemd/system"}
        binds = [f"--bind={self.folder / name}:{place}" for name, place in places.items()]
        binds += [f"--bind-ro={self.folder / 'readers'}:/etc/reader.conf.d", *(f"--bind-ro={path}" for path in LENT)]
        command = [*_nspawn(installed_tree()), "--volatile=overlay", "--boot", "--console=pipe", "--machine=yikatong",
                   f"--network-namespace-path=/run/netns/{self.network}", "--capability=CAP_NET_ADMIN",
                   *(f"--setenv={word}" for word in self.environment), *binds]  # fmt: skip
        with (self.folder / "console.log").open("ab") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        until(self._answers, BOOT_S_MAX, lambda: "no system")

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the container ended"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for self.pid in map(int, children):
            if self.run("systemctl", "is-system-running").stdout.strip() in ("starting", "running", "degraded"):
                return True
        return False

    def ended(self) -> int:
        """By itself: its exit status."""
        assert self.process is not None
        return self.process.wait(BOOT_S_MAX)

    def end(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def run(self, *command: str, user: str = "", stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command inside, as root or as one of the terminal's users with their groups."""
        enter = ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return subprocess.run(
            [*enter, "env", "-i", "PATH=/usr/bin:/usr/sbin", *become, *command],
            input=stdin, capture_output=True, text=True, timeout=COMMAND_S_MAX, check=False,
        )  # fmt: skip

    def said(self, *command: str, user: str = "") -> str:
        done = self.run(*command, user=user)
        assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
        return done.stdout.strip()

    def shown(self, unit: str, name: str) -> str:
        return self.said("systemctl", "show", "--value", "-p", name, unit)

    def active(self, *units: str) -> bool:
        return all(self.run("systemctl", "is-active", "--quiet", unit).returncode == 0 for unit in units)

    def log(self, unit: str = "") -> str:
        return self.said("journalctl", "--no-pager", "-o", "cat", "-b", *(["-u", unit] if unit else []))

    def change(self, unit: str, words: str) -> None:
        """A drop-in for this test alone; ``words`` "": away with it."""
        folder = self.folder / "units" / f"{unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "90-test.conf").write_text(words)
        self.said("systemctl", "daemon-reload")

    def in_world(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command at the other end of the cable."""
        return subprocess.run(
            ["ip", "netns", "exec", self.world, *command],
            capture_output=True,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )


DISPLAY_IN_MEMORY = """
[Service]
TTYPath=
StandardInput=null
TTYReset=no
TTYVHangup=no
ExecStart=
ExecStart=/usr/bin/Xvfb :0 -screen 0 1080x1920x24 -nolisten local -noreset -fbdir /run/yikatong-display -s 0
"""
# A reader that is a program speaks TCP; a real one is on USB and needs none of this.
READER_IN_MEMORY = """
[Service]
PrivateNetwork=no
IPAddressAllow=localhost
RestrictAddressFamilies=AF_INET AF_INET6
"""
READER = 'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH {}\nCHANNELID 0x8C7B\n'


@contextmanager
def booted(folder: Path, settings: str, environment: Sequence[str] = ()) -> Iterator[Container]:
    """The system with ``settings``; ended, whatever happens, before the folder goes. ``environment``: of systemd."""
    for name in ("state", "etc", "units", "readers"):
        (folder / name).mkdir(mode=0o755)
    (folder / "etc" / "settings.toml").write_text(settings)
    (folder / "readers" / "vpcd").write_text(READER.format(LENT[1]))
    for unit, words in (("yikatong-display", DISPLAY_IN_MEMORY), ("yikatong-pcscd", READER_IN_MEMORY)):
        (folder / "units" / f"{unit}.service.d").mkdir()
        (folder / "units" / f"{unit}.service.d" / "10-in-memory.conf").write_text(words)
    with two_networks() as (network, world):
        container = Container(folder, network, world, environment)
        try:
            container.start()
            yield container
        finally:
            container.end()
