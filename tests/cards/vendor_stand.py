"""A maker's reader and its library, as our stand-ins are, with the driver over them."""

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path

import trio

from drivers.card_reader.ldt33.basic import VendorCardReader
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext
from simulators.cards.card import VirtualCard
from simulators.cards.reader_with_pad import ReaderWithPad
from simulators.cards.staff import VirtualStaffCard
from simulators.native.build import build
from simulators.worlds.world import Keys


class Tray:
    """Which card is in the vendor's reader."""

    def __init__(self) -> None:
        self.card: VirtualCard | VirtualStaffCard | None = None

    def now(self) -> VirtualCard | VirtualStaffCard | None:
        return self.card


@asynccontextmanager
async def vendor_reader(
    tmp_path: Path, tray: Tray, keys: Keys | None, **options: object
) -> AsyncIterator[tuple[VendorCardReader, ReaderWithPad]]:
    """The stand-in library, its reader, and the driver found by entry point."""
    socket = tmp_path / "reader.sock"
    os.environ["LDT33_STANDIN_SOCKET"] = str(socket)
    library = build("ldt33_standin", tmp_path / "native")
    context = DeviceContext("card_reader", list[Health]().append, JsonLog(io.StringIO()), tmp_path)
    (found,) = entry_points(group="yikatong.drivers", name="ldt33")
    driver: VendorCardReader = found.load()({"library": str(library), "poll_s": 0.02, **options}, context)
    simulated = ReaderWithPad(socket, tray.now, keys)
    async with trio.open_nursery() as nursery:
        await nursery.start(simulated.run)
        await nursery.start(driver.run)
        yield driver, simulated
        nursery.cancel_scope.cancel()
