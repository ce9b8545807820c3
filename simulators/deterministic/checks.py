"""The money rules as questions to all books at once: journal, cash module, platform, hospital, and what was written.

Each check tells what is wrong in words, or nothing. They hold at any moment at which no visit is going on and the kiosk
runs; what needs the hosts to have been told is asked only when nothing is owed to them any more.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.domain.books import Account, Posting, totals
from kiosk.domain.entries import StoredEntry
from kiosk.money.refundable import waits_for_a_card
from offline_queue.copies import open_copies
from offline_queue.row_code import anchor_in
from offline_queue.verify import open_read_only, verify
from simulators.deterministic.arrivals import (
    ledger_has_the_chain,
    nothing_is_refused_for_ever,
    offline_is_in_effect_once,
    order_of_each_card,
    records_say_what_came_out,
    told_means_arrived,
    vouchers_are_paid_once,
)
from simulators.deterministic.known import one_id_names_one_message
from simulators.deterministic.losses import losses_stand_as_told
from simulators.deterministic.terminal import Life, Terminal
from simulators.hosts.hospital_books import AT_THE_WINDOW
from simulators.hosts.medical_insurance_books import Row

SETTLED = ("settled", "settled_late")
NOT_SETTLED_YET = ("settle_intent", "settled_unpaid")
MAY_CHANGE = (*SETTLED, "deposited", "contribution_received", "settlement_ordered")  # after which change may be paid
PAID_BY_CARD = ("settled", "deposit_intent")
OF_A_VOUCHER = ("payout_given_up", "debt_paid_out", "payout_uncertain", "debt_reserved")
BOX_BOOKED = "cash_box_exchanged"
BY_TWO = (BOX_BOOKED, "case_closed", "refund_approved")
BY_PEOPLE = (BOX_BOOKED, "case_closed")
REFUNDED = ("refunded", "refunded_late")
NOT_TAKEN = (None, "reversed", "never")
Check = Callable[[Life, list[StoredEntry]], Iterator[str]]


def violations(life: Life) -> list[str]:
    """Every rule that does not hold now, as sentences."""
    entries = life.journal.entries()
    return [f"{check.__name__}: {said}" for check in CHECKS for said in check(life, entries)]


def books_balance(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Double entry, and no money without an owner (rule 2)."""
    books = _books(entries)
    if sum(books.values()):
        yield f"the whole is {sum(books.values())} fen"
    if books.get(Account.RESIDENT, 0):
        yield f"{books[Account.RESIDENT]} fen are nobody's"
    by_people = _books([entry for entry in entries if entry.act in BY_PEOPLE])
    for account in (Account.SURPLUS, Account.SHORTAGE):
        unexplained = books.get(account, 0) - by_people.get(account, 0)
        if unexplained and not life.terminal.cash_harmed:
            yield f"{account.value} {unexplained} fen without any fault of the cash module"


