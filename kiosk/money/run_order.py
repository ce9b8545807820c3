"""One settlement order, run afresh when the line is back: 1101, claim, 2206, and within its consent 2207 (rule 11).

Safe to begin again at any moment: what was reached stands in the journal. From the 2207 intent on all is as with every
other settlement: ``drive_unknown`` and ``drive_due`` find out and undo, and what comes of it ends the order.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from kiosk.domain.card import Holder, Sex
from kiosk.domain.entries import AlreadyClosed, Facts, NewEntry, StoredEntry
from kiosk.domain.settlement import Claim, MedicalBill
from kiosk.money.asked_before import is_asked_about
from kiosk.money.book_settlement import BILL_NOT_HELD, Settling, StillUnknown, settle
from kiosk.money.drive_unknown import book_settled_late, within_consent
from kiosk.money.due import DUE
from kiosk.money.settlement_orders import ENDED, OVER, WAITS, SettlementOrder, effect_of, is_open, unsettled_entry
from kiosk.money.take_back_order import given_back_claim
from kiosk.ports import Clock, HostRefused, Journal, OutcomeUnknown, Visit
from kiosk.ports.money import Hospital, MedicalInsurance
from kiosk.settings.config import Settings

TRIES_MAX = 3
UNKNOWN_WAIT_S = 20.0  # as often as ``keep_driving`` looks
REFUSED_WAIT_S = 120.0  # three refusals are of different minutes: a platform that only opens its day says no, too
# Ours. What the resident agreed to is not what there is now.
TOO_OLD, CHANGED, GONE, BEYOND = "order_too_old", "bill_changed", "bill_gone", "outside_consent"
NOT_IN_FORCE = "insurance_not_in_force"
NOT_CONNECTED = "not_connected"  # this terminal's own trouble (a broken counter, a missing key): staff mend it
# Somebody is at the window with this bill, or the lease of the very visit that left the order has not lapsed yet, its
# release being lost: no word about the order, which comes again until it is too old.
CLAIMED = "claimed_elsewhere"
_OVER_AT_ONCE = (TOO_OLD, CHANGED, GONE, BEYOND, NOT_IN_FORCE, "paid_elsewhere", "amounts_disagree")
_NOT_SENT = ("not_signed_on", BILL_NOT_HELD, CLAIMED)  # of 2207: refused before it left
_UNKNOWN_YET = ("settle_intent", DUE)
# What its 2207 may come to. But for the last, the money went where it belongs in the same commit.
_ENDS = ("settled_late", "settle_undone", "settle_not_booked", "settle_refused")
# Hospital and platform know the card, and say whose it is: the journal keeps no person's number for this.
_NOBODY = Holder("", "", Sex.UNKNOWN, "", None)


class NotNow(Exception):
    """This order must wait; others need not. ``wait_s``: for how long at first, doubled each time."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@dataclass(frozen=True)
class OrderDesk:
    """Implements ``book_settlement.Settler``. ``visit``: as much as there is of the one in which the order was left."""

    settings: Settings
    clock: Clock
    journal: Journal
    hospital: Hospital
    medical_insurance: MedicalInsurance
    visit: Visit


async def run_order(desk: OrderDesk, order: SettlementOrder) -> None:
    """One attempt, until the order is over or must wait.

    Raises:
        NotNow. OutcomeUnknown: a host is silent and nothing was booked. AlreadyClosed: it is somebody else's now, as
            when its holder took it back.
    """
    if _ended_by_itself(desk, order):
        return
    try:
        await _run(desk, order)
    except HostRefused as refusal:
        _refused(desk, order, refusal)
    else:
        _ended_by_itself(desk, order)


async def _run(desk: OrderDesk, order: SettlementOrder) -> None:
    if desk.clock.now() - order.left_at > timedelta(days=desk.settings.settlement.order_days_max):
        raise HostRefused("order", TOO_OLD)
    if _person_waits(desk, order):
        raise NotNow(UNKNOWN_WAIT_S)
    platform = desk.medical_insurance
    person = await platform.person(order.card, _NOBODY)
    if not person.in_force:
        raise HostRefused("medical_insurance", NOT_IN_FORCE)
    if is_asked_about(desk.journal, person):
        raise NotNow(UNKNOWN_WAIT_S)
    bill = await _bill_now(desk, order)
    claim = await _claim(desk, order, bill)
    quote = await platform.quote(person, bill, True, platform.new_message_id())
    if quote.cash_fen > order.held_fen or not within_consent(order.agreed, quote):
        raise HostRefused("order", BEYOND)
    if _person_waits(desk, order) or is_asked_about(desk.journal, person):  # a visit of theirs was faster
        raise NotNow(UNKNOWN_WAIT_S)
    message_id = platform.new_message_id()
    still_ours = partial(is_open, desk.journal, order.key)
    settling = Settling(person, bill, claim, quote, True, message_id, order.means, order.agreed, still_ours)
    await _settle(desk, order, settling)


