"""A case is split between remedies by two people: each part typed and seen, the whole booked in one commit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.test_staff_closing import CODE, HELD, approve, balances, open_codes, propose


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    held = balanced((Account.CASH_BOX, HELD), (Account.SUSPENSE, -HELD))
    made.journal.commit(NewEntry("dispense_uncertain", CODE, {"unaccounted_fen": HELD}, "C1", held))
    yield made
    made.journal.close()


def split(**fen: int) -> dict[str, Any]:
    """Amounts typed, by name of the remedy."""
    return {f"staff_part_{name}": amount for name, amount in fen.items()}


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ({"holder": 600, "hospital": 0, "paid_out": 400}, {Account.HOLDER_DEBT: -600, Account.SHORTAGE: -400}),
        ({"holder": 1, "hospital": 999}, {Account.HOLDER_DEBT: -1, Account.HOSPITAL: -999}),
        (
            {"holder": 100, "hospital": 200, "paid_out": 300, "nobody": 400},
            {
                Account.HOLDER_DEBT: -100,
                Account.HOSPITAL: -200,
                Account.SHORTAGE: -300,
                Account.SURPLUS: -400,
            },
        ),
    ],
)
async def test_a_case_is_split_to_the_fen(
    autojump_clock: MockClock, room: DutyRoom, parts: dict[str, int], left: dict[Account, int]
) -> None:
    """Typed by one, seen part by part and approved by another: booked in one commit, and the case is closed."""
    await propose(room, "split", **split(**parts))
    assert balances(room)[Account.SUSPENSE] == -HELD, "nothing is booked by one person"
    await approve(room, staff_close_part="next")
    shown = sum(1 for fen in parts.values() if fen)
    assert room.names().count("staff_close_part") == shown
    assert balances(room) == {Account.CASH_BOX: HELD, **left}
    assert open_codes(room) == []
    (closed,) = [one for one in room.journal.story(CODE) if one.act == "case_closed"]
    assert closed.facts is not None
    assert closed.facts["remedy"] == "split"
    named = {name: closed.facts.get(f"{name}_part_fen", 0) for name in parts}
    assert named == parts
    assert sum(posting.amount_fen for posting in closed.postings) == 0
    notice = room.journal.outbox.due("hospital")
    assert notice is not None
    assert (notice.act, notice.facts["amount_fen"]) == ("debt_register", parts["holder"])


async def test_parts_that_make_another_sum_are_typed_again(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Too little in all, then too much at once, then right: the page says what they make and what is due."""
    await propose(
        room,
        "split",
        staff_part_holder=[300, HELD + 1, 700],
        staff_part_hospital=[300, 300],
        staff_part_paid_out=0,
        staff_part_nobody=399,
        staff_parts_differ="understood",
    )
    assert room.names().count("staff_parts_differ") == 2
    (proposed,) = [one for one in room.journal.story(CODE) if one.act == "case_close_proposed"]
    assert proposed.facts is not None
    assert (proposed.facts["holder_part_fen"], proposed.facts["hospital_part_fen"]) == (700, 300)


async def test_a_split_of_a_case_that_moved_is_none_any_more(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Proposed for ten yuan, of which nine are left when the second person comes: it waits for nobody."""
    await propose(room, "split", **split(holder=600, hospital=400))
    moved = balanced((Account.SUSPENSE, 100), (Account.HOSPITAL, -100))
    room.journal.commit(NewEntry("found_out", CODE, {}, postings=moved))
    await approve(room)
    assert "staff_nothing_waits" in room.names()
    assert balances(room)[Account.SUSPENSE] == -HELD + 100


async def test_a_surplus_stays_in_part(autojump_clock: MockClock, room: DutyRoom) -> None:
    """What is accepted as a surplus is not booked, and belongs to the whole all the same."""
    more = balanced((Account.CASH_BOX, 900), (Account.SURPLUS, -900))
    room.journal.commit(NewEntry("note_of_nobody", "451213", {}, "C7", more))
    await propose(room, "split", code="451213", **split(holder=500, hospital=0, stays=400))
    await approve(room, staff_close_part="next")
    assert open_codes(room) == [CODE]
    found = balances(room)
    assert (found[Account.HOLDER_DEBT], found[Account.SURPLUS]) == (-500, -400)


async def test_a_doubtful_payout_is_split_between_paid_and_owed(
    autojump_clock: MockClock, tmp_path: Path, pki: Pki
) -> None:
    """Of five yuan in doubt two came out: the register hears of these by the payout's key, the rest keeps its voucher;
    it can be nobody else's."""
    room = DutyRoom(tmp_path, pki)
    named: dict[str, str | int] = {"key": "payout-1", "voucher": "QK00000001"}
    doubtful = {**named, "paid_fen": 2000, "unaccounted_fen": 500, "left_fen": 0}
    lost = balanced((Account.HOLDER_DEBT, 500), (Account.SUSPENSE, -500))
    room.journal.commit(NewEntry("payout_uncertain", CODE, doubtful, "C1", lost))
    await propose(room, "split", **split(holder=300, paid_out=200))
    reasons = next(one for one in room.kiosk.screen.asked if one.name == "staff_close_reason")
    assert [one.value for one in reasons.answers] == ["holder", "paid_out", "split", "back"]
    await approve(room, staff_close_part="next")
    notice = room.journal.outbox.due("hospital")
    assert notice is not None
    assert (notice.act, notice.key, notice.facts["paid_fen"]) == ("debt_confirm", "payout-1", 2200)
    assert room.journal.outbox.unsent_count() == 1, "no second debt"
    assert balances(room) == {Account.HOLDER_DEBT: 200, Account.SHORTAGE: -200}
    room.journal.close()
