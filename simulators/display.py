"""The kiosk's glass: a private X display in memory, its picture, and the way a browser can touch it."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import trio
from PIL import Image

from simulators.processes import Child, ChildEnded, Children
from simulators.waiting import free_port, until_listening

START_S_MAX = 15.0
_XWD_VERSION = 7


@dataclass
class Display:
    """``number`` as in ``:71``; ``vnc_port`` is on loopback."""

    name: str
    width_px: int
    height_px: int
    frame_buffer: Path
    server: Child
    vnc: Child
    vnc_port: int

    def picture(self) -> Image.Image:
        """What stands on the glass now, read from the server's memory file: costs the X server nothing."""
        return read_xwd(self.frame_buffer.read_bytes())


def read_xwd(dump: bytes) -> Image.Image:
    """The picture in an X window dump of 32 bits a pixel (X11/XWDFile.h: 25 big-endian words, name, colours, rows).

    Raises:
        ValueError: not such a dump.
    """
    if len(dump) < 100:
        raise ValueError("too short for an X window dump")
    words = struct.unpack(">25I", dump[:100])
    header_bytes, version, width, height, depth_bits, row_bytes, colours = (
        words[0], words[1], words[4], words[5], words[11], words[12], words[19],
    )  # fmt: skip
    if version != _XWD_VERSION or depth_bits != 32:
        raise ValueError("not an X window dump of 32 bits a pixel")
    start = header_bytes + colours * 12
    rows = dump[start : start + row_bytes * height]
    return Image.frombytes("RGB", (width, height), rows, "raw", "BGRX", row_bytes)


async def open_display(children: Children, run_dir: Path, width_px: int, height_px: int) -> Display:
    """Start the X server on a free number and a VNC server for it, both for this machine only.

    Raises:
        ChildEnded, trio.TooSlowError.
    """
    frames = run_dir / "display"
    frames.mkdir(parents=True, exist_ok=True)
    server, number = await _start_server(children, frames, width_px, height_px)
    port = free_port()
    # Not -bg: it must stay our child. -noxdamage: llvmpipe's pictures arrive without damage reports on some Mesas.
    vnc = children.start(
        "x11vnc",
        ["x11vnc", "-display", number, "-localhost", "-rfbport", str(port), "-no6", "-noipv6", "-forever", "-shared",
         "-nopw", "-noxdamage", "-nosel", "-nocursor", "-norc", "-wait", "30", "-defer", "15", "-quiet"],
    )  # fmt: skip
    await until_listening(port, vnc, START_S_MAX)
    return Display(number, width_px, height_px, frames / "Xvfb_screen0", server, vnc, port)


async def _start_server(children: Children, frames: Path, width_px: int, height_px: int) -> tuple[Child, str]:
    reading, writing = os.pipe()
    server = children.start(
        "xvfb",
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width_px}x{height_px}x24", "-nolisten", "tcp",
         "-noreset", "-fbdir", str(frames), "-s", "0"],
        pass_fds=[writing],
    )  # fmt: skip
    os.close(writing)
    async with trio.lowlevel.FdStream(reading) as stream:
        number = b""
        with trio.fail_after(START_S_MAX):
            while not number.endswith(b"\n"):
                piece = await stream.receive_some(16)
                if not piece:
                    raise ChildEnded(f"the X server did not start, see {server.log}")
                number += piece
    return server, f":{int(number)}"
