"""The agency's copy of the journal: whole, in order, once; and loud where it is not."""

import dataclasses
import shutil
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from openapi_spec_validator import validate

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.ledger import LedgerAnswer, LedgerBatch, LedgerHead, LedgerRow
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.money.copy_to_ledger import LedgerDisagrees, copy_rows
from kiosk.ports import HostRefused, OutcomeUnknown
from offline_queue.copies import JournalCopies, open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.sealing import Sealer, unwrap_by_agency
from simulators.hosts import Weather
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.ledger_books import NotReplaced
from simulators.worlds.world import load_world
from tests.hosts.conftest import WORLDS
from tests.hosts.memory import DocumentedLink, document

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL = "T0000001"
RECOVERY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Both:
    """A terminal with a journal, and the agency's ledger, with the published document between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "terminal"
        self.journal = SqliteJournal(self.folder, lambda: NOW, RECOVERY.public_key())
        self.sandbox = AgencyLedgerSandbox(load_world(WORLDS / "tiny.toml"), folder / "agency", Weather())
        self.link = DocumentedLink(self.sandbox)
        self.client = LedgerClient(self.link, TERMINAL)

    def live(self, acts: int, size: int = 10) -> None:
        for number in range(acts):
            moved = balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000))
            facts: dict[str, str | int] = {"number": number, "words": "字" * size}
            self.journal.commit(NewEntry("note_credited", "123456", facts, "T00000131", moved))

    @property
    def copies(self) -> JournalCopies:
        return open_copies(self.folder)

    def stored(self) -> list[tuple[int, str]]:
        found = self.sandbox.books.execute("SELECT seq, link FROM rows WHERE terminal = ? ORDER BY seq", (TERMINAL,))
        return found.fetchall()

    def own(self) -> list[tuple[int, str]]:
        batches = self.copies.after(0, 100_000, 1 << 40)
        return [(row.seq, row.link.hex()) for row in batches.rows] if batches else []


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = Both(tmp_path)
    yield made
    made.journal.close()
    made.sandbox.close()


def test_the_document_is_openapi() -> None:
    """The document is valid OpenAPI 3.1."""
    validate(document("agency_ledger"))
    assert document("agency_ledger")["openapi"].startswith("3.1")


@pytest.mark.parametrize(("acts", "size"), [(1, 1), (50, 10), (51, 10), (137, 400), (3, 5000)])
async def test_every_row_arrives_once(both: Both, acts: int, size: int) -> None:
    """Any number of rows of any length: all are there, linked as here, and a second run sends nothing."""
    both.live(acts, size)
    assert await copy_rows(both.copies, both.client) == acts
    assert both.stored() == both.own()
    asked = len(both.link.operations)
    assert await copy_rows(both.copies, both.client) == acts
    assert both.link.operations[asked:] == ["kept"]
    both.live(2)
    assert await copy_rows(both.copies, both.client) == acts + 2
    assert both.sandbox.alerts(TERMINAL) == []
    assert set(both.link.operations) == {"kept", "keepRows"}


async def test_a_lost_answer_is_told_again(both: Both) -> None:
    """The ledger kept the rows and was not heard: telling them again changes nothing there."""
    both.live(30)
    batch = both.copies.after(0, 20, 1 << 20)
    assert batch is not None
    assert await both.client.keep(batch) == LedgerAnswer(20)
    assert await both.client.keep(batch) == LedgerAnswer(20)
    await copy_rows(both.copies, both.client)
    assert both.stored() == both.own()


async def test_what_the_agency_holds_can_be_opened_by_its_custodians(both: Both) -> None:
    """Month's key from the copy, by the recovery key: with the terminal gone, the sealed content can still be read."""
    both.live(1)
    await copy_rows(both.copies, both.client)
    (wrapped,) = both.sandbox.books.execute("SELECT wrapped FROM periods").fetchone()
    (sealed,) = both.sandbox.books.execute("SELECT sealed FROM rows WHERE seq = 1").fetchone()
    clear = Sealer(unwrap_by_agency(b64decode(wrapped), RECOVERY)).open(b64decode(sealed), "1")
    assert b"T00000131" in clear


async def test_a_gap_is_refused_and_alerted(both: Both) -> None:
    """Rows that do not begin where the ledger ends are not kept, and somebody at the agency hears of it."""
    both.live(5)
    batch = both.copies.after(2, 50, 1 << 20)
    assert batch is not None
    assert (await both.client.keep(batch)).refused == "gap"
    assert both.stored() == []
    assert both.sandbox.alerts(TERMINAL) == [(3, "gap")]


def altered(batch: LedgerBatch, place: int) -> LedgerBatch:
    """One posting of one row says more than was booked."""
    rows = list(batch.rows)
    rows[place] = dataclasses.replace(rows[place], postings="cash_box:900 resident:-900")
    return dataclasses.replace(batch, rows=tuple(rows))


