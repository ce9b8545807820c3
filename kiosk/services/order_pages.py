"""Pages of an order to settle a bill when the line is back. Nothing here is ever called settled or paid."""

from collections.abc import Iterable

from kiosk.domain.money import Fen
from kiosk.domain.settlement import MedicalBill
from kiosk.domain.text import Amount, say
from kiosk.money.means import ACCOUNT, CASH
from kiosk.money.purse import Purse
from kiosk.money.settlement_orders import SettlementOrder
from kiosk.ports import Answer, Figure, Figures, Hands, Kiosk, Place, Plain, Question, Role, Tiles, Tone
from kiosk.services.notices import go_back, understood

ENOUGH, TAKE_BACK = "enough", "take_back"


def offer() -> Question:
    return Question(
        "order_offered",
        say("The line to the insurance is down now"),
        (
            say("Your bill cannot be settled now. Nothing was paid."),
            say("You can leave it here: it is settled when the line is back."),
        ),
        answers=(Answer("leave", say("Leave the bill here"), Role.MAIN), go_back()),
        tone=Tone.CAUTION,
    )


def already_left(order: SettlementOrder, *, can_take_back: bool) -> Question:
    take_back = (Answer(TAKE_BACK, say("Take the bill back"), Role.SECOND),) if can_take_back else ()
    return Question(
        "order_already_left",
        say("You have already left a bill here"),
        (
            say("It waits for the line, and is not settled yet."),
            say("Come again later with this card: the result is printed here."),
        ),
        answers=(understood(), *take_back),
        case_code=order.case_code,
    )


def confirm_taking_back(order: SettlementOrder) -> Question:
    held = say("Your {amount} stay yours: get them here or at the hospital counter.", amount=Amount(order.held_fen))
    return Question(
        "order_take_back",
        say("Take this bill back?"),
        (say("Then it is not settled here. Pay it at the counter."), *((held,) if order.held_fen else ())),
        answers=(Answer(TAKE_BACK, say("Take the bill back"), Role.MAIN), go_back()),
        tone=Tone.CAUTION,
    )


def taken_back(order: SettlementOrder, printed: bool) -> Question:
    explain = [say("Nothing was taken for it. Pay it at the counter.")]
    if order.held_fen:
        explain.append(say("{amount} are kept for you.", amount=Amount(order.held_fen)))
    if not printed:
        explain.append(say("The receipt is kept for you. Print it later with your card."))
    return Question(
        "order_taken_back",
        say("The bill is taken back"),
        tuple(explain),
        Hands((Place.RECEIPT_OUTLET,), taking=True) if printed else Plain(),
        (understood(),),
        Tone.DONE,
        case_code="" if printed else order.case_code,
    )


def too_late(order: SettlementOrder) -> Question:
    """The line came back in the same moment, and the other process had begun."""
    return Question(
        "order_too_late",
        say("Your bill is being settled right now"),
        (
            say("It cannot be taken back any more. Do not pay it elsewhere."),
            say("Come again later with this card: the result is printed here."),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=order.case_code,
    )


def choose_means(bill: MedicalBill) -> Question:
    return Question(
        "choose_order_means",
        say("What shall pay your part?"),
        (
            say("The bill in all: {amount}.", amount=Amount(bill.total_fen)),
            say("What your part is, is known only when the line is back."),
        ),
        Tiles(),
        (
            Answer(ACCOUNT, say("My account alone"), icon="account"),
            Answer(CASH, say("Account and notes"), icon="note"),
            go_back(),
        ),
    )


def confirm_account(bill: MedicalBill, most: Fen) -> Question:
    rows = (
        Figure(say("Your medical account pays at most"), Amount(most), heading=True),
        Figure(say("The bill in all"), Amount(bill.total_fen)),
    )
    return Question(
        "confirm_order",
        say("Leave this bill to be settled later?"),
        (say("Nothing is paid now. If your part is more, nothing is taken."),),
        Figures(rows, secret=False),
        (Answer("leave", say("I agree"), Role.MAIN), go_back()),
    )


def confirm_cash(bill: MedicalBill, most: Fen) -> Question:
    rows = (
        Figure(say("You can put in at most"), Amount(most), heading=True),
        Figure(say("The bill in all"), Amount(bill.total_fen)),
    )
    return Question(
        "confirm_order",
        say("Leave notes for this bill?"),
        (
            say("Your medical account pays first, then your notes."),
            say("What is not needed stays yours."),
        ),
        Figures(rows, secret=False),
        (Answer("leave", say("Put in notes"), Role.MAIN), go_back()),
    )


def feed_notes(due: Fen, purse: Purse, accepted: Iterable[Fen]) -> Question:
    """As for a bill, but how much is enough the holder says."""
    notes = " ".join(str(note // 100) for note in accepted)
    inside = say("{amount} of yours are inside.", amount=Amount(purse.inside_fen))
    enough = (Answer(ENOUGH, say("That is enough"), Role.MAIN),) if purse.inside_fen else ()
    return Question(
        "feed_order_notes",
        say("Put in notes, up to {amount}", amount=Amount(due)),
        (
            inside if purse.inside_fen else say("Leave the card in the slot."),
            say("Notes taken: {notes} yuan", notes=notes),
        ),
        Hands((Place.NOTE_SLOT,), money_inside=bool(purse.inside_fen)),
        (*enough, Answer("stop", say("Stop, give my money back"), Role.BACK)),
        Tone.HANDS,
    )


def left(kiosk: Kiosk, held: Fen, printed: bool) -> Question:
    explain = [say("It is settled when the line is back. Do not pay it elsewhere.")]
    if held:
        explain.append(say("{amount} are kept for you.", amount=Amount(held)))
    if not printed:
        explain.append(say("The receipt is kept for you. Print it later with your card."))
    return Question(
        "order_left",
        say("Received, not settled yet"),
        tuple(explain),
        Hands((Place.RECEIPT_OUTLET,), taking=True) if printed else Plain(),
        (understood(),),
        Tone.NEUTRAL,
        case_code="" if printed else kiosk.visit.case_code,  # the paper carries it
    )
