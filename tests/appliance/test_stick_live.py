"""Rows leave on a stick through the terminal's own units and users: mounted to be read, opened by root, read again.

The container has a block device of the kernel's (a loop device), and mounts and users are real; the file system on it
is ext4, because not every machine that tests this knows FAT, and nobody plugs it: udev and FAT's own options are tried
where a whole machine is emulated.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from image.package.steps import HOUSE
from offline_queue.verify import open_read_only
from simulators.alone.import_bundles import import_all
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world
from tests.appliance.container import OUTSIDE, PLACES, Container, booted, until

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.longest(50, first=240), pytest.mark.timeout(900)]

TERMINAL, DISK = "T0000001", "stick1"
NAME = f"{TERMINAL}.acknowledgement.json"
AGENT, PLACE = "yikatong-agent", Path("/run/yikatong-stick")
READ, WRITE = f"yikatong-stick@{DISK}.service", f"yikatong-stick-write@{DISK}.service"
UNITS = ("yikatong-kiosk.service", "yikatong-forwarder.service", "yikatong-agent.service")
SETTINGS = f"""{PLACES}[agency_keys]
recovery = "/etc/yikatong/recovery.pem"
[hosts.card_platform]
url = "https://{OUTSIDE}:8443"
[hosts.agency]
url = "https://{OUTSIDE}:8443"
[agent]
home = "/var/lib/yikatong/agent"
serial = "SN1"
url = "https://{OUTSIDE}:8443"
stick = "{PLACE}"
privileged = "/var/lib/yikatong/wishes"
"""
# The agent's own part, as its user and in its own view of the machine; it is enrolled nowhere, so it is called by hand.
AS_AGENT = f"""
import json, trio
from pathlib import Path
from provisioning.terminal.disk import Disk
from provisioning.terminal.privileged import PrivilegedFolder
from provisioning.terminal.updates.rows_by_stick import RowsByStick
from provisioning.terminal.updates.stick_door import StickDoor
async def signed(stick):
    return False
door = StickDoor(PrivilegedFolder(Path("/var/lib/yikatong/wishes"), Disk()))
rows = RowsByStick("/run/yikatong", "{TERMINAL}", lambda event, **fields: None, signed, door)
trio.run(rows.swap, Path("{PLACE}"))
print(json.dumps([rows.files, rows.first, rows.last, rows.why, rows.answer]))
"""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgencyLedgerSandbox]:
    world = load_world(HOUSE / "simulators" / "worlds" / "tiny.toml")
    with closing(AgencyLedgerSandbox(world, tmp_path_factory.mktemp("agency"), Weather())) as made:
        yield made


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Container]:
    if os.geteuid() != 0:
        pytest.skip("only root boots a container")
    with booted(tmp_path_factory.mktemp("terminal"), SETTINGS) as container:
        shutil.copyfile(pki.public("recovery"), container.etc / "recovery.pem")
        shutil.copyfile(pki.public("documents"), container.etc / "agency.pem")
        for unit in (READ, WRITE):
            template = re.sub(r"@.*\.service", "@.service", unit)
            text = (HOUSE / "systemd" / template).read_text()
            (container.folder / "units" / template).write_text(without_a_plug(text))
        container.said("systemctl", "daemon-reload")
        container.said("systemctl", "restart", *UNITS)
        until(lambda: container.active(*UNITS), 120, lambda: container.log()[-3000:])
        yield container


def without_a_plug(text: str) -> str:
    """The unit as it is, for a device that udev does not know, with ext4 in FAT's place."""
    changed = text.replace("dev-%i.device", "").replace("BindsTo=\n", "").replace("After=\n", "")
    changed = changed.replace("-t vfat", "-t ext4")
    changed = re.sub(r",(uid|gid|fmask|dmask|iocharset)=[^, ]+|,flush", "", changed)
    assert "dev-" not in changed.replace("/dev/", "") and "vfat" not in changed
    return changed


