"""Money owed by hospital and agency: each is kept, shown, paid and told where it was for (money-rules 19)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry
from kiosk.domain.settlement import HOSPITAL
from kiosk.money.debt_payout import owes_here
from kiosk.money.debts import AGENCY, DebtRegisters
from kiosk.money.recover import recover_books
from kiosk.ports import HostRefused, Outcome, OutcomeUnknown
from tests.flows.fittings import FakeReader
from tests.flows.hospital import HospitalOffice
from tests.flows.owed import Terminal

CARD: CardIdentity = FakeReader().identity


class TwoRegisters(Terminal):
    """Both number their vouchers from one on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.agency = HospitalOffice()
        self.office.owes(1000)
        self.agency.owes(2000, "contribution")
        self.both = self.registers = DebtRegisters({HOSPITAL: self.office, AGENCY: self.agency})


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[TwoRegisters]:
    made = TwoRegisters(tmp_path)
    yield made
    made.journal.close()


async def test_the_agencys_debt_is_paid_and_told_there(autojump_clock: MockClock, terminal: TwoRegisters) -> None:
    """The same voucher number at the hospital is another debt and stays as it is."""
    paid = await terminal.visit("collect_money", choose_debt=f"{AGENCY} QK00000001")
    assert paid is Outcome.DONE
    assert terminal.cash.outlet == 2000
    assert terminal.office.reserved_by == {}
    notice = terminal.journal.outbox.due(AGENCY)
    assert notice is not None
    assert (notice.act, notice.facts["paid_fen"]) == ("debt_confirm", 2000)
    assert terminal.journal.outbox.due(HOSPITAL) is None


async def test_a_silent_register_hides_nothing_that_the_other_knows(terminal: TwoRegisters) -> None:
    """What is known is shown; only where nothing is known does silence count."""
    terminal.office.register_habit = "silent"
    assert [debt.register for debt in (await terminal.both.found_for(CARD)).debts] == [AGENCY]
    terminal.agency.register_habit = "silent"
    with pytest.raises(OutcomeUnknown):
        await terminal.both.found_for(CARD)


async def test_a_register_that_refuses_hides_nothing_either(terminal: TwoRegisters) -> None:
    """An agency that keeps no register yet does not keep a holder from what the hospital owes; alone it is told."""
    terminal.agency.register_habit = "refuses"
    assert [debt.register for debt in (await terminal.both.found_for(CARD)).debts] == [HOSPITAL]
    terminal.office.register_habit = "refuses"
    with pytest.raises(HostRefused):
        await terminal.both.found_for(CARD)


def owe(terminal: TwoRegisters, register: str, of_before: bool = False) -> None:
    """Written down by this terminal. ``of_before``: as a program of before did it."""
    act = "contribution_begun" if register == AGENCY else "claimed"
    code = "800001" if register == AGENCY else "800002"
    terminal.journal.commit(NewEntry(act, code, {}, CARD.card_number))
    facts: dict[str, str | int] = {"amount_fen": 1000, "reason": "change", "key": register}
    facts |= {} if of_before else {"register": register}
    terminal.journal.commit(NewEntry("debt_owed", code, facts, CARD.card_number))


def waits(terminal: TwoRegisters) -> bool:
    return owes_here(terminal.journal, CARD.card_number)


@pytest.mark.parametrize("of_before", [False, True])
@pytest.mark.parametrize(
    ("owed_by", "silent", "still_waits"),
    [
        (HOSPITAL, AGENCY, False),
        (AGENCY, AGENCY, True),
        (AGENCY, "", False),
        (HOSPITAL, HOSPITAL, True),
    ],
)
async def test_what_a_silent_register_owes_still_waits(
    autojump_clock: MockClock, terminal: TwoRegisters, owed_by: str, silent: str, still_waits: bool, of_before: bool
) -> None:
    """The tile stays as long as the register of the debt has not been asked with an answer; the other one's is seen."""
    owe(terminal, owed_by, of_before)
    assert waits(terminal)
    office = {HOSPITAL: terminal.office, AGENCY: terminal.agency}.get(silent)
    if office:
        office.register_habit = "silent"
    await terminal.visit("collect_money", choose_debt="back")
    page = next(page for page in terminal.kiosk.screen.asked if page.name == "choose_debt")
    assert bool(page.explain) is bool(silent)
    assert waits(terminal) is still_waits
    if office:
        office.register_habit = "answers"
    await terminal.visit("collect_money", choose_debt="back")
    assert not waits(terminal)


async def test_each_register_is_seen_in_its_own_time(autojump_clock: MockClock, terminal: TwoRegisters) -> None:
    """Silent in turn: after both visits nothing of an older time waits, and what is owed since then does."""
    owe(terminal, AGENCY)
    for office in (terminal.office, terminal.agency):
        office.register_habit = "silent"
        await terminal.visit("collect_money", choose_debt="back")
        office.register_habit = "answers"
    assert not waits(terminal)
    owe(terminal, AGENCY)
    assert waits(terminal)


@pytest.mark.parametrize(("ended", "register"), [(True, HOSPITAL), (False, AGENCY)])
async def test_a_power_cut_owes_where_the_service_was_for(terminal: TwoRegisters, ended: bool, register: str) -> None:
    """A contribution was paid, then a bill in the same visit: its notes are owed by the hospital, not by the agency."""
    journal, code, card = terminal.journal, "000001", CARD.card_number
    journal.commit(NewEntry("contribution_begun", code, {}, card))
    if ended:
        journal.record("service_ended", code, service="pay_contributions")
        journal.commit(NewEntry("contribution_credited_late", code, {}, card))  # by the other process
    fed = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    journal.commit(NewEntry("note_credited", code, {}, card, fed))
    recover_books(journal, terminal.clock)
    assert [bool(journal.outbox.due(one)) for one in (HOSPITAL, AGENCY)] == [register == HOSPITAL, register == AGENCY]
