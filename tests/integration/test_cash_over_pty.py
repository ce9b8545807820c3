"""Each cash driver by its settings, on a pty, in real time: what a terminal really opens."""

import io
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.basics.log import JsonLog
from kiosk.domain.cash import CashEvent, DispenseResult, Escrow, Stacked, mix_of
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext, DeviceFault
from simulators import devices
from simulators.pty_line import PtyLine
from simulators.worlds.world import load_world

HOUSE = Path(__file__).resolve().parents[2]
TAKERS = [
    ("ccnet", {"unit": "validator"}, {"unit": "validator"}),
    ("ccnet", {"unit": "bill_to_bill"}, {"unit": "bill_to_bill"}),
    ("ssp", {}, {}),
    ("id003", {}, {}),
]


def open_device(name: str) -> Callable[[dict[str, object], DeviceContext], Any]:
    """By the line in pyproject.toml, so that the name in the settings and the module belong together."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    value = project["entry-points"]["yikatong.drivers"][name]
    return EntryPoint(name, value, "yikatong.drivers").load()  # type: ignore[no-any-return]


async def booked(driver: Any, kind: type) -> CashEvent:
    """Acknowledge events until one of that kind has come."""
    while True:
        event: CashEvent = await driver.next_event()
        driver.acknowledge(event)
        if isinstance(event, kind):
            return event


async def until(holds: Callable[[], object]) -> None:
    while not holds():
        await trio.sleep(0.02)


async def started(nursery: trio.Nursery, place: Path, name: str, options: dict[str, object], device: Any) -> Any:
    line = PtyLine(place / "cash", device)
    await nursery.start(line.run)
    context = DeviceContext("cash_acceptor", lambda health: None, JsonLog(io.StringIO()), place)
    driver = open_device(name)({"path": str(place / "cash"), **options}, context)
    await nursery.start(driver.run)
    driver.acknowledge(await driver.recover("e1"))
    return driver


@pytest.mark.parametrize(("name", "options", "model"), TAKERS, ids=["ccnet", "bill_to_bill", "ssp", "id003"])
async def test_a_note_is_taken_over_a_pty(
    name: str, options: dict[str, object], model: dict[str, str], tmp_path: Path
) -> None:
    """Settings, entry point, serial line, device: one credit."""
    device: Any = devices.build(name, load_world(HOUSE / "simulators/worlds/tiny.toml"), model)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            driver = await started(nursery, tmp_path, name, options, device)
            await driver.enable([Fen(1000)])
            await until(lambda: device.insert(10))
            escrow = await booked(driver, Escrow)
            await driver.stack()
            credit = await booked(driver, Stacked)
            assert isinstance(escrow, Escrow) and isinstance(credit, Stacked)
            assert (credit.denomination, credit.note_id) == (Fen(1000), escrow.note_id)
            await driver.disable()
            nursery.cancel_scope.cancel()


async def test_notes_are_paid_over_a_pty(tmp_path: Path) -> None:
    """The dispenser by its settings: two notes, one certain result."""
    device: Any = devices.build("puloon", load_world(HOUSE / "simulators/worlds/tiny.toml"), {"yuan": "50"})
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            driver = await started(nursery, tmp_path, "puloon", {"denomination_fen": 5000}, device)
            await driver.dispense("d1", mix_of({Fen(5000): 2}))
            result = await booked(driver, DispenseResult)
            assert isinstance(result, DispenseResult) and result.certain and device.outlet == [50, 50]
            nursery.cancel_scope.cancel()


async def test_a_pulled_cable_ends_the_driver(tmp_path: Path) -> None:
    """Fault row 22: the supervisor hears ABSENT and may open the line again under its old name."""
    device: Any = devices.build("ccnet", load_world(HOUSE / "simulators/worlds/tiny.toml"))
    line = PtyLine(tmp_path / "cash", device)
    context = DeviceContext("cash_acceptor", lambda health: None, JsonLog(io.StringIO()), tmp_path)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await nursery.start(line.run)
            for _ in range(2):
                driver = open_device("ccnet")({"path": str(tmp_path / "cash")}, context)
                with pytest.raises(ExceptionGroup) as ended:
                    async with trio.open_nursery() as running:
                        await running.start(driver.run)
                        line.unplug()
                assert ended.group_contains(DeviceFault, match="absent unplugged", depth=1)
                line.plug()
            nursery.cancel_scope.cancel()
