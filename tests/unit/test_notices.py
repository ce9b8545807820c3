"""Delivery of what hosts are owed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from kiosk.notices import BACK_OFF_S_MAX, deliver_notices, pause_s
from kiosk.ports import HostRefused
from offline_queue.journal import SqliteJournal
from tests.flows.people import FakeHosts


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    opened.owe_notice("card_platform", "pin_changed", "key-1", card_number="B00000131", at="2026-11-21")
    yield opened
    opened.close()


async def deliver_for(journal: SqliteJournal, hosts: FakeHosts, seconds: float) -> None:
    with trio.move_on_after(seconds):
        await deliver_notices(journal, hosts, lambda event, **fields: None)


async def test_silent_platform_is_told_when_it_is_back(
    journal: SqliteJournal, autojump_clock: trio.testing.MockClock
) -> None:
    """Tries go on over silence with growing pauses; when the platform answers, the notice is told once."""
    hosts = FakeHosts()
    hosts.silent = True
    await deliver_for(journal, hosts, 3600)
    owed = journal.next_notice()
    assert owed is not None
    assert 5 < owed.tries < 20
    hosts.silent = False
    await deliver_for(journal, hosts, 2 * BACK_OFF_S_MAX)
    assert journal.notices_owed() == 0


async def test_refused_notice_is_closed(journal: SqliteJournal, autojump_clock: trio.testing.MockClock) -> None:
    """A refusal is final and stands in the journal."""
    hosts = FakeHosts()
    hosts.refuses = HostRefused("card_platform", "unknown_card")
    await deliver_for(journal, hosts, 60)
    assert journal.notices_owed() == 0
    assert journal.entries()[-1].act == "notice_refused"


def test_pauses_grow_to_a_quarter_of_an_hour_and_are_spread() -> None:
    """One second at first, fifteen minutes at most, never less than half of it."""
    assert 0.5 <= pause_s(0, 0.0) <= pause_s(0, 1.0) == 1.0
    assert pause_s(50, 1.0) == BACK_OFF_S_MAX
    assert pause_s(50, 0.0) == BACK_OFF_S_MAX / 2
