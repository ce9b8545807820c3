"""Serial numbers as a maker or an office lists them: a table as CSV, with a first line of names."""

import csv
import io
from collections.abc import Sequence

import msgspec

from provisioning.fleet.actor import Refused
from provisioning.fleet.enrolment.expected import ROWS_MAX, Expected
from provisioning.fleet.enrolment.places import Seat
from provisioning.fleet.schema.places import Place

# In this order or any other; ``place`` is a place's name or number, ``fingerprint`` may be empty.
COLUMNS = ("serial", "terminal_id", "place", "profile", "fingerprint")


def read(wire: bytes, places: Sequence[Place]) -> list[Expected]:
    """Spreadsheets write UTF-8 with a mark in front, or GB 18030.

    Raises:
        Refused: no such table, a line that cannot be, or a place that is not there; the line is named.
    """
    rows = list(csv.DictReader(io.StringIO(_text(wire)), skipinitialspace=True))
    if not rows or not {"serial", "terminal_id", "place"} <= set(rows[0]):
        raise Refused(
            "no_table", "The file wants a first line with the names of the columns: serial, terminal_id, place."
        )
    if len(rows) > ROWS_MAX:
        raise Refused("too_many", "These are too many at once. Make several files of it.")
    known = {name: place.id for place in places for name in (place.name_zh, place.name_en, str(place.id))}
    return [_row(number, row, known) for number, row in enumerate(rows, 2)]


def _text(wire: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return wire.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("no_table", "The file wants a first line with the names of the columns: serial, terminal_id, place.")


def _row(number: int, row: dict[str, str | None], known: dict[str, int]) -> Expected:
    told = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if told["place"] not in known:
        raise Refused("no_such_place", f"Line {number}: there is no place {told['place'][:64]}.")
    seat = {**told, "place": known[told["place"]], "profile": told["profile"] or "hall"}
    del seat["fingerprint"]
    try:
        return Expected(seat=msgspec.convert(seat, Seat), fingerprint=told["fingerprint"].lower())
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"Line {number}: {error}"[:200]) from None
