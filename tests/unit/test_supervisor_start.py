"""How the slots are begun: in which order, and whom the first page waits for."""

import io
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from kiosk.basics.log import JsonLog
from kiosk.devices.supervisor import Supervisor
from kiosk.settings.config import SlotSettings

SLOTS = ("card_reader", "lights", "cash_acceptor", "headset", "pin_pad")


class Quiet:
    """A device that says nothing for ``start_s``, then works for ever."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(self._start_s)
        task_status.started()
        await trio.sleep_forever()


async def first_page_after(tmp_path: Path, start_s: dict[str, float]) -> tuple[float, list[str]]:
    """Seconds until the first page may be shown, and the drivers in the order of their loading."""
    loaded: list[str] = []

    def find(driver: str) -> Any:
        loaded.append(driver)
        return lambda options, context: Quiet(start_s.get(driver, 0.0))

    slots = {name: SlotSettings(driver=name) for name in SLOTS}
    supervisor = Supervisor(slots, find, JsonLog(io.StringIO()), tmp_path, "B", None)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await supervisor.wait_tried()
        took = trio.current_time() - began
        nursery.cancel_scope.cancel()
    return took, loaded


async def test_the_slot_whose_line_prescribes_pauses_is_begun_first(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The cash module's pauses pass while the other drivers are loaded; the others keep the settings' order."""
    _, loaded = await first_page_after(tmp_path, {})
    assert loaded == ["cash_acceptor", "card_reader", "lights", "headset", "pin_pad"]


async def test_nobody_waits_for_lamps(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The first page waits for every slot that a service may need, and for no ornament."""
    took, _ = await first_page_after(tmp_path, {"lights": 5.0, "headset": 5.0, "pin_pad": 0.5})
    assert took == 0.5
