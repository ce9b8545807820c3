"""A kiosk in memory for flow tests: every port implemented by a small fake whose world the test changes.

No wire, no Kivy, no wall clock: a scripted resident answers questions by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import trio

from kiosk.devices.lamps import LitScreen
from kiosk.devices.supervisor import Supervisor
from kiosk.domain.account import (
    AccountOverview,
    BenefitPayment,
    Contribution,
    Insurance,
    InsuranceState,
    InsuranceStatus,
    PersonalAccount,
)
from kiosk.domain.card import (
    CardIdentity,
    CardState,
    Holder,
    PinChange,
)
from kiosk.domain.certificate import CertificateKind, SealedDocument, SealExpectation, SealFinding
from kiosk.domain.entries import NoticeResult, StoredEntry, Word
from kiosk.domain.health import Condition, Health
from kiosk.domain.loss import LossReport, LostCard
from kiosk.domain.money import Fen
from kiosk.domain.statement import ContributionRow
from kiosk.hosts.not_connected import NotConnected
from kiosk.money.debts import DebtRegisters
from kiosk.money.offline_limits import NO_DOCUMENTS, OfflineLimits
from kiosk.ports import (
    DeviceContext,
    OutcomeUnknown,
    StaffAcknowledgement,
)
from kiosk.ports.offline import OfflineDocuments
from kiosk.settings.config import HostSettings, Settings, SlotSettings, Terminal
from kiosk.visit.desk import Desk
from kiosk.visit.session import serve_residents
from tests.flows.bank import BankOffice
from tests.flows.fittings import FakePad, FakePagePrinter, FakePinEntry, FakeReader, FakeReceiptPrinter, FakeSam
from tests.flows.money import CashMachine, Office
from tests.flows.scripted_screen import ScriptedScreen
from tests.flows.slot_device import SlotDevice

NO_BANK: Any = NotConnected("bank")


class FakeHosts:
    """Social insurance, card platform, duty desk and seal verifier of one small world."""

    def __init__(self) -> None:
        self.silent = False
        self.thinks_s = 0.0
        self.refuses: Exception | None = None
        self.state = CardState.NORMAL
        self.duty_minutes: int | None = 3
        self.finding = SealFinding.GENUINE
        self.staff_calls: list[tuple[str, str]] = []
        self.lost: list[tuple[LostCard, str]] = []
        self.lost_at: list[str] = []  # when each report said that it was made
        self.answer_is_lost = False  # of a loss report: it is booked all the same
        self.contributions: tuple[ContributionRow, ...] = ()
        self.certificates: dict[str, SealedDocument] = {}
        month = Contribution("2026-10", Insurance.PENSION, Fen(500_000), Fen(40_000), Fen(80_000), arrived=True)
        self.account = AccountOverview(
            (InsuranceStatus(Insurance.PENSION, InsuranceState.IN_FORCE, date(2001, 1, 1), 300),),
            PersonalAccount(Fen(137_815), Fen(6_100_000), date(2026, 10, 31)),
            (month,),
            (BenefitPayment(date(2026, 11, 15), "基本养老金", Fen(312_040), "6688"),),
        )

    async def _answer(self) -> None:
        await trio.sleep(self.thinks_s)
        if self.silent:
            raise OutcomeUnknown("host", "silence")
        if self.refuses:
            raise self.refuses

    async def overview(self, card: CardIdentity, holder: Holder) -> AccountOverview:
        await self._answer()
        return self.account

    async def issue_certificate(
        self, card: CardIdentity, holder: Holder, kind: CertificateKind, key: str
    ) -> SealedDocument:
        await self._answer()
        number = f"41010020261121{len(self.certificates):04d}"
        fresh = SealedDocument(
            kind, number, date(2026, 11, 21), None, "https://example.invalid/v", b"%PDF-1.7", "0" * 64
        )
        return self.certificates.setdefault(key, fresh)

    async def card_state(self, card: CardIdentity) -> CardState:
        await self._answer()
        return self.state

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        await self._answer()
        return True

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        await self._answer()
        return bytes(8)

    async def notice_pins_changed(self, changes: Sequence[PinChange]) -> list[NoticeResult]:
        await self._answer()
        return [NoticeResult(change.key, Word.DONE) for change in changes]

    async def contributions_detail(self, days: tuple[date, date]) -> tuple[ContributionRow, ...]:
        await self._answer()
        return self.contributions

    async def report_loss(self, lost: LostCard, at: str, key: str) -> LossReport:
        await self._answer()
        self.lost.append((lost, key))
        self.lost_at.append(at)
        self.state = CardState.TEMPORARILY_LOST
        if self.answer_is_lost:
            raise OutcomeUnknown("card_platform", "answer lost")
        return LossReport(datetime.fromisoformat(at), date(2026, 11, 28), covers_bank=False)

    async def withdraw_loss(self, card: CardIdentity, key: str) -> None:
        await self._answer()
        self.state = CardState.NORMAL

    async def notice_pin_changed(self, card_number: str, at: str, key: str) -> None:
        await self._answer()

    async def call_staff(self, place: str, screen: str, case_code: str, reason: str) -> StaffAcknowledgement:
        self.staff_calls.append((screen, reason))
        await trio.lowlevel.checkpoint()
        if self.duty_minutes is None:
            raise OutcomeUnknown("agency", "silence")
        return StaffAcknowledgement(self.duty_minutes)

    async def verify(self, pdf: bytes, expected: SealExpectation) -> SealFinding:
        await trio.lowlevel.checkpoint()
        return self.finding


class MemoryJournal:
    def __init__(self) -> None:
        self.acts: list[tuple[str, str, dict[str, str | int]]] = []
        self.notices: list[tuple[str, str, dict[str, str | int]]] = []

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        self.acts.append((act, case_code, facts))
        return len(self.acts)

    def owe_notice(self, host: str, act: str, key: str, case_code: str = "", /, **facts: str | int) -> None:
        self.notices.append((host, act, facts))

    def last(self, *acts: str) -> StoredEntry | None:
        return None

    def of_card(self, card_number: str) -> list[StoredEntry]:
        return []

    def names(self) -> list[str]:
        return [act for act, _, _ in self.acts]


class CountingClock:
    """Stands still, unless ``tick`` lets it go on at every look."""

    def __init__(self) -> None:
        self._keys = 0
        self.tick = timedelta(0)
        self._now = datetime(2026, 11, 21, 10, 24, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += self.tick
        return self._now

    def new_key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    def new_case_code(self) -> str:
        self._keys += 1
        return f"{self._keys:06d}"

    def random(self, length: int) -> bytes:
        return bytes(length)


@dataclass
class KioskInMemory:
    """The desk, with handles on everything around it."""

    script: dict[str, Any] = field(default_factory=dict)
    office: Office = field(default_factory=Office)
    cash: CashMachine | None = None
    journal: Any = field(default_factory=MemoryJournal)
    hosts_named: tuple[str, ...] = ()
    reader: FakeReader = field(default_factory=FakeReader)
    bank: BankOffice | None = None
    lights: SlotDevice | None = None
    documents: OfflineDocuments = NO_DOCUMENTS
    receipts: FakeReceiptPrinter = field(default_factory=FakeReceiptPrinter)
    pad: FakePad = field(default_factory=FakePad)

    def __post_init__(self) -> None:
        self.sam = FakeSam()
        self.pages, self.pin = FakePagePrinter(), FakePinEntry()
        self.hosts, self.lines = FakeHosts(), []
        self.screen = ScriptedScreen(self.script, self)
        devices: dict[str, SlotDevice] = {
            "card_reader": self.reader,
            "sam_reader": self.sam,
            "pin_pad": self.pad,
            "receipt_printer": self.receipts,
            "page_printer": self.pages,
        }
        if self.cash is not None:
            devices["cash_acceptor"] = self.cash
        if self.lights is not None:
            devices["lights"] = self.lights
        self.settings = Settings(
            run_dir="run",
            data_dir="data",
            slots={name: SlotSettings(driver=name) for name in devices},
            terminal=Terminal(telephone="0000-12333"),
            hosts={
                name: HostSettings(url="https://127.0.0.1")
                for name in (*self.hosts_named, *(("bank",) if self.bank else ()))
            },
        )

        def find(name: str) -> Callable[[dict[str, Any], DeviceContext], SlotDevice]:
            def open_device(options: dict[str, Any], context: DeviceContext) -> SlotDevice:
                devices[name].context = context
                return devices[name]

            return open_device

        lit_screen = LitScreen(self.screen)
        attendants = {"lights": lit_screen.attend}
        self.supervisor = Supervisor(self.settings.slots, find, self._log, Path("run"), "B", self.hosts, attendants)
        self.desk = Desk(
            settings=self.settings,
            clock=CountingClock(),
            journal=self.journal,
            log=self._log,
            screen=lit_screen,
            supervisor=self.supervisor,
            social_insurance=self.hosts,
            card_platform=self.hosts,
            duty=self.hosts,
            seal_verifier=self.hosts,
            make_pin_entry=lambda reader, pad: self.pin,
            hospital=self.office,
            debt_register=DebtRegisters({"hospital": self.office}),
            medical_insurance=self.office,
            bank=NO_BANK,
        )
        self.desk.offline = OfflineLimits(
            self.journal, self.desk.clock, self.documents, lambda: self.desk.visit, lambda: True
        )
        if self.bank is not None:
            self.desk.bank = self.bank.power_on(self.journal, lambda: (self.desk.live_case, self.desk.live_card))
            self.bank.reader.inside = lambda: self.reader.card_present
            self.bank.reader.pull = self.reader.pull

    def _log(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    def break_device(self, device: SlotDevice, reason: str) -> None:
        device.broken = Health(Condition.FAULT, reason)
        device.breaks.set()

    async def serve(self, until: Callable[[], bool], seconds: float = 2000) -> None:
        """Run the house on the test's clock until the condition holds.

        Raises:
            AssertionError: it did not hold in that (virtual) time.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.supervisor.run)
            await self.supervisor.wait_tried()
            nursery.start_soon(serve_residents, self.desk)
            with trio.move_on_after(seconds):
                while not until():
                    await trio.sleep(0.1)
            nursery.cancel_scope.cancel()
        assert until(), f"asked: {self.screen.names()}, journal: {self.journal.names()}"

    async def visit(self, insert_after_s: float = 3.0) -> None:
        """One resident puts the card in, lives the script, and takes the card at the end."""

        async def resident() -> None:
            await trio.sleep(insert_after_s)
            self.reader.insert()
            while "visit_closed" not in self.journal.names() and "card_not_served" not in self.journal.names():
                await trio.sleep(0.1)
            await trio.sleep(5)
            self.reader.pull()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(resident)
            await self.serve(lambda: self.screen.names()[-1:] == ["insert_card"] and self._over())

    def _over(self) -> bool:
        names = self.journal.names()
        return "visit_closed" in names or "card_not_served" in names
