"""Loads one signed file in pieces: resumed after any break, never quicker than allowed, given up when too slow.

A download is many small questions, each with a total deadline of its own: nothing hangs, a cut costs one piece, and the
pace is kept by waiting in between. Hashed while it comes; a file whose hash is not the signed one is thrown away.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trio

from kiosk.ports import DocumentLink, HostRefused, OutcomeUnknown, Part
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.room import make_sure
from provisioning.terminal.updates.trust import Target

HASHED_AT_ONCE = 1 << 20
TRIES_MAX = 6  # pieces that fail one after the other; then the next poll goes on
ANEW_MAX = 3  # times that the file changed under us, or came without ranges
ETAG_CHARACTERS_MAX = 200
REST_S_MAX = 60.0


@dataclass(frozen=True)
class Pace:
    """``bytes_per_s_max``: what a hall's line can spare. ``bytes_per_s_min``: below it a piece is given up."""

    bytes_per_s_max: int = 512 << 10
    bytes_per_s_min: int = 1 << 10
    piece_bytes_min: int = 16 << 10
    piece_bytes_max: int = 1 << 20
    piece_s: float = 4.0  # pieces grow until one takes so long
    silence_s: float = 10.0
    rest_s: float = 1.0  # after a piece that did not come; more where the fleet asks for it


class Paused(Exception):
    """The window closed, or the line became a metered one; what has come stays."""


@dataclass
class Download:
    """``may_go_on`` is asked before each piece. ``folder`` keeps the parts: SHA256.part and SHA256.etag."""

    link: DocumentLink
    folder: Path
    disk: Disk
    pace: Pace = Pace()
    may_go_on: Callable[[], Awaitable[bool]] | None = None
    told: Callable[[int], None] = lambda received: None
    headers: Mapping[str, str] = field(default_factory=dict)  # a token, where a stock server wants one

    async def load(self, target: Target, path: str, unpacked_bytes: int = 0) -> Path:
        """The file, whole and with its signed hash. What an earlier life left was flushed, and is worth no trust beyond
        that: where it makes the whole a wrong one, it is loaded once more from the beginning.

        Raises:
            UpdateRefused: ``no_room``, ``wrong_length``, ``wrong_content``, ``missing``, ``no_ranges``.
            Paused. SourceSilent: too many pieces failed; what came stays. OSError.
        """
        self.disk.folder(self.folder)
        make_sure(self.folder, max(target.bytes_long - _size(self.part_of(target)), 0) + unpacked_bytes)
        coming = await self._rest(target, path)
        if coming.is_wrong and coming.kept:
            self.forget(target)
            coming = await self._rest(target, path)
        if coming.is_wrong:
            self.forget(target)
            raise UpdateRefused("wrong_content", f"{target.name}: not what was signed")
        return coming.path

    async def _rest(self, target: Target, path: str) -> "_Coming":
        """What lies here and the pieces after it. Raises as ``load``."""
        etag = await trio.to_thread.run_sync(self._etag, target)
        coming = _Coming(target, self.part_of(target), hashlib.sha256(), etag)
        await trio.to_thread.run_sync(coming.take_up)
        while coming.at < target.bytes_long:
            if self.may_go_on is not None and not await self.may_go_on():
                raise Paused
            await self._piece(coming, path)
            self.told(coming.at)
        return coming

    def part_of(self, target: Target) -> Path:
        return self.folder / f"{target.sha256}.part"

    def forget(self, target: Target) -> None:
        self.disk.remove(self.part_of(target))
        self.disk.remove(self.part_of(target).with_suffix(".etag"))

    def forget_others(self, sha256: str) -> None:
        """Parts of everything but this. Nothing is piled up over the years."""
        for path in self.folder.iterdir() if self.folder.exists() else ():
            if path.stem != sha256:
                self.disk.remove(path)

    async def _piece(self, coming: "_Coming", path: str) -> None:
        """The next piece, smaller at each failure. Raises as ``load``."""
        for _ in range(TRIES_MAX):
            wanted = min(coming.piece(self.pace), coming.target.bytes_long - coming.at)
            began = trio.current_time()
            try:
                part = await self.link.fetch_part(
                    path,
                    first=coming.at,
                    bytes_max=wanted,
                    etag=coming.etag,
                    deadline_s=wanted / self.pace.bytes_per_s_min + self.pace.silence_s,
                    headers=self.headers,
                )
            except (OutcomeUnknown, HostRefused) as error:
                coming.shrink(self.pace)
                await trio.sleep(min(max(error.retry_after_s, self.pace.rest_s), REST_S_MAX))
                continue
            if part is None:
                raise UpdateRefused("missing", f"{coming.target.name}: the fleet does not have it")
            took_s = trio.current_time() - began
            await trio.to_thread.run_sync(self._take, coming, part)
            coming.grow(self.pace, took_s)
            await trio.sleep(max(len(part.content) / self.pace.bytes_per_s_max - took_s, 0))
            return
        raise SourceSilent(f"{coming.target.name}: {TRIES_MAX} pieces did not come")

    def _take(self, coming: "_Coming", part: Part) -> None:
        """In a thread: flushing may take a while on a worn disk."""
        if part.total_bytes is not None and part.total_bytes != coming.target.bytes_long:
            raise UpdateRefused("wrong_length", f"{coming.target.name}: not the length that was signed")
        if part.first != coming.at:
            if part.first:
                raise UpdateRefused("no_ranges", f"{coming.target.name}: a piece that was not asked for")
            coming.begin_anew()
        if part.etag != coming.etag:
            coming.etag = part.etag
            etag = part.etag[:ETAG_CHARACTERS_MAX].encode()
            self.disk.write(coming.path.with_suffix(".etag"), etag)
        content = part.content[: coming.target.bytes_long - coming.at]
        if not content:
            raise UpdateRefused("wrong_length", f"{coming.target.name}: an empty piece")
        self.disk.append(coming.path, coming.at, content)
        coming.hash.update(content)
        coming.at += len(content)

    def _etag(self, target: Target) -> str:
        path = self.part_of(target).with_suffix(".etag")
        return path.read_text(errors="replace") if path.exists() else ""


