"""What the card's line makes of what the watching thread saw."""

import trio
import trio.testing

from drivers.transport.card_thread import Sighting
from drivers.transport.pcsc import PcscLine, PcscSettings


async def test_a_card_swapped_between_two_looks_is_a_card_pulled() -> None:
    """Both news arrive before anybody who waits has its turn: the slot is full again, and yet the card is gone."""
    line, left = PcscLine(PcscSettings()), trio.Event()

    async def wait() -> None:
        await line.wait_no_card()
        left.set()

    line._note(Sighting("reader", present=True, mute=False, counter=1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        line._note(Sighting("reader", present=False, mute=False, counter=2))
        line._note(Sighting("reader", present=True, mute=False, counter=3))
        with trio.fail_after(5):
            await left.wait()
    assert line.card_present
