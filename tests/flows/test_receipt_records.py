"""Every receipt that comes out is told to the host of its service, once, where that host wants to hear of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.receipt import ReceiptRecord
from kiosk.money.debts import AGENCY
from kiosk.money.receipt_records import ACT, receipt_record_notices
from kiosk.money.receipts_owed import receipts_owed
from kiosk.ports import DeviceFault, HostRefused, Outcome
from kiosk.settings.config import HostSettings
from tests.flows.fittings import FakeReader
from tests.flows.hospital import TERMINAL
from tests.flows.owed import Terminal
from tests.flows.people import KioskInMemory

CARD = FakeReader().identity.card_number
SETTLED: dict[str, str | int] = {
    "message_id": "m1", "bill": "B1", "settlement_id": "s-m1", "total_fen": 25_000, "fund_fen": 10_000,
    "account_fen": 9000, "shared_account_fen": 0, "cash_fen": 6000, "hospital_fen": 0, "receipt_owed": 1,
}  # fmt: skip
CREDITED: dict[str, str | int] = {
    "key": "c1", "kind": "resident_pension", "year": 2026, "amount_fen": 20_000, "number": "C1", "receipt_owed": 1,
}  # fmt: skip
HANDED_OVER: dict[str, str | int] = {"message_id": "m2", "held_fen": 7000, "receipt_owed": 1}
OUT_OF_PAPER = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))


class Counter(Terminal):
    """``keeps``: hosts that want to hear of receipts."""

    def __init__(self, folder: Path) -> None:
        self.keeps: tuple[str, ...] = ("hospital", AGENCY)
        super().__init__(folder)

    def new_kiosk(self, script: dict[str, Any]) -> KioskInMemory:
        kiosk = super().new_kiosk(script)
        hosts = {
            name: HostSettings(url="https://127.0.0.1", receipt_records=name in self.keeps)
            for name in ("hospital", AGENCY)
        }
        kiosk.desk.settings = msgspec.structs.replace(kiosk.settings, hosts=hosts)
        return kiosk

    def owes(self, act: str, **facts: str | int) -> str:
        """The number of the paper."""
        self.journal.commit(NewEntry(act, "900001", facts, CARD))
        return str(receipts_owed(self.journal, CARD)[-1].paper)

    async def collects(self, paper: str, **more: Any) -> Outcome | None:
        return await self.visit("collect_receipt", choose_receipt=paper, **more)


class Records:
    """A host that keeps records, or says that it does not."""

    def __init__(self, refuses: HostRefused | None = None) -> None:
        self.refuses = refuses
        self.kept: dict[str, tuple[str, ReceiptRecord]] = {}

    async def keep_record(self, card: CardIdentity, record: ReceiptRecord, key: str) -> None:
        if self.refuses:
            raise self.refuses
        assert self.kept.setdefault(key, (card.card_number, record)) == (card.card_number, record)

    async def hear(self, terminal: Terminal, host: str = "hospital") -> list[ReceiptRecord]:
        """All that the forwarder has for this host, each told twice as after a lost answer."""
        tell = receipt_record_notices(host, self, TERMINAL)[host, ACT]
        while (notice := terminal.journal.outbox.due(host)) is not None:
            await tell(notice)
            await tell(notice)
            terminal.journal.outbox.told(notice.key)
        return [record for _, record in self.kept.values()]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.journal.close()


async def test_the_hospital_hears_what_is_in_the_holders_hand(autojump_clock: MockClock, terminal: Counter) -> None:
    """Number, kind, act and money as the paper says them, under the holder's card, once however often it is told."""
    paper = terminal.owes("settled_late", **SETTLED, owed_fen=1000)
    assert await terminal.collects(paper) is Outcome.DONE
    records = Records()
    (record,) = await records.hear(terminal)
    assert {card for card, _ in records.kept.values()} == {CARD}
    assert (record.terminal_id, record.case_code, str(record.paper)) == (TERMINAL, "900001", paper)
    assert (record.kind, record.reference, record.reprint) == ("bill", "s-m1", False)
    assert (record.paid_out_fen, record.owed_fen, record.held_fen) == (0, 1000, 0)
    assert terminal.journal.unsent()[0] == 0


async def test_what_is_under_check_is_told_as_held(autojump_clock: MockClock, terminal: Counter) -> None:
    """A paper that says "outcome pending": its cash is neither paid out nor owed."""
    await terminal.collects(terminal.owes("settle_handed_over", **HANDED_OVER))
    (record,) = await Records().hear(terminal)
    assert (record.kind, record.reference) == ("bill_pending", "m2")
    assert (record.paid_out_fen, record.owed_fen, record.held_fen) == (0, 0, 7000)


async def test_only_what_came_out_is_told(autojump_clock: MockClock, terminal: Counter) -> None:
    """Without paper nothing is told; the copy that comes out later is told as a reprint."""

    def no_paper(kiosk: KioskInMemory) -> None:
        kiosk.receipts.fault = OUT_OF_PAPER

    paper = terminal.owes("settled_late", **SETTLED, owed_fen=0)
    assert await terminal.collects(paper, prepare=no_paper) is Outcome.UNKNOWN
    assert await Records().hear(terminal) == []
    await terminal.collects(paper)
    assert [record.reprint for record in await Records().hear(terminal)] == [True]


async def test_a_contribution_is_the_agencys(autojump_clock: MockClock, terminal: Counter) -> None:
    """Its receipt goes to the agency, by the agency's own number, and the hospital hears nothing of it."""
    await terminal.collects(terminal.owes("contribution_credited_late", **CREDITED))
    assert await Records().hear(terminal) == []
    (record,) = await Records().hear(terminal, AGENCY)
    assert (record.kind, record.reference) == ("contribution", "C1")


async def test_a_host_that_keeps_none_is_told_nothing(autojump_clock: MockClock, terminal: Counter) -> None:
    """Unless its settings say so, no record is made at all."""
    terminal.keeps = ()
    await terminal.collects(terminal.owes("settled_late", **SETTLED, owed_fen=0))
    assert ("receipt_delivered" in terminal.acts, terminal.journal.unsent()[0]) == (True, 0)


async def test_a_refusal_holds_up_nothing_of_the_card(autojump_clock: MockClock, terminal: Counter) -> None:
    """A host that has changed its mind says no: the record is over, and what comes after it for this card is told."""
    await terminal.collects(terminal.owes("settled_late", **SETTLED, owed_fen=0))
    assert await Records(HostRefused("hospital", "no_such_path")).hear(terminal) == []
    assert terminal.journal.unsent()[0] == 0
    await terminal.collects(terminal.owes("settle_handed_over", **HANDED_OVER))
    with pytest.raises(HostRefused):
        await Records(HostRefused("hospital", "busy", retry_after_s=9.0)).hear(terminal)
    assert terminal.journal.unsent()[0] == 1
