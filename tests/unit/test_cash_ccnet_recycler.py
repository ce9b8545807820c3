"""The Bill-to-Bill driver against its simulated unit: paying out, and the fixed order after a power cut."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.ccnet.recycler import JUST_READ_S
from drivers.cash_module.ccnet.recycler import CcnetBillToBill as Driver
from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.transport.memory import SlowWire
from kiosk.domain.cash import (
    CashFault,
    DispenseResult,
    Dispensing,
    Escrow,
    Presented,
    Recovery,
    Retracted,
    Stacked,
    Taken,
    mix_of,
)
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.ccnet_recycler import CcnetBillToBill
from tests.cash_stand import Books, cash_stand, yuan

recycler = partial(Driver, CcnetSettings(unit="bill_to_bill"))
MINUTE_S = 60.0
CHANGE = mix_of({yuan(10): 3, yuan(50): 1})


def loaded() -> CcnetBillToBill:
    device = CcnetBillToBill()
    device.load(10, 12)
    device.load(50, 5)
    return device


async def test_change_is_paid_and_counted(autojump_clock: MockClock) -> None:
    """Accepted, dispensing, presented, taken: one certain result, and the cassettes agree."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await stand.until_booked(Presented)
        assert sorted(device.take_notes()) == [10, 10, 10, 50]
        await stand.until_booked(DispenseResult)
        assert stand.books.events == [
            Dispensing("d1"),
            Presented("d1"),
            Taken("d1"),
            DispenseResult(CHANGE, CHANGE, 0, 0, True, "d1"),
        ]
        units = {unit.name: unit.count for unit in await stand.driver.unit_status()}
        assert units == {"cash_box": None, "recycler_1": 9, "recycler_2": 4, "recycler_3": 0}


async def test_what_was_just_read_is_not_asked_again(autojump_clock: MockClock) -> None:
    """Cassettes read at once before a dispense are read once: the next word to the unit is the dispense."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.unit_status()
        await trio.sleep(MINUTE_S)  # recovery is confirmed by then, and the unit rests
        device.commands.clear()
        await stand.driver.unit_status()
        await stand.driver.dispense("d1", CHANGE)
        assert device.commands == [0x5B, 0x3B, 0x3C]


async def test_what_was_read_a_while_ago_is_asked_again(autojump_clock: MockClock) -> None:
    """Notes that left a cassette since then are not counted on: surely nothing moves."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.unit_status()
        device.cassettes[0][1] = 2
        await trio.sleep(JUST_READ_S)
        with pytest.raises(DeviceFault, match="cannot_pay"):
            await stand.driver.dispense("d1", CHANGE)
        assert 0x3C not in device.commands


async def test_a_note_that_was_taken_can_be_paid_out_again(autojump_clock: MockClock) -> None:
    """What goes into a cassette is named by it and comes out of it."""
    device = CcnetBillToBill()
    async with cash_stand(recycler, device) as stand:
        await stand.ready()
        await stand.feed(10)
        assert (await stand.until_booked(Stacked)).destination == "recycler_1"
        await stand.feed(20)
        assert (await stand.until_booked(Stacked, 2)).destination == "cash_box"
        await stand.driver.disable()
        await stand.until(lambda: device._state == b"\x19")
        await stand.driver.dispense("d1", mix_of({yuan(10): 1}))
        await stand.until_booked(Presented)
        assert device.take_notes() == [10]


async def test_more_than_there_is_moves_nothing(autojump_clock: MockClock) -> None:
    """Refused before a note moves: too many of one kind, a kind without cassette, more than twenty."""
    async with cash_stand(recycler, loaded()) as stand:
        with pytest.raises(DeviceFault, match="not_recovered"):
            await stand.driver.dispense("d0", CHANGE)
        await stand.recover("e1")
        for mix in ({yuan(50): 6}, {yuan(20): 1}, {yuan(10): 12, yuan(50): 9}):
            with pytest.raises(DeviceFault, match="cannot_pay"):
                await stand.driver.dispense("d1", mix_of(mix))
        assert 0x3C not in stand.device.commands
        await stand.driver.enable([yuan(10)])
        with pytest.raises(DeviceFault, match="still_enabled"):
            await stand.driver.dispense("d1", CHANGE)


