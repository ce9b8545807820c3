"""Trace numbers: unique within a batch for ever, whatever is switched off when (money-rules 4)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from kiosk.hosts.one_process import UsedElsewhere, hold

TRACES_PER_BATCH = 999_999


class BatchFull(Exception):
    """Every number of this batch is used; only a sign-on that opens the next one helps."""


class TraceCounterBroken(Exception):
    """The counter's file cannot be read, is older than the journal, or is used by another process: no bank act, since
    numbers might repeat."""


@dataclass(frozen=True)
class Traces:
    """Where a counter stands: its batch, the number given out last, and how many of the batch were."""

    batch: str
    last: int
    used: int

    def is_behind(self, batch: str, trace_number: str) -> bool:
        """Whether this number of this batch was given out later: then the file is an old copy."""
        ahead = (int(trace_number) - self.last) % TRACES_PER_BATCH
        return batch == self.batch and 0 < ahead < TRACES_PER_BATCH // 2


class TraceCounter:
    """One small file, written whole and flushed before a number is given out. A number that is given out is used."""

    def __init__(self, path: Path, newest: tuple[str, str] | None = None) -> None:
        """``newest``: batch and number of the newest act that somebody else remembers.

        Raises:
            TraceCounterBroken, OSError.
        """
        self._path = path
        self._newest = newest
        try:
            self._hold = hold(path)
        except UsedElsewhere:
            raise TraceCounterBroken(f"{path} is used by another process") from None
        kept = read_traces(path)
        if newest is not None and (kept is None or kept.is_behind(*newest)):
            raise TraceCounterBroken(f"{path} is older than the journal")
        kept = kept or Traces("000001", 0, 0)
        self._batch, self._last, self._used = kept.batch, kept.last, kept.used

    @property
    def batch_number(self) -> str:
        return self._batch

    def draw(self) -> str:
        """The next number, six digits, 000001 after 999999.

        Raises:
            BatchFull
        """
        if self._used >= TRACES_PER_BATCH:
            raise BatchFull
        self._last = self._last % TRACES_PER_BATCH + 1
        self._used += 1
        self._write()
        return f"{self._last:06d}"

    def adopt(self, batch_number: str) -> None:
        """The host named a batch: a new one has all its numbers free; the count goes on where it was.

        Raises:
            TraceCounterBroken: it is one that was in use when this counter's file was older.
        """
        if self._newest and Traces(batch_number, self._last, 0).is_behind(*self._newest):
            raise TraceCounterBroken(f"{self._path} is older than the journal")
        if batch_number != self._batch:
            self._batch, self._used = batch_number, 0
            self._write()

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        content = json.dumps({"batch": self._batch, "last": self._last, "used": self._used}).encode()
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_traces(path: Path) -> Traces | None:
    """None: no number was ever given out.

    Raises:
        TraceCounterBroken.
    """
    try:
        kept = json.loads(path.read_bytes())
        return Traces(str(kept["batch"]), int(kept["last"]), int(kept["used"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TraceCounterBroken(str(path)) from error
