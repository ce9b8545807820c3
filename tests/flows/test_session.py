"""Visits that do not go as planned: strange cards, staff calls, time, devices that come and go."""

from datetime import date
from typing import NoReturn

import pytest
import trio
from trio.testing import MockClock

from drivers.options import OptionError
from kiosk.domain.card import CardState, Holder, Sex
from kiosk.domain.health import Condition, Health
from kiosk.ports import HELP, CardGone, DeviceFault, PadKey
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY


@pytest.mark.parametrize("reason", ["card_mute", "card_foreign"])
async def test_unreadable_card_is_explained_and_the_next_one_served(autojump_clock: MockClock, reason: str) -> None:
    """A card that gives nothing ends in a sentence about it; the next resident is served without a restart."""
    kiosk = KioskInMemory({"menu": ["take_card"], f"card_problem_{reason}": "take_card"})
    kiosk.reader.fault = DeviceFault("card_reader", Health(Condition.FAULT, reason))
    await kiosk.visit()
    assert f"card_problem_{reason}" in kiosk.screen.names()
    kiosk.reader.fault = None
    kiosk.journal.acts.clear()
    await kiosk.visit()
    assert "menu" in kiosk.screen.names()


async def test_counterfeit_shows_nothing_personal(autojump_clock: MockClock) -> None:
    """A chip that fails the genuine check never gets to the holder's name, and nobody is accused aloud."""
    kiosk = KioskInMemory({"card_problem_counterfeit": "take_card"})
    kiosk.sam.genuine = False
    await kiosk.visit()
    question = kiosk.screen.asked[-2]
    assert "menu" not in kiosk.screen.names()
    assert "fake" not in question.heading.msgid


async def test_without_psam_the_hsm_answers(autojump_clock: MockClock) -> None:
    """When no PSAM is usable, the platform's HSM proves the card."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    kiosk.sam.broken = Health(Condition.ABSENT, "no_psam")
    await kiosk.visit()
    assert "menu" in kiosk.screen.names()


async def test_without_any_authority_nothing_personal(autojump_clock: MockClock) -> None:
    """No PSAM and no platform: the card cannot be checked, so no menu."""
    kiosk = KioskInMemory({"card_problem_no_authority": "take_card"})
    kiosk.sam.broken = Health(Condition.ABSENT, "no_psam")
    kiosk.hosts.silent = True
    await kiosk.visit()
    assert "menu" not in kiosk.screen.names()


@pytest.mark.parametrize("state", [one for one in CardState if one is not CardState.NORMAL])
async def test_card_in_another_state_is_sent_to_the_counter(autojump_clock: MockClock, state: CardState) -> None:
    """Every platform state but normal ends before the menu, and never says "lost"."""
    page = "loss_found" if state is CardState.TEMPORARILY_LOST else f"card_state_{state.value}"
    kiosk = KioskInMemory({page: "back" if state is CardState.TEMPORARILY_LOST else "take_card"})
    kiosk.hosts.state = state
    await kiosk.visit()
    question = next(one for one in kiosk.screen.asked if one.name == page)
    assert "lost" not in question.heading.msgid.lower()
    assert "menu" not in kiosk.screen.names()


async def test_expired_card_may_still_look(autojump_clock: MockClock) -> None:
    """A card past its date is told so once and then served."""
    kiosk = KioskInMemory({"card_expired": "go_on", "menu": ["take_card"]})
    kiosk.reader.identity = kiosk.reader.identity.__class__(
        kiosk.reader.identity.identification_code, "A00000012", "1.00", None, date(2020, 1, 1), b"\0" * 17
    )
    await kiosk.visit()
    assert kiosk.screen.names()[1:3] == ["card_expired", "menu"]


async def test_empty_name_is_greeted_all_the_same(autojump_clock: MockClock) -> None:
    """A card with no name on it gets a greeting without one."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    kiosk.reader.holder = Holder("", "", Sex.UNKNOWN, "", None)
    await kiosk.visit()
    menu = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert "name" not in menu.heading.args


async def test_help_is_truthful_when_staff_answer(autojump_clock: MockClock) -> None:
    """ "Staff have been called" appears only with their acknowledgement, then the question stands again."""
    kiosk = KioskInMemory({"menu": [HELP, "take_card"], "help_called": "understood"})
    await kiosk.visit()
    assert kiosk.screen.names()[1:4] == ["menu", "help_called", "menu"]
    assert kiosk.hosts.staff_calls == [("menu", "help_button")]


async def test_help_without_an_answer_gives_telephone_and_code(autojump_clock: MockClock) -> None:
    """When nobody acknowledges, the screen does not claim so and shows a number to call with a code."""
    kiosk = KioskInMemory({"menu": [HELP, "take_card"], "nobody_there": "understood"})
    kiosk.hosts.duty_minutes = None
    await kiosk.visit()
    nobody = next(question for question in kiosk.screen.asked if question.name == "nobody_there")
    assert nobody.case_code
    assert "staff_silent" in kiosk.journal.names()


