"""Change the PIN: what is said and owed after every verdict of the card."""

from typing import Any

import pytest
from msgspec import structs
from trio.testing import MockClock

from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, PadKey, Stars
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD


def resident(**script: Any) -> KioskInMemory:
    return KioskInMemory(
        {
            "menu": ["change_pin", "take_card"],
            "pin_changed": "understood",
            "pin_unknown": "understood",
            "pin_mismatch": "understood",
            "pin_too_simple": "understood",
            "pin_locked": "understood",
            "last_try": "again",
        }
        | script
    )


async def test_changed_pin_owes_the_platform_a_notice(autojump_clock: MockClock) -> None:
    """After the card said yes, one notice is owed under the key of the intent."""
    kiosk = resident()
    await kiosk.visit()
    assert [(host, act) for host, act, _ in kiosk.journal.notices] == [("card_platform", "pin_changed")]
    assert "pin_changed" in kiosk.screen.names()


async def test_no_status_word_means_either_pin(autojump_clock: MockClock) -> None:
    """An unanswered CHANGE PIN is not repeated, owes nothing, and the resident learns how to find out."""
    kiosk = resident()
    kiosk.pin.verdicts = [PinVerdict(PinResult.UNKNOWN)]
    await kiosk.visit()
    assert kiosk.pin.entries == 1
    assert kiosk.journal.notices == []
    assert "pin_unknown" in kiosk.screen.names()


@pytest.mark.parametrize("result", [PinResult.MISMATCH, PinResult.TOO_SIMPLE])
async def test_new_pin_that_is_not_sent_may_be_entered_again(autojump_clock: MockClock, result: PinResult) -> None:
    """A mismatch or a first PIN as the new one changes nothing and offers another entry."""
    kiosk = resident()
    kiosk.pin.verdicts = [PinVerdict(result), PinVerdict(PinResult.OK)]
    await kiosk.visit()
    assert kiosk.pin.entries == 2
    assert "pin_changed" in kiosk.screen.names()


async def test_lock_on_the_last_try_is_explained(autojump_clock: MockClock) -> None:
    """The try after "one left" may lock the card, and then the screen says what still works."""
    kiosk = resident()
    kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, 1), PinVerdict(PinResult.LOCKED, 0)]
    await kiosk.visit()
    assert kiosk.screen.names().count("last_try") == 1
    assert "pin_locked" in kiosk.screen.names()


async def test_red_touch_during_entry_goes_back(autojump_clock: MockClock) -> None:
    """Touching "go back" while the pad waits cancels the entry and returns to the menu."""
    kiosk = resident(change_pin_entry="back")
    kiosk.pin.never_ends = True
    await kiosk.visit()
    assert kiosk.screen.names().count("menu") == 2
    assert kiosk.journal.notices == []


async def test_forgotten_pin_costs_no_try_and_prints_where_to_go(autojump_clock: MockClock) -> None:
    """ "I forgot the PIN" ends the entry, and a paper says where and with what it is reset."""
    kiosk = resident(change_pin_entry="forgot", forgot_pin="print")
    kiosk.pin.never_ends = True
    await kiosk.visit()
    words = "\n".join(line.words for line in kiosk.receipts.papers[0].lines)
    assert "3 号窗口" in words
    assert "身份证和社保卡" in words


async def test_card_pulled_during_entry_ends_the_visit(autojump_clock: MockClock) -> None:
    """Pulling the card while digits are typed ends the visit; nothing was changed."""
    kiosk = resident(change_pin_entry=PULLS_CARD)
    kiosk.pin.never_ends = True
    await kiosk.visit()
    assert kiosk.journal.acts[-1][2]["how"] == "card_pulled"


async def test_broken_pad_is_told(autojump_clock: MockClock) -> None:
    """A keypad that fails at entry is a device fault in words."""
    kiosk = resident(device_out="understood")

    async def fails(*_: Any) -> PinVerdict:
        raise DeviceFault("pin_pad", Health(Condition.UNKNOWN, "silent"))

    kiosk.pin.change_chip_pin = fails  # type: ignore[method-assign]
    await kiosk.visit()
    assert "device_out" in kiosk.screen.names()


