"""The slot of a reader that only its maker's library reaches: pcscd knows nothing of it, and nothing of its card.

Two masters on one chip would power it off under each other's feet; a real reader has one.
"""

from collections.abc import Callable

import trio

from simulators.cards.slot import HAND_S, Chip


class BareSlot:
    """What ``CardSlot`` is to pcscd's readers, for hands: ``insert`` and ``remove``."""

    apdu_seconds = 0.0  # the library's reader keeps no time
    noticed_at: float | None = None

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.card: Chip | None = None
        self.on_change = on_change
        self._pulled_at = -HAND_S

    async def insert(self, card: Chip) -> None:
        """Put a card in, no faster than a hand."""
        await trio.sleep_until(self._pulled_at + HAND_S)
        self.card = card
        self.on_change()

    async def remove(self) -> None:
        """Pull it out: a chip without power forgets what was selected."""
        if self.card:
            self.card.power_off()
        self.card, self._pulled_at = None, trio.current_time()
        self.on_change()
        await trio.lowlevel.checkpoint()
