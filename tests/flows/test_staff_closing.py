"""Closing a case: one person says what became of the money, another approves, and nothing unknown is chosen away."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.money import Fen
from kiosk.money.bank_record import bank_facts
from kiosk.ports.money import BankPayment
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom

CODE = "451207"
HELD = 1_000


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    fed = balanced((Account.CASH_BOX, HELD), (Account.RESIDENT, -HELD))
    lost = balanced((Account.RESIDENT, HELD), (Account.SUSPENSE, -HELD))
    made.journal.commit(NewEntry("note_credited", CODE, {"denomination_fen": HELD}, "C1", fed))
    made.journal.commit(NewEntry("dispense_uncertain", CODE, {"unaccounted_fen": HELD}, "C1", lost))
    yield made
    made.journal.close()


async def propose(room: DutyRoom, remedy: str = "holder", who: str = "1001", code: str = CODE, **more: Any) -> None:
    script = {
        "staff_menu": ["cases", "finish"],
        "staff_cases": [code, "back"],
        "staff_case": "close",
        "staff_close_reason": remedy,
        "staff_close_propose": "propose",
        "staff_close_waits": "understood",
        "staff_case_unknown": "understood",
    }
    await room.visit(room.card(who, "clerk"), **(script | more))


async def approve(room: DutyRoom, who: str = "1002", role: str = "supervisor", **more: Any) -> None:
    script = {
        "staff_menu": ["approve", "finish"],
        "staff_close_approve": "approve",
        "staff_closed": "understood",
        "staff_close_refused": "understood",
        "staff_may_not_approve": "understood",
        "staff_nothing_waits": "understood",
        "staff_case_unknown": "understood",
    }
    await room.visit(room.card(who, role), **(script | more))


def balances(room: DutyRoom) -> dict[Account, Fen]:
    return dict(room.kiosk.desk.books.balances())


def open_codes(room: DutyRoom) -> list[str]:
    return [case.code for case in room.kiosk.desk.books.open_cases()]


@pytest.mark.parametrize(
    ("remedy", "account"),
    [
        ("holder", Account.HOLDER_DEBT),
        ("hospital", Account.HOSPITAL),
        ("nobody", Account.SURPLUS),
        ("paid_out", Account.SHORTAGE),
    ],
)
async def test_suspense_goes_where_two_people_say(
    autojump_clock: MockClock, room: DutyRoom, remedy: str, account: Account
) -> None:
    """The case is closed, the books balance, nothing is in suspense; who did it stands in the journal."""
    await propose(room, remedy)
    assert balances(room)[Account.SUSPENSE] == -HELD, "nothing is booked by one person"
    await approve(room)
    assert balances(room) == {Account.CASH_BOX: HELD, account: -HELD}
    assert open_codes(room) == []
    closed = next(one for one in room.journal.story(CODE) if one.act == "case_closed")
    assert closed.facts is not None
    assert (closed.facts["counter"], closed.facts["approver"]) == ("1001", "1002")
    assert room.journal.outbox.unsent_count() == (1 if remedy == "holder" else 0)


async def test_a_debt_is_owed_to_the_card_of_the_case(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The register hears of it by its key, with the card that the case is about and a receipt that is owed."""
    await propose(room)
    await approve(room)
    notice = room.journal.outbox.due("hospital")
    assert notice is not None
    assert (notice.act, notice.facts["card_number"], notice.facts["amount_fen"]) == ("debt_register", "C1", HELD)
    closed = next(one for one in room.journal.story(CODE) if one.act == "case_closed")
    assert closed.facts is not None
    assert closed.facts["receipt_owed"] == 1


@pytest.mark.parametrize(("who", "role"), [("1001", "clerk"), ("1001", "supervisor"), ("1003", "clerk")])
async def test_never_by_the_same_person_or_another_clerk(
    autojump_clock: MockClock, room: DutyRoom, who: str, role: str
) -> None:
    """Another id, and a supervisor."""
    await propose(room)
    await approve(room, who, role)
    assert "staff_may_not_approve" in room.names()
    assert open_codes(room) == [CODE]


