"""The books of the cash slots: recovered before anybody may use them, kept between services, left alone during one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.cash import CashEvent, CashFault, DispenseResult, Stacked, mix_of
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.money.cash_books import CashBooks
from offline_queue.journal import SqliteJournal
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock

CARD = "B00000131"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


def leave_money_inside(journal: SqliteJournal) -> None:
    """A visit that the power ended after one note of 50."""
    inside = balanced((Account.CASH_BOX, 5000), (Account.RESIDENT, -5000))
    journal.commit(NewEntry("note_credited", "000001", {"denomination_fen": 5000}, CARD, inside))


def acts(journal: SqliteJournal) -> list[str]:
    return [entry.act for entry in journal.entries()]


async def test_recovery_is_booked_before_the_module_is_anybodys(journal: SqliteJournal) -> None:
    """What the device tells of its earlier life is committed and acknowledged when the attendant says it has begun."""
    leave_money_inside(journal)
    cash = CashMachine({})
    cash.untold.append(Stacked(Fen(1000), "cash_box", "credit-1"))
    books = CashBooks(journal, CountingClock(), ("cash_acceptor",))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(books.attend, "cash_acceptor"), cash)
        assert cash.untold == []
        assert acts(journal) == ["note_credited", "note_of_nobody", "debt_owed"]
        nursery.cancel_scope.cancel()
    balances = totals(posting for entry in journal.entries() for posting in entry.postings)
    assert balances[Account.HOLDER_DEBT] == -5000
    assert Account.RESIDENT not in balances


def leave_a_dispense(journal: SqliteJournal) -> None:
    """Fifty yuan went in, thirty were to come out, and the process died."""
    leave_money_inside(journal)
    asked: Facts = {"amount_fen": 3000, "reason": "change", "key": "k1"}
    journal.commit(NewEntry("dispense_intent", "000001", asked, CARD, opens="dispense:k1"))


async def balances_after(journal: SqliteJournal, *told: CashEvent) -> dict[Account, Fen]:
    """What the books say once the module has told this at its recovery."""
    cash = CashMachine({})
    cash.untold += told
    books = CashBooks(journal, CountingClock(), ("cash_acceptor",))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(books.attend, "cash_acceptor"), cash)
        nursery.cancel_scope.cancel()
    return totals(posting for entry in journal.entries() for posting in entry.postings)


IN_FULL = DispenseResult((), (), 0, 0, False, in_full=True)
BY_SUM = DispenseResult((), (), 0, 0, False, reason="dispensed", presented_sum=Fen(3000))
BY_COUNT = DispenseResult((), mix_of({Fen(1000): 3}), 0, 0, True)


@pytest.mark.parametrize("told", [IN_FULL, BY_SUM, BY_COUNT], ids=["in full", "sum", "counts"])
async def test_a_payout_that_ended_by_itself_is_paid(told: DispenseResult, journal: SqliteJournal) -> None:
    """Money-rules 15: what the exit counted is paid, the rest of what lay inside is owed, nothing is in suspense."""
    leave_a_dispense(journal)
    balances = await balances_after(journal, told)
    assert balances == {Account.CASH_BOX: 5000, Account.DRUMS: -3000, Account.HOLDER_DEBT: -2000}
    assert "dispensed" in acts(journal)


async def test_a_payout_that_ended_in_part_is_paid_in_part(journal: SqliteJournal) -> None:
    """Ten certainly out, the rest certainly not: that is owed, and nothing is in suspense."""
    leave_a_dispense(journal)
    balances = await balances_after(journal, DispenseResult((), mix_of({Fen(1000): 1}), 0, 0, True))
    assert balances == {Account.CASH_BOX: 5000, Account.DRUMS: -1000, Account.HOLDER_DEBT: -4000}


async def test_a_payout_of_which_nothing_is_told_is_suspense(journal: SqliteJournal) -> None:
    """Neither paid nor unpaid: never a debt, never a second dispense."""
    leave_a_dispense(journal)
    balances = await balances_after(journal)
    assert balances == {Account.CASH_BOX: 5000, Account.SUSPENSE: -3000, Account.HOLDER_DEBT: -2000}


@pytest.mark.parametrize("told", [IN_FULL, BY_SUM, BY_COUNT], ids=["in full", "sum", "counts"])
async def test_what_is_told_too_late_moves_nothing(told: DispenseResult, journal: SqliteJournal) -> None:
    """It is in suspense by then, for people: the case's story says what the device told, and nothing is a shortage."""
    leave_a_dispense(journal)
    before = await balances_after(journal)
    assert await balances_after(journal, told) == before
    last = journal.story("000001")[-1]
    assert (last.act, (last.facts or {})["paid_fen"]) == ("dispense_told_late", 3000)


@pytest.mark.parametrize("told", [IN_FULL, BY_SUM, BY_COUNT], ids=["in full", "sum", "counts"])
async def test_a_result_that_is_told_twice_is_one(told: DispenseResult, journal: SqliteJournal) -> None:
    """The process died between the commit and the word that lets the device forget."""
    leave_a_dispense(journal)
    before = await balances_after(journal, told)
    assert await balances_after(journal, told) == before
    assert acts(journal)[-1] == "dispense_told_again"


async def test_both_modules_must_have_told(journal: SqliteJournal) -> None:
    """Nobody's money gets an owner while one of two modules may still know more about it."""
    leave_money_inside(journal)
    books = CashBooks(journal, CountingClock(), ("card_reader", "cash_acceptor", "cash_dispenser"))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(books.attend, "cash_acceptor"), CashMachine({}))
        assert "debt_owed" not in acts(journal)
        await nursery.start(partial(books.attend, "cash_dispenser"), CashMachine({}))
        assert "debt_owed" in acts(journal)
        nursery.cancel_scope.cancel()


async def test_events_between_services_are_read_and_those_of_a_service_are_not(
    journal: SqliteJournal, autojump_clock: MockClock
) -> None:
    """The attendant books what happens while nobody pays; while a module is lent, only the borrower hears it."""
    cash = CashMachine({})
    books = CashBooks(journal, CountingClock(), ("cash_acceptor",))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(books.attend, "cash_acceptor"), cash)
        cash.tell(CashFault("cash_box_removed"))
        await trio.sleep(1)
        assert acts(journal) == ["cash_fault"]
        with books.lent():
            cash.tell(CashFault("cash_box_full"))
            await trio.sleep(1)
            assert await cash.next_event() == CashFault("cash_box_full")
        assert acts(journal) == ["cash_fault"]
        cash.tell(CashFault("jam"))
        await trio.sleep(1)
        assert acts(journal) == ["cash_fault", "cash_fault"]
        nursery.cancel_scope.cancel()


async def test_a_module_that_comes_back_during_a_service_leaves_its_money_alone(journal: SqliteJournal) -> None:
    """What the resident in front has inside stays theirs until the service has ended; then every fen has an owner."""
    books = CashBooks(journal, CountingClock(), ("cash_acceptor",))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(books.attend, "cash_acceptor"), CashMachine({}))
        with books.lent():
            leave_money_inside(journal)
            await nursery.start(partial(books.attend, "cash_acceptor"), CashMachine({}))
            assert acts(journal) == ["note_credited"]
        assert acts(journal) == ["note_credited", "debt_owed"]
        nursery.cancel_scope.cancel()
