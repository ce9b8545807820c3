"""Whether the disk has room for what is to come."""

import os
from pathlib import Path

from provisioning.terminal.updates.refused import UpdateRefused

RESERVE_BYTES = 64 << 20  # the journal and the logs of some days; never the update's


def make_sure(folder: Path, wanted_bytes: int) -> None:
    """Raises UpdateRefused ``no_room``: with it, less than the reserve would be free. OSError."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free - wanted_bytes < RESERVE_BYTES:
        raise UpdateRefused("no_room", f"{wanted_bytes >> 20} MB are needed, {free >> 20} MB are free")
