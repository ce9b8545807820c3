"""Copies of rows leave at the ledger's pace; only what the ledger says about rows is a disagreement."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from kiosk.domain.ledger import LedgerAnswer, LedgerBatch
from kiosk.money.copy_to_ledger import BACK_OFF_S_MAX, FLEETS, Kept, keep_copying
from kiosk.ports import HostRefused, OutcomeUnknown
from offline_queue.copies import JournalCopies, open_copies
from offline_queue.journal import SqliteJournal


@dataclass
class BusyLedger:
    """Answers each question with the next of ``moods``, and keeps everything once there are none left."""

    moods: list[Exception] = field(default_factory=list)
    kept: int = 0
    asked_at: list[float] = field(default_factory=list)

    async def kept_up_to(self) -> int:
        await trio.lowlevel.checkpoint()
        self.asked_at.append(trio.current_time())
        if self.moods:
            raise self.moods.pop(0)
        return self.kept

    async def keep(self, batch: LedgerBatch) -> LedgerAnswer:
        await trio.lowlevel.checkpoint()
        self.kept = max(self.kept, batch.head.seq)
        return LedgerAnswer(self.kept, "")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[tuple[SqliteJournal, JournalCopies]]:
    journal = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    journal.record("kiosk_started")
    copies = open_copies(tmp_path)
    yield journal, copies
    copies.close()
    journal.close()


@pytest.mark.parametrize(
    "busy", [HostRefused("agency_ledger", "busy", retry_after_s=300), OutcomeUnknown("agency_ledger", "503", 300)]
)
async def test_a_busy_ledger_names_its_time(
    books: tuple[SqliteJournal, JournalCopies], autojump_clock: trio.testing.MockClock, busy: Exception
) -> None:
    """Retry-After is kept to the second, and is no disagreement that a person would have to look at."""
    journal, copies = books
    ledger, kept = BusyLedger([busy]), Kept()
    with trio.move_on_after(400):
        await keep_copying(journal, copies, ledger, lambda event, **fields: None, kept)
    assert [round(at - ledger.asked_at[0]) for at in ledger.asked_at] == [0, 300]
    assert kept.up_to == 1
    assert [entry.act for entry in journal.entries()] == ["kiosk_started"]


async def test_a_ledger_that_disagrees_is_told_of_once(
    books: tuple[SqliteJournal, JournalCopies], autojump_clock: trio.testing.MockClock
) -> None:
    """The same refusal again and again is one row, looked at again every quarter of an hour."""
    journal, copies = books
    ledger = BusyLedger([HostRefused("agency_ledger", "head_not_signed") for _ in range(3)])
    with trio.move_on_after(4 * BACK_OFF_S_MAX):
        await keep_copying(journal, copies, ledger, lambda event, **fields: None, Kept())
    assert [entry.act for entry in journal.entries()] == ["kiosk_started", "ledger_disagrees"]
    assert ledger.kept == 2


async def test_it_is_told_which_ledger_disagrees_and_from_which_row_on(
    books: tuple[SqliteJournal, JournalCopies], autojump_clock: trio.testing.MockClock
) -> None:
    """One journal, two ledgers: the restored fleet has rows that this journal never had; the agency's has all."""
    journal, copies = books
    agencys, restored = BusyLedger(), BusyLedger(kept=40)
    told, kept = list[dict[str, object]](), Kept(ledger=FLEETS)
    with trio.move_on_after(2 * BACK_OFF_S_MAX):
        async with trio.open_nursery() as nursery:
            for ledger, now in ((agencys, Kept()), (restored, kept)):
                nursery.start_soon(keep_copying, journal, copies, ledger, lambda _, **fields: told.append(fields), now)
    assert told[0] == {"host": "fleet_ledger", "seq": 2, "why": "journal_behind_ledger"}
    assert next(entry.facts for entry in journal.entries() if entry.act == "ledger_disagrees") == {
        "ledger": "fleet",
        "row": 2,
        "why": "journal_behind_ledger",
    }
    assert (agencys.kept, kept.surely) == (copies.newest(), 0)


async def test_what_a_ledger_kept_is_not_sure_while_it_disagrees(
    books: tuple[SqliteJournal, JournalCopies], autojump_clock: trio.testing.MockClock
) -> None:
    """A month is destroyed only on the word of a ledger that has just these rows; of a restored one nothing is sure
    until it has them again."""
    journal, copies = books
    ledger, kept = BusyLedger(), Kept()
    with trio.move_on_after(5):
        await keep_copying(journal, copies, ledger, lambda event, **fields: None, kept)
    assert kept.surely == kept.up_to == copies.newest()
    journal.record("kiosk_started")
    ledger.moods = [HostRefused("agency_ledger", "board_not_registered")]
    with trio.move_on_after(BACK_OFF_S_MAX / 2):
        await keep_copying(journal, copies, ledger, lambda event, **fields: None, kept)
    assert (kept.surely, kept.disagrees) == (0, "board_not_registered")
    with trio.move_on_after(5):
        await keep_copying(journal, copies, ledger, lambda event, **fields: None, kept)
    assert kept.surely == copies.newest()
