"""What the kiosk tells the bank between visits: when, how often, and never while somebody is served."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, totals
from kiosk.domain.money import Fen
from kiosk.money.bank_record import JournalBankRecord
from kiosk.money.drive_bank import keep_bank_driven
from kiosk.ports import HostRefused, OutcomeUnknown
from kiosk.ports.money import BankIntent, ReversalDisputed
from offline_queue.journal import SqliteJournal

INTENT = BankIntent("purchase", "000007", "000001", Fen(6000), "000000", "051", "9990010000000000019", "3512", "01")


@dataclass
class Acquirer:
    """As much of a ``Bank`` as the background needs. ``answers``: what each 0400 meets; then silence."""

    answers: list[Exception | None] = field(default_factory=list)
    sign_ons: int = 0
    reversals: list[tuple[str, float]] = field(default_factory=list)
    signs_on: bool = True

    async def sign_on(self) -> None:
        await trio.lowlevel.checkpoint()
        self.sign_ons += 1
        if not self.signs_on:
            raise HostRefused("bank", "line_down")

    async def reverse(self, trace_number: str) -> None:
        await trio.lowlevel.checkpoint()
        self.reversals.append((trace_number, trio.current_time()))
        answer = self.answers.pop(0) if self.answers else OutcomeUnknown("bank", "silence")
        if answer is not None:
            raise answer

    async def send_notices(self) -> None:
        raise AssertionError("no notice is owed")


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    JournalBankRecord(opened, lambda: ("451207", "A00000012")).keep(INTENT)
    yield opened
    opened.close()


async def drive(journal: SqliteJournal, bank: Any, seconds: float, live: list[str] | None = None) -> None:
    with trio.move_on_after(seconds):
        await keep_bank_driven(journal, bank, lambda *_, **__: None, lambda: "".join(live or []))


def suspense(journal: SqliteJournal) -> int:
    return totals([one for entry in journal.entries() for one in entry.postings]).get(Account.SUSPENSE, Fen(0))


async def test_an_open_act_is_reversed_until_answered(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """Two silences, then yes: closed, with nothing in suspense, and not asked again."""
    bank = Acquirer([OutcomeUnknown("bank", "silence"), OutcomeUnknown("bank", "silence"), None])
    await drive(journal, bank, 600)
    assert len(bank.reversals) == 3
    assert journal.open_effects() == []
    assert suspense(journal) == 0


async def test_the_third_silence_makes_a_case(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """The money goes to suspense once; the bank goes on being asked, rarer, and the journal does not grow with it."""
    bank = Acquirer()
    await drive(journal, bank, 7200)
    acts = [entry.act for entry in journal.entries()]
    assert (acts.count("bank_reversal_unanswered"), acts.count("bank_suspended")) == (3, 1)
    assert suspense(journal) == -6000
    times = [at for _, at in bank.reversals]
    assert times[-1] - times[-2] == pytest.approx(300.0)
    assert len(times) < 40


async def test_a_late_answer_empties_the_suspense(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """After the case was made the bank confirms: nothing is left to explain."""
    bank = Acquirer([OutcomeUnknown("bank", "silence")] * 5 + [None])
    await drive(journal, bank, 7200)
    assert suspense(journal) == 0
    assert journal.open_effects() == []


async def test_a_disputed_reversal_is_not_asked_again(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """12 and 25 are answers that stay: a case at once, and only reconciliation closes it (rule 1)."""
    bank = Acquirer([ReversalDisputed("bank", "reversal answered 25")])
    await drive(journal, bank, 7200)
    assert len(bank.reversals) == 1
    assert suspense(journal) == -6000
    assert len(journal.open_effects()) == 1


async def test_the_oldest_act_comes_first(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """What is behind an unanswered act waits for it: the bank has the terminal's acts in their order."""
    JournalBankRecord(journal, lambda: ("451208", "")).keep(replace(INTENT, trace_number="000008"))
    bank = Acquirer([OutcomeUnknown("bank", "silence"), None, None])
    await drive(journal, bank, 600)
    assert [trace for trace, _ in bank.reversals] == ["000007", "000007", "000008"]


async def test_nothing_is_sent_while_a_visit_goes_on(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """Pad and card are the resident's: sign-on and reversal wait until nobody is there."""
    bank, live = Acquirer([None]), ["000009"]
    await drive(journal, bank, 600, live)
    assert (bank.sign_ons, bank.reversals) == (0, [])
    live.clear()
    await drive(journal, bank, 600, live)
    assert (bank.sign_ons, len(bank.reversals)) == (1, 1)


async def test_keys_are_fetched_before_they_are_too_old(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Four sign-ons a day; while the bank does not answer it is tried again and again."""
    empty = SqliteJournal(tmp_path / "empty", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    bank = Acquirer()
    await drive(empty, bank, 86_000)
    assert bank.sign_ons == 4
    bank.signs_on = False
    await drive(empty, bank, 120)
    assert bank.sign_ons > 6
    empty.close()
