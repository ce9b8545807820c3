"""Whoever stands before the terminal: answers its questions, feeds notes, and takes what comes out."""

from dataclasses import dataclass, field

import trio

from simulators.front_panel.front import NoteFront
from simulators.hardware import PIN_PAD
from simulators.smoke.glass import Glass
from simulators.smoke.hands import REACTION_S, Finger, type_pin
from simulators.stack import Stack
from simulators.worlds.world import Resident
from tests.lives.world import BANK_PIN, PIN, Errand

PAGE_S_MAX = 60.0
LOOK_S = 0.05
KEY_S = 0.15
NOTE_YUAN = 100
DEPOSIT_YUAN = "190"  # typed; two notes of 100, ten yuan of change
SERVICES = {True: "pay_inpatient_deposit", False: "settle_medical_bill"}
LAST_PAGES = ("bill_settled", "deposit_credited")


@dataclass
class Visitor:
    """``fed`` and ``taken``: yuan that hands put in and took out, over all visits."""

    stack: Stack
    fed: int = 0
    taken: int = 0
    glass: Glass = field(init=False)
    finger: Finger = field(init=False)

    def __post_init__(self) -> None:
        self.glass = Glass(self.stack.kiosk_dir / "screen.json")
        self.finger = Finger(self.stack, self.glass)

    @property
    def notes(self) -> NoteFront:
        notes = self.stack.state().notes
        assert notes is not None
        return notes

    async def come_for(self, errand: Errand, resident: Resident) -> None:
        """From the card to the menu again.

        Raises:
            Unexpected: another page came than a resident would see, or none.
        """
        await self.stack.insert(resident.handle)
        await self._answer("menu", SERVICES[errand.is_deposit])
        await self.glass.until("pin_entry")
        await type_pin(self.stack, PIN, PIN_PAD)
        if errand.is_deposit:
            await self._choose_deposit()
        else:
            await self._choose_bill(resident.bills[0].id)
        if errand.by_card:
            await self._pay_by_card()
        else:
            await self._feed("feed_deposit" if errand.is_deposit else "feed_notes")
        await self._see_it_end()

    def take_notes(self) -> None:
        if self.notes.outlet:
            self.taken += sum(self.notes.outlet)
            self.stack.take_notes()

    async def _choose_bill(self, bill_id: str) -> None:
        await self._answer("choose_bill", bill_id)
        await self._answer("confirm_quote", "pay")

    async def _choose_deposit(self) -> None:
        await self._answer("choose_deposit", "other")
        await self.glass.until("type_deposit")
        await trio.sleep(REACTION_S)
        for digit in DEPOSIT_YUAN:
            self.stack.press(digit)
            await trio.sleep(KEY_S)
        await self._answer("type_deposit", "given")
        await self._answer("confirm_deposit", "pay")

    async def _pay_by_card(self) -> None:
        await self._answer("choose_means", "bank_card")
        await self.glass.until("bank_pin", limit_s=PAGE_S_MAX)
        await type_pin(self.stack, BANK_PIN, PIN_PAD)

    async def _feed(self, page: str) -> None:
        await self.glass.until(page, limit_s=PAGE_S_MAX)
        while self.glass.look().question == page:
            if self.notes.lit:
                self.stack.feed(NOTE_YUAN)
                self.fed += NOTE_YUAN
            await trio.sleep(LOOK_S)

    async def _see_it_end(self) -> None:
        while self.glass.look().question != "menu":
            self.take_notes()
            if self.glass.look().question in LAST_PAGES:
                await self.finger.answer("understood")
            await trio.sleep(LOOK_S)

    async def _answer(self, question: str, value: str) -> None:
        await self.glass.until(question, limit_s=PAGE_S_MAX)
        await self.finger.answer(value)