async def test_an_edited_row_is_refused_and_alerted(both: Both) -> None:
    """A row whose link does not follow is not kept, nor any after it; an edited row that is already there neither."""
    both.live(5)
    batch = both.copies.after(0, 50, 1 << 20)
    assert batch is not None
    assert (await both.client.keep(altered(batch, 2))).refused == "broken"
    assert [seq for seq, _ in both.stored()] == [1, 2]
    await copy_rows(both.copies, both.client)
    other = dataclasses.replace(batch.rows[1], link=bytes(32))
    forked = dataclasses.replace(batch, rows=(batch.rows[0], other, *batch.rows[2:]))
    assert (await both.client.keep(forked)).refused == "differs"
    assert both.sandbox.alerts(TERMINAL) == [(3, "broken"), (2, "differs")]
    assert both.stored() == both.own()


async def test_a_head_that_is_not_signed_is_refused(both: Both) -> None:
    """A signature that does not hold, or a head that is not the last row's: nothing is kept, and somebody must look."""
    both.live(2)
    batch = both.copies.after(0, 50, 1 << 20)
    assert batch is not None
    head = dataclasses.replace(batch.head, signature=bytes(64))
    with pytest.raises(HostRefused, match="head_not_signed"):
        await both.client.keep(dataclasses.replace(batch, head=head))
    assert [why for _, why in both.sandbox.alerts(TERMINAL)] == ["head not signed by this terminal"]
    assert both.stored() == []


async def test_a_journal_behind_the_ledger_is_told(both: Both, tmp_path: Path) -> None:
    """A disk that was put back to yesterday: the agency knows rows that this journal does not have."""
    both.live(4)
    shutil.copytree(both.folder, tmp_path / "yesterday")
    both.live(1)
    await copy_rows(both.copies, both.client)
    with pytest.raises(LedgerDisagrees, match="journal_behind_ledger"):
        await copy_rows(open_copies(tmp_path / "yesterday"), both.client)
    assert both.sandbox.alerts(TERMINAL) == []


NEW_ROWS = 9


@pytest.fixture
def new_board(tmp_path: Path) -> Path:
    """Another board in the same terminal: a journal and a key of its own. Made before ``both``, which stays open."""
    journal = SqliteJournal(tmp_path / "new board", lambda: NOW, RECOVERY.public_key())
    for _ in range(NEW_ROWS):
        journal.record("visit_opened")
    journal.close()
    return tmp_path / "new board"


@pytest.mark.parametrize("old_rows", [4, 12])
async def test_another_board_waits_for_two_persons(new_board: Path, both: Both, old_rows: int) -> None:
    """Whether it has fewer or more rows than the old one: refused by name, nothing of it kept, nothing of the old lost;
    once two persons registered it, its chain begins at row 1."""
    both.live(old_rows)
    await copy_rows(both.copies, both.client)
    old = both.stored()
    copies = open_copies(new_board)
    with pytest.raises(HostRefused, match="board_not_registered"):
        await copy_rows(copies, both.client)
    assert [why for _, why in both.sandbox.alerts(TERMINAL)] == ["another board asks to be this terminal"]
    assert both.stored() == old
    (key,) = both.sandbox.kept.newcomers(TERMINAL)
    with pytest.raises(NotReplaced, match="two persons"):
        both.sandbox.kept.replace_board(TERMINAL, key, "now", "E001", "E001")
    with pytest.raises(NotReplaced, match="shown itself"):
        both.sandbox.kept.replace_board(TERMINAL, "00" * 32, "now", "E001", "E002")
    old_chain = both.sandbox.kept.replace_board(TERMINAL, key, "now", "E001", "E002")
    assert await copy_rows(copies, both.client) == NEW_ROWS
    assert both.sandbox.kept_up_to(TERMINAL)[0] == NEW_ROWS
    assert [(row.seq, row.link) for row in both.sandbox.kept.rows(old_chain)] == old
    assert both.sandbox.kept.newcomers(TERMINAL) == []


async def test_a_replaced_board_that_goes_on_working_is_noticed(new_board: Path, both: Both) -> None:
    """Its rows are not taken by line any more: two boards that serve as one terminal are a case for a person."""
    both.live(2)
    await copy_rows(both.copies, both.client)
    with pytest.raises(HostRefused):
        await copy_rows(open_copies(new_board), both.client)
    (key,) = both.sandbox.kept.newcomers(TERMINAL)
    both.sandbox.kept.replace_board(TERMINAL, key, "now", "E001", "E002")
    both.live(1)
    with pytest.raises(HostRefused, match="board_replaced"):
        await copy_rows(both.copies, both.client)
    assert [why for _, why in both.sandbox.alerts(TERMINAL)] == ["a replaced board is at work"]


async def test_a_ledger_that_says_less_than_it_was_told_is_not_believed() -> None:
    """An answer that keeps fewer rows without a reason is unknown, and asked again later."""

    class Forgetful:
        async def kept_up_to(self) -> int:
            return 0

        async def keep(self, batch: LedgerBatch) -> LedgerAnswer:
            return LedgerAnswer(batch.head.seq - 1)

    class OneRow:
        def newest(self) -> int:
            return 1

        def after(self, seq: int, rows_max: int, bytes_max: int) -> LedgerBatch:
            row = LedgerRow(1, "", "a", "", "", "2026-11", "", b"", bytes(32))
            return LedgerBatch((row,), LedgerHead(1, bytes(32), bytes(64), bytes(32)), {})

    with pytest.raises(OutcomeUnknown):
        await copy_rows(OneRow(), Forgetful())
