"""A refund: one of staff opens it, a second approves, its holder does it with card and PIN. Nothing moves before."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.entries import NewEntry
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Settlement
from kiosk.money.hospital_notices import payment_facts
from kiosk.ports import HostRefused
from kiosk.settings.config import HostSettings
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom
from tests.flows.money import BILL, QUOTE, Office

CODE = "451207"
CASH = 6_000
NUMBER = 451207


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki, drums={1000: 9})
    hosts = {name: HostSettings(url="https://127.0.0.1") for name in ("hospital", "medical_insurance")}
    made.kiosk.desk.settings = msgspec.structs.replace(made.kiosk.desk.settings, hosts=hosts)
    settle_a_bill(made)
    yield made
    made.journal.close()


def settle_a_bill(room: DutyRoom) -> None:
    """As settle_medical_bill leaves it: 60 yuan in notes, the rest by fund and account."""
    settlement = Settlement("s-m0", "m0", BILL.visit_number, QUOTE)
    room.kiosk.office.booked["m0"] = settlement
    card = room.reader.identity.card_number
    fed = balanced((Account.CASH_BOX, CASH), (Account.RESIDENT, -CASH))
    paid = balanced((Account.RESIDENT, CASH), (Account.HOSPITAL, -CASH))
    facts = payment_facts(settlement, BILL.bill_id, "lease-1") | {"receipt_owed": 1}
    loaded = balanced((Account.DRUMS, 9_000), (Account.VAULT, -9_000))
    room.journal.commit(NewEntry("drums_exchanged", "000001", {}, postings=loaded))
    room.journal.commit(NewEntry("note_credited", CODE, {}, card, fed))
    room.journal.commit(NewEntry("settled", CODE, facts, card, paid))
    room.journal.record("receipt_delivered", CODE)


async def opened(room: DutyRoom, who: str = "1001", **more: Any) -> None:
    script = {
        "staff_menu": ["refund", "finish"],
        "staff_refund_number": NUMBER,
        "staff_refund_none": "understood",
        "staff_refund_open": "open",
        "staff_refund_opened": "understood",
    }
    await room.visit(room.card(who, "clerk"), **(script | more))


async def approved(room: DutyRoom, who: str = "1002", role: str = "supervisor", **more: Any) -> None:
    script = {
        "staff_menu": ["approve", "finish"],
        "staff_refund_approve": "approve",
        "staff_refund_approved": "understood",
        "staff_refund_declined": "understood",
        "staff_may_not_approve": "understood",
        "staff_nothing_waits": "understood",
    }
    await room.visit(room.card(who, role), **(script | more))


async def taken(room: DutyRoom, **more: Any) -> None:
    script = {
        "menu": ["take_refund", "take_card"],
        "confirm_refund": "give_back",
        "refund_done": "understood",
        "refund_not_known": "understood",
        "refund_too_late": "understood",
        "host_refused": "understood",
    }
    await room.visit(None, **(script | more))


def balances(room: DutyRoom) -> dict[Account, Fen]:
    return dict(room.kiosk.desk.books.balances())


def offered(room: DutyRoom) -> list[str]:
    """Tiles of the last menu."""
    menu = next(one for one in reversed(room.kiosk.screen.asked) if one.name == "menu")
    return [answer.value for answer in menu.answers]


async def test_cash_goes_back_to_its_holder_in_notes(autojump_clock: MockClock, room: DutyRoom) -> None:
    """2208 first, then the notes; the hospital is owed nothing, and hears that the bill is unpaid again."""
    await opened(room)
    await approved(room)
    await taken(room)
    acts = room.acts()
    order = ["refund_opened", "refund_approved", "refund_intent", "refunded", "dispense_intent", "dispensed"]
    assert [act for act in acts if act in order] == order
    assert room.cash.outlet == CASH
    assert balances(room) == {Account.CASH_BOX: CASH, Account.DRUMS: 9_000 - CASH, Account.VAULT: -9_000}
    assert room.kiosk.office.booked == {}
    done = next(one for one in room.journal.entries() if one.act == "refunded")
    assert done.facts is not None
    assert (done.facts["counter"], done.facts["approver"], done.facts["of_case"]) == ("1001", "1002", CODE)
    paper = "\n".join(line.words for line in room.kiosk.receipts.papers[-1].lines)
    assert "1001, 1002" in paper
    assert "60.00" in paper
    assert not room.journal.open_effects()


async def test_nothing_moves_before_the_holders_card(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Two of staff alone move no money and ask the platform nothing."""
    await opened(room)
    await approved(room)
    assert "refund_intent" not in room.acts()
    assert room.cash.outlet == 0
    assert room.kiosk.office.booked


