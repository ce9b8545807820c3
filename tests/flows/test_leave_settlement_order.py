"""Bills that are left to be settled when the line is back: what residents see, and what becomes of order and cash."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account
from kiosk.domain.entries import Facts, NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits
from kiosk.domain.settlement import StatementRow
from kiosk.money.close_proven import Detail, close_proven
from kiosk.money.live_cases import live_cases
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.settlement_orders import ACT, open_orders
from kiosk.ports import Outcome
from offline_queue.staff_books import StaffBooks
from tests.flows.money import BILL, QUOTE
from tests.flows.orders import BY_ACCOUNT, LEAVE_NOTES, POLICY, OrderTerminal
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY

CASE = "000001"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[OrderTerminal]:
    made = OrderTerminal(tmp_path)
    yield made
    made.journal.close()


def card(terminal: OrderTerminal) -> str:
    return terminal.kiosk.reader.identity.card_number


def facts_of(terminal: OrderTerminal, act: str) -> dict[str, str | int]:
    found = [entry.facts for entry in terminal.journal.entries() if entry.act == act]
    assert len(found) == 1 and found[0] is not None
    return found[0]


async def test_notes_that_cover_the_part_settle_the_bill_later(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """Received and not settled while the line is down; settled once within the consent; what is too much is owed."""
    assert await terminal.leave(5000, 2000) is Outcome.DONE
    assert terminal.office.settles == 0
    assert terminal.balances == {Account.CASH_BOX: 7000, Account.SUSPENSE: -7000}
    (paper,) = terminal.papers
    assert "已收下，尚未结算" in paper[0]
    assert any("70.00" in line for line in paper)
    assert terminal.journal.unsent() == (1, Fen(7000))

    await terminal.line_back()
    assert terminal.office.settles == 1
    assert terminal.balances == {Account.CASH_BOX: 7000, Account.HOSPITAL: -6000, Account.HOLDER_DEBT: -1000}
    assert terminal.office.means == ["cash"]
    assert terminal.office.owed_fen == 1000
    assert terminal.journal.open_effects() == []
    assert terminal.journal.unsent() == (0, Fen(0))


async def test_the_final_receipt_prints_by_the_same_card(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """It stands in the place of the paper that said "not settled", and is no reprint."""
    await terminal.leave(5000, 2000)
    await terminal.line_back()
    (owed,) = receipts_owed(terminal.journal, card(terminal))
    assert (owed.kind, owed.tried, owed.owed_fen) == ("bill", False, 1000)
    assert await terminal.visit("collect_receipt", choose_receipt=str(owed.paper)) is Outcome.DONE
    assert terminal.papers[0][0] == "医疗费结算凭条"
    assert receipts_owed(terminal.journal, card(terminal)) == ()


async def test_by_the_account_alone(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """No note is asked for, and the account pays what the platform says, up to what was agreed."""
    terminal.office.quote_split = BY_ACCOUNT
    assert await terminal.leave() is Outcome.DONE
    assert facts_of(terminal, "settlement_ordered")["most_fen"] == BILL.total_fen
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert terminal.office.means == ["account"]
    assert terminal.balances == {}


@pytest.mark.parametrize(
    ("notes", "quote"),
    [
        ((5000,), QUOTE),  # 60.00 in cash is due, 50.00 were left
        ((), QUOTE),  # the account alone was to pay
        ((), replace(BY_ACCOUNT, fund_fen=Fen(4_000), account_fen=Fen(21_000))),  # and pays more than was agreed
    ],
)
async def test_beyond_the_consent_nothing_is_settled(
    autojump_clock: MockClock, terminal: OrderTerminal, notes: tuple[int, ...], quote: object
) -> None:
    """The bill is free again, the cash is the holder's and registered, a paper waits, and a person has the case."""
    terminal.office.quote_split = quote  # type: ignore[assignment] # a Split of the parameters
    terminal.agency.rules = replace(POLICY, acts={ACT: ActLimits(Fen(20_000), Fen(40_000), 4)})
    assert await terminal.leave(*notes) is Outcome.DONE
    await terminal.line_back()
    assert terminal.office.settles == 0
    assert terminal.office.claims == {}
    assert facts_of(terminal, "settlement_order_ended")["code"] == "outside_consent"
    assert -terminal.balances.get(Account.HOLDER_DEBT, 0) == sum(notes) == terminal.office.owed_fen
    (owed,) = receipts_owed(terminal.journal, card(terminal))
    assert (owed.kind, owed.owed_fen) == ("order_ended", sum(notes))
    assert await terminal.visit("collect_receipt", choose_receipt=str(owed.paper)) is Outcome.DONE
    assert "没有结算" in terminal.papers[0][0]


