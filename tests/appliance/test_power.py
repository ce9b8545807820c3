"""The plug is pulled: at any moment, again and again, and the terminal starts again. And how long a start takes."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.settings.config import Settings
from tests.appliance.disks import DATA, Built, log_of, new_disk, take
from tests.appliance.machine import Hardware, machine
from tests.appliance.pages import is_enrolment

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(3600)]

SLICES, CUTS = 4, 5  # twenty in all; each commit pulls the plug in a slice of its own, `make test-image` in all of them
ON_S_MIN, ON_S_MAX = 4.0, 90.0  # from the boot loader's first words to a page that stands
START_S_MAX = 900.0
OFF_S_MAX = 300.0
RATIO_MAX = 1.6
NUMBER = f"systemd.machine_id={'5' * 32}"  # the boot loader gives it otherwise
UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"  # systemd's own name of this message (sd-messages(3))
BARE, PAGE = "multi-user.target", "first_page"  # the kiosk says so when a page that asks for more than patience stands


@pytest.mark.parametrize("part", range(SLICES))
async def test_it_starts_after_power_cuts(
    image: Built, bench: Path, unknown: Settings, part: int, request: pytest.FixtureRequest
) -> None:
    """From the very first start on the power goes at seeded moments; afterwards the page stands as it should."""
    turn = request.config.getoption("--rotate")
    if turn and turn % SLICES != part:
        pytest.skip(f"slice {part} of the power cuts is another commit's turn")
    disk, chance = new_disk(image, bench), random.Random(f"power cuts {part}")
    for cut in range(CUTS):
        async with machine(bench / f"cut{cut}", Hardware(disk)) as one:
            with trio.move_on_after(chance.uniform(ON_S_MIN, ON_S_MAX)):
                await one.until_off(START_S_MAX)
            assert one.running, "it was to run until the plug is pulled"
            await one.cut_power()
    async with machine(bench / "last", Hardware(disk)) as one:
        await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), START_S_MAX)


async def test_the_first_page_comes_soon_after_a_bare_start(image: Built, bench: Path, unknown: Settings) -> None:
    """From the start of user space to a whole page takes at most 1.6 times what a bare multi-user start takes."""
    disk = new_disk(image, bench)
    for name, target in (("first", "graphical"), ("bare", "multi-user"), ("kiosk", "graphical")):
        words = f"quiet loglevel=0 console=ttyS0 systemd.show_status=true systemd.unit={target}.target {NUMBER}"
        async with machine(bench / name, Hardware(disk, direct=image.direct(words))) as one:
            if target == "graphical":
                await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), START_S_MAX)
            else:
                await one.until_serial("Multi-User System", START_S_MAX)
            await one.press_power()
            await one.until_off(OFF_S_MAX)
    log = log_of(take(disk, DATA, bench / "data"), bench / "log")
    first, bare, kiosk = (user_space_s(boot) for boot in boots(log))
    print(f"bare {bare[BARE]:.1f} s, page {kiosk[PAGE]:.1f} s, the very first {first[PAGE]:.1f} s")
    print({name: round(s, 1) for name, s in kiosk.items() if name.startswith(("yikatong", BARE, "local-fs"))})
    assert kiosk[PAGE] <= RATIO_MAX * bare[BARE]


def boots(log: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The log of each start, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in log:
        found.setdefault(line["_BOOT_ID"], []).append(line)
    return list(found.values())


def user_space_s(boot: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds from the first process's first word until each unit was started, a target was reached, or the first page
    stood."""
    began = min(_told_us(line) for line in boot if line.get("SYSLOG_IDENTIFIER") == "systemd" and _process(line) == "1")
    started = [line for line in boot if line.get("MESSAGE_ID") == UNIT_STARTED]
    told = {line["UNIT"]: (_told_us(line) - began) / 1e6 for line in reversed(started)}
    page = next((line for line in boot if f'"event": "{PAGE}"' in str(line.get("MESSAGE"))), None)
    return told | ({PAGE: (_told_us(page) - began) / 1e6} if page else {})


def _process(line: dict[str, Any]) -> str | None:
    """Whose word it is; what came through the kernel's own log has the number as its teller wrote it."""
    told: str | None = line.get("_PID") or line.get("SYSLOG_PID")
    return told


def _told_us(line: dict[str, Any]) -> int:
    """When it was said; what was said before there was a log reached that later."""
    return int(line.get("_SOURCE_MONOTONIC_TIMESTAMP") or line["__MONOTONIC_TIMESTAMP"])