async def test_touching_extends_the_time_ten_times_and_more(autojump_clock: MockClock) -> None:
    """A touch in every warning keeps the page for as long as the resident wants it."""
    kiosk = KioskInMemory({"menu": WALKS_AWAY})
    opened = trio.Event()

    async def reader_of_menus() -> None:
        while kiosk.screen.names()[-1:] != ["menu"]:
            await trio.sleep(0.1)
        opened.set()
        for _ in range(12):
            await trio.sleep(85)
            kiosk.screen.activity = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader_of_menus)
        await kiosk.visit()
    assert 12 * 85 + 90 <= trio.current_time() < 12 * 85 + 130


async def test_large_type_gives_twice_the_time(autojump_clock: MockClock) -> None:
    """In large type the page stays 180 seconds."""
    from kiosk.ports import Preferences

    kiosk = KioskInMemory({"menu": WALKS_AWAY})

    async def enlarge() -> None:
        while kiosk.screen.names()[-1:] != ["menu"]:
            await trio.sleep(0.1)
        kiosk.screen.preferences = Preferences(large=True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(enlarge)
        await kiosk.visit()
    assert trio.current_time() > 85 + 90


async def test_card_pulled_while_it_is_read(autojump_clock: MockClock) -> None:
    """A card that leaves during reading leaves no trace but the welcome page."""
    kiosk = KioskInMemory({})
    kiosk.reader.fault = CardGone()
    kiosk.reader.insert()

    async def pull_soon() -> None:
        await trio.sleep(1)
        kiosk.reader.pull()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pull_soon)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] == ["insert_card"])
    assert "menu" not in kiosk.screen.names()


async def test_reader_that_dies_and_comes_back(autojump_clock: MockClock) -> None:
    """Without a reader the page says so; when it is back, the welcome page is too."""
    kiosk = KioskInMemory({})
    kiosk.reader.broken = Health(Condition.FAULT, "reader_gone")

    async def repair() -> None:
        await trio.sleep(20)
        kiosk.reader.broken = None

    async with trio.open_nursery() as nursery:
        nursery.start_soon(repair)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] == ["insert_card"] and len(kiosk.screen.asked) > 1)
    assert kiosk.screen.names()[0] == "out_of_order"
    assert [page.name for page in kiosk.screen.shown] == ["getting_ready"]


async def test_nobody_is_asked_for_a_card_before_the_slot_is_known(autojump_clock: MockClock) -> None:
    """While a forgotten card could still show itself the page asks for none; who puts one in at the first sight of the
    welcome page is served."""
    kiosk = KioskInMemory({"menu": ["take_card"]})

    async def quick() -> None:
        while not kiosk.screen.asked:
            await trio.sleep(0.01)
        kiosk.reader.insert()
        while "visit_closed" not in kiosk.journal.names():
            await trio.sleep(0.1)
        kiosk.reader.pull()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(quick)
        await kiosk.serve(lambda: "visit_closed" in kiosk.journal.names() and not kiosk.reader.card_present)
    assert kiosk.screen.shown[0].name == "getting_ready"
    assert kiosk.screen.names()[:2] == ["insert_card", "menu"]


async def test_reader_that_dies_in_a_visit_ends_it(autojump_clock: MockClock) -> None:
    """A reader lost in mid-visit closes the page; the card's owner sees that cards cannot be read."""
    kiosk = KioskInMemory({"menu": WALKS_AWAY})
    kiosk.reader.insert()
    kiosk.reader.pull()

    async def accident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while kiosk.screen.names()[-1:] != ["menu"]:
            await trio.sleep(0.1)
        kiosk.break_device(kiosk.reader, "reader_gone")
        kiosk.reader.pulled.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accident)
        await kiosk.serve(lambda: "out_of_order" in kiosk.screen.names())
    assert "visit_closed" in kiosk.journal.names()


async def test_no_card_at_hand_is_explained(autojump_clock: MockClock) -> None:
    """Touching "no card" explains and returns to the welcome page."""
    kiosk = KioskInMemory({"insert_card": ["no_card"], "no_card": "understood"})
    await kiosk.serve(lambda: kiosk.screen.names()[-3:] == ["insert_card", "no_card", "insert_card"])
    assert kiosk.journal.names() == []


async def test_pulled_card_at_the_menu_is_a_normal_goodbye(autojump_clock: MockClock) -> None:
    """Taking the card at the menu simply ends the visit."""
    kiosk = KioskInMemory({"menu": PULLS_CARD})
    await kiosk.visit()
    assert kiosk.journal.acts[-1][2]["how"] == "card_pulled"
    assert "take_card" not in kiosk.screen.names()


