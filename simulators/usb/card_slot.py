"""The slot of qemu's USB card reader: what a hand does to it, and what the card in it answers.

The reader itself stays plugged in (unplug it by qemu's ``device_del``). What VSCARD cannot carry: power-off and reset
of the chip by the reader. So a chip that is in forgets nothing before it is pulled; a kiosk that relies on a reset to
close a card must be tested with vpcd (``simulators/cards/slot.py``).
"""

from collections.abc import Callable
from pathlib import Path

import trio

from simulators.cards.slot import HAND_S, Chip
from simulators.usb import vscard
from simulators.usb.carrying import CHUNK_BYTES
from simulators.usb.socket_cable import SocketCable


class UsbCardSlot(SocketCable):
    """Start ``run``, ``plug`` the slot to its reader, then ``insert`` and ``remove``. A card that is in stays in when
    qemu goes and comes back.
    """

    def __init__(self, path: Path, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(path, on_change)
        self.card: Chip | None = None
        self.apdu_count = 0  # since insertion
        self._stream: trio.SocketStream | None = None
        self._sending = trio.Lock()
        self._pulled_at = -HAND_S

    async def insert(self, card: Chip) -> None:
        """Put a card in, no faster than a hand; a card that is in is pulled first."""
        await self.remove()
        await trio.sleep_until(self._pulled_at + HAND_S)
        self.card, self.apdu_count = card, 0
        card.power_off()
        await self._tell(vscard.inserted(card.atr))
        self.on_change()

    async def remove(self) -> None:
        if self.card is None:
            await trio.lowlevel.checkpoint()
            return
        self.card.power_off()
        self.card, self._pulled_at = None, trio.current_time()
        await self._tell(vscard.removed())
        self.on_change()

    async def carry(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        try:
            decoder = vscard.Decoder()
            if self.card is not None:
                self.card.power_off()
            await self._tell(vscard.hello() + (vscard.inserted(self.card.atr) if self.card is not None else b""))
            while chunk := await stream.receive_some(CHUNK_BYTES):
                for message in decoder.receive(chunk):
                    await self._hear(message)
        finally:
            self._stream = None

    async def _hear(self, message: vscard.Message) -> None:
        """An APDU; what else qemu says is its own hello and "success" for each thing that was told."""
        if message.kind == vscard.Kind.APDU and self.card is not None:
            self.apdu_count += 1
            if not self.card.mute:
                await self._tell(vscard.answer(self.card.transmit(message.body)))

    async def _tell(self, message: bytes) -> None:
        """Nobody is told while the reader has no computer; ``carry`` tells how things stand when it has one."""
        async with self._sending:
            if self._stream is not None:
                try:
                    await self._stream.send_all(message)
                except trio.BrokenResourceError:
                    self._stream = None
