"""A deposit goes back to its holder: undone at the hospital first, then the way it came; also what was refused late."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import CardIdentity
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.statement import BankRow
from kiosk.money.bank_record import act_key, bank_facts, open_acts
from kiosk.money.drive_bank import drive_bank
from kiosk.money.drive_deposits import drive_deposits
from kiosk.money.pay_by_card import close_by_detail
from kiosk.money.receipts_owed import receipts_owed
from kiosk.money.refundable import APPROVED, refundable
from kiosk.ports import Outcome
from kiosk.services.take_refund import take_refund
from kiosk.settings.config import HostSettings
from offline_queue.staff_books import StaffBooks
from simulators.pki import make_pki
from tests.bank.stand import account
from tests.flows.bank import BankOffice
from tests.flows.duty import DutyRoom
from tests.flows.fittings import FakeReader
from tests.flows.hospital import HospitalOffice, deliver_all
from tests.flows.owed import SERVICES, Terminal
from tests.flows.test_staff import shown
from tests.flows.test_staff_refund import approved, balances, opened, taken
from tests.simulation.deposit_refunds import files_of

SERVICES["take_refund"] = take_refund
BY_CARD: dict[str, Any] = {"choose_means": "bank_card"}
YES: dict[str, Any] = {
    "confirm_refund": "give_back",
    "refund_done": "understood",
    "refund_not_known": "understood",
    "refund_too_late": "understood",
}
DEPOSIT = 20_000
CARD = FakeReader().identity.card_number


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "journal", drums={5000: 9})
    made.bank = BankOffice(tmp_path / "bank", account(balance_fen=100_000))
    yield made
    made.journal.close()
    made.bank.close()


def bank_of(terminal: Terminal) -> BankOffice:
    assert terminal.bank is not None
    return terminal.bank


def approve(terminal: Terminal, code: str = "000001") -> None:
    """Two of staff have agreed."""
    (found,) = refundable(terminal.journal, code)
    told: dict[str, str | int] = {"counter": "1001", "approver": "1002", "settled": found.seq}
    terminal.journal.commit(NewEntry(APPROVED, code, told, CARD))


async def pay_in(terminal: Terminal, **script: Any) -> None:
    notes = () if script else (10_000, 10_000)
    await terminal.visit("pay_inpatient_deposit", notes, **(script or {"choose_means": "cash"}))


async def take(terminal: Terminal, **script: Any) -> Outcome | None:
    return await terminal.visit("take_refund", **(YES | script))


# --- credited ---------------------------------------------------------------------------------------------------------


async def test_a_deposit_in_notes_comes_back_in_notes(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The hospital takes it off the stay first; then the notes; nothing is left open, and the paper says who agreed."""
    await pay_in(terminal)
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    acts = terminal.acts
    order = ["refund_approved", "deposit_undo_intent", "deposit_given_back", "dispense_intent", "dispensed"]
    assert [act for act in acts if act in order] == order
    assert terminal.cash.outlet == DEPOSIT
    assert len(terminal.office.undone) == 1
    assert terminal.balances == {Account.CASH_BOX: DEPOSIT, Account.DRUMS: -DEPOSIT}
    paper = "\n".join(terminal.papers[-1])
    assert "住院预交金，已退" in paper
    assert "1001, 1002" in paper
    assert refundable(terminal.journal, "000001") == []


