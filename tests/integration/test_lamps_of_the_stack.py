"""The lamps on the front panel are those of the simulated board, switched by the kiosk's own driver over its line."""

import io
from pathlib import Path

import trio

from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.ports import DeviceContext, Place, Shine
from simulators.hardware import LAMPS
from simulators.stack import Plan, open_stack

WORLD = Path(__file__).parents[2] / "simulators" / "worlds" / "tiny.toml"
STAND_IN = ["/bin/sh", "-c", "touch ready; exec sleep 600"]
SECONDS_MAX = 20


async def test_what_the_driver_lights_glows_on_the_page(tmp_path: Path) -> None:
    """Each place by its own name, by the settings that the kiosk gets; dark again when the driver has ended."""
    assert set(LAMPS) == {place.value for place in Place}
    async with open_stack(Plan(WORLD, tmp_path / "run", (320, 480), command=STAND_IN)) as stack:
        options = dict(stack.hardware.slots()["lights"])
        context = DeviceContext("lights", lambda _: None, JsonLog(io.StringIO()), tmp_path)
        driver = find_driver(str(options.pop("driver")))(options, context)
        async with trio.open_nursery() as nursery:
            await nursery.start(driver.run)
            for place in Place:
                driver.shine(Shine(frozenset({place})))  # type: ignore[attr-defined] # of the port Lights
                with trio.fail_after(SECONDS_MAX):
                    while stack.state().lamps != (place.value,):
                        await trio.sleep(0.02)
            nursery.cancel_scope.cancel()
        assert stack.state().lamps == ()
