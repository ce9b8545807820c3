"""One seed is one history, byte for byte, whatever the hash seed and the process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import trio
from trio._core import _run as trio_run

from simulators.deterministic.chance import run_seeded
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


def test_a_sleep_ends_when_a_deadline_does_and_can_be_cancelled() -> None:
    """Who sleeps and whose deadline passes go on in the same moment; a sleep that was cancelled stops no clock; and
    trio has its own sleep back afterwards."""
    ended: list[tuple[str, float]] = []
    own = trio.sleep, trio.sleep_until, trio.current_time

    async def rest(how: str) -> None:
        if how == "sleep":
            await trio.sleep(1.1)
        else:
            with trio.move_on_after(1.1):
                await trio.sleep_forever()
        ended.append((how, trio.current_time()))

    async def live() -> float:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rest, "sleep")
            nursery.start_soon(rest, "deadline")
            with trio.move_on_after(0.5) as limit:
                await trio.sleep(0.7)
            assert limit.cancelled_caught
        await trio.sleep(2.0)
        await trio.sleep_until(0.1)  # long ago
        return trio.current_time()

    assert run_seeded(1, live) == 1.1 + 2.0
    assert sorted(ended) == [("deadline", 1.1), ("sleep", 1.1)]
    assert (trio.sleep, trio.sleep_until, trio.current_time) == own


def test_who_is_cancelled_before_its_turn_does_not_go_on() -> None:
    """Where a sleep is over and another task of the same turn cancels it first, the cancellation wins, as in trio."""
    went_on: list[bool] = []

    async def live() -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def cancels() -> None:
                    await trio.sleep(1.0)
                    scope.cancel()

                async def sleeps() -> None:
                    await trio.sleep(1.0)
                    went_on.append(True)

                for _ in range(8):
                    nursery.start_soon(sleeps)
                nursery.start_soon(cancels)

    ways = set()
    for seed in range(6):
        went_on.clear()
        run_seeded(seed, live)
        ways.add(len(went_on))
    assert ways - {8}, "in no order was anybody cancelled in time"
