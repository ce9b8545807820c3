"""The journal of acts and the notices that hosts are owed."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.basics.chain import head_signed_by, link_of
from kiosk.domain.books import Account, Posting, Unbalanced, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from offline_queue.append import SIGNED_EVERY
from offline_queue.head import signed_head
from offline_queue.journal import SqliteJournal
from offline_queue.periods import Periods
from offline_queue.schema import PAGE_BYTES, JournalUnusable
from offline_queue.sealing import Root, SealBroken, Sealer, unwrap_by_agency
from offline_queue.verify import open_read_only, statement, verify
from offline_queue.wal import CALM_PAGES

CARD = "B00000131"


def open_journal(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def test_acts_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    """What was recorded is there for the next process, in the order of ``seq``, and the chain holds."""
    first = open_journal(tmp_path)
    first.record("visit_opened", "000001", card_spec="2.00")
    first.record("visit_closed", "000001", how="stopped")
    first.close()
    second = open_journal(tmp_path)
    assert [(entry.act, entry.facts) for entry in second.entries()] == [
        ("visit_opened", {"card_spec": "2.00"}),
        ("visit_closed", {"how": "stopped"}),
    ]
    second.close()
    assert verify(open_read_only(tmp_path / "journal.db"), None).whole


@pytest.mark.parametrize(
    "change",
    [
        "update entry set at='2020' where seq=2",
        "update entry set postings='cash_box:1' where seq=2",
        "update entry set sealed=x'00' where seq=2",
        "delete from entry where seq=2",
        "delete from entry where seq=4",
        "update head set signature=x'00'",
    ],
)
def test_changed_or_missing_row_breaks_the_chain(tmp_path: Path, change: str) -> None:
    """An edit behind the journal's back is found, wherever it is made."""
    journal = open_journal(tmp_path)
    for count in range(4):
        journal.record("step", "", count=count)
    journal.close()
    public_key = Root.at(tmp_path / "journal.key").signing.public_key()
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    assert verify(connection, public_key).whole
    connection.execute(change)
    assert not verify(connection, public_key).whole


def test_rewritten_end_is_found_by_the_anchor(tmp_path: Path) -> None:
    """A thief who restores an old copy, chain and signature whole, is betrayed by a head seen outside."""
    journal = open_journal(tmp_path)
    journal.record("step")
    connection = open_read_only(tmp_path / "journal.db")
    journal.record("step")
    later = next(iter(connection.execute("select seq, link from head")))
    assert verify(connection, None, anchor=later).whole
    connection.close()
    journal.close()
    old = apsw.Connection(str(tmp_path / "journal.db"))
    old.execute("delete from entry where seq=2")
    old.execute("update head set seq=1, link=(select link from entry where seq=1)")
    assert verify(old, None).whole
    assert not verify(old, None, anchor=later).whole


def test_head_is_signed_for_whoever_asks(tmp_path: Path) -> None:
    """The head that goes out is the newest row, signed; unasked, every sixteenth row is signed."""
    journal = open_journal(tmp_path)
    public_key = Root.at(tmp_path / "journal.key").signing.public_key()
    signed = []
    for _ in range(SIGNED_EVERY + 3):
        journal.record("step")
        signed.append(signed_head(journal.database.connection()).seq)
    assert signed == [0] * (SIGNED_EVERY - 1) + [SIGNED_EVERY] * 4
    head = journal.signed_head()
    assert head.seq == SIGNED_EVERY + 3
    assert head_signed_by(public_key, head.seq, head.link, head.signature)
    assert verify(open_read_only(tmp_path / "journal.db"), public_key, anchor=(head.seq, head.link)).whole
    journal.close()


def test_rows_that_nobody_signed_are_proved(tmp_path: Path) -> None:
    """After a power cut the newest rows have no signature; an edit of theirs is found by the terminal's own secret."""
    journal = open_journal(tmp_path)
    for count in range(4):
        journal.record("step", count=count)
    root = Root.at(tmp_path / "journal.key")
    journal.database.close()  # as a power cut leaves it
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    verdict = verify(connection, root.signing.public_key(), root=root)
    assert verdict.whole and verdict.unsigned == 4
    before = next(iter(connection.execute("select link from entry where seq = 3")))[0]
    *clear, sealed = next(
        iter(
            connection.execute(
                "select seq, at, 'other', case_code, card_index, period, '', sealed from entry where seq = 4"
            )
        )
    )
    link = link_of(before, tuple(clear), sealed)
    connection.execute("update entry set act = 'other', link = ? where seq = 4", (link,))
    assert verify(connection, root.signing.public_key()).whole
    assert verify(connection, root.signing.public_key(), root=root).broken_at == 4


