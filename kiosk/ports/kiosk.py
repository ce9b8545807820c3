"""The kiosk as one service sees it during one visit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.health import Health
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Receipt
from kiosk.ports.cash import CashModule
from kiosk.ports.devices import CardReader, PagePrinter, PinEntry
from kiosk.ports.hosts import CardPlatform, SealVerifier, SocialInsurance
from kiosk.ports.house import Clock, Journal, Log
from kiosk.ports.money import AllDebtRegisters, Bank, Hospital, MedicalInsurance
from kiosk.ports.offline import Offline
from kiosk.ports.questions import Question
from kiosk.ports.screen import Screen
from kiosk.settings.config import Settings

Result = TypeVar("Result")


class Outcome(Enum):
    """How a service ended; the session journals it and chooses the goodbye."""

    DONE = "done"
    BACK = "back"  # nothing happened, the resident wants the menu
    REFUSED = "refused"  # a host, the card or a rule said no; the resident was told
    UNAVAILABLE = "unavailable"  # a device or host does not work now; the resident was told
    UNKNOWN = "unknown"  # told, with a code, and journaled


@dataclass
class Visit:
    """One insertion of one card. Ends with the card; nothing of it is ever carried over."""

    identity: CardIdentity
    holder: Holder
    case_code: str
    pin_verified: bool = False
    papers: int = 0  # pieces of paper that came out
    receipts: int = 0  # of these, from the receipt printer


class Kiosk(Protocol):
    """Everything a service may use. Devices are looked up at use: a missing one raises ``DeviceFault``."""

    settings: Settings
    clock: Clock
    journal: Journal
    log: Log
    screen: Screen
    visit: Visit
    social_insurance: SocialInsurance
    card_platform: CardPlatform
    seal_verifier: SealVerifier
    hospital: Hospital
    debt_register: AllDebtRegisters
    medical_insurance: MedicalInsurance
    bank: Bank  # refuses everything with "not_connected" where the terminal has none

    @property
    def offline(self) -> Offline:
        """What may be done while a host is silent."""
        ...

    @property
    def cash_acceptor(self) -> CashModule: ...

    @property
    def cash_dispenser(self) -> CashModule | None:
        """What can pay notes out: the acceptor itself if it recycles, a dispenser beside it, or nothing."""
        ...

    @property
    def cash_inside_fen(self) -> Fen:
        """What cash box and drums hold by the books."""
        ...

    @property
    def receipt_health(self) -> Health:
        """No note is accepted unless a receipt can be printed: READY, or DEGRADED with paper left (money-rules 13)."""
        ...

    @property
    def card_reader(self) -> CardReader: ...

    @property
    def pin_entry(self) -> PinEntry: ...

    @property
    def page_printer(self) -> PagePrinter: ...

    async def ask(
        self,
        question: Question,
        *,
        card_needed: bool = True,
        next_card_ends: bool = False,
        patience_s: float | None = None,
    ) -> str:
        """Ask by touch, keypad and voice until answered. Pulling the card ends it unless ``card_needed`` is False:
        then the resident must still learn something, e.g. that paper is coming out. Where it is about neither paper
        nor money, ``next_card_ends`` lets the next resident in. ``patience_s`` replaces the usual time for an answer,
        where hands have something long to do.

        Raises:
            Back: the BACK answer was chosen. ResidentLeft: timed out, or the card was pulled.
        """
        ...

    async def wait(
        self, question: Question, job: Callable[[], Awaitable[Result]], *, to_the_end_s: float | None = None
    ) -> Result:
        """Show ``question`` while ``job`` runs. Choosing one of its answers, or pulling the card, cancels the job.

        With ``to_the_end_s`` the job is past recall (paper is moving): nothing cancels it for that many seconds.

        Raises:
            Back, Chose, ResidentLeft (card pulled), and whatever the job raises;
            OutcomeUnknown when it outlived ``to_the_end_s``.
        """
        ...

    async def wait_same_card(self, question: Question, seconds: float) -> bool:
        """Whether the very card of this visit came back in time. Another card is never told anything."""
        ...

    async def print_receipt(self, receipt: Receipt) -> None:
        """In the resident's language. Raises as ``ports.ReceiptPrinter``."""
        ...
