"""The CCNET drivers against their simulated units: acceptance, recovery, paying out, and every fault of the list."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.ccnet.recycler import CcnetBillToBill as RecyclerDriver
from drivers.cash_module.ccnet.validator import CcnetSettings
from drivers.cash_module.ccnet.validator import CcnetValidator as ValidatorDriver
from kiosk.domain.cash import CashFault, Escrow, NoteUncertain, Rejected, Returned, Stacked, unbooked_notes
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault
from simulators.devices.ccnet import CcnetValidator
from simulators.devices.ccnet_recycler import CcnetBillToBill
from tests.cash_stand import Books, cash_stand, yuan

validator = partial(ValidatorDriver, CcnetSettings())
recycler = partial(RecyclerDriver, CcnetSettings(unit="bill_to_bill"))


async def test_a_note_is_credited_once_and_lies_in_the_box(autojump_clock: MockClock) -> None:
    """Recover, enable, feed, stack: one credit, of the right denomination, and the device forgot it."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.feed(50)
        credit = await stand.until_booked(Stacked)
        assert (credit.denomination, credit.destination, credit.credit_id[:3]) == (yuan(50), "cash_box", "e1.")
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == device.box == [50]


async def test_nothing_is_enabled_before_recovery_is_booked(autojump_clock: MockClock) -> None:
    """Enable is refused before recover, and between its answer and the commit."""
    async with cash_stand(validator, CcnetValidator()) as stand:
        with pytest.raises(DeviceFault, match="not_recovered"):
            await stand.driver.enable([yuan(10)])
        recovery = await stand.driver.recover("e1")
        with pytest.raises(DeviceFault, match="not_recovered"):
            await stand.driver.enable([yuan(10)])
        stand.driver.acknowledge(recovery)
        await stand.driver.enable([yuan(10)])
        assert 0x34 in stand.device.commands


async def test_a_slow_commit_and_lost_acknowledgements_are_one_credit(autojump_clock: MockClock) -> None:
    """STACKED is told for 3 s until the commit is done, and again while the ACKs get lost: fault rows 4 and 5."""
    device = CcnetValidator()
    device.faults.add("lose_acks")
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        stand.commit_s = 3.0
        await stand.feed(100)
        await stand.until_booked(Stacked)
        await trio.sleep(3)
        assert not device.accepts
        device.faults.clear()
        await stand.until(lambda: device.accepts)
        assert stand.books.credits == [100]


async def test_a_power_cut_in_escrow_gives_the_note_back_and_credits_nothing(autojump_clock: MockClock) -> None:
    """Fault row 1: it is returned at the start, to an unknown taker."""
    device, books = CcnetValidator(), Books()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        device.power_cut()
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, "restarted")
    async with cash_stand(validator, device, books=books) as stand:
        await stand.recover("e2")
        assert books.of(Returned) == [Returned(yuan(20), taker_known=False)]
        assert books.credits == device.box == []
        assert device.outlet == [20]


@pytest.mark.parametrize("make", [validator, recycler])
@pytest.mark.parametrize("moment_s", [0.02, 0.2, 0.45, 0.6])
async def test_a_power_cut_after_stack_is_exactly_one_credit(make, moment_s: float, autojump_clock: MockClock) -> None:
    """Fault row 2: whether the note was moving or stacked and not acknowledged, recovery credits it once."""
    device, books = (CcnetValidator() if make is validator else CcnetBillToBill()), Books()
    async with cash_stand(make, device, books=books) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until(lambda: 0x35 in device.commands)
        stand.paused = True
        await trio.sleep(moment_s)
        device.power_cut()
    for epoch in ("e2", "e3"):
        async with cash_stand(make, device, books=books) as stand:
            await stand.ready(epoch)
            assert len(books.credits) == 1 and books.credits == device.box
        device.power_cut()


