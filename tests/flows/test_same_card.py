"""Pins-and-keys 12: a quick swap that the reader's watch missed ends every service before its next money intent."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.ports import CardGone, DeviceFault
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.fittings import FakeReader
from tests.flows.owed import Terminal

CASH: dict[str, Any] = {"choose_means": "cash"}
CARD: dict[str, Any] = {"choose_means": "bank_card"}
MONEY_INTENTS = {"note_intent", "settle_intent", "deposit_intent", "bank_intent", "dispense_intent", "payout_intent"}


def swapped_after(looks: int) -> type[FakeReader]:
    """A reader whose card is another one after so many looks at it; its watch says nothing."""

    class Swapped(FakeReader):
        left = looks

        async def same_card(self, identity: CardIdentity) -> bool:
            self.left -= 1
            return self.left >= 0 and await super().same_card(identity)

    return Swapped


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "journal")
    made.bank = BankOffice(tmp_path / "bank", account(balance_fen=100_000))
    yield made
    made.journal.close()
    made.bank.close()


@pytest.mark.parametrize(
    ("service", "script"),
    [
        ("settle_medical_bill", CASH),
        ("settle_medical_bill", CARD),
        ("pay_inpatient_deposit", CASH),
        ("pay_inpatient_deposit", CARD),
        ("collect_money", {}),
    ],
    ids=["bill in notes", "bill by card", "deposit in notes", "deposit by card", "collecting"],
)
async def test_another_card_moves_no_money(
    service: str, script: dict[str, Any], autojump_clock: MockClock, terminal: Terminal
) -> None:
    """Swapped after the PIN: the visit ends, no intent is written, no bill stays claimed, nothing comes out."""
    debt = terminal.office.owes(2500)
    terminal.make_reader = swapped_after(0)
    ended = await terminal.visit(service, (10_000, 10_000), choose_debt=debt.voucher_number, **script)
    assert ended is None
    assert not MONEY_INTENTS & set(terminal.acts)
    assert (terminal.balances, terminal.cash.outlet, terminal.office.claims) == ({}, 0, {})


@pytest.mark.parametrize("fails", [CardGone(), DeviceFault("card_reader", Health(Condition.ABSENT, "unplugged"))])
@pytest.mark.parametrize("service", ["settle_medical_bill", "collect_money"])
async def test_a_card_that_cannot_be_asked_moves_no_money(
    service: str, fails: Exception, autojump_clock: MockClock, terminal: Terminal
) -> None:
    """It fell silent, or its reader did, after the PIN: that is not the same card, whatever the watch says."""

    class Silent(FakeReader):
        async def same_card(self, identity: CardIdentity) -> bool:
            raise fails

    debt = terminal.office.owes(2500)
    terminal.make_reader = Silent
    assert await terminal.visit(service, (10_000, 10_000), choose_debt=debt.voucher_number, **CASH) is None
    assert not MONEY_INTENTS & set(terminal.acts)
    assert (terminal.balances, terminal.cash.outlet, terminal.office.claims) == ({}, 0, {})


async def test_swapped_where_the_account_alone_pays(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Nobody's personal account is booked by somebody else's PIN."""
    terminal.office.quote_split = replace(terminal.office.quote_split, cash_fen=Fen(0), account_fen=Fen(15_000))
    terminal.make_reader = swapped_after(0)
    assert await terminal.visit("settle_medical_bill") is None
    assert (terminal.office.settles, terminal.office.claims) == (0, {})


@pytest.mark.parametrize(
    ("service", "notes", "looks"),
    [("settle_medical_bill", (5000, 1000), 2), ("pay_inpatient_deposit", (10_000, 10_000), 2)],
)
async def test_swapped_with_notes_inside(
    service: str, notes: tuple[int, ...], looks: int, autojump_clock: MockClock, terminal: Terminal
) -> None:
    """All notes are in, and another card is in the slot: they are the first one's, as a debt, and nobody is paid."""
    terminal.make_reader = swapped_after(looks)
    assert await terminal.visit(service, notes, **CASH) is None
    assert not {"settle_intent", "deposit_intent", "dispense_intent"} & set(terminal.acts)
    assert terminal.balances == {Account.CASH_BOX: sum(notes), Account.HOLDER_DEBT: -sum(notes)}
    assert terminal.cash.outlet == 0


async def test_swapped_between_two_notes(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The second note is not taken from whoever put in another card."""
    terminal.make_reader = swapped_after(1)
    assert await terminal.visit("settle_medical_bill", (5000, 1000), **CASH) is None
    assert terminal.acts.count("note_intent") == 1
    assert terminal.balances == {Account.CASH_BOX: 5000, Account.HOLDER_DEBT: -5000}


async def test_swapped_between_the_platform_and_the_bank(autojump_clock: MockClock, terminal: Terminal) -> None:
    """2207 is booked and another card is there: it pays nothing, and the settlement is undone."""
    terminal.make_reader = swapped_after(1)
    assert await terminal.visit("settle_medical_bill", **CARD) is None
    assert "settled_unpaid" in terminal.acts and "bank_intent" not in terminal.acts
    assert (terminal.office.booked, terminal.office.claims, terminal.balances) == ({}, {}, {})
