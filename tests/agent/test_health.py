"""What the board and its consumables say, and how long they will last."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules import forecast
from provisioning.rules.forecast import Track
from provisioning.terminal.machine import Board, signal_of

DAY = date(2026, 11, 22)


def test_the_board_is_read_from_its_files(tmp_path: Path) -> None:
    """The hottest zone, the worst memory part, what the modem sent since this day's first look."""
    files = {
        "sys/class/thermal/thermal_zone0/temp": "41000",
        "sys/class/thermal/thermal_zone1/temp": "55500",
        "sys/block/mmcblk0/device/life_time": "0x02 0x03",
        "sys/class/net/wwan0/statistics/rx_bytes": "1000",
        "sys/class/net/wwan0/statistics/tx_bytes": "500",
        "proc/meminfo": "MemTotal: 100 kB\nMemAvailable: 70 kB",
        "proc/uptime": "12.5 3",
        "proc/sys/kernel/random/boot_id": "abc",
        "proc/net/route": "Iface Destination\nwwan0 00000000 01",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    board = Board(tmp_path, tmp_path)
    told = board.machine("2026-11-22", 1500)
    assert (told.temperature_c, told.disk_wear_percent, told.memory_free_bytes, told.up_s) == (55.5, 30.0, 71_680, 12)
    assert (told.rtc_battery, told.modem_bytes_today, told.clock_offset_ms) == ("none", 0, 1500)
    (tmp_path / "sys/class/net/wwan0/statistics/rx_bytes").write_text("4000")
    assert board.machine("2026-11-22", None).modem_bytes_today == 3000
    assert board.machine("2026-11-23", None).modem_bytes_today == 0
    assert (board.boot_id, board.metered) == ("abc", True)


def test_a_board_that_cannot_tell_says_nothing(tmp_path: Path) -> None:
    """No file, no figure: never a zero that nobody measured."""
    told = Board(tmp_path / "gone", tmp_path).machine("2026-11-22", None)
    unknown = (told.temperature_c, told.disk_wear_percent, told.memory_free_bytes, told.up_s, told.disk_free_bytes)
    assert unknown == (None, None, None, None, None)
    assert (told.modem_bytes_today, Board(tmp_path, tmp_path).metered) == (None, None)


@pytest.mark.parametrize(
    ("told", "dbm"),
    [
        (b'{"modem":{"signal":{"lte":{"rsrp":"-98.00","rssi":"-70"},"gsm":{"rssi":"--"}}}}', -98.0),
        (b'{"modem":{"signal":{"lte":{"rsrp":"--"},"gsm":{"rssi":"-81"}}}}', -81.0),
        (b'{"modem":{"signal":{}}}', None),
        (b"error: couldn't find modem", None),
    ],
)
def test_signal_by_modem_manager(told: bytes, dbm: float | None) -> None:
    """Shapes of ``mmcli -J --signal-get``, ModemManager 1.20."""
    assert signal_of(told) == dbm


def test_paper_lasts_as_long_as_its_pace() -> None:
    """Forty a day for ten days, of a roll of 400 that was put in on the seventh day."""
    track = Track()
    for day in range(10):
        today = DAY + timedelta(days=day)
        track = forecast.reloaded(forecast.of_today(track, today, 40), day == 5)
    assert track.since_full == 3 * 40  # it was low on the sixth day, and full on the seventh
    left = 400 - track.since_full
    assert forecast.days_left(track, left, DAY + timedelta(days=9)) == round(left / 40, 1)


def test_a_box_that_was_emptied_begins_anew() -> None:
    """Its own count says so; what came in before counts for the pace."""
    track = Track()
    for day, count in enumerate((100, 200, 300, 50)):
        track = forecast.counted(track, DAY + timedelta(days=day), count)
    assert track.since_full == 50
    assert forecast.days_left(track, 950, DAY + timedelta(days=3)) == round(950 / (350 / 4), 1)


def test_one_day_is_no_pace() -> None:
    """Before the second day nothing is said."""
    assert forecast.days_left(forecast.add(Track(), DAY, 40), 100, DAY) is None


@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(-50, 500)), max_size=60))
def test_a_clock_that_jumps_makes_no_nonsense(steps: list[tuple[int, int]]) -> None:
    """Whatever day the clock says, at most two weeks are kept and no day is negative."""
    track = Track()
    for day, used in steps:
        track = forecast.of_today(track, DAY + timedelta(days=day), used)
    assert len(track.days) <= forecast.DAYS + 1
    assert all(count >= 0 for count in track.days.values())
    left = forecast.days_left(track, 100, DAY)
    assert left is None or left >= 0
