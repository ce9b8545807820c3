"""Trace numbers: unique within a batch for ever, whatever is switched off when (money-rules 4)."""

import json
import os
from pathlib import Path

from kiosk.hosts.one_process import UsedElsewhere, hold

TRACES_PER_BATCH = 999_999


class BatchFull(Exception):
    """Every number of this batch is used; only a sign-on that opens the next one helps."""


class TraceCounterBroken(Exception):
    """The counter's file cannot be read, or another process uses it: no bank act, since numbers might repeat."""


class TraceCounter:
    """One small file, written whole and flushed before a number is given out. A number that is given out is used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._hold = hold(path)
        except UsedElsewhere:
            raise TraceCounterBroken(f"{path} is used by another process") from None
        self._batch, self._last, self._used = self._read()

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
        """The host named a batch: a new one has all its numbers free; the count goes on where it was."""
        if batch_number != self._batch:
            self._batch, self._used = batch_number, 0
            self._write()

    def _read(self) -> tuple[str, int, int]:
        try:
            kept = json.loads(self._path.read_bytes())
            return str(kept["batch"]), int(kept["last"]), int(kept["used"])
        except FileNotFoundError:
            return "000001", 0, 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TraceCounterBroken(str(self._path)) from error

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
