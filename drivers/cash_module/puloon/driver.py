"""The LCDM-1000 dispenser: pays out, takes nothing. Its counts at two sensors are the whole evidence, and it remembers
nothing after a power cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from drivers.cash_module.device import OpenLine, Pace
from drivers.cash_module.module import CashDriver, Payout
from drivers.cash_module.puloon import codec
from drivers.cash_module.puloon.codec import Reply
from drivers.cash_module.puloon.talk import Talk
from drivers.cash_module.unreadable import Unreadable
from drivers.options import read_options
from drivers.transport.line import Line
from drivers.transport.serial_port import open_serial_line
from kiosk.domain.cash import (
    CashCapabilities,
    CashIdentity,
    CashUnit,
    DispenseResult,
    Dispensing,
    Presented,
    Recovery,
    UnitKind,
    mix_count,
    mix_of,
)
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext

ANSWER_S_MAX = 75.0  # the manual: 60 s
REPEATS_S = 2.0  # an unconfirmed answer is repeated three times within this
WATCH_EVERY_S = 10.0


@dataclass(frozen=True)
class PuloonSettings:
    """Options of the driver ``puloon``; docs/devices/cash_puloon.md explains each."""

    path: str = ""
    baud: int = 9600
    parity: str = "E"
    denomination_fen: int = 10000  # what the cassette holds: the device does not know
    poll_s: float = 0.15
    refuse_simulator: bool = False


class PuloonDispenser(CashDriver):
    """Implements ``ports.CashModule`` and ``ports.Device``."""

    def __init__(self, settings: PuloonSettings, context: DeviceContext, open_line: OpenLine) -> None:
        pace = Pace(poll_s=settings.poll_s, dispense_s_max=ANSWER_S_MAX + 5)
        super().__init__(context, open_line, pace, refuse_simulator=settings.refuse_simulator)
        self._fen = Fen(settings.denomination_fen)
        self._low = False
        self._unconfirmed = False  # an answer is known here and not yet durable
        self._watched_at = 0.0
        self._earlier: Reply | None = None  # counts of a dispense that an earlier life began, not yet durable

    @property
    def capabilities(self) -> CashCapabilities:
        return CashCapabilities(False, False, True, False, codec.NOTES_PER_DISPENSE_MAX)

    @property
    def denominations(self) -> tuple[Fen, ...]:
        return (self._fen,)

    async def _do_open(self, line: Line) -> CashIdentity:
        self._talk = Talk(line)
        self._earlier = await self._talk.until_free(ANSWER_S_MAX)
        if self._earlier is not None:
            await trio.sleep(REPEATS_S)  # it is confirmed only once it is durable: let it be told to the end
        version = (await self._talk.ask(codec.VERSION)).body.decode("ascii", "replace").strip()
        return CashIdentity("puloon", "", version)

    async def _do_watch(self) -> None:
        """Status now and then: a dispenser that nobody asks is still a dispenser that may be gone."""
        if trio.current_time() - self._watched_at > WATCH_EVERY_S:
            self._watched_at = trio.current_time()
            self._take_error(await self._error())

    async def _error(self) -> str:
        return codec.status_error(await self._talk.ask(codec.STATUS))

    def _take_error(self, error: str) -> None:
        if error:
            self._tell_fault(error)
        else:
            self._tell_well()

    async def _do_recover(self) -> Recovery:
        """It has no memory to ask, and PURGE would move notes: what is stuck now can be told, and what was still going
        on when this life began."""
        error = await self._error()
        passing = any(codec.ERRORS[code] == error for code in codec.PASSING)
        told = (_outlived(self._fen, self._earlier),) if self._earlier else ()
        return Recovery(told, needs_staff="" if passing else error, units=await self._do_units())

    async def _do_finish_recovery(self) -> bool:
        self._earlier = None
        return True

    async def _do_enable(self, denominations: frozenset[Fen]) -> None:
        """Nothing to enable: it takes no notes."""

    async def _do_dispense(self, payout: Payout) -> None:
        if payout.requested != mix_of({self._fen: mix_count(payout.requested)}):
            raise self._refusal("cannot_pay")
        if error := await self._error():
            raise self._refusal(error)
        self._payout = payout  # from the first byte on
        heard = await self._talk.order(codec.dispense(mix_count(payout.requested)))
        if heard is False:
            self._payout = None
            raise self._refusal("refused")
        self._emit(Dispensing(payout.dispense_id))

    async def _do_poll(self) -> None:
        if self._payout is not None:
            await self._await_counts(self._payout)
        elif self._unconfirmed:
            await self._confirm()
        else:
            await self._do_watch()

    async def _await_counts(self, payout: Payout) -> None:
        reply = await self._talk.answer(codec.DISPENSE, payout.ends_at - trio.current_time())
        if reply is None:
            return  # the deadline of the dispense makes it uncertain
        self._unconfirmed = True
        try:
            self._take_counts(payout, codec.counts(reply))
        except Unreadable:
            self._finish_payout((), retained=mix_count(payout.requested), certain=False, reason="unreadable")
            self._tell_fault("dispense_uncertain")

    def _take_counts(self, payout: Payout, counts: codec.Counts) -> None:
        if counts.exited:
            self._emit(Presented(payout.dispense_id))
        self._low = counts.near_end
        self._finish_payout(
            mix_of({self._fen: counts.exited}),
            rejected=counts.rejected,
            retained=max(counts.unaccounted, 0),
            certain=counts.unaccounted == 0,
            reason=counts.error,
        )
        if counts.error or counts.unaccounted:
            self._tell_fault(counts.error or "dispense_uncertain")

    async def _confirm(self) -> None:
        """While the commit runs the device repeats its answer, which is the same one; afterwards one ACK ends that."""
        await self._talk.answer(codec.DISPENSE, self._pace.poll_s)
        if self._told.booked:
            self._unconfirmed = False
            await self._talk.confirm()

    async def _do_empty_path(self) -> None:
        """PURGE: what is in the path goes to the reject box."""
        error = codec.status_error(await self._talk.ask(codec.PURGE))
        if error:
            raise self._refusal(error)

    async def _do_units(self) -> tuple[CashUnit, ...]:
        state = "empty" if self._told_fault == "cassette_empty" else "low" if self._low else "ok"
        return (
            CashUnit("cassette_1", UnitKind.CASSETTE, self._fen, state=state),
            CashUnit("reject_box", UnitKind.REJECT_BOX, state="unknown"),
        )


def _outlived(denomination: Fen, reply: Reply) -> DispenseResult:
    """How many were asked for is in the intent of that life."""
    try:
        counts = codec.counts(reply)
    except Unreadable:
        return DispenseResult((), (), 0, 0, certain=False, reason="unreadable")
    missing = max(counts.unaccounted, 0)
    paid = mix_of({denomination: counts.exited})
    return DispenseResult((), paid, counts.rejected, missing, certain=counts.unaccounted == 0, reason=counts.error)


def open_device(options: Mapping[str, object], context: DeviceContext) -> PuloonDispenser:
    """Entry point ``puloon``.

    Raises:
        OptionError: options that ``PuloonSettings`` does not take.
    """
    settings = read_options(PuloonSettings, options)
    return PuloonDispenser(settings, context, lambda: open_serial_line(settings.path, settings.baud, settings.parity))
