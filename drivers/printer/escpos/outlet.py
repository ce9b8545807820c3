"""What the printer sees in its outlet: nothing is remembered or guessed, each answer is the printer's own, just now."""

import trio

from drivers.printer.escpos.conversation import Conversation, Silent

LOOK_S = 0.5  # between two looks while paper waits: who takes it need not stand there until the next poll
WITHDRAW_S_MAX = 8.0


class Outlet:
    """``waiting``: whether a receipt lies there; None: there is no eye, or it did not answer."""

    def __init__(self, seen: bool) -> None:
        self._seen = seen
        self.waiting: bool | None = None
        self._changed = trio.Event()

    def note(self, waiting: bool | None) -> None:
        if waiting != self.waiting:
            self.waiting = waiting
            self._changed.set()
            self._changed = trio.Event()

    async def look(self, conversation: Conversation) -> None:
        """Ask once; silence is None. Raises as ``Conversation.full_status``, but for Silent."""
        if not self._seen:
            return
        try:
            self.note((await conversation.full_status()).paper_waiting)
        except Silent:
            self.note(None)

    async def wait_taken(self) -> None:
        """Return when nothing lies there; never where there is no eye."""
        while self.waiting is not False:
            await self._changed.wait()

    async def emptied(self, conversation: Conversation) -> bool:
        """Whether the outlet becomes empty in the time that a withdrawal may take."""
        with trio.move_on_after(WITHDRAW_S_MAX):
            await self.look(conversation)
            while self.waiting is not False:
                await trio.sleep(LOOK_S)
                await self.look(conversation)
        return self.waiting is False
