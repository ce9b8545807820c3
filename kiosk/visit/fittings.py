"""What is fitted to this terminal and connected with it, as it is at the moment of asking."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from kiosk.basics.control import FleetWord, SoftwareWord, ask_fleet, ask_software
from kiosk.devices.supervisor import Supervisor
from kiosk.domain.books import Account
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.hosts.not_connected import NotConnected
from kiosk.money.cash_books import CASH_SLOTS
from kiosk.ports import (
    AgencyDuty,
    CardPlatform,
    CardReader,
    Clock,
    DeviceFault,
    Journal,
    Log,
    OutletEye,
    PagePrinter,
    PinEntry,
    PinPad,
    Screen,
    SealVerifier,
    SocialInsurance,
    UnusableSettings,
)
from kiosk.ports.cash import CashModule
from kiosk.ports.devices import TakesComponents
from kiosk.ports.money import AllDebtRegisters, Bank, Hospital, MedicalInsurance, Statements
from kiosk.ports.offline import Offline
from kiosk.ports.staff import NoticesAside, OtherCopies, TerminalBooks
from kiosk.settings.config import Settings

MakePinEntry = Callable[[CardReader, PinPad | None], PinEntry]


@dataclass
class Fittings:
    """The half of ``ports.Kiosk`` that is looked up. Devices: those that fill the slots now, or DeviceFault."""

    settings: Settings
    clock: Clock
    journal: Journal
    log: Log
    screen: Screen
    supervisor: Supervisor
    social_insurance: SocialInsurance
    card_platform: CardPlatform
    duty: AgencyDuty
    seal_verifier: SealVerifier
    make_pin_entry: MakePinEntry
    hospital: Hospital
    debt_register: AllDebtRegisters
    medical_insurance: MedicalInsurance
    bank: Bank
    lend_cash: Callable[[], AbstractContextManager[None]] = nullcontext  # while a service accepts or pays notes
    terminal_books: TerminalBooks | None = None
    statements: Statements | None = None  # of the hospital whose lobby this is
    aside: NoticesAside | None = None
    other_copies: OtherCopies | None = None
    offline: Offline = field(init=False)

    @property
    def card_reader(self) -> CardReader:
        reader: CardReader = self.supervisor.device("card_reader")
        return reader

    @property
    def pin_entry(self) -> PinEntry:
        # In mode A the reader has a pad of its own, and ours may be out of order or not fitted.
        pad = None if self.settings.pin_mode == "A" else self.supervisor.device("pin_pad")
        try:
            return self.make_pin_entry(self.card_reader, pad)
        except UnusableSettings as unusable:
            slot = "card_reader" if pad is None else "pin_pad"
            self.log("bad_settings", slot=slot, mode=self.settings.pin_mode, error=str(unusable))
            raise DeviceFault(slot, Health(Condition.FAULT, "bad_settings")) from unusable

    @property
    def page_printer(self) -> PagePrinter:
        printer: PagePrinter = self.supervisor.device("page_printer")
        return printer

    @property
    def cash_acceptor(self) -> CashModule:
        module: CashModule = self.supervisor.device("cash_acceptor")
        return module

    @property
    def cash_dispenser(self) -> CashModule | None:
        """A recycler stands in both slots' stead; an accepting box alone pays nothing out."""
        if self.supervisor.unusable(("cash_dispenser",)) is None:
            dispenser: CashModule = self.supervisor.device("cash_dispenser")
            return dispenser
        acceptor = self.cash_acceptor
        return acceptor if acceptor.capabilities.dispense else None

    @property
    def books(self) -> TerminalBooks:
        assert self.terminal_books is not None, "the composition root gives staff their books"
        return self.terminal_books

    @property
    def cash_in_need(self) -> tuple[CashModule, ...]:
        slots = [self.supervisor.slots[name] for name in CASH_SLOTS if name in self.supervisor.slots]
        waiting = [one for one in slots if one.health.condition is Condition.FAULT and one.device is not None]
        return tuple(one.device for one in waiting)

    @property
    def unusable_hosts(self) -> dict[str, str]:
        clients: dict[str, Any] = {"bank": self.bank, "medical_insurance": self.medical_insurance}
        return {name: one.why for name, one in clients.items() if isinstance(one, NotConnected) and one.why}

    @property
    def slot_health(self) -> dict[str, Health]:
        return {name: slot.health for name, slot in self.supervisor.slots.items()}

    @property
    def outlet_eye(self) -> OutletEye | None:
        """The receipt printer, if it sees its outlet and says so now."""
        printer = self._working("receipt_printer")
        return printer if isinstance(printer, OutletEye) and printer.paper_waiting is not None else None

    @property
    def component_pad(self) -> TakesComponents | None:
        pad = self._working("pin_pad")
        return pad if isinstance(pad, TakesComponents) else None

    def _working(self, slot: str) -> object | None:
        return None if self.supervisor.unusable((slot,)) else self.supervisor.device(slot)

    async def fleet(self) -> FleetWord | None:
        return await ask_fleet(self.settings.run_dir) if self.settings.agent.home else None

    async def software(self) -> SoftwareWord | None:
        return await ask_software(self.settings.run_dir)

    @property
    def cash_inside_fen(self) -> Fen:
        books = self.terminal_books.balances() if self.terminal_books else {}
        return Fen(books.get(Account.CASH_BOX, 0) + books.get(Account.DRUMS, 0))

    @property
    def receipt_health(self) -> Health:
        return self.supervisor.health("receipt_printer")
