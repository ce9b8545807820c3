"""What the agent does to its files: each act leaves the old or the new state behind when the power is cut.

Everything that must survive goes through here, so that a test can cut the power before and after every single effect.
"""

import os
import shutil
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700


class Disk:
    """Effects on one file system, each flushed before it returns. Raises OSError."""

    def write(self, path: Path, content: bytes, mode: int = FILE_MODE) -> None:
        """Put a whole file in place: beside, flushed, renamed, folder flushed."""
        beside = _beside(path)
        self.put(beside, content, mode)
        self.rename(beside, path)

    def point(self, link: Path, to: str) -> None:
        """Make ``link`` a symbolic link to ``to``, or turn it there."""
        beside = _beside(link)
        self.remove(beside)
        self.link(beside, to)
        self.rename(beside, link)

    def put(self, path: Path, content: bytes, mode: int = FILE_MODE) -> None:
        """A file whose name nobody counts on yet."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def append(self, path: Path, at: int, content: bytes) -> None:
        """Behind the first ``at`` bytes; what stood there is overwritten."""
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE), "r+b") as file:
            file.truncate(at)
            file.seek(at)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)
        self.flush_folder(new.parent)

    def link(self, path: Path, to: str) -> None:
        path.symlink_to(to)

    def folder(self, path: Path, mode: int = FOLDER_MODE) -> None:
        """Make it with what is missing above; there already is fine."""
        for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
            missing.mkdir(mode=mode, exist_ok=True)
            self.flush_folder(missing.parent)

    def remove(self, path: Path) -> None:
        """A file, a link or a whole folder; gone already is fine."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
        else:
            return
        self.flush_folder(path.parent)

    def flush_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
