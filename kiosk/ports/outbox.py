"""What hosts are still owed, beside the journal and in its commits."""

from collections.abc import Collection, Iterable
from typing import Protocol

from kiosk.domain.entries import OwedNotice


class Overtaken(Exception):
    """What was put aside is told to nobody any more: its holder said the opposite later."""


class Outbox(Protocol):
    """Plain calls, durable on return if they do not say otherwise. A notice stays owed until it was told or two persons
    gave it up. At most fifty keys a call."""

    def owed_hosts(self, hosts: Iterable[str]) -> list[str]:
        """Those of them that are owed something which was not put aside; perhaps it must rest."""
        ...

    def due_together(self, host: str, most: int, resting: Collection[str] = ()) -> list[OwedNotice]:
        """The oldest notices that may be sent now, of one act, in order; of one lane (card) nothing overtakes.
        ``resting``: lanes to spare, at most two hundred."""
        ...

    def told(self, *keys: str) -> None: ...

    def answered(self, *keys: str) -> None:
        """Told, at a host that remembers keys for longer than we may be dark: a power cut may forget it."""
        ...

    def settle_answered(self, host: str) -> int:
        """Enter into the chain what was only answered, fifty at most; how many."""
        ...

    def unanswered(self, *keys: str) -> None: ...

    def refused(self, key: str, code: str) -> bool:
        """Whether it was put aside for a person: refused too often."""
        ...
