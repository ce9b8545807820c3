"""Who may open the files of the journal: its own user, or two users where the folder is one of a group's.

On a terminal kiosk and forwarder are two users and write one file (money-rules 24): the folder that the installation
makes is writable by their group (systemd/tmpfiles.d), and what is made in it is, too. Anywhere else all is private.
"""

import os
import stat
from pathlib import Path

PRIVATE, SHARED = 0o600, 0o660


def mode_in(folder: Path) -> int:
    """Of a file that both processes need. Raises OSError."""
    return SHARED if folder.stat().st_mode & stat.S_IWGRP else PRIVATE


def make_file(path: Path) -> None:
    """An empty file where there is none. SQLite would make it 0644 less the umask, and its log and index like it.

    Raises:
        OSError
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    except FileExistsError:
        return
    try:
        os.fchmod(handle, mode_in(path.parent))  # whatever the umask is
    finally:
        os.close(handle)
