"""Frames of the KMY family, the device's side: cut off an inbox, and put together. Nothing of the terminal is used.

``02 | Ln | CMD or ST | DATA | BCC [| 03]``, everything between 02 and 03 raw or as two hex characters a byte.
"""

from dataclasses import dataclass

HELD_BACK_MAX = 600  # bytes of an unfinished command


def _xor(content: bytes) -> int:
    check = 0
    for byte in content:
        check ^= byte
    return check


@dataclass(frozen=True)
class Frames:
    expand: bool
    etx: bool

    def next_command(self, inbox: bytearray) -> bytes | None:
        """Cut one command (CMD and DATA) off the inbox; a false start is skipped byte by byte."""
        while True:
            start = inbox.find(2)
            del inbox[: len(inbox) if start < 0 else start]
            width = 2 if self.expand else 1
            if len(inbox) < 1 + width:
                return None
            length = self._number(inbox[1 : 1 + width])
            size = 1 + width * (length + 2) + self.etx
            if length > 0 and len(inbox) < size <= HELD_BACK_MAX:
                return None
            body = self._unwrapped(bytes(inbox[:size])) if length > 0 else None
            del inbox[: 1 if body is None else size]
            if body is not None:
                return body

    def reply(self, status: int, data: bytes) -> bytes:
        body = bytes((1 + len(data), status)) + data
        body += bytes((_xor(body),))
        return b"\x02" + (body.hex().upper().encode() if self.expand else body) + (b"\x03" if self.etx else b"")

    def _number(self, text: bytes | bytearray) -> int:
        try:
            return int(bytes(text), 16) if self.expand else text[0]
        except ValueError:
            return 0

    def _unwrapped(self, frame: bytes) -> bytes | None:
        inner = frame[1:-1] if self.etx else frame[1:]
        if self.etx and frame[-1] != 3:
            return None
        if self.expand:
            try:
                inner = bytes.fromhex(inner.decode("ascii"))
            except ValueError:
                return None
        return inner[1:-1] if _xor(inner) == 0 else None
