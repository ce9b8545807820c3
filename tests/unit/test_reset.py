"""A journal ends only by the agency's word for all of it (money-rules 28)."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.reset import NotReset, reset_journal
from offline_queue.schema import JournalUnusable
from simulators.hosts.agency_documents import DocumentMaker

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL = "T0000001"
AGENCY = Ed25519PrivateKey.generate()
KEYS = {"agency": AGENCY.public_key()}
PARTS = ["journal.key", "journal.db", "journal.db-wal", "journal.db-shm", "journal.began"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of five rows in which everything is over, and a counter beside it that is no part of it."""
    journal = SqliteJournal(tmp_path / "data", lambda: NOW)
    for _ in range(5):
        journal.record("visit_opened")
    journal.close()
    (tmp_path / "data" / "bank_trace").write_text("17")
    return tmp_path / "data"


def reopened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: NOW)


def word(folder: Path, terminal: str = TERMINAL, up_to: int = 0, key: Ed25519PrivateKey = AGENCY, **more: str) -> bytes:
    """The agency's word for this journal, or for another."""
    copies = open_copies(folder)
    seq = up_to or copies.newest()
    facts = {"terminal": terminal, "kept_up_to": seq, "link": copies.link_of(min(seq, copies.newest())).hex(), **more}
    copies.close()
    return DocumentMaker(key, "agency").signed("journal_kept", seq, NOW, facts)


def public_key(folder: Path) -> bytes:
    copies = open_copies(folder)
    key = copies.public_key
    copies.close()
    return key


def test_by_the_agencys_word_it_goes_and_the_next_has_another_key(folder: Path) -> None:
    """Journal and key are gone, counters stay, the word is kept; the next journal is another board's."""
    before, told = public_key(folder), word(folder)
    assert reset_journal(folder, told, KEYS, TERMINAL) == 5
    assert sorted(path.name for path in folder.iterdir()) == ["bank_trace", "reset.json"]
    assert (folder / "reset.json").read_bytes() == told
    journal = reopened(folder)
    assert journal.record("kiosk_started") == 1
    journal.close()
    assert public_key(folder) != before


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (lambda at: word(at, key=Ed25519PrivateKey.generate()), "the signature does not hold"),
        (lambda at: word(at, terminal="T0000002"), "for another terminal"),
        (lambda at: word(at, up_to=4), "1 rows are newer"),
        (lambda at: word(at, up_to=6), "rows that this journal does not have"),
        (lambda at: word(at, link="00" * 32), "row 5 is another one here"),
        (lambda at: DocumentMaker(AGENCY, "agency").signed("hotlist", 1, NOW, {}), "not a journal_kept"),
        (lambda at: b"", "not JSON"),
    ],
)  # fmt: skip
def test_no_other_word_will_do(folder: Path, forged: object, why: str) -> None:
    """Forged, another terminal's, an older one, for rows that never were, of another chain: nothing is touched."""
    before = {name: (folder / name).read_bytes() for name in ("journal.db", "journal.key", "journal.began")}
    with pytest.raises(NotReset, match=why):
        reset_journal(folder, forged(folder), KEYS, TERMINAL)  # type: ignore[operator] # a parameter
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert not (folder / "reset.json").exists()


def test_an_old_word_does_not_cover_a_new_journal(folder: Path) -> None:
    """The word that ended the last journal ends no other, though it has as many rows."""
    told = word(folder)
    reset_journal(folder, told, KEYS, TERMINAL)
    journal = reopened(folder)
    for _ in range(5):
        journal.record("visit_opened")
    journal.close()
    with pytest.raises(NotReset, match="another one here"):
        reset_journal(folder, told, KEYS, TERMINAL)


def unsent(journal: SqliteJournal) -> None:
    journal.commit(NewEntry("settled", "1", notices=(NewNotice("hospital", "payment", "pay-1", {}, 700),)))


def unknown(journal: SqliteJournal) -> None:
    journal.commit(NewEntry("settle_intent", "1", opens="key-1"))


