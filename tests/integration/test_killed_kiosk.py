"""SIGKILL to the real kiosk at seeded moments of a settlement: it comes back, and every book agrees.

The memory suite (``tests/simulation``) cuts after every single effect; this one shows that nothing of real processes
was left out there. ``KILLS_SEED`` repeats a run, ``KILLS`` makes it longer.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from simulators.stack import Plan, open_stack
from tests.lives_stand import Lives, offline_queue, write_world

SEED = int(os.environ.get("KILLS_SEED", "20261122"))
KILLS = int(os.environ.get("KILLS", "20"))
ROWS = range(2, 17)  # of one settlement: from the PIN to the receipt
DELAY_S_MAX = 0.45  # longer than any step between two rows
DEVICES_TOO = 0.4  # of the kills: power cut to the cash module, too


@dataclass(frozen=True)
class Kill:
    rows: int
    delay_s: float
    cut_devices: bool


def kills(seed: int, count: int) -> list[Kill]:
    """Every row comes up once before one comes up twice."""
    chance = random.Random(seed)
    rows = [row for _ in range(count // len(ROWS) + 1) for row in chance.sample(ROWS, len(ROWS))]
    return [Kill(row, chance.uniform(0, DELAY_S_MAX), chance.random() < DEVICES_TOO) for row in rows[:count]]


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_every_killed_settlement_is_explained() -> None:
    """Whenever the process is killed, no fen is lost, doubled or nobody's, and recovery pays no stranger."""
    coming = kills(SEED, KILLS)
    print(f"KILLS_SEED={SEED} KILLS={KILLS}")
    while coming:
        with TemporaryDirectory(prefix="yikatong-") as folder:
            world = write_world(Path(folder) / "world.toml", len(coming) + 1)
            async with open_stack(Plan(world, Path(folder) / "run", screen_map=True)) as stack:
                lives = Lives(stack)
                while coming and not lives.needs_staff():
                    kill = coming.pop(0)
                    await lives.live(kill.rows, kill.delay_s, cut_devices=kill.cut_devices)
                    print(lives.told[-1])
                    lives.judge()
                if not lives.needs_staff():
                    await lives.live(None, 0.0)  # and after all that the terminal still serves
                    lives.judge()
                await lives.judge_hosts()
                status, said = await offline_queue(stack, "verify")
                assert status == 0, said


def test_kills_are_spread_over_the_settlement() -> None:
    """A seed always gives the same kills, and they leave no row of a settlement out."""
    assert kills(1, 20) == kills(1, 20) != kills(2, 20)
    assert {kill.rows for kill in kills(1, 20)} == set(ROWS)
