"""Notes are taken while every flush of the disk is slow: drivers, journal and the protocols' windows in real time.

The device lives in a thread of its own, as a device does: it goes on moving and timing out while the kiosk waits for
its disk.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.books import Account, totals
from kiosk.domain.card import CardIdentity
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse
from kiosk.money.take_notes import take_one_note
from kiosk.ports import DeviceContext
from kiosk.settings.config import Settings
from offline_queue.journal import SqliteJournal
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from simulators import devices
from simulators.bench.slow_disk import SlowDisk
from simulators.pty_line import PtyLine
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[2] / "simulators" / "worlds" / "tiny.toml"
TAKERS = [
    ("ccnet", {"unit": "validator"}, {"unit": "validator"}),
    ("ccnet", {"unit": "bill_to_bill"}, {"unit": "bill_to_bill"}),
    ("ssp", {}, {}),
    ("id003", {}, {}),
]
NAMES = ["ccnet", "bill_to_bill", "ssp", "id003"]
YUAN = 10


class Mouth:
    """The device on its pty, and a hand that puts in the next note as soon as the entry is lit."""

    def __init__(self, path: Path, device: Any, notes: int) -> None:
        self.device, self.notes = device, notes
        self._line = PtyLine(path, device)
        self._over = trio.Event()
        self._there = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._live,))

    async def _live(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._line.run)
            nursery.start_soon(self._feed)
            self._there.set()
            await self._over.wait()
            nursery.cancel_scope.cancel()

    async def _feed(self) -> None:
        while self.notes:
            self.notes -= bool(self.device.insert(YUAN))
            await trio.sleep(0.02)

    @contextmanager
    def alive(self) -> Iterator[None]:
        self._thread.start()
        assert self._there.wait(10)
        try:
            yield
        finally:
            self._token.run_sync_soon(self._over.set)
            self._thread.join(10)


@contextmanager
def slow_disk() -> Iterator[SlowDisk]:
    disk = SlowDisk()
    try:
        yield disk
    finally:
        disk.unregister()


def kiosk_with(journal: SqliteJournal, acceptor: Any) -> Any:
    """As much of a kiosk as taking notes needs."""
    identity = CardIdentity(bytes(16), "B00000131", "2.00", date(2019, 3, 12), date(2039, 3, 12), bytes(17))
    visit = SimpleNamespace(identity=identity, case_code="451207")
    return SimpleNamespace(
        settings=Settings(run_dir="", data_dir=""), journal=journal, cash_acceptor=acceptor, visit=visit
    )


async def pay(
    place: Path, journal: SqliteJournal, name: str, options: dict[str, object], stalls: Any, device: Any
) -> Purse:
    """Notes one after another, until the hand is empty and every note is booked."""
    context = DeviceContext("cash_acceptor", lambda health: None, JsonLog(io.StringIO()), place)
    driver: Any = find_driver(name)({"path": str(place / "cash"), **options}, context)
    purse = Purse()
    async with trio.open_nursery() as nursery:
        await nursery.start(driver.run)
        driver.acknowledge(await driver.recover("e1"))
        await driver.enable([Fen(YUAN * 100)])
        for flush_s in stalls:
            flush_s()
            before = purse.notes
            while purse.notes == before:
                await take_one_note(kiosk_with(journal, driver), purse)
        while keeps_an_event(device):  # the acknowledgement goes out with the driver's next turn
            await trio.sleep(0.02)
        await driver.disable()
        nursery.cancel_scope.cancel()
    return purse


def keeps_an_event(device: Any) -> bool:
    """Told, and not acknowledged: each model remembers it over a power cut."""
    return any(getattr(device, kept, None) for kept in ("_owed", "_packed", "_kept"))


def judge(place: Path, notes: int, device: Any) -> None:
    """One credit for each note, nothing open, and the device has nothing left to tell."""
    inside = sum(device.box) + sum(device.types[kind] * count for kind, count in getattr(device, "cassettes", []))
    assert inside == notes * YUAN
    assert not keeps_an_event(device)
    reader = open_reader(place)
    entries = list(reader.entries())
    credited = [entry for entry in entries if entry.act == "note_credited"]
    assert len({(entry.facts or {})["credit"] for entry in credited}) == len(credited) == notes
    assert not [entry.act for entry in entries if entry.act not in ("note_intent", "note_credited", "cash_event")]
    held = totals(posting for entry in entries for posting in entry.postings)
    assert held == {Account.CASH_BOX: notes * YUAN * 100, Account.RESIDENT: -notes * YUAN * 100} or (
        held == {Account.DRUMS: notes * YUAN * 100, Account.RESIDENT: -notes * YUAN * 100}
    )
    assert next(iter(reader.connection.execute("select count(*) from effect"))) == (0,)
    assert verify(reader.connection, reader.public_key, root=reader.root).whole


async def take(place: Path, taker: tuple[str, dict[str, object], dict[str, str]], flushes_s: list[float]) -> Any:
    """As many notes as there are times of flushes; the device afterwards."""
    name, options, model = taker
    device: Any = devices.build(name, load_world(WORLD), model)
    with slow_disk() as disk:
        journal = SqliteJournal(place, lambda: datetime(2026, 11, 21, tzinfo=UTC), vfs=disk.name)
        mouth = Mouth(place / "cash", device, len(flushes_s))
        stalls = [lambda flush_s=flush_s: setattr(disk, "sync_s", flush_s) for flush_s in flushes_s]
        with mouth.alive(), trio.fail_after(15 * len(flushes_s)):
            purse = await pay(place, journal, name, options, stalls, device)
        disk.sync_s = 0.0
        journal.close()
    assert purse.notes == len(flushes_s)
    return device


@pytest.mark.parametrize("taker", TAKERS, ids=NAMES)
async def test_notes_are_credited_once_on_worn_flash(taker: Any, tmp_path: Path) -> None:
    """With 50 ms for every flush each note is one credit, and no device keeps an event."""
    judge(tmp_path, 2, await take(tmp_path, taker, [0.05] * 2))


@pytest.mark.slow
@pytest.mark.parametrize("flush_s", [0.005, 0.05], ids=["5 ms", "50 ms"])
@pytest.mark.parametrize("taker", TAKERS, ids=NAMES)
async def test_a_visit_of_notes_on_slow_flash(taker: Any, flush_s: float, tmp_path: Path) -> None:
    """The same for as many notes as a bill takes."""
    judge(tmp_path, 12, await take(tmp_path, taker, [flush_s] * 12))


@pytest.mark.slow
@pytest.mark.parametrize("taker", TAKERS, ids=NAMES)
async def test_a_disk_that_stands_still_for_seconds(taker: Any, tmp_path: Path) -> None:
    """Flash that tidies itself up: flushes of seconds outlast every window, and still nothing is credited twice."""
    judge(tmp_path, 4, await take(tmp_path, taker, [0.05, 2.0, 0.05, 4.0]))