async def test_the_tile_stands_only_for_that_holder_after_both(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Not before the second person, not for another card, and not once it is done."""
    await opened(room)
    await room.visit(None, menu="take_card")
    assert "take_refund" not in offered(room)
    await approved(room)
    own = room.reader.identity
    room.reader.identity = type(own)(own.identification_code, "B00000131", "2.00", own.issued, own.expires, own.atr)
    await room.visit(None, menu="take_card")
    assert "take_refund" not in offered(room)
    room.reader.identity = own
    await taken(room)
    assert room.cash.outlet == CASH
    await room.visit(None, menu="take_card")
    assert "take_refund" not in offered(room)


@pytest.mark.parametrize(("who", "role"), [("1001", "clerk"), ("1001", "supervisor"), ("1003", "clerk")])
async def test_two_named_people(autojump_clock: MockClock, room: DutyRoom, who: str, role: str) -> None:
    """Another id, and a supervisor."""
    await opened(room)
    await approved(room, who, role)
    assert "staff_may_not_approve" in room.names()
    assert "refund_approved" not in room.acts()


async def test_refused_by_the_second_person(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Nothing waits any more, and it may be opened anew."""
    await opened(room)
    await approved(room, staff_refund_approve="refuse")
    await approved(room)
    assert "staff_nothing_waits" in room.names()
    await opened(room)
    assert "staff_refund_opened" in room.names()


async def test_it_does_not_wait_for_ever(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A quarter of an hour for the second person, and another for the holder; then it must be opened again."""
    await opened(room)
    room.clock.moment += timedelta(minutes=16)
    await approved(room)
    assert "staff_nothing_waits" in room.names()
    await opened(room)
    await approved(room)
    room.clock.moment += timedelta(minutes=16)
    await taken(room)
    assert "refund_too_late" in room.names()
    assert "refund_intent" not in room.acts()


async def test_a_number_that_nothing_was_paid_under(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Unknown, or given back already: staff are told, and nothing waits."""
    await opened(room, staff_refund_number=111111)
    assert "staff_refund_none" in room.names()
    await opened(room)
    await approved(room)
    await taken(room)
    await opened(room)
    assert "staff_refund_none" in room.names()
    assert room.acts().count("refund_opened") == 1


async def test_an_open_2601_of_its_holder_stops_it(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Money-rules 21: nothing more is asked of the platform for a person of whom an answer is owed."""
    asked = NewEntry("settle_intent", "700001", {"message_id": "m9", "person_number": "psn-1"}, opens="m9")
    await opened(room)
    await approved(room)
    room.journal.commit(asked)
    await taken(room)
    assert "host_refused" in room.names()
    assert "refund_intent" not in room.acts()


async def test_another_card_in_the_slot_gets_no_refund(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Pins-and-keys 12: swapped under the holder's hands, the visit ends before 2208."""
    await opened(room)
    await approved(room)
    room.reader.swapped = True
    await taken(room)
    assert "refund_intent" not in room.acts()
    assert room.cash.outlet == 0


async def test_without_the_holders_pin_nothing_moves(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A card alone is nobody."""
    await opened(room)
    await approved(room)
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.LOCKED, 0)]
    await taken(room, pin_locked="understood")
    assert "refund_intent" not in room.acts()
    assert room.cash.outlet == 0


async def test_what_cannot_be_paid_in_notes_is_owed(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Four notes of ten are there, sixty are due: forty go out and twenty are registered."""
    room.cash.drums = {Fen(1000): 4}
    await opened(room)
    await approved(room)
    await taken(room)
    assert room.cash.outlet == 4_000
    assert balances(room)[Account.HOLDER_DEBT] == -2_000


class NeverVoids(Office):
    async def void(self, person: Any, settlement: Settlement, message_id: str) -> None:
        raise HostRefused("medical_insurance", "-1")


async def test_refused_by_the_platform_nothing_is_payable(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Surely not undone: the bill stays paid, and may be given back another time."""
    room.kiosk.desk.medical_insurance = NeverVoids()
    await opened(room)
    await approved(room)
    await taken(room)
    assert room.cash.outlet == 0
    assert balances(room)[Account.HOSPITAL] == -CASH
    assert not room.journal.open_effects()
    await opened(room)
    assert "staff_refund_opened" in room.names()
