"""Pages and paper of a loss report: what is in force and what not yet, and which side of the card."""

from datetime import datetime

from kiosk.domain.identity import mask_number
from kiosk.domain.loss import LossReport
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.text import Day, Grouped, Text, say
from kiosk.ports import (
    Answer,
    Figure,
    Figures,
    Hands,
    HostRefused,
    Kiosk,
    Number,
    Place,
    Plain,
    Question,
    Role,
    Tone,
    Waiting,
)
from kiosk.services.notices import go_back, understood

NUMBER_DIGITS, NUMBER_DIGITS_MIN = 18, 17  # the last character may be an X, which no keypad has
REPORT, WITHDRAW, TAKE_BACK = "report", "withdraw", "take_back"
STAYS_IN_FORCE = say("The social security side stays in force.")
BANK_SIDE = say("The bank side is not reported. Call the bank, too.")
BOTH_SIDES = say("The bank side is reported with it.")


def type_number(*, again: bool) -> Question:
    """The holder's own personal number, by the keypad: a card that is gone cannot say whose it is."""
    explain = (
        say("Type the 18 digits of your personal number."),
        say("If it ends with X, leave the X out."),
    )
    return Question(
        "loss_number",
        say("This number is not complete") if again else say("Whose card is lost?"),
        explain,
        Number(NUMBER_DIGITS, NUMBER_DIGITS_MIN),
        (Answer("given", say("Go on"), Role.MAIN), go_back()),
        Tone.CAUTION if again else Tone.NEUTRAL,
    )


def confirm(number: str) -> Question:
    """``number``: of the person, or of the card in the slot; shown so that it can be told and not be copied."""
    rows = (
        Figure(say("Number"), mask_number(number)),
        Figure(say("In force"), say("at once, for some days")),
        Figure(say("To lift it"), say("insert the card again, with its PIN")),
    )
    return Question(
        "loss_confirm",
        say("Report the card as lost now?"),
        (say("Nobody can use its social security side then."),),
        Figures(rows, secret=False),
        (Answer(REPORT, say("Report it"), Role.MAIN), go_back()),
    )


def reporting() -> Question:
    return Question("loss_reporting", say("Reporting the card"), body=Waiting(say("Telling the card office")))


def in_force(report: LossReport, printed: bool) -> Question:
    explain = [say("The social security side cannot be used any more.")]
    if report.ends_on is not None:
        explain.append(say("This report ends by itself on {day}. Go to the counter before.", day=Day(report.ends_on)))
    explain.append(BOTH_SIDES if report.covers_bank else BANK_SIDE)
    return Question(
        "loss_in_force",
        say("The card is reported as lost"),
        tuple(explain),
        Hands((Place.RECEIPT_OUTLET,)) if printed else Plain(),
        (understood(),),
        Tone.DONE,
    )


def queued(kiosk: Kiosk, printed: bool) -> Question:
    """Never "reported": until the line is back anybody may use the card."""
    return Question(
        "loss_queued",
        say("Your report is kept. It is not in force yet."),
        (
            say("This machine reports it when the line is back."),
            say("Call {number} now: there it is in force at once.", number=kiosk.settings.loss.telephone),
            BANK_SIDE,
        ),
        Hands((Place.RECEIPT_OUTLET,)) if printed else Plain(),
        (understood(),),
        Tone.CAUTION,
        case_code=kiosk.visit.case_code,
    )


def queued_before() -> Question:
    """Of the card in the slot, or of another one of its holder's."""
    return Question(
        "loss_queued_before",
        say("You reported your card as lost here"),
        (
            say("The line was down. The report is not in force yet."),
            say("If you have the card again, you can take it back."),
        ),
        answers=(Answer(TAKE_BACK, say("Take the report back"), Role.MAIN), go_back()),
        tone=Tone.CAUTION,
    )


def taken_back(printed: bool) -> Question:
    return Question(
        "loss_taken_back",
        say("The report is taken back"),
        (STAYS_IN_FORCE, say("If you told the bank, tell the bank again.")),
        Hands((Place.RECEIPT_OUTLET,)) if printed else Plain(),
        (understood(),),
        Tone.DONE,
    )


