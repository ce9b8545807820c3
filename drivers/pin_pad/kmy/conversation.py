"""One command, one reply over a line, with key presses in between. Knows deadlines and repetition, not what is asked.

The wire has no numbers: a reply is taken for the command in hand if its size fits (``Reply.answers``); anything else
is a late one and is dropped.
"""

from collections.abc import Callable

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Command, Event, Reply
from drivers.pin_pad.kmy.settings import PadSettings
from drivers.transport.line import Line, LineLost

QUIET_S = 0.25  # a frame never pauses this long (9600 baud: 1 ms a byte; USB adapters hold back up to 16 ms)
BITS_PER_BYTE = 10  # start, eight, stop


class PadSilent(Exception):
    """No answer to any of the allowed tries."""


class PadStopped(Exception):
    """Nobody listens any more: the driver was told to end."""


class PadRefused(Exception):
    """Answered, and not with "done". ``status`` as in the codec's tables."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02X}")
        self.status = status


class Conversation:
    """``on_key`` hears each key byte, ``on_status`` the status of each good reply, ``on_silence`` each try in vain."""

    def __init__(
        self,
        line: Line,
        settings: PadSettings,
        on_key: Callable[[int], None],
        on_status: Callable[[int], None],
        on_silence: Callable[[], None],
    ) -> None:
        self._line = line
        self._settings = settings
        self._on_key, self._on_status, self._on_silence = on_key, on_status, on_silence
        self._decoder = codec.Decoder(settings.framing)
        self._asked: Command | None = None
        self._reply: Reply | None = None
        self._answered = trio.Event()
        self._over = self._lost = False  # nobody listens any more; because the line is lost
        self._listening = trio.CancelScope()
        self._paused: trio.Event | None = None  # set once nobody reads the line that is to be lent
        self._resumed = trio.Event()

    async def listen(self) -> None:
        """Sort what arrives until the line is lost, then return; pauses while the line is lent."""
        try:
            while True:
                with trio.CancelScope() as self._listening:
                    await self._receive_on()
                if self._paused is not None:
                    self._paused.set()
                    await self._resumed.wait()
        except LineLost:
            self._lost = True
        finally:
            self._over = True
            self._answered.set()
            if self._paused is not None:
                self._paused.set()

    async def ask(self, command: Command) -> Reply:
        """The reply of success. Repeats after silence only what the codec declares repeatable.

        Raises:
            PadRefused, PadSilent, PadStopped, LineLost.
        """
        for _ in range(self._settings.tries if command.repeatable else 1):
            reply = await self._try(command)
            if reply is None:
                self._on_silence()
            elif reply.ok:
                self._on_status(reply.status)
                return reply
            else:
                raise PadRefused(reply.status)
        raise PadSilent

    async def lend(self) -> int:
        """Stop reading and give the descriptor out. Raises LineLost."""
        self._paused, self._resumed = trio.Event(), trio.Event()
        self._listening.cancel()
        if not self._over:
            await self._paused.wait()
        return self._line.lend()

    def take_back(self) -> None:
        self._line.take_back()
        self._decoder.give_up()
        self._paused = None
        self._resumed.set()

    async def _try(self, command: Command) -> Reply | None:
        self._check()
        self._asked, self._reply, self._answered = command, None, trio.Event()
        frame = codec.encode(command, self._settings.framing)
        try:
            with trio.move_on_after(self._reply_s(command, frame)):
                await self._line.send(frame)
                await self._answered.wait()
        finally:
            self._asked = None
        self._check()
        return self._reply

    def _check(self) -> None:
        if self._lost:
            raise LineLost("lost")
        if self._over:
            raise PadStopped

    def _reply_s(self, command: Command, frame: bytes) -> float:
        """How long a reply may take: both ways on the wire, the cipher, the pad's slowness, and a person's."""
        wire_bytes = 2 * len(frame) + 2 * command.reply_sizes[1]
        on_wire_s = wire_bytes * BITS_PER_BYTE / self._settings.baud
        return on_wire_s + command.blocks * self._settings.block_s + self._settings.reply_s_max + command.person_s

    async def _receive_on(self) -> None:
        while True:
            for event in await self._events():
                self._sort(event)

    async def _events(self) -> list[Event]:
        with trio.move_on_after(QUIET_S if self._decoder.in_frame else float("inf")):
            return self._decoder.receive(await self._line.receive())
        return self._decoder.give_up()

    def _sort(self, event: Event) -> None:
        if isinstance(event, codec.KeyByte):
            self._on_key(event.value)
        elif self._asked is not None and event.answers(self._asked):
            self._reply = event
            self._answered.set()