async def test_whole_visit_by_keypad_alone(autojump_clock: MockClock) -> None:
    """Keys of the pad answer every question outside PIN entry: 3, green, red."""
    import trio

    kiosk = KioskInMemory({})

    async def fingers() -> None:
        for question, key in (("menu", PadKey.DIGIT_3), ("pin_changed", PadKey.ENTER), ("menu", PadKey.CANCEL)):
            while kiosk.screen.names()[-1:] != [question]:
                await trio.sleep(0.1)
            await trio.sleep(0.1)
            await kiosk.pad.press.send(key)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fingers)
        await kiosk.visit()
    assert "pin_changed" in kiosk.screen.names()


async def test_red_key_at_the_pad_is_no_fault_of_the_card(autojump_clock: MockClock) -> None:
    """Who presses the red key during an entry hears that no try was used, never that the card did not answer."""
    for service in ("change_pin", "query_account"):
        kiosk = resident(menu=[service, "take_card"], pin_stopped="stop")
        kiosk.pin.verdicts = [PinVerdict(PinResult.CANCELLED)]
        await kiosk.visit()
        assert "pin_stopped" in kiosk.screen.names()
        assert "pin_cancelled" not in kiosk.screen.names()
        assert kiosk.screen.names().count("menu") == 2


async def test_forgotten_pin_is_reached_by_keys_without_a_try(autojump_clock: MockClock) -> None:
    """Red key at the pad, then the key of "forgot": the note is printed, and no PIN went to the card."""
    for service in ("change_pin", "query_account"):
        kiosk = resident(menu=[service, "take_card"], pin_stopped="forgot", forgot_pin="print")
        kiosk.pin.verdicts = [PinVerdict(PinResult.CANCELLED)]
        await kiosk.visit()
        assert len(kiosk.receipts.papers) == 1


async def test_paper_that_cannot_come_out_is_not_offered(autojump_clock: MockClock) -> None:
    """Without receipt paper a forgotten PIN is told on the glass alone, and the resident is asked to write it down."""
    kiosk = resident(menu=["query_account", "take_card"], pin_entry="forgot", forgot_pin="understood")
    kiosk.pin.never_ends = True
    kiosk.receipts.broken = Health(Condition.FAULT, "paper_out")
    await kiosk.visit()
    asked = next(question for question in kiosk.screen.asked if question.name == "forgot_pin")
    assert [answer.value for answer in asked.answers] == ["understood"]
    assert kiosk.receipts.papers == []


async def test_every_started_change_has_an_end_in_the_journal(autojump_clock: MockClock) -> None:
    """Forgotten, pulled or broken: a start without an end is a power cut alone."""
    for script in ({"change_pin_entry": "forgot"}, {"change_pin_entry": "back"}, {"change_pin_entry": PULLS_CARD}):
        kiosk = resident(**script)
        kiosk.pin.never_ends = True
        await kiosk.visit()
        names = kiosk.journal.names()
        assert names.count("pin_change_started") == names.count("pin_change_ended") == 1


@pytest.mark.parametrize("service", ["change_pin", "query_account"])
async def test_mode_a_never_leaves_the_readers_pad_asking(autojump_clock: MockClock, service: str) -> None:
    """While a reader's own pad asks, the screen offers nothing that would leave it so; its red key does."""
    kiosk = resident(menu=[service, "take_card"], pin_stopped="forgot", forgot_pin="print")
    kiosk.desk.settings = structs.replace(kiosk.settings, pin_mode="A")
    kiosk.pin.verdicts = [PinVerdict(PinResult.CANCELLED)]
    await kiosk.visit()
    entry = next(question for question in kiosk.screen.asked if isinstance(question.body, Stars))
    assert entry.answers == ()
    assert kiosk.screen.names().count("pin_stopped") == 1
    assert len(kiosk.receipts.papers) == 1


async def test_card_that_does_not_count_its_tries_is_not_said_to_have_none(autojump_clock: MockClock) -> None:
    """A wrong PIN without a number of tries left shows no number."""
    kiosk = resident(menu=["query_account", "take_card"], wrong_pin="stop")
    kiosk.pin.verdicts = [PinVerdict(PinResult.WRONG, None)]
    await kiosk.visit()
    wrong = next(question for question in kiosk.screen.asked if question.name == "wrong_pin")
    assert all("tries" not in sentence.args for sentence in wrong.explain)
