"""The power goes at every step of a key load: a real process ends, and the next one finds a real journal."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio

from kiosk.staff.typed_keys import LOADED, LOADING, places_in_doubt
from offline_queue.journal import SqliteJournal
from simulators.devices.kmy import KmyPad
from simulators.pty_line import PtyLine
from tests.agent.stand import NOW
from tests.agent.test_key_blocks import BLOCK, signed
from tests.pad_stand import MASTER

HOUSE = Path(__file__).parents[2]
PLACE, LOADS = f"{BLOCK.master}/{BLOCK.slot}", 0x33
STEPS = {  # -> whether the pad has the key then, and whether its place is in doubt
    "told of it": (False, False),
    LOADING: (False, True),
    "on the line": (True, True),
    LOADED: (True, False),
    "answered": (True, False),
}


class Pad(KmyPad):
    """Keeps its keys when the terminal's power goes, which is while it takes the block, if it is told so."""

    terminal = 0  # pid

    def receive(self, chunk: bytes) -> None:
        """Its answer leaves when the terminal is dead, and lies on the line for the next life."""
        loads, wire, answers = self.loads, self.wire, list[bytes]()
        self.wire = answers.append
        super().receive(chunk)
        self.wire = wire
        if self.terminal and self.loads > loads:
            os.kill(self.terminal, signal.SIGKILL)
            os.waitid(os.P_PID, self.terminal, os.WEXITED | os.WNOWAIT)
        for answer in answers:
            wire(answer)

    @property
    def loads(self) -> int:
        return list(self.commands).count(LOADS)


@dataclass
class Place:
    """What outlives the terminal's power: its disk, its pad, and the fleet."""

    folder: Path
    pad: Pad = field(default_factory=lambda: Pad({0: MASTER}))

    @property
    def line(self) -> Path:
        return self.folder / "pad"

    @property
    def told(self) -> list[str]:
        path = self.folder / "told"
        return path.read_text().splitlines() if path.exists() else []

    async def life(self, step: str = "", days: int = 0) -> int:
        """Until the poll is over or the power goes; the status that the process ended with."""
        words = [sys.executable, "-m", "tests.agent.key_block_life", str(self.folder), str(self.line), step, str(days)]
        process = await trio.lowlevel.open_process(words, cwd=HOUSE)
        self.pad.terminal = process.pid if step == "on the line" else 0
        with trio.fail_after(120):
            return await process.wait()

    def in_doubt(self) -> bool:
        journal = SqliteJournal(self.folder, lambda: NOW)
        doubtful = places_in_doubt(journal)
        journal.database.close()
        assert doubtful <= {PLACE}
        return bool(doubtful)


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    (folder / "block").write_bytes(signed())
    stands = Place(folder)
    async with trio.open_nursery() as nursery:
        await nursery.start(PtyLine(stands.line, stands.pad).run)
        yield stands
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("step", STEPS)
async def test_the_power_goes_at_every_step_of_a_key_load(tmp_path: Path, step: str) -> None:
    """The pad has the old or the new key, the journal knows where nobody can say which, and the next life ends it with
    one answer, by the check value that the pad itself tells."""
    async with place(tmp_path) as stands:
        assert await stands.life(step) == -signal.SIGKILL
        has, doubt = STEPS[step]
        assert (stands.pad.loads, stands.in_doubt()) == (int(has), doubt)
        assert stands.told == (["done"] if step == "answered" else [])
        if not stands.told:  # else the fleet tells of it no more
            assert await stands.life() == 0
        assert stands.told == ["done"]
        assert not stands.in_doubt()
        assert stands.pad.loads == int(has) + (step != "answered")


async def test_a_block_whose_time_is_over_after_the_power_leaves_its_place_in_doubt(tmp_path: Path) -> None:
    """The pad took it, nobody heard so, and the terminal was dark for two months: the fleet reads that it was refused,
    and staff that the place may hold another key, until an officer sends one again."""
    async with place(tmp_path) as stands:
        assert await stands.life("on the line") == -signal.SIGKILL
        assert await stands.life(days=60) == 0
        assert (stands.told, stands.pad.loads, stands.in_doubt()) == (["refused"], 1, True)
        assert await stands.life() == 0
        assert (stands.told[-1], stands.in_doubt()) == ("done", False)
