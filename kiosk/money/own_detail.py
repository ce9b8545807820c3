"""The hospital's own detail of deposits and of the register of debts, against the journal: asked for, and compared."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from kiosk.domain.statement import Comparison, DebtActRow, DepositRow
from kiosk.money.compare_keys import Known, compare_keys
from kiosk.money.debt_acts import DEBT_ACTS, debt_acts, payouts_under_way, register_acts
from kiosk.money.deposit_acts import DEPOSIT_ACTS, credited_acts, deposit_acts
from kiosk.money.platform_acts import opens_at
from kiosk.ports import HostRefused, Journal
from kiosk.ports.money import OwnDetail

# An act is told by its key until the hospital answers: so far back it is looked for where it may have been booked. What
# took longer is a case for people.
DAYS = 8
NOT_YET = "not_reconciled_yet"


@dataclass(frozen=True)
class OwnRows:
    """``under_way``: payouts that had not ended here when the hospital was asked."""

    deposits: tuple[DepositRow, ...]
    debts: tuple[DebtActRow, ...]
    under_way: frozenset[str]


async def ask_own_detail(journal: Journal, hospital: OwnDetail, day: date) -> OwnRows | None:
    """None: this hospital gives none, because its gateway is older than 1.1.0 of the document. Platform and bank are
    compared all the same, and what is missing is said.

    Raises:
        HostRefused: ``not_reconciled_yet``. OutcomeUnknown.
    """
    under_way = payouts_under_way(_debts(journal, day, ()))
    days = _first(day), day
    try:
        return OwnRows(await hospital.deposits_detail(days), await hospital.debts_detail(days), under_way)
    except HostRefused as refusal:
        if refusal.code == NOT_YET:
            raise
        return None


def compare_deposits(journal: Journal, day: date, rows: OwnRows) -> Comparison:
    opened = [one for one in journal.open_effects() if one.act in DEPOSIT_ACTS]  # however long ago
    known = deposit_acts([*opened, *journal.since(opens_at(_first(day)), *DEPOSIT_ACTS)])
    return compare_keys(day, known, credited_acts(rows.deposits))


def compare_debts(journal: Journal, day: date, rows: OwnRows, unsent: Collection[str]) -> Comparison:
    """``unsent``: keys of notices that the hospital has perhaps not heard."""
    return compare_keys(day, _debts(journal, day, unsent), register_acts(rows.debts, day, rows.under_way))


def _debts(journal: Journal, day: date, unsent: Collection[str]) -> Known:
    return debt_acts(journal.since(opens_at(_first(day)), *DEBT_ACTS), unsent)


def _first(day: date) -> date:
    return day - timedelta(days=DAYS - 1)
