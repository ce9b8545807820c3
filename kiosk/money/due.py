"""Money due: 2207 is booked, and the resident's part is not paid yet (money-rules 8, 9).

From the commit that opens it, every end is one of two: paid, in one commit with the payment, or undone by 2208.
"""

from kiosk.domain.entries import NewEntry, StoredEntry
from kiosk.domain.settlement import InsuredPerson, Settlement, Treatment
from kiosk.money.hospital_notices import paid_settlement
from kiosk.ports import Journal

DUE = "settled_unpaid"


def due_key(message_id: str) -> str:
    return f"due:{message_id}"


def open_due(
    journal: Journal, case_code: str, card_number: str, treatment: Treatment, paid_facts: dict[str, str | int]
) -> None:
    """The outcome of 2207, and the debt that it makes, in one commit. ``paid_facts``: of ``payment_facts``."""
    key = str(paid_facts["message_id"])
    facts: dict[str, str | int] = {
        **paid_facts,
        "person_number": treatment.person_number,
        "insured_place": treatment.insured_place,
    }
    journal.commit(NewEntry(DUE, case_code, facts, card_number, opens=due_key(key), closes=key))


def open_dues(journal: Journal) -> list[StoredEntry]:
    """Settled and neither paid nor undone, oldest first."""
    return [entry for entry in journal.open_effects() if entry.act == DUE]


def open_key(journal: Journal, message_id: str) -> str:
    """What is open of this settlement: the money due, or 2207 itself where it was paid at once."""
    is_due = any((entry.facts or {})["message_id"] == message_id for entry in open_dues(journal))
    return due_key(message_id) if is_due else message_id


def settlement_due(entry: StoredEntry) -> Settlement:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return paid_settlement(entry.facts)[1]


def person_due(entry: StoredEntry) -> InsuredPerson:
    """As much of the person as 2208 names."""
    facts = entry.facts or {}
    number, place = str(facts["person_number"]), str(facts["insured_place"])
    return InsuredPerson(number, place, "", in_force=True, balance_fen=settlement_due(entry).split.account_fen)


def treatment_due(entry: StoredEntry) -> Treatment:
    facts = entry.facts or {}
    return Treatment(str(facts["person_number"]), str(facts["insured_place"]), str(facts["visit_number"]))
