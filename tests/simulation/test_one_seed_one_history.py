"""One seed is one history, byte for byte, whatever the hash seed and the process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import trio
from trio._core import _run as trio_run

from simulators.deterministic.chance import pause, run_seeded
from simulators.deterministic.resident import Habits
from tests.simulation.plans import WholePlan, live_plan

ROOT = Path(__file__).parents[2]
PLAN = WholePlan("twice the same", habits=Habits(notes=(100, 50)))
CUT_AT = 60


def digest() -> str:
    """Of everything that a cut and recovered life leaves: its effects, its journal, its log."""
    lived = live_plan(PLAN, CUT_AT)
    return hashlib.sha256(repr((lived.effects, lived.acts, lived.log, lived.syncs)).encode()).hexdigest()


def _digest_elsewhere(hash_seed: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import digest; print(digest())"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return told.stdout.strip()


def test_one_seed_is_one_history_in_every_process() -> None:
    """This process, again this process, and one with another hash seed tell the same story."""
    assert digest() == digest() == _digest_elsewhere("7")


async def _race(runs: int) -> str:
    order: list[str] = []

    async def runner(name: str) -> None:
        for _ in range(runs):
            await trio.lowlevel.checkpoint()
            order.append(name)

    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(runner, name)
    return "".join(order)


def test_the_scheduler_obeys_the_seed() -> None:
    """The same seed runs tasks in the same order, another seed in another: trio's private switch is where it was."""
    assert hasattr(trio_run, "_ALLOW_DETERMINISTIC_SCHEDULING")
    assert run_seeded(1, _race, 20) == run_seeded(1, _race, 20)
    assert len({run_seeded(seed, _race, 20) for seed in range(5)}) > 1


def test_virtual_time_costs_none() -> None:
    """A day passes at once, and chance is given back as it was."""
    before = os.urandom

    async def day() -> float:
        await trio.sleep(86_400)
        return trio.current_time()

    assert run_seeded(1, day) == 86_400
    assert os.urandom is before


def test_a_pause_ends_when_a_sleep_does_and_can_be_cancelled() -> None:
    """Who pauses and who sleeps for as long go on in the same moment; a pause that was cancelled stops no clock."""
    ended: list[tuple[str, float]] = []

    async def rest(how: str) -> None:
        if how == "pause":
            await pause(1.1)
        else:
            await trio.sleep(1.1)
        ended.append((how, trio.current_time()))

    async def live() -> float:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rest, "pause")
            nursery.start_soon(rest, "sleep")
            with trio.move_on_after(0.5):
                await pause(0.7)
        await pause(2.0)
        return trio.current_time()

    assert run_seeded(1, live) == 1.1 + 2.0
    assert sorted(ended) == [("pause", 1.1), ("sleep", 1.1)]
