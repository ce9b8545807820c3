"""The fleet's copy of the journal, fed by a real journal: whole, in order, once; and loud where it is not."""

import dataclasses
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import peewee
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kiosk.basics.signed import Signer
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.ledger import LedgerBatch
from kiosk.hosts.agency.ledger import wire_batch
from offline_queue.acknowledgement import read_acknowledgement
from offline_queue.bundle import BundleWriter
from offline_queue.copies import JournalCopies, open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.second_medium import SecondMedium
from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.ledger.boards import boards, newcomers, replace_board
from provisioning.fleet.ledger.bring import Brought, acknowledgement, bring_folder
from provisioning.fleet.ledger.custody import Custodians, NoCustody, load_custodians
from provisioning.fleet.ledger.keep import Result, keep_told, kept_up_to
from provisioning.fleet.ledger.paper import CodeRefused, book_paper
from provisioning.fleet.ledger.recover import owed, recovered
from provisioning.fleet.ledger.rows import Rows
from provisioning.fleet.schema.ledger import KeptRow, LedgerAlert
from tests.fleet.conftest import CITY, OTHER

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
AT_MS = int(NOW.timestamp() * 1000)
TERMINAL = "T0000001"
RECOVERY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CUSTODIANS = Custodians(RECOVERY)
LINE = Actor(CITY, f"terminal:{TERMINAL}")
OFFICER = Actor(CITY, "person:officer")


class Village:
    """A terminal with a real journal; what it would send is given to the fleet's acts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = SqliteJournal(folder, lambda: NOW, RECOVERY.public_key())

    def live(self, notes: int) -> list[int]:
        moved = balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000))
        return [
            self.journal.commit(NewEntry("note_credited", "123456", {"receipt_owed": 1}, "T00000131", moved))
            for _ in range(notes)
        ]

    @property
    def copies(self) -> JournalCopies:
        return open_copies(self.folder)

    def batch(self, after: int = 0, rows_max: int = 50) -> LedgerBatch:
        batch = self.copies.after(after, rows_max, 1 << 40)
        assert batch is not None
        return batch

    def told(self, after: int = 0, rows_max: int = 50) -> Rows:
        return wire(self.batch(after, rows_max))

    def stick(self, folder: Path, after: int = 0) -> Path:
        folder.mkdir(exist_ok=True)
        (path,) = BundleWriter(self.copies, TERMINAL, RECOVERY.public_key()).write(folder, after)
        return path


def wire(batch: LedgerBatch) -> Rows:
    return msgspec.convert(wire_batch(batch), Rows)


@pytest.fixture
def village(tmp_path: Path, database: peewee.Database) -> Iterator[Village]:
    made = Village(tmp_path / "terminal")
    yield made
    made.journal.close()


def kept() -> list[str]:
    return [row.link for row in KeptRow.select().order_by(KeptRow.seq)]


def alerts() -> list[tuple[int, str]]:
    return [(one.seq, one.why) for one in LedgerAlert.select().order_by(LedgerAlert.id)]


def test_rows_are_kept_once_however_often_they_are_told(village: Village) -> None:
    """Every row stands with its link; the same question again changes nothing."""
    village.live(70)
    for _ in range(2):
        results = keep_told(LINE, TERMINAL, village.told(), AT_MS) + keep_told(LINE, TERMINAL, village.told(50), AT_MS)
    assert {one.result for one in results} == {"known"}
    batch = village.batch(rows_max=100)
    assert kept() == [row.link.hex() for row in batch.rows]
    assert kept_up_to(LINE, TERMINAL) == (70, batch.head.link.hex())
    assert alerts() == []


def test_a_gap_is_refused_and_alerted(village: Village) -> None:
    """Rows that do not begin where the chain ends are not kept, and somebody hears of it."""
    village.live(5)
    assert keep_told(LINE, TERMINAL, village.told(2), AT_MS) == [Result(3, "gap")]
    assert kept() == []
    assert alerts() == [(3, "gap")]


def edited(batch: LedgerBatch, place: int) -> LedgerBatch:
    rows = list(batch.rows)
    rows[place] = dataclasses.replace(rows[place], postings="cash_box:900 resident:-900")
    return dataclasses.replace(batch, rows=tuple(rows))


def test_an_edited_row_is_refused_and_nothing_after_it_is_kept(village: Village) -> None:
    """The link does not follow from what the row says."""
    village.live(5)
    results = keep_told(LINE, TERMINAL, wire(edited(village.batch(), 2)), AT_MS)
    assert [one.result for one in results] == ["kept", "kept", "broken"]
    assert len(kept()) == 2


def test_a_row_that_differs_from_the_one_kept_is_refused(village: Village) -> None:
    """A journal that was put back and lived on otherwise is not taken for the one known."""
    village.live(3)
    keep_told(LINE, TERMINAL, village.told(), AT_MS)
    batch = village.batch()
    other = dataclasses.replace(batch.rows[1], link=bytes(32))
    results = keep_told(
        LINE, TERMINAL, wire(dataclasses.replace(batch, rows=(batch.rows[0], other, batch.rows[2]))), AT_MS
    )
    assert results[-1] == Result(2, "differs")
    assert alerts() == [(2, "differs")]


def test_a_head_that_nobody_signed_is_refused(village: Village) -> None:
    """Without the board's signature over the newest row nothing is kept."""
    village.live(2)
    batch = village.batch()
    false = dataclasses.replace(batch, head=dataclasses.replace(batch.head, signature=bytes(64)))
    with pytest.raises(Refused) as refused:
        keep_told(LINE, TERMINAL, wire(false), AT_MS)
    assert refused.value.code == "head_not_signed"
    assert kept() == []


