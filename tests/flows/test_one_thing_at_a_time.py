"""Money-rules 21, at every door: an open 0400 closes this terminal's bank, an open 2601 the platform for a person."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.entries import NewEntry
from kiosk.ports import Outcome
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.money import PERSON
from tests.flows.owed import Terminal

BY_CARD: dict[str, Any] = {"choose_means": "bank_card", "deposit_bank_silent": "understood"}
BILL_NOTES = (5000, 1000)
DEPOSIT_NOTES = (10_000, 10_000)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "journal")
    made.bank = BankOffice(tmp_path / "bank", account(balance_fen=100_000))
    yield made
    made.journal.close()
    made.bank.close()


async def leave_a_reversal_open(terminal: Terminal) -> BankOffice:
    """Somebody's purchase and its three reversals were never answered."""
    bank = terminal.bank
    assert bank is not None
    bank.mute |= {"0200": 1, "0400": 9}
    assert await terminal.visit("pay_inpatient_deposit", **BY_CARD) is Outcome.UNKNOWN
    assert [one.act for one in terminal.journal.open_effects()] == ["bank_intent"]
    return bank


@pytest.mark.parametrize(
    ("service", "notes"), [("settle_medical_bill", BILL_NOTES), ("pay_inpatient_deposit", DEPOSIT_NOTES)]
)
async def test_an_open_reversal_leaves_notes_alone(
    service: str, notes: tuple[int, ...], autojump_clock: MockClock, terminal: Terminal
) -> None:
    """Nobody is asked for a means: notes are the only one, they work, and the bank hears nothing of it."""
    bank = await leave_a_reversal_open(terminal)
    heard = len(bank.host.heard)
    assert await terminal.visit(service, notes) is Outcome.DONE
    assert "choose_means" not in terminal.kiosk.screen.names()
    assert len(bank.host.heard) == heard


async def test_an_open_reversal_is_no_hindrance_to_collect_money(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Paying out what the register keeps asks no bank."""
    bank = await leave_a_reversal_open(terminal)
    heard, debt = len(bank.host.heard), terminal.office.owes(2500)
    assert await terminal.visit("collect_money", choose_debt=debt.voucher_number) is Outcome.DONE
    assert (len(bank.host.heard), terminal.cash.outlet) == (heard, 2500)


def leave_a_2207_open(terminal: Terminal, person: str = PERSON.person_number) -> None:
    """A settlement that nobody knows of, and its 2601 without an answer."""
    facts = {"message_id": "m0", "person_number": person}
    terminal.journal.commit(NewEntry("settle_intent", "700001", facts, "C-other", opens="m0"))
    told = {"message_id": "m1", "original": "m0"}
    terminal.journal.commit(NewEntry("reversal_intent", "700001", told, opens="m1"))


async def test_an_open_2601_stops_the_next_bill_of_that_person(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Before a bill is claimed, before a note is taken: a page says that the earlier one is still being checked."""
    leave_a_2207_open(terminal)
    assert await terminal.visit("settle_medical_bill", BILL_NOTES) is Outcome.REFUSED
    (page,) = [one for one in terminal.kiosk.screen.asked if one.name == "host_refused"]
    assert "still being checked" in page.explain[0].msgid
    assert terminal.office.claims == {}
    assert not {"claim_intent", "note_intent", "settle_intent"} & {
        one.act for one in terminal.journal.entries() if one.case_code == "000001"
    }


async def test_an_open_2601_stops_nobody_else(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The next resident pays."""
    leave_a_2207_open(terminal, "psn-of-somebody-else")
    assert await terminal.visit("settle_medical_bill", BILL_NOTES, choose_means="cash") is Outcome.DONE


async def test_an_open_2601_stops_neither_deposit_nor_collecting(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The platform has no part in either."""
    leave_a_2207_open(terminal)
    assert await terminal.visit("pay_inpatient_deposit", DEPOSIT_NOTES, choose_means="cash") is Outcome.DONE
    debt = terminal.office.owes(2500)
    assert await terminal.visit("collect_money", choose_debt=debt.voucher_number) is Outcome.DONE
    assert terminal.balances[Account.HOSPITAL] == -20_000
