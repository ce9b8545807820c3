"""Money that the register keeps for a holder: paid once, by the exit sensor's count, never offline, never twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition, Health
from kiosk.ports import Outcome
from tests.flows.fittings import FakeReader
from tests.flows.hospital import deliver_all
from tests.flows.money import CashMachine
from tests.flows.owed import Terminal
from tests.flows.people import KioskInMemory


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.journal.close()


async def collect(terminal: Terminal, voucher: str, **script: Any) -> Outcome | None:
    return await terminal.visit("collect_money", choose_debt=voucher, **script)


async def test_a_debt_is_paid_in_notes_and_confirmed(autojump_clock: MockClock, terminal: Terminal) -> None:
    """25 yuan come out, the register hears of it by the payout's key, and the receipt bears the voucher's number."""
    debt = terminal.office.owes(2500)
    assert await collect(terminal, debt.voucher_number) is Outcome.DONE
    assert terminal.cash.outlet == 2500
    assert terminal.balances == {Account.DRUMS: -2500, Account.HOLDER_DEBT: 2500}
    assert terminal.acts.index("payout_intent") < terminal.acts.index("debt_reserved")
    assert terminal.acts.index("debt_reserved") < terminal.acts.index("dispense_intent")
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.owed_fen == 0
    (paper,) = terminal.papers
    assert {"欠您的钱已付", "欠款凭证号：QK00000001", "已付纸币：¥ 25.00 元", "还欠您：¥ 0.00 元"} <= set(paper)


async def test_what_no_note_can_pay_stays_registered(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Of 12.50 the notes pay 12; the 0.50 stay under the same voucher, and page and paper say so."""
    debt = terminal.office.owes(1250)
    assert await collect(terminal, debt.voucher_number) is Outcome.DONE
    await deliver_all(terminal.journal, terminal.office)
    assert (terminal.cash.outlet, terminal.office.owed_fen) == (1200, 50)
    assert "还欠您：¥ 0.50 元" in terminal.papers[0]
    assert terminal.office.reserved_by == {}


