"""Settlements lived by a whole kiosk in memory: what the resident does, what the hosts do, where the power goes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import trio

from simulators.deterministic.chance import run_seeded
from simulators.deterministic.checks import violations
from simulators.deterministic.resident import Habits, Resident
from simulators.deterministic.terminal import Life, Terminal
from simulators.worlds.world import World, load_world

DEMO = Path(__file__).parents[2] / "simulators" / "worlds" / "demo.toml"
QUIET_S_MAX = 75.0  # two looks of who drives the unknown, and some
LOOK_S = 2.5
CHANGE = ((1, 24), (10, 18), (50, 6))
Prepare = Callable[[Terminal, Life], None]


@dataclass(frozen=True)
class WholePlan:
    """``prepare`` sets the world before each life; ``ends`` is an act that stands in the uncut life's journal.
    ``kiosk_dies_alone``: devices go on, and a hand takes what lies in the outlet.
    """

    name: str
    card: str = "zhao_min"
    habits: Habits = field(default_factory=lambda: Habits(notes=(100, 50)))
    loaded: tuple[tuple[int, int], ...] = CHANGE
    prepare: Prepare = lambda terminal, life: None
    ends: str = "settled"
    bank: bool = False
    kiosk_dies_alone: bool = False
    cut_while_recovering: bool = False  # later lives are cut from their first effect on, not only once they serve


@dataclass
class Lived:
    """What a test asks about afterwards."""

    acts: list[str]
    violations: list[str]
    effects: list[str]
    cut: bool
    papers: int
    syncs: int
    log: list[Any]
    story: list[str]


@cache
def demo() -> World:
    return load_world(DEMO)


def live_plan(plan: WholePlan, cut_at: int | None = None, again: tuple[int, ...] = (), seed: int = 1) -> Lived:
    """The plan in a new world; cut after ``cut_at`` effects, recovered (and cut again), and judged."""
    scratch = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        return run_seeded(f"{plan.name} {seed}", _live, plan, Path(folder), cut_at, again, seed)


async def _live(plan: WholePlan, folder: Path, cut_at: int | None, again: tuple[int, ...], seed: int) -> Lived:
    terminal = Terminal(f"{plan.name} {seed}", demo(), folder, bank=plan.bank)
    terminal.load_cash(dict(plan.loaded))
    resident = Resident(terminal, plan.card, plan.habits, random.Random(f"{plan.name} resident"))
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminal.run_world)
            if plan.kiosk_dies_alone:
                terminal.kiosk_dies_alone = True
                nursery.start_soon(_take_whatever_comes, terminal)
            lived = await _lives(plan, terminal, resident, cut_at, again)
            nursery.cancel_scope.cancel()
        return lived
    finally:
        terminal.close()


async def _lives(
    plan: WholePlan, terminal: Terminal, resident: Resident, cut_at: int | None, again: tuple[int, ...]
) -> Lived:
    judged: list[str] = []
    acts: list[str] = []

    def light(life: Life, left: int | None) -> None:
        plan.prepare(terminal, life)
        terminal.fuse.armed, terminal.fuse.left = True, left

    async def first(life: Life) -> None:
        light(life, cut_at)
        await resident.visit(life)
        await _quiet(life)
        acts.extend(entry.act for entry in life.journal.entries())
        judged.extend(violations(life))

    async def later(life: Life, left: int | None) -> None:
        if left is None or not plan.cut_while_recovering:
            light(life, left)
        await _quiet(life)

    async def last(life: Life) -> None:
        await later(life, None)
        if terminal.till.payouts > dispensed:
            judged.append("recovery paid somebody")
        acts.extend(entry.act for entry in life.journal.entries())
        judged.extend(violations(life))

    cut = await terminal.live(resident.answers, resident.types, first)
    effects, dispensed = list(terminal.fuse.burnt), terminal.till.payouts
    if cut:
        resident.gone = True
        terminal.slot.pull()
        terminal.fuse.armed = False
        for left in again:
            if plan.cut_while_recovering:
                terminal.fuse.armed, terminal.fuse.left = True, left
            await terminal.live(resident.answers, resident.types, lambda life, left=left: later(life, left))
            terminal.fuse.armed = False
        await terminal.live(resident.answers, resident.types, last)
    papers = len(terminal.printer.papers)
    return Lived(acts, judged, effects, cut, papers, terminal.disk.syncs, terminal.log, terminal.story)


async def _take_whatever_comes(terminal: Terminal) -> None:
    while True:
        await trio.sleep(LOOK_S)
        terminal.till.take_notes()


async def _quiet(life: Life) -> None:
    """Until hosts were told and nothing is driven any more, or for so long."""
    with trio.move_on_after(QUIET_S_MAX):
        await trio.sleep(2 * LOOK_S)
        while life.books.unsent().count or life.journal.open_effects():
            await trio.sleep(LOOK_S)
