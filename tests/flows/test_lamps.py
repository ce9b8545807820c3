"""The lamps follow the page that the resident sees."""

from itertools import groupby
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from kiosk.devices.lamps import LitScreen
from kiosk.domain.health import Condition, Health
from kiosk.domain.text import say
from kiosk.ports import DARK, Hands, Place, Plain, Question, Shine, Stars
from tests.flows.people import KioskInMemory
from tests.flows.scripted_screen import PULLS_CARD, WALKS_AWAY
from tests.flows.slot_device import SlotDevice

SLOT = frozenset({Place.CARD_SLOT})
PAD = frozenset({Place.PIN_PAD})
SHEETS = frozenset({Place.PAGE_OUTLET})


class FakeLights(SlotDevice):
    """Remembers every wish, with its time."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[tuple[float, Shine]] = []

    def shine(self, shine: Shine) -> None:
        self.wishes.append((trio.current_time(), shine))

    @property
    def now(self) -> Shine:
        return self.wishes[-1][1] if self.wishes else DARK

    @property
    def told(self) -> list[Shine]:
        return [shine for _, shine in self.wishes]


def kiosk_with_lamps(script: dict[str, Any]) -> tuple[KioskInMemory, FakeLights]:
    lights = FakeLights()
    return KioskInMemory(script, lights=lights), lights


async def test_the_slot_is_lit_while_a_card_is_wanted(autojump_clock: MockClock) -> None:
    """The welcome page lights the card slot, and nothing else."""
    kiosk, lights = kiosk_with_lamps({})
    await kiosk.serve(lambda: lights.now == Shine(SLOT) and kiosk.screen.names() == ["insert_card"])
    assert set(lights.told) <= {Shine(SLOT), DARK}


async def test_lamps_go_from_slot_to_pad_to_outlet_to_slot(autojump_clock: MockClock) -> None:
    """Card, PIN, sheet, card: each in its turn, dark where the hands have nothing to do."""
    kiosk, lights = kiosk_with_lamps(
        {
            "menu": ["print_certificate", "take_card"],
            "choose_certificate": "insurance_certificate",
            "certificate_done": "understood",
        }
    )
    await kiosk.visit()
    turns = [places for places, _ in groupby(shine.steady for shine in lights.told if shine.steady)]
    assert turns[:3] == [SLOT, PAD, SHEETS]
    assert turns[3] >= SLOT  # the goodbye: card, and paper where there is some
    assert turns[-1] == SLOT
    assert DARK in lights.told  # the menu


async def test_a_forgotten_card_blinks_at_once(autojump_clock: MockClock) -> None:
    """Nobody answered, so nobody is looking: the slot does not merely glow."""
    kiosk, lights = kiosk_with_lamps({"menu": WALKS_AWAY})

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: kiosk.screen.names()[-1:] == ["card_left"] and lights.now == Shine(blinking=SLOT))
    assert Place.CARD_SLOT not in lights.now.steady


async def test_the_slot_blinks_while_time_runs_out_at_the_goodbye(autojump_clock: MockClock) -> None:
    """Who touched "finish" has ten seconds of quiet light, then it blinks together with the voice."""
    kiosk, lights = kiosk_with_lamps({"menu": ["take_card"]})

    async def resident() -> None:
        await trio.sleep(3)
        kiosk.reader.insert()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resident)
        await kiosk.serve(lambda: "take_card" in kiosk.screen.names() and lights.now.blinking == SLOT)
    quiet = next(at for at, shine in reversed(lights.wishes) if shine.steady == SLOT)
    assert lights.wishes[-1][0] - quiet == pytest.approx(10.0, abs=0.01)


async def test_a_pulled_card_ends_the_light(autojump_clock: MockClock) -> None:
    """The welcome page of the next resident is lit as the first one was."""
    kiosk, lights = kiosk_with_lamps({"menu": PULLS_CARD})
    await kiosk.visit()
    assert lights.now == Shine(SLOT)


async def test_without_lamps_everything_is_served(autojump_clock: MockClock) -> None:
    """A board that is out of order greys out nothing and ends nothing."""
    kiosk, lights = kiosk_with_lamps({"menu": ["query_account", "take_card"], "overview": "back"})
    lights.broken = Health(Condition.UNKNOWN, "silent")
    await kiosk.visit()
    menu = next(question for question in kiosk.screen.asked if question.name == "menu")
    assert all(answer.unavailable is None for answer in menu.answers)
    assert "overview" in kiosk.screen.names()
    assert lights.wishes == []


async def test_a_board_that_comes_back_is_told_where_the_hands_are(autojump_clock: MockClock) -> None:
    """Plugged in again in the middle of a page, it lights what that page wants."""
    kiosk, lights = kiosk_with_lamps({})
    lights.broken = Health(Condition.ABSENT, "lost")

    async def repair() -> None:
        await trio.sleep(20)
        lights.broken = None

    async with trio.open_nursery() as nursery:
        nursery.start_soon(repair)
        await kiosk.serve(lambda: bool(lights.wishes))
    assert lights.told == [Shine(SLOT)]


async def test_money_inside_is_called_for_by_light(autojump_clock: MockClock) -> None:
    """With notes inside the slot begins to blink after half a minute; without them it only glows."""
    lights = FakeLights()
    for money_inside in (False, True):
        kiosk = KioskInMemory({})
        lit = LitScreen(kiosk.screen)
        page = Question("feed", say("Put in notes"), body=Hands((Place.NOTE_SLOT,), money_inside=money_inside))
        async with trio.open_nursery() as nursery:
            await nursery.start(lit.attend, lights)
            lit.show(page)
            await trio.sleep(29)
            assert lights.now == Shine(frozenset({Place.NOTE_SLOT}))
            await trio.sleep(2)
            assert (lights.now.blinking != frozenset()) == money_inside
            nursery.cancel_scope.cancel()


async def test_the_warning_blinks_and_a_touch_ends_it(autojump_clock: MockClock) -> None:
    """ "Are you still there?" makes the lamps of the page blink until a touch; a page without hands stays dark."""
    lights, kiosk = FakeLights(), KioskInMemory({})
    lit = LitScreen(kiosk.screen)
    pin = Question("pin", say("PIN"), body=Stars(6, 6))
    at_reader = Question("own_pad", say("PIN"), body=Stars(6, 6, place=Place.CARD_SLOT))  # PIN mode A
    async with trio.open_nursery() as nursery:
        await nursery.start(lit.attend, lights)
        plain = Question("plain", say("Read"), body=Plain())
        for page, places in ((pin, PAD), (at_reader, frozenset({Place.CARD_SLOT})), (plain, frozenset())):
            lit.show(page)
            lit.warn_idle(20)
            await trio.sleep(1)
            assert lights.now == Shine(blinking=places)
            lit.warn_idle(None)
            await trio.sleep(1)
            assert lights.now == Shine(places)
        nursery.cancel_scope.cancel()
    assert kiosk.screen.warnings == [20, 20, 20]
