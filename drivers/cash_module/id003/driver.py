"""A JCM validator by ID-003: accepts by way of escrow, never pays out (the recycler extension is not driven).

The credit point is VEND VALID (15). It is told until our ACK (50), and our ACK waits for the commit. It names no
denomination: in service that is the note of the escrow, after a start the note in doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from drivers.cash_module.device import OpenLine, Pace
from drivers.cash_module.id003 import codec
from drivers.cash_module.id003.codec import Code, Reply
from drivers.cash_module.id003.talk import Illegal, Talk
from drivers.cash_module.inbox import Silent
from drivers.cash_module.module import CashDriver, fen_table
from drivers.cash_module.note_path import Phase, Signal
from drivers.options import OptionError, read_options
from drivers.transport.line import Line
from drivers.transport.serial_port import open_serial_line
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
)
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext

START_S_MAX = 60.0
HOLD_EVERY_S = 4.0  # of the 10 s that the device gives
ENABLE_TRIES_MAX = 3
SIGNALS = {
    Code.ACCEPTING: Signal.ARRIVING,
    Code.VEND_VALID: Signal.STACKED,
    Code.REJECTING: Signal.REJECTED,
}


@dataclass(frozen=True)
class Id003Settings:
    """Options of the driver ``id003``; docs/devices/cash_id003.md explains each."""

    path: str = ""
    baud: int = 9600
    parity: str = "E"
    country: int = -1  # of the currency table; -1: all entries
    table: str = ""  # only for a device without currency table: "61:1,63:5" = escrow code : yuan
    poll_s: float = 0.15
    hold_s: float = 10.0
    hold_s_max: float = 60.0
    refuse_simulator: bool = False

    @property
    def codes(self) -> dict[int, int]:
        """Escrow code -> yuan. Raises ValueError."""
        pairs = (part.split(":") for part in self.table.split(",") if part.strip())
        return {int(code, 16): int(yuan) for code, yuan in pairs}


class Id003Validator(CashDriver):
    """Implements ``ports.CashModule`` and ``ports.Device``."""

    def __init__(self, settings: Id003Settings, context: DeviceContext, open_line: OpenLine) -> None:
        pace = Pace(poll_s=settings.poll_s, hold_s=settings.hold_s, hold_s_max=settings.hold_s_max)
        super().__init__(context, open_line, pace, refuse_simulator=settings.refuse_simulator)
        self._settings = settings
        self._codes: dict[int, Fen] = {}
        self._vend_valid = False  # told by recovery, and not confirmed yet
        self._returning = False
        self._held_s = 0.0
        self._enable_tries = 0

    @property
    def capabilities(self) -> CashCapabilities:
        return CashCapabilities(True, True, False, False)

    @property
    def denominations(self) -> tuple[Fen, ...]:
        return fen_table(self._codes)

    # --- start and recovery -------------------------------------------------------------------------------------------

    async def _do_open(self, line: Line) -> CashIdentity:
        """VERSION, because STATUS looks like IDLE on a line that echoes."""
        self._talk = Talk(line)
        version = (await self._talk.ask(codec.VERSION)).detail.decode("ascii", "replace").strip()
        if not version:
            raise Silent("line_echoes")
        return CashIdentity("id003", "", version)

    async def _do_watch(self) -> None:
        await self._talk.ask(codec.STATUS)

    async def _do_recover(self) -> Recovery:
        self._vend_valid = False
        findings = await self._until_at_rest()
        await self._read_codes()
        needs = next((one.reason for one in findings if isinstance(one, CashFault)), "")
        return Recovery(tuple(findings), needs_staff=needs, units=await self._do_units())

    async def _until_at_rest(self) -> list[CashEvent]:
        """Bring the device to rest; what must be booked. Stops at VEND VALID, which only our ACK would end."""
        inside: CashEvent | None = None  # what is true of the note inside unless the device tells more
        resets = 0
        ends = trio.current_time() + START_S_MAX
        while trio.current_time() < ends:
            reply = await self._talk.ask(codec.STATUS)
            inside = self._inside(reply.code) or inside
            if reply.code == Code.VEND_VALID:
                self._vend_valid = True
                return [self._stacked_in_doubt()]
            if reply.code == Code.DISABLED:
                return [inside] if inside else []
            if reply.code in codec.TROUBLES and resets:
                return [*([inside] if inside else []), CashFault(*codec.TROUBLES[reply.code])]
            resets += await self._towards_rest(reply.code)
            await trio.sleep(self._pace.poll_s)
        raise Silent("never_at_rest")

    def _inside(self, code: int) -> CashEvent | None:
        if code == Code.POWER_UP_BILL_IN_STACKER:
            return NoteUncertain(self._in_doubt, "was_in_stacker")
        if code in (Code.POWER_UP_BILL_IN_ACCEPTOR, *codec.IN_ESCROW):
            return Returned(None, taker_known=False)
        return None

    def _stacked_in_doubt(self) -> CashEvent:
        if self._in_doubt is None:
            return NoteUncertain(None, "vend_valid_of_unknown_note")
        return Stacked(self._in_doubt, "cash_box", self._told.name("c"))

    async def _towards_rest(self, code: int) -> bool:
        """The one step that leads nearer to DISABLED; whether it was a RESET."""
        if code in codec.POWER_UPS or code in codec.TROUBLES:
            return await self._obeyed(codec.RESET)
        if code in codec.IN_ESCROW:
            await self._obeyed(codec.RETURN)  # of an earlier life; nobody can decide about it any more
        elif code == Code.INITIALIZE:
            await self._obeyed(codec.POWER_RECOVERY)
            await self._obeyed(codec.INHIBIT)
        elif code == Code.IDLE:
            await self._obeyed(codec.INHIBIT)
        return False

    async def _read_codes(self) -> None:
        try:
            table = codec.currency_table(await self._talk.ask(codec.CURRENCY), self._settings.country)
        except Illegal:
            table = self._settings.codes
        self._codes = {code: Fen(yuan * 100) for code, yuan in table.items()}

    async def _do_finish_recovery(self) -> bool:
        ends = trio.current_time() + START_S_MAX
        while self._vend_valid and trio.current_time() < ends:
            if (await self._talk.ask(codec.STATUS)).code == Code.VEND_VALID:
                await self._talk.acknowledge()
                await trio.sleep(self._pace.poll_s)
            else:
                self._vend_valid = False
        return True

    # --- polls --------------------------------------------------------------------------------------------------------

    async def _do_poll(self) -> None:
        reply = await self._talk.ask(codec.STATUS)
        await self._take(reply)
        if reply.code == Code.VEND_VALID and self._told.booked:
            await self._talk.acknowledge()

    async def _take(self, reply: Reply) -> None:
        code = reply.code
        if code in codec.POWER_UPS or code == Code.INITIALIZE:
            raise Silent("restarted")  # only recovery may speak to it now
        if code in codec.AT_REST:
            await self._take_rest(code)
        elif code in codec.IN_ESCROW:
            await self._take_escrow_state(reply)
        elif code in codec.TROUBLES:
            self._take_trouble(reply)
        elif code in list(Code):
            self._take_signal(reply)
        else:
            self._tell_fault(f"unknown_state_{code:02x}")

    def _take_signal(self, reply: Reply) -> None:
        signal = SIGNALS.get(Code(reply.code), Signal.MOVING)
        word = codec.REJECTIONS.get(reply.detail[0], "other") if reply.detail else "other"
        self._returning = reply.code == Code.RETURNING
        repeats = signal in (Signal.STACKED, Signal.REJECTED)
        self._signal(signal, code=word, repeats=repeats)

    async def _take_escrow_state(self, reply: Reply) -> None:
        if self._path.phase in (Phase.TO_STACK, Phase.TO_RETURN):
            await self._escrow_again()
        elif reply.code == Code.ESCROW and self._path.phase is not Phase.ESCROW:
            self._held_s = -HOLD_EVERY_S  # HOLD at once: it buys time for the decision
            self._signal(Signal.ESCROW, self._codes.get(reply.detail[0]) if reply.detail else None)

    async def _take_rest(self, code: int) -> None:
        """RETURNING and then rest: it went back, whatever we had asked for."""
        self._signal(Signal.RETURNED if self._returning and self._path.phase is Phase.TO_STACK else Signal.REST)
        self._returning = False
        if code == Code.IDLE or not self._enabled:
            self._tell_well()
        if code == Code.IDLE:
            self._enable_tries = 0
        if code == Code.IDLE and not self._enabled:
            await self._do_enable(frozenset())
        elif code == Code.DISABLED and self._enabled:
            await self._enable_again()

    async def _enable_again(self) -> None:
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

    # --- decisions ----------------------------------------------------------------------------------------------------

    async def _do_keep(self, held_s: float) -> None:
        if held_s - self._held_s > HOLD_EVERY_S:
            self._held_s = held_s
            await self._obeyed(codec.HOLD)

    async def _do_stack(self) -> None:
        await self._decide(codec.STACK)

    async def _do_return(self) -> None:
        await self._decide(codec.RETURN)

    async def _decide(self, command: codec.Command) -> None:
        """Never repeated here: after silence the next status tells whether it was heard."""
        try:
            await self._talk.ask(command)
        except Illegal:
            self._path.still_in_escrow()  # or gone from there by itself; surely not on its way by our command
        except Silent:
            return

    async def _obeyed(self, command: codec.Command) -> bool:
        try:
            await self._talk.ask(command)
        except Illegal:
            return False
        except Silent:
            return False  # the next status says what is true
        return True

    async def _do_enable(self, denominations: frozenset[Fen]) -> None:
        codes = frozenset(code for code, fen in self._codes.items() if fen in denominations)
        try:
            if codes:
                await self._talk.ask(codec.enable(codes))
            await self._talk.ask(codec.ACCEPT if codes else codec.INHIBIT)
        except Illegal as illegal:
            raise self._refusal("busy") from illegal

    async def _do_units(self) -> tuple[CashUnit, ...]:
        state = {"cash_box_full": "full", "cash_box_removed": "missing"}.get(self._told_fault, "ok")
        return (CashUnit("cash_box", UnitKind.CASH_BOX, state=state),)


def open_device(options: Mapping[str, object], context: DeviceContext) -> Id003Validator:
    """Entry point ``id003``.

    Raises:
        OptionError: options that ``Id003Settings`` does not take.
    """
    settings = read_options(Id003Settings, options)
    try:
        _ = settings.codes
    except ValueError:
        raise OptionError("table is a list of escrow code:yuan") from None
    return Id003Validator(settings, context, lambda: open_serial_line(settings.path, settings.baud, settings.parity))