async def test_a_deposit_by_card_goes_back_to_the_card(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The hospital, then the bank; no note moves, and both books are as if nothing had been."""
    await pay_in(terminal, **BY_CARD)
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    assert bank_of(terminal).taken_fen == 0
    assert terminal.cash.dispenses == 0
    assert terminal.balances == {}
    assert any(line.startswith("退回银行卡") for line in terminal.papers[-1])


async def test_what_the_hospital_keeps_stays_with_it(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Its no is final: nothing is payable, and it may be asked another time."""
    await pay_in(terminal)
    terminal.office.undo_habit = "refuses"
    approve(terminal)
    assert await take(terminal) is Outcome.REFUSED
    assert terminal.cash.outlet == 0
    assert terminal.balances == {Account.CASH_BOX: DEPOSIT, Account.HOSPITAL: -DEPOSIT}
    assert terminal.journal.open_effects() == []
    assert len(refundable(terminal.journal, "000001")) == 1


@pytest.mark.parametrize(("habit", "undone"), [("undoes_silently", 1), ("ignores", 0)])
async def test_silence_pays_nothing_and_is_told_again(
    autojump_clock: MockClock, terminal: Terminal, habit: str, undone: int
) -> None:
    """Three times by one key while the holder waits, then without them: what is due becomes a debt to the same card."""
    await pay_in(terminal)
    terminal.office.undo_habit = habit
    approve(terminal)
    assert await take(terminal) is Outcome.UNKNOWN
    assert terminal.kiosk.screen.names()[-1] == "refund_not_known"
    assert terminal.cash.outlet == 0
    assert len(terminal.office.undone) == undone
    assert refundable(terminal.journal, "000001") == [], "perhaps it is done: nobody opens it twice"
    terminal.office.undo_habit = "undoes"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert len(terminal.office.undone) == 1
    assert terminal.balances == {Account.CASH_BOX: DEPOSIT, Account.HOLDER_DEBT: -DEPOSIT}
    await deliver_all(terminal.journal, terminal.office)
    assert terminal.office.owed_fen == DEPOSIT


async def test_a_late_yes_about_a_card_waits_for_its_holder(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Undone while nobody was there: bank money is never a debt in notes; it goes back by card and two of staff."""
    await pay_in(terminal, **BY_CARD)
    terminal.office.undo_habit = "ignores"
    approve(terminal)
    assert await take(terminal) is Outcome.UNKNOWN
    terminal.office.undo_habit = "undoes"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert terminal.balances == {Account.BANK_CLEARING: DEPOSIT, Account.SUSPENSE: -DEPOSIT}
    approve(terminal, "000002")
    assert await take(terminal) is Outcome.DONE
    assert bank_of(terminal).taken_fen == 0
    assert terminal.balances == {}


# --- refused late, paid by card ---------------------------------------------------------------------------------------


async def refused_late(terminal: Terminal) -> None:
    """The bank paid, the hospital was silent, the resident left; now it says no."""
    terminal.office.deposit_habit = "ignores"
    await pay_in(terminal, **BY_CARD)
    terminal.office.deposit_habit = "refuses"
    assert await drive_deposits(terminal.journal, terminal.clock, terminal.office) == 0
    assert terminal.balances == {Account.BANK_CLEARING: DEPOSIT, Account.SUSPENSE: -DEPOSIT}


def open_codes(terminal: Terminal, tmp_path: Path) -> list[str]:
    books = StaffBooks(tmp_path / "journal")
    try:
        return [case.code for case in books.open_cases()]
    finally:
        books.close()


async def test_a_card_deposit_refused_late_goes_back_to_its_card(
    autojump_clock: MockClock, terminal: Terminal, tmp_path: Path
) -> None:
    """Holder's card and PIN, two of staff: the bank has it back, and the case of the deposit is closed by that."""
    await refused_late(terminal)
    assert open_codes(terminal, tmp_path) == ["000001"]
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    assert bank_of(terminal).taken_fen == 0
    assert terminal.office.undone == {}, "there was nothing to undo"
    assert terminal.balances == {}
    assert open_codes(terminal, tmp_path) == []
    assert receipts_owed(terminal.journal, CARD) == (), 'nothing says "under check" of it any more'
    paper = "\n".join(terminal.papers[-1])
    assert "款项退回银行卡" in paper
    assert "退回银行卡：¥ 200.00 元" in paper
    assert refundable(terminal.journal, "000001") == []


async def test_another_day_the_bank_is_asked_for_a_refund(autojump_clock: MockClock, terminal: Terminal) -> None:
    """The batch of the purchase is over: 退货 (0220), by the reference of the purchase."""
    await refused_late(terminal)
    (late,) = [one for one in terminal.journal.entries() if one.act == "deposit_refused_late"]
    facts: dict[str, str | int] = {**(late.facts or {}), "bank_paid_on": "0101"}
    terminal.journal.commit(NewEntry("deposit_refused_late", "000001", facts, CARD))
    found = refundable(terminal.journal, "000001")[-1]
    told: dict[str, str | int] = {"counter": "1001", "approver": "1002", "settled": found.seq}
    terminal.journal.commit(NewEntry(APPROVED, "000001", told, CARD))
    assert await take(terminal) is Outcome.DONE
    assert bank_of(terminal).acts == [("purchase", "refunded", DEPOSIT), ("refund", "booked", DEPOSIT)]
    assert terminal.balances == {}


async def test_a_bank_that_says_no_keeps_the_case_open(
    autojump_clock: MockClock, terminal: Terminal, tmp_path: Path
) -> None:
    """Surely not given back: said on page and paper, and it may be opened again."""
    await refused_late(terminal)
    bank_of(terminal).weather.change(refuse_code="05")
    approve(terminal)
    assert await take(terminal) is Outcome.UNKNOWN
    assert terminal.balances == {Account.BANK_CLEARING: DEPOSIT, Account.SUSPENSE: -DEPOSIT}
    assert "还没有退到您的银行卡：¥ 200.00 元" in "\n".join(terminal.papers[-1])
    assert open_codes(terminal, tmp_path) == ["000001"]
    bank_of(terminal).weather.change(refuse_code="")
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    assert terminal.balances == {}


@pytest.mark.parametrize("stands", [True, False])
async def test_a_bank_that_is_silent_is_never_asked_twice(
    autojump_clock: MockClock, terminal: Terminal, tmp_path: Path, stands: bool
) -> None:
    """Unknown: nobody can open it again until the bank's file has said whether it stands; then the case agrees."""
    await refused_late(terminal)
    bank_of(terminal).mute.update({"0200": 9, "0220": 9, "0400": 9})
    approve(terminal)
    assert await take(terminal) is Outcome.UNKNOWN
    assert refundable(terminal.journal, "000001") == []
    for _ in range(4):
        await drive_bank(terminal.journal, terminal.kiosk.desk.bank, terminal.kiosk.desk.log)
    assert refundable(terminal.journal, "000001") == []
    (act,) = open_acts(terminal.journal)
    assert act.case_code == "000001", "it goes on with the deposit's own case"
    facts = act.facts or {}
    row = BankRow(
        str(facts["batch_number"]), str(facts["trace_number"]), str(facts["kind"]), Fen(DEPOSIT), "R", "booked"
    )
    close_by_detail(terminal.journal, act, row if stands else None)
    assert len(refundable(terminal.journal, "000001")) == (0 if stands else 1)
    assert open_codes(terminal, tmp_path) == ([] if stands else ["000001"])


async def test_what_only_the_banks_file_tells_goes_back_too(
    autojump_clock: MockClock, terminal: Terminal, tmp_path: Path
) -> None:
    """A payment that nobody heard of until the bank's file came: it stands for nothing, and goes back to its card."""
    client = bank_of(terminal).power_on(terminal.journal, lambda: ("000001", CARD))
    await client.purchase(Fen(DEPOSIT), client.new_trace_number())
    (act,) = open_acts(terminal.journal)
    (row,) = files_of(bank_of(terminal))
    close_by_detail(terminal.journal, act, row)
    assert terminal.balances == {Account.BANK_CLEARING: DEPOSIT, Account.SUSPENSE: -DEPOSIT}
    assert open_codes(terminal, tmp_path) == ["000001"]
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    assert [state for _, state, _ in bank_of(terminal).acts] in (["voided", "booked"], ["refunded", "booked"])
    assert terminal.balances == {}
    assert open_codes(terminal, tmp_path) == []


async def test_a_bill_that_the_detail_gave_back_goes_to_its_card_too(
    autojump_clock: MockClock, terminal: Terminal, tmp_path: Path
) -> None:
    """2208 was silent and the day's detail has it: what the card paid waits, and the same three cards bring it back."""
    client = bank_of(terminal).power_on(terminal.journal, lambda: ("000001", CARD))
    payment = await client.purchase(Fen(DEPOSIT), client.new_trace_number())
    (act,) = open_acts(terminal.journal)
    paid = balanced((Account.BANK_CLEARING, DEPOSIT), (Account.SUSPENSE, -DEPOSIT))
    facts = {"message_id": "m2", "settlement_id": "s1", "cash_fen": DEPOSIT, **bank_facts(payment)}
    terminal.journal.commit(NewEntry("refunded_late", "000001", facts, CARD, paid, closes=act_key(act)))
    approve(terminal)
    assert await take(terminal) is Outcome.DONE
    assert bank_of(terminal).taken_fen == 0
    assert terminal.balances == {}
    assert open_codes(terminal, tmp_path) == []


async def test_without_the_holders_card_nobody_gets_it(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Another card in the slot: too late for them, and the bank is asked nothing."""
    await refused_late(terminal)
    approve(terminal)
    own = FakeReader().identity

    class OtherReader(FakeReader):
        def __init__(self) -> None:
            super().__init__()
            self.identity = type(own)(own.identification_code, "B00000131", "2.00", own.issued, own.expires, own.atr)

    terminal.make_reader = OtherReader
    assert await take(terminal) is Outcome.REFUSED
    assert bank_of(terminal).taken_fen == DEPOSIT
    assert "card_refund" not in terminal.acts


class SwappedReader(FakeReader):
    """Another card lies in it by now, and its watch saw nothing."""

    async def same_card(self, identity: CardIdentity) -> bool:
        return False


async def test_a_card_that_was_swapped_gives_no_deposit_back(autojump_clock: MockClock, terminal: Terminal) -> None:
    """Pins-and-keys 12: the hospital is told nothing, and no note comes out."""
    await pay_in(terminal)
    approve(terminal)
    terminal.make_reader = SwappedReader
    assert await take(terminal) is None
    assert "deposit_undo_intent" not in terminal.acts
    assert (terminal.cash.outlet, terminal.office.undone) == (0, {})


async def test_a_card_that_was_swapped_gives_nothing_back_to_the_bank(
    autojump_clock: MockClock, terminal: Terminal
) -> None:
    """The same where only the bank is asked."""
    await refused_late(terminal)
    approve(terminal)
    terminal.make_reader = SwappedReader
    assert await take(terminal) is None
    assert "card_refund" not in terminal.acts
    assert bank_of(terminal).taken_fen == DEPOSIT


async def test_what_two_people_closed_otherwise_is_not_refundable(
    autojump_clock: MockClock, terminal: Terminal
) -> None:
    """Its money is not in suspense any more."""
    await refused_late(terminal)
    moved = balanced((Account.SUSPENSE, DEPOSIT), (Account.HOSPITAL, -DEPOSIT))
    terminal.journal.commit(NewEntry("case_closed", "000001", {}, postings=moved))
    assert refundable(terminal.journal, "000001") == []


# --- staff ------------------------------------------------------------------------------------------------------------


async def test_staff_open_and_approve_a_deposit(autojump_clock: MockClock, tmp_path: Path) -> None:
    """By the number on its receipt, without any insurance: two people, then its holder, as with a bill."""
    room = DutyRoom(tmp_path / "data", make_pki(tmp_path / "pki"), drums={5000: 9})
    hosts = {"hospital": HostSettings(url="https://127.0.0.1")}
    room.kiosk.desk.settings = msgspec.structs.replace(room.kiosk.desk.settings, hosts=hosts)
    room.kiosk.desk.hospital = office = HospitalOffice()
    card = room.reader.identity.card_number
    facts = {"key": "deposit-1", "admission": "ZY1", "department": "心内科", "amount_fen": DEPOSIT, "chip": "00"}
    moved = balanced((Account.CASH_BOX, DEPOSIT), (Account.HOSPITAL, -DEPOSIT))
    room.journal.commit(NewEntry("deposited", "451207", facts, card, moved))
    await opened(room)
    assert "Give this deposit back?" in shown(room, "staff_refund_open")
    assert "20000" in shown(room, "staff_refund_open")
    await approved(room)
    await taken(room)
    assert office.undone.keys() == {"deposit-1"}
    assert room.cash.outlet == DEPOSIT
    assert balances(room) == {Account.CASH_BOX: DEPOSIT, Account.DRUMS: Fen(-DEPOSIT)}
    await opened(room)
    assert "staff_refund_none" in room.names()
    room.journal.close()
