"""Staff at the terminal: who is let in, and what they see."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from kiosk.domain.books import Account, balanced
from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.entries import NewEntry, NewNotice
from kiosk.domain.health import Condition, Health
from kiosk.domain.text import Amount
from kiosk.hosts.links import not_connected
from kiosk.l10n import render
from kiosk.ports import Figures, Place, Stars
from simulators.pki import Pki, make_pki
from tests.flows.duty import DutyRoom

SEEN = {"staff_menu": ["status", "cases", "finish"], "staff_status": "back", "staff_cases": "back"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[DutyRoom]:
    made = DutyRoom(tmp_path, pki)
    yield made
    made.journal.close()


def shown(room: DutyRoom, name: str, language: str = "en") -> str:
    """Everything a page says, in words."""
    question = next(one for one in room.kiosk.screen.asked if one.name == name)
    texts = [question.heading, *question.explain, *(one.label for one in question.answers)]
    texts += [one.note for one in question.answers if one.note]
    words = [render(text, language) for text in texts]
    if isinstance(question.body, Figures):
        for row in question.body.rows:
            value = str(row.value.fen) if isinstance(row.value, Amount) else ""
            words += [render(row.label, language), value, render(row.note, language) if row.note else ""]
    return "\n".join(words)


async def test_a_staff_card_opens_the_staff_side_and_nothing_else(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Card, PIN, menu, finish: journaled by id, and the residents' menu never stood there."""
    await room.visit(room.card("1001", "clerk"), staff_menu="finish")
    assert "staff_menu" in room.names()
    assert "menu" not in room.names()
    opened = next(one for one in room.journal.entries() if one.act == "staff_visit_opened")
    assert opened.facts == {"staff": "1001", "role": "clerk"}
    assert "service_ended" not in room.acts()