def test_log_is_carried_over_between_visits(tmp_path: Path) -> None:
    """While an effect is open the log only grows; the first commit after it makes the log begin anew."""
    journal = open_journal(tmp_path)
    log = tmp_path / "journal.db-wal"
    journal.commit(NewEntry("settle_intent", opens="key-1"))
    while log.stat().st_size < 1.2 * CALM_PAGES * PAGE_BYTES:
        journal.record("step", "000001")
    content = (tmp_path / "journal.db").stat().st_size
    journal.commit(NewEntry("settled", closes="key-1"))
    size = log.stat().st_size
    assert (tmp_path / "journal.db").stat().st_size > content
    for _ in range(50):
        journal.record("step", "000001")
    assert log.stat().st_size == size
    journal.close()


def test_newest_of_an_act_is_found_however_often_it_is_asked(journal: SqliteJournal) -> None:
    """Before there is one, after it came, and after a newer one; of one act and of several."""

    def newest(*acts: str) -> int:
        found = journal.last(*acts)
        return found.seq if found else 0

    found = [newest("a"), newest("a", "b")]
    for act in ("b", "a", "b", "b", "a"):
        journal.record(act)
        found += [newest("a"), newest("a", "b")]
    assert found == [0, 0, 0, 1, 2, 2, 2, 3, 2, 4, 5, 5]


def test_notice_stays_owed_until_it_is_told(journal: SqliteJournal) -> None:
    """A notice is owed over failed tries, and gone with its content once the host took it."""
    journal.owe_notice("card_platform", "pin_changed", "key-1", card_number=CARD, at="2026-11-21T10:00:00+08:00")
    journal.outbox.unanswered("key-1")
    assert journal.outbox.due("hospital") is None
    owed = journal.outbox.due("card_platform")
    assert owed is not None
    assert (owed.key, owed.tries, owed.facts["card_number"]) == ("key-1", 1, CARD)
    journal.outbox.told("key-1")
    assert journal.outbox.due("card_platform") is None
    assert journal.outbox.unsent_count() == 0


def test_no_card_number_stands_in_the_files(tmp_path: Path) -> None:
    """A notice may name a card, but nothing on the disk shows it; the search does find what is not sealed."""
    journal = open_journal(tmp_path)
    journal.owe_notice("card_platform", "pin_changed", "key-1", card_number=CARD)
    journal.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"key-1" in written
    assert CARD.encode() not in written


