"""A day's contributions, compared with what the agency credited: every difference is a case (money-rules 31).

What is received and not credited yet is open: it is told by its key until the agency answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NoReturn

import trio

from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import Act, ContributionRow, Finding, Standing
from kiosk.money.compare_keys import Booked, Known, compare_keys
from kiosk.money.platform_acts import judged_on, opens_at
from kiosk.money.run_reconciliation import AGAIN_S, DAYS_BACK_MAX, as_case, today
from kiosk.ports import Clock, HostRefused, Journal, Log, OutcomeUnknown, SocialInsurance

RECONCILED = "agency_reconciled"
SIDE = "contributions"
DAYS = 8  # as long as a terminal may be dark and its day still be looked for
_SAYS: Mapping[str, Standing] = {
    "contribution_received": Standing.OPEN,
    "contribution_credited": Standing.DONE,
    "contribution_credited_late": Standing.DONE,
    "contribution_refused": Standing.UNDONE,
    "contribution_refused_late": Standing.UNDONE,
}


@dataclass(frozen=True)
class AgencyReconciled:
    day: date
    agree: int
    open: int
    findings: tuple[Finding, ...]


async def keep_reconciling_agency(journal: Journal, clock: Clock, agency: SocialInsurance, log: Log) -> NoReturn:
    """For as long as the process lives: every day that is over, once the agency tells it."""
    while True:
        await reconcile_days_due(journal, clock, agency, log)
        await trio.sleep(AGAIN_S)


async def reconcile_days_due(journal: Journal, clock: Clock, agency: SocialInsurance, log: Log) -> None:
    """A day that the agency refuses keeps no other one waiting; it is due again the next time. Silence is about all."""
    for day in days_due(journal, clock):
        try:
            done = await reconcile_agency_day(journal, clock, agency, day)
        except HostRefused as not_yet:
            log("not_reconciled", error=type(not_yet).__name__, code=not_yet.code)
        except OutcomeUnknown as silence:
            log("not_reconciled", error=type(silence).__name__)
            return
        else:
            log("reconciled", count=done.agree + len(done.findings))


def days_due(journal: Journal, clock: Clock) -> list[date]:
    """Days that are over and were not compared, oldest first."""
    yesterday = today(clock) - timedelta(days=1)
    since = clock.now() - timedelta(days=DAYS_BACK_MAX + 2)
    known = {str((entry.facts or {}).get("day")) for entry in journal.since(since, RECONCILED)}
    days = [yesterday - timedelta(days=back) for back in range(DAYS_BACK_MAX if known else 1)]
    return sorted(day for day in days if day.isoformat() not in known)


async def reconcile_agency_day(
    journal: Journal, clock: Clock, agency: SocialInsurance, day: date, staff: str = ""
) -> AgencyReconciled:
    """``staff``: who asked for it, "" for the terminal itself.

    Raises:
        HostRefused: ``not_reconciled_yet``. OutcomeUnknown.
    """
    first = day - timedelta(days=DAYS - 1)
    rows = await agency.contributions_detail((first, day))
    known = contribution_acts(journal.since(opens_at(first), *_SAYS))
    compared = compare_keys(day, known, _credited(rows))
    findings = tuple(as_case(journal, clock, day, finding, SIDE) for finding in compared.findings)
    told: dict[str, str | int] = {"day": day.isoformat(), "agree": compared.agree, "differ": len(findings)}
    told |= {"open": compared.open, **({"staff": staff} if staff else {})}
    journal.commit(NewEntry(RECONCILED, "", told))
    return AgencyReconciled(day, compared.agree, compared.open, findings)


def contribution_acts(entries: Iterable[StoredEntry]) -> Known:
    """By key: the day on which it became as it stands now. Entries in the journal's order."""
    found: Known = {}
    for entry in entries:
        facts: Facts = entry.facts or {}
        if "key" in facts:
            key, standing = str(facts["key"]), _SAYS[entry.act]
            amounts = (Fen(int(facts["amount_fen"])),) if standing is Standing.DONE else ()
            found[key] = judged_on(entry.at), Act(key, standing, amounts, case_code=entry.case_code)
    return found


def _credited(rows: Iterable[ContributionRow]) -> list[Booked]:
    return [(row.booked_on, Act(row.key, Standing.DONE, (row.amount_fen,))) for row in rows]
