"""A CCNET bill validator (address 03): accepts by way of escrow, never pays out."""

from dataclasses import dataclass

import trio

from drivers.cash_module.ccnet import codec
from drivers.cash_module.ccnet.codec import Code, Reply
from drivers.cash_module.ccnet.talk import Illegal, Talk
from drivers.cash_module.device import OpenLine, Pace
from drivers.cash_module.inbox import Silent
from drivers.cash_module.module import CashDriver, fen_table
from drivers.cash_module.note_path import NotePath, Phase, Signal
from drivers.transport.line import Line
from kiosk.domain.cash import (
    CashCapabilities,
    CashEvent,
    CashFault,
    CashIdentity,
    CashUnit,
    NoteUncertain,
    Recovery,
    Returned,
    Stacked,
    UnitKind,
    unbooked_notes,
)
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext

START_S_MAX = 90.0  # to DISABLED; notes of an earlier life may lie in the outlet for 60 s before they are retracted
HOLD_EVERY_S = 5.0  # of the 10 s that the device gives
ENABLE_TRIES_MAX = 3
REST_POLLS = 20  # 2 s

SIGNALS = {
    Code.IDLING: Signal.REST,
    Code.DISABLED: Signal.REST,
    Code.ACCEPTING: Signal.ARRIVING,
    Code.REJECTING: Signal.REJECTED,
    Code.STACKED: Signal.STACKED,
    Code.RETURNED: Signal.RETURNED,
}
NOTE_INSIDE = (Code.POWER_UP_BILL_IN_VALIDATOR, Code.POWER_UP_BILL_IN_STACKER)
REPEATING = (Signal.STACKED, Signal.RETURNED, Signal.REJECTED)


@dataclass(frozen=True)
class CcnetSettings:
    """Options of the driver ``ccnet``; docs/devices/cash_ccnet.md explains each."""

    path: str = ""
    unit: str = "validator"  # or bill_to_bill
    address: int = 0  # 0: the unit's usual one
    baud: int = 9600
    country: str = "CHN"  # of the bill table
    fen_per_unit: int = 100
    poll_s: float = 0.1  # the quickest that the manual recommends: whoever pays in notes waits for half of it each time
    hold_s: float = 10.0
    hold_s_max: float = 28.0  # with HOLD the device wants an end within 30 s
    refuse_simulator: bool = False