async def test_paid_at_the_window_meanwhile(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """ "Already paid elsewhere" is an answer: nothing is settled, and the cash stays the holder's."""
    await terminal.leave(10_000)
    terminal.office.window_pays = True
    await terminal.line_back()
    assert facts_of(terminal, "settlement_order_ended")["code"] == "paid_elsewhere"
    assert (terminal.office.settles, terminal.office.owed_fen) == (0, 10_000)


@pytest.mark.parametrize(
    ("bills", "code"),
    [
        ((), "bill_gone"),
        ((replace(BILL, total_fen=Fen(25_001)),), "bill_changed"),
    ],
)
async def test_a_bill_that_is_not_what_it_was(
    autojump_clock: MockClock, terminal: OrderTerminal, bills: tuple[object, ...], code: str
) -> None:
    """Gone or dearer: outside the consent, before anything is claimed."""
    await terminal.leave(10_000)
    terminal.office.bills = bills  # type: ignore[assignment] # bills of the parameters
    await terminal.line_back()
    assert facts_of(terminal, "settlement_order_ended")["code"] == code
    assert (terminal.office.settles, terminal.office.owed_fen) == (0, 10_000)


async def test_a_cheaper_bill_is_within_the_consent(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """The hospital took a line off: the order settles what is left of it."""
    await terminal.leave(10_000)
    terminal.office.bills = (replace(BILL, total_fen=Fen(24_000)),)
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert terminal.balances[Account.HOSPITAL] == -6000


async def test_insurance_that_is_not_in_force(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """A fresh 1101 says so: nothing is settled on what was true when the order was left."""
    await terminal.leave(10_000)
    terminal.office.in_force = False
    await terminal.line_back()
    assert facts_of(terminal, "settlement_order_ended")["code"] == "insurance_not_in_force"
    assert terminal.office.owed_fen == 10_000


async def test_2207_refused_ends_the_order(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """One 2207, a final no: the bill is released and the cash is owed."""
    terminal.office.behaviour = "refuses"
    await terminal.leave(10_000)
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert (terminal.office.owed_fen, terminal.office.claims) == (10_000, {})
    assert terminal.journal.open_effects() == []


@pytest.mark.parametrize("behaviour", ["books_silently", "late"])
async def test_2207_without_an_answer_is_found_out(
    autojump_clock: MockClock, terminal: OrderTerminal, behaviour: str
) -> None:
    """As with every settlement: looked for, and booked once, with the order's cash."""
    terminal.office.behaviour = behaviour
    await terminal.leave(10_000)
    await terminal.line_back()
    assert terminal.office.settles == 1
    assert terminal.balances == {Account.CASH_BOX: 10_000, Account.HOSPITAL: -6000, Account.HOLDER_DEBT: -4000}
    assert terminal.office.owed_fen == 4000
    assert terminal.journal.open_effects() == []


async def test_2207_lost_for_good_waits_for_the_day_after(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Not found proves nothing: never a second 2207, the cash waits, and so does every other order of that person."""
    terminal.office.behaviour = "ignores"
    await terminal.leave(10_000)
    await terminal.line_back(6)
    assert terminal.office.settles == 1
    assert {one.act for one in terminal.journal.open_effects()} >= {"settlement_ordered", "settle_intent"}
    assert terminal.balances == {Account.CASH_BOX: 10_000, Account.SUSPENSE: -10_000}


async def test_2207_says_more_than_was_agreed(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Nobody is there to accept other figures: 2208, and only then the cash is owed (rule 9)."""
    terminal.office.behaviour = "dearer"
    await terminal.leave(5000, 1000)
    await terminal.line_back()
    assert (terminal.office.settles, terminal.office.voids) == (1, 1)
    assert terminal.office.booked == {}
    assert terminal.balances == {Account.CASH_BOX: 6000, Account.HOLDER_DEBT: -6000}
    assert terminal.office.owed_fen == 6000
    assert terminal.journal.open_effects() == []
    (owed,) = receipts_owed(terminal.journal, card(terminal))
    assert owed.owed_fen == 6000


async def test_claimed_elsewhere_is_waited_for(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Somebody is paying it just now, or the lease of the visit that left it has not lapsed: the order says nothing of
    itself by that, and runs as soon as the bill is free."""
    await terminal.leave(10_000)
    terminal.office.claims = {BILL.bill_id: "another"}
    await terminal.line_back(6)
    assert [one.act for one in terminal.journal.open_effects()] == ["settlement_ordered"]
    terminal.office.claims = {}
    await terminal.line_back()
    assert (terminal.office.settles, terminal.journal.open_effects()) == (1, [])
    assert terminal.balances == {Account.CASH_BOX: 10_000, Account.HOSPITAL: -6000, Account.HOLDER_DEBT: -4000}


async def test_claimed_elsewhere_for_ever_ends_with_its_days(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """Then what was left is owed to the holder, and a person looks at it."""
    await terminal.leave(10_000)
    terminal.office.claims = {BILL.bill_id: "another"}
    await terminal.line_back(2)
    terminal.forwarders_clock.at += timedelta(days=31)
    await terminal.line_back(2)
    assert facts_of(terminal, "settlement_order_ended")["code"] == "order_too_old"
    assert terminal.office.owed_fen == 10_000


async def test_a_line_that_stays_down_costs_nothing(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """Silence is no answer: the order waits for as long as it takes, within its days; then the cash is owed."""
    await terminal.leave(10_000)
    for _ in range(5):
        await terminal.forwarder_round()
    assert len(open_orders(terminal.journal)) == 1
    terminal.forwarders_clock.at += timedelta(days=31)
    await terminal.line_back()
    assert facts_of(terminal, "settlement_order_ended")["code"] == "order_too_old"
    assert terminal.office.owed_fen == 10_000


async def test_a_second_order_waits_for_the_first(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """One order at a time for one person; who comes again is told that the first one waits."""
    await terminal.leave(10_000)
    assert await terminal.leave(10_000) is Outcome.REFUSED
    assert "order_already_left" in terminal.kiosk.screen.names()
    assert len(open_orders(terminal.journal)) == 1
    await terminal.line_back()
    assert await terminal.leave(5000) is Outcome.DONE


@pytest.mark.parametrize(("answer", "outlet"), [("stop", 2000), (WALKS_AWAY, 0), (PULLS_CARD, 0)])
async def test_who_does_not_finish_left_nothing(
    autojump_clock: MockClock, terminal: OrderTerminal, answer: str, outlet: int
) -> None:
    """Stopped: the notes come out again. Gone: they are the holder's debt, and nobody else's."""
    assert await terminal.leave(2000, feed_order_notes=[None, answer]) is None
    assert open_orders(terminal.journal) == []
    assert terminal.cash.outlet == outlet
    assert -terminal.balances.get(Account.HOLDER_DEBT, 0) == 2000 - outlet


async def test_an_order_left_again_at_another_terminal(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """The other one was faster: the bill is paid, and what was left here stays the holder's."""
    await terminal.leave(10_000)
    terminal.office.claims = {}
    terminal.office.bills = ()
    await terminal.line_back()
    assert terminal.office.settles == 0
    assert terminal.office.owed_fen == 10_000
    assert CASE in {entry.case_code for entry in terminal.journal.entries()}


async def test_without_the_hospital_there_is_nothing_to_leave(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """The whole line is down: nobody is offered what cannot be done."""
    terminal.office.hospital_down = True
    assert await terminal.leave(1000, host_silent="understood") is Outcome.UNAVAILABLE
    assert "order_offered" not in terminal.kiosk.screen.names()


async def test_a_quote_without_an_answer_leads_to_the_same(autojump_clock: MockClock, terminal: OrderTerminal) -> None:
    """The line goes after the bill was claimed: the lease is given back, and the bill that was chosen is left."""
    terminal.office.platform_answers = 1
    assert await terminal.leave(5000, 2000) is Outcome.DONE
    assert terminal.kiosk.screen.names().count("choose_bill") == 1
    assert terminal.office.claims == {}
    terminal.office.platform_answers = 0
    await terminal.line_back()
    assert terminal.office.settles == 1


async def test_a_visit_that_goes_on_does_not_stop_the_forwarder(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """The order is the forwarder's from its commit on, whatever the kiosk still does for the same card."""
    terminal.journal.record("kiosk_started")
    terminal.office.platform_down = True
    script = {**LEAVE_NOTES, "feed_order_notes": [None, "enough"]}
    assert await terminal.visit("settle_medical_bill", (10_000,), **script) is Outcome.DONE
    assert live_cases(terminal.journal) == set()
    terminal.office.behaviour = "books_silently"
    await terminal.line_back()
    assert terminal.balances[Account.HOSPITAL] == -6000


async def test_an_unknown_settlement_of_the_person_comes_first(
    autojump_clock: MockClock, terminal: OrderTerminal
) -> None:
    """Nothing more is settled for somebody whose last 2207 has no outcome (rule 21)."""
    facts: Facts = {"message_id": "m900", "bill": "B9", "lease": "l9", "person_number": "p", "insured_place": "4101",
             "visit_number": "v9", "total_fen": 100, "cash_fen": 100}  # fmt: skip
    await terminal.leave(10_000)
    terminal.journal.commit(NewEntry("settle_intent", "900001", facts, card(terminal), opens="m900"))
    await terminal.line_back()
    assert terminal.office.settles == 0
    assert len(open_orders(terminal.journal)) == 1
    terminal.journal.commit(NewEntry("settle_refused", "900001", {"message_id": "m900", "code": "no"}, closes="m900"))
    await terminal.line_back()
    assert terminal.office.settles == 1


async def test_an_order_that_ended_is_a_persons_case(
    autojump_clock: MockClock, terminal: OrderTerminal, tmp_path: Path
) -> None:
    """It stands among the open cases while it waits for the line, and after it ended, until two people close it."""
    await terminal.leave(10_000)
    books = StaffBooks(tmp_path)
    assert [(one.code, one.suspense_fen) for one in books.open_cases()] == [(CASE, -10_000)]
    terminal.office.window_pays = True
    await terminal.line_back()
    (case,) = books.open_cases()
    assert (case.code, case.suspense_fen, case.effects) == (CASE, 0, ("settlement_order_ended",))
    terminal.journal.record("case_closed", CASE, remedy="explained")
    assert books.open_cases() == ()
    books.close()


@pytest.mark.parametrize("booked", [False, True])
async def test_the_days_detail_ends_what_nobody_knew(
    autojump_clock: MockClock, terminal: OrderTerminal, booked: bool
) -> None:
    """T+1: not booked, then the cash is owed; booked after all, then it is settled. The order is over either way."""
    terminal.office.behaviour = "ignores"
    await terminal.leave(10_000)
    await terminal.line_back()
    (intent,) = [one for one in terminal.journal.open_effects() if one.act == "settle_intent"]
    key = str((intent.facts or {})["message_id"])
    row = StatementRow(key, "s-late", BILL.visit_number, True, False, Fen(25_000), Fen(10_000), Fen(9_000))
    close_proven(terminal.journal, terminal.forwarders_clock, [intent], Detail((row,) if booked else ()))
    await terminal.line_back()
    assert terminal.journal.open_effects() == []
    assert "settlement_order_over" in terminal.acts
    assert terminal.office.settles == 1
    assert terminal.office.owed_fen == (4_000 if booked else 10_000)
    assert terminal.journal.unsent() == (0, Fen(0))
