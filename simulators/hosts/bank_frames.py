"""The acquirer's side of the wire: frames and ISO 8583 messages by a table of its own (card-and-hosts 5.2).

A frame: length (2), TPDU (5), header (6), message. The answer swaps the TPDU's two addresses.
"""

from collections.abc import Mapping

FRAME_BYTES_MAX = 2048
HEAD_BYTES = 11

# number -> (kind, length): n packed digits, b bytes, a ASCII; a v before means a length in front, one byte for up to 99
# and two above, itself packed digits.
_FIELDS: dict[int, tuple[str, int]] = {
    2: ("vn", 19), 3: ("n", 6), 4: ("n", 12), 11: ("n", 6), 12: ("n", 6), 13: ("n", 4), 14: ("n", 4), 15: ("n", 4),
    22: ("n", 3), 23: ("n", 4), 25: ("n", 2), 26: ("n", 2), 32: ("vn", 11), 35: ("vn", 37), 37: ("a", 12),
    38: ("a", 6), 39: ("a", 2), 41: ("a", 8), 42: ("a", 15), 44: ("va", 25), 49: ("a", 3), 52: ("b", 8),
    53: ("n", 16), 54: ("va", 120), 55: ("vb", 255), 60: ("vn", 117), 61: ("vn", 129), 62: ("vb", 512),
    63: ("va", 163), 64: ("b", 8),
}  # fmt: skip

Fields = dict[int, str]


class BadMessage(Exception):
    """Not a message of this line."""


def pack(mti: str, fields: Mapping[int, str]) -> bytes:
    """Bytes fields are hex text."""
    bitmap = sum(1 << (64 - number) for number in fields)
    body = b"".join(_pack_one(number, fields[number]) for number in sorted(fields))
    return bytes.fromhex(mti) + bitmap.to_bytes(8, "big") + body


def _pack_one(number: int, text: str) -> bytes:
    kind, limit = _FIELDS[number]
    raw = text.encode("gb18030") if kind[-1] == "a" else bytes.fromhex(text + "0" * (len(text) % 2))
    if kind[0] != "v":
        return raw
    count = len(text) if kind == "vn" else len(raw)
    assert count <= limit
    return bytes.fromhex(f"{count:0{2 if limit < 100 else 4}d}") + raw


def unpack(message: bytes) -> tuple[str, Fields]:
    """Raises BadMessage."""
    if len(message) < 10 or message[2] & 0x80:
        raise BadMessage("bitmap")
    mti, bitmap, rest = message[:2].hex(), int.from_bytes(message[2:10], "big"), message[10:]
    fields: Fields = {}
    for number in range(2, 65):
        if bitmap >> (64 - number) & 1:
            fields[number], rest = _unpack_one(number, rest)
    if rest:
        raise BadMessage("more than the bitmap says")
    return mti, fields


def _unpack_one(number: int, raw: bytes) -> tuple[str, bytes]:
    if number not in _FIELDS:
        raise BadMessage(f"field {number}")
    kind, length = _FIELDS[number]
    if kind[0] == "v":
        size = 1 if length < 100 else 2
        told = raw[:size].hex()
        if len(raw) < size or not told.isdigit() or int(told) > length:
            raise BadMessage(f"length of field {number}")
        length, raw = int(told), raw[size:]
    count = (length + 1) // 2 if kind[-1] == "n" else length
    if len(raw) < count:
        raise BadMessage(f"field {number} cut off")
    value, rest = raw[:count], raw[count:]
    if kind[-1] == "a":
        return value.decode("gb18030", "replace"), rest
    return (value.hex().upper()[:length] if kind[-1] == "n" else value.hex().upper()), rest


def frame(head: bytes, message: bytes) -> bytes:
    """``head`` is the question's TPDU and header."""
    turned = head[:1] + head[3:5] + head[1:3] + head[5:]
    body = turned + message
    return len(body).to_bytes(2, "big") + body


def tlv_of(raw: bytes) -> dict[str, bytes]:
    """Field 55 as the terminal sends it: primitive objects only.

    Raises:
        BadMessage
    """
    found: dict[str, bytes] = {}
    at = 0
    while at < len(raw):
        size = 2 if raw[at] & 0x1F == 0x1F else 1
        tag, at = raw[at : at + size].hex().upper(), at + size
        if at >= len(raw) or raw[at] > 0x7F or at + 1 + raw[at] > len(raw):
            raise BadMessage("chip data")
        found[tag], at = raw[at + 1 : at + 1 + raw[at]], at + 1 + raw[at]
    return found
