"""The hospital's own detail against the journal, both ways: deposits it credited, and acts in its register of debts."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.money import Fen
from kiosk.domain.statement import DebtActRow, DepositRow, Difference
from kiosk.money.debt_acts import DEBT_ACTS
from kiosk.money.platform_acts import judged_on
from kiosk.money.run_reconciliation import Books, Reconciled, reconcile_day
from kiosk.ports import HostRefused
from kiosk.settings.config import Settings
from offline_queue.journal import SqliteJournal
from offline_queue.staff_books import StaffBooks
from tests.flows.duty import WallClock
from tests.flows.test_staff_reconcile import HospitalsDetails

AMOUNT = 20_000
CODE = "451207"
BANK = {
    "bank_trace_number": "000042",
    "bank_batch_number": "000001",
    "bank_reference": "R",
    "bank_authorization": "A",
    "bank_amount_fen": AMOUNT,
    "bank_card_first6_last4": "6228480001",
    "bank_paid_on": "1121",
}


class Terminal:
    """A journal with deposits and debts, and a hospital that tells what it has of them."""

    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.journal = SqliteJournal(folder, self.clock.now)
        self.staff = StaffBooks(folder)
        self.details = HospitalsDetails()
        self.day: date = judged_on(self.clock.now())
        for back in range(30):
            self.details.days[self.day + timedelta(days=20 - back)] = []

    # Deposits

    def deposit(self, key: str, ends: str = "deposited", **more: str | int) -> None:
        facts = {"key": key, "admission": "ZY1", "department": "d", "amount_fen": AMOUNT, "chip": "00", **more}
        self.journal.commit(NewEntry("deposit_intent", CODE, facts, "C1", opens=key))
        if ends:
            moved = balanced((Account.CASH_BOX, AMOUNT), (Account.HOSPITAL, -AMOUNT)) if "deposited" in ends else ()
            self.journal.commit(NewEntry(ends, CODE, facts, "C1", moved, closes=key))

    def hand_over(self, key: str) -> None:
        held = balanced((Account.CASH_BOX, AMOUNT), (Account.SUSPENSE, -AMOUNT))
        self.journal.commit(NewEntry("deposit_handed_over", CODE, {"key": key, "held_fen": AMOUNT}, "C1", held))

    def credited(self, key: str, amount: int = AMOUNT, means: str = "cash", days_ago: int = 0) -> None:
        booked_on = self.day - timedelta(days=days_ago)
        self.details.credited.append(DepositRow("credited", key, "ZY1", Fen(amount), means, "YJ0000000007", booked_on))

    # Debts

    def owe(self, key: str, amount: int = 500, heard: bool = True) -> None:
        notice = NewNotice("hospital", "debt_register", key, {"card_number": "C1", "amount_fen": amount}, amount)
        self.journal.commit(NewEntry("debt_owed", CODE, {"amount_fen": amount, "key": key}, "C1", notices=(notice,)))
        if heard:
            self.journal.outbox.told(key)

    def pay_out(self, key: str, amount: int = 500, heard: bool = True) -> None:
        named: dict[str, str | int] = {"key": key, "voucher": "QK00000001"}
        self.journal.commit(NewEntry("payout_intent", CODE, named, "C1", opens=f"payout:{key}"))
        self.journal.commit(NewEntry("debt_reserved", CODE, named, "C1"))
        notice = NewNotice("hospital", "debt_confirm", key, named, amount)
        self.journal.commit(NewEntry("debt_paid_out", CODE, named, "C1", closes=f"payout:{key}", notices=(notice,)))
        if heard:
            self.journal.outbox.told(key)

    def in_register(self, act: str, key: str, amount: int = 500, days_ago: int = 0) -> None:
        booked_on = self.day - timedelta(days=days_ago)
        self.details.register.append(DebtActRow(act, key, "QK00000001", Fen(amount), booked_on))

    async def reconcile(self, day: date | None = None) -> Reconciled:
        unsent = self.journal.outbox.unsent_keys
        books = Books(
            self.journal, self.clock, self.details, Settings(run_dir="", data_dir=""), unsent=lambda: unsent("hospital")
        )
        return await reconcile_day(books, day or self.day)

    def cases(self) -> list[str]:
        return [case.code for case in self.staff.open_cases()]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.staff.close()
    made.journal.close()


def told(done: Reconciled) -> list[tuple[str, str, Difference]]:
    return [(one.side, one.key, one.difference) for one in done.findings]


# --- deposits ---------------------------------------------------------------------------------------------------------


async def test_deposits_in_both_books_agree(terminal: Terminal) -> None:
    """In notes, by card, and refused on both sides: three acts agree, and no case is opened."""
    terminal.deposit("deposit-1")
    terminal.deposit("deposit-2", **BANK)
    terminal.deposit("deposit-3", ends="deposit_refused")
    terminal.credited("deposit-1")
    terminal.credited("deposit-2", means="bank_card")
    done = await terminal.reconcile()
    assert (done.agree, done.findings) == (3, ())
    assert terminal.cases() == []


async def test_every_difference_of_deposits_is_a_case(terminal: Terminal) -> None:
    """Here and not there, there and not here, refused here and credited there, another amount, other means: once."""
    terminal.deposit("deposit-1")
    terminal.credited("deposit-2")
    terminal.deposit("deposit-3", ends="deposit_refused")
    terminal.credited("deposit-3")
    terminal.deposit("deposit-4")
    terminal.credited("deposit-4", AMOUNT + 100)
    terminal.deposit("deposit-5", **BANK)
    terminal.credited("deposit-5")
    done = await terminal.reconcile()
    assert told(done) == [
        ("deposits", "deposit-1", Difference.HERE_NOT_THERE),
        ("deposits", "deposit-2", Difference.THERE_NOT_HERE),
        ("deposits", "deposit-3", Difference.THERE_NOT_HERE),
        ("deposits", "deposit-4", Difference.AMOUNTS_DIFFER),
        ("deposits", "deposit-5", Difference.AMOUNTS_DIFFER),
    ]
    assert (done.findings[0].ours_fen, done.findings[1].theirs_fen) == (AMOUNT, AMOUNT)
    first = terminal.cases()
    assert CODE in first
    assert len(first) == 2, "one visit's own, and one of nobody"
    assert told(await terminal.reconcile()) == told(done)
    assert terminal.cases() == first
    assert [one.act for one in terminal.journal.entries()].count("reconciliation_differs") == 5


async def test_a_credit_that_nobody_heard_is_closed_by_the_detail(terminal: Terminal) -> None:
    """Credited there, unanswered here: booked with the hospital's number, and nothing is held or open any more."""
    terminal.deposit("deposit-1", ends="")
    terminal.hand_over("deposit-1")
    terminal.credited("deposit-1")
    done = await terminal.reconcile()
    assert (done.proved, done.findings) == (1, ())
    (late,) = [one for one in terminal.journal.entries() if one.act == "deposited_late"]
    assert late.facts is not None
    assert (late.facts["hospital_number"], late.facts["proved"]) == ("YJ0000000007", "statement")
    assert not terminal.journal.open_effects()
    assert terminal.staff.balances() == {Account.CASH_BOX: AMOUNT, Account.HOSPITAL: -AMOUNT}


