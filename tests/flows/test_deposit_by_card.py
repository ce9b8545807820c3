"""An inpatient deposit by bank card: the real client over the sandbox bank, in memory; both hosts' books agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.settlement import PaidBy
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_deposits import drive_deposits
from kiosk.ports import Outcome
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.owed import Terminal

BY_CARD: dict[str, Any] = {"choose_means": "bank_card"}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "journal")
    made.bank = BankOffice(tmp_path / "bank", account(balance_fen=100_000))
    yield made
    made.journal.close()
    made.bank.close()


def bank_of(terminal: Terminal) -> BankOffice:
    assert terminal.bank is not None
    return terminal.bank


async def test_a_deposit_by_card_is_credited(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The bank pays, the hospital credits, no note moves, and the receipt names the payment at the bank."""
    assert await terminal.visit("pay_inpatient_deposit", **BY_CARD) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [20_000]
    assert bank_of(terminal).taken_fen == 20_000
    (told,) = terminal.office.deposits_by
    (intent,) = [one for one in terminal.journal.entries() if one.act == "deposit_intent"]
    assert intent.facts is not None
    assert (told.means, told.trace_number) == ("bank_card", intent.facts["bank_trace_number"])
    assert told.reference == intent.facts["bank_reference"] != ""
    assert terminal.balances == {Account.BANK_CLEARING: 20_000, Account.HOSPITAL: -20_000}
    assert terminal.journal.open_effects() == []
    (paper,) = terminal.papers
    assert "银行卡支付：¥ 200.00 元" in paper
    assert not any("找零" in line for line in paper)


async def test_a_refused_deposit_goes_back_to_the_card(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The hospital's no is final: the bank gives it back to the same card, no note comes out, and the paper says so."""
    terminal.office.deposit_habit = "refuses"
    assert await terminal.visit("pay_inpatient_deposit", **BY_CARD) is Outcome.REFUSED
    assert bank_of(terminal).taken_fen == 0
    assert terminal.balances == {}
    assert terminal.cash.dispenses == 0
    (paper,) = terminal.papers
    assert paper[0] == "住院预交金，没有入账"
    assert any(line.startswith("退回银行卡") for line in paper), paper


async def test_what_the_bank_does_not_give_back_is_a_case(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Refused, and the bank is silent when it is to give it back: suspense, never notes, and the paper says so."""
    terminal.office.deposit_habit = "refuses"
    terminal.office.before_deposit = lambda: bank_of(terminal).mute.update({"0200": 9, "0220": 9})
    assert await terminal.visit("pay_inpatient_deposit", **BY_CARD) is Outcome.REFUSED
    assert terminal.balances.get(Account.SUSPENSE) == -20_000
    assert terminal.cash.dispenses == 0
    assert "银行卡支付，核实中：¥ 200.00 元" in terminal.papers[0]


async def test_a_silent_hospital_keeps_the_cards_money_in_suspense(
    autojump_clock: MockClock, terminal: Terminal
) -> None:
    """The bank paid and the hospital is silent: driven by the key, credited once, and nothing is reversed meanwhile."""
    terminal.office.deposit_habit = "ignores"
    assert await terminal.visit("pay_inpatient_deposit", **BY_CARD) is Outcome.UNKNOWN
    assert terminal.balances == {Account.BANK_CLEARING: 20_000, Account.SUSPENSE: -20_000}
    await drive_bank(terminal.journal, terminal.kiosk.desk.bank, terminal.kiosk.desk.log)
    assert bank_of(terminal).taken_fen == 20_000
    terminal.office.deposit_habit = "credits"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert terminal.balances == {Account.BANK_CLEARING: 20_000, Account.HOSPITAL: -20_000}


async def test_a_late_no_leaves_the_cards_money_to_a_person(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Bank money is never a debt in notes: it waits in suspense as a case (money-rules 18)."""
    terminal.office.deposit_habit = "ignores"
    await terminal.visit("pay_inpatient_deposit", **BY_CARD)
    terminal.office.deposit_habit = "refuses"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert terminal.balances == {Account.BANK_CLEARING: 20_000, Account.SUSPENSE: -20_000}
    assert terminal.journal.outbox.due("hospital") is None


async def test_declined_and_paid_in_notes(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The bank says no, notes say yes: one deposit, in cash, and the account is as it was."""
    script = {"choose_means": "bank_card", "card_not_paid": "cash", "choose_deposit": "200000"}
    notes = (10_000,) * 20
    assert await terminal.visit("pay_inpatient_deposit", notes, **script) is Outcome.DONE
    assert list(terminal.office.deposits.values()) == [200_000]
    assert terminal.office.deposits_by == [PaidBy("cash")]
    assert bank_of(terminal).taken_fen == 0
    assert terminal.balances == {Account.CASH_BOX: 200_000, Account.HOSPITAL: -200_000}


async def test_a_bank_that_never_answers_deposits_nothing(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Neither payment nor reversal is answered: the hospital is never asked, and a paper says that the bank is."""
    bank_of(terminal).mute |= {"0200": 1, "0400": 3}
    script = {**BY_CARD, "deposit_bank_silent": "understood"}
    assert await terminal.visit("pay_inpatient_deposit", **script) is Outcome.UNKNOWN
    assert terminal.office.asked_with == []
    assert terminal.papers[0][0] == "住院预交金，没有交成"
    await drive_bank(terminal.journal, terminal.kiosk.desk.bank, terminal.kiosk.desk.log)
    assert bank_of(terminal).taken_fen == 0
