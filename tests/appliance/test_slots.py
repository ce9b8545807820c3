"""A slot that cannot be read: the boot loader goes on to the other one by itself, whatever of it is broken."""

from pathlib import Path

import pytest

from image.disk import MIB, first_mib, write_part
from kiosk.settings.config import Settings
from tests.appliance.box import STATE, UNITS, _run, boot_state, give_units, raw_disk
from tests.appliance.disks import Built
from tests.appliance.machine import Hardware, machine
from tests.appliance.pages import is_enrolment

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]

START_S_MAX = 600.0
SLOT_B = 4
WRECKED_MIB = 8  # from the first block on: no file system is found any more
# After an update that was written: B is to be tried, three times at most.
TRIED = {"ORDER": "B A", "A_OK": "1", "A_TRY": "0", "B_OK": "1", "B_TRY": "0"}
_SAID = """[Unit]
Description=A test asks which slot runs
[Service]
ExecStart=/bin/sh -c 'grep -o "rauc.slot=[AB]" /proc/cmdline > /dev/ttyS0'
"""


def wreck(disk: Path) -> None:
    """The first blocks of slot B are gone, as on a worn flash."""
    with disk.open("r+b") as file:
        file.seek(first_mib(SLOT_B) * MIB)
        file.write(b"\xff" * (WRECKED_MIB * MIB))


def leave_out_initrd(disk: Path, root: Path) -> None:
    """Slot B is whole but for the first file system: the kernel can be read, and what it needs next cannot."""
    write_part(disk, SLOT_B, root)
    slot = f"{disk}?offset={first_mib(SLOT_B) * MIB}"
    _run("tune2fs", "-O", "^read-only", slot)
    _run("debugfs", "-w", "-R", "rm /boot/initrd.img", slot)


def choose_b(disk: Path) -> None:
    """As RAUC's mark-active does, with the same tool; the spare says the same, as after any start."""
    block = disk.with_name("grubenv")
    block.unlink(missing_ok=True)
    _run("grub-editenv", str(block), "create")
    _run("grub-editenv", str(block), "set", *(f"{name}={value}" for name, value in TRIED.items()))
    for name in ("grubenv", "grubenv.spare"):
        _run("mcopy", "-o", "-i", f"{disk}@@{first_mib(STATE)}M", str(block), f"::{name}")


@pytest.mark.longest(300)
@pytest.mark.parametrize(("name", "greetings", "tried"), [("wrecked", 1, "1"), ("no-initrd", 4, "3")])
async def test_a_slot_that_cannot_be_read_is_passed_over(
    image: Built, bench: Path, unknown: Settings, name: str, greetings: int, tried: str
) -> None:
    """Slot B is to be tried. Where no file system is found the boot loader goes on to A in the same start; where only
    the initrd is missing a kernel lies in the way, and it starts anew until B's three tries are used up."""
    disk = raw_disk(image.disk, bench / "disk.img")
    give_units(disk, {"said.service": _SAID}, {"multi-user.target.wants/said.service": f"{UNITS}/said.service"})
    wreck(disk) if name == "wrecked" else leave_out_initrd(disk, image.root)
    choose_b(disk)
    assert boot_state(disk) == TRIED
    async with machine(bench / name, Hardware(disk, "raw")) as one:
        said = await one.until_serial("rauc.slot=", START_S_MAX)
        await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), START_S_MAX)
        assert "rauc.slot=A" in one.serial and "rauc.slot=B" not in said
        assert one.serial.count("Welcome to GRUB!") == greetings
        await one.cut_power()
    state = boot_state(disk)
    assert (state["ORDER"], state["A_TRY"], state["B_TRY"], state["B_OK"]) == ("B A", "1", tried, "1")