async def test_keys_pressed_before_a_question_do_not_answer_it(autojump_clock: MockClock) -> None:
    """The pad forgets keys that were pressed while another page stood."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    forgotten = 0

    def count() -> None:
        nonlocal forgotten
        forgotten += 1

    kiosk.pad.forget_keys = count  # type: ignore[method-assign]
    await kiosk.visit()
    assert forgotten >= 2
    assert kiosk.pad.press.statistics().current_buffer_used == 0
    assert PadKey.ENTER.digit is None


async def test_card_forgotten_after_finishing_is_told_to_staff_too(autojump_clock: MockClock) -> None:
    """Who touches "finish" and walks away without the card is no less forgetful: after a minute staff hear of it."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    called = ("card_left", "card_left_behind")

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: called in kiosk.hosts.staff_calls)
    assert kiosk.screen.names()[-1] == "take_card"
    assert trio.current_time() >= kiosk.settings.timing.card_left_s


async def test_nothing_of_a_card_that_was_not_served_is_kept(autojump_clock: MockClock) -> None:
    """Name and number leave the memory with the card, also when the visit never came to a menu."""
    for script, state in (({"card_state_lost": "take_card"}, CardState.LOST), ({"menu": ["take_card"]}, None)):
        kiosk = KioskInMemory(script)
        kiosk.hosts.state = state or CardState.NORMAL
        await kiosk.visit()
        assert not hasattr(kiosk.desk, "visit")


async def test_psam_that_refuses_is_explained(autojump_clock: MockClock) -> None:
    """A security module that fails in the middle is no reason to say nothing: the card cannot be checked now."""
    kiosk = KioskInMemory({"card_problem_no_authority": "take_card"})

    async def refuses(*_: object) -> bool:
        raise DeviceFault("sam_reader", Health(Condition.FAULT, "psam_refused"))

    kiosk.sam.internal_authentication_ok = refuses  # type: ignore[method-assign]
    await kiosk.visit()
    assert "card_problem_no_authority" in kiosk.screen.names()


async def test_wishes_of_a_passer_by_are_not_the_next_ones(autojump_clock: MockClock) -> None:
    """Language and size chosen at the welcome page are forgotten when nobody is there any more."""
    from kiosk.ports import Preferences

    kiosk = KioskInMemory({"insert_card": ["no_card"]})

    async def passer_by() -> None:
        while kiosk.screen.names()[-1:] != ["no_card"]:
            await trio.sleep(0.1)
        kiosk.screen.preferences = Preferences(language="en", large=True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(passer_by)
        await kiosk.serve(lambda: kiosk.screen.names()[-2:] == ["no_card", "insert_card"])
    assert kiosk.screen.preferences == Preferences()
    assert trio.current_time() >= kiosk.settings.timing.question_slow_s


async def test_paper_that_nobody_confirmed_is_on_record(autojump_clock: MockClock) -> None:
    """A sheet that may still lie in the outlet is asked for, and then journaled as perhaps left."""
    kiosk = KioskInMemory(
        {
            "menu": ["print_certificate"],
            "choose_certificate": "insurance_certificate",
            "certificate_done": PULLS_CARD,
        }
    )
    kiosk.reader.insert()
    kiosk.reader.pull()

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: "paper_perhaps_left" in kiosk.journal.names())
    assert "take_paper" in kiosk.screen.names()


async def test_pin_entry_that_the_settings_make_impossible_is_a_fault_in_words(autojump_clock: MockClock) -> None:
    """Mode A without the reader maker's library does not end the kiosk: the resident is told, staff see why."""
    kiosk = KioskInMemory({"menu": ["query_account", "take_card"], "device_out": "understood"})

    def impossible(*_: object) -> NoReturn:
        raise OptionError("PIN mode A needs the reader maker's library")

    kiosk.desk.make_pin_entry = impossible
    await kiosk.visit()
    assert "device_out" in kiosk.screen.names()
    assert any(event == "bad_settings" for event, _ in kiosk.lines)


async def test_reader_that_comes_back_with_the_card_opens_nothing(autojump_clock: MockClock) -> None:
    """A reader that was away tells of its card a moment later: it must be taken out before anything opens."""
    kiosk = KioskInMemory({"menu": WALKS_AWAY})

    async def accident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()
        while kiosk.screen.names()[-1:] != ["menu"]:
            await trio.sleep(0.1)
        kiosk.break_device(kiosk.reader, "reader_gone")
        kiosk.reader.pull()
        await trio.sleep(0.2)
        kiosk.reader.broken, kiosk.reader.breaks = None, trio.Event()
        while kiosk.supervisor.unusable(("card_reader",)):
            await kiosk.supervisor.wait_change()
        await trio.sleep(0.5)
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accident)
        await kiosk.serve(lambda: "card_inside" in kiosk.screen.names())
    assert kiosk.journal.names().count("visit_opened") == 1


async def test_the_menu_is_made_ready_while_the_platform_thinks(autojump_clock: MockClock) -> None:
    """What is laid out is the very page that is asked then."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    kiosk.hosts.thinks_s = 1.0
    await kiosk.visit()
    asked = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert kiosk.screen.foreseen == [asked]


async def test_a_platform_that_answers_at_once_is_not_waited_for(autojump_clock: MockClock) -> None:
    """Nothing is made ready that could only hold the next page up."""
    kiosk = KioskInMemory({"menu": ["take_card"]})
    await kiosk.visit()
    assert kiosk.screen.foreseen == []
    assert "menu" in kiosk.screen.names()
