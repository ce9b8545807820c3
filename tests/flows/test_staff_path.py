"""Notes left on their way inside a cash module: cleared with staff in front, journaled, and counted afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.money import CashMachine

STUCK = Health(Condition.FAULT, "notes_in_dispenser")


class StuckMachine(CashMachine):
    """Says that notes are stuck; ``jammed``: what its way says when it is to be cleared."""

    jammed: Health | None = None
    emptied = 0

    def say(self, health: Health) -> None:
        self.context.report(health)

    async def empty_path(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.jammed:
            raise DeviceFault("cash_acceptor", self.jammed)
        self.emptied += 1
        self.say(Health(Condition.READY))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki, cash=StuckMachine({1000: 5}))
    yield made
    made.journal.close()


def machine(room: DutyRoom) -> StuckMachine:
    assert isinstance(room.cash, StuckMachine)
    return room.cash


async def clear(room: DutyRoom, *, stuck: bool = True) -> None:
    script = {
        "staff_menu": ["path", "finish"],
        "staff_path": "clear",
        "staff_path_cleared": "understood",
        "staff_path_clear": "understood",
        "staff_not_now": "understood",
    }
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_goes_stuck, room, stuck)
        await room.visit(room.card("1001", "clerk"), **script)


async def _goes_stuck(room: DutyRoom, stuck: bool) -> None:
    await trio.sleep(2)  # the module is open by then, and nobody's card is in yet
    if stuck:
        machine(room).say(STUCK)


async def test_the_way_is_cleared_by_a_named_person(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Journaled before and after, and the next step is said: count the cassettes."""
    await clear(room)
    assert machine(room).emptied == 1
    acts = room.acts()
    assert acts.index("path_clearing") < acts.index("path_emptied")
    done = next(one for one in room.journal.entries() if one.act == "path_emptied")
    assert (done.facts or {})["staff"] == "1001"
    assert "staff_path_cleared" in room.names()


async def test_a_way_that_is_free_is_left_alone(autojump_clock: MockClock, room: DutyRoom) -> None:
    """No module waits for a person: nothing is asked of any."""
    await clear(room, stuck=False)
    assert "staff_path_clear" in room.names()
    assert machine(room).emptied == 0


async def test_a_jam_is_said_and_stays(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The device could not do it: staff read why, and the journal does not say that it was done."""
    machine(room).jammed = Health(Condition.FAULT, "jam_at_exit")
    await clear(room)
    assert "staff_not_now" in room.names()
    assert "path_clearing" in room.acts()
    assert "path_emptied" not in room.acts()
