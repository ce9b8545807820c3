"""How long a start takes, up to the page that asks for a card, beside a bare start of the same image.

Both are started in the same run, in a machine that emulates every instruction. The figure is told and kept in
docs/measurements.md; what fails here is a start that does not get to the page, or a log that does not say when.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.settings.config import Settings, load_settings
from kiosk.visit.questions import insert_card
from simulators.usb.ports import qemu_arguments
from simulators.usb.terminal import UsbTerminal
from simulators.worlds.world import load_world
from tests.appliance.box import settled_disk
from tests.appliance.disks import DATA, Built, log_of, new_disk, take
from tests.appliance.machine import Hardware, Machine, machine
from tests.appliance.pages import SHARE_MAX, differing, rendered
from tests.appliance.stage import ATTRACT_S_MAX, NETWORK, PAGE_S_MAX, SIZE_PX, WORLD

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]
NUMBER = f"systemd.machine_id={'5' * 32}"  # the boot loader gives it otherwise
UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"  # systemd's own name of this message (sd-messages(3))
BARE, PAGE = "multi-user.target", "first_page"  # the kiosk says so when a page that asks for more than patience stands
Log = list[dict[str, Any]]


@pytest.mark.longest(420)
async def test_the_first_page_beside_a_bare_start(
    image: Built, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first word of user space to the whole page that asks for a card, over the same to a bare multi-user
    start. The first start is the box's own, which makes its data partition; it is told, too."""
    around = UsbTerminal(load_world(WORLD), bench / "around", bench)
    async with trio.open_nursery() as nursery:
        await nursery.start(around.run)
        box = around.write_box(bench / "box", size_px=SIZE_PX, turned="left")
        disk = new_disk(replace(image, disk=settled_disk(image.disk, bench / "settled.img", box)), bench)
        settings = load_settings(box / "settings.toml")
        for name, target in (("first", "graphical"), ("bare", "multi-user"), ("kiosk", "graphical")):
            words = f"quiet loglevel=0 console=ttyS0 systemd.show_status=true systemd.unit={target}.target {NUMBER}"
            hardware = Hardware(
                disk, direct=image.direct(words), width_px=SIZE_PX[0], height_px=SIZE_PX[1], on_its_side=True,
                network=NETWORK, panel="", more=qemu_arguments(bench),
            )  # fmt: skip
            async with machine(bench / name, hardware) as one:
                await _until_started(one, settings if target == "graphical" else None)
                await one.press_power()
                await one.until_off(PAGE_S_MAX)
            around.power_cut()
        nursery.cancel_scope.cancel()
    log = log_of(take(disk, DATA, bench / "data"), bench / "log")
    first, bare, kiosk = (user_space_s(boot) for boot in boots(log))
    figure = {"first_start_s": first[PAGE], "bare_s": bare[BARE], "page_s": kiosk[PAGE]}
    told = {name: round(s, 1) for name, s in figure.items()} | {"ratio": round(kiosk[PAGE] / bare[BARE], 2)}
    with capsys.disabled():
        print(f"\n{json.dumps({'bench': 'start_over_bare', **told})}")
    assert PAGE not in bare, "a bare start shows no page"
    assert all(_failed(boot) == [] for boot in boots(log)), "nothing had to be started twice"


async def _until_started(one: Machine, settings: Settings | None) -> None:
    """Until the page of a terminal with these settings stands, without any until the bare system does. Each picture
    stops the machine for a while, so none is taken before all units have started."""
    if settings is None:
        await one.until_serial("Multi-User System", ATTRACT_S_MAX)
        return
    await one.until_serial("Graphical Interface", ATTRACT_S_MAX)
    asks = rendered(insert_card(), settings, settings)
    await one.until_glass(lambda glass: differing(glass, asks) <= SHARE_MAX, ATTRACT_S_MAX)


def boots(log: Iterable[dict[str, Any]]) -> list[Log]:
    """The log of each start, in order."""
    found: dict[str, Log] = {}
    for line in log:
        found.setdefault(line["_BOOT_ID"], []).append(line)
    return list(found.values())


def user_space_s(boot: Log) -> dict[str, float]:
    """Seconds from the first process's first word until each unit was started, a target was reached, or the first page
    stood."""
    began = min(_told_us(line) for line in boot if line.get("SYSLOG_IDENTIFIER") == "systemd" and _process(line) == "1")
    started = [line for line in boot if line.get("MESSAGE_ID") == UNIT_STARTED]
    told = {line["UNIT"]: (_told_us(line) - began) / 1e6 for line in reversed(started)}
    page = next((line for line in boot if f'"event": "{PAGE}"' in str(line.get("MESSAGE"))), None)
    return told | ({PAGE: (_told_us(page) - began) / 1e6} if page else {})


def _failed(boot: Log) -> list[str]:
    """Units of the terminal that systemd started again in this start."""
    return [str(line["UNIT"]) for line in boot if "Scheduled restart job" in str(line.get("MESSAGE"))]


def _process(line: dict[str, Any]) -> str | None:
    """Whose word it is; what came through the kernel's own log has the number as its teller wrote it."""
    told: str | None = line.get("_PID") or line.get("SYSLOG_PID")
    return told


def _told_us(line: dict[str, Any]) -> int:
    """When it was said; what was said before there was a log reached that later."""
    return int(line.get("_SOURCE_MONOTONIC_TIMESTAMP") or line["__MONOTONIC_TIMESTAMP"])
