"""Disks for machines: the image as it was built, below a layer that takes what the machine writes."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.appliance.machine import Direct

SECTOR = 512
TOOL_S_MAX = 300.0
DISK_GIB = 8
DATA = 5


@dataclass(frozen=True)
class Built:
    """What `make image` left."""

    disk: Path
    kernel: Path
    initrd: Path
    root: Path

    def direct(self, words: str) -> Direct:
        """Start slot A without firmware and boot loader, and say more of itself."""
        return Direct(self.kernel, self.initrd, f"root=/dev/vda3 ro rootfstype=ext4 systemd.gpt_auto=0 {words}")


def built(folder: Path) -> Built:
    """Raises FileNotFoundError: there is no image."""
    disk = folder / "yikatong.img"
    if not disk.exists():
        raise FileNotFoundError(f"{disk}: `make image` first")
    return Built(disk, folder / "vmlinuz", folder / "initrd.img", folder / "root.img")


def new_disk(image: Built, folder: Path, gib: int = DISK_GIB) -> Path:
    """A disk with the image on it, as it comes out of the box; larger than the image, as disks are."""
    made = folder / "disk.qcow2"
    _tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "raw", str(made), f"{gib}G")
    return made


def take(disk: Path, number: int, target: Path) -> Path:
    """Partition ``number`` of a disk that no machine uses now, as a file."""
    whole = target.with_name("whole.raw")
    _tool("qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(disk), str(whole))
    table = json.loads(_tool("sfdisk", "--json", str(whole)))["partitiontable"]["partitions"]
    part = table[number - 1]
    begins, size = part["start"] * SECTOR, part["size"] * SECTOR
    options = ["iflag=skip_bytes,count_bytes", f"skip={begins}", f"count={size}", "conv=sparse", "status=none"]
    _tool("dd", f"if={whole}", f"of={target}", "bs=1M", *options)
    whole.unlink()
    return target


def partitions(disk: Path) -> list[str]:
    """Names of the disk's partitions, in order."""
    whole = disk.with_name("table.raw")
    _tool("qemu-img", "dd", "-f", "qcow2", "-O", "raw", f"if={disk}", f"of={whole}", "bs=1M", "count=2")
    whole_size = json.loads(_tool("qemu-img", "info", "--output=json", str(disk)))["virtual-size"]
    with whole.open("r+b") as table:
        table.truncate(whole_size)
    found = json.loads(_tool("sfdisk", "--json", str(whole)))["partitiontable"]["partitions"]
    whole.unlink()
    return [part["name"] for part in found]


def read_file(file_system: Path, path: str) -> bytes:
    """One file of an ext4 file system, without mounting it; empty where there is none."""
    done = subprocess.run(
        ["debugfs", "-R", f"cat {path}", str(file_system)], capture_output=True, timeout=TOOL_S_MAX, check=True
    )
    return done.stdout


def log_of(file_system: Path, folder: Path) -> list[dict[str, object]]:
    """What the machine logged, from the journal on its data partition, oldest first."""
    folder.mkdir()
    _tool("debugfs", "-R", f"rdump /log {folder}", str(file_system))
    (journal,) = (folder / "log" / "journal").iterdir()
    lines = _tool("journalctl", f"--directory={journal}", "--output=json", "--no-pager", "--quiet").splitlines()
    return [json.loads(line) for line in lines]


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_S_MAX, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr[-500:]}"
    return done.stdout
