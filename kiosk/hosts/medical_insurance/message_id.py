"""Message ids of the national interface: institution (12), local time (14), serial (4). Never the same one twice.

A terminal has its own share of the institution's serials. The time part is max(clock, last used): a clock that was
set back repeats nothing, and a share that is used up within one second runs into the next (money-rules 4).
"""

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kiosk.hosts.one_process import UsedElsewhere, hold

CHINA = timezone(timedelta(hours=8))  # the interface knows one time
_TIME = "%Y%m%d%H%M%S"
INSTITUTION_CHARACTERS = 12


class MessageIdsUnusable(Exception):
    """The counter's file cannot be understood, or another process uses it: none is made that might be used already."""


class MessageIds:
    """``path`` keeps the last id; it is on the disk before anybody sees the id."""

    def __init__(
        self,
        path: Path,
        institution: str,
        serial_first: int,
        serial_last: int,
        now: Callable[[], datetime],
        newest: str = "",
    ) -> None:
        """``newest``: the newest id that somebody else remembers; a counter that is behind it was lost or set back.

        Raises:
            MessageIdsUnusable, OSError.
        """
        self._path = path
        self._institution = institution
        self._first, self._last = serial_first, serial_last
        self._now = now
        try:
            self._hold = hold(path)
        except UsedElsewhere:
            raise MessageIdsUnusable(f"{path} is used by another process") from None
        kept = read_counter(path)
        self._used = max(kept or ("", serial_last), (second_of(newest), serial_last))

    def new(self) -> str:
        """A new id of 30 characters.

        Raises:
            OSError: it could not be made durable, so it must not be used.
        """
        second = self._now().astimezone(CHINA).strftime(_TIME)
        self._used = self._after(second)
        self._keep()
        second, serial = self._used
        return f"{self._institution}{second}{serial:04d}"

    def _after(self, second: str) -> tuple[str, int]:
        used_second, used_serial = self._used
        if second > used_second:
            return second, self._first
        if self._first <= used_serial < self._last:
            return used_second, used_serial + 1
        following = datetime.strptime(used_second, _TIME) + timedelta(seconds=1)
        return following.strftime(_TIME), self._first

    def _keep(self) -> None:
        """Whole or not at all: written beside, synced, renamed, and the folder synced."""
        second, serial = self._used
        beside = self._path.with_suffix(".new")
        with beside.open("w", encoding="ascii") as file:
            file.write(f"{second} {serial}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_counter(path: Path) -> tuple[str, int] | None:
    """Second and serial of the last id; None: no id was ever made.

    Raises:
        MessageIdsUnusable, OSError.
    """
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise MessageIdsUnusable(str(path)) from None
    second, _, serial = text.strip().partition(" ")
    try:
        datetime.strptime(second, _TIME)
        return second, int(serial)
    except ValueError:
        raise MessageIdsUnusable(str(path)) from None


def second_of(message_id: str) -> str:
    """The time part, as it is compared; "" of no id."""
    return message_id[INSTITUTION_CHARACTERS:][:14]
