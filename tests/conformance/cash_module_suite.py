"""What every driver for the slots ``cash_acceptor`` and ``cash_dispenser`` must do, whoever wrote it, over four wires.

To judge a driver of your own: subclass, give your driver and your device's simulator. The simulator offers
``insert(yuan, kind)`` and ``accepts``, ``box`` and ``outlet`` (lists of yuan), ``power_cut()``; one that pays also
``take_notes()``.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from drivers.cash_module.module import CashDriver
from drivers.transport.line import Line
from drivers.transport.memory import ByteWire, LossyWire, PerfectWire, SlowWire, Wire
from kiosk.domain.cash import DispenseResult, Escrow, Presented, Rejected, Returned, Stacked, mix_of
from kiosk.domain.health import Condition
from kiosk.ports import DeviceContext, DeviceFault
from tests.cash_stand import Books, cash_stand, yuan

GOOD_WIRES = {"perfect": PerfectWire, "byte": ByteWire, "slow": SlowWire}
good_wires = pytest.mark.parametrize("wire", GOOD_WIRES.values(), ids=GOOD_WIRES.keys())
every_moment = pytest.mark.parametrize(
    "moments", [range(0, 60, 7), pytest.param(range(60), marks=pytest.mark.slow)], ids=["some", "all"]
)
cuts = pytest.mark.parametrize("what", ["device", "kiosk", "both", "line"])
LOSS = 0.002  # of bytes lost, of bits flipped, of bytes invented


class CashModuleSuite:
    """Both halves. Leave out ``Accepting`` or ``Paying`` for a device that does not."""

    def device(self) -> Any:
        raise NotImplementedError

    def driver(self, context: DeviceContext, open_line: Callable[[], Line]) -> CashDriver:
        raise NotImplementedError

    @good_wires
    async def test_it_says_who_it_is_and_what_it_can(self, wire: type[Wire], autojump_clock: MockClock) -> None:
        """Identity of the device, READY, denominations after recovery."""
        async with cash_stand(self.driver, self.device(), there=wire(), back=wire()) as stand:
            assert stand.driver.identity.version.startswith("SIM")
            assert stand.health.condition is Condition.READY
            await stand.recover("e1")
            assert stand.driver.denominations and list(stand.driver.denominations) == sorted(stand.driver.denominations)
            assert await stand.driver.unit_status()

    async def test_a_lost_line_ends_every_verb(self, autojump_clock: MockClock) -> None:
        """ABSENT, and no verb pretends."""
        async with cash_stand(self.driver, self.device()) as stand:
            stand.line.close()
            await stand.over.wait()
            assert stand.fault is not None and stand.fault.health.condition is Condition.ABSENT
            with pytest.raises(DeviceFault):
                await stand.driver.recover("e1")
            with pytest.raises(DeviceFault):
                await stand.driver.unit_status()
            with pytest.raises(DeviceFault):
                await stand.driver.next_event()

    async def test_silence_is_unknown(self, autojump_clock: MockClock) -> None:
        """A device that stops answering is UNKNOWN, never ready."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            await stand.recover("e1")
            device.faults.add("silent")
            await stand.over.wait()
            assert stand.health.condition is Condition.UNKNOWN


