"""What every driver for the slot ``lights`` must do, whoever wrote it, over four wires.

To judge a driver of your own: subclass, give your driver and your board's simulator, and say which places are lit on
it. The simulator has a set ``faults`` that knows ``silent`` and ``off``, and ``power_cut()``.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from drivers.transport.line import Line
from drivers.transport.memory import ByteWire, LossyWire, PerfectWire, SlowWire, Wire
from kiosk.domain.health import Condition
from kiosk.ports import DARK, DeviceContext, Place, Shine
from tests.lights_stand import lights_stand

good_wires = pytest.mark.parametrize("wire", [PerfectWire, ByteWire, SlowWire])
SLOT = frozenset({Place.CARD_SLOT})
OUTLETS = frozenset({Place.RECEIPT_OUTLET, Place.PAGE_OUTLET})


class LightsSuite:
    def board(self) -> Any:
        raise NotImplementedError

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> Any:
        raise NotImplementedError

    def lit(self, board: Any) -> frozenset[Place]:
        """Places whose lamp is on."""
        raise NotImplementedError

    @good_wires
    async def test_lamps_follow_the_wish(self, wire: type[Wire], autojump_clock: MockClock) -> None:
        """Lit are the places last wished for and no others; DARK is dark."""
        board = self.board()
        async with lights_stand(self.driver, board, wire(), wire()) as stand:
            assert stand.health.condition.usable
            for wish in (Shine(SLOT), Shine(OUTLETS), Shine(SLOT | OUTLETS), DARK):
                stand.driver.shine(wish)
                await stand.until(lambda wish=wish: self.lit(board) == wish.steady)  # type: ignore[misc]

    async def test_a_lamp_from_an_earlier_life_goes_out(self, autojump_clock: MockClock) -> None:
        """A process that was killed leaves lamps on; the next one begins in the dark."""
        board = self.board()
        async with lights_stand(self.driver, board) as stand:
            stand.driver.shine(Shine(SLOT))
            await stand.until(lambda: self.lit(board) == SLOT)
            stand.far.close()
        assert self.lit(board) == SLOT
        async with lights_stand(self.driver, board) as stand:
            assert self.lit(board) == frozenset()

    async def test_it_ends_in_the_dark(self, autojump_clock: MockClock) -> None:
        """Whoever ends the driver finds the lamps off."""
        board = self.board()
        async with lights_stand(self.driver, board) as stand:
            stand.driver.shine(Shine(OUTLETS, SLOT))
            await stand.until(lambda: self.lit(board) >= OUTLETS)
        assert self.lit(board) == frozenset()

    async def test_blinking_is_slower_than_two_a_second(self, autojump_clock: MockClock) -> None:
        """In ten seconds a blinking lamp goes on and off, at most twice a second; a steady one beside it stays."""
        board = self.board()
        async with lights_stand(self.driver, board) as stand:
            stand.driver.shine(Shine(OUTLETS, SLOT))
            await stand.until(lambda: self.lit(board) == OUTLETS | SLOT)
            seen = []
            for _ in range(1000):
                seen.append(Place.CARD_SLOT in self.lit(board))
                assert self.lit(board) >= OUTLETS
                await trio.sleep(0.01)
        turns = sum(before != after for before, after in pairwise(seen))
        assert 5 <= turns <= 40

    async def test_a_silent_board_holds_up_nobody(self, autojump_clock: MockClock) -> None:
        """``shine`` returns at once; the slot becomes UNKNOWN, and its driver ends by itself."""
        board = self.board()
        async with lights_stand(self.driver, board) as stand:
            board.faults.add("silent")
            before = trio.current_time()
            for _ in range(100):
                stand.driver.shine(Shine(SLOT))
                stand.driver.shine(DARK)
            assert trio.current_time() == before
            await stand.over.wait()
            assert Condition.UNKNOWN in {one.condition for one in stand.reports}
            stand.driver.shine(Shine(SLOT))
        assert stand.fault is not None

    async def test_a_board_without_power_is_not_ready(self, autojump_clock: MockClock) -> None:
        """Silence from the start is UNKNOWN, never fine."""
        board = self.board()
        board.faults.add("off")
        async with lights_stand(self.driver, board) as stand:
            await stand.over.wait()
            assert stand.fault is not None and stand.fault.health.condition is Condition.UNKNOWN

    async def test_a_lost_line_is_absent(self, autojump_clock: MockClock) -> None:
        """The cable is pulled: ABSENT, and wishes go nowhere without a word."""
        async with lights_stand(self.driver, self.board()) as stand:
            stand.far.close()
            await stand.over.wait()
            stand.driver.shine(Shine(SLOT))
            assert stand.fault is not None and stand.fault.health.condition is Condition.ABSENT

    async def test_after_a_power_cut_of_the_board_the_wish_is_restored(self, autojump_clock: MockClock) -> None:
        """Its relays fell off; the driver finds out and lights what is wished for."""
        board = self.board()
        async with lights_stand(self.driver, board) as stand:
            stand.driver.shine(Shine(SLOT))
            await stand.until(lambda: self.lit(board) == SLOT)
            board.power_cut()
            assert self.lit(board) == frozenset()
            await stand.until(lambda: self.lit(board) == SLOT)

    @pytest.mark.parametrize("seed", range(10))
    async def test_over_a_damaging_wire_the_wish_wins(self, seed: int, autojump_clock: MockClock) -> None:
        """Bytes are lost, changed and invented; in the end the lamps are as wished."""
        board = self.board()
        wires = [LossyWire(seed + way, 0.01, 0.005, 0.01) for way in (0, 100)]
        async with lights_stand(self.driver, board, *wires) as stand:
            for wish in (Shine(SLOT), Shine(OUTLETS), Shine(SLOT)):
                stand.driver.shine(wish)
                with trio.move_on_after(120):
                    await stand.over.wait()
                if stand.fault:  # too damaged to be heard three times: said so, and that is no lie
                    return
                await stand.until(lambda wish=wish: self.lit(board) == wish.steady)  # type: ignore[misc]
            assert stand.health.condition.usable
