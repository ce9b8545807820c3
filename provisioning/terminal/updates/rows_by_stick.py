"""The journal's rows out to a stick and the agency's answer in from it, by the journal's own commands.

In processes of their own: the agent opens no journal, and what cannot be written must not keep an update from coming.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import trio

from kiosk.ports import Log
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.sources import read_plain

COMMAND_S_MAX = 120.0
ANSWER_SUFFIX = ".acknowledgement.json"
ANSWER_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class RowsByStick:
    """``settings``: of the kiosk. ``scratch``: a folder of ours, into which an answer is copied before it is read."""

    settings: Path
    terminal_id: str
    scratch: Path
    log: Log

    async def swap(self, stick: Path) -> None:
        """What did not work stands in the log; the next stick does it again."""
        await self._take_in(stick)
        await self._run("export", "--to", str(stick))

    async def _take_in(self, stick: Path) -> None:
        name = f"{self.terminal_id}{ANSWER_SUFFIX}"
        if not (stick / name).exists():
            return
        try:
            told = await trio.to_thread.run_sync(read_plain, stick, name, ANSWER_BYTES_MAX)
        except (UpdateRefused, SourceSilent, OSError) as refused:
            self.log("stick_answer_refused", why=str(refused)[:120])
            return
        self.scratch.mkdir(parents=True, exist_ok=True)
        copy = self.scratch / name
        copy.write_bytes(told)
        try:
            await self._run("acknowledge", str(copy))
        finally:
            copy.unlink(missing_ok=True)

    async def _run(self, *words: str) -> None:
        command = [sys.executable, "-m", "offline_queue", "--settings", str(self.settings), *words]
        with trio.move_on_after(COMMAND_S_MAX) as limit:
            done = await trio.run_process(
                command, check=False, stdin=b"", capture_stdout=True, stderr=subprocess.DEVNULL
            )
            self.log("stick_rows", act=words[0], status=done.returncode)
        if limit.cancelled_caught:
            self.log("stick_rows", act=words[0], why="it takes too long")
