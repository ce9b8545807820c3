"""The agency's copy of the journal, and the rows that go there."""

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
