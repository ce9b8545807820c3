"""Pages of contributions. What is received and what is credited is said apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kiosk.domain.contribution import ContributionKind, PayableContribution
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.contributions import Contributing
from kiosk.money.purse import Purse
from kiosk.ports import Answer, Figure, Figures, Hands, HostRefused, Place, Plain, Question, Role, Tiles, Tone, Waiting
from kiosk.services.money_back import MoneyBack, number_to_tell, told
from kiosk.services.notices import go_back, understood

KIND_NAMES = {
    ContributionKind.RESIDENT_PENSION: say("Resident pension"),
    ContributionKind.RESIDENT_MEDICAL: say("Resident medical"),
}
_ICONS = {ContributionKind.RESIDENT_PENSION: "account", ContributionKind.RESIDENT_MEDICAL: "certificate"}


@dataclass(frozen=True)
class Paid:
    """How it ended: what was paid, what came back, whether the paper is out."""

    amount_fen: Fen
    back: MoneyBack
    printed: bool
    code: str


def looking() -> Question:
    return Question(
        "contribution_loading",
        say("Looking what you can pay"),
        body=Waiting(say("Asking the social insurance office")),
    )


def nothing_to_pay(payable: Sequence[PayableContribution]) -> Question:
    explain: tuple[Text, ...] = (
        say("Your employer or pension fund pays for you."),
        say("The counter can tell you more."),
    )
    if any(one.received for one in payable):
        explain = (say("Contribution received, not credited yet"), say("It is credited when the line is back."))
    elif payable:
        explain = (say("This year and the last one are paid."),)
    return Question("contribution_none", say("There is nothing to pay"), explain, answers=(understood(),))


def choose(payable: Iterable[PayableContribution]) -> Question:
    """One tile for each insurance and year; what is paid says so and cannot be paid again."""
    tiles = tuple(
        Answer(
            _value(one),
            say("{insurance} {year}", insurance=KIND_NAMES[one.kind], year=str(one.year)),
            icon=_ICONS[one.kind],
            unavailable=_why_not(one),
        )
        for one in payable
    )
    return Question("choose_contribution", say("What do you want to pay?"), (), Tiles(), (*tiles, go_back()))


def _why_not(one: PayableContribution) -> Text | None:
    if one.paid:
        return say("Already paid")
    return say("Received, not credited yet") if one.received else None


def chosen(payable: Iterable[PayableContribution], value: str) -> PayableContribution:
    return next(one for one in payable if _value(one) == value)


def _value(one: PayableContribution) -> str:
    return f"{one.kind.value}-{one.year}"


def choose_grade(one: PayableContribution) -> Question:
    tiles = tuple(Answer(str(grade), say("{yuan} yuan", yuan=grade // 100), icon="note") for grade in one.grades_fen)
    return Question(
        "choose_grade",
        say("How much for the year {year}?", year=str(one.year)),
        (say("More paid now, more pension later."),),
        Tiles(),
        (*tiles, go_back()),
    )


def confirm(contributing: Contributing, *, offline: bool) -> Question:
    """Offline it says before the first note that the money is only received."""
    rows = (
        Figure(say("You pay"), Amount(contributing.amount_fen), heading=True),
        Figure(say("Kind of insurance"), KIND_NAMES[contributing.kind]),
        Figure(say("Year"), str(contributing.year)),
    )
    return Question(
        "confirm_contribution",
        say("The line is down. Pay here all the same?") if offline else say("Is this right?"),
        (
            (say("The money is received now, and credited when the line is back."), say("Nothing is paid yet."))
            if offline
            else (say("Nothing is paid yet."),)
        ),
        Figures(rows, secret=False),
        (Answer("pay", say("Go on"), Role.MAIN), go_back()),
        Tone.CAUTION if offline else Tone.NEUTRAL,
    )


def feed_notes(due: Fen, purse: Purse, accepted: tuple[Fen, ...]) -> Question:
    inside = say("{amount} of yours are inside.", amount=Amount(purse.inside_fen))
    stay = say("Leave the card in the slot.")
    taken = say("Notes taken: {notes} yuan", notes=" ".join(str(note // 100) for note in accepted))
    return Question(
        "feed_contribution",
        say("Put in notes: {amount} to go", amount=Amount(Fen(max(0, due - purse.inside_fen)))),
        (inside if purse.inside_fen else stay, taken),
        Hands((Place.NOTE_SLOT,)),
        (Answer("stop", say("Stop, give my money back"), Role.BACK),),
        Tone.HANDS,
    )


def crediting() -> Question:
    return Question(
        "contribution_crediting",
        say("The office is crediting your contribution"),
        (say("Please leave the card in the slot."),),
        Waiting(say("Telling the social insurance office")),
    )


def credited(paid: Paid) -> Question:
    return _ended(
        "contribution_credited",
        say("Your contribution is credited. Take your receipt.")
        if paid.printed
        else say("Your contribution is credited"),
        (say("You paid {amount}.", amount=Amount(paid.amount_fen)),),
        paid,
        Tone.DONE,
    )


def received(paid: Paid) -> Question:
    """Never "credited": the office has not said so."""
    explain = (
        say("We have your {amount}. Do not pay again.", amount=Amount(paid.amount_fen)),
        say("It is credited when the line is back."),
    )
    return _ended("contribution_received", say("Received, not credited yet"), explain, paid, Tone.CAUTION)


def not_credited(refusal: HostRefused, paid: Paid) -> Question:
    """Refused after the notes were in: they are the resident's again."""
    why = {
        "already_paid": say("This year was paid elsewhere in the meantime."),
        "amount_differs": say("The amounts have changed in the meantime."),
        "year_closed": say("This year cannot be paid any more."),
    }.get(refusal.code, say("The counter can tell you why."))
    back = paid.back.paid_fen
    came = (say("Your {amount} came back. Take the notes.", amount=Amount(back)),) if back else ()
    return _ended(
        "contribution_refused", say("The office did not take your contribution"), (why, *came), paid, Tone.STOP
    )


def _ended(name: str, heading: Text, explain: tuple[Text, ...], paid: Paid, tone: Tone) -> Question:
    return Question(
        name,
        heading,
        told(explain, paid.back, printed=paid.printed, change=bool(paid.amount_fen)),
        Hands((Place.RECEIPT_OUTLET,), taking=True) if paid.printed else Plain(),
        (understood(),),
        tone,
        case_code=number_to_tell(paid.back, paid.code, paid.printed),
    )
