"""A terminal in the field opens its old journal with the new program, and the old program again if that must be."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from kiosk.basics.chain import head_signed_by, link_of, sign_head
from kiosk.domain.entries import NewEntry
from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from offline_queue.schema import JournalUnusable
from offline_queue.sealing import Root, Sealer
from offline_queue.verify import open_read_only, verify

OLD_FILE = Path(__file__).parents[1] / "vectors" / "journal_1.sql"
OLD_ACTS = [
    "kiosk_started",
    "visit_opened",
    "note_intent",
    "note_credited",
    "settle_intent",
    "notice_owed",
    "notice_told",
]
SECRET = bytes(range(32))
CARD = "B00000131"
NOW = datetime.fromisoformat("2026-11-21T09:00:00+08:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "journal.key").write_bytes(SECRET)
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    connection.execute("pragma page_size = 2048; pragma journal_mode = wal")
    connection.execute(OLD_FILE.read_text())
    connection.close()
    return tmp_path


def open_new(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: NOW)


def is_whole(folder: Path) -> bool:
    reader = open_reader(folder)
    return verify(reader.connection, reader.public_key, root=reader.root).whole


# The statements of the program of 2026-11-21, as it sent them.
OLD_OPEN = """
create table if not exists "entry" ("seq" integer not null primary key);
create index if not exists entry_case on entry(case_code) where case_code != '';
create index if not exists entry_card on entry(card_index) where card_index != '';
create table if not exists "head" ("id" integer not null primary key);
create table if not exists "outbox_totals" ("id" integer not null primary key);
insert or ignore into head(id, seq, link, signature) values (1, 0, zeroblob(32), x'');
insert or ignore into outbox_totals(id, unsent_count, unsent_sum_fen, oldest_at, open_effects) values (1, 0, 0, '', 0);
"""
OLD_TOTALS = """
update outbox_totals set
    unsent_count = (select count(*) from notice where state = 'owed'),
    unsent_sum_fen = (select coalesce(sum(amount_fen), 0) from notice where state = 'owed'),
    oldest_at = coalesce((select at from entry where seq = (select min(seq) from notice where state = 'owed')), ''),
    open_effects = (select count(*) from effect)
"""


def old_commit(sql: Callable[..., Any], act: str, case_code: str, opens: str = "", closes: str = "") -> None:
    """What ``commit`` of that program did."""
    root = Root(SECRET)
    sql("begin immediate")
    last, before = next(iter(sql("select seq, link from head where id = 1")))
    (wrapped,) = next(iter(sql("select for_terminal from period where period = '2026-11'")))
    clear = (last + 1, "2026-11-21T09:10:00.000+08:00", act, case_code, root.card_index(CARD), "2026-11", "")
    sealed = Sealer(root.unwrap(wrapped, "2026-11")).seal(b"{}", str(last + 1))
    link = link_of(before, clear, sealed)
    sql(
        "insert into entry(seq, at, act, case_code, card_index, period, postings, sealed, link)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*clear, sealed, link),
    )
    signature = sign_head(root.signing, last + 1, link)
    sql("update head set seq = ?, link = ?, signature = ? where id = 1", (last + 1, link, signature))
    if opens:
        sql("insert into effect(key, seq) values (?, ?)", (opens, last + 1))
    sql("delete from effect where key = ?", (closes,))
    sql(OLD_TOTALS)
    sql("commit")


def test_old_file_opens_with_all_that_was_open(folder: Path) -> None:
    """Rows, open effects, money inside and owed notices of the old file are there, found by case and by card."""
    journal = open_new(folder)
    assert [entry.act for entry in journal.entries()] == OLD_ACTS
    assert [entry.facts for entry in journal.open_effects()] == [{"bill": "B1", "card_number": CARD}]
    assert [(entry.act, fen) for entry, fen in journal.unspent()] == [("note_credited", 10_000)]
    assert journal.outbox.unsent_count() == 1
    assert [entry.act for entry in journal.story("451207")] == OLD_ACTS[1:5]
    assert [entry.act for entry in journal.of_card(CARD)] == OLD_ACTS[1:5]
    journal.commit(NewEntry("settled", "451207", closes="settle:1"))
    journal.close()
    assert is_whole(folder)


def test_old_file_is_verified_as_it_is(folder: Path) -> None:
    """An auditor's copy of an old file needs no new program to have opened it for writing."""
    before = (folder / "journal.db").read_bytes()
    public_key = Root(SECRET).signing.public_key()
    assert verify(open_read_only(folder / "journal.db"), public_key).whole
    assert (folder / "journal.db").read_bytes() == before


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_update_can_be_taken_back_and_made_again(folder: Path, killed: bool) -> None:
    """Old, new, old, new: each finds what the other wrote, and the chain holds at the end."""
    new = open_new(folder)
    new.commit(NewEntry("settled", "451207", closes="settle:1"))
    if killed:
        new.database.close()  # nobody signed
    else:
        new.close()
    connection = apsw.Connection(str(folder / "journal.db"))
    sql = connection.execute
    sql(OLD_OPEN)
    old_commit(sql, "dispense_intent", "451208", opens="dispense:1")
    old_commit(sql, "dispensed", "451208", opens="other:1", closes="dispense:1")
    seq, link, signature = next(iter(sql("select seq, link, signature from head where id = 1")))
    assert head_signed_by(Root(SECRET).signing.public_key(), seq, link, signature)
    assert next(iter(sql("select unsent_count, open_effects from outbox_totals where id = 1"))) == (1, 1)
    connection.close()
    again = open_new(folder)
    assert [entry.act for entry in again.story("451208")] == ["dispense_intent", "dispensed"]
    assert [entry.act for entry in again.open_effects()] == ["dispensed"]
    assert again.record("kiosk_started") == len(OLD_ACTS) + 4
    again.close()
    assert is_whole(folder)


def test_row_of_a_stranger_is_never_signed(folder: Path) -> None:
    """Whoever adds a row and links it rightly, but has not the terminal's secret, stops the next start."""
    journal = open_new(folder)
    journal.record("kiosk_started")
    journal.close()
    connection = apsw.Connection(str(folder / "journal.db"))
    (last, link) = next(iter(connection.execute("select seq, link from head")))
    clear = (last + 1, "2026-11-21T09:10:00.000+08:00", "note_credited", "", "", "2026-11", "")
    row = (*clear, b"", link_of(link, clear, b""), bytes(16))
    connection.execute("insert into entry values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert not verify(connection, None, root=Root(SECRET)).whole
    connection.close()
    with pytest.raises(JournalUnusable, match=f"row {last + 1}"):
        open_new(folder)
