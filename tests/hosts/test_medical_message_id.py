"""Message ids of the national interface: never the same one twice, whatever clock and power do."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.hosts.medical_insurance.message_id import MessageIds, MessageIdsUnusable

HOSPITAL = "H99000100001"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 12:00 in China


class Watch:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


def ids(folder: Path, watch: Watch, first: int = 100, last: int = 102) -> MessageIds:
    return MessageIds(folder / "message-ids", HOSPITAL, first, last, watch)


def test_institution_local_time_and_serial(tmp_path: Path) -> None:
    """Twelve characters of institution, fourteen of China's time, four of the terminal's own serials."""
    made = ids(tmp_path, Watch()).new()
    assert made == HOSPITAL + "20261121120000" + "0100"
    assert len(made) == 30


def test_a_used_up_share_runs_into_the_next_second(tmp_path: Path) -> None:
    """A fourth id within one second, from a share of three serials, borrows the following second."""
    source = ids(tmp_path, Watch())
    assert [source.new()[-6:] for _ in range(4)] == ["000100", "000101", "000102", "010100"]


def test_clock_set_back_repeats_nothing(tmp_path: Path) -> None:
    """After the clock was set back an hour, ids go on after the last one, also through a restart."""
    watch = Watch()
    before = ids(tmp_path, watch).new()
    watch.time -= timedelta(hours=1)
    after = [ids(tmp_path, watch).new() for _ in range(5)]
    assert sorted([before, *after]) == [before, *after]
    assert len({before, *after}) == 6


@given(st.lists(st.integers(-5, 5), max_size=30))
@settings(max_examples=20, deadline=None)
def test_always_rising(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    """However the clock jumps and however often the terminal restarts, every id is greater than the one before."""
    folder, watch = tmp_path_factory.mktemp("ids"), Watch()
    made = [ids(folder, watch).new()]
    for step in steps:
        watch.time += timedelta(seconds=step)
        made.append(ids(folder, watch).new())
    assert made == sorted(set(made))


def test_a_broken_counter_makes_no_ids(tmp_path: Path) -> None:
    """A file that says nothing sensible means that nobody knows which ids were used."""
    for broken in (b"", b"\xff\xfe", b"20261121 1\n", b"20261121120000 x\n"):
        (tmp_path / "message-ids").write_bytes(broken)
        with pytest.raises(MessageIdsUnusable):
            ids(tmp_path, Watch())


def test_the_id_is_on_the_disk_first(tmp_path: Path) -> None:
    """An id that could not be kept is never handed out."""
    source = ids(tmp_path / "gone", Watch())
    shutil.rmtree(tmp_path / "gone")
    with pytest.raises(OSError, match="message-ids"):
        source.new()


@pytest.mark.parametrize("kept", ["", "20261121110000 101"], ids=["lost", "restored"])
def test_a_counter_older_than_the_journal_goes_on_after_it(kept: str, tmp_path: Path) -> None:
    """Also where the clock was set back: nothing comes before the newest id that the journal knows."""
    watch, newest = Watch(), HOSPITAL + "20261121120005" + "0101"
    watch.time -= timedelta(hours=2)
    if kept:
        (tmp_path / "message-ids").write_text(kept)
    made = MessageIds(tmp_path / "message-ids", HOSPITAL, 100, 102, watch, newest).new()
    assert made == HOSPITAL + "20261121120006" + "0100" > newest


def test_a_counter_that_knows_more_than_the_journal_is_believed(tmp_path: Path) -> None:
    """Quotes and questions have ids too, and no entry."""
    watch = Watch()
    last = [ids(tmp_path, watch).new() for _ in range(2)][-1]
    older = HOSPITAL + "20261121115959" + "0100"
    made = MessageIds(tmp_path / "message-ids", HOSPITAL, 100, 102, watch, older).new()
    assert made == HOSPITAL + "20261121120000" + "0102" > last
