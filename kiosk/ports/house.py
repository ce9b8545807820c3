"""What the house itself offers: time, ids, the journal, the log."""

from datetime import datetime
from typing import Protocol

from kiosk.domain.entries import NewEntry, StoredEntry
from kiosk.domain.money import Fen


class Clock(Protocol):
    """Wall clock for print, ids for acts. Waits use trio's monotonic clock."""

    def now(self) -> datetime:
        """Local time with zone."""
        ...

    def new_key(self) -> str:
        """A UUIDv7 that never goes backwards, even when the clock does."""
        ...

    def new_case_code(self) -> str:
        """Six digits for the telephone, unique in this terminal's journal."""
        ...

    def random(self, length: int) -> bytes:
        """Unpredictable bytes."""
        ...


class Journal(Protocol):
    """Append-only record of acts. Plain calls: no ``await``, so nothing comes between. Durable on return."""

    def commit(self, entry: NewEntry) -> int:
        """Append one act with its postings, effects and notices; its ``seq``.

        Raises:
            Unbalanced, JournalBusy (as every call that writes): nothing is written.
        """
        ...

    def has_room(self) -> bool:
        """Whether the disk can take a whole story with money; without it none is begun, so that none is lost."""
        ...

    def high_water(self) -> datetime | None:
        """The latest moment that it has seen; None while it is empty."""
        ...

    def unsent(self) -> tuple[int, Fen]:
        """What no host knows yet: how many messages, and the money that they are about."""
        ...

    def open_effects(self) -> list[StoredEntry]:
        """Intents without outcome, oldest first: UNKNOWN."""
        ...

    def unspent(self) -> list[tuple[StoredEntry, Fen]]:
        """Money of residents that visits left inside: the newest entry of each visit, and how much."""
        ...

    def last(self, *acts: str) -> StoredEntry | None:
        """The newest entry of any of these acts."""
        ...

    def newest(self, count: int, act: str, before: int | None = None, since: int = 0) -> list[StoredEntry]:
        """So many entries of this act, the newest first; of those from ``since`` on and below ``before``."""
        ...

    def moments(self, since: int) -> list[str]:
        """When the entries from this ``seq`` on were committed (ISO, with zone), in their order."""
        ...

    def story(self, case_code: str) -> list[StoredEntry]:
        """Everything about one case, in order."""
        ...

    def of_card(self, card_number: str) -> list[StoredEntry]:
        """Everything that was committed with this card, in order, over all of its visits."""
        ...

    def since(self, moment: datetime, *acts: str) -> list[StoredEntry]:
        """Entries of any of these acts from ``moment`` on, in order. Walks back from the end: for days, not years."""
        ...

    def row_code(self, terminal_id: str, seq: int) -> str:
        """The row of this number as the content of a QR code, for a receipt (money-rules 25)."""
        ...

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        """Append one act and return its ``seq``. Facts hold no personal data: numbers of things, hashes, verdicts."""
        ...

    def owe_notice(self, host: str, act: str, key: str, case_code: str = "", /, **facts: str | int) -> None:
        """Record an act and, in the same commit, a message that some host must still be told. A ``card_number`` among
        the facts is the card in whose order it stands."""
        ...


class Log(Protocol):
    """Structured log on stderr; unknown field names are refused, so that no personal data slips in."""

    def __call__(self, event: str, **fields: str | int | float | bool | None) -> None: ...
