"""A CCNET Bill-to-Bill recycler (address 01): a validator that also pays out from the notes it took.

After a power cut the order is fixed: RESET, poll to DISABLED, POWER RECOVERY (66), and only then ENABLE (34), or the
credits of the notes that were being packed are lost (sections 7.9 to 7.11).
"""

import trio

from drivers.cash_module.ccnet import codec
from drivers.cash_module.ccnet.codec import Code, Reply
from drivers.cash_module.ccnet.talk import Illegal
from drivers.cash_module.ccnet.validator import CcnetValidator
from drivers.cash_module.inbox import Silent
from drivers.cash_module.module import Payout
from kiosk.domain.cash import (
    CashCapabilities,
    CashEvent,
    CashFault,
    CashUnit,
    DispenseResult,
    Dispensing,
    Mix,
    NoteUncertain,
    Presented,
    Recovery,
    Retracted,
    Stacked,
    Taken,
    UnitKind,
    mix_count,
    mix_of,
)
from kiosk.domain.money import Fen
from kiosk.ports import DeviceFault

NOT_HEARD_POLLS = 3
EMPTYING_S_MAX = 120.0
JUST_READ_S = 0.1
# What a unit says until it is reset although nothing need be broken. If something is, recovery's RESET does not end it.
ENDED_BY_RESET = tuple(f"device_failure_{code:02x}" for code in (codec.RETRACT_FAILURE, codec.CASSETTES_FAILURE))