async def _claim(desk: OrderDesk, order: SettlementOrder, bill: MedicalBill) -> Claim:
    """By the order's own key, which the hospital answers the same however often.

    Raises:
        AlreadyClosed: its holder took the order back meanwhile; the hospital will be told.
    """
    lease: dict[str, str | int] = {"bill": bill.bill_id, "lease": order.lease_key}
    known = _claim_says(desk, order, "claimed")
    waits = partial(is_open, desk.journal, order.key)
    if not known and not _claim_says(desk, order, "claim_intent"):
        desk.journal.commit(NewEntry("claim_intent", order.case_code, lease, only_if=waits))
    claim = await desk.hospital.claim(bill, order.lease_key)
    if not waits():
        desk.journal.commit(given_back_claim(desk.clock, order))
        raise AlreadyClosed(effect_of(order.key))
    if not known:
        desk.journal.record("claimed", order.case_code, **lease)
    return claim


async def _settle(desk: OrderDesk, order: SettlementOrder, settling: Settling) -> None:
    try:
        settlement = await settle(desk, settling)
    except StillUnknown:
        return  # as of every unknown 2207: driven until it is known, and never sent again
    except HostRefused as refusal:
        if _may_pass(refusal):
            if refusal.retry_after_s:  # else the next attempt would take it for the platform's last word
                desk.journal.record(WAITS, order.case_code, order=order.key, code=refusal.code)
            raise
        _end(desk, order, refusal.code)
        return
    for intent in desk.journal.open_effects():
        if _facts(intent).get("message_id") == settling.message_id:
            book_settled_late(desk.journal, desk.clock, intent, settlement)


def _may_pass(refusal: HostRefused) -> bool:
    """Of 2207: it surely never left, and may go out another time."""
    return refusal.code in _NOT_SENT or bool(refusal.retry_after_s)


def _ended_by_itself(desk: OrderDesk, order: SettlementOrder) -> bool:
    """Whether a 2207 of this order was booked, undone or refused: then its end is booked, if it was not.

    Raises:
        NotNow: its outcome is not known yet.
    """
    story = _story(desk, order)
    ours = {_facts(one)["message_id"] for one in story if one.act == "settle_intent" and _is_of(one, order)}
    if any(one.act in _UNKNOWN_YET and _facts(one)["message_id"] in ours for one in desk.journal.open_effects()):
        raise NotNow(UNKNOWN_WAIT_S)
    ends = [one for one in story if one.act in _ENDS and _facts(one)["message_id"] in ours]
    if not ends or any(one.act in (ENDED, OVER) and _is_of(one, order) for one in story):
        return False
    code = str(_facts(ends[-1]).get("code", ""))
    if ends[-1].act != "settle_refused":
        over: Facts = {"order": order.key}
        desk.journal.commit(NewEntry(OVER, order.case_code, over, order.card.card_number, closes=effect_of(order.key)))
        return True
    waits = any(one.act == WAITS and one.seq > ends[-1].seq and _is_of(one, order) for one in story)
    if waits or code in _NOT_SENT:
        return False
    _end(desk, order, code)  # the power went just before
    return True


def _is_of(entry: StoredEntry, order: SettlementOrder) -> bool:
    return _facts(entry).get("order") == order.key


def _person_waits(desk: OrderDesk, order: SettlementOrder) -> bool:
    """Nothing more is settled for a person while an outcome of theirs is unknown (rule 21)."""
    unknown = [one for one in desk.journal.open_effects() if one.act in _UNKNOWN_YET]
    return any(_facts(one).get("card_number") == order.card.card_number for one in unknown)


async def _bill_now(desk: OrderDesk, order: SettlementOrder) -> MedicalBill:
    bills = await desk.hospital.unpaid_bills(order.card, _NOBODY)
    bill = next((one for one in bills if one.bill_id == order.bill_id), None)
    if bill is None:
        raise HostRefused("order", GONE)
    if bill.total_fen > order.total_fen:
        raise HostRefused("order", CHANGED)
    return bill


def _refused(desk: OrderDesk, order: SettlementOrder, refusal: HostRefused) -> None:
    """What is final ends the order; what may pass is asked for three times.

    Raises:
        NotNow. OutcomeUnknown: the host asks to come again.
    """
    if refusal.retry_after_s:
        raise OutcomeUnknown(refusal.host, refusal.code, refusal.retry_after_s) from None
    if refusal.code in (NOT_CONNECTED, CLAIMED):
        raise NotNow(REFUSED_WAIT_S)
    tries = 1 + sum(one.act == WAITS and _is_of(one, order) for one in _story(desk, order))
    if refusal.code in _OVER_AT_ONCE or tries >= TRIES_MAX:
        _end(desk, order, refusal.code)
        return
    desk.journal.record(WAITS, order.case_code, order=order.key, code=refusal.code)
    raise NotNow(REFUSED_WAIT_S)


def _end(desk: OrderDesk, order: SettlementOrder, code: str) -> None:
    """Not settled: what was left is owed to the holder, registered, and a person's case (rules 11 and 19)."""
    desk.journal.commit(unsettled_entry(desk.clock, order, ENDED, code))


def _claim_says(desk: OrderDesk, order: SettlementOrder, act: str) -> bool:
    return any(one.act == act and _facts(one)["lease"] == order.lease_key for one in _story(desk, order))


def _story(desk: OrderDesk, order: SettlementOrder) -> list[StoredEntry]:
    return desk.journal.story(order.case_code)


def _facts(entry: StoredEntry) -> Facts:
    assert entry.facts is not None, "the period of an open effect is never destroyed"
    return entry.facts
