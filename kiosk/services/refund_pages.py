"""Pages of a refund, in the holder's words."""

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.refundable import BILL, CARD, DEPOSIT, Refund
from kiosk.ports import Answer, Figure, Figures, Hands, Kiosk, Place, Plain, Question, Role, Stars, Tone, Waiting
from kiosk.ports.money import BankPayment
from kiosk.services.card_pages import at_which_pad
from kiosk.services.money_back import MoneyBack, under_check
from kiosk.services.notices import go_back, understood

# By what is given back: the question, what follows from yes, and what the first figure is.
_CONFIRM: dict[str, tuple[Text, Text, Text | None]] = {
    BILL: (say("Give this bill back?"), say("It will be unpaid again."), say("Bill in all")),
    DEPOSIT: (say("Give this deposit back?"), say("It is taken off your hospital stay."), say("Your deposit")),
    CARD: (say("Take this money back?"), say("This card paid it, and it was credited nowhere."), None),
}
_UNDOING: dict[str, tuple[Text, Text]] = {
    BILL: (say("Giving the bill back"), say("Asking the medical insurance")),
    DEPOSIT: (say("Giving the deposit back"), say("Asking the hospital")),
}
_NOT_KNOWN: dict[str, tuple[Text, Text, Text]] = {
    BILL: (
        say("The insurance has not answered yet"),
        say("Nobody knows yet whether the bill is given back."),
        say("Insert this card again tomorrow."),
    ),
    DEPOSIT: (
        say("The hospital has not answered yet"),
        say("Nobody knows yet whether the deposit is given back."),
        say("Insert this card again later."),
    ),
}
_DONE: dict[str, Text] = {
    BILL: say("The bill is given back"),
    DEPOSIT: say("The deposit is given back"),
    CARD: say("The money goes back to your card"),
}


def too_late() -> Question:
    return Question(
        "refund_too_late",
        say("It took too long"),
        (say("Nothing was given back."), say("Ask staff to open the refund again.")),
        answers=(understood(),),
        tone=Tone.CAUTION,
    )


def confirm(refund: Refund) -> Question:
    heading, explain, whole = _CONFIRM[refund.kind]
    rows = [Figure(whole, Amount(_whole(refund)), heading=True)] if whole else []
    if refund.kind == BILL:
        split = refund.settlement.split
        account = Amount(Fen(split.account_fen + split.shared_account_fen))
        rows.append(Figure(say("Back to your medical account"), account))
    back = say("Back to your bank card") if refund.payment else say("Back to you in notes")
    rows.append(Figure(back, Amount(refund.back_fen), heading=not rows))
    answers = (go_back(), Answer("give_back", say("Give it back"), Role.MAIN))
    return Question("confirm_refund", heading, (explain,), Figures(tuple(rows)), answers)


def _whole(refund: Refund) -> Fen:
    return refund.settlement.split.total_fen if refund.kind == BILL else refund.back_fen


def looking() -> Question:
    return Question("refund_looking", say("Asking the medical insurance"), body=Waiting(say("Looking you up")))


def undoing(refund: Refund) -> Question:
    heading, asking = _UNDOING[refund.kind]
    return Question("refund_undoing", heading, (say("Please leave your card in."),), Waiting(asking))


def bank_pin(kiosk: Kiosk, payment: BankPayment) -> Question:
    rules = kiosk.settings.bank
    return Question(
        "refund_bank_pin",
        say("Enter your bank PIN"),
        (
            say("{amount} go back to this card.", amount=Amount(payment.amount_fen)),
            say("Not the social security PIN."),
            at_which_pad(kiosk),
        ),
        Stars(rules.pin_digits_min, rules.pin_digits_max, say("Your bank PIN")),
    )


def not_known_yet(kiosk: Kiosk, refund: Refund) -> Question:
    heading, what, when = _NOT_KNOWN[refund.kind]
    number = kiosk.settings.terminal.telephone
    return Question(
        "refund_not_known",
        heading,
        (what, say("No money comes out now. Nothing is lost."), when, say("Questions: {number}", number=number)),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=kiosk.visit.case_code,
    )


def given_back(code: str, refund: Refund, back: MoneyBack, at_bank: Fen, printed: bool) -> Question:
    explain: list[Text] = []
    if back.paid_fen:
        explain.append(say("Take {amount} from the outlet.", amount=Amount(back.paid_fen)))
    if back.owed_fen:
        explain.append(say("{amount} are owed to you.", amount=Amount(back.owed_fen)))
    explain += under_check(back)
    if at_bank:
        explain.append(say("The bank has not given {amount} back yet. Staff see to it.", amount=Amount(at_bank)))
    elif refund.payment:
        explain.append(say("{amount} go back to this card.", amount=Amount(refund.payment.amount_fen)))
    explain.append(say("Take the receipt.") if printed else say("The receipt is kept for you: insert this card again."))
    body = Hands((Place.NOTE_OUTLET, Place.RECEIPT_OUTLET)) if back.paid_fen else Plain()
    tone = Tone.CAUTION if at_bank else Tone.DONE
    heading = say("The bank has not answered yes") if at_bank and refund.kind == CARD else _DONE[refund.kind]
    number = code if back.under_check_fen else ""
    return Question("refund_done", heading, tuple(explain), body, (understood(),), tone, case_code=number)
