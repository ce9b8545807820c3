"""Papers that a holder has not got yet, told again from what the journal has sealed (money-rules 23).

A paper begins with the entry that owes it: its facts say ``receipt_owed``. What is paid out, owed or under check
afterwards in the same case belongs to it, until it is printed or the service ends. It is owed until a printer said
"printed": a crash, a silent printer and an empty roll all leave it here, and so does an outcome that became known late.
"""

from dataclasses import dataclass, field

from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.ports import Journal, Kiosk

CARD_REFUND = "card_refund"
CASES_MAX = 60  # of one card, the newest: what is older is asked for by its number at the counter
# What kind of paper each act begins. An act that owes a receipt and is not named here is about money alone.
_KINDS = {
    "settled": "bill",
    "settled_late": "bill",
    "settle_handed_over": "bill_pending",
    "held_for_settlement": "bill_pending",
    "deposited": "deposit",
    "deposited_late": "deposit",
    "deposit_handed_over": "deposit_pending",
    "deposit_unpaid": "deposit_unpaid",
    "deposit_refused": "deposit_refused",
    "deposit_refused_late": "deposit_refused",
    "held_for_deposit": "deposit_pending",
    "debt_reserved": "debt_paid",
    "refunded": "refund",
    "refunded_late": "refund",
    "deposit_given_back": "deposit_refund",
    "deposit_given_back_late": "deposit_refund",
    CARD_REFUND: "card_refund",
    "settlement_ordered": "order_pending",
    "receipt_taken": "bill",  # of another terminal
    "contribution_received": "contribution_pending",
    "contribution_credited": "contribution",
    "contribution_credited_late": "contribution",
    "contribution_refused": "contribution_refused",
    "contribution_refused_late": "contribution_refused",
    "settlement_order_ended": "order_ended",
    "settlement_order_taken_back": "order_ended",
}
GIVEN_BACK = "bank_given_back"  # what a bank card paid for nothing is on its card again
INVOICED = "invoiced"  # the hospital's answer to the payment: where the electronic invoice is
_INTENTS = {"settle_intent": "message_id", "deposit_intent": "key"}  # and the fact that names each
_MONEY_OUT = ("dispensed", "dispense_uncertain")
_PRINTS = ("receipt_intent", "receipt_not_confirmed", "receipt_delivered")
_ENDS = ("service_ended", "visit_closed")
# Acts of a time when no resident was there: no printer has ever seen their paper. And of what another visit had left.
_ALONE = (
    "settled_late",
    "refunded_late",
    "deposited_late",
    "deposit_refused_late",
    "deposit_given_back_late",
    "case_closed",
    "held_for_settlement",
    "held_for_deposit",
    "settlement_order_ended",
    "settlement_order_taken_back",
    "settle_undone",
    "receipt_taken",
    "contribution_credited_late",
    "contribution_refused_late",
)


@dataclass
class OwedReceipt:
    """One paper. ``paper`` is the ``seq`` of the entry that began it, and names it for ever.

    ``facts``: those of that entry, with its intent's below them. ``tried``: a printer may have put it out already, so
    that the next one is a reprint.
    """

    paper: int
    kind: str
    case_code: str
    at: str
    facts: Facts
    owed_fen: Fen = NOTHING
    paid_out_fen: Fen = NOTHING
    under_check_fen: Fen = NOTHING
    tried: bool = True
    done: bool = False  # printed, or overtaken by the paper of what became known

    @property
    def tells_something(self) -> bool:
        """A debt that was reserved, and of which nothing went out, leaves nothing to write."""
        return self.kind != "debt_paid" or bool(self.paid_out_fen or self.under_check_fen)


def receipts_owed(journal: Journal, card_number: str) -> tuple[OwedReceipt, ...]:
    """What this card's holder has not got yet, oldest first."""
    codes = dict.fromkeys(entry.case_code for entry in journal.of_card(card_number) if entry.case_code)
    papers: list[OwedReceipt] = []
    marks: list[tuple[int, str]] = []
    for code in list(codes)[-CASES_MAX:]:
        case = _Case()
        for entry in journal.story(code):
            case.take(entry)
        papers += case.papers
        marks += case.marks
    for paper, act in marks:
        _mark(papers, paper, act)
    return tuple(one for one in papers if not one.done and one.tells_something)


