"""Comparing a day of this terminal with what hospital, bank and devices have: asked for by staff, on screen and paper.

The terminal does it by itself every morning (``kiosk/money/run_reconciliation.py``); this is the same, now.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from kiosk.domain.entries import AlreadyClosed, StoredEntry
from kiosk.domain.receipt import LineStyle, Receipt, ReceiptLine
from kiosk.domain.statement import Comparison, Difference, Finding
from kiosk.domain.text import Amount, Day, Grouped, Text, say
from kiosk.money.ask_platform import ask_platform
from kiosk.money.live_cases import live_cases
from kiosk.money.reconcile_agency import AgencyReconciled, reconcile_agency_day
from kiosk.money.run_reconciliation import DAYS_BACK_MAX, Books, Reconciled, reconcile_day, reconciled_days, today
from kiosk.ports import Answer, Figure, Figures, HostRefused, OutcomeUnknown, Question, Role, Tone, Waiting
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.approve import print_for_staff
from kiosk.staff.count import BACK, tell
from kiosk.staff.counted import money_moves
from kiosk.staff.end_of_day import Differing, difference_lines, difference_rows
from kiosk.staff.places import counted_places, open_differences, place_difference
from kiosk.staff.visit import OnDuty, still_there

RECONCILE_S_MAX = 60.0
PRINT = Answer("print", say("Print it"), Role.MAIN)
WORDS: dict[Difference, Text] = {
    Difference.THERE_NOT_HERE: say("Booked there, not here"),
    Difference.HERE_NOT_THERE: say("Booked here, not there"),
    Difference.AMOUNTS_DIFFER: say("Amounts differ"),
    Difference.UNDONE_THERE: say("Undone there"),
    Difference.TWICE_THERE: say("Booked twice there"),
    Difference.HOSPITAL_DIFFERS: say("The hospital's own books differ"),
    Difference.COUNT_DIFFERS: say("Device and books differ"),
}
SIDES: dict[str, Text] = {
    "platform": say("Insurance"),
    "bank": say("Bank"),
    "deposits": say("Deposits"),
    "debts": say("Register of debts"),
    "contributions": say("Contributions"),
}


async def reconcile(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    statements = kiosk.statements
    if statements is None:
        await reconcile_contributions(kiosk, duty)
        return
    unsent = partial(kiosk.aside.unsent_keys, "hospital") if kiosk.aside else tuple
    live = partial(live_cases, kiosk.journal)
    books = Books(kiosk.journal, kiosk.clock, statements, kiosk.settings, live, unsent)
    day = await _choose_day(kiosk, books)
    await still_there(kiosk, duty)
    page = Question("staff_reconciling", say("Comparing the books"), body=Waiting(say("Asking the hospital")))
    try:
        done = await kiosk.wait(page, lambda: _reconciled(books, day, duty), to_the_end_s=RECONCILE_S_MAX)
    except HostRefused:
        await _without_detail(kiosk, day)
        return
    except OutcomeUnknown:
        await tell(
            kiosk, "staff_hospital_silent", say("The hospital did not answer"), say("Nothing was closed by this.")
        )
        return
    done = with_contributions(done, await contributions_of(kiosk, duty, day))
    places = await _compared_places(kiosk, duty)
    await _shown(kiosk, duty, done, places)


async def _shown(kiosk: StaffKiosk, duty: OnDuty, done: Reconciled, places: Differing) -> None:
    rows = (*_rows(done), *difference_rows(places))
    await kiosk.ask(Question("staff_reconciled", _heading(done), (), Figures(rows, secret=False), (BACK, PRINT)))
    printed = await print_for_staff(kiosk, _receipt(kiosk, duty, done, places), kiosk.visit.case_code)
    words = say("The receipt is printed.") if printed else say("The receipt did not come out.")
    await tell(kiosk, "staff_reconciliation_printed", words, tone=Tone.DONE if printed else Tone.CAUTION)


async def reconcile_contributions(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Of a terminal without a hospital: what the agency credited yesterday, and what the cash devices count now."""
    day = today(kiosk.clock) - timedelta(days=1)
    await still_there(kiosk, duty)
    agency = await contributions_of(kiosk, duty, day)
    if agency is None:
        await tell(
            kiosk,
            "staff_agency_silent",
            say("The office has no detail of yesterday yet"),
            say("Nothing was closed by this."),
        )
        return
    places = await _compared_places(kiosk, duty)
    await _shown(kiosk, duty, with_contributions(Reconciled(day, 0, 0, 0, 0, ()), agency), places)


async def contributions_of(kiosk: StaffKiosk, duty: OnDuty, day: date) -> AgencyReconciled | None:
    """None: the agency does not say yet; the terminal asks again by itself."""
    page = Question(
        "staff_asking_agency", say("Comparing the books"), body=Waiting(say("Asking the social insurance office"))
    )
    ask = partial(reconcile_agency_day, kiosk.journal, kiosk.clock, kiosk.social_insurance, day, duty.staff.staff_id)
    try:
        return await kiosk.wait(page, ask, to_the_end_s=RECONCILE_S_MAX)
    except (HostRefused, OutcomeUnknown):
        return None


def with_contributions(done: Reconciled, agency: AgencyReconciled | None) -> Reconciled:
    if agency is None:
        return done
    found = (*done.findings, *agency.findings)
    agree, left = done.agree + agency.agree, done.open + agency.open
    return replace(done, agree=agree, differ=len(found), open=left, findings=found)


