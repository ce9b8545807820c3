"""A card that its holder misses: whose it is, and what the card platform says came of the report."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class LostCard:
    """Named by the card itself, or by its holder's personal number, which stands for every card of theirs."""

    card_number: str = field(default="", repr=False)
    personal_number: str = field(default="", repr=False)


@dataclass(frozen=True)
class LossReport:
    """A temporary report in force. It ends by itself on ``ends_on``; None: the platform names no day.

    ``covers_bank``: the region links both sides of the card; else the bank must be told by itself.
    """

    since: datetime
    ends_on: date | None
    covers_bank: bool
