"""Files of software modules on disk, each once, under its SHA-256; nginx gives them out.

Written beside, hashed while they come, and renamed when whole: a name always means all of its bytes.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from provisioning.fleet.actor import Refused

ARTIFACT_BYTES_MAX = 2_000_000_000  # a whole image is about a gigabyte
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Kept:
    """Hashes in lower-case hex: DDI tells all three, and only the first is believed by our terminals."""

    sha256: str
    sha1: str
    md5: str
    size_bytes: int


def path_in(sha256: str) -> str:
    """Below the folder of artifacts."""
    return f"{sha256[:2]}/{sha256[2:]}"


def keep(folder: Path, pieces: Iterable[bytes], bytes_max: int = ARTIFACT_BYTES_MAX) -> Kept:
    """Take a file in; one that is there already is not written twice.

    Raises:
        Refused: longer than ``bytes_max``. OSError: the disk would not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".coming-", delete=False) as file:
        beside = Path(file.name)
        try:
            kept = _write(file.fileno(), pieces, bytes_max)
            os.fsync(file.fileno())
            beside.chmod(0o644)
            path = folder / path_in(kept.sha256)
            path.parent.mkdir(exist_ok=True)
            beside.rename(path)
        finally:
            beside.unlink(missing_ok=True)
    _sync(path.parent)
    _sync(folder)
    return kept


def _write(descriptor: int, pieces: Iterable[bytes], bytes_max: int) -> Kept:
    # MD5 and SHA-1 are DDI's fields; nothing here trusts them.
    sums = [hashlib.sha256(), hashlib.sha1(usedforsecurity=False), hashlib.md5(usedforsecurity=False)]
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > bytes_max:
            raise Refused("too_long", f"An artifact has at most {bytes_max} bytes.")
        for one in sums:
            one.update(piece)
        _write_all(descriptor, piece)
    return Kept(sums[0].hexdigest(), sums[1].hexdigest(), sums[2].hexdigest(), size)


def _write_all(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
