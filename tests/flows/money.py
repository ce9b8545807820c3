"""A hospital, a platform, a cash module and a resident's pocket, in memory, with a fuse that cuts the power anywhere.

Every effect burns the fuse: each commit, each command to a device, each request to a host before it arrives and each
answer before it is heard. What devices and hosts remember survives the cut; the kiosk's memory does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import trio

from kiosk.domain.cash import (
    CashCapabilities,
    CashEvent,
    CashIdentity,
    CashUnit,
    DispenseResult,
    Escrow,
    Mix,
    Recovery,
    Returned,
    Stacked,
    UnitKind,
    mix_of,
    mix_value,
)
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.settlement import Claim, InsuredPerson, InvoiceCode, MedicalBill, Settlement, Split, Treatment
from kiosk.ports import DeviceFault, HostRefused, OutcomeUnknown
from offline_queue.journal import SqliteJournal
from tests.flows.slot_device import SlotDevice

NOTES = (Fen(100), Fen(500), Fen(1000), Fen(2000), Fen(5000), Fen(10_000))


class PowerCut(BaseException):
    """Not an Exception: no handler of ours may live through it."""


@dataclass
class Fuse:
    """Burns down with every effect; at zero the power is gone, and stays gone."""

    left: int | None = None
    burnt: list[str] = field(default_factory=list)

    def burn(self, effect: str) -> None:
        if self.left is not None and self.left <= 0:
            raise PowerCut
        if self.left is not None:
            self.left -= 1
        self.burnt.append(effect)


class FusedJournal(SqliteJournal):
    """The real journal; the power may go before any commit."""

    fuse: Fuse

    def commit(self, entry: NewEntry) -> int:
        self.fuse.burn(f"commit {entry.act}")
        return super().commit(entry)


class CashMachine(SlotDevice):
    """A recycler with a memory of its own: box and drums, what was not acknowledged, and the note in its mouth."""

    def __init__(self, drums: dict[int, int]) -> None:
        super().__init__()
        self.fuse = Fuse()
        self.drums = {Fen(value): count for value, count in drums.items()}
        self.box = Fen(0)
        self.outlet = Fen(0)
        self.pocket: list[Fen] = []
        self.mouth: tuple[Fen, str] | None = None
        self.untold: list[CashEvent] = []  # non-volatile until acknowledged
        self.dispenses = 0
        self.sensor_fails = False
        self.busy_times = 0  # a note is on its way back just when it is to pay
        self._notes_seen = 0
        self.boot()

    def boot(self) -> None:
        self._enabled: frozenset[Fen] = frozenset()
        self._recovered = False
        self._events, self._told = trio.open_memory_channel[CashEvent](32)
        if self.mouth is not None:
            denomination, name = self.mouth
            self.mouth = None
            self.pocket.insert(0, denomination)  # it falls out by itself at power-up
            self.untold.append(Returned(denomination, name, taker_known=False))

    identity = CashIdentity("memory", "1", "SIM 1")
    capabilities = CashCapabilities(accept=True, escrow=True, dispense=True, recycle=True, notes_per_dispense_max=50)
    denominations = NOTES

    @property
    def content_fen(self) -> int:
        return self.box + sum(value * count for value, count in self.drums.items())

    async def recover(self, epoch: str, in_doubt: Fen | None = None) -> Recovery:
        self.fuse.burn("cash recover")
        self._recovered = True
        return Recovery(findings=tuple(self.untold))

    def acknowledge(self, told: CashEvent | Recovery) -> None:
        self.fuse.burn("cash acknowledge")
        if isinstance(told, Recovery):
            self.untold.clear()
        elif isinstance(told, Stacked):
            self.untold = [one for one in self.untold if getattr(one, "credit_id", None) != told.credit_id]
        elif told in self.untold:
            self.untold.remove(told)

    async def next_event(self) -> CashEvent:
        queued = self._told.statistics().current_buffer_used
        if not queued and self.mouth is None and self.pocket and self.pocket[0] in self._enabled:
            self._notes_seen += 1
            self.mouth = (self.pocket.pop(0), f"n{self._notes_seen}")
            return Escrow(*self.mouth)
        event: CashEvent = await self._told.receive()
        return event

    def tell(self, event: CashEvent) -> None:
        """Something happens by itself."""
        self._events.send_nowait(event)

    async def enable(self, denominations: Collection[Fen]) -> None:
        assert self._recovered, "enabled before the recovery query"
        self.fuse.burn("cash enable")
        self._enabled = frozenset(denominations)

    async def disable(self) -> None:
        self.fuse.burn("cash disable")
        self._enabled = frozenset()

    async def hold(self) -> None:
        self.fuse.burn("cash hold")

    async def stack(self) -> None:
        self.fuse.burn("cash stack")
        assert self.mouth is not None
        (denomination, name), self.mouth = self.mouth, None
        self.box = Fen(self.box + denomination)
        stacked = Stacked(denomination, "cash_box", f"credit-{name}", name)
        # After a power cut a device knows what it stacked, but not by the kiosk's name for the note.
        self.untold.append(replace(stacked, note_id=""))
        self._events.send_nowait(stacked)
        self.fuse.burn("cash stacked")

    async def return_(self) -> None:
        self.fuse.burn("cash return")
        assert self.mouth is not None
        (denomination, name), self.mouth = self.mouth, None
        self.pocket.insert(0, denomination)
        self._events.send_nowait(Returned(denomination, name))

    async def dispense(self, dispense_id: str, mix: Mix) -> None:
        self.fuse.burn("cash dispense")
        if self.busy_times:
            self.busy_times -= 1
            raise DeviceFault("cash_acceptor", Health(Condition.FAULT, "busy"))
        self.dispenses += 1
        for denomination, count in mix:
            assert self.drums[denomination] >= count
            self.drums[denomination] -= count
        self.outlet = Fen(self.outlet + mix_value(mix))
        told = mix_of({}) if self.sensor_fails else mix
        result = DispenseResult(mix, told, 0, 0, certain=not self.sensor_fails, dispense_id=dispense_id)
        self.untold.append(result)
        self._events.send_nowait(result)
        self.fuse.burn("cash dispensed")

    async def unit_status(self) -> tuple[CashUnit, ...]:
        drums = [CashUnit(f"drum-{value}", UnitKind.RECYCLER, value, count) for value, count in self.drums.items()]
        return (CashUnit("cash_box", UnitKind.CASH_BOX), *drums)

    async def empty_path(self) -> None:
        raise AssertionError("nobody asked for this")


BILL = MedicalBill("B1", "内科", date(2026, 11, 21), Fen(25_000), (), "mdtrt-1", "batch-1")
PERSON = InsuredPerson("psn-1", "410100", "310", in_force=True, balance_fen=Fen(9_000))
QUOTE = Split(Fen(25_000), Fen(10_000), Fen(9_000), Fen(6_000), Fen(0))


@dataclass
class Office:
    """Platform and hospital.

    ``behaviour`` of 2207: books | refuses | books_silently | hangs | ignores | changes | dearer | late.
    """

    behaviour: str = "books"
    quote_split: Split = QUOTE
    insured: InsuredPerson = PERSON
    fuse: Fuse = field(default_factory=Fuse)
    booked: dict[str, Settlement] = field(default_factory=dict)
    late: dict[str, Settlement] = field(default_factory=dict)
    reversed_ids: set[str] = field(default_factory=set)
    settles: int = 0
    claims: dict[str, str] = field(default_factory=dict)
    paid: dict[str, str] = field(default_factory=dict)
    debts: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    means: list[str] = field(default_factory=list)  # as the hospital was told
    voids: int = 0
    void_is_silent: bool = False
    platform_down: bool = False  # the line to the platform; the hospital's own is up
    platform_answers: int = 0  # so often before it is down
    hospital_down: bool = False
    bills: tuple[MedicalBill, ...] = (BILL,)
    in_force: bool = True
    window_pays: bool = False  # just before a terminal claims

    async def _request(self, name: str) -> None:
        self.fuse.burn(f"{name} asked")
        await trio.lowlevel.checkpoint()

    async def _platform_asked(self, name: str) -> None:
        await self._request(name)
        self.platform_answers -= 1
        if self.platform_down and self.platform_answers < 0:
            raise OutcomeUnknown("medical_insurance", "no line")

    def _answer(self, name: str) -> None:
        self.fuse.burn(f"{name} answered")

    # Platform

    def new_message_id(self) -> str:
        self.messages += 1
        return f"m{self.messages}"

    async def person(self, card: Any, holder: Any) -> InsuredPerson:
        await self._platform_asked("1101")
        return replace(self.insured, in_force=self.in_force)

    async def quote(self, person: Any, bill: MedicalBill, use_account: bool, message_id: str) -> Split:
        await self._platform_asked("2206")
        return self.quote_split

    async def settle(self, person: Any, bill: MedicalBill, use_account: bool, message_id: str) -> Settlement:
        await self._platform_asked("2207")
        self.settles += 1
        if self.behaviour == "refuses":
            raise HostRefused("medical_insurance", "-1")
        split = self.quote_split
        if self.behaviour == "changes":
            split = replace(split, fund_fen=Fen(split.fund_fen + 1000), cash_fen=Fen(split.cash_fen - 1000))
        if self.behaviour == "dearer":
            split = replace(split, fund_fen=Fen(split.fund_fen - 3000), cash_fen=Fen(split.cash_fen + 3000))
        settlement = Settlement(f"s-{message_id}", message_id, bill.visit_number, split)
        if self.behaviour == "late":
            self.late[message_id] = settlement
        elif self.behaviour != "ignores":
            self.booked[message_id] = settlement
        if self.behaviour == "hangs":
            await trio.sleep_forever()
        if self.behaviour in ("books_silently", "ignores", "late"):
            await trio.sleep(8)
            raise OutcomeUnknown("medical_insurance", "silence")
        self._answer("2207")
        return settlement

    async def find(self, treatment: Treatment, message_id: str) -> Settlement | None:
        await self._platform_asked("5203")
        return self.booked.get(message_id)

    async def void(self, person: Any, settlement: Settlement, message_id: str) -> None:
        await self._platform_asked("2208")
        self.voids += 1
        self.booked.pop(settlement.message_id)
        if self.void_is_silent:
            raise OutcomeUnknown("medical_insurance", "silence")
        self._answer("2208")

    async def reverse(self, treatment: Treatment, original_message_id: str, kind: str, message_id: str) -> None:
        await self._platform_asked("2601")
        self.reversed_ids.add(original_message_id)
        self.booked.pop(original_message_id, None)
        if original_message_id in self.late:  # the reversal was faster, found nothing, and now the 2207 books
            self.booked[original_message_id] = self.late.pop(original_message_id)
        self._answer("2601")

    # Hospital

    async def unpaid_bills(self, card: Any, holder: Any) -> tuple[MedicalBill, ...]:
        await self._request("bills")
        if self.hospital_down:
            raise OutcomeUnknown("hospital", "no line")
        return self.bills

    async def claim(self, bill: MedicalBill, lease_key: str) -> Claim:
        await self._request("claim")
        if self.window_pays:
            raise HostRefused("hospital", "paid_elsewhere")
        if self.claims.get(bill.bill_id, lease_key) != lease_key:
            raise HostRefused("hospital", "claimed_elsewhere")
        self.claims[bill.bill_id] = lease_key
        self._answer("claim")
        return Claim(bill.bill_id, lease_key, datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=10))

    async def extend(self, claim: Claim, settling: bool = False) -> Claim:
        await self._request("extend")
        self._answer("extend")
        return claim

    async def release(self, claim: Claim) -> None:
        await self._request("release")
        self.claims.pop(claim.bill_id, None)

    async def notify_paid(self, claim: Claim, settlement: Settlement, means: str, key: str) -> InvoiceCode:
        await self._request("payment notice")
        self.paid[key] = settlement.settlement_id
        self.means.append(means)
        self._answer("payment notice")
        return InvoiceCode("0123456789", "https://example.invalid")
