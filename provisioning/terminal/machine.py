"""What the board says of itself, by files of the kernel and ModemManager's program. Whatever is not there is None.

``root`` stands for "/" in tests. Sources: Documentation/ABI/testing of Linux for sysfs-class-net, sysfs-class-thermal;
life_time of an MMC by JEDEC 84-B51, EXT_CSD 268 and 269; RTC_VL_READ by rtc(4).
"""

import fcntl
import json
import os
import shutil
import struct
from pathlib import Path
from typing import Literal

import trio

from provisioning.rules.poll import Machine

RTC_VL_READ = 0x80047013
RTC_LOW, RTC_EMPTY = 0x2, 0x4 | 0x1
LIFE_STEP_PERCENT = 10  # EXT_CSD tells tenths
MODEM_S_MAX = 5.0
MODEM_BYTES_MAX = 65_536


class Board:
    """``data_dir``: the disk that matters is the journal's."""

    def __init__(self, data_dir: Path, root: Path = Path("/")) -> None:
        self._data_dir, self._root = data_dir, root
        self._modem_day: tuple[str, int] = ("", 0)

    def machine(self, today: str, clock_offset_ms: int | None, signal_dbm: float | None = None) -> Machine:
        return Machine(
            disk_free_bytes=self._disk_free(),
            disk_wear_percent=self._wear(),
            rtc_battery=self._rtc(),
            temperature_c=self._temperature(),
            modem_signal_dbm=signal_dbm,
            modem_bytes_today=self._modem_bytes(today),
            memory_free_bytes=self._memory(),
            up_s=self._up_s(),
            clock_offset_ms=clock_offset_ms,
        )

    @property
    def boot_id(self) -> str:
        """Another one after every start of the machine; "" where the kernel does not say."""
        return self._read("proc/sys/kernel/random/boot_id")

    @property
    def metered(self) -> bool | None:
        """Whether a modem is the way out; None: nobody can tell."""
        routes = self._read("proc/net/route").splitlines()[1:]
        ways = [line.split()[0] for line in routes if line.split()[1:2] == ["00000000"]]
        return any(way.startswith(("wwan", "ppp")) for way in ways) if ways else None

    def _read(self, name: str) -> str:
        try:
            return (self._root / name).read_text(errors="replace").strip()
        except OSError:
            return ""

    def _disk_free(self) -> int | None:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:
            return None

    def _wear(self) -> float | None:
        """The worst of the machine's MMC parts, "0x02 0x01": between 10 and 20 % of its life is used."""
        told = [path.read_text().split() for path in self._root.glob("sys/block/mmcblk*/device/life_time")]
        steps = [int(one, 16) for parts in told for one in parts]
        return float(max(steps) * LIFE_STEP_PERCENT) if steps else None

    def _rtc(self) -> Literal["good", "low", "none"] | None:
        device = self._root / "dev/rtc0"
        if not device.exists():
            return "none"
        try:
            descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            (flags,) = struct.unpack("I", fcntl.ioctl(descriptor, RTC_VL_READ, struct.pack("I", 0)))
        except OSError:
            return None  # this clock cannot tell
        finally:
            os.close(descriptor)
        return "low" if flags & (RTC_LOW | RTC_EMPTY) else "good"

    def _temperature(self) -> float | None:
        zones = [self._number(path) for path in self._root.glob("sys/class/thermal/thermal_zone*/temp")]
        known = [one for one in zones if one is not None]
        return max(known) / 1000 if known else None

    def _modem_bytes(self, today: str) -> int | None:
        """Since this day's first look."""
        files = [*self._root.glob("sys/class/net/wwan*/statistics/[rt]x_bytes")]
        known = [one for one in map(self._number, files) if one is not None]
        if not known:
            return None
        if self._modem_day[0] != today or sum(known) < self._modem_day[1]:
            self._modem_day = (today, sum(known))
        return sum(known) - self._modem_day[1]

    def _memory(self) -> int | None:
        for line in self._read("proc/meminfo").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return None

    def _up_s(self) -> int | None:
        told = self._read("proc/uptime").split()
        return int(float(told[0])) if told else None

    @staticmethod
    def _number(path: Path) -> int | None:
        try:
            return int(path.read_text())
        except (OSError, ValueError):
            return None


async def modem_signal_dbm() -> float | None:
    """By ``mmcli`` (ModemManager 1.20); None where there is no modem or no such program."""
    if shutil.which("mmcli") is None:
        return None
    with trio.move_on_after(MODEM_S_MAX):
        answer = await trio.run_process(["mmcli", "-m", "any", "-J", "--signal-get"], capture_stdout=True, check=False)
        return signal_of(answer.stdout[:MODEM_BYTES_MAX])
    return None


def signal_of(told: bytes) -> float | None:
    """RSRP where it is LTE or 5G, RSSI where it is not; "--" is ModemManager's word for nothing."""
    try:
        kinds = json.loads(told)["modem"]["signal"]
        values = [
            kinds[kind][name]
            for kind in ("5g", "lte", "umts", "gsm")
            for name in ("rsrp", "rssi")
            if name in kinds.get(kind, {})
        ]
    except (ValueError, KeyError, TypeError):
        return None
    known = [float(one) for one in values if isinstance(one, str) and one != "--"]
    return known[0] if known else None
