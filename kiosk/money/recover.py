"""After a power cut: book what the devices tell, give every fen an owner, drive what is UNKNOWN. Never pays anybody.

The person in front of the terminal now may be another (money-rules 17), so what is owed becomes a debt to the holder,
paid only to the same card and PIN.
"""

from kiosk.domain.books import Account, balanced
from kiosk.domain.cash import (
    CashEvent,
    CashFault,
    DispenseResult,
    NoteUncertain,
    Returned,
    Stacked,
    UnitKind,
)
from kiosk.domain.entries import Facts, NewEntry, StoredEntry
from kiosk.domain.money import NOTHING, Fen
from kiosk.money.debt_payout import end_payout
from kiosk.money.debts import debt_notice, register_now
from kiosk.money.due import DUE
from kiosk.ports import CashModule, Clock, Journal


async def recover_cash(journal: Journal, clock: Clock, cash: CashModule) -> None:
    """Run the device's recovery query and book it, before anything is enabled; then let the device forget."""
    in_doubt = next((_facts(intent)["denomination_fen"] for intent in _newest_note(journal)), None)
    recovery = await cash.recover(clock.new_key(), Fen(int(in_doubt)) if in_doubt is not None else None)
    for finding in recovery.findings:
        book_finding(journal, clock, finding)
    cash.acknowledge(recovery)
    if recovery.needs_staff:
        journal.record("cash_needs_staff", "", why=recovery.needs_staff)


def recover_books(journal: Journal, clock: Clock) -> None:
    """Give every fen that visits left inside an owner. Call after every cash module told what it knows."""
    _close_untold_dispenses(journal)
    _doubt_untold_notes(journal)
    settling = _waiting(journal, "settle_intent", "settle_handed_over", "message_id")
    settling |= _waiting(journal, DUE, "settle_handed_over", "message_id")
    depositing = _waiting(journal, "deposit_intent", "deposit_handed_over", "key")
    paying = {intent.case_code: intent for intent in _open(journal, "payout_intent")}
    for newest, inside in journal.unspent():
        case = newest.case_code
        if case in paying:
            end_payout(journal, paying.pop(case), inside)
        elif case in settling:
            # 2207 may have booked, or is to be undone: the money waits with it.
            _hold(journal, newest, inside, "held_for_settlement", message_id=settling[case])
        elif case in depositing:
            _hold(journal, newest, inside, "held_for_deposit", key=depositing[case])
        else:
            _owe(journal, clock, newest, inside, "power_cut")
    for intent in paying.values():
        end_payout(journal, intent, NOTHING)


def book_finding(journal: Journal, clock: Clock, finding: CashEvent) -> None:
    """What a device tells of an earlier life, or while no service listens."""
    match finding:
        case Stacked(denomination, destination, credit_id, note_id):
            intent = _intent_of_note(journal, note_id, denomination)
            place = Account.DRUMS if destination.startswith(UnitKind.RECYCLER.value) else Account.CASH_BOX
            facts: Facts = {"credit": credit_id, "denomination_fen": denomination, "to": destination}
            if intent is None and _was_credited_last(journal, denomination):
                # Committed, and the power went before the device could forget: the same credit, told again (rule 14).
                journal.record("credit_told_again", "", denomination_fen=denomination, credit=credit_id)
            elif intent is None:
                # Nobody's: money that no intent explains is a surplus and a case.
                surplus = balanced((place, denomination), (Account.SURPLUS, -denomination))
                journal.commit(NewEntry("note_of_nobody", clock.new_case_code(), facts, postings=surplus))
            else:
                moved = balanced((place, denomination), (Account.RESIDENT, -denomination))
                journal.commit(
                    NewEntry("note_credited", intent.case_code, facts, _card(intent), moved, closes=_key_of(intent))
                )
        case Returned(denomination, note_id):
            intent = _intent_of_note(journal, note_id, denomination)
            if intent is not None:
                # Came out by itself while nobody watched; who took it is not known (rule 17).
                told = {"taker": "unknown"}
                journal.commit(NewEntry("note_returned", intent.case_code, told, _card(intent), closes=_key_of(intent)))
        case NoteUncertain(denomination, reason, note_id):
            intent = _intent_of_note(journal, note_id, denomination)
            code = intent.case_code if intent else clock.new_case_code()
            note = str(_facts(intent)["note"]) if intent else note_id
            lost: Facts = {"note": note, "denomination_fen": denomination or 0, "reason": reason}
            journal.commit(NewEntry("note_uncertain", code, lost, _card(intent) if intent else ""))
        case DispenseResult():
            _book_dispense(journal, clock, finding)
        case CashFault(reason, needs):
            journal.record("cash_fault", "", reason=reason, needs=needs)
        case _:
            journal.record("cash_event", "", what=type(finding).__name__)


def _book_dispense(journal: Journal, clock: Clock, result: DispenseResult) -> None:
    """Paid is what the device counted out, also when the payout ended by itself after the kiosk had died (rule 15)."""
    intent = next(iter(_open(journal, "dispense_intent")), None)
    if intent is not None:
        asked = Fen(int(_facts(intent)["amount_fen"]))
        paid = asked if result.in_full else result.presented_fen
        _close_dispense(journal, intent, paid, NOTHING if result.certain else Fen(asked - paid))
    elif last := _explains(journal, result):
        booked, doubtful = int(_facts(last)["paid_fen"]), int(_facts(last)["unaccounted_fen"])
        paid = Fen(booked + doubtful) if result.in_full else result.presented_fen
        # What is in suspense is for people to decide; the story gains what is known now.
        journal.record("dispense_told_late" if doubtful else "dispense_told_again", last.case_code, paid_fen=paid)
    elif not result.presented_fen:
        # Notes inside that nobody asks for any more: no fen left the machine, and there is nothing to close.
        journal.record("dispense_told_again", "", paid_fen=NOTHING)
    else:
        paid = result.presented_fen
        lost = balanced((Account.DRUMS, -paid), (Account.SHORTAGE, paid))
        code = clock.new_case_code()  # a case that people can name, and close
        journal.commit(NewEntry("dispense_of_nobody", code, {"paid_fen": paid}, postings=lost))


