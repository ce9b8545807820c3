"""A file that one process at a time may use: its second user is refused, not served.

Counters of numbers that must never repeat are read once and kept in memory. Two processes on one file would give out
the same numbers and never notice.
"""

import fcntl
import os
import weakref
from pathlib import Path


class UsedElsewhere(Exception):
    """Another process uses this file. The message is its path."""


class Hold:
    """While it lives, no other process gets one. Within one it is shared: files are opened anew after faults."""

    def __init__(self, path: Path) -> None:
        """Raises UsedElsewhere, OSError."""
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._ends = weakref.finalize(self, os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._ends()
            raise UsedElsewhere(str(path)) from None


_held: weakref.WeakValueDictionary[Path, Hold] = weakref.WeakValueDictionary()


def hold(path: Path) -> Hold:
    """Keep the result for as long as the file is used. The kernel gives it free when the process ends, however it ends.

    Raises:
        UsedElsewhere, OSError
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    held = _held.get(path)
    if held is None:
        held = _held[path] = Hold(path)
    return held
