"""A terminal without a line: its rows go out by stick, are booked once, and only the agency's word lets them go."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.ledger import LedgerBatch
from kiosk.records.books import main
from kiosk.records.evidence import acknowledge, export, read_status
from kiosk.settings.config import ConfigError, Settings, load_settings
from offline_queue.agency_keys import recovery_key
from offline_queue.bundle import BundleWriter
from offline_queue.copies import JournalCopies
from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from offline_queue.sealing import Root
from offline_queue.verify import open_read_only
from simulators.alone.import_bundles import import_all
from simulators.hosts.agency_documents import DocumentMaker
from simulators.hosts.agency_ledger import AgencyLedgerSandbox
from simulators.hosts.journal_bundle import BundleRefused
from simulators.hosts.weather import Weather
from simulators.pki import Pki, make_pki
from simulators.worlds.world import load_world
from tests.hosts.conftest import WORLDS

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL = "T0000001"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@dataclass
class Village:
    """One terminal, one stick, one agency."""

    folder: Path
    pki: Pki

    def __post_init__(self) -> None:
        self.file = self.folder / "settings.toml"
        self.stick = self.folder / "stick"
        self.stick.mkdir()
        data = json.dumps(str(self.folder / "data"))
        keys = f"recovery = {json.dumps(str(self.pki.public('recovery')))}\n"
        keys += f"[agency_keys.documents]\nagency = {json.dumps(str(self.pki.public('documents')))}\n"
        self.file.write_text(f'run_dir = "/tmp/none"\ndata_dir = {data}\n[agency_keys]\n{keys}')
        self.settings: Settings = load_settings(self.file)
        recovery = recovery_key(self.settings.agency_keys)
        self.journal = SqliteJournal(self.folder / "data", lambda: NOW, recovery)
        self.ledger = AgencyLedgerSandbox(load_world(WORLDS / "tiny.toml"), self.folder / "agency", Weather())

    def live(self, acts: int) -> None:
        for _ in range(acts):
            moved = balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000))
            self.journal.commit(NewEntry("note_credited", "123456", {}, "T00000131", moved))

    def import_stick(self) -> int:
        return import_all(self.stick, self.ledger, self.pki)

    @property
    def word(self) -> Path:
        return self.stick / f"{TERMINAL}.acknowledgement.json"

    @property
    def board_key(self) -> str:
        return open_reader(self.folder / "data").public_key.public_bytes_raw().hex()

    def kept(self) -> int:
        return int(self.ledger.kept_up_to(TERMINAL)[0])


@pytest.fixture
def village(tmp_path: Path, pki: Pki) -> Iterator[Village]:
    made = Village(tmp_path, pki)
    yield made
    made.journal.close()
    made.ledger.close()


def test_rows_leave_by_stick_and_come_back_as_the_agencys_word(village: Village) -> None:
    """Exported, imported, acknowledged: only then may the journal go, and not a row later."""
    village.live(7)
    assert not read_status(village.settings).may_be_destroyed
    assert read_status(village.settings).board_key == village.board_key
    assert [path.name for path in export(village.settings, village.stick)] == ["T0000001-1-7.bundle"]
    assert not read_status(village.settings).may_be_destroyed, "an export alone proves nothing"
    assert village.import_stick() == 0
    assert village.kept() == 7
    assert "up to 7; 0 newer" in acknowledge(village.settings, village.word)
    assert read_status(village.settings).may_be_destroyed
    village.live(1)
    assert not read_status(village.settings).may_be_destroyed


def test_a_stick_that_is_read_twice_books_once(village: Village) -> None:
    """Also when an older stick comes after a newer one, and beside what the line already brought."""
    village.live(5)
    export(village.settings, village.stick)
    village.live(4)
    export(village.settings, village.stick)
    for _ in range(2):
        assert village.import_stick() == 0
    assert village.kept() == 9
    rows = village.ledger.books.execute("SELECT count(*), count(DISTINCT seq) FROM rows").fetchone()
    assert rows == (9, 9)
    assert village.ledger.alerts(TERMINAL) == []


def test_the_next_stick_begins_where_the_agency_ends(village: Village) -> None:
    """What was acknowledged is not exported again."""
    village.live(5)
    export(village.settings, village.stick)
    village.import_stick()
    acknowledge(village.settings, village.word)
    assert export(village.settings, village.stick) == []
    village.live(2)
    assert [path.name for path in export(village.settings, village.stick)] == ["T0000001-6-7.bundle"]
    village.import_stick()
    assert village.kept() == 7


def test_what_waits_or_is_unknown_keeps_the_journal(village: Village) -> None:
    """An acknowledged journal with a notice unsent or an effect open may not be destroyed."""
    village.journal.commit(NewEntry("settle_intent", "1", opens="key-1"))
    notice = NewNotice("hospital", "payment", "pay-1", {}, 700)
    village.journal.commit(NewEntry("settled", "1", closes="key-1", notices=(notice,)))
    export(village.settings, village.stick)
    village.import_stick()
    acknowledge(village.settings, village.word)
    status = read_status(village.settings)
    assert (status.unsent_count, status.unsent_sum_fen, status.acknowledged_up_to) == (1, 700, 2)
    assert not status.may_be_destroyed


class Pulled(JournalCopies):
    """Copies of a journal whose stick is pulled while they are written, three rows to a file."""

    stick: Path
    files = 0

    def after(self, seq: int, rows_max: int, bytes_max: int) -> LedgerBatch | None:
        self.files += 1
        if self.files == 2:
            self.stick.rename(self.stick.with_name("in a pocket"))
        return super().after(seq, 3, bytes_max)


def test_a_stick_that_is_pulled_in_the_middle(village: Village) -> None:
    """What is on it is whole files and can be booked; the next stick brings the rest, and nothing is there twice."""
    village.live(8)
    data = village.folder / "data"
    copies = Pulled(open_read_only(data / "journal.db"), Root((data / "journal.key").read_bytes()))
    copies.stick = village.stick
    recovery = recovery_key(village.settings.agency_keys)
    assert recovery is not None
    with pytest.raises(FileNotFoundError):
        BundleWriter(copies, TERMINAL, recovery).write(village.stick)
    copies.close()
    (village.folder / "in a pocket").rename(village.stick)
    assert [path.name for path in village.stick.iterdir()] == ["T0000001-1-3.bundle"]
    assert village.import_stick() == 0
    assert village.kept() == 3
    acknowledge(village.settings, village.word)
    assert [path.name for path in export(village.settings, village.stick)] == ["T0000001-4-8.bundle"]
    assert village.import_stick() == 0
    assert village.kept() == 8
    assert village.ledger.alerts(TERMINAL) == []


def test_the_next_board_writes_over_nothing_of_the_last_one(village: Village) -> None:
    """As many rows of another board of the same terminal: both bundles stay, and its own is written once."""
    village.live(4)
    (old,) = export(village.settings, village.stick)
    before = old.read_bytes()
    village.journal.close()
    (village.folder / "data").rename(village.folder / "dead")
    village.journal = SqliteJournal(village.folder / "data", lambda: NOW, recovery_key(village.settings.agency_keys))
    village.live(4)
    (new,) = export(village.settings, village.stick)
    assert export(village.settings, village.stick) == [new]
    assert old.read_bytes() == before
    assert sorted(village.stick.glob("*.bundle")) == sorted([old, new])
    village.import_stick()
    assert village.kept() == 4


def test_a_stick_shows_nobody_anything(village: Village) -> None:
    """No act, no amount and no card stands on the stick for whoever finds it."""
    village.live(3)
    (bundle,) = export(village.settings, village.stick)
    content = bundle.read_bytes()
    for word in (b"note_credited", b"cash_box", b"T00000131", b"123456"):
        assert word not in content


def test_every_altered_byte_is_noticed(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle with any byte changed, or cut short anywhere, is refused, and nothing of it is kept."""
    village.live(3)
    (bundle,) = export(village.settings, village.stick)
    whole = bundle.read_bytes()
    custodians = load_pem_private_key(village.pki.key("recovery").read_bytes(), None)
    assert isinstance(custodians, RSAPrivateKey)
    for place in range(0, len(whole), 37):
        for content in (whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole[:place]):
            with pytest.raises(BundleRefused):
                village.ledger.import_bundle(content, custodians)
    bundle.write_bytes(whole[:-1])
    assert village.import_stick() == 1
    assert "refused" in capsys.readouterr().err
    assert village.kept() == 0
    bundle.write_bytes(whole)
    assert village.import_stick() == 0