def test_another_board_is_refused_until_two_people_say_so(village: Village, tmp_path: Path) -> None:
    """Then its chain begins at row 1; the old board is refused, and what its stick brings is still kept."""
    village.live(4)
    keep_told(LINE, TERMINAL, village.told(rows_max=2), AT_MS)
    stick = village.stick(tmp_path / "stick")
    second = Village(tmp_path / "second")
    second.live(1)
    key = second.batch().head.public_key.hex()
    with pytest.raises(Refused, match="not registered"):
        keep_told(LINE, TERMINAL, second.told(), AT_MS)
    with pytest.raises(Refused, match="second person"):
        replace_board(OFFICER, OFFICER.who, TERMINAL, key, AT_MS, "board dead")
    with pytest.raises(NotFound):
        replace_board(Actor(OTHER, "person:stranger"), "person:other", TERMINAL, key, AT_MS, "board dead")
    assert newcomers(OFFICER, TERMINAL) == [key]
    replace_board(OFFICER, "person:second", TERMINAL, key, AT_MS, "board dead")
    assert keep_told(LINE, TERMINAL, second.told(), AT_MS) == [Result(1, "kept")]
    with pytest.raises(Refused) as refused:
        keep_told(LINE, TERMINAL, village.told(2), AT_MS)
    assert refused.value.code == "board_replaced"
    (brought,) = bring_folder(OFFICER, stick.parent, CUSTODIANS, AT_MS)
    assert (brought.kept, brought.known, brought.why) == (2, 2, "")
    assert [one.seq for one in boards(CITY, TERMINAL)] == [1, 4]
    second.journal.close()


def test_a_stick_is_booked_once_and_its_answer_is_believed(village: Village, tmp_path: Path) -> None:
    """However often and beside the line; the terminal verifies the acknowledgement."""
    village.live(9)
    keep_told(LINE, TERMINAL, village.told(rows_max=4), AT_MS)
    stick = village.stick(tmp_path / "stick")
    assert bring_folder(OFFICER, stick.parent, CUSTODIANS, AT_MS) == [Brought(stick.name, TERMINAL, kept=5, known=4)]
    assert bring_folder(OFFICER, stick.parent, CUSTODIANS, AT_MS) == [Brought(stick.name, TERMINAL, kept=0, known=9)]
    key = ed25519.Ed25519PrivateKey.generate()
    wire = acknowledgement(OFFICER, TERMINAL, Signer("city", key), NOW)
    told = read_acknowledgement(wire, {"city": key.public_key()}, TERMINAL, village.copies)
    assert (told.kept_up_to, told.newer) == (9, 0)
    assert audit.verify(CITY).broken_at == 0


HARMS = ("cut short", "row changed", "re-signed", "for other custodians", "a bomb", "not a bundle")


