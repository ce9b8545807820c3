"""Questions and answers with one printer over one line: who asked what, what came late, when to hold back."""

from __future__ import annotations

import math
from typing import TypeVar

import trio

from drivers.printer.escpos import codec
from drivers.printer.escpos.status import Decoder, Fence, Flow, FullStatus, ProcessDone, Status
from drivers.transport.line import Line

_WAITING_MAX = 16  # answers that nobody has asked for yet; more are dropped
_LOOKS = 8  # at an answer before it is silence; see ``_answer``
_T = TypeVar("_T")


class Silent(Exception):
    """The printer did not answer in time."""


class Conversation:
    """One at a time: its caller holds the printer's lock. ``listen`` must run beside it.

    Every method raises ``trio.EndOfChannel`` once the line is gone.
    """

    def __init__(self, line: Line, reply_s: float, full_status: bool = False) -> None:
        self._line = line
        self._decoder = Decoder(full_status)
        self._reply_s = reply_s
        self._late = False
        self._may_send = trio.Event()
        self._may_send.set()
        self._tell_status, self._statuses = trio.open_memory_channel[Status](_WAITING_MAX)
        self._tell_full, self._fulls = trio.open_memory_channel[FullStatus](_WAITING_MAX)
        self._tell_done, self._done = trio.open_memory_channel[Fence | ProcessDone](_WAITING_MAX)

    async def listen(self) -> None:
        """Read until the line is lost (``LineLost``); then every waiting question ends."""
        with self._tell_status, self._tell_full, self._tell_done:
            while True:
                for event in self._decoder.receive(await self._line.receive()):
                    if isinstance(event, Status):
                        _offer(self._tell_status, event)
                    elif isinstance(event, FullStatus):
                        _offer(self._tell_full, event)
                    elif isinstance(event, Fence | ProcessDone):
                        _offer(self._tell_done, event)
                    elif isinstance(event, Flow):
                        self._flow(event.go)

    def _flow(self, go: bool) -> None:
        if go:
            self._may_send.set()
        elif self._may_send.is_set():
            self._may_send = trio.Event()

    async def ask(self, question: int) -> int:
        """The reply to one DLE EOT question. Idempotent, so a caller may ask again.

        Raises:
            Silent.
        """
        return (await self._asked(codec.ask(question), self._statuses)).value

    async def full_status(self) -> FullStatus:
        """The reply to DLE EOT 20. As idempotent as ``ask``.

        Raises:
            Silent.
        """
        return await self._asked(codec.FULL_STATUS, self._fulls)

    async def _asked(self, question: bytes, answers: trio.MemoryReceiveChannel[_T]) -> _T:
        if self._late:
            # A late answer would be taken for the answer to this question: let it arrive and pass.
            await trio.sleep(self._reply_s)
            self._late = False
        _empty(answers)
        self._late = True  # until answered, also when the caller gives up
        await self._send_at_once(question)
        answer = await self._answer(answers)
        self._late = False
        return answer

    async def _send_at_once(self, question: bytes) -> None:
        """Real time: not held back by XOFF. Raises Silent: the line does not take it."""
        with trio.move_on_after(self._reply_s) as scope:
            await self._line.send(question)
        if scope.cancelled_caught:
            raise Silent

    async def _answer(self, answers: trio.MemoryReceiveChannel[_T]) -> _T:
        """Wait ``reply_s`` from the moment that the line took the question.

        In several looks: while the machine is too busy to run this process, time passes, and the answer already lies
        in the line. However long such a pause lasts, it is no more than one look, and the printer is not to blame.

        Raises:
            Silent.
        """
        for _ in range(_LOOKS):
            with trio.move_on_after(self._reply_s / _LOOKS):
                return await answers.receive()
        raise Silent

    async def send(self, chunk: bytes, within_s: float) -> None:
        """Raises Silent: the printer or the line held us back for too long; a part may have gone."""
        with trio.move_on_after(within_s) as scope:
            await self._may_send.wait()
            await self._line.send(chunk)
        if scope.cancelled_caught:
            raise Silent

    def start_anew(self) -> None:
        """The printer is empty and said that it is fine: an XOFF from before was noise, or its XON was lost."""
        self._may_send.set()

    def forget_done(self) -> None:
        """Confirmations of earlier work are not for the next."""
        _empty(self._done)

    async def confirmation(self, within_s: float) -> Fence | ProcessDone | None:
        with trio.move_on_after(within_s if within_s > 0 else -math.inf):
            return await self._done.receive()
        return None


def _offer(channel: trio.MemorySendChannel[_T], event: _T) -> None:
    try:
        channel.send_nowait(event)
    except trio.WouldBlock:
        return  # unasked answers are dropped, never queued without end


def _empty(channel: trio.MemoryReceiveChannel[_T]) -> None:
    while channel.statistics().current_buffer_used:
        channel.receive_nowait()
