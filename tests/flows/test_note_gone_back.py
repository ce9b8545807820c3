"""A note that waited too long in escrow and went back by itself, before anybody decided about it.

Found by the simulation (seed 46 of its day): the card was looked for meanwhile, and the note's intent never ended.
"""

from datetime import UTC, datetime
from pathlib import Path

import trio
from trio.testing import MockClock

from kiosk.domain.cash import Returned
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse
from kiosk.money.recover import recover_cash
from kiosk.money.take_notes import GONE_BACK, take_one_note
from kiosk.ports import DeviceFault, Visit
from offline_queue.journal import SqliteJournal
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory


class Impatient(CashMachine):
    """Has given the first note back before it is told to stack it."""

    gave_back = False

    async def stack(self) -> None:
        if self.gave_back:
            await super().stack()
            return
        assert self.mouth is not None
        self.gave_back = True
        (denomination, name), self.mouth = self.mouth, None
        self.pocket.insert(0, denomination)
        self.tell(Returned(denomination, name))
        raise DeviceFault("cash_acceptor", Health(Condition.FAULT, GONE_BACK))


async def test_its_intent_ends_when_the_device_says_that_it_went_back(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Booked as returned, fed again, credited once; no intent stays open."""
    cash, purse = Impatient({1000: 9}), Purse()
    cash.pocket = [Fen(5000)]
    journal = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    kiosk = KioskInMemory({}, cash=cash, journal=journal)
    await recover_cash(journal, CountingClock(), cash)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
        await cash.enable((Fen(5000),))
        await take_one_note(kiosk.desk, purse)
        assert purse.inside_fen == 0
        await take_one_note(kiosk.desk, purse)
        nursery.cancel_scope.cancel()
    assert purse.inside_fen == 5000
    booked = [entry.act for entry in journal.entries() if entry.act.startswith("note_")]
    assert booked == ["note_intent", "note_returned", "note_intent", "note_credited"]
    assert journal.open_effects() == []
    journal.close()
