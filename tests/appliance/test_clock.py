"""A start without a network and with a clock that is wrong: of a board without battery."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk.agent.enrolment import BUILD
from kiosk.settings.config import Settings
from tests.appliance.box import UNITS, give_units, raw_disk
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, machine
from tests.appliance.pages import is_enrolment
from tests.appliance.versions import TOLD

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]

START_S_MAX = 600.0
NO_BATTERY = "1970-01-01T00:00:05"
STARTED = "Started yikatong-kiosk.service"


@pytest.mark.longest(180)
async def test_a_box_without_battery_shows_its_first_page(image: Built, bench: Path, unknown: Settings) -> None:
    """In 1970 and without a cable the first page stands as at any start; the clock is put where this software began."""
    disk = raw_disk(image.disk, bench / "disk.img")
    give_units(disk, {"told.service": TOLD}, {"multi-user.target.wants/told.service": f"{UNITS}/told.service"})
    async with machine(bench / "1", Hardware(disk, "raw", clock=NO_BATTERY, network="none")) as one:
        await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), START_S_MAX)
        await one.until_serial(STARTED, START_S_MAX)
        told = lines(one.serial)
    (put,) = [line for line in told if line["event"] == "clock_set"]
    assert put["outcome"] == "done" and put["count"] > 0, "the machine's clock was to be put forward"
    assert BUILD <= moment_of(told[-1]) < BUILD.replace(year=BUILD.year + 1)


def lines(serial: str) -> list[dict[str, Any]]:
    """What our programs logged, in its order; ``at`` is the clock of the machine."""
    found = (line[line.find('{"at"') :] for line in serial.splitlines() if '{"at"' in line)
    return [json.loads(line) for line in found if line.endswith("}")]


def moment_of(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])
