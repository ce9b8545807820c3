"""A refund of what a bank card paid: cut at any effect, driven, reconciled and compared with the bank's file."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import trio
from msgspec import structs

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement
from kiosk.domain.statement import BankRow
from kiosk.money.bank_record import act_key, bank_facts, open_act, open_acts
from kiosk.money.drive_bank import drive_bank
from kiosk.money.hospital_notices import payment_facts
from kiosk.money.refundable import APPROVED
from kiosk.money.run_reconciliation import Books, reconcile_day
from kiosk.ports import Back, ResidentLeft, Visit
from kiosk.services.take_refund import take_refund
from kiosk.settings.config import HostSettings
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.money import BILL, QUOTE, PowerCut
from tests.flows.people import KioskInMemory
from tests.simulation.days_after import DAY, MorningClock
from tests.simulation.refunds import CASH, SCRIPT, RefundPlan, RefundWorld, VoidingOffice

BALANCE = 100_000


@dataclass(frozen=True)
class BankRefundPlan(RefundPlan):
    """``paid_on``: F13 of the payment; "" counts as today, so that the bank is asked for a void, else for a refund."""

    paid_on: str = ""
    lost: tuple[tuple[str, int], ...] = ()  # answers of the bank (MTI) that never arrive
    refuse_code: str = ""


@dataclass
class BankedOffice(VoidingOffice):
    bank: BankOffice | None = None

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        """The bank counts days by its own clock; here all that it has is of the day."""
        await self._request("bank statement")
        assert self.bank is not None
        rows = self.bank.host.books.sql.execute(
            "SELECT batch, trace, kind, amount_fen, reference, state FROM act WHERE state != 'never' ORDER BY trace"
        ).fetchall()
        return tuple(BankRow(*row) for row in rows) if day == DAY else ()


@dataclass
class BankRefundWorld(RefundWorld):
    bank: BankOffice = field(init=False)

    def _settle_and_approve(self) -> None:
        """Nothing yet: the purchase takes the bank's time (``begin``)."""

    async def begin(self) -> None:
        """Paid by the card a while ago, and a refund is approved."""
        assert isinstance(self.plan, BankRefundPlan)
        self.bank = BankOffice(self.folder, account(balance_fen=BALANCE), self.fuse)
        self.office: Any = BankedOffice(fuse=self.fuse, void_habit=self.plan.void, bank=self.bank)
        card = KioskInMemory().reader.identity.card_number
        client = self.bank.power_on(self.journal, lambda: ("000777", card))
        payment = await client.purchase(Fen(CASH), client.new_trace_number())
        settlement = Settlement("s-m0", "m0", BILL.visit_number, QUOTE)
        self.office.booked["m0"] = settlement
        at_bank = open_act(self.journal, payment.trace_number)
        assert at_bank is not None
        paid = balanced((Account.BANK_CLEARING, CASH), (Account.HOSPITAL, -CASH))
        facts = payment_facts(settlement, BILL.bill_id, "lease-1", "bank_card") | bank_facts(
            replace(payment, paid_on=self.plan.paid_on)
        )
        seq = self.journal.commit(NewEntry("settled", "000777", facts, card, paid, closes=act_key(at_bank)))
        approved: dict[str, str | int] = {"counter": "1001", "approver": "1002", "settled": seq}
        self.journal.commit(NewEntry(APPROVED, "000777", approved, card))
        self.bank.mute.update(dict(self.plan.lost))
        self.bank.weather.change(refuse_code=self.plan.refuse_code)
        self.fuse.burnt.clear()

    async def live(self) -> None:
        kiosk = KioskInMemory(dict(SCRIPT), self.office, None, self.journal, bank=self.bank)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(kiosk.supervisor.run)
                await kiosk.supervisor.wait_tried()
                kiosk.reader.insert()
                kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
                with contextlib.suppress(Back, ResidentLeft):
                    await take_refund(kiosk.desk)
                nursery.cancel_scope.cancel()
        except* PowerCut:
            self.cut = True

    async def drive(self) -> None:
        """What the kiosk does at the bank between visits; the weather has cleared."""
        self.bank.mute.clear()
        self.bank.weather.change(refuse_code="")
        client = self.bank.power_on(self.journal, lambda: ("", ""))
        for _ in range(4):
            await drive_bank(self.journal, client, lambda *_, **__: None)

    async def reconcile(self) -> None:
        settings = structs.replace(KioskInMemory().settings, hosts={"bank": HostSettings(url="tls://127.0.0.1:1")})
        self.done = await reconcile_day(Books(self.journal, MorningClock(self.lives), self.office, settings), DAY)


async def live_a_bank_refund(plan: BankRefundPlan, cut_at: int | None) -> BankRefundWorld:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = BankRefundWorld(plan, Path(folder))
        await world.begin()
        world.fuse.left = cut_at
        await world.live()
        await world.recover()
        await world.drive()
        await world.reconcile()
        check_bank(world)
        world.acts = [entry.act for entry in world.journal.entries()]
        world.bank.close()
        world.journal.close()
        return world


def check_bank(world: BankRefundWorld) -> None:
    """What the bank took is what the books say it took; what it was to give back and has not is in suspense."""
    books = world.balances()
    assert sum(books.values()) == 0, books
    assert not open_acts(world.journal), "an act at the bank outlived its file"
    assert books.get(Account.BANK_CLEARING, 0) == world.bank.taken_fen, (books, world.bank.acts)
    undone = bool(world.office.undone)
    assert -books.get(Account.HOSPITAL, 0) == (0 if undone else CASH), books
    assert -books.get(Account.SUSPENSE, 0) == (world.bank.taken_fen if undone else 0), (books, world.bank.acts)
    assert world.bank.taken_fen in (0, CASH), world.bank.acts
    assert world.done is not None
    assert (world.done.findings, world.done.open) == ((), 0), world.done
