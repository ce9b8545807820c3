"""What time it is: 1970 on the board, off for 400 days, a board that ran ahead, and a fleet that cannot be believed."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.hosts.link import HttpsHostLink
from kiosk.ports import HostAnswer, OutcomeUnknown
from kiosk.settings.config import HostSettings
from provisioning.fleet.updates import publish
from provisioning.rules.time import TIMESTAMP_DAYS, Moments, read_alone, read_told
from provisioning.terminal.clock import TerminalClock

BUILD = datetime(2026, 11, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
DAY = timedelta(days=1)


class TimeHost:
    """Implements ``TimeLink``: says one moment, or nothing."""

    def __init__(self, says: datetime | None) -> None:
        self.says = says

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        if self.says is None:
            raise OutcomeUnknown("fleet", "no way there")
        return HostAnswer(200, {"time": self.says.isoformat()})

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        raise OutcomeUnknown("fleet", "asked for the time alone")

    def close(self) -> None:
        """There is nothing to close."""


class Board:
    """A board whose clock a helper may set."""

    def __init__(self, folder: Path, reads: datetime, helped: bool = True) -> None:
        self.reads, self.helped, self.steps = reads, helped, 0
        self.host = TimeHost(None)
        self.clock = TerminalClock(
            home=folder, data_dir=folder, build=BUILD, board_runs=True, set_clock=self.set,
            ask=lambda: self.host, log=lambda event, **fields: None, board=lambda: self.reads, running_s=lambda: 0.0,
        )  # fmt: skip

    async def set(self, moment: datetime) -> bool:
        self.steps += 1
        if self.helped:
            self.reads = moment
        return self.helped

    async def hear(self, says: datetime) -> None:
        self.host = TimeHost(says)
        told = await self.clock._told()
        assert told is not None
        await self.clock._take(read_told(self.clock.moments(), told))


def test_alone_it_is_not_earlier_than_what_has_happened() -> None:
    """The latest of build, journal and signed documents; a board before them is wrong, and one behind a dead battery
    is never believed."""
    for last, signed in ((NOW, None), (None, NOW), (NOW - DAY, NOW)):
        reading = read_alone(Moments(EPOCH, BUILD, last, signed), board_runs=True)
        assert (reading.now, reading.step, reading.believed) == (NOW, True, False)
    good = Moments(NOW + DAY, BUILD, NOW, NOW)
    assert [read_alone(good, runs).believed for runs in (True, False)] == [True, False]
    assert read_alone(good, True).now == NOW + DAY


def test_the_fleet_puts_a_clock_forward_and_back_but_never_behind_what_was_signed() -> None:
    """A board in 2099 comes back; a fleet before the build or before a signed document is not believed."""
    ahead = Moments(datetime(2099, 1, 1, tzinfo=UTC), BUILD, datetime(2099, 1, 1, tzinfo=UTC), NOW - DAY)
    assert (read_told(ahead, NOW).now, read_told(ahead, NOW).step) == (NOW, True)
    for fleet in (EPOCH, NOW - 2 * DAY):
        assert not read_told(ahead, fleet).believed
    exact = Moments(NOW, BUILD, None, None)
    assert not read_told(exact, NOW + timedelta(seconds=1)).step


async def test_a_board_in_1970_is_put_right(tmp_path: Path) -> None:
    """Alone it goes to the newest of what is there, and is only a lower bound; then the fleet says the time."""
    journal = tmp_path / "journal.db"
    journal.touch()
    os.utime(journal, (NOW.timestamp(), NOW.timestamp()))
    board = Board(tmp_path, EPOCH)
    await board.clock.settle()
    assert (board.reads, board.clock.believed()) == (NOW, None)
    await board.hear(NOW + 3 * DAY)
    assert (board.reads, board.clock.believed(), board.steps) == (NOW + 3 * DAY, NOW + 3 * DAY, 2)


async def test_without_a_helper_the_agent_itself_is_right(tmp_path: Path) -> None:
    """The board stays where it was; what the agent judges by does not."""
    board = Board(tmp_path, EPOCH, helped=False)
    await board.hear(NOW)
    assert (board.reads, board.clock.now(), board.clock.believed()) == (EPOCH, NOW, NOW)


async def test_off_for_400_days_with_a_dead_battery_a_sticks_document_tells_the_time_at_least(tmp_path: Path) -> None:
    """A fresh claim, signed yesterday, is newer than anything that the terminal knew."""
    (tmp_path / "identity").mkdir()
    claim = {"document": {"issued_at": (NOW + 400 * DAY).isoformat()}, "signatures": []}
    (tmp_path / "identity" / "claim.json").write_text(json.dumps(claim))
    board = Board(tmp_path, NOW)
    await board.clock.settle()
    assert (board.reads, board.clock.believed()) == (NOW + 400 * DAY, None)


def test_metadata_of_a_stick_tells_the_time_at_least(tmp_path: Path) -> None:
    """TUF says when a timestamp ends; the fleet signs it for so many days, so it began no earlier than that before."""
    (tmp_path / "tuf").mkdir()
    ends = {"signed": {"expires": f"{NOW + timedelta(days=TIMESTAMP_DAYS):%Y-%m-%dT%H:%M:%SZ}"}}
    (tmp_path / "tuf" / "timestamp.json").write_text(json.dumps(ends))
    assert Board(tmp_path, EPOCH).clock.moments().signed == NOW
    assert TIMESTAMP_DAYS == publish.TIMESTAMP_DAYS


async def test_silence_changes_nothing(tmp_path: Path) -> None:
    """Nobody told the time: what was read alone stands."""
    board = Board(tmp_path, NOW)
    await board.clock.settle()
    assert await board.clock._told() is None
    assert (board.clock.believed(), board.steps) == (NOW, 0)


@pytest.mark.parametrize("for_time", [True, False])
async def test_the_question_for_the_time_looks_at_no_dates(tmp_path: Path, for_time: bool) -> None:
    """A server certificate that is not valid yet by this clock: asked for the time it answers, else it is silence."""
    from tests.fleet.enrolment.time_server import time_server

    async with time_server(tmp_path) as (port, ca, own):
        host = HostSettings(url=f"https://127.0.0.1:{port}", ca=ca, certificate=own, private_key=own)
        link = HttpsHostLink("fleet", host, lambda event, **fields: None, for_time=for_time)
        try:
            answer: Any = (await link.call("GET", "/enrolment/v1/time")).body
        except OutcomeUnknown:
            answer = None
        link.close()
    assert answer == ({"time": "2027-01-15T08:00:00+00:00"} if for_time else None)
