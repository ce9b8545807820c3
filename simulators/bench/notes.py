"""From a note in escrow to STACK: the kiosk's own time beyond its commit, driver by driver, on a pty.

Begins when the device has written its first answer that says "escrow", ends when it has read the bytes that make it
stack. In between lie the driver, the service's step (``kiosk.money.take_notes``) with its commit on this disk, and the
device's own answers to what is sent meanwhile, which count as ours. The commits are timed and taken off.
"""

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import trio

from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.money.purse import Purse
from kiosk.money.take_notes import take_one_note
from kiosk.ports import DeviceContext
from kiosk.settings.config import Settings
from offline_queue.journal import SqliteJournal
from simulators import devices
from simulators.bench import Measurement
from simulators.pty_line import PtyLine
from simulators.worlds.world import load_world

WORLD = Path(__file__).parents[1] / "worlds" / "tiny.toml"
NOTES = 20
YUAN = 10
OWN_MS_MAX = 15.0
# Driver, and how its simulated device says where a note is: waiting for us, or on its way to the stacker.
TAKERS: dict[str, tuple[Callable[[Any], bool], Callable[[Any], bool]]] = {
    "ccnet": (lambda device: device._state[0] == 0x80, lambda device: device._note_past_gate),
    "ssp": (lambda device: device._state == "escrow", lambda device: device._note_past_gate),
    "id003": (lambda device: device._state[:1] == b"\x13", lambda device: device._past_lever),
}


def run() -> Iterator[Measurement]:
    for name in TAKERS:
        with tempfile.TemporaryDirectory() as folder:
            own = trio.run(_own_ms, Path(folder), name)
        how = f"p50 of {len(own)}, {min(own):.3g} to {max(own):.3g} ms"
        yield Measurement(f"note_in_escrow_to_stack_{name}", median(own), "ms", OWN_MS_MAX, how)


class TimedJournal(SqliteJournal):
    """Knows how long its commits took."""

    committed_s = 0.0

    def commit(self, entry: NewEntry) -> int:
        began = time.perf_counter()
        try:
            return super().commit(entry)
        finally:
            self.committed_s += time.perf_counter() - began


class Watched:
    """A device as its carrier sees it, with a stop-watch: implements ``simulators.lines.LineDevice``."""

    def __init__(self, device: Any, name: str, journal: TimedJournal) -> None:
        self.device, self.journal = device, journal
        self.own_s: list[float] = []
        self._waits, self._stacks = TAKERS[name]
        self._told_at: tuple[float, float] | None = None
        self._wire: Callable[[bytes], None] = lambda chunk: None
        device.wire = self._send

    @property
    def wire(self) -> Callable[[bytes], None]:
        return self._wire

    @wire.setter
    def wire(self, wire: Callable[[bytes], None]) -> None:
        self._wire = wire

    def _send(self, chunk: bytes) -> None:
        self._wire(chunk)
        if self._told_at is None and self._waits(self.device):
            self._told_at = time.perf_counter(), self.journal.committed_s

    def receive(self, chunk: bytes) -> None:
        self.device.receive(chunk)
        if self._told_at is not None and self._stacks(self.device):
            told, committed_s = self._told_at
            self.own_s.append(time.perf_counter() - told - (self.journal.committed_s - committed_s))
            self._told_at = None

    def tick(self, now_s: float) -> None:
        self.device.tick(now_s)

    def power_cut(self) -> None:
        self.device.power_cut()


async def _own_ms(folder: Path, name: str) -> list[float]:
    journal = TimedJournal(folder, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    watched = Watched(devices.build(name, load_world(WORLD), {}), name, journal)
    context = DeviceContext("cash_acceptor", lambda health: None, JsonLog(io.StringIO()), folder)
    driver: Any = find_driver(name)({"path": str(folder / "cash")}, context)
    kiosk, purse = _kiosk_with(journal, driver), Purse()
    async with trio.open_nursery() as nursery:
        await nursery.start(PtyLine(folder / "cash", watched).run)
        await nursery.start(driver.run)
        driver.acknowledge(await driver.recover("e1"))
        await driver.enable([Fen(YUAN * 100)])
        nursery.start_soon(_feed, watched.device)
        while purse.notes < NOTES:
            await take_one_note(kiosk, purse)
        nursery.cancel_scope.cancel()
    journal.close()
    return [one * 1000 for one in watched.own_s]


async def _feed(device: Any) -> None:
    while True:
        device.insert(YUAN)
        await trio.sleep(0.02)


def _kiosk_with(journal: SqliteJournal, acceptor: Any) -> Any:
    """As much of a kiosk as taking notes needs."""
    identity = CardIdentity(bytes(16), "B00000131", "2.00", date(2019, 3, 12), date(2039, 3, 12), bytes(17))
    visit = SimpleNamespace(identity=identity, case_code="451207")
    return SimpleNamespace(
        settings=Settings(run_dir="", data_dir=""), journal=journal, cash_acceptor=acceptor, visit=visit
    )
