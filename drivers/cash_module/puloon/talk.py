"""One LCDM command and its answer. The byte that confirms an answer is sent separately: after the commit."""

import trio

from drivers.cash_module.inbox import Inbox, Silent
from drivers.cash_module.puloon import codec
from drivers.cash_module.puloon.codec import Damaged, Heard, Reply
from drivers.transport.line import Line

TRIES = 3
HEARD_S_MAX = 0.8  # the manual: 500 ms
ANSWER_S_MAX = 10.0  # of everything but a dispense
SPACING_S = 0.5  # a second command at once is refused


class Talk:
    """Raises Silent and LineLost."""

    def __init__(self, line: Line) -> None:
        self._inbox: Inbox[codec.Event] = Inbox(line, codec.Decoder())

    async def until_free(self, wait_s: float) -> Reply | None:
        """A dispense that an earlier life began: while it runs the device refuses every word, and then tells what came
        of it. None: it is free, or says nothing at all."""
        ends = trio.current_time() + wait_s
        while trio.current_time() < ends:
            await self._inbox.send(codec.frame(codec.VERSION))
            event = await self._inbox.next(HEARD_S_MAX)
            if event is None or (isinstance(event, Heard) and event.good):
                return None
            if isinstance(event, Reply):
                return event if event.command == codec.DISPENSE else None
            if isinstance(event, Damaged):
                await self._inbox.send(bytes((codec.NAK,)))
            if (reply := await self.answer(codec.DISPENSE, SPACING_S)) is not None:
                return reply
        return None

    async def ask(self, command: int) -> Reply:
        """STATUS, PURGE, VERSION: they may be repeated, and their answers are confirmed at once."""
        for _ in range(TRIES):
            await self._inbox.settle()
            await self._inbox.send(codec.frame(command))
            reply = await self.answer(command, ANSWER_S_MAX, heard_by_s=HEARD_S_MAX)
            if reply is not None:
                await self.confirm()
                return reply
            await trio.sleep(SPACING_S)
        raise Silent("silent")

    async def order(self, text: bytes) -> bool | None:
        """Send what must never be sent twice. True: heard; False: surely refused; None: nobody knows."""
        for _ in range(TRIES):
            await self._inbox.settle()
            await self._inbox.send(text)
            ends = trio.current_time() + HEARD_S_MAX
            while (event := await self._inbox.next(ends - trio.current_time())) is not None:
                if isinstance(event, Heard):
                    break
            if not isinstance(event, Heard):
                return None
            if event.good:
                return True
            await trio.sleep(SPACING_S)  # NAK: it arrived damaged or too soon, and was not begun
        return False

    async def answer(self, command: int, wait_s: float, heard_by_s: float = float("inf")) -> Reply | None:
        """The answer to that command; late ones to others are passed over. A damaged one is asked for again."""
        ends, heard_by = trio.current_time() + wait_s, trio.current_time() + heard_by_s
        while (event := await self._inbox.next(min(ends, heard_by) - trio.current_time())) is not None:
            if isinstance(event, Reply) and event.command == command:
                return event
            if isinstance(event, Heard) and not event.good:
                return None
            if isinstance(event, Heard):
                heard_by = float("inf")
            elif isinstance(event, Damaged):
                await self._inbox.send(bytes((codec.NAK,)))
        return None

    async def confirm(self) -> None:
        await self._inbox.send(bytes((codec.ACK,)))

    def forget(self) -> None:
        self._inbox.forget()
