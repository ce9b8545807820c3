"""The LCDM driver against its simulated dispenser: counts, and everything that can go wrong on the way."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.puloon.driver import PuloonDispenser as Driver
from drivers.cash_module.puloon.driver import PuloonSettings
from kiosk.domain.cash import CashFault, DispenseResult, Dispensing, Presented, mix_of
from kiosk.domain.health import Condition
from kiosk.ports import DeviceFault
from simulators.devices.puloon import PuloonDispenser
from tests.cash_stand import Books, cash_stand, yuan

dispenser = partial(Driver, PuloonSettings())
TEN = mix_of({yuan(100): 10})


async def test_ten_notes_are_paid_and_told(autojump_clock: MockClock) -> None:
    """Dispensing, presented, one certain result; the cassette is low afterwards."""
    device = PuloonDispenser(notes=25)
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", TEN)
        await stand.until_booked(DispenseResult)
        assert stand.books.events == [Dispensing("d1"), Presented("d1"), DispenseResult(TEN, TEN, 0, 0, True, "d1")]
        assert device.outlet == [100] * 10
        assert (await stand.driver.unit_status())[0].state == "low"


async def test_a_jam_pays_part_and_leaves_the_rest_uncertain(autojump_clock: MockClock) -> None:
    """Fault rows 13 and 14: seven paid, three in the path; nobody says "nothing paid", and staff must come."""
    device = PuloonDispenser()
    device.faults.add("jam_at_exit")
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", TEN)
        result = await stand.until_booked(DispenseResult)
        assert result == DispenseResult(TEN, mix_of({yuan(100): 7}), 0, 3, False, "d1", "jam_at_exit")
        assert len(device.outlet) == 7 and stand.books.of(CashFault) == [CashFault("jam_at_exit")]
        with pytest.raises(DeviceFault, match="jam_at_exit"):
            await stand.driver.dispense("d2", TEN)
        assert (await stand.recover("e2")).needs_staff == "jam_at_exit"
        await stand.driver.empty_path()
        assert device.rejected == [100] * 3
        await stand.driver.dispense("d3", TEN)
        assert (await stand.until_booked(DispenseResult, 2)).certain


async def test_an_empty_cassette_owes_the_rest_certainly(autojump_clock: MockClock) -> None:
    """Four there, ten asked: four paid, six surely unpaid, which is a debt and no case."""
    device = PuloonDispenser(notes=4)
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", TEN)
        result = await stand.until_booked(DispenseResult)
        assert (result.presented, result.certain, result.reason) == (mix_of({yuan(100): 4}), True, "cassette_empty")


async def test_a_rejected_note_is_replaced_and_counted(autojump_clock: MockClock) -> None:
    """One in the reject box, ten at the exit: all accounted for."""
    device = PuloonDispenser()
    device.faults.add("reject_one")
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", TEN)
        result = await stand.until_booked(DispenseResult)
        assert (result.presented, result.rejected, result.certain) == (TEN, 1, True)


@pytest.mark.parametrize("fault", ["lose_acks", "damage", "noise"])
async def test_an_answer_that_is_told_again_is_one_result(fault: str, autojump_clock: MockClock) -> None:
    """Fault rows 12 and 15: repeated answers, damaged ones and FF before them are one payment."""
    device = PuloonDispenser()
    device.faults.add(fault)
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        for number in (1, 2):
            await stand.driver.dispense(f"d{number}", TEN)
            assert (await stand.until_booked(DispenseResult, number)).dispense_id == f"d{number}"
        await trio.sleep(10)
        assert len(stand.books.of(DispenseResult)) == 2
        assert device.commands.count(0x45) == 2 and len(device.outlet) == 20


async def test_a_slow_commit_confirms_late_and_counts_once(autojump_clock: MockClock) -> None:
    """The device may give up telling before a three-second commit: the result is here, once."""
    device = PuloonDispenser()
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        stand.commit_s = 3.0
        await stand.driver.dispense("d1", TEN)
        await stand.until_booked(DispenseResult)
        await trio.sleep(10)
        assert len(stand.books.of(DispenseResult)) == 1 and stand.fault is None


@pytest.mark.parametrize("lost", ["lost_commands", "lost_replies"])
async def test_a_dispense_without_answer_is_uncertain_and_never_repeated(lost: str, autojump_clock: MockClock) -> None:
    """Fault row 12: whether it was paid is not known, so it is said, and nothing is sent again."""
    device = PuloonDispenser()
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        getattr(device, lost).add(0x45)
        await stand.driver.dispense("d1", TEN)
        result = await stand.until_booked(DispenseResult)
        assert (result.presented, result.retained, result.certain, result.reason) == ((), 10, False, "no_word")
        assert device.commands.count(0x45) == (lost == "lost_replies")


@pytest.mark.parametrize("fault", ["", "damage", "noise", "jam_at_exit"])
async def test_a_dispense_that_outlives_the_kiosk_is_told_to_the_next(fault: str, autojump_clock: MockClock) -> None:
    """The kiosk dies while notes move: the next one waits for the counts, and sends nothing that moves a note."""
    device, books = PuloonDispenser(), Books()
    async with cash_stand(dispenser, device, books=books) as stand:
        await stand.recover("e1")
        device.faults |= {fault}
        await stand.driver.dispense("d1", TEN)
    async with cash_stand(dispenser, device, books=books) as stand:
        recovery = await stand.recover("e2")
        jammed = fault == "jam_at_exit"
        paid, missing = (mix_of({yuan(100): 7}), 3) if jammed else (TEN, 0)
        assert recovery.findings == (DispenseResult((), paid, 0, missing, not jammed, reason=fault if jammed else ""),)
        assert len(device.outlet) == recovery.findings[0].presented_fen // yuan(100)
        assert device.commands.count(0x45) == 1 and 0x44 not in device.commands
    async with cash_stand(dispenser, device, books=books) as stand:
        assert (await stand.recover("e3")).findings == ()


async def test_a_refused_command_is_said_again_after_a_pause(autojump_clock: MockClock) -> None:
    """Fault row 15: NAK to a command that came too soon; it was not begun, so it may be repeated."""
    device = PuloonDispenser()
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        device._quiet_until_s = trio.current_time() + 0.6
        await stand.driver.unit_status()
        await stand.driver.dispense("d1", TEN)
        assert (await stand.until_booked(DispenseResult)).certain
        assert device.commands.count(0x45) == 1


async def test_a_missing_cassette_pays_nothing_surely(autojump_clock: MockClock) -> None:
    """The status is asked first, so nothing has moved."""
    device = PuloonDispenser()
    async with cash_stand(dispenser, device) as stand:
        await stand.recover("e1")
        device.faults.add("no_cassette")
        with pytest.raises(DeviceFault, match="cassette_missing"):
            await stand.driver.dispense("d1", TEN)
        await stand.until(lambda: stand.health.condition is Condition.FAULT)
        assert device.commands.count(0x45) == 0
