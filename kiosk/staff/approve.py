"""The second person: sees the figures, approves or not; only then is anything booked, and a receipt printed."""

from dataclasses import replace

from kiosk.domain.cash import mix_value
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Amount, Day, Grouped, Text, say
from kiosk.money.row_code import row_code
from kiosk.ports import Answer, DeviceFault, Figures, OutcomeUnknown, Question, Role, Tone, Waiting
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.close_case import approve_closing, closings
from kiosk.staff.count import BACK, DONE, refused_while_money_moves, tell
from kiosk.staff.counted import CASH_BOX, TILLS, Count, Standing, Till, booked, standing
from kiosk.staff.places import read_place
from kiosk.staff.refund import approve_refund, opened_refund
from kiosk.staff.second import may_not_approve, too_old
from kiosk.staff.visit import OnDuty, still_there

PRINT_S_MAX = 60.0
_ANSWERS = (
    BACK,
    Answer("refuse", say("Do not approve"), Role.SECOND),
    Answer("approve", say("Approve"), Role.MAIN),
)


async def approve(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Everything that waits for a second person, one after another.

    Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff.
    """
    counts = [(till, found) for till in TILLS if (found := standing(kiosk, till)) and found.act == till.acts[1]]
    proposed, refund = closings(kiosk), opened_refund(kiosk)
    if not counts and not proposed and refund is None:
        await tell(kiosk, "staff_nothing_waits", say("Nothing waits for approval"), tone=Tone.NEUTRAL)
    if refund is not None:  # first, because its holder waits beside
        await approve_refund(kiosk, duty, refund)
    for till, found in counts:
        await _approve(kiosk, duty, till, found)
    for closing in proposed:
        await approve_closing(kiosk, duty, closing)


async def _approve(kiosk: StaffKiosk, duty: OnDuty, till: Till, found: Standing) -> None:
    count = Count.from_facts(found.facts)
    refusal = _refusal(kiosk, duty, found, count)
    if refusal:
        await tell(kiosk, "staff_may_not_approve", refusal, say("Another person must approve it."))
        return
    if await refused_while_money_moves(kiosk):
        return
    patience_s = kiosk.settings.staff.count_s
    figures = Figures(count.figures(till), secret=False)
    await kiosk.ask(
        Question("staff_figures", say("Here are the figures"), (), figures, (BACK, DONE)), patience_s=patience_s
    )
    question = Question(
        "staff_approve", say("Do you approve this count?"), answers=_ANSWERS, case_code=found.entry.case_code
    )
    answer = await kiosk.ask(question, patience_s=patience_s)
    await still_there(kiosk, duty)
    if answer == "refuse":
        facts = {**found.facts, "approver": duty.staff.staff_id}
        kiosk.journal.commit(NewEntry(till.acts[2], found.entry.case_code, facts))
        await tell(kiosk, "staff_not_approved", say("Not approved: count again"))
        return
    await _book(kiosk, duty, till, found, count)


def _refusal(kiosk: StaffKiosk, duty: OnDuty, found: Standing, count: Count) -> Text | None:
    """Why this person may not approve this count."""
    refusal = may_not_approve(duty, count.counter)
    if refusal is None and too_old(kiosk, found.entry):
        return say("The count is too old: count again")
    return refusal


async def _book(kiosk: StaffKiosk, duty: OnDuty, till: Till, found: Standing, count: Count) -> None:
    # What the device says from here on is compared with what it says now: it never hears of an exchange.
    after = Fen(booked(kiosk, till) + mix_value(count.loaded) - count.booked_fen)
    base = (await read_place(kiosk, till)).facts(after)
    facts = {**count.facts(), **base, "approver": duty.staff.staff_id, "receipt_owed": 1}
    seq = kiosk.journal.commit(NewEntry(till.acts[3], found.entry.case_code, facts, postings=count.postings(till)))
    receipt = replace(_receipt(kiosk, duty, till, found, count), qr=row_code(kiosk, seq))
    printed = await print_for_staff(kiosk, receipt, found.entry.case_code)
    words = say("The receipt is printed.") if printed else say("The receipt did not come out. The booking stands.")
    await tell(kiosk, "staff_booked", say("Booked"), words, tone=Tone.DONE if printed else Tone.CAUTION)


async def print_for_staff(kiosk: StaffKiosk, receipt: Receipt, case_code: str) -> bool:
    """Whether the paper is surely out; either is journaled."""
    page = Question("staff_printing", say("Printing"), body=Waiting(say("Printing")))
    try:
        await kiosk.wait(page, lambda: kiosk.print_receipt(receipt), to_the_end_s=PRINT_S_MAX)
    except (DeviceFault, OutcomeUnknown) as problem:
        kiosk.journal.record("receipt_not_confirmed", case_code, why=type(problem).__name__)
        return False
    kiosk.journal.record("receipt_delivered", case_code)
    return True


def _receipt(kiosk: StaffKiosk, duty: OnDuty, till: Till, found: Standing, count: Count) -> Receipt:
    title = say("Cash box exchanged") if till is CASH_BOX else say("Cassettes loaded")
    difference = count.difference_fen
    lines = [
        ReceiptLine(title, LineStyle.BIG),
        ReceiptLine(say("Terminal {number}", number=kiosk.settings.terminal.terminal_id)),
        ReceiptLine(say("{day}", day=Day(kiosk.clock.now().date()))),
        ReceiptLine(say("Number: {code}", code=Grouped(found.entry.case_code))),
        ReceiptLine(say("Seal: {number}", number=count.seal)),
        ReceiptLine(say("Counted by hand: {amount}", amount=Amount(mix_value(count.counted)))),
        ReceiptLine(say("In the books: {amount}", amount=Amount(count.booked_fen))),
    ]
    if difference:
        amount = Amount(Fen(abs(difference)))
        words = say("Surplus: {amount}", amount=amount) if difference > 0 else say("Shortage: {amount}", amount=amount)
        lines.append(ReceiptLine(words, LineStyle.BOLD))
    if till.loads:
        lines.append(ReceiptLine(say("Loaded: {amount}", amount=Amount(mix_value(count.loaded)))))
    lines.append(ReceiptLine(say("Counted: {staff}", staff=count.counter)))
    lines.append(ReceiptLine(say("Approved: {staff}", staff=duty.staff.staff_id)))
    return Receipt(tuple(lines))
