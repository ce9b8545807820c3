"""Rows that leave by a stick, and the agency's answer that comes back on it: the forwarder's part.

The forwarder holds the journal, the agent has the stick and may not open the journal (money-rules 24). Between them
lies one file each way, in folders that their group may read; what is in a bundle only the agency can.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio

from kiosk.basics.control import agencys_answer_path, rows_out_path
from kiosk.records.evidence import acknowledge, export_next
from kiosk.settings.config import ConfigError, Settings
from offline_queue.reader import UNREADABLE

FOR_THE_GROUP = 0o640
BOARD_DIGITS = 16
ANSWER_BYTES_MAX = 1 << 20


class RowsOut:
    """Answers on the forwarder's socket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._one = trio.CapacityLimiter(1)

    async def bundle(self, after: str) -> dict[str, Any]:
        """``row_bundle SEQ``: lay the next bundle ready. ``file``: its name on the stick, "" where there are no more
        rows; ``first`` and ``last``: its rows; from the last one goes on. ``refused``: nothing was laid, and why."""
        if not after.isdecimal():
            return {"refused": "row_bundle wants the number of a row"}
        return await self._aside(self._lay, int(after))

    async def take_answer(self) -> dict[str, Any]:
        """Judge and keep the agency's word that the agent found on a stick."""
        return await self._aside(self._take)

    async def _aside(self, act: Any, *about: int) -> dict[str, Any]:
        try:
            told: dict[str, Any] = await trio.to_thread.run_sync(act, *about, limiter=self._one)
        except ConfigError as refused:
            return {"refused": str(refused)}
        except (OSError, *UNREADABLE) as error:
            return {"refused": type(error).__name__}
        return told

    def _lay(self, after: int) -> dict[str, Any]:
        ready = rows_out_path(self._settings.run_dir)
        ready.unlink(missing_ok=True)
        with TemporaryDirectory(dir=ready.parent) as folder:
            found = export_next(self._settings, Path(folder), after)
            if found is None:
                return {"file": "", "first": 0, "last": after}
            path, head = found
            path.chmod(FOR_THE_GROUP)
            path.replace(ready)
        terminal, board = self._settings.terminal.terminal_id, head.public_key.hex()[:BOARD_DIGITS]
        # Named by its board: on no stick does it take the place of what is perhaps all that is left of another one.
        name = f"{terminal}-{board}{path.name.removeprefix(terminal)}"
        return {"file": name, "first": int(path.stem.split("-")[-2]), "last": head.seq}

    def _take(self) -> dict[str, Any]:
        path = agencys_answer_path(self._settings.run_dir)
        if path.stat().st_size > ANSWER_BYTES_MAX:
            return {"refused": "longer than any answer"}
        return {"told": acknowledge(self._settings, path)}
