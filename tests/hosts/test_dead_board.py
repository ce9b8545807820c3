"""The main board is dead, journal and key are gone: what residents paid in comes back from each of three places."""

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.money.copy_to_ledger import copy_rows
from kiosk.ports import HostRefused
from kiosk.settings.config import AgencyKeys
from offline_queue.agency_keys import recovery_key
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.second_medium import SecondMedium
from simulators.__main__ import main as simulators
from simulators.alone.agency import agency
from simulators.pki import Pki, make_pki
from tests.hosts.memory import DocumentedLink

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL = "T0000001"
CARDS = {"451207": "T00000131", "451208": "T00000242"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("agency") / "pki")


@dataclass
class Village:
    """A terminal that was on the line until row 1; then two residents left money in it."""

    folder: Path
    pki: Pki
    card: Path = field(init=False)  # the second medium
    receipts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.card, self.data = self.folder / "card", self.folder / "data"
        self.card.mkdir()
        self.journal = self.board()

    def board(self) -> SqliteJournal:
        return SqliteJournal(
            self.data, lambda: NOW, recovery_key(AgencyKeys(recovery=str(self.pki.public("recovery"))))
        )

    async def line(self) -> int:
        with agency(self.folder) as (ledger, _):
            return await copy_rows(open_copies(self.data), LedgerClient(DocumentedLink(ledger), TERMINAL))

    def offline_day(self) -> None:
        """An order with notes of 120 yuan for one card; 50 yuan for another, whose outcome nobody knows."""
        self.note("451207", 12_000)
        self.act("451207", "settlement_order_left", Account.HOLDER_DEBT, 12_000, bill="B7", up_to_fen=11_950)
        self.note("451208", 5000)
        self.act("451208", "settle_handed_over", Account.SUSPENSE, 5000, held_fen=5000)

    def note(self, case: str, fen: int) -> None:
        moved = balanced((Account.CASH_BOX, fen), (Account.RESIDENT, -fen))
        self.journal.commit(NewEntry("note_credited", case, {}, CARDS[case], moved))

    def act(self, case: str, act: str, account: Account, fen: int, **facts: str | int) -> None:
        moved = balanced((Account.RESIDENT, fen), (account, -fen))
        notice = NewNotice("hospital", "order", f"key-{case}", {}, fen)
        seq = self.journal.commit(
            NewEntry(act, case, {**facts, "receipt_owed": 1}, CARDS[case], moved, notices=(notice,))
        )
        self.receipts.append(self.journal.row_code(TERMINAL, seq))

    def copy_to_card(self) -> None:
        copies = open_copies(self.data)
        medium = SecondMedium(self.card, TERMINAL, copies.public_key, 1 << 30)
        batch = copies.after(medium.newest(), 10_000, 1 << 30)
        assert batch is not None
        medium.append(batch, 0)

    def board_dies(self) -> None:
        """Database, log and key: nothing of the main board can be read any more."""
        self.journal.close()
        shutil.rmtree(self.data)

    def told(self, capsys: pytest.CaptureFixture[str], *words: str) -> str:
        simulators([*words, "--run-dir", str(self.folder)])
        return capsys.readouterr().out


@pytest.fixture
async def village(tmp_path: Path, pki: Pki) -> AsyncIterator[Village]:
    shutil.copytree(pki.directory, tmp_path / "pki")
    made = Village(tmp_path, pki)
    made.journal.record("kiosk_started")
    await made.line()
    yield made
    if made.data.exists():
        made.journal.close()