@contextmanager
def mounted(image: Path) -> Iterator[Path]:
    """What is on the stick, at the agency's desk."""
    place = image.with_suffix(".place")
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def make_stick(folder: Path, terminal: Container, kib: int = 2048) -> Path:
    image = folder / "stick.img"
    image.write_bytes(b"\0" * (kib << 10))
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", str(image)], check=True)
    owner = int(terminal.said("id", "-u", AGENT))
    with mounted(image) as place:
        (place / "lost+found").rmdir()
        os.chown(place, owner, owner)
    return image


@contextmanager
def plugged(terminal: Container, image: Path) -> Iterator[None]:
    """In the machine, and mounted as udev would have it mounted; out again at the end of the block."""
    told = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip(f"this machine has no block device to lend: {told.stderr.strip()}")
    loop = told.stdout.strip()
    node = Path("/proc", str(terminal.pid), "root", "dev", DISK)
    try:
        os.mknod(node, 0o60600, Path(loop).stat().st_rdev)
        terminal.said("systemctl", "start", READ)
        yield
    finally:
        terminal.run("systemctl", "stop", READ, WRITE)
        node.unlink(missing_ok=True)
        subprocess.run(["losetup", "--detach", loop], check=True)


def in_agent(terminal: Container, *command: str) -> "subprocess.CompletedProcess[str]":
    """A command as the agent's user, in the agent's own view of the machine."""
    pid = terminal.shown("yikatong-agent.service", "MainPID")
    user = ["setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", "--init-groups", "--no-new-privs", "--bounding-set=-all"]
    return terminal.run("nsenter", f"--target={pid}", "--mount", "--", *user, *command)


def swap(terminal: Container) -> list[object]:
    done = in_agent(terminal, "/usr/lib/yikatong/venv/bin/python", "-I", "-c", AS_AGENT)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert isinstance(told, list)
    return told


def earlier_visit(terminal: Container, ledger: AgencyLedgerSandbox, pki: Pki) -> bytes:
    """The agency's answer to the rows until now, as they were brought to it once; and a row that is newer."""
    live_on(terminal)
    folder = terminal.state / "brought"
    folder.mkdir(exist_ok=True)
    terminal.said(
        "/usr/lib/yikatong/venv/bin/python", "-I", "-m", "offline_queue", "--settings", "/etc/yikatong/settings.toml",
        "export", "--to", "/var/lib/yikatong/brought",
    )  # fmt: skip
    assert import_all(folder, ledger, pki) == 0
    answer = (folder / NAME).read_bytes()
    shutil.rmtree(folder)
    live_on(terminal)
    return answer


def live_on(terminal: Container) -> None:
    """Something happens that stands in the journal."""
    before = newest(terminal)
    terminal.said("systemctl", "restart", "yikatong-kiosk.service")
    until(lambda: terminal.active(*UNITS) and newest(terminal) > before, 60)


def newest(terminal: Container) -> int:
    with closing(open_read_only(terminal.state / "journal" / "journal.db")) as rows:
        ((seq,),) = rows.execute("select max(seq) from entry")
    return int(seq)


def how_mounted(terminal: Container) -> str:
    """ "ro" or "rw" for the agent, "" where nothing is."""
    found = in_agent(terminal, "findmnt", "--noheadings", "--output", "OPTIONS", str(PLACE))
    return found.stdout.strip().partition(",")[0]


def test_a_stick_is_read_and_nobody_writes_to_it(terminal: Container, tmp_path: Path) -> None:
    """Without the fleet's word it stays as it is, byte for byte: the agent cannot, and root is not asked to."""
    image = make_stick(tmp_path, terminal)
    before = image.read_bytes()
    with plugged(terminal, image):
        assert how_mounted(terminal) == "ro"
        assert in_agent(terminal, "touch", str(PLACE / "x")).returncode != 0
        assert swap(terminal) == [0, 0, 0, "foreign", ""]
        assert how_mounted(terminal) == "ro"
    assert how_mounted(terminal) == ""
    assert image.read_bytes() == before


