"""Money owed by hospital and agency: each is kept, shown, paid and told where it was for (money-rules 19)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry
from kiosk.domain.settlement import HOSPITAL
from kiosk.money.debts import AGENCY, DebtRegisters
from kiosk.money.recover import recover_books
from kiosk.ports import HostRefused, Outcome, OutcomeUnknown
from tests.flows.hospital import HospitalOffice
from tests.flows.owed import Terminal
from tests.flows.people import FakeReader

CARD: CardIdentity = FakeReader().identity


class TwoRegisters(Terminal):
    """Both number their vouchers from one on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.agency = HospitalOffice()
        self.office.owes(1000)
        self.agency.owes(2000, "contribution")
        self.register = DebtRegisters({HOSPITAL: self.office, AGENCY: self.agency})


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
    assert [debt.register for debt in await terminal.register.of_card(CARD)] == [AGENCY]
    terminal.agency.register_habit = "silent"
    with pytest.raises(OutcomeUnknown):
        await terminal.register.of_card(CARD)


async def test_a_register_that_refuses_hides_nothing_either(terminal: TwoRegisters) -> None:
    """An agency that keeps no register yet does not keep a holder from what the hospital owes; alone it is told."""
    terminal.agency.register_habit = "refuses"
    assert [debt.register for debt in await terminal.register.of_card(CARD)] == [HOSPITAL]
    terminal.office.register_habit = "refuses"
    with pytest.raises(HostRefused):
        await terminal.register.of_card(CARD)


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
