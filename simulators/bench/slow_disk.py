"""A disk below the journal that counts its flushes and takes its time for each, as worn flash does.

The files are real; only ``xSync`` is ours. Name it to the journal as ``vfs``, and unregister it at the end.
"""

import time
from itertools import count
from typing import Any

import apsw

_names = count(1)


class SlowDisk(apsw.VFS):
    """``name`` is what SQLite knows it by. ``sync_s``: how long each flush takes on top of the real one."""

    def __init__(self, sync_s: float = 0.0) -> None:
        self.name = f"slow-disk-{next(_names)}"
        self.sync_s = sync_s
        self.syncs = 0
        self._below = apsw.vfs_names()[0]
        super().__init__(self.name, self._below)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's name
        return _File(self, self._below, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: SlowDisk, below: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(below, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.syncs += 1
        if self._disk.sync_s:
            time.sleep(self._disk.sync_s)
        super().xSync(flags)