async def test_a_returned_note_is_no_credit(autojump_clock: MockClock) -> None:
    """Fault row 6: RETURN gives the note back, and nothing is credited."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        stand.decide = "return"
        await stand.feed(10)
        returned = await stand.until_booked(Returned)
        assert (returned.denomination, returned.taker_known) == (yuan(10), True)
        assert (stand.books.credits, device.box, device.outlet) == ([], [], [10])


@pytest.mark.parametrize("firmware", [set(), {"no_time_outs"}])
async def test_a_note_waits_while_it_is_held_and_then_goes_back(firmware: set[str], autojump_clock: MockClock) -> None:
    """Ten seconds each time the caller holds, with or without SET ESCROW TIME-OUTS; then it goes back by itself."""
    device = CcnetValidator()
    device.faults |= firmware
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(10)
        await stand.until_booked(Escrow)
        await trio.sleep(8)
        await stand.driver.hold()
        await trio.sleep(8)
        assert stand.books.of(Returned) == []
        await stand.until_booked(Returned)
        assert device.outlet == [10]


async def test_a_dead_host_gets_no_note(autojump_clock: MockClock) -> None:
    """Fault row 8: nobody polls or decides, and the device itself gives the note back."""
    device, books = CcnetValidator(), Books()
    device.faults.add("no_time_outs")
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(5)
        await stand.until_booked(Escrow)
    for second in range(15):
        device.tick(trio.current_time() + second)
    assert device.outlet == [5]
    async with cash_stand(validator, device, books=books) as stand:
        await stand.recover("e2")
        assert books.of(Returned) == [Returned(yuan(5), taker_known=False)]


@pytest.mark.parametrize(("kind", "code"), [("fake", "verification"), ("torn", "length"), ("two", "conveying")])
async def test_what_is_no_good_note_is_rejected(kind: str, code: str, autojump_clock: MockClock) -> None:
    """Fake, torn and two at once come back, are told once, and the next note is taken."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.feed(10, kind)
        await stand.until(lambda: [one.code for one in stand.books.of(Rejected)] == [code])
        await stand.feed(10)
        await stand.until_booked(Stacked)
        assert len(stand.books.of(Rejected)) == 1


async def test_a_denomination_that_is_not_enabled_is_rejected(autojump_clock: MockClock) -> None:
    """The device refuses at the entry what the caller did not enable."""
    async with cash_stand(validator, CcnetValidator()) as stand:
        await stand.ready(accept=(10,))
        await stand.feed(100)
        assert (await stand.until_booked(Rejected)).code == "inhibited"


@pytest.mark.parametrize("lost", ["lost_replies", "lost_commands"])
async def test_a_lost_stack_or_a_lost_answer_to_it_is_one_credit(lost: str, autojump_clock: MockClock) -> None:
    """Status first: only a note that is still in escrow is told to stack again."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(10)
        await stand.until_booked(Escrow)
        getattr(device, lost).add(0x35)
        await stand.driver.stack()
        await stand.until_booked(Stacked)
        await stand.until(lambda: device.accepts)
        assert (stand.books.credits, device.box) == ([10], [10])
        assert device.commands.count(0x35) == 1


async def test_a_jam_after_stack_is_uncertain_and_the_counter_refutes_it(autojump_clock: MockClock) -> None:
    """Suspense at once; when staff have cleared it, the next start reads a counter that did not move."""
    device, books = CcnetValidator(), Books()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        device.faults.add("stack_jams")
        await stand.feed(50)
        lost = await stand.until_booked(NoteUncertain)
        assert (lost.denomination, lost.reason) == (yuan(50), "jam_in_stacker")
        assert stand.books.of(CashFault) == [CashFault("jam_in_stacker")]
        assert stand.health == Health(Condition.FAULT, "jam_in_stacker")
        device.faults.clear()
        device._note = None
        device.clear_jam()
    async with cash_stand(validator, device, books=books) as stand:
        recovery = await stand.recover("e2")
        assert unbooked_notes(0, len(books.credits), recovery.stacked_counter or 0) == 0
        assert books.credits == []


async def test_the_counter_proves_a_credit_that_was_never_told(autojump_clock: MockClock) -> None:
    """The device gave up on STACKED (its memory of it was lost): its counter is one ahead of the books."""
    device, books = CcnetValidator(), Books()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        await stand.feed(50)
        await stand.until(lambda: device.counter == 1)
        stand.paused = True
        device._owed = None
        device.power_cut()
    async with cash_stand(validator, device, books=Books()) as stand:
        recovery = await stand.recover("e2")
        assert recovery.findings == ()
        assert unbooked_notes(0, 0, recovery.stacked_counter or 0) == 1


async def test_a_note_lost_between_two_states_is_proved_by_the_counter(autojump_clock: MockClock) -> None:
    """Fault row 32b and worse: from stacking to idle without a word; the counter makes it one credit."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until(lambda: device._state == b"\x17")
        device._go(b"\x44")
        await stand.until_booked(NoteUncertain)
        device.counter += 1
        device._note = None
        device._rest()
        await stand.until_booked(Stacked)
        assert stand.books.credits == [20]
        assert stand.books.of(Stacked)[0].note_id == stand.books.of(NoteUncertain)[0].note_id
        await stand.until(lambda: stand.health == Health(Condition.READY))


