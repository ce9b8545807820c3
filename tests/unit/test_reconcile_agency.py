"""A day's contributions against what the agency credited: what differs becomes a case, once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.basics.clock import SystemClock
from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow, Difference
from kiosk.money.reconcile_agency import days_due, reconcile_agency_day, reconcile_days_due
from kiosk.money.run_reconciliation import DIFFERS
from kiosk.ports import HostRefused, OutcomeUnknown, SocialInsurance
from offline_queue.journal import SqliteJournal
from tests.flows.people import FakeHosts

DAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # of the day in China


class SetClock(SystemClock):
    at = NOON

    def now(self) -> datetime:
        return self.at


class Office:
    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.journal = SqliteJournal(folder, self.clock.now)
        self.hosts = FakeHosts()

    @property
    def agency(self) -> SocialInsurance:
        return self.hosts  # type: ignore[return-value]  # answers all that is asked here

    def pays(self, key: str, fen: int, act: str = "contribution_credited") -> None:
        facts: dict[str, str | int] = {"key": key, "amount_fen": fen, "kind": "resident_pension", "year": 2026}
        received = balanced((Account.CASH_BOX, fen), (Account.CONTRIBUTIONS, -fen))
        self.journal.commit(NewEntry("contribution_received", "482913", facts, "Y00000032", received))
        if act != "contribution_received":
            self.journal.commit(NewEntry(act, "482913", facts, "Y00000032"))

    def credits(self, *rows: tuple[str, int]) -> None:
        self.hosts.contributions = tuple(ContributionRow(key, "C1", Fen(fen), DAY) for key, fen in rows)

    def cases(self) -> list[str]:
        return [entry.case_code for entry in self.journal.entries() if entry.act == DIFFERS]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.journal.close()


async def test_a_day_that_agrees_opens_no_case(office: Office) -> None:
    """What both sides have is agreed; what is not credited yet waits and is told by its key."""
    office.pays("key-1", 20_000)
    office.pays("key-2", 30_000, "contribution_received")
    office.credits(("key-1", 20_000))
    done = await reconcile_agency_day(office.journal, office.clock, office.agency, DAY)
    assert (done.agree, done.open, done.findings) == (1, 1, ())
    assert office.cases() == []


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        ([("key-1", 20_000, "contribution_credited")], [], Difference.HERE_NOT_THERE),
        ([], [("key-9", 20_000)], Difference.THERE_NOT_HERE),
        ([("key-1", 20_000, "contribution_credited")], [("key-1", 30_000)], Difference.AMOUNTS_DIFFER),
        ([("key-1", 20_000, "contribution_refused_late")], [("key-1", 20_000)], Difference.THERE_NOT_HERE),
    ],
)
async def test_what_differs_is_a_case_once(
    office: Office, ours: list[tuple[str, int, str]], theirs: list[tuple[str, int]], difference: Difference
) -> None:
    """In either direction, and however often the day is compared."""
    for key, fen, act in ours:
        office.pays(key, fen, act)
    office.credits(*theirs)
    done = await reconcile_agency_day(office.journal, office.clock, office.agency, DAY)
    assert [one.difference for one in done.findings] == [difference]
    again = await reconcile_agency_day(office.journal, office.clock, office.agency, DAY)
    assert [one.case_code for one in again.findings] == [one.case_code for one in done.findings] == office.cases()


async def test_every_day_that_is_over_is_compared_once(office: Office) -> None:
    """Today is not over; a day that the agency does not tell yet stays due."""
    office.clock.at = NOON + timedelta(days=1)
    assert days_due(office.journal, office.clock) == [DAY]
    office.hosts.refuses = HostRefused("social_insurance", "not_reconciled_yet")
    with pytest.raises(HostRefused):
        await reconcile_agency_day(office.journal, office.clock, office.agency, DAY)
    assert DAY in days_due(office.journal, office.clock)
    office.hosts.refuses = None
    await reconcile_agency_day(office.journal, office.clock, office.agency, DAY)
    assert DAY not in days_due(office.journal, office.clock)


class OneDayMissing(FakeHosts):
    """An agency that cannot tell one day, or says nothing from then on."""

    says_nothing = False

    async def contributions_detail(self, days: tuple[date, date]) -> tuple[ContributionRow, ...]:
        if days[1] == DAY - timedelta(days=2):
            raise OutcomeUnknown("social_insurance", "silence") if self.says_nothing else HostRefused("s", "day_lost")
        return await super().contributions_detail(days)


@pytest.mark.parametrize("silent", [False, True])
async def test_a_day_that_is_refused_keeps_no_other_waiting(office: Office, silent: bool) -> None:
    """The days after it are compared, and it stays due; where the agency falls silent nothing more is asked."""
    office.clock.at = NOON + timedelta(days=1)
    office.hosts = agency = OneDayMissing()
    agency.says_nothing = silent
    await reconcile_agency_day(office.journal, office.clock, office.agency, DAY - timedelta(days=3))
    due = days_due(office.journal, office.clock)
    assert {DAY, DAY - timedelta(days=1), DAY - timedelta(days=2)} <= set(due)
    await reconcile_days_due(office.journal, office.clock, office.agency, lambda event, **fields: None)
    left = days_due(office.journal, office.clock)
    assert DAY - timedelta(days=2) in left
    assert (DAY in left, DAY - timedelta(days=1) in left) == (silent, silent)
