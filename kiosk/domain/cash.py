"""Cash as values: what a cash module says happened, and what it can do. Denominations are fen; counts are notes.

Who commits when: docs/adr/0013-cash-is-acknowledged-after-the-commit.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from kiosk.domain.money import Fen

Mix = tuple[tuple[Fen, int], ...]  # (denomination, notes), highest denomination first, no zero counts


def mix_of(counts: Mapping[Fen, int]) -> Mix:
    """A mix in its one order.

    Raises:
        ValueError: a negative count or a denomination that is not positive.
    """
    if any(count < 0 or denomination <= 0 for denomination, count in counts.items()):
        raise ValueError("a mix holds positive denominations and counts")
    return tuple(
        (denomination, counts[denomination]) for denomination in sorted(counts, reverse=True) if counts[denomination]
    )


def mix_value(mix: Mix) -> Fen:
    return Fen(sum(denomination * count for denomination, count in mix))


def mix_count(mix: Mix) -> int:
    return sum(count for _, count in mix)


def unbooked_notes(counter_then: int, booked_since: int, counter_now: int, wraps_at: int = 65536) -> int:
    """How many notes the device stacked that the books do not hold; negative when the books hold more.

    ``counter_then`` is the device's counter of stacked notes at an earlier moment, ``booked_since`` the credits that
    were committed after it. A counter wraps; a difference beyond half its range is read as negative.
    """
    difference = (counter_now - counter_then - booked_since) % wraps_at
    return difference if difference < wraps_at // 2 else difference - wraps_at


@dataclass(frozen=True)
class CashIdentity:
    """``version`` of a simulator begins with ``SIM``."""

    model: str
    serial: str
    version: str


@dataclass(frozen=True)
class CashCapabilities:
    accept: bool
    escrow: bool
    dispense: bool
    recycle: bool
    notes_per_dispense_max: int = 0
    stacked_counter: bool = False  # the device counts stacked notes, which proves or refutes a credit
    takes_back: bool = False  # notes that nobody takes are retracted


class UnitKind(Enum):
    CASH_BOX = "cash_box"  # only takes
    RECYCLER = "recycler"  # takes and gives
    CASSETTE = "cassette"  # only gives
    REJECT_BOX = "reject_box"


@dataclass(frozen=True)
class CashUnit:
    """One place for notes. ``name`` begins with the kind; ``count`` is the device's, None where it does not count."""

    name: str
    kind: UnitKind
    denomination: Fen | None = None
    count: int | None = None
    state: str = "ok"  # ok | low | empty | full | missing | unknown


# --- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Escrow:
    """A genuine note lies where it can still go both ways. It is the customer's. Decide: stack, return, or hold."""

    denomination: Fen
    note_id: str


@dataclass(frozen=True)
class Stacked:
    """The credit point, once per note. ``note_id`` is empty when the note was stacked in an earlier life."""

    denomination: Fen
    destination: str  # begins with a UnitKind
    credit_id: str
    note_id: str = ""


@dataclass(frozen=True)
class Returned:
    """The note went back. ``taker_known`` is false when that happened at a start: the person may be another."""

    denomination: Fen | None
    note_id: str = ""
    taker_known: bool = True


@dataclass(frozen=True)
class Rejected:
    """The device did not take what was fed; nothing was ever in escrow."""

    code: str


@dataclass(frozen=True)
class NoteUncertain:
    """Nobody knows where this note is. It is neither credited nor given up: suspense, and a case.

    A later ``Stacked`` or ``Returned`` with the same ``note_id`` resolves it.
    """

    denomination: Fen | None
    reason: str
    note_id: str = ""


@dataclass(frozen=True)
class Dispensing:
    dispense_id: str


@dataclass(frozen=True)
class Presented:
    """Notes lie in the outlet, within reach."""

    dispense_id: str


@dataclass(frozen=True)
class Taken:
    dispense_id: str


@dataclass(frozen=True)
class Retracted:
    """Nobody took the notes and the device took them back. How many is in the ``DispenseResult``."""

    dispense_id: str


@dataclass(frozen=True)
class DispenseResult:
    """Comes exactly once per accepted dispense, unless the stream of events ends: then recovery tells.

    ``presented`` passed the exit sensor. ``rejected`` and ``retained`` stayed inside (reject box; path or retracted).
    When ``certain``, requested = presented + surely unpaid. Otherwise what is not presented is unaccounted: suspense
    and a case, never a voucher, never a second dispense. ``in_full``, of recovery only: all that an earlier life had
    asked for left through the exit; the device names no sum, the intent does.
    """

    requested: Mix
    presented: Mix
    rejected: int
    retained: int
    certain: bool
    dispense_id: str = ""  # empty when the dispense was asked for in an earlier life
    reason: str = ""
    presented_sum: Fen | None = None  # where a device tells the sum of a partial payout and not its notes
    in_full: bool = False

    @property
    def presented_fen(self) -> Fen:
        """What surely left through the exit."""
        return mix_value(self.presented) if self.presented_sum is None else self.presented_sum


@dataclass(frozen=True)
class UnitChanged:
    unit: CashUnit


@dataclass(frozen=True)
class CashFault:
    """``needs``: nobody (passes by itself), staff, or alarm (somebody tampers)."""

    reason: str
    needs: str = "staff"


CashEvent = (
    Escrow | Stacked | Returned | Rejected | NoteUncertain | Dispensing | Presented | Taken | Retracted | DispenseResult
    | UnitChanged | CashFault
)  # fmt: skip


@dataclass(frozen=True)
class Recovery:
    """What the device had to tell about its earlier life. Matched by the caller with the intents that are open.

    ``stacked_counter``: see ``unbooked_notes``. ``needs_staff``: why nothing may be enabled yet, or empty.
    """

    findings: tuple[CashEvent, ...] = ()
    stacked_counter: int | None = None
    needs_staff: str = ""
    units: tuple[CashUnit, ...] = field(default=())
