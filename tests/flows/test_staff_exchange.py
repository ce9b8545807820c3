"""Blind count and exchange: two people, nothing shown before it is counted, nothing booked before it is approved."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.cash import mix_of, mix_value
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.ports import Figures
from kiosk.staff.counted import CASH_BOX, DRUMS, NOT_COUNTED, Count
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom

BOOKED = 25_000
NONE = {f"staff_count_{value}": 0 for value in (10_000, 5_000, 2_000, 1_000, 500, 100)}
RIGHT = NONE | {"staff_count_10000": 2, "staff_count_5000": 1}
LESS = NONE | {"staff_count_10000": 2}
MORE = NONE | {"staff_count_10000": 3}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    paid = balanced((Account.CASH_BOX, BOOKED), (Account.HOSPITAL, -BOOKED))
    made.journal.commit(NewEntry("settled", "000777", {}, "C1", paid))
    yield made
    made.journal.close()


async def count(room: DutyRoom, notes: dict[str, int], who: str = "1001", **more: Any) -> None:
    script = {
        "staff_menu": ["cash_box", "finish"],
        "staff_open": "done",
        "staff_seal": 77,
        "staff_counted": "understood",
    }
    await room.visit(room.card(who, "clerk"), **(script | notes | more))


async def approve(room: DutyRoom, who: str = "1002", role: str = "supervisor", **more: Any) -> None:
    script = {
        "staff_menu": ["approve", "finish"],
        "staff_figures": "done",
        "staff_approve": "approve",
        "staff_booked": "understood",
        "staff_may_not_approve": "understood",
        "staff_not_approved": "understood",
        "staff_nothing_waits": "understood",
        "staff_money_moves": "understood",
    }
    await room.visit(room.card(who, role), **(script | more))


def balances(room: DutyRoom) -> dict[Account, Fen]:
    return dict(room.kiosk.desk.books.balances())


def facts(room: DutyRoom, act: str) -> dict[str, Any]:
    return dict(next(one for one in reversed(room.journal.entries()) if one.act == act).facts or {})


async def test_nothing_is_seen_before_it_is_counted(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Until the count is durable no page shows an amount of the books or the device; then all of them stand there."""
    await count(room, RIGHT)
    names = room.names()
    before = room.kiosk.screen.asked[: names.index("staff_counted")]
    assert not [one for one in before if isinstance(one.body, Figures)]
    assert {"staff_open", "staff_seal", "staff_count_100"} <= {one.name for one in before}
    assert room.acts().index("cash_box_out") < room.acts().index("cash_box_counted")
    assert balances(room)[Account.CASH_BOX] == BOOKED


