"""What is particular to the LCUS driver: its settings, boards that never answer, relays that do not obey."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from drivers.lights.lcus.codec import switch
from drivers.lights.lcus.driver import LcusLights, LcusSettings, open_device, read_options
from drivers.options import OptionError
from drivers.registry import find_driver
from drivers.transport.line import Line
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, Place, Shine
from simulators.devices.lcus import LcusBoard
from tests.lights_stand import lights_stand

SLOT = Shine(frozenset({Place.CARD_SLOT}))


def _driver(**settings: object) -> Callable[[DeviceContext, Callable[[], Line]], LcusLights]:
    return lambda context, open_line: LcusLights(read_options(settings), context, open_line)


def test_it_is_found_by_its_name() -> None:
    """The entry point ``lcus`` opens nothing yet."""
    context = DeviceContext("lights", lambda _: None, JsonLog(io.StringIO()), Path())
    assert find_driver("lcus") is open_device
    assert isinstance(open_device({"path": "nowhere"}, context), LcusLights)


@pytest.mark.parametrize(
    "wrong",
    [
        {"card_slot": 9},
        {"card_slot": 2, "pin_pad": 2},
        {"status": "perhaps"},
        {"blink_s": 0.1},
        {"gap_s": 0.0},
        {"lamp": 1},
    ],
    ids=str,
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    """A relay no board has, one relay for two lamps, flashing that hurts: refused by name."""
    with pytest.raises(OptionError):
        read_options(wrong)


async def test_a_board_that_never_answers_is_never_called_fine(autojump_clock: MockClock) -> None:
    """``status = "none"``: obeyed blindly, DEGRADED ``unconfirmed``, and it stays in service."""
    board = LcusBoard()
    board.faults.add("silent")
    async with lights_stand(_driver(status="none"), board) as stand:
        stand.driver.shine(SLOT)
        await stand.until(lambda: board.lit == {1})
        await trio.sleep(60)
        assert stand.health == Health(Condition.DEGRADED, "unconfirmed")
        assert stand.fault is None


async def test_a_relay_that_does_not_obey_is_told_to_staff(autojump_clock: MockClock) -> None:
    """The board says the opposite of what it was told, again and again: DEGRADED, until it is mended."""
    board = LcusBoard()
    async with lights_stand(_driver(), board) as stand:
        board.faults.add("stuck")
        stand.driver.shine(SLOT)
        await stand.until(lambda: stand.health == Health(Condition.DEGRADED, "relay_stuck"))
        board.faults.discard("stuck")
        await stand.until(lambda: stand.health.condition is Condition.READY)
        assert board.lit == {1}


async def test_commands_leave_the_board_its_time(autojump_clock: MockClock) -> None:
    """A board that loses hurried commands loses none of ours."""
    board = LcusBoard()
    board.faults.add("hurried")
    async with lights_stand(_driver(poll_s=600.0), board) as stand:
        stand.driver.shine(Shine(frozenset(Place)))
        await trio.sleep(5)
        assert board.lit == set(range(1, 7))


async def test_places_without_a_lamp_are_passed_over(autojump_clock: MockClock) -> None:
    """A terminal with one lamp lights that one."""
    only = {place.value: 0 for place in Place if place is not Place.CARD_SLOT}
    board = LcusBoard()
    async with lights_stand(_driver(**only), board) as stand:
        stand.driver.shine(Shine(frozenset(Place)))
        await stand.until(lambda: board.lit == {1})
        stand.driver.shine(Shine(blinking=frozenset({Place.PIN_PAD})))
        await trio.sleep(0.3)
        assert board.lit == frozenset()


async def test_a_steady_lamp_clicks_no_relay(autojump_clock: MockClock) -> None:
    """A relay lives for some 100,000 clicks: an hour of the same page costs one."""
    board = LcusBoard()
    async with lights_stand(_driver(), board) as stand:
        stand.driver.shine(SLOT)
        await trio.sleep(3600)
        assert board.clicks == 1
    assert LcusSettings().blink_s == 0.5


async def test_a_dark_board_is_ready_with_its_first_answer(autojump_clock: MockClock) -> None:
    """Six lamps and a gap after each command would hold the lamp of the first page up by 0.6 s: it takes one gap."""
    board = LcusBoard()
    began = trio.current_time()
    async with lights_stand(_driver(), board):
        assert trio.current_time() - began < 2 * LcusSettings().gap_s
        assert board.clicks == 0


async def test_only_the_lamps_that_an_earlier_life_left_on_are_switched(autojump_clock: MockClock) -> None:
    """Two of six: dark before the driver serves, by two clicks."""
    board = LcusBoard()
    for relay in (2, 5):
        board.receive(switch(relay, True))
    board.clicks = 0
    async with lights_stand(_driver(), board) as stand:
        assert board.lit == frozenset()
        assert board.clicks == 2
        assert stand.health == Health(Condition.READY)
