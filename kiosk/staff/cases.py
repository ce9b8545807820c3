"""Open cases, each with its whole story. Looking at one is journaled (money-rules 29)."""

from collections.abc import Iterable, Iterator

from kiosk.domain.cases import OpenCase
from kiosk.domain.entries import StoredEntry
from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Grouped, Text, say
from kiosk.ports import Answer, Back, Figure, Figures, Question, Role
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.ages import age
from kiosk.staff.close_case import propose_closing
from kiosk.staff.reconcile import WORDS
from kiosk.staff.remedies import REMEDY_WORDS
from kiosk.staff.status import BACK
from kiosk.staff.story import act_words, fact_name
from kiosk.staff.visit import OnDuty

CASES_SHOWN_MAX = 60  # the oldest; a terminal with more needs a person at the books, not at its screen
ENTRIES_SHOWN_MAX = 120
SHOWN = ("staff", "counter", "approver", "seal", "why", "reason", "host", "what", "code", "difference", "remedy", "day")
DIFFERENCE_WORDS = {difference.value: words for difference, words in WORDS.items()}
CLOSE = Answer("close", say("Close this case"), Role.MAIN)


async def show_cases(kiosk: StaffKiosk, duty: OnDuty) -> None:
    """Raises: Back, ResidentLeft, CardGone, DeviceFault, NotStaff."""
    while True:
        cases = kiosk.books.open_cases()
        chosen = await kiosk.ask(_list(kiosk, cases))
        kiosk.journal.record("case_viewed", kiosk.visit.case_code, staff=duty.staff.staff_id, case=chosen)
        case = next(case for case in cases if case.code == chosen)
        try:
            if await kiosk.ask(_story(chosen, kiosk.journal.story(chosen))) == CLOSE.value:
                await propose_closing(kiosk, duty, case)
        except Back:
            continue


def _list(kiosk: StaffKiosk, cases: tuple[OpenCase, ...]) -> Question:
    heading = say("{count} open cases, the oldest first", count=len(cases)) if cases else say("No case is open")
    rows = tuple(_row(kiosk, case) for case in cases[:CASES_SHOWN_MAX])
    return Question("staff_cases", heading, answers=(*rows, BACK))


def _row(kiosk: StaffKiosk, case: OpenCase) -> Answer:
    waits = say("{what}, for {age}", what=_what(case), age=age(kiosk, case.since))
    if not case.code:
        # Nothing but the journal's file tells these apart: they have no number to ask for.
        return Answer("none", say("Without a number"), Role.ROW, note=waits, unavailable=say("Read it in the books."))
    return Answer(case.code, say("Number {code}", code=Grouped(case.code)), Role.ROW, note=waits)


def _what(case: OpenCase) -> Text:
    for amount, words in (
        (case.suspense_fen, say("to be explained")),
        (case.surplus_fen, say("surplus")),
        (case.shortage_fen, say("shortage")),
    ):
        if amount:
            return say("{amount} {what}", amount=Amount(Fen(abs(amount))), what=words)
    return say("outcome not known")


def _story(code: str, entries: Iterable[StoredEntry]) -> Question:
    rows = tuple(_rows(list(entries)[-ENTRIES_SHOWN_MAX:]))
    return Question(
        "staff_case",
        say("Case {code}", code=Grouped(code)),
        (),
        Figures(rows, secret=False),
        (BACK, CLOSE),
        case_code=code,
    )


def _rows(entries: list[StoredEntry]) -> Iterator[Figure]:
    """One sentence an entry, its time, and the amounts it names. No card, no person, no key."""
    for entry in entries:
        yield Figure(act_words(entry.act), None, say("{at}", at=entry.at[:19].replace("T", " ")), heading=True)
        for name, value in (entry.facts or {}).items():
            if name.endswith("_fen") and value:
                yield Figure(fact_name(name), Amount(Fen(int(value))))
            elif name in SHOWN:
                yield Figure(fact_name(name), _shown(name, str(value)))


def _shown(name: str, value: str) -> Text:
    """Words of ours are said in words; what a host or device said stays as it said it."""
    known = REMEDY_WORDS if name == "remedy" else DIFFERENCE_WORDS if name == "difference" else {}
    return known.get(value) or say("{words}", words=value)
