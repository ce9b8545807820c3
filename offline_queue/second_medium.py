"""The journal's rows once more, on another disk or card, where one is fitted (money-rules 25): as they stand, sealed.

Files of some megabytes, only ever added to, named ``TERMINAL-KEY-FIRSTROW.rows``. Each line is a JSON array:

    ["period", month, wrapped key]                                   the month's sealing key, for the agency alone
    ["row", seq, at, act, case, card index, period, postings, sealed, link]
    ["head", seq, link, signature, public key]                       signs every row above it; what follows is torn

Bytes in base64, link, signature and key in hex. INVENTED. Every call may take as long as the medium likes: it belongs
into a thread.
"""

import errno
import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.basics.chain import link_of
from kiosk.domain.ledger import LedgerBatch, LedgerRow
from kiosk.ports.ledger import MediumDisagrees, MediumFull

SUFFIX = ".rows"
FILE_BYTES = 4 << 20  # a new file from here on: what the agency has is removed file by file
_KEY_DIGITS = 16


@dataclass(frozen=True)
class _End:
    """Of the newest file: ``size`` bytes of it hold, up to the head of row ``seq``."""

    path: Path
    size: int
    seq: int
    link: bytes
    periods: frozenset[str]


def write_at(path: Path, size: int, content: bytes) -> None:
    """Behind what holds; a torn end is overwritten. The folder is flushed for a file that is new."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if size == 0:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@dataclass
class SecondMedium:
    """Implements ``ports.RowsMedium``. ``bytes_max``: of all files of this journal. ``write``: raises OSError."""

    folder: Path
    terminal_id: str
    public_key: bytes
    bytes_max: int
    file_bytes: int = FILE_BYTES
    write: Callable[[Path, int, bytes], None] = write_at
    _end: _End | None = field(default=None, init=False)
    _seen: tuple[str, int] = field(default=("", 0), init=False)  # the newest file and its size, as this process left it

    def newest(self) -> int:
        """The last row that is surely on it; 0: none. Raises OSError: it is not there."""
        files = self._files()
        if not files:
            self._end, self._seen = None, ("", 0)
            return 0
        if self._seen != (files[-1].name, files[-1].stat().st_size):
            self._end = next(filter(None, map(_whole_end, reversed(files))), None)
        return self._end.seq if self._end else 0

    def append(self, batch: LedgerBatch, kept_by_agency: int) -> None:
        """Rows that follow ``newest()``, on the medium on return.

        Raises:
            MediumDisagrees, MediumFull. OSError: it went, or broke.
        """
        self.newest()
        first = batch.rows[0]
        if self._end is not None and not (first.seq == self._end.seq + 1 and _follows(first, self._end.link)):
            raise MediumDisagrees(f"row {first.seq} does not follow what is on the medium")
        while not self._written(batch):
            if not self._drop_oldest(kept_by_agency):
                raise MediumFull("nothing on it that the agency has, and no room")

    def _written(self, batch: LedgerBatch) -> bool:
        """False: there is no room, by the settings or by the medium's own word."""
        end, first = self._end, batch.rows[0].seq
        if end is None or end.size >= self.file_bytes:
            end = _End(self.folder / f"{self._prefix}{first:010d}{SUFFIX}", 0, first - 1, b"", frozenset())
        lines = b"".join(_lines(batch, end.periods))
        if sum(path.stat().st_size for path in self._files()) + len(lines) > self.bytes_max:
            return False
        try:
            self.write(end.path, end.size, lines)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
        size = end.size + len(lines)
        self._end = _End(end.path, size, batch.head.seq, batch.head.link, end.periods | batch.periods.keys())
        self._seen = (end.path.name, size)
        return True

    @property
    def _prefix(self) -> str:
        return f"{self.terminal_id}-{self.public_key.hex()[:_KEY_DIGITS]}-"

    def _files(self) -> list[Path]:
        """Oldest first. Raises OSError: no such folder."""
        return sorted(path for path in self.folder.iterdir() if _is_ours(path, self._prefix))

    def _drop_oldest(self, kept_by_agency: int) -> bool:
        """Whether a file went, of which the agency has every row. It may be the only one."""
        files = self._files()
        if not files or self._end is None:
            return False
        last = _first_row(files[1]) - 1 if len(files) > 1 else self._end.seq
        if last > kept_by_agency:
            return False
        files[0].unlink()
        if files[0] == self._end.path:
            self._end = None
        return True


def _is_ours(path: Path, prefix: str) -> bool:
    return path.name.startswith(prefix) and path.suffix == SUFFIX and path.stem.removeprefix(prefix).isdecimal()


def _first_row(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _follows(row: LedgerRow, before: bytes) -> bool:
    clear = (row.seq, row.at, row.act, row.case_code, row.card_index, row.period, row.postings)
    return link_of(before, clear, row.sealed) == row.link


def _lines(batch: LedgerBatch, known: frozenset[str]) -> Iterator[bytes]:
    for period, wrapped in sorted(batch.periods.items()):
        if period not in known:
            yield _line("period", period, b64encode(wrapped).decode())
    for row in batch.rows:
        clear = (row.seq, row.at, row.act, row.case_code, row.card_index, row.period, row.postings)
        yield _line("row", *clear, b64encode(row.sealed).decode(), row.link.hex())
    head = batch.head
    yield _line("head", head.seq, head.link.hex(), head.signature.hex(), head.public_key.hex())


def _line(*values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _whole_end(path: Path) -> _End | None:
    """Where its last head ends; None: not one got onto it before the power went."""
    at, end, periods = 0, None, set[str]()
    for line in path.read_bytes().splitlines(keepends=True):
        at += len(line)
        try:
            kind, *values = json.loads(line)
            if kind == "period":
                periods.add(str(values[0]))
            elif kind == "head" and line.endswith(b"\n"):
                end = _End(path, at, int(values[0]), bytes.fromhex(values[1]), frozenset(periods))
        except (ValueError, TypeError, IndexError, RecursionError):
            break  # torn, or worn out: from the last head on it is written anew
    return end