@pytest.mark.parametrize("harm", HARMS)
def test_a_bad_stick_is_refused_and_recorded(village: Village, tmp_path: Path, harm: str) -> None:
    """Nothing of it is kept, the reason stands in the trail, and a good file beside it is still read."""
    village.live(3)
    path = village.stick(tmp_path / "stick")
    good = path.with_name("zz.bundle")
    good.write_bytes(path.read_bytes())
    path.write_bytes(harmed(path.read_bytes(), harm))
    bad, beside = bring_folder(OFFICER, path.parent, CUSTODIANS, AT_MS)
    assert bad.why and bad.kept == 0
    assert beside.kept == 3


def harmed(content: bytes, harm: str) -> bytes:
    head, _, sealed = content.partition(b"\n")
    told = json.loads(head)
    if harm == "cut short":
        return content[:-40]
    if harm == "row changed":
        return head + b"\n" + sealed[:-1] + bytes([sealed[-1] ^ 1])
    if harm == "re-signed":
        told["document"]["public_key"] = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
        return json.dumps(told).encode() + b"\n" + sealed
    if harm == "for other custodians":
        told["document"]["key"] = told["document"]["key"][::-1]
        return json.dumps(told).encode() + b"\n" + sealed
    if harm == "a bomb":
        return b"{" + os.urandom(2_000_000).replace(b"\n", b"x") + b"\n" + gzip.compress(bytes(10_000_000))
    return b"[1, 2]\n"


def test_a_dead_board_tells_who_is_owed_what(village: Village, tmp_path: Path) -> None:
    """Rows of the line, the second medium and a receipt make one story, which only the custodians can read."""
    village.live(2)
    keep_told(LINE, TERMINAL, village.told(), AT_MS)
    village.live(2)
    (tmp_path / "card").mkdir()
    medium = SecondMedium(tmp_path / "card", TERMINAL, village.copies.public_key, 1 << 30)
    medium.append(village.batch(), 0)
    (last,) = village.live(1)
    code = village.journal.row_code(TERMINAL, last)
    assert bring_folder(OFFICER, tmp_path / "card", CUSTODIANS, AT_MS)[0].kept == 2
    assert [book_paper(OFFICER, code, AT_MS)[0] for _ in range(2)] == ["booked", "known"]
    (board,) = boards(CITY, TERMINAL)
    rows = list(recovered(board, CUSTODIANS))
    assert [row.only_on_paper for row in rows] == [False] * 4 + [True]
    (case,) = owed(rows)
    assert (case.case_code, case.card_number, case.of("resident")) == ("123456", "T00000131", 5000)
    stranger = Custodians(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert {row.facts for row in recovered(board, stranger)} == {None}


@pytest.mark.parametrize("text", ["", "YKT1:", "YKT1:ABC~", "hello", "YKT1:" + "0" * 5000])
def test_a_code_that_is_none_is_refused(village: Village, text: str) -> None:
    """Whatever is read from paper that is not the code of a receipt."""
    with pytest.raises(CodeRefused):
        book_paper(OFFICER, text, AT_MS)


def test_a_receipt_of_a_stranger_is_refused_and_alerted(village: Village, tmp_path: Path) -> None:
    """Signed by a board that this city does not know."""
    village.live(1)
    keep_told(LINE, TERMINAL, village.told(), AT_MS)
    forger = Village(tmp_path / "forger")
    (seq,) = forger.live(1)
    with pytest.raises(CodeRefused, match="not signed"):
        book_paper(OFFICER, forger.journal.row_code(TERMINAL, seq), AT_MS)
    assert alerts() == [(1, "receipt not signed by this terminal")]
    forger.journal.close()


def test_another_city_keeps_nothing_of_it(village: Village) -> None:
    """The same terminal number asked for by another city has never been heard."""
    village.live(1)
    keep_told(LINE, TERMINAL, village.told(), AT_MS)
    assert kept_up_to(Actor(OTHER, "person:stranger"), TERMINAL)[0] == 0


def test_the_custodians_key_is_read_with_its_words(tmp_path: Path) -> None:
    """A file that is none is refused with its name."""
    pem = tmp_path / "recovery.pem"
    pem.write_bytes(RECOVERY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert load_custodians(pem).opened is not None
    pem.write_text("no key")
    with pytest.raises(NoCustody, match=r"recovery\.pem"):
        load_custodians(pem)
