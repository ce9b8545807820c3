"""What the agency keeps for a resident of a world, unrolled from the world's rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulators.worlds.world import ContributionRule, Resident

INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")


@dataclass(frozen=True)
class MonthOfInsurance:
    month: str  # "2026-10"
    insurance: str
    base_fen: int
    personal_fen: int
    employer_fen: int
    arrived: bool


def unrolled(resident: Resident) -> list[MonthOfInsurance]:
    """Every month of every contribution rule, newest first, and within a month in the order of the five."""
    rows = [
        MonthOfInsurance(
            month, rule.insurance, rule.base_fen, rule.personal_fen, rule.employer_fen, month not in rule.missing
        )
        for rule in resident.contributions
        for month in _months(rule)
    ]
    rows.sort(key=lambda row: INSURANCES.index(row.insurance))
    return sorted(rows, key=lambda row: row.month, reverse=True)


def overview_of(resident: Resident, months: int) -> dict[str, Any]:
    """What the agency answers about one person, as ``docs/hosts/social_insurance.yaml`` describes it."""
    rows = unrolled(resident)
    shown = sorted({row.month for row in rows}, reverse=True)[:months]
    return {
        "insurances": [
            {
                "insurance": insurance,
                "state": entry.state,
                "since": entry.since or None,
                "contributed_months": entry.months,
            }
            for insurance, entry in sorted(resident.insurances.items(), key=lambda item: INSURANCES.index(item[0]))
        ],
        "account": {
            "medical_fen": resident.medical_fen,
            "pension_fen": resident.pension_fen,
            "as_of": resident.account_as_of,
        },
        "contributions": [vars(row) for row in rows if row.month in shown],
        "benefits": [
            {"paid_on": one.paid_on, "kind": one.kind, "amount_fen": one.amount_fen, "account_tail": one.account_tail}
            for one in sorted(resident.benefits, key=lambda one: one.paid_on, reverse=True)
        ],
    }


def _months(rule: ContributionRule) -> Iterator[str]:
    year, month = (int(part) for part in rule.last_month.split("-"))
    last = year * 12 + month - 1
    for number in range(last, last - rule.months, -1):
        yield f"{number // 12:04d}-{number % 12 + 1:02d}"
