"""Staff as the terminal knows them: an id and a role out of a certificate, never a name."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from kiosk.domain.card import CardIdentity


class StaffRole(Enum):
    CLERK = "clerk"  # counts, exchanges, loads
    SUPERVISOR = "supervisor"  # the same, and approves what another counted


class NotStaff(Exception):
    """Nobody is let in with this card. ``reason``: no_anchor | certificate | expired | signature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Staff:
    """What a certificate that was checked says."""

    staff_id: str
    role: StaffRole
    expires: datetime


@dataclass(frozen=True)
class StaffCard:
    """What a staff card gives freely. ``identity`` stands for it where a resident's card has its own; its
    ``identification_code`` is made from the certificate. Nothing of it is believed before it was checked."""

    identity: CardIdentity
    certificate_der: bytes = field(repr=False)
