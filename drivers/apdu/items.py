"""Items of a card's file: tag (1), length (1), value. And what stands in the values. Never fails on a real card."""

import codecs
from datetime import date

ITEMS_MAX = 64


def parse_items(record: bytes) -> dict[int, bytes]:
    """Tag -> value of a run of items. The first of a tag wins; a cut last value is kept as far as it goes."""
    items: dict[int, bytes] = {}
    position = 0
    while position + 2 <= len(record) and len(items) < ITEMS_MAX:
        tag, length = record[position], record[position + 1]
        if tag == 0x00:  # padding between records
            position += 1
            continue
        items.setdefault(tag, record[position + 2 : position + 2 + length])
        position += 2 + length
    return items


def text(value: bytes) -> str:
    """An ``an`` item: cut at the first 00, spaces trimmed, GB18030 (holds GB2312 and GBK).

    A last double byte that was cut in half is dropped; bytes that are no character become U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("gb18030")(errors="replace")
    return decoder.decode(value.split(b"\x00", 1)[0], final=False).strip(" \u3000\r\n\t")


def name(base: bytes, extension: bytes) -> str:
    """Items 09 and 4E: long names go on in the second, perhaps in the middle of a character."""
    return text(base.split(b"\x00", 1)[0] + extension.split(b"\x00", 1)[0])


def day(value: bytes) -> date | None:
    """A ``cn`` date, YYYYMMDD in four bytes. None for anything else: cards with ASCII "2012" are in the field."""
    digits = value.hex()
    if len(digits) != 8 or not digits.isdecimal():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def digits(value: bytes) -> str:
    """A ``cn`` item without its F padding; "" when it is not decimal."""
    found = value.hex().rstrip("f")
    return found if found.isdecimal() else ""
