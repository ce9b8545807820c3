"""Comparing a day by hand: what agrees, differs and was closed, on screen and paper; every difference is a case."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement, Split, StatementRow
from kiosk.domain.statement import BankRow, ContributionRow, DebtActRow, DepositRow
from kiosk.money.platform_acts import CHINA, judged_on
from kiosk.money.run_reconciliation import Books, days_due, reconcile_day, today
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.money import CashMachine
from tests.flows.test_staff import shown

AMOUNTS = {"total_fen": 25_000, "fund_fen": 10_000, "account_fen": 9_000}


@dataclass
class HospitalsDetails:
    """The hospital's answers: by day; what is not there is not reconciled yet."""

    days: dict[date, list[StatementRow]] = field(default_factory=dict)
    banked: dict[date, list[BankRow]] = field(default_factory=dict)
    silent: bool = False
    refusal: str = ""  # of its own detail
    credited: list[DepositRow] = field(default_factory=list)
    register: list[DebtActRow] = field(default_factory=list)

    async def statement(self, day: date, serial_first: int, serial_last: int) -> tuple[StatementRow, ...]:
        if self.silent:
            raise OutcomeUnknown("hospital", "silence")
        if day not in self.days:
            raise HostRefused("hospital", "not_reconciled_yet")
        return tuple(self.days[day])

    async def bank_statement(self, day: date, terminal_id: str) -> tuple[BankRow, ...]:
        return tuple(self.banked.get(day, []))

    async def deposits_detail(self, days: tuple[date, date]) -> tuple[DepositRow, ...]:
        if self.refusal:
            raise HostRefused("hospital", self.refusal)
        return tuple(row for row in self.credited if days[0] <= row.booked_on <= days[1])

    async def debts_detail(self, days: tuple[date, date]) -> tuple[DebtActRow, ...]:
        return tuple(row for row in self.register if days[0] <= row.booked_on <= days[1])


class ComparingRoom(DutyRoom):
    """A room whose hospital gives details."""

    def __init__(self, folder: Path, pki: Pki, cash: CashMachine | None = None) -> None:
        super().__init__(folder, pki, cash=cash)
        self.details = HospitalsDetails()
        self.kiosk.desk.statements = self.details


def row(key: str, total: int = 25_000) -> StatementRow:
    return StatementRow(key, f"s-{key}", f"visit-{key}", True, False, Fen(total), Fen(10_000), Fen(9_000))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[ComparingRoom]:
    made = ComparingRoom(tmp_path, pki)
    yield made
    made.journal.close()


def settle(room: ComparingRoom, key: str, code: str) -> date:
    """One settlement of this moment; the day it is judged with."""
    facts = {"message_id": key, "visit_number": f"visit-{key}", "bill": "B", "lease": "l", "cash_fen": 6_000}
    about = facts | {"person_number": "p", "insured_place": "410100"}
    room.journal.commit(NewEntry("settle_intent", code, about, "C1", opens=key))
    room.journal.commit(NewEntry("settled", code, facts | AMOUNTS, "C1", closes=key))
    return judged_on(room.journal.story(code)[0].at)


def reconciled(room: ComparingRoom, day: date) -> None:
    """The hospital has this day and the one before."""
    for one in (day, day - timedelta(days=1)):
        room.details.days.setdefault(one, [])


async def compare(room: ComparingRoom, day: date, **more: Any) -> None:
    script = {
        "staff_menu": ["reconcile", "finish"],
        "staff_reconcile_day": day.isoformat(),
        "staff_reconciled": "print",
        "staff_reconciliation_printed": "understood",
        "staff_not_reconciled": "understood",
        "staff_hospital_silent": "understood",
        "staff_agency_silent": "understood",
    }
    await room.visit(room.card("1001", "clerk"), **(script | more))


def cases(room: ComparingRoom) -> list[str]:
    return [case.code for case in room.kiosk.desk.books.open_cases()]


