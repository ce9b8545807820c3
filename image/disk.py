"""One file with everything a disk needs: partition table, boot loader, its state, slot A, an empty slot B.

There is no data partition in it: the terminal makes that at its first start from the rest of its own disk.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from image.boot import ESP_MIB, STATE_MIB
from image.package.steps import StepFailed
from image.slot import SLOT_MIB

MIB = 1 << 20
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ROOT_X86_64 = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
VAR = "4D21B016-B534-45C2-A9FB-5C16E091FD2D"
# 8D6A...: made up once. The same on every terminal; the boot loader counts partitions of the disk that it came from.
NAMED = "8d6a2f10-52c4-4f4e-9a0b-1c64e5b0a0%02d"


@dataclass(frozen=True)
class Part:
    name: str
    kind: str
    mib: int


PARTS = (
    Part("ESP", ESP, ESP_MIB),
    Part("state", LINUX, STATE_MIB),
    Part("rootA", ROOT_X86_64, SLOT_MIB),
    Part("rootB", ROOT_X86_64, SLOT_MIB),
)


def first_mib(number: int) -> int:
    """Where partition ``number`` (from 1) begins."""
    return 1 + sum(part.mib for part in PARTS[: number - 1])


def make_disk(target: Path, contents: dict[int, Path], data: Path | None = None) -> Path:
    """``contents``: number of a partition -> file with what is in it. ``data``: a fifth one, for tests. All sparse."""
    parts = list(PARTS)
    if data is not None:
        parts.append(Part("data", VAR, data.stat().st_size // MIB))
        contents = {**contents, len(parts): data}
    target.unlink(missing_ok=True)
    with target.open("wb") as made:
        made.truncate((first_mib(len(PARTS) + 1) + (parts[-1].mib if data else 0) + 1) * MIB)
    _partition(target, parts)
    for number, source in sorted(contents.items()):
        write_part(target, number, source)
    return target


def write_part(disk: Path, number: int, source: Path) -> None:
    """Put the bytes of ``source`` where partition ``number`` is, leaving holes where it has them."""
    with disk.open("r+b") as target:
        target.seek(first_mib(number) * MIB)
        _copy_sparse(source, target.fileno(), first_mib(number) * MIB)


def _copy_sparse(source: Path, target: int, at: int) -> None:
    with source.open("rb") as given:
        end, place = source.stat().st_size, 0
        while place < end:
            try:
                start = os.lseek(given.fileno(), place, os.SEEK_DATA)
            except OSError:
                return  # nothing but a hole until the end
            place = os.lseek(given.fileno(), start, os.SEEK_HOLE)
            os.lseek(given.fileno(), start, os.SEEK_SET)
            os.lseek(target, at + start, os.SEEK_SET)
            _copy(given.fileno(), target, place - start)


def _copy(source: int, target: int, count: int) -> None:
    while count > 0:
        piece = os.read(source, min(count, MIB))
        os.write(target, piece)
        count -= len(piece)


def _partition(disk: Path, parts: list[Part]) -> None:
    lines = ["label: gpt", f"label-id: {NAMED % 0}"]
    for number, part in enumerate(parts, start=1):
        size, name = f"size={part.mib}MiB", f'type={part.kind}, uuid={NAMED % number}, name="{part.name}"'
        lines.append(f"start={first_mib(number)}MiB, {size}, {name}")
    tool = shutil.which("sfdisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "sfdisk"
    done = subprocess.run(
        [tool, "--quiet", str(disk)], input="\n".join(lines), text=True, capture_output=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise StepFailed(f"sfdisk: {done.stderr[-500:]}")
