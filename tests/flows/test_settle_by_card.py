"""Paying a bill with the bank card: the real client over the sandbox bank, in memory; every book is looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.domain.books import Account, totals
from kiosk.domain.money import Fen
from kiosk.money.bank_record import payment_of
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_due import drive_due
from kiosk.money.recover import recover_cash
from kiosk.ports import Back, Outcome, ResidentLeft, Visit
from kiosk.services.settle_medical_bill import settle_medical_bill
from offline_queue.journal import SqliteJournal
from tests.bank.stand import PAN, account, card_of
from tests.flows.bank import BankOffice
from tests.flows.money import PERSON, CashMachine, Office
from tests.flows.people import CountingClock, KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY

DUE = 6000  # what 2206 leaves to the resident
SCRIPT = {
    "choose_bill": "B1",
    "confirm_quote": "pay",
    "choose_means": "bank_card",
    "bill_settled": "understood",
    "bill_not_paid": "understood",
    "outcome_pending": "understood",
    "cannot_pay_here": "back",
    "card_not_paid": "undo",
}


@dataclass
class Payer:
    """A resident with bills, a bank, and perhaps notes."""

    journal: SqliteJournal
    bank: BankOffice
    office: Office
    cash: CashMachine | None = None
    came_back_s: float | None = None
    pad_fitted: bool = True

    async def pays(self, **script: Any) -> Outcome | str:
        """How the service ended, or how the resident left it."""
        self.kiosk = KioskInMemory(SCRIPT | script, self.office, self.cash, self.journal, bank=self.bank)
        if not self.pad_fitted:
            del self.kiosk.settings.slots["pin_pad"]
        if self.cash is not None:
            await recover_cash(self.journal, CountingClock(), self.cash)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.kiosk.supervisor.run)
            await self.kiosk.supervisor.wait_tried()
            reader = self.kiosk.reader
            reader.insert()
            if self.came_back_s is not None:
                nursery.start_soon(self._puts_card_back, self.came_back_s)
            self.kiosk.desk.visit = Visit(reader.identity, reader.holder, "000001", pin_verified=True)
            ended: Outcome | str = ""
            try:
                ended = await settle_medical_bill(self.kiosk.desk)
            except Back:
                ended = "back"
            except ResidentLeft as left:
                ended = left.how
            del self.kiosk.desk.visit
            nursery.cancel_scope.cancel()
        return ended

    async def _puts_card_back(self, after_s: float) -> None:
        await self.kiosk.reader.pulled.wait()
        await trio.sleep(after_s)
        self.kiosk.reader.insert()

    async def between_visits(self) -> None:
        """What the kiosk does alone."""
        await drive_bank(self.journal, self.kiosk.desk.bank, self.kiosk.desk.log)
        await drive_due(self.journal, LaterKeys(), self.office)

    @property
    def acts(self) -> list[str]:
        return [entry.act for entry in self.journal.entries()]

    @property
    def balances(self) -> dict[Account, Fen]:
        return totals([posting for entry in self.journal.entries() for posting in entry.postings])

    @property
    def paper(self) -> str:
        return "\n".join(line.words for line in self.kiosk.receipts.papers[-1].lines)

    def explained(self, name: str) -> str:
        """All that the page of this name says."""
        question = next(one for one in self.kiosk.screen.asked if one.name == name)
        return " ".join(text.msgid for text in (question.heading, *question.explain))

    def nothing_is_left_open(self) -> bool:
        return self.journal.open_effects() == [] and self.journal.unspent() == []


class NoDebitReader:
    """As of a reader that is a maker's library: it has no ``open_debit``."""

    def __init__(self) -> None:
        self.card = card_of(account())


class LaterKeys(CountingClock):
    def __init__(self) -> None:
        super().__init__()
        self._keys = 1000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "journal", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    yield opened
    opened.close()


@pytest.fixture
def payer(tmp_path: Path, journal: SqliteJournal) -> Iterator[Payer]:
    bank = BankOffice(tmp_path, account(balance_fen=100_000))
    yield Payer(journal, bank, Office())
    bank.close()


def with_cash(payer: Payer, *notes: int) -> Payer:
    cash = CashMachine({1000: 5, 500: 5, 100: 9})
    cash.pocket = [Fen(note) for note in notes]
    return replace(payer, cash=cash)


