"""Figures for a collector: what they say, and that loopback alone is told."""

import io
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import apsw
import pytest
import trio

from kiosk.basics.log import JsonLog
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.forwarder.asked import Figures
from kiosk.records.metrics import HELP, serve_metrics, show_figures
from offline_queue.journal import SqliteJournal

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Wall:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment


async def asked(port: int, line: str) -> str:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(f"{line}\r\nHost: here\r\n\r\n".encode())
        return b"".join([chunk async for chunk in stream]).decode()


def values(text: str) -> dict[str, int]:
    """As a collector reads them: every name with a HELP and a TYPE before it."""
    found = {}
    lines = text.partition("\r\n\r\n")[2].splitlines()
    for about, kind, sample in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, _, value = sample.partition('{terminal="T0000001"} ')
        assert about.startswith(f"# HELP {name} ") and kind == f"# TYPE {name} gauge"
        found[name.removeprefix("yikatong_")] = int(value)
    return found


async def test_a_collector_reads_sums_and_ages(tmp_path: Path) -> None:
    """What waits, what was put aside, what nobody can explain, each with its money and its age."""
    wall = Wall()
    journal = SqliteJournal(tmp_path, wall.now)
    notices = (NewNotice("hospital", "payment", "key-1", {}, 700), NewNotice("hospital", "debt", "key-2", {}, 50))
    lost = balanced((Account.CASH_BOX, 500), (Account.SUSPENSE, -500))
    journal.commit(NewEntry("settled", "451207", notices=notices, postings=lost))
    for _ in range(3):
        journal.outbox.refused("key-2", "no")
    journal.commit(NewEntry("settle_intent", "451208", opens="settle:1"))
    wall.moment += timedelta(minutes=10)
    figures = Figures(tmp_path, journal, wall, "T0000001")  # type: ignore[arg-type]  # a clock that only tells the time
    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(serve_metrics, 0, figures.text))
        shown = values(await asked(port, "GET /metrics HTTP/1.1"))
        assert shown == {
            "unsent_notices": 2,
            "unsent_fen": 750,
            "unsent_oldest_age_seconds": 600,
            "notices_put_aside": 1,
            "open_effects": 1,
            "under_way": 1,
            "open_cases": 2,
            "suspense_fen": 500,
            "suspense_oldest_age_seconds": 600,
            "journal_rows": 5,
        }
        assert shown.keys() == HELP.keys()
        wall.moment -= timedelta(days=4000)
        assert values(await asked(port, "GET /metrics HTTP/1.1"))["unsent_oldest_age_seconds"] == 0
        nursery.cancel_scope.cancel()
    journal.close()


async def test_who_looks_writes_nothing(tmp_path: Path) -> None:
    """Figures come while the kiosk is at a commit, and no look costs the disk a flush."""
    journal = SqliteJournal(tmp_path, lambda: NOON)
    journal.record("visit_opened")
    figures = Figures(tmp_path, journal, Wall(), "T0000001")  # type: ignore[arg-type]  # a clock that only tells the time
    other = apsw.Connection(str(tmp_path / "journal.db"))
    other.execute("begin immediate")
    with trio.fail_after(1):
        assert "yikatong_journal_rows" in await figures.text()
    other.execute("rollback")
    other.close()
    journal.close()


async def test_a_port_that_is_taken_stops_nobody() -> None:
    """The forwarder goes on without figures, and says so in its log."""

    async def nothing() -> str:
        return ""

    log = io.StringIO()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve_metrics, 0, nothing)
        await show_figures(nursery, port, nothing, JsonLog(log))
        nursery.cancel_scope.cancel()
    assert "metrics_not_served" in log.getvalue()


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "POST /metrics HTTP/1.1", "\x00" * 900])
async def test_anything_else_is_not_found(line: str) -> None:
    """Whatever is asked, the answer is short and the next one is served."""

    async def text() -> str:
        raise AssertionError("nobody asked for it")

    async with trio.open_nursery() as nursery:
        port = await nursery.start(partial(serve_metrics, 0, text))
        for _ in range(2):
            assert (await asked(port, line)).startswith("HTTP/1.1 404 ")
        nursery.cancel_scope.cancel()
