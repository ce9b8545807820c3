"""What may be done while the line is down: the agency's documents, and the desk that judges by them."""

from datetime import datetime, timedelta
from typing import Protocol

from kiosk.domain.entries import NewEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.offline import CardFinding, OfflinePolicy, OfflineRefusal


class NotAllowedOffline(Exception):
    """Nothing was committed. ``refusal`` says which page the resident sees."""

    def __init__(self, refusal: OfflineRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class OfflineDocuments(Protocol):
    """Signed documents of the agency, as they stand now. Versions below the given one are refused."""

    def policy(self, version_min: int) -> OfflinePolicy | None: ...

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding: ...


class NewestSeen(Protocol):
    """The newest version of a document that was ever used here; it outlives the process and the month's data."""

    def version(self) -> int:
        """0: none yet."""
        ...

    def note(self, version: int) -> None:
        """It is used from now on. Durable on return."""
        ...


class Offline(Protocol):
    """Plain calls. ``act`` is a name of the policy: ``loss_report``, ``contribution``, ``settlement_order`` ..."""

    def refusal(self, act: str, amount_fen: Fen = NOTHING) -> OfflineRefusal | None:
        """Why this visit's card may not do this without the line now; None: it may. Asked before the resident is."""
        ...

    def most_fen(self, act: str) -> Fen:
        """The most that ``refusal`` would let this visit's card do now, as far as amounts go."""
        ...

    def commit(self, act: str, amount_fen: Fen, entry: NewEntry) -> int:
        """Judge again and commit, with nothing between; its ``seq``. The limits count what was committed here.

        Raises:
            NotAllowedOffline: nothing is written.
        """
        ...

    def card_finding(self) -> CardFinding:
        """What the hotlist says of this visit's card, looked up before anything offline."""
        ...
