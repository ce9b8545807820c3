"""The other process holds the journal's file: a commit waits, then says so, and the forwarder's loops rest."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import apsw
import pytest
import trio
from trio.testing import MockClock

from kiosk.app import JOURNAL_S_MAX
from kiosk.basics.control import ControlSilent, ask_control, serve_control
from kiosk.domain.entries import JournalBusy, NewEntry
from kiosk.forwarder.notices import card_platform_notices, deliver_notices
from kiosk.money.pauses import BUSY_REST_S, over_busy_journal
from offline_queue.journal import SqliteJournal
from offline_queue.schema import BUSY_S_MAX
from offline_queue.verify import verify
from tests.flows.people import FakeHosts

CARD = "B00000131"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC), busy_s_max=0.02)
    opened.owe_notice("card_platform", "pin_changed", "key-1", card_number=CARD, at="2026-11-22")
    yield opened
    opened.close()


@pytest.fixture
def other(journal: SqliteJournal, tmp_path: Path) -> Iterator[apsw.Connection]:
    """The other process's connection."""
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    yield connection
    connection.close()


def test_a_busy_journal_takes_the_act_whole_or_not_at_all(journal: SqliteJournal, other: apsw.Connection) -> None:
    """While another holds the file nothing is written, and it says so; the same act a moment later is one row."""
    other.execute("begin immediate")
    intent = NewEntry("settle_intent", "451207", {"bill": "1"}, CARD, opens="settle:1")
    for _ in range(2):
        with pytest.raises(JournalBusy):
            journal.commit(intent)
    other.execute("rollback")
    journal.commit(intent)
    assert [entry.act for entry in journal.entries()] == ["notice_owed", "settle_intent"]
    assert [entry.act for entry in journal.open_effects()] == ["settle_intent"]
    assert verify(journal.database.connection(), None).whole


def test_a_journal_is_closed_while_another_holds_its_file(tmp_path: Path) -> None:
    """The newest rows stay unsigned; whoever opens it next finds them proved and signs them."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    journal = SqliteJournal(tmp_path, lambda: now, busy_s_max=0.02)
    journal.record("something")
    other = apsw.Connection(str(tmp_path / "journal.db"))
    other.execute("begin immediate")
    journal.close()
    other.execute("rollback")
    other.close()
    again = SqliteJournal(tmp_path, lambda: now)
    assert again.signed_head().seq == 1
    again.close()


def test_the_kiosk_waits_longer_than_the_forwarder() -> None:
    """With a resident in front nobody gives up after two seconds, which a worn disk may take for one commit."""
    assert JOURNAL_S_MAX >= 5 * BUSY_S_MAX


async def test_a_courier_rests_and_tells_again_by_the_same_key(
    journal: SqliteJournal, other: apsw.Connection, autojump_clock: MockClock
) -> None:
    """The host took a notice, and the journal could not be told: it is told once more by its key, and booked once."""
    told: list[str] = []
    rests: list[str] = []

    class Platform(FakeHosts):
        async def notice_pin_changed(self, card_number: str, changed_at: str, key: str) -> None:
            await trio.lowlevel.checkpoint()
            if not told:
                other.execute("begin immediate")
            told.append(key)

    def log(event: str, **fields: object) -> None:
        if event == "journal_busy":
            rests.append(str(fields["job"]))
            other.execute("rollback")

    with trio.move_on_after(2 * BUSY_REST_S):
        await deliver_notices(journal.outbox, card_platform_notices(Platform()), log)
    assert told == ["key-1", "key-1"]
    assert rests == ["card_platform"]
    assert [entry.act for entry in journal.entries()] == ["notice_owed", "notice_told"]


# Another process died while it wrote the log's index, and a third one reads the whole log to mend it: that one holds
# the locks for writing and for mending (SQLite's wal.c: bytes 120 and 122) until it is told to go on.
MENDS = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    for place in (120, 122):
        fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    index.write(bytes(96))
    index.flush()
    print("mends", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def mending(journal: SqliteJournal, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Call it, and the other one has done."""
    command = [sys.executable, "-c", MENDS, str(tmp_path / "journal.db-shm")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin and other.stdout and other.stdout.readline() == "mends\n"

        def done() -> None:
            other.communicate("go on\n")

        yield done
        if other.poll() is None:
            done()


def test_who_reads_while_the_log_is_mended_is_told_that_it_is_busy(
    journal: SqliteJournal, mending: Callable[[], None]
) -> None:
    """Readers wait for nobody but for who mends a log: then every question says so, and it is answered after."""
    questions: list[Callable[[], object]] = [
        lambda: journal.outbox.owed_hosts(["card_platform"]),
        lambda: journal.outbox.due("card_platform"),
        journal.open_effects,
        journal.high_water,
        journal.unsent,
        lambda: journal.last("notice_owed"),
        lambda: journal.of_card(CARD),
    ]
    for question in questions:
        with pytest.raises(JournalBusy):
            question()
    mending()
    assert journal.unsent() == (1, 0)
    assert questions[0]() == ["card_platform"]


async def test_the_look_for_all_hosts_rests_and_goes_on(
    journal: SqliteJournal, mending: Callable[[], None], autojump_clock: MockClock
) -> None:
    """Whose look at the journal fails ends nothing: courier and look rest, and what is owed is told after."""
    jobs: list[str] = []

    def log(event: str, **fields: object) -> None:
        if event == "journal_busy":
            jobs.append(str(fields["job"]))
            if "notices" in jobs:
                mending()

    platform = FakeHosts()
    with trio.move_on_after(5 * BUSY_REST_S):
        await deliver_notices(journal.outbox, card_platform_notices(platform), log)
    assert {"card_platform", "notices"} <= set(jobs)
    assert [entry.act for entry in journal.entries()] == ["notice_owed", "notice_told"]


async def test_a_loop_begins_anew_after_each_rest(autojump_clock: MockClock) -> None:
    """As often as it takes, at the same distance, and with a line in the log each time."""
    begun: list[float] = []
    lines: list[str] = []

    async def loop(about: str) -> None:
        begun.append(trio.current_time())
        if len(begun) < 4:
            raise JournalBusy
        await trio.sleep_forever()

    with trio.move_on_after(10 * BUSY_REST_S):
        await over_busy_journal(lambda event, **fields: lines.append(event), "orders", loop, "it")
    assert [after - before for before, after in pairwise(begun)] == [BUSY_REST_S] * 3
    assert lines == ["journal_busy"] * 3


async def test_who_asks_about_a_busy_journal_gets_no_answer(
    journal: SqliteJournal, other: apsw.Connection, tmp_path: Path
) -> None:
    """Nobody is told a number that may be wrong: silence is unknown. The next one who asks is answered."""

    async def head() -> int:
        return journal.signed_head().seq

    answers: dict[str, Callable[[], Awaitable[int]]] = {"head": head}
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, tmp_path / "socket", answers)
        other.execute("begin immediate")
        with pytest.raises(ControlSilent):
            await ask_control(tmp_path / "socket", "head")
        other.execute("rollback")
        assert await ask_control(tmp_path / "socket", "head") == 1
        nursery.cancel_scope.cancel()
