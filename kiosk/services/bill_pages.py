"""Pages of a medical bill. No codes in headlines; where card and money are comes first."""

from collections.abc import Iterable

from kiosk.domain.money import Fen
from kiosk.domain.settlement import MedicalBill, Settlement, Split
from kiosk.domain.text import Amount, Day, say, verbatim
from kiosk.money.means import CASH, Means
from kiosk.money.purse import Purse
from kiosk.ports import (
    Answer,
    Figure,
    Figures,
    Hands,
    Kiosk,
    Place,
    Plain,
    Question,
    Role,
    Tone,
    Waiting,
)
from kiosk.services.card_pages import label_of, why_not
from kiosk.services.money_back import MoneyBack, number_to_tell, told
from kiosk.services.notices import go_back, understood

SMALLEST_NOTE_FEN = 100

_DOING = {
    "claiming": say("Reserving your bill at the hospital"),
    "quoting": say("Asking the insurance who pays what"),
    "settling": say("The insurance is settling your bill"),
    "voiding": say("Undoing the settlement"),
}


def looking() -> Question:
    return Question("bills_loading", say("Looking for your bills"), body=Waiting(say("Asking the hospital")))


def working(step: str) -> Question:
    return Question(
        f"bill_{step}",
        _DOING[step],
        (say("Please leave the card in the slot."),),
        Waiting(_DOING[step]),
    )


def nothing_to_pay() -> Question:
    return Question(
        "no_bills",
        say("You have nothing to pay here"),
        (say("This hospital has no open bill for you."),),
        answers=(understood(),),
        tone=Tone.DONE,
    )


def choose_bill(bills: Iterable[MedicalBill]) -> Question:
    answers = tuple(
        Answer(
            bill.bill_id,
            verbatim(bill.department),
            Role.ROW,  # a department's name is long, and beside it amount and day must stand whole
            icon="sheet",
            note=say("{amount} {day}", amount=Amount(bill.total_fen), day=Day(bill.visited_on)),
        )
        for bill in bills
    )
    return Question("choose_bill", say("Which bill do you want to pay?"), answers=(*answers, go_back()))


def confirm(bill: MedicalBill, quote: Split, means: Means) -> Question:
    rows = (
        Figure(say("You pay yourself"), Amount(quote.cash_fen), heading=True),  # first: always on the first page
        Figure(say("The bill in all"), Amount(bill.total_fen)),
        Figure(say("The insurance fund pays"), Amount(quote.fund_fen)),
        Figure(say("Your medical account pays"), Amount(Fen(quote.account_fen + quote.shared_account_fen))),
    )
    pay = say("Settle it")
    explain = say("Nothing is paid yet. Your card is in the slot.")
    if quote.cash_fen:
        pay = label_of(means.working[0]) if len(means.working) == 1 else say("I agree")
    if quote.cash_fen % SMALLEST_NOTE_FEN and means.working == (CASH,):
        explain = say("Nothing is paid yet. Coins come from the counter.")
    return Question(
        "confirm_quote",
        say("Do you agree?"),
        (explain, *why_not(means)),
        Figures(rows, secret=False),
        (Answer("pay", pay, Role.MAIN), go_back()),
    )


def feed_notes(due: Fen, purse: Purse, accepted: Iterable[Fen]) -> Question:
    """``accepted``: the notes whose change could be paid (money-rules 13)."""
    missing = Fen(max(0, due - purse.inside_fen))
    notes = " ".join(str(note // 100) for note in accepted)
    inside = say("{amount} of yours are inside.", amount=Amount(purse.inside_fen))
    stay = say("Leave the card in the slot. Change comes at the end.")
    return Question(
        "feed_notes",
        say("Put in notes: {amount} to go", amount=Amount(missing)),
        (inside if purse.inside_fen else stay, say("Notes taken: {notes} yuan", notes=notes)),
        Hands((Place.NOTE_SLOT,), money_inside=bool(purse.inside_fen)),
        (Answer("stop", say("Stop, give my money back"), Role.BACK),),
        Tone.HANDS,
    )


def notes_coming(amount: Fen) -> Question:
    explain = [say("You get {amount} back.", amount=Amount(amount))]
    if amount % SMALLEST_NOTE_FEN:
        explain.append(say("What notes cannot pay stands on your receipt."))
    return Question(
        "notes_coming",
        say("Take your notes from the outlet"),
        tuple(explain),
        Hands((Place.NOTE_OUTLET,), taking=True),
        tone=Tone.HANDS,
    )


def card_out() -> Question:
    return Question(
        "card_out_while_paying",
        say("Your card is out and the payment is not finished"),
        (say("Your money in the machine is safe."), say("Put the same card back.")),
        Hands((Place.CARD_SLOT,), money_inside=True),
        tone=Tone.HANDS,
    )


def figures_changed(old: Split, new: Split) -> Question:
    return Question(
        "figures_changed",
        say("The figures have changed"),
        (say("You pay {new} instead of {old}.", new=Amount(new.cash_fen), old=Amount(old.cash_fen)),),
        answers=(Answer("accept", say("I agree"), Role.MAIN), Answer("refuse", say("Undo it"), Role.BACK)),
        tone=Tone.CAUTION,
    )


def settled(kiosk: Kiosk, settlement: Settlement, back: MoneyBack, printed: bool) -> Question:
    paid = say("You pay nothing yourself.")
    if settlement.split.cash_fen:
        paid = say("You paid {paid}.", paid=Amount(settlement.split.cash_fen))
    return Question(
        "bill_settled",
        say("Your bill is settled. Take your receipt.") if printed else say("Your bill is settled"),
        told([] if back.paid_fen else [paid], back, printed=printed),
        Hands((Place.RECEIPT_OUTLET,), taking=True) if printed else Plain(),
        (understood(),),
        Tone.DONE,
        case_code=number_to_tell(back, kiosk.visit.case_code, printed),
    )


def outcome_pending(kiosk: Kiosk, held: Fen, at_bank: Fen, printed: bool) -> Question:
    explain = [say("It is not known yet whether it went through. Do not pay again.")]
    if at_bank:
        explain.append(say("If the bank took {amount}, it gives them back.", amount=Amount(at_bank)))
    if held or not at_bank:
        explain.append(say("{amount} of yours are kept safe under your card.", amount=Amount(held)))
    explain.append(say("Ask with the code on your receipt.") if printed else say("Write down the number below."))
    return Question(
        "outcome_pending",
        say("The bank has not answered yet") if at_bank else say("The insurance has not answered yet"),
        tuple(explain),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=kiosk.visit.case_code,
    )
