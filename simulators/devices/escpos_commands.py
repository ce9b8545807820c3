"""Cuts an ESC/POS byte stream into commands, on the printer's side of the wire.

Written from the Epson ESC/POS reference and the Chinese vendors' manuals, separately from the driver's builder.
"""

from dataclasses import dataclass

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10
LF = b"\n"

# Length of the arguments behind the two command bytes.
_FIXED = {
    b"\x1b@": 0, b"\x1b2": 0, b"\x1b!": 1, b"\x1b-": 1, b"\x1b3": 1, b"\x1bE": 1, b"\x1bG": 1, b"\x1bJ": 1,
    b"\x1bM": 1, b"\x1bR": 1, b"\x1ba": 1, b"\x1bd": 1, b"\x1bt": 1, b"\x1b{": 1, b"\x1bp": 3, b"\x1b$": 2,
    b"\x1c&": 0, b"\x1c.": 0, b"\x1c!": 1, b"\x1cS": 2, b"\x1cW": 1,
    b"\x1d!": 1, b"\x1dB": 1, b"\x1dL": 2, b"\x1dW": 2, b"\x1da": 1, b"\x1dr": 1, b"\x1dh": 1, b"\x1dw": 1,
}  # fmt: skip
_CUTS_WITH_FEED = (0x41, 0x42)


@dataclass(frozen=True)
class Command:
    """``name`` is the two command bytes (LF: one), or b"" for text, whose bytes are then ``arguments``."""

    name: bytes
    arguments: bytes = b""


def take_command(held: bytearray) -> Command | None:
    """Take the first command, or one run of text, off ``held``; None while it is incomplete."""
    first = held[0]
    if first in (ESC, FS, GS):
        size = _size(bytes(held[:8]))
        if size is None or len(held) < size:
            return None
        command = Command(bytes(held[:2]), bytes(held[2:size]))
    elif first == LF[0]:
        command, size = Command(LF), 1
    else:
        size = _text_size(held)
        if size == 0:
            return None
        command = Command(b"", bytes(held[:size]))
    del held[:size]
    return command


def _size(head: bytes) -> int | None:
    """Whole length of the command that begins with ``head`` (its first eight bytes at most)."""
    name = head[:2]
    if len(name) < 2:
        return None
    if name in _FIXED:
        return 2 + _FIXED[name]
    if name == b"\x1dV":
        return None if len(head) < 3 else 4 if head[2] in _CUTS_WITH_FEED else 3
    if name == b"\x1de":
        return None if len(head) < 3 else 4 if head[2] == 3 else 3
    if name == b"\x1dv":
        return None if len(head) < 8 else 8 + (head[4] + 256 * head[5]) * (head[6] + 256 * head[7])
    if name == b"\x1d(":
        return None if len(head) < 5 else 5 + head[3] + 256 * head[4]
    return 2  # unknown: the two bytes are swallowed and what follows prints as junk, as on the real thing


def _text_size(held: bytearray) -> int:
    """Length of the run up to the next command, without a character's lonely first byte at the very end."""
    end = next((index for index, byte in enumerate(held) if byte in (ESC, FS, GS, LF[0])), len(held))
    if end < len(held):
        return end
    return _whole_characters(held, end)


def _whole_characters(held: bytearray, end: int) -> int:
    index = 0
    while index < end:
        step = 1 if held[index] < 0x81 else 4 if index + 1 < end and 0x30 <= held[index + 1] <= 0x39 else 2
        if index + step > end:
            break
        index += step
    return index


def characters(text: bytes, hanzi: bool, full: bool) -> list[tuple[str, int]]:
    """Characters and their cells, as this printer's font sees the bytes."""
    found: list[tuple[str, int]] = []
    index = 0
    while index < len(text):
        byte = text[index]
        if byte < 0x80 or not hanzi:
            if byte >= 0x20:
                found.append((chr(byte) if byte < 0x7F else "▒", 1))
            index += 1
        elif full and len(text) > index + 3 and 0x30 <= text[index + 1] <= 0x39:
            found.append((text[index : index + 4].decode("gb18030", "replace"), 2))
            index += 4
        else:
            found.append((_two_bytes(text[index : index + 2], "gb18030" if full else "gbk"), 2))
            index += 2
    return found


def _two_bytes(pair: bytes, charset: str) -> str:
    try:
        return pair.decode(charset)
    except UnicodeDecodeError:
        return "□"
