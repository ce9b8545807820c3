"""End of day: balances of every account, differences as open cases, on paper with an id and no name."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount
from kiosk.ports import Figures, OutcomeUnknown
from kiosk.staff.end_of_day import ACCOUNT_NAMES
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom

DRUMS = 5_000  # what the machine's drums hold


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    loaded = balanced((Account.DRUMS, DRUMS), (Account.VAULT, -DRUMS))
    made.journal.commit(NewEntry("drums_exchanged", "000001", {}, postings=loaded))
    made.clock.moment += timedelta(days=1)
    paid = balanced((Account.CASH_BOX, 25_000), (Account.HOSPITAL, -25_000))
    made.journal.commit(NewEntry("settled", "000777", {}, "C1", paid))
    yield made
    made.journal.close()


async def end(room: DutyRoom, **more: Any) -> None:
    script = {"staff_menu": ["end_of_day", "finish"], "staff_end_of_day": "print", "staff_day_ended": "understood"}
    await room.visit(room.card("1001", "clerk"), **(script | more))


def paper(room: DutyRoom) -> str:
    return "\n".join(line.words for line in room.kiosk.receipts.papers[-1].lines)


def test_every_account_has_a_name() -> None:
    """An account that is added later cannot be missing from the statement."""
    assert set(ACCOUNT_NAMES) == set(Account)


async def test_balances_and_movements_are_shown_and_printed(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Each account once, with what is there now and what moved today; yesterday's load is balance, not movement."""
    await end(room)
    body = next(one.body for one in room.kiosk.screen.asked if one.name == "staff_end_of_day")
    assert isinstance(body, Figures)
    rows = {row.label.msgid: (row.value, row.note) for row in body.rows}
    assert rows["Cassettes"] == (Amount(Fen(DRUMS)), None)
    assert rows["Cash box"][0] == Amount(Fen(25_000))
    assert rows["Cash box"][1] is not None
    assert "Surplus" not in rows
    for part in ("250.00", "50.00", "-250.00", "1001"):
        assert part in paper(room)
    facts = next(one for one in room.journal.entries() if one.act == "end_of_day").facts or {}
    assert (facts["staff"], facts["cash_box_fen"], facts["drums_fen"]) == ("1001", 25_000, DRUMS)
    assert room.kiosk.desk.books.open_cases() == ()


async def test_a_device_that_differs_opens_a_case_until_people_counted(
    autojump_clock: MockClock, room: DutyRoom
) -> None:
    """Nothing is posted on the device's word; the case closes with a count that two people booked."""
    room.cash.drums[Fen(1000)] -= 1
    await end(room)
    (case,) = room.kiosk.desk.books.open_cases()
    assert case.effects == ("device_differs",)
    assert "10.00" in paper(room)
    assert Account.SHORTAGE not in room.kiosk.desk.books.balances()
    room.journal.commit(NewEntry("drums_exchanged", "000002", {}))
    assert room.kiosk.desk.books.open_cases() == ()


async def test_looking_is_not_ending(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Going back prints and journals nothing."""
    await end(room, staff_end_of_day="back")
    assert "end_of_day" not in room.acts()
    assert room.kiosk.receipts.papers == []


async def test_refused_while_money_moves(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A dispense without outcome is in no statement."""
    room.journal.commit(NewEntry("dispense_intent", "000779", {}, opens="dispense:1"))
    await end(room, staff_money_moves="understood")
    assert "end_of_day" not in room.acts()


async def test_a_silent_printer_leaves_the_paper_owed(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The day is ended all the same, and says that its paper is not confirmed."""
    room.kiosk.receipts.fault = OutcomeUnknown("receipt_printer", "silence")
    await end(room)
    assert "end_of_day" in room.acts()
    assert "receipt_not_confirmed" in room.acts()
