"""A bill left with notes, settled by the forwarder: lived once, cut at any effect, recovered, every book compared."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import trio

from kiosk.domain.books import Account
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Split
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.recover import recover_books, recover_cash
from offline_queue.verify import open_read_only, verify
from tests.flows.fittings import FakeReader
from tests.flows.money import QUOTE, Fuse, FusedJournal, PowerCut
from tests.flows.orders import OrderTerminal
from tests.flows.owed import NOW
from tests.simulation.settlements import LaterClock

ROUNDS = 5


@dataclass(frozen=True)
class Plan:
    """What happens in one world. ``ends``: an act that stands in the uncut life's journal."""

    name: str
    notes: tuple[int, ...] = (5000, 2000)
    behaviour: str = "books"
    quote: Split = QUOTE
    window_pays: bool = False
    claimed_by: str = ""
    script: tuple[tuple[str, Any], ...] = ()
    ends: str = "settled_late"


class World(OrderTerminal):
    """All that survives a power cut: the disk, the cash machine, the hosts, the resident's pocket."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder, self.fuse = plan, folder, Fuse()
        super().__init__(folder)
        self.journal.close()
        self.office.fuse = self.cash.fuse = self.fuse
        self.office.behaviour, self.office.quote_split = plan.behaviour, plan.quote
        self.office.window_pays = plan.window_pays
        self.office.claims = {"B1": plan.claimed_by} if plan.claimed_by else {}
        self.drums_at_start = self.cash.content_fen
        self.cut, self.lives = False, 1
        self.lived: list[str] = []
        self._open()

    @property
    def card(self) -> str:
        return FakeReader().identity.card_number

    def ours(self, claims: dict[str, str]) -> dict[str, str]:
        """Leases that this terminal still holds."""
        return {bill: lease for bill, lease in claims.items() if lease != self.plan.claimed_by}

    def window_closes(self) -> None:
        """Whoever was there with the bill left without paying."""
        self.office.claims = self.ours(self.office.claims)

    def _open(self) -> None:
        journal = FusedJournal(self.folder, lambda: NOW)
        journal.fuse = self.fuse
        self.journal = journal
        self.new_forwarder()

    async def live(self, cut_at: int | None) -> None:
        self.fuse.left = cut_at
        self.cash.pocket = [Fen(note) for note in self.plan.notes]
        try:
            async with trio.open_nursery():
                await self.leave(*self.plan.notes, **dict(self.plan.script))
                await self.line_back(ROUNDS)
        except* PowerCut:
            self.cut = True

    async def restart(self, cut_at: int | None = None) -> None:
        """Power is back: recovery, and the forwarder with the line up. May be cut in its turn."""
        self.journal.close()
        self.fuse.left = cut_at
        self.cash.breaks = trio.Event()
        self.cash.boot()
        self._open()
        self.lives += 1
        clock = LaterClock(self.lives)
        with suppress(PowerCut):
            self.journal.record("kiosk_started")
            await recover_cash(self.journal, clock, self.cash)
            recover_books(self.journal, clock)
            await self.line_back(ROUNDS)


def check_books(world: World) -> None:
    """Every money rule that can be seen from outside, over journal, cash machine, platform, hospital and register."""
    books, office, acts = world.balances, world.office, world.acts
    owed = {name: -books.get(name, 0) for name in (Account.HOSPITAL, Account.HOLDER_DEBT, Account.SUSPENSE)}
    # 1. Double entry, nobody's money is nobody's, and the machine holds what the books say.
    assert sum(books.values()) == 0, books
    assert books.get(Account.RESIDENT, 0) == 0, books
    assert not books.get(Account.SURPLUS) and not books.get(Account.SHORTAGE), books
    held = books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0)
    assert held == world.cash.content_fen - world.drums_at_start, books
    # 2. What the holder lacks, somebody owes to them or has been paid.
    fed = sum(world.plan.notes) - sum(world.cash.pocket)
    assert fed - world.cash.outlet == sum(owed.values()), books
    # 3. One 2207 in every life; the books say settled exactly if the platform did, or that they do not know.
    assert office.settles <= 1
    settled = acts.count("settled_late")
    # (A reversal that was cut off from its answer is over by the day's detail.)
    effects = [one.act for one in world.journal.open_effects() if one.act != "reversal_intent"]
    unknown = bool({"settle_intent", "settled_unpaid"} & set(effects))
    assert settled <= 1
    assert bool(settled) == bool(office.booked) or unknown, acts
    # 4. An order comes to one end, unless the platform owes an answer; only then is anything held.
    assert acts.count("settlement_order_ended") + acts.count("settlement_order_over") <= 1, acts
    assert bool(effects) == unknown, effects
    assert unknown or not owed[Account.SUSPENSE], books
    # 5. Told as often as there is something to tell: every debt registered, every payment, no lease forgotten.
    assert office.owed_fen == owed[Account.HOLDER_DEBT], (books, office.registered)
    assert len(set(office.paid)) == settled
    assert unknown or settled or not world.ours(office.claims), office.claims
    assert unknown or world.journal.unsent() == (0, 0), world.journal.unsent()
    # 6. Nothing was dispensed for an order; its paper is printed or owed.
    assert "dispensed" not in acts or "settlement_ordered" not in acts
    over = "settlement_order_ended" in acts or settled
    assert not over or any(one.kind in ("bill", "order_ended") for one in receipts_owed(world.journal, world.card))
    assert verify(open_read_only(world.folder / "journal.db"), None).whole


async def run_plan(plan: Plan, cut_at: int | None, cuts_in_recovery: tuple[int, ...] = ()) -> World:
    """Live a plan in a new world, cut after ``cut_at`` effects, recover (cut again and again), check."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(plan, Path(folder))
        await world.live(cut_at)
        outlet = world.cash.outlet
        for again in cuts_in_recovery:
            await world.restart(again)
        world.window_closes()
        await world.restart()
        assert world.cash.outlet == outlet, "recovery paid somebody"
        check_books(world)
        world.lived = world.acts
        world.journal.close()
        return world


DEARER = replace(QUOTE, fund_fen=Fen(6_000), cash_fen=Fen(10_000))
