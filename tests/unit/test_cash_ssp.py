"""The eSSP driver against its simulated NV200 and SMART Payout, through the faults of the list."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.ssp.codec import Code, Event
from drivers.cash_module.ssp.driver import SspModule as Driver
from drivers.cash_module.ssp.driver import SspSettings
from drivers.cash_module.ssp.findings import wants_staff
from kiosk.domain.cash import (
    CashFault,
    DispenseResult,
    Dispensing,
    Escrow,
    NoteUncertain,
    Presented,
    Rejected,
    Returned,
    Stacked,
    Taken,
    mix_of,
)
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.ssp import SspModule
from tests.cash_stand import Books, cash_stand, yuan

ssp = partial(Driver, SspSettings(recycle="10"), random_bits=lambda bits: 1234567)
CHANGE = mix_of({yuan(10): 3})


def with_store() -> SspModule:
    device = SspModule(store=True)
    device.load(10, 12)
    return device


async def test_an_undecided_note_is_held_and_never_polled_in(autojump_clock: MockClock) -> None:
    """Fault row 7: while nobody decides there is HOLD and no poll; the note is not accepted in silence."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(50)
        await stand.until_booked(Escrow)
        device.commands.clear()
        await trio.sleep(8)
        await stand.driver.hold()
        await trio.sleep(8)
        assert set(device.commands) == {0x18}
        assert device.box == [] and stand.books.of(Returned) == []
        await stand.driver.stack()
        await stand.until_booked(Stacked)
        assert device.box == [50]


async def test_the_simulator_accepts_in_silence_a_note_that_is_polled_twice(autojump_clock: MockClock) -> None:
    """Fault row 7 from the device's side: READ, then a plain POLL, and the note is gone."""
    device = SspModule()
    device._enable(True)
    device._channels = frozenset({5})
    device._once = []
    assert device.insert(50)
    device.tick(1.0)
    assert device._poll(keep=False) == b"\xef\x05"
    assert device._poll(keep=False) == b"\xcc"
    device.tick(2.0)
    assert device.box == [50]


