"""Settlements whose outcome nobody knows, driven after the resident has gone (money-rules 10).

Found at the platform: settled after all, and what was held goes where it belongs. Not found proves nothing: one
reversal is sent, and the rest waits for the day's detail (T+1). Never a second 2207.
"""

from collections.abc import Collection

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement, Split, Treatment
from kiosk.money.book_settlement import case_of_figures
from kiosk.money.due import open_due
from kiosk.money.held_receipts import KEY, hold_notice
from kiosk.money.hospital_notices import payment_facts
from kiosk.ports import Clock, HostRefused, Journal, OutcomeUnknown
from kiosk.ports.money import MedicalInsurance

# Acts that put cash aside for a settlement's outcome, by its message id or by the order that it settles.
HELD_BY = ("settle_handed_over", "held_for_settlement", "settlement_ordered")


async def drive_unknown(journal: Journal, clock: Clock, platform: MedicalInsurance, live: Collection[str] = ()) -> int:
    """Look once at every open settlement; how many stay open.

    Settlements of ``live`` cases are driven by their own visits until these have handed them over (money-rules 10).
    """
    still_open = 0
    # After a power cut no outcome is booked before recovery has put the notes inside aside for it.
    unrecovered = {newest.case_code for newest, _ in journal.unspent()}
    for intent in _open_settlements(journal):
        if intent.case_code in live:
            continue
        if intent.case_code in unrecovered:
            still_open += 1
            continue
        try:
            found = await platform.find(_treatment(intent), _message_id(intent))
        except (HostRefused, OutcomeUnknown):
            found = None
        if found is not None:
            book_settled_late(journal, clock, intent, found)
        else:
            await _reverse_once(journal, platform, intent)
            still_open += 1
    return still_open


def _open_settlements(journal: Journal) -> list[StoredEntry]:
    return [entry for entry in journal.open_effects() if entry.act == "settle_intent"]


def held_fen(journal: Journal, case_code: str, message_id: str) -> Fen:
    """What lies in suspense for one settlement; a visit may have more there for other reasons, or left an order."""
    story = journal.story(case_code)
    order = next((_order(entry) for entry in story if _settles(entry, message_id)), "")
    held = (entry for entry in story if entry.act in HELD_BY and _holds_for(entry.facts or {}, message_id, order))
    postings = (posting for entry in held for posting in entry.postings)
    return Fen(-sum(posting.amount_fen for posting in postings if posting.account is Account.SUSPENSE))


def _settles(entry: StoredEntry, message_id: str) -> bool:
    return entry.act == "settle_intent" and (entry.facts or {}).get("message_id") == message_id


def _order(entry: StoredEntry) -> str:
    return str((entry.facts or {}).get("order", ""))


def _holds_for(facts: Facts, message_id: str, order: str) -> bool:
    if "order" in facts:
        return facts["order"] == order
    return facts.get("message_id", message_id) == message_id


def book_settled_late(journal: Journal, clock: Clock, intent: StoredEntry, found: Settlement) -> None:
    """What was held goes where it belongs, and what is too much is owed to the holder.

    Nobody has paid what a bank card was to pay after 2207, nor more than was quoted, nor agreed to more than an order
    says: such a settlement is due, and will be undone, because nobody is there to agree and to pay (rules 9 and 11).
    """
    facts = _facts(intent)
    card = str(facts.get("card_number", ""))
    case_of_figures(journal, intent.case_code, found.message_id, found.split.disagreements)
    held = held_fen(journal, intent.case_code, _message_id(intent))
    cash = found.split.cash_fen
    if held < cash or not within_consent(facts, found.split):
        due = payment_facts(found, str(facts["bill"]), str(facts["lease"]), str(facts.get("means", "")))
        open_due(journal, intent.case_code, card, _treatment(intent), due)
        return
    owed = held - cash
    told = payment_facts(found, str(facts["bill"]), str(facts["lease"]))
    paper: dict[str, str | int] = {**told, "receipt_owed": 1, "owed_fen": owed}
    notices = [NewNotice("hospital", "payment", clock.new_key(), told, cash)]
    if "order" in facts:
        about = {**paper, "department": facts["department"]}
        notices.append(hold_notice(clock, intent.case_code, card, about))
        paper[KEY] = notices[-1].key
    if owed:
        debt: dict[str, str | int] = {"amount_fen": owed, "reason": "change_owed", "card_number": card}
        notices.append(NewNotice("hospital", "debt_register", clock.new_key(), debt, owed))
    journal.commit(
        NewEntry(
            "settled_late",
            intent.case_code,
            paper,
            card,
            balanced(
                (Account.SUSPENSE, held),
                (Account.HOSPITAL, -cash),
                (Account.HOLDER_DEBT, -owed),
            ),
            closes=_message_id(intent),
            notices=tuple(notices),
        )
    )


def within_consent(facts: Facts, split: Split) -> bool:
    """Whether the medical account pays no more than an order allows; without an order everything was shown."""
    most = facts.get("account_most_fen")
    return most is None or split.account_fen + split.shared_account_fen <= int(most)


async def _reverse_once(journal: Journal, platform: MedicalInsurance, intent: StoredEntry) -> None:
    original = _message_id(intent)
    if any(
        entry.act == "reversal_intent" and entry.facts and entry.facts.get("original") == original
        for entry in journal.story(intent.case_code)
    ):
        return
    reversal = platform.new_message_id()
    facts: Facts = {"message_id": reversal, "original": original, "original_kind": "2207"}
    journal.commit(NewEntry("reversal_intent", intent.case_code, facts, opens=reversal))
    try:
        await platform.reverse(_treatment(intent), original, "2207", reversal)
    except HostRefused as refusal:
        told = {"message_id": reversal, "code": refusal.code}
        journal.commit(NewEntry("reversal_refused", intent.case_code, told, closes=reversal))
    except OutcomeUnknown:
        return
    else:
        journal.commit(NewEntry("reversal_answered", intent.case_code, {"message_id": reversal}, closes=reversal))


def _facts(intent: StoredEntry) -> Facts:
    assert intent.facts is not None, "the period of an open effect is never destroyed"
    return intent.facts


def _message_id(intent: StoredEntry) -> str:
    return str(_facts(intent)["message_id"])


def _treatment(intent: StoredEntry) -> Treatment:
    facts = _facts(intent)
    return Treatment(str(facts["person_number"]), str(facts["insured_place"]), str(facts["visit_number"]))
