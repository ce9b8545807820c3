"""The kiosk's glass in memory."""

import struct
from pathlib import Path

import pytest

from simulators.display import open_display, read_xwd
from simulators.processes import Children


async def test_the_glass_is_private_and_can_be_seen(tmp_path: Path) -> None:
    """A display of the asked size opens on a free number, shows its pixels, and is gone afterwards."""
    children = Children(tmp_path / "logs")
    try:
        display = await open_display(children, tmp_path, 320, 200)
        assert display.picture().size == (320, 200)
        assert display.vnc.running
    finally:
        await children.stop_all()
    assert not display.server.running
    assert not display.vnc.running


def test_a_dump_becomes_its_picture() -> None:
    """Two rows of two pixels with one colour entry and a padded row, laid out as X11/XWDFile.h says."""
    words = [0] * 25
    words[0], words[1], words[4], words[5], words[11], words[12], words[19] = 104, 7, 2, 2, 32, 12, 1
    blue, white = b"\x6b\x4c\x0f\x00", b"\xff\xff\xff\x00"
    dump = struct.pack(">25I", *words) + b"abc\0" + bytes(12) + (blue + white + b"pad!") + (white + blue + b"pad!")
    picture = read_xwd(dump)
    assert [picture.getpixel((x, y)) for y in (0, 1) for x in (0, 1)] == [
        (0x0F, 0x4C, 0x6B), (255, 255, 255), (255, 255, 255), (0x0F, 0x4C, 0x6B),
    ]  # fmt: skip


@pytest.mark.parametrize("dump", [b"", b"\0" * 99, b"\0" * 4000])
def test_noise_is_no_picture(dump: bytes) -> None:
    """Bytes that are no dump are refused by name."""
    with pytest.raises(ValueError, match="dump"):
        read_xwd(dump)
