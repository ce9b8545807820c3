"""Paying a bill: who is offered it, and what becomes of notes when the machine that holds them dies."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.cash import CashEvent
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.recover import recover_cash
from kiosk.ports import DeviceFault, Outcome, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.journal import SqliteJournal
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory

HOSTS = ("hospital", "medical_insurance")
SCRIPT = {"choose_bill": "B1", "confirm_quote": "pay", "device_out": "understood"}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("hosts", "cash", "offered"),
    [
        (HOSTS, CashMachine, True),
        (HOSTS[:1], CashMachine, False),
        ((), CashMachine, False),
        (HOSTS, None, False),
        ((*HOSTS, "bank"), None, True),
        (("hospital", "bank"), None, False),
    ],
)
async def test_bills_are_offered_where_all_of_it_is_there(
    autojump_clock: MockClock, hosts: tuple[str, ...], cash: type[CashMachine] | None, offered: bool
) -> None:
    """The tile stands only on a terminal with hospital, insurance, and a cash module or a bank."""
    kiosk = KioskInMemory({"menu": ["take_card"]}, cash=cash({}) if cash else None, hosts_named=hosts)
    await kiosk.visit()
    menu = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert ("settle_medical_bill" in [answer.value for answer in menu.answers]) is offered


class DiesWithANoteInside(CashMachine):
    """Its line is cut after the first note was stacked."""

    async def next_event(self) -> CashEvent:
        if self.box and self._events.statistics().current_buffer_used == 0:
            self.broken = Health(Condition.ABSENT, "unplugged")
            self.breaks.set()
            await trio.sleep(1)
            raise DeviceFault("cash_acceptor", self.broken)
        return await super().next_event()


async def test_notes_in_a_dead_machine_are_owed_and_written_down(
    autojump_clock: MockClock, journal: SqliteJournal
) -> None:
    """What was credited becomes the holder's debt in the register's queue, a paper says so, and nothing is settled."""
    cash = DiesWithANoteInside({1000: 9})
    cash.pocket = [Fen(5000), Fen(1000)]
    kiosk = KioskInMemory(dict(SCRIPT), cash=cash, journal=journal)
    await recover_cash(journal, CountingClock(), cash)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        kiosk.reader.insert()
        kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
        assert await settle_medical_bill(kiosk.desk) is Outcome.UNAVAILABLE
        nursery.cancel_scope.cancel()
    acts = [entry.act for entry in journal.entries()]
    assert "debt_owed" in acts
    assert "settle_intent" not in acts
    assert journal.unspent() == []
    owed = journal.outbox.due("hospital")
    assert owed is not None
    assert (owed.act, owed.facts["amount_fen"]) == ("debt_register", 5000)
    assert len(kiosk.receipts.papers) == 1
