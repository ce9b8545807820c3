"""One ID-003 command and its answer. There is no NAK: what arrives damaged is asked again, if it may be."""

from drivers.cash_module.id003 import codec
from drivers.cash_module.id003.codec import Answer, Command, Reply
from drivers.cash_module.inbox import DeviceRefused, Inbox, Silent
from drivers.transport.line import Line

TRIES = 4
REPLY_S_MAX = 0.3


class Illegal(DeviceRefused):
    """The device does not do this in its state, or never."""


class Talk:
    """Raises Silent and LineLost everywhere."""

    def __init__(self, line: Line) -> None:
        self._inbox: Inbox[codec.Frame] = Inbox(line, codec.Decoder())

    async def ask(self, command: Command) -> Reply:
        """The answer. Only what is repeatable is said again after silence or damage.

        Raises:
            Illegal.
        """
        reason = "silent"
        for _ in range(TRIES if command.repeatable else 1):
            self._inbox.forget()
            await self._inbox.send(codec.frame(command.body))
            received = await self._inbox.next(REPLY_S_MAX)
            if isinstance(received, Reply) and received.code == codec.INVALID:
                raise Illegal
            if isinstance(received, Reply) and _fits(command, received):
                return received
            reason = "silent" if received is None else "damaged"
            await self._inbox.settle()
        raise Silent(reason)

    async def acknowledge(self) -> None:
        """ACK to VEND VALID: from now on the device may forget it. Not answered."""
        await self._inbox.send(codec.frame(bytes((codec.ACK,))))


def _fits(command: Command, reply: Reply) -> bool:
    if command.answer is Answer.ACK:
        return reply.body == bytes((codec.ACK,))
    if command.answer is Answer.ITSELF:
        return reply.body == command.body
    return command == codec.STATUS or reply.code == command.body[0]