async def _reconciled(books: Books, day: date, duty: OnDuty) -> Reconciled:
    try:
        return await reconcile_day(books, day, duty.staff.staff_id)
    except AlreadyClosed:  # the forwarder was faster with one of them; what is left is judged again
        return await reconcile_day(books, day, duty.staff.staff_id)


async def _compared_places(kiosk: StaffKiosk, duty: OnDuty) -> Differing:
    """What the cash devices count now, against the books; each difference is a case. Nothing while money moves."""
    if money_moves(kiosk):
        return ()
    differing = [(till, found) for till in counted_places(kiosk) if (found := await place_difference(kiosk, till))]
    open_differences(kiosk, differing, kiosk.visit.case_code, duty.staff.staff_id)
    return differing


async def _without_detail(kiosk: StaffKiosk, day: date) -> None:
    """Not final yet: what the platform shows now is told, and decides nothing."""
    page = Question(
        "staff_asking_platform", say("Comparing the books"), body=Waiting(say("Asking the medical insurance"))
    )
    explain = [say("Nothing was closed by this."), say("The terminal asks again by itself.")]
    try:
        ask = partial(ask_platform, kiosk.journal, kiosk.medical_insurance, day)
        now = await kiosk.wait(page, ask, to_the_end_s=RECONCILE_S_MAX)
        explain.insert(0, _shown_now(now))
    except (HostRefused, OutcomeUnknown):
        explain.insert(0, say("The insurance did not answer either."))
    heading = say("The hospital has no detail of this day yet")
    await tell(kiosk, "staff_not_reconciled", heading, *explain)


def _shown_now(now: Comparison) -> Text:
    return say(
        "The insurance shows {agree} as here, {differ} otherwise, {open} not at all.",
        agree=now.agree,
        differ=len(now.findings),
        open=now.open,
    )


async def _choose_day(kiosk: StaffKiosk, books: Books) -> date:
    known = reconciled_days(books)
    days = [today(kiosk.clock) - timedelta(days=back) for back in range(DAYS_BACK_MAX + 1)]
    rows = tuple(
        Answer(day.isoformat(), say("{day}", day=Day(day)), Role.ROW, note=_standing(known[day]))
        if day in known
        else Answer(day.isoformat(), say("{day}", day=Day(day)), Role.ROW, note=say("not compared yet"))
        for day in days
    )
    chosen = await kiosk.ask(Question("staff_reconcile_day", say("Which day?"), answers=(*rows, BACK)))
    return date.fromisoformat(chosen)


def _standing(entry: StoredEntry) -> Text:
    facts = entry.facts or {}
    return say("{agree} agree, {differ} differ", agree=int(facts["agree"]), differ=int(facts["differ"]))


def _heading(done: Reconciled) -> Text:
    if done.differ:
        return say("{agree} acts agree, {differ} differ", agree=done.agree, differ=done.differ)
    return say("All {agree} acts agree", agree=done.agree)


def _rows(done: Reconciled) -> Iterator[Figure]:
    yield Figure(say("{day}", day=Day(done.day)), heading=True)
    yield Figure(say("Closed by the detail"), _number(done.proved))
    if done.open:
        yield Figure(say("Outcome still not known"), _number(done.open))
    if not done.own_detail:
        yield Figure(say("Deposits and debts: the hospital gives no detail"))
    for finding in done.findings:
        yield Figure(_words(finding), None, _case(finding), heading=True)
        if finding.ours_fen is not None:
            yield Figure(say("Here"), Amount(finding.ours_fen))
        if finding.theirs_fen is not None:
            yield Figure(say("There"), Amount(finding.theirs_fen))


def _words(finding: Finding) -> Text:
    words, side = WORDS[finding.difference], SIDES.get(finding.side)
    return say("{side}: {difference}", side=side, difference=words) if side else words


def _number(count: int) -> Text:
    return say("{count}", count=count)


def _case(finding: Finding) -> Text | None:
    return say("Case {code}", code=Grouped(finding.case_code)) if finding.case_code else None


def _receipt(kiosk: StaffKiosk, duty: OnDuty, done: Reconciled, places: Differing) -> Receipt:
    lines = [
        ReceiptLine(say("Reconciliation of {day}", day=Day(done.day)), LineStyle.BIG),
        ReceiptLine(say("Terminal {number}", number=kiosk.settings.terminal.terminal_id)),
        ReceiptLine(say("Staff: {staff}", staff=duty.staff.staff_id)),
        ReceiptLine(_heading(done), LineStyle.BOLD),
        ReceiptLine(say("Closed by the detail: {count}", count=done.proved)),
    ]
    if not done.own_detail:
        lines.append(ReceiptLine(say("Deposits and debts: the hospital gives no detail")))
    for finding in done.findings:
        lines.append(ReceiptLine(_words(finding), LineStyle.BOLD))
        case = _case(finding)
        lines += [ReceiptLine(case)] if case else []
        for words, amount in ((say("Here"), finding.ours_fen), (say("There"), finding.theirs_fen)):
            if amount is not None:
                lines.append(ReceiptLine(say("{name}: {amount}", name=words, amount=Amount(amount))))
    return Receipt((*lines, *difference_lines(places)))
