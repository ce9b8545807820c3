"""Kiosk and forwarder, two real processes, write one journal; either is killed at any moment (money-rules 24)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiosk.domain.books import Account, totals
from offline_queue.reader import open_reader
from offline_queue.verify import verify

SEED = int(os.environ.get("KILLS_SEED", "20261122"))
LIFE_S = (0.05, 0.6)

# Each says what it knows to be durable, one line an act, before it goes on. The kiosk waits a moment for its devices,
# much shorter than real ones take: SQLite's locks are not fair, and without any pause the other writer finds the file
# free too seldom within its two seconds.
KIOSK = """
import itertools, os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from offline_queue.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]), lambda: datetime(2026, 11, 21, tzinfo=UTC))
for turn in itertools.count():
    key, case = f"{os.getpid()}-{turn}", f"{turn % 1_000_000:06d}"
    journal.commit(NewEntry("note_intent", case, {"note": key}, "B00000131", opens=key))
    moved = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    journal.commit(NewEntry("note_credited", case, {"credit": key}, "B00000131", moved, closes=key))
    settled = balanced((Account.RESIDENT, 10_000), (Account.HOSPITAL, -10_000))
    told = (NewNotice("hospital", "payment", "pay:" + key, {"bill": key}, 10_000),)
    seq = journal.commit(NewEntry("settled", case, {"key": key}, "B00000131", settled, notices=told))
    print("settled", key, seq, flush=True)
    time.sleep(0.003)
"""
FORWARDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from offline_queue.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]), lambda: datetime(2026, 11, 21, tzinfo=UTC))
while True:
    notice = journal.outbox.due("hospital")
    if notice is None:
        time.sleep(0.002)
        continue
    journal.outbox.unanswered(notice.key)
    print("sent", notice.key, notice.facts["bill"], flush=True)
    journal.outbox.told(notice.key)
    print("told", notice.key, flush=True)
"""


class Writer:
    """A process that is started again and again; ``said``: all its whole lines, over all its lives.

    Each life has a file of its own: a kill tears a line that crosses a page of the file, and the next life would go on
    in the middle of it.
    """

    def __init__(self, program: str, folder: Path, name: str) -> None:
        self._command = [sys.executable, "-c", program, str(folder)]
        self._folder, self._name = folder, name
        self._lives: list[Path] = []
        self.start()

    def start(self) -> None:
        self._lives.append(self._folder / f"{self._name}-{len(self._lives)}.txt")
        with self._lives[-1].open("wb") as out:
            self._process = subprocess.Popen(self._command, stdout=out)

    def kill(self) -> None:
        assert self._process.poll() is None, "it ended by itself"
        self.end()

    def wait_for_work(self, word: str = "") -> None:
        """Until this life has said so, or anything; however slow the machine is. pytest's limit ends this."""
        while not any(line.startswith(word) for line in self._lives[-1].read_text().splitlines()):
            assert self._process.poll() is None, "it ended by itself"
            time.sleep(0.01)

    def end(self) -> None:
        """However the test ends."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    @property
    def said(self) -> list[list[str]]:
        lines = (line for life in self._lives for line in life.read_text().splitlines(keepends=True))
        return [line.split() for line in lines if line.endswith("\n")]


def live(folder: Path, kills: int) -> tuple[Writer, Writer]:
    """Both at work until one of them, or both, are killed; so many times."""
    kiosk = Writer(KIOSK, folder, "kiosk")
    try:
        while not kiosk.said:
            time.sleep(0.01)
        forwarder = Writer(FORWARDER, folder, "forwarder")
        try:
            _kill_again_and_again(kiosk, forwarder, kills)
        finally:
            forwarder.end()
    finally:
        kiosk.end()
    return kiosk, forwarder


def _kill_again_and_again(kiosk: Writer, forwarder: Writer, kills: int) -> None:
    chance = random.Random(SEED)
    for _ in range(kills):
        for writer in (kiosk, forwarder):
            writer.wait_for_work()
        time.sleep(chance.uniform(*LIFE_S))
        victims = chance.choice(([kiosk], [forwarder], [kiosk, forwarder]))
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.start()
    forwarder.wait_for_work("told")


def judge(folder: Path, kiosk: Writer, forwarder: Writer) -> None:
    """Whatever a process was told to be durable is there, once, and the chain of both holds."""
    reader = open_reader(folder)
    verdict = verify(reader.connection, reader.public_key, root=reader.root)
    assert verdict.whole, verdict
    entries = list(reader.entries())
    settled = {str((entry.facts or {})["key"]): entry.seq for entry in entries if entry.act == "settled"}
    assert all(settled[key] == int(seq) for _, key, seq in kiosk.said)
    told = [str((entry.facts or {})["key"]) for entry in entries if entry.act == "notice_told"]
    assert len(told) == len(set(told)) > 0
    assert {line[1] for line in forwarder.said if line[0] == "told"} <= set(told) <= {f"pay:{key}" for key in settled}
    owed = next(iter(reader.connection.execute("select unsent_count, unsent_sum_fen from outbox_totals")))
    assert owed == (len(settled) - len(told), (len(settled) - len(told)) * 10_000)
    books = totals(posting for entry in entries for posting in entry.postings)
    assert books.get(Account.HOSPITAL, 0) == -10_000 * len(settled)


def test_either_writer_is_killed(tmp_path: Path) -> None:
    """Four kills: nothing that was said to be durable is lost, nothing is told twice in the books."""
    judge(tmp_path, *live(tmp_path, 4))


@pytest.mark.slow
def test_either_writer_is_killed_again_and_again(tmp_path: Path) -> None:
    """The same for forty kills."""
    judge(tmp_path, *live(tmp_path, 40))
