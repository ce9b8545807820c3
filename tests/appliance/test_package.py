"""The Debian package on a plain Debian 12: what is in it, that it serves there, and what stays when it goes.

Devices and hosts run outside, as always simulated; the programs under test are those that dpkg unpacked, with the
libraries of that root.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
import trio

from kiosk.settings.config import load_settings
from offline_queue.layout import BACK_TO, LAYOUT
from provisioning.rules.releases import APPLICATION, Journal
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.application import ApplicationInstaller, BuiltIn
from provisioning.terminal.updates.tending import reads_settings
from provisioning.terminal.updates.trust import Target
from simulators.kiosk_process import FORWARD
from simulators.processes import Children
from simulators.smoke.cast import NEW_PINS, choose_cards
from simulators.smoke.ears import Ears
from simulators.smoke.glass import Glass
from simulators.smoke.hands import Finger
from simulators.smoke.record import Record
from simulators.smoke.visit import Visit
from simulators.stack import Plan, Stack, open_stack
from simulators.waiting import until_file
from simulators.worlds.world import load_world
from tests.appliance.roots import Room, plain_debian
from tests.tidy.sources import HOUSE
from tools.set_up import read_package_list

# It comes with the image. As a dependency it would refuse the keyboard of whoever installs the package; without it the
# unit's own condition passes it over.
NO_USBGUARD = (
    "yikatong-usbguard.service: Command /usr/sbin/usbguard-daemon is not executable: No such file or directory"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.appliance,
    pytest.mark.skipif(os.geteuid() != 0, reason="a root is entered by root"),
    pytest.mark.timeout(1800),
    pytest.mark.longest(30, first=240),
]
IN_A_ROOM = pytest.mark.longest(480)  # nearly all of it: the room is made by whoever comes first to it
WORLD = HOUSE / "simulators" / "worlds" / "demo.toml"
PYTHON = str(HOUSE / ".venv" / "bin" / "python")
READY_S_MAX, VISIT_S_MAX = 120.0, 600.0
SAY_VERSION = 'from importlib.metadata import version; print(version("yikatong"))'
STARTS_KIOSK = '-m kiosk --settings "$settings" "$@"'  # in the command's own script
BUNDLE_BYTES_MAX = 15_000_000  # of a change to the application alone
# What dpkg brings beside these would be a surprise; links of /usr/bin and documents apart.
PLACES = ("usr/lib/yikatong/", "usr/lib/systemd/", "usr/lib/udev/", "usr/lib/sysusers.d/", "usr/lib/tmpfiles.d/",
          "usr/lib/modprobe.d/", "usr/lib/sysctl.d/", "usr/share/doc/yikatong/", "etc/dbus-1/system.d/",
          "etc/yikatong/", "usr/bin/kiosk")  # fmt: skip


def built(out: Path, **environment: str) -> Path:
    words = [PYTHON, "-m", "image.package", "--out", str(out), "--build", str(out / "build")]
    subprocess.run(words, cwd=HOUSE, check=True, env={**os.environ, **environment})
    return next(out.glob("*.deb"))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked") / "root"
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def room(package: Path) -> Iterator[Room]:
    """A plain Debian with what the package depends on, and then the package by apt, which asks no mirror."""
    depends = read_package_list((HOUSE / "packages-terminal.txt").read_text())
    tar = plain_debian([*depends, "systemd"])
    with tempfile.TemporaryDirectory(prefix="yikatong-room-") as folder:
        made = Room(tar, Path(folder) / "root")
        shared = (package.parent,)
        made.run("apt-get", "install", "-y", "--no-install-recommends", str(package), shared=shared)
        yield made


@pytest.mark.longest(240)
def test_two_builds_are_the_same_bytes(package: Path, tmp_path: Path) -> None:
    """Another folder, hash seed, hour zone and umask make the same package."""
    before = os.umask(0o077)
    try:
        again = built(tmp_path, PYTHONHASHSEED="7", TZ="Asia/Shanghai", LC_ALL="C")
    finally:
        os.umask(before)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def test_everything_lies_where_it_belongs(unpacked: Path) -> None:
    """One folder and the system's own places: no server, no simulators, nothing setuid, nothing in dist-packages."""
    files = [path for path in unpacked.rglob("*") if path.is_symlink() or path.is_file()]
    names = [str(path.relative_to(unpacked)) for path in files]
    assert [name for name in names if not name.startswith(PLACES)] == []
    assert [name for name in names if "simulators" in name or "provisioning/fleet" in name] == []
    assert [path for path in files if not path.is_symlink() and path.stat().st_mode & 0o7022] == []
    assert (unpacked / "usr/lib/yikatong/bin/kiosk").stat().st_mode & 0o111
    assert (unpacked / "usr/bin/kiosk").resolve() == unpacked / "usr/lib/yikatong/bin/kiosk"


