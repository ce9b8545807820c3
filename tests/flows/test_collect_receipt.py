"""Receipts that are owed: printed again from the journal's facts, marked where one may be out, never doubled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.money.receipts_owed import receipts_owed
from kiosk.ports import DeviceFault, Outcome, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from simulators.hosts.row_code import Code
from tests.flows.fittings import FakeReader
from tests.flows.owed import NOW, Terminal
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD

CARD = FakeReader().identity.card_number
OUT_OF_PAPER = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))
SILENT = OutcomeUnknown("receipt_printer", "silence")
SETTLED: dict[str, str | int] = {
    "message_id": "m1", "bill": "B1", "settlement_id": "s-m1", "total_fen": 25_000, "fund_fen": 10_000,
    "account_fen": 9000, "shared_account_fen": 0, "cash_fen": 6000, "hospital_fen": 0, "receipt_owed": 1,
}  # fmt: skip


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


def commit(journal: SqliteJournal, act: str, case: str = "900001", /, **facts: str | int) -> None:
    journal.commit(NewEntry(act, case, facts, CARD))


def papers(terminal: Terminal) -> list[str]:
    return [str(one.paper) for one in receipts_owed(terminal.journal, CARD)]


async def collect(terminal: Terminal, paper: str, **more: Any) -> Outcome | None:
    return await terminal.visit("collect_receipt", choose_receipt=paper, **more)


def fails(problem: Exception) -> Any:
    def prepare(kiosk: KioskInMemory) -> None:
        kiosk.receipts.fault = problem

    return prepare


async def test_nothing_is_owed(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Without an owed paper the page says so and nothing is printed."""
    assert await terminal.visit("collect_receipt") is Outcome.DONE
    assert "no_receipts" in terminal.kiosk.screen.names()
    assert terminal.papers == []


async def test_a_crash_between_settled_and_paper_leaves_it_owed(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Everything that the receipt says comes from the journal, with the number and time of the visit it belongs to."""
    commit(terminal.journal, "settled", **SETTLED)
    terminal.journal.commit(NewEntry("dispensed", "900001", {"paid_fen": 1000, "unaccounted_fen": 0}, CARD))
    commit(terminal.journal, "debt_owed", amount_fen=50, reason="power_cut", key="k")
    (paper,) = papers(terminal)
    assert await collect(terminal, paper) is Outcome.DONE
    (lines,) = terminal.papers
    (printed,) = terminal.kiosk.receipts.papers
    assert printed.qr is not None
    row = Code(printed.qr).row
    assert (str(row.seq), row.act, row.case_code) == (paper, "settled", "900001")
    told = {"补打", "总金额：¥ 250.00 元", "已找零：¥ 10.00 元", "还欠您：¥ 0.50 元", "结算编号：s-m1"}
    assert told <= set(lines)
    assert any("9000 01" in line for line in lines)
    assert any(f"{NOW:%H:%M}" in line for line in lines)
    assert papers(terminal) == []


async def test_a_bill_that_was_settled_late_gets_its_receipt(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Whoever left with "outcome pending" comes back for this paper; it is a first one and bears no mark."""
    commit(terminal.journal, "settle_handed_over", message_id="m1", held_fen=7000, receipt_owed=1)
    commit(terminal.journal, "receipt_delivered")
    assert papers(terminal) == []
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=1000)
    (paper,) = papers(terminal)
    assert await collect(terminal, paper) is Outcome.DONE
    (lines,) = terminal.papers
    assert "补打" not in lines
    assert "还欠您：¥ 10.00 元" in lines


async def test_what_is_known_replaces_what_was_pending(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A pending paper that never came out is not printed any more once the outcome is known."""
    commit(terminal.journal, "settle_handed_over", message_id="m1", held_fen=7000, receipt_owed=1)
    assert [one.kind for one in receipts_owed(terminal.journal, CARD)] == ["bill_pending"]
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=1000)
    assert [one.kind for one in receipts_owed(terminal.journal, CARD)] == ["bill"]


@pytest.mark.parametrize("problem", [OUT_OF_PAPER, SILENT], ids=["paper out", "silent printer"])
async def test_only_printed_clears_it(autojump_clock: MockClock, terminal: Terminal, problem: Exception) -> None:
    """A failed or doubtful print leaves it owed, and from then on every copy is marked."""
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=0)
    (paper,) = papers(terminal)
    assert await collect(terminal, paper, prepare=fails(problem)) is Outcome.UNKNOWN
    assert papers(terminal) == [paper]
    assert await collect(terminal, paper) is Outcome.DONE
    assert terminal.papers[0][1] == "补打"
    assert papers(terminal) == []


async def test_a_printer_that_is_out_costs_no_mark(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Known to be out before anything is sent: nothing was tried, so the next one is still a first one."""
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=0)
    (paper,) = papers(terminal)

    def out_of_paper(kiosk: KioskInMemory) -> None:
        kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")

    assert await collect(terminal, paper, prepare=out_of_paper) is Outcome.UNAVAILABLE
    assert not receipts_owed(terminal.journal, CARD)[0].tried


