"""The kiosk's self-test: a made-up resident in a real kiosk, of whom nothing stays but one row."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from kiosk.agent.self_test import self_test
from kiosk.ports import Question
from kiosk.visit.desk import Desk
from offline_queue.journal import SqliteJournal
from tests.flows.people import CountingClock, KioskInMemory

ROOM_BYTES = 1 << 40


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir()
    return made


def kiosk_in(folder: Path, room_bytes: int = ROOM_BYTES) -> KioskInMemory:
    """With a journal on the disk, as on a terminal."""
    journal = SqliteJournal(folder / "journal", CountingClock().now, free_bytes=lambda: room_bytes)
    return KioskInMemory(journal=journal)


def desk_in(run: Path, kiosk: KioskInMemory, **changes: Any) -> Desk:
    settings = msgspec.structs.replace(kiosk.settings, run_dir=str(run), pin_mode=changes.pop("pin_mode", "B"))
    return replace(kiosk.desk, settings=settings, **changes)


def rows(kiosk: KioskInMemory) -> tuple[int, str]:
    """How many there are, and the newest that speaks of a self-test."""
    last = kiosk.journal.last("self_test")
    count = kiosk.journal.signed_head().seq
    kiosk.journal.close()
    return count, last.act if last else ""


@pytest.mark.parametrize("pin_mode", ["A", "B"])
async def test_well_kiosk_passes_and_keeps_one_row(
    tmp_path: Path, run: Path, pin_mode: str, autojump_clock: MockClock
) -> None:
    """With either way of PIN entry it passes; one row says so, and no file, no page and no line of the log is left."""
    kiosk = kiosk_in(tmp_path)
    assert await self_test(desk_in(run, kiosk, pin_mode=pin_mode)) == ""
    assert (kiosk.screen.asked, kiosk.lines, list(run.iterdir())) == ([], [], [])
    assert rows(kiosk) == (1, "self_test")


class Glass:
    """Composes every page but one."""

    def __init__(self, without: str = "") -> None:
        self.without, self.composed = without, []

    def foresee(self, question: Question) -> None:
        if question.name == self.without:
            raise LookupError(f"no words for {question.name}")
        self.composed.append(question.name)


async def test_every_page_is_composed(tmp_path: Path, run: Path, autojump_clock: MockClock) -> None:
    """The glass composes the PIN's page, the wait, the overview and each of its four parts."""
    glass = Glass()
    assert await self_test(desk_in(run, kiosk_in(tmp_path), screen=glass)) == ""
    parts = {"figures_insurances", "figures_account", "figures_contributions", "figures_benefits"}
    assert set(glass.composed) == {"pin_entry", "overview_loading", "overview", *parts}


async def test_page_that_cannot_be_composed_is_no_pass(tmp_path: Path, run: Path, autojump_clock: MockClock) -> None:
    """A version that cannot show one of the pages does not pass, and writes no row that says it did."""
    kiosk = kiosk_in(tmp_path)
    with pytest.raises(ExceptionGroup) as failed:
        await self_test(desk_in(run, kiosk, screen=Glass(without="figures_benefits")))
    assert failed.group_contains(LookupError, match="figures_benefits")
    assert rows(kiosk) == (0, "")


async def test_full_disk_is_no_pass(tmp_path: Path, run: Path, autojump_clock: MockClock) -> None:
    """A journal that has no room for a story is not called writable."""
    kiosk = kiosk_in(tmp_path, room_bytes=0)
    assert await self_test(desk_in(run, kiosk)) == "the journal has no room"
    assert rows(kiosk) == (0, "")


async def test_no_host_is_asked(tmp_path: Path, run: Path, autojump_clock: MockClock) -> None:
    """It passes where every host is silent: nothing made up ever leaves the terminal."""
    kiosk = kiosk_in(tmp_path)
    kiosk.hosts.silent = True
    assert await self_test(desk_in(run, kiosk)) == ""
    assert rows(kiosk) == (1, "self_test")
