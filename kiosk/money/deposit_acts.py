"""What the hospital should have of this terminal's deposits, out of the journal; and its detail in the same terms."""

from collections.abc import Iterable, Mapping

from kiosk.domain.entries import Facts, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.domain.statement import Act, DepositRow, Standing
from kiosk.money.compare_keys import Booked, Known
from kiosk.money.means import BANK_CARD
from kiosk.money.platform_acts import judged_on

# act -> whether it undoes, and how it leaves the act of its key standing.
_SAYS: Mapping[str, tuple[bool, Standing]] = {
    "deposit_intent": (False, Standing.OPEN),
    "deposit_refused": (False, Standing.UNDONE),
    "deposit_refused_late": (False, Standing.UNDONE),
    "deposited": (False, Standing.DONE),
    "deposited_late": (False, Standing.DONE),
    "deposit_undo_intent": (True, Standing.OPEN),
    "deposit_undo_refused": (True, Standing.UNDONE),
    "deposit_given_back": (True, Standing.DONE),
    "deposit_given_back_late": (True, Standing.DONE),
}
DEPOSIT_ACTS = tuple(_SAYS)


def deposit_acts(entries: Iterable[StoredEntry]) -> Known:
    """By key: the day on which it became as it stands now. Entries in the journal's order."""
    found: Known = {}
    for entry in entries:
        facts = entry.facts or {}
        if "key" in facts and entry.act in _SAYS:
            key, (undoing, standing) = str(facts["key"]), _SAYS[entry.act]
            amounts = _amounts(facts) if standing is Standing.DONE else ()
            found[key] = judged_on(entry.at), Act(key, standing, amounts, undoing, case_code=entry.case_code)
    return found


def credited_acts(rows: Iterable[DepositRow]) -> list[Booked]:
    """The hospital's side."""
    found: list[Booked] = []
    for row in rows:
        amounts = _how(row.amount_fen, by_card=row.means == BANK_CARD)
        found.append((row.booked_on, Act(row.key, Standing.DONE, amounts, row.act == "undone")))
    return found


def _amounts(facts: Facts) -> tuple[Fen, ...]:
    return _how(Fen(int(facts["amount_fen"])), by_card="bank_trace_number" in facts)


def _how(amount: Fen, *, by_card: bool) -> tuple[Fen, ...]:
    """In all, and how much of it by bank card: the same sum by other means is a difference, too."""
    return amount, amount if by_card else NOTHING
