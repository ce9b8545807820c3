"""What this terminal did in the register of debts, out of the journal; and the register's detail in the same terms.

An act is done once the register surely heard of it. What it may not have heard of is open: that is told by its key
again and again, or waits for people.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import HOSPITAL
from kiosk.domain.statement import Act, DebtActRow, Standing
from kiosk.money.compare_keys import Booked, Known
from kiosk.money.platform_acts import judged_on

TOLD, GIVEN_UP = "notice_told", "notice_given_up"
NEVER = date.min  # the register has not surely heard of it: of no day
_PAYOUT: Mapping[str, Standing] = {
    "payout_intent": Standing.OPEN,
    "payout_refused": Standing.UNDONE,
    "debt_reserved": Standing.OPEN,
    "payout_uncertain": Standing.OPEN,
    "debt_paid_out": Standing.OPEN,  # until the register was told
    "payout_given_up": Standing.OPEN,
}
_HEARD: Mapping[str, Standing] = {
    "debt_register": Standing.DONE,
    "debt_confirm": Standing.DONE,
    "debt_give_back": Standing.UNDONE,
}
DEBT_ACTS = (*_PAYOUT, TOLD, GIVEN_UP)


def debt_acts(entries: Iterable[StoredEntry], unsent: Collection[str] = ()) -> Known:
    """By key: the day on which it became as it stands now. Entries in the journal's order; ``unsent``: keys of notices
    that the register has perhaps not heard, or refused."""
    found: Known = {key: (NEVER, Act(key, Standing.OPEN)) for key in unsent}
    for entry in entries:
        facts = entry.facts or {}
        standing = _standing(entry.act, facts)
        if standing is not None:
            key = str(facts["key"])
            amounts = _amounts(facts) if standing is Standing.DONE else ()
            found[key] = judged_on(entry.at), Act(key, standing, amounts, case_code=entry.case_code)
    return found


def _standing(act: str, facts: Facts) -> Standing | None:
    """None: not about the register, or its details were destroyed."""
    if "key" not in facts or facts.get("host", facts.get("register", HOSPITAL)) != HOSPITAL:
        return None  # what another host keeps, the hospital's detail does not show
    if act in _PAYOUT:
        return _PAYOUT[act]
    heard = _HEARD.get(str(facts.get("what")))
    # Two people gave it up: the register holds something else than we do, and its detail says so.
    return heard if act == TOLD or heard is None else Standing.UNDONE


def _amounts(facts: Facts) -> tuple[Fen, ...]:
    """() where a program of before did not write it down."""
    return (Fen(int(facts["amount_fen"])),) if "amount_fen" in facts else ()


def register_acts(rows: Iterable[DebtActRow], day: date, under_way: Collection[str] = ()) -> list[Booked]:
    """The register's side, as ``day`` sees it. A reserve is a state and no event: one that stands blocks its holder
    today, whenever it was made, unless its payout was ``under_way`` here when the register was asked."""
    found: list[Booked] = []
    for row in rows:
        if row.act == "given_back":
            found.append((row.booked_on, Act(row.key, Standing.UNDONE)))
        elif row.act == "paid" or row.act == "registered":
            found.append((row.booked_on, Act(row.key, Standing.DONE, (row.amount_fen,))))
        elif row.key not in under_way:
            found.append((day, Act(row.key, Standing.DONE)))
    return found


def payouts_under_way(known: Known) -> frozenset[str]:
    return frozenset(key for key, (_, act) in known.items() if act.standing is Standing.OPEN)
