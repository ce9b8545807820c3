"""How far enrolment is, for the glass and the doctor; and what was refused on the way, kept on the disk."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from provisioning.terminal.disk import Disk

HAPPENED = "happened.json"
HAPPENED_MAX = 50  # the newest; a terminal that is refused every minute fills no disk

Said = Literal["starting", "no_key", "waiting", "no_answer", "trying_network", "refused", "claim_refused", "known"]


class Standing(msgspec.Struct):
    """Changed in place by whoever enrols. ``why``: the code of the newest refusal, "" without one."""

    serial: str = ""
    fingerprint: str = ""
    qr: str = ""
    said: Said = "starting"
    why: str = ""

    def told(self) -> dict[str, Any]:
        """For the control socket."""
        return dict(msgspec.structs.asdict(self))


class Happened(msgspec.Struct, frozen=True):
    at: str
    what: str
    why: str


class Record:
    """The newest that happened to this terminal's identity. Raises OSError."""

    def __init__(self, folder: Path, disk: Disk, now: Callable[[], datetime]) -> None:
        self._path, self._disk, self._now = folder / HAPPENED, disk, now

    def note(self, what: str, why: str = "") -> None:
        """The same again is not told again: a refusal lasts until somebody acts."""
        rows = self.rows()
        if rows and (rows[-1].what, rows[-1].why) == (what, why):
            return
        row = Happened(self._now().isoformat(timespec="seconds"), what, why[:200])
        self._disk.write(self._path, msgspec.json.encode([*rows, row][-HAPPENED_MAX:]))

    def rows(self) -> list[Happened]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[Happened])
        except (FileNotFoundError, msgspec.MsgspecError):
            return []
