"""One of staff puts the staff card in, types its PIN, looks at what is wrong, and takes the card."""

from dataclasses import dataclass

from simulators.smoke.glass import Glass
from simulators.smoke.hands import Finger, type_pin
from simulators.smoke.record import Record
from simulators.stack import Stack
from simulators.waiting import came_true
from simulators.worlds.world import StaffEntry

CARD_S_MAX = 15.0


@dataclass
class StaffVisit:
    """``pad`` is where the PIN is typed, as for residents: the terminal's pad, or the reader's own in mode A."""

    stack: Stack
    glass: Glass
    record: Record
    card: StaffEntry
    pad: str

    async def go(self) -> None:
        """Raises Unexpected, CheckFailed."""
        finger = Finger(self.stack, self.glass)
        await self.glass.until("insert_card")
        await self.stack.insert(self.card.handle)
        await self.glass.until("staff_pin", limit_s=CARD_S_MAX)
        async with self.record.step("pin_to_menu"):
            await type_pin(self.stack, self.card.pin, self.pad)
            await self.glass.until("staff_menu", limit_s=CARD_S_MAX)
        self.record.keep("staff_menu.png", await self.stack.screen_png())
        await finger.answer("status")
        shown = await came_true(lambda: self.glass.look().question == "staff_status", CARD_S_MAX)
        self.record.check("what_is_wrong_is_shown", shown)
        self.record.keep("staff_status.png", await self.stack.screen_png())
        await finger.answer("back")
        await self.glass.until("staff_menu")
        await finger.answer("finish")
        await self.glass.until("take_card")
        await self.stack.pull()
        await self.glass.until("insert_card")
