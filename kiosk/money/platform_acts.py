"""What the platform should have of a day, out of the journal; and its detail (3202) in the same terms."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone

from kiosk.domain.entries import StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import Act, Standing

CHINA = timezone(timedelta(hours=8))  # statements know one time
# An act begun just before midnight may be booked just after it: it is judged with the next day's detail.
GRACE = timedelta(minutes=10)

# act -> whether it undoes, and how it leaves the act of its message id standing.
_SAYS: Mapping[str, tuple[bool, Standing]] = {
    "settle_intent": (False, Standing.OPEN),
    "settle_refused": (False, Standing.UNDONE),
    "settle_not_booked": (False, Standing.UNDONE),
    "settled": (False, Standing.DONE),
    "settled_late": (False, Standing.DONE),
    "settled_unpaid": (False, Standing.DONE),
    "settle_undone": (False, Standing.DONE),  # booked, and undone by an act of its own
    "void_intent": (True, Standing.OPEN),
    "void_not_booked": (True, Standing.UNDONE),
    "voided": (True, Standing.DONE),
    "refund_intent": (True, Standing.OPEN),
    "refund_refused": (True, Standing.UNDONE),
    "refund_not_booked": (True, Standing.UNDONE),
    "refunded": (True, Standing.DONE),
    "refunded_late": (True, Standing.DONE),
}
PLATFORM_ACTS = tuple(_SAYS)
INTENTS = tuple(act for act, (_, standing) in _SAYS.items() if standing is Standing.OPEN)
SENT = (*INTENTS, "reversal_intent")  # entries that name a message id of ours


def judged_on(at: str | datetime) -> date:
    """The day with whose detail an act begun at this moment is judged. ``at``: ISO time with zone, as journaled."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return (moment.astimezone(CHINA) + GRACE).date()


def opens_at(day: date) -> datetime:
    """The first moment that is judged with ``day``."""
    return datetime.combine(day, time(), CHINA) - GRACE


def platform_acts(entries: Iterable[StoredEntry]) -> dict[str, tuple[date, Act]]:
    """By message id: the day with which each is judged, and how it stands now. Entries in the journal's order."""
    found: dict[str, tuple[date, Act]] = {}
    for entry in entries:
        key = str((entry.facts or {}).get("message_id", ""))
        if not key or entry.act not in _SAYS:
            continue
        undoing, standing = _SAYS[entry.act]
        day, before = found.get(key, (judged_on(entry.at), Act(key, standing, undoing=undoing)))
        facts = entry.facts or {}
        amounts = _amounts(facts, -1 if undoing else 1) if standing is Standing.DONE else ()
        about = str(facts.get("visit_number", "")) or before.about
        found[key] = day, Act(key, standing, amounts or before.amounts, undoing, about, entry.case_code)
    return found


def _amounts(facts: Mapping[str, str | int], sign: int) -> tuple[Fen, ...]:
    """Total, fund, account; negative for a void. () where the entry does not say."""
    names = ("total_fen", "fund_fen", "account_fen")
    return tuple(Fen(sign * int(facts[name])) for name in names) if all(name in facts for name in names) else ()


def stated_acts(rows: Iterable[StatementRow]) -> list[Act]:
    """The platform's side. What it reversed is not in its detail at all."""
    return [
        Act(
            row.message_id,
            Standing.DONE,
            (row.total_fen, row.fund_fen, row.account_fen),
            row.undoing,
            row.visit_number,
            agreed=row.agrees,
        )
        for row in rows
    ]


def message_id_of(entry: StoredEntry | None) -> str:
    """Of the newest message that the journal knows: none may be made before it. "" if it knows none."""
    return str((entry.facts or {}).get("message_id", "")) if entry else ""
