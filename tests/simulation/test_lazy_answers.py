"""Answers that are not flushed, under power cuts: no notice is lost; what was forgotten is told again by its key."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offline_queue.journal import SqliteJournal
from offline_queue.verify import verify
from simulators.deterministic.disk import Disk
from simulators.deterministic.fuse import Fuse, PowerCut

HOST = "card_platform"
STEPS_MAX = 40


@dataclass
class Host:
    """Takes a key once. ``again``: how often one came that was known."""

    took: set[str] = field(default_factory=set)
    again: int = 0

    def take(self, key: str) -> None:
        self.again += key in self.took
        self.took.add(key)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        yield Path(scratch)


def opened(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, lambda: datetime(2026, 11, 22, tzinfo=UTC))


def live(journal: SqliteJournal, chance: random.Random, owed: list[str], host: Host) -> None:
    """Residents and forwarder, until the power goes. A key stands in ``owed`` once its commit returned."""
    for _ in range(chance.randrange(1, STEPS_MAX)):
        if chance.random() < 0.6:
            key = f"key-{len(owed)}-{chance.randrange(10**9)}"
            journal.owe_notice(HOST, "pin_changed", key, card_number=f"C{chance.randrange(9)}")
            owed.append(key)
        elif chance.random() < 0.1:
            journal.outbox.settle_answered(HOST)
        else:
            keys = [notice.key for notice in journal.outbox.due_together(HOST, chance.randrange(1, 6))]
            for key in keys:
                host.take(key)
            journal.outbox.answered(*keys)


@dataclass
class Told:
    """What a history came to."""

    lost: int
    forgotten: int
    whole: bool


def history(folder: Path, seed: int) -> Told:
    """Three lives, each ended by a power cut at a random flush; then the line is up until nothing is owed."""
    chance, owed, host = random.Random(seed), [], Host()
    fuse = Fuse()
    disk = Disk(folder, lambda: fuse.burn("sync"))
    try:
        for _ in range(3):
            fuse.armed = False
            journal = opened(folder)
            fuse.armed, fuse.left = True, chance.randrange(1, STEPS_MAX)
            try:
                live(journal, chance, owed, host)
            except PowerCut:
                assert fuse.dead
            disk.dead = True
            journal.close()
            disk.power_cut(chance)
            fuse.power_on()
        fuse.armed = False
        journal = opened(folder)
        known = [entry for entry in journal.entries() if entry.act == "notice_owed"]
        while notices := journal.outbox.due_together(HOST, 50):
            for notice in notices:
                host.take(notice.key)
            journal.outbox.told(*(notice.key for notice in notices))
        while journal.outbox.settle_answered(HOST):
            pass
        rows = journal.database.execute_sql("select key, state from notice").fetchall()
        whole = verify(journal.database.connection(), None).whole
        journal.close()
        lost = set(owed) - {key for key, state in rows if state == "told"} | (set(owed) - host.took)
        assert len(known) >= len(owed)
        return Told(len(lost), host.again, whole)
    finally:
        disk.close()


def histories(folder: Path, seeds: range) -> list[Told]:
    told = []
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        told.append(history(place, seed))
    return told


def test_a_power_cut_loses_no_notice_and_only_forgets_answers(folder: Path) -> None:
    """Of 180 cuts none lost what was owed or broke the chain; some answers were forgotten, and told again."""
    told = histories(folder, range(60))
    assert [one for one in told if one.lost or not one.whole] == []
    assert sum(one.forgotten for one in told) > 20, "the control: cuts do hit answers that were not flushed"


@pytest.mark.slow
def test_two_thousand_power_cuts_lose_no_notice(folder: Path) -> None:
    """The same over seeds of their own."""
    told = histories(folder, range(1000, 1700))
    assert [seed for seed, one in enumerate(told, 1000) if one.lost or not one.whole] == []
    assert sum(one.forgotten for one in told) > 200
