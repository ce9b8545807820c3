"""Pages of what a holder is owed: papers, and money that the hospital's register keeps for them."""

from collections.abc import Iterable

from kiosk.domain.money import Fen
from kiosk.domain.settlement import Debt, FoundDebts, HeldReceipt
from kiosk.domain.text import Amount, Day, say
from kiosk.money.debt_payout import Payout
from kiosk.money.receipts_owed import OwedReceipt
from kiosk.ports import Answer, Figure, Figures, Hands, Place, Plain, Question, Role, Tone, Waiting
from kiosk.services.notices import go_back, understood
from kiosk.services.receipt_papers import day_of, name_of

PAYING_ELSEWHERE = say("It is being paid out right now.")


# --- papers -----------------------------------------------------------------------------------------------------------


def no_papers() -> Question:
    return Question(
        "no_receipts",
        say("No receipt is waiting for you here"),
        (say("A receipt of another terminal is printed there."),),
        answers=(understood(),),
    )


def looking_for_papers() -> Question:
    return Question(
        "receipts_loading", say("Looking for receipts kept for you"), body=Waiting(say("Asking the hospital"))
    )


def choose_paper(owed: Iterable[OwedReceipt], held: Iterable[HeldReceipt] = ()) -> Question:
    """``held``: those of other terminals, by their keys."""
    here = [(str(one.paper), name_of(one), day_of(one)) for one in owed]
    there = [(one.key, say("Medical bill"), Day(one.settled_on)) for one in held]
    rows = tuple(
        Answer(value, name, Role.ROW, icon="receipt", note=say("{day}", day=day))
        for value, name, day in (*here, *there)
    )
    return Question(
        "choose_receipt",
        say("Which receipt shall be printed?"),
        (say("Your card stays in until you finish."),),
        answers=(*rows, go_back()),
    )


def printing() -> Question:
    return Question("receipt_printing", say("Your receipt is being printed"), body=Waiting(say("Printing")))


def printed(more: int) -> Question:
    explain = say("Another one is waiting for you.") if more else say("Nothing else is waiting for you.")
    return Question(
        "receipt_printed",
        say("Take your receipt"),
        (explain,),
        Hands((Place.RECEIPT_OUTLET,), taking=True),
        (understood(),),
        Tone.DONE,
    )


def not_printed(code: str) -> Question:
    return Question(
        "receipt_not_printed",
        say("It is not certain that the receipt came out"),
        (
            say("It is kept for you and can be printed again."),
            say("Look in the outlet first."),
            say("Your money is not touched by this."),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=code,
    )


# --- money ------------------------------------------------------------------------------------------------------------


def looking() -> Question:
    return Question("debts_loading", say("Looking for money kept for you"), body=Waiting(say("Asking the hospital")))


def no_debts() -> Question:
    return Question(
        "no_debts",
        say("No money is kept for this card"),
        (
            say("What was written down just now takes some minutes."),
            say("If your receipt says otherwise, ask at the hospital counter."),
        ),
        answers=(understood(),),
    )


def register_silent(code: str) -> Question:
    return Question(
        "register_silent",
        say("The hospital does not answer"),
        (
            say("Nothing was paid out. Your money stays yours."),
            say("Try again in a few minutes, or at the hospital counter."),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=code,
    )


def choose_debt(found: FoundDebts) -> Question:
    rows = tuple(
        Answer(
            debt.handle,
            say("{amount}", amount=Amount(debt.amount_fen)),
            Role.ROW,
            icon="note",
            note=say("Voucher {number}", number=debt.voucher_number),
            unavailable=PAYING_ELSEWHERE if debt.reserved_until else None,
        )
        for debt in found.debts
    )
    more = (say("One office did not answer: there may be more."),) if found.silent else ()
    return Question("choose_debt", say("Which amount do you want?"), more, answers=(*rows, go_back()))


def paying_elsewhere() -> Question:
    return Question(
        "debt_reserved",
        say("This money is being paid out at another place"),
        (
            say("It can be paid only once, so it is locked now."),
            say("If it was not you, ask at the hospital counter at once."),
        ),
        answers=(understood(),),
        tone=Tone.STOP,
    )


def changed() -> Question:
    return Question(
        "debt_changed",
        say("The amount has changed in the meantime"),
        (say("Nothing was paid out."), say("Go back and look at it again.")),
        answers=(understood(),),
        tone=Tone.CAUTION,
    )


def not_in_notes(debt: Debt) -> Question:
    return Question(
        "debt_not_in_notes",
        say("This machine cannot pay {amount} in notes now", amount=Amount(debt.amount_fen)),
        (say("It stays registered for you."), say("Get it with this card at the hospital counter.")),
        answers=(understood(),),
        tone=Tone.CAUTION,
    )


def confirm(debt: Debt, notes: Fen) -> Question:
    left = Fen(debt.amount_fen - notes)
    rows = [Figure(say("You get in notes"), Amount(notes), heading=True)]
    if left:
        rows.append(Figure(say("Stays registered for you"), Amount(left)))
    rows.append(Figure(say("Voucher"), debt.voucher_number))
    return Question(
        "confirm_payout",
        say("Pay this out to you now?"),
        (say("The notes come from the outlet."),),
        Figures(tuple(rows), secret=False),
        (Answer("pay", say("Pay it out"), Role.MAIN), go_back()),
    )


def paying(notes: Fen) -> Question:
    return Question(
        "debt_paying",
        say("Take your notes from the outlet"),
        (say("You get {amount}.", amount=Amount(notes)),),
        Hands((Place.NOTE_OUTLET,), taking=True),
        tone=Tone.HANDS,
    )


def paid(code: str, payout: Payout, printed: bool) -> Question:
    kept = say("The receipt is kept for you. Print it later with your card.")
    explain = [say("You got {amount}.", amount=Amount(payout.paid_fen))]
    if payout.left_fen:
        explain.append(say("{amount} stays registered for you.", amount=Amount(payout.left_fen)))
    explain += [] if printed else [kept]
    return Question(
        "debt_paid",
        say("Take your notes and your receipt") if printed else say("Take your notes"),
        tuple(explain),
        Hands((Place.NOTE_OUTLET, Place.RECEIPT_OUTLET) if printed else (Place.NOTE_OUTLET,), taking=True),
        (understood(),),
        Tone.DONE,
        case_code="" if printed else code,
    )


def uncertain(code: str, payout: Payout, printed: bool) -> Question:
    kept = say("The receipt is kept for you. Print it later with your card.")
    return Question(
        "payout_uncertain",
        say("It is not certain how many notes came out"),
        (
            say("{amount} is being checked. Look in the outlet.", amount=Amount(payout.under_check_fen)),
            say("A person will look at it. Call with the number below."),
            say("Take your receipt. It carries this number.") if printed else kept,
        ),
        Plain(),
        (understood(),),
        Tone.CAUTION,
        case_code=code,
    )


def nothing_came(code: str) -> Question:
    return Question(
        "payout_failed",
        say("No notes came out"),
        (
            say("The money stays registered for you."),
            say("Try again later, or get it at the hospital counter."),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=code,
    )
