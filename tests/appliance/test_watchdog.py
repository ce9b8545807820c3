"""A machine that hangs starts anew by itself: PID 1 that stands still, and a kernel that gave up.

The watchdog is the one of q35's south bridge, as many boards have it, not soldered to "never reset".
"""

import re
from pathlib import Path

import pytest
import trio

from kiosk.settings.config import Settings
from simulators.waiting import until
from tests.appliance.box import UNITS, boot_state, give_units, raw_disk
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, machine
from tests.appliance.pages import is_enrolment

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]

START_S_MAX = 600.0
BITES_S_MAX = 300.0  # 30 s for PID 1, ten after a panic, and then firmware and kernel until they say something
BEGAN = re.compile(r"a start of this machine: \w+")
SOUTH_BRIDGE = ("-global", "ICH9-LPC.noreboot=false")
# At the first start PID 1 is struck, at the second the kernel: each once the kiosk has come up.
_HANG = """#!/bin/sh
exec > /dev/ttyS0 2>&1
echo "a start of this machine: $(tr -d - < /proc/sys/kernel/random/boot_id)"
starts=$(cat /var/lib/starts 2>/dev/null || echo 0)
until systemctl is-active --quiet yikatong-kiosk.service; do sleep 1; done
for dog in /sys/class/watchdog/*; do echo "$dog: $(cat $dog/identity $dog/state $dog/timeout | tr '\\n' ' ')"; done
echo $((starts + 1)) > /var/lib/starts
sync
case $starts in
0) echo "PID 1 stands still"; kill -SEGV 1 ;;
1) echo "the kernel panics"; echo c > /proc/sysrq-trigger ;;
*) echo "nothing is done to it" ;;
esac
"""
_UNIT = f"""[Unit]
Description=A test hangs the machine
RequiresMountsFor=/var/lib
[Service]
ExecStart=/bin/sh {UNITS}/hang.sh
"""


@pytest.mark.longest(420)
async def test_a_machine_that_hangs_starts_anew(image: Built, bench: Path, unknown: Settings) -> None:
    """The page is back after PID 1 stood still and after the kernel panicked; the boot loader counted both as tries."""
    disk = raw_disk(image.disk, bench / "disk.img")
    links = {"multi-user.target.wants/hang.service": f"{UNITS}/hang.service"}
    give_units(disk, {"hang.sh": _HANG, "hang.service": _UNIT}, links)
    async with machine(bench / "1", Hardware(disk, "raw", more=SOUTH_BRIDGE)) as one:
        for number, fault in enumerate(("PID 1 stands still", "the kernel panics"), start=1):
            await one.until_serial(fault, START_S_MAX)
            struck = trio.current_time()
            await until(lambda now=number: len(BEGAN.findall(one.serial)) > now, BITES_S_MAX, f"anew after: {fault}")  # type: ignore[misc]
            print(f"{fault}: the next start speaks after {trio.current_time() - struck:.0f} s")
        await one.until_serial("nothing is done to it", START_S_MAX)
        await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), START_S_MAX)
        assert len(set(BEGAN.findall(one.serial))) == 3
        await one.cut_power()
    state = boot_state(disk)
    assert (state["A_OK"], state["A_TRY"]) == ("1", "3")
