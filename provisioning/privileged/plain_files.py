"""Files in folders that belong to somebody less trusted, as root reads and writes them: never through a link."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BYTES_MAX = 64 * 1024


class NotPlain(Exception):
    """Not a regular file, too long, or not there."""


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The folder itself, whatever becomes of its name meanwhile. Raises OSError: not a folder, or a link to one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_there(folder: int, name: str) -> bool:
    """A file of whichever kind, a link too."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def read_in(folder: int, name: str) -> bytes:
    """Raises NotPlain."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would wait for ever
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise NotPlain(f"{name}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlain(f"{name}: not a plain file")
        content = file.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise NotPlain(f"{name}: too long")
    return content


def write_in(folder: int, name: str, content: bytes, mode: int = 0o644) -> None:
    """Whole and flushed, or not there. Raises OSError."""
    beside = f".{name}.new"
    remove_in(folder, beside)
    descriptor = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder
    )
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # whatever the umask is
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def remove_in(folder: int, name: str) -> None:
    """Gone already is fine. Raises OSError."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    os.fsync(folder)
