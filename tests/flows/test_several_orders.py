"""Orders of several residents: one that cannot be asked about holds up no other, and none counts as told too early."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.card import Holder, Sex
from kiosk.domain.entries import Facts, NewEntry, OwedNotice
from kiosk.domain.money import Fen
from kiosk.domain.settlement import InsuredPerson, Settlement, Split
from kiosk.money.means import ACCOUNT
from kiosk.money.settlement_orders import open_orders, order_entry
from kiosk.ports import HostRefused, Outcome, OutcomeUnknown, Visit
from tests.flows.fittings import FakeReader
from tests.flows.money import BILL
from tests.flows.orders import OrderTerminal

NEIGHBOUR = replace(FakeReader().identity, card_number="D10000009")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[OrderTerminal]:
    made = OrderTerminal(tmp_path)
    yield made
    made.journal.close()


def neighbour_leaves(terminal: OrderTerminal) -> None:
    """By the account alone, without the pages."""
    visit = Visit(NEIGHBOUR, Holder("", "", Sex.UNKNOWN, "", None), "900001")
    terminal.journal.commit(order_entry(visit, terminal.clock, BILL, ACCOUNT, Fen(25_000)))


async def test_one_that_is_never_answered_lets_the_others_go_first(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """The platform says of the oldest what we cannot read, again and again: the next order is settled all the same."""
    ask = terminal.office.person

    async def not_of_the_neighbour(card: Any, holder: Any) -> InsuredPerson:
        if card.card_number == NEIGHBOUR.card_number:
            raise OutcomeUnknown("medical_insurance", "infcode -1")
        return await ask(card, holder)

    terminal.office.person = not_of_the_neighbour  # type: ignore[method-assign]
    neighbour_leaves(terminal)
    await terminal.leave(5000, 2000)
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert [one.card.card_number for one in open_orders(terminal.journal)] == [NEIGHBOUR.card_number]


async def test_a_platform_that_is_busy_ends_no_order(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """It sends 2207 away and asks to come again: that is no refusal of the bill, which is settled the next time."""
    settle, busy = terminal.office.settle, [5.0]

    async def come_again(*asked: Any) -> Settlement:
        if busy:
            raise HostRefused("medical_insurance", "too_many_requests", retry_after_s=busy.pop())
        return await settle(*asked)

    terminal.office.settle = come_again  # type: ignore[method-assign,assignment]
    await terminal.leave(5000, 2000)
    await terminal.line_back()
    assert (terminal.office.settles, open_orders(terminal.journal)) == (1, [])
    assert "settlement_order_over" in terminal.acts


class LeftMeanwhile:
    """An outbox that is looked at just when the kiosk's process commits an order."""

    def __init__(self, terminal: OrderTerminal) -> None:
        self._terminal, self._outbox = terminal, terminal.journal.outbox

    def due_together(self, host: str, most: int) -> list[OwedNotice]:
        if not open_orders(self._terminal.journal):
            neighbour_leaves(self._terminal)
        return self._outbox.due_together(host, most)

    def told(self, *keys: str) -> None:
        self._outbox.told(*keys)

    def unanswered(self, *keys: str) -> None:
        self._outbox.unanswered(*keys)


async def test_one_that_is_left_between_two_looks_stays_unsent(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """The kiosk commits it while the forwarder looks for what is over: it counts until it is over itself."""
    terminal.office.platform_down = True
    terminal.orders.outbox = LeftMeanwhile(terminal)  # type: ignore[assignment]  # all of it that orders ask
    await terminal.orders.run_once()
    assert terminal.journal.unsent()[0] == 1


def another_2207_begins(terminal: OrderTerminal) -> None:
    """While the platform is asked for its quote, the other process sends one for the same person."""
    ask, person = terminal.office.quote, terminal.office.insured.person_number
    facts: Facts = {"message_id": "m900", "person_number": person}

    async def meanwhile(*asked: Any) -> Split:
        if not any(one.act == "settle_intent" for one in terminal.journal.open_effects()):
            card = terminal.kiosk.reader.identity.card_number
            terminal.journal.commit(NewEntry("settle_intent", "900001", facts, card, opens="m900"))
        return await ask(*asked)

    terminal.office.quote = meanwhile  # type: ignore[method-assign,assignment]


async def test_a_visit_sends_no_2207_beside_an_orders(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Asked about again after the notes went in (rule 21): nothing is sent, and the notes come back."""
    another_2207_begins(terminal)
    assert await terminal.visit("settle_medical_bill", (5000, 1000)) is Outcome.REFUSED
    assert terminal.office.settles == 0
    assert terminal.cash.outlet == 6000


async def test_an_order_sends_no_2207_beside_a_visits(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Asked about again after the quote: the order waits, and keeps its consent."""
    await terminal.leave(5000, 2000)
    another_2207_begins(terminal)
    terminal.office.platform_down = False
    await terminal.orders.run_once()
    assert terminal.office.settles == 0
    assert len(open_orders(terminal.journal)) == 1
