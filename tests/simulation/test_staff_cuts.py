"""The power is cut at every commit of what two of staff do; the duty done again ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from simulators.pki import Pki, make_pki
from tests.flows import test_staff_closing as closing
from tests.flows import test_staff_exchange as exchange
from tests.flows.duty import DutyRoom
from tests.flows.money import Fuse, FusedJournal, PowerCut
from tests.flows.test_staff_split import split

HELD = 1_000
Duty = Callable[[DutyRoom], Awaitable[None]]


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def fused_room(folder: Path, pki: Pki) -> DutyRoom:
    """A room whose journal burns a fuse that nobody has lit yet."""
    FusedJournal.fuse = Fuse()
    return DutyRoom(folder, pki, journal_kind=FusedJournal)


async def live(room: DutyRoom, duty: Duty, cut_at: int | None) -> bool:
    """Whether the power went before its end."""
    assert isinstance(room.journal, FusedJournal)
    room.journal.fuse.left = cut_at
    was_cut = False
    try:
        await duty(room)
    except* PowerCut:
        was_cut = True
    return was_cut


async def again(folder: Path, pki: Pki, room: DutyRoom, duty: Duty) -> DutyRoom:
    """The power is back: a new process, the same journal, and the two begin again."""
    room.journal.close()
    later = fused_room(folder, pki)
    await duty(later)
    return later


def books(room: DutyRoom) -> dict[Account, int]:
    return {account: int(amount) for account, amount in room.kiosk.desk.books.balances().items()}


def begin_case(room: DutyRoom) -> None:
    held = balanced((Account.CASH_BOX, HELD), (Account.SUSPENSE, -HELD))
    room.journal.commit(NewEntry("dispense_uncertain", closing.CODE, {"unaccounted_fen": HELD}, "C1", held))


async def close(room: DutyRoom) -> None:
    """Propose and approve, as far as it was not done before the power went."""
    if closing.open_codes(room):
        await closing.propose(room)
        await closing.approve(room)


async def close_in_parts(room: DutyRoom) -> None:
    if closing.open_codes(room):
        await closing.propose(room, "split", **split(holder=700, hospital=0, paid_out=300))
        await closing.approve(room, staff_close_part="next")


CLOSED = {
    close: {Account.CASH_BOX: HELD, Account.HOLDER_DEBT: -HELD},
    close_in_parts: {Account.CASH_BOX: HELD, Account.HOLDER_DEBT: -700, Account.SHORTAGE: -300},
}


@pytest.mark.parametrize("duty", CLOSED, ids=lambda duty: duty.__name__)
async def test_a_closing_is_booked_once(autojump_clock: MockClock, tmp_path: Path, pki: Pki, duty: Duty) -> None:
    """Cut anywhere, the case is open with all of its money, or closed with one debt and one message about it."""
    cut_at, was_cut = 0, True
    while was_cut:
        folder = tmp_path / str(cut_at)
        room = fused_room(folder, pki)
        begin_case(room)
        was_cut = await live(room, duty, cut_at)
        assert books(room) in ({Account.CASH_BOX: HELD, Account.SUSPENSE: -HELD}, CLOSED[duty])
        later = await again(folder, pki, room, duty)
        assert books(later) == CLOSED[duty]
        assert closing.open_codes(later) == []
        assert later.acts().count("case_closed") == 1
        assert later.kiosk.desk.books.unsent().count == 1
        later.journal.close()
        cut_at += 1
    assert cut_at > 8, "the fuse must really burn"


def begin_box(room: DutyRoom) -> None:
    paid = balanced((Account.CASH_BOX, exchange.BOOKED), (Account.HOSPITAL, -exchange.BOOKED))
    room.journal.commit(NewEntry("settled", "000777", {}, "C1", paid))


async def change_box(room: DutyRoom) -> None:
    """Count and approve, as far as it was not done before the power went."""
    if "cash_box_exchanged" not in room.acts():
        await exchange.count(room, exchange.RIGHT, staff_waits="understood")
        await exchange.approve(room)


async def test_an_exchange_is_booked_once(autojump_clock: MockClock, tmp_path: Path, pki: Pki) -> None:
    """Cut anywhere, the box is in the books or in the vault, never in both, and the count goes on where it was."""
    cut_at, was_cut = 0, True
    while was_cut:
        folder = tmp_path / str(cut_at)
        room = fused_room(folder, pki)
        begin_box(room)
        was_cut = await live(room, change_box, cut_at)
        found = books(room)
        assert found.get(Account.CASH_BOX, 0) + found.get(Account.VAULT, 0) == exchange.BOOKED
        later = await again(folder, pki, room, change_box)
        assert books(later) == {Account.VAULT: exchange.BOOKED, Account.HOSPITAL: -exchange.BOOKED}
        assert later.acts().count("cash_box_exchanged") == 1
        later.journal.close()
        cut_at += 1
    assert cut_at > 8, "the fuse must really burn"
