"""Device against books: an exchange writes down what the device says then; all after is compared with that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.cash import CashUnit, UnitKind
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.money.run_reconciliation import today
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.money import CashMachine
from tests.flows.test_staff import shown
from tests.flows.test_staff_reconcile import ComparingRoom, compare, reconciled

VALUES = (10_000, 5_000, 2_000, 1_000, 500, 100)
NOTHING = {f"staff_count_{value}": 0 for value in VALUES} | {f"staff_load_{value}": 0 for value in VALUES}


class CountingMachine(CashMachine):
    """Counts what it ever stacked into the box, wraps, and never hears of an exchange."""

    stacked = 65_530

    async def unit_status(self) -> tuple[CashUnit, ...]:
        _, *drums = await super().unit_status()
        return (CashUnit("cash_box", UnitKind.CASH_BOX, count=self.stacked % 65_536), *drums)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki, cash=CountingMachine({1000: 0}))
    yield made
    made.journal.close()


async def exchange(room: DutyRoom, duty: str, **notes: int) -> None:
    script = {"staff_menu": [duty, "finish"], "staff_open": "done", "staff_seal": 77, "staff_counted": "understood"}
    await room.visit(room.card("1001", "clerk"), **(script | NOTHING | notes))
    script = {
        "staff_menu": ["approve", "finish"],
        "staff_figures": "done",
        "staff_approve": "approve",
        "staff_booked": "understood",
    }
    await room.visit(room.card("1002", "supervisor"), **script)


async def end(room: DutyRoom) -> str:
    """What the page of the end of day says."""
    script: dict[str, Any] = {
        "staff_menu": ["end_of_day", "finish"],
        "staff_end_of_day": "print",
        "staff_day_ended": "understood",
    }
    await room.visit(room.card("1001", "clerk"), **script)
    return shown(room, "staff_end_of_day")


def feed(room: DutyRoom, counted: bool = True, booked: bool = True) -> None:
    machine = room.cash
    assert isinstance(machine, CountingMachine)
    machine.stacked += counted
    if booked:
        fed = balanced((Account.CASH_BOX, 5_000), (Account.HOSPITAL, -5_000))
        room.journal.commit(NewEntry("note_credited", "000777", {"to": "cash_box"}, "C1", fed))


def cases(room: DutyRoom) -> list[str]:
    return [case.code for case in room.kiosk.desk.books.open_cases()]


async def test_the_box_agrees_from_exchange_to_exchange(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Whatever the counter stood at, and across its end: as many notes as were booked since."""
    feed(room, booked=False)
    await exchange(room, "cash_box")
    for _ in range(9):
        feed(room)
    assert "differ" not in await end(room)
    await exchange(room, "cash_box", staff_count_5000=9)
    feed(room)
    assert "differ" not in await end(room)
    assert cases(room) == []


@pytest.mark.parametrize(("counted", "booked", "notes"), [(True, False, "1"), (False, True, "-1")])
async def test_a_note_too_many_on_either_side_is_a_case_until_counted(
    autojump_clock: MockClock, room: DutyRoom, counted: bool, booked: bool, notes: str
) -> None:
    """Said once however often the day ends, and settled by the next count of the box, not by one of the cassettes."""
    await exchange(room, "cash_box")
    feed(room, counted, booked)
    assert "Device and books differ" in await end(room)
    (code,) = cases(room)
    differs = next(one for one in room.journal.story(code) if one.act == "box_differs")
    assert (differs.facts or {})["difference_notes"] == int(notes)
    await end(room)
    assert cases(room) == [code]
    await exchange(room, "drums")
    assert cases(room) == [code]
    await exchange(room, "cash_box", staff_count_5000=int(booked))
    assert cases(room) == []
    assert "differ" not in await end(room)


async def test_drums_agree_after_a_loading_that_their_device_never_heard_of(
    autojump_clock: MockClock, room: DutyRoom
) -> None:
    """The device still says nothing is inside; from the loading on both lose the same."""
    await exchange(room, "drums", staff_load_1000=9)
    assert room.kiosk.desk.books.balances()[Account.DRUMS] == 9_000
    assert "differ" not in await end(room)
    room.cash.drums = {Fen(1000): 2}
    assert "Device and books differ" in await end(room)


async def test_comparing_the_books_compares_the_devices_too(
    autojump_clock: MockClock, tmp_path: Path, pki: Pki
) -> None:
    """On demand, with the hospital's details: the difference stands on screen and paper, and is one case."""
    room = ComparingRoom(tmp_path, pki, cash=CountingMachine({1000: 0}))
    await exchange(room, "cash_box")
    feed(room, booked=False)
    day = today(room.clock)
    reconciled(room, day)
    for _ in range(2):
        await compare(room, day)
        assert "Device and books differ" in shown(room, "staff_reconciled")
    assert any("设备与账不符" in line.words for line in room.kiosk.receipts.papers[-1].lines)
    assert len(cases(room)) == 1
    room.journal.close()
