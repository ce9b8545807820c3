"""When an ESC/POS printer is silent, and when only this machine was too busy to hear it."""

import pytest
import trio
from trio.testing import MockClock

from drivers.printer.escpos.conversation import Conversation, Silent
from drivers.transport.memory import MemoryLine, PerfectWire, memory_lines

REPLY_S = 0.4
READY = b"\x16"  # the answer to DLE EOT 1 when all is well


@pytest.fixture
def autojump_clock() -> MockClock:
    return MockClock(autojump_threshold=0.01)


async def _conversing(nursery: trio.Nursery) -> tuple[Conversation, MemoryLine]:
    near, far = memory_lines(PerfectWire(), PerfectWire())
    conversation = Conversation(near, REPLY_S)
    nursery.start_soon(conversation.listen)
    return conversation, far


async def test_a_machine_that_stands_still_does_not_make_the_printer_silent(autojump_clock: MockClock) -> None:
    """Nobody ran for a minute between question and answer: the answer counts."""

    async def printer(far: MemoryLine) -> None:
        await far.receive()
        autojump_clock.jump(60.0)
        await far.send(READY)

    async with trio.open_nursery() as nursery:
        conversation, far = await _conversing(nursery)
        nursery.start_soon(printer, far)
        assert await conversation.ask(1) == READY[0]
        nursery.cancel_scope.cancel()


async def test_a_printer_that_says_nothing_is_silent_in_time(autojump_clock: MockClock) -> None:
    """Silent after ``reply_s``; the next question waits for what may still come of the last, and hears only its own."""
    async with trio.open_nursery() as nursery:
        conversation, far = await _conversing(nursery)
        asked = trio.current_time()
        with pytest.raises(Silent):
            await conversation.ask(1)
        assert trio.current_time() - asked == pytest.approx(REPLY_S, abs=0.01)
        await far.send(b"\x1e")  # late: the drawer's pin too

        async def printer() -> None:
            await far.receive()
            await far.receive()
            await far.send(READY)

        nursery.start_soon(printer)
        assert await conversation.ask(1) == READY[0]
        nursery.cancel_scope.cancel()
