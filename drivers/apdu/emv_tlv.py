"""BER-TLV and DOLs as chip payment uses them (EMV Book 3, annex B): tags of one to three bytes, lengths to 65535.

Tags are upper-case hex text: "9F02". Anything malformed raises ``MalformedTlv``; nothing is ever guessed.
"""

from collections.abc import Iterable, Iterator, Mapping

BYTES_MAX = 4096
DEPTH_MAX = 6  # of templates in templates
DOL_ENTRIES_MAX = 64
DOL_BYTES_MAX = 252  # with tag 83 and its length in one short command

Tags = dict[str, bytes]


class MalformedTlv(Exception):
    """Bytes that are no TLV."""


def encode(tag: str, value: bytes) -> bytes:
    return bytes.fromhex(tag) + _length(len(value)) + value


def encode_all(items: Iterable[tuple[str, bytes]]) -> bytes:
    return b"".join(encode(tag, value) for tag, value in items)


def _length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    return bytes((0x81, length)) if length < 0x100 else b"\x82" + length.to_bytes(2, "big")


def walk(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Every object of the outermost level, in order; 00 and FF between objects are filling.

    Raises:
        MalformedTlv
    """
    if len(raw) > BYTES_MAX:
        raise MalformedTlv("too long")
    at = 0
    while at < len(raw):
        if raw[at] in (0x00, 0xFF):
            at += 1
            continue
        tag, at = read_tag(raw, at)
        length, at = _read_length(raw, at)
        if at + length > len(raw):
            raise MalformedTlv("value cut off")
        yield tag, raw[at : at + length]
        at += length


def decode(raw: bytes) -> Tags:
    """All primitive objects at any depth, the first of each tag; templates themselves are left out.

    Raises:
        MalformedTlv
    """
    found: Tags = {}
    _collect(raw, found, DEPTH_MAX)
    return found


def _collect(raw: bytes, found: Tags, depth: int) -> None:
    if not depth:
        raise MalformedTlv("too deep")
    for tag, value in walk(raw):
        if int(tag[:2], 16) & 0x20:
            _collect(value, found, depth - 1)
        else:
            found.setdefault(tag, value)


def read_tag(raw: bytes, at: int) -> tuple[str, int]:
    """The tag that begins at ``at``, and where it ends."""
    end = at + 1
    if at < len(raw) and raw[at] & 0x1F == 0x1F:
        while end < len(raw) and raw[end] & 0x80:
            end += 1
        end += 1
    if end > len(raw) or end - at > 3:
        raise MalformedTlv("tag cut off or too long")
    return raw[at:end].hex().upper(), end


def _read_length(raw: bytes, at: int) -> tuple[int, int]:
    if at >= len(raw):
        raise MalformedTlv("length missing")
    first = raw[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if count not in (1, 2) or at + 1 + count > len(raw):
        raise MalformedTlv("length not understood")
    return int.from_bytes(raw[at + 1 : at + 1 + count], "big"), at + 1 + count


def parse_dol(raw: bytes) -> list[tuple[str, int]]:
    """Tags and lengths that a card asks for.

    Raises:
        MalformedTlv
    """
    wanted: list[tuple[str, int]] = []
    at = 0
    while at < len(raw):
        tag, at = read_tag(raw, at)
        if at >= len(raw) or len(wanted) >= DOL_ENTRIES_MAX:
            raise MalformedTlv("DOL cut off or too long")
        wanted.append((tag, raw[at]))
        at += 1
    return wanted


# Book 3, 5.4: numeric values (format n) are cut and filled on the left, all others on the right.
NUMERIC = frozenset({"9F02", "9F03", "9F1A", "5F2A", "9A", "9C", "9F21", "9F35", "5F36", "9F41", "81"})


def fill_dol(dol: bytes, values: Mapping[str, bytes]) -> bytes:
    """What a DOL asks for, one after the other; what is not known is zeros.

    Raises:
        MalformedTlv: also when it asks for more than one command carries.
    """
    filled = b"".join(_fitted(tag, values.get(tag, b""), length) for tag, length in parse_dol(dol))
    if len(filled) > DOL_BYTES_MAX:
        raise MalformedTlv("DOL asks for too much")
    return filled


def _fitted(tag: str, value: bytes, length: int) -> bytes:
    if tag in NUMERIC:
        return value[-length:].rjust(length, b"\0") if length else b""
    return value[:length].ljust(length, b"\0")
