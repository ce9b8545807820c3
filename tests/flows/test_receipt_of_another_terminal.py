"""The final receipt of a bill that was left prints at any terminal, once as an original."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HeldReceipt
from kiosk.ports import DeviceFault, Outcome
from offline_queue.journal import SqliteJournal
from tests.flows.hospital import TERMINAL, deliver_all
from tests.flows.orders import OrderTerminal
from tests.flows.owed import NOW
from tests.flows.people import KioskInMemory

ELSEWHERE = "T0000002"
REPRINT = "补打"


class Hall(OrderTerminal):
    """Two terminals of one hospital; the holder stands in front of one of them. One process opens one journal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(folder / TERMINAL)

    def walk_to(self, terminal_id: str) -> None:
        self.journal.close()
        self.terminal_id = terminal_id
        self.journal = SqliteJournal(self._folder / terminal_id, lambda: NOW)
        self.new_forwarder()

    async def leave_and_settle(self) -> HeldReceipt:
        """A bill was left at the first one and is settled, and nobody has come for the receipt."""
        await self.leave(5000, 2000)
        await self.line_back()
        return next(iter(self.office.held.values()), None)  # type: ignore[return-value] # None: it keeps no register

    def paper(self, act: str) -> str:
        return str(next(entry.seq for entry in self.journal.entries() if entry.act == act))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.journal.close()


async def test_it_prints_where_the_holder_comes(autojump_clock: MockClock, hall: Hall) -> None:
    """The other terminal takes it over and says what was settled and owed; the first one knows that its is a copy."""
    held = await hall.leave_and_settle()
    assert (held.total_fen, held.cash_fen, held.owed_fen) == (25_000, 6000, 1000)
    hall.walk_to(ELSEWHERE)
    assert await hall.visit("collect_receipt", choose_receipt=held.key) is Outcome.DONE
    (paper,) = hall.papers
    assert paper[0] == "医疗费结算凭条"
    assert REPRINT not in paper
    assert any("60.00" in line for line in paper)

    hall.walk_to(TERMINAL)
    assert await hall.visit("collect_receipt", choose_receipt=hall.paper("settled_late")) is Outcome.DONE
    assert REPRINT in hall.papers[0]


async def test_it_prints_here_and_nowhere_else(autojump_clock: MockClock, hall: Hall) -> None:
    """Printed where the bill was left: the hospital hears of it, and shows it to no other terminal."""
    await hall.leave_and_settle()
    assert await hall.visit("collect_receipt", choose_receipt=hall.paper("settled_late")) is Outcome.DONE
    assert REPRINT not in hall.papers[0]
    await deliver_all(hall.journal, hall.office)
    hall.walk_to(ELSEWHERE)
    assert await hall.visit("collect_receipt") is Outcome.DONE
    assert hall.kiosk.screen.names()[-1] == "no_receipts"


async def test_a_paper_that_does_not_come_out_is_owed_there(autojump_clock: MockClock, hall: Hall) -> None:
    """Taken over is owed: the printer fails, and the same card gets it later from the same terminal."""
    held = await hall.leave_and_settle()
    hall.walk_to(ELSEWHERE)

    def jam(kiosk: KioskInMemory) -> None:
        kiosk.receipts.fault = DeviceFault("receipt_printer", Health(Condition.FAULT, "cutter"))

    assert await hall.visit("collect_receipt", prepare=jam, choose_receipt=held.key) is Outcome.UNKNOWN
    assert await hall.visit("collect_receipt", choose_receipt=hall.paper("receipt_taken")) is Outcome.DONE
    assert len(hall.papers) == 1


async def test_taken_elsewhere_meanwhile_is_an_answer(autojump_clock: MockClock, hall: Hall) -> None:
    """Another terminal was faster: nothing is printed here, and nothing is owed here."""
    held = await hall.leave_and_settle()
    hall.walk_to(ELSEWHERE)
    hall.office.before_take = lambda: hall.office.taken.setdefault(held.key, "another")
    assert await hall.visit("collect_receipt", choose_receipt=held.key) is Outcome.REFUSED
    assert hall.papers == []
    assert "receipt_taken" not in hall.acts


async def test_a_hospital_without_a_register_stops_nothing(autojump_clock: MockClock, hall: Hall) -> None:
    """It refuses: the paper prints where the bill was left, and no notice waits behind it."""
    hall.office.keeps_receipts = False
    await hall.leave_and_settle()
    assert hall.journal.unsent() == (0, Fen(0))
    assert await hall.visit("collect_receipt", choose_receipt=hall.paper("settled_late")) is Outcome.DONE
    assert REPRINT not in hall.papers[0]