def _close_untold_dispenses(journal: Journal) -> None:
    """A dispense of which no device knows anything is neither paid nor unpaid: suspense and a case (rule 15)."""
    for intent in _open(journal, "dispense_intent"):
        _close_dispense(journal, intent, NOTHING, Fen(int(_facts(intent)["amount_fen"])))


def _doubt_untold_notes(journal: Journal) -> None:
    """A note of which no device knows anything may be in the box or with somebody: a case, and no longer on its way,
    or no staff could ever open the box and look (rule 30)."""
    for intent in _open(journal, "note_intent"):
        facts = _facts(intent)
        story = journal.story(intent.case_code)
        if not any(one.act == "note_uncertain" and _facts(one)["note"] == facts["note"] for one in story):
            lost: Facts = {"note": facts["note"], "denomination_fen": facts["denomination_fen"], "reason": "untold"}
            journal.commit(NewEntry("note_uncertain", intent.case_code, lost, _card(intent)))


def _close_dispense(journal: Journal, intent: StoredEntry, paid: Fen, unaccounted: Fen) -> None:
    postings = balanced(
        (Account.DRUMS, -paid), (Account.RESIDENT, paid + unaccounted), (Account.SUSPENSE, -unaccounted)
    )
    act = "dispense_uncertain" if unaccounted else "dispensed"
    key = str(_facts(intent)["key"])
    facts: Facts = {"key": key, "paid_fen": paid, "unaccounted_fen": unaccounted}
    journal.commit(NewEntry(act, intent.case_code, facts, _card(intent), postings, closes=f"dispense:{key}"))


def _owe(journal: Journal, clock: Clock, newest: StoredEntry, amount: Fen, reason: str) -> None:
    key = clock.new_key()
    card = _card(newest)
    register = register_now(journal.story(newest.case_code))
    facts: Facts = {"amount_fen": amount, "reason": reason, "key": key, "register": register}
    notice = debt_notice(register, key, card, amount, reason)
    owed = balanced((Account.RESIDENT, amount), (Account.HOLDER_DEBT, -amount))
    journal.commit(NewEntry("debt_owed", newest.case_code, facts, card, owed, notices=(notice,)))


def _hold(journal: Journal, newest: StoredEntry, amount: Fen, act: str, **waits_for: str) -> None:
    moved = balanced((Account.RESIDENT, amount), (Account.SUSPENSE, -amount))
    facts: Facts = {"held_fen": amount, **waits_for, "receipt_owed": 1}
    journal.commit(NewEntry(act, newest.case_code, facts, _card(newest), moved))


def _waiting(journal: Journal, act: str, handed_over: str, key: str) -> dict[str, str]:
    """Intents whose visit was cut off, by case; one that its visit has handed over holds its own money already, and so
    does one of an order, which no visit waits for."""
    found: dict[str, str] = {}
    for intent in _open(journal, act):
        if "order" in _facts(intent):
            continue
        name = str(_facts(intent)[key])
        story = journal.story(intent.case_code)
        if not any(entry.act == handed_over and _facts(entry)[key] == name for entry in story):
            found[intent.case_code] = name
    return found


def _intent_of_note(journal: Journal, note_id: str, denomination: Fen | None) -> StoredEntry | None:
    """The open intent of this very note, else the newest if it is of this value. Older ones stay open for people, and
    no device tells of them any more: else a resident's note would be another one's."""
    by_name = [one for one in _open(journal, "note_intent") if note_id and _facts(one)["note"] == note_id]
    by_value = [one for one in _newest_note(journal) if denomination in (None, _facts(one)["denomination_fen"])]
    return next(iter(by_name or by_value), None)


def _newest_note(journal: Journal) -> list[StoredEntry]:
    """The intent of the note that moved last, while it is open: one note moves at a time."""
    newest = journal.last("note_intent")
    return [one for one in _open(journal, "note_intent") if newest is not None and one.seq == newest.seq]


def _was_credited_last(journal: Journal, denomination: Fen) -> bool:
    """One note moves at a time, so only the newest credit can be one that the device was not yet told to forget."""
    last = journal.last("note_credited")
    return last is not None and _facts(last)["denomination_fen"] == denomination


def _explains(journal: Journal, result: DispenseResult) -> StoredEntry | None:
    """One dispense runs at a time, so only the newest can be one of which a device still tells."""
    last = journal.last("dispensed", "dispense_uncertain")
    if last is None:
        return None
    booked, doubtful = int(_facts(last)["paid_fen"]), int(_facts(last)["unaccounted_fen"])
    told = result.in_full or booked <= result.presented_fen <= booked + doubtful
    return last if told else None


def _open(journal: Journal, act: str) -> list[StoredEntry]:
    return [entry for entry in journal.open_effects() if entry.act == act]


def _facts(entry: StoredEntry) -> Facts:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return entry.facts


def _card(entry: StoredEntry) -> str:
    return str(_facts(entry).get("card_number", ""))


def _key_of(intent: StoredEntry) -> str:
    return f"note:{_facts(intent)['note']}"
