"""Check balances: five insurances, personal account, contributions, benefits.

Without network the chip's own record is shown, marked with its date: old, but better than a closed door.
"""

from collections import defaultdict

from kiosk.domain.account import AccountOverview, Contribution, Insurance, InsuranceState
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Day, Month, Text, say, verbatim
from kiosk.ports import (
    Answer,
    Back,
    Figure,
    Figures,
    HostRefused,
    Kiosk,
    Outcome,
    OutcomeUnknown,
    Question,
    Role,
    Tiles,
    Tone,
    Waiting,
)
from kiosk.services.notices import go_back, host_said_no, understood
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad")

INSURANCE_NAMES = {
    Insurance.PENSION: say("Pension"),
    Insurance.MEDICAL: say("Medical"),
    Insurance.UNEMPLOYMENT: say("Unemployment"),
    Insurance.INJURY: say("Work injury"),
    Insurance.MATERNITY: say("Maternity"),
}
STATE_NAMES = {
    InsuranceState.IN_FORCE: say("in force"),
    InsuranceState.PAUSED: say("paused"),
    InsuranceState.ENDED: say("ended"),
    InsuranceState.RECEIVING: say("being paid to you"),
    InsuranceState.NOT_INSURED: say("not insured"),
    InsuranceState.UNKNOWN: say("ask the counter"),
}


async def query_account(kiosk: Kiosk) -> Outcome:
    rules = kiosk.settings.pin
    # Who is asking?
    ended = await verified_pin(
        kiosk, initial_permitted=rules.initial_permits_query, unset_permitted=rules.unset_permits_query
    )
    if ended:
        return ended

    # What does the agency say? Reading changes nothing, so no answer simply means the chip's record.
    asking = Question(
        "overview_loading", say("Looking up your account"), body=Waiting(say("Asking the social insurance office"))
    )
    visit = kiosk.visit
    try:
        overview = await kiosk.wait(asking, lambda: kiosk.social_insurance.overview(visit.identity, visit.holder))
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await _show_chip_record(kiosk)

    # Show one part after another until the resident has seen enough.
    while True:
        try:
            part = await kiosk.ask(_overview_question(overview))
        except Back:
            return Outcome.DONE
        try:
            await kiosk.ask(_PARTS[part](overview))
        except Back:
            continue


def _overview_question(overview: AccountOverview) -> Question:
    answers = (
        Answer("insurances", say("My insurances"), icon="list"),
        Answer("account", say("Personal account"), icon="account"),
        Answer("contributions", say("Contributions"), icon="calendar"),
        Answer(
            "benefits",
            say("Benefits received"),
            icon="note",
            unavailable=None if overview.benefits else say("No benefits have been paid to you so far."),
        ),
        go_back(),
    )
    return Question("overview", say("What would you like to see?"), body=Tiles(), answers=answers)


def _figures(name: str, heading: Text, rows: list[Figure], explain: tuple[Text, ...] = ()) -> Question:
    return Question(name, heading, explain, Figures(tuple(rows)), (go_back(),))


def _insurances(overview: AccountOverview) -> Question:
    rows = [
        Figure(
            INSURANCE_NAMES[status.insurance],
            STATE_NAMES[status.state],
            say("{months} months paid", months=status.contributed_months),
        )
        for status in overview.insurances
    ]
    return Question("figures_insurances", say("Your insurances"), (), Figures(tuple(rows), secret=False), (go_back(),))


def _account(overview: AccountOverview) -> Question:
    account = overview.account
    total = Fen(account.medical_fen + account.pension_fen)
    rows = [
        Figure(say("Medical account"), Amount(account.medical_fen)),
        Figure(say("Pension account"), Amount(account.pension_fen)),
        Figure(say("Together"), Amount(total), heading=True),
    ]
    return _figures(
        "figures_account", say("Your personal account"), rows, (say("As of {day}.", day=Day(account.as_of)),)
    )


def _contributions(overview: AccountOverview) -> Question:
    months: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in overview.contributions:
        months[contribution.month].append(contribution)
    rows = [_month_row(month, months[month]) for month in sorted(months, reverse=True)]
    own = Fen(sum(one.personal_fen for one in overview.contributions if one.arrived))
    employer = Fen(sum(one.employer_fen for one in overview.contributions if one.arrived))
    totals = [
        Figure(say("You paid in all"), Amount(own), heading=True),
        Figure(say("Your employer paid in all"), Amount(employer), heading=True),
    ]
    return _figures("figures_contributions", say("Contributions, newest month first"), totals + rows)


def _month_row(month: str, parts: list[Contribution]) -> Figure:
    own = Fen(sum(part.personal_fen for part in parts if part.arrived))
    missing = [part for part in parts if not part.arrived]
    note = (
        say("not yet arrived: {insurance}", insurance=INSURANCE_NAMES[missing[0].insurance])
        if missing
        else say("pay base {base}", base=Amount(max(part.base_fen for part in parts)))
    )
    return Figure(say("{month}", month=Month(month)), Amount(own), note)


def _benefits(overview: AccountOverview) -> Question:
    rows = [
        Figure(
            verbatim(payment.kind),
            Amount(payment.amount_fen),
            say("{day}, to account ending {tail}", day=Day(payment.paid_on), tail=payment.account_tail),
        )
        for payment in overview.benefits
    ]
    total = Fen(sum(payment.amount_fen for payment in overview.benefits))
    rows.append(Figure(say("Together"), Amount(total), heading=True))  # people look for the newest: that is first
    return _figures("figures_benefits", say("Benefits paid to you, newest first"), rows)


_PARTS = {
    "insurances": _insurances,
    "account": _account,
    "contributions": _contributions,
    "benefits": _benefits,
}


async def _show_chip_record(kiosk: Kiosk) -> Outcome:
    record = await kiosk.card_reader.read_chip_record()
    kiosk.journal.record("account_from_chip", kiosk.visit.case_code)
    rows = []
    if record.contributed_months is not None:
        rows.append(Figure(say("Months paid"), record.contributed_months))
    if record.personal_account_fen is not None:
        rows.append(Figure(say("Medical account"), Amount(Fen(record.personal_account_fen))))
    when = say("As of {day}.", day=Day(record.as_of)) if record.as_of else say("The card does not say from when.")
    if rows:
        heading = say("No network: this is what your card remembers")
        explain = (when, say("It may be old. Ask again when the network is back."))
    else:
        heading = say("No network, and your card holds no record")
        explain = (say("Your card is safe."), say("Try again in a few minutes, or at the counter."))
    await kiosk.ask(
        Question(
            "figures_chip",
            heading,
            explain,
            Figures(tuple(rows)),
            (Answer(understood().value, understood().label, Role.MAIN),),
            Tone.CAUTION,
        )
    )
    return Outcome.UNAVAILABLE
