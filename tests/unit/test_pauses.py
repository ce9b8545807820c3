"""How long an unknown outcome waits to be asked about again (money-rules 2)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.entries import NewEntry
from kiosk.money.pauses import BACK_OFF_S_MAX, LOOK_S, Pauses
from offline_queue.journal import SqliteJournal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


def becomes_unknown(journal: SqliteJournal, key: str, act: str = "settle_intent") -> None:
    journal.commit(NewEntry(act, f"case {key}", {"message_id": key}, opens=key))


async def rested_s(pauses: Pauses, still_open: int) -> float:
    began = trio.current_time()
    await pauses.rest(still_open)
    return trio.current_time() - began


async def test_old_ones_are_asked_about_rarer_and_rarer(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """20 s, 40 s, and at last 5 minutes; at once often again when something became known."""
    becomes_unknown(journal, "m1")
    pauses = Pauses(journal, ("settle_intent",), set)
    assert [await rested_s(pauses, 1) for _ in range(6)] == [LOOK_S, 40, 80, 160, BACK_OFF_S_MAX, BACK_OFF_S_MAX]
    assert await rested_s(pauses, 0) == LOOK_S


@pytest.mark.parametrize(("act", "waits_s"), [("settle_intent", 120.0), ("note_intent", BACK_OFF_S_MAX)])
async def test_a_new_one_does_not_wait_for_old_ones(
    act: str, waits_s: float, autojump_clock: MockClock, journal: SqliteJournal
) -> None:
    """What becomes unknown in the long rest over one that only tomorrow's detail will tell is asked about in 20 s."""
    becomes_unknown(journal, "m1")
    pauses = Pauses(journal, ("settle_intent",), set)
    for _ in range(5):
        await pauses.rest(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_later, 105.0, journal, act)
        assert await rested_s(pauses, 1) == waits_s


async def _later(after_s: float, journal: SqliteJournal, act: str) -> None:
    await trio.sleep(after_s)
    becomes_unknown(journal, "m2", act)


async def test_what_a_visit_hands_over_is_new(autojump_clock: MockClock, journal: SqliteJournal) -> None:
    """Its effect was there before, and its visit drove it."""
    becomes_unknown(journal, "m1")
    becomes_unknown(journal, "m2")
    live = {"case m2"}
    pauses = Pauses(journal, ("settle_intent",), lambda: live)
    for _ in range(5):
        await pauses.rest(1)
    async with trio.open_nursery() as nursery:

        async def visit_ends() -> None:
            await trio.sleep(30)
            live.clear()

        nursery.start_soon(visit_ends)
        assert await rested_s(pauses, 1) == 2 * LOOK_S
