"""Once a day the terminal compares its cash devices with the books by itself, and opens nothing but a case."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.cash import CashUnit
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from kiosk.staff.watch_places import COMPARED, LOOK_S, keep_comparing_places
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.test_staff_places import CountingMachine, cases, exchange, feed


class TellingMachine(CountingMachine):
    """``silent``: it does not answer. ``meanwhile``: what happens while it tells."""

    silent = False
    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    async def unit_status(self) -> tuple[CashUnit, ...]:
        if self.silent:
            raise DeviceFault("cash_acceptor", Health(Condition.FAULT, "silent"))
        self.meanwhile()
        return await super().unit_status()


class Alone:
    """A terminal that nobody is at, or somebody with a visit of this number."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.machine = TellingMachine({1000: 0})
        self.room = DutyRoom(folder, pki, cash=self.machine)
        self.visit = ""

    async def days(self, count: int = 1) -> list[tuple[int, int]]:
        """So many days go by; how many places agreed and differed on each that was compared."""
        room, before = self.room, len(self.room.journal.entries())
        room.cash.breaks = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(room.kiosk.supervisor.run)
            await room.kiosk.supervisor.wait_tried()
            nursery.start_soon(keep_comparing_places, room.kiosk.desk, lambda: self.visit)
            for _ in range(count):
                await trio.sleep(3 * LOOK_S)
                room.clock.moment += timedelta(days=1)
            nursery.cancel_scope.cancel()
        told = [one.facts or {} for one in room.journal.entries()[before:] if one.act == COMPARED]
        return [(int(one["agree"]), int(one["differ"])) for one in told]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def alone(tmp_path: Path, pki: Pki) -> Iterator[Alone]:
    made = Alone(tmp_path, pki)
    yield made
    made.room.journal.close()


async def test_a_place_that_nobody_counted_is_not_judged(autojump_clock: MockClock, alone: Alone) -> None:
    """Before the first count by two people nobody has ever said what lay there."""
    feed(alone.room)
    assert await alone.days() == []
    assert cases(alone.room) == []


async def test_books_and_device_agree_day_after_day(autojump_clock: MockClock, alone: Alone) -> None:
    """Once a day, however often it looks, and no case."""
    await exchange(alone.room, "cash_box")
    feed(alone.room)
    assert await alone.days(3) == [(1, 0)] * 3
    assert cases(alone.room) == []


async def test_a_difference_becomes_one_case_by_itself(autojump_clock: MockClock, alone: Alone) -> None:
    """A note in the box that the books do not hold: told once over three days, closed by the next count."""
    await exchange(alone.room, "cash_box")
    feed(alone.room, booked=False)
    assert await alone.days(3) == [(0, 1)] * 3
    (code,) = cases(alone.room)
    (differs,) = [one for one in alone.room.journal.story(code) if one.act == "box_differs"]
    assert differs.facts == {"place": "cash_box", "difference_fen": 0, "difference_notes": 1}
    assert differs.postings == ()
    await exchange(alone.room, "cash_box")  # the hand finds none: the books were right
    assert cases(alone.room) == []


async def test_a_silent_device_is_unknown_and_asked_again(autojump_clock: MockClock, alone: Alone) -> None:
    """Nothing is said of a day on which it did not tell; once it tells, it is compared."""
    await exchange(alone.room, "cash_box")
    alone.machine.silent = True
    assert await alone.days() == []
    alone.machine.silent = False
    assert await alone.days() == [(1, 0)]


async def test_never_while_somebody_is_served_or_money_moves(autojump_clock: MockClock, alone: Alone) -> None:
    """A visit, one that begins while the device tells, and a note that is on its way: it waits for a quiet moment."""
    await exchange(alone.room, "cash_box")
    alone.visit = "000123"
    assert await alone.days() == []
    alone.visit = ""
    alone.machine.meanwhile = lambda: setattr(alone, "visit", "000124")
    assert await alone.days() == []
    assert alone.visit == "000124"
    alone.visit, alone.machine.meanwhile = "", lambda: None
    alone.room.journal.commit(NewEntry("note_intent", "451208", {"note": "n"}, opens="note:n"))
    assert await alone.days() == []
