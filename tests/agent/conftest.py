"""What most tests of the agent begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.agent.stand import Box


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    """A box whose agent has settled its local facts, and whose kiosk and forwarder answer."""
    found = Box(tmp_path)
    await found.agent().settle()
    async with trio.open_nursery() as nursery:
        await nursery.start(found.kiosk.run)
        with trio.fail_after(5):
            while await found.agent().house.health() is None:
                await trio.sleep(0.01)
        yield found
        nursery.cancel_scope.cancel()