@pytest.mark.parametrize("lost", ["lost_replies", "lost_commands"])
async def test_a_lost_dispense_is_never_sent_twice(lost: str, autojump_clock: MockClock) -> None:
    """Fault row 12: after silence the status tells: it pays once, or surely not at all."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        held = sum(count for _, count in device.cassettes)
        getattr(device, lost).add(0x3C)
        if lost == "lost_commands":
            with pytest.raises(DeviceFault, match="not_heard"):
                await stand.driver.dispense("d1", CHANGE)
            assert sum(count for _, count in device.cassettes) == held
        else:
            await stand.driver.dispense("d1", CHANGE)
            await stand.until_booked(Presented)
            device.take_notes()
            assert (await stand.until_booked(DispenseResult)).certain
            assert device.commands.count(0x3C) == 1


async def test_the_told_again_dispensed_is_one_result(autojump_clock: MockClock) -> None:
    """Fault row 12: our ACKs get lost, the unit tells DISPENSED again, the books hold one payment."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await stand.until_booked(Presented)
        device.faults.add("lose_acks")
        device.take_notes()
        await trio.sleep(5)
        device.faults.clear()
        await stand.until(lambda: device._state == b"\x19")
        assert len(stand.books.of(DispenseResult)) == 1


async def test_a_jam_in_the_middle_is_uncertain_and_recovery_counts_what_moved(autojump_clock: MockClock) -> None:
    """Fault rows 13 and 14: not "nothing paid"; staff must empty the path before anything is enabled."""
    device = loaded()
    device.faults.add("dispense_jams")
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        result = await stand.until_booked(DispenseResult)
        assert (result.presented, result.certain, result.retained) == ((), False, 4)
        assert stand.books.of(CashFault) == [CashFault("device_failure_70")]
        device.faults.clear()
        recovery = await stand.recover("e2")
        assert recovery.findings == (DispenseResult(CHANGE, (), 0, 1, False, "", "cut_while_dispensing"),)
        with pytest.raises(DeviceFault, match="notes_in_dispenser"):
            await stand.driver.enable([yuan(10)])
        assert 0x67 not in device.commands and device.outlet == []


@pytest.mark.parametrize(("moment_s", "moved"), [(0.0, 0), (0.3, 1), (2.0, 4)])
async def test_recovery_after_a_cut_dispense_opens_nothing(
    moment_s: float, moved: int, autojump_clock: MockClock
) -> None:
    """Money rule 17: what was asked and moved is told, nothing is paid out until staff empty the path."""
    device, books = loaded(), Books()
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await trio.sleep(moment_s)
        outlet = list(device.outlet)
        device.power_cut()
        await stand.over.wait()
    async with cash_stand(recycler, device, books=books) as stand:
        recovery = await stand.recover("e2")
        assert recovery.findings == (DispenseResult(CHANGE, (), 0, moved, moved == 0, "", "cut_while_dispensing"),)
        await trio.sleep(5)
        assert device.outlet == outlet and 0x67 not in device.commands
        if moved:
            with pytest.raises(DeviceFault, match="notes_in_dispenser"):
                await stand.driver.enable([yuan(10)])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stand.driver.empty_path)
                await stand.until(lambda: 0x67 in device.commands)
                await stand.until(lambda: device.take_notes() or device._state == b"\x19")
        await stand.driver.enable([yuan(10)])
        await stand.until(lambda: device.accepts)


