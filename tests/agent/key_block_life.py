"""One life of a terminal that a key block comes to: a process with a journal on the disk and a pad at a line. It ends
by itself, as power does, at the step that it is told: ``python -m tests.agent.key_block_life FOLDER LINE STEP DAYS``.

FOLDER holds ``block``, as the fleet signed it; what the terminal answers becomes a line of ``told``.
"""

import os
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import trio

from drivers.registry import find_driver
from kiosk.agent.key_loading import key_loader
from kiosk.basics.log import JsonLog
from kiosk.domain.entries import StoredEntry
from kiosk.ports import DeviceContext, HostAnswer
from kiosk.settings.config import Settings
from offline_queue.journal import SqliteJournal
from provisioning.rules.keys import KeyBlock
from provisioning.terminal.key_blocks import KeyBlocks
from tests.agent.stand import CITY, NOW, TERMINAL
from tests.agent.test_key_blocks import ASKED, Slots


@dataclass
class Power:
    """Goes after one step."""

    step: str

    def after(self, step: str) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Book:
    """The journal, on a disk whose power goes after one of its commits."""

    journal: SqliteJournal
    power: Power

    def last(self, *acts: str) -> StoredEntry | None:
        return self.journal.last(*acts)

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        seq = self.journal.record(act, case_code, **facts)
        self.power.after(act)
        return seq


@dataclass
class Line:
    """The line to the fleet."""

    folder: Path
    power: Power

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        self.power.after("told of it")
        return (self.folder / "block").read_bytes()

    async def call(self, method: str, path: str, *, body: Any = None, **other: Any) -> HostAnswer:
        with (self.folder / "told").open("a") as told:
            told.write(f"{body['result']}\n")
        self.power.after("answered")
        return HostAnswer(204, None)


async def live(folder: Path, line: Path, power: Power, days: int) -> None:
    context = DeviceContext("pin_pad", lambda health: None, JsonLog(), folder)
    pad: Any = find_driver("kmy")({"path": str(line), "expand": "hex", "etx": True}, context)
    book: Any = Book(SqliteJournal(folder, lambda: NOW), power)
    settings, slots = Settings(run_dir="run", data_dir="data"), Slots(pad)
    give = key_loader(slots, book, settings)  # type: ignore[arg-type]  # all that it asks of a supervisor

    async def load(block: KeyBlock) -> dict[str, Any]:
        return await give(msgspec.json.encode(block).decode())

    async with trio.open_nursery() as nursery:
        await nursery.start(pad.run)
        keys, fleet, now = {CITY.name: CITY.key.public_key()}, Line(folder, power), NOW + timedelta(days=days)
        agent = KeyBlocks(fleet, "/x", TERMINAL, keys, load, lambda: now, JsonLog())  # type: ignore[arg-type]
        await agent.take(ASKED)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    folder, line, step, days = sys.argv[1:]
    trio.run(live, Path(folder), Path(line), Power(step), int(days))
