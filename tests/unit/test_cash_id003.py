"""The ID-003 driver against its simulated validator, through the faults of the list."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.id003.driver import Id003Settings
from drivers.cash_module.id003.driver import Id003Validator as Driver
from kiosk.domain.cash import CashFault, Escrow, NoteUncertain, Rejected, Returned, Stacked
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.id003 import Id003Validator
from tests.cash_stand import Books, cash_stand, yuan

id003 = partial(Driver, Id003Settings())


async def test_vend_valid_is_told_until_the_commit_and_credited_once(autojump_clock: MockClock) -> None:
    """Fault row 4: no ACK for three seconds, then ACKs that get lost; one credit."""
    device = Id003Validator()
    device.faults.add("lose_acks")
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        stand.commit_s = 3.0
        await stand.feed(100)
        await stand.until_booked(Stacked)
        await trio.sleep(3)
        assert not device.accepts
        device.faults.clear()
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == device.box == [100]


async def test_a_note_in_escrow_is_held_at_once_and_goes_back_in_the_end(autojump_clock: MockClock) -> None:
    """HOLD buys time from the first moment; nobody decides, and it is returned."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        await trio.sleep(8)
        await stand.driver.hold()
        await trio.sleep(8)
        assert 0x44 in device.commands and stand.books.of(Returned) == []
        await stand.until_booked(Returned)
        assert (device.outlet, stand.books.credits) == ([20], [])


