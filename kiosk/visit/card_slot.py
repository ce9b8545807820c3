"""The slot for the card: what goes in, what comes out, and what becomes of the card of one visit."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

import trio

from kiosk.basics.race import first_of
from kiosk.devices.supervisor import Supervisor
from kiosk.domain.card import CardIdentity
from kiosk.ports import CardGone, CardReader, DeviceFault, ResidentLeft

CARD_AGAIN_S = 0.5


@dataclass
class CardWatch:
    """What became of the card of one visit. ``next_in``: a card was put in since, under our eyes."""

    left: trio.Event = field(default_factory=trio.Event)
    how: str = ""  # card_pulled | reader_lost
    next_in: trio.Event = field(default_factory=trio.Event)
    same_again: trio.Event = field(default_factory=trio.Event)


class CardSlot:
    """For the life of the process; ``watch`` is of one card. A reader out of order has no card that we know of."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.watch = CardWatch()

    @property
    def works(self) -> bool:
        return self._supervisor.unusable(("card_reader",)) is None

    @property
    def inside(self) -> bool:
        try:
            return self._reader.card_present
        except DeviceFault:
            return False

    @property
    def _reader(self) -> CardReader:
        """Raises DeviceFault."""
        reader: CardReader = self._supervisor.device("card_reader")
        return reader

    async def inserted(self) -> None:
        while True:
            try:
                return await self._reader.wait_card()
            except (DeviceFault, CardGone):
                await self._supervisor.wait_change()

    async def empty(self) -> None:
        with suppress(DeviceFault, CardGone):
            await self._reader.wait_no_card()

    async def reader_away(self) -> None:
        while self.works:
            await self._supervisor.wait_change()

    # The card of a visit. Watchers run until something ends the visit, and then raise.

    async def mind(self) -> NoReturn:
        """For as long as a visit: notice that its card left, whatever stands on the glass meanwhile.

        A page that does not need the card outlives it; what comes after that page must not, least of all when somebody
        else's card is in the slot by then.
        """
        self.watch = CardWatch()
        while True:
            watch = self.watch
            watch.how = await self._way_out()
            watch.left.set()
            if watch.how == "card_pulled" and await self._put_in_under_our_eyes():
                watch.next_in.set()
            await watch.same_again.wait()

    async def end_when_pulled(self) -> NoReturn:
        await self.watch.left.wait()
        raise ResidentLeft(self.watch.how)

    async def end_when_next_in(self) -> NoReturn:
        await self.watch.next_in.wait()
        raise ResidentLeft(self.watch.how)

    async def same_again(self, identity: CardIdentity, seconds: float) -> bool:
        """Whether this very card came back in time; it is then the visit's as if it had never left."""
        with trio.move_on_after(seconds):
            if await self._same_in(identity):
                self.watch.same_again.set()
                self.watch = CardWatch()
                return True
        return False

    async def _same_in(self, identity: CardIdentity) -> bool:
        while True:
            await self.inserted()
            try:
                return await self._reader.same_card(identity)
            except (CardGone, DeviceFault):  # pulled again, or not in contact yet: there may be time left
                await trio.sleep(CARD_AGAIN_S)

    async def _way_out(self) -> str:
        with suppress(DeviceFault, CardGone):
            await self._reader.wait_no_card()
            if self.works:
                return "card_pulled"
        return "reader_lost"

    async def _put_in_under_our_eyes(self) -> bool:
        """False: the reader went away meanwhile, and what it holds when it is back nobody knows."""
        with suppress(DeviceFault, CardGone):
            index, _ = await first_of(self._reader.wait_card, self.reader_away)
            return index == 0
        return False
