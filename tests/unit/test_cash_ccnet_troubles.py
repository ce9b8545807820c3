"""What a CCNET validator may do wrong between two polls, and how its troubles are told."""

from collections.abc import Callable
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.cash_module.ccnet.validator import CcnetValidator as ValidatorDriver
from drivers.transport.memory import SlowWire
from kiosk.domain.cash import CashFault, Escrow, Returned, Stacked
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices import ccnet_frames
from simulators.devices.ccnet import CcnetValidator
from tests.cash_stand import cash_stand

validator = partial(ValidatorDriver, CcnetSettings())


async def test_other_states_between_stacking_and_stacked_are_one_credit(autojump_clock: MockClock) -> None:
    """Fault row 32b: busy and a comms gap between 17 and 81; a host that wants 17 right before 81 loses this credit."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until(lambda: device._state == b"\x17")
        device._go(b"\x1b\x05", 1.0, device._stacked)
        await trio.sleep(0.5)
        device.faults.add("silent")
        await trio.sleep(0.3)
        device.faults.discard("silent")
        await stand.until_booked(Stacked)
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == device.box == [20]


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("41", CashFault("cash_box_full")),
        ("42", CashFault("cash_box_removed", "alarm")),
        ("43", CashFault("jam_in_acceptor")),
        ("44", CashFault("jam_in_stacker")),
        ("4750", CashFault("device_failure_50")),
        ("84", CashFault("suspect_held")),
        ("90", CashFault("counterfeit_held", "alarm")),
    ],
)
async def test_every_trouble_has_its_word_and_is_told_once(
    state: str, fault: CashFault, autojump_clock: MockClock
) -> None:
    """Fault row 20: out of service with a word for staff; READY again when the device is."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.until(lambda: device.accepts)
        device._go(bytes.fromhex(state))
        assert await stand.until_booked(CashFault) == fault
        await trio.sleep(3)
        assert stand.health == Health(Condition.FAULT, fault.reason) and len(stand.books.events) == 1
        device._rest()
        await stand.until(lambda: stand.health == Health(Condition.READY))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x30", "fault device_refused"),
        (b"SIM", "unknown unreadable_answer"),
        (bytes(34), "unknown unreadable_answer"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_fault_and_no_crash(
    answer: bytes, reason: str, autojump_clock: MockClock
) -> None:
    """IDENT or the bill table refused, cut short or garbled: the driver ends with a word, and nothing else escapes."""
    device = CcnetValidator()
    garbled = GarblingUnit(device, answer)
    async with cash_stand(validator, garbled) as stand:
        with pytest.raises(DeviceFault, match=reason):
            await stand.recover("e1")


class GarblingUnit:
    """A unit whose bill table is always the same answer."""

    def __init__(self, device: CcnetValidator, answer: bytes) -> None:
        self._device, self._answer = device, answer
        self.tick, self.faults = device.tick, device.faults

    @property
    def wire(self) -> Callable[[bytes], None]:
        return self._device.wire

    @wire.setter
    def wire(self, wire: Callable[[bytes], None]) -> None:
        self._device.wire = wire

    def receive(self, chunk: bytes) -> None:
        if chunk == ccnet_frames.frame_of(3, b"\x41"):
            self._device.wire(ccnet_frames.frame_of(3, self._answer))
        else:
            self._device.receive(chunk)


async def test_a_cancelled_decision_is_still_a_decision(autojump_clock: MockClock) -> None:
    """The caller is cancelled while STACK is on its way: the note is stacked or not, and is told once."""
    device = CcnetValidator()
    async with cash_stand(validator, device, there=SlowWire(), back=SlowWire()) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        with trio.move_on_after(0.06):
            await stand.driver.stack()
        await stand.until(lambda: stand.books.of(Stacked) or stand.books.of(Returned))
        assert stand.books.credits == device.box
