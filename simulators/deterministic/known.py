"""What must be known, and by then: ids at any time; the rest at the very end of a history, when all faults have ended,
every host answers, and the terminal had some quiet minutes. What may still be open then waits for the day's detail, or
for people.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from kiosk.domain.entries import StoredEntry
from kiosk.money.bank_record import open_acts
from kiosk.money.drive_due import TRIES_MAX
from kiosk.money.due import DUE
from kiosk.money.keep_running_orders import BACK_OFF_S_MAX
from kiosk.money.platform_acts import SENT
from kiosk.money.run_order import TRIES_MAX as TRIES_OF_AN_ORDER_MAX
from kiosk.money.settlement_orders import WAITS, open_orders
from simulators.deterministic.terminal import Life

ANSWERED_BY_KEY = ("deposit_intent", "deposit_undo_intent", "payout_intent")
# Of 2207: not known, or booked and neither paid nor undone, for as long as ``whoever_can_answer_was_asked`` tells. Of
# 2208: a refund that nobody answered.
UNSURE = ("settle_intent", "refund_intent", DUE)
FOR_PEOPLE = ("bank_suspended", "bank_reversal_disputed")
OWED = "select host, act, key from notice where state = 'owed' order by seq"


def not_known_yet(life: Life) -> list[str]:
    """As ``checks.violations``."""
    entries = life.journal.entries()
    checks = (everything_is_told, whoever_can_answer_was_asked)
    return [f"{check.__name__}: {said}" for check in checks for said in check(life, entries)]


def everything_is_told(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What hosts are owed reaches them as soon as they can be reached. An order waits where its own 2207 or 2208, or
    another one of the same person, waits for the day's detail; and for some minutes after a no that may pass, as of a
    bill that another visit had claimed, which it asks for again until that lease has run out."""
    unsure = {str((one.facts or {})["card_number"]) for one in life.journal.open_effects() if one.act in UNSURE}
    waits = {one.key for one in open_orders(life.journal) if one.card.card_number in unsure}
    refused = Counter(str((entry.facts or {}).get("order", "")) for entry in entries if entry.act == WAITS)
    claimed = _claimed_elsewhere(life)
    for host, act, key in life.journal.database.execute_sql(OWED):
        may_wait = key in waits or 0 < refused[key] < TRIES_OF_AN_ORDER_MAX or key in claimed
        if act == "settlement_order" and may_wait:
            continue
        yield f"{host} was not told of {act} {key}"


def _claimed_elsewhere(life: Life) -> set[str]:
    """Orders whose bill is leased to somebody else, or was when they last could ask."""
    leases, asked_at = life.terminal.hosts["hospital"].claims, life.terminal.now() - timedelta(seconds=BACK_OFF_S_MAX)
    orders = open_orders(life.journal)
    return {one.key for one in orders if leases.holder(one.bill_id, asked_at) not in ("", one.lease_key)}


def whoever_can_answer_was_asked(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """No act stays unknown whose host would say at once what became of it (rules 2, 8 and 21)."""
    acts_of: dict[str, list[str]] = {}
    for entry in entries:
        acts_of.setdefault(entry.case_code, []).append(entry.act)
    at_bank = {intent.case_code for intent in open_acts(life.journal)}
    for effect in life.journal.open_effects():
        done = acts_of[effect.case_code]
        if effect.act in ANSWERED_BY_KEY:
            yield f"{effect.act} of case {effect.case_code} is still open"
        elif effect.act == "bank_intent" and not set(done) & set(FOR_PEOPLE):
            yield f"the bank was not asked what became of case {effect.case_code}"
        elif effect.act == DUE and effect.case_code not in at_bank and done.count("void_unknown") < TRIES_MAX:
            yield f"the settlement of case {effect.case_code} is neither paid nor undone"


def one_id_names_one_message(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 4: an id of the national interface is used for one act, over power cuts and clocks that were set back."""
    seen: dict[str, str] = {}
    for entry in entries:
        if entry.act in SENT:
            message_id = str((entry.facts or {})["message_id"])
            if message_id in seen:
                yield f"{message_id} names {seen[message_id]} and {entry.act} of case {entry.case_code}"
            seen[message_id] = f"{entry.act} of case {entry.case_code}"
    yield from (f"{one} was said of two things" for one in life.terminal.network.ids_twice)