class Accepting(CashModuleSuite):
    @good_wires
    async def test_each_note_is_one_credit_or_goes_back(self, wire: type[Wire], autojump_clock: MockClock) -> None:
        """Stacked notes are credited once, refused and fake ones never."""
        device = self.device()
        async with cash_stand(self.driver, device, there=wire(), back=wire()) as stand:
            await stand.ready()
            for count, amount in enumerate((10, 100, 10), 1):
                await stand.feed(amount)
                await stand.until_booked(Stacked, count)
            await stand.feed(50, "fake")
            await stand.until_booked(Rejected)
            stand.decide = "return"
            await stand.feed(20)
            await stand.until_booked(Returned)
            assert (stand.books.credits, device.box, stand.books.uncertain) == ([10, 100, 10], [10, 100, 10], [])
            assert len({one.credit_id for one in stand.books.of(Stacked)}) == 3

    async def test_nothing_is_taken_before_recovery_is_booked(self, autojump_clock: MockClock) -> None:
        """Not before recover, not before its answer is acknowledged."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            with pytest.raises(DeviceFault, match="not_recovered"):
                await stand.driver.enable([yuan(10)])
            recovery = await stand.driver.recover("e1")
            with pytest.raises(DeviceFault, match="not_recovered"):
                await stand.driver.enable([yuan(10)])
            assert not device.insert(10)
            stand.driver.acknowledge(recovery)
            await stand.driver.enable([yuan(10)])
            await stand.feed(10)
            await stand.until_booked(Stacked)

    @pytest.mark.parametrize("commit_s", [0.005, 0.05, 3.0])
    async def test_a_slow_disk_costs_time_and_no_credit(self, commit_s: float, autojump_clock: MockClock) -> None:
        """However long the commit takes: one credit each, none lost."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            await stand.ready()
            stand.commit_s = commit_s
            for count, amount in enumerate((10, 10, 20), 1):
                await stand.feed(amount)
                await stand.until_booked(Stacked, count)
            assert stand.books.credits == device.box == [10, 10, 20]

    async def test_a_crash_before_the_commit_tells_the_credit_again(self, autojump_clock: MockClock) -> None:
        """The device may not forget what is not durable: the next driver's recovery has it."""
        device, books = self.device(), Books()
        async with cash_stand(self.driver, device, books=books) as stand:
            await stand.ready()
            await stand.feed(20)
            await stand.until_booked(Escrow)
            stand.paused = True
            await stand.until(lambda: device.box)
            await trio.sleep(1)
        async with cash_stand(self.driver, device, books=books) as stand:
            await stand.ready("e2")
            await stand.feed(10)
            await stand.until_booked(Stacked, 2)
            assert books.credits == device.box == [20, 10]

    async def test_nobody_decides_and_the_note_goes_back(self, autojump_clock: MockClock) -> None:
        """A caller that is gone keeps no note."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            await stand.ready()
            stand.decide = "nothing"
            await stand.feed(20)
            await stand.until_booked(Returned)
            assert (stand.books.credits, device.outlet, device.box) == ([], [20], [])
            with pytest.raises(DeviceFault, match="no_note_in_escrow"):
                await stand.driver.stack()

    async def test_disable_takes_nothing_more(self, autojump_clock: MockClock) -> None:
        """After disable the entry is shut, after enable open again."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            await stand.ready()
            await stand.until(lambda: device.accepts)
            await stand.driver.disable()
            await stand.until(lambda: not device.accepts)
            assert not device.insert(10)
            await stand.driver.enable([yuan(10)])
            await stand.until(lambda: device.accepts)

    @pytest.mark.parametrize("seed", range(8))
    async def test_over_a_damaging_wire_no_yuan_is_unexplained(self, seed: int, autojump_clock: MockClock) -> None:
        """Whatever is lost and however often the driver starts anew: credited <= stacked <= credited + uncertain."""
        device, books = self.device(), Books()
        for attempt in range(8):
            there, back = LossyWire(seed, LOSS, LOSS, LOSS), LossyWire(seed + 99 + attempt, LOSS, LOSS, LOSS)
            try:
                await self._session(device, books, f"e{attempt}", there, back)
            except* (DeviceFault, trio.TooSlowError):
                pass  # the next attempt starts anew
        await self._session(device, books, "last", PerfectWire(), PerfectWire())
        taken, credited = Counter(device.box), Counter(books.credits)
        doubtful = Counter(one.denomination // 100 for one in books.uncertain if one.denomination)
        assert credited <= taken <= credited + doubtful
        assert len(books.credits) >= 2

    async def _session(self, device: Any, books: Books, epoch: str, there: Wire, back: Wire) -> None:
        async with cash_stand(self.driver, device, there=there, back=back, books=books) as stand:
            await stand.ready(epoch)
            for amount in (10, 20):
                with trio.fail_after(60):
                    await stand.feed(amount)
                    await stand.until(lambda: device.accepts or stand.over.is_set())
            await trio.sleep(2)  # what the device has told last may still be on its way

    @every_moment
    @cuts
    async def test_a_cut_at_any_moment_leaves_no_yuan_unexplained(
        self, what: str, moments: range, autojump_clock: MockClock
    ) -> None:
        """Two notes, cut off every 70 ms of the way, recovered twice: stacked is credited once or in suspense."""
        for step in moments:
            device, books = self.device(), Books()
            await self._cut_short(device, books, what, step * 0.07)
            for epoch in ("e2", "e3"):
                async with cash_stand(self.driver, device, books=books) as stand:
                    await stand.ready(epoch)
                    await trio.sleep(2)
            self._judge(device, books, f"{what} cut after {step * 70} ms")

    async def _cut_short(self, device: Any, books: Books, what: str, after_s: float) -> None:
        async with cash_stand(self.driver, device, books=books) as stand:
            await stand.ready()
            ends = trio.current_time() + after_s
            for amount in (10, 20):
                with trio.move_on_at(ends):
                    await stand.feed(amount)
                    await stand.until(lambda: device.accepts)
            await trio.sleep_until(ends)
            if what == "line":
                stand.line.close()
                await stand.over.wait()
            if what in ("device", "both"):
                device.power_cut()
            if what == "device":
                await trio.sleep(3)

    def _judge(self, device: Any, books: Books, when: str) -> None:
        taken, credited = Counter(device.box), Counter(books.credits)
        doubtful = Counter(one.denomination // 100 for one in books.uncertain if one.denomination)
        assert credited <= taken, f"{when}: credited what is not in the box"
        assert taken <= credited + doubtful, f"{when}: in the box and in nobody's books"
        assert len(device.box) + len(device.outlet) <= 2, f"{when}: a note came from nowhere"


class Paying(CashModuleSuite):
    """``device`` comes loaded with at least 5 notes of ``pays``."""

    pays = 10

    @good_wires
    async def test_what_is_paid_is_told_once(self, wire: type[Wire], autojump_clock: MockClock) -> None:
        """Presented what was asked, certain, and it lies in the outlet."""
        device = self.device()
        mix = mix_of({yuan(self.pays): 3})
        async with cash_stand(self.driver, device, there=wire(), back=wire()) as stand:
            await stand.recover("e1")
            await stand.driver.dispense("d1", mix)
            await stand.until(lambda: len(device.outlet) == 3 or stand.over.is_set())
            await trio.sleep(1)
            assert device.take_notes() == [self.pays] * 3
            result = await stand.until_booked(DispenseResult)
            assert (result.requested, result.presented, result.certain, result.dispense_id) == (mix, mix, True, "d1")
            await trio.sleep(5)
            assert (len(stand.books.of(DispenseResult)), device.outlet) == (1, [])
            assert len(stand.books.of(Presented)) == 1

    async def test_nothing_is_paid_before_recovery_or_beyond_what_it_can(self, autojump_clock: MockClock) -> None:
        """Surely refused: before recovery, no note, more notes than one dispense holds."""
        device = self.device()
        async with cash_stand(self.driver, device) as stand:
            with pytest.raises(DeviceFault, match="not_recovered"):
                await stand.driver.dispense("d1", mix_of({yuan(self.pays): 1}))
            await stand.recover("e1")
            most = stand.driver.capabilities.notes_per_dispense_max
            for mix in ((), mix_of({yuan(self.pays): most + 1}), mix_of({yuan(3): 1})):
                with pytest.raises(DeviceFault, match="cannot_pay"):
                    await stand.driver.dispense("d1", mix)
            await trio.sleep(5)
            assert device.outlet == [] and stand.books.of(DispenseResult) == []

    @pytest.mark.parametrize("seed", range(8))
    async def test_over_a_damaging_wire_nothing_is_paid_twice(self, seed: int, autojump_clock: MockClock) -> None:
        """One order is paid at most once; a certain result is the truth; "surely not" means an empty outlet."""
        device, books = self.device(), Books()
        there, back = LossyWire(seed, LOSS * 4, LOSS * 4, LOSS * 4), LossyWire(seed + 99, LOSS * 4, LOSS * 4, LOSS * 4)
        try:
            async with cash_stand(self.driver, device, there=there, back=back, books=books) as stand:
                await stand.recover("e1")
                await stand.driver.dispense("d1", mix_of({yuan(self.pays): 2}))
                await stand.until(lambda: device.outlet or stand.over.is_set())
                await trio.sleep(2)
                device.taken = device.take_notes()
                await stand.until(lambda: books.of(DispenseResult) or stand.over.is_set())
        except* (DeviceFault, trio.TooSlowError):
            pass
        paid = getattr(device, "taken", []) + device.outlet
        assert len(paid) <= 2
        for result in books.of(DispenseResult):
            assert not result.certain or sum(count for _, count in result.presented) == len(paid)

    async def test_recovery_after_a_cut_pays_nothing(self, autojump_clock: MockClock) -> None:
        """Money rule 17: whatever was under way, the next start opens nothing and pays nothing."""
        device, books = self.device(), Books()
        async with cash_stand(self.driver, device, books=books) as stand:
            await stand.recover("e1")
            await stand.driver.dispense("d1", mix_of({yuan(self.pays): 3}))
            await trio.sleep(0.5)
            device.power_cut()
        before = list(device.outlet)
        async with cash_stand(self.driver, device, books=books) as stand:
            await stand.recover("e2")
            await trio.sleep(10)
            assert device.outlet == before

    @every_moment
    @cuts
    async def test_a_payment_cut_at_any_moment_is_never_made_twice(
        self, what: str, moments: range, autojump_clock: MockClock
    ) -> None:
        """Cut off every 45 ms: recovery pays nothing, and what is told as certain is true."""
        for step in moments:
            device, books = self.device(), Books()
            async with cash_stand(self.driver, device, books=books) as stand:
                await stand.recover("e1")
                await stand.driver.dispense("d1", mix_of({yuan(self.pays): 3}))
                await trio.sleep(step * 0.045)
                if what in ("device", "both"):
                    device.power_cut()
                if what == "line":
                    stand.line.close()
                    await stand.over.wait()
                if what == "device":
                    await trio.sleep(3)
            out = len(device.outlet) if what in ("device", "both") else 3
            async with cash_stand(self.driver, device, books=books) as stand:
                await stand.recover("e2")
                await trio.sleep(5)
            assert len(device.outlet) <= out, f"{what} cut after {step * 45} ms: recovery paid"
            for result in books.of(DispenseResult):
                assert not result.certain or result.presented_fen == yuan(self.pays) * len(device.outlet)