def test_only_the_agencys_word_counts(village: Village) -> None:
    """Signed by a stranger, for another terminal, for rows that are not there or are others: not kept."""
    village.live(3)
    export(village.settings, village.stick)
    village.import_stick()
    good = json.loads(village.word.read_bytes())["document"]
    agency = DocumentMaker(_agency_key(village.pki), "agency")
    facts = {"terminal": TERMINAL, "kept_up_to": 3, "link": good["link"]}
    stranger = DocumentMaker(Ed25519PrivateKey.generate(), "agency")
    words = [
        stranger.signed("journal_kept", 3, NOW, facts),
        agency.signed("journal_kept", 3, NOW, {**facts, "terminal": "T0000002"}),
        agency.signed("journal_kept", 4, NOW, {**facts, "kept_up_to": 4}),
        agency.signed("journal_kept", 2, NOW, {**facts, "kept_up_to": 2}),
        agency.signed("hotlist", 3, NOW, facts),
        b"",
    ]
    for word in words:
        village.word.write_bytes(word)
        with pytest.raises(ConfigError):
            acknowledge(village.settings, village.word)
    assert read_status(village.settings).acknowledged_up_to == 0


def _agency_key(pki: Pki) -> Ed25519PrivateKey:
    key = load_pem_private_key(pki.key("documents").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def test_commands_say_it_to_people_and_machines(village: Village, capsys: pytest.CaptureFixture[str]) -> None:
    """status, export and acknowledge on the command line; a missing stick is one clear line."""
    village.live(2)

    def run(*words: str) -> tuple[int, str]:
        status = main(["--settings", str(village.file), *words])
        told = capsys.readouterr()
        return status, told.out + told.err

    assert json.loads(run("status", "--json")[1])["rows"] == 2
    assert "may be destroyed    no" in run("status")[1]
    assert "T0000001-1-2.bundle" in run("export", "--to", str(village.stick))[1]
    village.import_stick()
    assert "every row up to 2" in run("acknowledge", str(village.word))[1]
    assert "nothing to export" in run("export", "--to", str(village.stick))[1]
    status, words = run("acknowledge", str(village.stick / "none"))
    assert (status, words.count("\n")) == (2, 1)
    village.live(1)
    status, words = run("export", "--to", str(village.folder / "no stick"))
    assert (status, words.count("\n")) == (2, 1)
    assert "Nothing is lost" in words
