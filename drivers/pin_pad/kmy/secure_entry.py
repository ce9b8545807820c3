"""One PIN entry with stars: from START PIN to the key that ends it. Digits stay in the pad."""

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Key
from drivers.pin_pad.kmy.conversation import Conversation, PadSilent
from kiosk.domain.card import PinProgress, PinPrompt, PinTemplate
from kiosk.ports.devices import Progress

KEYS_MAX = 64  # not yet counted
PAD_TIMEOUT_GRACE_S = 2.0  # the pad's own time-out comes first
ENDS = (Key.ENTER, Key.CANCEL, Key.TIMED_OUT)


class ClearDigits(Exception):
    """The pad told digits instead of stars: it is in plain mode and must not see another PIN."""


class EntryCut(Exception):
    """The driver ended while a PIN was typed."""


class SecureEntry:
    """The driver hands it each key byte by ``take``, and ends it early by ``cut``."""

    def __init__(self, talk: Conversation, template: PinTemplate, progress: Progress, tries: int) -> None:
        self._talk = talk
        self._template = template
        self._progress = progress
        self._tries = tries
        self._keys_in, self._keys_out = trio.open_memory_channel[int](KEYS_MAX)

    def take(self, key: int) -> None:
        """Raises trio.WouldBlock: more keys than anybody types; trio.ClosedResourceError: after ``cut``."""
        self._keys_in.send_nowait(key)

    def cut(self) -> None:
        self._keys_in.close()

    async def finished(self) -> bool:
        """Whether the resident finished in time. An Enter that comes too early begins again.

        Raises:
            ClearDigits, EntryCut, and what ``Conversation.ask`` raises.
        """
        deadline = trio.current_time() + self._template.entry_s_max
        while (left_s := deadline - trio.current_time()) > 0:
            await self._start(min(255, max(1, round(left_s))))
            with trio.move_on_at(deadline + PAD_TIMEOUT_GRACE_S):
                ended_by, digits = await self._count()
                if ended_by != Key.ENTER or digits >= self._template.digits_min:
                    return ended_by == Key.ENTER
        return False

    async def _start(self, timeout_s: int) -> None:
        """Not repeated once a key has come: the pad would drop what was typed, and the wrong PIN would result."""
        self._tell(0)
        command = codec.start_pin(self._template.digits_max, timeout_s, with_account=True)
        for _ in range(self._tries):
            try:
                await self._talk.ask(command)
                return
            except PadSilent:
                if self._keys_out.statistics().current_buffer_used:
                    return
        raise PadSilent

    async def _count(self) -> tuple[int, int]:
        """The key that ended the entry, and how many digits stood then."""
        digits = 0
        async for key in self._keys_out:
            if key in ENDS:
                return key, digits
            if key in codec.DIGITS:
                raise ClearDigits
            if key == Key.STAR:
                digits = min(digits + 1, self._template.digits_max)
            elif key == Key.CLEAR:
                digits = max(digits - 1, 0)
            self._tell(digits)
        raise EntryCut

    def _tell(self, digits: int) -> None:
        self._progress(PinProgress(PinPrompt.CURRENT, digits))
