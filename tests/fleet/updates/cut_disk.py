"""A disk on which the power is cut before, or in the middle of, one chosen effect; and nothing happens after it."""

from pathlib import Path

from provisioning.terminal.disk import FILE_MODE, FOLDER_MODE, Disk


class PowerCut(BaseException):
    """Nobody catches it but the test: the machine is off."""


class CutDisk(Disk):
    """``at``: number of the effect that the cut hits. ``torn``: half of what it writes got onto the disk."""

    def __init__(self, at: int, torn: bool = False) -> None:
        self._at = at
        self._torn = torn
        self.effects = 0

    def put(self, path: Path, content: bytes, mode: int = FILE_MODE) -> None:
        if self._hit():
            super().put(path, content[: len(content) // 2], mode)
            raise PowerCut
        super().put(path, content, mode)

    def append(self, path: Path, at: int, content: bytes) -> None:
        if self._hit():
            super().append(path, at, content[: len(content) // 2])
            raise PowerCut
        super().append(path, at, content)

    def rename(self, old: Path, new: Path) -> None:
        self.or_cut()
        super().rename(old, new)

    def link(self, path: Path, to: str) -> None:
        self.or_cut()
        super().link(path, to)

    def folder(self, path: Path, mode: int = FOLDER_MODE) -> None:
        if not path.exists():
            self.or_cut()
        super().folder(path, mode)

    def remove(self, path: Path) -> None:
        """Of a folder half of the files are gone when the cut comes in the middle."""
        if not (path.exists() or path.is_symlink()):
            return
        if self._hit():
            files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else []
            for file in files[: len(files) // 2]:
                file.unlink()
            raise PowerCut
        super().remove(path)

    def _hit(self) -> bool:
        """Whether this effect is torn. Raises PowerCut: it is not done at all."""
        self.effects += 1
        if self.effects < self._at:
            return False
        if self._torn and self.effects == self._at:
            return True
        raise PowerCut

    def or_cut(self) -> None:
        self.effects += 1
        if self.effects >= self._at:
            raise PowerCut
