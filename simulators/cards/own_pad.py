"""The pad on the front of a reader that has its own: collects one PIN after the other, tells only how many digits."""

import trio

DIGITS_MAX = 12
CANCELLED, TIMED_OUT, LENGTH = -31, -32, -33


class PadRefused(Exception):
    """``code`` of LD/T 33: -31 cancelled, -32 time over, -33 length."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class OwnPad:
    """``press`` it from the front panel; keys are named as those of the terminal's pad."""

    def __init__(self, digits_min: int = 6, digits_max: int = 6, entry_s_max: float = 60.0) -> None:
        self.digits_min, self.digits_max, self.entry_s_max = digits_min, digits_max, entry_s_max
        self.prompt = ""  # "current" | "new" | "repeat" while it asks, else ""
        self._digits = ""
        self._ended: trio.Event | None = None
        self._code = 0

    @property
    def lit(self) -> bool:
        return self._ended is not None

    @property
    def display(self) -> str:
        return "*" * len(self._digits)

    def press(self, key: str) -> None:
        """``0`` to ``9``, ``clear``, ``enter``, ``cancel``; other keys and keys outside an entry do nothing."""
        if self._ended is None:
            return
        if len(key) == 1 and key.isdigit() and len(self._digits) < min(self.digits_max, DIGITS_MAX):
            self._digits += key
        elif key == "clear":
            self._digits = self._digits[:-1]
        elif key == "enter":
            self._end(0 if len(self._digits) >= self.digits_min else LENGTH)
        elif key == "cancel":
            self._end(CANCELLED)

    def _end(self, code: int) -> None:
        ended, self._ended = self._ended, None
        self._code = code
        if ended is not None:
            ended.set()

    async def enter(self, prompt: str) -> str:
        """One PIN.

        Raises:
            PadRefused.
        """
        ended = trio.Event()
        self.prompt, self._digits, self._code, self._ended = prompt, "", TIMED_OUT, ended
        try:
            with trio.move_on_after(self.entry_s_max):
                await ended.wait()
            if self._code:
                raise PadRefused(self._code)
            return self._digits
        finally:
            self.prompt, self._digits, self._ended = "", "", None
