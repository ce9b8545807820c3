"""The journal's readers: what staff and auditors see."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.records.books import main, tell_case
from offline_queue.journal import SqliteJournal

CARD = "B00000131"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A terminal whose journal holds one note and one debt."""
    journal = SqliteJournal(tmp_path / "data", lambda: datetime(2026, 11, 21, 10, tzinfo=UTC))
    fed = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    owed = balanced((Account.RESIDENT, 10_000), (Account.HOLDER_DEBT, -10_000))
    journal.commit(NewEntry("note_credited", "451207", {"denomination_fen": 10_000}, CARD, fed))
    journal.commit(NewEntry("debt_owed", "451207", {"amount_fen": 10_000}, CARD, owed))
    journal.close()
    path = tmp_path / "settings.toml"
    path.write_text(f'run_dir = "{tmp_path}/run"\ndata_dir = "{tmp_path}/data"\n')
    return path


def test_whole_journal_verifies(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An untouched journal is whole, and its head is this terminal's."""
    assert main(["--settings", str(settings), "verify"]) == 0
    assert "2 rows: whole" in capsys.readouterr().out


def test_touched_journal_does_not(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edited amount is found and the exit status says so."""
    connection = apsw.Connection(str(settings.parent / "data" / "journal.db"))
    connection.execute("update entry set postings = 'cash_box:1 resident:-1' where seq = 1")
    connection.close()
    assert main(["--settings", str(settings), "verify"]) == 1
    assert "row 1" in capsys.readouterr().out


def test_a_receipt_is_an_anchor(settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code of a receipt vouches for its row: a journal that ends before it, or has another row there, is broken;
    a code of another terminal, or one that was read wrongly, says nothing."""
    journal = SqliteJournal(tmp_path / "data", lambda: datetime(2026, 11, 21, 10, tzinfo=UTC))
    code = journal.row_code("T0000001", 2)
    journal.close()
    whole = (tmp_path / "data" / "journal.db").read_bytes()
    assert main(["--settings", str(settings), "verify", "--anchor", code]) == 0
    journal = SqliteJournal(tmp_path / "data", lambda: datetime(2026, 11, 21, 10, tzinfo=UTC))
    later = journal.row_code("T0000001", journal.record("visit_opened"))
    journal.close()
    for beside in (tmp_path / "data").glob("journal.db-*"):
        beside.unlink()
    (tmp_path / "data" / "journal.db").write_bytes(whole)
    assert main(["--settings", str(settings), "verify", "--anchor", later]) == 1
    assert "ends before the anchored head" in capsys.readouterr().out
    stranger = SqliteJournal(tmp_path / "stranger", lambda: datetime(2026, 11, 21, 10, tzinfo=UTC))
    foreign = stranger.row_code("T0000001", stranger.record("visit_opened"))
    stranger.close()
    for bad, why in ((foreign, "not signed by this terminal"), (code[:-2], "--anchor"), ("YKT1:a", "not base45")):
        assert main(["--settings", str(settings), "verify", "--anchor", bad]) == 2
        assert why in capsys.readouterr().err


def test_statement_shows_movement_and_balance(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The day's books name each account with what moved and what is there."""
    assert main(["--settings", str(settings), "statement", "2026-11-21"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["cash_box", "100.00", "100.00"] for line in lines)
    assert any(line.split() == ["holder_debt", "-100.00", "-100.00"] for line in lines)


def test_audit_file_holds_every_entry_and_is_never_overwritten(settings: Path) -> None:
    """An auditor's file has a line an entry; writing over an existing one is refused."""
    file = settings.parent / "audit.jsonl"
    assert main(["--settings", str(settings), "audit", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [row["act"] for row in rows] == ["note_credited", "debt_owed"]
    assert main(["--settings", str(settings), "audit", str(file)]) == 2


def test_case_is_told_in_words_with_the_card_masked(settings: Path) -> None:
    """One story: what happened, the amounts, and only the end of the card's number."""
    story = tell_case(settings.parent / "data", "4512 07")
    assert "The note was taken and credited." in story
    assert "100.00" in story
    assert CARD not in story
    assert "...0131" in story
    assert "No case" in tell_case(settings.parent / "data", "000000")


def test_missing_journal_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path ends in a sentence, not in a traceback."""
    assert main(["--settings", str(tmp_path / "none.toml"), "verify"]) == 2
    assert "none.toml" in capsys.readouterr().err
