"""The plug is pulled while an image is written, and once the boot loader was told of it: the update comes through.

Where an installation stands is read off the disk itself, as a worn one would show it: how much of the other slot holds
data, and what the boot loader is to start.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from image.disk import MIB, first_mib
from offline_queue.reader import open_reader
from offline_queue.verify import verify
from tests.appliance.authority import make_signer
from tests.appliance.box import boot_state, kept_on
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, Machine, machine
from tests.appliance.stage import NETWORK, PAGE_S_MAX
from tests.appliance.updating import (
    ENROLLED_S_MAX,
    NUMBER,
    SERIAL,
    UPDATED_S_MAX,
    Ci,
    made,
    prepared,
    until_ended,
    until_running,
)
from tests.fleet.front import running_fleet

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(3600)]

SLOT_B = 4
# Each cut further than the one before: what an earlier one left behind is data already.
SHARES = ((0.05, 0.4), (0.5, 0.95))
LOOK_S = 0.2
BARRED = "Marking target slot rootfs.1 as non-bootable"  # as RAUC logs it


@pytest.mark.longest(780)
async def test_the_power_fails_while_an_image_is_written(image: Built, bench: Path) -> None:
    """Twice while RAUC writes and once when the boot loader has just been told: the version before starts until then,
    the new one afterwards, the fleet hears of one update that went well, and the terminal's journal is whole."""
    signer, chance = make_signer(bench / "signer"), random.Random("cuts of an update")
    async with running_fleet(bench, expect=f"{SERIAL}={NUMBER}", people=True) as (fleet, _):
        ci = await Ci.open(fleet.plan)
        disk = await trio.to_thread.run_sync(prepared, image, bench, fleet.plan, signer)
        bundle = await trio.to_thread.run_sync(made, image, bench, "2.0.0", signer)
        slot_mib = image.root.stat().st_size // MIB
        hardware = Hardware(disk, "raw", network=NETWORK)
        for number, between in enumerate(SHARES):
            share = chance.uniform(*between)
            async with machine(bench / f"written{number}", hardware) as computer:
                if number == 0:
                    await until_running(ci, computer, "1.0.0", ENROLLED_S_MAX)
                    await ci.offer("2.0.0", bundle)
                await _until_written(computer, disk, share * slot_mib)
                await computer.cut_power()
            assert _written_mib(disk) < slot_mib, "it was to be cut off while it was written"
            assert BARRED in computer.serial, "before the first block of it"
            assert boot_state(disk)["ORDER"].startswith("A"), "half a slot is nothing to start"
        async with machine(bench / "told", hardware) as computer:
            await _until_told(computer, disk)
            await computer.cut_power()
            assert "rauc.slot=A" in computer.serial and "rauc.slot=B" not in computer.serial
        async with machine(bench / "last", hardware) as computer:
            await until_ended(ci, computer, "installed: image-2.0.0.raucb")
            await until_running(ci, computer, "2.0.0", ENROLLED_S_MAX)
            assert "rauc.slot=B" in computer.serial and "rauc.slot=A" not in computer.serial
            assert ci.report.get("troubles", []) == []
            await computer.press_power()
            await computer.until_off(PAGE_S_MAX)
    reader = open_reader(kept_on(disk, "/lib/yikatong/journal", bench / "kept"))
    try:
        assert verify(reader.connection, reader.public_key, root=reader.root).whole
    finally:
        reader.connection.close()


async def _until_written(computer: Machine, disk: Path, mib: float) -> None:
    """Raises AssertionError: so much is not written in time."""
    await _until(computer, lambda: _written_mib(disk) >= mib, f"{mib:.0f} MiB of the other slot are written")


async def _until_told(computer: Machine, disk: Path) -> None:
    """Until the boot loader is to start the other slot; the machine has not ended by then."""
    # While it is written the boot loader's file is empty for a moment; it has a spare.
    await _until(computer, lambda: boot_state(disk).get("ORDER", "").startswith("B"), "the boot loader is told")


async def _until(computer: Machine, holds: Callable[[], bool], what: str) -> None:
    with trio.move_on_after(UPDATED_S_MAX):
        while not await trio.to_thread.run_sync(holds):
            await trio.sleep(LOOK_S)
        return
    raise AssertionError(f"{what}: not within {UPDATED_S_MAX:g} s; {computer.serial[-3000:]}")


def _written_mib(disk: Path) -> float:
    """How much of slot B the disk's file holds data for; it began as a hole."""
    at, end, found = first_mib(SLOT_B) * MIB, first_mib(SLOT_B + 1) * MIB, 0
    with disk.open("rb") as file:
        while at < end:
            try:
                begins = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing but a hole up to the end of the disk
                break
            at = os.lseek(file.fileno(), begins, os.SEEK_HOLE)
            found += max(0, min(at, end) - min(begins, end))
    return found / MIB
