"""One visit of one resident: every service once, each step measured, each result judged from outside."""

from dataclasses import dataclass

import trio

from simulators.cards.card import VirtualCard
from simulators.devices.ipp import Sheet
from simulators.hosts.card_platform import CardPlatformSandbox
from simulators.smoke.documents import names_holder, pages_of
from simulators.smoke.ears import Ears
from simulators.smoke.glass import Glass
from simulators.smoke.hands import REACTION_S, Hands, Keypad, type_pin
from simulators.smoke.record import Record
from simulators.stack import Stack
from simulators.waiting import came_true
from simulators.worlds.world import Card, Resident

PARTS = ("insurances", "account", "contributions", "benefits")
PAPER_S_MAX = 30.0
RECEIPT_CHARACTERS_MIN = 20
DRAWN_S = 0.15  # the map of the screen is written just before the frame is drawn
NOTICE_S_MAX = 30.0
LAMP_S_MAX = 15.0  # a board that was plugged in just now is found again within ten seconds


@dataclass
class Visit:
    """``pad`` is where the PIN is typed: the terminal's pad, or the reader's own in mode A."""

    stack: Stack
    glass: Glass
    ears: Ears
    hands: Hands
    record: Record
    card: Card
    pin: str
    new_pin: str
    pad: str

    async def go(self) -> None:
        """Raises Unexpected, CheckFailed."""
        await self._see("insert_card")
        lit = await came_true(lambda: self.stack.hardware.lamps == ("card_slot",), LAMP_S_MAX)
        self.record.check("card_slot_is_lit", lit)
        async with self.record.step("card_to_menu"):
            await self.stack.insert(self.card.handle)
            await self.glass.until("menu")
        await self._see("menu")
        if self._blind:
            await self._turn_voice_on()
        await self._forget_the_pin()
        await self._query_account()
        await self._print_certificate()
        await self._change_pin()
        await self._leave()

    # --- the services ---------------------------------------------------------------------------------------------

    async def _forget_the_pin(self) -> None:
        """A note on paper says where to reset it; it costs no try."""
        printer, tries = self.stack.hardware.printer, self._chip.tries_left
        before = len(printer.papers)
        await self._answer("query_account", "pin_entry")
        if self._blind or self.stack.plan.pin_mode == "A":
            # Keys are digits until the red one, and a reader's own pad asks until then; then the screen offers more.
            self.record.check("pad_asks", await came_true(lambda: self.stack.asks_pin(self.pad), PAPER_S_MAX))
            self.stack.press("cancel", self.pad)
            await self.glass.until("pin_stopped")
        await self._answer("forgot", "forgot_pin")
        await self._answer("print", "menu", step="receipt")
        self.record.check("receipt_printed", await came_true(lambda: len(printer.papers) > before, PAPER_S_MAX))
        paper = printer.papers[-1]
        self.record.keep("receipt.png", paper.png)
        self.record.keep("receipt.bin", paper.raw)
        self.record.keep("receipt.txt", paper.text.encode())
        self.record.check("receipt_readable", paper.whole and len(paper.text) > RECEIPT_CHARACTERS_MIN)
        self.record.check("no_try_used", self._chip.tries_left == tries)
        self.stack.take_paper(paper.id)

    async def _query_account(self) -> None:
        await self._answer("query_account", "pin_entry")
        await self._type("pin_to_overview", "overview", self.pin)
        for part in PARTS:
            if part == "benefits" and not self._resident.benefits:
                continue
            await self._answer(part, f"figures_{part}", step=f"figures_{part}")
            await self._answer("back", "overview")
        await self._answer("back", "menu")

    async def _print_certificate(self) -> None:
        sheets = self.stack.hardware.page_printer.sheets
        before = sheets[-1].id if sheets else 0
        await self._answer("print_certificate", "choose_certificate")
        await self._answer("insurance_certificate", "certificate_done", step="certificate", limit_s=60.0)
        await came_true(lambda: self._sheet_after(before) is not None, PAPER_S_MAX)
        sheet = self._sheet_after(before)
        self.record.check("sheet_came", sheet is not None)
        assert sheet
        self.record.keep("certificate.pdf", sheet.pdf)
        self.record.check("sheet_has_a_page", pages_of(sheet.pdf) >= 1)
        self.record.check("sheet_names_the_holder", names_holder(sheet.pdf, self._resident.name, self._resident.number))
        await self._answer("understood", "menu")

    async def _change_pin(self) -> None:
        notices = self._notices()
        await self._answer("change_pin", "change_pin_entry")
        await self._type("pin_change", "pin_changed", self.pin, self.new_pin, self.new_pin)
        self.record.check("new_pin_accepted", self._chip.accepts_pin(self.new_pin))
        self.record.check("old_pin_refused", not self._chip.accepts_pin(self.pin))
        told = await came_true(lambda: self._notices() > notices, NOTICE_S_MAX)
        self.record.check("platform_was_told", told)
        stands = self.glass.look().question == "pin_changed"
        self.record.note("result_stands_until_it_is_read", stands)
        if stands:
            await self._answer("understood", "menu")

    async def _leave(self) -> None:
        await self._answer("take_card", "take_card")
        async with self.record.step("card_out"):
            await self.stack.pull()
            await self.glass.until("insert_card", "take_paper", "paper_left")

    # --- senses and fingers ---------------------------------------------------------------------------------------

    @property
    def _blind(self) -> bool:
        return isinstance(self.hands, Keypad)

    @property
    def _chip(self) -> VirtualCard:
        return self.stack.hardware.cards[self.card.handle]

    @property
    def _resident(self) -> Resident:
        return self.stack.world.resident(self.card.resident)

    async def _turn_voice_on(self) -> None:
        before = len(self.ears.heard())
        await trio.sleep(REACTION_S)
        self.stack.press("f3")
        self.record.check("voice_begins", await self.ears.hears("menu", before))

    async def _answer(self, value: str, then: str, *, step: str = "", limit_s: float = 15.0) -> None:
        """Answer, and see the question that follows; ``step`` measures from the finger's release to that."""
        before = len(self.ears.heard())
        released = await self.hands.answer(value)
        await self.glass.until(then, limit_s=limit_s)
        if step:
            self.record.took(step, trio.current_time() - released)
        await self._see(then)
        if self._blind:
            self.record.note(f"heard_{then}", await self.ears.hears(then, before))

    async def _type(self, step: str, then: str, *pins: str, limit_s: float = 15.0) -> None:
        for digits in pins:
            released = await type_pin(self.stack, digits, self.pad)
        await self.glass.until(then, limit_s=limit_s)
        self.record.took(step, trio.current_time() - released)
        await self._see(then)

    async def _see(self, question: str) -> None:
        """Keep a picture of the question, as soon as it is drawn."""
        await self.glass.until(question)
        await trio.sleep(DRAWN_S)
        self.record.keep(f"{question}.png", await self.stack.screen_png())

    def _notices(self) -> int:
        """How many PIN changes the platform has booked."""
        platform = self.stack.sandboxes["card_platform"]
        assert isinstance(platform, CardPlatformSandbox)
        return len(platform.pin_changes())

    def _sheet_after(self, number: int) -> Sheet | None:
        return next((sheet for sheet in self.stack.hardware.page_printer.sheets if sheet.id > number), None)
