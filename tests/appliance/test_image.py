"""What `make image` made, as it lies there; and its parts, as its tools make them."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from image.boot import FIRST_STATE, WORDS, environment_block, make_esp, make_state, script
from image.build import build, newest_package
from image.disk import PARTS, first_mib, make_disk
from tests.appliance.disks import Built
from tests.tidy.sources import HOUSE

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.longest(30), pytest.mark.timeout(900)]

RECIPE = HOUSE / "image"
SLICES = 4  # of which one builds anew
ROOT_BYTES_MAX = 450_000_000  # packed, as a bundle carries it
PACKED = ("zstd", "--quiet", "--threads=0", "-9", "--stdout")


def test_the_boot_loader_understands_its_script(tmp_path: Path) -> None:
    """GRUB's own checker takes the script, and no word of the template is left in it."""
    path = tmp_path / "grub.cfg"
    path.write_text(script("console=ttyS0"))
    subprocess.run(["grub-script-check", str(path)], check=True, timeout=60)
    assert "@" not in path.read_text()
    assert f"{WORDS} console=ttyS0" in path.read_text()


def test_the_first_state_is_what_grub_and_rauc_read(tmp_path: Path) -> None:
    """grub-editenv lists just the variables that were written: slot A may be started, the empty B may not."""
    path = tmp_path / "grubenv"
    path.write_bytes(environment_block(FIRST_STATE))
    done = subprocess.run(["grub-editenv", str(path), "list"], capture_output=True, text=True, check=True, timeout=60)
    assert dict(line.split("=", 1) for line in done.stdout.splitlines()) == FIRST_STATE
    assert (FIRST_STATE["A_OK"], FIRST_STATE["B_OK"]) == ("1", "0")


def test_two_disks_of_the_same_parts_are_the_same_bytes(tmp_path: Path) -> None:
    """Table, boot loader and state hold nothing by chance, and the facts of a box are on its second partition."""
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "settings.toml").write_text('run_dir = "/run/yikatong"\n')
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        state = make_state(folder / "state.fat", tmp_path / "local")
        make_disk(folder / "disk", {1: make_esp(folder / "esp.fat"), 2: state})
        time.sleep(2.1)  # FAT counts two seconds
    begins = [(tmp_path / name / "disk").open("rb").read(first_mib(3) << 20) for name in ("one", "other")]
    assert begins[0] == begins[1]
    told = ["mtype", "-i", str(tmp_path / "one" / "state.fat"), "::local/settings.toml"]
    assert b"/run/yikatong" in subprocess.run(told, capture_output=True, check=True, timeout=60).stdout


def test_the_table_has_the_parts_that_boot_loader_and_updates_name(tmp_path: Path) -> None:
    """Four partitions by the names that RAUC's settings use, slots of one size, and data last where there is one."""
    data = tmp_path / "data"
    data.touch()
    with data.open("r+b") as given:
        given.truncate(64 << 20)
    made = make_disk(tmp_path / "disk", {}, data)
    done = subprocess.run(["sfdisk", "--json", str(made)], capture_output=True, text=True, check=True, timeout=60)
    table = json.loads(done.stdout)["partitiontable"]["partitions"]
    assert [part["name"] for part in table] == ["ESP", "state", "rootA", "rootB", "data"]
    assert table[2]["size"] == table[3]["size"]
    slots = re.findall(r"by-partlabel/(\w+)", (RECIPE / "bundle" / "system.conf").read_text())
    assert set(slots) <= {part.name for part in PARTS}


@pytest.mark.longest(720)
def test_two_builds_are_the_same_bytes(image: Built, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Everything is made once more from the same package, Debian's part too, and every sum is the same."""
    turn = request.config.getoption("--rotate")
    if turn and turn % SLICES:
        pytest.skip("the second build is another commit's turn")
    build(newest_package(), tmp_path / "out", folder=tmp_path / "build")
    for name in ("SHA256SUMS", "manifest.txt", "sbom.cdx.json"):
        assert (tmp_path / "out" / name).read_text() == (image.disk.parent / name).read_text()


@pytest.mark.longest(180)
def test_the_root_is_small_enough_for_a_line(image: Built) -> None:
    """Packed as a bundle packs it, a whole root stays within its budget."""
    with subprocess.Popen([*PACKED, str(image.root)], stdout=subprocess.PIPE) as packing:
        pipe = packing.stdout
        assert pipe is not None
        count = sum(map(len, iter(lambda: pipe.read(1 << 20), b"")))
    assert packing.returncode == 0
    assert 0 < count <= ROOT_BYTES_MAX


@pytest.mark.longest(60)
def test_no_kernel_writes_to_a_root(image: Built) -> None:
    """The file system says so itself, and is whole."""
    told = subprocess.run(["dumpe2fs", "-h", str(image.root)], capture_output=True, text=True, check=True, timeout=60)
    (features,) = [
        line.split(":")[1].split() for line in told.stdout.splitlines() if "features" in line and "ext" in line
    ]
    assert "read-only" in features
    assert "has_journal" not in features
    assert subprocess.run(["e2fsck", "-fn", str(image.root)], capture_output=True, timeout=300).returncode == 0


def test_what_is_in_it_is_told(image: Built) -> None:
    """The list names kernel, kiosk, display and updater; the bill names the same parts, in its schema's words."""
    listed = [line.split("\t") for line in (image.disk.parent / "manifest.txt").read_text().splitlines()]
    names = {name for kind, name, _ in listed if kind == "deb"}
    assert {"yikatong", "xserver-xorg-core", "rauc", "systemd"} <= names
    assert any(name.startswith("linux-image-6") for name in names)
    written = (image.disk.parent / "sbom.cdx.json").read_text()
    bill = json.loads(written)
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(written) is None
    assert [(part["name"], part["version"]) for part in bill["components"]] == [(name, at) for _, name, at in listed]