@dataclass
class _Coming:
    """How far it is. ``kept``: bytes of it that an earlier life left."""

    target: Target
    path: Path
    hash: "hashlib._Hash"
    etag: str
    at: int = 0
    kept: int = 0
    anew: int = 0
    piece_bytes: int = 0

    @property
    def is_wrong(self) -> bool:
        return self.hash.hexdigest() != self.target.sha256

    def take_up(self) -> None:
        """Hash what came before the break. A part that is longer than the whole is none of it."""
        if _size(self.path) > self.target.bytes_long or not self.path.exists():
            return
        with self.path.open("rb") as file:
            while chunk := file.read(HASHED_AT_ONCE):
                self.hash.update(chunk)
                self.at += len(chunk)
        self.kept = self.at

    def begin_anew(self) -> None:
        self.anew += 1
        if self.anew > ANEW_MAX:
            raise UpdateRefused("no_ranges", f"{self.target.name}: comes from its beginning again and again")
        self.hash, self.at, self.kept = hashlib.sha256(), 0, 0

    def piece(self, pace: Pace) -> int:
        self.piece_bytes = self.piece_bytes or min(64 << 10, pace.piece_bytes_max)
        return self.piece_bytes

    def grow(self, pace: Pace, took_s: float) -> None:
        if took_s < pace.piece_s / 2:
            # Not more than the pace lets through in that time: a burst of a second is what others notice.
            allowed = int(pace.bytes_per_s_max * pace.piece_s)
            self.piece_bytes = max(min(self.piece_bytes * 2, pace.piece_bytes_max, allowed), pace.piece_bytes_min)

    def shrink(self, pace: Pace) -> None:
        self.piece_bytes = max(self.piece_bytes // 2, pace.piece_bytes_min)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
