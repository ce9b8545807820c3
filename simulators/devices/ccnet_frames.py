"""CCNET frames from the device's side. Written from the same public description as the terminal's, and separately."""

from collections.abc import Iterator


def _table() -> list[int]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
        rows.append(value)
    return rows


_TABLE = _table()
HELD_BACK_MAX = 512


def check_sum(text: bytes) -> bytes:
    crc = 0
    for byte in text:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return bytes((crc & 0xFF, crc >> 8))


def frame_of(address: int, body: bytes) -> bytes:
    text = bytes((2, address, len(body) + 5)) + body
    return text + check_sum(text)


class Reader:
    """Cuts host frames of one address out of the stream: the body, or None for a frame whose check sum is wrong."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._text = bytearray()

    def forget(self) -> None:
        self._text.clear()

    def read(self, chunk: bytes) -> Iterator[bytes | None]:
        self._text += chunk
        del self._text[:-HELD_BACK_MAX]
        while True:
            start = self._text.find(bytes((2, self._address)))
            if start < 0:
                del self._text[: max(0, len(self._text) - 1)]
                return
            del self._text[:start]
            if len(self._text) < 3 or len(self._text) < max(6, self._text[2]):
                return
            size = self._text[2]
            good = size >= 6 and check_sum(bytes(self._text[: size - 2])) == self._text[size - 2 : size]
            body = bytes(self._text[3 : size - 2]) if good else None
            del self._text[: size if good else 1]
            yield body
