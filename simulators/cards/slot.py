"""A slot of the virtual reader: what carries a card to vpcd, and what a hand or a bad contact does to it.

Wire (vpcd): length (u16, big endian) and body both ways. One byte from vpcd is control: 00 power off, 01 power on,
02 reset, 04 "your ATR?"; anything longer is an APDU. Connected means inserted, a closed socket means removed.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

CONNECT_S_MAX = 2.0
RECONNECT_S = 0.1
HAND_S = 0.6
LOG_MAX = 1000
_HEADER = 2


class Chip(Protocol):
    """What a slot needs of a card: VirtualCard, VirtualPsam, or a test's own."""

    atr: bytes
    mute: bool

    def transmit(self, apdu: bytes) -> bytes: ...

    def power_off(self) -> None: ...

    def reset(self) -> None: ...


@dataclass
class Faults:
    """Counted in APDUs since insertion, from 1; 0 means never."""

    pull_after_apdus: int = 0  # answer that many, then the card is out: between two APDUs
    pull_inside_apdu: int = 0  # the card leaves while this one is being answered
    pulled_card_executes: bool = False  # whether the chip had finished that command
    mute_after_apdus: int = 0  # answer that many, then never again
    answer_delay_s: float = 0.0


class CardSlot:
    """``await nursery.start(slot.run)`` first; then ``insert`` and ``remove`` at any moment.

    A card that is in stays in: when pcscd goes away and comes back, the slot connects again.
    """

    def __init__(self, host: str, port: int, was_in_use: bool = False) -> None:
        """``was_in_use``: another object carried cards to this port a moment ago."""
        self._address = (host, port)
        self.faults = Faults()
        self.card: Chip | None = None
        self.apdu_count = 0  # since insertion
        self.apdu_seconds = 0.0  # the card's own time, since construction
        self.noticed_at: float | None = None  # time.perf_counter() of the reader's first word to the card that is in
        self.log: list[str] | None = None  # set to [] to keep headers (first 4 bytes and status): never data
        self.on_change: Callable[[], None] = lambda: None
        self._was_in_use = was_in_use
        self._nursery: trio.Nursery | None = None
        self._scope: trio.CancelScope | None = None
        self._pulled_at = -HAND_S

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            if self._was_in_use:
                self._pulled_at = trio.current_time()
            task_status.started()
            await trio.sleep_forever()

    async def insert(self, card: Chip, swift: bool = False) -> None:
        """Put a card in (pulling out the one that is there) and return when the reader's side has it.

        Hands take HAND_S from pulling one card to having put in the next; ``swift`` is faster than any hand, and than
        pcscd, which polls every 0.4 s and may then miss the change.

        Raises:
            OSError: nobody listens at the port within CONNECT_S_MAX.
        """
        assert self._nursery, "start CardSlot.run first"
        await self.remove()
        if not swift:
            await trio.sleep_until(self._pulled_at + HAND_S)
        stream = await self._connect()
        self.card, self.apdu_count, self.noticed_at = card, 0, None
        self._scope = trio.CancelScope()
        self._nursery.start_soon(self._carry, card, stream, self._scope)
        self.on_change()

    async def remove(self) -> None:
        """Pull the card out; the socket is closed on return."""
        if self._scope:
            self._scope.cancel()
            self._pulled()
        await trio.lowlevel.checkpoint()

    def _pulled(self) -> None:
        if self.card:
            self.card.power_off()
        self.card, self._scope = None, None
        self._pulled_at = trio.current_time()
        self.on_change()

    async def _connect(self) -> trio.SocketStream:
        with trio.move_on_after(CONNECT_S_MAX):
            stream = await trio.open_tcp_stream(*self._address)
            _quick(stream)
            return stream
        raise OSError(f"no virtual reader at port {self._address[1]}")

    async def _carry(self, card: Chip, stream: trio.SocketStream, scope: trio.CancelScope) -> None:
        with scope:
            while True:
                async with stream:
                    try:
                        pulled = await self._serve(card, stream)
                    except trio.BrokenResourceError:
                        pulled = False
                card.power_off()
                if pulled:
                    self._pulled()
                    return
                stream = await self._reconnect()

    async def _reconnect(self) -> trio.SocketStream:
        """The reader's side went away under a card that is still in: wait for it as long as the card stays."""
        while True:
            await trio.sleep(RECONNECT_S)
            try:
                return await self._connect()
            except OSError:
                continue

    async def _serve(self, card: Chip, stream: trio.SocketStream) -> bool:
        """True when a fault pulled the card, False when the reader's side closed."""
        buffer = b""
        while True:
            while len(buffer) < _HEADER or len(buffer) < _HEADER + int.from_bytes(buffer[:2], "big"):
                chunk = await stream.receive_some(65536)
                _quick(stream)
                if not chunk:
                    return False
                buffer += chunk
            length = int.from_bytes(buffer[:2], "big")
            body, buffer = buffer[_HEADER : _HEADER + length], buffer[_HEADER + length :]
            if length == 1:
                await self._control(card, stream, body[0])
            elif length > 1 and await self._answer(card, stream, body):
                return True

    async def _control(self, card: Chip, stream: trio.SocketStream, code: int) -> None:
        self.noticed_at = self.noticed_at or time.perf_counter()
        if code == 0x04:
            await _send(stream, card.atr)
        elif code == 0x02:
            card.reset()
        else:
            card.power_off()

    async def _answer(self, card: Chip, stream: trio.SocketStream, apdu: bytes) -> bool:
        """Answer one APDU, or do what the faults say; True when the card is out."""
        self.apdu_count += 1
        faults, count = self.faults, self.apdu_count
        if card.mute or (faults.mute_after_apdus and count > faults.mute_after_apdus):
            await _wait_closed(stream)
        if faults.pull_inside_apdu == count:
            if faults.pulled_card_executes:
                card.transmit(apdu)
            return True
        started = time.perf_counter()
        answer = card.transmit(apdu)
        if faults.answer_delay_s:
            await trio.sleep(faults.answer_delay_s)
        self.apdu_seconds += time.perf_counter() - started
        if self.log is not None and len(self.log) < LOG_MAX:
            self.log.append(f"{apdu[:4].hex()} {answer[-2:].hex()}")
        await _send(stream, answer)
        return faults.pull_after_apdus == count


async def _send(stream: trio.SocketStream, body: bytes) -> None:
    await stream.send_all(len(body).to_bytes(_HEADER, "big") + body)


async def _wait_closed(stream: trio.SocketStream) -> None:
    """A mute chip: it hears everything and answers nothing."""
    while await stream.receive_some(65536):
        pass
    raise trio.BrokenResourceError


def _quick(stream: trio.SocketStream) -> None:
    """Without it vpcd's two writes meet a delayed ACK: 44 ms an APDU. The kernel forgets it, so after every receive."""
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
