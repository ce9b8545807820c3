"""One CCNET command and its answer: times, repetition, ACK and NAK."""

import trio

from drivers.cash_module.ccnet import codec
from drivers.cash_module.ccnet.codec import Answer, Command, Reply
from drivers.cash_module.inbox import DeviceRefused, Inbox, Silent
from drivers.transport.line import Line

TRIES = 4
FREE_S = 0.012  # between our ACK and the next command (the manual: 10, better 20 ms; a note waits for it)


class Illegal(DeviceRefused):
    """The device does not do this in its state, or never."""


class Talk:
    """Raises Silent and LineLost everywhere."""

    def __init__(self, line: Line, address: int) -> None:
        self._address = address
        self._inbox: Inbox[codec.Frame] = Inbox(line, codec.Decoder(address))
        self._free_at = 0.0
        self.questions = 0  # asked so far, polls too

    async def ask(self, command: Command) -> Reply:
        """The answer. Only what is repeatable is repeated after silence; what the device refused by NAK was not done,
        so that is repeated whatever it is.

        Raises:
            Illegal.
        """
        reason = "silent"
        self.questions += 1
        for _ in range(TRIES):
            await trio.sleep_until(self._free_at)
            self._inbox.forget()
            await self._send(command.body)
            answer = await self._answer(command)
            if isinstance(answer, Reply):
                return answer
            await self._inbox.settle()
            reason = answer
            if not command.repeatable and reason != "refused":
                break
        raise Silent(reason)

    async def confirm(self) -> None:
        """ACK: from now on the device may forget what it told last."""
        await self._send(bytes((codec.ACK,)))
        self._free_at = trio.current_time() + FREE_S

    async def _send(self, body: bytes) -> None:
        await self._inbox.send(codec.frame(self._address, body))

    async def _answer(self, command: Command) -> Reply | str:
        """The answer, or why there is none."""
        ends = trio.current_time() + command.reply_s_max
        reason = "silent"
        while (received := await self._inbox.next(ends - trio.current_time())) is not None:
            if isinstance(received, codec.Foreign):
                reason = "other_unit_answers"
            elif isinstance(received, codec.Damaged):
                reason = "damaged"
                await self._send(bytes((codec.NAK,)))
            elif received.body == command.body == codec.POLL.body:
                # Codes of commands and states overlap, so an echoing line looks like a device that answers.
                raise Silent("line_echoes")
            else:
                return await self._judged(command, received)
        return reason

    async def _judged(self, command: Command, received: Reply) -> Reply | str:
        if received.body == bytes((codec.NAK,)):
            return "refused"
        if received.body == bytes((codec.ILLEGAL,)):
            raise Illegal
        if command.answer is Answer.ACK:
            return received if received.body == bytes((codec.ACK,)) else "unexpected"
        if command.answer is Answer.BODY:
            await self.confirm()
        return received
