"""A tree of files as a root partition: ext4 that no kernel mounts for writing, the same bytes every time."""

import re
from pathlib import Path

from image.package.steps import run
from image.root import EPOCH

# Names, not secrets: two builds must agree, and the boot loader goes by the partition's place.
FILE_SYSTEM = "6d1c7d7e-3a1c-4c0e-9d64-0f6f6e2b8a01"
FEATURES = "^has_journal,^resize_inode,^huge_file,^large_file,^dir_nlink,uninit_bg"
SLOT_MIB = 1536
# mke2fs copies when a file was last looked at and changed on this machine; that nobody can set before.
LOOKED_AT = ("atime", "ctime")


def make_slot(tree: Path, target: Path) -> Path:
    """``target``: a sparse file of SLOT_MIB with all of ``tree``, its owners and modes. Needs root, or fakeroot."""
    target.unlink(missing_ok=True)
    run(
        [
            "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-O", FEATURES, "-E",
            f"hash_seed={FILE_SYSTEM},root_owner=0:0,lazy_itable_init=0", "-U", FILE_SYSTEM, "-L", "root",
            "-d", str(tree), str(target), f"{SLOT_MIB}M",
        ],
        E2FSPROGS_FAKE_TIME=str(EPOCH),
    )  # fmt: skip
    wishes = target.with_suffix(".debugfs")
    wishes.write_text("".join(f"set_inode_field <{n}> {name} @{EPOCH}\n" for n in _used(target) for name in LOOKED_AT))
    run(["debugfs", "-w", "-f", str(wishes), str(target)], E2FSPROGS_FAKE_TIME=str(EPOCH))
    run(["tune2fs", "-O", "read-only", str(target)], E2FSPROGS_FAKE_TIME=str(EPOCH))
    return target


def _used(image: Path) -> range:
    """Numbers of the files in a file system that was filled once: they follow each other."""
    told = run(["dumpe2fs", "-h", str(image)]).decode()
    count, free = (
        int(re.findall(rf"^{name}: +([0-9]+)$", told, re.MULTILINE)[0]) for name in ("Inode count", "Free inodes")
    )
    return range(2, count - free + 1)