async def test_a_dead_host_gets_no_note(autojump_clock: MockClock) -> None:
    """Fault row 8: nobody asks any more, and the device gives the note back by itself."""
    device, books = Id003Validator(), Books()
    async with cash_stand(id003, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(5)
        await stand.until_booked(Escrow)
    for second in range(15):
        device.tick(trio.current_time() + second)
    assert device.outlet == [5] and books.credits == []


async def test_a_power_cut_in_escrow_gives_the_note_back(autojump_clock: MockClock) -> None:
    """Fault row 1: 41 at power-up; returned, taker unknown, no credit."""
    device, books = Id003Validator(), Books()
    async with cash_stand(id003, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        device.power_cut()
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "restarted")
    async with cash_stand(id003, device, books=books) as stand:
        await stand.recover("e2")
        assert books.of(Returned) == [Returned(None, taker_known=False)]
        assert books.credits == device.box == [] and device.outlet == [20]


@pytest.mark.parametrize("moment_s", [0.02, 0.2, 0.45, 1.0])
async def test_a_power_cut_after_stack_is_exactly_one_credit(moment_s: float, autojump_clock: MockClock) -> None:
    """Fault row 2: 42 at power-up, then VEND VALID; the value is that of the open stack intent."""
    device, books = Id003Validator(), Books()
    async with cash_stand(id003, device, books=books) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until(lambda: 0x41 in device.commands)
        stand.paused = True
        await trio.sleep(moment_s)
        device.power_cut()
    for epoch in ("e2", "e3"):
        async with cash_stand(id003, device, books=books) as stand:
            await stand.ready(epoch)
            await trio.sleep(2)
        device.power_cut()
    assert books.credits == device.box == [20] and books.uncertain == []


async def test_without_power_recovery_a_cut_stacking_is_suspense(autojump_clock: MockClock) -> None:
    """42 and no VEND VALID after it: the note's value is in doubt, not credited and not given up."""
    device, books = Id003Validator(), Books()
    device.faults.add("no_power_recovery")
    async with cash_stand(id003, device, books=books) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until(lambda: device._state == b"\x14")
        device.power_cut()
        await stand.over.wait()
    async with cash_stand(id003, device, books=books) as stand:
        await stand.recover("e2")
        assert books.uncertain == [NoteUncertain(yuan(20), "was_in_stacker")]


async def test_vend_valid_at_a_start_without_open_intent_is_suspense(autojump_clock: MockClock) -> None:
    """Nobody knows which note: no value is guessed."""
    device = Id003Validator()
    device._owed = True
    device.power_cut()
    async with cash_stand(id003, device) as stand:
        recovery = await stand.recover("e1")
        assert recovery.findings == (NoteUncertain(None, "vend_valid_of_unknown_note"),)


async def test_a_vend_valid_that_never_comes_ends_in_suspense(autojump_clock: MockClock) -> None:
    """Fault row 32c: a bounded wait, then suspense and staff; the driver does not hang."""
    device = Id003Validator()
    device.faults.add("vend_valid_never")
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        await stand.feed(50)
        lost = await stand.until_booked(NoteUncertain)
        assert (lost.denomination, lost.reason) == (yuan(50), "no_word")
        assert stand.books.of(CashFault) == [CashFault("note_uncertain")]
        assert len(await stand.driver.unit_status()) == 1


async def test_a_late_vend_valid_resolves_the_suspense(autojump_clock: MockClock) -> None:
    """The same note, one credit, with the note_id of the uncertainty."""
    device = Id003Validator()
    device.faults.add("vend_valid_never")
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        await stand.feed(50)
        lost = await stand.until_booked(NoteUncertain)
        device._vend_valid()
        credit = await stand.until_booked(Stacked)
        assert credit.note_id == lost.note_id and stand.books.credits == [50]


async def test_a_jam_after_stack_is_uncertain(autojump_clock: MockClock) -> None:
    """46 is not "busy": suspense at once, and staff."""
    device = Id003Validator()
    device.faults.add("stack_jams")
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        await stand.feed(50)
        assert (await stand.until_booked(NoteUncertain)).reason == "jam_in_stacker"
        assert stand.health == Health(Condition.FAULT, "jam_in_stacker")


async def test_a_blank_stack_after_the_box_was_out_is_no_credit(autojump_clock: MockClock) -> None:
    """Fault row 17: VEND VALID without a note of ours goes to suspense without value."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        device.open_door()
        assert await stand.until_booked(CashFault) == CashFault("cash_box_removed", "alarm")
        device.close_door(blank_stack=True)
        assert await stand.until_booked(NoteUncertain) == NoteUncertain(None, "stacked_unasked")
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == []


@pytest.mark.parametrize("lost", ["lost_replies", "lost_commands"])
async def test_a_lost_stack_or_a_lost_answer_to_it_is_one_credit(lost: str, autojump_clock: MockClock) -> None:
    """Status first: only a note that is still in escrow is told to stack again."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        getattr(device, lost).add(0x41)
        await stand.feed(10)
        await stand.until_booked(Stacked)
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == device.box == [10] and device.commands.count(0x41) == 1


@pytest.mark.parametrize(("kind", "code"), [("fake", "pattern"), ("torn", "length"), ("two", "conveying")])
async def test_what_is_no_good_note_is_rejected(kind: str, code: str, autojump_clock: MockClock) -> None:
    """Told once, with a word; the next note is taken."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        await stand.feed(10, kind)
        assert await stand.until_booked(Rejected) == Rejected(code)
        await stand.feed(10)
        await stand.until_booked(Stacked)


async def test_a_denomination_that_is_not_enabled_is_rejected(autojump_clock: MockClock) -> None:
    """17 79."""
    async with cash_stand(id003, Id003Validator()) as stand:
        await stand.ready(accept=(10,))
        await stand.feed(100)
        assert await stand.until_booked(Rejected) == Rejected("inhibited")


async def test_without_currency_table_the_settings_name_the_notes(autojump_clock: MockClock) -> None:
    """Old firmware: the table of the settings, or no denomination at all."""
    device = Id003Validator()
    device.faults.add("no_table")
    async with cash_stand(id003, device) as stand:
        await stand.recover("e1")
        with pytest.raises(DeviceFault, match="not_supported"):
            await stand.driver.enable([yuan(10)])
    async with cash_stand(partial(Driver, Id003Settings(table="61:1,64:10")), device) as stand:
        await stand.recover("e2")
        assert stand.driver.denominations == (yuan(1), yuan(10))


async def test_fishing_raises_the_alarm(autojump_clock: MockClock) -> None:
    """Fault row 20: 48, and the module comes back by itself when the device does."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        device.fish()
        assert await stand.until_booked(CashFault) == CashFault("cheated", "alarm")
        await stand.until(lambda: stand.health == Health(Condition.READY))


async def test_an_enable_that_does_not_stick_is_a_fault(autojump_clock: MockClock) -> None:
    """Fault row 9."""
    device = Id003Validator()
    device.faults.add("enable_stuck")
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        assert await stand.until_booked(CashFault) == CashFault("stays_disabled")


@pytest.mark.parametrize(("fault", "reason"), [("silent", "silent"), ("echo", "line_echoes")])
async def test_a_line_that_is_not_this_device_is_a_clear_fault(
    fault: str, reason: str, autojump_clock: MockClock
) -> None:
    """Fault row 18: STATUS looks like IDLE on a line that echoes, so VERSION is asked first."""
    device = Id003Validator()
    device.faults.add(fault)
    async with cash_stand(id003, device) as stand:
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, reason)


@pytest.mark.parametrize("fault", ["damage", "noise"])
async def test_damaged_answers_cost_time_and_nothing_else(fault: str, autojump_clock: MockClock) -> None:
    """Fault row 18: a wrong check sum is never read."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        device.faults.add(fault)
        for count, amount in enumerate((10, 20), 1):
            await stand.feed(amount)
            await stand.until_booked(Stacked, count)
        assert stand.books.credits == device.box == [10, 20]


async def test_an_unknown_state_is_a_fault_and_no_crash(autojump_clock: MockClock) -> None:
    """Fault row 19."""
    device = Id003Validator()
    async with cash_stand(id003, device) as stand:
        await stand.ready()
        device.faults.add("unknown_state")
        assert await stand.until_booked(CashFault) == CashFault("unknown_state_7e")
        device.faults.clear()
        await stand.until(lambda: stand.health == Health(Condition.READY))