async def test_a_right_count_moves_the_box_to_the_vault(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Two people, one booking, no difference, no case; the receipt bears both ids, the seal and no name."""
    await count(room, RIGHT)
    await approve(room)
    assert balances(room) == {Account.VAULT: BOOKED, Account.HOSPITAL: -BOOKED}
    booked = facts(room, "cash_box_exchanged")
    assert (booked["counter"], booked["approver"], booked["seal"]) == ("1001", "1002", "77")
    paper = "\n".join(line.words for line in room.kiosk.receipts.papers[-1].lines)
    for part in ("1001", "1002", "77", "250.00"):
        assert part in paper
    assert "receipt_delivered" in room.acts()
    assert room.kiosk.desk.books.open_cases() == ()


@pytest.mark.parametrize(
    ("notes", "account", "left"),
    [(LESS, Account.SHORTAGE, 5_000), (MORE, Account.SURPLUS, -5_000)],
)
async def test_a_difference_is_booked_and_stays_a_case(
    autojump_clock: MockClock, room: DutyRoom, notes: dict[str, int], account: Account, left: int
) -> None:
    """短款 is held, 长款 is owed; the books balance, and the case has the number on the receipt."""
    await count(room, notes)
    await approve(room)
    found = balances(room)
    assert found[account] == left
    assert sum(found.values()) == 0
    (case,) = room.kiosk.desk.books.open_cases()
    assert getattr(case, f"{account.value}_fen") == left
    assert [one.act for one in room.journal.story(case.code)][-1] == "receipt_delivered"


@pytest.mark.parametrize(("who", "role"), [("1001", "clerk"), ("1001", "supervisor"), ("1003", "clerk")])
async def test_the_same_person_or_another_clerk_cannot_approve(
    autojump_clock: MockClock, room: DutyRoom, who: str, role: str
) -> None:
    """Counter and approver differ, also when the counter comes back with a supervisor's card."""
    await count(room, RIGHT)
    await approve(room, who, role)
    assert "staff_may_not_approve" in room.names()
    assert "cash_box_exchanged" not in room.acts()
    assert balances(room)[Account.CASH_BOX] == BOOKED


async def test_a_refused_count_is_counted_again_with_the_figures_of_the_opening(
    autojump_clock: MockClock, room: DutyRoom
) -> None:
    """Notes that came into the new box meanwhile stay there, whenever the old box is at last approved."""
    await count(room, MORE)
    await approve(room, staff_approve="refuse")
    assert facts(room, "cash_box_refused")["approver"] == "1002"
    fed = balanced((Account.CASH_BOX, 2_000), (Account.HOSPITAL, -2_000))
    room.journal.commit(NewEntry("settled", "000778", {}, "C2", fed))
    await count(room, RIGHT)
    assert "staff_open" not in room.names()
    await approve(room)
    assert balances(room)[Account.CASH_BOX] == 2_000
    assert balances(room)[Account.VAULT] == BOOKED
    assert Account.SURPLUS not in balances(room)


@pytest.mark.parametrize("act", ["note_intent", "dispense_intent"])
async def test_refused_while_a_note_or_a_dispense_is_open(autojump_clock: MockClock, room: DutyRoom, act: str) -> None:
    """Neither opened nor approved until the outcome is known."""
    room.journal.commit(NewEntry(act, "000779", {"note": "n1"}, opens="note:n1"))
    await count(room, RIGHT, staff_money_moves="understood")
    assert "cash_box_out" not in room.acts()
    room.journal.commit(NewEntry("note_returned", "000779", closes="note:n1"))
    await count(room, RIGHT)
    room.journal.commit(NewEntry(act, "000780", {"note": "n2"}, opens="note:n2"))
    await approve(room)
    assert "cash_box_exchanged" not in room.acts()


async def test_a_note_that_is_lost_does_not_keep_the_box_shut(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Nobody knows where it is, and that is journaled: the box is opened to look, another note still on its way not."""
    room.journal.commit(NewEntry("note_intent", "000779", {"note": "n1"}, opens="note:n1"))
    room.journal.commit(NewEntry("note_uncertain", "000779", {"note": "n1", "denomination_fen": 10_000}))
    await count(room, MORE)
    await approve(room)
    assert balances(room)[Account.SURPLUS] == -5_000
    room.journal.commit(NewEntry("note_intent", "000779", {"note": "n2"}, opens="note:n2"))
    await count(room, RIGHT, staff_money_moves="understood")
    assert room.acts().count("cash_box_out") == 1


async def test_a_count_does_not_wait_for_ever(autojump_clock: MockClock, room: DutyRoom) -> None:
    """After a day it must be counted again; before, nobody counts over it."""
    await count(room, RIGHT)
    await count(room, LESS, staff_waits="understood")
    assert room.acts().count("cash_box_counted") == 1
    room.clock.moment += timedelta(hours=25)
    await approve(room)
    assert "cash_box_exchanged" not in room.acts()
    await count(room, RIGHT)
    await approve(room)
    assert balances(room)[Account.VAULT] == BOOKED


async def test_a_card_pulled_while_counting_books_nothing(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The box is out and said to be; the next count takes up there."""
    await count(room, RIGHT | {"staff_count_2000": "pulls the card"})
    assert room.acts().count("cash_box_out") == 1
    assert "cash_box_counted" not in room.acts()
    await count(room, RIGHT)
    await approve(room)
    assert room.acts().count("cash_box_out") == 1
    assert balances(room)[Account.VAULT] == BOOKED


async def test_without_paper_the_booking_stands(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The receipt is owed and said to be."""
    from kiosk.ports import OutcomeUnknown

    room.kiosk.receipts.fault = OutcomeUnknown("receipt_printer", "silence")
    await count(room, RIGHT)
    await approve(room)
    assert balances(room)[Account.VAULT] == BOOKED
    assert "receipt_not_confirmed" in room.acts()


async def test_loading_counts_what_is_left_and_what_comes(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Cassettes: 50 booked, 40 found, 300 put in: the books hold 300 there, 10 are short, the vault gave 260."""
    start = balanced((Account.DRUMS, 5_000), (Account.VAULT, -5_000))
    room.journal.commit(NewEntry("drums_exchanged", "000001", {}, postings=start))
    into = {name.replace("count", "load"): value for name, value in NONE.items()}
    await count(
        room,
        NONE | {"staff_count_1000": 4} | into | {"staff_load_5000": 6},
        staff_menu=["drums", "finish"],
    )
    await approve(room)
    found = balances(room)
    assert found[Account.DRUMS] == 30_000
    assert found[Account.SHORTAGE] == 1_000
    assert found[Account.VAULT] == -5_000 + 4_000 - 30_000
    assert facts(room, "drums_counted")["device_notes"] == 5


NOTES = st.dictionaries(st.sampled_from([Fen(10_000), Fen(500), Fen(100)]), st.integers(0, 900)).map(mix_of)


@given(NOTES, NOTES, st.integers(0, 10**8), st.sampled_from([CASH_BOX, DRUMS]))
def test_every_count_balances_and_is_read_back(counted: Any, loaded: Any, booked: int, till: Any) -> None:
    """Whatever was counted: postings sum to nothing, the place holds what was loaded, and the journal gives it back."""
    made = Count("k", "1001", "0077", counted, loaded if till.loads else (), Fen(booked), NOT_COUNTED)
    assert Count.from_facts(made.facts()) == made
    sums = totals(made.postings(till))
    assert sum(sums.values()) == 0
    assert booked + sums.get(till.account, 0) == mix_value(made.loaded)
