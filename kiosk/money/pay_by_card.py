"""The resident's part by bank card, after 2207 (money-rules 8, 21, 22): 0200 once, and 0400 until it is answered."""

from datetime import datetime

import trio

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import BankRow
from kiosk.money.bank_record import bank_facts, close_act, intent_of, open_act
from kiosk.money.book_settlement import StillUnknown
from kiosk.money.platform_acts import CHINA
from kiosk.ports import HostRefused, Journal, Kiosk, OutcomeUnknown
from kiosk.ports.money import Bank, BankPayment, OpenedPurchase, ReversalDisputed

TRIES_MAX = 3  # of a reversal, until the money is in suspense and a person has the case (rule 21)
PAUSE_S = 5.0  # between two tries while the resident waits
ACT_S_MAX = 90.0  # the client's own limits are shorter
TAKE_BACK_S_MAX = 120.0
UNANSWERED, DISPUTED, SUSPENDED = "bank_reversal_unanswered", "bank_reversal_disputed", "bank_suspended"


class NotPaid(Exception):
    """The bank surely took nothing. ``reason``: its code, or a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def pay(kiosk: Kiosk, opened: OpenedPurchase) -> BankPayment:
    """Ask the bank. Its intent stays open until the caller has committed what was paid.

    Raises:
        NotPaid: refused. OutcomeUnknown: ``take_back`` it. CardGone, DeviceFault: nothing was asked.
    """
    try:
        return await kiosk.bank.pay(opened)
    except HostRefused as refusal:
        if intent := open_act(kiosk.journal, opened.trace_number):
            close_act(kiosk.journal, intent, "bank_refused", {"code": refusal.code})
        raise NotPaid(refusal.code) from refusal
    except OutcomeUnknown as unknown:
        told: dict[str, str | int] = {"trace_number": opened.trace_number, "why": unknown.why}
        kiosk.journal.record("bank_unknown", kiosk.visit.case_code, **told)
        raise


async def take_back(kiosk: Kiosk, opened: OpenedPurchase) -> None:
    """0400 until it is answered.

    Raises:
        StillUnknown: the resident leaves with a paper; the kiosk goes on between visits.
    """
    trace = opened.trace_number
    for turn in range(TRIES_MAX):
        if turn:
            await trio.sleep(PAUSE_S)
        if await reverse_once(kiosk.journal, kiosk.bank, trace):
            return
        if is_disputed(kiosk.journal, trace):
            break
    raise StillUnknown(trace, opened.amount_fen)


async def reverse_once(journal: Journal, bank: Bank, trace_number: str) -> bool:
    """One 0400, which the bank answers the same however often it is asked; whether the act is closed now."""
    try:
        await bank.reverse(trace_number)
    except OutcomeUnknown as unknown:
        if intent := open_act(journal, trace_number):
            _unanswered(journal, intent, unknown)
        return False
    if intent := open_act(journal, trace_number):
        close_act(journal, intent, "bank_reversed", {}, out_of_suspense(journal, intent))
    return True


def is_disputed(journal: Journal, trace_number: str) -> bool:
    """Whether the bank has said that it will never reverse this: only reconciliation closes it."""
    intent = open_act(journal, trace_number)
    return intent is not None and bool(_count(journal, intent, DISPUTED))


def out_of_suspense(journal: Journal, intent: StoredEntry) -> tuple[Posting, ...]:
    """What empties the suspense of an act that the bank surely did not do."""
    amount = _suspended_fen(journal, intent)
    return _in_suspense(Fen(-amount)) if amount else ()


def close_by_detail(journal: Journal, intent: StoredEntry, stands: BankRow | None) -> None:
    """The bank's file of the day says whether the act stands (T+1), whatever its reversal was answered. A purchase that
    stands and was not asked for is in suspense, and goes back to its card by a refund (rule 18)."""
    suspended = _suspended_fen(journal, intent)
    moved = Fen(_owed_by_bank(intent) - suspended if stands else -suspended)
    act = "bank_stands" if stands else "bank_reversed"
    told: Facts = {"proved": "statement", **(_purchase_facts(intent, stands) if stands else {})}
    close_act(journal, intent, act, told, _in_suspense(moved) if moved else ())


def _purchase_facts(intent: StoredEntry, row: BankRow) -> Facts:
    """What a refund will need: of a purchase, with the reference that only the bank's file tells."""
    known = intent_of(intent)
    if known.kind != "purchase":
        return {}
    masked = f"{known.pan[:6]}{'*' * (len(known.pan) - 10)}{known.pan[-4:]}"
    paid_on = f"{datetime.fromisoformat(intent.at).astimezone(CHINA):%m%d}"
    names = known.trace_number, known.batch_number, row.reference, known.authorization
    return bank_facts(BankPayment(*names, known.amount_fen, masked, paid_on))


def _unanswered(journal: Journal, intent: StoredEntry, unknown: OutcomeUnknown) -> None:
    """Disputed, or the third time in vain: the money goes to suspense, once, and a person has the case."""
    if _suspended_fen(journal, intent):
        return  # nothing new
    trace = intent_of(intent).trace_number
    disputed = isinstance(unknown, ReversalDisputed)
    journal.record(DISPUTED if disputed else UNANSWERED, intent.case_code, trace_number=trace, why=unknown.why)
    if disputed or _count(journal, intent, UNANSWERED) >= TRIES_MAX:
        amount = _owed_by_bank(intent)
        told: dict[str, str | int] = {"trace_number": trace, "amount_fen": abs(amount)}
        journal.commit(NewEntry(SUSPENDED, intent.case_code, told, postings=_in_suspense(amount)))


def _owed_by_bank(intent: StoredEntry) -> Fen:
    """What the bank would owe us if the act stood: a purchase brings, what gives back takes."""
    known = intent_of(intent)
    return known.amount_fen if known.kind == "purchase" else Fen(-known.amount_fen)


def _in_suspense(amount: Fen) -> tuple[Posting, ...]:
    return balanced((Account.BANK_CLEARING, amount), (Account.SUSPENSE, -amount))


def _suspended_fen(journal: Journal, intent: StoredEntry) -> Fen:
    return _owed_by_bank(intent) if _count(journal, intent, SUSPENDED) else Fen(0)


def _count(journal: Journal, intent: StoredEntry, act: str) -> int:
    trace = intent_of(intent).trace_number
    story = journal.story(intent.case_code)
    return sum(entry.act == act and (entry.facts or {}).get("trace_number") == trace for entry in story)
