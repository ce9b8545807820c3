"""A contribution in notes: received in one commit with its notice, told by its key, credited or given back.

Received is not credited: until the agency says so the money stands in an account of its own, and the paper says so.
The key is made once and the agency takes it once, so that kiosk and forwarder tell the same thing.
"""

from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.books import Account, Posting, balanced
from kiosk.domain.card import CardIdentity
from kiosk.domain.contribution import ContributionKind
from kiosk.domain.entries import Facts, NewEntry, NewNotice
from kiosk.domain.money import Fen
from kiosk.money.debts import AGENCY, BEGUN, debt_notice
from kiosk.money.purse import Purse
from kiosk.ports import Clock, Journal, Kiosk, SocialInsurance

ACT = "contribution"  # in the agency's policy, and in the outbox
RECEIVED, CREDITED, REFUSED = "contribution_received", "contribution_credited", "contribution_refused"
CREDITED_LATE, REFUSED_LATE = "contribution_credited_late", "contribution_refused_late"
OUTCOMES = (CREDITED, REFUSED, CREDITED_LATE, REFUSED_LATE)
# The agency will never credit it: no reason to ask again, and the money is its holder's.
FINAL = ("already_paid", "year_closed", "amount_differs", "not_entitled", "no_such_person")


@dataclass(frozen=True)
class Contributing:
    """What the resident chose. ``key`` is its key for ever."""

    kind: ContributionKind
    year: int
    amount_fen: Fen
    key: str

    @property
    def facts(self) -> dict[str, str | int]:
        return {"key": self.key, "kind": self.kind.value, "year": self.year, "amount_fen": self.amount_fen}


def begin(kiosk: Kiosk, contributing: Contributing) -> None:
    """Before the first note, so that a power cut knows whose register a debt belongs to."""
    visit = kiosk.visit
    kiosk.journal.commit(NewEntry(BEGUN, visit.case_code, contributing.facts, visit.identity.card_number))


def received_entry(kiosk: Kiosk, contributing: Contributing) -> NewEntry:
    """Money, receipt and notice in one commit, online by ``journal.commit`` and offline by ``offline.commit``."""
    visit, amount = kiosk.visit, contributing.amount_fen
    card = visit.identity.card_number
    at = kiosk.clock.now().isoformat(timespec="seconds")
    facts = {**contributing.facts, "at": at, "chip": visit.identity.identification_code.hex()}
    notice = NewNotice(AGENCY, ACT, contributing.key, {**facts, "card_number": card, "case": visit.case_code}, amount)
    moved = balanced((Account.RESIDENT, amount), (Account.CONTRIBUTIONS, -amount))
    return NewEntry(RECEIVED, visit.case_code, {**facts, "receipt_owed": 1}, card, moved, notices=(notice,))


async def tell_contribution(insurance: SocialInsurance, facts: Facts) -> str:
    """The agency's number of it. Raises HostRefused, OutcomeUnknown."""
    card = CardIdentity(bytes.fromhex(str(facts["chip"])), str(facts["card_number"]), "", None, None, b"")
    kind, amount = ContributionKind(str(facts["kind"])), Fen(int(facts["amount_fen"]))
    received_at = datetime.fromisoformat(str(facts["at"]))
    return await insurance.contribute(card, kind, int(facts["year"]), amount, received_at, str(facts["key"]))


def book_credited(kiosk: Kiosk, contributing: Contributing, number: str) -> None:
    visit, amount = kiosk.visit, contributing.amount_fen
    facts = {**contributing.facts, "number": number, "receipt_owed": 1}
    kiosk.journal.commit(NewEntry(CREDITED, visit.case_code, facts, visit.identity.card_number, _to_agency(amount)))


def book_refused(kiosk: Kiosk, contributing: Contributing, code: str, purse: Purse) -> None:
    """The person is still here: what was received is in their purse again."""
    visit, amount = kiosk.visit, contributing.amount_fen
    facts = {**contributing.facts, "code": code, "receipt_owed": 1}
    back = balanced((Account.CONTRIBUTIONS, amount), (Account.RESIDENT, -amount))
    kiosk.journal.commit(NewEntry(REFUSED, visit.case_code, facts, visit.identity.card_number, back))
    purse.inside_fen = Fen(purse.inside_fen + amount)


def book_late(journal: Journal, clock: Clock, told: Facts, number: str = "", code: str = "") -> None:
    """Nobody is here any more: credited by ``number``, or refused for good with ``code`` and owed to the holder."""
    amount, card, case = Fen(int(told["amount_fen"])), str(told["card_number"]), str(told["case"])
    facts = {name: told[name] for name in ("key", "kind", "year", "amount_fen")} | {"receipt_owed": 1}
    if number:
        journal.commit(NewEntry(CREDITED_LATE, case, {**facts, "number": number}, card, _to_agency(amount)))
        return
    notice = debt_notice(AGENCY, clock.new_key(), card, amount, ACT)
    owed = balanced((Account.CONTRIBUTIONS, amount), (Account.HOLDER_DEBT, -amount))
    facts |= {"code": code, "owed_fen": amount}
    journal.commit(NewEntry(REFUSED_LATE, case, facts, card, owed, notices=(notice,)))


def received_only(journal: Journal, card_number: str) -> set[tuple[ContributionKind, int]]:
    """Insurance and year of what this card paid here, of which nobody knows yet what the agency says."""
    found: dict[str, tuple[ContributionKind, int]] = {}
    for entry in journal.of_card(card_number):
        facts = entry.facts or {}
        if entry.act == RECEIVED:
            found[str(facts["key"])] = ContributionKind(str(facts["kind"])), int(facts["year"])
        elif entry.act in OUTCOMES:
            found.pop(str(facts["key"]), None)
    return set(found.values())


def outcome_known(journal: Journal, told: Facts) -> bool:
    """Whether this contribution was credited or given back already."""
    story = journal.story(str(told["case"]))
    return any(entry.act in OUTCOMES and (entry.facts or {}).get("key") == told["key"] for entry in story)


def _to_agency(amount: Fen) -> tuple[Posting, ...]:
    return balanced((Account.CONTRIBUTIONS, amount), (Account.AGENCY, -amount))
