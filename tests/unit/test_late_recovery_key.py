"""The agency's recovery key comes years after the first rows: then these are recovered, too, from every copy."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kiosk.domain.entries import NewEntry
from kiosk.domain.ledger import LedgerBatch
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.outbox import COMMIT_ROWS_MAX
from offline_queue.retention import Retention
from offline_queue.sealing import Sealer, unwrap_by_agency
from offline_queue.second_medium import SecondMedium
from offline_queue.verify import open_read_only, verify
from simulators.hosts.medium_files import read_medium

CUSTODIANS = rsa.generate_private_key(65537, 2048)
WRAPPED = "month_wrapped"


class Terminal:
    def __init__(self, folder: Path) -> None:
        self.folder, self.month = folder, 0
        self.journal = SqliteJournal(folder / "data", self.now)

    def now(self) -> datetime:
        return datetime(2020 + self.month // 12, self.month % 12 + 1, 9, tzinfo=UTC)

    def lives(self, months: int) -> None:
        for _ in range(months):
            self.journal.commit(NewEntry("settled", "451207", {"in": str(self.now())[:7]}, "B00000131"))
            self.month += 1

    def restart(self, key: rsa.RSAPrivateKey | None = CUSTODIANS) -> None:
        self.journal.close()
        self.journal = SqliteJournal(self.folder / "data", self.now, key.public_key() if key else None)

    def batch(self, after: int) -> LedgerBatch | None:
        copies = open_copies(self.folder / "data")
        try:
            return copies.after(after, 1000, 1 << 20)
        finally:
            copies.close()

    def newest(self) -> int:
        return self.journal.entries()[-1].seq

    def wrapped(self) -> list[object]:
        return [(entry.facts or {})["month"] for entry in self.journal.entries() if entry.act == WRAPPED]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


def test_months_that_were_sent_already_are_followed_by_their_keys(terminal: Terminal) -> None:
    """The ledger has every row; what comes next brings the keys of all months before, and they open these rows."""
    terminal.lives(3)
    first = terminal.batch(0)
    assert first is not None and first.periods == {}
    terminal.restart()
    assert terminal.wrapped() == ["2020-01", "2020-02", "2020-03"]
    later = terminal.batch(first.head.seq)
    assert later is not None
    for row in first.rows:
        sealer = Sealer(unwrap_by_agency(later.periods[row.period], CUSTODIANS))
        assert row.period.encode() in sealer.open(row.sealed, str(row.seq))
    assert verify(open_read_only(terminal.folder / "data" / "journal.db"), None).whole


def test_they_are_on_the_second_medium_too(terminal: Terminal) -> None:
    """It is only added to: the keys stand behind the rows that they open."""
    terminal.lives(2)
    card = terminal.folder / "card"
    card.mkdir()
    public_key = open_copies(terminal.folder / "data").public_key
    for key in (None, CUSTODIANS):
        terminal.restart(key)
        medium = SecondMedium(card, "T0000001", public_key, 1 << 20)
        batch = terminal.batch(medium.newest())
        if batch is not None:
            medium.append(batch, 0)
    (file,) = card.iterdir()
    assert read_medium(file).periods.keys() == {"2020-01", "2020-02"}


def test_a_key_is_told_once(terminal: Terminal) -> None:
    """No start after it adds a row, and months that begin under the key need none."""
    terminal.lives(1)
    terminal.restart()
    terminal.lives(2)
    before = terminal.newest()
    terminal.restart()
    assert (terminal.newest(), terminal.wrapped()) == (before, ["2020-01"])


def test_many_months_take_several_commits(terminal: Terminal) -> None:
    """Nobody waits for more than fifty rows, and after a power cut the rest follows."""
    terminal.lives(COMMIT_ROWS_MAX + 3)
    terminal.restart()
    assert len(terminal.wrapped()) == COMMIT_ROWS_MAX + 3
    assert verify(open_read_only(terminal.folder / "data" / "journal.db"), None).whole


def test_a_destroyed_month_gets_no_key(terminal: Terminal) -> None:
    """What nobody here can read is wrapped for nobody."""
    terminal.lives(3)
    months: Retention = terminal.journal.retention
    months._periods.destroy("2020-01")
    terminal.restart()
    assert terminal.wrapped() == ["2020-02", "2020-03"]