async def test_what_was_refused_is_proposed_again(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Refused: the case stays open and may be proposed otherwise; the other proposal is the one that counts."""
    await propose(room, "nobody")
    await approve(room, staff_close_approve="refuse")
    assert open_codes(room) == [CODE]
    await propose(room, "holder")
    await approve(room)
    assert balances(room)[Account.HOLDER_DEBT] == -HELD


async def test_one_proposal_waits_at_a_time_and_not_for_ever(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A second one is told to wait; after a day the first is void."""
    await propose(room)
    await propose(room, "hospital")
    assert room.acts().count("case_close_proposed") == 1
    room.clock.moment += timedelta(hours=25)
    await approve(room)
    assert "staff_nothing_waits" in room.names()
    assert open_codes(room) == [CODE]


async def test_a_case_that_moved_since_is_not_closed_as_it_was(autojump_clock: MockClock, room: DutyRoom) -> None:
    """More money came into suspense: the old proposal says nothing about it."""
    await propose(room)
    more = balanced((Account.CASH_BOX, 500), (Account.SUSPENSE, -500))
    room.journal.commit(NewEntry("settle_handed_over", CODE, {}, "C1", more))
    await approve(room)
    assert "staff_nothing_waits" in room.names()
    assert balances(room)[Account.SUSPENSE] == -HELD - 500


async def test_refused_while_a_dead_life_left_money_inside(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Until every cash module has told what it knows, nobody says whose it is."""
    inside = balanced((Account.CASH_BOX, HELD), (Account.RESIDENT, -HELD))
    room.journal.commit(NewEntry("note_credited", "700001", {"denomination_fen": HELD}, "C1", inside))
    room.journal.record("kiosk_started")
    assert "700001" in open_codes(room)
    await propose(room, code="700001")
    assert "staff_case_unknown" in room.names()
    assert "case_close_proposed" not in room.acts()


async def test_refused_while_an_effect_is_unknown(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Neither proposed nor approved while nobody knows the outcome; closed once the detail has proved it."""
    room.journal.commit(NewEntry("settle_intent", CODE, {"message_id": "m1"}, "C1", opens="m1"))
    await propose(room)
    assert "staff_case_unknown" in room.names()
    assert "case_close_proposed" not in room.acts()
    room.journal.commit(NewEntry("settle_not_booked", CODE, {"message_id": "m1"}, closes="m1"))
    await propose(room)
    room.journal.commit(NewEntry("bank_intent", CODE, {"trace_number": "000001"}, opens="bank:1"))
    await approve(room)
    assert open_codes(room) == [CODE]
    assert "case_closed" not in room.acts()


async def test_a_lost_note_is_closed_after_a_count_looked_for_it(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Before any box was opened nobody can say; afterwards what was too much in it is the holder's."""
    room.journal.commit(
        NewEntry("note_intent", "451209", {"note": "n9", "denomination_fen": 500}, "C2", opens="note:n9")
    )
    room.journal.commit(NewEntry("note_uncertain", "451209", {"note": "n9", "denomination_fen": 500}, "C2"))
    await propose(room, code="451209")
    assert "staff_case_unknown" in room.names()
    more = balanced((Account.VAULT, 500), (Account.SURPLUS, -500))
    room.journal.commit(NewEntry("cash_box_exchanged", "451210", {}, postings=more))
    await propose(room, "found_note", code="451209")
    await approve(room)
    assert open_codes(room) == [CODE, "451210"]
    assert not room.journal.open_effects()
    found = balances(room)
    assert (found.get(Account.SURPLUS), found[Account.HOLDER_DEBT]) == (None, -500)


@pytest.mark.parametrize(("remedy", "left"), [("stays", 700), ("hospital", 0)])
async def test_a_shortage_is_accepted_or_borne(
    autojump_clock: MockClock, room: DutyRoom, remedy: str, left: int
) -> None:
    """Closed either way: what stays is in the account and no longer among what is to be explained."""
    short = balanced((Account.CASH_BOX, -700), (Account.SHORTAGE, 700))
    room.journal.commit(NewEntry("cash_box_exchanged", "451211", {}, postings=short))
    await propose(room, remedy, code="451211")
    await approve(room)
    assert open_codes(room) == [CODE]
    assert balances(room).get(Account.SHORTAGE, 0) == left


async def test_every_look_at_a_case_is_journaled(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Who proposes has looked, and who approves has looked."""
    await propose(room)
    await approve(room)
    viewed = [one.facts for one in room.journal.entries() if one.act == "case_viewed"]
    assert viewed == [{"staff": "1001", "case": CODE}, {"staff": "1002", "case": CODE}]


async def refuse_thrice(room: DutyRoom, code: str = "paid_elsewhere") -> None:
    """The hospital does not take the payment notice of case 451212."""
    notice = NewNotice("hospital", "payment", "key-1", {"bill": "B1"}, 700)
    room.journal.commit(NewEntry("settled", "451212", {}, "C3", notices=(notice,)))
    for _ in range(3):
        room.journal.outbox.refused("key-1", code)


async def test_a_notice_that_the_hospital_refuses_is_a_case(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Paid elsewhere, said three times: a case with its story; two people give it up, and nothing waits any more."""
    await refuse_thrice(room)
    assert open_codes(room) == [CODE, "451212"]
    await propose(room, "explained", code="451212")
    assert room.journal.outbox.put_aside(), "one person gives nothing up"
    await approve(room)
    assert open_codes(room) == [CODE]
    assert room.journal.outbox.put_aside() == []
    given_up = next(one for one in room.journal.story("451212") if one.act == "notice_given_up")
    assert given_up.facts is not None
    assert (given_up.facts["by"], given_up.facts["approver"]) == ("1001", "1002")


async def test_a_withdrawal_that_a_later_report_overtook_is_only_given_up(
    autojump_clock: MockClock, room: DutyRoom
) -> None:
    """Put aside, and proposed to be told once more; then its holder reports the card again: the proposal is void, the
    page says why, and telling it again is offered to nobody."""
    journal = room.journal
    journal.owe_notice("card_platform", "loss_withdrawal", "w", "451215", card_number="C4", chip="")
    for _ in range(3):
        journal.outbox.refused("w", "formal_loss")
    await propose(room, "tell_again", code="451215")
    journal.commit(NewEntry("loss_report_intent", "451216", {"key": "r"}, "C4"))
    await approve(room)
    assert open_codes(room) == [CODE, "451215"], "nothing waits for a second person any more"
    await propose(room, "explained", code="451215")
    page = next(one for one in reversed(room.kiosk.screen.asked) if one.name == "staff_close_reason")
    assert "tell_again" not in {answer.value for answer in page.answers}
    assert any(text.msgid.startswith("Not told again") for text in page.explain)
    await approve(room)
    assert (open_codes(room), journal.outbox.put_aside()) == ([CODE], [])


async def test_a_payout_that_is_told_after_its_case_was_closed_is_a_case_again(
    autojump_clock: MockClock, room: DutyRoom
) -> None:
    """Two people called it the holder's, and now the device says that it went out: they must look again. Told while the
    case is open it is part of the story alone, and what was explained stays closed."""
    room.journal.record("dispense_told_late", CODE, paid_fen=500)
    await propose(room, "holder")
    await approve(room)
    assert open_codes(room) == []
    room.journal.record("dispense_told_late", CODE, paid_fen=500)
    (case,) = room.kiosk.desk.books.open_cases()
    assert (case.code, case.effects) == (CODE, ("dispense_told_late",))
    await propose(room, "explained")
    await approve(room)
    assert open_codes(room) == []


async def test_a_pin_change_that_the_platform_refuses_is_a_case(autojump_clock: MockClock, room: DutyRoom) -> None:
    """It is the case of its visit, without money; two people have it told once more, and other cards never waited."""
    journal = room.journal
    for number, code in enumerate(("451213", "451214")):
        card = f"C{number:08d}"
        journal.owe_notice("card_platform", "pin_changed", f"key-{number}", code, card_number=card, at="2026-11-22")
    for _ in range(3):
        journal.outbox.refused("key-0", "no_such_card")
    assert open_codes(room) == [CODE, "451213"]
    due = journal.outbox.due("card_platform")
    assert due is not None and due.key == "key-1"
    await propose(room, "tell_again", code="451213")
    await approve(room)
    assert open_codes(room) == [CODE]
    assert [one.key for one in journal.outbox.due_together("card_platform", 9)] == ["key-0", "key-1"]


async def test_a_refused_notice_is_told_once_more(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Released by two people it is due again; refused again it is a case again."""
    await refuse_thrice(room, "amounts_differ")
    await propose(room, "tell_again", code="451212")
    await approve(room)
    assert open_codes(room) == [CODE]
    notice = room.journal.outbox.due("hospital")
    assert notice is not None
    for _ in range(3):
        room.journal.outbox.refused("key-1", "amounts_differ")
    assert open_codes(room) == [CODE, "451212"]


@pytest.mark.parametrize(
    ("remedy", "sure", "act", "paid"),
    [
        ("holder", 2000, "debt_confirm", 2000),
        ("paid_out", 2000, "debt_confirm", 2500),
        ("holder", 0, "debt_give_back", None),
    ],
)
async def test_a_payout_that_was_uncertain_ends_its_reserve(
    autojump_clock: MockClock, tmp_path: Path, pki: Pki, remedy: str, sure: int, act: str, paid: int | None
) -> None:
    """Five yuan were in doubt: the register hears of them by the payout's own key, and of no second debt."""
    room = DutyRoom(tmp_path, pki)
    named: dict[str, str | int] = {"key": "payout-1", "voucher": "QK00000001"}
    doubtful = {**named, "paid_fen": sure, "unaccounted_fen": 500, "left_fen": 0}
    lost = balanced((Account.HOLDER_DEBT, 500), (Account.SUSPENSE, -500))
    room.journal.commit(NewEntry("payout_uncertain", CODE, doubtful, "C1", lost))
    await propose(room, remedy)
    await approve(room)
    notice = room.journal.outbox.due("hospital")
    assert notice is not None
    assert (notice.act, notice.key, notice.facts.get("paid_fen")) == (act, "payout-1", paid)
    assert room.journal.outbox.unsent_count() == 1
    room.journal.close()


@pytest.mark.parametrize(
    ("remedy", "told"),
    [
        ("holder", [("debt_give_back", "payout-1", None), ("debt_give_back", "payout-2", None)]),
        ("paid_out", [("debt_confirm", "payout-1", 500), ("debt_confirm", "payout-2", 300)]),
    ],
)
async def test_two_payouts_of_one_visit_end_both_reserves(
    autojump_clock: MockClock, tmp_path: Path, pki: Pki, remedy: str, told: list[tuple[str, str, int | None]]
) -> None:
    """Both vouchers of one visit were in doubt: each hears by its own key, none stays reserved, no third debt."""
    room = DutyRoom(tmp_path, pki)
    for number, fen in ((1, 500), (2, 300)):
        named: dict[str, str | int] = {"key": f"payout-{number}", "voucher": f"QK0000000{number}"}
        doubtful = {**named, "paid_fen": 0, "unaccounted_fen": fen, "left_fen": 0}
        lost = balanced((Account.HOLDER_DEBT, fen), (Account.SUSPENSE, -fen))
        room.journal.commit(NewEntry("payout_uncertain", CODE, doubtful, "C1", lost))
    await propose(room, remedy)
    await approve(room)
    heard = room.journal.outbox.due_together("hospital", 9)
    assert [(one.act, one.key, one.facts.get("paid_fen")) for one in heard] == told
    assert room.journal.outbox.unsent_count() == 2
    room.journal.close()


async def test_what_a_card_paid_is_never_owed_in_notes(autojump_clock: MockClock, tmp_path: Path, pki: Pki) -> None:
    """A deposit by card that was refused late: its holder has it back by a refund to the card, not by a closing."""
    room = DutyRoom(tmp_path, pki)
    payment = bank_facts(BankPayment("000001", "000001", "R", "A", Fen(HELD), "621700******1234"))
    held = balanced((Account.BANK_CLEARING, HELD), (Account.SUSPENSE, -HELD))
    room.journal.commit(NewEntry("deposit_refused_late", CODE, payment, "C1", held))
    await propose(room, "hospital")
    reasons = next(one for one in room.kiosk.screen.asked if one.name == "staff_close_reason")
    assert [one.value for one in reasons.answers] == ["hospital", "paid_out", "nobody", "split", "back"]
    assert reasons.explain
    await approve(room)
    assert balances(room) == {Account.BANK_CLEARING: HELD, Account.HOSPITAL: -HELD}
    room.journal.close()
