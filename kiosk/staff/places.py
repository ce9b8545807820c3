"""What a device counts in a place for notes, against the books, from one exchange to the next.

A device keeps its own figures for years and never hears of an exchange; so the exchange writes down what it said then,
and everything after is compared with that.
"""

from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.cash import CashUnit, unbooked_notes
from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.ports import DeviceFault
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.counted import NOT_COUNTED, Till, booked

CREDITS = ("note_credited", "note_of_nobody")
NO_VALUE = -1


@dataclass(frozen=True)
class Reading:
    """What the device says of one place now. None: it does not count, or does not answer."""

    notes: int | None
    value_fen: Fen | None

    def facts(self, booked_fen: Fen) -> dict[str, str | int]:
        """A baseline for what comes after; ``booked_fen``: what the books say at this moment."""
        return {
            "base_notes": NOT_COUNTED if self.notes is None else self.notes,
            "base_fen": NO_VALUE if self.value_fen is None else self.value_fen,
            "base_booked_fen": booked_fen,
        }


@dataclass(frozen=True)
class PlaceDifference:
    """What the device has more than the books, in fen or, where it knows no values, in notes."""

    fen: Fen = NOTHING
    notes: int = 0

    def __bool__(self) -> bool:
        return bool(self.fen or self.notes)


async def read_place(kiosk: StaffKiosk, till: Till) -> Reading:
    units: dict[str, CashUnit] = {}
    try:
        for module in (kiosk.cash_acceptor, kiosk.cash_dispenser):
            for unit in await module.unit_status() if module else ():
                if unit.kind in till.kinds:
                    units[unit.name] = unit
    except DeviceFault:
        return Reading(None, None)
    counts = [unit.count for unit in units.values() if unit.count is not None]
    if not counts or len(counts) < len(units):
        return Reading(None, None)
    if any(unit.denomination is None for unit in units.values()):
        return Reading(sum(counts), None)
    value = sum((unit.count or 0) * (unit.denomination or 0) for unit in units.values())
    return Reading(sum(counts), Fen(value))


async def place_difference(kiosk: StaffKiosk, till: Till) -> PlaceDifference:
    """Since the last exchange; before the first one a value is compared as it is, a number of notes not at all."""
    now, base = await read_place(kiosk, till), kiosk.journal.last(till.acts[3])
    facts: Facts = (base.facts if base else None) or {}
    if now.value_fen is not None and int(facts.get("base_fen", NO_VALUE)) != NO_VALUE:
        counted = now.value_fen - int(facts["base_fen"])
        return PlaceDifference(fen=Fen(counted - booked(kiosk, till) + int(facts["base_booked_fen"])))
    if now.value_fen is not None:
        return PlaceDifference(fen=Fen(now.value_fen - booked(kiosk, till)))
    if base is None or now.notes is None or int(facts.get("base_notes", NOT_COUNTED)) == NOT_COUNTED:
        return PlaceDifference()
    return PlaceDifference(notes=unbooked_notes(int(facts["base_notes"]), _credits(kiosk, till, base), now.notes))


def _credits(kiosk: StaffKiosk, till: Till, base: StoredEntry) -> int:
    """Notes that were booked into the place since its exchange."""
    kinds = tuple(kind.value for kind in till.kinds)
    entries = kiosk.journal.since(datetime.fromisoformat(base.at), *CREDITS)
    into = (str((one.facts or {}).get("to", "")) for one in entries if one.seq > base.seq)
    return sum(to.startswith(kinds) for to in into)


def difference_facts(till: Till, difference: PlaceDifference) -> dict[str, str | int]:
    return {"place": till.name, "difference_fen": difference.fen, "difference_notes": difference.notes}