def machine_holds_what_the_books_say(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Up to what a dispense left uncertain: that lies in suspense, and the drums are counted by staff (rule 15). What
    staff carried out and in, or found more or less, is in the books of the vault and of the differences."""
    books, terminal = _books(entries), life.terminal
    found = _books([entry for entry in entries if entry.act == BOX_BOOKED])
    booked = sum(books.get(one, 0) for one in (Account.CASH_BOX, Account.DRUMS, Account.VAULT))
    booked += found.get(Account.SURPLUS, 0) + found.get(Account.SHORTAGE, 0)
    held = 100 * (terminal.till.inside_yuan + terminal.hands.carried_yuan - terminal.loaded_yuan)
    uncertain = _uncertain_fen(entries)
    if not 0 <= booked - held <= uncertain and not terminal.cash_harmed:
        yield f"books say {booked} fen, the machine holds {held}, {uncertain} are uncertain"


def each_note_is_credited_once(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 14, against the device's own counter of stacked notes."""
    credited = sum(entry.act in ("note_credited", "note_of_nobody") for entry in entries)
    if credited != life.terminal.till.notes_in and not life.terminal.cash_harmed:
        yield f"{credited} credits, {life.terminal.till.notes_in} notes stacked"


def a_count_finds_what_is_booked(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 30: hands that count well find no more and no less than what was ever uncertain; and nothing is booked of
    one person alone."""
    for entry in entries:
        if entry.act == BOX_BOOKED and not life.terminal.cash_harmed:
            difference = int(_fact(entry, "counted_fen")) - int(_fact(entry, "booked_fen"))
            if abs(difference) > _uncertain_fen(entries):
                yield f"row {entry.seq} finds {difference} fen more than the books"
        if entry.act in BY_TWO and _fact(entry, "counter") == _fact(entry, "approver"):
            yield f"{entry.act} in row {entry.seq} is one person's"


def nothing_is_dispensed_blindly(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rules 3 and 15: one dispense for one intent, and no change before SETTLED (rule 7)."""
    intents = [entry for entry in entries if entry.act == "dispense_intent"]
    ordered = life.terminal.till.payouts
    if ordered > len(intents):
        yield f"{ordered} dispenses, {len(intents)} intents"
    for intent in intents:
        before = entries[: intent.seq]
        settled = any(one.case_code == intent.case_code and one.act in MAY_CHANGE for one in before)
        if _fact(intent, "reason") == "change" and not settled:
            yield f"change before SETTLED in case {intent.case_code}"


def platform_was_asked_once(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rules 3 and 10: one 2207 for one intent, and one live settlement for one visit at the hospital."""
    platform = life.terminal.hosts["medical_insurance"].platform
    intents = Counter(_fact(entry, "message_id") for entry in entries if entry.act == "settle_intent")
    asked = Counter(msgid for infno, msgid in platform.messages() if infno == "2207")
    for msgid, times in asked.items():
        if times > max(1, intents[msgid]) and not life.terminal.network.repeated:
            yield f"2207 {msgid} arrived {times} times"
        if not intents[msgid]:
            yield f"2207 {msgid} without an intent"
    live = Counter(row.mdtrt_id for row in _live(life.terminal))
    yield from (f"{count} settlements of {visit}" for visit, count in live.items() if count > 1)


def settled_means_booked(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Journal and platform agree, or the journal says that it does not know."""
    live = {row.msgid: row for row in _live(life.terminal)}
    settled = _settled(entries)
    unknown = {_fact(entry, "message_id") for entry in life.journal.open_effects() if entry.act in NOT_SETTLED_YET}
    asked_back = {_fact(entry, "original") for entry in life.journal.open_effects() if entry.act == "refund_intent"}
    for msgid, row in live.items():
        if msgid not in settled and msgid not in unknown:
            yield f"booked at the platform and not known here: {msgid}"
        elif msgid in settled and row.cash != _fact(settled[msgid], "cash_fen"):
            yield f"the platform says {row.cash} fen, the journal {_fact(settled[msgid], 'cash_fen')}"
    gone = settled.keys() - live.keys() - asked_back
    yield from (f"settled here and not at the platform: {msgid}" for msgid in settled if msgid in gone)
    bills = Counter(str(_fact(entry, "bill")) for entry in settled.values())
    yield from (f"bill {bill} settled {times} times" for bill, times in bills.items() if times > 1)


def bank_agrees(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What the bank took stands for a settlement, or is still being asked about; never twice, never for nothing."""
    if life.terminal.bank is None:
        return
    acts = {act.trace: act.state for act in life.terminal.bank_acts() if act.kind == "purchase"}
    pays = Counter(str(_fact(one, "bank_trace_number")) for one in entries if one.act in PAID_BY_CARD)
    pays.pop("", None)
    asked = {str(_fact(entry, "trace_number")) for entry in life.journal.open_effects() if entry.act == "bank_intent"}
    for trace, state in acts.items():
        if state == "booked" and trace not in pays and trace not in asked:
            yield f"the bank took {trace} for nothing"
    yield from (f"{trace} is settled and the bank did not take it" for trace in pays if acts.get(trace) in NOT_TAKEN)
    yield from (f"{trace} pays {times} times" for trace, times in pays.items() if times > 1)


def hospital_was_told(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Payments and debts stand in the hospital's books as they stand in ours (rules 6 and 19)."""
    payments = life.terminal.hosts["hospital"].claims.payments()
    at_window = {row.bill_id for row in payments if row.key.startswith(AT_THE_WINDOW)}
    paid = {row.bill_id: row.settlement_id for row in payments if row.bill_id not in at_window}
    settled = {str(_fact(one, "bill")): str(_fact(one, "settlement_id")) for one in _settled(entries).values()}
    for bill, settlement in paid.items():
        if settled.get(bill) != settlement:
            yield f"the hospital was told of {settlement} for bill {bill}, the journal has {settled.get(bill)}"
    if life.books.unsent().count:
        return
    yield from (
        f"the hospital does not know that bill {bill} is paid"
        for bill in settled
        if bill not in paid and bill not in at_window
    )
    registered = life.terminal.registered_fen() - life.terminal.registered_before_fen
    owed = -sum(one.amount_fen for entry in entries for one in entry.postings if _adds_debt(entry, one))
    owed -= _under_old_vouchers_fen(entries)
    if registered != owed:
        yield f"{registered} fen of debts registered, {owed} owed"


def deposits_agree(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """The hospital has what the journal says it was given, or is still asked about."""
    given = sum(-one.amount_fen for entry in entries for one in entry.postings if _gives_deposit(entry, one))
    asked, back = (_asked_fen(life, act) for act in ("deposit_intent", "deposit_undo_intent"))
    has = sum(amount for _, amount in life.terminal.hosts["hospital"].claims.deposits())
    if not given - back <= has <= given + asked:
        yield f"the hospital has {has} fen of deposits, {given} are booked, {asked} asked about and {back} asked back"


def every_intent_has_its_end(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What no host has to answer is known after recovery: dispenses, and notes, or that nobody knows where one is."""
    in_doubt = {_fact(entry, "note") for entry in entries if entry.act == "note_uncertain"}
    for entry in life.journal.open_effects():
        if entry.act == "note_intent" and _fact(entry, "note") not in in_doubt:
            yield f"note of case {entry.case_code} is still on its way"
        elif entry.act == "dispense_intent":
            yield f"dispense of case {entry.case_code} has no end"


def nothing_moved_for_nobody(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Every note in and every note out is some intent's."""
    for entry in entries:
        if entry.act in ("note_of_nobody", "dispense_of_nobody") and not life.terminal.cash_harmed:
            yield f"{entry.act} in row {entry.seq}"


def receipts_are_printed_or_owed(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 23, of every visit that ended by itself."""
    acts: dict[str, set[str]] = {}
    for entry in entries:
        acts.setdefault(entry.case_code, set()).add(entry.act)
    for case, done in acts.items():
        owed = done & {"settled", "settle_handed_over"}
        if owed and "visit_closed" in done and not done & {"receipt_delivered", "receipt_not_confirmed"}:
            yield f"no receipt for case {case}"


def paper_is_no_promise(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 23: as many whole papers came out as the journal says were delivered, or more; none is counted before."""
    delivered = sum(entry.act == "receipt_delivered" for entry in entries)
    whole = sum(paper.whole for paper in life.terminal.printer.papers)
    if delivered > whole:
        yield f"{delivered} receipts count as delivered, {whole} came out"


def papers_vouch_for_rows(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rules 25 and 26: the code of every paper that is out names a row of this very chain; none was ever lost after."""
    copies = open_copies(life.terminal.folder / "data")
    key, newest = Ed25519PublicKey.from_public_bytes(copies.public_key), copies.newest()
    for code in (code for paper in life.terminal.printer.papers for code in paper.codes):
        seq, link = anchor_in(code, key)
        if seq > newest or copies.link_of(seq) != link:
            yield f"a paper vouches for row {seq}, which is another one or gone"
    copies.close()


def suspense_waits_for_something(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Money is held where somebody is still to answer, or a person must look: nowhere else (rule 2)."""
    waits = {entry.case_code for entry in life.journal.open_effects()}
    waits |= {entry.case_code for entry in entries if entry.act in ("dispense_uncertain", "note_uncertain")}
    held: dict[str, int] = {}
    for entry in entries:
        for posting in entry.postings:
            if posting.account is Account.SUSPENSE:
                held[entry.case_code] = held.get(entry.case_code, 0) + posting.amount_fen
    # What a card paid for nothing waits for its holder and two of staff (rule 18).
    waits |= {case for case, fen in held.items() if fen and waits_for_a_card(life.journal, case)}
    yield from (f"{-fen} fen of case {case} wait for nobody" for case, fen in held.items() if fen and case not in waits)


def uncertain_money_is_a_case(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 2: staff see every act without an outcome, every fen in suspense, and what a dead life left inside."""
    uncertain = {entry.case_code for entry in life.journal.open_effects()}
    uncertain |= {newest.case_code for newest, _ in life.journal.unspent()}
    held: Counter[str] = Counter()
    for entry in entries:
        held[entry.case_code] += sum(one.amount_fen for one in entry.postings if one.account is Account.SUSPENSE)
    uncertain |= {case for case, fen in held.items() if fen}
    seen = {case.code for case in life.books.open_cases()}
    yield from (f"case {case} is uncertain, and no person can see it" for case in uncertain - seen)


def chain_is_whole(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    connection = open_read_only(life.terminal.folder / "data" / "journal.db")
    verdict = verify(connection, None)
    connection.close()
    if not verdict.whole:
        yield verdict.why


def logs_name_nobody(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    written = json.dumps(life.terminal.log, ensure_ascii=False)
    for resident in life.terminal.world.residents:
        for secret in (resident.name, resident.number):
            if len(secret) > 1 and secret in written:
                yield f"the log names {resident.handle}"


CHECKS: tuple[Check, ...] = (
    books_balance,
    machine_holds_what_the_books_say,
    each_note_is_credited_once,
    a_count_finds_what_is_booked,
    nothing_is_dispensed_blindly,
    platform_was_asked_once,
    settled_means_booked,
    bank_agrees,
    hospital_was_told,
    deposits_agree,
    every_intent_has_its_end,
    nothing_moved_for_nobody,
    one_id_names_one_message,
    receipts_are_printed_or_owed,
    suspense_waits_for_something,
    uncertain_money_is_a_case,
    chain_is_whole,
    logs_name_nobody,
    paper_is_no_promise,
    papers_vouch_for_rows,
    told_means_arrived,
    order_of_each_card,
    nothing_is_refused_for_ever,
    vouchers_are_paid_once,
    records_say_what_came_out,
    ledger_has_the_chain,
    offline_is_in_effect_once,
    losses_stand_as_told,
)


def _settled(entries: list[StoredEntry]) -> dict[str | int, StoredEntry]:
    """By message id: what stands in our books as settled, and was not given back since (rule 18)."""
    back = {_fact(entry, "original") for entry in entries if entry.act in REFUNDED}
    settled = {_fact(entry, "message_id"): entry for entry in entries if entry.act in SETTLED}
    return {message_id: entry for message_id, entry in settled.items() if message_id not in back}


def _uncertain_fen(entries: list[StoredEntry]) -> int:
    return sum(int(_fact(one, "unaccounted_fen")) for one in entries if one.act == "dispense_uncertain")


def _books(entries: list[StoredEntry]) -> dict[Account, int]:
    postings: list[Posting] = [posting for entry in entries for posting in entry.postings]
    return dict(totals(postings))


def _asked_fen(life: Life, act: str) -> int:
    return sum(int(_fact(one, "amount_fen")) for one in life.journal.open_effects() if one.act == act)


def _gives_deposit(entry: StoredEntry, posting: Posting) -> bool:
    return posting.account is Account.HOSPITAL and entry.act.startswith("deposit")


def _adds_debt(entry: StoredEntry, posting: Posting) -> bool:
    """What a payout did not pay stays under its old voucher."""
    return posting.account is Account.HOLDER_DEBT and posting.amount_fen < 0 and entry.act not in OF_A_VOUCHER


def _under_old_vouchers_fen(entries: list[StoredEntry]) -> int:
    """What two people found not to have been paid of a payout that was uncertain: owed again, and registered long ago.
    What their case holds beside the payout is a new debt."""
    doubtful: Counter[str] = Counter()
    kept = 0
    for entry in entries:
        if entry.act == "payout_uncertain":
            doubtful[entry.case_code] += int(_fact(entry, "unaccounted_fen"))
        elif entry.act == "case_closed":
            books = _books([entry])
            owed, paid = -books.get(Account.HOLDER_DEBT, 0), -books.get(Account.SHORTAGE, 0)
            kept += min(owed, max(0, doubtful.pop(entry.case_code, 0) - paid))
    return kept


def _live(terminal: Terminal) -> list[Row]:
    rows = terminal.hosts["medical_insurance"].platform.standing()
    voided = {row.undoes for row in rows}
    return [row for row in rows if not row.undoes and row.setl_id not in voided]


def _fact(entry: StoredEntry, name: str) -> str | int:
    assert entry.facts is not None
    return entry.facts.get(name, "")
