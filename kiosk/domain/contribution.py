"""Contributions that residents pay themselves: resident pension and resident medical insurance, by year and grade."""

from dataclasses import dataclass
from enum import Enum

from kiosk.domain.money import Fen


class ContributionKind(Enum):
    RESIDENT_PENSION = "resident_pension"  # 城乡居民基本养老保险
    RESIDENT_MEDICAL = "resident_medical"  # 城乡居民基本医疗保险


@dataclass(frozen=True)
class PayableContribution:
    """One insurance and year. ``grades``: the yearly amounts to choose from; one where the region has one.

    ``paid``: by the agency's word; ``received``: by this terminal, whose agency has not said anything of it yet.
    """

    kind: ContributionKind
    year: int
    grades_fen: tuple[Fen, ...]
    paid: bool = False
    received: bool = False

    @property
    def open(self) -> bool:
        """Whether it may be paid now."""
        return not (self.paid or self.received)
