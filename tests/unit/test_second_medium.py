"""The second medium: the same rows on another disk, behind the commits; what is wrong with it hurts nobody here."""

import errno
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.ledger import LedgerBatch, SecondCopy
from kiosk.money.copy_to_medium import REST_S, InThread, SecondCopies
from kiosk.ports.ledger import MediumDisagrees, MediumFull
from offline_queue.copies import JournalCopies, open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.second_medium import SecondMedium, write_at
from simulators.hosts.journal_bundle import BundleRefused
from simulators.hosts.medium_files import read_medium

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TERMINAL = "T0000001"
RECOVERY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ROOM = 1 << 30


class Board:
    """A journal, a copier beside it, and a card in its slot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.journal = SqliteJournal(self.folder, lambda: NOW, RECOVERY.public_key())
        self.card = folder / "card"
        self.card.mkdir()
        self.copies: JournalCopies = open_copies(self.folder)

    def live(self, acts: int) -> None:
        for _ in range(acts):
            moved = balanced((Account.CASH_BOX, 1000), (Account.RESIDENT, -1000))
            self.journal.commit(NewEntry("note_credited", "123456", {}, "T00000131", moved))

    def medium(self, **more: Any) -> SecondMedium:
        return SecondMedium(self.card, TERMINAL, self.copies.public_key, **{"bytes_max": ROOM, **more})

    def batch(self, after: int, rows_max: int = 200) -> LedgerBatch:
        batch = self.copies.after(after, rows_max, 1 << 20)
        assert batch is not None
        return batch

    def files(self) -> list[Path]:
        return sorted(self.card.glob("*.rows"))

    def on_card(self) -> list[tuple[int, str]]:
        return [(row.seq, row.link) for file in self.files() for row in read_medium(file).rows]

    def own(self, after: int = 0) -> list[tuple[int, str]]:
        return [(row.seq, row.link.hex()) for row in self.batch(after, 10_000).rows]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.copies.close()
    made.journal.close()


def test_rows_are_on_it_as_they_stand(board: Board) -> None:
    """Batch after batch, by one process and by its successor: each row once, in order, with its link."""
    medium = board.medium()
    for acts in (1, 30, 7):
        board.live(acts)
        medium.append(board.batch(medium.newest()), 0)
    board.live(5)
    successor = board.medium()
    assert successor.newest() == 38
    successor.append(board.batch(38), 0)
    assert board.on_card() == board.own()
    assert len(board.files()) == 1
    assert len(read_medium(board.files()[0]).periods) == 1


def test_the_power_goes_at_any_byte(board: Board) -> None:
    """Whatever was torn off, the next process goes on behind the last whole head, and nothing is missing or twice."""
    board.live(6)
    medium = board.medium()
    medium.append(board.batch(0, 3), 0)
    whole = board.files()[0].read_bytes()
    medium.append(board.batch(3, 3), 0)
    file, all_of_it = board.files()[0], board.files()[0].read_bytes()
    for cut in range(0, len(all_of_it), 97):
        file.write_bytes(all_of_it[:cut])
        again = board.medium()
        assert again.newest() == (3 if cut >= len(whole) else 0)
        again.append(board.batch(again.newest()), 0)
        assert board.on_card() == board.own()


@pytest.mark.parametrize(
    "bad", [b'["head", 6, "x1", "", ""]', b'["head", "six", "", "", ""]', b'["head"]', b'["period"]', b"7", b"\0" * 40]
)
def test_a_worn_card_stops_no_process(board: Board, bad: bytes) -> None:
    """A line that reads back as something else counts as torn: it and what follows are written anew."""
    board.live(6)
    medium = board.medium()
    medium.append(board.batch(0, 3), 0)
    with board.files()[0].open("ab") as file:
        file.write(bad + b"\n")
    (board.card / board.files()[0].name.replace(".rows", " (copy).rows")).write_bytes(b"")
    again = board.medium()
    assert again.newest() == 3
    again.append(board.batch(3), 0)
    assert [(row.seq, row.link) for row in read_medium(board.files()[1]).rows] == board.own()


def test_files_are_bounded_and_the_agencys_rows_make_room(board: Board) -> None:
    """A new file from some size on; the oldest goes once the agency has all of it, and not before."""
    medium = board.medium(file_bytes=2000, bytes_max=9000)
    with pytest.raises(MediumFull):
        for _ in range(30):
            board.live(2)
            medium.append(board.batch(medium.newest()), 0)
    assert sum(file.stat().st_size for file in board.files()) <= 9000
    assert board.on_card() == board.own()[: medium.newest()]
    kept = medium.newest() - 4
    medium.append(board.batch(medium.newest()), kept)
    left = board.on_card()
    assert left == board.own(left[0][0] - 1)
    assert 1 < left[0][0] <= kept + 1


def test_one_full_file_makes_room_for_the_next(board: Board) -> None:
    """A card smaller than a file: full while the agency lacks a row of it, and no moment longer."""
    medium = board.medium(bytes_max=5000)
    with pytest.raises(MediumFull):
        for _ in range(30):
            board.live(2)
            medium.append(board.batch(medium.newest()), 0)
    full = medium.newest()
    assert len(board.files()) == 1
    with pytest.raises(MediumFull):
        board.medium(bytes_max=5000).append(board.batch(full), full - 1)
    successor = board.medium(bytes_max=5000)
    successor.append(board.batch(full), full)
    assert board.on_card() == board.own(full)
    assert board.medium().newest() == board.own()[-1][0]


@pytest.mark.parametrize("kept", [True, False])
def test_a_card_that_is_full_by_its_own_word_makes_room_too(board: Board, kept: bool) -> None:
    """Other things lie on it, or it is smaller than the settings say: what the agency has goes, one file after another,
    until the rows are on it; without the agency it stays full, and nothing of it is lost."""
    room = 9000

    def write(path: Path, size: int, content: bytes) -> None:
        others = sum(file.stat().st_size for file in board.files() if file != path)
        if others + size + len(content) > room:
            write_at(path, size, content[:100])
            raise OSError(errno.ENOSPC, "no space left")
        write_at(path, size, content)

    board.live(1)
    medium = board.medium(file_bytes=2000, write=write)
    medium.append(board.batch(0), 0)
    with pytest.raises(MediumFull):
        for _ in range(30):
            board.live(2)
            medium.append(board.batch(medium.newest()), 0)
    known = medium.newest()
    assert board.on_card()[-1] == board.own()[known - 1]
    room = 6000
    if not kept:
        with pytest.raises(MediumFull):
            medium.append(board.batch(known), 0)
        assert medium.newest() == known
        return
    medium.append(board.batch(known), known)
    assert board.on_card()[-1] == board.own()[-1]
    assert sum(file.stat().st_size for file in board.files()) <= room


def test_a_card_that_breaks_is_not_taken_for_full(board: Board) -> None:
    """Any other trouble goes to who asked, and no file is removed for it."""

    def broken(path: Path, size: int, content: bytes) -> None:
        raise OSError(errno.EIO, "broken")

    board.live(4)
    board.medium().append(board.batch(0, 2), 0)
    with pytest.raises(OSError, match="broken"):
        board.medium(write=broken).append(board.batch(2), 2)
    assert len(board.files()) == 1


def test_another_card_is_begun_where_the_caller_says(board: Board) -> None:
    """An empty card in the place of the full one: it takes the rows that the agency has not."""
    board.live(10)
    medium = board.medium()
    medium.append(board.batch(0), 0)
    for file in board.files():
        file.unlink()
    assert medium.newest() == 0
    medium.append(board.batch(6), 6)
    assert board.on_card() == board.own(6)


def test_a_journal_that_was_put_back_writes_nothing_over(board: Board) -> None:
    """Rows under our key that are not ours: a person must look."""
    board.live(4)
    medium = board.medium()
    medium.append(board.batch(0, 2), 0)
    before = board.files()[0].read_bytes()
    with pytest.raises(MediumDisagrees):
        medium.append(board.batch(3, 1), 0)
    assert board.files()[0].read_bytes() == before


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_the_agency_refuses_an_altered_file(board: Board, place: float) -> None:
    """A changed byte in a whole line: a signature or a link does not hold, and nothing of it is believed."""
    board.live(8)
    board.medium().append(board.batch(0), 0)
    (file,) = board.files()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b'["head", 8', b'["head", 7')
    file.write_bytes(b"".join(lines))
    with pytest.raises(BundleRefused):
        read_medium(file)
    del lines[int(place * 8) + 1]
    file.write_bytes(b"".join(lines))
    with pytest.raises(BundleRefused):
        read_medium(file)


class Card:
    """A ``RowsMedium`` that fails as told. ``stuck``: calls that hang until it is set."""

    def __init__(self) -> None:
        self.up_to = 0
        self.stuck: threading.Event | None = None
        self.trouble: Exception | None = None

    def newest(self) -> int:
        if self.stuck is not None:
            self.stuck.wait(60)
        if self.trouble is not None:
            raise self.trouble
        return self.up_to

    def append(self, batch: LedgerBatch, kept_by_agency: int) -> None:
        assert batch.rows[0].seq == self.up_to + 1
        self.up_to = batch.head.seq


async def at_once(ask: Callable[..., Any], *about: object) -> Any:
    """Without the thread, which a virtual clock would not wait for."""
    await trio.lowlevel.checkpoint()
    return ask(*about)


@asynccontextmanager
async def copying(board: Board, card: Any, **more: Any) -> AsyncIterator[tuple[SecondCopies, list[str]]]:
    log = list[str]()
    more = {"asked": at_once, **more}
    copies = SecondCopies(board.copies, card, lambda event, **told: log.append(str(told["why"])), lambda: 0, **more)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(copies.keep)
        yield copies, log
        nursery.cancel_scope.cancel()


async def until(holds: Callable[[], bool], seconds: float = 2 * REST_S) -> None:
    with trio.fail_after(seconds):
        while not holds():
            await trio.sleep(0.1)


async def test_new_rows_are_there_within_seconds(board: Board, autojump_clock: MockClock) -> None:
    """Each commit is on the medium at the next look, and the state says up to which row."""
    async with copying(board, board.medium()) as (copies, log):
        for acts in (3, 250, 1):
            board.live(acts)
            await until(lambda: copies.now.up_to == board.copies.newest(), 5)
        assert board.on_card() == board.own()
        assert log == ["fine"]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (FileNotFoundError(errno.ENOENT, "gone"), "missing"),
        (OSError(errno.ENOSPC, "full"), "full"),
        (MediumFull(), "full"),
        (OSError(errno.EIO, "worn out"), "broken"),
        (MediumDisagrees(), "other_journal"),
    ],
)
async def test_trouble_is_told_and_caught_up_with(
    board: Board, autojump_clock: MockClock, trouble: Exception, why: str
) -> None:
    """No commit notices; staff do; and when the medium is well again it has every row."""
    card = Card()
    async with copying(board, card) as (copies, log):
        board.live(2)
        await until(lambda: copies.now == SecondCopy(2))
        card.trouble = trouble
        board.live(3)
        await until(lambda: copies.now == SecondCopy(2, why))
        card.trouble = None
        await until(lambda: copies.now == SecondCopy(5))
        assert log == ["fine", why, "fine"]


async def test_a_medium_that_hangs_holds_one_thread_and_nothing_else(board: Board) -> None:
    """It is called slow, asked by no second thread meanwhile, and goes on when it answers again."""
    card, threads = Card(), threading.active_count()
    stuck = card.stuck = threading.Event()
    board.live(2)
    async with copying(board, card, asked=InThread(0.02), rest_s=0.01) as (copies, log):
        await until(lambda: copies.now.why == "slow")
        assert threading.active_count() <= threads + 1
        card.stuck = None
        stuck.set()
        await until(lambda: copies.now == SecondCopy(2))
        assert log == ["slow", "fine"]


async def test_a_medium_ahead_of_the_journal_is_a_case(board: Board, autojump_clock: MockClock) -> None:
    """The journal was put back to yesterday: nothing is written, and staff are told."""
    card = Card()
    card.up_to = 9
    board.live(2)
    async with copying(board, card) as (copies, _):
        await until(lambda: copies.now.why == "other_journal")
        assert card.up_to == 9


LINES = st.lists(
    st.one_of(
        st.lists(st.integers() | st.text(max_size=20), min_size=9, max_size=9).map(
            lambda row: json.dumps(["row", *row]).encode()
        ),
        st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=20) | st.sampled_from(["row", "head", "period", "ab" * 32]),
            lambda inner: st.lists(inner, max_size=11),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    max_size=8,
)


@given(LINES)
def test_no_file_breaks_the_agencys_reader(lines: list[bytes]) -> None:
    """Whatever lies on a card that somebody brings: rows of no terminal are never made of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "T0000001-00-0000000001.rows"
        path.write_bytes(b"\n".join(lines) + b"\n")
        try:
            assert read_medium(path).rows == []
        except BundleRefused as refused:
            assert path.name in str(refused)
