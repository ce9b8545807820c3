"""Wall clock and ids. Waits never use this: they use trio's monotonic clock."""

import secrets
from collections.abc import Callable
from datetime import datetime

_CASE_TRIES_MAX = 100


class SystemClock:
    """Implements ``ports.Clock``. ``case_code_known`` asks the journal, so that codes stay unique on this terminal."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._in_ms = 0
        self.case_code_known: Callable[[str], bool] = lambda code: False

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def new_key(self) -> str:
        """UUIDv7 (RFC 9562): time part max(clock, last), a counter within the millisecond, 62 random bits."""
        now_ms = int(self.now().timestamp() * 1000)
        if now_ms > self._last_ms:
            self._last_ms, self._in_ms = now_ms, 0
        else:
            self._in_ms += 1
            if self._in_ms > 0xFFF:
                self._last_ms, self._in_ms = self._last_ms + 1, 0
        value = self._last_ms << 80 | 0x7 << 76 | self._in_ms << 64 | 0b10 << 62 | secrets.randbits(62)
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def new_case_code(self) -> str:
        """Six digits not used here before.

        Raises:
            RuntimeError: a hundred guesses were all taken: the journal must be closed out first.
        """
        for _ in range(_CASE_TRIES_MAX):
            code = f"{secrets.randbelow(1_000_000):06d}"
            if not self.case_code_known(code):
                return code
        raise RuntimeError("no free case code")

    def random(self, length: int) -> bytes:
        return secrets.token_bytes(length)
