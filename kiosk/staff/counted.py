"""A place for notes that staff open, and a count of it: as journaled, as shown, as booked.

Signs as in the books. What was booked and what the device told are taken at the moment the place was opened, so that
notes that come afterwards, into the new box, never disturb a count that still waits for its second person.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.cash import Mix, UnitKind, mix_count, mix_of, mix_value
from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.ports import DeviceFault, Figure
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.second import too_old

# What a resident's money can still be moving through: then no place is opened and no count is booked (rule 30).
MOVING = ("note_intent", "dispense_intent")
NOTES_CNY = tuple(Fen(value) for value in (10_000, 5_000, 2_000, 1_000, 500, 100))  # when no device names its own
NOT_COUNTED = -1


@dataclass(frozen=True)
class Till:
    """``name`` begins its acts in the journal. ``loads``: notes are put in as well as taken out."""

    name: str
    account: Account
    kinds: tuple[UnitKind, ...]
    loads: bool = False

    @property
    def acts(self) -> tuple[str, str, str, str]:
        """Opened, counted, count refused, booked."""
        return f"{self.name}_out", f"{self.name}_counted", f"{self.name}_refused", f"{self.name}_exchanged"

    @property
    def differs(self) -> str:
        """The act that says so of books and device; the one of the drums is older than the other's name."""
        return "device_differs" if self.loads else "box_differs"


CASH_BOX = Till("cash_box", Account.CASH_BOX, (UnitKind.CASH_BOX,))
DRUMS = Till("drums", Account.DRUMS, (UnitKind.RECYCLER, UnitKind.CASSETTE), loads=True)
TILLS = (CASH_BOX, DRUMS)


@dataclass(frozen=True)
class Count:
    """What one person counted. ``device_notes`` is NOT_COUNTED where the device does not say."""

    key: str
    counter: str
    seal: str
    counted: Mix
    loaded: Mix
    booked_fen: Fen
    device_notes: int

    @property
    def difference_fen(self) -> Fen:
        """Positive: more than the books held, a surplus."""
        return Fen(mix_value(self.counted) - self.booked_fen)

    def facts(self) -> dict[str, str | int]:
        notes = {f"counted_{value}": count for value, count in self.counted}
        notes |= {f"loaded_{value}": count for value, count in self.loaded}
        return {
            "key": self.key, "counter": self.counter, "seal": self.seal, "booked_fen": self.booked_fen,
            "device_notes": self.device_notes, "counted_fen": mix_value(self.counted),
            "loaded_fen": mix_value(self.loaded), **notes,
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: Facts) -> "Count":
        """Inverse of ``facts``. Raises KeyError, ValueError: not those of a count."""
        return cls(
            str(facts["key"]), str(facts["counter"]), str(facts["seal"]),
            _notes(facts, "counted_"), _notes(facts, "loaded_"),
            Fen(int(facts["booked_fen"])), int(facts["device_notes"]),
        )  # fmt: skip

    def postings(self, till: Till) -> tuple[Posting, ...]:
        """The place emptied of what was booked, filled with what was loaded; the rest is explained by 长款/短款."""
        counted, loaded, difference = mix_value(self.counted), mix_value(self.loaded), self.difference_fen
        explained = Account.SURPLUS if difference > 0 else Account.SHORTAGE
        parts = ((till.account, loaded - self.booked_fen), (Account.VAULT, counted - loaded), (explained, -difference))
        return balanced(*(part for part in parts if part[1]))

    def figures(self, till: Till) -> tuple[Figure, ...]:
        """Everything that was hidden while it was counted."""
        device = (
            say("not counted") if self.device_notes == NOT_COUNTED else say("{count} notes", count=self.device_notes)
        )
        rows = [
            Figure(
                say("Counted by hand"),
                Amount(mix_value(self.counted)),
                say("{count} notes", count=mix_count(self.counted)),
            ),
            Figure(say("In the books"), Amount(self.booked_fen)),
            Figure(say("By the device"), device),
            Figure(_difference(self.difference_fen), Amount(Fen(abs(self.difference_fen))), heading=True),
        ]
        if till.loads:
            rows.append(Figure(say("Loaded"), Amount(mix_value(self.loaded))))
        rows.append(Figure(say("Seal {number}", number=self.seal), None, say("Counted by {staff}", staff=self.counter)))
        return tuple(rows)


def _difference(fen: Fen) -> Text:
    if not fen:
        return say("Difference")
    return say("Surplus") if fen > 0 else say("Shortage")


def _notes(facts: Facts, prefix: str) -> Mix:
    found: Mapping[Fen, int] = {
        Fen(int(name.removeprefix(prefix))): int(count)
        for name, count in facts.items()
        if name.startswith(prefix) and name.removeprefix(prefix).isdecimal()
    }
    return mix_of(found)


@dataclass(frozen=True)
class Standing:
    """Where a till's exchange stands: its newest entry."""

    entry: StoredEntry
    facts: Facts

    @property
    def act(self) -> str:
        return self.entry.act


def standing(kiosk: StaffKiosk, till: Till) -> Standing | None:
    """None before the first exchange, and where the newest one's details were destroyed at the end of retention."""
    newest = kiosk.journal.last(*till.acts)
    if newest is None or newest.facts is None:
        return None
    return Standing(newest, newest.facts)


def waits(kiosk: StaffKiosk, till: Till) -> Standing | None:
    """A count that waits for its second person, and is not too old for one."""
    found = standing(kiosk, till)
    if found is None or found.act != till.acts[1] or too_old(kiosk, found.entry):
        return None
    return found


def money_moves(kiosk: StaffKiosk) -> bool:
    """Whether a note or a dispense is open: its outcome must be known before anybody opens anything (rule 30).

    A note of which is known that nobody knows where it is, is no longer awaited: only an opened box can tell.
    """
    return any(_still_moves(kiosk, entry) for entry in kiosk.journal.open_effects() if entry.act in MOVING)


def _still_moves(kiosk: StaffKiosk, intent: StoredEntry) -> bool:
    later = (entry for entry in kiosk.journal.story(intent.case_code) if entry.seq > intent.seq)
    note = (intent.facts or {}).get("note")
    return not any(entry.act == "note_uncertain" and (entry.facts or {}).get("note") == note for entry in later)


async def device_notes(kiosk: StaffKiosk, till: Till) -> int:
    """How many notes the device says it holds there; NOT_COUNTED if it does not count, or does not answer."""
    counts: dict[str, int | None] = {}
    try:
        for module in (kiosk.cash_acceptor, kiosk.cash_dispenser):
            for unit in await module.unit_status() if module else ():
                if unit.kind in till.kinds:
                    counts[unit.name] = unit.count
    except DeviceFault:
        return NOT_COUNTED
    known = [count for count in counts.values() if count is not None]
    return sum(known) if known and len(known) == len(counts) else NOT_COUNTED


def denominations(kiosk: StaffKiosk) -> tuple[Fen, ...]:
    """Highest first."""
    try:
        return tuple(sorted(kiosk.cash_acceptor.denominations, reverse=True)) or NOTES_CNY
    except DeviceFault:
        return NOTES_CNY


def booked(kiosk: StaffKiosk, till: Till) -> Fen:
    return kiosk.books.balances().get(till.account, NOTHING)
