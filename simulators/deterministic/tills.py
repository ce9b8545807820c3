"""The cash devices that a terminal may be fitted with, as hands feed them and judges count them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.devices.ccnet import CcnetValidator
from simulators.devices.ccnet_recycler import CcnetBillToBill
from simulators.devices.id003 import Id003Validator
from simulators.devices.puloon import PuloonDispenser
from simulators.devices.ssp import SspModule

DISPENSE = {CcnetBillToBill: 0x3C, PuloonDispenser: 0x45}  # commands
# A note is stuck there, or some are, and the unit says so until hands have been inside.
STUCK = {CcnetValidator: (b"\x44",), CcnetBillToBill: (b"\x44", b"\x47\x70"), Id003Validator: (b"\x46",)}
ACCEPTOR, DISPENSER = "cash", "dispenser"  # names of the ports
DISPENSER_YUAN = 10


class CountingSsp(SspModule):
    """Counts notes that went in and payouts that began; its own counter knows the cash box only."""

    def __init__(self) -> None:
        super().__init__(store=True)
        self.notes_in = self.payouts = 0

    @property
    def due_s(self) -> float | None:
        """When something inside happens by itself, for a carrier that need not tick before; None: nothing will."""
        return self._next[0] if self._next else None

    def _put_away(self, yuan: int, to_box: int, to_store: int) -> None:
        self.notes_in += 1
        super()._put_away(yuan, to_box, to_store)

    def _pay(self, body: bytes) -> bytes:
        was = self._state
        answer = super()._pay(body)
        self.payouts += self._state == "paying" != was
        return answer


@dataclass
class Till:
    """``slots``: slot to driver. ``acceptor`` and, if it is another device, ``dispenser``: what is on the wires."""

    slots: Mapping[str, str]
    acceptor: Any
    dispenser: PuloonDispenser | None = None
    carried_notes: int = 0  # out of the cash box, by staff

    @property
    def devices(self) -> dict[str, Any]:
        return {ACCEPTOR: self.acceptor, **({DISPENSER: self.dispenser} if self.dispenser else {})}

    # --- hands --------------------------------------------------------------------------------------------------------

    def load(self, notes: Mapping[int, int]) -> int:
        """``notes``: yuan to pieces, as far as there are places for them; what was put in, in yuan."""
        if isinstance(self.acceptor, CcnetBillToBill):
            kinds = {yuan: kind for kind, yuan in self.acceptor.types.items()}
            self.acceptor.cassettes = [[kinds[yuan], count] for yuan, count in notes.items()]
        elif isinstance(self.acceptor, CountingSsp):
            self.acceptor.store.update(notes)
        if self.dispenser is not None:
            self.dispenser.notes = notes[self.dispenser.yuan]
        return self.inside_yuan

    @property
    def accepts(self) -> bool:
        return bool(self.acceptor.accepts)

    def insert(self, yuan: int, kind: str = "good") -> bool:
        return bool(self.acceptor.insert(yuan, kind))

    def take_notes(self) -> list[int]:
        return [yuan for device in self.devices.values() for yuan in device.take_notes()]

    def open_box(self) -> list[int]:
        """Staff take the cash box out; yuan of what lies in it."""
        self.acceptor.open_door()
        notes, self.acceptor.box = list(self.acceptor.box), []
        self.carried_notes += len(notes)
        return notes

    def close_box(self) -> None:
        """An empty one comes in."""
        self.acceptor.close_door()

    def power_cut(self) -> None:
        """Each on its own, as when somebody pulls the plug of the cash module alone."""
        self.acceptor.power_cut()

    def free_jam(self) -> bool:
        """Whoever is sent to a jam pushes on what is stuck, and switches the unit off and on. False: nothing is."""
        stuck = self.acceptor._state in STUCK.get(type(self.acceptor), ("jam",))
        if stuck:
            self.power_cut()
        return bool(stuck)

    # --- judges -------------------------------------------------------------------------------------------------------

    @property
    def notes_in(self) -> int:
        """Notes that were stacked, for ever."""
        unit = self.acceptor
        if isinstance(unit, CountingSsp):
            return unit.notes_in
        return len(unit.box) + self.carried_notes if isinstance(unit, Id003Validator) else int(unit.counter)

    @property
    def payouts(self) -> int:
        """Commands to pay out that were carried out."""
        if isinstance(self.acceptor, CountingSsp):
            return self.acceptor.payouts
        return sum(int(one.commands.count(DISPENSE.get(type(one), -1))) for one in self.devices.values())

    @property
    def inside_yuan(self) -> int:
        """All that is behind the flaps: box, cassettes, what is on its way in or out."""
        paying = self.dispenser
        beside = paying.yuan * paying.notes + sum(paying.rejected) + sum(paying.path) if paying else 0
        return int(sum(self.acceptor.box) + beside + _in_acceptor(self.acceptor))

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def jam_payout(self, *, on: bool) -> None:
        """The next payout ends before its last note is out."""
        if self.dispenser is not None:
            _switch(self.dispenser, "jam_at_exit", on)
        _switch(self.acceptor, "dispense_jams", on)
        _switch(self.acceptor, "payout_jams", on)

    def reject_one(self, *, on: bool) -> None:
        if self.dispenser is not None:
            _switch(self.dispenser, "reject_one", on)


def _in_acceptor(unit: Any) -> int:
    """Beside its cash box."""
    if isinstance(unit, CountingSsp):
        return sum(yuan * count for yuan, count in unit.store.items()) + (unit._note or 0)
    if isinstance(unit, Id003Validator):
        return 0 if unit._note is None else int(unit.codes[unit._note])
    cassettes: int = sum(unit.types[kind] * count for kind, count in getattr(unit, "cassettes", ()))
    moving = [*getattr(unit, "dispenser", ()), *([] if unit._note is None else [unit._note])]
    return cassettes + int(sum(unit.types[kind] for kind in moving))


def _switch(device: Any, fault: str, on: bool) -> None:
    (device.faults.add if on else device.faults.discard)(fault)


def recycler() -> Till:
    return Till({"cash_acceptor": "ccnet"}, CcnetBillToBill())


def payout_module() -> Till:
    return Till({"cash_acceptor": "ssp"}, CountingSsp())


def id003_and_dispenser() -> Till:
    return Till(
        {"cash_acceptor": "id003", "cash_dispenser": "puloon"}, Id003Validator(), PuloonDispenser(DISPENSER_YUAN)
    )


def ccnet_and_dispenser() -> Till:
    return Till(
        {"cash_acceptor": "ccnet_validator", "cash_dispenser": "puloon"},
        CcnetValidator(),
        PuloonDispenser(DISPENSER_YUAN),
    )


FITTINGS = (recycler, recycler, recycler, payout_module, id003_and_dispenser, ccnet_and_dispenser)
