"""What the bank should have of a day, out of the journal; and its file in the same terms. Keys are batch:trace."""

from collections.abc import Iterable
from datetime import date

from kiosk.domain.entries import StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import Act, BankRow, Standing
from kiosk.money.bank_record import INTENT, intent_of
from kiosk.money.platform_acts import judged_on

_ENDS = {
    "bank_refused": Standing.UNDONE,
    "bank_reversed": Standing.UNDONE,
    "bank_given_back": Standing.DONE,
    "bank_stands": Standing.DONE,
}
_PAID = ("settled", "settled_late", "deposit_intent")  # these name the purchase that paid, and close it
BANK_ACTS = (INTENT, *_ENDS, *_PAID)


def bank_acts(entries: Iterable[StoredEntry]) -> dict[str, tuple[date, Act]]:
    """By key: the day with which each is judged, and how it stands now. Entries in the journal's order."""
    found: dict[str, tuple[date, Act]] = {}
    key_of: dict[str, str] = {}  # of a trace number, its newest act: a number comes again in a later batch
    for entry in entries:
        facts = entry.facts or {}
        if entry.act == INTENT and facts:
            intent = intent_of(entry)
            key = key_of[intent.trace_number] = f"{intent.batch_number}:{intent.trace_number}"
            undoing = intent.kind != "purchase"
            act = Act(key, Standing.OPEN, (intent.amount_fen,), undoing, case_code=entry.case_code)
            found[key] = judged_on(entry.at), act
            continue
        standing = _ENDS.get(entry.act, Standing.DONE)
        trace = str(facts.get("bank_trace_number" if entry.act in _PAID else "trace_number", ""))
        if trace in key_of:
            day, act = found[key_of[trace]]
            found[act.key] = day, Act(act.key, standing, act.amounts, act.undoing, case_code=act.case_code)
    return found


def banked_acts(rows: Iterable[BankRow]) -> list[Act]:
    """The bank's side. A purchase that was voided or refunded was booked; what undid it is a row of its own."""
    return [
        Act(
            bank_key(row),
            Standing.UNDONE if row.state == "reversed" else Standing.DONE,
            (Fen(row.amount_fen),),
            row.kind != "purchase",
        )
        for row in rows
    ]


def bank_key(row: BankRow) -> str:
    return f"{row.batch_number}:{row.trace_number}"
