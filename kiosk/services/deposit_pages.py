"""Pages of an inpatient deposit (住院预交金). Where card and money are comes first."""

from collections.abc import Iterable

from kiosk.domain.money import Fen
from kiosk.domain.settlement import Admission
from kiosk.domain.text import Amount, Day, say, verbatim
from kiosk.money.purse import Purse
from kiosk.ports import Answer, Figure, Figures, Hands, Number, Place, Plain, Question, Role, Tiles, Tone, Waiting
from kiosk.services.money_back import MoneyBack, number_to_tell, told
from kiosk.services.notices import go_back, understood

OTHER = "other"
ENOUGH = "enough"
YUAN_DIGITS_MAX = 5


def looking() -> Question:
    return Question("deposit_loading", say("Looking for your hospital stay"), body=Waiting(say("Asking the hospital")))


def crediting() -> Question:
    return Question(
        "deposit_crediting",
        say("The hospital is crediting your deposit"),
        (say("Please leave the card in the slot."),),
        Waiting(say("The hospital is crediting your deposit")),
    )


def looking_for_means() -> Question:
    looking = say("Looking how you can pay here")
    return Question("deposit_means", looking, (say("Please leave the card in the slot."),), Waiting(looking))


def no_stay() -> Question:
    return Question(
        "no_stay",
        say("You are not staying in this hospital now"),
        (say("Deposits are for inpatients only."), say("If you were just admitted, ask the admission desk.")),
        answers=(understood(),),
    )


def choose_amount(stay: Admission, offered: Iterable[Fen]) -> Question:
    tiles = tuple(Answer(str(one), say("{yuan} yuan", yuan=one // 100), icon="note") for one in offered)
    other = Answer(OTHER, say("Another amount"), icon="keypad")
    return Question(
        "choose_deposit",
        say("How much do you want to pay in?"),
        (say("Paid in so far: {amount}", amount=Amount(stay.deposited_fen)),),
        Tiles(),
        (*tiles, other, go_back()),
    )


def type_amount(least: Fen, most: Fen, *, again: bool = False) -> Question:
    """``again``: another amount was typed that cannot be paid in. One line, so that the digits keep their room."""
    limits = {"least": Amount(least), "most": Amount(most)}
    return Question(
        "type_deposit",
        say("How many yuan?"),
        (say("Only from {least} to {most}.", **limits) if again else say("From {least} to {most}.", **limits),),
        Number(YUAN_DIGITS_MAX),
        (Answer("given", say("Go on"), Role.MAIN), go_back()),
        Tone.CAUTION if again else Tone.NEUTRAL,
    )


def confirm(stay: Admission, amount: Fen) -> Question:
    rows = (
        Figure(say("You pay in"), Amount(amount), heading=True),  # first: always on the first page
        Figure(say("Department"), verbatim(stay.department)),
        Figure(say("Hospital stay"), stay.number),
        Figure(say("Admitted"), Day(stay.admitted_on)),
    )
    return Question(
        "confirm_deposit",
        say("Is this your stay?"),
        (say("Nothing is paid yet."),),
        Figures(rows, secret=False),
        (Answer("pay", say("Go on"), Role.MAIN), go_back()),
    )


def feed_notes(due: Fen, purse: Purse, accepted: tuple[Fen, ...], least: Fen) -> Question:
    """``least``: from here on the resident may stop feeding and pay in what is inside."""
    stop = Answer("stop", say("Stop, give my money back"), Role.BACK)
    enough = Answer(ENOUGH, say("Pay in what is inside"), Role.MAIN)
    inside = say("{amount} of yours are inside.", amount=Amount(purse.inside_fen))
    stay = say("Leave the card in the slot.")
    taken = say("Notes taken: {notes} yuan", notes=" ".join(str(note // 100) for note in accepted))
    return Question(
        "feed_deposit",
        say("Put in notes: {amount} to go", amount=Amount(Fen(max(0, due - purse.inside_fen)))),
        (inside if purse.inside_fen else stay, taken),
        Hands((Place.NOTE_SLOT,)),
        (stop, enough) if purse.inside_fen >= least else (stop,),
        Tone.HANDS,
    )


def no_more_notes(purse: Purse) -> Question:
    """Neither the machine nor the rules take another one, and the amount is not complete."""
    return Question(
        "deposit_no_more_notes",
        say("No more notes can be taken"),
        (say("{amount} of yours are inside.", amount=Amount(purse.inside_fen)),),
        answers=(
            Answer(ENOUGH, say("Pay in what is inside"), Role.MAIN),
            Answer("stop", say("Stop, give my money back"), Role.BACK),
        ),
        tone=Tone.CAUTION,
    )


def credited(code: str, amount: Fen, back: MoneyBack, printed: bool) -> Question:
    return Question(
        "deposit_credited",
        say("Your deposit is credited. Take your receipt.") if printed else say("Your deposit is credited"),
        told([say("You paid in {amount}.", amount=Amount(amount))], back, printed=printed),
        Hands((Place.RECEIPT_OUTLET,), taking=True) if printed else Plain(),
        (understood(),),
        Tone.DONE,
        case_code=number_to_tell(back, code, printed),
    )


def not_credited_yet(code: str, held: Fen, printed: bool) -> Question:
    kept = say("The receipt is kept for you. Print it later with your card.")
    return Question(
        "deposit_pending",
        say("The hospital has not answered yet"),
        (
            say("We have your {amount}. Do not pay again.", amount=Amount(held)),
            say("The terminal goes on asking by itself."),
            say("Take your receipt. It carries this number.") if printed else kept,
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=code,
    )


def bank_silent(code: str, at_bank: Fen, printed: bool) -> Question:
    kept = say("The receipt is kept for you. Print it later with your card.")
    return Question(
        "deposit_bank_silent",
        say("The bank has not answered yet"),
        (
            say("Nothing was paid in."),
            say("If the bank took {amount}, it gives them back.", amount=Amount(at_bank)),
            say("Take your receipt. It carries this number.") if printed else kept,
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=code,
    )