async def test_credits_stay_in_the_device_until_the_commit(autojump_clock: MockClock) -> None:
    """No EVENT ACK and no poll while the commit takes its time; one credit."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        await stand.feed(50)
        await stand.until_booked(Escrow)
        stand.commit_s = 5.0
        await stand.until(lambda: device._kept)
        device.commands.clear()
        await trio.sleep(4)
        assert 0x57 not in device.commands
        await stand.until_booked(Stacked)
        await stand.until(lambda: not device._kept)
        assert stand.books.credits == [50]


@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize("moment_s", [0.1, 0.3, 0.6])
async def test_a_power_cut_after_stack_is_exactly_one_credit(
    moment_s: float, store: bool, autojump_clock: MockClock
) -> None:
    """Fault row 2: told at power-up as paid into the stacker or the store, or as the credit nobody acknowledged."""
    device, books = SspModule(store=store), Books()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready()
        await stand.feed(10)
        await stand.until(lambda: device._state == "stacking")
        stand.paused = True
        await trio.sleep(moment_s)
        device.power_cut()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready("e2")
        await stand.feed(20)
        await stand.until_booked(Stacked, 2)
        assert books.credits == [10, 20]
        assert (device.box, device.store.get(10, 0)) == (([20], 1) if store else ([10, 20], 0))
        assert [one.destination for one in books.of(Stacked)] == ["recycler" if store else "cash_box", "cash_box"]


@pytest.mark.parametrize("full", [False, True])
async def test_a_credit_that_the_next_life_finds_lies_where_the_unit_put_it(
    full: bool, autojump_clock: MockClock
) -> None:
    """The kiosk alone dies while a note is stacked. By its route the note went to the store, or, where that takes no
    more of them, into the cash box as the unit tells beside the credit."""
    device, books = SspModule(store=True), Books()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready()
        if full:
            device._routes.add(10)
        await stand.feed(10)
        await stand.until(lambda: device._state == "stacking")
        stand.paused = True
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready("e2")
        assert (device.box, device.store[10]) == (([10], 0) if full else ([], 1))
        assert [one.destination for one in books.of(Stacked)] == ["cash_box" if full else "recycler"]


async def test_a_power_cut_in_escrow_gives_the_note_back(autojump_clock: MockClock) -> None:
    """Fault row 1: cleared from the front at reset, taker unknown, no credit."""
    device, books = SspModule(), Books()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        device.power_cut()
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "restarted")
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.recover("e2")
        assert books.of(Returned) == [Returned(yuan(20), taker_known=False)]
        assert books.credits == device.box == [] and device.outlet == [20]


async def test_a_note_from_an_earlier_life_is_rejected_before_the_first_poll(autojump_clock: MockClock) -> None:
    """The kiosk died with a note in escrow: the next one sends REJECT first, because a poll would accept it."""
    device, books = SspModule(), Books()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.recover("e2")
        await trio.sleep(3)
        assert (device.box, device.outlet, books.credits) == ([], [20], [])


async def test_change_is_paid_from_the_store(autojump_clock: MockClock) -> None:
    """What was taken goes to the store by its route and can be paid out again; every step is told once."""
    device = SspModule(store=True)
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        for count in (1, 2, 3):
            await stand.feed(10)
            assert (await stand.until_booked(Stacked, count)).destination == "recycler"
        units = {unit.name: unit.count for unit in await stand.driver.unit_status()}
        assert (units["recycler_1000"], units["recycler_5000"], units["cash_box"]) == (3, 0, None)
        await stand.driver.disable()
        await stand.until(lambda: not device.accepts)
        await stand.driver.dispense("d1", CHANGE)
        await stand.until_booked(DispenseResult)
        assert stand.books.events[-4:] == [
            Dispensing("d1"),
            Presented("d1"),
            Taken("d1"),
            DispenseResult(CHANGE, CHANGE, 0, 0, True, "d1"),
        ]
        assert device.outlet == [10, 10, 10]


async def test_a_lost_answer_to_the_payout_pays_once(autojump_clock: MockClock) -> None:
    """Fault row 12: the same frame again has the same SEQ, so the device repeats its answer and does nothing."""
    device = with_store()
    async with cash_stand(ssp, device) as stand:
        await stand.recover("e1")
        device.lost_replies.add(0x46)
        await stand.driver.dispense("d1", CHANGE)
        assert (await stand.until_booked(DispenseResult)).certain
        assert device.outlet == [10, 10, 10] and device.commands.count(0x46) == 1


async def test_a_jam_pays_a_known_sum_and_is_not_certain(autojump_clock: MockClock) -> None:
    """Fault row 13: ten of thirty yuan left; the sum is booked, the rest is under check."""
    device = with_store()
    device.faults.add("payout_jams")
    async with cash_stand(ssp, device) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        result = await stand.until_booked(DispenseResult)
        assert (result.presented_fen, result.certain, result.reason) == (yuan(10), False, "incomplete")
        assert CashFault("payout_jammed") in stand.books.events


async def test_a_cut_payout_is_told_at_the_next_start_and_pays_nothing_more(autojump_clock: MockClock) -> None:
    """Money rule 17: INCOMPLETE is a finding with its sum; the outlet does not move."""
    device, books = with_store(), Books()
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await stand.until(lambda: len(device.outlet) == 2)
        device.power_cut()
        await stand.over.wait()
    async with cash_stand(ssp, device, books=books) as stand:
        recovery = await stand.recover("e2")
        expected = DispenseResult((), (), 0, 0, False, reason="incomplete", presented_sum=yuan(20))
        assert recovery.findings == (expected,)
        await trio.sleep(5)
        assert len(device.outlet) == 2


@pytest.mark.parametrize("died_s", [0.2, 0.8, 1.4])
async def test_a_payout_that_outlives_the_kiosk_is_told_to_the_next(died_s: float, autojump_clock: MockClock) -> None:
    """The kiosk dies while notes move or lie in the bezel: recovery waits until the last is taken, and has the sum."""
    device, books = with_store(), Books()
    device.faults.add("bezel_holds")
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await trio.sleep(died_s)
    async with cash_stand(ssp, device, books=books) as stand, trio.open_nursery() as nursery:
        nursery.start_soon(stand.recover, "e2")
        await trio.sleep(10)
        assert len(books.recoveries) == 1 and device.take_notes() == [10, 10, 10]
        await stand.until(lambda: len(books.recoveries) == 2)
        expected = DispenseResult((), (), 0, 0, False, reason="dispensed", presented_sum=yuan(30))
        assert books.recoveries[-1].findings == (expected,)


async def test_a_bezel_that_nobody_empties_is_not_waited_for_for_ever(autojump_clock: MockClock) -> None:
    """Recovery ends without a result; the sum is told as soon as a hand takes the note."""
    device, books = with_store(), Books()
    device.faults.add("bezel_holds")
    async with cash_stand(ssp, device, books=books) as stand:
        await stand.recover("e1")
        await stand.driver.dispense("d1", CHANGE)
        await stand.until_booked(Presented)
    async with cash_stand(ssp, device, books=books) as stand:
        assert (await stand.recover("e2")).findings == ()
        device.take_notes()
        assert (await stand.until_booked(DispenseResult)).presented_fen == yuan(30)


async def test_without_its_payout_the_module_still_takes_notes(autojump_clock: MockClock) -> None:
    """Fault row 10: out of service is DEGRADED, accepting goes on, paying is refused."""
    device = with_store()
    device.faults.add("payout_out_of_service")
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        assert stand.health == Health(Condition.DEGRADED, "payout_out_of_service")
        await stand.feed(20)
        await stand.until_booked(Stacked)
        assert not stand.driver.capabilities.dispense
        await stand.driver.disable()
        with pytest.raises(DeviceFault, match="cannot_pay"):
            await stand.driver.dispense("d1", CHANGE)


async def test_more_than_there_is_moves_nothing(autojump_clock: MockClock) -> None:
    """The device refuses before a note moves."""
    device = with_store()
    async with cash_stand(ssp, device) as stand:
        await stand.recover("e1")
        with pytest.raises(DeviceFault, match="cannot_pay"):
            await stand.driver.dispense("d1", mix_of({yuan(10): 13}))
        await trio.sleep(2)
        assert device.outlet == [] and stand.books.of(DispenseResult) == []


@pytest.mark.parametrize(("kind", "code"), [("fake", "security"), ("torn", "length"), ("two", "two_notes")])
async def test_what_is_no_good_note_is_rejected(kind: str, code: str, autojump_clock: MockClock) -> None:
    """Told once, with the device's own reason."""
    async with cash_stand(ssp, SspModule()) as stand:
        await stand.ready()
        await stand.feed(10, kind)
        assert await stand.until_booked(Rejected) == Rejected(code)


