"""The desk between services and the world: asks questions and watches time, card and keypad while it waits.

Everything that races is here, so that a service reads as the resident lives it.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeVar

import trio

from kiosk.config import Settings
from kiosk.control import FleetWord, SoftwareWord, ask_fleet, ask_software
from kiosk.domain.books import Account
from kiosk.domain.health import Condition, Health
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Receipt
from kiosk.hosts.not_connected import NotConnected
from kiosk.l10n import on_paper
from kiosk.money.cash_books import CASH_SLOTS
from kiosk.opening import Opening
from kiosk.ports import (
    HELP,
    AgencyDuty,
    Back,
    CardGone,
    CardPlatform,
    CardReader,
    Chose,
    Clock,
    DeviceFault,
    HostRefused,
    Journal,
    Log,
    OutcomeUnknown,
    OutletEye,
    PagePrinter,
    PinEntry,
    PinPad,
    Question,
    ResidentLeft,
    Role,
    Screen,
    SealVerifier,
    SocialInsurance,
    Stars,
    UnusableSettings,
    Visit,
)
from kiosk.ports.cash import CashModule
from kiosk.ports.devices import TakesComponents
from kiosk.ports.money import AllDebtRegisters, Bank, Hospital, MedicalInsurance, Statements
from kiosk.ports.offline import Offline
from kiosk.ports.staff import NoticesAside, OtherCopies, TerminalBooks
from kiosk.questions import help_called, nobody_there
from kiosk.race import first_of
from kiosk.supervisor import Supervisor

KEYS_AGAIN_S = 5.0
CARD_AGAIN_S = 0.5
PLACE_CHARACTERS_MAX = 80  # docs/hosts/agency_duty.yaml

Result = TypeVar("Result")
MakePinEntry = Callable[[CardReader, PinPad | None], PinEntry]


@dataclass
class CardWatch:
    """What became of the card of one visit. ``next_in``: a card was put in since, under our eyes."""

    left: trio.Event = field(default_factory=trio.Event)
    how: str = ""  # card_pulled | reader_lost
    next_in: trio.Event = field(default_factory=trio.Event)
    same_again: trio.Event = field(default_factory=trio.Event)


@dataclass
class Desk:
    """Implements ``ports.Kiosk`` for the life of the process; ``visit`` is of one card. Devices: looked up at use."""

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
    visit: Visit = field(init=False)
    card: CardWatch = field(default_factory=CardWatch, init=False)
    opening: Opening = field(init=False)

    def __post_init__(self) -> None:
        self.opening = Opening(self.journal, self.clock, self.settings.hours)

    @property
    def live_case(self) -> str:
        """Of the visit that is going on; empty between visits."""
        visit: Visit | None = getattr(self, "visit", None)
        return visit.case_code if visit else ""

    @property
    def live_card(self) -> str:
        visit: Visit | None = getattr(self, "visit", None)
        return visit.identity.card_number if visit else ""

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

    async def print_receipt(self, receipt: Receipt) -> None:
        paper = on_paper(receipt, self.screen.preferences.language, self.clock.new_key())
        await self.supervisor.device("receipt_printer").print_receipt(paper)
        self.visit.papers += 1
        self.visit.receipts += 1

    async def ask(
        self,
        question: Question,
        *,
        card_needed: bool = True,
        next_card_ends: bool = False,
        patience_s: float | None = None,
    ) -> str:
        watchers: list[Callable[[], Awaitable[object]]] = [self._feed_keys, partial(self._watch_idle, patience_s)]
        if card_needed:
            watchers.append(self.watch_card)
        elif next_card_ends:
            watchers.append(self._watch_next_card)
        value = await self._answered(question, watchers)
        if question.answer(value).role is Role.BACK:
            raise Back
        return value

    async def ask_anyone(self, question: Question) -> str:
        """Ask whoever stands there: no visit, no time-out, no card."""
        return await self._answered(question, [self._feed_keys])

    async def wait(
        self, question: Question, job: Callable[[], Awaitable[Result]], *, to_the_end_s: float | None = None
    ) -> Result:
        if to_the_end_s is not None:
            return await self._to_the_end(question, job, to_the_end_s)
        keys_are_ours = not isinstance(question.body, Stars)

        async def answered() -> str:
            return await self._answered(question, [self._feed_keys] if keys_are_ours else [])

        index, ended = await first_of(job, answered, self.watch_card)
        if index == 0:
            result: Result = ended
            return result
        if question.answer(ended).role is Role.BACK:
            raise Back
        raise Chose(ended)

    async def wait_same_card(self, question: Question, seconds: float) -> bool:
        self.screen.show(question)
        with trio.move_on_after(seconds):
            if await self._same_card_in():
                self.card.same_again.set()
                self.card = CardWatch()
                return True
        return False

    async def _same_card_in(self) -> bool:
        while True:
            await self.card_inserted()
            try:
                return await self.card_reader.same_card(self.visit.identity)
            except (CardGone, DeviceFault):  # pulled again, or not in contact yet: there may be time left
                await trio.sleep(CARD_AGAIN_S)

    async def _to_the_end(self, question: Question, job: Callable[[], Awaitable[Result]], seconds: float) -> Result:
        self.screen.show(question)
        with trio.CancelScope(shield=True, deadline=trio.current_time() + seconds):
            return await job()
        raise OutcomeUnknown(question.name, "no end in time")

    async def _answered(self, question: Question, watchers: list[Callable[[], Awaitable[object]]]) -> str:
        while True:
            index, value = await first_of(lambda: self.screen.ask(question), *watchers)
            assert index == 0, "watchers only end by raising"
            if value != HELP:
                return str(value)
            await first_of(lambda: self.help(question), *watchers)

    async def help(self, question: Question) -> None:
        """The resident asked for a person: say truthfully whether one is coming."""
        code = self.clock.new_case_code()
        minutes = await self.call_staff(question.name, code, "help_button")
        await self.screen.ask(help_called(minutes, code) if minutes is not None else nobody_there(self.settings, code))

    async def call_staff(self, screen_name: str, code: str, reason: str) -> int | None:
        """Minutes until staff come, as they acknowledged; None when nobody did."""
        self.journal.record("staff_called", code, question=screen_name, reason=reason)
        terminal = self.settings.terminal
        place = f"{terminal.place_zh} {terminal.terminal_id}"[:PLACE_CHARACTERS_MAX]  # a hall has several machines
        try:
            answer = await self.duty.call_staff(place, screen_name, code, reason)
        except (HostRefused, OutcomeUnknown):
            self.journal.record("staff_silent", code)
            return None
        self.journal.record("staff_acknowledged", code, minutes=answer.minutes)
        return answer.minutes

    # Watchers: each runs until something ends the visit, and then raises.

    async def _feed_keys(self) -> NoReturn:
        """Hand the pad's keys to the screen; a pad that is out of order only costs the keys."""
        while True:
            try:
                pad = self.supervisor.device("pin_pad")
                pad.forget_keys()
                while True:
                    self.screen.key(await pad.next_key())
            except DeviceFault:
                with trio.move_on_after(KEYS_AGAIN_S):  # it may have refused once and be in service all the same
                    await self.supervisor.wait_change()

    async def _watch_idle(self, patience_s: float | None) -> NoReturn:
        timing = self.settings.timing
        began = trio.current_time()
        try:
            while True:
                slow = self.screen.preferences.large or self.screen.preferences.spoken
                allowed = patience_s or (timing.question_slow_s if slow else timing.question_s)
                left = max(began, self.screen.activity) + allowed - trio.current_time()
                if left <= 0:
                    raise ResidentLeft("timeout")
                if left > timing.warning_s:
                    self.screen.warn_idle(None)
                    await trio.sleep(left - timing.warning_s)
                else:
                    self.screen.warn_idle(int(left) + 1)
                    await trio.sleep(min(1.0, left))
        finally:
            self.screen.warn_idle(None)

    async def unattended(self) -> None:
        """Return when nobody has touched anything for as long as a question may stand. No warning: nobody is asked."""
        began = trio.current_time()
        allowed = self.settings.timing.question_slow_s
        while (left := max(began, self.screen.activity) + allowed - trio.current_time()) > 0:  # noqa: ASYNC110 - as _watch_idle
            await trio.sleep(left)

    async def watch_card(self) -> NoReturn:
        await self.card.left.wait()
        raise ResidentLeft(self.card.how)

    async def _watch_next_card(self) -> NoReturn:
        await self.card.next_in.wait()
        raise ResidentLeft(self.card.how)

    async def mind_card(self) -> NoReturn:
        """For as long as a visit: notice that its card left, whatever stands on the glass meanwhile.

        A page that does not need the card outlives it; what comes after that page must not, least of all when somebody
        else's card is in the slot by then.
        """
        self.card = CardWatch()
        while True:
            card = self.card
            card.how = await self._way_out()
            card.left.set()
            if card.how == "card_pulled" and await self._put_in_under_our_eyes():
                card.next_in.set()
            await card.same_again.wait()

    async def _way_out(self) -> str:
        with suppress(DeviceFault, CardGone):
            await self.card_reader.wait_no_card()
            if self.supervisor.unusable(("card_reader",)) is None:
                return "card_pulled"
        return "reader_lost"

    async def _put_in_under_our_eyes(self) -> bool:
        """False: the reader went away meanwhile, and what it holds when it is back nobody knows."""
        with suppress(DeviceFault, CardGone):
            index, _ = await first_of(self.card_reader.wait_card, self.reader_away)
            return index == 0
        return False

    async def reader_away(self) -> None:
        while self.supervisor.unusable(("card_reader",)) is None:
            await self.supervisor.wait_change()

    # The slot for the card between visits. A reader out of order neither holds nor takes cards we know of.

    def card_inside(self) -> bool:
        try:
            return self.card_reader.card_present
        except DeviceFault:
            return False

    async def card_inserted(self) -> None:
        while True:
            try:
                return await self.card_reader.wait_card()
            except (DeviceFault, CardGone):
                await self.supervisor.wait_change()

    async def card_out(self) -> None:
        with suppress(DeviceFault, CardGone):
            await self.card_reader.wait_no_card()
