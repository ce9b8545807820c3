"""A backup: a gzipped tar inside an age file. The manifest comes first, tables next, files of the fleet last.

Nothing is ever on a disk in clear: the tar goes through a pipe into age and comes out of it through one. age vouches
for each piece and for the end, so a file that was cut or altered is noticed before a restore is committed.
"""

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyrage

from provisioning.fleet.backup.folders import Kept
from provisioning.fleet.backup.tables import fill, one_moment, parts_of, refuse_a_fleet, tables
from provisioning.fleet.database import step

KIND, VERSION = "yikatong fleet backup", 1
MANIFEST = "manifest.json"
SUFFIX = ".age"


class BackupRefused(Exception):
    """No backup, not for this identity, cut short, altered, or of a version that this program does not know."""


@dataclass(frozen=True)
class Manifest:
    made_ms: int
    version: int = VERSION
    kind: str = KIND


def write_backup(to: Path, folders: Mapping[str, Kept], recipients: Sequence[str], at_ms: int) -> int:
    """Bytes of the file. ``folders``: name in the archive -> its files. ``recipients``: age public keys; any
    one of them opens it.

    Raises:
        BackupRefused: a recipient that is none. OSError: no room; nothing bears the final name then.
    """
    try:
        keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError as error:
        raise BackupRefused(f"not an age public key: {error}") from None
    if not keys:
        raise BackupRefused("a backup that nobody can open is none")
    beside = to.with_suffix(".part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out, _from_thread(lambda pipe: _pack(pipe, folders, at_ms)) as clear:
        pyrage.encrypt_io(clear, out, keys)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(to)
    return to.stat().st_size


def read_backup(from_: Path, identity: str, folders: Mapping[str, Kept]) -> Manifest:
    """Into the database that is open, and into ``folders``. All of it or nothing.

    Raises:
        BackupRefused. NotEmpty: there is a fleet already. OSError.
    """
    try:
        key = pyrage.x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError as error:
        raise BackupRefused(f"not an age identity: {error}") from None
    with from_.open("rb") as sealed, _from_thread(lambda pipe: pyrage.decrypt_io(sealed, pipe, [key])) as clear:
        try:
            return _unpack(clear, folders)
        except (tarfile.TarError, EOFError, ValueError, StopIteration, pyrage.DecryptError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # a disk's; age's own have no number
                raise
            raise BackupRefused(f"{from_.name}: {error or type(error).__name__}") from error


def _pack(pipe: IO[bytes], folders: Mapping[str, Kept], at_ms: int) -> None:
    with tarfile.open(fileobj=pipe, mode="w|gz") as tar:
        _add(tar, MANIFEST, json.dumps(vars(Manifest(at_ms))).encode())
        with one_moment():
            for table in tables():
                for number, part in enumerate(parts_of(table)):
                    _add(tar, f"tables/{table._meta.table_name}/{number:06d}.jsonl", part)
        for name, kept in sorted(folders.items()):
            for path in kept.files():
                tar.add(path, f"files/{name}/{path.relative_to(kept.folder).as_posix()}", recursive=False)


def _unpack(pipe: IO[bytes], folders: Mapping[str, Kept]) -> Manifest:
    with tarfile.open(fileobj=pipe, mode="r|gz") as tar:
        members = iter(tar)
        manifest = _manifest(_content(tar, next(members)))
        by_name = {f"tables/{table._meta.table_name}": table for table in tables()}
        written: list[tuple[Path, Path]] = []
        try:
            with step():
                refuse_a_fleet()
                for member in members:
                    table = by_name.get(member.name.rpartition("/")[0])
                    if table is not None:
                        fill(table, _content(tar, member).splitlines())
                    elif member.name.startswith("files/"):
                        written.append(_write_beside(tar, member, folders))
                while pipe.read(1 << 20):  # to the end, where age says whether something was cut off
                    continue
            for beside, final in written:
                beside.replace(final)
        except BaseException:
            for beside, _ in written:
                with suppress(OSError):
                    beside.unlink()
            raise
    return manifest


def _manifest(content: bytes) -> Manifest:
    told: dict[str, Any] = json.loads(content)
    if told.get("kind") != KIND or told.get("version") != VERSION:
        raise ValueError("not a backup of a version that this program knows")
    return Manifest(int(told["made_ms"]))


def _write_beside(tar: tarfile.TarFile, member: tarfile.TarInfo, folders: Mapping[str, Kept]) -> tuple[Path, Path]:
    """Raises ValueError: a name that leads elsewhere."""
    _, name, *rest = PurePosixPath(member.name).parts
    if name not in folders or not rest or ".." in rest or not member.isreg():
        raise ValueError("a file that is none of the fleet's")
    final = folders[name].folder.joinpath(*rest)
    final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = final.with_name(f".{hashlib.sha256(final.name.encode()).hexdigest()[:16]}.part")
    descriptor = os.open(
        beside,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        member.mode & 0o700 | 0o600 if member.mode & 0o077 == 0 else 0o644,
    )
    with os.fdopen(descriptor, "wb") as out:
        out.write(_content(tar, member))
        os.fsync(out.fileno())
    return beside, final


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError("not a file")
    return file.read()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))


@contextmanager
def _from_thread(write: Callable[[IO[bytes]], object]) -> Iterator[IO[bytes]]:
    """What ``write`` writes into a pipe from a thread of its own, to be read here. Its failure is raised here."""
    read_end, write_end = os.pipe()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(write_end, "wb") as pipe:
                write(pipe)
        except BrokenPipeError:
            return  # nobody reads any more: the reader's own failure tells why
        except BaseException as error:  # noqa: BLE001 - raised again in the reader
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    with os.fdopen(read_end, "rb") as pipe:
        thread.start()
        try:
            yield _Watched(pipe, thread, failures)  # type: ignore[misc]  # RawIOBase is all of IO that is asked
        finally:
            pipe.close()
            thread.join()


class _Watched(io.RawIOBase):
    """A pipe whose end is only an end when the writer ended well."""

    def __init__(self, pipe: IO[bytes], thread: threading.Thread, failures: list[BaseException]) -> None:
        super().__init__()
        self._pipe, self._thread, self._failures = pipe, thread, failures

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self._pipe.read(len(buffer))
        if not got:
            self._thread.join()
            if self._failures:
                raise self._failures[0]
        buffer[: len(got)] = got
        return len(got)