async def test_a_day_that_agrees(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """It says so on screen and paper, with who asked, and opens no case."""
    day = settle(room, "m1", "451207")
    reconciled(room, day)
    room.details.days[day].append(row("m1"))
    await compare(room, day)
    assert shown(room, "staff_reconciled").startswith("All 1 acts agree")
    paper = "\n".join(line.words for line in room.kiosk.receipts.papers[-1].lines)
    assert "1 笔全部相符" in paper
    assert "1001" in paper
    assert cases(room) == []
    done = next(one for one in room.journal.entries() if one.act == "reconciled")
    assert done.facts is not None
    assert (done.facts["agree"], done.facts["differ"], done.facts["staff"]) == (1, 0, "1001")


async def test_every_difference_is_a_case_once(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Not there, another amount, and a row of nobody: three cases, and no more of them the second time."""
    day = settle(room, "m1", "451207")
    settle(room, "m2", "451208")
    reconciled(room, day)
    room.details.days[day] += [row("m2", total=24_900), row("stranger")]
    await compare(room, day)
    words = shown(room, "staff_reconciled")
    for part in ("0 acts agree, 3 differ", "Booked here, not there", "Amounts differ", "Booked there, not here"):
        assert part in words
    first = cases(room)
    assert len(first) == 3
    assert {"451207", "451208"} < set(first)
    await compare(room, day)
    assert cases(room) == first
    assert room.acts().count("reconciliation_differs") == 3


async def test_a_case_of_a_difference_is_closed_by_two(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Explained by two people, it stays closed when the day is compared again."""
    day = settle(room, "m1", "451207")
    reconciled(room, day)
    await compare(room, day)
    await room.visit(
        room.card("1001", "clerk"),
        staff_menu=["cases", "finish"],
        staff_cases=["451207", "back"],
        staff_case="close",
        staff_close_reason="explained",
        staff_close_propose="propose",
        staff_close_waits="understood",
    )
    await room.visit(
        room.card("1002", "supervisor"),
        staff_menu=["approve", "finish"],
        staff_close_approve="approve",
        staff_closed="understood",
    )
    assert cases(room) == []
    await compare(room, day)
    assert cases(room) == []


async def test_the_detail_closes_what_was_unknown(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Surely not booked: what was held is owed, and the page says that the detail closed it."""
    facts = {"message_id": "m9", "visit_number": "v", "person_number": "p", "insured_place": "410100", "bill": "B"}
    held = balanced((Account.CASH_BOX, 6_000), (Account.SUSPENSE, -6_000))
    intent = facts | {"cash_fen": 6_000, "lease": "l"}
    room.journal.commit(NewEntry("settle_intent", "451209", intent, "C1", opens="m9"))
    told: dict[str, str | int] = {"message_id": "m9", "held_fen": 6_000}
    room.journal.commit(NewEntry("settle_handed_over", "451209", told, "C1", held))
    day = today(room.clock)
    reconciled(room, day)
    await compare(room, day)
    assert room.kiosk.desk.books.balances()[Account.HOLDER_DEBT] == -6_000
    assert not room.journal.open_effects()
    assert "Closed by the detail" in shown(room, "staff_reconciled")
    assert cases(room) == []


async def test_no_detail_yet_and_no_answer_close_nothing(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Both are said in words; the journal has no trace of a comparison."""
    day = settle(room, "m1", "451207")
    await compare(room, day)
    assert "staff_not_reconciled" in room.names()
    room.details.silent = True
    await compare(room, day)
    assert "staff_hospital_silent" in room.names()
    room.kiosk.desk.statements, room.kiosk.hosts.silent = None, True
    await compare(room, day)
    assert "staff_agency_silent" in room.names()
    assert not {"reconciled", "agency_reconciled"} & set(room.acts())


async def test_a_village_compares_its_contributions(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Without a hospital there is the agency: what it credited and we did not is a case of its own."""
    room.kiosk.desk.statements = None
    yesterday = today(room.kiosk.desk.clock) - timedelta(days=1)
    room.kiosk.hosts.contributions = (ContributionRow("key-9", "C0000000009", Fen(20_000), yesterday),)
    await compare(room, yesterday)
    assert "Contributions: Booked there, not here" in shown(room, "staff_reconciled")
    assert len(cases(room)) == 1


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (25_000, "shows 1 as here, 0 otherwise, 0 not"),
        (24_000, "shows 0 as here, 1 otherwise"),
        (0, "0 otherwise, 1 not"),
    ],
)
async def test_before_there_is_a_detail_the_platform_is_asked(
    autojump_clock: MockClock, room: ComparingRoom, total: int, said: str
) -> None:
    """As here, otherwise, or not at all: said in words, and nothing is closed and no case opened by it."""
    day = settle(room, "m1", "451207")
    if total:
        split = Split(Fen(total), Fen(10_000), Fen(9_000), Fen(6_000), Fen(0))
        room.kiosk.office.booked["m1"] = Settlement("s-m1", "m1", "visit-m1", split)
    await compare(room, day)
    assert said in shown(room, "staff_not_reconciled")
    assert cases(room) == []
    assert "reconciled" not in room.acts()


async def test_days_are_due_until_they_are_reconciled(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Yesterday first; after some days off each of them, a week at most; a day with an open effect in any case."""
    books = Books(room.journal, room.clock, room.details, room.kiosk.settings)
    day = today(room.clock)
    assert days_due(books) == [day - timedelta(days=1)]
    reconciled(room, day - timedelta(days=1))
    await reconcile_day(books, day - timedelta(days=1))
    assert days_due(books) == []
    room.clock.moment += timedelta(days=3)
    assert days_due(books) == [day, day + timedelta(days=1), day + timedelta(days=2)]
    room.clock.moment += timedelta(days=30)
    assert len(days_due(books)) in (1, 7)


async def test_an_act_at_midnight_is_judged_with_the_next_day(autojump_clock: MockClock, room: ComparingRoom) -> None:
    """Begun five minutes before midnight in China and booked after it: no difference on either day."""
    local = room.clock.moment.astimezone(CHINA)
    room.clock.moment = local.replace(hour=23, minute=55)
    day = settle(room, "m1", "451207")
    assert day == local.date() + timedelta(days=1)
    for booked_on in (day, day - timedelta(days=1)):
        room.details.days.clear()
        reconciled(room, day)
        room.details.days.setdefault(day - timedelta(days=2), [])
        room.details.days[booked_on].append(row("m1"))
        books = Books(room.journal, room.clock, room.details, room.kiosk.settings)
        assert (await reconcile_day(books, day - timedelta(days=1))).findings == ()
        assert (await reconcile_day(books, day)).findings == ()
