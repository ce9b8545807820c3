"""An act without an outcome whose day the clock does not say: no single day's detail proves that it was not booked."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import StatementRow
from kiosk.domain.statement import BankRow
from kiosk.money.bank_record import INTENT
from kiosk.money.judged_days import judged_days, note_contradicted
from kiosk.money.platform_acts import CHINA, judged_on
from kiosk.money.run_reconciliation import Books, call_days_unsure, days_due, reconcile_day
from kiosk.ports import OutcomeUnknown
from kiosk.ports.money import BankIntent
from kiosk.settings.config import HostSettings, Settings
from offline_queue.journal import SqliteJournal
from tests.flows.duty import WallClock
from tests.flows.test_staff_reconcile import HospitalsDetails

YEARS, A_DAY = timedelta(days=900), timedelta(days=1)
VISIT, KEY = "451207", "m1"
UNDONE = StatementRow(KEY, "s1", "v", True, True, Fen(-100), Fen(0), Fen(-12))


class Village:
    """A terminal whose clock anybody may set, and a hospital that knows what day it is."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.details, self.confirmed = WallClock(), HospitalsDetails(), True
        self.clock.moment = self.clock.moment.astimezone(CHINA).replace(hour=12, minute=0)
        self.noon = self.clock.moment
        self.journal = SqliteJournal(folder, self.clock.now)
        bank = {"bank": HostSettings(url="tls://127.0.0.1:1")}
        settings = structs.replace(Settings(run_dir="", data_dir=""), hosts=bank)
        self.books = Books(self.journal, self.clock, self.details, settings, time_confirmed=lambda: self.confirmed)

    @property
    def day(self) -> date:
        """The true one, on which everything here begins."""
        return judged_on(self.noon)

    def reconciled(self, *days: date) -> None:
        for one in days:
            self.details.days.setdefault(one, [])

    async def at_night(self) -> None:
        """The day before the first was final, and compared."""
        self.reconciled(self.day - A_DAY, self.day - 2 * A_DAY)
        await reconcile_day(self.books, self.day - A_DAY)

    def asks_back(self) -> None:
        """2208 left, and nobody answered."""
        facts: dict[str, str | int] = {
            "message_id": KEY, "original": "m0", "visit_number": "v", "card_number": "C1", "cash_fen": 88, "bill": "b",
            "settlement_id": "s0", "total_fen": 100, "fund_fen": 0, "account_fen": 12, "means": "cash",
        }  # fmt: skip
        self.journal.commit(NewEntry("refund_intent", VISIT, facts, "C1", opens=KEY))

    def acts(self) -> list[str]:
        return [entry.act for entry in self.journal.story(VISIT)]

    async def comes_to(self, days: int) -> None:
        """So many days after the first; what is due by then is compared, as far as the hospital has it."""
        self.clock.moment = self.noon + days * A_DAY
        await call_days_unsure(self.books)
        for one in days_due(self.books):
            if one in self.details.days:
                await reconcile_day(self.books, one)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    made = Village(tmp_path)
    with closing(made.journal):
        yield made


@pytest.mark.parametrize("off", [-YEARS, -timedelta(hours=13), YEARS])
@pytest.mark.parametrize(("booked", "ends"), [(True, "refunded_late"), (False, "refund_not_booked")])
async def test_a_clock_set_meanwhile_proves_nothing_by_its_own_day(
    village: Village, off: timedelta, booked: bool, ends: str
) -> None:
    """Whatever the clock said when it was asked: it is judged with the details of all days on which it can have been
    booked, and with those of wrong days by nobody."""
    await village.at_night()
    village.clock.moment = village.noon + off
    village.asks_back()
    wrong = judged_on(village.clock.now())
    village.reconciled(wrong, wrong - A_DAY)
    await village.comes_to(0)
    assert ends not in village.acts() and "refund_not_booked" not in village.acts()
    village.reconciled(village.day)
    if booked:
        village.details.days[village.day].append(UNDONE)
    await village.comes_to(1)
    assert village.acts()[-1] == ends
    assert village.journal.newest(1, "reconciliation_differs") == []


