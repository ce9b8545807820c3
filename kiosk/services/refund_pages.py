"""Pages of a refund, in the holder's words."""

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.refund import Refund
from kiosk.ports import Answer, Figure, Figures, Hands, Kiosk, Place, Plain, Question, Role, Stars, Tone, Waiting
from kiosk.ports.money import BankPayment
from kiosk.services.card_pages import at_which_pad
from kiosk.services.notices import go_back, understood


def too_late() -> Question:
    return Question(
        "refund_too_late",
        say("It took too long"),
        (say("Nothing was given back."), say("Ask staff to open the refund again.")),
        answers=(understood(),),
        tone=Tone.CAUTION,
    )


def confirm(refund: Refund) -> Question:
    split = refund.settlement.split
    rows = [
        Figure(say("Bill in all"), Amount(split.total_fen), heading=True),
        Figure(say("Back to your medical account"), Amount(Fen(split.account_fen + split.shared_account_fen))),
    ]
    if refund.payment:
        rows.append(Figure(say("Back to your bank card"), Amount(refund.payment.amount_fen)))
    else:
        rows.append(Figure(say("Back to you in notes"), Amount(refund.cash_fen)))
    return Question(
        "confirm_refund",
        say("Give this bill back?"),
        (say("It will be unpaid again."),),
        Figures(tuple(rows)),
        (go_back(), Answer("give_back", say("Give it back"), Role.MAIN)),
    )


def looking() -> Question:
    return Question("refund_looking", say("Asking the medical insurance"), body=Waiting(say("Looking you up")))


def undoing() -> Question:
    return Question(
        "refund_undoing",
        say("Giving the bill back"),
        (say("Please leave your card in."),),
        Waiting(say("Asking the medical insurance")),
    )


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
        Stars(rules.pin_digits_min, rules.pin_digits_max),
    )


def not_known_yet(kiosk: Kiosk) -> Question:
    return Question(
        "refund_not_known",
        say("The insurance has not answered yet"),
        (
            say("Nobody knows yet whether the bill is given back."),
            say("No money comes out now. Nothing is lost."),
            say("Insert this card again tomorrow."),
            say("Questions: {number}", number=kiosk.settings.terminal.telephone),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=kiosk.visit.case_code,
    )


def given_back(refund: Refund, paid: Fen, owed: Fen, at_bank: Fen, printed: bool) -> Question:
    explain: list[Text] = []
    if paid:
        explain.append(say("Take {amount} from the outlet.", amount=Amount(paid)))
    if owed:
        explain.append(say("{amount} are owed to you.", amount=Amount(owed)))
    if at_bank:
        explain.append(say("The bank has not given {amount} back yet. Staff see to it.", amount=Amount(at_bank)))
    elif refund.payment:
        explain.append(say("{amount} go back to this card.", amount=Amount(refund.payment.amount_fen)))
    explain.append(say("Take the receipt.") if printed else say("The receipt is kept for you: insert this card again."))
    body = Hands((Place.NOTE_OUTLET, Place.RECEIPT_OUTLET)) if paid else Plain()
    tone = Tone.CAUTION if at_bank else Tone.DONE
    return Question("refund_done", say("The bill is given back"), tuple(explain), body, (understood(),), tone)