def test_no_file_names_the_machine_that_built_it(unpacked: Path, package: Path) -> None:
    """Neither the source's folder nor the one of the build stands in any file, compiled ones included."""
    marks = [str(HOUSE).encode(), str(package.parent).encode()]
    plain = (path for path in unpacked.rglob("*") if path.is_file() and not path.is_symlink())
    named = [path for path in plain if any(mark in path.read_bytes() for mark in marks)]
    assert named == []


def test_built_in_code_is_a_bundle_of_the_same_commit(unpacked: Path) -> None:
    """What is built in and what an update brings are the same files, each with the hash of its manifest."""
    home = unpacked / "usr/lib/yikatong"
    manifest = json.loads((home / "share/manifest.json").read_bytes())
    site = home / "venv/lib/python3.11/site-packages"
    told = {name: one["sha256"] for name, one in manifest["files"].items()}
    assert {name: hashlib.sha256((site / name).read_bytes()).hexdigest() for name in told} == told
    own = {str(path.relative_to(site)) for top in ("kiosk", "drivers") for path in (site / top).rglob("*.py")}
    assert own <= told.keys()


def test_profiles_are_settings(unpacked: Path) -> None:
    """Each profile that a technician starts from can be read as it is."""
    found = sorted((unpacked / "usr/lib/yikatong/share/profiles").glob("*.toml"))
    assert [load_settings(path).terminal.profile for path in found] == ["hall", "hospital", "village"]


@IN_A_ROOM
def test_install_brings_all_that_is_needed(room: Room) -> None:
    """Users, folders and libraries are there, units are sound, and nothing was started or enabled by itself."""
    assert "doctor" in room.run("kiosk", "--help").stdout
    assert "yikatong-kiosk" in (room.root / "etc/passwd").read_text()
    assert (room.root / "var/lib/yikatong/journal").stat().st_mode & 0o7777 == 0o2771
    libraries = "find /usr/lib/yikatong -name '*.so*' -type f -exec ldd {} + 2>/dev/null"
    asked = room.run("sh", "-c", libraries, check=False).stdout.splitlines()
    # Wheels bring libraries that find each other once one of them is loaded; ldd looks at each alone.
    brought = {path.name for path in (room.root / "usr/lib/yikatong").rglob("*.so*")}
    assert {line.split()[0] for line in asked if "not found" in line} <= brought
    units = sorted(path.name for path in (room.root / "usr/lib/systemd/system").glob("yikatong*"))
    judged = room.run("systemd-analyze", "verify", "--man=no", *(one for one in units if "@" not in one), check=False)
    assert [line for line in judged.stderr.splitlines() if "yikatong" in line] == [NO_USBGUARD]
    assert list((room.root / "etc/systemd/system").rglob("yikatong*")) == []


@IN_A_ROOM
def test_command_takes_no_code_from_where_somebody_stands(room: Room) -> None:
    """A folder that holds a `kiosk` of its own is not asked, and neither is PYTHONPATH."""
    evil = room.root / "tmp/evil/kiosk"
    evil.mkdir(parents=True)
    (evil / "__init__.py").write_text("")
    (evil / "__main__.py").write_text("print('evil')")
    said = room.run("sh", "-c", "cd /tmp/evil && PYTHONPATH=/tmp/evil kiosk --help").stdout
    assert "evil" not in said


