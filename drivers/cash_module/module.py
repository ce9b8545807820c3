"""What the drivers of all cash protocols share: the verbs' rules, the stream of events, the acknowledgement after the
commit, the watch over escrow. A protocol fills in the methods whose names begin with ``_do_``.
"""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import trio

from drivers.cash_module.device import CashDevice, OpenLine, Pace
from drivers.cash_module.note_path import NotePath, Outcome, Phase, Signal
from kiosk.domain.cash import (
    CashCapabilities,
    CashUnit,
    DispenseResult,
    Escrow,
    Mix,
    NoteUncertain,
    Recovery,
    Rejected,
    Returned,
    Stacked,
    mix_count,
)
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.ports import DeviceContext

STACK_TRIES_MAX = 3


@dataclass
class _Note:
    note_id: str
    denomination: Fen
    arrived_at: float
    held_until: float
    decided_at: float = 0.0
    tries: int = 0


@dataclass
class Payout:
    """A dispense that was accepted and has no result yet. ``ends_at``: then it is uncertain."""

    dispense_id: str
    requested: Mix
    ends_at: float
    begun: bool = False
    presented: bool = False
    retracted: bool = False


class CashDriver(CashDevice):
    """Implements ``ports.Device`` and ``ports.CashModule``."""

    def __init__(self, context: DeviceContext, open_line: OpenLine, pace: Pace, *, refuse_simulator: bool) -> None:
        super().__init__(context, open_line, pace, refuse_simulator=refuse_simulator)
        self._recovery: Recovery | None = None  # told, and not yet finished with the device
        self._recovered = False
        self._needs_staff = ""
        self._path = NotePath()
        self._note: _Note | None = None
        self._payout: Payout | None = None
        self._enabled: frozenset[Fen] = frozenset()
        self._in_doubt: Fen | None = None  # see ``recover``

    # --- what a protocol fills in -------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def capabilities(self) -> CashCapabilities: ...

    @property
    @abstractmethod
    def denominations(self) -> tuple[Fen, ...]: ...

    @abstractmethod
    async def _do_watch(self) -> None:
        """Before recovery: see that it is there, and let it forget nothing."""

    @abstractmethod
    async def _do_poll(self) -> None: ...

    @abstractmethod
    async def _do_recover(self) -> Recovery: ...

    @abstractmethod
    async def _do_finish_recovery(self) -> bool:
        """All that was told is durable: let the device forget it. False if it had more to tell: that was emitted."""

    @abstractmethod
    async def _do_enable(self, denominations: frozenset[Fen]) -> None: ...

    @abstractmethod
    async def _do_units(self) -> tuple[CashUnit, ...]: ...

    async def _do_keep(self, held_s: float) -> None:
        """Called at each turn while a note waits for its decision; ``held_s``: since it came."""

    async def _do_stack(self) -> None:
        raise self._refusal("not_supported")

    async def _do_return(self) -> None:
        raise self._refusal("not_supported")

    async def _do_dispense(self, payout: Payout) -> None:
        raise self._refusal("not_supported")

    async def _do_empty_path(self) -> None:
        raise self._refusal("not_supported")

    async def _advance(self) -> None:
        """One turn of the loop: whatever is due next."""
        await self._finish_recovery()
        if not self._recovered:
            await self._do_watch()
            return
        if self._path.phase is Phase.ESCROW and self._note is not None:
            await self._tend_escrow(self._note)
        await self._do_poll()
        await self._watch_deadlines()

    def _at_rest(self) -> bool:
        busy = self._enabled or self._payout or self._recovery or self._note
        return not busy and self._path.phase is Phase.CLEAR

    async def _finish_recovery(self) -> None:
        if self._recovery is not None and self._told.booked and await self._do_finish_recovery():
            self._needs_staff = self._needs_staff or self._recovery.needs_staff
            self._recovery, self._recovered = None, True

    async def _tend_escrow(self, note: _Note) -> None:
        """Nobody decided in time: it goes back. Only a caller that is alive keeps a note."""
        if trio.current_time() < note.held_until:
            await self._do_keep(trio.current_time() - note.arrived_at)
        else:
            await self._send_back(note)

    async def _watch_deadlines(self) -> None:
        now = trio.current_time()
        note, payout = self._note, self._payout
        decided = self._path.phase in (Phase.TO_STACK, Phase.TO_RETURN)
        if note is not None and decided and now - note.decided_at > self._pace.note_s_max:
            self._path.give_up()
            self._emit(NoteUncertain(note.denomination, "no_word", note.note_id))
            self._tell_fault("note_uncertain")
        if payout is not None and now > payout.ends_at:
            self._finish_payout((), retained=mix_count(payout.requested), certain=False, reason="no_word")
            self._tell_fault("dispense_uncertain")

    # --- events -------------------------------------------------------------------------------------------------------

    def _tell_well(self) -> None:
        if self._path.phase is not Phase.LOST and not self._needs_staff:
            super()._tell_well()

    def _signal(
        self,
        signal: Signal,
        denomination: Fen | None = None,
        *,
        destination: str = "cash_box",
        code: str = "",
        repeats: bool = False,
    ) -> None:
        """Tell the path what the device said, and the caller what it means."""
        outcome = self._path.take(signal, repeats=repeats)
        note = self._note
        note_id = note.note_id if note else ""
        if outcome is Outcome.ESCROW:
            self._take_escrow(denomination)
        elif outcome is Outcome.CREDIT and note is not None and denomination in (None, note.denomination):
            self._emit(Stacked(note.denomination, destination, self._told.name("c"), note_id))
        elif outcome in (Outcome.CREDIT, Outcome.UNASKED):
            self._emit(NoteUncertain(denomination, "stacked_unasked", note_id))
        elif outcome is Outcome.RETURNED:
            self._emit(Returned(note.denomination if note else denomination, note_id))
        elif outcome is Outcome.REJECTED:
            self._emit(Rejected(code))
        elif outcome is Outcome.UNCERTAIN:
            self._emit(NoteUncertain(note.denomination if note else None, code, note_id))
        if self._path.phase is Phase.CLEAR:
            self._note = None

    def _take_escrow(self, denomination: Fen | None) -> None:
        now = trio.current_time()
        if denomination is None or denomination not in self._enabled:
            # Not told: it is sent back at the next turn, because nobody holds it.
            self._note = _Note("", denomination or Fen(0), now, now)
            return
        same = self._note is not None and self._note.denomination == denomination
        note_id = self._note.note_id if same and self._note else self._told.name("n")
        self._note = _Note(note_id, denomination, now, now + self._pace.hold_s)
        self._emit(Escrow(denomination, note_id))

    async def _escrow_again(self) -> None:
        """The device says "escrow" although we decided: it did not hear us. Status first, then again, a few times."""
        if self._path.phase not in (Phase.TO_STACK, Phase.TO_RETURN) or self._note is None:
            return
        stacking = self._path.phase is Phase.TO_STACK
        self._path.still_in_escrow()
        if stacking and self._note.tries < STACK_TRIES_MAX:
            await self._send_to_stack(self._note)
        else:
            await self._send_back(self._note)

    # --- verbs --------------------------------------------------------------------------------------------------------

    async def recover(self, epoch: str, in_doubt: Fen | None = None) -> Recovery:
        async with self._turn():
            if self._enabled or self._payout or self._path.phase not in (Phase.CLEAR, Phase.LOST):
                raise self._refusal("still_enabled")
            self._told.begin(epoch)
            self._recovered, self._recovery, self._needs_staff = False, None, ""
            self._path, self._note = NotePath(), None
            self._in_doubt = in_doubt
            recovery = await self._do_recover()
            self._recovery = recovery
            self._told.answer(recovery)
            if recovery.needs_staff:
                self._report(Health(Condition.FAULT, recovery.needs_staff))
            return recovery

    async def _ready(self) -> None:
        await self._finish_recovery()
        if not self._recovered:
            raise self._refusal("not_recovered")
        if self._needs_staff:
            raise self._refusal(self._needs_staff)

    async def enable(self, denominations: Collection[Fen]) -> None:
        wanted = frozenset(denominations)
        async with self._turn():
            await self._ready()
            if not self.capabilities.accept or not wanted <= set(self.denominations) or not wanted:
                raise self._refusal("not_supported")
            if self._payout is not None:
                raise self._refusal("busy")
            self._enabled = wanted
            await self._do_enable(wanted)
            self._wake.set()

    async def disable(self) -> None:
        """Keeps accepting the decision about a note that is in escrow already."""
        async with self._turn():
            if self._recovered:  # before that nothing is enabled, and some devices forget by being told so
                await self._do_enable(frozenset())
            self._enabled = frozenset()

    async def hold(self) -> None:
        async with self._turn():
            note = self._in_escrow()
            longest = note.arrived_at + self._pace.hold_s_max
            note.held_until = min(trio.current_time() + self._pace.hold_s, longest)

    async def stack(self) -> None:
        async with self._turn():
            await self._send_to_stack(self._in_escrow())

    async def return_(self) -> None:
        async with self._turn():
            await self._send_back(self._in_escrow())

    def _in_escrow(self) -> _Note:
        if self._path.phase is not Phase.ESCROW or self._note is None or not self._note.note_id:
            raise self._refusal("no_note_in_escrow")
        return self._note

    async def _send_to_stack(self, note: _Note) -> None:
        """The phase changes before the first byte: a STACK that may have been sent counts as sent."""
        self._path.stack_sent()
        note.decided_at = trio.current_time()
        note.tries += 1
        await self._do_stack()

    async def _send_back(self, note: _Note) -> None:
        self._path.return_sent()
        note.decided_at = trio.current_time()
        await self._do_return()

    async def dispense(self, dispense_id: str, mix: Mix) -> None:
        async with self._turn():
            await self._ready()
            if self._enabled:
                raise self._refusal("still_enabled")
            if self._payout is not None or self._path.phase is not Phase.CLEAR:
                raise self._refusal("busy")
            if not 0 < mix_count(mix) <= self.capabilities.notes_per_dispense_max:
                raise self._refusal("cannot_pay")
            payout = Payout(dispense_id, mix, trio.current_time() + self._pace.dispense_s_max)
            await self._do_dispense(payout)
            self._wake.set()

    def _finish_payout(
        self,
        presented: Mix,
        *,
        rejected: int = 0,
        retained: int = 0,
        certain: bool,
        reason: str = "",
        presented_sum: Fen | None = None,
    ) -> None:
        payout, self._payout = self._payout, None
        if payout is not None:
            counts = (payout.requested, presented, rejected, retained)
            self._emit(DispenseResult(*counts, certain, payout.dispense_id, reason, presented_sum))

    async def unit_status(self) -> tuple[CashUnit, ...]:
        async with self._turn():
            return await self._do_units()

    async def empty_path(self) -> None:
        async with self._turn():
            await self._finish_recovery()
            await self._do_empty_path()
            self._needs_staff = ""
            self._tell_well()


def fen_table(types: Mapping[int, Fen]) -> tuple[Fen, ...]:
    """The denominations of a device's table, ascending, each once."""
    return tuple(sorted(set(types.values())))