async def test_an_approved_payment_settles_the_bill(autojump_clock: MockClock, payer: Payer) -> None:
    """The bank, the books, the hospital and the receipt say the same amount, by bank card, and nothing stays open."""
    assert await payer.pays() is Outcome.DONE
    assert payer.bank.acts == [("purchase", "booked", DUE)]
    assert payer.balances == {Account.BANK_CLEARING: DUE, Account.HOSPITAL: -DUE}
    assert payer.office.means == ["bank_card"]
    assert payer.nothing_is_left_open()
    settled = next(entry for entry in payer.journal.entries() if entry.act == "settled")
    payment = payment_of(settled)
    assert payment is not None
    assert payment.reference in payer.paper
    assert payment.card_first6_last4 in payer.paper
    assert PAN not in payer.paper
    assert "60.00" in payer.paper


async def test_the_bank_is_asked_after_the_platform_has_settled(autojump_clock: MockClock, payer: Payer) -> None:
    """2207 is committed before the bank hears of it, and the bank's intent before its question (rule 8)."""
    await payer.pays()
    acts = payer.acts
    order = [acts.index(act) for act in ("settle_intent", "settled_unpaid", "bank_intent", "settled")]
    assert order == sorted(order)


async def test_the_page_says_which_pin_is_meant(autojump_clock: MockClock, payer: Payer) -> None:
    """The bank PIN is asked for by its name, with the amount, and the other PIN is named as the wrong one."""
    await payer.pays()
    page = next(question for question in payer.kiosk.screen.asked if question.name == "bank_pin")
    assert page.heading.msgid == "Enter your bank PIN"
    assert "Not the social security PIN." in [text.msgid for text in page.explain]


async def test_a_terminal_without_cash_module_asks_for_no_means(autojump_clock: MockClock, payer: Payer) -> None:
    """Where there is one way to pay there is no choice; the button says which it is."""
    await payer.pays()
    assert "choose_means" not in payer.kiosk.screen.names()
    confirm = next(question for question in payer.kiosk.screen.asked if question.name == "confirm_quote")
    assert confirm.answer("pay").label.msgid == "Pay by bank card"


async def test_declined_then_paid_in_notes(autojump_clock: MockClock, payer: Payer) -> None:
    """Too little money: the bank takes nothing, the same settlement is paid in notes, with change."""
    payer.bank.account = account(balance_fen=100)
    payer.bank.host.books.move(PAN, 99_900, "2026-11-21")
    payer = with_cash(payer, 5000, 2000)
    assert await payer.pays(card_not_paid="cash") is Outcome.DONE
    assert "enough money" in payer.explained("card_not_paid")
    assert payer.bank.acts == []
    assert payer.office.settles == 1
    assert payer.office.voids == 0
    assert payer.office.means == ["cash"]
    assert payer.cash is not None
    assert payer.cash.outlet == 1000
    assert payer.balances[Account.HOSPITAL] == -DUE
    assert Account.BANK_CLEARING not in payer.balances
    assert payer.nothing_is_left_open()


async def test_declined_and_not_paid_at_all(autojump_clock: MockClock, payer: Payer) -> None:
    """The settlement is undone by 2208, the bill is released, and the resident reads that nothing was paid."""
    payer.bank.weather.change(refuse_code="61")
    assert await payer.pays() == "back"
    assert payer.office.booked == {}
    assert payer.office.claims == {}
    assert payer.office.voids == 1
    assert "bill_not_paid" in payer.kiosk.screen.names()
    assert payer.balances == {}
    assert payer.nothing_is_left_open()


async def test_a_wrong_pin_may_be_typed_again(autojump_clock: MockClock, payer: Payer) -> None:
    """The bank says 55; the second try is a payment of its own, with a new trace number, and only it is booked."""
    payer.bank.pad.typed = ["111111", "852963"]
    assert await payer.pays(card_not_paid="again") is Outcome.DONE
    assert payer.bank.acts == [("purchase", "booked", DUE)]
    assert payer.acts.count("bank_intent") == 2
    assert payer.acts.count("bank_refused") == 1
    assert payer.nothing_is_left_open()


async def test_the_red_key_asks_nothing_of_the_bank(autojump_clock: MockClock, payer: Payer) -> None:
    """No PIN: no intent, no question; the settlement is undone."""
    payer.bank.pad.typed = [None]
    assert await payer.pays() == "back"
    assert "bank_intent" not in payer.acts
    assert payer.bank.acts == []
    assert payer.office.booked == {}
    assert payer.nothing_is_left_open()


