"""The agency's side in memory: contributions and the register of debts, as its document says. Both dedupe by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import trio

from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, CardFinding, OfflinePolicy
from kiosk.domain.settlement import Debt
from kiosk.money.contribution_notices import contribution_notices
from kiosk.money.debts import AGENCY
from kiosk.money.hospital_notices import debt_notices
from kiosk.money.live_cases import open_visit
from kiosk.ports import Clock, HostRefused, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from tests.flows.money import Fuse

NOW = datetime(2026, 11, 21, 10, 24, tzinfo=UTC)
PENSION, MEDICAL = ContributionKind.RESIDENT_PENSION, ContributionKind.RESIDENT_MEDICAL
ROUNDS_MAX = 6


@dataclass
class AgencyOffice:
    """``habit``: credits | refuses | credits_silently | silent (also to questions)."""

    habit: str = "credits"
    refuses_with: str = "already_paid"
    fuse: Fuse = field(default_factory=Fuse)
    payables: tuple[PayableContribution, ...] = (
        PayableContribution(PENSION, 2026, (Fen(20_000), Fen(30_000))),
        PayableContribution(MEDICAL, 2026, (Fen(40_000),), paid=True),
    )
    credited: dict[str, int] = field(default_factory=dict)  # key -> amount
    registered: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)  # every contribution that was told, in all its words

    async def payable(self, card: Any, holder: Any) -> tuple[PayableContribution, ...]:
        self.fuse.burn("payable asked")
        await trio.lowlevel.checkpoint()
        if self.habit == "silent":
            raise OutcomeUnknown(AGENCY, "no line")
        self.fuse.burn("payable answered")
        return self.payables

    async def contribute(self, card: Any, kind: Any, year: int, amount_fen: Fen, received_at: Any, key: str) -> str:
        self.fuse.burn("contribute asked")
        self.asked.append((card, kind, year, amount_fen, received_at, key))
        await trio.lowlevel.checkpoint()
        if self.habit == "silent":
            raise OutcomeUnknown(AGENCY, "no line")
        if key not in self.credited and self.habit == "refuses":
            raise HostRefused(AGENCY, self.refuses_with)
        assert self.credited.setdefault(key, amount_fen) == amount_fen
        if self.habit == "credits_silently":
            raise OutcomeUnknown(AGENCY, "answer lost")
        self.fuse.burn("contribute answered")
        return f"C{list(self.credited).index(key) + 1:010d}"

    async def register(self, card: Any, amount_fen: Fen, reason: str, key: str) -> Debt:
        self.fuse.burn("register asked")
        await trio.lowlevel.checkpoint()
        if self.habit == "silent":
            raise OutcomeUnknown(AGENCY, "no line")
        assert self.registered.setdefault(key, amount_fen) == amount_fen
        self.fuse.burn("register answered")
        return Debt("QK00000001", amount_fen, reason, register=AGENCY)

    async def confirm(self, debt: Any, paid_fen: Fen, key: str) -> None:
        raise AssertionError("no debt is paid out here")

    async def give_back(self, debt: Any, key: str) -> None:
        raise AssertionError("no debt is paid out here")


@dataclass
class Documents:
    """A policy of the agency that allows contributions; ``rules`` None: there is none."""

    rules: OfflinePolicy | None = None
    finding: CardFinding = CardFinding.CLEAR

    def policy(self, version_min: int) -> OfflinePolicy | None:
        return self.rules

    def card(self, card_number: str, now: datetime, age_max: timedelta) -> CardFinding:
        return self.finding


def allows(act: str, act_fen: int, card_day_fen: int = 10**6) -> OfflinePolicy:
    return OfflinePolicy(
        version=1,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=30),
        age_max=timedelta(hours=72),
        hotlist_age_max=timedelta(hours=24),
        unsent_fen_max=Fen(10**6),
        unsent_count_max=100,
        acts={act: ActLimits(Fen(act_fen), Fen(card_day_fen), 9)},
    )


async def tell_all(journal: SqliteJournal, agency: Any, clock: Clock) -> None:
    """What the forwarder does while the line is up, without its pauses."""
    told = contribution_notices(agency, journal, clock, partial(open_visit, journal)) | debt_notices(AGENCY, agency)
    for _ in range(ROUNDS_MAX):
        notice = journal.outbox.due(AGENCY)
        if notice is None:
            return
        try:
            await told[AGENCY, notice.act](notice)
        except OutcomeUnknown:
            journal.outbox.unanswered(notice.key)
        except HostRefused as refusal:
            journal.outbox.refused(notice.key, refusal.code)
        else:
            journal.outbox.told(notice.key)
