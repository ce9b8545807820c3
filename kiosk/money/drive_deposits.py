"""Deposits that the hospital did not answer, told again by the same key after the resident has gone.

Its document promises to take a key once, so that telling it again is safe, and that it answers a key always the same:
a refusal now says that it was never credited, and what was held is owed to the holder.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NoReturn

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import AlreadyClosed, Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import DepositRow
from kiosk.money.book_deposit import tell_deposit
from kiosk.money.pauses import Pauses
from kiosk.money.undo_deposit import INTENT as UNDO_INTENT
from kiosk.money.undo_deposit import book_undone_late, drive_undone
from kiosk.ports import Clock, HostRefused, Journal, OutcomeUnknown
from kiosk.ports.money import Hospital

_ACTS = ("deposit_intent", UNDO_INTENT)
HELD_BY = ("deposit_handed_over", "held_for_deposit")


async def keep_driving_deposits(
    journal: Journal, clock: Clock, hospital: Hospital, live: Callable[[], Collection[str]]
) -> NoReturn:
    """For as long as the process lives: again and again, as ``Pauses`` says."""
    pauses = Pauses(journal, _ACTS, live)
    while True:
        try:
            still_open = await drive_deposits(journal, clock, hospital, live())
        except AlreadyClosed:  # a person closed it meanwhile
            still_open = 0
        await pauses.rest(still_open)


async def drive_deposits(journal: Journal, clock: Clock, hospital: Hospital, live: Collection[str] = ()) -> int:
    """Tell every open deposit, and every one that is given back, once more; how many stay open. Those of ``live``
    cases are their visits'."""
    still_open = 0
    for intent in [one for one in journal.open_effects() if one.act in ("deposit_intent", UNDO_INTENT)]:
        if intent.case_code in live:
            continue
        if intent.act == UNDO_INTENT:
            still_open += not await drive_undone(journal, clock, hospital, intent)
            continue
        held = _held_fen(journal, intent)
        if held is None:  # after a power cut, until recovery has put it aside
            still_open += 1
            continue
        try:
            number = await tell_deposit(hospital, _facts(intent))
        except OutcomeUnknown:
            still_open += 1
        except HostRefused as refusal:
            _owe(journal, clock, intent, held, refusal.code)
        else:
            _deposited_late(journal, clock, intent, held, number)
    return still_open


def prove_deposits(journal: Journal, clock: Clock, credited: Iterable[DepositRow], live: Collection[str] = ()) -> int:
    """Deposits that the hospital's detail shows are credited, or given back, though nobody heard it; how many. What
    the detail does not show proves nothing: that is told again by its key."""
    rows = {row.key: row for row in credited}
    proved = _prove_undone(journal, clock, rows, live)
    for intent in [one for one in journal.open_effects() if one.act == "deposit_intent"]:
        row, held = rows.get(str(_facts(intent)["key"])), _held_fen(journal, intent)
        if intent.case_code in live or row is None or held is None or row.amount_fen != _facts(intent)["amount_fen"]:
            continue
        told: Facts = {"hospital_number": row.receipt_number, "proved": "statement"}
        _book(journal, clock, intent, "deposited_late", row.amount_fen, Fen(held - row.amount_fen), told)
        proved += 1
    return proved


def _prove_undone(journal: Journal, clock: Clock, rows: Mapping[str, DepositRow], live: Collection[str]) -> int:
    undone = [one for one in journal.open_effects() if one.act == UNDO_INTENT and one.case_code not in live]
    proved = [one for one in undone if str(_facts(one)["key"]) in rows]
    for intent in proved:
        book_undone_late(journal, clock, intent, {"proved": "statement"})
    return len(proved)


def _held_fen(journal: Journal, intent: StoredEntry) -> Fen | None:
    """What was put aside for this deposit; None: not yet."""
    key = _facts(intent)["key"]
    held = [one for one in journal.story(intent.case_code) if one.act in HELD_BY and _facts(one).get("key") == key]
    if not held:
        return None
    postings = (posting for entry in held for posting in entry.postings)
    return Fen(-sum(posting.amount_fen for posting in postings if posting.account is Account.SUSPENSE))


def _deposited_late(journal: Journal, clock: Clock, intent: StoredEntry, held: Fen, number: str) -> None:
    amount = Fen(int(_facts(intent)["amount_fen"]))
    _book(journal, clock, intent, "deposited_late", amount, Fen(held - amount), {"hospital_number": number})


def _owe(journal: Journal, clock: Clock, intent: StoredEntry, held: Fen, code: str) -> None:
    """Bank money goes back to its card, which only a person can arrange now: it stays in suspense, as their case."""
    facts = _facts(intent)
    if "bank_trace_number" in facts:
        told: Facts = {**facts, "code": code, "receipt_owed": 1}
        card, key = str(facts["card_number"]), str(facts["key"])
        journal.commit(NewEntry("deposit_refused_late", intent.case_code, told, card, closes=key))
        return
    _book(journal, clock, intent, "deposit_refused_late", Fen(0), held, {"code": code})


def _book(journal: Journal, clock: Clock, intent: StoredEntry, act: str, credited: Fen, owed: Fen, more: Facts) -> None:
    """Out of suspense: what the hospital has is the hospital's, the rest is owed to the holder and registered."""
    facts = _facts(intent)
    card, key = str(facts["card_number"]), str(facts["key"])
    told = {**facts, **more, "owed_fen": owed, "receipt_owed": 1}
    debt: Facts = {"amount_fen": owed, "reason": "deposit", "card_number": card}
    notices = (NewNotice("hospital", "debt_register", clock.new_key(), debt, owed),) if owed else ()
    moved = balanced((Account.SUSPENSE, credited + owed), (Account.HOSPITAL, -credited), (Account.HOLDER_DEBT, -owed))
    journal.commit(NewEntry(act, intent.case_code, told, card, moved, closes=key, notices=notices))


def _facts(entry: StoredEntry) -> Facts:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return entry.facts