def test_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The sealing key is made once, with mode 0600."""
    open_journal(tmp_path).close()
    key = tmp_path / "journal.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    open_journal(tmp_path).close()
    assert key.read_bytes() == before


def test_a_key_that_the_power_cut_short_is_no_key(tmp_path: Path) -> None:
    """What was not finished has another name: the next start makes the key, and leaves nothing else behind."""
    (tmp_path / f"journal.{os.getpid()}.new").write_bytes(b"short")
    open_journal(tmp_path).close()
    assert len((tmp_path / "journal.key").read_bytes()) == 32
    assert stat.S_IMODE((tmp_path / "journal.key").stat().st_mode) == 0o600
    assert list(tmp_path.glob("*.new")) == []


def test_sealed_bytes_belong_to_their_row() -> None:
    """Sealed content moved to another row does not open."""
    sealer = Sealer(bytes(32))
    sealed = sealer.seal(b"content", "row-1")
    assert sealer.open(sealed, "row-1") == b"content"
    with pytest.raises(SealBroken):
        sealer.open(sealed, "row-2")
    with pytest.raises(SealBroken):
        sealer.open(b"short", "row-1")


def test_file_that_is_no_journal_stops_the_start(tmp_path: Path) -> None:
    """A damaged file is told to staff, not overwritten."""
    (tmp_path / "journal.db").write_bytes(os.urandom(8192))
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalUnusable):
        open_journal(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == before


def test_case_codes_in_use_are_known(journal: SqliteJournal) -> None:
    """A code that stands in the journal is not given out again."""
    journal.record("staff_called", "451207")
    assert journal.case_code_known("451207")
    assert not journal.case_code_known("451208")


def test_postings_balance_or_nothing_is_written(journal: SqliteJournal) -> None:
    """One fen that comes from nowhere refuses the whole act."""
    whole = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    journal.commit(NewEntry("note_stacked", "000001", postings=whole))
    with pytest.raises(Unbalanced):
        journal.commit(NewEntry("note_stacked", "000001", postings=(*whole, Posting(Account.SUSPENSE, Fen(1)))))
    assert [entry.postings for entry in journal.entries()] == [whole]


def test_intent_without_outcome_is_found_after_a_restart(tmp_path: Path) -> None:
    """A power cut between intent and outcome leaves the effect open; its outcome closes it."""
    journal = open_journal(tmp_path)
    journal.commit(NewEntry("settle_intent", "000001", {"bill": "B1"}, opens="key-1"))
    journal.close()
    again = open_journal(tmp_path)
    assert [(entry.act, entry.facts) for entry in again.open_effects()] == [("settle_intent", {"bill": "B1"})]
    again.commit(NewEntry("settled", "000001", closes="key-1"))
    assert again.open_effects() == []
    again.close()


def test_key_of_an_effect_is_used_once(journal: SqliteJournal) -> None:
    """The same key cannot open two effects, and the refused act leaves no entry."""
    journal.commit(NewEntry("settle_intent", opens="key-1"))
    with pytest.raises(apsw.ConstraintError):
        journal.commit(NewEntry("settle_intent", opens="key-1"))
    assert len(journal.entries()) == 1


def test_month_that_begins_with_a_refused_commit_is_readable(tmp_path: Path) -> None:
    """The sealing key that a refused commit made went with it; what comes after is sealed under one that is kept."""
    month = iter(("2026-11", "2026-12", "2026-12"))
    journal = SqliteJournal(tmp_path, lambda: datetime.fromisoformat(f"{next(month)}-30T10:00:00+08:00"))
    journal.commit(NewEntry("settle_intent", opens="key-1"))
    with pytest.raises(apsw.ConstraintError):
        journal.commit(NewEntry("settle_intent", opens="key-1"))
    journal.record("step", "000001", count=1)
    journal.close()
    again = open_journal(tmp_path)
    assert again.story("000001")[0].facts == {"count": 1}
    again.close()


def test_card_is_found_by_its_number_and_not_named(tmp_path: Path) -> None:
    """Entries of one card are found by its number, which stands nowhere in the file."""
    journal = open_journal(tmp_path)
    journal.commit(NewEntry("visit", card_number=CARD))
    journal.commit(NewEntry("visit", card_number="X00000019"))
    assert [entry.seq for entry in journal.of_card(CARD)] == [1]
    journal.close()
    assert CARD.encode() not in (tmp_path / "journal.db").read_bytes()


def test_agency_opens_what_a_dead_board_left(tmp_path: Path) -> None:
    """With the recovery key alone, without the terminal's root, a sealed row is readable."""
    recovery = rsa.generate_private_key(65537, 2048)
    journal = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC), recovery.public_key())
    journal.record("note_stacked", "000001", note="CNY100")
    journal.close()
    (tmp_path / "journal.key").unlink()
    connection = open_read_only(tmp_path / "journal.db")
    (wrapped,) = next(iter(connection.execute("select for_agency from period")))
    (sealed,) = next(iter(connection.execute("select sealed from entry")))
    assert Sealer(unwrap_by_agency(wrapped, recovery)).open(sealed, "1") == b'{"note":"CNY100"}'


def test_destroyed_period_keeps_the_chain(tmp_path: Path) -> None:
    """After retention ends the facts are gone for ever and the chain still verifies."""
    journal = open_journal(tmp_path)
    journal.record("visit", "000001", how="stopped")
    Periods(journal.database.connection().execute, Root.at(tmp_path / "journal.key"), None).destroy("2026-11")
    journal.close()
    again = open_journal(tmp_path)
    assert again.entries()[0].facts is None
    again.close()
    assert verify(open_read_only(tmp_path / "journal.db"), None).whole


def test_statement_adds_up_by_day(tmp_path: Path) -> None:
    """Balances at the end of a day and movements within it, by account."""
    days = iter(("2026-11-20", "2026-11-21", "2026-11-21", "2026-11-22"))
    journal = SqliteJournal(tmp_path, lambda: datetime.fromisoformat(next(days) + "T10:00:00+08:00"))
    for amount in (10_000, 2_000, 500, 100):
        journal.commit(NewEntry("in", postings=balanced((Account.CASH_BOX, amount), (Account.RESIDENT, -amount))))
    journal.close()
    at_end, within = statement(open_read_only(tmp_path / "journal.db"), "2026-11-21")
    assert at_end == {"cash_box": 12_500, "resident": -12_500}
    assert within == {"cash_box": 2_500, "resident": -2_500}