async def test_one_after_another(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Two papers are two prints in one visit, and the page says that another one waits."""
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=0)
    commit(terminal.journal, "deposited_late", "900002", key="k9", amount_fen=20_000, admission="ZY1", receipt_owed=1)
    first, second = papers(terminal)
    script: dict[str, Any] = {"choose_receipt": [second, first]}
    assert await terminal.visit("collect_receipt", **script) is Outcome.DONE
    assert [lines[0] for lines in terminal.papers] == ["住院预交金凭条", "医疗费结算凭条"]
    assert papers(terminal) == []


async def test_nobody_elses_paper_is_shown(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Another card's papers are not this holder's, and a delivered one is nobody's any more."""
    terminal.journal.commit(NewEntry("settled", "900003", SETTLED, "B00000131"))
    commit(terminal.journal, "settled", **SETTLED)
    commit(terminal.journal, "receipt_delivered")
    assert papers(terminal) == []


async def test_two_services_of_one_visit_keep_their_money_apart(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Notes given back by the second service do not appear as change on the first one's paper."""
    commit(terminal.journal, "settled", **SETTLED)
    terminal.journal.record("receipt_not_confirmed", "900001")
    terminal.journal.record("service_ended", "900001", service="settle_medical_bill")
    back = balanced((Account.DRUMS, -2000), (Account.RESIDENT, 2000))
    terminal.journal.commit(NewEntry("dispensed", "900001", {"paid_fen": 2000, "unaccounted_fen": 0}, CARD, back))
    bill, money = receipts_owed(terminal.journal, CARD)
    assert (bill.kind, bill.paid_out_fen, money.kind, money.paid_out_fen) == ("bill", 0, "money", 2000)


async def test_whoever_takes_the_card_after_the_paper_leaves_nothing_standing(
    autojump_clock: MockClock, terminal: Terminal
) -> None:
    """The page about the printed paper ends with the card; the next resident waits for nothing."""
    commit(terminal.journal, "settled", **SETTLED)
    (paper,) = papers(terminal)
    script = {"menu": ["collect_receipt"], "choose_receipt": paper, "receipt_printed": PULLS_CARD}
    kiosk = terminal.new_kiosk(script)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(card_after_a_while, kiosk)
        began = trio.current_time()
        await kiosk.serve(lambda: "visit_closed" in [entry.act for entry in terminal.journal.entries()])
    assert "receipt_printed" in kiosk.screen.names()
    assert trio.current_time() - began < kiosk.desk.settings.timing.question_s / 2
    assert papers(terminal) == []


async def card_after_a_while(kiosk: KioskInMemory) -> None:
    await trio.sleep(3)
    kiosk.reader.insert()


async def menu_of(terminal: Terminal) -> list[tuple[str, bool]]:
    """Names of the menu's tiles, and whether each says that something waits, before any PIN was asked for."""
    kiosk = terminal.new_kiosk({})

    async with trio.open_nursery() as nursery:
        nursery.start_soon(card_after_a_while, kiosk)
        await kiosk.serve(lambda: "menu" in kiosk.screen.names())
    menu = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert "pin_entry" not in kiosk.screen.names()
    assert not any(answer.note and answer.note.personal for answer in menu.answers)
    return [(answer.value, answer.note is not None) for answer in menu.answers]


async def test_the_menu_says_that_a_paper_waits(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The tile of owed papers stands first while one is owed, and not at all otherwise; it names no amount."""
    terminal = Terminal(tmp_path)
    assert "collect_receipt" not in dict(await menu_of(terminal))
    commit(terminal.journal, "settled_late", **SETTLED, owed_fen=0)
    assert (await menu_of(terminal))[0] == ("collect_receipt", True)
    (paper,) = papers(terminal)
    await collect(terminal, paper)
    assert "collect_receipt" not in dict(await menu_of(terminal))
    terminal.journal.close()


async def test_the_menu_says_that_money_waits(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A debt that this terminal wrote down brings its tile to the front until the holder has looked at the register."""
    terminal = Terminal(tmp_path)
    terminal.hosts_named = ("hospital",)
    assert dict(await menu_of(terminal))["collect_money"] is False
    commit(terminal.journal, "debt_owed", amount_fen=5000, reason="power_cut", key="k")
    assert ("collect_money", True) in (await menu_of(terminal))[:2]
    assert await terminal.visit("collect_money") is Outcome.DONE
    assert dict(await menu_of(terminal))["collect_money"] is False
    terminal.journal.close()