def not_taken(kiosk: Kiosk) -> Question:
    """This machine may not keep it, and nobody answered: the telephone is the next step."""
    return Question(
        "loss_not_taken",
        say("Nobody has confirmed the report"),
        (
            say("The line to the office is down now."),
            say("Call {number} now: there it is in force at once.", number=kiosk.settings.loss.telephone),
            say("Or go to the counter."),
        ),
        answers=(understood(),),
        tone=Tone.STOP,
        case_code=kiosk.visit.case_code,
    )


def refused(kiosk: Kiosk, refusal: HostRefused) -> Question:
    why = {
        "no_such_card": say("No card was found under this number."),
        "nothing_to_report": say("The card cannot be used already."),
    }.get(refusal.code, say("The counter can tell you why."))
    return Question(
        "loss_refused",
        say("The card is not reported"),
        (why, say("Call {number}, or go to the counter.", number=kiosk.settings.loss.telephone)),
        answers=(understood(),),
        tone=Tone.STOP,
        case_code=kiosk.visit.case_code,
    )


def found_again() -> Question:
    """Of a card that is in the slot and temporarily reported. Whoever found it is accused of nothing."""
    return Question(
        "loss_found",
        say("This card cannot be used here"),
        (
            say("Did you report it, and find it again?"),
            say("Then lift the report with your social security PIN."),
            say("If not, please take it to the counter."),
        ),
        answers=(
            Answer(WITHDRAW, say("Lift the report"), Role.MAIN),
            Answer("back", say("Finish, take my card"), Role.BACK),
        ),
        tone=Tone.CAUTION,
    )


def withdrawing() -> Question:
    return Question("loss_withdrawing", say("Lifting the report"), body=Waiting(say("Telling the card office")))


def withdrawn() -> Question:
    return Question(
        "loss_withdrawn",
        say("The report is lifted"),
        (
            say("The social security side can be used again."),
            say("If you told the bank, tell the bank again."),
            say("Take the card out and insert it again to go on."),
        ),
        answers=(understood(),),
        tone=Tone.DONE,
    )


def withdrawal_silent(kiosk: Kiosk) -> Question:
    return Question(
        "loss_withdrawal_silent",
        say("The office computer does not answer"),
        (
            say("It may or may not have lifted the report."),
            say("Insert the card again later: this page tells you."),
        ),
        answers=(understood(),),
        tone=Tone.CAUTION,
        case_code=kiosk.visit.case_code,
    )


def withdrawal_refused(kiosk: Kiosk) -> Question:
    return Question(
        "loss_withdrawal_refused",
        say("This report is for the counter to lift"),
        (say("Take the card and your papers there."),),
        answers=(understood(),),
        tone=Tone.STOP,
        case_code=kiosk.visit.case_code,
    )


def paper(kiosk: Kiosk, number: str, report: LossReport | None, at: datetime, qr: str) -> Receipt:
    """``report`` None: kept here, and not in force yet."""
    title = say("Loss report: in force") if report else say("Loss report: not in force yet")
    return _paper(kiosk, title, number, at, _what_stands(report) if report else _what_waits(kiosk), qr)


def paper_taken_back(kiosk: Kiosk, number: str, at: datetime, qr: str) -> Receipt:
    return _paper(kiosk, say("Loss report: taken back"), number, at, [STAYS_IN_FORCE], qr)


def _paper(kiosk: Kiosk, title: Text, number: str, at: datetime, what: list[Text], qr: str) -> Receipt:
    terminal = kiosk.settings.terminal
    lines = [
        say("Number: {number}", number=mask_number(number)),
        say("Terminal {terminal}, number {code}", terminal=terminal.terminal_id, code=Grouped(kiosk.visit.case_code)),
        say("{day} {time}", day=Day(at.date()), time=f"{at:%H:%M}"),
        *what,
    ]
    return Receipt((ReceiptLine(title, LineStyle.BOLD), *(ReceiptLine(line) for line in lines)), qr=qr)


def _what_stands(report: LossReport) -> list[Text]:
    ends = [say("It ends by itself on {day}.", day=Day(report.ends_on))] if report.ends_on else []
    return [*ends, BOTH_SIDES if report.covers_bank else BANK_SIDE]


def _what_waits(kiosk: Kiosk) -> list[Text]:
    call = say("Call {number} now: there it is in force at once.", number=kiosk.settings.loss.telephone)
    found = say("If you find the card before: take this back here, with the card and its PIN.")
    return [say("This machine reports it when the line is back."), call, found, BANK_SIDE]