async def test_an_enable_that_does_not_stick_is_said_again_and_then_a_fault(autojump_clock: MockClock) -> None:
    """Fault row 9: disabled although enabled, a few more times, then staff."""
    device = CcnetValidator()
    device.faults.add("enable_stuck")
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        await stand.until_booked(CashFault)
        assert stand.books.of(CashFault) == [CashFault("stays_disabled")]
        device.faults.clear()
        await stand.driver.enable([yuan(10)])
        await stand.feed(10)
        await stand.until_booked(Stacked)


@pytest.mark.parametrize(
    ("fault", "reason"), [("silent", "silent"), ("echo", "line_echoes"), ("foreign", "other_unit_answers")]
)
async def test_a_line_that_is_not_this_device_is_a_clear_fault(
    fault: str, reason: str, autojump_clock: MockClock
) -> None:
    """Fault rows 11 and 18: silence, an echo and another address each have their own word, and are never "fine"."""
    device = CcnetValidator()
    device.faults.add(fault)
    async with cash_stand(validator, device) as stand:
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.UNKNOWN, reason)
        with pytest.raises(DeviceFault):
            await stand.driver.stack()
        with pytest.raises(DeviceFault):
            await stand.driver.next_event()


@pytest.mark.parametrize("fault", ["damage", "noise"])
async def test_damaged_answers_cost_time_and_nothing_else(fault: str, autojump_clock: MockClock) -> None:
    """Fault row 18: a wrong check sum is answered with NAK, noise is skipped."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        device.faults.add(fault)
        for amount in (10, 20, 100):
            await stand.feed(amount)
        await stand.until_booked(Stacked, 3)
        assert stand.books.credits == device.box == [10, 20, 100]


async def test_an_unknown_state_is_a_fault_and_no_crash(autojump_clock: MockClock) -> None:
    """Fault row 19."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        device.faults.add("unknown_state")
        await stand.until_booked(CashFault)
        assert stand.health == Health(Condition.FAULT, "unknown_state_7e")
        device.faults.clear()
        await stand.until(lambda: stand.health == Health(Condition.READY))


async def test_fishing_and_an_open_cash_box_raise_the_alarm(autojump_clock: MockClock) -> None:
    """Fault row 20: out of service, and somebody is called."""
    device = CcnetValidator()
    async with cash_stand(validator, device) as stand:
        await stand.ready()
        device.fish()
        assert await stand.until_booked(CashFault) == CashFault("cheated", "alarm")
        await stand.until(lambda: device.accepts)
        device.open_door()
        assert await stand.until_booked(CashFault, 2) == CashFault("cash_box_removed", "alarm")
        assert stand.health == Health(Condition.FAULT, "cash_box_removed")


async def test_a_held_counterfeit_keeps_the_module_out_of_service(autojump_clock: MockClock) -> None:
    """Fault row 20: recovery says that staff must come, and nothing is enabled."""
    device = CcnetValidator()
    device.faults.add("counterfeit_held")
    async with cash_stand(validator, device) as stand:
        recovery = await stand.recover("e1")
        assert recovery.needs_staff == "counterfeit_held"
        with pytest.raises(DeviceFault, match="counterfeit_held"):
            await stand.driver.enable([yuan(10)])


async def test_a_lost_line_ends_every_verb_and_the_note_stays_the_customers(autojump_clock: MockClock) -> None:
    """Unplugged with a note in escrow: no event, no credit; the next driver finds it and gives it back."""
    device, books = CcnetValidator(), Books()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        stand.decide = "nothing"
        await stand.feed(20)
        await stand.until_booked(Escrow)
        stand.line.close()
        await stand.over.wait()
        assert stand.fault is not None and stand.fault.health == Health(Condition.ABSENT, "unplugged")
        with pytest.raises(DeviceFault):
            await stand.driver.stack()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.recover("e2")
        assert (books.credits, device.outlet) == ([], [20])
        assert books.of(Returned) == [Returned(yuan(20), taker_known=False)]


async def test_a_crash_between_event_and_commit_finds_the_event_again(autojump_clock: MockClock) -> None:
    """The kiosk dies after STACKED was told and before it was durable: the next recovery tells it."""
    device, books = CcnetValidator(), Books()
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready()
        await stand.feed(20)
        await stand.until_booked(Escrow)
        stand.paused = True
        await stand.until(lambda: device._state[0] == 0x81)
        await trio.sleep(1)
    assert books.credits == []
    async with cash_stand(validator, device, books=books) as stand:
        await stand.ready("e2")
        await stand.until(lambda: device.accepts)
        assert books.credits == device.box == [20]