def note_print(kiosk: Kiosk, receipt: OwedReceipt, act: str, notices: tuple[NewNotice, ...] = ()) -> None:
    """``act``: receipt_intent, then receipt_delivered or receipt_not_confirmed, in whatever visit it is printed."""
    assert act in _PRINTS
    visit = kiosk.visit
    facts: Facts = {"paper": receipt.paper, "of_case": receipt.case_code}
    kiosk.journal.commit(NewEntry(act, visit.case_code, facts, visit.identity.card_number, notices=notices))


def _mark(papers: list[OwedReceipt], paper: int, act: str) -> None:
    for one in papers:
        if one.paper == paper:
            one.tried = True
            one.done = one.done or act == "receipt_delivered"


@dataclass
class _Case:
    """One case, read in order. ``marks``: what was printed by name, perhaps papers of other cases."""

    papers: list[OwedReceipt] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    _open: OwedReceipt | None = None
    _intents: dict[str, Facts] = field(default_factory=dict)

    def take(self, entry: StoredEntry) -> None:
        facts = entry.facts
        if entry.act in _ENDS:  # also where that it ended is all that can still be read of it
            self._open = None
            return
        if facts is None:
            return  # its period was destroyed: nothing of it can be told any more
        if entry.act in _INTENTS:
            self._intents[str(facts[_INTENTS[entry.act]])] = facts
        elif entry.act == INVOICED and self._open is not None:
            self._open.facts = {**self._open.facts, **facts}
        elif entry.act == GIVEN_BACK and self._open is not None:
            self._open.facts = {**self._open.facts, "given_back_fen": facts["bank_amount_fen"]}
        elif entry.act in _PRINTS and "paper" in facts:
            self.marks.append((int(facts["paper"]), entry.act))
        elif entry.act in _PRINTS:
            self._printed(entry.act)
        elif facts.get("receipt_owed"):
            self._begin(entry, facts)
        elif entry.act in _MONEY_OUT:
            paper = self._paper(entry, facts)
            paper.paid_out_fen = Fen(paper.paid_out_fen + int(facts["paid_fen"]))
            paper.under_check_fen = Fen(paper.under_check_fen + int(facts["unaccounted_fen"]))
        elif entry.act == "debt_owed":
            paper = self._paper(entry, facts)
            paper.owed_fen = Fen(paper.owed_fen + int(facts["amount_fen"]))

    def _begin(self, entry: StoredEntry, facts: Facts) -> None:
        told = {**self._intents.get(_name(facts), {}), **facts}
        for before in self.papers:
            if _is_overtaken(before, entry.act, told):
                before.done = True  # what is known now stands in its stead
        kind = _KINDS.get(entry.act, "money")
        owed = Fen(int(facts.get("owed_fen", NOTHING)))
        tried = entry.act not in _ALONE
        begun = OwedReceipt(entry.seq, kind, entry.case_code, entry.at, told, owed, tried=tried)
        self.papers.append(begun)
        if tried or "order" not in told:  # what becomes of an order meanwhile is no part of what a visit does
            self._open = begun

    def _paper(self, entry: StoredEntry, facts: Facts) -> OwedReceipt:
        """The one that this money belongs on; money that no service has a paper for begins one."""
        if self._open is None:
            self._open = OwedReceipt(entry.seq, "money", entry.case_code, entry.at, facts)
            self.papers.append(self._open)
        return self._open

    def _printed(self, act: str) -> None:
        if self._open is not None and act != "receipt_intent":
            self._open.done = act == "receipt_delivered"
            self._open = None


def _name(facts: Facts) -> str:
    return str(facts.get("message_id") or facts.get("key") or "")


def _is_overtaken(before: OwedReceipt, act: str, told: Facts) -> bool:
    """A paper about something unknown; or one that says "under check" of a card's money that is now given back."""
    if before.kind.endswith("_pending") and _names(before.facts) & _names(told):
        return True
    return act == CARD_REFUND and before.facts.get("bank_trace_number") == told.get("bank_trace_number")


def _names(facts: Facts) -> set[str]:
    """What a paper is about: its act, and the order behind it."""
    return {str(facts[name]) for name in ("message_id", "key", "order") if facts.get(name)}
