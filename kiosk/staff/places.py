"""What a device counts in a place for notes, against the books, from one exchange to the next.

A device keeps its own figures for years and never hears of an exchange; so the exchange writes down what it said then,
and everything after is compared with that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.cash import CashUnit, unbooked_notes
from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.ports import DeviceFault
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.counted import NOT_COUNTED, TILLS, Till, booked

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


def counted_places(kiosk: StaffKiosk) -> list[Till]:
    """Those that two people have counted: before that nobody has ever said what lay there."""
    return [till for till in TILLS if kiosk.journal.last(till.acts[3]) is not None]


async def place_difference(kiosk: StaffKiosk, till: Till) -> PlaceDifference | None:
    """Since the last exchange; before the first one a value is compared as it is, a number of notes not at all. None:
    the device does not tell, or there is nothing to compare it with."""
    now, base = await read_place(kiosk, till), kiosk.journal.last(till.acts[3])
    facts: Facts = (base.facts if base else None) or {}
    if now.value_fen is not None and int(facts.get("base_fen", NO_VALUE)) != NO_VALUE:
        counted = now.value_fen - int(facts["base_fen"])
        return PlaceDifference(fen=Fen(counted - booked(kiosk, till) + int(facts["base_booked_fen"])))
    if now.value_fen is not None:
        return PlaceDifference(fen=Fen(now.value_fen - booked(kiosk, till)))
    if base is None or now.notes is None or int(facts.get("base_notes", NOT_COUNTED)) == NOT_COUNTED:
        return None
    return PlaceDifference(notes=unbooked_notes(int(facts["base_notes"]), _credits(kiosk, till, base), now.notes))


def _credits(kiosk: StaffKiosk, till: Till, base: StoredEntry) -> int:
    """Notes that were booked into the place since its exchange."""
    kinds = tuple(kind.value for kind in till.kinds)
    entries = kiosk.journal.since(datetime.fromisoformat(base.at), *CREDITS)
    into = (str((one.facts or {}).get("to", "")) for one in entries if one.seq > base.seq)
    return sum(to.startswith(kinds) for to in into)


def open_differences(
    kiosk: StaffKiosk, differing: Iterable[tuple[Till, PlaceDifference]], case_code: str, staff: str = ""
) -> None:
    """Nothing is posted: only a hand count says which of the two is wrong. The case stays until one was booked, and
    the same difference is not a second case. ``staff``: who looked, "" for the terminal itself."""
    known = _known_differences(kiosk)
    by = {"staff": staff} if staff else {}
    for till, difference in differing:
        told = _difference_facts(till, difference)
        if told not in known:
            kiosk.journal.commit(NewEntry(till.differs, case_code, {**by, **told}))


def _known_differences(kiosk: StaffKiosk) -> list[dict[str, str | int]]:
    acts = {till.differs for till in TILLS}
    cases = (case for case in kiosk.books.open_cases() if acts & set(case.effects) and case.code)
    entries = (entry for case in cases for entry in kiosk.journal.story(case.code) if entry.act in acts)
    return [{name: value for name, value in (one.facts or {}).items() if name != "staff"} for one in entries]


def _difference_facts(till: Till, difference: PlaceDifference) -> dict[str, str | int]:
    return {"place": till.name, "difference_fen": difference.fen, "difference_notes": difference.notes}