def test_rows_go_out_and_the_agencys_answer_comes_in(
    terminal: Container, ledger: AgencyLedgerSandbox, tmp_path: Path, pki: Pki
) -> None:
    """The whole circle: out with what the agency has not got, imported there, back with its word, and then nothing
    more to bring."""
    image, answer = make_stick(tmp_path, terminal), earlier_visit(terminal, ledger, pki)
    with mounted(image) as place:
        (place / NAME).write_bytes(answer)
    kept = ledger.kept_up_to(TERMINAL)[0]
    with plugged(terminal, image):
        files, first, last, why, word = swap(terminal)
        assert (files, first, last, why, word) == (1, kept + 1, newest(terminal), "", "kept"), log(terminal)
        assert how_mounted(terminal) == "ro"
        assert in_agent(terminal, "touch", str(PLACE / "x")).returncode != 0
    with mounted(image) as place:
        assert len(list(place.glob("*.bundle"))) == 1 and not list(place.glob("*.part"))
        assert import_all(place, ledger, pki) == 0
        assert ledger.kept_up_to(TERMINAL)[0] == last
    with plugged(terminal, image):
        assert swap(terminal) == [0, 0, 0, "", "kept"]
    assert ledger.alerts(TERMINAL) == []


def log(terminal: Container) -> str:
    return terminal.log("yikatong-privileged.service")[-1000:] + terminal.log(WRITE)[-1000:]


def test_a_stick_that_is_pulled_takes_nothing_along(
    terminal: Container, ledger: AgencyLedgerSandbox, tmp_path: Path, pki: Pki
) -> None:
    """Opened, and gone before it was closed: said so to whoever asks, and the next one is opened as any other."""
    image, answer = make_stick(tmp_path, terminal), earlier_visit(terminal, ledger, pki)
    with plugged(terminal, image):
        terminal.said("systemctl", "start", WRITE)
        assert how_mounted(terminal) == "rw"
        terminal.said("systemctl", "stop", WRITE)
        assert how_mounted(terminal) == ""
        (terminal.state / "wishes" / "stick.done").unlink(missing_ok=True)
        (terminal.state / "wishes" / "stick.wish").write_text(json.dumps({"command": "done"}))
        refused = terminal.state / "wishes" / "stick.refused"
        until(refused.exists, 60)
        assert refused.read_text() == "no stick is there"
    with mounted(image) as place:
        (place / NAME).write_bytes(answer)
    with plugged(terminal, image):
        assert swap(terminal)[3:] == ["", "kept"]


def test_a_full_stick_is_told_and_nothing_is_lost(
    terminal: Container, ledger: AgencyLedgerSandbox, tmp_path: Path, pki: Pki
) -> None:
    """No half file stays on it; another stick takes the same rows."""
    image, answer = make_stick(tmp_path, terminal, 256), earlier_visit(terminal, ledger, pki)
    with mounted(image) as place:
        (place / NAME).write_bytes(answer)
        room = os.statvfs(place)
        (place / "films").write_bytes(b"\0" * (room.f_bavail * room.f_bsize - 1024))
    with plugged(terminal, image):
        assert swap(terminal)[0::3] == [0, "full"]
    with mounted(image) as place:
        assert sorted(path.name for path in place.iterdir()) == [NAME, "films"]
        (place / "films").unlink()
    with plugged(terminal, image):
        assert swap(terminal)[0::3] == [1, ""]


SHUT = f"""
import trio
from pathlib import Path
from provisioning.terminal.disk import Disk
from provisioning.terminal.privileged import PrivilegedFolder
from provisioning.terminal.updates.stick_door import StickDoor
trio.run(StickDoor(PrivilegedFolder(Path("/var/lib/yikatong/wishes"), Disk())).shut_behind, Path("{PLACE}"))
"""


def test_it_is_not_left_open(terminal: Container, tmp_path: Path) -> None:
    """An agent that comes back shuts what it left open; one that is stopped takes the mount along."""
    image = make_stick(tmp_path, terminal)
    with plugged(terminal, image):
        terminal.said("systemctl", "start", WRITE)
        done = in_agent(terminal, "/usr/lib/yikatong/venv/bin/python", "-I", "-c", SHUT)
        assert done.returncode == 0, done.stderr
        assert how_mounted(terminal) == "ro"
        terminal.said("systemctl", "start", WRITE)
        terminal.said("systemctl", "stop", "yikatong-agent.service")
        until(lambda: not terminal.active(WRITE), 30)
        terminal.said("systemctl", "start", "yikatong-agent.service")
        assert how_mounted(terminal) == ""
