"""What hosts are still owed, beside the journal and in its commits."""

from collections.abc import Collection
from typing import Protocol

from kiosk.domain.entries import OwedNotice


class Outbox(Protocol):
    """Plain calls, durable on return. A notice stays owed until it was told or two persons gave it up."""

    def due(self, host: str, resting: Collection[str] = ()) -> OwedNotice | None:
        """The oldest notice that may be sent now; of one lane (card) nothing overtakes. ``resting``: lanes to spare."""
        ...

    def told(self, key: str) -> None: ...

    def unanswered(self, key: str) -> None: ...

    def refused(self, key: str, code: str) -> bool:
        """Whether it was put aside for a person: refused too often."""
        ...
