"""A note that waited too long in escrow and went back by itself, before anybody decided about it.

Found by the simulation (seed 46 of its day): the card was looked for meanwhile, and the note's intent never ended.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.cash import Returned
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse
from kiosk.money.recover import recover_cash
from kiosk.money.take_notes import GONE_BACK, RETURNED_MAX, acceptable_notes, take_one_note
from kiosk.ports import DeviceFault, Visit
from offline_queue.journal import SqliteJournal
from tests.flows.money import CashMachine
from tests.flows.people import CountingClock, KioskInMemory


class Impatient(CashMachine):
    """Has given the first notes back before it is told to stack them."""

    gives_back = 1

    async def stack(self) -> None:
        if not self.gives_back:
            await super().stack()
            return
        assert self.mouth is not None
        self.gives_back -= 1
        (denomination, name), self.mouth = self.mouth, None
        self.pocket.insert(0, denomination)
        self.tell(Returned(denomination, name))
        raise DeviceFault("cash_acceptor", Health(Condition.FAULT, GONE_BACK))


@pytest.fixture
async def at_the_slot(autojump_clock: MockClock, tmp_path: Path) -> AsyncIterator[tuple[KioskInMemory, Impatient]]:
    """One note in hand, and a card whose PIN was right."""
    cash = Impatient({1000: 9})
    cash.pocket = [Fen(5000)]
    journal = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    kiosk = KioskInMemory({}, cash=cash, journal=journal)
    await recover_cash(journal, CountingClock(), cash)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kiosk.supervisor.run)
        await kiosk.supervisor.wait_tried()
        kiosk.desk.visit = Visit(kiosk.reader.identity, kiosk.reader.holder, "000001", pin_verified=True)
        await cash.enable((Fen(5000),))
        yield kiosk, cash
        nursery.cancel_scope.cancel()
    assert journal.open_effects() == []
    journal.close()


def booked(kiosk: KioskInMemory) -> list[str]:
    return [entry.act for entry in kiosk.journal.entries() if entry.act.startswith("note_")]


async def test_its_intent_ends_when_the_device_says_that_it_went_back(
    at_the_slot: tuple[KioskInMemory, Impatient],
) -> None:
    """Booked as returned, fed again, credited once; no intent stays open."""
    kiosk, _ = at_the_slot
    purse = Purse()
    await take_one_note(kiosk.desk, purse)
    assert purse.inside_fen == 0
    await take_one_note(kiosk.desk, purse)
    assert purse.inside_fen == 5000
    assert booked(kiosk) == ["note_intent", "note_returned", "note_intent", "note_credited"]


async def test_a_device_that_gives_back_every_note_fills_no_journal(
    at_the_slot: tuple[KioskInMemory, Impatient],
) -> None:
    """Each time is an intent and its end, so that every note is explained; after so many times in one visit no note is
    asked for any more."""
    kiosk, cash = at_the_slot
    cash.gives_back, purse = 1000, Purse()
    while await acceptable_notes(kiosk.desk, Fen(10_000), purse):
        await take_one_note(kiosk.desk, purse)
    assert booked(kiosk) == ["note_intent", "note_returned"] * RETURNED_MAX
    assert (purse.inside_fen, cash.pocket) == (0, [Fen(5000)])
