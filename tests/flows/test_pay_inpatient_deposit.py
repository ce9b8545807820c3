"""An inpatient deposit in notes: credited, refused, silent, stopped, walked away from; the paper always tells it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.health import Condition, Health
from kiosk.money.drive_deposits import drive_deposits, keep_driving_deposits
from kiosk.ports import DeviceFault, Outcome
from tests.flows.hospital import deliver_all
from tests.flows.money import CashMachine
from tests.flows.owed import Terminal
from tests.flows.people import KioskInMemory

HUNDRED = 10_000


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


async def test_a_deposit_is_credited_and_written_down(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Two notes of 100 become a deposit of 200 at the hospital, and the receipt bears the hospital's number."""
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED)) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [20_000]
    assert terminal.balances == {Account.CASH_BOX: 20_000, Account.HOSPITAL: -20_000}
    (paper,) = terminal.papers
    assert "医院收据号：YJ0000000001" in paper
    assert "预交金：¥ 200.00 元" in paper
    assert terminal.journal.open_effects() == []


async def test_the_hospital_hears_no_persons_number(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Card and stay name a deposit, so that the journal need keep no person's number in order to say it again."""
    await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED))
    assert [number for _, number in terminal.office.asked_with] == [""]
    number = terminal.kiosk.reader.holder.social_security_number
    assert all(number not in str(entry.facts) for entry in terminal.journal.entries())


async def test_who_does_not_stay_here_is_told_so(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Without a stay no note is taken, and the page says who helps."""
    terminal.office.stay = None
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED,)) is Outcome.DONE
    assert "no_stay" in terminal.kiosk.screen.names()
    assert "note_intent" not in terminal.acts


async def test_what_was_fed_too_much_comes_back(autojump_clock: MockClock, terminal: Terminal) -> None:
    """150 typed, 200 fed: 150 are credited, 50 come out after the credit, and the paper says both."""
    typed: dict[str, Any] = {"choose_deposit": "other", "type_deposit": ["#150"]}
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED), **typed) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [15_000]
    assert terminal.cash.outlet == 5000
    assert terminal.acts.index("deposited") < terminal.acts.index("dispense_intent")
    assert "已找零：¥ 50.00 元" in terminal.papers[0]


async def test_amounts_beyond_the_limits_are_asked_again(autojump_clock: MockClock, terminal: Terminal) -> None:
    """99 yuan are too little and 5001 too much; the page says from where to where, and then takes 100."""
    typed: dict[str, Any] = {"choose_deposit": "other", "type_deposit": ["#99", "#5001", "#100"]}
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED,), **typed) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [10_000]
    assert terminal.kiosk.screen.names().count("type_deposit") == 3


async def test_what_is_inside_may_be_enough(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Who runs out of notes pays in what is inside instead of getting it all back."""
    fed: dict[str, Any] = {"feed_deposit": [None, "enough"]}
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED,), **fed) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [10_000]
    assert terminal.balances == {Account.CASH_BOX: 10_000, Account.HOSPITAL: -10_000}


async def test_a_refused_deposit_comes_back_in_notes(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A final no: the notes come out, what they cannot pay is owed, the paper says both, nothing is the hospital's."""
    terminal.office.deposit_habit = "refuses"
    terminal.cash.drums = CashMachine({5000: 3}).drums
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED)) is Outcome.REFUSED
    assert terminal.cash.outlet == 15_000
    assert terminal.balances.get(Account.HOSPITAL) is None
    assert terminal.balances[Account.HOLDER_DEBT] == -5000
    assert {"已退给您：¥ 150.00 元", "还欠您：¥ 50.00 元"} <= set(terminal.papers[0])


