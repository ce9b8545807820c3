"""Updates for a place without a line: the same signed repository on a USB stick, and the journal's bundles out on it.

What is on a stick is data, never run, and nothing on it is followed: only plain files of names that are ours are
opened, each read no further than its kind may be long. A stick takes a terminal forward only; back is the fleet's to
say.

    yikatong/tuf/timestamp.json ...  yikatong/tuf/targets/SHA256.NAME
"""

import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from provisioning.rules.releases import APPLICATION, newer
from provisioning.terminal.updates.flow import Flow, update_of
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.room import make_sure
from provisioning.terminal.updates.rows_by_stick import ANSWER_SUFFIX
from provisioning.terminal.updates.sources import FolderSource, open_plain
from provisioning.terminal.updates.state import PAST_RECALL
from provisioning.terminal.updates.trust import Allowed, Target, Trust

FOLDER = Path("yikatong") / "tuf"
STICK_S_MAX = 900.0  # a stick of the slow kind, and an image
COPIED_AT_ONCE = 1 << 20


Mark = tuple[tuple[int, int], ...]


def mark_of(mount: Path, terminal_id: str) -> Mark | None:
    """Tells one stick of the fleet or the agency from another, and from the same one written anew; None: there is none.

    Without the file's number: FAT has none, and the kernel draws another one at each mount.
    """
    marks = tuple(_mark(mount / name) for name in (FOLDER / "timestamp.json", f"{terminal_id}{ANSWER_SUFFIX}"))
    return marks if any(size >= 0 for size, _ in marks) else None


def _mark(file: Path) -> tuple[int, int]:
    try:
        found = file.lstat()
    except OSError:
        return -1, 0
    return found.st_size, found.st_mtime_ns


async def signed_by_two(trust: Trust, stick: Path) -> bool:
    """Whether the list of software on it is one that this terminal believes: then the stick is the fleet's."""
    try:
        await trust.refresh(FolderSource(stick / FOLDER))
    except (UpdateRefused, SourceSilent):
        return False
    return True


@dataclass(frozen=True)
class Brought:
    """``version`` "" where nothing was installed; ``why`` then says why not: a code, "" where there was nothing new."""

    version: str = ""
    why: str = ""
    words: str = ""


@dataclass
class Stick:
    """``swap_journal``: takes the agency's answer in from the stick, and writes what it has not got out to it."""

    trust: Trust
    flow: Flow
    swap_journal: Callable[[Path], Awaitable[None]]

    async def bring(self, stick: Path, *kinds: str) -> Brought:
        """Rows out first: they are worth more than the update. Of ``kinds`` (the application, where none is named) the
        first that is news, or was refused. Raises OSError of our own disk."""
        await self.swap_journal(stick)
        brought = Brought()
        for kind in kinds or (APPLICATION,):
            brought = await self._bring(stick, kind)
            if brought.version or brought.why:
                break
        return brought

    async def _bring(self, stick: Path, kind: str) -> Brought:
        if not (stick / FOLDER).exists():
            return Brought()  # the agency's answer alone
        update = self.flow.now_state.update
        if update is not None and update.step in PAST_RECALL:
            return Brought(why="busy", words="another version is being installed")
        try:
            with trio.fail_after(STICK_S_MAX):
                target = await self._taken(stick / FOLDER, kind)
        except UpdateRefused as refused:
            self.flow.note("refused", "", f"stick: {refused.code}: {refused}")
            return Brought(why=refused.code, words=str(refused))
        except (SourceSilent, trio.TooSlowError) as broken:
            return Brought(why="silent", words=str(broken) or "the stick takes too long")
        return Brought() if target is None else await self._installed(target)

    async def _taken(self, folder: Path, kind: str) -> Target | None:
        allowed = await self.trust.refresh(FolderSource(folder))
        target = _newest(allowed, kind, self.flow.installers[kind].running(), folder)
        if target is None:
            return None
        if not self.flow.installers[kind].has(target):
            copy = Copy(folder / "targets", self.flow.download.part_of(target), target, self.flow)
            await trio.to_thread.run_sync(copy.run, abandon_on_cancel=True)
        return target

    async def _installed(self, target: Target) -> Brought:
        update = msgspec.structs.replace(update_of(target, "", ""), step="write", load="forced", install="forced")
        self.flow.begin(update)
        await self.flow.go_on(self.trust.kept)
        state = self.flow.now_state
        if self.flow.starts_anew:
            return Brought(version=target.version)
        if state.update is not None:
            return Brought(why=state.update.why, words="it is installed as soon as nothing is under way")
        if self.flow.installers[target.kind].running() != target.version:
            return Brought(why="returned", words=state.events[-1].why if state.events else "")
        return Brought(version=target.version)


def _newest(allowed: Allowed, kind: str, running: str, folder: Path) -> Target | None:
    """Of what is signed, newer than what runs, and on the stick."""
    found = [target for target in allowed.targets if target.kind == kind and newer(target.version, running)]
    found = [target for target in found if (folder / target.path).is_file()]
    best: Target | None = None
    for target in found:
        best = target if best is None or newer(target.version, best.version) else best
    return best


@dataclass
class Copy:
    """From the stick to where downloads are kept; never further than the signed length."""

    folder: Path
    to: Path
    target: Target
    flow: Flow

    def run(self) -> None:
        """Raises UpdateRefused: ``no_room``, ``not_a_file``, ``wrong_length``, ``wrong_content``; SourceSilent: pulled
        out."""
        disk, unpacked = self.flow.disk, self.flow.installers[self.target.kind].unpacked_bytes(self.target)
        disk.folder(self.to.parent)
        self.flow.download.forget_others(self.target.sha256)
        disk.remove(self.to)
        make_sure(self.to.parent, self.target.bytes_long + unpacked)
        try:
            descriptor = open_plain(self.folder, f"{self.target.sha256}.{self.target.name}")
        except OSError as error:
            raise SourceSilent(f"{self.target.name}: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size != self.target.bytes_long:
                raise UpdateRefused("wrong_length", f"{self.target.name}: not the length that was signed")
            digest, at = hashlib.sha256(), 0
            while at < self.target.bytes_long:
                chunk = self._read(file.read, min(COPIED_AT_ONCE, self.target.bytes_long - at))
                disk.append(self.to, at, chunk)
                digest.update(chunk)
                at += len(chunk)
        if digest.hexdigest() != self.target.sha256:
            disk.remove(self.to)
            raise UpdateRefused("wrong_content", f"{self.target.name}: not what was signed")

    def _read(self, read: Callable[[int], bytes], wanted: int) -> bytes:
        try:
            chunk = read(wanted)
        except OSError as error:
            raise SourceSilent(f"{self.target.name}: {error.strerror}") from error
        if not chunk:
            raise SourceSilent(f"{self.target.name}: ends too early")
        return chunk
