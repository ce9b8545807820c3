"""Report a card as lost, with or without it, and lift the report of a card that was found again.

A report is temporary and ends by itself; it covers the social security side, and the bank's only where the region links
them. Without the line it is kept and told later by the same key, and nobody is told that it is in force.
"""

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.identity import citizen_number_checks
from kiosk.domain.loss import LossReport, LostCard
from kiosk.domain.money import NOTHING
from kiosk.money.row_code import row_code
from kiosk.ports import DeviceFault, HostRefused, Kiosk, Outcome, OutcomeUnknown, Visit, digits_given
from kiosk.ports.offline import NotAllowedOffline
from kiosk.services import loss_pages as pages
from kiosk.services.pin_steps import verified_pin
from kiosk.services.take_back_loss import (
    LANE,
    QUEUED,
    lane,
    queued_report,
    take_back_loss,
    waiting_withdrawal,
    withdraw_behind,
)

NEEDS = ("card_reader", "pin_pad")
ACT = "loss_report"
HOST_S_MAX = 30.0


async def report_loss(kiosk: Kiosk) -> Outcome:
    """Of the card in the slot, by its holder: from then on it opens nothing, wherever it is. Who has a report waiting
    here takes it back instead."""
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    before = queued_report(kiosk)
    if before:
        return await take_back_loss(kiosk, before)
    number = kiosk.visit.identity.card_number
    await kiosk.ask(pages.confirm(number))
    return await _report(kiosk, LostCard(card_number=number))


async def report_lost_card(kiosk: Kiosk) -> Outcome:
    """Of a card that is not here, by its holder's personal number. ``kiosk.visit`` is ``nobodys_visit``."""
    number = await _typed_number(kiosk)
    kiosk.visit.identity = _stands_for(number)
    await kiosk.ask(pages.confirm(number), card_needed=False)
    return await _report(kiosk, LostCard(personal_number=number))


async def withdraw_loss(kiosk: Kiosk) -> Outcome:
    """Of the card in the slot, which the platform calls temporarily lost."""
    await kiosk.ask(pages.found_again())
    ended = await verified_pin(kiosk, initial_permitted=False)
    if ended:
        return ended
    key, visit = kiosk.clock.new_key(), kiosk.visit
    if waits := queued_report(kiosk):
        # Told after this withdrawal, it would bring back what its holder is about to lift.
        withdraw_behind(kiosk, waits)
    kiosk.journal.record("loss_withdrawal_intent", visit.case_code, key=key)
    try:
        await kiosk.wait(
            pages.withdrawing(),
            lambda: kiosk.card_platform.withdraw_loss(visit.identity, key),
            to_the_end_s=HOST_S_MAX,
        )
    except HostRefused as refusal:
        kiosk.journal.record("loss_withdrawal_refused", visit.case_code, key=key, code=refusal.code)
        await kiosk.ask(pages.withdrawal_refused(kiosk), card_needed=False, next_card_ends=True)
        return Outcome.REFUSED
    except OutcomeUnknown:
        # The card tells next time: the platform's state of it is asked at every visit.
        await kiosk.ask(pages.withdrawal_silent(kiosk), card_needed=False, next_card_ends=True)
        return Outcome.UNKNOWN
    kiosk.journal.record("loss_withdrawn", visit.case_code, key=key)
    await kiosk.ask(pages.withdrawn())
    return Outcome.DONE


def nobodys_visit(case_code: str) -> Visit:
    """Of somebody who has no card with them."""
    return Visit(_stands_for(""), Holder("", "", Sex.UNKNOWN, "", None), case_code)


async def _typed_number(kiosk: Kiosk) -> str:
    """18 characters whose check digit holds; the X at the end is ours to add, because no keypad has one."""
    question = pages.type_number(again=False)
    while True:
        digits = digits_given(await kiosk.ask(question, card_needed=False))
        number = digits if len(digits) == pages.NUMBER_DIGITS else digits + "X"
        if citizen_number_checks(number):
            return number
        question = pages.type_number(again=True)


async def _report(kiosk: Kiosk, lost: LostCard) -> Outcome:
    """The platform first; a report that it may have taken is kept by the same key until it says so."""
    key, code = kiosk.clock.new_key(), kiosk.visit.case_code
    at = kiosk.clock.now().isoformat(timespec="seconds")  # told again by the same key, it is the same
    seq = kiosk.journal.commit(NewEntry("loss_report_intent", code, {"key": key}, lane(kiosk)))
    if behind := waiting_withdrawal(kiosk):
        # Told before it, the report would be lifted by it: what one card did is told in the order in which it was done.
        return await _keep(kiosk, lost, key, at, behind)
    try:
        report = await kiosk.wait(
            pages.reporting(),
            lambda: kiosk.card_platform.report_loss(lost, at, key),
            to_the_end_s=HOST_S_MAX,
        )
    except HostRefused as refusal:
        kiosk.journal.record("loss_report_refused", code, key=key, code=refusal.code)
        await kiosk.ask(pages.refused(kiosk, refusal), card_needed=False)
        return Outcome.REFUSED
    except OutcomeUnknown:
        return await _keep(kiosk, lost, key, at, lane(kiosk))
    kiosk.journal.record("loss_reported", code, key=key, covers_bank=int(report.covers_bank))
    printed = await _printed(kiosk, lost, report, seq)
    await kiosk.ask(pages.in_force(report, printed), card_needed=False)
    return Outcome.DONE


async def _keep(kiosk: Kiosk, lost: LostCard, key: str, at: str, order: str) -> Outcome:
    """Not in force, and never said to be. ``order``: the number in whose lane the platform hears of it."""
    facts = {"at": at, "card_number": lost.card_number, "personal_number": lost.personal_number}
    notice = NewNotice("card_platform", ACT, key, facts, card_number=order)
    entry = NewEntry(QUEUED, kiosk.visit.case_code, {"key": key, LANE: order}, notices=(notice,))
    try:
        seq = kiosk.offline.commit(ACT, NOTHING, entry)
    except NotAllowedOffline as refused:
        kiosk.journal.record("offline_refused", kiosk.visit.case_code, what=ACT, why=refused.refusal.value)
        await kiosk.ask(pages.not_taken(kiosk), card_needed=False)
        return Outcome.UNAVAILABLE
    printed = await _printed(kiosk, lost, None, seq)
    await kiosk.ask(pages.queued(kiosk, printed), card_needed=False)
    return Outcome.DONE


async def _printed(kiosk: Kiosk, lost: LostCard, report: LossReport | None, seq: int) -> bool:
    """A paper is good to have and not owed: no money is in it, and the screen has said everything."""
    if not kiosk.receipt_health.condition.usable:
        return False
    number, at = lost.card_number or lost.personal_number, kiosk.clock.now()
    try:
        await kiosk.print_receipt(pages.paper(kiosk, number, report, at, row_code(kiosk, seq)))
    except (DeviceFault, OutcomeUnknown) as problem:
        kiosk.log("loss_paper_not_printed", error=type(problem).__name__)
        return False
    return True


def _stands_for(number: str) -> CardIdentity:
    """Limits and stories are kept by card; of a card that is not here, by its holder's number."""
    return CardIdentity(bytes(16), number, "", None, None, b"")
