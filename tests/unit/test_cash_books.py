"""The books of the cash slots: recovered before anybody may use them, kept between services, left alone during one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced, totals
from kiosk.domain.cash import CashFault, Stacked
from kiosk.domain.entries import NewEntry
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
