"""The agency's copy of the journal, and the rows that go there."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from kiosk.domain.ledger import LedgerAnswer, LedgerBatch


class Ledger(Protocol):
    """Keeps every row once and for ever; may be told the same again."""

    async def kept_up_to(self) -> int:
        """Raises OutcomeUnknown."""
        ...

    async def keep(self, batch: LedgerBatch) -> LedgerAnswer:
        """Raises HostRefused: not our head. OutcomeUnknown."""
        ...


class JournalRows(Protocol):
    """The journal's rows in order, as they stand."""

    def newest(self) -> int:
        """0: there is none."""
        ...

    def after(self, seq: int, rows_max: int, bytes_max: int) -> LedgerBatch | None: ...


class RowsMedium(Protocol):
    """Another disk or card with the same rows. Calls block for as long as it likes: each belongs into a thread."""

    def newest(self) -> int:
        """The last row on it; 0: none. Raises OSError."""
        ...

    def append(self, batch: LedgerBatch, kept_by_agency: int) -> None:
        """On it on return. ``kept_by_agency``: rows up to here may go to make room.

        Raises: MediumDisagrees, MediumFull, OSError.
        """
        ...


class MediumDisagrees(Exception):
    """It holds other rows under our key: a journal that was put back. A person must look; nothing is overwritten."""


class MediumFull(Exception):
    """As much as it may hold, and the agency has none of the oldest yet."""


@dataclass(frozen=True)
class Needed:
    """What keeps a month readable. ``kept_up_to``: the agency surely has the rows up to this one. ``cases``: codes of
    open ones. ``lasting``: groups of acts, the newest entry of each of which somebody reads however old it is.
    ``within``: first and last month whose time is not over."""

    kept_up_to: int
    cases: Collection[str] = ()
    lasting: Collection[Collection[str]] = ()
    within: tuple[str, str] = ("", "")


class StillNeeded(Exception):
    """A month stays readable; the message says why, for staff."""


class PeriodsKept(Protocol):
    """The months, each of one kind of record, whose rows this terminal can still read (money-rules 29)."""

    def periods(self) -> list[str]:
        """Their names, as ``kiosk/domain/record_kinds.py`` makes them."""
        ...

    def destroy(self, period: str, needed: Needed) -> None:
        """For ever. Raises StillNeeded, JournalBusy: nothing was destroyed."""
        ...
