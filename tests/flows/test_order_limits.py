"""What the agency's documents and the clock let a resident leave without the line, asked before and at the commit."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, CardFinding, OfflinePolicy
from kiosk.hosts.not_connected import NotConnected
from kiosk.money.settlement_orders import ACT, open_orders
from kiosk.ports import Outcome
from offline_queue.journal import SqliteJournal
from tests.flows.orders import POLICY, OrderTerminal
from tests.flows.owed import NOW


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[OrderTerminal]:
    made = OrderTerminal(tmp_path)
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    ("finding", "clear_times", "last_page", "outlet"),
    [
        (CardFinding.LISTED, 0, "host_silent", 0),
        (CardFinding.NO_LIST, 0, "host_silent", 0),
        (CardFinding.LISTED, 2, "offline_ask_staff", 1000),
    ],
)
async def test_a_listed_card_leaves_nothing(
    autojump_clock: MockClock,
    terminal: OrderTerminal,
    finding: CardFinding,
    clear_times: int,
    last_page: str,
    outlet: int,
) -> None:
    """It is not even offered; a list that comes while notes go in stops it at the commit, and they come out again."""
    terminal.agency.finding, terminal.agency.clear_times = finding, clear_times
    assert await terminal.leave(1000, host_silent="understood") is Outcome.UNAVAILABLE
    assert terminal.kiosk.screen.names()[-1] == last_page
    assert open_orders(terminal.journal) == []
    assert terminal.cash.outlet == outlet


async def test_no_more_notes_than_the_policy_allows(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """The note that would be more than the card's limit stays out; what is inside is the order."""
    terminal.agency.rules = replace(POLICY, acts={ACT: ActLimits(Fen(6000), Fen(6000), 4)})
    assert await terminal.leave(5000, 5000, feed_order_notes=[None, "enough"]) is Outcome.DONE
    assert open_orders(terminal.journal)[0].held_fen == 5000
    assert "feed_order_notes" in terminal.kiosk.screen.names()
    await terminal.line_back()
    assert await terminal.leave(1000) is Outcome.DONE
    await terminal.line_back()
    assert await terminal.leave(1000, host_silent="understood") is Outcome.UNAVAILABLE
    assert terminal.kiosk.screen.names()[-1] == "host_silent"


@pytest.mark.parametrize(
    "rules",
    [None, replace(POLICY, issued_at=POLICY.issued_at - timedelta(days=9)), replace(POLICY, acts={})],
    ids=["none", "stale", "not allowed"],
)
async def test_without_a_policy_that_allows_it_nothing_is_offered(
    autojump_clock: MockClock, terminal: OrderTerminal, rules: OfflinePolicy | None
) -> None:
    """A policy that is missing, too old or says nothing of orders: the platform is silent, and that is all."""
    terminal.agency.rules = rules
    assert await terminal.leave(1000, host_silent="understood") is Outcome.UNAVAILABLE
    assert terminal.kiosk.screen.names()[-1] == "host_silent"
    assert terminal.balances == {}


@pytest.mark.parametrize(("behind", "last_page"), [(timedelta(days=2), "host_silent"), (timedelta(0), "order_left")])
async def test_a_clock_set_back_leaves_nothing(
    autojump_clock: MockClock, terminal: OrderTerminal, tmp_path: Path, behind: timedelta, last_page: str
) -> None:
    """The journal has seen a later day: until the clock is right again no money is taken without the line (rule 5)."""
    terminal.journal.close()
    terminal.journal = SqliteJournal(tmp_path, lambda: NOW + behind)
    terminal.journal.record("anything")
    await terminal.leave(1000, host_silent="understood")
    assert terminal.kiosk.screen.names()[-1] == last_page


async def test_a_limit_that_shrinks_meanwhile_gives_the_notes_back(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """The policy is judged again at the commit: too much by then is nothing left, and the notes come out."""
    terminal.agency.next_rules = replace(POLICY, acts={ACT: ActLimits(Fen(500), Fen(500), 4)})
    terminal.agency.reads_left = 4  # offered, begun, and twice how much
    assert await terminal.leave(1000, offline_act_too_large="understood") is Outcome.UNAVAILABLE
    assert open_orders(terminal.journal) == []
    assert terminal.cash.outlet == 1000
    assert terminal.balances == {Account.CASH_BOX: 1000, Account.DRUMS: -1000}


async def test_a_terminal_that_cannot_ask_ends_no_order(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Its counter of message ids is broken, say: that is no word of the platform, and the order waits until it is."""
    await terminal.leave(1000)
    asked, terminal.orders.medical_insurance = terminal.orders.medical_insurance, NotConnected("medical_insurance")
    await terminal.line_back(5)
    assert len(open_orders(terminal.journal)) == 1
    terminal.orders.medical_insurance = asked
    await terminal.line_back()
    assert open_orders(terminal.journal) == []
