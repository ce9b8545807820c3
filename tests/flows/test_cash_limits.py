"""What keeps notes outside: a full disk, a full terminal, too many notes for one bill (money-rules 20)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.cash import CashEvent, Rejected
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.money.recover import recover_cash
from kiosk.ports import Outcome, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from kiosk.settings.config import CashRules, Settings
from offline_queue.journal import ROOM_BYTES_MIN, SqliteJournal
from offline_queue.staff_books import StaffBooks
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory

SCRIPT = {"choose_bill": "B1", "confirm_quote": "pay", "device_out": "understood"}


class Disk:
    free = ROOM_BYTES_MIN


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def journal(tmp_path: Path, disk: Disk) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC), free_bytes=lambda: disk.free)
    yield opened
    opened.close()


async def settled(kiosk: KioskInMemory, journal: SqliteJournal, cash: CashMachine) -> Outcome:
    await recover_cash(journal, CountingClock(), cash)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        kiosk.reader.insert()
        kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
        outcome = await settle_medical_bill(kiosk.desk)
        nursery.cancel_scope.cancel()
    return outcome


def machine(*notes: int) -> CashMachine:
    cash = CashMachine({1000: 9})
    cash.pocket = [Fen(note) for note in notes]
    return cash


async def test_a_full_disk_takes_no_note(autojump_clock: MockClock, journal: SqliteJournal, disk: Disk) -> None:
    """Not one byte less than the reserve: the resident is told, and no note goes in."""
    disk.free = ROOM_BYTES_MIN - 1
    cash = machine(5000, 1000)
    kiosk = KioskInMemory(dict(SCRIPT), cash=cash, journal=journal)
    assert await settled(kiosk, journal, cash) is Outcome.UNAVAILABLE
    assert cash.pocket == [5000, 1000]
    assert "note_intent" not in [entry.act for entry in journal.entries()]


async def test_a_disk_that_fills_up_in_between_gives_the_notes_back(
    autojump_clock: MockClock, journal: SqliteJournal, disk: Disk
) -> None:
    """The story that began ends: what is inside comes out again, and all of it stands in the journal."""

    class FillsTheDisk(CashMachine):
        async def stack(self) -> None:
            await super().stack()
            disk.free = 0

    cash = FillsTheDisk({1000: 9})
    cash.pocket = [Fen(5000), Fen(1000)]
    kiosk = KioskInMemory(dict(SCRIPT), cash=cash, journal=journal)
    assert await settled(kiosk, journal, cash) is Outcome.UNAVAILABLE
    assert cash.outlet == 5000
    assert cash.pocket == [1000]


async def test_a_full_terminal_takes_no_note(autojump_clock: MockClock, journal: SqliteJournal, tmp_path: Path) -> None:
    """By the books it holds what one terminal may hold: staff must come first."""
    inside = balanced((Account.CASH_BOX, 9_000), (Account.VAULT, -9_000))
    journal.commit(NewEntry("cash_box_exchanged", postings=inside))
    cash = machine(5000, 1000)
    kiosk = KioskInMemory(dict(SCRIPT), cash=cash, journal=journal)
    kiosk.desk.terminal_books = StaffBooks(tmp_path)
    kiosk.desk.settings = _with_cash(kiosk, content_fen_max=9_099)
    assert await settled(kiosk, journal, cash) is Outcome.UNAVAILABLE
    assert cash.pocket == [5000, 1000]


async def test_too_many_notes_for_one_bill_come_back(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """At the cap nobody stands before a page that can never end: the notes come out again."""
    cash = machine(1000, 1000, 1000, 1000, 1000, 1000)
    kiosk = KioskInMemory(dict(SCRIPT), cash=cash, journal=journal)
    kiosk.desk.settings = _with_cash(kiosk, notes_max=5)
    assert await settled(kiosk, journal, cash) is Outcome.UNAVAILABLE
    assert cash.outlet == 5000
    assert journal.open_effects() == []


def _with_cash(kiosk: KioskInMemory, **rules: int) -> Settings:
    return replace(kiosk.desk.settings, cash=replace(CashRules(), **rules))


class Picky(CashMachine):
    """Takes nothing of the first 1,000 papers that are fed, one of a hundred for another reason."""

    fed = 0

    async def next_event(self) -> CashEvent:
        if not self._enabled or self.fed == 1000:
            return await super().next_event()
        await trio.sleep(0.8)
        self.fed += 1
        return Rejected("length" if self.fed % 100 else "currency")


async def test_what_is_refused_for_hours_fills_no_disk(journal: SqliteJournal, autojump_clock: MockClock) -> None:
    """A dozen rows say why, and to within a half how often; then good notes are taken as ever."""
    cash = Picky({1000: 9})
    cash.pocket = [Fen(5000), Fen(1000)]
    kiosk = KioskInMemory(SCRIPT | {"bill_settled": "understood"}, cash=cash, journal=journal)
    assert await settled(kiosk, journal, cash) is Outcome.DONE
    told = [entry.facts or {} for entry in journal.entries() if entry.act == "note_refused"]
    assert [one["times"] for one in told if one["why"] == "currency"] == [1, 2, 4, 8]
    assert [one["times"] for one in told if one["why"] == "length"] == [2**power for power in range(10)]
    assert [entry.act for entry in journal.entries()].count("note_credited") == 2
