"""The journal's rows out to a stick and the agency's answer in from it: the agent carries, the forwarder does the rest.

The agent's user may not open the journal. What does not work must not keep an update from coming.
"""

import errno
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from kiosk.control import ControlSilent, agencys_answer_path, ask_control, forward_path, rows_out_path
from kiosk.ports import Log
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.sources import open_plain, read_plain

ANSWER_SUFFIX = ".acknowledgement.json"
ANSWER_BYTES_MAX = 1 << 20
BUNDLES_MAX = 200  # of 20,000 rows each: more than a terminal does in its life
FOR_THE_GROUP = 0o640
_WHY = {errno.ENOSPC: "full", errno.EROFS: "read_only", errno.EACCES: "read_only"}


@dataclass
class RowsByStick:
    """``run_dir``: of kiosk and forwarder. ``files``: bundles that the last stick took; ``why``: what kept others from
    it: "" | silent | refused | full | read_only | broken. ``answer``: "" | kept | refused | silent."""

    run_dir: str
    terminal_id: str
    log: Log
    files: int = field(default=0, init=False)
    why: str = field(default="", init=False)
    answer: str = field(default="", init=False)

    async def swap(self, stick: Path) -> None:
        """What did not work is told and stands in the log; the next stick does it again."""
        self.files, self.why, self.answer = 0, "", ""
        await self._take_in(stick)
        try:
            await self._carry_out(stick)
        except ControlSilent:
            self.why = "silent"
        except (OSError, UpdateRefused) as error:
            self.why = _WHY.get(getattr(error, "errno", 0), "broken")
        self.log("stick_rows", act="export", count=self.files, why=self.why)

    async def _carry_out(self, stick: Path) -> None:
        """Raises ControlSilent, OSError, UpdateRefused."""
        after = 0
        for _ in range(BUNDLES_MAX):
            told = await self._asked(f"row_bundle {after}")
            if "refused" in told:
                self.why = "refused"
            if not told.get("file"):
                return
            await trio.to_thread.run_sync(_copied, rows_out_path(self.run_dir), stick, Path(str(told["file"])).name)
            self.files, after = self.files + 1, int(told["last"])

    async def _take_in(self, stick: Path) -> None:
        name, laid = f"{self.terminal_id}{ANSWER_SUFFIX}", agencys_answer_path(self.run_dir)
        if not (stick / name).exists():
            return
        try:
            content = await trio.to_thread.run_sync(read_plain, stick, name, ANSWER_BYTES_MAX)
            laid.write_bytes(content)
            laid.chmod(FOR_THE_GROUP)
            told = await self._asked("take_answer")
            self.answer = "refused" if "refused" in told else "kept"
            why = str(told.get("refused", ""))
        except ControlSilent:
            self.answer, why = "silent", "the forwarder does not answer"
        except (UpdateRefused, SourceSilent, OSError) as refused:
            self.answer, why = "refused", str(refused)
        finally:
            laid.unlink(missing_ok=True)
        self.log("stick_rows", act="acknowledge", outcome=self.answer, why=why[:120])

    async def _asked(self, word: str) -> dict[str, Any]:
        """Raises ControlSilent: also of one that is older than this word."""
        told = await ask_control(forward_path(self.run_dir), word)
        if not isinstance(told, dict) or "error" in told:
            raise ControlSilent(word)
        return told


def _copied(bundle: Path, stick: Path, name: str) -> None:
    """Whole on the stick, or not under its name. Raises OSError, UpdateRefused."""
    beside = stick / f"{name}.part"
    with os.fdopen(open_plain(bundle.parent, bundle.name), "rb") as source, beside.open("wb") as file:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(stick / name)
