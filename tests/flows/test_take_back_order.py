"""A bill that was left is taken back by the same card and PIN, while it waits and not a moment longer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.entries import AlreadyClosed
from kiosk.domain.money import Fen
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.settlement_orders import TAKEN_BACK, open_orders, order_of
from kiosk.money.take_back_order import may_take_back, take_back
from kiosk.ports import Outcome
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from offline_queue.verify import verify
from tests.flows.hospital import deliver_all
from tests.flows.money import Fuse
from tests.flows.orders import BY_ACCOUNT, OrderTerminal
from tests.flows.owed import NOW

TAKES_BACK = {"order_already_left": "take_back", "order_take_back": "take_back", "order_taken_back": "understood"}
TOO_LATE = {"order_too_late": "understood"}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[OrderTerminal]:
    made = OrderTerminal(tmp_path)
    yield made
    made.journal.close()


def card(terminal: OrderTerminal) -> str:
    return terminal.kiosk.reader.identity.card_number


async def test_notes_that_were_left_stay_the_holders(
    autojump_clock: MockClock, terminal: OrderTerminal, tmp_path: Path
) -> None:
    """Owed to the card and registered, with a paper that says so; the line comes back, nothing is settled, no case."""
    await terminal.leave(5000, 2000)
    assert await terminal.leave(**TAKES_BACK) is Outcome.DONE
    assert terminal.balances == {Account.CASH_BOX: 7000, Account.HOLDER_DEBT: -7000}
    (paper,) = terminal.papers
    assert "没有结算" in paper[0]
    assert any("您撤回了这张账单" in line for line in paper)
    assert any("70.00" in line for line in paper)
    assert receipts_owed(terminal.journal, card(terminal)) == ()
    await terminal.line_back()
    assert (terminal.office.settles, terminal.office.owed_fen, terminal.office.claims) == (0, 7000, {})
    assert terminal.journal.open_effects() == []
    assert terminal.journal.unsent() == (0, Fen(0))
    books = StaffBooks(tmp_path)
    assert books.open_cases() == ()
    books.close()


async def test_an_order_on_the_account_leaves_nothing_behind(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """No fen moves; the bill can be left again at once."""
    terminal.office.quote_split = BY_ACCOUNT
    await terminal.leave()
    assert await terminal.leave(**TAKES_BACK) is Outcome.DONE
    assert terminal.balances == {}
    assert await terminal.leave() is Outcome.DONE
    await terminal.line_back()
    assert terminal.office.settles == 1


async def test_who_goes_back_leaves_it(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """On either page: the order stays, and is settled when the line is back."""
    await terminal.leave(5000, 2000)
    await terminal.leave(order_already_left="understood")
    await terminal.leave(order_already_left="take_back", order_take_back="back")
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert terminal.acts.count(TAKEN_BACK) == 0


async def test_a_paper_that_does_not_come_out_is_owed(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """By the same card later, and not as a reprint: nothing of it was ever out."""
    await terminal.leave(5000)
    take_back(terminal.journal, terminal.forwarders_clock, open_orders(terminal.journal)[0])
    (owed,) = receipts_owed(terminal.journal, card(terminal))
    assert (owed.kind, owed.tried, owed.owed_fen) == ("order_ended", False, 5000)
    assert await terminal.visit("collect_receipt", choose_receipt=str(owed.paper)) is Outcome.DONE
    assert receipts_owed(terminal.journal, card(terminal)) == ()


# --- two processes, each with its connection --------------------------------------------------------------------------


@pytest.fixture
def other(terminal: OrderTerminal, tmp_path: Path) -> Iterator[SqliteJournal]:
    """The kiosk's connection; the terminal's own is the forwarder's."""
    opened = SqliteJournal(tmp_path, lambda: NOW)
    yield opened
    opened.close()


class TakesBack(Fuse):
    """At one moment of the forwarder's the kiosk tries to take the order back; ``won``: whether it did."""

    def __init__(self, terminal: OrderTerminal, kiosk: SqliteJournal, moment: str) -> None:
        super().__init__()
        self.won: list[bool] = []
        self._moment, self._kiosk, self._clock = moment, kiosk, terminal.forwarders_clock
        order = order_of(kiosk, card(terminal))
        assert order is not None
        self._order = order

    def burn(self, effect: str) -> None:
        super().burn(effect)
        if effect == self._moment and not self.won:
            offered = may_take_back(self._kiosk, self._order)
            try:
                take_back(self._kiosk, self._clock, self._order)
            except AlreadyClosed:
                self.won.append(False)
            else:
                self.won.append(True)
            assert self.won == [offered]


BEFORE = ("1101 asked", "bills asked", "claim asked", "claim answered", "2206 asked")
DURING = ("extend asked", "2207 asked", "2207 answered")


@pytest.mark.parametrize("moment", [*BEFORE, *DURING])
async def test_only_one_of_two_processes_wins(
    autojump_clock: MockClock, terminal: OrderTerminal, other: SqliteJournal, moment: str
) -> None:
    """Until the intent of its 2207 the order is its holder's, and nothing is sent; from there on the forwarder's. One
    end, every fen once, no lease forgotten, both read the same."""
    await terminal.leave(5000, 2000)
    tries = terminal.office.fuse = TakesBack(terminal, other, moment)
    await terminal.line_back()
    await deliver_all(terminal.journal, terminal.office)
    assert tries.won == [moment in BEFORE]
    assert terminal.office.settles == (0 if moment in BEFORE else 1)
    assert terminal.office.claims == {} or moment in DURING
    owed = 7000 if moment in BEFORE else 1000
    assert terminal.balances[Account.HOLDER_DEBT] == -owed
    assert terminal.balances.get(Account.SUSPENSE, 0) == 0
    assert terminal.office.owed_fen == owed
    assert terminal.acts.count(TAKEN_BACK) + terminal.acts.count("settled_late") == 1
    assert terminal.journal.open_effects() == other.open_effects() == []
    assert verify(other.database.connection(), None).whole


async def test_what_the_platform_owes_an_answer_is_not_taken_back(
    autojump_clock: MockClock, terminal: OrderTerminal, other: SqliteJournal
) -> None:
    """The 2207 went out and nobody answers: the order stays, and its holder is told not to pay elsewhere."""
    await terminal.leave(5000, 2000)
    terminal.office.behaviour = "ignores"
    terminal.office.platform_down = False
    await terminal.orders.run_once()
    order = order_of(other, card(terminal))
    assert order is not None and not may_take_back(other, order)
    with pytest.raises(AlreadyClosed):
        take_back(other, terminal.forwarders_clock, order)
    assert terminal.acts.count(TAKEN_BACK) == 0
