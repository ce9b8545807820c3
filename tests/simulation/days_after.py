"""The day after a settlement: the hospital has its detail, and the terminal reconciles, cut wherever the fuse ends."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement, StatementRow
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.money.drive_due import drive_due
from kiosk.money.recover import recover_books, recover_cash
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.settings.config import Settings
from tests.flows.money import Office, PowerCut
from tests.simulation.settlements import LaterClock, Plan, World, check_all_books

DAY = date(2026, 11, 21)


@dataclass
class RecordingOffice(Office):
    """Remembers what was undone, as a platform's detail does; ``steals``: rows that the detail hides or adds."""

    undone: list[tuple[Settlement, str]] = field(default_factory=list)

    async def void(self, person: Any, settlement: Settlement, message_id: str) -> None:
        await self._request("2208")
        self.undone.append((self.booked.pop(settlement.message_id), message_id))
        self._answer("2208")

    def rows(self) -> list[StatementRow]:
        standing = [_row(one) for one in self.booked.values()]
        pairs = [row for one, key in self.undone for row in (_row(one), _void_row(one, key))]
        return [*standing, *pairs]

    # ports.money.Statements

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        await self._request("statement")
        self._answer("statement")
        return tuple(self.rows()) if day == DAY else ()

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        await self._request("bank statement")
        return ()

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]:
        await self._request("deposits detail")
        return ()

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]:
        await self._request("debts detail")
        return ()


def _row(one: Settlement) -> StatementRow:
    split = one.split
    amounts = (split.total_fen, split.fund_fen, split.account_fen)
    return StatementRow(one.message_id, one.settlement_id, one.visit_number, True, False, *amounts)


def _void_row(one: Settlement, key: str) -> StatementRow:
    split = one.split
    amounts = (Fen(-split.total_fen), Fen(-split.fund_fen), Fen(-split.account_fen))
    return StatementRow(key, f"v-{one.settlement_id}", one.visit_number, True, True, *amounts)


@dataclass
class DayAfter(World):
    """A settlement lived to its end or its cut, recovered without anybody driving what is unknown; then the morning."""

    burnt: int = 0  # effects of the first reconciliation
    done: Reconciled | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.office: RecordingOffice = RecordingOffice(self.office.behaviour, self.office.quote_split, fuse=self.fuse)

    async def recover(self) -> None:
        self.reopen()
        self.cash.breaks = trio.Event()
        self.cash.boot()
        clock = LaterClock(self.lives)
        await recover_cash(self.journal, clock, self.cash)
        recover_books(self.journal, clock)
        # What 2207 had answered and nobody had paid is undone within minutes, long before the morning.
        for _ in range(2):
            await drive_due(self.journal, clock, self.office)

    async def reconcile(self) -> None:
        books = Books(self.journal, MorningClock(self.lives), self.office, Settings(run_dir="", data_dir=""))
        self.done = await reconcile_day(books, DAY)

    def reopen(self) -> None:
        """The power is back, and nothing burns any more."""
        self.journal.close()
        self.fuse.left = None
        self.journal = self._open_journal()
        self.lives += 1


class MorningClock(LaterClock):
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 1, tzinfo=UTC)


async def live_the_day_after(plan: Plan, cut_at: int | None, morning_cut_at: int | None = None) -> DayAfter:
    """One world: the visit (cut), recovery, the morning's reconciliation (cut), and again until it is through."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = DayAfter(plan, Path(folder))
        world.fuse.left = cut_at
        await world.live()
        await world.recover()
        world.fuse.burnt.clear()
        world.fuse.left = morning_cut_at
        with contextlib.suppress(PowerCut):
            await world.reconcile()
        world.burnt = len(world.fuse.burnt)
        if world.done is None:
            world.reopen()
            await world.reconcile()
        check_morning(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.journal.close()
        return world


def check_morning(world: DayAfter) -> None:
    """Every rule of the night before; and nothing is unknown any more, nothing is held for it, and nobody differs."""
    check_all_books(world)
    effects = [entry.act for entry in world.journal.open_effects()]
    assert not [act for act in effects if act.endswith("_intent")], effects
    # Only what a dispense left uncertain is still to be explained: no detail of a host knows about that.
    uncertain = [entry.facts or {} for entry in world.journal.entries() if entry.act == "dispense_uncertain"]
    lost = sum(int(facts["unaccounted_fen"]) for facts in uncertain)
    assert world.balances().get(Account.SUSPENSE, 0) == -lost, world.balances()
    assert world.done is not None
    assert (world.done.findings, world.done.open) == ((), 0), world.done
    assert world.cash.dispenses <= 1