async def test_notes_that_nobody_takes_are_retracted_and_not_called_paid(autojump_clock: MockClock) -> None:
    """Fault row 16: after a minute the unit takes them back; how many the person took is not certain."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        result = await stand.until_booked(DispenseResult)
        assert stand.books.of(Retracted) == [Retracted("d1")]
        assert (result.presented, result.retained, result.certain) == ((), 4, False)


async def test_after_a_retraction_the_unit_begins_anew_and_serves(autojump_clock: MockClock) -> None:
    """It says "failure" until it is reset, which only a fresh driver does, and not before the books have it."""
    device, books = loaded(), Books()
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "device_failure_ca")
        assert books.of(Retracted) == [Retracted("d1")] and len(books.of(DispenseResult)) == 1
    async with cash_stand(recycler, device, books=books) as stand:
        assert (await stand.recover("e2")).findings == (RETRACTED,)
        await stand.driver.enable([yuan(10)])
        await stand.until(lambda: device.accepts)


async def test_a_unit_that_believes_notes_on_their_way_is_asked_about_them(autojump_clock: MockClock) -> None:
    """It heard no acknowledgement of DISPENSED and refuses to accept: a fresh driver hears what it believes."""
    device, books = loaded(), Books()
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.recover("e1")
        device._moved = [4]
        await stand.driver.enable([yuan(10)])
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "device_failure_54")


IN_FULL = DispenseResult((), (), 0, 0, False, in_full=True)
RETRACTED = DispenseResult((), (), 0, 0, False, reason="retracted")


@pytest.mark.parametrize(("taken", "expected"), [(True, IN_FULL), (False, RETRACTED)])
@pytest.mark.parametrize("died_s", [0.3, 2.0])
async def test_a_payment_that_outlives_the_kiosk_is_told_to_the_next(
    died_s: float, taken: bool, expected: DispenseResult, autojump_clock: MockClock
) -> None:
    """The kiosk dies while notes move or lie in the outlet: recovery waits until they are taken or retracted, and
    tells which. All that was asked for was paid, or it is uncertain how much of it a hand took."""
    device, books = loaded(), Books()
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await trio.sleep(died_s)
    async with cash_stand(recycler, device, books=books) as stand, trio.open_nursery() as nursery:
        nursery.start_soon(stand.recover, "e2")
        await trio.sleep(5)
        assert not taken or device.take_notes()
        await stand.until(lambda: len(books.recoveries) == 2)
        assert books.recoveries[-1].findings == (expected,) and not books.recoveries[-1].needs_staff
        await stand.until(lambda: device._state == b"\x19")


async def test_counts_that_do_not_fit_call_staff(autojump_clock: MockClock) -> None:
    """A note is missing from the cassettes after a good dispense: paid stands, and somebody must look."""
    device = loaded()
    async with cash_stand(recycler, device) as stand:
        await stand.recover("e1")
        device.faults.add("wrong_counts")
        await stand.driver.dispense("d1", CHANGE)
        await stand.until_booked(Presented)
        device.take_notes()
        assert await stand.until_booked(CashFault) == CashFault("cassette_counts_differ")


async def test_recovery_is_asked_before_enable_and_confirmed_after_the_commit(autojump_clock: MockClock) -> None:
    """Fault row 3: 66 comes before any 34 with bills, and its answer is not confirmed while it is not durable."""
    device, books = CcnetBillToBill(), Books()
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.ready()
        await stand.feed(50)
        await stand.until(lambda: device._state == b"\x17")
        device.power_cut()
        await stand.over.wait()
    device.commands.clear()
    async with cash_stand(recycler, device) as stand:
        told: Recovery = await stand.driver.recover("e2")
        await trio.sleep(3)
        assert device._packed == [(6, 2)]
        assert [one.denomination for one in told.findings if isinstance(one, Stacked)] == [yuan(50)]
    async with cash_stand(recycler, device, books=books) as stand:
        await stand.ready("e3")
        assert books.credits == [50] and device._packed == []
        assert device.commands.index(0x66) < device.commands.index(0x34)


async def test_the_simulator_punishes_enabling_first(autojump_clock: MockClock) -> None:
    """Fault row 3 from the device's side: a host that enables before it asks loses the credits."""
    device = CcnetBillToBill()
    device._packed = [(6, 2)]
    device._state = b"\x19"
    device._carry_out(bytes.fromhex("34ffffffffffff"))
    device._carry_out(bytes.fromhex("34000000000000"))
    assert device._carry_out(b"\x66") == b"\x00"


@pytest.mark.parametrize("after_s", [0.01, 0.05, 0.12, 0.2, 0.3])
async def test_a_cancelled_dispense_still_has_one_result(after_s: float, autojump_clock: MockClock) -> None:
    """The caller is cancelled while DISPENSE is on its way: what the unit did is told, once."""
    device = loaded()
    async with cash_stand(recycler, device, there=SlowWire(), back=SlowWire()) as stand:
        await stand.recover("e1")
        with trio.move_on_after(after_s):
            await stand.driver.dispense("d1", CHANGE)
        await trio.sleep(10)
        device.take_notes()
        await trio.sleep(100)
        results = stand.books.of(DispenseResult)
        assert len(results) == (0x3C in device.commands)
        assert all(one.certain for one in results)


async def test_recovery_is_refused_while_a_note_is_undecided(autojump_clock: MockClock) -> None:
    """Nothing in flight is forgotten by asking again."""
    device = CcnetBillToBill()
    async with cash_stand(recycler, device) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(10)
        await stand.until_booked(Escrow)
        await stand.driver.disable()
        with pytest.raises(DeviceFault, match="still_enabled"):
            await stand.driver.recover("e2")
