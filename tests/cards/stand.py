"""Where reader driver, PSAM driver and virtual cards meet: one pcscd for the whole run, since a process can only ever
speak to one socket."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from drivers.card_reader.pcsc.driver import PcscCardReader, open_device
from drivers.sam_reader.psam.driver import PsamReader
from drivers.sam_reader.psam.driver import open_device as open_psam
from kiosk.basics.log import JsonLog
from kiosk.domain.card import CardIdentity
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext, DeviceFault
from simulators.cards.card import Habits, VirtualCard
from simulators.cards.keys import external_cryptogram, internal_response
from simulators.cards.psam import VirtualPsam
from simulators.cards.slot import CardSlot
from simulators.pcscd import PrivatePcscd
from simulators.worlds.world import Card, Keys, Resident

KEYS = Keys()
NUMBER = "11010519491231002X"
NAME = "古丽娜尔·买买提阿卜杜热合曼江𠮷㐂"
RESIDENT = Resident(handle="r", name=NAME, number=NUMBER, sex="2", nation="05", born="1949-12-31")
ABSENT_S_MAX = 5.0


def make_card(handle: str = "c", habits: Habits | None = None, **settings: object) -> VirtualCard:
    card = Card(handle=handle, title="t", resident="r", **settings)  # type: ignore[arg-type]
    return VirtualCard(card, RESIDENT, KEYS, habits=habits or Habits())


class Hsm:
    """A CardAuthority as the province's HSM would answer."""

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        return internal_response(KEYS, card.city, card.random_seed, challenge) == response

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        return external_cryptogram(KEYS, card.city, card.random_seed, card_random)


@dataclass
class CardStand:
    pcscd: PrivatePcscd
    slot: CardSlot
    sam_slot: CardSlot
    reader: PcscCardReader
    nursery: trio.Nursery
    run_dir: Path
    log: io.StringIO
    reports: list[Health] = field(default_factory=list)

    async def insert(self, card: VirtualCard) -> None:
        """Put it in and wait until the driver has seen it."""
        await self.slot.insert(card)
        with trio.fail_after(ABSENT_S_MAX):
            await self.reader.wait_card()

    async def pull(self) -> None:
        await self.slot.remove()
        await self.empty()

    async def empty(self) -> None:
        with trio.fail_after(ABSENT_S_MAX):
            await self.reader.wait_no_card()

    async def next_card(self, card: VirtualCard) -> CardIdentity:
        """The whole point of every fault test: the next resident is served without a restart."""
        self.slot.faults = type(self.slot.faults)()
        await self.slot.remove()
        await self.empty()
        await self.insert(card)
        return await self.reader.read_identity()

    async def psam(self, lacks_read_key: bool = False) -> PsamReader:
        """Put a PSAM in and start its driver."""
        await self.sam_slot.insert(VirtualPsam(KEYS, lacks_read_key=lacks_read_key))
        driver = open_psam({}, self.context("sam_reader"))
        await self.nursery.start(_until_fault, driver)
        return driver

    def context(self, slot: str) -> DeviceContext:
        return DeviceContext(slot, self.reports.append, JsonLog(self.log), self.run_dir)


async def _until_fault(driver: PsamReader, task_status: trio.TaskStatus[None]) -> None:
    try:
        await driver.run(task_status)
    except DeviceFault:
        return  # a PSAM that is pulled ends its driver; the supervisor's business


@asynccontextmanager
async def open_stand(pcscd: PrivatePcscd, run_dir: Path, **options: object) -> AsyncIterator[CardStand]:
    """Slots and a running reader driver."""
    slot, sam_slot = (CardSlot("127.0.0.1", port, was_in_use=True) for port in (pcscd.card_port, pcscd.sam_port))
    log, reports = io.StringIO(), list[Health]()
    context = DeviceContext("card_reader", reports.append, JsonLog(log), run_dir)
    reader = open_device(options, context)
    async with trio.open_nursery() as nursery:
        await nursery.start(slot.run)
        await nursery.start(sam_slot.run)
        await nursery.start(reader.run)
        stand = CardStand(pcscd, slot, sam_slot, reader, nursery, run_dir, log, reports)
        yield stand
        nursery.cancel_scope.cancel()