class CcnetValidator(CashDriver):
    """Implements ``ports.CashModule`` and ``ports.Device``."""

    address = codec.VALIDATOR

    def __init__(self, settings: CcnetSettings, context: DeviceContext, open_line: OpenLine) -> None:
        pace = Pace(settings.poll_s, REST_POLLS, settings.hold_s, settings.hold_s_max)
        super().__init__(context, open_line, pace, refuse_simulator=settings.refuse_simulator)
        self._settings = settings
        self._types: dict[int, Fen] = {}
        self._counter: int | None = None  # notes stacked at recovery, where the device counts
        self._credits = 0  # since then
        self._long_escrow = False
        self._held_s = 0.0
        self._enable_tries = 0
        self._told_code: int | None = None  # by recovery, and not confirmed yet

    @property
    def capabilities(self) -> CashCapabilities:
        return CashCapabilities(True, True, False, False, stacked_counter=self._counter is not None)

    @property
    def denominations(self) -> tuple[Fen, ...]:
        return fen_table(self._types)

    # --- start and recovery -------------------------------------------------------------------------------------------

    async def _do_open(self, line: Line) -> CashIdentity:
        self._talk = Talk(line, self._settings.address or self.address)
        await self._talk.ask(codec.POLL)
        part, serial = codec.identification(await self._talk.ask(codec.IDENTIFY))
        return CashIdentity("ccnet", serial, part)

    async def _do_watch(self) -> None:
        reply = await self._talk.ask(codec.POLL)
        if reply.code not in codec.REPEATED_UNTIL_ACK:
            await self._talk.confirm()

    async def _do_recover(self) -> Recovery:
        self._told_code = None
        findings = await self._until_at_rest()
        await self._read_types()
        told = tuple(self._meaning(one) for one in findings)
        self._counter, self._credits = await self._read_counter(), 0
        trouble = next((one.reason for one in told if isinstance(one, CashFault)), "")
        return Recovery(told, self._counter, needs_staff=trouble, units=await self._do_units())

    async def _until_at_rest(self) -> list[Reply]:
        """Bring the device to rest; the answers that must be booked. Stops at what only an ACK would end."""
        found: list[Reply] = []
        resets = 0
        ends = trio.current_time() + START_S_MAX
        while trio.current_time() < ends:
            reply = await self._talk.ask(codec.POLL)
            if reply.code in codec.REPEATED_UNTIL_ACK:
                self._told_code = reply.code
                return [reply]  # more than the power-up codes knew
            await self._talk.confirm()
            if reply.code == Code.DISABLED:
                return found
            if reply.code in codec.TROUBLES and resets:
                return [*found, reply]
            if reply.code in codec.POWER_UPS or reply.code in codec.TROUBLES:
                resets += 1
                found += [reply] if self._outlives_reset(reply) else []
                await self._talk.ask(codec.RESET)
            elif reply.code in codec.IN_ESCROW:
                await self._obeyed(codec.RETURN)  # of an earlier life; nobody can decide about it any more
            elif reply.code == Code.IDLING:
                await self._talk.ask(codec.enable(frozenset()))
            await trio.sleep(self._pace.poll_s)
        raise Silent("never_at_rest")

    def _outlives_reset(self, reply: Reply) -> bool:
        """Whether the books need this although a RESET will end it."""
        return reply.code in NOTE_INSIDE

    def _meaning(self, reply: Reply) -> CashEvent:
        """What an answer during recovery means for the books."""
        denomination = self._types.get(reply.detail[0]) if reply.detail else None
        if reply.code == Code.STACKED and denomination is not None:
            return Stacked(denomination, _destination(reply), self._told.name("c"))
        if reply.code == Code.STACKED:
            return NoteUncertain(None, "unknown_type_stacked")
        if reply.code in (Code.RETURNED, Code.POWER_UP_BILL_IN_VALIDATOR):
            return Returned(denomination, taker_known=False)
        if reply.code == Code.POWER_UP_BILL_IN_STACKER:
            return NoteUncertain(None, "was_in_stacker")
        return CashFault(*codec.TROUBLES.get(reply.code, ("device_failure", "staff")))

    async def _read_types(self) -> None:
        table = codec.bill_table(await self._talk.ask(codec.BILL_TABLE), self._settings.country)
        self._types = {number: Fen(value * self._settings.fen_per_unit) for number, value in table.items()}
        try:
            await self._talk.ask(codec.escrow_time_outs(round(self._pace.hold_s_max * 1000)))
            self._long_escrow = True
        except Illegal:  # older firmware: HOLD every few seconds instead
            self._long_escrow = False

    async def _read_counter(self) -> int | None:
        try:
            return codec.counter(await self._talk.ask(codec.STACKED_COUNTER))
        except Illegal:
            return None

    async def _do_finish_recovery(self) -> bool:
        ends = trio.current_time() + START_S_MAX
        while self._told_code is not None and trio.current_time() < ends:
            reply = await self._talk.ask(codec.POLL)
            if reply.code != self._told_code:
                self._told_code = None
            await self._talk.confirm()
        return True

    # --- polls --------------------------------------------------------------------------------------------------------

    async def _do_poll(self) -> None:
        reply = await self._talk.ask(codec.POLL)
        await self._take(reply)
        if reply.code not in codec.REPEATED_UNTIL_ACK or self._told.booked:
            await self._talk.confirm()

    async def _take(self, reply: Reply) -> None:
        code = reply.code
        if code in codec.POWER_UPS:
            raise Silent("restarted")  # only recovery may speak to it now
        if code in codec.AT_REST:
            await self._take_rest(code)
        elif code in codec.IN_ESCROW:
            await self._take_escrow_state(reply)
        elif code in codec.TROUBLES:
            self._take_trouble(reply)
        else:
            self._take_signal(reply)

    def _take_signal(self, reply: Reply) -> None:
        signal = SIGNALS.get(Code(reply.code), Signal.MOVING) if reply.code in list(Code) else Signal.MOVING
        if reply.code not in list(Code):
            self._tell_fault(f"unknown_state_{reply.code:02x}")
        denomination = self._types.get(reply.detail[0]) if reply.detail else None
        rejection = codec.REJECTIONS.get(reply.detail[0], "other") if reply.detail else "other"
        before = self._path.phase
        self._signal(signal, denomination, destination=_destination(reply), code=rejection, repeats=signal in REPEATING)
        self._credits += signal is Signal.STACKED and before is not self._path.phase

    async def _take_escrow_state(self, reply: Reply) -> None:
        if self._path.phase in (Phase.TO_STACK, Phase.TO_RETURN):
            await self._escrow_again()
        elif reply.code == Code.ESCROW:
            if self._path.phase is not Phase.ESCROW:
                self._held_s = 0.0
            self._signal(Signal.ESCROW, self._types.get(reply.detail[0]) if reply.detail else None)

    async def _take_rest(self, code: int) -> None:
        if self._path.phase is Phase.LOST:
            await self._prove()
        self._signal(Signal.REST)
        if code == Code.IDLING or not self._enabled:
            self._tell_well()
        if code == Code.IDLING and not self._enabled:
            await self._do_enable(frozenset())
        elif code == Code.DISABLED and self._enabled:
            await self._enable_again()
        elif code == Code.IDLING:
            self._enable_tries = 0

    async def _enable_again(self) -> None:
        """It says disabled though we enabled it: it began anew by itself, or did not mean its ACK."""
        self._enable_tries += 1
        if self._enable_tries > ENABLE_TRIES_MAX:
            self._tell_fault("stays_disabled")
        else:
            await self._do_enable(self._enabled)

    def _take_trouble(self, reply: Reply) -> None:
        reason, needs = codec.TROUBLES[reply.code]
        if reply.code == Code.FAILURE and reply.detail:
            reason = f"{reason}_{reply.detail[0]:02x}"
        self._signal(Signal.MOVING if needs == "nobody" else Signal.TROUBLE, code=reason)
        self._tell_fault(reason, needs)

    async def _prove(self) -> None:
        """The device rests and a note is missing: its counter of stacked notes knows."""
        if self._counter is None or self._note is None:
            return
        now = await self._read_counter()
        missing = unbooked_notes(self._counter, self._credits, now) if now is not None else None
        if missing == 1:
            self._signal(Signal.STACKED)
            self._credits += 1
        elif missing == 0:
            self._emit(NoteUncertain(self._note.denomination, "not_stacked", self._note.note_id))
        if missing in (0, 1):
            self._path, self._note = NotePath(), None

    # --- decisions ----------------------------------------------------------------------------------------------------

    async def _do_keep(self, held_s: float) -> None:
        if not self._long_escrow and held_s - self._held_s > HOLD_EVERY_S:
            self._held_s = held_s
            await self._obeyed(codec.HOLD)

    async def _do_stack(self) -> None:
        await self._decide(codec.STACK)

    async def _do_return(self) -> None:
        await self._decide(codec.RETURN)

    async def _decide(self, command: codec.Command) -> None:
        """Never repeated here: after silence the next poll tells whether it was heard."""
        try:
            await self._talk.ask(command)
        except Illegal:
            self._path.still_in_escrow()  # or gone from there by itself; surely not on its way by our command
        except Silent:
            return

    async def _obeyed(self, command: codec.Command) -> bool:
        try:
            await self._talk.ask(command)
        except (Illegal, Silent):
            return False
        return True

    async def _do_enable(self, denominations: frozenset[Fen]) -> None:
        types = {number for number, fen in self._types.items() if fen in denominations}
        try:
            await self._talk.ask(codec.enable(types))
        except Illegal as illegal:
            raise self._refusal("busy") from illegal

    async def _do_units(self) -> tuple[CashUnit, ...]:
        state = {"cash_box_full": "full", "cash_box_removed": "missing"}.get(self._told_fault, "ok")
        return (CashUnit("cash_box", UnitKind.CASH_BOX, count=await self._read_counter(), state=state),)


def _destination(reply: Reply) -> str:
    """A Bill-to-Bill unit says where it put the note: 0 drop cassette, 1 to 16."""
    number = reply.detail[1] if len(reply.detail) > 1 else 0
    return f"recycler_{number}" if number else "cash_box"