class CcnetBillToBill(CcnetValidator):
    """Implements ``ports.CashModule`` and ``ports.Device``."""

    address = codec.BILL_TO_BILL
    _told_recovery: bytes | None = None
    _expected: dict[int, int] | None = None  # cassette -> count after the dispense that was told last
    _read: tuple[list[codec.Cassette], int, float] | None = (
        None  # what they held, as which question, until when it counts
    )

    @property
    def capabilities(self) -> CashCapabilities:
        return CashCapabilities(True, True, True, True, codec.NOTES_PER_DISPENSE_MAX, takes_back=True)

    # --- recovery -----------------------------------------------------------------------------------------------------

    async def _do_recover(self) -> Recovery:
        self._told_recovery = None
        basic = await super()._do_recover()
        if self._told_code is not None or basic.needs_staff:
            return basic  # what it interrupted is asked when that is settled
        told, needs = await self._interrupted()
        known = [one for one in basic.findings if not isinstance(one, NoteUncertain)]  # 66 names what 12 only hints at
        return Recovery((*known, *told), needs_staff=needs, units=basic.units)

    def _outlives_reset(self, reply: Reply) -> bool:
        return super()._outlives_reset(reply) or _retracted(reply)

    def _meaning(self, reply: Reply) -> CashEvent:
        """DISPENSED: all of what the earlier life asked for was taken; how much that was is in its intent."""
        if reply.code == Code.DISPENSED:
            return DispenseResult((), (), 0, 0, certain=False, in_full=True)
        if _retracted(reply):
            return DispenseResult((), (), 0, 0, certain=False, reason="retracted")
        return super()._meaning(reply)

    async def _interrupted(self) -> tuple[tuple[CashEvent, ...], str]:
        try:
            reply = await self._talk.ask(codec.POWER_RECOVERY)
        except Illegal:
            return (), ""
        self._told_recovery = reply.body
        return self._findings(codec.power_recovery(reply))

    def _findings(self, found: codec.Interrupted) -> tuple[tuple[CashEvent, ...], str]:
        """Events, and why staff must come first."""
        if isinstance(found, codec.Packed):
            return tuple(self._packed(kind, place) for kind, place in found.notes), ""
        if isinstance(found, codec.CutWhileDispensing):
            moved = sum(count for _, count in found.moved)
            result = DispenseResult(
                self._mix(found.asked), (), 0, moved, certain=moved == 0, reason="cut_while_dispensing"
            )
            return (result,), "notes_in_dispenser" if moved else ""
        if isinstance(found, codec.CutWhileUnloading):
            return (CashFault("unload_interrupted"),), ""
        return (), ""

    def _packed(self, kind: int, place: int) -> CashEvent:
        denomination = self._types.get(kind)
        if denomination is None:
            return NoteUncertain(None, "unknown_type_stacked")
        return Stacked(denomination, f"recycler_{place}" if place else "cash_box", self._told.name("c"))

    def _mix(self, counts: tuple[tuple[int, int], ...]) -> Mix:
        """The escrow cassette holds notes of many kinds: those are counted, not named."""
        found: dict[Fen, int] = {}
        for kind, count in counts:
            if kind in self._types:
                found[self._types[kind]] = found.get(self._types[kind], 0) + count
        return mix_of(found)

    async def _do_finish_recovery(self) -> bool:
        """The ACK after POWER RECOVERY lets the device forget; so it is asked again, now that its answer is durable."""
        await super()._do_finish_recovery()
        before = self._told_recovery
        told, needs = await self._interrupted()
        if self._told_recovery != before and told:
            self._needs_staff = needs
            for event in told:
                self._emit(event)
            return False
        if self._told_recovery is not None:
            await self._talk.confirm()
        return True

    # --- paying out ---------------------------------------------------------------------------------------------------

    async def _do_dispense(self, payout: Payout) -> None:
        held = await self._held_now()
        notes = self._chosen(payout.requested, held)
        self._payout, self._expected = payout, _left(held, notes)  # from the first byte on
        try:
            await self._order(codec.dispense(notes))
        except DeviceFault:
            self._payout = self._expected = None  # surely nothing moved
            raise

    async def _held_now(self) -> list[codec.Cassette]:
        """Who dispenses has mostly just asked: if nothing else was said to the unit since, it is not asked again."""
        if self._read is not None:
            held, question, until = self._read
            if question == self._talk.questions and trio.current_time() < until:
                return held
        return await self._cassettes()

    async def _cassettes(self) -> list[codec.Cassette]:
        held = codec.cassettes(await self._talk.ask(codec.CASSETTE_STATUS))
        self._read = held, self._talk.questions, trio.current_time() + JUST_READ_S
        return held

    async def _order(self, command: codec.Command) -> None:
        try:
            await self._talk.ask(command)
        except Illegal as illegal:
            raise self._refusal("cannot_pay") from illegal
        except Silent:
            await self._see_whether_heard()

    def _chosen(self, mix: Mix, held: list[codec.Cassette]) -> dict[int, int]:
        """Types for denominations, as far as cassettes reach."""
        chosen: dict[int, int] = {}
        for denomination, count in mix:
            kinds = [number for number, fen in self._types.items() if fen == denomination]
            there = {kind: sum(one.count for one in held if one.bill_type == kind) for kind in kinds}
            kind = next((kind for kind in kinds if there[kind] >= count), None)
            if kind is None:
                raise self._refusal("cannot_pay")
            chosen[kind] = count
        return chosen

    async def _see_whether_heard(self) -> None:
        """Our DISPENSE or its ACK was lost. DISPENSED is told until confirmed, so a device at rest did not hear us."""
        for _ in range(NOT_HEARD_POLLS):
            reply = await self._talk.ask(codec.POLL)
            if reply.code != Code.DISABLED:
                return
            await self._talk.confirm()
            await trio.sleep(self._pace.poll_s)
        raise self._refusal("not_heard")

    async def _take(self, reply: Reply) -> None:
        payout = self._payout
        if payout is not None and reply.code in (Code.DISPENSING, Code.DISPENSED, Code.INVALID_BILL):
            self._take_payout(payout, reply)
        elif reply.code != Code.DISPENSED:  # told again after our ACK was lost
            await super()._take(reply)

    def _take_payout(self, payout: Payout, reply: Reply) -> None:
        if not payout.begun:
            payout.begun = True
            self._emit(Dispensing(payout.dispense_id))
        if reply.code == Code.DISPENSING and reply.detail == b"\x01" and not payout.presented:
            payout.presented = True
            self._emit(Presented(payout.dispense_id))
        elif reply.code == Code.DISPENSED:
            self._emit(Taken(payout.dispense_id))
            self._finish_payout(payout.requested, certain=True)
        elif reply.code == Code.INVALID_BILL:
            self._finish_payout((), certain=True, reason="invalid_bill")

    async def _do_poll(self) -> None:
        """Only recovery resets the unit, so what a RESET ends is left to a fresh driver, once all of it is booked."""
        await super()._do_poll()
        at_ease = self._payout is None and self._note is None and not self._needs_staff
        if self._told_fault in ENDED_BY_RESET and at_ease and self._told.booked:
            raise Silent(self._told_fault)

    def _take_trouble(self, reply: Reply) -> None:
        super()._take_trouble(reply)
        payout = self._payout
        if payout is None or codec.TROUBLES[reply.code][1] == "nobody":
            return
        retracted = _retracted(reply)
        if retracted:
            self._emit(Retracted(payout.dispense_id))
        reason = "retracted" if retracted else self._told_fault
        self._finish_payout((), retained=mix_count(payout.requested), certain=False, reason=reason)

    async def _take_rest(self, code: int) -> None:
        await super()._take_rest(code)
        if self._payout is None and self._expected is not None and self._told.booked:
            expected, self._expected = self._expected, None
            held = await self._cassettes()
            if any(expected.get(one.number, one.count) != one.count for one in held):
                self._emit(CashFault("cassette_counts_differ"))

    async def _do_empty_path(self) -> None:
        await self._talk.ask(codec.EMPTY_DISPENSER)
        ends = trio.current_time() + EMPTYING_S_MAX
        while trio.current_time() < ends:
            reply = await self._talk.ask(codec.POLL)
            await self._talk.confirm()
            if reply.code == Code.DISABLED:
                return
            if reply.code in codec.TROUBLES:
                raise self._refusal(codec.TROUBLES[reply.code][0])
            await trio.sleep(self._pace.poll_s)
        raise Silent("never_at_rest")

    async def _do_units(self) -> tuple[CashUnit, ...]:
        box = (await super()._do_units())[0]
        held = await self._cassettes()
        return (box, *(self._unit(one) for one in held if one.bill_type is not None))

    def _unit(self, one: codec.Cassette) -> CashUnit:
        state = "full" if one.full else "ok" if one.count else "empty"
        denomination = self._types.get(one.bill_type) if one.bill_type is not None else None
        return CashUnit(f"recycler_{one.number}", UnitKind.RECYCLER, denomination, one.count, state)


def _left(held: list[codec.Cassette], notes: dict[int, int]) -> dict[int, int]:
    """Cassette -> count once these notes are out of them, the first cassettes first."""
    rest = dict(notes)
    left: dict[int, int] = {}
    for one in held:
        paid = min(one.count, rest.get(one.bill_type, 0)) if one.bill_type is not None else 0
        left[one.number] = one.count - paid
        if one.bill_type is not None and paid:
            rest[one.bill_type] -= paid
    return left


def _retracted(reply: Reply) -> bool:
    return reply.code == Code.FAILURE and reply.detail[:1] == bytes((codec.RETRACT_FAILURE,))
