"""The real RAUC, its service on a bus of its own, and GRUB's environment: what the fake of the quick tests stands for.

Files stand for the slots, and bundles are of the plain form: the other one needs device-mapper, which only a guest has
(test_update.py). RAUC needs root for its loop device.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from image.bundle.bundle import make_bundle
from offline_queue.layout import BACK_TO, LAYOUT
from provisioning.rules.releases import IMAGE, Journal, image_words, read_image_words
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.rauc import Rauc, RaucFailed, Slot
from simulators.hosts.hawkbit import Action
from tests.appliance.authority import Signer, make_signer, plain_bundle
from tests.fleet.updates.office import Office
from tests.fleet.updates.slots import HERE, ImageTerminal, Machine
from tests.fleet.updates.stand import TERMINAL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.appliance,
    pytest.mark.skipif(not shutil.which("rauc") or os.geteuid() != 0, reason="needs rauc and root"),
    pytest.mark.longest(20),
]

SLOT_BYTES = 1 << 20
CONFIG = """[system]
compatible=yikatong-x86-64
bootloader=grub
grubenv={folder}/grubenv
bundle-formats=verity plain
activate-installed=false
statusfile={folder}/status
mountprefix={folder}/mnt
[keyring]
path={authority}
[slot.rootfs.0]
device={folder}/slotA
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/slotB
type=raw
bootname=B
"""
BUS = """<busconfig><type>custom</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