def notes_of_a_visit(journal: SqliteJournal) -> None:
    journal.commit(
        NewEntry("note_credited", "1", postings=balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000)))
    )


def notes_in_the_box(journal: SqliteJournal) -> None:
    notes_of_a_visit(journal)
    journal.commit(NewEntry("settled", "1", postings=balanced((Account.RESIDENT, 1000), (Account.HOSPITAL, -1000))))


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (unsent, "1 messages are unsent"),
        (unknown, "1 acts have no known outcome"),
        (notes_of_a_visit, "money of 1 visits"),
        (notes_in_the_box, "cash_box holds 10.00 yuan"),
    ],
)
def test_what_is_still_open_keeps_it(folder: Path, live: object, why: str) -> None:
    """Though the agency has every row: what nobody has done yet would be forgotten."""
    journal = reopened(folder)
    live(journal)  # type: ignore[operator] # a parameter
    journal.close()
    with pytest.raises(NotReset, match=why):
        reset_journal(folder, word(folder), KEYS, TERMINAL)
    assert reopened(folder).record("visit_opened") > 5


def test_not_under_the_feet_of_a_process_that_writes(folder: Path) -> None:
    """While kiosk or forwarder has the journal open, nothing is destroyed; they can go on."""
    told, journal = word(folder), reopened(folder)
    with pytest.raises(NotReset, match="stop both first"):
        reset_journal(folder, told, KEYS, TERMINAL)
    assert journal.record("visit_opened") == 6
    journal.close()


@pytest.mark.parametrize("gone", range(1, len(PARTS) + 1))
def test_the_power_goes_in_the_middle(folder: Path, gone: int) -> None:
    """Whatever is left is no journal that a terminal takes for its own, and the same command ends it."""
    told = word(folder)
    (folder / "reset.json").write_bytes(told)
    for name in PARTS[:gone]:
        (folder / name).unlink(missing_ok=True)
    if (folder / "journal.began").exists():
        shutil.copytree(folder, folder.parent / "started")
        with pytest.raises(JournalUnusable):
            reopened(folder.parent / "started")
        reset_journal(folder, told, KEYS, TERMINAL)
    journal = reopened(folder)
    assert journal.record("kiosk_started") == 1
    journal.close()


@pytest.mark.parametrize("gone", range(2, len(PARTS)))
def test_the_terminal_starts_between_the_power_cut_and_the_same_command(folder: Path, gone: int) -> None:
    """The start refuses and leaves an empty file and a key behind; the reset ends all the same."""
    told = word(folder)
    (folder / "reset.json").write_bytes(told)
    for name in PARTS[:gone]:
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(JournalUnusable):
        reopened(folder)
    assert reset_journal(folder, told, KEYS, TERMINAL) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["bank_trace", "reset.json"]
    reopened(folder).close()


def test_the_last_reset_excuses_no_later_loss(folder: Path) -> None:
    """A journal that vanished after a reset is missed, and no reset without rows takes the mark away."""
    told = word(folder)
    reset_journal(folder, told, KEYS, TERMINAL)
    journal = reopened(folder)
    journal.record("visit_opened")
    journal.close()
    assert (folder / "reset.before.json").read_bytes() == told
    for path in (*folder.glob("journal.db*"), folder / "journal.key"):
        path.unlink()
    with pytest.raises(apsw.CantOpenError):
        reset_journal(folder, told, KEYS, TERMINAL)
    with pytest.raises(JournalUnusable, match="are gone, and not by a reset"):
        reopened(folder)
    with pytest.raises(NotReset):
        reset_journal(folder, told, KEYS, TERMINAL)
    assert (folder / "journal.began").exists()


def test_rows_that_were_taken_away_by_hand_are_missed(folder: Path) -> None:
    """The file was deleted, with its key or without: the terminal does not begin anew as if nothing had been."""
    for name in ("journal.db", "journal.key"):
        (folder / name).unlink()
        with pytest.raises(JournalUnusable, match="are gone, and not by a reset"):
            reopened(folder)
        for made in folder.glob("journal.db*"):
            made.unlink()
