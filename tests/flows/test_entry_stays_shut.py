"""A cash module whose entry does not open although it says so: its slot is out of order while a resident feeds notes.

Found by the simulation: the service could not reach the module any more to end the feeding, so that the module still
wanted to take notes when nobody was there, and its slot stayed out of order until the process began anew.
"""

from datetime import UTC, datetime
from pathlib import Path

import trio
from trio.testing import MockClock

from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse
from kiosk.money.recover import recover_cash
from kiosk.ports import DeviceFault, Visit
from kiosk.services.bill_pages import feed_notes
from kiosk.services.cash_steps import collect_notes
from offline_queue.journal import SqliteJournal
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory


class Stuck(CashMachine):
    """Says that its entry is out of order as soon as it is to open it."""

    async def enable(self, denominations: object) -> None:
        self._enabled = frozenset({Fen(5000)})
        assert self.context is not None
        self.context.report(Health(Condition.FAULT, "stays_disabled"))

    @property
    def wants_notes(self) -> bool:
        return bool(self._enabled)


async def test_the_module_that_was_to_take_notes_is_told_to_end_it(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Whatever its slot says by then: after the service it takes no note from anybody."""
    cash, journal = Stuck({1000: 9}), SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    kiosk = KioskInMemory({}, cash=cash, journal=journal)
    await recover_cash(journal, CountingClock(), cash)
    stopped = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        kiosk.reader.insert()
        kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
        try:
            await collect_notes(kiosk.desk, Fen(5000), Purse(), feed_notes)
        except DeviceFault:
            stopped = True
        nursery.cancel_scope.cancel()
    assert stopped
    assert not cash.wants_notes
    journal.close()
