"""What a terminal's books leave to be explained: open cases, and messages that hosts were not told yet."""

from dataclasses import dataclass

from kiosk.domain.money import NOTHING, Fen


@dataclass(frozen=True)
class OpenCase:
    """Something a person must close. ``code`` may be "": found by the terminal itself, between visits.

    Amounts as in the books: what is owed is negative. ``since``: ISO time of the first entry that opened it.
    """

    code: str
    since: str
    suspense_fen: Fen = NOTHING
    surplus_fen: Fen = NOTHING  # 长款
    shortage_fen: Fen = NOTHING  # 短款
    effects: tuple[str, ...] = ()  # acts whose outcome is unknown


@dataclass(frozen=True)
class Unsent:
    """``oldest_at``: ISO time, "" where nothing waits."""

    count: int
    sum_fen: Fen
    oldest_at: str
