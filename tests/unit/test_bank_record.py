"""What the journal keeps of acts at the bank: sealed, open until their outcome, and there after a restart."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.money.bank_record import (
    JournalBankRecord,
    bank_facts,
    close_act,
    intent_of,
    open_act,
    payment_of,
)
from kiosk.ports.money import BankIntent, BankPayment
from kiosk.records.books import main, tell_case
from offline_queue.journal import SqliteJournal

PAN, CHIP = "9990010000000000019", "9F360200019F10"
INTENT = BankIntent("purchase", "000007", "000001", Fen(6000), "000000", "051", PAN, "3512", "01", CHIP)
PAID = BankPayment("000007", "000001", "000000000042", "000009", Fen(6000), "999001*********0019", "1121")


def opened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = opened(tmp_path / "data")
    yield made
    made.close()


def record_of(journal: SqliteJournal, case: str = "451207") -> JournalBankRecord:
    return JournalBankRecord(journal, lambda: (case, "A00000012"))


def test_an_intent_is_found_after_a_restart(tmp_path: Path) -> None:
    """Whatever was kept when the power went, a reversal can be made of it, by the newest that was known."""
    before = opened(tmp_path)
    record_of(before).keep(INTENT)
    record_of(before).keep(replace(INTENT, reason="06", authorization="000009"))
    before.close()
    after = opened(tmp_path)
    record = record_of(after, case="")
    assert record.open_traces() == ("000007",)
    assert record.find("000007") == replace(INTENT, reason="06", authorization="000009")
    assert record.find("000008") is None
    after.close()


def test_an_outcome_closes_the_act(journal: SqliteJournal) -> None:
    """Closed with its trace number and facts, in the case that opened it; then nothing is open and nothing is found."""
    record = record_of(journal)
    record.keep(INTENT)
    record.keep(replace(INTENT, trace_number="000008"))
    first = open_act(journal, "000007")
    assert first is not None
    close_act(journal, first, "bank_refused", {"code": "51"})
    assert record.open_traces() == ("000008",)
    assert record.find("000007") is None
    assert journal.story("451207")[-1].facts == {"trace_number": "000007", "code": "51", "card_number": "A00000012"}


def test_the_same_trace_number_of_another_batch_is_another_act(journal: SqliteJournal) -> None:
    """Trace numbers begin again with a batch: both may be open."""
    record = record_of(journal)
    record.keep(INTENT)
    first = open_act(journal, "000007")
    assert first is not None
    close_act(journal, first, "bank_reversed", {})
    record.keep(replace(INTENT, batch_number="000002"))
    again = open_act(journal, "000007")
    assert again is not None
    assert intent_of(again).batch_number == "000002"


def test_script_results_are_owed_until_the_bank_took_them(journal: SqliteJournal) -> None:
    """A notice blocks no other act, and is gone once the bank answered."""
    record = record_of(journal)
    notice = replace(INTENT, kind="script_notice", trace_number="000009")
    record.keep(notice)
    assert record.open_traces() == ()
    assert record.owed_notices() == (notice,)
    record.noticed("000009")
    assert record.owed_notices() == ()
    assert journal.open_effects() == []


def test_one_commit_closes_payment_and_debt(journal: SqliteJournal) -> None:
    """An entry may be the outcome of several intents: no cut can come between them."""
    record_of(journal).keep(INTENT)
    journal.commit(NewEntry("settled_unpaid", "451207", {"message_id": "m1"}, opens="due:m1"))
    journal.commit(NewEntry("settled", "451207", {}, closes="due:m1", closes_too=("bank:000001:000007",)))
    assert journal.open_effects() == []


def test_a_payment_is_read_back_from_what_was_settled(journal: SqliteJournal) -> None:
    """A void or a refund finds in the journal everything that the bank will ask for."""
    journal.commit(NewEntry("settled", "451207", {"message_id": "m1", **bank_facts(PAID)}))
    journal.commit(NewEntry("settled", "451208", {"message_id": "m2"}))
    assert [payment_of(entry) for entry in journal.entries()] == [PAID, None]


def test_no_reader_shows_a_bank_card(tmp_path: Path) -> None:
    """Neither the file, nor a case told, nor the auditor's copy holds the number or what the chip said."""
    made = opened(tmp_path / "data")
    record_of(made).keep(INTENT)
    made.close()
    settings = tmp_path / "settings.toml"
    settings.write_text(f'run_dir = "{tmp_path}/run"\ndata_dir = "{tmp_path}/data"\n')
    audit = tmp_path / "audit.jsonl"
    assert main(["--settings", str(settings), "audit", str(audit)]) == 0
    shown = tell_case(tmp_path / "data", "451207") + audit.read_text()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert json.loads(audit.read_text().splitlines()[0])["facts"]["pan"] == "999001*********0019"
    assert PAN not in shown
    assert CHIP not in shown
    assert PAN.encode() not in stored