async def test_a_silent_bank_is_reversed_before_anything_else(autojump_clock: MockClock, payer: Payer) -> None:
    """The answer to 0200 is lost: 0400 takes it back, and only then another means is offered."""
    payer = with_cash(payer, 5000, 1000)
    payer.bank.mute["0200"] = 1
    assert await payer.pays(card_not_paid="cash") is Outcome.DONE
    assert payer.bank.acts == [("purchase", "reversed", DUE)]
    assert payer.bank.taken_fen == 0
    assert payer.office.means == ["cash"]
    assert payer.acts.index("bank_reversed") < payer.acts.index("note_intent")
    assert payer.nothing_is_left_open()


async def test_a_bank_that_never_answers_is_a_case(autojump_clock: MockClock, payer: Payer) -> None:
    """Three reversals in vain: the resident leaves with a paper, the money is in suspense, the bank takes no more."""
    payer.bank.mute |= {"0200": 1, "0400": 9}
    assert await payer.pays() is Outcome.UNKNOWN
    assert payer.acts.count("bank_reversal_unanswered") == 3
    assert payer.balances == {Account.BANK_CLEARING: DUE, Account.SUSPENSE: -DUE}
    assert "under check" in payer.paper or "核对" in payer.paper
    assert payer.office.voids == 0, "nothing is undone while the bank may have been paid"
    with_notes = with_cash(payer, 5000, 1000)
    with_notes.office.claims.clear()
    with_notes.office.insured = replace(PERSON, person_number="psn-2")
    assert await with_notes.pays() is Outcome.DONE
    assert "Paying by bank card does not work right now." in with_notes.explained("confirm_quote")
    assert with_notes.office.means == ["cash"]


async def test_what_the_bank_did_not_answer_is_driven_between_visits(autojump_clock: MockClock, payer: Payer) -> None:
    """Once 0400 is answered the suspense is empty, the settlement is undone, and the hospital gets its bill back."""
    payer.bank.mute |= {"0200": 1, "0400": 4}
    await payer.pays()
    await payer.between_visits()
    assert payer.office.voids == 0
    await payer.between_visits()
    assert payer.bank.acts == [("purchase", "reversed", DUE)]
    assert payer.office.booked == {}
    assert payer.balances == {}
    assert payer.nothing_is_left_open()
    owed = payer.journal.outbox.due("hospital")
    assert owed is not None
    assert (owed.act, owed.facts["bill"]) == ("release", "B1")