async def test_nothing_is_kept_for_this_card(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Who is owed nothing is told so, with what to do if a paper says otherwise."""
    assert await terminal.visit("collect_money") is Outcome.DONE
    assert "no_debts" in terminal.kiosk.screen.names()
    assert "payout_intent" not in terminal.acts


async def test_offline_nothing_is_honoured(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A register that does not answer ends it before anything is asked of the dispenser (money-rules 19)."""
    debt = terminal.office.owes(2500)
    terminal.office.register_habit = "silent"
    assert await collect(terminal, debt.voucher_number) is Outcome.UNAVAILABLE
    assert terminal.cash.dispenses == 0
    assert "register_silent" in terminal.kiosk.screen.names()


async def test_a_reserve_elsewhere_blocks(autojump_clock: MockClock, terminal: Terminal) -> None:
    """What another terminal is just paying is not paid here, and the page says so plainly."""
    debt = terminal.office.owes(2500, reserved=True)
    assert await collect(terminal, debt.voucher_number) is Outcome.REFUSED
    assert terminal.cash.dispenses == 0
    assert "debt_reserved" in terminal.kiosk.screen.names()
    assert terminal.balances == {}
    assert terminal.journal.open_effects() == []


async def test_a_reserve_without_an_answer_is_given_back(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The register reserved and its answer was lost: nothing is paid, and it is given back by the same key."""
    debt = terminal.office.owes(2500)
    terminal.office.register_habit = "reserves_silently"
    assert await collect(terminal, debt.voucher_number) is Outcome.UNAVAILABLE
    assert terminal.cash.dispenses == 0
    assert len(terminal.office.reserved_by) == 1
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.reserved_by == {}
    assert terminal.office.owed_fen == 2500


async def test_the_exit_sensor_decides(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Nobody knows how many notes came out: suspense and a case, no voucher for it, and the reserve stays."""
    debt = terminal.office.owes(2500)
    terminal.cash.sensor_fails = True
    assert await collect(terminal, debt.voucher_number) is Outcome.UNKNOWN
    assert terminal.balances == {Account.HOLDER_DEBT: 2500, Account.SUSPENSE: -2500}
    await deliver_all(terminal.journal, terminal.office)
    assert len(terminal.office.reserved_by) == 1  # nobody else pays it until a person has looked
    assert "payout_uncertain" in terminal.kiosk.screen.names()
    assert "不确定是否付出：¥ 25.00 元" in terminal.papers[0]
    again = await collect(terminal, debt.voucher_number)
    assert again is Outcome.REFUSED
    assert terminal.cash.dispenses == 1


async def test_two_vouchers_of_one_visit_may_be_in_doubt(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A dispenser that serves on pays a second voucher, too: both are in one case, and both reserves stay."""
    debts = [terminal.office.owes(fen) for fen in (2500, 800)]
    terminal.cash.sensor_fails = True
    for debt in debts:
        terminal.visits = 0  # from the menu, in the same visit
        assert await collect(terminal, debt.voucher_number) is Outcome.UNKNOWN
    doubtful = [one for one in terminal.journal.entries() if one.act == "payout_uncertain"]
    assert [(one.facts or {})["unaccounted_fen"] for one in doubtful] == [2500, 800]
    assert len({one.case_code for one in doubtful}) == 1
    await deliver_all(terminal.journal, terminal.office)
    assert len(terminal.office.reserved_by) == 2


async def test_a_dispenser_that_refuses_leaves_the_debt(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Surely nothing came out: it stays registered, is free again, and no paper is owed."""
    debt = terminal.office.owes(2500)
    terminal.cash.busy_times = 99
    assert await collect(terminal, debt.voucher_number) is Outcome.UNAVAILABLE
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.reserved_by == {}
    assert terminal.office.owed_fen == 2500
    assert terminal.balances == {}
    assert terminal.papers == []
    assert "payout_failed" in terminal.kiosk.screen.names()


async def test_a_machine_without_notes_says_where_to_go(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Drums that are empty pay nothing: no reserve, no try, and the counter is named."""
    debt = terminal.office.owes(2500)
    terminal.cash.drums = CashMachine({}).drums
    assert await collect(terminal, debt.voucher_number) is Outcome.UNAVAILABLE
    assert "debt_not_in_notes" in terminal.kiosk.screen.names()
    assert "payout_intent" not in terminal.acts


async def test_nothing_goes_out_without_paper(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Money that could not be written down stays where it is."""
    debt = terminal.office.owes(2500)

    def out_of_paper(kiosk: KioskInMemory) -> None:
        kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")

    ended = await terminal.visit("collect_money", choose_debt=debt.voucher_number, prepare=out_of_paper)
    assert ended is Outcome.UNAVAILABLE
    assert terminal.cash.dispenses == 0


class SwappedReader(FakeReader):
    """Another card lies in it by now, and its watch saw nothing."""

    async def same_card(self, identity: CardIdentity) -> bool:
        return False


async def test_another_card_in_the_slot_gets_nothing(autojump_clock: MockClock, terminal: Terminal) -> None:
    """A quick swap that the reader's watch did not see ends the visit before anything is reserved."""
    debt = terminal.office.owes(2500)
    terminal.make_reader = SwappedReader
    assert await collect(terminal, debt.voucher_number) is None
    assert "payout_intent" not in terminal.acts
    assert terminal.office.reserved_by == {}


async def test_an_amount_that_changed_is_looked_at_again(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The counter paid a part while the resident read the page: nothing is paid on the old figure."""
    debt = terminal.office.owes(2500)
    terminal.office.counter_pays = 1000
    assert await collect(terminal, debt.voucher_number) is Outcome.REFUSED
    assert terminal.cash.dispenses == 0
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.reserved_by == {}
    assert terminal.office.owed_fen == 1500


async def test_change_that_was_owed_is_collected_later(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Notes that could not be given back are a debt here, reach the register, and come out by the same card and PIN."""
    terminal.cash.drums = CashMachine({}).drums
    await terminal.visit("pay_inpatient_deposit", (5000,), feed_deposit=[None, "stop"])
    assert terminal.balances[Account.HOLDER_DEBT] == -5000
    await deliver_all(terminal.journal, terminal.office)
    terminal.cash.drums = CashMachine({5000: 1}).drums
    assert await collect(terminal, "QK00000001") is Outcome.DONE
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.cash.outlet == 5000
    assert terminal.office.owed_fen == 0
    assert terminal.balances == {Account.CASH_BOX: 5000, Account.DRUMS: -5000}
