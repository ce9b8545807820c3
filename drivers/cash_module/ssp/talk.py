"""One SSP command and its answer: sequence, repetition, seal.

The same frame may be sent again whatever it says: a device that sees the same SEQ repeats its answer and does nothing.
So each command is carried out at most once, and silence after all tries is a lost line.
"""

from collections.abc import Callable

from drivers.cash_module.inbox import DeviceRefused, Inbox, Silent
from drivers.cash_module.ssp import codec, seal
from drivers.cash_module.ssp.codec import Packet
from drivers.transport.line import Line

REPLY_S_MAX = 1.0  # the manual's; not shorter, or an answer crosses the repetition
TRIES = 6


class Refused(DeviceRefused):
    """The device answered, and not with OK. ``status`` and ``reason`` are its first two bytes."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(f"status {answer[0]:02x}")
        self.status = answer[0]
        self.reason = answer[1] if len(answer) > 1 else 0


class Talk:
    """Raises Silent and LineLost everywhere."""

    def __init__(self, line: Line, address: int) -> None:
        self._address = address
        self._inbox: Inbox[codec.Frame] = Inbox(line, codec.Decoder())
        self._sequence = False
        self._key: bytes | None = None
        self._count = 0

    async def begin(self, fixed_key: int, random_bits: Callable[[int], int]) -> None:
        """SYNC, then agree on a key."""
        self._key = None
        await self.sync()
        secret = random_bits(31) | 1
        await self.ask(codec.GENERATOR, seal.half(seal.GENERATOR))
        await self.ask(codec.MODULUS, seal.half(seal.MODULUS))
        answer = await self.ask(codec.EXCHANGE, seal.half(seal.inter_key(secret)))
        self._key = seal.shared_key(fixed_key, int.from_bytes(answer[:8], "little"), secret)
        self._count = 0

    async def sync(self) -> None:
        """Afterwards the next command has SEQ 0, whatever was before."""
        await self._inbox.settle()
        self._sequence = True
        await self._exchange(bytes((codec.SYNC,)))
        self._sequence = False

    async def ask(self, command: int, body: bytes = b"") -> bytes:
        """What the answer holds behind its OK. Sealed once there is a key.

        Raises:
            Refused.
        """
        data = bytes((command,)) + body
        answer = await self._exchange(data) if self._key is None else await self._sealed(self._key, data)
        if answer[0] != codec.OK:
            raise Refused(answer)
        return answer[1:]

    async def _sealed(self, key: bytes, data: bytes) -> bytes:
        packet = seal.seal(key, self._count, data)
        answer = await self._exchange(packet)
        opened = seal.open_sealed(key, answer)
        self._count += 1
        if opened is None and answer[0] != seal.SEALED:
            return answer  # the device has lost its key and says so in clear
        if opened is None or opened[0] != self._count or not opened[1]:
            raise Silent("seal_broken")
        return opened[1]

    async def _exchange(self, data: bytes) -> bytes:
        text = codec.frame(data, sequence=self._sequence, address=self._address)
        reason = "silent"
        for _ in range(TRIES):
            self._inbox.forget()
            await self._inbox.send(text)
            answer = await self._answer(data)
            if isinstance(answer, bytes):
                self._sequence = not self._sequence
                return answer
            reason = answer
            await self._inbox.settle()
        raise Silent(reason)

    async def _answer(self, asked: bytes) -> bytes | str:
        """The answer's data, or why there is none."""
        received = await self._inbox.next(REPLY_S_MAX)
        if received is None or not isinstance(received, Packet):
            return "silent" if received is None else "damaged"
        if received.address != self._address:
            return "other_unit_answers"
        if received.data == asked:
            return "line_echoes"
        return received.data if received.sequence == self._sequence else "out_of_sequence"
