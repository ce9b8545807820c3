"""Reading the items of one file, in whichever of the known forms this card speaks."""

from collections.abc import Generator, Mapping

from drivers.apdu.command import Command, Response
from drivers.apdu.exchange import demand, send
from drivers.apdu.items import parse_items
from drivers.apdu.status import OK, OTHER_FORM, RECORD_NOT_FOUND, CardRefused

RECORDS_MAX = 24
_ALL_RECORDS_LE = 0xFF

Items = dict[int, bytes]
ReadItems = Generator[bytes, bytes, Items]


def select_application(name: bytes) -> Generator[bytes, bytes, bytes]:
    """SELECT by name; returns the FCI.

    Raises:
        CardRefused: the card has no such application.
    """
    return (yield from demand("select_application", Command(0x00, 0xA4, 0x04, 0x00, name)))


def select_file(file_id: int) -> Generator[bytes, bytes, None]:
    """SELECT by file id: P1=02, or P1=00 on some cards.

    Raises:
        CardRefused: no such file in either form.
    """
    identifier = file_id.to_bytes(2, "big")
    answer = yield from send(Command(0x00, 0xA4, 0x02, 0x00, identifier))
    if answer.status in OTHER_FORM:
        answer = yield from send(Command(0x00, 0xA4, 0x00, 0x00, identifier))
    if answer.status != OK:
        raise CardRefused("select_file", answer.status)


def read_items(file_id: int, lengths: Mapping[int, int]) -> ReadItems:
    """Select a file of the current application and read its items; ``lengths``: tag -> usual bytes of value.

    Forms, by READ RECORD's P2: 00 (P1 is the tag), 05 (all from record 1), 04 (P1 is a number). What the card does
    not hold is missing from the result.

    Raises:
        CardRefused: no such file, or it is closed to us (6982).
    """
    yield from select_file(file_id)
    items: Items = {}
    for tag, length in lengths.items():
        answer = yield from _read_record(tag, 0x00, length + 2)
        if answer.status == OK:
            items.update({found: value for found, value in parse_items(answer.data).items() if found == tag})
        elif not items and answer.status in OTHER_FORM:
            return (yield from _read_by_number())
        elif answer.status != RECORD_NOT_FOUND:
            raise CardRefused("read_record", answer.status)
    return items


def _read_by_number() -> ReadItems:
    answer = yield from _read_record(1, 0x05, _ALL_RECORDS_LE)
    if answer.status == OK:
        return parse_items(answer.data)
    items: Items = {}
    for number in range(1, RECORDS_MAX + 1):
        answer = yield from _read_record(number, 0x04, 0x100)
        if answer.status in OTHER_FORM:
            break
        if answer.status != OK:
            raise CardRefused("read_record", answer.status)
        items = parse_items(answer.data) | items
    return items


def _read_record(p1: int, p2: int, le: int) -> Generator[bytes, bytes, Response]:
    return (yield from send(Command(0x00, 0xB2, p1, p2, le=le)))
