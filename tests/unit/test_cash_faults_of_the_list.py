"""Faults of docs/devices/faults.md that stood open: troubles of ID-003, strangers and codes at the dispenser."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.id003.driver import Id003Settings
from drivers.cash_module.id003.driver import Id003Validator as Id003
from drivers.cash_module.puloon.driver import PuloonDispenser as Puloon
from drivers.cash_module.puloon.driver import PuloonSettings
from kiosk.domain.cash import CashFault, DispenseResult, mix_of
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.id003 import Id003Validator
from simulators.devices.puloon import NAK, PuloonDispenser
from tests.cash_stand import cash_stand, yuan

id003 = partial(Id003, Id003Settings())
dispenser = partial(Puloon, PuloonSettings())
TEN = mix_of({yuan(100): 10})


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("43", CashFault("cash_box_full")),
        ("44", CashFault("cash_box_removed", "alarm")),
        ("45", CashFault("jam_in_acceptor")),
        ("46", CashFault("jam_in_stacker")),  # a field driver took this for "busy" for ever
        ("47", CashFault("two_notes", "nobody")),
        ("49", CashFault("device_failure")),
        ("4a", CashFault("communication_error", "nobody")),
        ("4c", CashFault("recycler_error")),
    ],
)
async def test_every_trouble_of_id003_has_its_word_and_is_told_once(
    state: str, fault: CashFault, autojump_clock: MockClock
) -> None:
    """Fault row 20: a word for staff, told once, and nothing credited; READY again when the device is."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        before, device._state = device._state, bytes.fromhex(state)
        assert await stand.until_booked(CashFault) == fault
        await trio.sleep(3)
        out = Condition.DEGRADED if fault.needs == "nobody" else Condition.FAULT  # these pass by themselves
        assert stand.health == Health(out, fault.reason)
        assert len(stand.books.events) == 1 and stand.books.credits == []
        device._state = before
        await stand.until(lambda: stand.health == Health(Condition.READY))


class OtherUnit(PuloonDispenser):
    """Something else on that line: it hears every byte and understands none of it."""

    def receive(self, chunk: bytes) -> None:
        self.wire(NAK)


class Echo(PuloonDispenser):
    """A line that gives back what was sent."""

    def receive(self, chunk: bytes) -> None:
        self.wire(chunk)


@pytest.mark.parametrize("device", [OtherUnit(), Echo()], ids=["other", "echo"])
async def test_a_line_without_this_dispenser_is_never_ready(device: PuloonDispenser, autojump_clock: MockClock) -> None:
    """Fault row 11: who is not this device is UNKNOWN, in bounded time, and is asked to pay nothing."""
    async with cash_stand(dispenser, device) as stand:
        with trio.fail_after(300):
            await stand.over.wait()
        assert stand.fault is not None and stand.fault.health.condition in (Condition.UNKNOWN, Condition.FAULT)
        assert Condition.READY not in {one.condition for one in stand.reports}
        assert device.commands == []


class Unheard(PuloonDispenser):
    """Its sensors say a code that no manual of ours has."""

    def _error(self) -> int:
        return 0x5A


async def test_an_unknown_code_of_the_dispenser_pays_nothing_and_is_named(autojump_clock: MockClock) -> None:
    """Fault row 19: refused before a note moves, with the code in the word for staff."""
    async with cash_stand(dispenser, Unheard()) as stand:
        await stand.recover("e1")
        with pytest.raises(DeviceFault, match="error_5a"):
            await stand.driver.dispense("d1", TEN)
        await stand.until(lambda: stand.health == Health(Condition.FAULT, "error_5a"))
        assert stand.books.of(DispenseResult) == []


async def test_a_dispenser_that_comes_back_moves_nothing_by_itself(autojump_clock: MockClock) -> None:
    """Fault rows 14 and 22: power and line went in the middle of a payment; afterwards STATUS is asked, no more."""
    device = PuloonDispenser()
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", TEN)
        await stand.until(lambda: len(device.outlet) >= 3)
        device.power_cut()
        stand.line.close()
        await stand.over.wait()
    paid = len(device.outlet)
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e2")
        await trio.sleep(30)
        assert len(device.outlet) == paid and device.commands.count(0x45) == 1
        assert set(device.commands) <= {0x45, 0x46, 0x47}