async def test_a_silent_hospital_is_told_three_times_by_one_key(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Silence is unknown: told again by the same key, then the money waits and the resident leaves with a paper."""
    terminal.office.deposit_habit = "ignores"
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED)) is Outcome.UNKNOWN
    assert len({key for key, _ in terminal.office.asked_with}) == 1
    assert len(terminal.office.asked_with) == 3
    assert terminal.balances[Account.SUSPENSE] == -20_000
    assert "预交金已收，尚未到账，请不要再交" in terminal.papers[0]
    assert terminal.cash.dispenses == 0


@pytest.mark.parametrize("habit", ["ignores", "credits_silently"])
async def test_a_deposit_becomes_known_later(autojump_clock: MockClock, terminal: Terminal, habit: str) -> None:
    """Whether or not the hospital had it, the same key credits it once; its receipt waits for the same card."""
    terminal.office.deposit_habit = habit
    await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED))
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 1
    terminal.office.deposit_habit = "credits"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert list(terminal.office.deposits.values()) == [20_000]
    assert terminal.balances == {Account.CASH_BOX: 20_000, Account.HOSPITAL: -20_000}
    assert await terminal.visit("collect_receipt", choose_receipt=newest_paper(terminal)) is Outcome.DONE
    (paper,) = terminal.papers
    assert paper[0] == "住院预交金凭条"
    assert "补打" not in paper


async def test_the_kiosk_goes_on_telling_by_itself(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Between visits the deposit is told again until the hospital answers; never that of a visit that goes on."""
    terminal.office.deposit_habit = "ignores"
    await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED))
    live = {"000001"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            keep_driving_deposits, terminal.journal, terminal.clock, terminal.office, lambda: frozenset(live)
        )
        await trio.sleep(200)
        assert len(terminal.office.asked_with) == 3
        live.clear()
        await trio.sleep(200)
        terminal.office.deposit_habit = "credits"
        await trio.sleep(600)
        nursery.cancel_scope.cancel()
    assert list(terminal.office.deposits.values()) == [20_000]
    assert len({key for key, _ in terminal.office.asked_with}) == 1
    assert len(terminal.office.asked_with) < 12, "rarer and rarer"


async def test_a_deposit_refused_later_is_owed(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The hospital never had it and now says no: the holder's debt, registered, and a paper that says so."""
    terminal.office.deposit_habit = "ignores"
    await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED))
    terminal.office.deposit_habit = "refuses"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert terminal.balances == {Account.CASH_BOX: 20_000, Account.HOLDER_DEBT: -20_000}
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.owed_fen == 20_000


async def test_stopping_gives_the_notes_back(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The resident stops with a note inside: it comes back, and the hospital is never asked."""
    assert await terminal.visit("pay_inpatient_deposit", (5000,), feed_deposit=[None, "stop"]) is None
    assert terminal.cash.outlet == 5000
    assert terminal.office.asked_with == []
    assert "已退给您：¥ 50.00 元" in terminal.papers[0]


async def test_walking_away_makes_a_debt(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Nobody answers with a note inside: nothing is dispensed to whoever stands there, it is owed and written down."""
    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED,)) is None
    assert terminal.cash.dispenses == 0
    assert terminal.balances[Account.HOLDER_DEBT] == -10_000
    assert "还欠您：¥ 100.00 元" in terminal.papers[0]


async def test_no_note_is_taken_without_paper(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A receipt printer that is out costs the service and not a single note."""

    def out_of_paper(kiosk: KioskInMemory) -> None:
        kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")

    ended = await terminal.visit("pay_inpatient_deposit", (HUNDRED,), prepare=out_of_paper)
    assert ended is Outcome.UNAVAILABLE
    assert "note_intent" not in terminal.acts


async def test_a_receipt_that_does_not_come_is_kept(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The printer dies at the end: the deposit stands, and the next visit prints it, marked as a reprint."""

    def dies(kiosk: KioskInMemory) -> None:
        kiosk.receipts.fault = DeviceFault("receipt_printer", Health(Condition.FAULT, "paper_out"))

    assert await terminal.visit("pay_inpatient_deposit", (HUNDRED, HUNDRED), prepare=dies) is Outcome.DONE
    assert await terminal.visit("collect_receipt", choose_receipt=newest_paper(terminal)) is Outcome.DONE
    (paper,) = terminal.papers
    assert paper[:2] == ["住院预交金凭条", "补打"]
    assert "终端 YKT-0001，编号 0000 01" in paper or any("0000 01" in line for line in paper)


def newest_paper(terminal: Terminal) -> str:
    """The answer by which the newest paper that is owed is chosen."""
    from kiosk.money.receipts_owed import receipts_owed

    owed = receipts_owed(terminal.journal, terminal.kiosk.reader.identity.card_number)
    return str(owed[-1].paper)
