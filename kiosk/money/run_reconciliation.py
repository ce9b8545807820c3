"""Reconciliation of a day with the hospital's details: what it proves is closed, what differs becomes a case.

Everything here may be cut and run again: effects that are closed are gone, a difference that stands in the journal is
not written twice, and a day counts as reconciled with its last commit only.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Generic, NoReturn, TypeVar

import trio

from kiosk.domain.entries import AlreadyClosed, NewEntry, StoredEntry
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import Act, BankRow, Comparison, Finding
from kiosk.money.bank_acts import BANK_ACTS, bank_acts, bank_key, banked_acts
from kiosk.money.bank_record import intent_of, open_acts
from kiosk.money.close_proven import Detail, close_proven
from kiosk.money.drive_deposits import prove_deposits
from kiosk.money.judged_days import RECONCILED, call_unsure, judged_days
from kiosk.money.own_detail import DAYS, ask_own_detail, compare_debts, compare_deposits
from kiosk.money.pay_by_card import close_by_detail
from kiosk.money.platform_acts import CHINA, INTENTS, PLATFORM_ACTS, opens_at, platform_acts, stated_acts
from kiosk.money.reconcile import compare
from kiosk.ports import Clock, HostRefused, Journal, Log, OutcomeUnknown
from kiosk.ports.money import Statements
from kiosk.settings.config import Settings

AGAIN_S = 1800.0  # the hospital reconciles in the morning; all is to be known by T+1 10:00 (money-rules 2)
DAYS_BACK_MAX = 7
Row = TypeVar("Row")
DIFFERS = "reconciliation_differs"


@dataclass(frozen=True)
class Reconciled:
    """``proved``: effects that were open, and closed by the detail. ``own_detail``: whether the hospital also told what
    it has itself of deposits and debts."""

    day: date
    agree: int
    differ: int
    open: int
    proved: int
    findings: tuple[Finding, ...]
    own_detail: bool = True


@dataclass(frozen=True)
class Books:
    """What reconciling works with. ``live``: cases of visits that are going on; their effects are their own.
    ``unsent``: keys of notices that the hospital has perhaps not heard. ``time_confirmed``: by the newest answer of
    every host that was heard.
    """

    journal: Journal
    clock: Clock
    statements: Statements
    settings: Settings
    live: Callable[[], Collection[str]] = tuple
    unsent: Callable[[], Collection[str]] = tuple
    time_confirmed: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class DayDetail(Generic[Row]):
    """Of the day itself, and of the one before: an act begun just before midnight is judged with the day on which it
    can have been booked last. ``earlier``: of days before these, for acts whose day is unsure."""

    rows: tuple[Row, ...]
    before: tuple[Row, ...]
    earlier: tuple[Row, ...] = ()

    @property
    def everything(self) -> tuple[Row, ...]:
        return (*self.earlier, *self.before, *self.rows)


async def keep_reconciling(books: Books, log: Log) -> NoReturn:
    """For as long as the process lives: every day that is over, as soon as the hospital has its detail."""
    while True:
        try:
            await call_days_unsure(books)
        except OutcomeUnknown as not_yet:
            log("not_reconciled", error=type(not_yet).__name__)
        for day in days_due(books):
            try:
                done = await reconcile_day(books, day)
            except (HostRefused, OutcomeUnknown, AlreadyClosed) as not_yet:  # the last: known meanwhile, look again
                log("not_reconciled", error=type(not_yet).__name__)
                break
            log("reconciled", count=done.agree + done.differ)
        await trio.sleep(AGAIN_S)


def days_due(books: Books) -> list[date]:
    """Days that are over and not reconciled, oldest first; those of open effects too, however often they were."""
    yesterday = today(books.clock) - timedelta(days=1)
    last = reconciled_days(books)
    first = max(last) + timedelta(days=1) if last else yesterday
    first = max(first, yesterday - timedelta(days=DAYS_BACK_MAX - 1))
    days = {first + timedelta(days=ahead) for ahead in range((yesterday - first).days + 1)}
    days |= {span[1] for one in _judged(books) if (span := judged_days(books.journal, books.clock, one))}
    return sorted(day for day in days if day <= yesterday)


async def call_days_unsure(books: Books) -> None:
    """Open acts of which nobody can say on which day they were done, as soon as the hospital confirms what today is.

    Raises:
        OutcomeUnknown: it was not heard.
    """
    unsure = [one for one in _judged(books) if judged_days(books.journal, books.clock, one) is None]
    if not unsure:
        return
    with suppress(HostRefused):  # which is an answer, and says what time it is there
        await _platform_rows(books, today(books.clock) - timedelta(days=1))
    if books.time_confirmed():
        for intent in unsure:
            call_unsure(books.journal, books.clock, intent)


def reconciled_days(books: Books) -> dict[date, StoredEntry]:
    """Of the last days, each with the newest entry about it."""
    since = books.clock.now() - timedelta(days=DAYS_BACK_MAX + 2)
    entries = (entry for entry in books.journal.since(since, RECONCILED) if entry.facts)
    return {date.fromisoformat(str((entry.facts or {})["day"])): entry for entry in entries}


def today(clock: Clock) -> date:
    return clock.now().astimezone(CHINA).date()


async def reconcile_day(books: Books, day: date, staff: str = "") -> Reconciled:
    """Compare and close one day. ``staff``: who asked for it, "" for the terminal itself.

    Raises:
        HostRefused: ``not_reconciled_yet``. OutcomeUnknown: no answer. Either way nothing was closed.
    """
    first = min((_first_day(books, one, day) or day for one in _judged(books)), default=day)
    platform, bank = await _platform_detail(books, day, first), await _bank_detail(books, day, first)
    own = await ask_own_detail(books.journal, books.statements, day)
    due = [one for one in _intents(books) if (since := _first_day(books, one, day)) and since >= first]
    proved = close_proven(books.journal, books.clock, due, Detail(platform.everything))
    proved += _close_bank(books, day, first, bank)
    sides = {"platform": _compare_platform(books, day, platform), "bank": _compare_bank(books, day, bank)}
    if own is not None:
        proved += prove_deposits(books.journal, books.clock, own.deposits, books.live())
        sides["deposits"] = compare_deposits(books.journal, day, own)
        sides["debts"] = compare_debts(books.journal, day, own, books.unsent())
    compared = _together(sides)
    findings = tuple(as_case(books.journal, books.clock, day, finding, finding.side) for finding in compared.findings)
    done = Reconciled(day, compared.agree, len(findings), compared.open, proved, findings, own is not None)
    facts: dict[str, str | int] = {
        "day": day.isoformat(), "agree": done.agree, "differ": done.differ, "open": done.open, "proved": proved,
    }  # fmt: skip
    facts |= {"staff": staff} if staff else {}
    facts |= {} if done.own_detail else {"without": "own_detail"}
    books.journal.commit(NewEntry(RECONCILED, "", facts))
    return done


def _first_day(books: Books, intent: StoredEntry, day: date) -> date | None:
    """The first day with whose detail this act is judged, if ``day`` is the last; None: it is judged another day."""
    span = judged_days(books.journal, books.clock, intent)
    return span[0] if span and span[1] == day else None


async def _platform_detail(books: Books, day: date, first: date) -> DayDetail[StatementRow]:
    ask = partial(_platform_rows, books)
    return DayDetail(await ask(day), await ask(day - timedelta(days=1)), await _earlier(ask, day, first))


async def _platform_rows(books: Books, day: date) -> tuple[StatementRow, ...]:
    rules = books.settings.medical_insurance
    return await books.statements.statement(day, serial_first=rules.serial_first, serial_last=rules.serial_last)


async def _bank_detail(books: Books, day: date, first: date) -> DayDetail[BankRow]:
    if "bank" not in books.settings.hosts:
        return DayDetail((), ())
    ask = partial(books.statements.bank_statement, terminal_id=books.settings.bank.terminal_id)
    return DayDetail(await ask(day), await ask(day - timedelta(days=1)), await _earlier(ask, day, first))


async def _earlier(ask: Callable[[date], Awaitable[tuple[Row, ...]]], day: date, first: date) -> tuple[Row, ...]:
    """From ``first`` to two days before ``day``; () where ``first`` is not so early."""
    days = (first + timedelta(days=ahead) for ahead in range((day - first).days - 1))
    return tuple([row for one in days for row in await ask(one)])


def _close_bank(books: Books, day: date, first: date, detail: DayDetail[BankRow]) -> int:
    """Acts at the bank that nobody knew of, closed by its file: the only thing that answers a 12 or 25 (rule 1)."""
    booked = {bank_key(row): row for row in detail.everything if row.state != "reversed"}
    due = [one for one in _bank_intents(books) if (since := _first_day(books, one, day)) and since >= first]
    for intent in due:
        known = intent_of(intent)
        close_by_detail(books.journal, intent, booked.get(f"{known.batch_number}:{known.trace_number}"))
    return len(due)


def _compare_platform(books: Books, day: date, detail: DayDetail[StatementRow]) -> Comparison:
    acts = platform_acts(books.journal.since(opens_at(day - timedelta(days=2)), *PLATFORM_ACTS))
    return _compare(day, acts, stated_acts(detail.rows), stated_acts(detail.before))


def _compare_bank(books: Books, day: date, detail: DayDetail[BankRow]) -> Comparison:
    acts = bank_acts(books.journal.since(opens_at(day - timedelta(days=2)), *BANK_ACTS))
    return _compare(day, acts, banked_acts(detail.rows), banked_acts(detail.before))


def _compare(
    day: date, acts: Mapping[str, tuple[date, Act]], theirs: Sequence[Act], theirs_before: Sequence[Act]
) -> Comparison:
    ours = {key: act for key, (judged, act) in acts.items() if judged == day}
    beside = [act for judged, act in acts.values() if judged != day]
    # What else stands in the detail of the day before was judged then.
    return compare(ours.values(), [*theirs, *(act for act in theirs_before if act.key in ours)], beside)


def _together(sides: Mapping[str, Comparison]) -> Comparison:
    findings = [replace(one, side=side) for side, compared in sides.items() for one in compared.findings]
    told = sides.values()
    return Comparison(sum(one.agree for one in told), sum(one.open for one in told), tuple(findings))


def _intents(books: Books) -> list[StoredEntry]:
    """Open effects at the platform whose money, if any, recovery has put aside."""
    waiting = {newest.case_code for newest, _ in books.journal.unspent()} | set(books.live())
    effects = books.journal.open_effects()
    return [one for one in effects if one.act in INTENTS and one.case_code not in waiting]


def _bank_intents(books: Books) -> list[StoredEntry]:
    return [one for one in open_acts(books.journal) if one.case_code not in books.live()]


def _judged(books: Books) -> list[StoredEntry]:
    return [*_intents(books), *(_bank_intents(books) if "bank" in books.settings.hosts else ())]


def as_case(journal: Journal, clock: Clock, day: date, finding: Finding, side: str) -> Finding:
    """The finding under the number of its case, which is opened unless it was before, also in a run that was cut."""
    known = _case_of(journal, day, finding)
    if known:
        return replace(finding, case_code=known, side=side)
    numbered = replace(finding, case_code=finding.case_code or clock.new_case_code(), side=side)
    _open_case(journal, day, numbered)
    return numbered


def _case_of(journal: Journal, day: date, finding: Finding) -> str:
    """What blocks somebody stands in the detail of every day until it is ended, and is told once."""
    for entry in journal.since(opens_at(day - timedelta(days=DAYS)), DIFFERS):
        facts = entry.facts or {}
        if (facts.get("key"), facts.get("difference")) == (finding.key, finding.difference.value):
            return entry.case_code
    return ""


def _open_case(journal: Journal, day: date, finding: Finding) -> None:
    """Nothing is posted: only a person can say which side is wrong."""
    facts: dict[str, str | int] = {
        "key": finding.key, "difference": finding.difference.value, "day": day.isoformat(), "side": finding.side,
    }  # fmt: skip
    if finding.ours_fen is not None:
        facts["ours_fen"] = finding.ours_fen
    if finding.theirs_fen is not None:
        facts["theirs_fen"] = finding.theirs_fen
    journal.commit(NewEntry(DIFFERS, finding.case_code, facts))