async def test_in_mode_a_the_readers_own_pad_takes_the_staff_pin(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The page names it, and offers nothing that would leave it asking; a red key there ends the entry."""
    room.kiosk.desk.settings = structs.replace(room.kiosk.desk.settings, pin_mode="A")
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.CANCELLED), PinVerdict(PinResult.OK)]
    await room.visit(room.card("1001", "clerk"), staff_pin_refused="again", staff_menu="finish")
    entry = next(one for one in room.kiosk.screen.asked if one.name == "staff_pin")
    assert entry.answers == ()
    assert isinstance(entry.body, Stars) and entry.body.place is Place.CARD_SLOT
    assert "staff_menu" in room.names()


async def test_a_residents_card_never_gets_there(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A resident's visit asks nothing of the staff side."""
    await room.visit(None, menu="take_card")
    assert "menu" in room.names()
    assert not [name for name in room.names() if name.startswith("staff")]


@pytest.mark.parametrize("wishes", [{"expired": True}, {"issuer": "stranger-ca"}])
async def test_a_card_that_is_not_staffs_is_a_foreign_card(
    autojump_clock: MockClock, room: DutyRoom, wishes: dict[str, object]
) -> None:
    """Run out or signed by another: the page of a foreign card, before any PIN was asked."""
    await room.visit(room.card("1001", "clerk", **wishes), card_problem_card_foreign="take_card")
    assert "card_problem_card_foreign" in room.names()
    assert room.kiosk.pin.entries == 0
    assert "staff_visit_opened" not in room.acts()


async def test_a_clock_set_back_makes_no_card_valid_again(autojump_clock: MockClock, room: DutyRoom) -> None:
    """The journal remembers a later time than the clock tells: that one counts."""
    now = room.clock.moment
    room.clock.moment = now + timedelta(days=400)
    room.journal.record("kiosk_started")
    room.clock.moment = now
    await room.visit(room.card("1001", "clerk"), card_problem_card_foreign="take_card")
    assert "staff_menu" not in room.names()
    refused = next(one for one in room.journal.entries() if one.act == "staff_card_refused")
    assert refused.facts == {"reason": "expired"}


async def test_a_host_that_must_not_be_spoken_to_is_told(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A trace counter that is broken or older than the journal closes the bank; staff see that and why."""
    room.kiosk.desk.bank = not_connected("bank", "trace_counter")
    await room.visit(room.card("1001", "clerk"), **SEEN)
    words = shown(room, "staff_status")
    assert "Something needs attention" in words
    assert "The bank" in words and "trace_counter" in words
    assert "银行" in shown(room, "staff_status", "zh")


async def test_without_an_anchor_nobody_is_staff(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A terminal that was given no authority lets nobody in."""
    room.settings(anchor="")
    await room.visit(room.card("1001", "clerk"), card_problem_card_foreign="take_card")
    assert "staff_menu" not in room.names()


async def test_a_wrong_pin_stays_outside(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Wrong, then stop: no menu; wrong, then right: the menu."""
    card = room.card("1001", "clerk")
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2)]
    await room.visit(card, staff_pin_refused="back")
    assert "staff_menu" not in room.names()
    room.kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 2), PinVerdict(PinResult.OK)]
    await room.visit(card, staff_pin_refused="again", staff_menu="finish")
    assert "staff_menu" in room.names()


@pytest.mark.parametrize("result", [PinResult.LOCKED, PinResult.INITIAL, PinResult.UNSET, PinResult.UNKNOWN])
async def test_no_other_verdict_opens(autojump_clock: MockClock, room: DutyRoom, result: PinResult) -> None:
    """A staff card with its first PIN is no proof of anybody."""
    room.kiosk.pin.verdicts = [PinVerdict(result, 0)]
    await room.visit(room.card("1001", "clerk"), staff_pin_refused="back")
    assert "staff_menu" not in room.names()


async def test_status_names_what_is_wrong(autojump_clock: MockClock, room: DutyRoom) -> None:
    """A slot out of order, messages not sent with sum and age, money in suspense with sum and age, and PIN mode B."""
    room.kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")
    held = balanced((Account.CASH_BOX, 5_000), (Account.SUSPENSE, -5_000))
    notice = NewNotice("hospital", "payment", "k1", {}, 700)
    room.journal.commit(NewEntry("settle_handed_over", "451207", {}, "C1", held, notices=(notice,)))
    room.clock.moment += timedelta(hours=5)
    await room.visit(room.card("1001", "clerk"), **SEEN)
    words = shown(room, "staff_status")
    for part in ("Receipt printer", "paper_out", "Messages not sent: 1", "700", "5000", "waits 5 hours", "PIN mode B"):
        assert part in words
    assert "凭条打印机" in shown(room, "staff_status", "zh")


async def test_status_of_a_healthy_terminal_is_short(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Nothing is wrong: it says so, and no slot is listed."""
    await room.visit(room.card("1001", "clerk"), **SEEN)
    words = shown(room, "staff_status")
    assert words.startswith("Every device works")
    assert "Messages not sent: 0" in words
    assert "Receipt printer" not in words


async def test_a_case_is_told_whole_and_names_no_card(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Every entry of the case in words, amounts shown, no card number; that it was looked at is journaled."""
    fed = balanced((Account.CASH_BOX, 10_000), (Account.RESIDENT, -10_000))
    lost = balanced((Account.RESIDENT, 10_000), (Account.SUSPENSE, -10_000))
    room.journal.commit(NewEntry("note_credited", "451207", {"denomination_fen": 10_000}, "B00000131", fed))
    room.journal.commit(NewEntry("dispense_uncertain", "451207", {"unaccounted_fen": 10_000}, "B00000131", lost))
    await room.visit(
        room.card("1001", "clerk"),
        staff_menu=["cases", "finish"],
        staff_cases=["451207", "back"],
        staff_case="back",
    )
    words = shown(room, "staff_case")
    assert "The note was taken and credited." in words
    assert "It is not certain what was paid out" in words
    assert "10000" in words
    assert "B00000131" not in words
    viewed = next(one for one in room.journal.entries() if one.act == "case_viewed")
    assert viewed.facts == {"staff": "1001", "case": "451207"}


async def test_a_pulled_staff_card_ends_the_visit(autojump_clock: MockClock, room: DutyRoom) -> None:
    """Nothing stays open behind the person who left."""
    with trio.fail_after(20_000):
        await room.visit(room.card("1001", "clerk"), staff_menu="pulls the card")
    closed = [one for one in room.journal.entries() if one.act == "staff_visit_closed"]
    assert closed[-1].facts == {"how": "card_pulled"}
