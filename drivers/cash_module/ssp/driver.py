"""NV200 and SMART Payout by eSSP: accepts by way of escrow; with a payout store it pays out again.

The classic trap: a note in escrow is accepted by the next POLL. So while nobody has decided, HOLD is sent and no POLL
at all; STACK is that POLL; REJECT gives the note back. Events are asked by POLL WITH ACK and stay in the device until
EVENT ACK, which is sent after the commit; until then there are no polls either.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from drivers.cash_module.device import OpenLine, Pace
from drivers.cash_module.inbox import Silent
from drivers.cash_module.module import CashDriver, Payout
from drivers.cash_module.note_path import Phase, Signal
from drivers.cash_module.ssp import codec
from drivers.cash_module.ssp.codec import Code, Event
from drivers.cash_module.ssp.findings import MENDED_BY_A_BOX, TROUBLES, finding, place_of, wants_staff
from drivers.cash_module.ssp.talk import Refused, Talk
from drivers.cash_module.unreadable import Unreadable
from drivers.options import OptionError, read_options
from drivers.transport.line import Line
from drivers.transport.serial_port import open_serial_line
from kiosk.domain.cash import (
    CashCapabilities,
    CashEvent,
    CashIdentity,
    CashUnit,
    Dispensing,
    Mix,
    Presented,
    Recovery,
    Taken,
    UnitKind,
    mix_count,
    mix_of,
    mix_value,
)
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext

START_S_MAX = 60.0
BEZEL_S_MAX = 30.0  # a payout of an earlier life may wait so long for a hand; what is told later is told late
ENABLE_TRIES_MAX = 3
NOTES_PER_DISPENSE_MAX = 80  # of the store
FIXED_KEY = 0x0123456701234567  # the factory's; every device of the world has it


@dataclass(frozen=True)
class SspSettings:
    """Options of the driver ``ssp``; docs/devices/cash_ssp.md explains each."""

    path: str = ""
    baud: int = 9600
    address: int = 0
    protocol: int = 6
    currency: str = "CNY"
    fixed_key: str = f"{FIXED_KEY:016x}"
    recycle: str = ""  # yuan of the denominations that go to the payout store: "10,20"
    poll_s: float = 0.2
    hold_s: float = 10.0
    hold_s_max: float = 120.0
    refuse_simulator: bool = False

    @property
    def recycled(self) -> frozenset[Fen]:
        """Raises ValueError."""
        return frozenset(Fen(int(part) * 100) for part in self.recycle.split(",") if part.strip())


class SspModule(CashDriver):
    """Implements ``ports.CashModule`` and ``ports.Device``. ``random_bits(n)``: an unpredictable number of n bits."""

    def __init__(
        self,
        settings: SspSettings,
        context: DeviceContext,
        open_line: OpenLine,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        pace = Pace(poll_s=settings.poll_s, hold_s=settings.hold_s, hold_s_max=settings.hold_s_max)
        super().__init__(context, open_line, pace, refuse_simulator=settings.refuse_simulator)
        self._settings = settings
        self._random_bits = random_bits
        self._channels: dict[int, Fen] = {}
        self._pays = False
        self._payout_ready = True  # until it says otherwise
        self._jammed = False
        self._unacknowledged = False  # events wait in the device for EVENT ACK
        self._enable_tries = 0

    @property
    def capabilities(self) -> CashCapabilities:
        ready = self._pays and self._payout_ready
        return CashCapabilities(True, True, ready, ready, NOTES_PER_DISPENSE_MAX if ready else 0, not self._pays)

    @property
    def denominations(self) -> tuple[Fen, ...]:
        return tuple(sorted(set(self._channels.values())))

    # --- start and recovery -------------------------------------------------------------------------------------------

    async def _do_open(self, line: Line) -> CashIdentity:
        self._talk = Talk(line, self._settings.address)
        await self._talk.begin(int(self._settings.fixed_key, 16), self._random_bits)
        try:
            await self._talk.ask(codec.PROTOCOL, bytes((self._settings.protocol,)))
            setup = codec.setup(await self._talk.ask(codec.SETUP))
            serial = int.from_bytes(await self._talk.ask(codec.SERIAL), "big")
        except Refused as refused:
            raise Silent("protocol_refused") from refused
        self._take_setup(setup)
        return CashIdentity(f"ssp_{setup.unit_type}", str(serial), setup.firmware)

    def _take_setup(self, setup: codec.Setup) -> None:
        wanted = self._settings.currency
        numbered = enumerate(setup.channels, 1)
        self._channels = {number: Fen(value) for number, (currency, value) in numbered if currency == wanted and value}
        self._pays = setup.unit_type == codec.SMART_PAYOUT

    async def _do_watch(self) -> None:
        """Not a poll: that would accept a note that lies in escrow since an earlier life."""
        await self._ask(codec.SERIAL)

    async def _ask(self, command: int, body: bytes = b"") -> bytes:
        """As ``Talk.ask``; a device without our key has started anew."""
        try:
            return await self._talk.ask(command, body)
        except Refused as refused:
            if refused.status == codec.NO_KEY:
                raise Silent("restarted") from refused
            raise

    async def _done(self, command: int, body: bytes = b"") -> bool:
        try:
            await self._ask(command, body)
        except Refused:
            return False
        return True

    async def _do_recover(self) -> Recovery:
        """REJECT comes before the first poll, for the same reason."""
        await self._done(codec.REJECT)
        await self._done(codec.DISABLE)
        self._unacknowledged = self._jammed = False
        found = await self._until_at_rest()
        self._unacknowledged = any(one.code in codec.BOOKED for one in found)
        wanted = [one for one in found if one.code in codec.BOOKED or one.code in TROUBLES]
        told = tuple(self._finding(one, found) for one in wanted)
        needs = wants_staff(found)
        return Recovery(told, await self._read_counter(), needs_staff=needs, units=await self._do_units())

    async def _read_counter(self) -> int | None:
        """None with a store, whose transfers are counted too, and where the firmware has no counters."""
        if self._pays:
            return None
        try:
            return codec.stacked_counter(await self._ask(codec.COUNTERS)) & 0xFFFF
        except Refused:
            return None

    @property
    def _recycled(self) -> frozenset[Fen]:
        """Denominations that go to the store."""
        return self._settings.recycled if self._pays and self._payout_ready else frozenset()

    def _finding(self, event: Event, beside: Sequence[Event]) -> CashEvent:
        place = partial(place_of, told=beside, recycled=self._recycled)
        return finding(event, self._channels, place, lambda: self._told.name("c"))

    async def _until_at_rest(self) -> list[Event]:
        """The events that wait, once nothing moves any more: also a payout that the earlier life had begun. Where a
        note went is told once, so it is kept from earlier answers."""
        began, placed = trio.current_time(), list[Event]()
        while (passed_s := trio.current_time() - began) < START_S_MAX:
            found = codec.events(await self._ask(codec.POLL_WITH_ACK))
            codes = {one.code for one in found}
            if any(one.code == Code.READ and one.channel for one in found):
                await self._done(codec.REJECT)
            elif not codes & codec.MOVING and not (Code.IN_BEZEL in codes and passed_s < BEZEL_S_MAX):
                return [*placed, *found]
            placed += [one for one in found if one.code in codec.PLACED]
            await trio.sleep(self._pace.poll_s)
        raise Silent("never_at_rest")

    async def _do_finish_recovery(self) -> bool:
        if self._unacknowledged:
            await self._ask(codec.EVENT_ACK)
            self._unacknowledged = False
        if self._pays:
            await self._start_payout()
        return True

    async def _start_payout(self) -> None:
        """Without its payout the module still takes notes."""
        self._payout_ready = await self._done(codec.PAYOUT_ON)
        for denomination in self.denominations:
            to_store = denomination in self._settings.recycled
            body = codec.route(denomination, self._settings.currency, to_store=to_store)
            await self._done(body[0], body[1:])
        if not self._payout_ready:
            self._tell_fault("payout_out_of_service", "nobody")

    # --- polls --------------------------------------------------------------------------------------------------------

    async def _do_poll(self) -> None:
        if self._unacknowledged and not self._told.booked:
            await self._do_watch()
            return
        if self._unacknowledged:
            await self._done(codec.EVENT_ACK)
            self._unacknowledged = False
        if self._path.phase is Phase.ESCROW and await self._done(codec.HOLD):
            return
        await self._poll()

    async def _poll(self) -> None:
        """Also what accepts a note in escrow."""
        try:
            found = codec.events(await self._ask(codec.POLL_WITH_ACK))
        except Unreadable:
            self._tell_fault("unknown_event")
            return
        self._unacknowledged = any(one.code in codec.BOOKED for one in found)
        for event in found:
            await self._take(event, found)
        if not found:
            self._signal(Signal.REST)
            self._enable_tries = 0
            self._tell_well_unless_degraded()

    def _tell_well_unless_degraded(self) -> None:
        if not self._pays or self._payout_ready:
            self._tell_well()

    async def _take(self, event: Event, beside: Sequence[Event]) -> None:
        code = event.code
        if code == Code.RESET:
            raise Silent("restarted")
        if code in TROUBLES:
            await self._take_trouble(event)
        elif code == Code.BOX_BACK and self._needs_staff in MENDED_BY_A_BOX:
            self._needs_staff = ""  # the unit does not start anew for it, so nobody else would say so
        elif code == Code.DISABLED:
            await self._take_disabled()
        elif self._payout is not None and code in PAYOUT_EVENTS:
            self._take_payout(self._payout, event)
        elif code in codec.BOOKED and code != Code.CREDIT:
            self._emit(self._finding(event, beside))  # of an earlier life, told late
        else:
            await self._take_note(event, beside)

    async def _take_note(self, event: Event, beside: Sequence[Event]) -> None:
        denomination = self._channels.get(event.channel)
        if event.code == Code.READ and event.channel == 0:
            self._signal(Signal.ARRIVING)
        elif event.code == Code.READ and self._path.phase not in (Phase.TO_STACK, Phase.TO_RETURN):
            self._signal(Signal.ESCROW, denomination)
        elif event.code == Code.CREDIT:
            place = place_of(denomination, beside, self._recycled)
            self._signal(Signal.STACKED, denomination, destination=place)
        elif event.code == Code.REJECTED:
            code = await self._ask(codec.LAST_REJECT)
            self._signal(Signal.REJECTED, code=codec.REJECTIONS.get(code[0] if code else 0, "other"))
        else:
            self._signal(Signal.MOVING)

    async def _take_disabled(self) -> None:
        self._signal(Signal.REST)
        if not self._enabled:
            self._tell_well_unless_degraded()
            return
        self._enable_tries += 1
        if self._enable_tries > ENABLE_TRIES_MAX:
            self._tell_fault("stays_disabled")
        else:
            await self._do_enable(self._enabled)

    async def _take_trouble(self, event: Event) -> None:
        reason, needs, in_path = TROUBLES[event.code]
        if event.code == Code.PAYOUT_OUT_OF_SERVICE:
            self._payout_ready = False
        self._signal(Signal.TROUBLE if in_path else Signal.MOVING, code=reason)
        self._tell_fault(reason, needs)
        self._jammed = self._jammed or event.code == Code.JAMMED

    # --- decisions ----------------------------------------------------------------------------------------------------

    async def _do_stack(self) -> None:
        """A poll may tell again what is not acknowledged: a credit of the note before would look like this one's."""
        if self._unacknowledged and not self._told.booked:
            self._path.still_in_escrow()
            raise self._refusal("not_booked")
        if self._unacknowledged:
            await self._ask(codec.EVENT_ACK)
        await self._poll()

    async def _do_return(self) -> None:
        await self._done(codec.REJECT)

    async def _do_enable(self, denominations: frozenset[Fen]) -> None:
        channels = frozenset(number for number, fen in self._channels.items() if fen in denominations)
        body = codec.inhibits(channels)
        if not await self._done(body[0], body[1:]) or not await self._done(codec.ENABLE if channels else codec.DISABLE):
            raise self._refusal("busy")

    async def _do_units(self) -> tuple[CashUnit, ...]:
        state = {"cash_box_full": "full", "cash_box_removed": "missing"}.get(self._told_fault, "ok")
        box = CashUnit("cash_box", UnitKind.CASH_BOX, state=state)
        if not self._pays:
            return (box,)
        held = codec.levels(await self._ask(codec.LEVELS))
        return (box, *(CashUnit(f"recycler_{value}", UnitKind.RECYCLER, Fen(value), count) for _, value, count in held))

    # --- paying out ---------------------------------------------------------------------------------------------------

    async def _do_dispense(self, payout: Payout) -> None:
        body = codec.pay(tuple((int(fen), count) for fen, count in payout.requested), self._settings.currency)
        self._payout, self._jammed = payout, False  # from the first byte on
        try:
            await self._ask(body[0], body[1:])
        except Refused as refused:
            self._payout = None
            raise self._refusal({3: "busy", 4: "payout_disabled"}.get(refused.reason, "cannot_pay")) from refused

    def _take_payout(self, payout: Payout, event: Event) -> None:
        if not payout.begun:
            payout.begun = True
            self._emit(Dispensing(payout.dispense_id))
        if event.code in (Code.IN_BEZEL, Code.DISPENSED) and not payout.presented:
            payout.presented = True
            self._emit(Presented(payout.dispense_id))
        if event.code == Code.DISPENSED and event.total == mix_value(payout.requested):
            self._emit(Taken(payout.dispense_id))
            self._finish_payout(payout.requested, certain=True)
        elif event.code in PAYOUT_ENDS:
            self._finish_short(payout, event)

    def _finish_short(self, payout: Payout, event: Event) -> None:
        """Less than asked. INCOMPLETE is the device's own ledger; after a jam even that may be a note off."""
        certain = event.code == Code.INCOMPLETE and not self._jammed
        retained = 0 if certain else mix_count(payout.requested)
        reason, paid = PAYOUT_ENDS[event.code], Fen(event.total)
        notes = _notes(payout.requested, paid)
        told_sum = None if notes else paid
        self._finish_payout(notes, retained=retained, certain=certain, reason=reason, presented_sum=told_sum)


def _notes(requested: Mix, paid: Fen) -> Mix:
    """Only a sum is told; where one denomination was asked for, it says how many notes."""
    if len(requested) != 1 or paid % requested[0][0]:
        return ()
    return mix_of({requested[0][0]: paid // requested[0][0]})


PAYOUT_ENDS: dict[int, str] = {
    Code.DISPENSED: "sum_differs",
    Code.INCOMPLETE: "incomplete",
    Code.TIME_OUT: "time_out",
    Code.HALTED: "halted",
}
PAYOUT_EVENTS = frozenset({Code.DISPENSING, Code.IN_BEZEL, *PAYOUT_ENDS})


def open_device(options: Mapping[str, object], context: DeviceContext) -> SspModule:
    """Entry point ``ssp``.

    Raises:
        OptionError: options that ``SspSettings`` does not take.
    """
    settings = read_options(SspSettings, options)
    try:
        int(settings.fixed_key, 16)
        _ = settings.recycled
    except ValueError:
        raise OptionError("fixed_key is 16 hex digits, recycle a list of yuan") from None
    return SspModule(settings, context, lambda: open_serial_line(settings.path, settings.baud, stop_bits=2))
