"""The devices of a kiosk in memory: each implements its port, and the test changes what it does."""

from collections.abc import Callable
from datetime import date
from typing import Any

import trio

from kiosk.domain.card import (
    CardIdentity,
    ChipRecord,
    Holder,
    PinProgress,
    PinPrompt,
    PinResult,
    PinTemplate,
    PinVerdict,
    Sex,
)
from kiosk.domain.receipt import PaperReceipt
from kiosk.ports import CardGone, CardNotGenuine, PadKey
from tests.flows.slot_device import SlotDevice


class FakeReader(SlotDevice):
    def __init__(self) -> None:
        super().__init__()
        self.card_present = False
        self.inserted = trio.Event()
        self.pulled = trio.Event()
        self.fault: Exception | None = None
        self.identity = CardIdentity(
            bytes.fromhex("410100D156000005000000013A05F2E3"),
            "A00000012",
            "2.00",
            date(2019, 3, 12),
            date(2039, 3, 12),
            b"\x3b\x6d\x00\x00" + bytes(13),
        )
        self.holder = Holder("王桂花", "110105194912310021", Sex.FEMALE, "01", date(1949, 12, 31))
        self.chip = ChipRecord(240, 12_345, date(2026, 9, 30))

    def insert(self) -> None:
        self.card_present, self.pulled = True, trio.Event()
        self.inserted.set()

    def pull(self) -> None:
        self.card_present, self.inserted = False, trio.Event()
        self.pulled.set()

    async def wait_card(self) -> None:
        while not self.card_present:
            await self.inserted.wait()

    async def wait_no_card(self) -> None:
        if self.card_present:
            await self.pulled.wait()

    async def read_identity(self) -> CardIdentity:
        await trio.lowlevel.checkpoint()
        if self.fault:
            raise self.fault
        if not self.card_present:
            raise CardGone
        return self.identity

    async def prove_genuine(self, authority: Any) -> None:
        if not await authority.internal_authentication_ok(self.identity, bytes(16), bytes(16)):
            raise CardNotGenuine("counterfeit")

    async def read_holder(self) -> Holder:
        return self.holder

    async def read_chip_record(self) -> ChipRecord:
        return self.chip

    async def same_card(self, identity: CardIdentity) -> bool:
        return self.card_present and identity == self.identity


class FakeSam(SlotDevice):
    genuine = True
    serial = "0000000001"

    async def internal_authentication_ok(self, card: CardIdentity, challenge: bytes, response: bytes) -> bool:
        await trio.lowlevel.checkpoint()
        return self.genuine

    async def external_authentication(self, card: CardIdentity, card_random: bytes) -> bytes:
        return bytes(8)


class FakePad(SlotDevice):
    serial = "00000001"

    def __init__(self) -> None:
        super().__init__()
        self.press, self._pressed = trio.open_memory_channel[PadKey](8)

    async def next_key(self) -> PadKey:
        return await self._pressed.receive()

    def forget_keys(self) -> None:
        return None


class FakePinEntry:
    """Verdicts in order; the last one stays."""

    mode = "B"

    def __init__(self) -> None:
        self.verdicts: list[PinVerdict] = [PinVerdict(PinResult.OK)]
        self.entries = 0
        self.never_ends = False

    async def verify_chip_pin(
        self, card: CardIdentity, template: PinTemplate, progress: Callable[[PinProgress], None]
    ) -> PinVerdict:
        self.entries += 1
        progress(PinProgress(PinPrompt.CURRENT, 6))
        if self.never_ends:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]

    async def change_chip_pin(
        self, card: CardIdentity, template: PinTemplate, progress: Callable[[PinProgress], None]
    ) -> PinVerdict:
        return await self.verify_chip_pin(card, template, progress)


class FakeReceiptPrinter(SlotDevice):
    def __init__(self) -> None:
        super().__init__()
        self.papers: list[PaperReceipt] = []
        self.fault: Exception | None = None

    async def print_receipt(self, receipt: PaperReceipt) -> None:
        await trio.lowlevel.checkpoint()
        if self.fault:
            raise self.fault
        self.papers.append(receipt)


class FakePagePrinter(SlotDevice):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[bytes] = []
        self.fault: Exception | None = None
        self.while_printing: Callable[[], None] = lambda: None

    async def print_pdf(self, pdf: bytes, job_key: str) -> None:
        self.while_printing()
        await trio.sleep(1)
        if self.fault:
            raise self.fault
        self.sheets.append(pdf)