@dataclass
class Service:
    """RAUC on a machine whose slots are files; ``start`` is a start of the machine."""

    folder: Path
    signer: Signer
    bus: subprocess.Popen[bytes] | None = None
    rauc: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for slot, version in (("A", "1.0.0"), ("B", "")):
            (self.folder / f"slot{slot}").write_bytes(version.encode().ljust(SLOT_BYTES, b"\0"))
        (self.folder / "mnt").mkdir()
        self.editenv("create")
        self.editenv("set", "ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")
        (self.folder / "system.conf").write_text(CONFIG.format(folder=self.folder, authority=self.signer.authority))
        (self.folder / "bus.conf").write_text(BUS.format(folder=self.folder))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}

    @property
    def command(self) -> tuple[str, ...]:
        return ("rauc", f"--conf={self.folder}/system.conf")

    def editenv(self, *words: str) -> str:
        done = subprocess.run(
            ["grub-editenv", str(self.folder / "grubenv"), *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def start(self, slot: str) -> None:
        self.stop()
        words = ["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--print-address"]
        self.bus = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self.bus.stdout is not None
        assert self.bus.stdout.readline(), "the bus listens"
        log = (self.folder / "rauc.log").open("ab")
        service = [*self.command, f"--override-boot-slot={slot}", "service"]
        self.rauc = subprocess.Popen(service, env=self.environment, stdout=log, stderr=log)
        wait = ["gdbus", "wait", "--system", "--timeout", "20", "de.pengutronix.rauc"]
        subprocess.run(wait, env=self.environment, check=True, timeout=30)

    def stop(self) -> None:
        for process in (self.rauc, self.bus):
            if process is not None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        self.rauc = self.bus = None

    def bundle(self, version: str, journal: Journal = HERE, signer: Signer | None = None) -> bytes:
        content = self.folder / "content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        (content / "root.img").write_bytes(version.encode().ljust(SLOT_BYTES, b"\0"))
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible=yikatong-x86-64\nversion={version}\ndescription={image_words(journal)}\n"
            "[bundle]\nformat=plain\n[image.rootfs]\nfilename=root.img\n"
        )
        out = self.folder / f"{version}.raucb"
        out.unlink(missing_ok=True)
        return plain_bundle(signer or self.signer, content, out).read_bytes()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "machine"
    folder.mkdir()
    made = Service(folder, make_signer(tmp_path / "pki"))
    made.start("A")
    try:
        yield made
    finally:
        made.stop()


@dataclass
class RealMachine(Machine):
    """The same machine, whose boot loader's state is GRUB's file and whose slots are what RAUC wrote."""

    service: Service = field(default=None)  # type: ignore[assignment]

    def _read(self) -> None:
        told = dict(line.split("=", 1) for line in self.service.editenv("list").splitlines())
        self.order = told["ORDER"].split()
        self.ok = {slot: told[f"{slot}_OK"] == "1" for slot in "AB"}
        self.tries = {slot: int(told[f"{slot}_TRY"]) for slot in "AB"}
        for slot in "AB":
            with (self.service.folder / f"slot{slot}").open("rb") as file:
                self.slots[slot] = file.read(32).rstrip(b"\0").decode()

    def boot(self) -> None:
        self._read()
        super().boot()
        self.service.editenv("set", *(f"{slot}_TRY={self.tries[slot]}" for slot in "AB"))
        self.service.start(self.running)

    def now(self) -> tuple[str, list[str], dict[str, bool], dict[str, int]]:
        self._read()
        return self.slots[self.running], self.order, self.ok, self.tries


@pytest.fixture
def terminal(service: Service, tmp_path: Path) -> ImageTerminal:
    office = Office(tmp_path)
    office.begin()
    made = ImageTerminal(tmp_path / "terminal", office, machine=RealMachine(service=service))
    made.rauc = Rauc(service.command, service.environment)
    made.power_on = lambda disk=None, start=made.power_on: _with_real(made, start, disk)  # type: ignore[method-assign]
    made.power_on(Disk())
    return made


def _with_real(terminal: ImageTerminal, start: object, disk: Disk | None) -> None:
    """Everything anew, but RAUC, which is frozen and knows no cuts."""
    real, terminal.rauc = terminal.rauc, type("Unused", (), {})()
    start(disk)  # type: ignore[operator]
    terminal.rauc = real
    terminal.image._rauc = real
    terminal.gate.allowed_s, terminal.gate.look_every_s = 1.0, 0.1  # no virtual time beside real processes


def offered(terminal: ImageTerminal, version: str, content: bytes) -> Action:
    terminal.office.release(version, content, kind=IMAGE)
    return terminal.hawkbit.offer(TERMINAL, version, f"image-{version}.raucb", content, part="os")


async def test_words_of_the_real_one(service: Service, tmp_path: Path) -> None:
    """Slots, bundle, installation and marks are told, and change GRUB's environment, as the fake has it."""
    rauc = Rauc(service.command, service.environment)
    assert await rauc.slots() == {"A": Slot(good=True, version=""), "B": Slot(good=False, version="")}
    bundle = tmp_path / "bundle"
    bundle.write_bytes(service.bundle("2.0.0"))
    told = await rauc.describe(bundle)
    assert (told.version, told.description) == ("2.0.0", image_words(HERE))
    await rauc.install(bundle)
    assert (await rauc.slots())["B"] == Slot(good=False, version="2.0.0")
    assert "ORDER=A B" in service.editenv("list")
    await rauc.mark("active", "other")
    assert {"ORDER=B A", "B_OK=1", "B_TRY=0"} <= set(service.editenv("list").split("\n"))
    await rauc.mark("bad", "other")
    await rauc.mark("good", "booted")
    assert {"B_OK=0", "A_OK=1", "A_TRY=0"} <= set(service.editenv("list").split("\n"))


async def test_what_the_real_one_refuses(service: Service, tmp_path: Path) -> None:
    """A stranger's bundle, a changed one and no bundle at all are refused in its words; nothing is written."""
    rauc, bundle = Rauc(service.command, service.environment), tmp_path / "bundle"
    good = service.bundle("2.0.0")
    changed = good[:4096] + bytes(16) + good[4112:]
    stranger = service.bundle("2.0.0", signer=make_signer(tmp_path / "stranger"))
    for content in (stranger, changed, b"no bundle" * 1000):
        bundle.write_bytes(content)
        with pytest.raises(RaucFailed) as why:
            await rauc.describe(bundle)
            await rauc.install(bundle)
        assert str(why.value)
    assert (await rauc.slots())["B"] == Slot(good=False, version="")
    assert (service.folder / "slotB").read_bytes() == bytes(SLOT_BYTES)


async def test_service_that_is_gone(service: Service, tmp_path: Path) -> None:
    """Without its service nothing is known and nothing is marked: an error, never a silence."""
    service.stop()
    rauc = Rauc(service.command, service.environment)
    with pytest.raises(RaucFailed):
        await rauc.slots()
    with pytest.raises(RaucFailed):
        await rauc.mark("good", "booted")


async def test_update_and_what_becomes_of_it(terminal: ImageTerminal, service: Service) -> None:
    """A good image is kept; a sick one and one that never comes up go back, and their slot is not tried again."""
    machine = terminal.machine
    assert isinstance(machine, RealMachine)
    good = offered(terminal, "2.0.0", service.bundle("2.0.0"))
    await terminal.live()
    assert good.status == "finished"
    assert machine.now() == ("2.0.0", ["B", "A"], {"A": True, "B": True}, {"A": 0, "B": 0})
    terminal.kiosk.sick["3.0.0"] = "self-test: ended unknown"
    sick = offered(terminal, "3.0.0", service.bundle("3.0.0"))
    await terminal.live()
    assert sick.history[-1]["status"]["details"] == ["returned: self-test: ended unknown"]
    assert machine.now() == ("2.0.0", ["B", "A"], {"A": False, "B": True}, {"A": 0, "B": 0})
    machine.dead.add("4.0.0")
    dead = offered(terminal, "4.0.0", service.bundle("4.0.0"))
    await terminal.live()
    assert dead.history[-1]["status"]["details"] == ["returned: it did not come up"]
    running, _, ok, tries = machine.now()
    assert (running, ok, tries) == ("2.0.0", {"A": False, "B": True}, {"A": 0, "B": 0})
    assert json.loads((terminal.home / "image" / "image.json").read_bytes())["slot"] == "B"


async def test_second_signature_counts(terminal: ImageTerminal, service: Service, tmp_path: Path) -> None:
    """What two people listed and the city's authority did not sign is refused by RAUC itself."""
    action = offered(terminal, "2.0.0", service.bundle("2.0.0", signer=make_signer(tmp_path / "stranger")))
    await terminal.live()
    assert action.history[-1]["status"]["details"][0].startswith("refused: not_installed")
    assert terminal.machine.running == "A"


def small_root(folder: Path, os_release: str) -> Path:
    """An ext4 file system that holds little but what it is called."""
    tree = folder / "tree" / "usr" / "lib"
    tree.mkdir(parents=True)
    (tree / "os-release").write_text(os_release)
    (tree / "something").write_bytes(os.urandom(100_000))  # RAUC makes no bundle of next to nothing
    made = folder / "root.img"
    tool = shutil.which("mke2fs", path=f"{os.environ['PATH']}:/usr/sbin") or "mke2fs"
    subprocess.run([tool, "-q", "-t", "ext4", "-d", str(folder / "tree"), str(made), "8M"], check=True)
    return made


async def test_bundle_is_called_as_its_root(service: Service, tmp_path: Path) -> None:
    """A bundle has the version that its root has, and says which journal its program writes; RAUC reads both."""
    signer, root = service.signer, small_root(tmp_path, 'ID=debian\nIMAGE_VERSION="1.5.0+20261122.abc"\n')
    bundle = make_bundle(root, str(signer.certificate), str(signer.key), signer.authority, tmp_path / "out")
    assert bundle.name == "image-1.5.0+20261122.abc.raucb"
    told = await Rauc(service.command, service.environment).describe(bundle)
    assert (told.version, read_image_words(told.description)) == (
        "1.5.0+20261122.abc",
        Journal(layout=LAYOUT, back_to=BACK_TO),
    )


@pytest.mark.parametrize("os_release", ["ID=debian\n", "IMAGE_VERSION=soon\n"])
def test_root_without_a_version_makes_no_bundle(tmp_path: Path, os_release: str) -> None:
    """Of a root that does not say what it is nothing is made: the terminal would take it for a fall-back."""
    signer, root = make_signer(tmp_path / "pki"), small_root(tmp_path, os_release)
    with pytest.raises(ValueError, match="does not say which version"):
        make_bundle(root, str(signer.certificate), str(signer.key), signer.authority, tmp_path / "out")
    assert not (tmp_path / "out").exists()