async def test_a_partial_approval_is_reversed(autojump_clock: MockClock, payer: Payer) -> None:
    """Code 10 books half at the bank: it is taken back, and nothing is settled with it."""
    payer.bank.weather.change(refuse_code="10")
    assert await payer.pays() == "back"
    assert payer.bank.acts == [("purchase", "reversed", DUE // 2)]
    assert payer.bank.taken_fen == 0
    assert payer.office.booked == {}
    assert payer.nothing_is_left_open()


async def test_a_card_pulled_after_the_approval_is_reversed(autojump_clock: MockClock, payer: Payer) -> None:
    """Before its second cryptogram: 0400 with field 55, then 2208; the bank has nothing."""
    payer.bank.reader.pull_at = 2
    assert await payer.pays() == "back"
    reversed_acts = [entry for entry in payer.journal.entries() if entry.act == "bank_known"]
    assert (reversed_acts[-1].facts or {})["reason"] == "06"
    assert (reversed_acts[-1].facts or {})["chip"]
    assert payer.bank.acts == [("purchase", "reversed", DUE)]
    assert payer.office.booked == {}
    assert payer.nothing_is_left_open()


async def test_the_same_card_may_come_back_before_the_bank_is_asked(autojump_clock: MockClock, payer: Payer) -> None:
    """Pulled at the PIN, back within the minute: the payment begins anew and is booked once."""
    payer.came_back_s = 20.0
    assert await payer.pays(bank_pin=[PULLS_CARD, None], card_not_paid="again") is Outcome.DONE
    assert payer.bank.acts == [("purchase", "booked", DUE)]
    assert payer.nothing_is_left_open()


async def test_a_card_that_stays_away_undoes_the_settlement(autojump_clock: MockClock, payer: Payer) -> None:
    """A minute without the card: 2208, and the bank was asked nothing."""
    assert await payer.pays(bank_pin=PULLS_CARD) == "card_pulled"
    assert payer.bank.acts == []
    assert payer.office.booked == {}
    assert payer.office.claims == {}
    assert payer.nothing_is_left_open()


async def test_walking_away_after_a_refusal_undoes_the_settlement(autojump_clock: MockClock, payer: Payer) -> None:
    """Nobody answers the page of the refusal: 2208."""
    payer.bank.weather.change(refuse_code="61")
    assert await payer.pays(card_not_paid=WALKS_AWAY) == "timeout"
    assert payer.office.booked == {}
    assert payer.nothing_is_left_open()


async def test_a_silent_2208_is_found_out_between_visits(autojump_clock: MockClock, payer: Payer) -> None:
    """The bank refused and 2208 is not answered: a paper, and 5203 shows later that it was undone."""
    payer.bank.weather.change(refuse_code="61")
    payer.office.void_is_silent = True
    assert await payer.pays() is Outcome.UNKNOWN
    await payer.between_visits()
    assert payer.office.voids == 1
    assert payer.nothing_is_left_open()


async def test_a_line_that_is_down_is_said_before_2207(autojump_clock: MockClock, payer: Payer) -> None:
    """Without cash module and with the bank's line down nothing is settled; the page says why."""
    payer.bank.weather.change(bank_down=True)
    assert await payer.pays() == "back"
    assert "Paying by bank card does not work right now." in payer.explained("cannot_pay_here")
    assert payer.office.settles == 0


async def test_a_card_without_bank_application_pays_in_notes(autojump_clock: MockClock, payer: Payer) -> None:
    """The chip has no bank side: notes alone are offered, and the page says why."""
    payer = with_cash(payer, 5000, 1000)
    payer.bank.reader.card.debit = None
    assert await payer.pays() is Outcome.DONE
    assert "choose_means" not in payer.kiosk.screen.names()
    assert "no bank account" in payer.explained("confirm_quote")
    assert payer.office.means == ["cash"]


async def test_a_reader_that_opens_no_bank_application_is_explained(autojump_clock: MockClock, payer: Payer) -> None:
    """A maker's library that passes no commands on reads the social security side alone: notes are asked for, and the
    page says that no bank card can pay at this machine."""
    payer = with_cash(payer, 5000, 1000)
    payer.bank.reader = NoDebitReader()  # type: ignore[assignment] # that is the point
    assert await payer.pays() is Outcome.DONE
    assert "A bank card cannot pay at this machine." in payer.explained("confirm_quote")
    assert "choose_means" not in payer.kiosk.screen.names()
    assert payer.office.means == ["cash"]


async def test_without_a_pad_for_the_bank_pin_no_bank_card_pays(autojump_clock: MockClock, payer: Payer) -> None:
    """PIN mode A with the reader's own pad alone: that one never takes a bank PIN, so nobody is asked for one."""
    payer = with_cash(payer, 5000, 1000)
    payer.pad_fitted = False
    assert await payer.pays() is Outcome.DONE
    assert "A bank card cannot pay at this machine." in payer.explained("confirm_quote")
    assert payer.office.means == ["cash"]


async def test_more_is_due_in_notes_than_was_quoted(autojump_clock: MockClock, payer: Payer) -> None:
    """2207 says more than 2206: who agrees puts in the rest, and the bill is settled by the new figures (rule 9)."""
    payer = with_cash(payer, 5000, 1000, 2000, 1000)
    payer.office.behaviour = "dearer"
    assert await payer.pays(choose_means="cash", figures_changed="accept") is Outcome.DONE
    assert payer.balances[Account.HOSPITAL] == -(DUE + 3000)
    assert payer.cash is not None
    assert (payer.cash.pocket, payer.cash.outlet) == ([], 0)
    assert payer.nothing_is_left_open()


async def test_new_figures_are_paid_by_card_to_the_fen(autojump_clock: MockClock, payer: Payer) -> None:
    """The bank is asked for 2207's amount, never for the quote's (rule 8)."""
    payer.office.behaviour = "dearer"
    assert await payer.pays(figures_changed="accept") is Outcome.DONE
    assert payer.bank.acts == [("purchase", "booked", DUE + 3000)]
    assert payer.balances == {Account.BANK_CLEARING: DUE + 3000, Account.HOSPITAL: -(DUE + 3000)}
