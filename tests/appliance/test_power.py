"""The plug is pulled: at any moment, again and again, and the terminal starts again."""

import random
from pathlib import Path

import pytest
import trio

from kiosk.settings.config import Settings
from tests.appliance.disks import Built, new_disk
from tests.appliance.machine import Hardware, machine
from tests.appliance.pages import is_enrolment

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(3600)]

SLICES, CUTS = 4, 5  # twenty in all; each commit pulls the plug in a slice of its own, `make test-image` in all of them
ON_S_MIN, ON_S_MAX = 4.0, 90.0  # from the boot loader's first words to a page that stands
START_S_MAX = 900.0


@pytest.mark.longest(420)
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
