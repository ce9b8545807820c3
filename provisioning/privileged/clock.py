"""Wish ``clock``: the moment that the agent believes, for the machine's clock and for the one with the battery."""

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from provisioning.privileged.wishes import Refused, Wish

EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)  # before this software existed no clock can be right
LATEST = datetime(2060, 1, 1, tzinfo=UTC)
AGE_S_MAX = 60.0  # an older wish is of another moment, perhaps of before a power cut
RTC = Path("/dev/rtc0")
RTC_S_MAX = 10.0

SetTime = Callable[[float], None]


def set_clock(wish: Wish, set_time: SetTime | None = None) -> None:
    """Raises Refused."""
    try:
        moment = datetime.fromisoformat(wish.command)
    except ValueError:
        raise Refused("not a moment") from None
    if moment.tzinfo is None or not EARLIEST <= moment <= LATEST:
        raise Refused("no clock can stand there")
    if not 0.0 <= wish.age_s <= AGE_S_MAX:
        raise Refused("this wish is of another moment")
    try:
        (set_time or _machine)(moment.timestamp() + wish.age_s)
    except OSError as error:
        raise Refused(f"the clock cannot be set: {error.strerror}") from error
    if RTC.exists():
        subprocess.run(["hwclock", "--systohc", "--utc"], timeout=RTC_S_MAX, check=False, stdin=subprocess.DEVNULL)


def _machine(seconds: float) -> None:
    time.clock_settime(time.CLOCK_REALTIME, seconds)