@IN_A_ROOM
async def test_installed_package_serves_a_resident(room: Room, tmp_path: Path) -> None:
    """By touch, from card to goodbye: balances, a sealed certificate and a new PIN; and its doctor finds all well."""
    with tempfile.TemporaryDirectory(prefix="yikatong-") as short:
        run_dir = Path(short)
        shared = (run_dir, Path("/tmp/.X11-unix"))
        settings = str(run_dir / "settings.toml")
        plan = Plan(WORLD, run_dir, screen_map=True, settings={"voice_dir": "/usr/lib/yikatong/voices"})
        plan = replace(plan, command=room.command("kiosk", "run", "--settings", settings, shared=shared))
        record = Record(tmp_path)
        forward = room.command("kiosk", "forward", "--settings", settings, shared=shared)
        async with open_stack(plan) as stack, forwarding(stack, forward):
            with trio.fail_after(VISIT_S_MAX):
                await visit(stack, record).go()
            asked = ("kiosk", "doctor", "--json", "--settings", settings)
            done = await trio.to_thread.run_sync(lambda: room.run(*asked, shared=shared, check=False))
    assert record.problems == []
    findings = json.loads(done.stdout)
    assert [one for one in findings if one["verdict"] not in ("ok", "warn")] == []
    assert done.returncode == 0
    assert len(findings) > 10


@asynccontextmanager
async def forwarding(stack: Stack, command: list[str]) -> AsyncIterator[None]:
    """Beside the kiosk, as its unit starts it."""
    folder = stack.kiosk_dir / FORWARD
    folder.mkdir(mode=0o700, exist_ok=True)
    children = Children(stack.plan.run_dir / "logs")
    try:
        await until_file(folder / "ready", children.start("forwarder", command), READY_S_MAX)
        yield
    finally:
        await children.stop_all()


def visit(stack: Stack, record: Record) -> Visit:
    world = load_world(WORLD)
    card = choose_cards(world, 1, date.today())[0]
    glass = Glass(stack.kiosk_dir / "screen.json")
    ears = Ears(stack.kiosk_dir / "speech.jsonl", glass)
    return Visit(stack, glass, ears, Finger(stack, glass), record, card, card.pin, NEW_PINS[0], "pin_pad")


@IN_A_ROOM
async def test_update_is_the_same_code_over_what_was_built_in(room: Room, package: Path, tmp_path: Path) -> None:
    """A bundle of this commit is small, is put in place by the agent's own installer, runs by the same command, and
    when it is taken back what dpkg brought runs again."""
    bundle = tmp_path / "bundle.tar.gz"
    raw = bundle_of(package.parent / "build" / "tree", "9.9.9", bundle)
    assert len(raw) < BUNDLE_BYTES_MAX
    target = Target(bundle.name, APPLICATION, "9.9.9", hashlib.sha256(raw).hexdigest(), len(raw))
    settings = room.root / "usr/lib/yikatong/share/profiles/hall.toml"
    built_in = BuiltIn(running_version(room), Journal(layout=LAYOUT, back_to=BACK_TO))
    folder = room.root / "var/lib/yikatong/agent/application"
    installer = ApplicationInstaller(folder, Disk(), built_in, partial(reads_settings, settings=settings))
    await installer.write(bundle, target)
    await installer.switch()
    assert running_version(room) == "9.9.9"
    await installer.go_back("the drill")
    assert running_version(room) == built_in.version == package.name.split("_")[1]


def bundle_of(tree: Path, version: str, out: Path) -> bytes:
    words = ["bundle", "build", "--tree", str(tree), "--version", version, "--out", str(out)]
    subprocess.run([PYTHON, "-m", "provisioning.fleet", *words], check=True, cwd=HOUSE)
    return out.read_bytes()


def running_version(room: Room) -> str:
    """What the command of the package would run, asked the way that it goes."""
    launcher = (room.root / "usr/lib/yikatong/bin/kiosk").read_text()
    assert launcher.count(STARTS_KIOSK) == 1
    asking = launcher.replace(STARTS_KIOSK, f"-c '{SAY_VERSION}'")
    return room.run("sh", "-c", asking, "kiosk", "doctor").stdout.strip()


@IN_A_ROOM
def test_remove_and_purge_leave_what_residents_are_owed(room: Room) -> None:
    """The program goes, its folders go where they are empty, and a journal stays, whatever dpkg is asked."""
    journal = room.root / "var/lib/yikatong/journal/journal.db"
    journal.write_bytes(b"rows that nobody was told of yet")
    removed = room.run("dpkg", "--remove", "yikatong")
    assert "stay in /var/lib/yikatong" in removed.stdout
    assert not (room.root / "usr/lib/yikatong").exists()
    purged = room.run("dpkg", "--purge", "yikatong")
    assert "the journal stays" in purged.stdout
    assert journal.exists()