async def test_what_the_detail_does_not_show_stays_open(terminal: Terminal) -> None:
    """Not there proves nothing, because it is told again by its key; nor does another amount, or a visit going on."""
    terminal.deposit("deposit-1", ends="")
    terminal.hand_over("deposit-1")
    terminal.deposit("deposit-2", ends="")
    terminal.hand_over("deposit-2")
    terminal.credited("deposit-2", AMOUNT - 1)
    terminal.deposit("deposit-3", ends="")
    terminal.credited("deposit-3")  # nobody has put its money aside yet
    done = await terminal.reconcile()
    assert (done.proved, done.open, done.findings) == (0, 3, ())
    assert len(terminal.journal.open_effects()) == 3


async def test_a_deposit_that_was_told_days_later_agrees(terminal: Terminal) -> None:
    """Begun on one day, booked there on the next and heard here on the third: no difference with any of them."""
    terminal.deposit("deposit-1", ends="")
    terminal.hand_over("deposit-1")
    began = terminal.day
    assert (await terminal.reconcile()).findings == ()
    terminal.clock.moment += timedelta(days=2)
    facts: dict[str, str | int] = {"key": "deposit-1", "amount_fen": AMOUNT}
    terminal.journal.commit(NewEntry("deposited_late", CODE, facts, "C1", closes="deposit-1"))
    terminal.credited("deposit-1", days_ago=-1)
    for later in (0, 1, 2):
        done = await terminal.reconcile(began + timedelta(days=later))
        assert done.findings == (), (later, done.findings)
    assert done.agree == 1