@pytest.mark.parametrize("place", ["second medium", "ledger copy", "receipts"])
async def test_what_residents_paid_in_is_recovered(
    village: Village, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """From each place alone: whose money, how much, of which act; and the story, for the person who settles it."""
    village.offline_day()
    if place == "second medium":
        village.copy_to_card()
    if place == "ledger copy":
        await village.line()
    village.board_dies()
    if place == "second medium":
        assert "kept up to row 5" in village.told(capsys, "import-bundles", str(village.card))
    if place == "receipts":
        assert village.told(capsys, "import-receipt", *village.receipts).count("booked") == 2

    told = village.told(capsys, "recover", TERMINAL)
    assert "case 451207, card ...0131: owed to the holder 120.00 (last: settlement_order_left)" in told
    assert "case 451208, card ...0242: held or under check 50.00 (last: settle_handed_over)" in told
    assert not any(card in told for card in CARDS.values())
    story = village.told(capsys, "recover", TERMINAL, "--case", "451207")
    assert "bill B7" in story
    assert "up_to_fen 11950" in story
    assert ("note_credited" in story) == (place != "receipts")


async def test_all_places_together_book_once(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """Medium, line and paper bring the same rows: each case is owed once."""
    village.offline_day()
    village.copy_to_card()
    village.told(capsys, "import-receipt", *village.receipts)
    await village.line()
    village.board_dies()
    for _ in range(2):
        village.told(capsys, "import-bundles", str(village.card))
        assert village.told(capsys, "import-receipt", *village.receipts).count("known") == 2
    told = village.told(capsys, "recover", TERMINAL)
    assert told.splitlines()[0] == f"{TERMINAL}: rows up to 5"
    assert "owed to the holder 120.00" in told
    assert "under check 50.00" in told
    file = village.folder / "all.jsonl"
    village.told(capsys, "recover", TERMINAL, "--to", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[2]["facts"]["card_number"] == CARDS["451207"]


async def test_the_card_of_the_dead_board_turns_up_when_the_new_one_is_at_work(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new board has a key and a chain of its own; the old one's rows and receipts still find their place."""
    village.offline_day()
    village.copy_to_card()
    old_key = open_copies(village.data).public_key.hex()
    village.board_dies()
    village.journal = village.board()
    for _ in range(2):
        village.journal.record("kiosk_started")
    with pytest.raises(HostRefused, match="board_not_registered"):
        await village.line()
    new_key = village.told(capsys, "replace-board", TERMINAL).strip()
    assert new_key == open_copies(village.data).public_key.hex() != old_key
    words = ("replace-board", TERMINAL, new_key, "--by", "E001", "--approver", "E002")
    old_chain = f"{TERMINAL}/{old_key[:16]}"
    assert old_chain in village.told(capsys, *words)
    assert await village.line() == 2

    assert "booked" in village.told(capsys, "import-receipt", village.receipts[1])
    told = village.told(capsys, "import-bundles", str(village.card))
    assert f"{TERMINAL}: kept up to row 2" in told
    assert f"{old_chain}: kept up to row 5" in told
    assert "owed" not in village.told(capsys, "recover", TERMINAL)
    assert "owed to the holder 120.00" in village.told(capsys, "recover", old_chain)


async def test_what_is_missing_on_the_card_is_told(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """The first file of two is lost: a script sees it by the exit status, a person by the row that does not follow."""
    village.copy_to_card()
    (first,) = village.card.glob("*.rows")
    first.unlink()
    village.offline_day()
    medium = SecondMedium(village.card, TERMINAL, open_copies(village.data).public_key, 1 << 30)
    batch = open_copies(village.data).after(2, 100, 1 << 20)
    assert batch is not None
    medium.append(batch, 2)
    village.board_dies()
    words = ["import-bundles", str(village.card), "--run-dir", str(village.folder)]
    assert simulators(words) == 1
    told = capsys.readouterr()
    assert "row 3: gap; the rows before it are kept" in told.err
    assert f"{TERMINAL}: kept up to row 1" in told.out


async def test_an_altered_key_on_the_card_takes_no_good_one_away(
    village: Village, capsys: pytest.CaptureFixture[str]
) -> None:
    """No signature covers the months' keys on a medium: the file is refused, and what came by the line still opens."""
    village.offline_day()
    village.copy_to_card()
    await village.line()
    (file,) = village.card.glob("*.rows")
    kind, month, wrapped = json.loads(file.read_bytes().splitlines()[0])
    altered = json.dumps([kind, month, wrapped[::-1].lstrip("=") + "=" * wrapped.count("=")])
    file.write_bytes(b"\n".join([altered.encode(), *file.read_bytes().splitlines()[1:]]) + b"\n")
    assert simulators(["import-bundles", str(village.card), "--run-dir", str(village.folder)]) == 1
    assert "does not open its rows" in capsys.readouterr().err
    assert "card ...0131" in village.told(capsys, "recover", TERMINAL)


async def test_nothing_is_known_of_a_stranger(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal that never was: said so, with an exit status that a script sees."""
    assert simulators(["recover", "T0000099", "--run-dir", str(village.folder)]) == 1
    assert "nothing is known" in capsys.readouterr().out
