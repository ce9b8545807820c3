"""The morning after a deposit: the hospital's own detail closes what nobody heard, wherever the power goes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.money import Fen
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import BankRow, DebtActRow, DepositRow
from kiosk.money.recover import recover_books, recover_cash
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.settings.config import HostSettings, Settings
from tests.flows.bank import BankOffice
from tests.flows.hospital import HospitalOffice, deliver_all
from tests.flows.money import PowerCut
from tests.simulation.days_after import DAY, MorningClock
from tests.simulation.deposit_refunds import files_of
from tests.simulation.owed import Plan, World, check_books

DEPOSIT = "pay_inpatient_deposit"
PLANS = (
    Plan("credited in silence", DEPOSIT, (10_000, 10_000), deposit_habit="credits_silently", ends="deposited_late"),
    Plan(
        "credited in silence, with too much inside",
        DEPOSIT,
        (10_000, 5000),
        drums=((1000, 9),),
        script=(("choose_deposit", "other"), ("type_deposit", ["#130"])),
        deposit_habit="credits_silently",
        ends="deposited_late",
    ),
    Plan(
        "by card, credited in silence",
        DEPOSIT,
        bank=True,
        script=(("choose_means", "bank_card"), ("card_not_paid", "undo")),
        deposit_habit="credits_silently",
        ends="deposited_late",
    ),
)


@dataclass
class Detail:
    """The hospital's own detail; each question and answer burns the fuse."""

    plan: Plan
    office: HospitalOffice
    bank: BankOffice | None

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        return ()

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        return files_of(self.bank) if self.bank is not None and day == DAY else ()

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]:
        await self.office._request("deposits detail")
        means = "bank_card" if self.plan.bank else "cash"
        made = self.office.deposits.items()
        return tuple(DepositRow("credited", key, "ZY", Fen(fen), means, "YJ1", DAY) for key, fen in made)

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]:
        await self.office._request("debts detail")
        told = zip(self.office.told, self.office.registered.values(), strict=True)
        return tuple(DebtActRow("registered", key, debt.voucher_number, debt.amount_fen, DAY) for key, debt in told)


async def wake(world: World) -> None:
    """Power is back: recovery alone; nobody tells the hospital of the deposit again."""
    world.journal.close()
    world.fuse.left = None
    world.cash.breaks = trio.Event()
    world.cash.boot()
    world.journal = world._open_journal()
    world.lives += 1
    clock = MorningClock(world.lives)
    await recover_cash(world.journal, clock, world.cash)
    recover_books(world.journal, clock)


async def reconcile(world: World) -> Reconciled:
    def unsent() -> frozenset[str]:
        return world.journal.outbox.unsent_keys("hospital")

    hosts = {"bank": HostSettings(url="tls://127.0.0.1:1")} if world.bank is not None else {}
    settings = Settings(run_dir="", data_dir="", hosts=hosts)
    details = Detail(world.plan, world.office, world.bank)
    return await reconcile_day(Books(world.journal, MorningClock(world.lives), details, settings, unsent=unsent), DAY)


async def live(plan: Plan, cut_at: int | None, morning_cut_at: int | None = None) -> tuple[World, int]:
    """The visit (cut), recovery, the morning (cut) and again until it is through; effects of the first morning."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        world.fuse.left = cut_at
        await world.visit(plan.service)
        await wake(world)
        world.fuse.burnt.clear()
        world.fuse.left = morning_cut_at
        done = None
        with contextlib.suppress(PowerCut):
            done = await reconcile(world)
        burnt = len(world.fuse.burnt)
        if done is None:
            await wake(world)
            done = await reconcile(world)
        assert (done.findings, done.differ) == ((), 0), done
        proved = done.proved
        still_open = [one for one in world.journal.open_effects() if one.act == "deposit_intent"]
        known = set(world.office.deposits)
        assert not [one for one in still_open if (one.facts or {})["key"] in known], "the detail has it"
        world.office.deposit_habit = "credits"
        await world.restart()  # what the detail did not have is told again by its key
        check_books(world)
        await deliver_all(world.journal, world.office)
        assert (await reconcile(world)).findings == ()
        world.ended_with = [*world.acts, *["proved"] * proved]
        world.journal.close()
        if world.bank is not None:
            world.bank.close()
        return world, burnt


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
async def test_every_prefix_of_a_deposit_agrees_the_day_after(
    autojump_clock: MockClock, plan: Plan, count_cuts: Callable[[str, int], None]
) -> None:
    """The visit is cut after every effect: what the hospital has is closed by its detail, and nothing differs."""
    whole, _ = await live(plan, None)
    assert plan.ends in whole.ended_with
    assert "proved" in whole.ended_with
    cuts = 0
    while (await live(plan, cuts))[0].cut:
        cuts += 1
    assert cuts >= 10, "the fuse must really burn"
    count_cuts(f"deposit, the day after: {plan.name}", cuts)


@pytest.mark.parametrize("plan", PLANS[:1], ids=lambda plan: plan.name)
async def test_a_morning_that_is_cut_books_once(autojump_clock: MockClock, plan: Plan) -> None:
    """The power goes after every effect of the comparing: the deposit is booked once, and the day is compared again."""
    _, burnt = await live(plan, None)
    assert burnt > 3
    for morning_cut_at in range(burnt):
        again, _ = await live(plan, None, morning_cut_at)
        assert again.ended_with.count("deposited_late") == 1
