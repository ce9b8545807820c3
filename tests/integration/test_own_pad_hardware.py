"""The terminal's front in PIN mode A: one slot, reached by the maker's library alone."""

import os
from pathlib import Path

import pytest
import trio

from drivers.card_reader.ldt33.commanding import CommandingCardReader
from drivers.registry import find_driver
from kiosk.basics.log import JsonLog
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext, DeviceFault
from simulators.cards.bare_slot import BareSlot
from simulators.hardware import OWN_PAD, Hardware
from simulators.worlds.world import load_world
from tests.bank.stand import CARD_RULES
from tests.cards.test_debit import ACT

DEMO = Path(__file__).parents[2] / "simulators" / "worlds" / "demo.toml"
SOON_S = 10.0


async def test_one_slot_serves_bank_card_and_staff(tmp_path: Path) -> None:
    """As ``make run PIN_MODE=A`` fits it: the settings that the kiosk gets open the bank application and tell staff;
    pcscd, which would power the card off, never sees it."""
    hardware = Hardware(load_world(DEMO), tmp_path, "A", lambda: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(hardware.run)
        os.environ["LDT33_STANDIN_SOCKET"] = hardware.environment()["LDT33_STANDIN_SOCKET"]
        options = {name: value for name, value in hardware.slots()["card_reader"].items() if name != "driver"}
        context = DeviceContext("card_reader", list[Health]().append, JsonLog(), tmp_path)
        driver = find_driver("ldt33")(options, context)
        assert isinstance(driver, CommandingCardReader)
        await nursery.start(driver.run)
        await hardware.insert("xu_wen")
        with trio.fail_after(SOON_S):
            await driver.wait_card()
            run = await driver.open_debit(CARD_RULES, ACT)
            assert await run.request()
            await hardware.pull()
            await driver.wait_no_card()
            await hardware.insert("staff_jia")
            await driver.wait_card()
            with pytest.raises(DeviceFault, match="card_staff"):
                await driver.read_identity()
        assert isinstance(hardware._slot, BareSlot)
        assert not hardware.asks_pin(OWN_PAD)
        nursery.cancel_scope.cancel()
