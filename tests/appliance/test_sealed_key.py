"""The key by which hosts know a terminal: brought in the clear once, sealed by the board's TPM, and used from there."""

import os
from pathlib import Path

import pytest

from tests.appliance.disks import Built
from tests.appliance.stage import ATTRACT_S_MAX, PAGE_S_MAX, stage
from tests.appliance.tpm import tpm

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.emulated, pytest.mark.timeout(2400)]

NAME, CLEAR = "terminal.key", "/etc/yikatong/pki/terminal.key"
CHUNK = 16 << 20


def as_credential(box: Path) -> None:
    """The installer brings the key as one, and settings name it so."""
    place = box / "credentials" / "hosts"
    place.mkdir(parents=True)
    (box / "pki" / NAME).rename(place / NAME)
    settings = box / "settings.toml"
    told = settings.read_text()
    assert CLEAR in told
    settings.write_text(told.replace(CLEAR, f"credential:{NAME}"))


@pytest.mark.longest(480)
async def test_a_key_is_sealed_by_the_board(image: Built, bench: Path) -> None:
    """A resident is served over hosts that ask for the terminal's certificate; no block of the disk has the key any
    more; another board's TPM opens nothing and loses nothing; the board's own opens it again."""
    async with stage(image, bench, as_credential) as around:
        key = (around.folder / "box" / "credentials" / "hosts" / NAME).read_bytes()
        line = key.splitlines()[2]
        assert holds(around.disk, line), "it is brought in the clear"
        async with tpm(bench / "tpm") as chip, around.switched_on(chip) as visitor:
            await visitor.finds_it_open()
            await visitor.puts_card_in(around.payer.handle)
            await visitor.sees("menu")
            await visitor.looks_at_the_balance(around.payer.pin)
            await visitor.answers("take_card", "take_card")
            await visitor.takes_card()
            await visitor.sees("insert_card")
            await visitor.computer.press_power()
            await visitor.computer.until_off(PAGE_S_MAX)
        assert not holds(around.disk, line)
        async with tpm(bench / "other") as stranger, around.switched_on(stranger) as visitor:
            said = await visitor.computer.until_serial("Welcome to GRUB!", ATTRACT_S_MAX, times=2)
            assert "eyes " not in said, "nothing was shown, for nothing could be read"
            await visitor.computer.cut_power()
        async with tpm(bench / "tpm") as chip, around.switched_on(chip) as visitor:
            await visitor.finds_it_open()
            await visitor.puts_card_in(around.payer.handle)
            await visitor.sees("menu")
            await visitor.looks_at_the_balance(around.payer.pin)


def holds(disk: Path, line: bytes) -> bool:
    """Whether any block of the disk has it. What was never written is not read."""
    with disk.open("rb") as file:
        at, tail = 0, b""
        while True:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing more
                return False
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            file.seek(at)
            while at < end:
                read = file.read(min(CHUNK, end - at))
                if line in tail + read:
                    return True
                tail, at = read[-len(line) :], at + len(read)
