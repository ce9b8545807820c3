"""What the journal knows of acts at the bank: open until their outcome is committed, also after a restart (rule 21).

An act's effect is open from its intent on; the effects are few, so nothing here walks the file. Card number and chip
stand in the sealed facts only.
"""

from collections.abc import Callable
from dataclasses import asdict, fields

from kiosk.domain.books import Posting
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.settlement import PaidBy
from kiosk.money.means import BANK_CARD, CASH
from kiosk.ports import Journal
from kiosk.ports.money import BankIntent, BankPayment

INTENT, KNOWN, NOTICE, NOTICE_TOLD = "bank_intent", "bank_known", "bank_notice_owed", "bank_notice_told"


NUMBERED = (INTENT, NOTICE)  # entries that name a trace number and its batch


class JournalBankRecord:
    """Implements ``ports.money.BankRecord``. ``owner``: case code and card number of who is served now, or ""."""

    def __init__(self, journal: Journal, owner: Callable[[], tuple[str, str]]) -> None:
        self._journal = journal
        self._owner = owner

    def keep(self, intent: BankIntent) -> None:
        case_code, card_number = self._owner()
        if intent.kind == "script_notice":
            entry = NewEntry(NOTICE, case_code, intent.facts(), card_number, opens=_notice_key(intent))
        elif known := open_act(self._journal, intent.trace_number):
            entry = NewEntry(KNOWN, known.case_code, intent.facts(), card_number)
        else:
            entry = NewEntry(INTENT, case_code, intent.facts(), card_number, opens=_act_key(intent))
        self._journal.commit(entry)

    def find(self, trace_number: str) -> BankIntent | None:
        opened = open_act(self._journal, trace_number)
        if opened is None:
            return None
        told = [
            one for one in self._journal.story(opened.case_code) if one.act == KNOWN and _trace(one) == trace_number
        ]
        return intent_of(told[-1] if told else opened)

    def open_traces(self) -> tuple[str, ...]:
        return tuple(_trace(entry) for entry in open_acts(self._journal))

    def owed_notices(self) -> tuple[BankIntent, ...]:
        return tuple(intent_of(entry) for entry in self._journal.open_effects() if entry.act == NOTICE)

    def noticed(self, trace_number: str) -> None:
        for entry in self._journal.open_effects():
            if entry.act == NOTICE and _trace(entry) == trace_number:
                told: Facts = {"trace_number": trace_number}
                self._journal.commit(NewEntry(NOTICE_TOLD, entry.case_code, told, closes=_notice_key(intent_of(entry))))


def open_acts(journal: Journal) -> list[StoredEntry]:
    """Intents without an outcome, oldest first. Each blocks every other act at the bank."""
    return [entry for entry in journal.open_effects() if entry.act == INTENT]


def open_act(journal: Journal, trace_number: str) -> StoredEntry | None:
    return next((entry for entry in open_acts(journal) if _trace(entry) == trace_number), None)


def close_act(
    journal: Journal,
    intent: StoredEntry,
    act: str,
    facts: Facts,
    postings: tuple[Posting, ...] = (),
    notices: tuple[NewNotice, ...] = (),
) -> None:
    """Commit the outcome of an open act: done, refused, reversed, or what reconciliation found."""
    told = {"trace_number": _trace(intent), **facts}
    card = str((intent.facts or {}).get("card_number", ""))
    journal.commit(NewEntry(act, intent.case_code, told, card, postings, closes=act_key(intent), notices=notices))


def numbers_of(entry: StoredEntry | None) -> tuple[str, str] | None:
    """Batch and trace number of the newest act that the journal knows: the counter may not be behind it."""
    if entry is None:
        return None
    intent = intent_of(entry)
    return intent.batch_number, intent.trace_number


def act_key(intent: StoredEntry) -> str:
    """The effect that is open until the act's outcome is committed."""
    return _act_key(intent_of(intent))


def bank_facts(payment: BankPayment) -> dict[str, str | int]:
    """All that a receipt, a void or a refund of this payment will need; ``payment_of`` is the inverse."""
    return {f"bank_{name}": value for name, value in asdict(payment).items()}


def paid_by(facts: Facts) -> PaidBy:
    """The means of what these facts are about, as the hospital is told."""
    if "bank_trace_number" not in facts:
        return PaidBy(CASH)
    numbers = {one.name: str(facts[f"bank_{one.name}"]) for one in fields(PaidBy) if one.name != "means"}
    return PaidBy(BANK_CARD, **numbers)


def payment_of(settled: StoredEntry) -> BankPayment | None:
    """How a bank card paid what this entry settled; None: it did not."""
    facts = settled.facts or {}
    if "bank_trace_number" not in facts:
        return None
    names = {one.name: facts[f"bank_{one.name}"] for one in fields(BankPayment)}
    return BankPayment(**names)  # type: ignore[arg-type] # facts are what ``bank_facts`` gave


def intent_of(entry: StoredEntry) -> BankIntent:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return BankIntent.from_facts(entry.facts)


def _trace(entry: StoredEntry) -> str:
    return str((entry.facts or {}).get("trace_number", ""))


def _act_key(intent: BankIntent) -> str:
    return f"bank:{intent.batch_number}:{intent.trace_number}"


def _notice_key(intent: BankIntent) -> str:
    return f"bank_notice:{intent.batch_number}:{intent.trace_number}"
