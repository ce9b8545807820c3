"""Opening a refund, and approving it (money-rules 18): two people; the holder then does it with their own card and PIN.

One slot, three cards one after the other. The first person types the number of the receipt and sees what would come
back; the second, another id and a supervisor, sees the same and approves; the holder's menu then has it for a quarter
of an hour. Nothing moves before that: 2208, notes and bank all need the holder's card in the slot.
"""

from kiosk.domain.entries import NewEntry, StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.refundable import APPROVED, BILL, CARD, DECLINED, DEPOSIT, OPENED, Refund, refundable, waiting_refund
from kiosk.ports import Answer, Figure, Figures, Number, Question, Role, Tone, digits_given
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.count import BACK, DONE, tell
from kiosk.staff.second import may_not_approve, too_old
from kiosk.staff.visit import OnDuty, still_there

CODE_DIGITS = 6
_GIVE_BACK: dict[str, Text] = {
    BILL: say("Give this bill back?"),
    DEPOSIT: say("Give this deposit back?"),
    CARD: say("Give this money back to its card?"),
}


async def open_refund(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    code = digits_given(
        await kiosk.ask(
            Question(
                "staff_refund_number",
                say("Number on the receipt"),
                (say("Six digits, printed on it."),),
                Number(CODE_DIGITS),
                (BACK, DONE),
            )
        )
    )
    found = refundable(kiosk.journal, code)
    kiosk.journal.record("case_viewed", kiosk.visit.case_code, staff=duty.staff.staff_id, case=code)
    if not found:
        await tell(
            kiosk,
            "staff_refund_none",
            say("Nothing to give back has this number"),
            say("It was paid elsewhere, or was given back already."),
        )
        return
    settled = found[0] if len(found) == 1 else await _choose(kiosk, found)
    refund = Refund(settled, settled)
    await kiosk.ask(
        Question(
            "staff_refund_open",
            _GIVE_BACK[refund.kind],
            body=Figures(_figures(refund), secret=False),
            answers=(BACK, Answer("open", say("Open the refund"), Role.MAIN)),
            case_code=code,
        )
    )
    await still_there(kiosk, duty)
    facts: dict[str, str | int] = {"counter": duty.staff.staff_id, "settled": settled.seq}
    kiosk.journal.commit(NewEntry(OPENED, code, facts))
    await tell(
        kiosk,
        "staff_refund_opened",
        say("The refund waits"),
        say("Take your card. A second person now approves it."),
        say("Then the holder puts in their card."),
        tone=Tone.NEUTRAL,
    )


async def _choose(kiosk: StaffKiosk, found: list[StoredEntry]) -> StoredEntry:
    rows = tuple(
        Answer(
            str(one.seq),
            _name(Refund(one, one)),
            Role.ROW,
            note=say("{at}", at=one.at[:19].replace("T", " ")),
        )
        for one in found
    )
    chosen = await kiosk.ask(Question("staff_refund_choose", say("Which of them?"), answers=(*rows, BACK)))
    return next(one for one in found if str(one.seq) == chosen)


def opened_refund(kiosk: StaffKiosk) -> Refund | None:
    """The refund that waits for its second person."""
    found = waiting_refund(kiosk.journal, OPENED)
    if found is None or too_old(kiosk, found.entry, kiosk.settings.staff.refund_s):
        return None
    return found


async def approve_refund(kiosk: StaffKiosk, duty: OnDuty, refund: Refund) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    opened, code = refund.entry.facts or {}, refund.entry.case_code
    refusal = may_not_approve(duty, str(opened["counter"]))
    if refusal:
        await tell(kiosk, "staff_may_not_approve", refusal, say("Another person must approve it."))
        return
    kiosk.journal.record("case_viewed", kiosk.visit.case_code, staff=duty.staff.staff_id, case=code)
    answer = await kiosk.ask(
        Question(
            "staff_refund_approve",
            say("Do you approve this refund?"),
            (say("The holder must be here."),),
            Figures(_figures(refund, str(opened["counter"])), secret=False),
            (
                BACK,
                Answer("refuse", say("Do not approve"), Role.SECOND),
                Answer("approve", say("Approve"), Role.MAIN),
            ),
            case_code=code,
        )
    )
    await still_there(kiosk, duty)
    facts = {**opened, "approver": duty.staff.staff_id}
    if answer == "refuse":
        kiosk.journal.commit(NewEntry(DECLINED, code, facts))
        await tell(kiosk, "staff_refund_declined", say("Not approved: nothing is given back"))
        return
    kiosk.journal.commit(NewEntry(APPROVED, code, facts, refund.card_number))
    await tell(
        kiosk,
        "staff_refund_approved",
        say("Now the holder's card"),
        say("Take your card. The holder puts in theirs."),
        say("They choose to get their refund."),
        tone=Tone.DONE,
    )


def _name(refund: Refund) -> Text:
    if refund.kind == BILL:
        return say("Bill of {amount}", amount=Amount(refund.settlement.split.total_fen))
    if refund.kind == DEPOSIT:
        return say("Deposit of {amount}", amount=Amount(refund.back_fen))
    return say("By card: {amount}", amount=Amount(refund.back_fen))


def _figures(refund: Refund, counter: str = "") -> tuple[Figure, ...]:
    """What leaves the terminal or the bank stands first: nobody approves it unseen, on a page further on."""
    note = say("Proposed by {staff}", staff=counter) if counter else None
    back = say("Back to the bank card") if refund.payment else say("Back in notes")
    first = Figure(back, Amount(refund.back_fen), note, heading=True)
    if refund.kind != BILL:
        return (first,)
    split = refund.settlement.split
    return (
        first,
        Figure(say("Back to the medical account"), Amount(Fen(split.account_fen + split.shared_account_fen))),
        Figure(say("Bill in all"), Amount(split.total_fen)),
        Figure(say("Back to the insurance fund"), Amount(split.fund_fen)),
    )