async def test_a_jam_after_stack_is_uncertain(autojump_clock: MockClock) -> None:
    """The note is in the path: suspense and staff, no credit."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        device.faults.add("stack_jams")
        await stand.feed(50)
        lost = await stand.until_booked(NoteUncertain)
        assert (lost.denomination, lost.reason, stand.books.credits) == (yuan(50), "jam_in_path", [])
        assert stand.health == Health(Condition.FAULT, "jam_in_path")


async def test_fishing_and_an_open_cash_box_raise_the_alarm(autojump_clock: MockClock) -> None:
    """Fault row 20."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        device.fish()
        assert await stand.until_booked(CashFault) == CashFault("cheated", "alarm")
        device.open_door()
        assert await stand.until_booked(CashFault, 2) == CashFault("cash_box_removed", "alarm")


@pytest.mark.parametrize("is_back", [True, False])
async def test_a_box_exchanged_while_nobody_listened(is_back: bool, autojump_clock: MockClock) -> None:
    """The alarm is told, also late; a person must come only while the box is still out (simulated seed 9000599)."""
    device = SspModule()
    device.open_door()
    if is_back:
        device.close_door()
    async with cash_stand(ssp, device) as stand:
        recovery = await stand.recover("e1")
        assert recovery.findings == (CashFault("cash_box_removed", "alarm"),)
        assert bool(recovery.needs_staff) is not is_back
        await trio.sleep(2.0)
        assert (stand.health == Health(Condition.READY)) is is_back
        device.close_door()
        await trio.sleep(5.0)  # at rest it is asked every two seconds
        assert stand.health == Health(Condition.READY)
        await stand.driver.enable([yuan(50)])


def test_what_a_box_does_not_mend_is_named_before_it() -> None:
    """A box that is out, or was full, hides no jam; a new box ends the first two alone."""
    out, full, jam, back = (Event(code) for code in (Code.BOX_REMOVED, Code.BOX_FULL, Code.UNSAFE_JAM, Code.BOX_BACK))
    assert wants_staff([out, jam]) == wants_staff([full, jam, back]) == "jam_in_path"
    assert (wants_staff([full]), wants_staff([full, out, back])) == ("cash_box_full", "")


async def test_an_enable_that_does_not_stick_is_a_fault(autojump_clock: MockClock) -> None:
    """Fault row 9: disabled although enabled, a few more times, then staff."""
    device = SspModule()
    device.faults.add("enable_stuck")
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        assert await stand.until_booked(CashFault) == CashFault("stays_disabled")


@pytest.mark.parametrize(
    ("fault", "reason"), [("silent", "silent"), ("echo", "line_echoes"), ("foreign", "other_unit_answers")]
)
async def test_a_line_that_is_not_this_device_is_a_clear_fault(
    fault: str, reason: str, autojump_clock: MockClock
) -> None:
    """Fault rows 11 and 18: each has its own word."""
    device = SspModule()
    device.faults.add(fault)
    async with cash_stand(ssp, device) as stand:
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, reason)


@pytest.mark.parametrize("fault", ["damage", "noise"])
async def test_damaged_answers_cost_time_and_nothing_else(fault: str, autojump_clock: MockClock) -> None:
    """Fault row 18: the same frame again, the same answer again."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        device.faults.add(fault)
        for count, amount in enumerate((10, 20), 1):
            await stand.feed(amount)
            await stand.until_booked(Stacked, count)
        assert stand.books.credits == device.box == [10, 20]


async def test_an_unknown_event_is_a_fault_and_no_crash(autojump_clock: MockClock) -> None:
    """Fault row 19: nothing behind it is acknowledged unread."""
    device = SspModule()
    async with cash_stand(ssp, device) as stand:
        await stand.ready()
        device.faults.add("unknown_event")
        assert await stand.until_booked(CashFault) == CashFault("unknown_event")
        device.faults.clear()
        await stand.feed(10)
        await stand.until_booked(Stacked)
