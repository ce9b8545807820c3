"""A note that got stuck is out of the terminal's hands until somebody has been inside; then no restart is needed."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from simulators.deterministic.chance import run_seeded
from simulators.deterministic.checks import violations
from simulators.deterministic.resident import Habits, Resident
from simulators.deterministic.terminal import Life, Terminal
from simulators.deterministic.tills import Till, ccnet_and_dispenser, id003_and_dispenser, payout_module, recycler
from tests.simulation.plans import CHANGE, demo

SERVES_S_MAX = 120.0
PAYS = Habits(notes=(100, 50))
TILLS = (recycler, payout_module, id003_and_dispenser, ccnet_and_dispenser)


async def _serves(life: Life) -> bool:
    """Whether the slot is filled again within bounded time, in the same life."""
    slot = life.desk.supervisor.slots["cash_acceptor"]
    with trio.move_on_after(SERVES_S_MAX):
        while not slot.usable:
            await life.desk.supervisor.wait_change()
    return slot.usable


async def _live(folder: Path, till: Till) -> tuple[list[str], list[str]]:
    """Acts and violations of one life in which a note jams, and is freed."""
    terminal = Terminal("freed", demo(), folder, till=till)
    terminal.load_cash(dict(CHANGE))
    resident = Resident(terminal, "zhao_min", PAYS, random.Random("freed"))
    acts: list[str] = []
    judged: list[str] = []

    async def story(life: Life) -> None:
        till.acceptor.faults.add("stack_jams")
        terminal.cash_harmed = True
        await resident.visit(life)
        till.acceptor.faults.discard("stack_jams")
        assert not await _serves(life), "nobody has been inside"
        assert till.free_jam()
        assert await _serves(life)
        assert not till.free_jam(), "nothing is stuck any more"
        acts.extend(entry.act for entry in life.journal.entries())
        judged.extend(violations(life))

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminal.run_world)
            await terminal.live(resident.answers, resident.types, story)
            nursery.cancel_scope.cancel()
    finally:
        terminal.close()
    return acts, judged


@pytest.mark.parametrize("till", TILLS, ids=lambda till: till.__name__)
def test_a_freed_jam_serves_again_and_its_note_is_its_holders(tmp_path: Path, till: Callable[[], Till]) -> None:
    """Nothing comes back by itself; once freed the slot serves in the same life, and the note is credited and owed."""
    acts, judged = run_seeded(f"freed {till.__name__}", _live, tmp_path, till())
    assert judged == []
    assert acts.count("kiosk_started") == 1
    assert acts.index("note_uncertain") < acts.index("note_credited") < acts.index("debt_owed")
