"""The image, started as a terminal starts: firmware, boot loader, kernel, kiosk. The glass is compared."""

from pathlib import Path

import pytest

from image.boot import WORDS
from kiosk.settings.config import Settings
from tests.appliance.disks import DATA, Built, log_of, new_disk, partitions, read_file, take
from tests.appliance.machine import Hardware, Machine, machine
from tests.appliance.pages import is_enrolment, read_code
from tests.appliance.tpm import tpm

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(1800)]

# Generous: the emulator is thirty times slower than a board, and shares its cores.
FIRST_START_S_MAX = 900.0
START_S_MAX = 900.0
OFF_S_MAX = 300.0
PLUGGED_IN_S = 90  # in the guest, whose own clock this is: the kiosk runs by then
LUKS = b"LUKS\xba\xbe"


async def until_enrolment(one: Machine, bench: Path, unknown: Settings, limit_s: float) -> str:
    """The code on the glass, once the page stands whole."""
    glass = await one.until_glass(lambda glass: is_enrolment(glass, bench, unknown), limit_s)
    return read_code(glass, bench)


@pytest.mark.longest(300)
async def test_a_box_that_nobody_knows_shows_its_code(image: Built, bench: Path, unknown: Settings) -> None:
    """From the first start on the glass shows the code to enrol it; no key leads elsewhere; it is the same afterwards,
    from a data partition that only this board's TPM opens."""
    disk = new_disk(image, bench)
    async with tpm(bench / "tpm") as chip:
        async with machine(bench / "first", Hardware(disk, tpm=chip)) as one:
            code = await until_enrolment(one, bench, unknown, FIRST_START_S_MAX)
            for chord in (
                ("ctrl", "alt", "f2"),
                ("ctrl", "alt", "delete"),
                ("alt", "sysrq", "b"),
                ("ctrl", "alt", "backspace"),
            ):
                await one.keys(*chord)
            assert await until_enrolment(one, bench, unknown, START_S_MAX) == code
            await one.cut_power()
    assert partitions(disk) == ["ESP", "state", "rootA", "rootB", "data"]
    assert take(disk, DATA, bench / "data").read_bytes()[: len(LUKS)] == LUKS
    async with tpm(bench / "tpm") as chip, machine(bench / "second", Hardware(disk, tpm=chip)) as one:
        assert await until_enrolment(one, bench, unknown, START_S_MAX) == code


@pytest.mark.longest(480)
async def test_a_board_without_tpm_keeps_its_data_too(image: Built, bench: Path, unknown: Settings) -> None:
    """Without a TPM the partition is plain; this machine's number is the same at the next start, as its log shows. Only
    our screen is ever on the glass."""
    disk = new_disk(image, bench)
    for start in ("first", "second"):
        async with machine(bench / start, Hardware(disk)) as one:
            await until_enrolment(one, bench, unknown, FIRST_START_S_MAX)
            await one.press_power()  # the page may stand before the log is on the disk
            await one.until_off(OFF_S_MAX)
    data = take(disk, DATA, bench / "data")
    number = read_file(data, "/lib/yikatong-image/machine-id").decode().strip()
    log = log_of(data, bench / "log")
    assert {line["_MACHINE_ID"] for line in log} == {number}
    assert not any("drmfb" in str(line.get("MESSAGE")) for line in log), "no console of the kernel paints the glass"
    assert len({line["_BOOT_ID"] for line in log}) == 2


@pytest.mark.longest(180)
async def test_the_button_of_the_case_ends_it_in_order(image: Built, bench: Path, unknown: Settings) -> None:
    """Who presses it finds the terminal off, with everything written."""
    async with machine(bench / "first", Hardware(new_disk(image, bench))) as one:
        await until_enrolment(one, bench, unknown, FIRST_START_S_MAX)
        await one.press_power()
        await one.until_off(OFF_S_MAX)
        assert not one.running


@pytest.mark.longest(300)
async def test_a_monitor_that_comes_later_is_lit(image: Built, bench: Path, unknown: Settings) -> None:
    """It was off when the terminal started; once it is there it shows the page, and nobody did anything."""
    said = "the monitor is plugged in"
    plug = f"sleep {PLUGGED_IN_S}; echo {said} > /dev/ttyS0; echo detect > /sys/class/drm/card0-Virtual-1/status"
    words = (
        f"{WORDS} video=Virtual-1:d systemd.run=\"/bin/sh -c '{plug}'\""
        " systemd.run_success_action=none systemd.unit=graphical.target systemd.wants=kernel-command-line.service"
    )
    async with machine(bench / "first", Hardware(new_disk(image, bench), direct=image.direct(words))) as one:
        await one.until_serial(said, FIRST_START_S_MAX)
        assert await until_enrolment(one, bench, unknown, START_S_MAX)