async def test_a_hospital_that_gives_no_detail_of_its_own(terminal: Terminal) -> None:
    """An older gateway refuses the question: platform and bank are compared, and it is written that this was not."""
    terminal.deposit("deposit-1")
    terminal.details.refusal = "no_such_service"
    done = await terminal.reconcile()
    assert (done.own_detail, done.agree, done.findings) == (False, 0, ())
    newest = terminal.journal.last("reconciled")
    assert newest is not None
    assert (newest.facts or {})["without"] == "own_detail"
    terminal.details.refusal = "not_reconciled_yet"
    with pytest.raises(HostRefused):
        await terminal.reconcile()


# --- register of debts ------------------------------------------------------------------------------------------------


async def test_debts_in_both_books_agree(terminal: Terminal) -> None:
    """Registered, paid and given back, each as the register has it."""
    terminal.owe("debt-1")
    terminal.pay_out("payout-1")
    terminal.in_register("registered", "debt-1")
    terminal.in_register("paid", "payout-1")
    given_up: dict[str, str | int] = {"key": "payout-2", "voucher": "QK00000001"}
    notice = NewNotice("hospital", "debt_give_back", "payout-2", given_up)
    terminal.journal.commit(NewEntry("payout_intent", CODE, given_up, "C1", opens="payout:payout-2"))
    terminal.journal.commit(
        NewEntry("payout_given_up", CODE, given_up, "C1", closes="payout:payout-2", notices=(notice,))
    )
    terminal.journal.outbox.told("payout-2")
    terminal.in_register("given_back", "payout-2", 0)
    done = await terminal.reconcile()
    assert (done.agree, done.open, done.findings) == (3, 0, ())
    assert set(DEBT_ACTS) >= {"payout_intent", "notice_told"}


async def test_every_difference_of_debts_is_a_case(terminal: Terminal) -> None:
    """A debt that the register lost, a payment that it lost, one of nobody, and another amount of each."""
    terminal.owe("debt-1")
    terminal.owe("debt-2")
    terminal.in_register("registered", "debt-2", 501)
    terminal.pay_out("payout-1")
    terminal.pay_out("payout-2")
    terminal.in_register("paid", "payout-2", 400)
    terminal.in_register("paid", "payout-3")
    assert told(await terminal.reconcile()) == [
        ("debts", "debt-1", Difference.HERE_NOT_THERE),
        ("debts", "debt-2", Difference.AMOUNTS_DIFFER),
        ("debts", "payout-1", Difference.HERE_NOT_THERE),
        ("debts", "payout-2", Difference.AMOUNTS_DIFFER),
        ("debts", "payout-3", Difference.THERE_NOT_HERE),
    ]


async def test_what_the_register_has_not_surely_heard_waits(terminal: Terminal) -> None:
    """A notice that is still owed, whether the register took it in silence or not, differs from nothing."""
    terminal.owe("debt-1", heard=False)
    terminal.in_register("registered", "debt-1")
    terminal.owe("debt-2", heard=False)
    terminal.pay_out("payout-1", heard=False)
    terminal.in_register("reserved", "payout-1")
    terminal.pay_out("payout-2", heard=False)
    terminal.in_register("paid", "payout-2")
    done = await terminal.reconcile()
    assert (done.findings, done.agree) == ((), 0)
    assert terminal.cases() == []


async def test_a_reserve_that_stands_for_nothing_is_told_once(terminal: Terminal) -> None:
    """The register waits for a payout that nobody here knows of: its holder gets nothing anywhere until people look."""
    terminal.in_register("reserved", "payout-1", days_ago=2)
    done = await terminal.reconcile()
    assert told(done) == [("debts", "payout-1", Difference.THERE_NOT_HERE)]
    (code,) = terminal.cases()
    terminal.clock.moment += timedelta(days=1)
    await terminal.reconcile(terminal.day + timedelta(days=1))
    assert terminal.cases() == [code]


async def test_a_message_that_two_people_gave_up_differs(terminal: Terminal) -> None:
    """They decided not to tell the register; where it took it all the same, that is a difference."""
    terminal.owe("debt-1", heard=False)
    for _ in range(3):
        terminal.journal.outbox.refused("debt-1", "bad_request")
    terminal.journal.outbox.give_up("debt-1", "1001", "1002", "explained")
    assert (await terminal.reconcile()).findings == ()
    terminal.in_register("registered", "debt-1")
    assert told(await terminal.reconcile()) == [("debts", "debt-1", Difference.THERE_NOT_HERE)]
