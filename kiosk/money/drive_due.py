"""2208 for what was settled and never paid, after the resident has gone or the power was away (money-rules 8, 9).

Nobody is there to pay now, so the settlement is undone. What is held in cash becomes the holder's debt, and the
hospital gets its bill back. While the bank may have been paid, nothing is undone.
"""

from collections.abc import Collection

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import Facts, NewEntry, NewNotice, StoredEntry
from kiosk.money.bank_record import open_acts
from kiosk.money.drive_unknown import held_fen
from kiosk.money.due import due_key, open_dues, person_due, settlement_due, treatment_due
from kiosk.ports import Clock, HostRefused, Journal, OutcomeUnknown
from kiosk.ports.money import MedicalInsurance

TRIES_MAX = 3  # of one 2208; then it waits for the day's detail (T+1)


async def drive_due(journal: Journal, clock: Clock, platform: MedicalInsurance, live: Collection[str] = ()) -> int:
    """One step for every settlement that is not paid; how many stay open. Those of ``live`` cases are their visits'."""
    still_open = 0
    not_yet = {entry.case_code for entry in open_acts(journal)} | {newest.case_code for newest, _ in journal.unspent()}
    for due in open_dues(journal):
        if due.case_code in live:
            continue
        if due.case_code not in not_yet and await _undone(journal, platform, due):
            _book_undone(journal, clock, due)
        else:
            still_open += 1
    return still_open


async def _undone(journal: Journal, platform: MedicalInsurance, due: StoredEntry) -> bool:
    """Whether the settlement is surely undone. A 2208 goes out again, by its own key, only after 5203 has shown that it
    did nothing."""
    key = _open_void(journal, due)
    if not key:
        if _says(journal, due, "voided"):
            return True
        key = platform.new_message_id()
        _commit_intent(journal, due, key)
    else:
        stands = await _stands(platform, due)
        if stands is False:
            _commit_voided(journal, due, key)
        if stands is not True or _tries(journal, due, key) >= TRIES_MAX:
            return stands is False
    try:
        await platform.void(person_due(due), settlement_due(due), key)
    except (HostRefused, OutcomeUnknown) as problem:
        journal.record("void_unknown", due.case_code, message_id=key, why=type(problem).__name__)
        return False
    _commit_voided(journal, due, key)
    return True


async def _stands(platform: MedicalInsurance, due: StoredEntry) -> bool | None:
    """Whether the platform still shows what it had answered to 2207; None: it does not say."""
    try:
        return await platform.find(treatment_due(due), str(_facts(due)["message_id"])) is not None
    except (HostRefused, OutcomeUnknown):
        return None


def _book_undone(journal: Journal, clock: Clock, due: StoredEntry) -> None:
    facts = _facts(due)
    message_id, card = str(facts["message_id"]), str(facts.get("card_number", ""))
    held = held_fen(journal, due.case_code, message_id)
    lease: Facts = {"bill": facts["bill"], "lease": facts["lease"]}
    notices = [NewNotice("hospital", "release", clock.new_key(), lease)]
    if held:
        debt: Facts = {"amount_fen": held, "reason": "not_settled", "card_number": card}
        notices.append(NewNotice("hospital", "debt_register", clock.new_key(), debt, held))
    journal.commit(
        NewEntry(
            "settle_undone",
            due.case_code,
            {"message_id": message_id, "owed_fen": held, "receipt_owed": 1},
            card,
            balanced((Account.SUSPENSE, held), (Account.HOLDER_DEBT, -held)) if held else (),
            closes=due_key(message_id),
            notices=tuple(notices),
        )
    )


def _open_void(journal: Journal, due: StoredEntry) -> str:
    """Key of the 2208 whose outcome nobody knows, "" if there is none."""
    wanted = _facts(due)["settlement_id"]
    intents = [entry for entry in journal.open_effects() if entry.act == "void_intent"]
    ours = [entry for entry in intents if _facts(entry)["settlement_id"] == wanted]
    return str(_facts(ours[0])["message_id"]) if ours else ""


def _commit_intent(journal: Journal, due: StoredEntry, key: str) -> None:
    facts: Facts = {"message_id": key, "settlement_id": _facts(due)["settlement_id"]}
    journal.commit(NewEntry("void_intent", due.case_code, facts, opens=key))


def _commit_voided(journal: Journal, due: StoredEntry, key: str) -> None:
    facts: Facts = {"message_id": key, "settlement_id": _facts(due)["settlement_id"]}
    journal.commit(NewEntry("voided", due.case_code, facts, closes=key))


def _says(journal: Journal, due: StoredEntry, act: str) -> bool:
    wanted = _facts(due)["settlement_id"]
    return any(one.act == act and _facts(one)["settlement_id"] == wanted for one in journal.story(due.case_code))


def _tries(journal: Journal, due: StoredEntry, key: str) -> int:
    story = journal.story(due.case_code)
    return sum(entry.act == "void_unknown" and _facts(entry)["message_id"] == key for entry in story)


def _facts(entry: StoredEntry) -> Facts:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return entry.facts