async def test_where_no_host_confirms_the_clock_nothing_is_called_final(village: Village) -> None:
    """Days later, when one does, it is looked for in every day since the newest that was final before it."""
    await village.at_night()
    village.clock.moment -= YEARS
    village.asks_back()
    village.confirmed = False
    village.reconciled(*(village.day + one * A_DAY for one in range(6)))
    await village.comes_to(2)
    assert village.acts() == ["refund_intent"]
    village.confirmed = True
    await village.comes_to(4)
    assert village.acts() == ["refund_intent", "effect_day_unsure"]
    village.details.days[village.day + A_DAY].append(UNDONE)
    await village.comes_to(5)
    assert village.acts()[-1] == "refunded_late"


async def test_a_clock_that_a_host_contradicted_proves_nothing(village: Village) -> None:
    """It was a day late since the power came, and was put right: nothing here went back, and a host had said so."""
    village.noon += A_DAY  # the true day; the clock stands at the one before
    village.reconciled(village.day - 3 * A_DAY, village.day - 2 * A_DAY)
    await reconcile_day(village.books, village.day - 2 * A_DAY)
    note_contradicted(village.journal)(86_400.0)
    village.asks_back()
    village.reconciled(village.day - A_DAY)
    await village.comes_to(0)
    assert village.acts() == ["refund_intent", "effect_day_unsure"]
    village.reconciled(village.day)
    village.details.days[village.day].append(UNDONE)
    await village.comes_to(1)
    assert village.acts()[-1] == "refunded_late"


async def test_an_act_at_the_bank_is_judged_so_too(village: Village) -> None:
    """A purchase that its file has on the true day is not called reversed because another day lacks it."""
    await village.at_night()
    village.clock.moment -= timedelta(hours=13)
    intent = BankIntent("purchase", "000007", "000001", Fen(6000), "000000", "051", "6" * 19, "3012", "01")
    village.journal.commit(NewEntry(INTENT, VISIT, intent.facts(), "C1", opens="bank:000001:000007"))
    await village.comes_to(0)
    assert village.acts() == ["bank_intent", "effect_day_unsure"]
    village.reconciled(village.day)
    village.details.banked[village.day] = [BankRow("000001", "000007", "purchase", Fen(6000), "R", "booked")]
    await village.comes_to(1)
    assert village.acts()[-1] == "bank_stands"


async def test_with_a_clock_that_only_went_on_the_own_day_proves(village: Village) -> None:
    """Also after days without power: it is known as soon as its day is final, and nothing else is asked for."""
    await village.at_night()
    village.asks_back()
    village.reconciled(village.day)
    (intent,) = village.journal.open_effects()
    village.clock.moment += 3 * A_DAY
    assert judged_days(village.journal, village.clock, intent) == (village.day, village.day)
    await village.comes_to(3)
    assert village.acts() == ["refund_intent", "refund_not_booked"]


def test_a_contradiction_is_one_row_until_it_ends(village: Village) -> None:
    """However often it is said; and seconds, or minutes of a slow answer, are none."""
    told = note_contradicted(village.journal)
    for skew_s in (5.0, -700.0, -800.0, 0.0, 90.0, 700.0):
        told(skew_s)
    rows = village.journal.newest(9, "clock_contradicted")
    assert [(one.facts or {})["ahead_s"] for one in rows] == [700, -700]


async def test_a_silent_hospital_confirms_nothing(village: Village) -> None:
    """What was asked of it is asked again at the next turn, and the act stays open."""
    await village.at_night()
    village.clock.moment -= YEARS
    village.asks_back()
    village.clock.moment = village.noon
    village.details.silent = True
    with pytest.raises(OutcomeUnknown):
        await call_days_unsure(village.books)
    assert village.acts() == ["refund_intent"]
