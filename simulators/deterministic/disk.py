"""A disk in memory under SQLite, as an apsw VFS: what was synced stays, the rest survives a power cut or not.

At a cut every 512-byte sector of every write since the last sync survives by the toss of a coin, so that writes are
lost, torn and reordered; a truncation or a deletion that was not synced may not have happened. As SQLite has it,
sectors are written whole or not at all (POWERSAFE_OVERWRITE). Locks and the index of the WAL, which no power cut
survives anyway, are those of a real and empty file in a scratch folder, a new one for each life. All connections are
of one process, so SQLite keeps both in memory (``unix-excl``) and the kernel is not asked at each transaction.

It is SQLite's default file system while it exists, so the product opens its journal as it always does.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR_BYTES = 512
NO_ROOM = "no room"  # in whatever a library makes of it
ENDLESS_BYTES = 1 << 40
OF_ONE_PROCESS = "unix-excl"
_names = itertools.count(1)


@dataclass
class _Stored:
    """One file: what a reader sees now, what is safe, and what happened since the last sync, in order."""

    now: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: truncated to that length
    linked: bool = False  # its name is safe on the disk

    def write(self, at: int, chunk: bytes) -> None:
        _put(self.now, at, chunk)
        self.since.append((at, chunk))

    def truncate(self, length: int) -> None:
        del self.now[length:]
        self.since.append((length, None))

    def sync(self) -> None:
        for at, chunk in self.since:
            _apply(self.safe, at, chunk)
        self.since.clear()
        self.linked = True

    def lose_power(self, chance: random.Random) -> None:
        for at, chunk in self.since:
            if chunk is None:
                if chance.random() < 0.5:
                    del self.safe[at:]
            else:
                for begin, piece in _sectors(at, chunk):
                    if chance.random() < 0.5:
                        _put(self.safe, begin, piece)
        self.since.clear()
        self.now = bytearray(self.safe)


class Disk:
    """Files of one terminal, for paths below ``scratch``, until ``close``.

    ``on_sync`` is called before each sync takes effect and may raise: the power goes with the sectors still in doubt.
    ``lies``: a sync does nothing, as on cheap cards. ``room_bytes``: None is endless, else writes that would need more
    fail as on a full disk. ``syncs`` counts what took effect. ``dead``: the power is gone and nothing changes any more.
    """

    def __init__(self, scratch: Path, on_sync: Callable[[], None] = lambda: None) -> None:
        self.scratch = scratch
        self.on_sync = on_sync
        self.lies = False
        self.room_bytes: int | None = None
        self.syncs = 0
        self.refusals = 0  # writes for which there was no room, in this life
        self.dead = False
        self.life = 1
        self._files: dict[str, _Stored] = {}
        self._gone: dict[str, _Stored] = {}  # deleted, and the deletion is not safe yet
        self.below = apsw.vfs_names()[0]  # the real file system
        self._registered = _MemoryVfs(f"memory-{next(_names)}", self)

    @property
    def used_bytes(self) -> int:
        return sum(len(stored.now) for stored in self._files.values())

    def power_cut(self, chance: random.Random) -> None:
        """What is not safe falls as the coin falls. From now on handles of before change nothing.

        No connection may be open any more: closed later, it would take the log of a new life for its own.
        """
        assert not [one for one in apsw.connections() if self.ours(one.filename)], "left open by the life that ended"
        self.life += 1
        for name, stored in list(self._gone.items()):
            if name not in self._files and chance.random() < 0.5:
                self._files[name] = stored
        self._gone.clear()
        for name, stored in list(self._files.items()):
            if not stored.linked and chance.random() < 0.5:
                del self._files[name]
                continue
            stored.lose_power(chance)
            stored.linked = True
        self.dead = False
        self.refusals = 0

    def process_ended(self) -> None:
        """Killed, or by a fault of its own: what it wrote stays, synced or not, for as long as there is power."""
        self.dead = True
        for left_open in [one for one in apsw.connections() if self.ours(one.filename)]:
            left_open.close()  # as the system closes the files of a process that ended
        self.life += 1
        self.dead = False
        self.refusals = 0

    def close(self) -> None:
        apsw.set_default_vfs(self.below)
        self._registered.unregister()
        self._files.clear()

    def ours(self, name: str) -> bool:
        return Path(name).is_relative_to(self.scratch)

    # --- for the file system ------------------------------------------------------------------------------------------

    def opened(self, name: str) -> _Stored:
        return self._files.setdefault(name, _Stored())

    def exists(self, name: str) -> bool:
        return name in self._files

    def delete(self, name: str, *, safe: bool) -> None:
        if self.dead:
            return
        stored = self._files.pop(name, None)
        if stored is not None and stored.linked and not safe:
            self._gone[name] = stored

    def sync(self, stored: _Stored) -> None:
        if self.dead:
            return
        self.on_sync()
        if self.lies:
            return
        stored.sync()
        self._gone.clear()  # a journaling file system writes names in order: what was deleted before is gone now
        self.syncs += 1

    @property
    def free_bytes(self) -> int:
        return ENDLESS_BYTES if self.room_bytes is None else max(0, self.room_bytes - self.used_bytes)

    def has_room_for(self, more_bytes: int) -> bool:
        return self.room_bytes is None or self.used_bytes + more_bytes <= self.room_bytes


class _MemoryVfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, disk.below, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._disk.ours(path):
            return super().xOpen(name, flags)
        return _Handle(self._disk, path, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802 - SQLite's name
        if self._disk.ours(name):
            self._disk.delete(name, safe=sync_folder)
        else:
            super().xDelete(name, sync_folder)

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: N802 - SQLite's name
        return self._disk.exists(name) if self._disk.ours(name) else bool(super().xAccess(name, flags))


class _Handle(apsw.VFSFile):
    """An open file, as SQLite uses it. Locks and shared memory are inherited from the empty file beside it."""

    def __init__(self, disk: Disk, name: str, flags: list[int]) -> None:
        self._disk = disk
        self._life = disk.life
        self._stored = disk.opened(name)
        beside = f"{name}.life{disk.life}"
        Path(beside).touch()
        super().__init__(OF_ONE_PROCESS, beside, flags)

    @property
    def _powered(self) -> bool:
        """Whoever still writes after the cut, to wind up or to close, changes nothing."""
        return not self._disk.dead and self._disk.life == self._life

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        return bytes(self._stored.now[offset : offset + amount])

    def xWrite(self, chunk: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        if not self._powered:
            return
        grows = offset + len(chunk) - len(self._stored.now)
        if grows > 0 and not self._disk.has_room_for(grows):
            self._disk.refusals += 1
            raise apsw.FullError(NO_ROOM)
        self._stored.write(offset, bytes(chunk))

    def xTruncate(self, length: int) -> None:  # noqa: N802 - SQLite's name
        if self._powered:
            self._stored.truncate(length)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if self._disk.life == self._life:
            self._disk.sync(self._stored)

    def xFileSize(self) -> int:  # noqa: N802 - SQLite's name
        return len(self._stored.now)

    def xSectorSize(self) -> int:  # noqa: N802 - SQLite's name
        return SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:  # noqa: N802 - SQLite's name
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)


def _sectors(at: int, chunk: bytes) -> Iterator[tuple[int, bytes]]:
    """Pieces of a write, cut where sectors begin."""
    end = at + len(chunk)
    while at < end:
        stop = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield at, chunk[: stop - at]
        chunk, at = chunk[stop - at :], stop


def _put(content: bytearray, at: int, chunk: bytes) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(chunk)] = chunk


def _apply(content: bytearray, at: int, chunk: bytes | None) -> None:
    if chunk is None:
        del content[at:]
    else:
        _put(content, at, chunk)
